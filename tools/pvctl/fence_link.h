/* SPDX-License-Identifier: GPL-2.0 */
/* The stable names /dev/nvme_fence/NAME. */
#ifndef PVCTL_FENCE_LINK_H
#define PVCTL_FENCE_LINK_H

#include "fence.h"
#include "pvctl.h"

#define PV_FENCE_LINK_MAX (NVME_FENCE_NAME_MAX + 32)

/** pv_fence_link_path() - stable name of an attachment. Return: @buf */
const char *pv_fence_link_path(const char *name, char buf[PV_FENCE_LINK_MAX]);

/** pv_fence_link_settle() - an attachment has appeared: its link is there afterwards, or a warning */
void pv_fence_link_settle(struct pv_ctx *ctx, const struct pv_attachment *a);

/** pv_fence_link_drop() - an attachment of this name is gone */
void pv_fence_link_drop(const char *name);

#endif /* PVCTL_FENCE_LINK_H */
