// SPDX-License-Identifier: GPL-2.0
/* The map of a volume in memory, and how chunks enter and leave it. */
#include <linux/mm.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>

#include "data.h"
#include "data_map.h"
#include "meta.h"

static_assert(sizeof(struct pmv_leaf) == PAGE_SIZE || PAGE_SIZE > PMV_PAGE_SIZE);

u64 pmv_map_chunk(const struct pmv_pool *pool, u64 entry)
{
	const struct pmv_member *m = pmv_entry_member(pool, entry);

	return m->first_chunk + ((pmv_entry_addr(entry) - m->chunk_base) >> pool->chunk_shift);
}

u64 pmv_map_entry(const struct pmv_pool *pool, u64 chunk)
{
	const struct pmv_member *m;
	unsigned int i = 0;

	while (i + 1 < pool->nr_members && chunk >= pool->member[i + 1]->first_chunk)
		i++;
	m = pool->member[i];
	chunk -= m->first_chunk;
	return (u64)(uintptr_t)(m->chunk_base + (chunk << pool->chunk_shift)) | i;
}

struct pmv_top *pmv_top_alloc(u64 chunks)
{
	u64 nr = pmv_map_leaves(chunks);
	struct pmv_top *top;

	top = kvzalloc(struct_size(top, leaf, nr), GFP_KERNEL);
	if (!top)
		return NULL;
	top->nr = nr;
	top->page = kvcalloc(nr, sizeof(*top->page), GFP_KERNEL);
	if (!top->page) {
		kvfree(top);
		return NULL;
	}
	return top;
}

static void top_free_shell(struct pmv_top *top)
{
	kvfree(top->page);
	kvfree(top);
}

/* Memory of vmalloc(), too, may be freed here: that is put off then. */
static void top_free_rcu(struct rcu_head *rcu)
{
	top_free_shell(container_of(rcu, struct pmv_top, rcu));
}

void pmv_top_free(struct pmv_top *top)
{
	u64 i;

	if (!top)
		return;
	for (i = 0; i < top->nr; i++)
		kfree(rcu_dereference_protected(top->leaf[i], 1));
	top_free_shell(top);
}

static int fill_leaves(struct pmv_top *top, u64 from)
{
	struct pmv_leaf *l;

	for (; from < top->nr; from++) {
		if (rcu_access_pointer(top->leaf[from]))
			continue;
		l = kzalloc(sizeof(*l), GFP_KERNEL);
		if (!l)
			return -ENOMEM;
		rcu_assign_pointer(top->leaf[from], l);
	}
	return 0;
}

int pmv_map_fill_leaves(struct pmv_volume *v)
{
	return fill_leaves(pmv_top_of(v), 0);
}

struct pmv_top *pmv_top_grow(struct pmv_volume *v, u64 chunks)
{
	struct pmv_top *new = pmv_top_alloc(chunks);

	lockdep_assert_held(&v->pool->ctl_lock);
	/* The map itself may be taken away at any time: its lock is not held. */
	if (new && pmv_volume_thick(v) && fill_leaves(new, pmv_map_leaves(v->map.chunks))) {
		pmv_top_free(new);
		return NULL;
	}
	return new;
}

void pmv_top_replace(struct pmv_volume *v, struct pmv_top *top)
{
	struct pmv_top *old = pmv_top_of(v);
	u64 i;

	lockdep_assert_held(&v->map_lock);
	for (i = 0; i < old->nr; i++) {
		top->page[i] = old->page[i];
		RCU_INIT_POINTER(top->leaf[i],
				 rcu_dereference_protected(old->leaf[i],
							   lockdep_is_held(&v->map_lock)));
	}
	rcu_assign_pointer(v->top, top);
	/* Who still looks into the old one finds the same leaves. */
	call_rcu(&old->rcu, top_free_rcu);
}

void pmv_top_retire(struct pmv_volume *v)
{
	lockdep_assert_held(&v->map_lock);
	if (!pmv_top_of(v))
		return;
	v->retired = pmv_top_of(v);
	RCU_INIT_POINTER(v->top, NULL);
}

int pmv_map_load_leaf(struct pmv_volume *v, u64 leaf, u32 page)
{
	struct pmv_top *top = pmv_top_of(v);
	struct pmv_leaf *l;

	/* A growth that failed may have left leaves behind the end on media. */
	if (leaf >= top->nr)
		return 0;
	top->page[leaf] = page;
	l = kzalloc(sizeof(*l), GFP_KERNEL);
	if (!l)
		return -ENOMEM;
	RCU_INIT_POINTER(top->leaf[leaf], l);
	return 0;
}

void pmv_map_load_chunk(struct pmv_volume *v, u64 index, u64 chunk)
{
	struct pmv_leaf *l = rcu_dereference_protected(pmv_top_of(v)->leaf[index >> PMV_LEAF_SHIFT],
						       1);

	l->entry[index & (PMV_WORDS_PER_PAGE - 1)] = pmv_map_entry(v->pool, chunk);
	v->provisioned++;
}

