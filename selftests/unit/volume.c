// SPDX-License-Identifier: GPL-2.0
/* The life of a volume, and what a reload finds at every point of it. */
#include "test.h"

static int create(struct fixture *f, u32 slot, const char *letter, u64 chunks, bool thick)
{
	struct pmv_volume_params p;
	struct pmv_desc d;
	struct pmv_map m;
	u64 pages = f->p.c.free_pages;
	int ret;

	pool_params(&p, letter, chunks, thick);
	ret = pmv_volume_create(&f->p.c, slot, &p, &d, &m);
	if (!ret)
		CHECK(pages - f->p.c.free_pages <= pmv_volume_pages(&p));
	return ret;
}

static void provision(struct fixture *f, struct pool_vol *v, u64 index, u32 chunk)
{
	u32 page;

	pmv_chunk_zero(&f->p.c, chunk);
	f->p.c.ops->fence(f->p.c.ctx);
	CHECK_EQ(pmv_map_make_leaf(&f->p.c, &v->m, index >> PMV_LEAF_SHIFT, &page), 0);
	pmv_map_set(&f->p.c, &v->m, page, index, (struct pmv_word){ chunk, 1 });
}

/* Load again: nothing to repair, and the pages in use are those that were in use. */
static void reload(struct fixture *f)
{
	u64 pages = pool_pages_used(&f->p);

	CHECK_EQ(fixture_reload(f), 0);
	CHECK_EQ(f->p.res.repaired, 0);
	CHECK_EQ(pool_pages_used(&f->p), pages);
	pmv_sb_commit(&f->p.c);
}

void volume_life(void)
{
	static const u64 sizes[] = { 3, 512, 600, BIT_ULL(18) + 7 };
	static struct fixture f;
	struct pool_vol *v;
	unsigned int i, step;
	u64 free, index;
	u32 page;

	fixture_init(&f, 2, 20);
	free = f.p.a.nr_free;
	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		CHECK_EQ(create(&f, 7, "a", sizes[i], false), 0);
		reload(&f);
		v = pool_slot(&f.p, 7);
		CHECK(v && f.p.nr_vols == 1);
		CHECK(v->d.name_len == 1 && v->d.name[0] == 'a' && v->d.state == PMV_DESC_ACTIVE);
		CHECK_EQ(v->m.chunks, sizes[i]);
		provision(&f, v, 0, 4);
		provision(&f, v, sizes[i] - 1, 25);
		reload(&f);
		v = pool_slot(&f.p, 7);
		CHECK_EQ(f.p.nr_entries, 2);
		CHECK_EQ(f.p.a.nr_free, free - 2);
		CHECK_EQ(pool_chunk(&f.p, v, sizes[i] - 1)->w.value, 25);
		CHECK_EQ(pmv_volume_rename(&f.p.c, 7, &v->d, "bcd", 3), 0);
		CHECK_EQ(pmv_volume_grow(&f.p.c, &v->d, &v->m, 4 * sizes[i]), 0);
		CHECK_EQ(pmv_volume_grow(&f.p.c, &v->d, &v->m, BIT_ULL(27) + 1), -EFBIG);
		reload(&f);
		v = pool_slot(&f.p, 7);
		CHECK(v->d.name_len == 3 && !memcmp(v->d.name, "bcd", 4));
		CHECK_EQ(v->m.chunks, 4 * sizes[i]);
		CHECK_EQ(f.p.nr_entries, 2);
		CHECK_EQ(pmv_volume_delete(&f.p.c, 7, &v->d), 0);
		for (step = 0; step < 2; step++) {
			reload(&f);
			v = pool_slot(&f.p, 7);
			CHECK_EQ(v->d.state, PMV_DESC_ERASING);
			CHECK_EQ(f.p.nr_entries, 2 - step);
			index = f.p.entry[0].index;
			CHECK_EQ(pmv_map_find_leaf(&f.p.c, &v->m, index >> 9, &page), 0);
			pmv_volume_erase_chunk(&f.p.c, page, index, f.p.entry[0].w.value);
		}
		reload(&f);
		v = pool_slot(&f.p, 7);
		CHECK_EQ(pmv_volume_erased(&f.p.c, &v->d, &v->m), 0);
		reload(&f);
		CHECK_EQ(f.p.nr_vols, 0);
		CHECK_EQ(f.p.a.nr_free, free);
		CHECK_EQ(pool_pages_used(&f.p), PMV_DIR_PAGES + 1);
	}
	fixture_exit(&f);
}

/*
 * Growing a thick volume that runs out of pages on the way: the volume is as before, to a
 * loader too, and growing works once there is room.
 */
