// SPDX-License-Identifier: GPL-2.0
/*
 * Hostile media: a valid pool, changed as the input says. Part of the changes are well formed,
 * with their checksums right, so that what lies behind those is reached. Whatever comes out is
 * loaded with repair, and used if it loads.
 */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include "find.h"
#include "fuzz.h"

#define MIB	(1ULL << 20)
#define DEVS	2
#define PAGES	64

static const u64 sizes[DEVS] = { 2 * MIB + 24 * MIB, 2 * MIB + 24 * MIB };
static struct ram pristine, r;
static struct pool p;

/* Where things stand in the pristine pool. */
static u32 page_number[PAGES];
static unsigned int nr_pages;
static struct pool_vol vols[POOL_VOLS];
static unsigned int nr_vols;
static u32 segment_chunk[PMV_COPIES];

struct fuzz_figures fuzz_figures;

static void must(bool cond, const char *what)
{
	if (cond)
		return;
	fprintf(stderr, "%s\n", what);
	abort();
}

/* Of the volume in slot 2: two snapshots, the newer one deleted, and a clone of the older. */
static void prepare_snapshots(void)
{
	struct pmv_volume_params params;
	struct pool_vol s, *of;
	u32 slot, page;

	must(!pool_open(&p, &ram_ops, &pristine, sizes, DEVS, true), "the pool cannot be read");
	of = pool_slot(&p, 2);
	for (slot = 3; slot < 5; slot++) {
		pool_params(&params, slot == 3 ? "s" : "t", 0, false);
		must(!pmv_snapshot_create(&p.c, slot, &params, &of->d, &of->m, &s.d, &s.m) &&
		     !pmv_map_make_leaf(&p.c, &s.m, 1, &page), "no snapshot");
		pmv_map_set(&p.c, &s.m, page, 512, (struct pmv_word){ 7 + slot, 1 });
	}
	must(!pmv_volume_delete(&p.c, 4, &s.d), "no deletion");
	pool_params(&params, "y", 513, false);
	params.flags = PMV_DESC_CLONE;
	params.origin = 3;
	must(!pmv_volume_create(&p.c, 5, &params, &s.d, &s.m), "no clone");
}

static void prepare(void)
{
	static const struct { u32 slot; u64 chunks; bool thick; } want[] = {
		{ 0, 5, false }, { 1, 700, true }, { 2, 513, false }, { 9, BIT_ULL(18) + 3, false },
	};
	struct pmv_volume_params params;
	char letter[] = "a";
	unsigned int i, chunk = 2;
	struct pmv_desc d;
	struct pmv_map m;
	u32 page;

	ram_init(&pristine, sizes, DEVS, 0xa5);
	pool_plan(&p, &ram_ops, &pristine, sizes, DEVS, 0);
	must(!pool_format(&p), "the pool cannot be made");
	for (i = 0; i < ARRAY_SIZE(want); i++, letter[0]++) {
		pool_params(&params, letter, want[i].chunks, want[i].thick);
		must(!pmv_volume_create(&p.c, want[i].slot, &params, &d, &m) &&
		     !pmv_map_make_leaf(&p.c, &m, 0, &page), "no volume");
		pmv_map_set(&p.c, &m, page, 0, (struct pmv_word){ chunk++, 1 });
		must(!pmv_map_make_leaf(&p.c, &m, (want[i].chunks - 1) >> 9, &page), "no leaf");
		pmv_map_set(&p.c, &m, page, want[i].chunks - 1, (struct pmv_word){ chunk++, 1 });
	}
	must(!pmv_volume_delete(&p.c, 9, &d), "no deletion");
	prepare_snapshots();
	must(!pool_open(&p, &ram_ops, &pristine, sizes, DEVS, true), "the pool cannot be read");
	for (page = 0; page < pmv_pages_per_segment(&p.c) && nr_pages < PAGES; page++)
		if (test_bit(page, p.seg[0].map))
			page_number[nr_pages++] = page;
	memcpy(vols, p.vol, sizeof(vols));
	nr_vols = p.nr_vols;
	memcpy(segment_chunk, p.seg[0].chunk, sizeof(segment_chunk));
}

/* ---- changes ---- */

struct input {
	const u8 *data;
	size_t left;
};

static u64 take(struct input *in, unsigned int bytes)
{
	u64 val = 0;

	while (bytes-- && in->left) {
		val = val << 8 | *in->data++;
		in->left--;
	}
	return val;
}

/* A number, more often than not a small one or one next to an edge. */
static u64 take_number(struct input *in)
{
	u64 how = take(in, 1), val = take(in, 2);

	switch (how % 5) {
	case 0:
		return val % 32;
	case 1:
		return val;
	case 2:
		return BIT_ULL(val % 64) - (val >> 8) % 3 + 1;
	case 3:
		return ~0ULL - val % 4;
	default:
		return take(in, 8);
	}
}

