// SPDX-License-Identifier: GPL-2.0
/* pvctl volume ... */
#include <errno.h>
#include <string.h>
#include <time.h>

#include "cmd.h"
#include "ctl.h"
#include "export_forget.h"
#include "links.h"
#include "nvmet.h"
#include "output.h"
#include "parse.h"
#include "scan.h"

#define ERASE_POLL_MS 50

int pv_volume_target(struct pv_ctx *ctx, struct pv_volume_name *name)
{
	const char *why;

	if (pv_parse_volume(ctx->args[0], name, &why))
		return pv_usage_word(ctx, ctx->args[0], why);
	return PV_OK;
}

int pv_size_options(struct pv_ctx *ctx, uint64_t *size, uint64_t *limit)
{
	const char *text = pv_option(ctx, "size"), *why;

	*size = 0;
	if (text && pv_parse_size(text, size, &why))
		return pv_usage_error(ctx, "--size: '%s' %s", text, why);
	text = pv_option(ctx, "limit");
	*limit = UINT64_MAX;
	if (!text)
		return PV_OK;
	if (pv_parse_size(text, limit, &why))
		return pv_usage_error(ctx, "--limit: '%s' %s", text, why);
	if (*limit < *size)
		return pv_usage_error(ctx, "--limit: '%s' is less than --size", text);
	return PV_OK;
}

int pv_fail_no_volume(struct pv_ctx *ctx, const char *pool_name, const char *volume)
{
	struct pv_pool pool;

	if (pv_pool_get(ctx, pool_name, &pool))
		return ctx->error.sys == ENOENT ? pv_fail_no_pool(ctx, pool_name) :
						  (int)ctx->error.status;
	pv_pool_free(&pool);
	return pv_fail(ctx, PV_NOT_FOUND, "there is no volume %s in pool %s", volume, pool_name);
}

int pv_volume_explain(struct pv_ctx *ctx, const struct pv_volume_name *name, int ret)
{
	return ret && ctx->error.sys == ENOENT ?
		       pv_fail_no_volume(ctx, name->pool, name->volume) : ret;
}

int pv_size_round(struct pv_ctx *ctx, const char *pool_name, uint64_t *size)
{
	struct pv_pool pool;
	uint64_t mask;
	int ret = pv_pool_get(ctx, pool_name, &pool);

	if (ret)
		return ret;
	mask = (uint64_t)pool.chunk_size - 1;
	*size = *size > UINT64_MAX - mask ? UINT64_MAX : (*size + mask) & ~mask;
	pv_pool_free(&pool);
	return PV_OK;
}

int pv_size_limit(struct pv_ctx *ctx, const struct pv_volume_name *name, uint64_t size,
		  uint64_t limit)
{
	char text[PV_SIZE_TEXT];
	int ret;

	if (limit == UINT64_MAX)
		return PV_OK;
	ret = pv_size_round(ctx, name->pool, &size);
	if (ret)
		return pv_volume_explain(ctx, name, ret);
	if (size > limit)
		return pv_fail(ctx, PV_OUT_OF_RANGE,
			       "rounded up to chunks it would have %s (%llu bytes), more than the limit of %llu bytes",
			       pv_format_size(size, text), (unsigned long long)size,
			       (unsigned long long)limit);
	return PV_OK;
}

/* The volume exists. Is it the one that was asked for? */
static int print_existing(struct pv_ctx *ctx, const struct pv_volume_request *r, uint64_t limit)
{
	char have[PV_SIZE_TEXT], want[PV_SIZE_TEXT];
	struct pv_volume volume;
	uint64_t size = r->size;
	int ret;

	ret = pv_volume_get(ctx, r->pool, r->name, &volume);
	if (!ret)
		ret = pv_size_round(ctx, r->pool, &size);
	if (ret)
		return ret;
	if (PV_HAS(&volume, PMEMVOL_A_VOLUME_ORIGIN))
		return pv_fail(ctx, PV_ALREADY_EXISTS, "the volume exists and is a clone of %s@%s",
			       volume.origin, volume.origin_snapshot);
	if (limit == UINT64_MAX ? volume.size != size : volume.size < size || volume.size > limit)
		return pv_fail(ctx, PV_ALREADY_EXISTS, "the volume exists with a size of %s (%llu bytes), not %s",
			       pv_format_size(volume.size, have), (unsigned long long)volume.size,
			       pv_format_size(size, want));
	if (volume.thick != r->thick)
		return pv_fail(ctx, PV_ALREADY_EXISTS, "the volume exists and is %s",
			       volume.thick ? "thick, not thin" : "thin, not thick");
	pv_link_settle(ctx, &volume);
	pv_print_volume(ctx, &volume);
	return PV_OK;
}

