// SPDX-License-Identifier: GPL-2.0
/*
 * Zeroed chunks: a chunk is zero before a map names it. A worker of each pool erases
 * what was given back and keeps a stock, so that a first touch need not pay for it.
 */
#include <linux/module.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>

#include "ctl.h"
#include "data.h"
#include "data_map.h"
#include "meta.h"

static unsigned int stock = 64;
module_param(stock, uint, 0644);
MODULE_PARM_DESC(stock, "Chunks each pool keeps zeroed in advance (default 64)");

/* Chunks erased after one grace period. */
#define ERASE_BATCH 512

static struct workqueue_struct *stock_wq;

static u64 stock_target(const struct pmv_pool *pool)
{
	return min_t(u64, READ_ONCE(stock), pool->alloc.nr / 16);
}

static bool is_low(const struct pmv_pool *pool)
{
	u64 available = pmv_alloc_available(&pool->alloc);

	return available * 100 < pool->alloc.nr * READ_ONCE(pool->low_water);
}

/* What is cleared under one RCU section: it is waited for before a member goes. */
#define ZERO_STEP BIT_ULL(PMV_CHUNK_SHIFT_MIN)

static int zero_chunk(struct pmv_pool *pool, u64 chunk)
{
	void *addr = pmv_entry_addr(pmv_map_entry(pool, chunk));
	u64 off;

	for (off = 0; off < pmv_chunk_size(pool); off += ZERO_STEP) {
		rcu_read_lock();
		if (READ_ONCE(pool->mode) == PMEMVOL_MODE_FAILED) {
			rcu_read_unlock();
			return -ENXIO;
		}
		pmv_zero_nt(addr + off, ZERO_STEP);
		rcu_read_unlock();
	}
	pmem_wmb();
	return 0;
}

void pmv_stock_kick(struct pmv_pool *pool)
{
	if (!READ_ONCE(pool->stopping))
		queue_work(stock_wq, &pool->work);
}

void pmv_stock_space_back(struct pmv_pool *pool)
{
	bool some;

	wake_up_all(&pool->space_wait);
	spin_lock(&pool->alloc_lock);
	some = pmv_alloc_available(&pool->alloc) > 0;
	if (!is_low(pool))
		pool->low_water_told = false;
	spin_unlock(&pool->alloc_lock);
	if (some && READ_ONCE(pool->mode) == PMEMVOL_MODE_NO_SPACE)
		pmv_pool_set_mode(pool, PMEMVOL_MODE_WRITABLE);
}

static bool can_progress(struct pmv_pool *pool, unsigned int chunks)
{
	bool can;

	spin_lock(&pool->alloc_lock);
	can = pool->alloc.nr_free >= chunks || !pool->alloc.nr_soon;
	spin_unlock(&pool->alloc_lock);
	return can || !pmv_stock_runs(pool);
}

void pmv_stock_wait(struct pmv_pool *pool, unsigned int chunks)
{
	pmv_stock_kick(pool);
	wait_event(pool->space_wait, can_progress(pool, chunks));
}

bool pmv_stock_is_spent(struct pmv_pool *pool)
{
	bool spent;

	spin_lock(&pool->alloc_lock);
	spent = !pmv_alloc_available(&pool->alloc);
	spin_unlock(&pool->alloc_lock);
	return spent;
}

static void tell_no_space(struct pmv_pool *pool)
{
	if (READ_ONCE(pool->mode) != PMEMVOL_MODE_WRITABLE ||
	    !pmv_pool_set_mode(pool, PMEMVOL_MODE_NO_SPACE))
		return;
	pmv_event(PMEMVOL_EVENT_NO_SPACE, pool, NULL);
	/* What came back before anybody could see the mode has not changed it. */
	pmv_stock_space_back(pool);
}

