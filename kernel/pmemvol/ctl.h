/* SPDX-License-Identifier: GPL-2.0 */
/* The control path: pools, their members, volumes and snapshots come, change and go. */
#ifndef PMV_CTL_H
#define PMV_CTL_H

#include "pool.h"

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
 * Sends an event when it changes. Context: process, no spinlock held. Return: has it changed?
 */
bool pmv_pool_set_mode(struct pmv_pool *pool, int mode);

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

/**
 * pmv_failures_wait() - returns when nobody looks at what was found before
 *
 * Whoever handles a failure finds volumes without a lock. Those with a DAX device are waited for by
 * kill_dax().
 * Context: process, may sleep; not where a failure is handled, nor what that waits for: setup_lock,
 * the locks of pool.h below ctl_lock, the pool's worker.
 */
void pmv_failures_wait(void);

/** pmv_failures_free() - pmv_volume_free() after that, without waiting. Context: any */
void pmv_failures_free(struct pmv_volume *v);

/** pmv_failures_exit() - nothing is left to be freed */
void pmv_failures_exit(void);

/** pmv_member_close() - let a device go. @m: member released, or NULL. Context: process */
void pmv_member_close(struct pmv_member *m);

/** pmv_member_bdev() - the block device of a member */
struct block_device *pmv_member_bdev(const struct pmv_member *m);

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
 * @room: for the map of so many chunks, which are all or none: then it is made for the first
 *	  chunk. Many a snapshot never gets one, and the time it takes grows with its size
 *
 * Context: process. Return: the volume, to be freed by pmv_volume_free(), or NULL.
 */
struct pmv_volume *pmv_volume_alloc(struct pmv_pool *pool, u64 chunks, u64 room);
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

#endif /* PMV_CTL_H */
