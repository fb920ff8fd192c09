// SPDX-License-Identifier: GPL-2.0
#include <stdio.h>
#include <stdlib.h>
#include "ram.h"

/* All pages that were only ever zeroed are this one. */
static u8 zero_page[PMV_PAGE_SIZE];

static void check_range(const struct ram *r, unsigned int dev, u64 off, u64 len)
{
	if (dev < RAM_DEVS && r->dev[dev].page && off <= r->dev[dev].size &&
	    len <= r->dev[dev].size - off)
		return;
	fprintf(stderr, "access outside device %u: %llu bytes at %llu\n", dev,
		(unsigned long long)len, (unsigned long long)off);
	abort();
}

static u8 *writable(struct ram *r, unsigned int dev, u64 off)
{
	u8 **slot = &r->dev[dev].page[off / PMV_PAGE_SIZE], *page = *slot;

	if (page && page != zero_page)
		return page;
	*slot = malloc(PMV_PAGE_SIZE);
	if (!*slot)
		abort();
	memset(*slot, page ? 0 : r->fill, PMV_PAGE_SIZE);
	return *slot;
}

void ram_get(const struct ram *r, unsigned int dev, u64 off, void *dst, size_t len)
{
	u8 *to = dst;

	check_range(r, dev, off, len);
	while (len) {
		size_t at = off % PMV_PAGE_SIZE, n = min(len, PMV_PAGE_SIZE - at);
		const u8 *page = r->dev[dev].page[off / PMV_PAGE_SIZE];

		if (page)
			memcpy(to, page + at, n);
		else
			memset(to, r->fill, n);
		to += n;
		off += n;
		len -= n;
	}
}

void ram_set(struct ram *r, unsigned int dev, u64 off, const void *src, size_t len)
{
	const u8 *from = src;

	check_range(r, dev, off, len);
	while (len) {
		size_t at = off % PMV_PAGE_SIZE, n = min(len, PMV_PAGE_SIZE - at);

		memcpy(writable(r, dev, off) + at, from, n);
		from += n;
		off += n;
		len -= n;
	}
}

void ram_flip(struct ram *r, unsigned int dev, u64 off, u8 mask)
{
	check_range(r, dev, off, 1);
	writable(r, dev, off)[off % PMV_PAGE_SIZE] ^= mask;
}

static bool overlaps(const struct ram_bad *b, unsigned int dev, u64 off, u64 len)
{
	return b->dev == dev && off < b->off + b->len && b->off < off + len;
}

static void mend(struct ram *r, unsigned int dev, u64 off, u64 len)
{
	unsigned int i;

	for (i = 0; i < r->nr_bad; i++)
		if (overlaps(&r->bad[i], dev, off, len))
			r->bad[i--] = r->bad[--r->nr_bad];
}

void ram_make_bad(struct ram *r, unsigned int dev, u64 off, u64 len)
{
	check_range(r, dev, off, len);
	if (r->nr_bad == RAM_BAD)
		abort();
	r->bad[r->nr_bad++] = (struct ram_bad){ dev, off, len };
}

static void op_store64(void *ctx, unsigned int member, u64 off, u64 val)
{
	__le64 raw = cpu_to_le64(val);

	if (off % 8)
		abort();
	mend(ctx, member, off, 8);
	ram_set(ctx, member, off, &raw, sizeof(raw));
}

static void op_write(void *ctx, unsigned int member, u64 off, const void *src, size_t len)
{
	mend(ctx, member, off, len);
	ram_set(ctx, member, off, src, len);
}

static void op_zero(void *ctx, unsigned int member, u64 off, size_t len)
{
	struct ram *r = ctx;

	check_range(r, member, off, len);
	mend(r, member, off, len);
	while (len) {
		size_t at = off % PMV_PAGE_SIZE, n = min(len, PMV_PAGE_SIZE - at);
		u8 **slot = &r->dev[member].page[off / PMV_PAGE_SIZE];

		if (n == PMV_PAGE_SIZE) {
			if (*slot != zero_page)
				free(*slot);
			*slot = zero_page;
		} else {
			memset(writable(r, member, off) + at, 0, n);
		}
		off += n;
		len -= n;
	}
}

static void op_flush(void *ctx, unsigned int member, u64 off, size_t len)
{
	check_range(ctx, member, off, len);
}

static void op_fence(void *ctx)
{
	(void)ctx;
}

static int op_read(void *ctx, unsigned int member, u64 off, void *dst, size_t len)
{
	struct ram *r = ctx;
	unsigned int i;

	for (i = 0; i < r->nr_bad; i++) {
		if (!overlaps(&r->bad[i], member, off, len))
			continue;
		memset(dst, 0xee, len);
		return -EIO;
	}
	ram_get(r, member, off, dst, len);
	return 0;
}

const struct pmv_media_ops ram_ops = {
	.store64 = op_store64,
	.write = op_write,
	.zero = op_zero,
	.flush = op_flush,
	.fence = op_fence,
	.read = op_read,
};

void ram_init(struct ram *r, const u64 *size, unsigned int nr, u8 fill)
{
	unsigned int i;

	memset(r, 0, sizeof(*r));
	r->fill = fill;
	for (i = 0; i < nr; i++) {
		r->dev[i].size = size[i];
		r->dev[i].page = calloc(size[i] / PMV_PAGE_SIZE, sizeof(u8 *));
		if (!r->dev[i].page)
			abort();
	}
}

void ram_exit(struct ram *r)
{
	unsigned int i;
	u64 n;

	for (i = 0; i < RAM_DEVS; i++) {
		for (n = 0; r->dev[i].page && n < r->dev[i].size / PMV_PAGE_SIZE; n++)
			if (r->dev[i].page[n] != zero_page)
				free(r->dev[i].page[n]);
		free(r->dev[i].page);
	}
	memset(r, 0, sizeof(*r));
}

void ram_copy(struct ram *to, const struct ram *from)
{
	unsigned int i;
	u64 n;

	*to = *from;
	for (i = 0; i < RAM_DEVS; i++) {
		u64 pages = from->dev[i].size / PMV_PAGE_SIZE;

		if (!from->dev[i].page)
			continue;
		to->dev[i].page = calloc(pages, sizeof(u8 *));
		if (!to->dev[i].page)
			abort();
		for (n = 0; n < pages; n++) {
			u8 *page = from->dev[i].page[n];

			to->dev[i].page[n] = page;
			if (!page || page == zero_page)
				continue;
			to->dev[i].page[n] = malloc(PMV_PAGE_SIZE);
			if (!to->dev[i].page[n])
				abort();
			memcpy(to->dev[i].page[n], page, PMV_PAGE_SIZE);
		}
	}
}
