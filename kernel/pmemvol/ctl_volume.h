/* SPDX-License-Identifier: GPL-2.0 */
/* What operations on volumes and on snapshots share. Context of all: ctl_lock held. */
#ifndef PMV_CTL_VOLUME_H
#define PMV_CTL_VOLUME_H

#include "ctl.h"

/** pmv_ctl_check_mode() - may anything be created or changed? Return: 0 or -EROFS */
int pmv_ctl_check_mode(struct pmv_pool *pool, struct netlink_ext_ack *extack);

/** pmv_ctl_meta_error() - what an error of the metadata is to user space. Return: errno */
int pmv_ctl_meta_error(struct pmv_pool *pool, int ret, struct netlink_ext_ack *extack);

/** pmv_ctl_find() - a volume that is to be changed. @name: of it. Return: it or an ERR_PTR() */
struct pmv_volume *pmv_ctl_find(struct pmv_pool *pool, const char *name,
				struct netlink_ext_ack *extack);

/**
 * pmv_promise_check() - may this many chunks more be promised?
 * @pool: pool
 * @more: chunks
 * @pages: metadata pages they take
 * @thick: they must be there now; others may be promised up to the pool's ratio
 * @extack: for the reason of a refusal
 *
 * Return: 0 or -ENOSPC
 */
int pmv_promise_check(struct pmv_pool *pool, u64 more, u64 pages, bool thick,
		      struct netlink_ext_ack *extack);

/** pmv_promise() - hold chunks for a thick one. Return: 0 or -ENOSPC */
int pmv_promise(struct pmv_pool *pool, u64 chunks, bool thick, struct netlink_ext_ack *extack);
void pmv_unpromise(struct pmv_pool *pool, u64 chunks, bool thick);

/** pmv_slot_alloc() - a slot for a volume or snapshot. @slot: out. Return: 0 or errno */
int pmv_slot_alloc(struct pmv_pool *pool, u32 *slot, struct netlink_ext_ack *extack);

#endif /* PMV_CTL_VOLUME_H */
