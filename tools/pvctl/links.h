/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The stable names /dev/pmemvol/POOL/VOLUME, and /dev/pmemvol/POOL/VOLUME@SNAPSHOT
 * of snapshots that are activated. udev makes them from the rules
 * that are installed with pvctl; where no udev runs (initramfs, containers)
 * pvctl does. A link is dropped only when the kernel says that it leads wrong,
 * so that it does not matter who is first.
 */
#ifndef PVCTL_LINKS_H
#define PVCTL_LINKS_H

#include "object.h"
#include "parse.h"
#include "pvctl.h"

#define PV_LINK_MAX (3 * PMEMVOL_NAME_MAX + 32)

/** pv_link_path() - stable name of a volume. Return: @buf */
const char *pv_link_path(const char *pool, const char *volume, char buf[PV_LINK_MAX]);

/**
 * pv_link_snapshot_path() - stable name of a snapshot's device
 *
 * Return: @buf; NULL: not activated, or both names together are longer than a file's may be
 */
const char *pv_link_snapshot_path(const struct pv_snapshot *snapshot, char buf[PV_LINK_MAX]);

/**
 * pv_link_settle() - a volume has appeared or changed its name
 *
 * With udev: wait a bounded time until the link leads to the volume.
 * Without, or when that was in vain: make it. Failing to is a warning, the
 * volume is usable without.
 */
void pv_link_settle(struct pv_ctx *ctx, const struct pv_volume *volume);

/** pv_link_drop() - a volume of this name is gone */
void pv_link_drop(const char *pool, const char *volume);

/** pv_link_settle_snapshot() - a snapshot has been activated */
void pv_link_settle_snapshot(struct pv_ctx *ctx, const struct pv_snapshot *snapshot);

/** pv_link_drop_snapshot() - it is active no more, or gone */
void pv_link_drop_snapshot(const struct pv_snapshot_name *name);

/** pv_link_move_snapshots() - a volume that was called @old has another name */
void pv_link_move_snapshots(struct pv_ctx *ctx, const struct pv_volume *volume, const char *old);

/** pv_link_settle_pool() - a pool was activated: all its volumes have appeared */
void pv_link_settle_pool(struct pv_ctx *ctx, const char *pool);

/** pv_link_drop_pool() - a pool is gone, and with it all its volumes */
void pv_link_drop_pool(const char *pool);

#endif /* PVCTL_LINKS_H */
