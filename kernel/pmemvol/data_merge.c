// SPDX-License-Identifier: GPL-2.0
/*
 * What becomes of a deleted snapshot's chunks: an older snapshot that shows one gets it, what none
 * shows is erased. Until then others look through it. The pool's worker does this, a chunk at a
 * time; what is not done when the pool goes away is done when it comes back.
 */
#include <linux/slab.h>

#include "ctl.h"
#include "data.h"
#include "data_map.h"
#include "meta.h"

void pmv_merge_snapshot(struct pmv_volume *s)
{
	struct pmv_pool *pool = s->pool;

	spin_lock(&pool->alloc_lock);
	pool->used_data -= s->provisioned;
	pool->merging_chunks += s->provisioned;
	if (pmv_volume_thick(s))
		pmv_alloc_unpromise(&pool->alloc, s->map.chunks - s->provisioned);
	list_add_tail(&s->erasing, &pool->merging);
	spin_unlock(&pool->alloc_lock);
	pmv_stock_kick(pool);
}

/* A chunk leaves it: it is others' again, or given back as if it were. */
static void count_merged(struct pmv_volume *s)
{
	struct pmv_pool *pool = s->pool;

	lockdep_assert_held(&s->map_lock);
	s->provisioned--;
	spin_lock(&pool->alloc_lock);
	pool->merging_chunks--;
	pool->used_data++;
	spin_unlock(&pool->alloc_lock);
}

/* The older snapshot @h gets what @s has at @index. -ENOSPC: pages are short. */
static int hand_over(struct pmv_volume *s, struct pmv_volume *h, u64 index, u64 *slot,
		     struct pmv_word w)
{
	struct pmv_pool *pool = s->pool;
	u64 at = index >> PMV_LEAF_SHIFT;
	int ret;

	/* The newer one's map_lock is held. */
	mutex_lock_nested(&h->map_lock, 2);
	ret = pmv_map_make_leaf_of(h, index);
	if (ret)
		goto out;
	/* In between both have it: a check must not see that. */
	down_read(&pool->word_sem);
	pmv_snapshot_hand_over(&pool->core, &h->map, pmv_top_of(h)->page[at],
			       pmv_top_of(s)->page[at], index, w);
	up_read(&pool->word_sem);
	/* It is persistent before anybody sees it. */
	smp_store_release(pmv_map_slot(h, index), *slot & ~PMV_ENTRY_EPOCH);
	h->provisioned++;
	WRITE_ONCE(*slot, 0);
	count_merged(s);
	if (pmv_volume_thick(h)) {
		/* What it was promised for this place it has now. */
		spin_lock(&pool->alloc_lock);
		pmv_alloc_unpromise(&pool->alloc, 1);
		spin_unlock(&pool->alloc_lock);
	}
out:
	mutex_unlock(&h->map_lock);
	return ret;
}

static void give_up(struct pmv_volume *s, u64 index, u64 *slot)
{
	struct pmv_pool *pool = s->pool;
	u64 chunk = pmv_map_chunk(pool, *slot);

	down_read(&pool->word_sem);
	pmv_map_clear(&pool->core, pmv_top_of(s)->page[index >> PMV_LEAF_SHIFT], index);
	up_read(&pool->word_sem);
	WRITE_ONCE(*slot, 0);
	count_merged(s);
	/* What it was promised is nobody's any more. */
	pmv_stock_defer(pool, PMV_CLAIM_THIN, chunk);
}

/* Nobody looks anything up meanwhile, so that he finds a chunk in one place or in the other. */
static int merge_chunk(struct pmv_volume *s, u64 index)
{
	struct pmv_pool *pool = s->pool;
	struct pmv_kin *heir;
	struct pmv_word w;
	int ret = -ENXIO;
	u64 *slot;

	down_write(&pool->kin_sem);
	mutex_lock_nested(&s->map_lock, SINGLE_DEPTH_NESTING);
	slot = pmv_map_slot(s, index);
	if (!slot || !pmv_stock_runs(pool))
		goto out;
	ret = 0;
	if (!*slot)
		goto out;
	ret = pmv_snap_word(NULL, &s->kin, index, &w);
	if (!ret)
		ret = pmv_kin_heir(&s->kin, index, w.tag, pmv_snap_word, NULL, &heir);
	if (!ret && heir)
		ret = hand_over(s, pmv_snap_volume(heir), index, slot, w);
	else if (!ret)
		give_up(s, index, slot);
out:
	mutex_unlock(&s->map_lock);
	up_write(&pool->kin_sem);
	return ret;
}

static int merge_leaf(struct pmv_volume *s, u64 at, bool *some)
{
	struct pmv_leaf *l = rcu_dereference_protected(pmv_top_of(s)->leaf[at], 1);
	struct pmv_pool *pool = s->pool;
	unsigned int i = 0;
	int ret = 0;

	while (l && i < PMV_WORDS_PER_PAGE) {
		if (l->entry[i]) {
			*some = true;
			ret = merge_chunk(s, (at << PMV_LEAF_SHIFT) + i);
		}
		/* The worker must not wait for chunks that it has to erase itself. */
		if (ret == -ENOSPC)
			ret = pmv_meta_try(pool, PMV_HEIGHT_MAX);
		else
			i++;
		if (ret)
			return ret;
		cond_resched();
	}
	return 0;
}

/* Nothing is left in it. */
static int finish(struct pmv_volume *s)
{
	struct pmv_pool *pool = s->pool;
	/* What it was is still to be told. */
	struct pmv_desc desc = s->desc;
	int ret;

	ret = pmv_meta_lock(pool);
	if (ret)
		return ret;
	ret = pmv_volume_erased(&pool->core, &desc, &s->map);
	pmv_meta_unlock(pool);
	spin_lock(&pool->alloc_lock);
	list_del_init(&s->erasing);
	spin_unlock(&pool->alloc_lock);
	down_write(&pool->kin_sem);
	if (s->kin.newer)
		pmv_kin_remove(&s->kin);
	downgrade_write(&pool->kin_sem);
	/* Its volume, if there still is one, stays meanwhile. */
	if (!ret)
		pmv_event(PMEMVOL_EVENT_SNAPSHOT_ERASED, pool, s);
	up_read(&pool->kin_sem);
	/* The slot of what could not be freed stays taken; the next activation tries again. */
	if (!ret)
		xa_erase(&pool->volumes, s->map.slot);
	/* Who looks at a failure may have found it before it was deleted. */
	pmv_failures_free(s);
	return ret;
}

bool pmv_merge_some(struct pmv_pool *pool)
{
	struct pmv_volume *s;
	int ret = 0;
	bool some = false;

	spin_lock(&pool->alloc_lock);
	s = list_first_entry_or_null(&pool->merging, struct pmv_volume, erasing);
	spin_unlock(&pool->alloc_lock);
	if (!s)
		return false;
	/* What it gave up is erased in between: somebody may wait for that. */
	for (; !ret && !some && s->merged < pmv_top_of(s)->nr; s->merged += !ret)
		ret = merge_leaf(s, s->merged, &some);
	if (!ret && !some)
		ret = finish(s);
	/* Pages are short, memory is, or the pool ends: later. */
	if (ret == -EUCLEAN || ret == -EIO)
		pmv_pool_set_mode(pool, PMEMVOL_MODE_READ_ONLY);
	return !ret;
}
