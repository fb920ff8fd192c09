/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What a pool, a member and a volume are in memory, and which lock protects what.
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
 */
struct pmv_volume {
	struct pmv_top __rcu *top;
	u64 epoch;
	struct pmv_top *retired;
	struct pmv_pool *pool;
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
};

#define PMV_NAME_HASH_BITS 10

/**
 * struct pmv_pool - an active pool
 * @list: in pmv_pools (pmv_pools_sem)
 * @member: of nr_members; grows under pmv_pools_sem for writing
 * @chunk_shift: log2 of the chunk size
 * @deep_flush: any member needs REQ_PREFLUSH
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

/* ---- ctl_pool.c ---- */

struct netlink_ext_ack;
struct nlattr;

/**
 * struct pmv_device - a device named in a request
 * @path: of it
 * @attr: where it was named, for the error report
 */
struct pmv_device {
	const char *path;
	const struct nlattr *attr;
};

struct pmv_pool_params {
	const char *name;
	size_t name_len;
	const u8 *uuid;			/* NULL: make one */
	const struct pmv_device *device;
	unsigned int nr_devices;
	bool force;
	u32 chunk_size;			/* 0: default */
	u32 overcommit;			/* 0: default, or unchanged */
	u32 low_water;			/* -1: default, or unchanged */
};

#define PMV_LOW_WATER_UNSET	U32_MAX

/**
 * pmv_pool_find() - find an active pool
 * @name: of it
 *
 * Context: pmv_pools_sem held.
 * Return: the pool or NULL.
 */
struct pmv_pool *pmv_pool_find(const char *name);

/* The operations of the same names; process context, they take pmv_pools_sem for writing. */
int pmv_pool_create(const struct pmv_pool_params *p, struct netlink_ext_ack *extack);
int pmv_pool_activate(const struct pmv_pool_params *p, struct netlink_ext_ack *extack);
int pmv_pool_extend(const struct pmv_pool_params *p, struct netlink_ext_ack *extack);
int pmv_pool_set(const struct pmv_pool_params *p, struct netlink_ext_ack *extack);
int pmv_pool_deactivate(const struct pmv_pool_params *p, struct netlink_ext_ack *extack);
int pmv_pool_destroy(const struct pmv_pool_params *p, struct netlink_ext_ack *extack);

/**
 * pmv_pool_set_mode() - the one place where a pool's mode changes
 * @pool: pool
 * @mode: PMEMVOL_MODE_*; from READ_ONLY and FAILED there is no way back
 *
 * Sends an event when it changes. Context: process, no spinlock held.
 */
void pmv_pool_set_mode(struct pmv_pool *pool, int mode);

/**
 * pmv_pool_capacity() - chunks volumes may be promised
 * @pool: pool
 * @pages: metadata pages all volumes together need when fully provisioned
 *
 * Context: ctl_lock held.
 */
u64 pmv_pool_capacity(struct pmv_pool *pool, u64 pages);

/* ---- ctl_layout.c ---- */

/*
 * Claim the devices of @p as members from number @from on; let members @from to @to - 1 go, also
 * after the first has failed. Context: pmv_pools_sem held for writing, for this and what follows;
 * setup_lock held, but not for closing.
 */
int pmv_layout_open(struct pmv_pool *pool, unsigned int from, const struct pmv_pool_params *p,
		    struct netlink_ext_ack *extack);
void pmv_layout_close(struct pmv_pool *pool, unsigned int from, unsigned int to);

/** pmv_layout_format() - make a pool on claimed members. Return: 0 or errno with the reason */
int pmv_layout_format(struct pmv_pool *pool, const struct pmv_pool_params *p,
		      struct netlink_ext_ack *extack);

/** pmv_layout_assemble() - bring claimed members into order. Return: 0 or errno with the reason */
int pmv_layout_assemble(struct pmv_pool *pool, const struct pmv_pool_params *p,
			struct netlink_ext_ack *extack);

/**
 * pmv_layout_extend() - lay out claimed members behind those the pool has
 * @pool: pool
 * @p: devices of the new members
 * @sb: out: the superblock with them
 * @data_off: out: where the chunks of each new one begin
 * @extack: for the reason of a refusal
 *
 * Nothing on media changes. Return: 0 or errno.
 */
