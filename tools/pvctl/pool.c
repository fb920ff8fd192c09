// SPDX-License-Identifier: GPL-2.0
/* pvctl pool list, show, set, destroy */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd.h"
#include "ctl.h"
#include "export_forget.h"
#include "links.h"
#include "output.h"
#include "parse.h"
#include "scan.h"

int pv_check_name(struct pv_ctx *ctx, const char *name)
{
	const char *why;

	return pv_parse_name(name, &why) ? pv_usage_word(ctx, name, why) : PV_OK;
}

static int chunk_size_option(struct pv_ctx *ctx, const char *text, uint32_t *out)
{
	uint64_t size;
	const char *why;

	if (pv_parse_size(text, &size, &why))
		return pv_usage_error(ctx, "--chunk-size: '%s' %s", text, why);
	if (size < PMEMVOL_CHUNK_SIZE_MIN || size > PMEMVOL_CHUNK_SIZE_MAX || size & (size - 1))
		return pv_usage_error(ctx,
				      "--chunk-size: '%s' is not a power of two from 2M to 64M",
				      text);
	*out = (uint32_t)size;
	return PV_OK;
}

int pv_pool_options(struct pv_ctx *ctx, struct pv_pool_request *r)
{
	const char *text, *why;

	r->force = pv_option(ctx, "force");
	text = pv_option(ctx, "overcommit");
	if (text && pv_parse_ratio(text, &r->overcommit, &why))
		return pv_usage_error(ctx, "--overcommit: '%s' %s", text, why);
	text = pv_option(ctx, "low-water");
	if (text && pv_parse_percent(text, &r->low_water, &why))
		return pv_usage_error(ctx, "--low-water: '%s' %s", text, why);
	r->has_low_water = text;
	text = pv_option(ctx, "chunk-size");
	return text ? chunk_size_option(ctx, text, &r->chunk_size) : PV_OK;
}

static int by_name(const void *a, const void *b)
{
	const struct pv_pool *p = a, *q = b;

	return strcmp(p->name, q->name);
}

int pv_cmd_pool_list(struct pv_ctx *ctx)
{
	struct pv_pools pools, inactive;
	struct pv_scan scan;
	int ret = pv_inactive_pools(ctx, &pools, &scan, &inactive);

	if (ret)
		return ret;
	for (size_t i = 0; i < inactive.nr; i++) {
		pools.pool = pv_grow(pools.pool, pools.nr, sizeof(*pools.pool));
		pools.pool[pools.nr++] = inactive.pool[i];
	}
	/* Their members are the list's now. */
	free(inactive.pool);
	if (pools.nr)
		qsort(pools.pool, pools.nr, sizeof(*pools.pool), by_name);
	pv_print_pools(ctx, &pools);
	pv_pools_free(&pools);
	pv_scan_free(&scan);
	return PV_OK;
}

static int show_inactive(struct pv_ctx *ctx, const char *name)
{
	struct pv_pools active, inactive;
	const struct pv_pool *pool;
	struct pv_scan scan;
	int ret = pv_inactive_pools(ctx, &active, &scan, &inactive);

	if (ret)
		return ret;
	ret = pv_find_inactive(ctx, &inactive, name, &pool);
	if (!ret && pool)
		pv_print_pool_ground(ctx, pool);
	else if (!ret)
		ret = pv_fail(ctx, PV_NOT_FOUND, "there is no pool %s", name);
	pv_pools_free(&active);
	pv_pools_free(&inactive);
	pv_scan_free(&scan);
	return ret;
}

int pv_cmd_pool_show(struct pv_ctx *ctx)
{
	const char *name = ctx->args[0];
	struct pv_pool pool;
	int ret = pv_check_name(ctx, name);

	if (ret)
		return ret;
	ret = pv_pool_get(ctx, name, &pool);
	if (ret)
		return ctx->error.sys == ENOENT ? show_inactive(ctx, name) : ret;
	pv_print_pool_ground(ctx, &pool);
	pv_pool_free(&pool);
	return PV_OK;
}

int pv_cmd_pool_set(struct pv_ctx *ctx)
{
	struct pv_pool_request request = { .name = ctx->args[0] };
	struct pv_pool pool;
	int ret = pv_check_name(ctx, request.name);

	if (!ret)
		ret = pv_pool_options(ctx, &request);
	if (ret)
		return ret;
	if (!request.overcommit && !request.has_low_water)
		return pv_usage_error(ctx, "nothing to set: give --overcommit or --low-water");
	ret = pv_pool_call(ctx, PMEMVOL_CMD_POOL_SET, &request, &pool);
	if (ret)
		return ctx->error.sys == ENOENT ? pv_fail_no_pool(ctx, request.name) : ret;
	pv_print_pool(ctx, &pool);
	pv_pool_free(&pool);
	return PV_OK;
}

static void print_destroyed(const struct pv_ctx *ctx, const char *name, bool destroyed)
{
	struct json_object *o;

	if (!ctx->json)
		return;
	o = json_object_new_object();
	pv_json_string(o, "name", name);
	pv_json_bool(o, "destroyed", destroyed);
	pv_json_print(o);
}

int pv_cmd_pool_destroy(struct pv_ctx *ctx)
{
	struct pv_pool_request request = { .name = ctx->args[0] };
	struct pv_volumes before;
	int ret = pv_check_name(ctx, request.name);

	if (ret)
		return ret;
	request.force = pv_option(ctx, "force");
	if (pv_volume_dump(ctx, request.name, &before))
		before = (struct pv_volumes){ 0 };
	ret = pv_pool_call(ctx, PMEMVOL_CMD_POOL_DESTROY, &request, NULL);
	if (ret && ctx->error.sys == ENOENT) {
		ret = pv_fail_no_pool(ctx, request.name);
		if (ret == PV_NOT_FOUND) {
			print_destroyed(ctx, request.name, false);
			ret = PV_OK;
		}
	} else if (!ret) {
		pv_link_drop_pool(request.name);
		pv_export_forget(ctx, request.name, NULL, &before);
		print_destroyed(ctx, request.name, true);
	}
	pv_volumes_free(&before);
	return ret;
}
