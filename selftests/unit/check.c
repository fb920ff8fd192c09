// SPDX-License-Identifier: GPL-2.0
/* Checking: whatever is changed on the medium is found, or makes no difference to anybody. */
#include <stdio.h>
#include <stdlib.h>
#include "test.h"

#define FOUND_MAX 64
#define ARENA_MAX 64

/* What a check of a fixture's medium found. */
struct found {
	struct pmv_check k;
	struct pmv_core core;
	struct pmv_segment seg[PMV_SEGMENTS_MAX];
	struct pmv_finding f[FOUND_MAX];
	unsigned int nr;
	void *arena[ARENA_MAX];
	unsigned int nr_arena;
};

static void *on_alloc(void *arg, size_t size)
{
	struct found *found = arg;
	void *p = calloc(1, size);

	if (!p || found->nr_arena == ARENA_MAX)
		abort();
	found->arena[found->nr_arena++] = p;
	return p;
}

static void on_finding(void *arg, const struct pmv_finding *f)
{
	struct found *found = arg;

	CHECK(f->why && pmv_severity(f) <= PMV_SEVERITY_LOSS);
	if (found->nr < FOUND_MAX)
		found->f[found->nr++] = *f;
}

static void check_with(struct found *found, const struct pmv_media_ops *ops, struct ram *r,
		       const u64 *size, unsigned int nr, bool repair)
{
	unsigned int i;

	memset(found, 0, sizeof(*found));
	found->core.segment = found->seg;
	found->k = (struct pmv_check){
		.ops = ops,
		.ctx = r,
		.nr_devices = nr,
		.repair = repair,
		.core = &found->core,
		.alloc = on_alloc,
		.finding = on_finding,
		.arg = found,
	};
	for (i = 0; i < nr; i++)
		found->k.device_size[i] = size[i];
	CHECK_EQ(pmv_check(&found->k), 0);
	for (i = 0; i < found->nr_arena; i++)
		free(found->arena[i]);
	CHECK_EQ(found->k.notes + found->k.damaged + found->k.lost + found->k.repaired > 0,
		 found->nr > 0);
}

static void check_fixture(struct found *found, struct fixture *f, bool repair)
{
	check_with(found, &ram_ops, &f->r, f->size, f->nr, repair);
}

static bool has(const struct found *found, enum pmv_part part, enum pmv_problem problem)
{
	unsigned int i;

	for (i = 0; i < found->nr; i++)
		if (found->f[i].part == part && found->f[i].problem == problem)
			return true;
	return false;
}

/*
 * Three levels of maps, descriptors on two pages, a thick volume that is all there, and one that
 * is being erased.
 */
static void populate(struct fixture *f)
{
	static const struct {
		u32 slot;
		u64 chunks;
		bool thick;
	} vols[] = {
		{ 0, 5, false },  { 1, 6, true }, { 2, 600, false }, { 9, BIT_ULL(18) + 3, false },
		{ 10, 3, false },
	};
	struct pmv_volume_params p;
	unsigned int i, chunk = 2;
	char letter[] = "a";
	struct pmv_desc d;
	struct pmv_map m;
	u32 page;

	fixture_init(f, 2, 14);
	for (i = 0; i < ARRAY_SIZE(vols); i++, letter[0]++) {
		pool_params(&p, letter, vols[i].chunks, vols[i].thick);
		CHECK_EQ(pmv_volume_create(&f->p.c, vols[i].slot, &p, &d, &m), 0);
		CHECK_EQ(pmv_map_make_leaf(&f->p.c, &m, 0, &page), 0);
		pmv_map_set(&f->p.c, &m, page, 1, (struct pmv_word){ chunk++, 1 });
		CHECK_EQ(pmv_map_make_leaf(&f->p.c, &m, (vols[i].chunks - 1) >> 9, &page), 0);
		pmv_map_set(&f->p.c, &m, page, vols[i].chunks - 1, (struct pmv_word){ chunk++, 1 });
	}
	CHECK_EQ(pmv_volume_delete(&f->p.c, 10, &d), 0);
	CHECK_EQ(fixture_reload(f), 0);
	CHECK_EQ(f->p.res.repaired, 0);
}

