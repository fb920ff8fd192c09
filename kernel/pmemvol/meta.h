/* SPDX-License-Identifier: GPL-2.0 */
/* The metadata path: what core/ writes to media, and room for it. */
#ifndef PMV_META_H
#define PMV_META_H

#include "core/find.h"
#include "pool.h"

/* ---- meta_media.c ---- */

extern const struct pmv_media_ops pmv_media_ops;

/* ---- meta_nt.c ---- */

/** pmv_copy_nt() - copy to persistent memory past the cache, as memcpy_flushcache(); unfenced. */
void pmv_copy_nt(void *dst, const void *src, size_t len);

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

#endif /* PMV_META_H */
