// SPDX-License-Identifier: GPL-2.0
#include "starts.h"

static void run(enum op_kind kind, u32 slot, u64 number, u32 chunk, bool thick)
{
	const struct op op = {
		.kind = kind, .slot = slot, .number = number, .chunk = { chunk, chunk + 1 },
		.thick = thick, .name = kind == OP_FORMAT ? 'P' : live_model()->next_id,
	};

	if (!violation)
		live_run(&op);
}

#define FORMAT(n)			run(OP_FORMAT, 0, n, 0, false)
#define THIN(slot, chunks)		run(OP_CREATE, slot, chunks, 0, false)
#define THICK(slot, chunks)		run(OP_CREATE, slot, chunks, 0, true)
#define PROVISION(slot, index, chunk)	run(OP_PROVISION, slot, index, chunk, false)
#define DISCARD(slot, index)		run(OP_DISCARD, slot, index, 0, false)
#define GROW(slot, chunks)		run(OP_GROW, slot, chunks, 0, false)
#define DELETE(slot)			run(OP_DELETE, slot, 0, 0, false)
#define ERASE_CHUNK(slot, index, chunk)	run(OP_ERASE_CHUNK, slot, index, chunk, false)
#define ERASED(slot)			run(OP_ERASED, slot, 0, 0, false)
#define SEGMENT_ADD(chunk)		run(OP_SEGMENT_ADD, 0, 0, chunk, false)
#define EXTEND()			run(OP_EXTEND, 0, 0, 0, false)
#define SNAPSHOT(slot, of)		run(OP_SNAPSHOT, slot, of, 0, false)
#define COPY_OUT(slot, index, chunk)	run(OP_COPY_OUT, slot, index, chunk, false)
#define CLONE(slot, of)			run(OP_CLONE, slot, of, 0, false)
#define CLONE_COPY(slot, index, chunk)	run(OP_CLONE_COPY, slot, index, chunk, false)
#define ROLL_BEGIN(slot, to)		run(OP_ROLL_BEGIN, slot, to, 0, false)

static void nothing(void)
{
}

/* Signatures of others, which a pool must not leave there. */
static void put_signatures(void)
{
	unsigned int dev;

	for (dev = 0; dev < IMAGE_DEVS; dev++) {
		image_set(dev, 512, 0x5452415020494645ULL);
		image_set(dev, 0x10040, 0x4d5f53665248425fULL);
		image_set(dev, PMV_COPY_STRIDE + 4096, 1);
		image_set(dev, IMAGE_SIZE - 512, 0x5452415020494645ULL);
	}
}

static void one_member(void)
{
	FORMAT(1);
}

static void small_volumes(void)
{
	FORMAT(2);
	THIN(0, 3);
	PROVISION(0, 0, 2);
	THICK(1, 2);
	PROVISION(1, 1, 18);
	PROVISION(0, 2, 3);
	DISCARD(0, 0);
}

static void before_second_level(void)
{
	FORMAT(2);
	THICK(0, 512);
	PROVISION(0, 511, 1);
	THIN(1, 600);
	PROVISION(1, 599, 2);
	/* One chunk more needs one leaf more, in the tree as it is. */
	THICK(2, 1024);
}

static void before_third_level(void)
{
	FORMAT(1);
	THIN(8, BIT_ULL(18));
	PROVISION(8, BIT_ULL(18) - 1, 2);
	PROVISION(8, 0, 3);
	THIN(0, BIT_ULL(18) + 1);
	PROVISION(0, BIT_ULL(18), 4);
}

static void being_erased(void)
{
	FORMAT(2);
	THIN(0, 600);
	PROVISION(0, 1, 2);
	PROVISION(0, 599, 3);
	PROVISION(0, 5, 4);
	DELETE(0);
	ERASE_CHUNK(0, 5, 4);
	THIN(1, 2);
	THIN(2, 700);
	DELETE(2);
}

/* A leaf stands in the second segment, and chunks that were in use are free again. */
static void second_segment(void)
{
	struct pool *p = live_pool();
	u32 page;

	FORMAT(1);
	EXTEND();
	THIN(0, 600);
	PROVISION(0, 0, 2);
	PROVISION(0, 1, 3);
	SEGMENT_ADD(20);
	/* As if something had all pages of the first one. */
	for (page = 0; page < pmv_pages_per_segment(&p->c); page++)
		(void)pmv_page_claim(&p->c, page);
	PROVISION(0, 599, 4);
	THIN(1, 2);
	PROVISION(1, 0, 5);
	DELETE(1);
	ERASE_CHUNK(1, 0, 5);
	ERASED(1);
	DISCARD(0, 0);
}