static unsigned int locate(u32 page, unsigned int copy, u64 *off)
{
	u32 chunk = segment_chunk[copy];

	*off = 2 * MIB + (u64)(chunk % 12) * 2 * MIB + (u64)page * PMV_PAGE_SIZE;
	return chunk / 12;
}

/* One copy of a place where metadata stands. */
static unsigned int take_place(struct input *in, u64 *off)
{
	u64 which = take(in, 1) % (nr_pages + 6), copy = take(in, 1) % 2;

	if (which < nr_pages)
		return locate(page_number[which], copy, off);
	which -= nr_pages;
	*off = copy * PMV_COPY_STRIDE + (which >= 4 ? PMV_SEGTAB_OFF : 0);
	return which % 2;
}

static void set_word(struct input *in, u32 page, unsigned int at, struct pmv_word w,
		     enum pmv_word_kind kind, u32 owner, u64 index)
{
	__le64 raw = cpu_to_le64(pmv_word_encode(w, kind, owner, index));
	u64 copies = take(in, 1), off;
	unsigned int copy, dev;

	for (copy = 0; copy < PMV_COPIES; copy++) {
		if (copies % 3 == copy)
			continue;
		dev = locate(page, copy, &off);
		ram_set(&r, dev, off + 8 * at, &raw, sizeof(raw));
	}
}

/* A good word somewhere in a map or the directory. */
static void change_word(struct input *in)
{
	const struct pool_vol *v = &vols[take(in, 1) % nr_vols];
	unsigned int which = take(in, 1) % nr_pages, at = take(in, 2) % PMV_WORDS_PER_PAGE;
	struct pmv_word w = { take_number(in) & PMV_WORD_VALUE_MAX, take(in, 1) % 4 };
	u32 page = take(in, 1) % 2 ? v->m.root : page_number[which];
	u64 how = take(in, 1);

	if (!w.value && !w.tag)
		w.tag = 1;
	if (how % 8 == 0)
		set_word(in, which % PMV_DIR_PAGES, at, w, PMV_WORD_DIR, 0,
			 which % PMV_DIR_PAGES * PMV_WORDS_PER_PAGE + at);
	else if (how % 2)
		set_word(in, page, at, w, PMV_WORD_LEAF, v->m.slot, take(in, 1) % 3 * 512 + at);
	else
		set_word(in, page, at, w, PMV_WORD_NODE, v->m.slot,
			 v->m.height == 3 && how % 4 ? (u64)at << 9 : at);
}

static void change_segment(struct input *in)
{
	struct pmv_word w = { take_number(in) & PMV_WORD_VALUE_MAX,
			      take_number(in) & PMV_WORD_TAG_MAX };
	u64 n = take(in, 1) % 4, raw;
	unsigned int copy;

	if (!w.value && !w.tag)
		return;
	raw = cpu_to_le64(pmv_word_encode(w, PMV_WORD_SEGMENT, 0, n));
	for (copy = 0; copy < PMV_COPIES; copy++)
		ram_set(&r, 0, copy * (u64)PMV_COPY_STRIDE + PMV_SEGTAB_OFF + 8 * n, &raw, 8);
}

static void change_superblock(struct input *in)
{
	u64 dev = take(in, 1) % DEVS, copies = take(in, 1), val, at, width;
	struct pmv_sb sb;
	unsigned int copy;

	ram_get(&r, dev, 0, &sb, sizeof(sb));
	at = take(in, 1) % 4 ? take(in, 1) % 160 : 2048 + take(in, 1) % 96;
	width = 1ULL << take(in, 1) % 4;
	val = cpu_to_le64(take_number(in));
	memcpy((u8 *)&sb + at, &val, width);
	pmv_sb_seal(&sb);
	for (copy = 0; copy < PMV_COPIES; copy++)
		if (copies % 3 != copy)
			ram_set(&r, dev, copy * (u64)PMV_COPY_STRIDE, &sb, sizeof(sb));
}

static void change_descriptor(struct input *in)
{
	const struct pool_vol *v = &vols[take(in, 1) % nr_vols];
	u64 slot = take(in, 1) % 4 ? v->m.slot : take(in, 1) % 16, val, off, at, width;
	u64 copies = take(in, 1);
	struct pmv_desc d = v->d;
	unsigned int copy, dev;
	u8 uuid[PMV_UUID_SIZE];

	memset(uuid, 0x11, sizeof(uuid));
	at = take(in, 1) % 72;
	width = 1ULL << take(in, 1) % 4;
	val = cpu_to_le64(take_number(in));
	memcpy((u8 *)&d + at, &val, width);
	if (take(in, 1) % 2) {
		d.chunks = cpu_to_le64(take_number(in));
		d.height = pmv_map_height(le64_to_cpu(d.chunks));
	}
	pmv_desc_seal(&d, uuid, slot);
	for (copy = 0; copy < PMV_COPIES; copy++) {
		if (copies % 3 == copy)
			continue;
		/* Slots 0 to 7 stand in the first page after the directory. */
		dev = locate(slot < 8 ? PMV_DIR_PAGES : page_number[take(in, 1) % nr_pages], copy,
			     &off);
		ram_set(&r, dev, off + slot % PMV_DESCS_PER_PAGE * sizeof(d), &d, sizeof(d));
	}
}