int pv_cmd_volume_create(struct pv_ctx *ctx)
{
	struct pv_volume_request request = { 0 };
	struct pv_volume_name name;
	struct pv_volume volume;
	uint64_t limit;
	int ret;

	ret = pv_volume_target(ctx, &name);
	if (!ret)
		ret = pv_size_options(ctx, &request.size, &limit);
	if (!ret)
		ret = pv_size_limit(ctx, &name, request.size, limit);
	if (ret)
		return ret;
	request.pool = name.pool;
	request.name = name.volume;
	request.thick = pv_option(ctx, "thick");
	for (int i = 0; i < PV_CREATE_TRIES; i++) {
		ret = pv_volume_call(ctx, PMEMVOL_CMD_VOLUME_CREATE, &request, &volume);
		if (!ret || ctx->error.sys != EEXIST)
			break;
		ret = print_existing(ctx, &request, limit);
		/* Deleted before it could be looked at: it may be made again. */
		if (!ret || ctx->error.sys != ENOENT)
			return ret;
	}
	if (ret)
		return pv_volume_explain(ctx, &name, ret);
	pv_link_settle(ctx, &volume);
	pv_print_volume(ctx, &volume);
	return PV_OK;
}

int pv_cmd_volume_list(struct pv_ctx *ctx)
{
	const char *pool = ctx->nr_args ? ctx->args[0] : NULL;
	struct pv_volumes volumes;
	int ret = pool ? pv_check_name(ctx, pool) : PV_OK;

	if (ret)
		return ret;
	ret = pv_volume_dump(ctx, pool, &volumes);
	if (ret)
		return pool && ctx->error.sys == ENOENT ? pv_fail_no_pool(ctx, pool) : ret;
	pv_print_volumes(ctx, &volumes);
	pv_volumes_free(&volumes);
	return PV_OK;
}

int pv_cmd_volume_show(struct pv_ctx *ctx)
{
	struct pv_volume_name name;
	struct pv_volume volume;
	int ret = pv_volume_target(ctx, &name);

	if (ret)
		return ret;
	ret = pv_volume_get(ctx, name.pool, name.volume, &volume);
	if (ret)
		return pv_volume_explain(ctx, &name, ret);
	pv_print_volume(ctx, &volume);
	return PV_OK;
}

/* The kernel found the size out of range: too small, too large, or after all what it is. */
static int explain_range(struct pv_ctx *ctx, const struct pv_volume_request *r, uint64_t limit)
{
	struct pv_error refusal = ctx->error;
	char have[PV_SIZE_TEXT];
	struct pv_volume volume;
	uint64_t size = r->size;

	if (pv_volume_get(ctx, r->pool, r->name, &volume) || pv_size_round(ctx, r->pool, &size) ||
	    size > volume.size) {
		ctx->error = refusal;
		return refusal.status;
	}
	if (size == volume.size || (limit != UINT64_MAX && volume.size <= limit)) {
		pv_print_volume(ctx, &volume);
		return PV_OK;
	}
	return pv_fail(ctx, PV_OUT_OF_RANGE,
		       "the volume has %s (%llu bytes) and volumes cannot be made smaller",
		       pv_format_size(volume.size, have), (unsigned long long)volume.size);
}

int pv_cmd_volume_resize(struct pv_ctx *ctx)
{
	struct pv_volume_request request = { 0 };
	struct pv_volume_name name;
	struct pv_volume volume;
	uint64_t limit;
	int ret;

	ret = pv_volume_target(ctx, &name);
	if (!ret)
		ret = pv_size_options(ctx, &request.size, &limit);
	if (!ret)
		ret = pv_size_limit(ctx, &name, request.size, limit);
	if (ret)
		return ret;
	request.pool = name.pool;
	request.name = name.volume;
	ret = pv_volume_call(ctx, PMEMVOL_CMD_VOLUME_RESIZE, &request, &volume);
	if (ret && ctx->error.sys == ERANGE)
		return explain_range(ctx, &request, limit);
	if (ret)
		return pv_volume_explain(ctx, &name, ret);
	pv_nvmet_grown(ctx, &volume);
	pv_print_volume(ctx, &volume);
	return PV_OK;
}

