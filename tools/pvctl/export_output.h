/* SPDX-License-Identifier: GPL-2.0 */
/* Exports on standard output. */
#ifndef PVCTL_EXPORT_OUTPUT_H
#define PVCTL_EXPORT_OUTPUT_H

#include "export.h"
#include "nvmet.h"

/**
 * struct pv_export_view - an export as it is shown: one for each of its ports
 * @disk: of the volume, empty when it is not there
 */
struct pv_export_view {
	const struct pv_export *e;
	const struct pv_export_port *port;
	struct pv_nvmet_state state;
	char pool[PMV_NAME_MAX + 1];
	char volume[PMV_NAME_MAX + 1];
	char disk[PV_DEVICE_MAX];
};

struct json_object *pv_json_export(const struct pv_export_view *view);
void pv_print_export(const struct pv_ctx *ctx, const struct pv_export_view *view);
void pv_print_exports(const struct pv_ctx *ctx, const struct pv_export_view *view, size_t nr);

#endif /* PVCTL_EXPORT_OUTPUT_H */
