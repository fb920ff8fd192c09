// SPDX-License-Identifier: GPL-2.0
/* Creating, activating, growing, deactivating and destroying pools. */
#include <linux/module.h>
#include <linux/netlink.h>
#include <linux/slab.h>

#include "ctl.h"
#include "data.h"
#include "data_map.h"
#include "meta.h"

static_assert(PMEMVOL_NAME_MAX == PMV_NAME_MAX);
static_assert(PMEMVOL_MEMBERS_MAX == PMV_MEMBERS_MAX);
static_assert(PMEMVOL_UUID_SIZE == PMV_UUID_SIZE);
static_assert(PMEMVOL_CHUNK_SIZE_MIN == 1U << PMV_CHUNK_SHIFT_MIN);
static_assert(PMEMVOL_CHUNK_SIZE_MAX == 1U << PMV_CHUNK_SHIFT_MAX);

DECLARE_RWSEM(pmv_pools_sem);
LIST_HEAD(pmv_pools);
unsigned int pmv_pools_seq = 1;

static void pools_changed(void)
{
	lockdep_assert_held_write(&pmv_pools_sem);
	if (!++pmv_pools_seq)
		pmv_pools_seq = 1;
}

struct pmv_pool *pmv_pool_find(const char *name)
{
	struct pmv_pool *pool;

	lockdep_assert_held(&pmv_pools_sem);
	list_for_each_entry(pool, &pmv_pools, list)
		if (!strcmp(pool->name, name))
			return pool;
	return NULL;
}

bool pmv_pool_set_mode(struct pmv_pool *pool, int mode)
{
	int old;

	/* From READ_ONLY and FAILED it only gets worse. */
	do {
		old = READ_ONCE(pool->mode);
		if (old == mode || (old >= PMEMVOL_MODE_READ_ONLY && mode < old))
			return false;
	} while (cmpxchg(&pool->mode, old, mode) != old);
	if (mode >= PMEMVOL_MODE_READ_ONLY)
		pr_err("pmemvol: %s: the pool is %s now\n", pool->name,
		       mode == PMEMVOL_MODE_FAILED ? "failed" : "read-only");
	pmv_event(PMEMVOL_EVENT_POOL_MODE, pool, NULL);
	return true;
}

u64 pmv_pool_capacity(struct pmv_pool *pool, u64 pages)
{
	u64 per = pmv_pages_per_segment(&pool->core), segments, chunks, meta;

	lockdep_assert_held(&pool->ctl_lock);
	/* Descriptors take pages too; a page of the directory leads to 8 of them. */
	pages += PMV_DIR_PAGES + DIV_ROUND_UP(pool->nr_volumes + pool->nr_snapshots + 1,
					      PMV_DESCS_PER_PAGE);
	segments = DIV_ROUND_UP_ULL(pages, per);
	mutex_lock(&pool->meta_lock);
	segments = max_t(u64, segments, pool->core.nr_segments);
	mutex_unlock(&pool->meta_lock);
	spin_lock(&pool->alloc_lock);
	chunks = pool->alloc.nr;
	spin_unlock(&pool->alloc_lock);
	meta = segments * PMV_COPIES + PMV_META_RESERVE;
	return chunks > meta ? chunks - meta : 0;
}

static int alloc_bitmaps(u64 nr, unsigned long *map[3])
{
	int i;

	for (i = 0; i < 3; i++) {
		map[i] = kvcalloc(BITS_TO_LONGS(nr), sizeof(long), GFP_KERNEL);
		if (!map[i])
			goto err;
	}
	return 0;
err:
	while (i--)
		kvfree(map[i]);
	return -ENOMEM;
}