int pmv_stock_take(struct pmv_pool *pool, enum pmv_claim claim, u64 hint, u64 *chunk)
{
	bool clean, tell_low = false, kick;
	int ret;

	for (;;) {
		spin_lock(&pool->alloc_lock);
		ret = pmv_alloc_take(&pool->alloc, claim, hint, chunk, &clean);
		if (!ret) {
			pool->used_data++;
			tell_low = is_low(pool) && !pool->low_water_told;
			pool->low_water_told |= tell_low;
		}
		kick = pool->alloc.nr_clean < stock_target(pool) / 2;
		spin_unlock(&pool->alloc_lock);
		if (ret != -EAGAIN)
			break;
		if (!pmv_stock_runs(pool))
			return -ENXIO;
		pmv_stock_wait(pool, 1);
	}
	if (ret) {
		tell_no_space(pool);
		return -ENOSPC;
	}
	if (tell_low)
		pmv_event(PMEMVOL_EVENT_LOW_WATER, pool, NULL);
	if (kick)
		pmv_stock_kick(pool);
	/* When this fails the pool has failed, and nothing is given back. */
	return clean ? 0 : zero_chunk(pool, *chunk);
}

void pmv_stock_put(struct pmv_pool *pool, enum pmv_claim claim, u64 chunk)
{
	spin_lock(&pool->alloc_lock);
	pmv_alloc_put(&pool->alloc, claim, chunk, PMV_RETURN_CLEAN);
	pool->used_data--;
	spin_unlock(&pool->alloc_lock);
	pmv_stock_space_back(pool);
}

void pmv_stock_defer(struct pmv_pool *pool, enum pmv_claim claim, u64 chunk)
{
	spin_lock(&pool->alloc_lock);
	pmv_alloc_defer(&pool->alloc, claim, chunk);
	pool->used_data--;
	spin_unlock(&pool->alloc_lock);
}

void pmv_stock_erase_volume(struct pmv_volume *v)
{
	struct pmv_pool *pool = v->pool;

	spin_lock(&pool->alloc_lock);
	pmv_alloc_expect(&pool->alloc, v->provisioned);
	pool->used_data -= v->provisioned;
	if (pmv_volume_thick(v))
		pmv_alloc_unpromise(&pool->alloc, v->map.chunks - v->provisioned);
	list_add_tail(&v->erasing, &pool->erasing);
	spin_unlock(&pool->alloc_lock);
	pmv_stock_space_back(pool);
	pmv_stock_kick(pool);
}

/* Erase what was given back. Returns whether there was anything. */
static bool erase_pending(struct pmv_pool *pool, u32 *batch)
{
	unsigned int n = 0, i;
	u64 chunk = 0;

	spin_lock(&pool->alloc_lock);
	while (n < ERASE_BATCH) {
		chunk = pmv_alloc_pick_pending(&pool->alloc, chunk);
		if (chunk >= pool->alloc.nr)
			break;
		batch[n++] = chunk++;
	}
	spin_unlock(&pool->alloc_lock);
	if (!n)
		return false;

	/* Whoever found these chunks through a map has finished copying after this. */
	synchronize_rcu();
	for (i = 0; i < n && pmv_stock_runs(pool); i++) {
		if (zero_chunk(pool, batch[i]))
			break;
		spin_lock(&pool->alloc_lock);
		pmv_alloc_erased(&pool->alloc, batch[i]);
		spin_unlock(&pool->alloc_lock);
		pmv_stock_space_back(pool);
		cond_resched();
	}
	return true;
}

/* Erase one leaf of a deleted volume. Nobody else has the volume any more. */
static void erase_leaf(struct pmv_volume *v, struct pmv_top *top, u64 at)
{
	struct pmv_leaf *l = rcu_dereference_protected(top->leaf[at], 1);
	struct pmv_pool *pool = v->pool;
	unsigned int i;

	for (i = 0; l && i < PMV_WORDS_PER_PAGE && pmv_stock_runs(pool); i++) {
		u64 chunk, entry = l->entry[i];

		if (!entry)
			continue;
		chunk = pmv_map_chunk(pool, entry);
		down_read(&pool->word_sem);
		pmv_volume_erase_chunk(&pool->core, top->page[at], (at << PMV_LEAF_SHIFT) + i,
				       chunk);
		up_read(&pool->word_sem);
		l->entry[i] = 0;
		v->provisioned--;
		spin_lock(&pool->alloc_lock);
		pmv_alloc_cleared(&pool->alloc, chunk);
		spin_unlock(&pool->alloc_lock);
		pmv_stock_space_back(pool);
		cond_resched();
	}
}

