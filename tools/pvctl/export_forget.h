/* SPDX-License-Identifier: GPL-2.0 */
/* Exports that end for good: by unexport, or because their volume is no more. */
#ifndef PVCTL_EXPORT_FORGET_H
#define PVCTL_EXPORT_FORGET_H

#include "export.h"
#include "object.h"

/** pv_export_volume() - the volume of a record, whatever it is called now, or NULL */
const struct pv_volume *pv_export_volume(const struct pv_volumes *volumes,
					 const struct pv_export *e);

/**
 * pv_export_is_left() - is it a record of a volume that was deleted?
 * @pool, @volume: the name it was exported by; @volume: NULL: any of the pool
 * @before: volumes that were there and were deleted, whatever their record calls them
 * @there: volumes that there are
 */
bool pv_export_is_left(const struct pv_export *e, const char *pool, const char *volume,
		       const struct pv_volumes *before, const struct pv_volumes *there);

/**
 * pv_export_end() - in the kernel first, then in the record
 * @dir: of the records, locked; -1: there are none
 * @transport: of this port only; NULL: of all. @e is what is left afterwards
 * @found: set when there was something
 */
int pv_export_end(struct pv_ctx *ctx, int dir, struct pv_export *e,
		  const enum pv_transport *transport, bool *found);

/**
 * pv_export_forget() - a volume, or with @volume NULL all of a pool, has been deleted
 * @before: of these volumes what there was
 *
 * What is on record of their exports is removed, of one that was deleted earlier by its name. Failing
 * to is a warning.
 */
void pv_export_forget(struct pv_ctx *ctx, const char *pool, const char *volume,
		      const struct pv_volumes *before);

#endif /* PVCTL_EXPORT_FORGET_H */