static void pool_free(struct pmv_pool *pool)
{
	struct pmv_volume *v, *tmp;
	unsigned long slot;
	unsigned int i;

	pmv_members_release(pool, 0, pool->nr_members);
	pmv_disk_remove_all(pool);
	xa_for_each(&pool->volumes, slot, v)
		if (!xa_is_value(v))
			pmv_volume_free(v);
	xa_destroy(&pool->volumes);
	list_splice_init(&pool->merging, &pool->erasing);
	list_for_each_entry_safe(v, tmp, &pool->erasing, erasing)
		pmv_volume_free(v);
	for (i = 0; pool->core.segment && i < pool->core.nr_segments; i++)
		kvfree(pool->core.segment[i].map);
	kvfree(pool->core.segment);
	kvfree(pool->alloc.used);
	kvfree(pool->alloc.clean);
	kvfree(pool->alloc.pending);
	for (i = 0; i < pool->nr_members; i++)
		pmv_member_close(pool->member[i]);
	mutex_destroy(&pool->setup_lock);
	mutex_destroy(&pool->ctl_lock);
	mutex_destroy(&pool->meta_lock);
	kvfree(pool);
}

static struct pmv_pool *pool_alloc(void)
{
	struct pmv_pool *pool = kvzalloc(sizeof(*pool), GFP_KERNEL);

	if (!pool)
		return NULL;
	mutex_init(&pool->setup_lock);
	mutex_init(&pool->ctl_lock);
	mutex_init(&pool->meta_lock);
	init_rwsem(&pool->kin_sem);
	init_rwsem(&pool->word_sem);
	spin_lock_init(&pool->alloc_lock);
	xa_init_flags(&pool->volumes, XA_FLAGS_ALLOC);
	hash_init(pool->names);
	pmv_stock_setup(pool);
	pool->node = NUMA_NO_NODE;
	pool->core.ops = &pmv_media_ops;
	pool->core.ctx = pool;
	pool->core.segment = kvcalloc(PMV_SEGMENTS_MAX, sizeof(*pool->core.segment), GFP_KERNEL);
	if (!pool->core.segment) {
		pool_free(pool);
		return NULL;
	}
	return pool;
}

static void take_member_properties(struct pmv_pool *pool)
{
	unsigned int i;

	for (i = 0; i < pool->nr_members; i++) {
		pool->deep_flush |= pool->member[i]->deep_flush;
		pool->write_cache |= dax_write_cache_enabled(pool->member[i]->dax);
	}
	pool->node = pmv_member_bdev(pool->member[0])->bd_disk->node_id;
}

/* File systems do not write back what was stored to a mapping where no cache is told of. */
static void tell_write_cache(struct pmv_pool *pool)
{
	struct pmv_volume *v;
	unsigned long slot;

	lockdep_assert_held_write(&pmv_pools_sem);
	xa_for_each(&pool->volumes, slot, v)
		if (!xa_is_value(v) && v->dax)
			dax_write_cache(v->dax, pool->write_cache);
}

static int add_disks(struct pmv_pool *pool, struct netlink_ext_ack *extack)
{
	struct pmv_volume *v;
	unsigned long slot;
	int ret;

	xa_for_each(&pool->volumes, slot, v) {
		if (xa_is_value(v) || pmv_volume_is_snapshot(v))
			continue;
		ret = pmv_disk_make(v);
		if (!ret)
			ret = pmv_disk_add(v);
		if (ret) {
			NL_SET_ERR_MSG(extack, "a volume's disk could not be added");
			return ret;
		}
	}
	return 0;
}

/*
 * The generation goes up on all members: one that is away meanwhile is stale. That writes both
 * copies of all superblocks. Where nothing may be written, a damaged copy stays.
 */
static void commit_activation(struct pmv_pool *pool)
{
	bool may_write = READ_ONCE(pool->mode) < PMEMVOL_MODE_READ_ONLY, found;
	struct pmv_finding f;
	unsigned int i;

	mutex_lock(&pool->meta_lock);
	for (i = 0; i < pool->nr_members; i++) {
		if (pmv_sb_inspect(&pmv_media_ops, pool, i, pool->member[i]->size,
				   pool->core.sb_copy, &f, &found) < 0 || !found)
			continue;
		f.repaired = may_write;
		pmv_load_report(pool, &f);
	}
	if (may_write)
		pmv_sb_commit(&pool->core);
	mutex_unlock(&pool->meta_lock);
}

