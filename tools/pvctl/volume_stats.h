/* SPDX-License-Identifier: GPL-2.0 */
/* What is told of a volume that is in use. */
#ifndef PVCTL_VOLUME_STATS_H
#define PVCTL_VOLUME_STATS_H

#include <sys/statvfs.h>

#include "media.h"
#include "object.h"
#include "sysfs.h"

struct json_object;

/**
 * struct pv_stats - a place where a volume is
 * @path: of it; NULL: nowhere
 * @has_fs: @fs and @mount are known; a device node otherwise
 * @bads: where the medium is bad below it
 */
struct pv_stats {
	const char *path;
	bool has_fs;
	struct statvfs fs;
	struct pv_mount mount;
	struct pv_bads bads;
};

/** pv_stats_condition() - what is wrong, NULL: nothing */
const char *pv_stats_condition(const struct pv_volume *volume, const struct pv_pool *pool,
			       const struct pv_stats *stats);

struct json_object *pv_json_stats(const struct pv_volume *volume, const struct pv_pool *pool,
				  const struct pv_stats *stats);

/** pv_json_capacity() - of a pool that the kernel has told of */
struct json_object *pv_json_capacity(const struct pv_pool *pool);

#endif /* PVCTL_VOLUME_STATS_H */
