// SPDX-License-Identifier: GPL-2.0
/* pvctl capacity: what a scheduler wants to know before it places a volume. */
#include <errno.h>
#include <stdio.h>

#include "cmd.h"
#include "ctl.h"
#include "output.h"
#include "scan.h"
#include "volume_stats.h"

/* One volume may have all that is available. */
static struct json_object *json_kind(uint64_t largest)
{
	struct json_object *o = json_object_new_object();

	pv_json_u64(o, "available_capacity", largest);
	pv_json_u64(o, "maximum_volume_size", largest);
	return o;
}

struct json_object *pv_json_capacity(const struct pv_pool *p)
{
	struct json_object *o = json_object_new_object();

	pv_json_string(o, "pool", p->name);
	pv_json_u64(o, "minimum_volume_size", p->chunk_size);
	json_object_object_add(o, "thin", json_kind(p->largest_thin));
	json_object_object_add(o, "thick", json_kind(p->largest_thick));
	return o;
}

static void print_table(const struct pv_pool *pool, size_t nr)
{
	static const struct pv_column columns[] = {
		{ "POOL", false }, { "MINIMUM", true }, { "THIN", true }, { "THICK", true }, { 0 }
	};
	struct pv_table *t = pv_table_new(columns);

	for (size_t i = 0; i < nr; i++) {
		pv_table_cell(t, pool[i].name);
		pv_table_size(t, pool[i].chunk_size);
		pv_table_size(t, pool[i].largest_thin);
		pv_table_size(t, pool[i].largest_thick);
	}
	pv_table_print(t);
}

static int one(struct pv_ctx *ctx, const char *name)
{
	struct pv_pool pool;
	int ret = pv_check_name(ctx, name);

	if (ret)
		return ret;
	ret = pv_pool_get(ctx, name, &pool);
	if (ret)
		return ctx->error.sys == ENOENT ? pv_fail_no_pool(ctx, name) : ret;
	if (ctx->json)
		pv_json_print(pv_json_capacity(&pool));
	else
		print_table(&pool, 1);
	pv_pool_free(&pool);
	return PV_OK;
}

int pv_cmd_capacity(struct pv_ctx *ctx)
{
	struct json_object *array;
	struct pv_pools pools;
	int ret;

	if (ctx->nr_args)
		return one(ctx, ctx->args[0]);
	ret = pv_pool_dump(ctx, &pools);
	if (ret)
		return ret;
	if (ctx->json) {
		array = json_object_new_array();
		for (size_t i = 0; i < pools.nr; i++)
			json_object_array_add(array, pv_json_capacity(&pools.pool[i]));
		pv_json_print(array);
	} else {
		print_table(pools.pool, pools.nr);
	}
	pv_pools_free(&pools);
	return PV_OK;
}
