// SPDX-License-Identifier: GPL-2.0
/*
 * Metadata space: segments of two mirrored chunks, the pages in them, and the
 * words in the pages. Which pages are in use is known in memory only: a page that
 * nothing on media names is free.
 */
#include "core.h"

unsigned int pmv_chunk_where(const struct pmv_core *c, u64 chunk, u64 *off)
{
	unsigned int m = 0;
	u64 first;

	while (m + 1 < c->nr_members && chunk >= le64_to_cpu(c->sb.member[m + 1].first_chunk))
		m++;
	first = le64_to_cpu(c->sb.member[m].first_chunk);
	*off = c->data_off[m] + ((chunk - first) << c->chunk_shift);
	return m;
}

void pmv_chunk_zero(const struct pmv_core *c, u64 chunk)
{
	unsigned int m;
	u64 off;

	m = pmv_chunk_where(c, chunk, &off);
	c->ops->zero(c->ctx, m, off, (size_t)1 << c->chunk_shift);
}

unsigned int pmv_page_where(const struct pmv_core *c, u32 page, unsigned int copy, u64 *off)
{
	unsigned int per = pmv_pages_per_segment(c);
	unsigned int m = pmv_chunk_where(c, c->segment[page / per].chunk[copy], off);

	*off += (u64)(page % per) << PMV_PAGE_SHIFT;
	return m;
}

static bool page_exists(const struct pmv_core *c, u32 page)
{
	unsigned int per = pmv_pages_per_segment(c);

	return page < (u64)c->nr_segments * per && c->segment[page / per].map;
}

int pmv_segment_add(struct pmv_core *c, u32 primary, u32 mirror, unsigned long *map)
{
	struct pmv_word w = { .value = primary, .tag = mirror };
	unsigned int n = c->nr_segments, copy;
	struct pmv_segment *s;
	u64 raw;

	if (n == PMV_SEGMENTS_MAX ||
	    ((u64)n + 1) * pmv_pages_per_segment(c) > PMV_WORD_VALUE_MAX)
		return -ENOSPC;
	s = &c->segment[n];
	s->chunk[0] = primary;
	s->chunk[1] = mirror;
	s->used = 0;
	s->cursor = 0;
	s->map = map;

	raw = pmv_word_encode(w, PMV_WORD_SEGMENT, 0, n);
	for (copy = 0; copy < PMV_COPIES; copy++) {
		u64 off = (u64)copy * PMV_COPY_STRIDE + PMV_SEGTAB_OFF + 8ULL * n;

		c->ops->store64(c->ctx, 0, off, raw);
		c->ops->flush(c->ctx, 0, off, 8);
	}
	c->ops->fence(c->ctx);
	c->nr_segments++;
	c->free_pages += pmv_pages_per_segment(c);
	return 0;
}

int pmv_page_take(struct pmv_core *c, u32 *page)
{
	unsigned int per = pmv_pages_per_segment(c), n, at, copy, m;
	struct pmv_segment *s;
	u64 off;

	for (n = 0; n < c->nr_segments && c->segment[n].used == per; n++)
		;
	if (n == c->nr_segments)
		return -ENOSPC;
	s = &c->segment[n];
	at = find_next_zero_bit(s->map, per, s->cursor);
	if (at >= per)
		at = find_next_zero_bit(s->map, per, 0);
	__set_bit(at, s->map);
	s->used++;
	s->cursor = at + 1 < per ? at + 1 : 0;
	c->free_pages--;

	*page = n * per + at;
	for (copy = 0; copy < PMV_COPIES; copy++) {
		m = pmv_page_where(c, *page, copy, &off);
		c->ops->zero(c->ctx, m, off, PMV_PAGE_SIZE);
	}
	return 0;
}

void pmv_page_put(struct pmv_core *c, u32 page)
{
	unsigned int per = pmv_pages_per_segment(c);
	struct pmv_segment *s = &c->segment[page / per];

	/* Walks come here with numbers read back from the medium: one not in use is not ours. */
	if (!page_exists(c, page) || !test_bit(page % per, s->map))
		return;
	__clear_bit(page % per, s->map);
	s->used--;
	c->free_pages++;
}

int pmv_page_claim(struct pmv_core *c, u64 page)
{
	unsigned int per = pmv_pages_per_segment(c);
	struct pmv_segment *s;

	if (page > PMV_WORD_VALUE_MAX || !page_exists(c, page))
		return -EUCLEAN;
	s = &c->segment[(u32)page / per];
	if (test_bit((u32)page % per, s->map))
		return -EUCLEAN;
	__set_bit((u32)page % per, s->map);
	s->used++;
	c->free_pages--;
	return 0;
}

void pmv_word_store(const struct pmv_core *c, u32 page, unsigned int index, u64 raw)
{
	unsigned int copy, m;
	u64 off;

	for (copy = 0; copy < PMV_COPIES; copy++) {
		m = pmv_page_where(c, page, copy, &off);
		c->ops->store64(c->ctx, m, off + 8 * index, raw);
		c->ops->flush(c->ctx, m, off + 8 * index, 8);
	}
}

int pmv_word_load(const struct pmv_core *c, u32 page, unsigned int at, enum pmv_word_kind kind,
		  u32 owner, u64 index, struct pmv_word *w)
{
	bool empty = false;
	unsigned int copy;
	__le64 raw;

	if (!page_exists(c, page))
		return -EUCLEAN;
	for (copy = 0; copy < PMV_COPIES; copy++) {
		if (pmv_page_read(c, page, copy, 8 * at, &raw, sizeof(raw)))
			continue;
		if (!raw) {
			empty = true;
			continue;
		}
		if (pmv_word_decode(le64_to_cpu(raw), kind, owner, index, w))
			continue;
		/* Eight bits of check are no reason to follow a number out of the pool. */
		if ((kind == PMV_WORD_DIR || kind == PMV_WORD_NODE) && !page_exists(c, w->value))
			return -EUCLEAN;
		return 0;
	}
	return empty ? -ENOENT : -EUCLEAN;
}

void pmv_page_write(const struct pmv_core *c, u32 page, unsigned int copy, unsigned int off,
		    const void *src, size_t len)
{
	u64 at;
	unsigned int m = pmv_page_where(c, page, copy, &at);

	c->ops->write(c->ctx, m, at + off, src, len);
}

int pmv_page_read(const struct pmv_core *c, u32 page, unsigned int copy, unsigned int off,
		  void *dst, size_t len)
{
	u64 at;
	unsigned int m = pmv_page_where(c, page, copy, &at);

	return c->ops->read(c->ctx, m, at + off, dst, len);
}