int pmv_layout_extend(struct pmv_pool *pool, const struct pmv_pool_params *p, struct pmv_sb *sb,
		      u64 *data_off, struct netlink_ext_ack *extack);

/* ---- ctl_member.c ---- */

/**
 * pmv_member_open() - claim a device and learn where it is mapped
 * @m: zeroed, but for its pool
 * @d: the block device
 * @extack: for the reason of a refusal
 *
 * From here on its failures are told to the pool. Context: process, setup_lock held.
 * Return: 0 or errno; the member has to be closed in either case, and without setup_lock.
 */
int pmv_member_open(struct pmv_member *m, const struct pmv_device *d,
		    struct netlink_ext_ack *extack);

/**
 * pmv_members_release() - returns when no failure of the members is looked at any more
 * @pool: pool; setup_lock is not held
 * @from: the first of them
 * @to: behind the last one
 *
 * Their memory stays until they are closed.
 */
void pmv_members_release(struct pmv_pool *pool, unsigned int from, unsigned int to);

/** pmv_member_close() - let a device go. @m: member released, or NULL. Context: process */
void pmv_member_close(struct pmv_member *m);

/** pmv_member_bdev() - the block device of a member */
struct block_device *pmv_member_bdev(const struct pmv_member *m);

/**
 * pmv_member_bad() - is anything of a range known to be bad?
 * @m: member
 * @off: bytes from the start of its device
 * @len: bytes
 *
 * Context: rcu_read_lock(), or any lock that pmv_holder_ops takes before it lets the member go.
 */
static inline bool pmv_member_bad(const struct pmv_member *m, u64 off, size_t len)
{
	struct badblocks *bb = READ_ONCE(m->bb);

	return bb && unlikely(READ_ONCE(bb->count)) &&
	       compat_badblocks_any(m->dax, bb, m->bb_start + (off >> SECTOR_SHIFT),
				    DIV_ROUND_UP(len, SECTOR_SIZE));
}

/* ---- data_bad.c ---- */

/**
 * pmv_member_failed() - memory of a member was told to have failed: remember it
 * @m: member
 * @off: bytes from the start of its device
 * @len: bytes, may be more than there are
 *
 * Context: process, may sleep.
 */
void pmv_member_failed(struct pmv_member *m, u64 off, u64 len);

/**
 * pmv_member_cleared() - whole pages were made good again: forget that they had failed
 * @m: member
 * @off: bytes from the start of its device, a multiple of PAGE_SIZE
 * @len: bytes
 *
 * Context: process; does not sleep.
 */
void pmv_member_cleared(struct pmv_member *m, u64 off, u64 len);

/**
 * pmv_member_zero() - zero a page, and clear what is known to be bad in it
 * @m: member
 * @off: bytes from the start of its device, a multiple of PAGE_SIZE
 *
 * Context: process, dax_read_lock(), may sleep. Return: 0, or that of dax_zero_page_range().
 */
int pmv_member_zero(struct pmv_member *m, u64 off);

/**
 * pmv_member_clear() - zero pages, and clear what is known to be bad in them
 * @m: member
 * @off: bytes from the start of its device
 * @len: bytes
 *
 * Context: process, may sleep. Return: 0, -EIO unless these are whole pages, or that of
 * dax_zero_page_range(): then the rest is as before.
 */
int pmv_member_clear(struct pmv_member *m, u64 off, u64 len);

/* ---- ctl_member.c ---- */

/** pmv_member_nr_bad() - known bad ranges of a member. Context: any */
unsigned int pmv_member_nr_bad(const struct pmv_member *m);

/**
 * pmv_member_place() - set where a member's chunks are
 * @m: member
 * @index: its number there
 * @first: number of its first chunk
 * @chunks: how many
 * @data_off: where they begin
 *
 * Return: 0, or -EMEDIUMTYPE when chunks would not be aligned in the kernel's mapping.
 */
int pmv_member_place(struct pmv_member *m, unsigned int index, u64 first, u64 chunks, u64 data_off);

/* ---- ctl_volume.c ---- */

struct pmv_volume_request {
	const char *name;
	size_t name_len;
	const char *new_name;
	size_t new_name_len;
	const u8 *uuid;
	u64 size;
	bool thick;
	const char *origin;
	const char *snapshot;
	size_t snapshot_len;
	const u8 *snapshot_uuid;
};

