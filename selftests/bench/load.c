// SPDX-License-Identifier: GPL-2.0
/*
 * load TERABYTES [REPEAT]
 *
 * How long does it take to read the metadata of a pool whose chunks are all mapped? The core's own
 * code on a medium in memory; what the module adds is an array entry a chunk. Prints ms, the best
 * of REPEAT (5), and ns a chunk.
 */
#define _GNU_SOURCE
#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>

#include "alloc.h"
#include "load.h"

#define SHIFT PMV_CHUNK_SHIFT_MIN

/* All of it in address space, of which only the metadata is ever touched. */
static u8 *medium;

static void store64(void *ctx, unsigned int member, u64 off, u64 val)
{
	val = cpu_to_le64(val);
	memcpy(medium + off, &val, sizeof(val));
	(void)ctx;
	(void)member;
}

static void write_to(void *ctx, unsigned int member, u64 off, const void *src, size_t len)
{
	memcpy(medium + off, src, len);
	(void)ctx;
	(void)member;
}

static void zero(void *ctx, unsigned int member, u64 off, size_t len)
{
	memset(medium + off, 0, len);
	(void)ctx;
	(void)member;
}

static void flush(void *ctx, unsigned int member, u64 off, size_t len)
{
	(void)ctx;
	(void)member;
	(void)off;
	(void)len;
}

static void fence(void *ctx)
{
	(void)ctx;
}

static int read_from(void *ctx, unsigned int member, u64 off, void *dst, size_t len)
{
	memcpy(dst, medium + off, len);
	(void)ctx;
	(void)member;
	return 0;
}

static const struct pmv_media_ops ops = {
	.store64 = store64,
	.write = write_to,
	.zero = zero,
	.flush = flush,
	.fence = fence,
	.read = read_from,
};

/* What the module keeps of a loaded pool, as large as there. */
struct pool {
	struct pmv_core core;
	struct pmv_segment segment[PMV_SEGMENTS_MAX];
	struct pmv_alloc alloc;
	unsigned long *used, *clean, *pending;
	u64 *entry;
	u64 loaded;
	struct pmv_sb sb;
};

static void *memory(size_t n, size_t size)
{
	void *p = calloc(n, size);

	if (!p)
		errx(2, "no memory");
	return p;
}

static void must(int ret, const char *what)
{
	if (ret)
		errx(2, "%s: %s", what, strerror(-ret));
}

static unsigned long *segment_map(void *ctx, unsigned int bits)
{
	(void)ctx;
	return memory(BITS_TO_LONGS(bits), sizeof(long));
}

static int claim(void *ctx, u64 chunk)
{
	struct pool *p = ctx;

	return pmv_alloc_claim(&p->alloc, chunk);
}

static int volume(void *ctx, const struct pmv_desc *d, const struct pmv_map *m, void **cookie)
{
	(void)d;
	(void)m;
	*cookie = ctx;
	return 0;
}

static int chunk_found(void *ctx, void *cookie, u64 index, struct pmv_word w)
{
	struct pool *p = ctx;

	(void)cookie;
	p->entry[index] = (uintptr_t)medium + (w.value << SHIFT);
	p->loaded++;
	return 0;
}

static const struct pmv_load_ops load_ops = {
	.claim_chunk = claim,
	.volume = volume,
	.chunk = chunk_found,
	.segment_map = segment_map,
};

static void forget(struct pool *p)
{
	size_t bytes = BITS_TO_LONGS(p->core.chunks) * sizeof(long);
	unsigned int i;

	for (i = 0; i < p->core.nr_segments; i++)
		free(p->segment[i].map);
	memset(p->segment, 0, sizeof(p->segment));
	memset(p->used, 0, bytes);
	memset(p->clean, 0, bytes);
	memset(p->pending, 0, bytes);
	pmv_alloc_init(&p->alloc, p->core.chunks, p->used, p->clean, p->pending);
	p->loaded = 0;
}

static void start(struct pool *p)
{
	const struct pmv_sb *sb = &p->sb;

	memset(&p->core, 0, sizeof(p->core));
	p->core.ops = &ops;
	p->core.segment = p->segment;
	pmv_core_init(&p->core, &sb);
}