/* What cannot be completed now cannot be opened before it is. */
static void finish_rollbacks(struct pmv_pool *pool)
{
	struct pmv_volume *v;
	unsigned long slot;
	int ret;

	mutex_lock(&pool->ctl_lock);
	xa_for_each(&pool->volumes, slot, v) {
		if (xa_is_value(v) || !v->rolling)
			continue;
		v->dying = true;
		/* Of a damaged pool nothing is changed. */
		ret = READ_ONCE(pool->mode) == PMEMVOL_MODE_READ_ONLY ? -EROFS :
									pmv_rollback_finish(v);
		if (ret)
			pr_err("pmemvol: %s: %s is not rolled back completely (%d)\n", pool->name,
			       v->name, ret);
	}
	mutex_unlock(&pool->ctl_lock);
}

/* Read the pool from its members, whose geometry core has, and make it usable. */
static int bring_up(struct pmv_pool *pool, struct netlink_ext_ack *extack)
{
	unsigned long *map[3];
	int ret;

	/* Given back by bring_down(). It fails when the module is being unloaded. */
	if (!try_module_get(THIS_MODULE))
		return -ENODEV;
	ret = alloc_bitmaps(pool->core.chunks, map);
	if (ret)
		goto err_module;
	pmv_alloc_init(&pool->alloc, pool->core.chunks, map[0], map[1], map[2]);
	pool->chunk_shift = pool->core.chunk_shift;
	pool->overcommit = le32_to_cpu(pool->core.sb.overcommit);
	pool->low_water = le32_to_cpu(pool->core.sb.low_water);
	memcpy(pool->name, pool->core.sb.name, pool->core.sb.name_len);
	take_member_properties(pool);
	ret = pmv_pool_load(pool, extack);
	if (ret)
		goto err_module;
	commit_activation(pool);
	pmv_stock_start(pool);
	finish_rollbacks(pool);
	ret = add_disks(pool, extack);
	if (ret)
		goto err_stock;
	list_add_tail(&pool->list, &pmv_pools);
	pools_changed();
	pool->is_up = true;
	return 0;

err_stock:
	pmv_stock_stop(pool);
err_module:
	module_put(THIS_MODULE);
	return ret;
}

/* Two pools with one UUID could not be told apart on their devices. */
static bool uuid_is_active(const u8 *uuid)
{
	struct pmv_pool *pool;

	list_for_each_entry(pool, &pmv_pools, list)
		if (!memcmp(pool->core.sb.pool_uuid, uuid, PMV_UUID_SIZE))
			return true;
	return false;
}

/* Claim the devices, make the pool on them or read the one that is there, and start it. */
static int start(const struct pmv_pool_params *p, bool fresh, struct netlink_ext_ack *extack)
{
	struct pmv_pool *pool = pool_alloc();
	int ret;

	if (!pool)
		return -ENOMEM;
	mutex_lock(&pool->setup_lock);
	pool->nr_members = p->nr_devices;
	ret = pmv_layout_open(pool, 0, p, extack);
	if (ret)
		goto err;
	ret = fresh ? pmv_layout_format(pool, p, extack) : pmv_layout_assemble(pool, p, extack);
	if (ret)
		goto err;
	ret = bring_up(pool, extack);
	if (ret)
		goto err_format;
	mutex_unlock(&pool->setup_lock);
	pmv_event(fresh ? PMEMVOL_EVENT_POOL_CREATED : PMEMVOL_EVENT_POOL_ACTIVATED, pool, NULL);
	if (pool->mended)
		pmv_event(PMEMVOL_EVENT_METADATA_REPAIRED, pool, NULL);
	return 0;

err_format:
	if (fresh) {
		mutex_lock(&pool->meta_lock);
		pmv_destroy(&pool->core);
		mutex_unlock(&pool->meta_lock);
	}
err:
	mutex_unlock(&pool->setup_lock);
	pool_free(pool);
	return ret;
}

int pmv_pool_create(const struct pmv_pool_params *p, struct netlink_ext_ack *extack)
{
	int ret = -EEXIST;

	down_write(&pmv_pools_sem);
	if (pmv_pool_find(p->name))
		NL_SET_ERR_MSG(extack, "a pool of this name is active");
	else if (p->uuid && uuid_is_active(p->uuid))
		NL_SET_ERR_MSG(extack, "a pool with this UUID is active");
	else
		ret = start(p, true, extack);
	up_write(&pmv_pools_sem);
	return ret;
}

