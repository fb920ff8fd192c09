/* SPDX-License-Identifier: GPL-2.0 */
/* A block device out of the free capacity of an NVDIMM region. */
#ifndef PVCTL_NAMESPACE_H
#define PVCTL_NAMESPACE_H

#include "object.h"
#include "pvctl.h"

/**
 * struct pv_namespace - an fsdax namespace for a pool
 * @region: "region0"
 * @name: "namespace0.1"
 * @device: "/dev/pmem0.1"
 * @bare: raw, of a region without labels: it cannot be less than that
 * @made: it was made or converted here, so that undoing has something to do
 */
struct pv_namespace {
	char region[PV_DEVICE_MAX];
	char name[PV_DEVICE_MAX];
	char device[PV_DEVICE_MAX];
	bool bare;
	bool made;
};

/**
 * pv_namespace_lock() - one at a time makes and removes namespaces
 * @lock: to be closed when what was made is what it is to be
 */
int pv_namespace_lock(struct pv_ctx *ctx, int *lock);

/**
 * pv_namespace_create() - make one over all that is available in a region
 * @region: its name
 * @force: convert a raw namespace of a region without labels even when something is written on it
 * @out: result
 *
 * In a region without labels, whose one namespace always exists, that one is taken. So is, where
 * nothing is available, one with nothing on it that pvctl has made. The lock is held.
 */
int pv_namespace_create(struct pv_ctx *ctx, const char *region, bool force,
			struct pv_namespace *out);

/** pv_namespace_left() - has a command that was killed left a namespace that nobody has used? */
int pv_namespace_left(struct pv_ctx *ctx, const char *region, bool *left);

/** pv_namespace_available() - bytes one more namespace could have. @bytes: result */
int pv_namespace_available(struct pv_ctx *ctx, const char *region, uint64_t *bytes);

/** pv_namespace_find() - where a namespace is. @out: result; its device is empty when it is not started */
int pv_namespace_find(struct pv_ctx *ctx, const char *name, struct pv_namespace *out);

/** pv_namespace_only() - the one fsdax namespace of a region; NOT_FOUND when there is none, or several */
int pv_namespace_only(struct pv_ctx *ctx, const char *region, struct pv_namespace *out);

/** pv_namespace_remove() - remove a namespace that nobody uses, with what is in it */
int pv_namespace_remove(struct pv_ctx *ctx, const char *name, const char *region);

/** pv_namespace_undo() - remove what pv_namespace_create() has made. Failing to is a warning */
void pv_namespace_undo(struct pv_ctx *ctx, const struct pv_namespace *ns);

#endif /* PVCTL_NAMESPACE_H */