static void copy_page(struct input *in)
{
	u8 page[PMV_PAGE_SIZE];
	unsigned int from, to;
	u64 from_off, to_off;

	from = take_place(in, &from_off);
	to = take_place(in, &to_off);
	ram_get(&r, from, from_off, page, sizeof(page));
	ram_set(&r, to, to_off, page, sizeof(page));
}

static void change(struct input *in)
{
	u64 how = take(in, 1), off, val;
	unsigned int dev;

	switch (how % 16) {
	case 0:
	case 1:
		dev = take_place(in, &off);
		ram_flip(&r, dev, off + take(in, 2) % PMV_PAGE_SIZE, (u8)take(in, 1));
		break;
	case 2:
		dev = take_place(in, &off);
		val = take_number(in);
		ram_set(&r, dev, off + 8 * (take(in, 2) % PMV_WORDS_PER_PAGE), &val, 8);
		break;
	case 3:
		dev = take_place(in, &off);
		if (r.nr_bad < RAM_BAD)
			ram_make_bad(&r, dev, off + take(in, 2) % PMV_PAGE_SIZE, 1);
		break;
	case 4:
		copy_page(in);
		break;
	case 5:
		change_segment(in);
		break;
	case 6:
	case 7:
		change_superblock(in);
		break;
	case 8 ... 10:
		change_descriptor(in);
		break;
	default:
		change_word(in);
	}
}

/* ---- and then ---- */

static void check_owners(void)
{
	bool owned[POOL_CHUNKS] = { false };
	unsigned int i, copy;

	for (i = 0; i < p.c.nr_segments; i++)
		for (copy = 0; copy < PMV_COPIES; copy++) {
			u32 chunk = p.seg[i].chunk[copy];

			must(chunk < p.c.chunks && !owned[chunk], "a segment's chunk is owned twice");
			owned[chunk] = true;
		}
	for (i = 0; i < p.nr_entries; i++) {
		u32 chunk = p.entry[i].w.value;

		must(chunk < p.c.chunks && !owned[chunk], "a chunk is owned twice");
		must(p.entry[i].index < p.vol[p.entry[i].vol].m.chunks, "an entry behind the end");
		owned[chunk] = true;
	}
}

/* Who shows what comes to an end, too. */
static void look_through(void)
{
	struct pmv_kin *owner;
	struct pmv_word w;
	unsigned int i;

	pool_kin(&p);
	for (i = 0; i < p.nr_vols; i++)
		(void)pmv_kin_find(&p.vol[i].kin, 512, pool_kin_word, &p, &owner, &w);
}

/* Whatever the volumes are, they can be used and ended. Errors are fine, accidents are not. */
static void use(void)
{
	struct pmv_volume_params params;
	unsigned int i, e;
	struct pmv_desc d;
	struct pmv_map m;
	u32 page;

	look_through();
	for (i = 0; i < p.nr_vols; i++) {
		struct pool_vol *v = &p.vol[i];

		(void)pmv_map_make_leaf(&p.c, &v->m, (v->m.chunks - 1) >> 9, &page);
		(void)pmv_volume_grow(&p.c, &v->d, &v->m, v->m.chunks + 600);
		(void)pmv_volume_delete(&p.c, v->m.slot, &v->d);
		for (e = 0; e < p.nr_entries; e++)
			if (p.entry[e].vol == i &&
			    !pmv_map_find_leaf(&p.c, &v->m, p.entry[e].index >> 9, &page))
				pmv_volume_erase_chunk(&p.c, page, p.entry[e].index,
						       p.entry[e].w.value);
		(void)pmv_volume_erased(&p.c, &v->d, &v->m);
	}
	pool_params(&params, "z", 600, true);
	(void)pmv_volume_create(&p.c, 12, &params, &d, &m);
	must(p.c.free_pages + pool_pages_used(&p) ==
	     (u64)p.c.nr_segments * pmv_pages_per_segment(&p.c), "pages do not add up");
}

/* ---- checking ---- */

#define ARENA_MAX 32

static struct {
	struct pmv_check k;
	struct pmv_core core;
	struct pmv_segment seg[PMV_SEGMENTS_MAX];
	void *arena[ARENA_MAX];
	unsigned int nr_arena;
	u64 lost_but_promises;
	u64 found;
	u64 left;			/* repairable, not repaired */
	bool read_only;
} check;

