// SPDX-License-Identifier: GPL-2.0
/* Metadata space: turning chunks into segments when pages run short. */
#include <linux/bitmap.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>

#include "data.h"
#include "meta.h"

int pmv_meta_lock(struct pmv_pool *pool)
{
	mutex_lock(&pool->meta_lock);
	if (READ_ONCE(pool->mode) != PMEMVOL_MODE_FAILED)
		return 0;
	mutex_unlock(&pool->meta_lock);
	return -ENXIO;
}

void pmv_meta_unlock(struct pmv_pool *pool)
{
	mutex_unlock(&pool->meta_lock);
}

unsigned long *pmv_meta_segment_map(unsigned int bits)
{
	return kvcalloc(BITS_TO_LONGS(bits), sizeof(long), GFP_KERNEL);
}

/* Take a chunk of a member, or of another one when that is full. */
static int take_from(struct pmv_pool *pool, unsigned int member, u64 *chunk)
{
	bool clean;

	lockdep_assert_held(&pool->alloc_lock);
	pool->alloc.cursor = pool->member[member]->first_chunk;
	return pmv_alloc_take(&pool->alloc, PMV_CLAIM_META, U64_MAX, chunk, &clean);
}

/* Both copies on different members where there are several. */
static int take_pair(struct pmv_pool *pool, u64 *chunk)
{
	unsigned int nr = pool->nr_members, first = pool->core.nr_segments % nr;
	u64 cursor;
	int ret;

	spin_lock(&pool->alloc_lock);
	cursor = pool->alloc.cursor;
	ret = take_from(pool, first, &chunk[0]);
	if (!ret) {
		ret = take_from(pool, (first + 1) % nr, &chunk[1]);
		if (ret)
			pmv_alloc_put(&pool->alloc, PMV_CLAIM_META, chunk[0], PMV_RETURN_DIRTY);
	}
	pool->alloc.cursor = cursor;
	spin_unlock(&pool->alloc_lock);
	return ret;
}

static int add_segment(struct pmv_pool *pool)
{
	unsigned long *map;
	u64 chunk[PMV_COPIES];
	int ret, i;

	lockdep_assert_held(&pool->meta_lock);
	map = pmv_meta_segment_map(pmv_pages_per_segment(&pool->core));
	if (!map)
		return -ENOMEM;
	ret = take_pair(pool, chunk);
	if (ret)
		goto err_map;
	ret = pmv_segment_add(&pool->core, chunk[0], chunk[1], map);
	if (ret)
		goto err_pair;
	return 0;

err_pair:
	spin_lock(&pool->alloc_lock);
	for (i = 0; i < PMV_COPIES; i++)
		pmv_alloc_put(&pool->alloc, PMV_CLAIM_META, chunk[i], PMV_RETURN_DIRTY);
	spin_unlock(&pool->alloc_lock);
err_map:
	kvfree(map);
	return ret;
}

int pmv_meta_try(struct pmv_pool *pool, u64 pages)
{
	unsigned int noio = memalloc_noio_save();
	int ret;

	ret = pmv_meta_lock(pool);
	if (!ret) {
		while (!ret && pool->core.free_pages < pages)
			ret = add_segment(pool);
		pmv_meta_unlock(pool);
	}
	memalloc_noio_restore(noio);
	return ret;
}

int pmv_meta_reserve(struct pmv_pool *pool, u64 pages)
{
	unsigned int noio = memalloc_noio_save();
	int ret;

	for (;;) {
		ret = pmv_meta_try(pool, pages);
		if (ret != -EAGAIN || !pmv_stock_runs(pool))
			break;
		/* The worker that erases takes meta_lock too: wait without it. */
		pmv_stock_wait(pool, PMV_COPIES);
	}
	memalloc_noio_restore(noio);
	return ret == -EAGAIN ? -ENOSPC : ret;
}
