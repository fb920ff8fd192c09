// SPDX-License-Identifier: GPL-2.0
/*
 * Making a volume what one of its snapshots shows, chunk by chunk. Each step can be repeated: what
 * was interrupted begins again from the start, and copies what is alike once more at worst.
 */
#include <linux/libnvdimm.h>
#include <linux/sched/signal.h>

#include "data.h"
#include "data_map.h"

enum wanted {
	WANT_AS_IT_IS,
	WANT_NOTHING,		/* what is below it, or zeros */
	WANT_COPY,
};

/* What has to become of a chunk. Context: kin_sem held. Return: enum wanted, or errno. */
static int look(struct pmv_volume *v, struct pmv_volume *target, u64 index, struct pmv_word *w)
{
	struct pmv_kin *owner;
	int ret;

	ret = pmv_kin_find(&target->kin, index, pmv_snap_word, NULL, &owner, w);
	if (ret == -ENOENT)
		return WANT_NOTHING;
	if (ret)
		return ret;
	if (owner == &v->kin)
		return WANT_AS_IT_IS;
	while (owner->newer)
		owner = owner->newer;
	return owner == &v->kin ? WANT_COPY : WANT_NOTHING;
}

static int fill(struct pmv_volume *v, struct pmv_volume *target, u64 index)
{
	struct pmv_pool *pool = v->pool;
	struct pmv_word w;
	u64 *slot;
	int ret;

	mutex_lock(&v->map_lock);
	down_read(&pool->kin_sem);
	slot = pmv_map_slot(v, index);
	ret = slot && *slot ? look(v, target, index, &w) : -ENXIO;
	if (ret == WANT_COPY) {
		ret = pmv_snap_copy(pool, pmv_map_chunk(pool, *slot), w.value);
		pmem_wmb();
	} else if (ret > 0) {
		ret = -EUCLEAN;
	}
	up_read(&pool->kin_sem);
	mutex_unlock(&v->map_lock);
	return ret;
}

static bool has_chunk(struct pmv_volume *v, u64 index)
{
	const struct pmv_top *top;
	bool has;

	rcu_read_lock();
	top = rcu_dereference(v->top);
	has = top && pmv_map_lookup(top, index);
	rcu_read_unlock();
	return has;
}

static int roll_chunk(struct pmv_volume *v, struct pmv_volume *target, u64 index)
{
	bool has = has_chunk(v, index);
	struct pmv_word w;
	int want, ret = 0;

	down_read(&v->pool->kin_sem);
	want = look(v, target, index, &w);
	up_read(&v->pool->kin_sem);
	if (want < 0 || want == WANT_AS_IT_IS)
		return want;
	/* A newer snapshot may show what it is now. */
	if (has)
		ret = pmv_snap_own(v, index);
	else if (want == WANT_COPY)
		ret = pmv_map_provision(v, index);
	if (ret)
		return ret;
	if (want == WANT_COPY)
		return fill(v, target, index);
	return has ? pmv_map_drop(v, index) : 0;
}

static bool has_leaf(struct pmv_volume *v, u64 at)
{
	const struct pmv_top *top;
	bool has;

	rcu_read_lock();
	top = rcu_dereference(v->top);
	has = !top || (at < top->nr && rcu_access_pointer(top->leaf[at]));
	rcu_read_unlock();
	return has;
}

/* Is there anything in this part of the volume, or of what the snapshot shows of it? */
static bool is_empty(struct pmv_volume *target, u64 at)
{
	struct pmv_kin *k;
	bool has = false;

	down_read(&target->pool->kin_sem);
	for (k = &target->kin; k && !has; k = k->newer)
		has = has_leaf(pmv_snap_volume(k), at);
	up_read(&target->pool->kin_sem);
	return !has;
}

static int each_chunk(struct pmv_volume *v, struct pmv_volume *target,
		      int (*work)(struct pmv_volume *v, struct pmv_volume *target, u64 index))
{
	u64 index = 0;
	int ret = 0;

	while (!ret && index < v->map.chunks) {
		if (!(index & (PMV_WORDS_PER_PAGE - 1)) &&
		    is_empty(target, index >> PMV_LEAF_SHIFT)) {
			index += PMV_WORDS_PER_PAGE;
			continue;
		}
		ret = work(v, target, index++);
		if (!ret && fatal_signal_pending(current))
			ret = -EINTR;
		cond_resched();
	}
	return ret;
}

static bool is_bad(const struct pmv_pool *pool, u64 chunk)
{
	u64 entry = pmv_map_entry(pool, chunk);
	const struct pmv_member *m = pmv_entry_member(pool, entry);
	bool bad;

	rcu_read_lock();
	bad = READ_ONCE(pool->mode) != PMEMVOL_MODE_FAILED &&
	      pmv_member_bad(m, pmv_entry_addr(entry) - m->kaddr, pmv_chunk_size(pool));
	rcu_read_unlock();
	return bad;
}

/* Would a chunk that is known to be bad have to be copied? */
static int foresee(struct pmv_volume *v, struct pmv_volume *target, u64 index)
{
	struct pmv_kin *heir;
	struct pmv_word w;
	int ret;

	down_read(&v->pool->kin_sem);
	ret = look(v, target, index, &w);
	if (ret < 0 || ret == WANT_AS_IT_IS)
		goto out;
	if (ret == WANT_COPY && is_bad(v->pool, w.value)) {
		ret = -EIO;
		goto out;
	}
	/* A newer snapshot may show what it is now. */
	ret = pmv_snap_word(NULL, &v->kin, index, &w);
	if (!ret)
		ret = pmv_kin_heir(&v->kin, index, w.tag, pmv_snap_word, NULL, &heir);
	if (!ret && heir && is_bad(v->pool, w.value))
		ret = -EIO;
	else if (ret == -ENOENT)
		ret = 0;
out:
	up_read(&v->pool->kin_sem);
	return ret;
}

int pmv_roll_foresee(struct pmv_volume *v, struct pmv_volume *target)
{
	return each_chunk(v, target, foresee);
}

int pmv_roll_back(struct pmv_volume *v, struct pmv_volume *target)
{
	int ret = each_chunk(v, target, roll_chunk);

	pmv_stock_kick(v->pool);
	return ret;
}