/* Everything on the medium that means something: header places and pages in use, both copies. */
struct place {
	unsigned int dev;
	u64 off;
	u64 len;
};

#define PLACES 96

static unsigned int all_places(struct fixture *f, struct place *place)
{
	unsigned int n = 0, page, copy, dev;

	for (copy = 0; copy < PMV_COPIES; copy++) {
		for (dev = 0; dev < f->nr; dev++)
			place[n++] =
				(struct place){ dev, (u64)copy * PMV_COPY_STRIDE, PMV_PAGE_SIZE };
		place[n++] = (struct place){ 0, (u64)copy * PMV_COPY_STRIDE + PMV_SEGTAB_OFF,
					     8ULL * PMV_SEGMENTS_MAX };
		for (page = 0; page < 512; page++)
			if (test_bit(page, f->p.seg[0].map)) {
				place[n].dev = fixture_page(f, page, copy, &place[n].off);
				place[n++].len = PMV_PAGE_SIZE;
			}
	}
	return n;
}

static bool same_pool(const struct pool *a, const struct pool *b)
{
	unsigned int i;

	if (a->nr_vols != b->nr_vols || a->nr_entries != b->nr_entries ||
	    a->c.nr_segments != b->c.nr_segments)
		return false;
	for (i = 0; i < a->nr_vols; i++)
		if (memcmp(&a->vol[i].d, &b->vol[i].d, sizeof(a->vol[i].d)))
			return false;
	for (i = 0; i < a->nr_entries; i++)
		if (memcmp(&a->entry[i].w, &b->entry[i].w, sizeof(a->entry[i].w)) ||
		    a->entry[i].index != b->entry[i].index || a->entry[i].vol != b->entry[i].vol)
			return false;
	return true;
}

/* A clean pool has no findings, and checking or repairing it stores nothing. */
void check_clean(void)
{
	/* A store calls a null pointer. */
	const struct pmv_media_ops looking = { .read = ram_ops.read };
	static struct fixture f;
	static struct found found;
	unsigned int repair;

	populate(&f);
	for (repair = 0; repair < 2; repair++) {
		check_with(&found, &looking, &f.r, f.size, f.nr, repair);
		CHECK_EQ(found.nr, 0);
		CHECK_EQ(found.k.volumes, 5);
		CHECK_EQ(found.k.chunks, 2 + 10);
	}
	fixture_exit(&f);
}

/*
 * One copy of one byte is wrong: it is found where it stands, said to be repairable, not touched
 * by looking, repaired when asked, and then nothing is found. PMV_CHECK_STEP=1 takes every byte.
 */
void check_every_byte(void)
{
	static struct fixture f;
	static struct found found;
	static struct place place[PLACES];
	static struct pool before;
	const char *s = getenv("PMV_CHECK_STEP");
	unsigned int i, n, j, step = s && atoi(s) > 0 ? (unsigned int)atoi(s) : 41;
	u64 at, flips = 0;
	u8 was, now;

	populate(&f);
	before = f.p;
	n = all_places(&f, place);
	CHECK_EQ(n, 2 * (2 + 1 + PMV_DIR_PAGES + 2 + 1 + 1 + 3 + 5 + 1));
	for (i = 0; i < n; i++)
		for (at = 0; at < place[i].len; at += step) {
			const u8 mask = 1U << (at % 8);

			ram_get(&f.r, place[i].dev, place[i].off + at, &was, 1);
			ram_flip(&f.r, place[i].dev, place[i].off + at, mask);
			check_fixture(&found, &f, false);
			if (!found.nr || found.k.lost)
				ktap_fail("device %u, byte %llu: %u findings, %llu losses",
					  place[i].dev, (unsigned long long)(place[i].off + at),
					  found.nr, (unsigned long long)found.k.lost);
			for (j = 0; j < found.nr; j++) {
				CHECK(found.f[j].repairable && !found.f[j].repaired);
				CHECK_EQ(found.f[j].member, place[i].dev);
				CHECK(found.f[j].off <= place[i].off + at &&
				      found.f[j].off + PMV_PAGE_SIZE > place[i].off + at);
			}
			ram_get(&f.r, place[i].dev, place[i].off + at, &now, 1);
			CHECK_EQ(now, was ^ mask);
			check_fixture(&found, &f, true);
			CHECK(found.k.repaired && !found.k.lost && !found.k.damaged &&
			      !found.k.notes);
			check_fixture(&found, &f, false);
			CHECK_EQ(found.nr, 0);
			flips++;
		}
	CHECK_EQ(fixture_reload(&f), 0);
	CHECK(same_pool(&f.p, &before));
	printf("# %llu flips of one copy, all found and repaired\n", (unsigned long long)flips);
	fixture_exit(&f);
}