/** pmv_volume_find() - find a volume by name. Context: pool->ctl_lock held. Return: it or NULL. */
struct pmv_volume *pmv_volume_find(struct pmv_pool *pool, const char *name);

/**
 * pmv_snapshot_find() - find a snapshot by name
 * @pool: pool
 * @origin: slot of its volume
 * @name: of the snapshot
 *
 * Context: pool->ctl_lock held. Return: it or NULL.
 */
struct pmv_volume *pmv_snapshot_find(struct pmv_pool *pool, u32 origin, const char *name);

/*
 * Operations on the volumes of a pool. Context: process; pmv_pools_sem held for reading and
 * pool->ctl_lock held. They return an errno with the reason in @extack; create, resize and
 * rename return the volume.
 */
struct pmv_volume *pmv_ctl_volume_create(struct pmv_pool *pool, const struct pmv_volume_request *r,
					 struct netlink_ext_ack *extack);
struct pmv_volume *pmv_ctl_volume_resize(struct pmv_pool *pool, const struct pmv_volume_request *r,
					 struct netlink_ext_ack *extack);
struct pmv_volume *pmv_ctl_volume_rename(struct pmv_pool *pool, const struct pmv_volume_request *r,
					 struct netlink_ext_ack *extack);
int pmv_ctl_volume_delete(struct pmv_pool *pool, const struct pmv_volume_request *r,
			  struct netlink_ext_ack *extack);

/**
 * pmv_ctl_volume_largest() - bytes of the largest volume that could be made now, 0: none
 * @pool: pool
 * @thick: of which kind
 *
 * Context: as the operations above.
 */
u64 pmv_ctl_volume_largest(struct pmv_pool *pool, bool thick);

/**
 * pmv_volume_alloc() - memory for a volume, without disk
 * @pool: pool
 * @chunks: size
 *
 * Context: process. Return: the volume, to be freed by pmv_volume_free(), or NULL.
 */
struct pmv_volume *pmv_volume_alloc(struct pmv_pool *pool, u64 chunks);
void pmv_volume_free(struct pmv_volume *v);

/** pmv_volume_hash() - make one known by its name. Context: ctl_lock or pool private */
void pmv_volume_hash(struct pmv_volume *v);

/* ---- ctl_snapshot.c ---- */

/*
 * Operations on snapshots, and on volumes by way of them; as those on volumes. Create, get and
 * the like return the snapshot, clone and rollback the volume.
 */
struct pmv_volume *pmv_ctl_snapshot_get(struct pmv_pool *pool, const struct pmv_volume_request *r,
					struct netlink_ext_ack *extack);
struct pmv_volume *pmv_ctl_snapshot_create(struct pmv_pool *pool,
					   const struct pmv_volume_request *r,
					   struct netlink_ext_ack *extack);
int pmv_ctl_snapshot_delete(struct pmv_pool *pool, const struct pmv_volume_request *r,
			    struct netlink_ext_ack *extack);
struct pmv_volume *pmv_ctl_snapshot_activate(struct pmv_pool *pool,
					     const struct pmv_volume_request *r,
					     struct netlink_ext_ack *extack);
struct pmv_volume *pmv_ctl_snapshot_deactivate(struct pmv_pool *pool,
					       const struct pmv_volume_request *r,
					       struct netlink_ext_ack *extack);
struct pmv_volume *pmv_ctl_volume_clone(struct pmv_pool *pool, const struct pmv_volume_request *r,
					struct netlink_ext_ack *extack);
struct pmv_volume *pmv_ctl_volume_rollback(struct pmv_pool *pool,
					   const struct pmv_volume_request *r,
					   struct netlink_ext_ack *extack);

/** pmv_rollback_finish() - make @v what v->rolling shows. Context: ctl_lock held. Return: errno */
int pmv_rollback_finish(struct pmv_volume *v);

/** pmv_refuse_snapshots() - say that a volume has snapshots, and which. Return: -EBUSY */
int pmv_refuse_snapshots(struct pmv_volume *v, struct netlink_ext_ack *extack);

/* ---- ctl_disk.c ---- */

