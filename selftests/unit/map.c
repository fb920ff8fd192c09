// SPDX-License-Identifier: GPL-2.0
/* Maps: what is set is found again, and every page has one owner and comes back. */
#include "test.h"

/* A size for each height, and one at either side of where the height changes. */
static const u64 sizes[] = {
	1, 511, 512, 513, 1024, 5000, BIT_ULL(18) - 1, BIT_ULL(18), BIT_ULL(18) + 1, BIT_ULL(20),
	BIT_ULL(27),
};

static u64 pages_counted(u64 chunks)
{
	u64 leaves = (chunks + 511) / 512, nodes = (leaves + 511) / 512;

	switch (pmv_map_height(chunks)) {
	case 1:
		return 1;
	case 2:
		return leaves + 1;
	default:
		return leaves + nodes + 1;
	}
}

void map_pages_max(void)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(sizes); i++)
		CHECK_EQ(pmv_map_pages_max(sizes[i]), pages_counted(sizes[i]));
}

/* The indices worth trying in a map of this size, deduplicated by the caller's bookkeeping. */
static unsigned int interesting(u64 chunks, u64 *index)
{
	const u64 want[] = { 0, 1, 511, 512, 513, 1023, chunks / 2, BIT_ULL(18) - 1, BIT_ULL(18),
			     chunks - 2, chunks - 1 };
	unsigned int i, j, n = 0;

	for (i = 0; i < ARRAY_SIZE(want); i++) {
		bool known = want[i] >= chunks;

		for (j = 0; j < n; j++)
			known |= index[j] == want[i];
		if (!known)
			index[n++] = want[i];
	}
	return n;
}

/* Counts agree with the bitmaps, and beyond the directory @pages are in use. */
static void check_pages(const struct pool *p, u64 pages)
{
	u64 used = pool_pages_used(p), counted = 0;
	unsigned int s;

	for (s = 0; s < p->c.nr_segments; s++)
		counted += p->seg[s].used;
	CHECK_EQ(used, PMV_DIR_PAGES + pages);
	CHECK_EQ(counted, used);
	CHECK_EQ(p->c.free_pages, (u64)p->c.nr_segments * pmv_pages_per_segment(&p->c) - used);
}

static u32 word_at(struct fixture *f, const struct pmv_map *m, u64 index, int want)
{
	struct pmv_word w = { 0 };
	u32 page;
	int ret = pmv_map_find_leaf(&f->p.c, m, index >> PMV_LEAF_SHIFT, &page);

	if (!ret)
		ret = pmv_word_load(&f->p.c, page, index % PMV_WORDS_PER_PAGE, PMV_WORD_LEAF,
				    m->slot, index, &w);
	CHECK_EQ(ret, want);
	return w.value;
}

void map_create_fill_release(void)
{
	static struct fixture f;
	unsigned int i, n, at;
	u64 index[16], base;

	fixture_init(&f, 2, 8);
	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		struct pmv_map m = { .slot = 3 + i, .chunks = sizes[i] };
		u32 page;

		check_pages(&f.p, 0);
		CHECK_EQ(pmv_map_create(&f.p.c, &m), 0);
		CHECK_EQ(m.height, pmv_map_height(sizes[i]));
		check_pages(&f.p, 1);
		n = interesting(sizes[i], index);
		for (at = 0; at < n; at++) {
			word_at(&f, &m, index[at], -ENOENT);
			base = f.p.c.free_pages;
			CHECK_EQ(pmv_map_make_leaf(&f.p.c, &m, index[at] >> 9, &page), 0);
			CHECK(base - f.p.c.free_pages < PMV_HEIGHT_MAX);
			base = f.p.c.free_pages;
			CHECK_EQ(pmv_map_make_leaf(&f.p.c, &m, index[at] >> 9, &page), 0);
			CHECK_EQ(f.p.c.free_pages, base);
			pmv_map_set(&f.p.c, &m, page, index[at], (struct pmv_word){ at, 1 });
		}
		for (at = 0; at < n; at++)
			CHECK_EQ(word_at(&f, &m, index[at], 0), at);
		for (at = 0; at < n; at += 2) {
			CHECK_EQ(pmv_map_find_leaf(&f.p.c, &m, index[at] >> 9, &page), 0);
			pmv_map_clear(&f.p.c, page, index[at]);
		}
		for (at = 0; at < n; at++)
			word_at(&f, &m, index[at], at % 2 ? 0 : -ENOENT);
		if (pmv_map_pages_max(sizes[i]) < 300) {
			CHECK_EQ(pmv_map_make_all(&f.p.c, &m, 0), 0);
			check_pages(&f.p, pmv_map_pages_max(sizes[i]));
		}
		pmv_map_release(&f.p.c, &m);
	}
	check_pages(&f.p, 0);
	fixture_exit(&f);
}

