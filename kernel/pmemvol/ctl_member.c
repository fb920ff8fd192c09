// SPDX-License-Identifier: GPL-2.0
/* Members: claiming a device, finding where it is mapped, and hearing when it fails. */
#include <linux/netlink.h>
#include <linux/slab.h>
#include <linux/srcu.h>

#include "ctl.h"
#include "data.h"
#include "data_map.h"

/* A header, a tail to wipe and a few chunks. */
#define MEMBER_SIZE_MIN (16ULL << 20)

/* Read by whoever handles a failure: a member and its pool stay until it is handled. */
DEFINE_STATIC_SRCU(failure_srcu);

struct block_device *pmv_member_bdev(const struct pmv_member *m)
{
	return compat_bdev(&m->claim);
}

/*
 * The whole device must be one range of memory, in the kernel's mapping and in
 * page frames. Bad blocks must not hide the rest: hence DAX_RECOVERY_WRITE.
 */
static int map_device(struct pmv_member *m)
{
	pgoff_t start = m->dax_off >> PAGE_SHIFT, off = 0, end = m->size >> PAGE_SHIFT;
	compat_pfn pfn;
	void *kaddr;
	long n = 0;
	int id;

	id = dax_read_lock();
	while (off < end) {
		n = dax_direct_access(m->dax, start + off, end - off, DAX_RECOVERY_WRITE, &kaddr,
				      &pfn);
		if (n <= 0)
			break;
		if (!off) {
			m->kaddr = kaddr;
			m->pfn = pfn;
		}
		if (kaddr != m->kaddr + ((u64)off << PAGE_SHIFT) ||
		    compat_pfn_number(pfn) != compat_pfn_number(m->pfn) + off)
			break;
		off += n;
	}
	dax_read_unlock(id);
	if (off < end)
		return n == -EIO ? -EIO : -EMEDIUMTYPE;
	return 0;
}

static int refuse(struct netlink_ext_ack *extack, const struct nlattr *attr, int err,
		  const char *why)
{
	if (extack) {
		extack->_msg = why;
		NL_SET_BAD_ATTR(extack, attr);
	}
	return err;
}

static int open_refused(struct netlink_ext_ack *extack, const struct nlattr *attr, int err)
{
	switch (err) {
	case -EBUSY:
		return refuse(extack, attr, err, "the device is in use");
	case -ENOTBLK:
		return refuse(extack, attr, err, "not a block device");
	case -ENOENT:
	case -ENXIO:
	case -ENODEV:
		return refuse(extack, attr, -ENODEV, "no such device");
	case -EROFS:
	case -EACCES:
		return refuse(extack, attr, -EMEDIUMTYPE, "the device is read-only");
	}
	return refuse(extack, attr, err, "the device cannot be opened");
}

/*
 * Take a reference on the memory. The driver's removal waits for it, so that even a removal
 * that began before the holder was known finds nobody at work on memory that is gone.
 */
static int pin_memory(struct pmv_member *m)
{
	m->pgmap = compat_get_dev_pagemap(compat_pfn_number(m->pfn));
	return m->pgmap ? 0 : -ENODEV;
}

static void unpin_memory(struct pmv_member *m)
{
	struct dev_pagemap *pgmap = xchg(&m->pgmap, NULL);

	if (pgmap)
		put_dev_pagemap(pgmap);
}

int pmv_member_open(struct pmv_member *m, const struct pmv_device *d,
		    struct netlink_ext_ack *extack)
{
	struct block_device *bdev;
	int ret;