int pmv_pool_activate(const struct pmv_pool_params *p, struct netlink_ext_ack *extack)
{
	int ret = -EEXIST;

	down_write(&pmv_pools_sem);
	if (pmv_pool_find(p->name))
		NL_SET_ERR_MSG(extack, "the pool is active");
	else
		ret = start(p, false, extack);
	up_write(&pmv_pools_sem);
	return ret;
}

/* Find an active pool and change it. */
static int change(const struct pmv_pool_params *p, struct netlink_ext_ack *extack,
		  int (*op)(struct pmv_pool *pool, const struct pmv_pool_params *p,
			    struct netlink_ext_ack *extack))
{
	struct pmv_pool *pool;
	int ret = -ENOENT;

	down_write(&pmv_pools_sem);
	pool = pmv_pool_find(p->name);
	if (pool)
		ret = op(pool, p, extack);
	else
		NL_SET_ERR_MSG(extack, "no such pool is active");
	up_write(&pmv_pools_sem);
	return ret;
}

static int check_writable(struct pmv_pool *pool, struct netlink_ext_ack *extack)
{
	if (READ_ONCE(pool->mode) < PMEMVOL_MODE_READ_ONLY)
		return 0;
	NL_SET_ERR_MSG(extack, "the pool cannot be changed in its mode");
	return -EROFS;
}

static int lock_meta(struct pmv_pool *pool, struct netlink_ext_ack *extack)
{
	int ret = pmv_meta_lock(pool);

	if (ret)
		NL_SET_ERR_MSG(extack, "the pool has failed: a member is gone");
	return ret;
}

/* Make room in memory for new members' chunks, then commit them, then offer them. */
static int add_members(struct pmv_pool *pool, const struct pmv_pool_params *p,
		       struct netlink_ext_ack *extack)
{
	unsigned int from = pool->nr_members, to = from + p->nr_devices, i;
	u64 data_off[PMV_MEMBERS_MAX], size[PMV_MEMBERS_MAX], nr;
	unsigned long *map[3], *old[3];
	struct pmv_sb *sb;
	int ret;

	sb = kvmalloc(sizeof(*sb), GFP_KERNEL);
	if (!sb)
		return -ENOMEM;
	ret = pmv_layout_extend(pool, p, sb, data_off, extack);
	if (ret)
		goto out;
	nr = le64_to_cpu(sb->member[to - 1].first_chunk) + le64_to_cpu(sb->member[to - 1].chunks);
	ret = alloc_bitmaps(nr, map);
	if (ret)
		goto out;
	for (i = from; i < to; i++)
		size[i - from] = pool->member[i]->size;

	ret = lock_meta(pool, extack);
	if (ret)
		goto err_maps;
	pmv_extend(&pool->core, sb, data_off, size);
	pmv_meta_unlock(pool);
	/* Whoever finds a chunk of a new member finds the member. */
	smp_store_release(&pool->nr_members, to);
	take_member_properties(pool);
	tell_write_cache(pool);
	spin_lock(&pool->alloc_lock);
	old[0] = pool->alloc.used;
	old[1] = pool->alloc.clean;
	old[2] = pool->alloc.pending;
	pmv_alloc_extend(&pool->alloc, nr, map[0], map[1], map[2]);
	spin_unlock(&pool->alloc_lock);
	for (i = 0; i < 3; i++)
		kvfree(old[i]);
	pmv_stock_space_back(pool);
	pmv_stock_kick(pool);
out:
	kvfree(sb);
	return ret;

err_maps:
	for (i = 0; i < 3; i++)
		kvfree(map[i]);
	goto out;
}

static int extend(struct pmv_pool *pool, const struct pmv_pool_params *p,
		  struct netlink_ext_ack *extack)
{
	unsigned int from = pool->nr_members, to = from + p->nr_devices, i;
	int ret;

	if (to > PMV_MEMBERS_MAX) {
		NL_SET_ERR_MSG(extack, "a pool has at most 64 members");
		return -ERANGE;
	}
	mutex_lock(&pool->setup_lock);
	ret = check_writable(pool, extack);
	if (!ret)
		ret = pmv_layout_open(pool, from, p, extack);
	if (!ret)
		ret = add_members(pool, p, extack);
	/* A failure of what is no member is none of the pool. */
	for (i = from; ret && i < to && pool->member[i]; i++)
		WRITE_ONCE(pool->member[i]->pool, NULL);
	mutex_unlock(&pool->setup_lock);
	if (ret)
		pmv_layout_close(pool, from, to);
	else
		pmv_event(PMEMVOL_EVENT_POOL_EXTENDED, pool, NULL);
	return ret;
}