/** pmv_disk_make() - allocate disk and DAX device of a volume, not yet visible. Return: errno */
int pmv_disk_make(struct pmv_volume *v);

/** pmv_disk_add() - make them visible. Return: 0 or errno, then pmv_disk_remove() is due */
int pmv_disk_add(struct pmv_volume *v);

/**
 * pmv_disk_remove() - undo pmv_disk_add() and pmv_disk_make()
 *
 * Returns when no I/O and no DAX access to the volume is under way. Nobody has it open.
 */
void pmv_disk_remove(struct pmv_volume *v);

/** pmv_disk_try_kill() - no more opens. Return: 0, or -EBUSY when it is open */
int pmv_disk_try_kill(struct pmv_volume *v);

/** pmv_disk_remove_all() - pmv_disk_remove() for all volumes of a pool, many at a time */
void pmv_disk_remove_all(struct pmv_pool *pool);
void pmv_disk_unkill(struct pmv_volume *v);

extern const struct block_device_operations pmv_disk_fops;
extern const struct dax_operations pmv_dax_ops;
extern const struct dax_holder_operations pmv_holder_ops;

int pmv_disk_init(void);
void pmv_disk_exit(void);

/* ---- data_freeze.c ---- */

/**
 * pmv_volume_hold_still() - change something while nobody stores to a volume
 * @v: volume with its disk
 * @change: called with the file system frozen and all mappings of DAX files taken away
 * @arg: for @change
 * @extack: for the reason of a refusal that is not @change's
 *
 * Raw writers are not stopped: @change sees to those itself, as pmv_snap_switch() does.
 *
 * Context: process, may wait long for the file system.
 * Return: what @change did; -EAGAIN pages stay pinned; -EOPNOTSUPP mappings cannot be found;
 * -EBUSY or what else freezing said.
 */
int pmv_volume_hold_still(struct pmv_volume *v, int (*change)(struct pmv_volume *v, void *arg),
			  void *arg, struct netlink_ext_ack *extack);

/* ---- data_bio.c ---- */

void pmv_submit_bio(struct bio *bio);

/** pmv_submit_snapshot_bio() - of the disk of a snapshot, which nobody changes */
void pmv_submit_snapshot_bio(struct bio *bio);

/* ---- data_stock.c: zeroed chunks and erasing ---- */

/** pmv_stock_runs() - may chunks still come back? Not when the pool stops or may not change */
static inline bool pmv_stock_runs(const struct pmv_pool *pool)
{
	return !READ_ONCE(pool->stopping) && READ_ONCE(pool->mode) < PMEMVOL_MODE_READ_ONLY;
}

int pmv_stock_init(void);
void pmv_stock_exit(void);

/** pmv_stock_setup() - before anything else of a pool; its worker does not run yet */
void pmv_stock_setup(struct pmv_pool *pool);

/** pmv_stock_start() - begin background work. @pool: fully set up */
void pmv_stock_start(struct pmv_pool *pool);

/** pmv_stock_stop() - end background work; what is not erased goes on at the next activation */
void pmv_stock_stop(struct pmv_pool *pool);

/** pmv_stock_kick() - there is something to erase or the stock is low. Context: any */
void pmv_stock_kick(struct pmv_pool *pool);

/**
 * pmv_stock_take() - get a zeroed, fenced chunk
 * @pool: pool
 * @claim: on whose account
 * @hint: chunk best taken
 * @chunk: out
 *
 * Waits for chunks that are being erased. Context: process, no lock below ctl_lock held.
 * Return: 0, -ENOSPC, -ENXIO.
 */
int pmv_stock_take(struct pmv_pool *pool, enum pmv_claim claim, u64 hint, u64 *chunk);

/** pmv_stock_put() - give back an unused zeroed chunk. */
void pmv_stock_put(struct pmv_pool *pool, enum pmv_claim claim, u64 chunk);

/** pmv_stock_defer() - give back a chunk that others may still look at; it is erased later. */
void pmv_stock_defer(struct pmv_pool *pool, enum pmv_claim claim, u64 chunk);

/** pmv_stock_erase_volume() - erase the chunks of a deleted volume in the background */
void pmv_stock_erase_volume(struct pmv_volume *v);