/* From every size to every larger one: what was there stays, ungrowing leaves no page behind. */
void map_grow_every_way(void)
{
	static struct fixture f;
	unsigned int i, j;
	struct pmv_map m, grown;
	u32 page;
	u64 used;

	fixture_init(&f, 2, 8);
	for (i = 0; i < ARRAY_SIZE(sizes); i++)
		for (j = i + 1; j < ARRAY_SIZE(sizes); j++) {
			m = (struct pmv_map){ .slot = 1, .chunks = sizes[i] };
			CHECK_EQ(pmv_map_create(&f.p.c, &m), 0);
			CHECK_EQ(pmv_map_make_leaf(&f.p.c, &m, 0, &page), 0);
			pmv_map_set(&f.p.c, &m, page, 0, (struct pmv_word){ 5, 1 });
			used = pool_pages_used(&f.p) - PMV_DIR_PAGES;
			CHECK_EQ(pmv_map_grow(&f.p.c, &m, sizes[j], &grown), 0);
			CHECK_EQ(grown.height, pmv_map_height(sizes[j]));
			CHECK_EQ(word_at(&f, &grown, 0, 0), 5);
			check_pages(&f.p, used + grown.height - m.height);
			pmv_map_ungrow(&f.p.c, &m, &grown);
			check_pages(&f.p, used);
			CHECK_EQ(word_at(&f, &m, 0, 0), 5);
			CHECK_EQ(pmv_map_grow(&f.p.c, &m, sizes[j], &grown), 0);
			CHECK_EQ(pmv_map_make_leaf(&f.p.c, &grown, pmv_map_leaves(sizes[j]) - 1,
						   &page), 0);
			pmv_map_set(&f.p.c, &grown, page, sizes[j] - 1, (struct pmv_word){ 6, 1 });
			CHECK_EQ(word_at(&f, &grown, sizes[j] - 1, 0), 6);
			CHECK_EQ(word_at(&f, &grown, 0, 0), 5);
			pmv_map_release(&f.p.c, &grown);
			check_pages(&f.p, 0);
		}
	CHECK_EQ(pmv_map_grow(&f.p.c, &m, BIT_ULL(27) + 1, &grown), -EFBIG);
	m.chunks = BIT_ULL(27) + 1;
	CHECK_EQ(pmv_map_create(&f.p.c, &m), -EFBIG);
	check_pages(&f.p, 0);
	fixture_exit(&f);
}

/* Take pages until @left are free. Return: how many were taken, into @taken. */
static unsigned int drain(struct pool *p, u64 left, u32 *taken)
{
	unsigned int n = 0;

	while (p->c.free_pages > left)
		CHECK_EQ(pmv_page_take(&p->c, &taken[n++]), 0);
	return n;
}

void map_grow_fails(void)
{
	static struct fixture f;
	static u32 taken[512];
	struct pmv_map m = { .slot = 1, .chunks = 1 }, grown;
	unsigned int left, n;
	u32 page;

	fixture_init(&f, 1, 8);
	CHECK_EQ(pmv_map_create(&f.p.c, &m), 0);
	CHECK_EQ(pmv_map_make_leaf(&f.p.c, &m, 0, &page), 0);
	for (left = 0; left <= 2; left++) {
		n = drain(&f.p, left, taken);
		CHECK_EQ(pmv_map_grow(&f.p.c, &m, BIT_ULL(27), &grown), left < 2 ? -ENOSPC : 0);
		CHECK_EQ(f.p.c.free_pages, left < 2 ? left : 0);
		if (left == 2)
			pmv_map_ungrow(&f.p.c, &m, &grown);
		while (n)
			pmv_page_put(&f.p.c, taken[--n]);
		check_pages(&f.p, 1);
	}
	fixture_exit(&f);
}