u64 pmv_map_media_bytes(struct pmv_volume *v)
{
	u64 i, pages = 0, nodes = 0, last = U64_MAX;
	const struct pmv_top *top;

	rcu_read_lock();
	top = rcu_dereference(v->top);
	for (i = 0; top && i < top->nr; i++) {
		if (!READ_ONCE(top->page[i]))
			continue;
		pages++;
		if (i >> PMV_LEAF_SHIFT != last) {
			last = i >> PMV_LEAF_SHIFT;
			nodes++;
		}
	}
	rcu_read_unlock();
	switch (v->map.height) {
	case 1:
		pages = 1;
		break;
	case 2:
		pages++;
		break;
	default:
		pages += nodes + 1;
	}
	return pages * PMV_PAGE_SIZE * PMV_COPIES;
}

/* The memory and the metadata page of a leaf. Returns -ENOSPC when pages ran out meanwhile. */
static int make_leaf(struct pmv_volume *v, struct pmv_top *top, u64 at)
{
	struct pmv_pool *pool = v->pool;
	struct pmv_leaf *l;
	int ret;

	lockdep_assert_held(&v->map_lock);
	if (!top->page[at]) {
		ret = pmv_meta_lock(pool);
		if (ret)
			return ret;
		ret = pmv_map_make_leaf(&pool->core, &v->map, at, &top->page[at]);
		pmv_meta_unlock(pool);
		if (ret) {
			top->page[at] = 0;
			return ret;
		}
	}
	if (rcu_access_pointer(top->leaf[at]))
		return 0;
	l = kzalloc(sizeof(*l), GFP_NOIO);
	if (!l)
		return -ENOMEM;
	rcu_assign_pointer(top->leaf[at], l);
	return 0;
}

/* A snapshot's map begins without leaves: see pmv_volume_alloc(). */
static int make_room(struct pmv_volume *v)
{
	unsigned int noio = memalloc_noio_save();
	struct pmv_top *top = pmv_top_alloc(v->map.chunks);

	memalloc_noio_restore(noio);
	if (!top)
		return -ENOMEM;
	pmv_top_replace(v, top);
	return 0;
}

static int may_change(struct pmv_pool *pool)
{
	switch (READ_ONCE(pool->mode)) {
	case PMEMVOL_MODE_READ_ONLY:
		return -EROFS;
	case PMEMVOL_MODE_FAILED:
		return -ENXIO;
	}
	return 0;
}

/* The chunk behind the left neighbour's, so that neighbours stay neighbours. */
static u64 chunk_hint(struct pmv_volume *v, u64 index)
{
	const struct pmv_top *top;
	u64 entry = 0;

	rcu_read_lock();
	top = rcu_dereference(v->top);
	if (index && top)
		entry = pmv_map_lookup(top, index - 1);
	rcu_read_unlock();
	return entry ? pmv_map_chunk(v->pool, entry) + 1 : U64_MAX;
}

int pmv_map_make_leaf_of(struct pmv_volume *v, u64 index)
{
	struct pmv_top *top = pmv_top_of(v);
	u64 at = index >> PMV_LEAF_SHIFT;
	int ret;

	if (!top)
		return -ENXIO;
	if (index >= v->map.chunks)
		return -ERANGE;
	if (at >= top->nr) {
		ret = make_room(v);
		if (ret)
			return ret;
	}
	return make_leaf(v, pmv_top_of(v), at);
}

u64 *pmv_map_slot(struct pmv_volume *v, u64 index)
{
	struct pmv_top *top = pmv_top_of(v);
	u64 at = index >> PMV_LEAF_SHIFT;
	struct pmv_leaf *l;

	if (!top || at >= top->nr)
		return NULL;
	l = rcu_dereference_protected(top->leaf[at], lockdep_is_held(&v->map_lock));
	return l ? &l->entry[index & (PMV_WORDS_PER_PAGE - 1)] : NULL;
}

void pmv_map_publish(struct pmv_volume *v, u64 index, struct pmv_word w)
{
	struct pmv_pool *pool = v->pool;

	down_read(&pool->word_sem);
	pmv_map_set(&pool->core, &v->map, pmv_top_of(v)->page[index >> PMV_LEAF_SHIFT], index, w);
	up_read(&pool->word_sem);
	/* Content and entry are persistent before anybody sees them. */
	smp_store_release(pmv_map_slot(v, index), pmv_map_entry(pool, w.value) | v->epoch);
	v->provisioned++;
}