static void damage(u32 page, unsigned int copy, unsigned int word, u64 val)
{
	struct pool *p = live_pool();
	unsigned int per = pmv_pages_per_segment(&p->c), m;
	u64 off;

	m = pmv_chunk_where(&p->c, p->seg[page / per].chunk[copy], &off);
	image_set(m, off + (u64)(page % per) * PMV_PAGE_SIZE + 8 * word, val);
}

/* One copy of everything is damaged or empty, primary and mirror in turn. */
static void damaged(void)
{
	struct pool *p = live_pool();
	struct pool_vol *v;
	struct pmv_word w;
	u32 leaf;

	small_volumes();
	THIN(2, 600);
	PROVISION(2, 513, 6);
	SEGMENT_ADD(10);
	THIN(3, 2);
	PROVISION(3, 0, 7);
	v = pool_slot(p, 2);
	if (violation || !v || !pool_slot(p, 3) || pmv_map_find_leaf(&p->c, &v->m, 1, &leaf) ||
	    pmv_word_load(&p->c, 0, 0, PMV_WORD_DIR, 0, 0, &w))
		return;
	damage(leaf, 0, 1, 0x123456789abcdef0ULL);
	damage(v->m.root, 1, 1, 0);
	damage(pool_slot(p, 0)->m.root, 0, 2, 0);
	/* Both copies damaged, and the mirror alone has the entry. */
	damage(pool_slot(p, 3)->m.root, 0, 0, 0);
	damage(pool_slot(p, 3)->m.root, 0, 77, 0x123456789abcdef0ULL);
	damage(pool_slot(p, 3)->m.root, 1, 99, 0x123456789abcdef0ULL);
	damage(0, 1, 0, 0);
	damage(0, 1, 77, 0x23456789abcdef01ULL);
	damage(w.value, 0, 0, 0xffffffffULL);
	damage(w.value, 1, 64, 0xffffffffULL);
	image_set(0, PMV_SEGTAB_OFF, 0);
	image_set(0, PMV_COPY_STRIDE + PMV_SEGTAB_OFF + 8, 0xffULL);
	image_set(1, 0, 0);
}

/* A commit was cut short: the second member is one generation ahead. */
static void member_ahead(void)
{
	u64 word[PMV_COPIES][PMV_WORDS_PER_PAGE];
	unsigned int copy, i;

	small_volumes();
	for (copy = 0; copy < PMV_COPIES; copy++)
		for (i = 0; i < PMV_WORDS_PER_PAGE; i++)
			word[copy][i] = image_get(0, (u64)copy * PMV_COPY_STRIDE + 8 * i);
	pmv_sb_commit(&live_pool()->c);
	for (copy = 0; copy < PMV_COPIES; copy++)
		for (i = 0; i < PMV_WORDS_PER_PAGE; i++)
			image_set(0, (u64)copy * PMV_COPY_STRIDE + 8 * i, word[copy][i]);
}

/* Two snapshots: one chunk copied to each, one only to the older, one to neither. */
static void two_snapshots(void)
{
	FORMAT(2);
	THIN(0, 4);
	PROVISION(0, 0, 2);
	PROVISION(0, 1, 3);
	PROVISION(0, 2, 18);
	SNAPSHOT(1, 0);
	COPY_OUT(0, 0, 4);
	PROVISION(0, 3, 5);
	SNAPSHOT(2, 0);
	COPY_OUT(0, 0, 6);
	COPY_OUT(0, 1, 19);
	COPY_OUT(0, 3, 7);
}

/* A snapshot deleted between two others: of its chunks one is needed, one not. */
static void merging(void)
{
	two_snapshots();
	SNAPSHOT(3, 0);
	COPY_OUT(0, 2, 8);
	DELETE(2);
}

/* A clone, its own snapshot, and a clone of that. */
static void clones(void)
{
	FORMAT(2);
	THIN(0, 2);
	PROVISION(0, 0, 2);
	PROVISION(0, 1, 3);
	SNAPSHOT(1, 0);
	COPY_OUT(0, 0, 4);
	CLONE(2, 1);
	CLONE_COPY(2, 0, 18);
	SNAPSHOT(3, 2);
	CLONE(4, 3);
}