/* Erase one deleted volume. Returns whether there was one. */
static bool erase_volume(struct pmv_pool *pool)
{
	struct pmv_volume *v;
	struct pmv_top *top;
	int ret;
	u64 at;

	spin_lock(&pool->alloc_lock);
	v = list_first_entry_or_null(&pool->erasing, struct pmv_volume, erasing);
	spin_unlock(&pool->alloc_lock);
	if (!v)
		return false;

	top = pmv_top_of(v);
	for (at = 0; at < top->nr; at++)
		erase_leaf(v, top, at);
	if (!pmv_stock_runs(pool) || pmv_meta_lock(pool))
		return false;
	ret = pmv_volume_erased(&pool->core, &v->desc, &v->map);
	pmv_meta_unlock(pool);
	spin_lock(&pool->alloc_lock);
	list_del_init(&v->erasing);
	spin_unlock(&pool->alloc_lock);
	if (ret) {
		/* The slot stays taken; the next activation tries again. */
		pmv_pool_set_mode(pool, PMEMVOL_MODE_READ_ONLY);
		return true;
	}
	xa_erase(&pool->volumes, v->map.slot);
	pmv_volume_free(v);
	return true;
}

/* Zero one free chunk for the stock. Returns whether the stock was low. */
static bool fill_stock(struct pmv_pool *pool)
{
	u64 chunk;
	int ret = -ENOENT;

	spin_lock(&pool->alloc_lock);
	if (pool->alloc.nr_clean < stock_target(pool))
		ret = pmv_alloc_pick_dirty(&pool->alloc, &chunk);
	pool->filling = !ret;
	spin_unlock(&pool->alloc_lock);
	if (ret || zero_chunk(pool, chunk))
		return false;
	spin_lock(&pool->alloc_lock);
	pmv_alloc_cleared(&pool->alloc, chunk);
	pool->filling = false;
	spin_unlock(&pool->alloc_lock);
	wake_up_all(&pool->space_wait);
	return true;
}

static void stock_work(struct work_struct *work)
{
	struct pmv_pool *pool = container_of(work, struct pmv_pool, work);
	unsigned int noio = memalloc_noio_save();
	u32 *batch = kvmalloc_array(ERASE_BATCH, sizeof(*batch), GFP_KERNEL | __GFP_NOFAIL);
	bool erased = false;

	while (pmv_stock_runs(pool)) {
		bool more = erase_pending(pool, batch);

		more |= pmv_merge_some(pool);
		more |= erase_volume(pool);
		erased |= more;
		if (!more)
			more = fill_stock(pool);
		if (!more)
			break;
		cond_resched();
	}
	kvfree(batch);
	wake_up_all(&pool->space_wait);
	if (erased && !READ_ONCE(pool->stopping))
		pmv_event(PMEMVOL_EVENT_ERASED, pool, NULL);
	memalloc_noio_restore(noio);
}

void pmv_stock_setup(struct pmv_pool *pool)
{
	INIT_WORK(&pool->work, stock_work);
	INIT_LIST_HEAD(&pool->erasing);
	INIT_LIST_HEAD(&pool->merging);
	init_waitqueue_head(&pool->space_wait);
	pool->stopping = true;
}

void pmv_stock_start(struct pmv_pool *pool)
{
	WRITE_ONCE(pool->stopping, false);
	pmv_stock_kick(pool);
}

void pmv_stock_stop(struct pmv_pool *pool)
{
	WRITE_ONCE(pool->stopping, true);
	wake_up_all(&pool->space_wait);
	cancel_work_sync(&pool->work);
}

int pmv_stock_init(void)
{
	/* Writers wait for it, also those that free memory by writing. */
	stock_wq = alloc_workqueue("pmemvol", WQ_UNBOUND | WQ_MEM_RECLAIM | WQ_SYSFS, 0);
	return stock_wq ? 0 : -ENOMEM;
}

void pmv_stock_exit(void)
{
	destroy_workqueue(stock_wq);
}