int pmv_pool_extend(const struct pmv_pool_params *p, struct netlink_ext_ack *extack)
{
	return change(p, extack, extend);
}

static int set(struct pmv_pool *pool, const struct pmv_pool_params *p,
	       struct netlink_ext_ack *extack)
{
	int ret;

	ret = check_writable(pool, extack);
	if (!ret)
		ret = lock_meta(pool, extack);
	if (ret)
		return ret;
	if (p->overcommit)
		pool->core.sb.overcommit = cpu_to_le32(p->overcommit);
	if (p->low_water != PMV_LOW_WATER_UNSET)
		pool->core.sb.low_water = cpu_to_le32(p->low_water);
	pmv_sb_commit(&pool->core);
	WRITE_ONCE(pool->overcommit, le32_to_cpu(pool->core.sb.overcommit));
	WRITE_ONCE(pool->low_water, le32_to_cpu(pool->core.sb.low_water));
	pmv_meta_unlock(pool);
	pmv_stock_space_back(pool);
	pmv_event(PMEMVOL_EVENT_POOL_CHANGED, pool, NULL);
	return 0;
}

int pmv_pool_set(const struct pmv_pool_params *p, struct netlink_ext_ack *extack)
{
	return change(p, extack, set);
}

/* No volume of the pool can be opened from here on, or -EBUSY. */
static int kill_all(struct pmv_pool *pool, struct netlink_ext_ack *extack)
{
	unsigned long slot, end;
	struct pmv_volume *v;
	int ret = 0;

	xa_for_each(&pool->volumes, slot, v) {
		if (xa_is_value(v))
			continue;
		ret = pmv_disk_try_kill(v);
		if (ret)
			break;
	}
	if (!ret)
		return 0;
	NL_SET_ERR_MSG(extack, "a volume of the pool is open or mounted");
	end = slot;
	xa_for_each(&pool->volumes, slot, v) {
		if (slot >= end)
			break;
		if (!xa_is_value(v))
			pmv_disk_unkill(v);
	}
	return ret;
}

static void bring_down(struct pmv_pool *pool)
{
	list_del(&pool->list);
	pools_changed();
	pmv_stock_stop(pool);
	pool_free(pool);
	module_put(THIS_MODULE);
}

static int deactivate(struct pmv_pool *pool, const struct pmv_pool_params *p,
		      struct netlink_ext_ack *extack)
{
	int ret = kill_all(pool, extack);

	if (ret)
		return ret;
	pmv_event(PMEMVOL_EVENT_POOL_DEACTIVATED, pool, NULL);
	bring_down(pool);
	return 0;
}

int pmv_pool_deactivate(const struct pmv_pool_params *p, struct netlink_ext_ack *extack)
{
	return change(p, extack, deactivate);
}

static int destroy(struct pmv_pool *pool, const struct pmv_pool_params *p,
		   struct netlink_ext_ack *extack)
{
	int ret;

	if (READ_ONCE(pool->mode) == PMEMVOL_MODE_FAILED) {
		NL_SET_ERR_MSG(extack, "the pool has failed: a member is gone");
		return -EROFS;
	}
	if (pool->nr_volumes && !p->force) {
		NL_SET_ERR_MSG(extack, "the pool still has volumes");
		return -ENOTEMPTY;
	}
	ret = kill_all(pool, extack);
	if (ret)
		return ret;
	pmv_stock_stop(pool);
	if (!pmv_meta_lock(pool)) {
		pmv_destroy(&pool->core);
		pmv_meta_unlock(pool);
	}
	pmv_event(PMEMVOL_EVENT_POOL_DESTROYED, pool, NULL);
	bring_down(pool);
	return 0;
}

int pmv_pool_destroy(const struct pmv_pool_params *p, struct netlink_ext_ack *extack)
{
	return change(p, extack, destroy);
}
