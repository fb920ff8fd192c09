// SPDX-License-Identifier: GPL-2.0
/* How core/ stores to persistent memory: the only stores to metadata are here. */
#include <linux/io.h>
#include <linux/libnvdimm.h>
#include <linux/sched.h>
#include <linux/uaccess.h>

#include "data.h"
#include "meta.h"

static void *media_addr(void *ctx, unsigned int member, u64 off)
{
	struct pmv_pool *pool = ctx;

	return pool->member[member]->kaddr + off;
}

static void media_store64(void *ctx, unsigned int member, u64 off, u64 val)
{
	__le64 *p = media_addr(ctx, member, off);

	WRITE_ONCE(*p, cpu_to_le64(val));
}

static void media_write(void *ctx, unsigned int member, u64 off, const void *src, size_t len)
{
	struct pmv_pool *pool = ctx;
	struct pmv_member *m = pool->member[member];

	/* Where bad blocks cannot be cleared they stay, and reading fails as before. */
	if (pmv_member_bad(m, off, len))
		(void)pmv_member_clear(m, off, len);
	memcpy_flushcache(media_addr(ctx, member, off), src, len);
}

static void media_zero(void *ctx, unsigned int member, u64 off, size_t len)
{
	pmv_zero_nt(media_addr(ctx, member, off), len);
}

static void media_flush(void *ctx, unsigned int member, u64 off, size_t len)
{
	arch_wb_cache_pmem(media_addr(ctx, member, off), len);
}

static void media_fence(void *ctx)
{
	pmem_wmb();
}

static int media_read(void *ctx, unsigned int member, u64 off, void *dst, size_t len)
{
	struct pmv_pool *pool = ctx;
	struct pmv_member *m = pool->member[member];

	/* A whole pool is read in one go. */
	cond_resched();
	if (pmv_member_bad(m, off, len))
		return -EIO;
	return copy_mc_to_kernel(dst, m->kaddr + off, len) ? -EIO : 0;
}

const struct pmv_media_ops pmv_media_ops = {
	.store64 = media_store64,
	.write = media_write,
	.zero = media_zero,
	.flush = media_flush,
	.fence = media_fence,
	.read = media_read,
};
