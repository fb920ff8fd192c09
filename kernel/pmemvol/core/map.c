// SPDX-License-Identifier: GPL-2.0
/*
 * The map of a volume: a radix tree of 4 KiB pages of words. Leaves (level 1) hold
 * chunks, nodes above hold pages. It only ever gains pages while its volume lives.
 */
#include "core.h"

/* First leaf below a child at @level that covers @leaf: the place its word is bound to. */
static u64 first_leaf(u64 leaf, unsigned int level)
{
	unsigned int shift = (level - 1) * PMV_LEAF_SHIFT;

	return leaf >> shift << shift;
}

/* Which word of a node at @level leads to @leaf. */
static unsigned int child_at(u64 leaf, unsigned int level)
{
	return leaf >> ((level - 2) * PMV_LEAF_SHIFT) & (PMV_WORDS_PER_PAGE - 1);
}

u64 pmv_map_pages_max(u64 chunks)
{
	u64 level = pmv_map_leaves(chunks), pages = level;

	while (level > 1) {
		level = (level + PMV_WORDS_PER_PAGE - 1) >> PMV_LEAF_SHIFT;
		pages += level;
	}
	return pages;
}

int pmv_map_create(struct pmv_core *c, struct pmv_map *m)
{
	int ret;

	m->height = pmv_map_height(m->chunks);
	if (!m->height)
		return -EFBIG;
	ret = pmv_page_take(c, &m->root);
	if (ret)
		return ret;
	c->ops->fence(c->ctx);
	return 0;
}

static int step_down(const struct pmv_core *c, const struct pmv_map *m, unsigned int level,
		     u64 leaf, u32 *page)
{
	struct pmv_word w;
	int ret;

	ret = pmv_word_load(c, *page, child_at(leaf, level), PMV_WORD_NODE, m->slot,
			    first_leaf(leaf, level - 1), &w);
	if (ret)
		return ret;
	if (w.tag != level - 1)
		return -EUCLEAN;
	*page = w.value;
	return 0;
}

int pmv_map_find_leaf(const struct pmv_core *c, const struct pmv_map *m, u64 leaf, u32 *page)
{
	unsigned int level;
	int ret;

	*page = m->root;
	for (level = m->height; level > 1; level--) {
		ret = step_down(c, m, level, leaf, page);
		if (ret)
			return ret;
	}
	return 0;
}

int pmv_map_make_leaf(struct pmv_core *c, const struct pmv_map *m, u64 leaf, u32 *page)
{
	unsigned int level;
	struct pmv_word w;
	u32 child;
	int ret;

	*page = m->root;
	for (level = m->height; level > 1; level--) {
		child = *page;
		ret = step_down(c, m, level, leaf, &child);
		if (ret == -ENOENT) {
			ret = pmv_page_take(c, &child);
			if (ret)
				return ret;
			/* Empty before it is reachable. */
			c->ops->fence(c->ctx);
			w.value = child;
			w.tag = level - 1;
			pmv_word_store(c, *page, child_at(leaf, level),
				       pmv_word_encode(w, PMV_WORD_NODE, m->slot,
						       first_leaf(leaf, level - 1)));
			c->ops->fence(c->ctx);
		} else if (ret) {
			return ret;
		}
		*page = child;
	}
	return 0;
}

int pmv_map_make_all(struct pmv_core *c, const struct pmv_map *m, u64 leaf)
{
	u64 leaves = pmv_map_leaves(m->chunks);
	u32 page;
	int ret;

	for (; leaf < leaves; leaf++) {
		ret = pmv_map_make_leaf(c, m, leaf, &page);
		if (ret)
			return ret;
	}
	return 0;
}

void pmv_map_set(const struct pmv_core *c, const struct pmv_map *m, u32 leaf_page, u64 index,
		 struct pmv_word w)
{
	pmv_word_store(c, leaf_page, index & (PMV_WORDS_PER_PAGE - 1),
		       pmv_word_encode(w, PMV_WORD_LEAF, m->slot, index));
	c->ops->fence(c->ctx);
}

void pmv_map_clear(const struct pmv_core *c, u32 leaf_page, u64 index)
{
	pmv_word_store(c, leaf_page, index & (PMV_WORDS_PER_PAGE - 1), 0);
	c->ops->fence(c->ctx);
}

int pmv_map_grow(struct pmv_core *c, const struct pmv_map *m, u64 chunks, struct pmv_map *new)
{
	unsigned int height = pmv_map_height(chunks);
	struct pmv_word w;
	u32 page;
	int ret;

	if (!height)
		return -EFBIG;
	memcpy(new, m, sizeof(*new));
	new->chunks = chunks;
	while (new->height < height) {
		ret = pmv_page_take(c, &page);
		if (ret) {
			pmv_map_ungrow(c, m, new);
			return ret;
		}
		c->ops->fence(c->ctx);
		w.value = new->root;
		w.tag = new->height;
		pmv_word_store(c, page, 0, pmv_word_encode(w, PMV_WORD_NODE, m->slot, 0));
		c->ops->fence(c->ctx);
		new->root = page;
		new->height++;
	}
	return 0;
}

/* Put every page of a map but those below @keep; page 0 is the directory and in no map. */
static void put_pages(struct pmv_core *c, const struct pmv_map *m, u32 keep)
{
	unsigned int at[PMV_HEIGHT_MAX + 1] = { 0 }, level = m->height;
	u32 page[PMV_HEIGHT_MAX + 1];
	u64 leaf = 0;

	/* Depth first without recursion; at[l] is the next word of the node at level l. */
	page[level] = m->root;
	while (level <= m->height) {
		unsigned int shift;

		if (level == 1 || at[level] == PMV_WORDS_PER_PAGE || page[level] == keep) {
			if (page[level] != keep)
				pmv_page_put(c, page[level]);
			level++;
			continue;
		}
		shift = (level - 2) * PMV_LEAF_SHIFT;
		leaf = leaf >> (shift + PMV_LEAF_SHIFT) << (shift + PMV_LEAF_SHIFT);
		leaf |= (u64)at[level]++ << shift;
		page[level - 1] = page[level];
		if (step_down(c, m, level, leaf, &page[level - 1]))
			continue;
		level--;
		at[level] = 0;
	}
}

void pmv_map_ungrow(struct pmv_core *c, const struct pmv_map *m, const struct pmv_map *new)
{
	put_pages(c, new, m->root);
}

void pmv_map_release(struct pmv_core *c, const struct pmv_map *m)
{
	put_pages(c, m, 0);
}