	ret = compat_bdev_open(&m->claim, d->path, m);
	if (ret)
		return open_refused(extack, d->attr, ret);
	m->is_open = true;
	bdev = pmv_member_bdev(m);
	m->size = bdev_nr_bytes(bdev) & PAGE_MASK;
	if (bdev_read_only(bdev))
		return refuse(extack, d->attr, -EMEDIUMTYPE, "the device is read-only");
	m->dax = fs_dax_get_by_bdev(bdev, &m->dax_off, m, &pmv_holder_ops);
	if (!m->dax)
		return refuse(extack, d->attr, -EMEDIUMTYPE,
			      "the device is not DAX-capable, or its memory is in use");
	if (!dax_synchronous(m->dax))
		return refuse(extack, d->attr, -EMEDIUMTYPE,
			      "the device needs a flush for stores to persist, which DAX cannot give");
	if (m->size < MEMBER_SIZE_MIN)
		return refuse(extack, d->attr, -EMEDIUMTYPE,
			      "the device is too small (16 MiB at least)");
	ret = map_device(m);
	if (ret)
		return refuse(extack, d->attr, -EMEDIUMTYPE, ret == -EIO ?
			      "the device has bad blocks, with which this kernel cannot map it" :
			      "the device is not one contiguous range of memory");
	ret = pin_memory(m);
	if (ret)
		return refuse(extack, d->attr, ret, "the device is going away");
	m->bb = bdev->bd_disk->bb;
	m->bb_start = get_start_sect(bdev);
	/* The lower driver announces FUA when a flush reaches further than a fence. */
	m->deep_flush = bdev_fua(bdev);
	return 0;
}

void pmv_failures_wait(void)
{
	synchronize_srcu(&failure_srcu);
}

static void free_volume(struct rcu_head *rcu)
{
	pmv_volume_free(container_of(rcu, struct pmv_volume, rcu));
}

void pmv_failures_free(struct pmv_volume *v)
{
	call_srcu(&failure_srcu, &v->rcu, free_volume);
}

void pmv_failures_exit(void)
{
	srcu_barrier(&failure_srcu);
}

void pmv_members_release(struct pmv_pool *pool, unsigned int from, unsigned int to)
{
	struct pmv_member *m;
	unsigned int i;

	for (i = from; i < to; i++) {
		m = pool->member[i];
		if (m && m->dax) {
			fs_put_dax(m->dax, m);
			m->dax = NULL;
		}
	}
	pmv_failures_wait();
}

void pmv_member_close(struct pmv_member *m)
{
	if (!m)
		return;
	unpin_memory(m);
	if (m->is_open)
		compat_bdev_close(&m->claim);
	xa_destroy(&m->failed);
	kfree(m);
}

unsigned int pmv_member_nr_bad(const struct pmv_member *m)
{
	struct badblocks *bb;
	unsigned int nr;

	rcu_read_lock();
	bb = READ_ONCE(m->bb);
	nr = bb ? READ_ONCE(bb->count) : 0;
	rcu_read_unlock();
	return nr;
}

int pmv_member_place(struct pmv_member *m, unsigned int index, u64 first, u64 chunks, u64 data_off)
{
	m->index = index;
	m->first_chunk = first;
	m->chunks = chunks;
	m->chunk_base = m->kaddr + data_off;
	/* The low bits of an entry are not the address's. */
	if (!IS_ALIGNED((uintptr_t)m->chunk_base, BIT_ULL(PMV_CHUNK_SHIFT_MIN)))
		return -EMEDIUMTYPE;
	return 0;
}

