/* SPDX-License-Identifier: GPL-2.0 */
/* What a pool stands on. */
#ifndef PVCTL_REGION_H
#define PVCTL_REGION_H

#include <stddef.h>

struct json_object;
struct pv_pool;

/** pv_region_add_ground() - add region, interleaving and DIMMs to each of a pool's members as JSON */
void pv_region_add_ground(const struct pv_pool *pool, struct json_object *members);

/** pv_region_dimms_text() - "nmem0: ok, failed-save; nmem1: unknown" */
void pv_region_dimms_text(struct json_object *dimms, char *buf, size_t size);

#endif /* PVCTL_REGION_H */