/* A cache line of one copy is unreadable, or reads as zeros. */
static void lines(void (*spoil)(struct ram *r, unsigned int dev, u64 off), u64 len)
{
	static struct fixture f;
	static struct found found;
	static struct place place[PLACES];
	static struct pool before;
	struct ram pristine;
	unsigned int i, n;
	u64 at, seen = 0, irrelevant = 0;
	u8 line[256], zero[256] = { 0 };

	populate(&f);
	before = f.p;
	n = all_places(&f, place);
	ram_copy(&pristine, &f.r);
	for (i = 0; i < n; i++)
		for (at = 0; at < place[i].len; at += len) {
			spoil(&f.r, place[i].dev, place[i].off + at);
			ram_get(&pristine, place[i].dev, place[i].off + at, line, len);
			check_fixture(&found, &f, false);
			CHECK(!found.k.lost);
			/* Zeros that read as zeros are no change. */
			if (!f.r.nr_bad && !memcmp(line, zero, len)) {
				CHECK_EQ(found.nr, 0);
				irrelevant++;
				continue;
			}
			seen++;
			if (!found.nr)
				ktap_fail("device %u, line %llu is not found", place[i].dev,
					  (unsigned long long)(place[i].off + at));
			check_fixture(&found, &f, true);
			CHECK(found.k.repaired && !found.k.damaged && !found.k.notes);
			check_fixture(&found, &f, false);
			CHECK_EQ(found.nr, 0);
			CHECK_EQ(f.r.nr_bad, 0);
		}
	CHECK_EQ(fixture_reload(&f), 0);
	CHECK(same_pool(&f.p, &before));
	printf("# %llu lines found and repaired, %llu were what they had become\n",
	       (unsigned long long)seen, (unsigned long long)irrelevant);
	ram_exit(&pristine);
	fixture_exit(&f);
}

static void line_bad(struct ram *r, unsigned int dev, u64 off)
{
	ram_make_bad(r, dev, off, 256);
}

static void line_zero(struct ram *r, unsigned int dev, u64 off)
{
	static const u8 zero[64];

	ram_set(r, dev, off, zero, sizeof(zero));
}

void check_unreadable_lines(void)
{
	lines(line_bad, 256);
}

void check_zeroed_lines(void)
{
	lines(line_zero, 64);
}