void volume_thick_grow_fails(void)
{
	static const struct { u64 from, to; } way[] = {
		{ 600, 9000 },			/* same height: new leaves in the old tree */
		{ 512, 9000 },			/* 1 to 2 */
		{ BIT_ULL(18), BIT_ULL(18) + 9000 },	/* 2 to 3 */
	};
	static struct fixture f;
	static u32 taken[1100];
	struct pool_vol *v;
	unsigned int i, n, left;
	u64 used;

	for (i = 0; i < ARRAY_SIZE(way); i++) {
		fixture_init(&f, 2, 20);
		CHECK_EQ(pmv_segment_add(&f.p.c, 2, 3, pool_map(&f.p)), 0);
		CHECK_EQ(create(&f, 0, "t", way[i].from, true), 0);
		reload(&f);
		for (left = 0; left < 17; left++) {
			v = pool_slot(&f.p, 0);
			used = pool_pages_used(&f.p);
			for (n = 0; f.p.c.free_pages > left; n++)
				CHECK_EQ(pmv_page_take(&f.p.c, &taken[n]), 0);
			CHECK_EQ(pmv_volume_grow(&f.p.c, &v->d, &v->m, way[i].to), -ENOSPC);
			while (n)
				pmv_page_put(&f.p.c, taken[--n]);
			CHECK_EQ(v->m.chunks, way[i].from);
			reload(&f);
			CHECK_EQ(pool_slot(&f.p, 0)->m.chunks, way[i].from);
			CHECK_EQ(f.p.nr_leaves, pmv_map_leaves(way[i].from));
			if (way[i].from != 600)
				CHECK_EQ(pool_pages_used(&f.p), used);
			/* What hangs in the old tree is used next time, so tries get further. */
			if (way[i].from == 600 && left == 5)
				break;
		}
		v = pool_slot(&f.p, 0);
		CHECK_EQ(pmv_volume_grow(&f.p.c, &v->d, &v->m, way[i].to), 0);
		CHECK_EQ(pool_pages_used(&f.p),
			 PMV_DIR_PAGES + 1 + pmv_map_pages_max(way[i].to));
		reload(&f);
		CHECK_EQ(f.p.nr_leaves, pmv_map_leaves(way[i].to));
		fixture_exit(&f);
	}
}

void volume_slots(void)
{
	static const u32 slots[] = { 0, 7, 8, 4095, 4096, PMV_SLOTS_MAX - 1 };
	static struct fixture f;
	static u32 taken[1100];
	unsigned int i, n;
	struct pmv_desc d;
	char letter[] = "a";

	fixture_init(&f, 1, 8);
	CHECK_EQ(pmv_desc_read(&f.p.c, 0, &d, NULL), -ENOENT);
	for (i = 0; i < ARRAY_SIZE(slots); i++, letter[0]++)
		CHECK_EQ(create(&f, slots[i], letter, 1, false), 0);
	reload(&f);
	CHECK_EQ(f.p.nr_vols, ARRAY_SIZE(slots));
	for (i = 0; i < ARRAY_SIZE(slots); i++)
		CHECK_EQ(pool_slot(&f.p, slots[i])->d.name[0], 'a' + i);
	/* 0 and 7 share a page of descriptors, the others do not; each volume has a root. */
	CHECK_EQ(pool_pages_used(&f.p), PMV_DIR_PAGES + 2 * ARRAY_SIZE(slots) - 1);
	/* Creating without space takes nothing with it. */
	for (n = 0; f.p.c.free_pages; n++)
		CHECK_EQ(pmv_page_take(&f.p.c, &taken[n]), 0);
	CHECK_EQ(create(&f, 1, "x", 1, false), -ENOSPC);
	CHECK_EQ(create(&f, 100, "x", 1, false), -ENOSPC);
	pmv_page_put(&f.p.c, taken[--n]);
	CHECK_EQ(create(&f, 1, "x", 9000, true), -ENOSPC);
	CHECK_EQ(f.p.c.free_pages, 1);
	CHECK_EQ(create(&f, 1, "x", BIT_ULL(27) + 1, false), -EFBIG);
	CHECK_EQ(create(&f, 100, "x", 1, false), -ENOSPC);
	CHECK_EQ(f.p.c.free_pages, 0);
	fixture_exit(&f);
}

void volume_segments(void)
{
	static struct fixture f;
	unsigned int n;
	u32 page, last = 0;
	u64 free;

	fixture_init(&f, 2, 40);
	for (n = 1; n < 30; n++)
		CHECK_EQ(pmv_segment_add(&f.p.c, n, 40 + n, pool_map(&f.p)), 0);
	free = f.p.c.free_pages;
	CHECK_EQ(free, 30 * 512 - PMV_DIR_PAGES);
	for (n = 0; n < free; n++) {
		CHECK_EQ(pmv_page_take(&f.p.c, &page), 0);
		CHECK_EQ(page, PMV_DIR_PAGES + n);
		last = page;
	}
	CHECK_EQ(pmv_page_take(&f.p.c, &page), -ENOSPC);
	pmv_page_put(&f.p.c, 5000);
	CHECK_EQ(pmv_page_take(&f.p.c, &page), 0);
	CHECK_EQ(page, 5000);
	CHECK_EQ(last, 30 * 512 - 1);
	CHECK_EQ(fixture_reload(&f), 0);
	CHECK_EQ(f.p.c.nr_segments, 30);
	CHECK_EQ(f.p.a.nr_free, 80 - 60);
	/* The table ends, whatever the medium offers. */
	f.p.c.nr_segments = PMV_SEGMENTS_MAX;
	CHECK_EQ(pmv_segment_add(&f.p.c, 70, 71, NULL), -ENOSPC);
	fixture_exit(&f);
}
