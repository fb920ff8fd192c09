/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What a pool, a member and a volume are in memory, and which lock protects what. What is
 * done with them is in ctl.h, data.h and meta.h.
 *
 * Lock order, outermost first; Documentation/pmemvol-locking.md explains it:
 *
 *	pmv_pools_sem		rwsem	which pools exist. Read: volume operations, dumps.
 *					Write: what creates, ends, grows or re-reads a pool
 *	pool->setup_lock	mutex	members are being added: a failing one has to wait
 *	pool->ctl_lock		mutex	one control operation on the pool's volumes at a time
 *	volume->map_lock	mutex	changes of one volume's map, in memory and on media
 *	pool->kin_sem		rwsem	who is whose snapshot or clone, and whose a chunk is among
 *					them. Read: whoever looks through one into another. Write:
 *					creation, deletion, handing over
 *	snapshot->map_lock	mutex	as above, of the one that gets a chunk or gives it up; of
 *					two that of the newer one first
 *	pool->word_sem		rwsem	words of maps on media. Read: who changes one, beside
 *					others. Write: a check, which sees none half changed
 *	pool->meta_lock		mutex	metadata pages, segments, directory, descriptors
 *	event_lock		mutex	numbers of events, and the order they are sent in
 *	pool->alloc_lock	spin	chunk allocator
 *	volume->open_lock	spin	openers against deletion
 *
 * map_lock and meta_lock are taken on the I/O path: no memory is allocated under
 * them that could start I/O (memalloc_noio_save()). I/O on provisioned chunks
 * takes none of these.
 */
#ifndef PMV_POOL_H
#define PMV_POOL_H

#include <linux/hashtable.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/rwsem.h>
#include <linux/spinlock.h>
#include <linux/wait.h>
#include <linux/workqueue.h>
#include <linux/xarray.h>
#include <uapi/linux/pmemvol.h>

#include "compat.h"
#include "core/alloc.h"
#include "core/core.h"
#include "core/kin.h"

/* Failed pages of a member that are remembered. */
#define PMV_FAILED_MAX	4096U

/**
 * struct pmv_member - a device of a pool
 * @claim: the block device, held exclusively
 * @dax: its dax_device, held with &pmv_holder_ops
 * @dax_off: where the block device starts in @dax, bytes
 * @kaddr: where its first byte is mapped; all of it is mapped in one range
 * @pfn: page frame of its first byte
 * @size: bytes
 * @first_chunk: number of its first chunk within the pool
 * @chunks: how many
 * @chunk_base: where its first chunk is mapped
 * @bb: known bad blocks of the whole disk, may be NULL; goes away with the member's driver, so it
 *	is read under rcu_read_lock() or where the member cannot go (see pmv_member_bad())
 * @bb_start: sector of the disk where the block device starts
 * @deep_flush: REQ_PREFLUSH does more than a fence there
 * @is_open: @claim is held
 * @pgmap: its page map, held so that the driver cannot take the memory away before
 *	   &pmv_holder_ops has answered, or the member is closed
 * @failed: pages of it whose memory was told to have failed, and not cleared since
 * @nr_failed: how many; beyond PMV_FAILED_MAX no more are noted. Under its lock
 * @pool: which it belongs to; NULL once its failure is of no interest any more
 * @index: its number in the pool
 */
struct pmv_member {
	struct compat_bdev claim;
	struct dax_device *dax;
	u64 dax_off;
	void *kaddr;
	compat_pfn pfn;
	u64 size;
	u64 first_chunk;
	u64 chunks;
	void *chunk_base;
	struct badblocks *bb;
	sector_t bb_start;
	bool deep_flush;
	bool is_open;
	struct dev_pagemap *pgmap;
	struct xarray failed;
	unsigned int nr_failed;
	struct pmv_pool *pool;
	unsigned int index;
};

/*
 * An entry of a volume's map in memory: where the chunk is mapped, with the number of
 * its member in the low bits, or 0. Chunks are aligned, so the low bits are free. Those between
 * say when it was last seen that no snapshot needs the chunk: if that is not the volume's present
 * epoch, it has to be looked for before the chunk changes.
 */
#define PMV_ENTRY_MEMBER	((u64)PMV_MEMBERS_MAX - 1)
#define PMV_ENTRY_EPOCH_ONE	((u64)PMV_MEMBERS_MAX)
#define PMV_ENTRY_EPOCH		(PMV_ENTRY_FLAGS & ~PMV_ENTRY_MEMBER)
#define PMV_ENTRY_FLAGS		(BIT_ULL(PMV_CHUNK_SHIFT_MIN) - 1)

