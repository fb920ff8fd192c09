// SPDX-License-Identifier: GPL-2.0
/*
 * What snapshots and clones are to the data path: all of it is off the way of a volume that has
 * none. A volume's chunk stays where it is; before it changes, the snapshot that shows it gets a
 * copy. core/kin.c has the rules.
 */
#include <linux/libnvdimm.h>
#include <linux/sched/mm.h>
#include <linux/uaccess.h>

#include "data.h"
#include "data_map.h"
#include "meta.h"

/* Births are on media only. Who holds kin_sem sees no member go. */
int pmv_snap_word(void *ctx, struct pmv_kin *k, u64 index, struct pmv_word *w)
{
	struct pmv_volume *v = pmv_snap_volume(k);
	const struct pmv_top *top;
	u32 page = 0;
	int ret = -ENXIO;

	lockdep_assert_held(&v->pool->kin_sem);
	if (READ_ONCE(v->pool->mode) == PMEMVOL_MODE_FAILED)
		return ret;
	rcu_read_lock();
	top = rcu_dereference(v->top);
	if (top) {
		ret = -ENOENT;
		if (pmv_map_lookup(top, index))
			page = READ_ONCE(top->page[index >> PMV_LEAF_SHIFT]);
	}
	rcu_read_unlock();
	if (!page)
		return ret;
	return pmv_word_load(&v->pool->core, page, index & (PMV_WORDS_PER_PAGE - 1), PMV_WORD_LEAF,
			     v->map.slot, index, w);
}

static void *chunk_addr(const struct pmv_pool *pool, u64 chunk)
{
	return pmv_entry_addr(pmv_map_entry(pool, chunk));
}

int pmv_snap_copy(struct pmv_pool *pool, u64 to, u64 from)
{
	const struct pmv_member *m = pmv_entry_member(pool, pmv_map_entry(pool, from));
	void *dst = chunk_addr(pool, to), *src = chunk_addr(pool, from);
	u64 off;
	int ret = 0;

	lockdep_assert_held(&pool->kin_sem);
	/* Nobody is about to read the copy: it need not stay in the cache. */
	for (off = 0; !ret && off < pmv_chunk_size(pool); off += PAGE_SIZE) {
		rcu_read_lock();
		if (READ_ONCE(pool->mode) == PMEMVOL_MODE_FAILED)
			ret = -ENXIO;
		else if (pmv_member_bad(m, src + off - m->kaddr, PAGE_SIZE) ||
			 copy_mc_to_kernel(dst + off, src + off, PAGE_SIZE))
			ret = -EIO;
		else
			arch_wb_cache_pmem(dst + off, PAGE_SIZE);
		rcu_read_unlock();
		cond_resched();
	}
	return ret;
}

/* A chunk that was taken for a copy. */
struct copy {
	enum pmv_claim claim;
	u64 chunk;
	bool have;
	bool dirty;
};

/* Give the heir a copy of what @w names. -ENOSPC: pages are short. */
static int copy_out(struct copy *c, struct pmv_volume *heir, u64 index, struct pmv_word w)
{
	int ret;

	mutex_lock_nested(&heir->map_lock, SINGLE_DEPTH_NESTING);
	ret = pmv_map_make_leaf_of(heir, index);
	if (!ret) {
		c->dirty = true;
		ret = pmv_snap_copy(heir->pool, c->chunk, w.value);
	}
	if (!ret) {
		pmem_wmb();
		pmv_map_publish(heir, index, (struct pmv_word){ c->chunk, w.tag });
		c->have = false;
	}
	mutex_unlock(&heir->map_lock);
	return ret;
}

static void tell_bad(struct pmv_volume *v, const struct pmv_volume *heir, u64 index)
{
	/* For the name. */
	spin_lock(&v->open_lock);
	pr_err_ratelimited("pmemvol: %s: the medium is bad in chunk %llu of %s, which cannot change before snapshot %s is deleted\n",
			   v->pool->name, index, v->name, heir->name);
	spin_unlock(&v->open_lock);
}

