/* SPDX-License-Identifier: GPL-2.0 */
/* The data path: I/O, chunks and what becomes of them. See data_map.h for the maps. */
#ifndef PMV_DATA_H
#define PMV_DATA_H

#include "pool.h"

/* ---- data_bio.c ---- */

void pmv_submit_bio(struct bio *bio);

/** pmv_submit_snapshot_bio() - of the disk of a snapshot, which nobody changes */
void pmv_submit_snapshot_bio(struct bio *bio);

/* ---- data_bad.c ---- */

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

/** pmv_stock_is_spent() - has the pool nothing left for thin volumes? Context: any */
bool pmv_stock_is_spent(struct pmv_pool *pool);

/** pmv_stock_wait() - wait until @chunks are free or none will be. Context: as pmv_stock_take() */
void pmv_stock_wait(struct pmv_pool *pool, unsigned int chunks);

/** pmv_stock_space_back() - chunks were freed or added: wake waiters, let thin volumes write */
void pmv_stock_space_back(struct pmv_pool *pool);

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

#endif /* PMV_DATA_H */
