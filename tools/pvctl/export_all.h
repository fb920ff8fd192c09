/* SPDX-License-Identifier: GPL-2.0 */
/* What the commands on one export and those on all of them share. */
#ifndef PVCTL_EXPORT_ALL_H
#define PVCTL_EXPORT_ALL_H

#include "export.h"
#include "export_output.h"
#include "object.h"

/** pv_export_apply() - make one port of an export in the kernel, unless the volume is in use here */
int pv_export_apply(struct pv_ctx *ctx, const struct pv_export *e,
		    const struct pv_export_port *port, const struct pv_volume *volume);

/** pv_export_views() - one for each port. @nr: how many. Return: to be freed */
struct pv_export_view *pv_export_views(const struct pv_exports *exports,
				       const struct pv_volumes *volumes, size_t *nr);

#endif /* PVCTL_EXPORT_ALL_H */