/* A part of a chunk failed: tell the file system on the volume that owns it. */
static int forward_failure(struct pmv_pool *pool, struct pmv_member *m, u64 off, u64 len,
			   int flags)
{
	u64 base = m->chunk_base - m->kaddr, size = pmv_chunk_size(pool);
	struct pmv_volume *v;
	unsigned long slot;
	int ret = -EOPNOTSUPP;
	u64 at, index;

	xa_for_each(&pool->volumes, slot, v) {
		if (xa_is_value(v))
			continue;
		for (index = 0; index < v->map.chunks; index++) {
			u64 entry = 0, lo, hi;
			const struct pmv_top *top;

			rcu_read_lock();
			top = rcu_dereference(v->top);
			if (top && !pmv_map_has_leaf(top, index))
				index |= PMV_WORDS_PER_PAGE - 1;
			else if (top)
				entry = pmv_map_lookup(top, index);
			rcu_read_unlock();
			if (!entry || pmv_entry_member(pool, entry) != m)
				continue;
			at = (u64)(pmv_entry_addr(entry) - m->kaddr);
			lo = max(at, off);
			hi = min(at + size, off + len);
			if (lo >= hi)
				continue;
			/* Nobody's volume or clone's snapshot goes while they are told of. */
			down_read(&pool->kin_sem);
			pmv_event(PMEMVOL_EVENT_MEDIA_ERROR, pool, v);
			up_read(&pool->kin_sem);
			if (v->dax)
				ret = dax_holder_notify_failure(v->dax, index * size + lo - at,
								hi - lo, flags);
		}
	}
	if (off < base)
		pr_err("pmemvol: %s: media error in the header of member %u\n", pool->name,
		       m->index);
	return ret;
}

/* No volume finds a chunk any more, and nobody is at work on one. */
static void cut_off(struct pmv_pool *pool)
{
	struct pmv_volume *v;
	unsigned long slot;

	xa_for_each(&pool->volumes, slot, v) {
		if (xa_is_value(v))
			continue;
		mutex_lock(&v->map_lock);
		pmv_top_retire(v);
		mutex_unlock(&v->map_lock);
	}
	/* Who looks through one into another now sees the mode. */
	down_write(&pool->kin_sem);
	up_write(&pool->kin_sem);
	/* Who changes metadata now has seen another mode. */
	mutex_lock(&pool->meta_lock);
	mutex_unlock(&pool->meta_lock);
	/* Who copies or clears now has looked a chunk up before. */
	synchronize_rcu();
	pmv_stock_stop(pool);
}

/* The memory of a member is about to go: no access may follow. */
static void member_gone(struct pmv_pool *pool, struct pmv_member *m, int flags)
{
	struct gendisk *disk;
	struct pmv_volume *v;
	unsigned long slot;

	pmv_pool_set_mode(pool, PMEMVOL_MODE_FAILED);
	WRITE_ONCE(m->bb, NULL);
	cut_off(pool);
	/* File systems may take their time. */
	xa_for_each(&pool->volumes, slot, v) {
		disk = xa_is_value(v) ? NULL : READ_ONCE(v->disk);
		if (!disk || !READ_ONCE(v->disk_added))
			continue;
		blk_mark_disk_dead(disk);
		if (v->dax)
			dax_holder_notify_failure(v->dax, 0, U64_MAX, flags);
	}
	unpin_memory(m);
}

/*
 * While members are added to the pool this waits: whoever adds them works on their memory. He
 * does not wait for DAX's SRCU meanwhile, in which this is called.
 */
static bool is_member(struct pmv_pool *pool, struct pmv_member *m)
{
	bool is;

	mutex_lock(&pool->setup_lock);
	is = pool->is_up && m->pool == pool;
	mutex_unlock(&pool->setup_lock);
	return is;
}

static int notify_failure(struct dax_device *dax, u64 off, u64 len, int flags)
{
	int id = srcu_read_lock(&failure_srcu), ret = -EOPNOTSUPP;
	struct pmv_member *m = dax_holder(dax);
	struct pmv_pool *pool = m ? READ_ONCE(m->pool) : NULL;

	if (!pool || !is_member(pool, m))
		goto out;
	if (len == U64_MAX) {
		member_gone(pool, m, flags);
		ret = 0;
	} else if (off + len > m->dax_off) {
		pmv_member_failed(m, off - min(off, m->dax_off), len);
		ret = forward_failure(pool, m, off - min(off, m->dax_off), len, flags);
	}
out:
	srcu_read_unlock(&failure_srcu, id);
	return ret;
}

const struct dax_holder_operations pmv_holder_ops = {
	.notify_failure = notify_failure,
};
