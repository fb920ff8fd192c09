// SPDX-License-Identifier: GPL-2.0
/* Creating, growing, renaming and deleting volumes. */
#include <linux/ktime.h>
#include <linux/netlink.h>
#include <linux/slab.h>
#include <linux/stringhash.h>
#include <linux/uuid.h>

#include "ctl_volume.h"
#include "data.h"
#include "data_map.h"
#include "meta.h"

/* Volumes have their names, and each of them its snapshots have theirs. */
static u32 name_hash(const char *name, u64 whose)
{
	return full_name_hash((void *)(uintptr_t)whose, name, strlen(name));
}

static u64 snapshots_of(u32 origin)
{
	return (u64)origin + 1;
}

struct pmv_volume *pmv_volume_find(struct pmv_pool *pool, const char *name)
{
	struct pmv_volume *v;

	lockdep_assert_held(&pool->ctl_lock);
	hash_for_each_possible(pool->names, v, by_name, name_hash(name, 0))
		if (!pmv_volume_is_snapshot(v) && !strcmp(v->name, name))
			return v;
	return NULL;
}

struct pmv_volume *pmv_snapshot_find(struct pmv_pool *pool, u32 origin, const char *name)
{
	struct pmv_volume *v;

	lockdep_assert_held(&pool->ctl_lock);
	hash_for_each_possible(pool->names, v, by_name, name_hash(name, snapshots_of(origin)))
		if (pmv_volume_is_snapshot(v) && le32_to_cpu(v->desc.origin) == origin &&
		    !strcmp(v->name, name))
			return v;
	return NULL;
}

void pmv_volume_hash(struct pmv_volume *v)
{
	u64 whose = pmv_volume_is_snapshot(v) ? snapshots_of(le32_to_cpu(v->desc.origin)) : 0;

	hash_add(v->pool->names, &v->by_name, name_hash(v->name, whose));
}

struct pmv_volume *pmv_volume_alloc(struct pmv_pool *pool, u64 chunks, u64 room)
{
	struct pmv_volume *v;
	struct pmv_top *top;

	v = kzalloc(sizeof(*v), GFP_KERNEL);
	if (!v)
		return NULL;
	top = pmv_top_alloc(room);
	if (!top) {
		kfree(v);
		return NULL;
	}
	RCU_INIT_POINTER(v->top, top);
	v->pool = pool;
	v->chunk_shift = pool->chunk_shift;
	v->chunk_mask = pmv_chunk_size(pool) - 1;
	v->minor = -1;
	v->map.chunks = chunks;
	v->kin.chunks = chunks;
	v->kin.gen = U64_MAX;
	mutex_init(&v->map_lock);
	spin_lock_init(&v->open_lock);
	INIT_HLIST_NODE(&v->by_name);
	INIT_LIST_HEAD(&v->erasing);
	return v;
}

void pmv_volume_free(struct pmv_volume *v)
{
	pmv_top_free(pmv_top_of(v));
	pmv_top_free(v->retired);
	mutex_destroy(&v->map_lock);
	kfree(v);
}

int pmv_ctl_check_mode(struct pmv_pool *pool, struct netlink_ext_ack *extack)
{
	switch (READ_ONCE(pool->mode)) {
	case PMEMVOL_MODE_READ_ONLY:
		NL_SET_ERR_MSG(extack, "the pool is read-only");
		return -EROFS;
	case PMEMVOL_MODE_FAILED:
		NL_SET_ERR_MSG(extack, "the pool has failed: a member is gone");
		return -EROFS;
	}
	return 0;
}

static int size_to_chunks(struct pmv_pool *pool, u64 size, u64 *chunks,
			  struct netlink_ext_ack *extack)
{
	if (!size) {
		NL_SET_ERR_MSG(extack, "a volume of no size cannot be");
		return -ERANGE;
	}
	*chunks = size >> pool->chunk_shift;
	if (size & (pmv_chunk_size(pool) - 1))
		*chunks += 1;
	/* The sector count must fit as well as the map. */
	if (!pmv_map_height(*chunks) || *chunks > (U64_MAX >> 1) >> pool->chunk_shift) {
		NL_SET_ERR_MSG(extack, "the size is beyond what a volume can have");
		return -ERANGE;
	}
	return 0;
}

/*
 * May the volumes be promised this many chunks more? @thick chunks must be there now; thin
 * ones may be promised up to the pool's ratio.
 */