static inline void *pmv_entry_addr(u64 entry)
{
	return (void *)(uintptr_t)(entry & ~PMV_ENTRY_FLAGS);
}

/**
 * struct pmv_leaf - entries of 512 chunks, and nothing else: one page
 */
struct pmv_leaf {
	u64 entry[PMV_WORDS_PER_PAGE];
};

/**
 * struct pmv_top - the root of a volume's map in memory, replaced as a whole when it grows
 * @rcu: for freeing
 * @nr: leaves
 * @page: metadata page of each leaf; changed under map_lock, 0: none
 * @leaf: each leaf or NULL; set once
 */
struct pmv_top {
	struct rcu_head rcu;
	u64 nr;
	u32 *page;
	struct pmv_leaf __rcu *leaf[];
};

/**
 * struct pmv_volume - a volume
 * @top: its map; NULL when the pool has failed
 * @epoch: what entries that need no look carry; changes with every snapshot (map_lock)
 * @chunk_shift: the pool's
 * @chunk_mask: of the bits of an offset within a chunk
 * @retired: the map of a volume whose pool has failed, for freeing
 * @pool: which it is in
 * @disk: /dev/pmvN
 * @dax: the same as a DAX device
 * @map_lock: see above
 * @map: where the map is on media (map_lock and meta_lock for changes)
 * @desc: descriptor as on media (meta_lock for changes)
 * @provisioned: chunks (map_lock)
 * @kin: its snapshots, or whose snapshot it is, and whose clone (kin_sem)
 * @origin: of a snapshot: its volume; NULL when that is deleted (kin_sem, or ctl_lock)
 * @snapshots: how many it has, without deleted ones (ctl_lock)
 * @clones: of a snapshot: how many volumes are its clones (ctl_lock)
 * @merged: of a deleted snapshot: leaves of which nothing is left (its pool's worker)
 * @rolling: the snapshot that it is being made like; it cannot be opened before that is complete
 *	     (ctl_lock)
 * @dax_given: since it was opened, addresses of its chunks were given to somebody
 * @name: C string, for readers under ctl_lock or pmv_pools_sem
 * @by_name: in pool->names
 * @erasing: in pool->erasing, or of a snapshot in pool->merging, once deleted
 * @open_lock: for @openers and @dying
 * @openers: opens and mounts
 * @dying: cannot be opened any more
 * @damaged: its metadata is, and nothing of it is to be found; set on activation
 * @only_read: its pool was read-only before anybody could open it: nobody has mapped it for storing
 * @disk_added: the disk is visible
 * @dax_added: the DAX device is found by the disk
 * @minor: N of pmvN
 * @remove: for pmv_disk_remove_all()
 * @rcu: for pmv_failures_free()
 */
struct pmv_volume {
	struct pmv_top __rcu *top;
	u64 epoch;
	struct pmv_pool *pool;
	unsigned int chunk_shift;
	unsigned int chunk_mask;
	struct pmv_top *retired;
	struct gendisk *disk;
	struct dax_device *dax;
	struct mutex map_lock;
	struct pmv_map map;
	struct pmv_desc desc;
	u64 provisioned;
	struct pmv_kin kin;
	struct pmv_volume *origin;
	unsigned int snapshots;
	unsigned int clones;
	u64 merged;
	struct pmv_volume *rolling;
	bool dax_given;
	char name[PMV_NAME_MAX + 1];
	struct hlist_node by_name;
	struct list_head erasing;
	spinlock_t open_lock;
	unsigned int openers;
	bool dying;
	bool damaged;
	bool only_read;
	bool disk_added;
	bool dax_added;
	int minor;
	struct work_struct remove;
	struct rcu_head rcu;
};

#define PMV_NAME_HASH_BITS 10