static void make_pool(struct pool *p, u64 size)
{
	u64 data_off = pmv_data_off(0, SHIFT);
	size_t longs;

	p->sb.chunk_shift = SHIFT;
	p->sb.name_len = 4;
	memcpy(p->sb.name, "tank", 4);
	memset(p->sb.pool_uuid, 0x11, PMV_UUID_SIZE);
	memset(p->sb.member_uuid, 0x40, PMV_UUID_SIZE);
	p->sb.overcommit = cpu_to_le32(100);
	p->sb.low_water = cpu_to_le32(10);
	p->sb.map_gen = cpu_to_le64(1);
	p->sb.nr_members = cpu_to_le16(1);
	p->sb.data_off = cpu_to_le64(data_off);
	p->sb.device_size = cpu_to_le64(size);
	memcpy(p->sb.member[0].uuid, p->sb.member_uuid, PMV_UUID_SIZE);
	p->sb.member[0].chunks = cpu_to_le64((size - data_off) >> SHIFT);
	start(p);
	longs = BITS_TO_LONGS(p->core.chunks);
	p->used = memory(longs, sizeof(long));
	p->clean = memory(longs, sizeof(long));
	p->pending = memory(longs, sizeof(long));
	p->entry = memory(p->core.chunks, sizeof(*p->entry));
	must(pmv_format(&p->core, segment_map(NULL, pmv_pages_per_segment(&p->core))), "format");
}

/* One volume that has every chunk but those of metadata. Returns how many. */
static u64 make_volume(struct pool *p)
{
	u64 pages = pmv_map_pages_max(p->core.chunks) + 32, next = 2, n, i;
	struct pmv_volume_params params = {
		.name = "v",
		.name_len = 1,
		.uuid = p->sb.pool_uuid,
	};
	struct pmv_desc d;
	struct pmv_map m;
	u32 page = 0;

	for (; p->core.free_pages < pages; next += 2)
		must(pmv_segment_add(&p->core, next, next + 1,
				     segment_map(NULL, pmv_pages_per_segment(&p->core))),
		     "segment");
	n = p->core.chunks - next;
	params.chunks = n;
	must(pmv_volume_create(&p->core, 0, &params, &d, &m), "volume");
	for (i = 0; i < n; i++) {
		if (!(i & (PMV_WORDS_PER_PAGE - 1)))
			must(pmv_map_make_leaf(&p->core, &m, i >> PMV_LEAF_SHIFT, &page), "leaf");
		pmv_map_set(&p->core, &m, page, i, (struct pmv_word){ next + i, 1 });
	}
	return n;
}

static double load_once(struct pool *p, u64 chunks)
{
	struct pmv_load_result res = { 0 };
	struct timespec a, b;

	forget(p);
	clock_gettime(CLOCK_MONOTONIC, &a);
	start(p);
	must(pmv_load(&p->core, &load_ops, p, true, &res), "load");
	clock_gettime(CLOCK_MONOTONIC, &b);
	if (p->loaded != chunks || res.repaired || res.lost)
		errx(1, "%lu chunks of %lu were loaded", p->loaded, chunks);
	return (b.tv_sec - a.tv_sec) * 1e3 + (b.tv_nsec - a.tv_nsec) / 1e6;
}

int main(int argc, char **argv)
{
	double size = argc > 1 ? atof(argv[1]) * 1e12 : 0, best = 0, ms;
	int repeat = argc > 2 ? atoi(argv[2]) : 5, i;
	struct pool *p = memory(1, sizeof(*p));
	u64 chunks, bytes = (u64)size;

	if (bytes < 1ULL << 30 || repeat < 1)
		errx(2, "load TERABYTES [REPEAT]");
	bytes -= bytes % BIT_ULL(SHIFT);
	medium = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (medium == MAP_FAILED)
		err(2, "mmap");
	/* Of a chunk of metadata only what is used shall take memory. */
	madvise(medium, bytes, MADV_NOHUGEPAGE);
	make_pool(p, bytes);
	chunks = make_volume(p);
	for (i = 0; i < repeat; i++) {
		ms = load_once(p, chunks);
		best = !i || ms < best ? ms : best;
	}
	printf("%.1f %.1f\n", best, best * 1e6 / chunks);
	return 0;
}