/* The same place in both copies: what is lost is said, and nothing is invented. */
void check_both_copies(void)
{
	static struct fixture f;
	static struct found found, again;
	static struct place place[PLACES];
	struct ram pristine;
	unsigned int i, n, half;
	u64 at, lost = 0, one = 0;
	u8 old[PMV_PAGE_SIZE], new[PMV_PAGE_SIZE];

	populate(&f);
	n = all_places(&f, place);
	half = n / 2;
	ram_copy(&pristine, &f.r);
	for (i = 0; i < half; i++)
		for (at = 0; at < PMV_PAGE_SIZE; at += 8 * 7) {
			const struct place *a = &place[i], *b = &place[i + half];

			ram_exit(&f.r);
			ram_copy(&f.r, &pristine);
			/* Different bytes: two equal lies could be a truth. */
			ram_flip(&f.r, a->dev, a->off + at, 0x10);
			ram_flip(&f.r, b->dev, b->off + at + 1, 0x20);
			check_fixture(&found, &f, false);
			lost += found.k.lost > 0;
			one += !found.k.lost;
			CHECK(found.nr);
			ram_get(&f.r, a->dev, a->off, old, sizeof(old));
			check_fixture(&found, &f, true);
			check_fixture(&again, &f, true);
			/* What is left after repairing cannot be repaired, and is told each time. */
			CHECK_EQ(again.k.repaired, 0);
			CHECK_EQ(again.k.lost, found.k.lost);
			if (!found.k.lost) {
				CHECK_EQ(again.nr, 0);
				continue;
			}
			ram_get(&f.r, a->dev, a->off, new, sizeof(new));
			if (found.f[0].part != PMV_PART_SUPERBLOCK && a->len == PMV_PAGE_SIZE &&
			    found.f[0].member == a->dev && found.f[0].off >= a->off &&
			    found.f[0].off < a->off + PMV_PAGE_SIZE)
				CHECK(!memcmp(old + at / 8 * 8, new + at / 8 * 8, 8));
		}
	CHECK(lost > 100);
	printf("# %llu times something was lost, %llu times one copy was still good\n",
	       (unsigned long long)lost, (unsigned long long)one);
	ram_exit(&pristine);
	fixture_exit(&f);
}

static void set_word(struct fixture *f, u32 page, unsigned int at, enum pmv_word_kind kind,
		     u32 owner, u64 index, u32 value, u32 tag)
{
	pmv_word_store(&f->p.c, page, at,
		       pmv_word_encode((struct pmv_word){ value, tag }, kind, owner, index));
}