/*
 * Look again, with what was taken since. Return: 0 done; -EAGAIN a chunk on account of c->claim is
 * wanted; -ENOSPC pages are short; or an error.
 */
static int own_locked(struct pmv_volume *v, u64 index, struct copy *c)
{
	u64 *entry = pmv_map_slot(v, index);
	struct pmv_kin *heir;
	struct pmv_word w;
	int ret;

	if (!pmv_top_of(v))
		return -ENXIO;
	if (!entry || !*entry || pmv_entry_is_own(v, *entry))
		return 0;
	ret = pmv_snap_word(NULL, &v->kin, index, &w);
	if (!ret)
		ret = pmv_kin_heir(&v->kin, index, w.tag, pmv_snap_word, NULL, &heir);
	if (ret)
		return ret == -ENOENT ? -EUCLEAN : ret;
	if (heir) {
		enum pmv_claim claim = pmv_volume_claim(pmv_snap_volume(heir));

		if (!c->have || c->claim != claim) {
			if (c->have)
				pmv_stock_put(v->pool, c->claim, c->chunk);
			c->have = false;
			c->claim = claim;
			return -EAGAIN;
		}
		ret = copy_out(c, pmv_snap_volume(heir), index, w);
		if (ret == -EIO)
			tell_bad(v, pmv_snap_volume(heir), index);
		if (ret)
			return ret;
	}
	/* The copy is persistent and seen before the original changes. */
	smp_store_release(entry, (*entry & ~PMV_ENTRY_EPOCH) | v->epoch);
	return 0;
}

int pmv_snap_own(struct pmv_volume *v, u64 index)
{
	struct pmv_pool *pool = v->pool;
	struct copy c = { .have = false };
	unsigned int noio;
	int ret;

	noio = memalloc_noio_save();
	for (;;) {
		ret = READ_ONCE(pool->mode) == PMEMVOL_MODE_READ_ONLY ? -EROFS : 0;
		if (ret)
			break;
		mutex_lock(&v->map_lock);
		down_read(&pool->kin_sem);
		ret = own_locked(v, index, &c);
		up_read(&pool->kin_sem);
		mutex_unlock(&v->map_lock);
		if (ret == -ENOSPC)
			ret = pmv_meta_reserve(pool, PMV_HEIGHT_MAX);
		else if (ret == -EAGAIN)
			ret = pmv_stock_take(pool, c.claim, U64_MAX, &c.chunk);
		else
			break;
		if (ret)
			break;
		c.have = true;
	}
	if (c.have && c.dirty) {
		pmv_stock_defer(pool, c.claim, c.chunk);
		pmv_stock_kick(pool);
	} else if (c.have) {
		pmv_stock_put(pool, c.claim, c.chunk);
	}
	memalloc_noio_restore(noio);
	return ret;
}

/* Whose chunk is shown? Entry 0: none. */
static int find(struct pmv_kin *k, u64 index, u64 *entry, struct pmv_pool *pool)
{
	struct pmv_kin *owner;
	struct pmv_word w;
	int ret;

	ret = pmv_kin_find(k, index, pmv_snap_word, NULL, &owner, &w);
	*entry = ret ? 0 : pmv_map_entry(pool, w.value);
	return ret == -ENOENT ? 0 : ret;
}

int pmv_snap_shows(struct pmv_volume *v, u64 index)
{
	u64 entry;
	int ret;

	down_read(&v->pool->kin_sem);
	ret = find(&v->kin, index, &entry, v->pool);
	up_read(&v->pool->kin_sem);
	return ret ?: entry > 0;
}

bool pmv_snap_keeps(struct pmv_volume *v, u64 index)
{
	u64 *entry = pmv_map_slot(v, index), shown = 0;
	struct pmv_kin *heir = NULL;
	struct pmv_word w;
	int ret = 0;

	lockdep_assert_held(&v->map_lock);
	if (pmv_entry_is_own(v, *entry) && !v->kin.parent)
		return false;
	down_read(&v->pool->kin_sem);
	if (!pmv_entry_is_own(v, *entry)) {
		ret = pmv_snap_word(NULL, &v->kin, index, &w);
		if (!ret)
			ret = pmv_kin_heir(&v->kin, index, w.tag, pmv_snap_word, NULL, &heir);
	}
	if (!ret && !heir && v->kin.parent)
		ret = find(v->kin.parent, index, &shown, v->pool);
	up_read(&v->pool->kin_sem);
	/* In doubt it stays. */
	return ret || heir || shown;
}