/* NEWNAME, or POOL/NEWNAME with the pool it is in. */
static int parse_new_name(struct pv_ctx *ctx, const struct pv_volume_name *name, const char **out)
{
	const char *text = ctx->args[1], *slash = strchr(text, '/');
	struct pv_volume_name full;
	const char *why;

	if (!slash) {
		*out = text;
		return pv_check_name(ctx, text);
	}
	if (pv_parse_volume(text, &full, &why))
		return pv_usage_word(ctx, text, why);
	if (strcmp(full.pool, name->pool))
		return pv_usage_word(ctx, text, "is in another pool: volumes do not move");
	*out = slash + 1;
	return PV_OK;
}

int pv_cmd_volume_rename(struct pv_ctx *ctx)
{
	struct pv_volume_request request = { 0 };
	struct pv_volume_name name;
	struct pv_volume volume;
	int ret;

	ret = pv_volume_target(ctx, &name);
	if (!ret)
		ret = parse_new_name(ctx, &name, &request.new_name);
	if (ret)
		return ret;
	request.pool = name.pool;
	request.name = name.volume;
	if (!strcmp(request.name, request.new_name))
		return pv_cmd_volume_show(ctx);
	ret = pv_volume_call(ctx, PMEMVOL_CMD_VOLUME_RENAME, &request, &volume);
	if (ret)
		return pv_volume_explain(ctx, &name, ret);
	pv_link_settle(ctx, &volume);
	pv_link_drop(name.pool, name.volume);
	pv_link_move_snapshots(ctx, &volume, name.volume);
	pv_print_volume(ctx, &volume);
	return PV_OK;
}

int pv_wait_erased(struct pv_ctx *ctx, const char *pool_name)
{
	struct timespec pause = { .tv_nsec = ERASE_POLL_MS * 1000000L };
	struct pv_pool pool;
	bool pending;
	int ret;

	for (;;) {
		ret = pv_pool_get(ctx, pool_name, &pool);
		if (ret)
			return ctx->error.sys == ENOENT ? PV_OK : ret;
		pending = pool.erasing;
		pv_pool_free(&pool);
		if (!pending)
			return PV_OK;
		if (pool.mode >= PMEMVOL_MODE_READ_ONLY)
			return pv_fail(ctx, PV_FAILED_PRECONDITION,
				       "it is deleted, but the pool is %s and erases nothing",
				       pv_mode_name(pool.mode));
		nanosleep(&pause, NULL);
	}
}

/* Of a volume that is not there any more. */
static bool pool_is_active(struct pv_ctx *ctx, const char *name)
{
	struct pv_pool pool;

	if (pv_pool_get(ctx, name, &pool))
		return false;
	pv_pool_free(&pool);
	return true;
}

int pv_cmd_volume_delete(struct pv_ctx *ctx)
{
	struct pv_volume_request request = { 0 };
	struct pv_volumes before = { 0 };
	struct pv_volume_name name;
	struct pv_volume volume;
	struct json_object *o;
	bool deleted;
	int ret;

	ret = pv_volume_target(ctx, &name);
	if (ret)
		return ret;
	request.pool = name.pool;
	request.name = name.volume;
	if (!pv_volume_get(ctx, name.pool, name.volume, &volume))
		before = (struct pv_volumes){ &volume, 1 };
	ret = pv_volume_call(ctx, PMEMVOL_CMD_VOLUME_DELETE, &request, NULL);
	deleted = !ret;
	ret = pv_volume_explain(ctx, &name, ret);
	/* Nothing of that name is what was wanted; a pool that sleeps may still have it. */
	if (ret && ret != PV_NOT_FOUND)
		return ret;
	pv_link_drop(name.pool, name.volume);
	/* A pool that is not there may come back with the volume. */
	if (pool_is_active(ctx, name.pool))
		pv_export_forget(ctx, name.pool, name.volume, &before);
	ret = pv_option(ctx, "wait") ? pv_wait_erased(ctx, name.pool) : PV_OK;
	if (ret)
		return ret;
	if (ctx->json) {
		o = json_object_new_object();
		pv_json_string(o, "pool", name.pool);
		pv_json_string(o, "name", name.volume);
		pv_json_bool(o, "deleted", deleted);
		pv_json_print(o);
	}
	return PV_OK;
}