/**
 * struct pmv_pool - an active pool
 * @list: in pmv_pools (pmv_pools_sem)
 * @member: of nr_members; grows under pmv_pools_sem for writing
 * @chunk_shift: log2 of the chunk size
 * @deep_flush: any member needs REQ_PREFLUSH
 * @write_cache: stores to any member have to be written back from the processor's cache
 * @node: NUMA node of the first member
 * @mode: enum pmemvol_pool_mode; READ_ONCE(), changed by pmv_pool_set_mode() alone
 * @setup_lock: see above
 * @is_up: the pool is complete (setup_lock)
 * @ctl_lock: see above
 * @volumes: by slot; the slot of a deleted one holds a value entry until it is erased (xa_lock;
 *	     ctl_lock to look at a volume)
 * @names: volumes and snapshots that are not deleted, by name (ctl_lock)
 * @nr_volumes: of the volumes (ctl_lock)
 * @nr_snapshots: of the snapshots (ctl_lock)
 * @promised_thin: chunks of thin volumes (ctl_lock)
 * @promised_thick: chunks of thick volumes and snapshots (ctl_lock)
 * @pages_max: metadata pages when all volumes are fully provisioned (ctl_lock)
 * @kin_sem: see above
 * @word_sem: see above
 * @meta_lock: see above
 * @contested: while the pool is loaded: one bit a chunk, that more than one owner claims
 * @mended: places of metadata that were repaired on activation
 * @told: lines about them in the log
 * @core: metadata on media (meta_lock)
 * @alloc_lock: see above
 * @alloc: chunks (alloc_lock)
 * @used_data: chunks provisioned to volumes that are not deleted (alloc_lock)
 * @low_water_told: the event has been sent (alloc_lock)
 * @erasing: deleted volumes (alloc_lock)
 * @merging: deleted snapshots, whose chunks others may get (alloc_lock)
 * @merging_chunks: what they have (alloc_lock)
 * @filling: the worker has a chunk that it zeroes for the stock (alloc_lock)
 * @work: erases and keeps the stock of zeroed chunks
 * @stopping: @work shall end soon
 * @space_wait: woken when chunks come back
 * @overcommit: percent
 * @low_water: percent
 */
struct pmv_pool {
	struct list_head list;
	char name[PMV_NAME_MAX + 1];
	struct pmv_member *member[PMV_MEMBERS_MAX];
	unsigned int nr_members;
	unsigned int chunk_shift;
	bool deep_flush;
	bool write_cache;
	int mode;
	int node;

	struct mutex setup_lock;
	bool is_up;

	struct mutex ctl_lock;
	struct xarray volumes;
	DECLARE_HASHTABLE(names, PMV_NAME_HASH_BITS);
	unsigned int nr_volumes;
	unsigned int nr_snapshots;
	u64 promised_thin;
	u64 promised_thick;
	u64 pages_max;
	u32 overcommit;
	u32 low_water;

	struct rw_semaphore kin_sem;
	struct rw_semaphore word_sem;
	struct mutex meta_lock;
	unsigned long *contested;
	u64 mended;
	unsigned int told;
	struct pmv_core core;

	spinlock_t alloc_lock;
	struct pmv_alloc alloc;
	u64 used_data;
	bool low_water_told;
	bool filling;
	struct list_head erasing;
	struct list_head merging;
	u64 merging_chunks;

	struct work_struct work;
	bool stopping;
	wait_queue_head_t space_wait;
};

extern struct rw_semaphore pmv_pools_sem;
extern struct list_head pmv_pools;
/* Changes whenever a pool comes or goes (pmv_pools_sem), so that a dump notices. Never 0. */
extern unsigned int pmv_pools_seq;

static inline u64 pmv_chunk_size(const struct pmv_pool *pool)
{
	return BIT_ULL(pool->chunk_shift);
}

static inline bool pmv_volume_thick(const struct pmv_volume *v)
{
	return le32_to_cpu(v->desc.flags) & PMV_DESC_THICK;
}

static inline enum pmv_claim pmv_volume_claim(const struct pmv_volume *v)
{
	return pmv_volume_thick(v) ? PMV_CLAIM_THICK : PMV_CLAIM_THIN;
}

static inline bool pmv_volume_is_snapshot(const struct pmv_volume *v)
{
	return v->desc.kind == PMV_DESC_SNAPSHOT;
}

/* Does nothing that this one has depend on others, nor theirs on it? */
static inline bool pmv_entry_is_own(const struct pmv_volume *v, u64 entry)
{
	return (entry & PMV_ENTRY_EPOCH) == READ_ONCE(v->epoch);
}

static inline struct pmv_member *pmv_entry_member(const struct pmv_pool *pool, u64 entry)
{
	return pool->member[entry & PMV_ENTRY_MEMBER];
}

#endif /* PMV_POOL_H */
