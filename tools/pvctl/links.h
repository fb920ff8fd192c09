/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The stable names /dev/pmemvol/POOL/VOLUME. udev makes them from the rules
 * that are installed with pvctl; where no udev runs (initramfs, containers)
 * pvctl does. A link is dropped only when the kernel says that it leads wrong,
 * so that it does not matter who is first.
 */
#ifndef PVCTL_LINKS_H
#define PVCTL_LINKS_H

#include "object.h"
#include "pvctl.h"

#define PV_LINK_MAX (2 * PMEMVOL_NAME_MAX + 32)

/** pv_link_path() - stable name of a volume. Return: @buf */
const char *pv_link_path(const char *pool, const char *volume, char buf[PV_LINK_MAX]);

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

/** pv_link_settle_pool() - a pool was activated: all its volumes have appeared */
void pv_link_settle_pool(struct pv_ctx *ctx, const char *pool);

/** pv_link_drop_pool() - a pool is gone, and with it all its volumes */
void pv_link_drop_pool(const char *pool);

#endif /* PVCTL_LINKS_H */