static int provision_locked(struct pmv_volume *v, u64 index, u64 chunk, bool *taken, bool *dirty)
{
	struct pmv_word w = { .value = chunk };
	int ret;

	lockdep_assert_held(&v->map_lock);
	ret = pmv_map_make_leaf_of(v, index);
	if (ret)
		return ret;
	if (*pmv_map_slot(v, index))
		return 0;
	if (v->kin.parent) {
		/* Whatever happens now, the chunk is not zero any more. */
		*dirty = true;
		ret = pmv_snap_fill(v, index, chunk);
		if (ret)
			return ret;
	}
	w.tag = READ_ONCE(v->pool->core.map_gen);
	pmv_map_publish(v, index, w);
	*taken = true;
	return 0;
}

int pmv_map_provision(struct pmv_volume *v, u64 index)
{
	enum pmv_claim claim = pmv_volume_claim(v);
	struct pmv_pool *pool = v->pool;
	unsigned int noio;
	bool taken = false, dirty = false;
	u64 chunk;
	int ret;

	ret = may_change(pool);
	if (ret)
		return ret;
	noio = memalloc_noio_save();
	ret = pmv_stock_take(pool, claim, chunk_hint(v, index), &chunk);
	if (ret)
		goto out;
	for (;;) {
		mutex_lock(&v->map_lock);
		ret = provision_locked(v, index, chunk, &taken, &dirty);
		mutex_unlock(&v->map_lock);
		if (ret != -ENOSPC)
			break;
		/* Metadata pages are short: get more and look again. */
		ret = pmv_meta_reserve(pool, PMV_HEIGHT_MAX);
		if (ret)
			break;
	}
	if (!taken && dirty)
		pmv_stock_defer(pool, claim, chunk);
	else if (!taken)
		pmv_stock_put(pool, claim, chunk);
out:
	memalloc_noio_restore(noio);
	return ret;
}

/*
 * Does a file have a page of this chunk in its DAX mapping? A file system discards blocks
 * only after it has taken them out of all files, so this is somebody discarding behind its
 * back. The chunk must not get another owner then.
 */
static bool chunk_is_mapped(const struct pmv_pool *pool, u64 entry)
{
	const struct pmv_member *m = pmv_entry_member(pool, entry);
	unsigned long pfn = compat_pfn_number(m->pfn) +
			    ((pmv_entry_addr(entry) - m->kaddr) >> PAGE_SHIFT);
	unsigned long end = pfn + (pmv_chunk_size(pool) >> PAGE_SHIFT);

	for (; pfn < end; pfn++)
		if (READ_ONCE(page_folio(pfn_to_page(pfn))->mapping))
			return true;
	return false;
}

static void take_away(struct pmv_volume *v, u32 page, u64 index, u64 *slot)
{
	u64 entry = *slot;

	lockdep_assert_held(&v->map_lock);
	down_read(&v->pool->word_sem);
	pmv_map_clear(&v->pool->core, page, index);
	up_read(&v->pool->word_sem);
	WRITE_ONCE(*slot, 0);
	v->provisioned--;
	pmv_stock_defer(v->pool, pmv_volume_claim(v), pmv_map_chunk(v->pool, entry));
}

int pmv_map_drop(struct pmv_volume *v, u64 index)
{
	struct pmv_top *top;
	u64 *slot;

	mutex_lock(&v->map_lock);
	top = pmv_top_of(v);
	slot = pmv_map_slot(v, index);
	if (slot && *slot)
		take_away(v, top->page[index >> PMV_LEAF_SHIFT], index, slot);
	mutex_unlock(&v->map_lock);
	return top ? 0 : -ENXIO;
}

/* Take one leaf's chunks away, from @first of the volume up to @end. */
static void unprovision_leaf(struct pmv_volume *v, struct pmv_top *top, u64 first, u64 end)
{
	u64 at = first >> PMV_LEAF_SHIFT, index;
	struct pmv_leaf *l = rcu_dereference_protected(top->leaf[at],
						       lockdep_is_held(&v->map_lock));

	if (!l)
		return;
	for (index = first; index < end; index++) {
		u64 *slot = &l->entry[index & (PMV_WORDS_PER_PAGE - 1)];

		if (*slot && !chunk_is_mapped(v->pool, *slot) && !pmv_snap_keeps(v, index))
			take_away(v, top->page[at], index, slot);
	}
}

int pmv_map_unprovision(struct pmv_volume *v, u64 first, u64 nr)
{
	u64 end = first + nr, stop;
	struct pmv_top *top;
	int ret;

	ret = may_change(v->pool);
	if (ret)
		return ret;
	for (; first < end; first = stop) {
		stop = min(end, (first | (PMV_WORDS_PER_PAGE - 1)) + 1);
		mutex_lock(&v->map_lock);
		top = pmv_top_of(v);
		if (top && stop <= v->map.chunks)
			unprovision_leaf(v, top, first, stop);
		mutex_unlock(&v->map_lock);
		if (!top)
			return -ENXIO;
		cond_resched();
	}
	pmv_stock_kick(v->pool);
	return 0;
}