/* ---- data_merge.c: what becomes of a deleted snapshot's chunks ---- */

/** pmv_merge_snapshot() - from now on in the background. @s: deleted on media, not open */
void pmv_merge_snapshot(struct pmv_volume *s);

/** pmv_merge_some() - the worker's part of it. Return: something was done, there may be more */
bool pmv_merge_some(struct pmv_pool *pool);

/* ---- data_roll.c ---- */

/**
 * pmv_roll_foresee() - would a rollback meet bad media that are known?
 * @v: the volume, which nobody has open
 * @target: one of its snapshots
 *
 * Context: process, ctl_lock held. Return: 0, -EIO, -EINTR, or errno.
 */
int pmv_roll_foresee(struct pmv_volume *v, struct pmv_volume *target);

/**
 * pmv_roll_back() - make a volume what its snapshot shows
 * @v: volume, marked on media; nobody has it open, nor can
 * @target: the snapshot
 *
 * Context: process; ctl_lock held, or the pool is not known yet. Return: 0, or errno: it has to be
 * repeated.
 */
int pmv_roll_back(struct pmv_volume *v, struct pmv_volume *target);

/** pmv_stock_wait() - wait until @chunks are free or none will be. Context: as pmv_stock_take() */
void pmv_stock_wait(struct pmv_pool *pool, unsigned int chunks);

/** pmv_stock_space_back() - chunks were freed or added: wake waiters, let thin volumes write */
void pmv_stock_space_back(struct pmv_pool *pool);

/* ---- meta_media.c ---- */

extern const struct pmv_media_ops pmv_media_ops;

/** pmv_zero_nt() - clear persistent memory past the cache; unfenced. */
void pmv_zero_nt(void *addr, size_t len);

/* ---- meta_space.c ---- */

/**
 * pmv_meta_lock() - take meta_lock to change what is on media
 * @pool: pool
 *
 * Return: 0, or -ENXIO, without the lock, when a member is gone: nothing may be touched then.
 */
int pmv_meta_lock(struct pmv_pool *pool);
void pmv_meta_unlock(struct pmv_pool *pool);

/**
 * pmv_meta_reserve() - make sure metadata pages are free
 * @pool: pool
 * @pages: how many
 *
 * Others may take them before the caller does: he tries again then.
 * Context: process, no lock below ctl_lock held; does not start I/O.
 * Return: 0, -ENOSPC, -ENOMEM.
 */
int pmv_meta_reserve(struct pmv_pool *pool, u64 pages);

/** pmv_meta_try() - the same, but -EAGAIN when it would have to wait for chunks being erased */
int pmv_meta_try(struct pmv_pool *pool, u64 pages);

unsigned long *pmv_meta_segment_map(unsigned int bits);

/* ---- meta_load.c ---- */

/**
 * pmv_load_report() - tell the log of something wrong that activation has found
 * @pool: pool
 * @f: what
 */
void pmv_load_report(struct pmv_pool *pool, const struct pmv_finding *f);

/**
 * pmv_pool_load() - read the metadata of a pool into memory
 * @pool: with core initialised and allocator empty
 * @extack: reason of a refusal
 *
 * What has one good copy is repaired. Volumes of which something has none are marked damaged, and
 * the pool becomes read-only.
 *
 * Context: process. Return: 0 or errno; the caller frees what was made so far.
 */
int pmv_pool_load(struct pmv_pool *pool, struct netlink_ext_ack *extack);

/* ---- ctl_event.c ---- */

/**
 * pmv_event() - tell listeners
 * @type: PMEMVOL_EVENT_*
 * @pool: which
 * @v: volume or NULL
 *
 * Context: process, may sleep, does not start I/O. An event that cannot be sent is lost; the
 * sequence number shows it.
 */
void pmv_event(enum pmemvol_event type, struct pmv_pool *pool, struct pmv_volume *v);

/* ---- ctl_netlink.c ---- */

int pmv_netlink_init(void);
void pmv_netlink_exit(void);
extern struct genl_family pmv_genl_family;

/* ---- ctl_reply.c ---- */

int pmv_netlink_put_event(struct sk_buff *skb, enum pmemvol_event type, u64 seq,
			  struct pmv_pool *pool, struct pmv_volume *v);

#endif /* PMV_POOL_H */
