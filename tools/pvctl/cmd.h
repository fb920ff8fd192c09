/* SPDX-License-Identifier: GPL-2.0 */
/* The functions behind the rows of the command table. */
#ifndef PVCTL_CMD_H
#define PVCTL_CMD_H

#include "pvctl.h"

struct pv_pool;

int pv_cmd_region_list(struct pv_ctx *ctx);
int pv_cmd_region_create(struct pv_ctx *ctx);
int pv_cmd_region_remove(struct pv_ctx *ctx);

int pv_cmd_pool_create(struct pv_ctx *ctx);
int pv_cmd_pool_list(struct pv_ctx *ctx);
int pv_cmd_pool_show(struct pv_ctx *ctx);
int pv_cmd_pool_extend(struct pv_ctx *ctx);
int pv_cmd_pool_set(struct pv_ctx *ctx);
int pv_cmd_pool_destroy(struct pv_ctx *ctx);
int pv_cmd_pool_activate(struct pv_ctx *ctx);
int pv_cmd_pool_deactivate(struct pv_ctx *ctx);
int pv_cmd_pool_check(struct pv_ctx *ctx);
int pv_cmd_pool_media(struct pv_ctx *ctx);

int pv_cmd_volume_create(struct pv_ctx *ctx);
int pv_cmd_volume_list(struct pv_ctx *ctx);
int pv_cmd_volume_show(struct pv_ctx *ctx);
int pv_cmd_volume_resize(struct pv_ctx *ctx);
int pv_cmd_volume_rename(struct pv_ctx *ctx);
int pv_cmd_volume_rollback(struct pv_ctx *ctx);
int pv_cmd_volume_delete(struct pv_ctx *ctx);
int pv_cmd_volume_stats(struct pv_ctx *ctx);
int pv_cmd_capacity(struct pv_ctx *ctx);

int pv_cmd_snapshot_create(struct pv_ctx *ctx);
int pv_cmd_snapshot_list(struct pv_ctx *ctx);
int pv_cmd_snapshot_show(struct pv_ctx *ctx);
int pv_cmd_snapshot_delete(struct pv_ctx *ctx);
int pv_cmd_snapshot_activate(struct pv_ctx *ctx);
int pv_cmd_snapshot_deactivate(struct pv_ctx *ctx);
int pv_cmd_clone(struct pv_ctx *ctx);

int pv_cmd_fence_attach(struct pv_ctx *ctx);
int pv_cmd_fence_acquire(struct pv_ctx *ctx);
int pv_cmd_fence_renew(struct pv_ctx *ctx);
int pv_cmd_fence_release(struct pv_ctx *ctx);
int pv_cmd_fence_detach(struct pv_ctx *ctx);
int pv_cmd_fence_status(struct pv_ctx *ctx);

int pv_cmd_metrics(struct pv_ctx *ctx);

int pv_cmd_export(struct pv_ctx *ctx);
int pv_cmd_export_list(struct pv_ctx *ctx);
int pv_cmd_export_restore(struct pv_ctx *ctx);
int pv_cmd_export_withdraw(struct pv_ctx *ctx);
int pv_cmd_unexport(struct pv_ctx *ctx);

int pv_cmd_monitor(struct pv_ctx *ctx);

/**
 * pv_usage_error() - record that a command was written wrongly
 *
 * The right form of the command is shown with the report. Return: INVALID_ARGUMENT
 */
int pv_usage_error(struct pv_ctx *ctx, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/** pv_usage_word() - the same about one word of it. @why: a phrase to stand behind it */
int pv_usage_word(struct pv_ctx *ctx, const char *word, const char *why);

struct pv_volume_name;

/** pv_volume_target() - the first argument as POOL/NAME */
int pv_volume_target(struct pv_ctx *ctx, struct pv_volume_name *name);

/** pv_volume_explain() - tell a missing pool from a missing volume. @ret: of the call */
int pv_volume_explain(struct pv_ctx *ctx, const struct pv_volume_name *name, int ret);

/**
 * pv_size_options() - --size and --limit, as bytes
 * @size: 0: not given
 * @limit: UINT64_MAX: not given
 */
int pv_size_options(struct pv_ctx *ctx, uint64_t *size, uint64_t *limit);

/** pv_size_round() - the size that a volume would have: the kernel rounds up to chunks */
int pv_size_round(struct pv_ctx *ctx, const char *pool_name, uint64_t *size);

/** pv_size_limit() - would a volume of that size, rounded up, be larger than the limit? */
int pv_size_limit(struct pv_ctx *ctx, const struct pv_volume_name *name, uint64_t size,
		  uint64_t limit);

/** pv_wait_erased() - until nothing deleted is left in the pool, or the pool itself is gone */
int pv_wait_erased(struct pv_ctx *ctx, const char *pool_name);

/* What others delete and make all the time, and is there and not there in turns. */
#define PV_CREATE_TRIES 16

/* Options that several commands take; an option not given leaves *out as it is. */
struct pv_pool_request;
int pv_pool_options(struct pv_ctx *ctx, struct pv_pool_request *request);

/** pv_check_name() - refuse what is no name for a pool */
int pv_check_name(struct pv_ctx *ctx, const char *name);

/**
 * pv_fail_no_volume() - the kernel said ENOENT, which may be about the pool or about the volume
 *
 * Return: NOT_FOUND with the volume to blame when the pool is active
 */
int pv_fail_no_volume(struct pv_ctx *ctx, const char *pool, const char *volume);

/** pv_pool_start() - activate one pool found on devices. @scan: what it was found in; @out: result */
struct pv_scan;
int pv_pool_start(struct pv_ctx *ctx, const struct pv_scan *scan, const struct pv_pool *pool,
		  struct pv_pool *out);

#endif /* PVCTL_CMD_H */