/* Well-formed lies: each is called by its name, and both owners of one thing are told. */
void check_lies(void)
{
	static const struct {
		enum pmv_part part;
		enum pmv_problem problem;
		unsigned int nr;
	} want[] = {
		{ PMV_PART_LEAF, PMV_PROBLEM_OWNER, 2 }, /* a chunk twice in a volume */
		{ PMV_PART_LEAF, PMV_PROBLEM_OWNER, 2 }, /* a chunk of another volume */
		{ PMV_PART_LEAF, PMV_PROBLEM_OWNER, 1 }, /* a chunk of metadata */
		{ PMV_PART_LEAF, PMV_PROBLEM_RANGE, 1 }, /* behind the pool's end */
		{ PMV_PART_LEAF, PMV_PROBLEM_RANGE, 1 }, /* behind the volume's end */
		{ PMV_PART_LEAF, PMV_PROBLEM_RANGE, 1 }, /* born in the future */
		{ PMV_PART_NODE, PMV_PROBLEM_RANGE, 1 }, /* a child at the wrong level */
		{ PMV_PART_NODE, PMV_PROBLEM_OWNER, 1 }, /* a child that is the root */
		{ PMV_PART_NODE, PMV_PROBLEM_RANGE, 1 }, /* a child outside */
		{ PMV_PART_DIRECTORY, PMV_PROBLEM_OWNER, 1 },
		{ PMV_PART_DIRECTORY, PMV_PROBLEM_RANGE, 1 },
		{ PMV_PART_SEGMENTS, PMV_PROBLEM_OWNER, 1 },
		{ PMV_PART_SEGMENTS, PMV_PROBLEM_RANGE, 1 },
		{ PMV_PART_SEGMENTS, PMV_PROBLEM_BOTH, 1 }, /* none */
		{ PMV_PART_SEGMENTS, PMV_PROBLEM_BOTH, 1 }, /* a gap */
		{ PMV_PART_DESCRIPTOR, PMV_PROBLEM_NAME, 1 },
		{ PMV_PART_DESCRIPTOR, PMV_PROBLEM_OWNER, 1 },
		{ PMV_PART_DESCRIPTOR, PMV_PROBLEM_RANGE, 1 },
		{ PMV_PART_PROMISES, PMV_PROBLEM_PROMISE, 1 },
		{ PMV_PART_DESCRIPTOR, PMV_PROBLEM_MISSING, 1 },
		{ PMV_PART_SUPERBLOCK, PMV_PROBLEM_FEATURE, 1 },
		{ PMV_PART_MEMBERS, PMV_PROBLEM_REFUSED, 1 },
	};
	static struct fixture f;
	static struct found found;
	struct pmv_volume_params p;
	struct ram pristine;
	unsigned int lie;
	struct pmv_desc d;
	struct pmv_map m;
	struct pmv_sb sb;
	u32 root0, root9;
	u64 raw = 0;

	populate(&f);
	ram_copy(&pristine, &f.r);
	for (lie = 0; lie < ARRAY_SIZE(want); lie++) {
		ram_exit(&f.r);
		ram_copy(&f.r, &pristine);
		CHECK_EQ(fixture_reload(&f), 0);
		root0 = pool_slot(&f.p, 0)->m.root;
		root9 = pool_slot(&f.p, 9)->m.root;
		d = pool_slot(&f.p, 0)->d;
		switch (lie) {
		case 0: set_word(&f, root0, 2, PMV_WORD_LEAF, 0, 2, 2, 1); break;
		case 1: set_word(&f, root0, 2, PMV_WORD_LEAF, 0, 2, 5, 1); break;
		case 2: set_word(&f, root0, 2, PMV_WORD_LEAF, 0, 2, 0, 1); break;
		case 3: set_word(&f, root0, 2, PMV_WORD_LEAF, 0, 2, 28, 1); break;
		case 4: set_word(&f, root0, 5, PMV_WORD_LEAF, 0, 5, 20, 1); break;
		case 5: set_word(&f, root0, 2, PMV_WORD_LEAF, 0, 2, 20, 2); break;
		case 6: set_word(&f, root9, 2, PMV_WORD_NODE, 9, 1024ULL, 400, 1); break;
		case 7: set_word(&f, root9, 2, PMV_WORD_NODE, 9, 1024ULL, root9, 2); break;
		case 8: set_word(&f, root9, 2, PMV_WORD_NODE, 9, 1024ULL, 512, 2); break;
		case 9: set_word(&f, 0, 100, PMV_WORD_DIR, 0, 100, 15, 1); break;
		case 10: set_word(&f, 0, 100, PMV_WORD_DIR, 0, 100, 512, 1); break;
		case 11: CHECK_EQ(pmv_segment_add(&f.p.c, 20, 20, pool_map(&f.p)), 0); break;
		case 12: CHECK_EQ(pmv_segment_add(&f.p.c, 20, 28, pool_map(&f.p)), 0); break;
		case 13:
			ram_set(&f.r, 0, PMV_SEGTAB_OFF, &raw, 8);
			ram_set(&f.r, 0, PMV_COPY_STRIDE + PMV_SEGTAB_OFF, &raw, 8);
			break;
		case 14:
			raw = cpu_to_le64(pmv_word_encode((struct pmv_word){ 20, 21 },
							  PMV_WORD_SEGMENT, 0, 700));
			ram_set(&f.r, 0, PMV_SEGTAB_OFF + 8 * 700, &raw, 8);
			ram_set(&f.r, 0, PMV_COPY_STRIDE + PMV_SEGTAB_OFF + 8 * 700, &raw, 8);
			raw = 0;
			break;
		case 15: CHECK_EQ(pmv_volume_rename(&f.p.c, 0, &d, "b", 1), 0); break;
		case 16:
		case 17:
			d.root = cpu_to_le32(lie == 16 ? root9 : 512);
			CHECK_EQ(pmv_desc_write(&f.p.c, 0, &d), 0);
			break;
		case 18:
			pool_params(&p, "z", 17, true);
			CHECK_EQ(pmv_volume_create(&f.p.c, 3, &p, &d, &m), 0);
			break;
		case 19:
			pool_params(&p, "z", 600, false);
			CHECK_EQ(pmv_volume_create(&f.p.c, 3, &p, &d, &m), 0);
			d.flags = cpu_to_le32(PMV_DESC_THICK);
			CHECK_EQ(pmv_desc_write(&f.p.c, 3, &d), 0);
			break;
		case 20:
			/* Of a newer version: the older copy must not be put in its place. */
			ram_get(&f.r, 0, 0, &sb, sizeof(sb));
			sb.incompat = cpu_to_le64(4);
			sb.generation = cpu_to_le64(le64_to_cpu(sb.generation) + 1);
			pmv_sb_seal(&sb);
			ram_set(&f.r, 0, PMV_COPY_STRIDE, &sb, sizeof(sb));
			break;
		case 21:
			ram_get(&f.r, 1, 0, &sb, sizeof(sb));
			sb.generation = cpu_to_le64(le64_to_cpu(sb.generation) + 5);
			pmv_sb_seal(&sb);
			ram_set(&f.r, 1, 0, &sb, sizeof(sb));
			ram_set(&f.r, 1, PMV_COPY_STRIDE, &sb, sizeof(sb));
			break;
		}
		check_fixture(&found, &f, true);
		if (!has(&found, want[lie].part, want[lie].problem))
			ktap_fail("lie %u: %u findings, not %s %s", lie, found.nr,
				  pmv_part_name(want[lie].part),
				  pmv_problem_name(want[lie].problem));
		if (found.nr < want[lie].nr)
			ktap_fail("lie %u: %u findings", lie, found.nr);
		CHECK_EQ(found.k.repaired, 0);
	}
	ram_exit(&pristine);
	fixture_exit(&f);
}