/* A leaf that cannot be made leaves a map that can be used and released. */
void map_out_of_space(void)
{
	static struct fixture f;
	static u32 taken[512];
	struct pmv_map m = { .slot = 1, .chunks = BIT_ULL(27) };
	unsigned int left, n;
	u32 page;

	fixture_init(&f, 1, 8);
	for (left = 0; left < 4; left++) {
		n = drain(&f.p, left, taken);
		CHECK_EQ(pmv_map_create(&f.p.c, &m), left ? 0 : -ENOSPC);
		if (left) {
			CHECK_EQ(pmv_map_make_leaf(&f.p.c, &m, 1000, &page), left < 3 ? -ENOSPC : 0);
			CHECK_EQ(pmv_map_find_leaf(&f.p.c, &m, 1000, &page),
				 left < 3 ? -ENOENT : 0);
			CHECK_EQ(f.p.c.free_pages, 0);
			pmv_map_release(&f.p.c, &m);
		}
		CHECK_EQ(f.p.c.free_pages, left);
		while (n)
			pmv_page_put(&f.p.c, taken[--n]);
		check_pages(&f.p, 0);
	}
	fixture_exit(&f);
}

/* Words that pass their check and lead astray: nothing outside is touched, nothing foreign freed. */
void map_hostile_walk(void)
{
	static const u32 astray[] = { 0, 1, 511, 512, 513, PMV_WORD_VALUE_MAX };
	static struct fixture f;
	struct pmv_map m = { .slot = 1, .chunks = BIT_ULL(27) };
	unsigned int i;
	u32 page;

	fixture_init(&f, 1, 8);
	for (i = 0; i < ARRAY_SIZE(astray); i++) {
		struct pmv_word w = { astray[i], 2 };

		CHECK_EQ(pmv_map_create(&f.p.c, &m), 0);
		pmv_word_store(&f.p.c, m.root, 0, pmv_word_encode(w, PMV_WORD_NODE, m.slot, 0));
		if (astray[i] >= 512) {
			CHECK_EQ(pmv_map_find_leaf(&f.p.c, &m, 0, &page), -EUCLEAN);
			CHECK_EQ(pmv_map_make_leaf(&f.p.c, &m, 0, &page), -EUCLEAN);
		}
		w.tag = 1;
		pmv_word_store(&f.p.c, m.root, 1, pmv_word_encode(w, PMV_WORD_NODE, m.slot, 512));
		CHECK_EQ(pmv_map_find_leaf(&f.p.c, &m, 512, &page), -EUCLEAN);
		/* Frees the directory's page 0 or 1, if led there, but nothing twice. */
		pmv_map_release(&f.p.c, &m);
		CHECK_EQ(f.p.seg[0].used, pool_pages_used(&f.p));
	}
	pmv_page_put(&f.p.c, 100);
	pmv_page_put(&f.p.c, PMV_WORD_VALUE_MAX);
	CHECK_EQ(pmv_page_claim(&f.p.c, 512), -EUCLEAN);
	CHECK_EQ(pmv_page_claim(&f.p.c, BIT_ULL(32) + 100), -EUCLEAN);
	CHECK_EQ(pmv_page_claim(&f.p.c, ~0ULL), -EUCLEAN);
	CHECK_EQ(pmv_page_claim(&f.p.c, 100), 0);
	CHECK_EQ(pmv_page_claim(&f.p.c, 100), -EUCLEAN);
	CHECK_EQ(f.p.seg[0].used, pool_pages_used(&f.p));
	fixture_exit(&f);
}