int pmv_promise_check(struct pmv_pool *pool, u64 more, u64 pages, bool thick,
		      struct netlink_ext_ack *extack)
{
	u64 capacity = pmv_pool_capacity(pool, pool->pages_max + pages);
	u64 limit = div_u64(capacity * pool->overcommit, 100);
	u64 promised = pool->promised_thin + pool->promised_thick;

	if (thick && pool->promised_thick + more > capacity) {
		NL_SET_ERR_MSG(extack, "the pool cannot guarantee that much space");
		return -ENOSPC;
	}
	if (promised + more > limit) {
		NL_SET_ERR_MSG(extack, "the pool may not promise more: see its overcommit ratio");
		return -ENOSPC;
	}
	return 0;
}

int pmv_promise(struct pmv_pool *pool, u64 chunks, bool thick, struct netlink_ext_ack *extack)
{
	int ret;

	if (!thick)
		return 0;
	spin_lock(&pool->alloc_lock);
	ret = pmv_alloc_promise(&pool->alloc, chunks);
	spin_unlock(&pool->alloc_lock);
	if (ret)
		NL_SET_ERR_MSG(extack, "the pool has too little free space for a guarantee");
	return ret;
}

/* Is there room for a new volume: for its chunks if they are guaranteed, and for its pages? */
static bool has_room(struct pmv_pool *pool, u64 chunks, bool thick)
{
	struct pmv_volume_params p = { .chunks = chunks, .flags = thick ? PMV_DESC_THICK : 0 };
	u64 available, spare, pages;

	mutex_lock(&pool->meta_lock);
	spin_lock(&pool->alloc_lock);
	available = pmv_alloc_available(&pool->alloc);
	/* What turns into metadata may come out of the reserve, but out of no promise. */
	spare = pool->alloc.nr_free + pool->alloc.nr_soon;
	spare -= min(spare, pool->alloc.owed + (thick ? chunks : 0));
	spin_unlock(&pool->alloc_lock);
	pages = pool->core.free_pages +
		spare / PMV_COPIES * pmv_pages_per_segment(&pool->core);
	mutex_unlock(&pool->meta_lock);
	return (!thick || chunks <= available) && pmv_volume_pages(&p) <= pages;
}

u64 pmv_ctl_volume_largest(struct pmv_pool *pool, bool thick)
{
	u64 fits = 0, end = (U64_MAX >> 1 >> pool->chunk_shift) + 1, at;

	lockdep_assert_held(&pool->ctl_lock);
	if (pmv_ctl_check_mode(pool, NULL))
		return 0;
	/* What fits is judged as it is when a volume is made, so that the two agree. */
	while (end - fits > 1) {
		at = fits + (end - fits) / 2;
		if (pmv_map_height(at) &&
		    !pmv_promise_check(pool, at, pmv_map_pages_max(at), thick, NULL) &&
		    has_room(pool, at, thick))
			fits = at;
		else
			end = at;
	}
	return fits << pool->chunk_shift;
}

void pmv_unpromise(struct pmv_pool *pool, u64 chunks, bool thick)
{
	if (!thick)
		return;
	spin_lock(&pool->alloc_lock);
	pmv_alloc_unpromise(&pool->alloc, chunks);
	spin_unlock(&pool->alloc_lock);
}

static void count(struct pmv_pool *pool, struct pmv_volume *v, u64 chunks, int sign)
{
	u64 *promised = pmv_volume_thick(v) ? &pool->promised_thick : &pool->promised_thin;

	*promised += sign * chunks;
}

int pmv_ctl_meta_error(struct pmv_pool *pool, int ret, struct netlink_ext_ack *extack)
{
	if (ret == -ENOSPC) {
		NL_SET_ERR_MSG(extack, "the pool has no space for metadata");
	} else if (ret == -EUCLEAN || ret == -ENOENT) {
		NL_SET_ERR_MSG(extack, "the pool's metadata is damaged");
		pmv_pool_set_mode(pool, PMEMVOL_MODE_READ_ONLY);
		ret = -EUCLEAN;
	} else if (ret == -ENXIO) {
		NL_SET_ERR_MSG(extack, "the pool has failed: a member is gone");
		ret = -EROFS;
	}
	return ret;
}