/* It ends with the check, and a segment table of lies may ask for much. */
static void *on_alloc(void *arg, size_t len)
{
	(void)arg;
	if (check.nr_arena == ARENA_MAX)
		return NULL;
	check.arena[check.nr_arena] = calloc(1, len);
	return check.arena[check.nr_arena++];
}

static void on_finding(void *arg, const struct pmv_finding *f)
{
	(void)arg;
	must(f->part < __PMV_PARTS && f->problem < __PMV_PROBLEMS && f->why, "a strange finding");
	must(!f->repaired || f->repairable, "repaired what cannot be");
	must(f->member == PMV_NO_MEMBER || f->off < sizes[0], "found outside of the medium");
	check.lost_but_promises += pmv_severity(f) == PMV_SEVERITY_LOSS &&
				   f->part != PMV_PART_PROMISES;
	check.found++;
	check.read_only |= f->problem == PMV_PROBLEM_READ_ONLY;
	check.left += f->repairable && !f->repaired;
	if (getenv("PMV_FUZZ_VERBOSE"))
		fprintf(stderr, "%s %s: member %d at %llu, slot %d: %s\n", pmv_part_name(f->part),
			pmv_problem_name(f->problem), (int)f->member, (unsigned long long)f->off,
			(int)f->slot, f->why);
}

static int run_check(bool repair)
{
	unsigned int i;
	int ret;

	memset(&check, 0, sizeof(check));
	check.core.segment = check.seg;
	check.k = (struct pmv_check){
		.ops = &ram_ops, .ctx = &r, .nr_devices = DEVS, .repair = repair,
		.core = &check.core, .alloc = on_alloc, .finding = on_finding,
	};
	for (i = 0; i < DEVS; i++)
		check.k.device_size[i] = sizes[i];
	ret = pmv_check(&check.k);
	for (i = 0; i < check.nr_arena; i++)
		free(check.arena[i]);
	return ret;
}

/* What a check says is what loading comes to, and what it repairs it repairs once. */
static void check_agrees(void)
{
	int ret = run_check(false), loads;
	u64 lost, repaired;

	/* Members in another order, or more memory than there is. */
	if (ret)
		return;
	must(!check.k.repaired, "looking repairs");
	lost = check.lost_but_promises;
	loads = pool_open(&p, &ram_ops, &r, sizes, DEVS, false);
	if (le16_to_cpu(p.sb[0].nr_members) < DEVS || loads == -ENOMEM || loads == -E2BIG)
		return;
	if (!!loads != !!lost) {
		fprintf(stderr, "loading: %d %s %s, %llu losses\n", loads, p.why ? p.why : "",
			p.res.why ? p.res.why : "", (unsigned long long)lost);
		must(false, "checking and loading disagree");
	}
	must(loads || !p.res.repaired || check.found, "what is to be repaired is not found");
	fuzz_figures.checked++;
	fuzz_figures.losses += lost > 0;
	if (run_check(true))
		return;
	repaired = check.k.repaired;
	must(check.lost_but_promises == lost, "repairing loses or finds");
	must(!run_check(true) && !check.k.repaired && check.lost_but_promises == lost,
	     "repairing does not repair");
	must(lost || check.read_only || !check.left, "damage is left that has a second copy");
	fuzz_figures.check_repaired += repaired > 0;
}

void fuzz_one(const u8 *data, size_t size)
{
	struct input in = { data, size };
	unsigned int vols_seen, entries_seen;

	if (!nr_pages)
		prepare();
	ram_copy(&r, &pristine);
	/* No input takes a second; one that takes a minute goes round in circles. */
	alarm(60);
	while (in.left)
		change(&in);
	(void)pool_open(&p, &ram_ops, &r, sizes, DEVS, false);
	if (!pool_open(&p, &ram_ops, &r, sizes, DEVS, true)) {
		fuzz_figures.loaded++;
		fuzz_figures.repaired += p.res.repaired > 0;
		check_owners();
		pmv_sb_commit(&p.c);
		vols_seen = p.nr_vols;
		entries_seen = p.nr_entries;
		must(!pool_open(&p, &ram_ops, &r, sizes, DEVS, true), "it loads only once");
		must(!p.res.repaired, "repairing did not repair");
		must(p.nr_vols == vols_seen && p.nr_entries == entries_seen, "it loads differently");
		use();
	} else {
		fuzz_figures.refused += p.c.ops != NULL;
		fuzz_figures.no_pool += p.c.ops == NULL;
	}
	ram_exit(&r);

	/* The same once more, for the checker. */
	in = (struct input){ data, size };
	ram_copy(&r, &pristine);
	while (in.left)
		change(&in);
	check_agrees();
	ram_exit(&r);
}
