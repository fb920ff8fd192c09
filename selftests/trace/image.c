// SPDX-License-Identifier: GPL-2.0
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "find.h"
#include "image.h"

/* What recovery stores is taken back by this. */
struct undo {
	u64 off;
	u8 old[64];
	unsigned int len;
};

static struct undo *undo;
static size_t nr_undo, max_undo;

static void die(const char *what)
{
	perror(what);
	exit(2);
}

void image_read(struct image *im, const char *file)
{
	int fd = open(file, O_RDONLY);
	struct stat st;

	if (fd < 0 || fstat(fd, &st))
		die(file);
	memset(im, 0, sizeof(*im));
	im->size = st.st_size;
	im->data = mmap(NULL, im->size, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
	if (im->data == MAP_FAILED)
		die(file);
	close(fd);
}

bool image_find(struct image *im)
{
	for (im->start = 0; im->start < im->size; im->start += PMV_PAGE_SIZE) {
		const struct pmv_sb *sb = (const void *)(im->data + im->start);

		if (memcmp(sb->magic, PMV_MAGIC, PMV_MAGIC_LEN))
			continue;
		im->device_size = le64_to_cpu(sb->device_size);
		return im->device_size <= im->size - im->start;
	}
	return false;
}

/* ---- the medium as core/ sees it ---- */

static u8 *place(struct image *im, unsigned int member, u64 off, u64 len)
{
	if (member || off > im->device_size || len > im->device_size - off) {
		fprintf(stderr, "access outside the device\n");
		abort();
	}
	return im->data + im->start + off;
}

static void change(struct image *im, unsigned int member, u64 off, const void *src, size_t len)
{
	while (len) {
		size_t n = min(len, sizeof(undo->old));
		u8 *at = place(im, member, off, n);

		if (nr_undo == max_undo) {
			max_undo = max_undo ? 2 * max_undo : 4096;
			undo = realloc(undo, max_undo * sizeof(*undo));
			if (!undo)
				die("undo");
		}
		undo[nr_undo].off = at - im->data;
		undo[nr_undo].len = n;
		memcpy(undo[nr_undo++].old, at, n);
		if (src)
			memcpy(at, src, n);
		else
			memset(at, 0, n);
		src = src ? (const u8 *)src + n : NULL;
		off += n;
		len -= n;
	}
}

static void op_store64(void *ctx, unsigned int member, u64 off, u64 val)
{
	__le64 raw = cpu_to_le64(val);

	change(ctx, member, off, &raw, sizeof(raw));
}

static void op_write(void *ctx, unsigned int member, u64 off, const void *src, size_t len)
{
	change(ctx, member, off, src, len);
}

static void op_zero(void *ctx, unsigned int member, u64 off, size_t len)
{
	change(ctx, member, off, NULL, len);
}

static void op_flush(void *ctx, unsigned int member, u64 off, size_t len)
{
	place(ctx, member, off, len);
}

static void op_fence(void *ctx)
{
	(void)ctx;
}

static int op_read(void *ctx, unsigned int member, u64 off, void *dst, size_t len)
{
	memcpy(dst, place(ctx, member, off, len), len);
	return 0;
}

static const struct pmv_media_ops image_ops = {
	.store64 = op_store64,
	.write = op_write,
	.zero = op_zero,
	.flush = op_flush,
	.fence = op_fence,
	.read = op_read,
};

static struct pool pool;

bool image_meta(struct image *im, bool *meta_chunk, unsigned int nr, u64 *data_off,
		unsigned int *shift)
{
	unsigned int i, copy;

	if (pool_open(&pool, &image_ops, im, &im->device_size, 1, false))
		return false;
	for (i = 0; i < pool.c.nr_segments; i++)
		for (copy = 0; copy < PMV_COPIES; copy++)
			if (pool.seg[i].chunk[copy] < nr)
				meta_chunk[pool.seg[i].chunk[copy]] = true;
	*data_off = le64_to_cpu(pool.sb[0].data_off);
	*shift = pool.sb[0].chunk_shift;
	return true;
}

/* ---- checking ---- */

#define ARENA_MAX 256

static struct {
	void *p[ARENA_MAX];
	unsigned int nr;
	const char *why;
} found;

static void *on_alloc(void *arg, size_t size)
{
	void *p = found.nr < ARENA_MAX ? calloc(1, size) : NULL;

	(void)arg;
	if (p)
		found.p[found.nr++] = p;
	return p;
}

static void on_finding(void *arg, const struct pmv_finding *f)
{
	(void)arg;
	found.why = f->why;
}

/* Losses there must not be, and no damage but what is repaired. */
static bool checks(struct image *im, bool repair)
{
	static struct pmv_segment seg[PMV_SEGMENTS_MAX];
	struct pmv_core core = { .segment = seg };
	struct pmv_check k = {
		.ops = &image_ops,
		.ctx = im,
		.nr_devices = 1,
		.device_size = { im->device_size },
		.repair = repair,
		.core = &core,
		.alloc = on_alloc,
		.finding = on_finding,
	};
	int ret;

	memset(seg, 0, sizeof(seg));
	found.why = NULL;
	ret = pmv_check(&k);
	while (found.nr)
		free(found.p[--found.nr]);
	if (ret)
		found.why = "the pool cannot be checked";
	return !ret && !k.lost && !k.damaged;
}

bool image_recovers(struct image *im, const char **why)
{
	bool good;

	nr_undo = 0;
	good = !pool_open(&pool, &image_ops, im, &im->device_size, 1, true);
	*why = pool.why ? pool.why : pool.res.why;
	if (good) {
		/* Superblocks are not loading's to repair. */
		good = checks(im, true) && checks(im, false);
		*why = found.why;
	}
	while (nr_undo) {
		const struct undo *u = &undo[--nr_undo];

		memcpy(im->data + u->off, u->old, u->len);
	}
	return good;
}
