/* SPDX-License-Identifier: GPL-2.0 */
/* The kernel module's commands as functions. */
#ifndef PVCTL_CTL_H
#define PVCTL_CTL_H

#include "object.h"
#include "parse.h"
#include "pvctl.h"

/**
 * struct pv_pool_request - what a command on a pool says
 * @name: always
 * @devices: members, in order
 * @nr_devices: how many
 * @force: see the header
 * @chunk_size: 0 leaves it to the kernel
 * @overcommit: 0 leaves it as it is
 * @low_water: valid with @has_low_water
 * @has_low_water: because 0 is a value
 */
struct pv_pool_request {
	const char *name;
	const char **devices;
	unsigned int nr_devices;
	bool force;
	uint32_t chunk_size;
	uint32_t overcommit;
	uint32_t low_water;
	bool has_low_water;
};

/** pv_pool_call() - any POOL_ command but the dump. @out: the pool in the reply; NULL where there is none */
int pv_pool_call(struct pv_ctx *ctx, int cmd, const struct pv_pool_request *request,
		 struct pv_pool *out);

int pv_pool_get(struct pv_ctx *ctx, const char *name, struct pv_pool *out);
int pv_pool_dump(struct pv_ctx *ctx, struct pv_pools *out);

/**
 * struct pv_volume_request - what a command on a volume says
 * @pool: always
 * @name: always
 * @new_name: rename only
 * @size: create and resize; clone: at least, 0: as the snapshot
 * @thick: create and clone only
 * @origin: clone only: the volume that @snapshot is of
 * @snapshot: clone and rollback, and the commands on snapshots
 */
struct pv_volume_request {
	const char *pool;
	const char *name;
	const char *new_name;
	uint64_t size;
	bool thick;
	const char *origin;
	const char *snapshot;
};

/** pv_volume_call() - any VOLUME_ command but the dump. @out: as for pv_pool_call() */
int pv_volume_call(struct pv_ctx *ctx, int cmd, const struct pv_volume_request *request,
		   struct pv_volume *out);

int pv_volume_get(struct pv_ctx *ctx, const char *pool, const char *name, struct pv_volume *out);

/** pv_volume_dump() - every volume. @pool: of that pool only, unless NULL */
int pv_volume_dump(struct pv_ctx *ctx, const char *pool, struct pv_volumes *out);

/** pv_snapshot_call() - any SNAPSHOT_ command but the dump. @out: as for pv_pool_call() */
int pv_snapshot_call(struct pv_ctx *ctx, int cmd, const struct pv_snapshot_name *name,
		     struct pv_snapshot *out);

/** pv_snapshot_dump() - snapshots of all pools, or of @pool, or of @volume in it. May be NULL */
int pv_snapshot_dump(struct pv_ctx *ctx, const char *pool, const char *volume,
		     struct pv_snapshots *out);

#endif /* PVCTL_CTL_H */