int pmv_slot_alloc(struct pmv_pool *pool, u32 *slot, struct netlink_ext_ack *extack)
{
	int ret = xa_alloc(&pool->volumes, slot, xa_mk_value(0), XA_LIMIT(0, PMV_SLOTS_MAX - 1),
			   GFP_KERNEL);

	if (ret)
		NL_SET_ERR_MSG(extack, "the pool has no room for another volume");
	return ret == -EBUSY ? -ENOSPC : ret;
}

/* Make the volume on media; pages that others take meanwhile are got again. */
static int media_create(struct pmv_pool *pool, struct pmv_volume *v, u32 slot,
			const struct pmv_volume_params *p)
{
	int ret;

	do {
		ret = pmv_meta_reserve(pool, pmv_volume_pages(p));
		if (ret)
			return ret;
		ret = pmv_meta_lock(pool);
		if (ret)
			return ret;
		ret = pmv_volume_create(&pool->core, slot, p, &v->desc, &v->map);
		pmv_meta_unlock(pool);
	} while (ret == -ENOSPC);
	return ret;
}

/* Undo media_create(); nothing was provisioned yet. */
static void media_uncreate(struct pmv_pool *pool, struct pmv_volume *v)
{
	if (pmv_meta_lock(pool))
		return;
	if (pmv_volume_erased(&pool->core, &v->desc, &v->map))
		pr_err("pmemvol: %s: a descriptor could not be freed\n", pool->name);
	pmv_meta_unlock(pool);
}

/* A volume, empty or a clone of snapshot @of. */
static struct pmv_volume *create(struct pmv_pool *pool, const struct pmv_volume_request *r,
				 struct pmv_volume *of, struct netlink_ext_ack *extack)
{
	struct pmv_volume_params p = {
		.name = r->name,
		.name_len = r->name_len,
		.created = ktime_get_real_seconds(),
		.flags = r->thick ? PMV_DESC_THICK : 0,
	};
	struct pmv_volume *v;
	uuid_t uuid;
	u32 slot;
	int ret;

	lockdep_assert_held(&pool->ctl_lock);
	ret = pmv_ctl_check_mode(pool, extack);
	if (ret)
		return ERR_PTR(ret);
	if (pmv_volume_find(pool, r->name)) {
		NL_SET_ERR_MSG(extack, "a volume of this name exists");
		return ERR_PTR(-EEXIST);
	}
	if (!of || r->size)
		ret = size_to_chunks(pool, r->size, &p.chunks, extack);
	if (of) {
		/* What is behind the end of the snapshot is as in a clone that has grown. */
		p.chunks = max(p.chunks, of->map.chunks);
		p.flags |= PMV_DESC_CLONE;
		p.origin = of->map.slot;
	}
	if (!ret)
		ret = pmv_promise_check(pool, p.chunks, pmv_map_pages_max(p.chunks), r->thick,
					extack);
	if (ret)
		return ERR_PTR(ret);
	uuid_gen(&uuid);
	p.uuid = r->uuid ?: uuid.b;

	v = pmv_volume_alloc(pool, p.chunks, p.chunks);
	if (!v)
		return ERR_PTR(-ENOMEM);
	memcpy(v->name, r->name, r->name_len);
	v->desc.flags = cpu_to_le32(p.flags);
	/* Nobody looks through it yet, and it cannot go. */
	v->kin.parent = of ? &of->kin : NULL;
	ret = pmv_promise(pool, p.chunks, r->thick, extack);
	if (ret)
		goto err_free;
	if (r->thick) {
		ret = pmv_map_fill_leaves(v);
		if (ret)
			goto err_promise;
	}
	ret = pmv_disk_make(v);
	if (ret) {
		NL_SET_ERR_MSG(extack, "no disk could be made");
		goto err_promise;
	}
	ret = pmv_slot_alloc(pool, &slot, extack);
	if (ret)
		goto err_disk;
	ret = media_create(pool, v, slot, &p);
	if (ret) {
		ret = pmv_ctl_meta_error(pool, ret, extack);
		goto err_slot;
	}
	ret = pmv_disk_add(v);
	if (ret) {
		NL_SET_ERR_MSG(extack, "the disk could not be added");
		goto err_media;
	}
	xa_store(&pool->volumes, slot, v, GFP_KERNEL);
	pmv_volume_hash(v);
	pool->nr_volumes++;
	pool->pages_max += pmv_map_pages_max(p.chunks);
	count(pool, v, p.chunks, 1);
	if (of)
		of->clones++;
	pmv_event(PMEMVOL_EVENT_VOLUME_CREATED, pool, v);
	return v;

err_media:
	media_uncreate(pool, v);
err_slot:
	xa_erase(&pool->volumes, slot);
err_disk:
	pmv_disk_remove(v);
err_promise:
	pmv_unpromise(pool, p.chunks, r->thick);
err_free:
	pmv_volume_free(v);
	return ERR_PTR(ret);
}