/* Half way back to the older of two snapshots, over two levels of map. */
static void rolling_back(void)
{
	FORMAT(2);
	THIN(0, 600);
	PROVISION(0, 0, 2);
	PROVISION(0, 599, 3);
	SNAPSHOT(1, 0);
	COPY_OUT(0, 0, 4);
	COPY_OUT(0, 599, 5);
	PROVISION(0, 5, 6);
	SNAPSHOT(2, 0);
	COPY_OUT(0, 0, 7);
	ROLL_BEGIN(0, 1);
}

/* Of the volume, its mark, and what its snapshots have one copy is damaged each. */
static void rolling_back_damaged(void)
{
	struct pool *p = live_pool();
	struct pmv_word w;

	rolling_back();
	if (violation || pmv_word_load(&p->c, 0, 0, PMV_WORD_DIR, 0, 0, &w))
		return;
	damage(w.value, 0, 0, 0xffffffffULL);
	damage(w.value, 1, 64, 0xffffffffULL);
	damage(pool_slot(p, 0)->m.root, 1, 0, 0);
	damage(pool_slot(p, 1)->m.root, 0, 1, 0x123456789abcdef0ULL);
	damage(pool_slot(p, 2)->m.root, 1, 0, 0x123456789abcdef0ULL);
}

/* What a rollback needs a chunk for: it was given up after the snapshot. */
static void rolling_back_clone(void)
{
	FORMAT(2);
	THIN(0, 2);
	PROVISION(0, 0, 2);
	SNAPSHOT(1, 0);
	CLONE(2, 1);
	SNAPSHOT(3, 2);
	CLONE_COPY(2, 0, 4);
	PROVISION(2, 1, 5);
	SNAPSHOT(4, 2);
	COPY_OUT(2, 1, 6);
	DISCARD(2, 1);
	ROLL_BEGIN(2, 4);
}

static void thick_snapshot(void)
{
	FORMAT(2);
	THICK(0, 600);
	PROVISION(0, 599, 2);
	SNAPSHOT(1, 0);
	COPY_OUT(0, 599, 3);
}

/* A chunk to copy out and one to hand over, to maps that have no leaf for them yet. */
static void leaves_to_make(void)
{
	FORMAT(1);
	THIN(0, 600);
	PROVISION(0, 599, 2);
	SNAPSHOT(1, 0);
	SNAPSHOT(2, 0);
	COPY_OUT(0, 599, 3);
	DELETE(2);
	THIN(3, 600);
	PROVISION(3, 599, 4);
	SNAPSHOT(4, 3);
}

/* At the end of the directory: everything names the highest slots there are. */
static void last_slots(void)
{
	FORMAT(2);
	THIN(PMV_SLOTS_MAX - 1, 3);
	PROVISION(PMV_SLOTS_MAX - 1, 0, 2);
	PROVISION(PMV_SLOTS_MAX - 1, 1, 18);
	SNAPSHOT(PMV_SLOTS_MAX - 2, PMV_SLOTS_MAX - 1);
	COPY_OUT(PMV_SLOTS_MAX - 1, 0, 3);
	CLONE(PMV_SLOTS_MAX - PMV_DESCS_PER_PAGE - 1, PMV_SLOTS_MAX - 2);
}

const struct start starts[] = {
	{ "no pool", nothing, false },
	{ "an empty pool of one member", one_member, false },
	{ "small volumes on two members", small_volumes, false },
	{ "a map about to get its second level", before_second_level, false },
	{ "a map about to get its third level", before_third_level, false },
	{ "volumes being erased", being_erased, false },
	{ "pages in two segments", second_segment, false },
	{ "one copy of everything damaged", damaged, true },
	{ "a member ahead by one", member_ahead, true },
	{ "two snapshots", two_snapshots, false },
	{ "a snapshot deleted between others", merging, false },
	{ "clones and their snapshots", clones, false },
	{ "rolling back", rolling_back, false },
	{ "rolling back, one copy of everything damaged", rolling_back_damaged, true },
	{ "rolling back a clone", rolling_back_clone, false },
	{ "a snapshot of a thick volume", thick_snapshot, false },
	{ "snapshots about to get a leaf", leaves_to_make, false },
	{ "the last slots of the directory", last_slots, false },
};
const unsigned int nr_starts = ARRAY_SIZE(starts);
static_assert(ARRAY_SIZE(starts) <= STARTS_MAX);

bool start_build(const struct start *s, struct model *m)
{
	const struct model no_pool = { 0 };

	image_reset();
	put_signatures();
	if (!live_open(&no_pool, true))
		return false;
	s->build();
	*m = *live_model();
	return !violation;
}