static unsigned int lost_vols, contested;

static void count_lost(void *ctx, void *cookie)
{
	(void)ctx;
	(void)cookie;
	lost_vols++;
}

static void count_contested(void *ctx, u64 chunk)
{
	(void)ctx;
	(void)chunk;
	contested++;
}

/* Loading what can be: the other volumes are all there. */
void check_load_rest(void)
{
	static struct fixture f;
	struct pmv_load_ops ops = pool_load_ops;
	struct pmv_load_result res;
	unsigned int copy, dev;
	u32 page, root10;
	u64 off;

	ops.lost = count_lost;
	ops.contested = count_contested;
	populate(&f);
	root10 = pool_slot(&f.p, 10)->m.root;
	/* A word of a leaf of the second volume, in both copies. */
	pmv_word_store(&f.p.c, pool_slot(&f.p, 1)->m.root, 3, 0x1234567890abcdefULL);
	CHECK_EQ(fixture_reload(&f), -EUCLEAN);
	pool_forget(&f.p);
	CHECK_EQ(pmv_load(&f.p.c, &ops, &f.p, false, &res), 0);
	CHECK_EQ(res.lost, 1);
	CHECK_EQ(lost_vols, 1);
	CHECK_EQ(f.p.nr_vols, 5);
	CHECK_EQ(f.p.nr_entries, 10);
	/* A descriptor, in both copies: its volume is not there, the others are. */
	page = PMV_DIR_PAGES;
	for (copy = 0; copy < PMV_COPIES; copy++) {
		dev = fixture_page(&f, page, copy, &off);
		ram_flip(&f.r, dev, off + 70 + copy, 1);
	}
	pool_forget(&f.p);
	CHECK_EQ(pmv_load(&f.p.c, &ops, &f.p, false, &res), 0);
	CHECK_EQ(res.lost, 2);
	CHECK_EQ(f.p.nr_vols, 4);
	CHECK_EQ(contested, 0);
	/* A chunk of two volumes: whoever had it first is told, too. */
	set_word(&f, root10, 1, PMV_WORD_LEAF, 10, 1, 4, 1);
	pool_forget(&f.p);
	lost_vols = 0;
	CHECK_EQ(pmv_load(&f.p.c, &ops, &f.p, false, &res), 0);
	CHECK_EQ(contested, 1);
	CHECK_EQ(lost_vols, 2);
	fixture_exit(&f);
}