int pmv_snap_fill(struct pmv_volume *v, u64 index, u64 chunk)
{
	struct pmv_pool *pool = v->pool;
	u64 entry, now;
	int ret;

	lockdep_assert_held(&v->map_lock);
	down_read(&pool->kin_sem);
	ret = find(v->kin.parent, index, &entry, pool);
	while (!ret && entry) {
		ret = pmv_snap_copy(pool, chunk, pmv_map_chunk(pool, entry));
		/* Its owner may have given a copy away and changed it: then that is shown now. */
		smp_rmb();
		now = entry;
		if (!ret)
			ret = find(v->kin.parent, index, &now, pool);
		if (now == entry)
			break;
		entry = now;
	}
	up_read(&pool->kin_sem);
	pmem_wmb();
	return ret;
}

static int read_entry(const struct pmv_pool *pool, u64 entry, unsigned int off, void *buf,
		      unsigned int len)
{
	const struct pmv_member *m;
	void *addr;
	int ret = 0;

	if (!entry) {
		memset(buf, 0, len);
		return 0;
	}
	m = pmv_entry_member(pool, entry);
	addr = pmv_entry_addr(entry) + off;
	rcu_read_lock();
	if (READ_ONCE(pool->mode) == PMEMVOL_MODE_FAILED ||
	    pmv_member_bad(m, addr - m->kaddr, len) || copy_mc_to_kernel(buf, addr, len))
		ret = -EIO;
	rcu_read_unlock();
	return ret;
}

int pmv_snap_read(struct pmv_volume *v, u64 index, unsigned int off, void *buf, unsigned int len)
{
	struct pmv_pool *pool = v->pool;
	u64 entry, now;
	int ret;

	down_read(&pool->kin_sem);
	ret = find(&v->kin, index, &entry, pool);
	while (!ret) {
		ret = read_entry(pool, entry, off, buf, len);
		/* As above. */
		smp_rmb();
		now = entry;
		if (!ret)
			ret = find(&v->kin, index, &now, pool);
		if (now == entry)
			break;
		entry = now;
	}
	up_read(&pool->kin_sem);
	return ret;
}

/*
 * The epochs are used up: all entries become those of the first one, and have to be looked at. The
 * volume's own goes on with the second one: as long as it is the old one nobody finds a chunk to be
 * his own that is not.
 */
static void restart_epochs(struct pmv_volume *v)
{
	struct pmv_top *top = pmv_top_of(v);
	struct pmv_leaf *l;
	unsigned int i;
	u64 at;

	for (at = 0; top && at < top->nr; at++) {
		l = rcu_dereference_protected(top->leaf[at], lockdep_is_held(&v->map_lock));
		for (i = 0; l && i < PMV_WORDS_PER_PAGE; i++)
			WRITE_ONCE(l->entry[i], l->entry[i] & ~PMV_ENTRY_EPOCH);
	}
	WRITE_ONCE(v->epoch, PMV_ENTRY_EPOCH_ONE);
}

void pmv_snap_switch(struct pmv_volume *v, struct pmv_volume *snapshot)
{
	lockdep_assert_held(&v->map_lock);
	down_write(&v->pool->kin_sem);
	pmv_kin_insert(&v->kin, &snapshot->kin);
	snapshot->origin = v;
	if (v->epoch == PMV_ENTRY_EPOCH)
		restart_epochs(v);
	else
		WRITE_ONCE(v->epoch, v->epoch + PMV_ENTRY_EPOCH_ONE);
	up_write(&v->pool->kin_sem);
	/*
	 * Who saw the old epoch has finished storing after this, and what he stored is part of the
	 * snapshot: nobody copies before, for want of map_lock.
	 */
	synchronize_rcu_expedited();
}