struct pmv_volume *pmv_ctl_volume_create(struct pmv_pool *pool, const struct pmv_volume_request *r,
					 struct netlink_ext_ack *extack)
{
	return create(pool, r, NULL, extack);
}

struct pmv_volume *pmv_ctl_volume_clone(struct pmv_pool *pool, const struct pmv_volume_request *r,
					struct netlink_ext_ack *extack)
{
	struct pmv_volume *s = pmv_ctl_snapshot_get(pool, r, extack);

	if (IS_ERR(s))
		return s;
	if (s->damaged) {
		NL_SET_ERR_MSG(extack, "the snapshot's metadata is damaged");
		return ERR_PTR(-EUCLEAN);
	}
	return create(pool, r, s, extack);
}

struct pmv_volume *pmv_ctl_find(struct pmv_pool *pool, const char *name,
				struct netlink_ext_ack *extack)
{
	struct pmv_volume *v = pmv_volume_find(pool, name);
	int ret;

	if (!v) {
		NL_SET_ERR_MSG(extack, "no such volume");
		return ERR_PTR(-ENOENT);
	}
	ret = pmv_ctl_check_mode(pool, extack);
	return ret ? ERR_PTR(ret) : v;
}

/* Grow on media and in memory; map_lock is held. */
static int grow_locked(struct pmv_pool *pool, struct pmv_volume *v, u64 chunks,
		       struct pmv_top *top)
{
	int ret;

	ret = pmv_meta_lock(pool);
	if (ret)
		return ret;
	ret = pmv_volume_grow(&pool->core, &v->desc, &v->map, chunks);
	pmv_meta_unlock(pool);
	/* Found before it is offered: the capacity follows. */
	if (!ret) {
		pmv_top_replace(v, top);
		down_write(&pool->kin_sem);
		v->kin.chunks = chunks;
		up_write(&pool->kin_sem);
	}
	return ret;
}

static int media_grow(struct pmv_pool *pool, struct pmv_volume *v, u64 chunks, struct pmv_top *top)
{
	u64 pages = PMV_HEIGHT_MAX;
	int ret;

	if (pmv_volume_thick(v))
		pages += pmv_map_pages_max(chunks) - pmv_map_leaves(v->map.chunks);
	do {
		ret = pmv_meta_reserve(pool, pages);
		if (ret)
			return ret;
		mutex_lock(&v->map_lock);
		ret = grow_locked(pool, v, chunks, top);
		mutex_unlock(&v->map_lock);
	} while (ret == -ENOSPC);
	return ret;
}

struct pmv_volume *pmv_ctl_volume_resize(struct pmv_pool *pool, const struct pmv_volume_request *r,
					 struct netlink_ext_ack *extack)
{
	struct pmv_volume *v;
	struct pmv_top *top;
	u64 chunks, old, more, pages;
	bool thick;
	int ret;

	lockdep_assert_held(&pool->ctl_lock);
	v = pmv_ctl_find(pool, r->name, extack);
	if (IS_ERR(v))
		return v;
	if (v->rolling) {
		NL_SET_ERR_MSG(extack, "the volume is not rolled back completely");
		return ERR_PTR(-EBUSY);
	}
	ret = size_to_chunks(pool, r->size, &chunks, extack);
	if (ret)
		return ERR_PTR(ret);
	old = v->map.chunks;
	if (chunks == old)
		return v;
	if (chunks < old) {
		NL_SET_ERR_MSG(extack, "a volume cannot shrink");
		return ERR_PTR(-ERANGE);
	}
	more = chunks - old;
	pages = pmv_map_pages_max(chunks) - pmv_map_pages_max(old);
	thick = pmv_volume_thick(v);
	ret = pmv_promise_check(pool, more, pages, thick, extack);
	if (!ret)
		ret = pmv_promise(pool, more, thick, extack);
	if (ret)
		return ERR_PTR(ret);
	top = pmv_top_grow(v, chunks);
	if (!top) {
		ret = -ENOMEM;
		goto err_promise;
	}
	ret = media_grow(pool, v, chunks, top);
	if (ret) {
		ret = pmv_ctl_meta_error(pool, ret, extack);
		goto err_top;
	}
	set_capacity_and_notify(v->disk, chunks << (pool->chunk_shift - SECTOR_SHIFT));
	pool->pages_max += pages;
	count(pool, v, more, 1);
	pmv_event(PMEMVOL_EVENT_VOLUME_RESIZED, pool, v);
	return v;

err_top:
	pmv_top_free(top);
err_promise:
	pmv_unpromise(pool, more, thick);
	return ERR_PTR(ret);
}

/* Its disk and those of its snapshots have other names. */
static void tell_udev(struct pmv_volume *v)
{
	struct pmv_volume *s;
	unsigned long slot;

	xa_for_each(&v->pool->volumes, slot, s)
		if (!xa_is_value(s) && (s == v || s->origin == v) && s->disk_added)
			kobject_uevent(&disk_to_dev(s->disk)->kobj, KOBJ_CHANGE);
}

struct pmv_volume *pmv_ctl_volume_rename(struct pmv_pool *pool, const struct pmv_volume_request *r,
					 struct netlink_ext_ack *extack)
{
	struct pmv_volume *v;
	int ret;

	lockdep_assert_held(&pool->ctl_lock);
	v = pmv_ctl_find(pool, r->name, extack);
	if (IS_ERR(v) || !strcmp(r->name, r->new_name))
		return v;
	if (pmv_volume_find(pool, r->new_name)) {
		NL_SET_ERR_MSG(extack, "a volume of the new name exists");
		return ERR_PTR(-EEXIST);
	}
	ret = pmv_meta_lock(pool);
	if (!ret) {
		ret = pmv_volume_rename(&pool->core, v->map.slot, &v->desc, r->new_name,
					r->new_name_len);
		pmv_meta_unlock(pool);
	}
	if (ret)
		return ERR_PTR(pmv_ctl_meta_error(pool, ret, extack));
	hash_del(&v->by_name);
	spin_lock(&v->open_lock);
	memset(v->name, 0, sizeof(v->name));
	memcpy(v->name, r->new_name, r->new_name_len);
	spin_unlock(&v->open_lock);
	pmv_volume_hash(v);
	tell_udev(v);
	pmv_event(PMEMVOL_EVENT_VOLUME_RENAMED, pool, v);
	return v;
}

/* Its last snapshots are being merged, and it shows its own to nobody. */
static void leave_kin(struct pmv_volume *v)
{
	down_write(&v->pool->kin_sem);
	if (v->kin.parent)
		pmv_snap_volume(v->kin.parent)->clones--;
	v->kin.parent = NULL;
	while (v->kin.older) {
		pmv_snap_volume(v->kin.older)->origin = NULL;
		pmv_kin_remove(v->kin.older);
	}
	up_write(&v->pool->kin_sem);
}

int pmv_ctl_volume_delete(struct pmv_pool *pool, const struct pmv_volume_request *r,
			  struct netlink_ext_ack *extack)
{
	struct pmv_volume *v;
	int ret;

	lockdep_assert_held(&pool->ctl_lock);
	v = pmv_ctl_find(pool, r->name, extack);
	if (IS_ERR(v))
		return PTR_ERR(v);
	if (v->snapshots)
		return pmv_refuse_snapshots(v, extack);
	ret = pmv_disk_try_kill(v);
	if (ret) {
		NL_SET_ERR_MSG(extack, "the volume is open or mounted");
		return ret;
	}
	ret = pmv_meta_lock(pool);
	if (!ret) {
		ret = pmv_volume_delete(&pool->core, v->map.slot, &v->desc);
		pmv_meta_unlock(pool);
	}
	if (ret) {
		pmv_disk_unkill(v);
		return pmv_ctl_meta_error(pool, ret, extack);
	}
	hash_del(&v->by_name);
	xa_store(&pool->volumes, v->map.slot, xa_mk_value(0), GFP_KERNEL);
	pool->nr_volumes--;
	pool->pages_max -= pmv_map_pages_max(v->map.chunks);
	count(pool, v, v->map.chunks, -1);
	pmv_event(PMEMVOL_EVENT_VOLUME_DELETED, pool, v);
	/* Returns when nobody looks at its chunks any more. */
	pmv_disk_remove(v);
	leave_kin(v);
	pmv_stock_erase_volume(v);
	return 0;
}
