// SPDX-License-Identifier: GPL-2.0
/* pvctl snapshot ..., clone, volume rollback */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cmd.h"
#include "ctl.h"
#include "links.h"
#include "output.h"
#include "parse.h"
#include "scan.h"

static int parse_target(struct pv_ctx *ctx, struct pv_snapshot_name *name)
{
	const char *why;

	if (pv_parse_snapshot(ctx->args[0], name, &why))
		return pv_usage_word(ctx, ctx->args[0], why);
	return PV_OK;
}

/* The kernel said ENOENT, which may be about the pool, the volume or the snapshot. */
static int fail_no_snapshot(struct pv_ctx *ctx, const struct pv_snapshot_name *name)
{
	struct pv_volume volume;

	if (pv_volume_get(ctx, name->pool, name->volume, &volume))
		return ctx->error.sys == ENOENT ? pv_fail_no_volume(ctx, name->pool, name->volume) :
						  (int)ctx->error.status;
	return pv_fail(ctx, PV_NOT_FOUND, "there is no snapshot %s of volume %s in pool %s",
		       name->snapshot, name->volume, name->pool);
}

static int explain(struct pv_ctx *ctx, const struct pv_snapshot_name *name, int ret)
{
	return ret && ctx->error.sys == ENOENT ? fail_no_snapshot(ctx, name) : ret;
}

int pv_cmd_snapshot_create(struct pv_ctx *ctx)
{
	struct pv_snapshot_name name;
	struct pv_snapshot snapshot;
	int ret = parse_target(ctx, &name);

	if (ret)
		return ret;
	for (int i = 0; i < PV_CREATE_TRIES; i++) {
		ret = pv_snapshot_call(ctx, PMEMVOL_CMD_SNAPSHOT_CREATE, &name, &snapshot);
		if (!ret || ctx->error.sys != EEXIST)
			break;
		/* It is of that volume, by its name; there is nothing in which it could differ. */
		ret = pv_snapshot_call(ctx, PMEMVOL_CMD_SNAPSHOT_GET, &name, &snapshot);
		if (!ret || ctx->error.sys != ENOENT)
			break;
	}
	if (ret)
		return explain(ctx, &name, ret);
	pv_print_snapshot(ctx, &snapshot);
	return PV_OK;
}

/* By volume, the oldest first. */
static int by_age(const void *a, const void *b)
{
	const struct pv_snapshot *s = a, *t = b;
	int order = strcmp(s->pool, t->pool);

	if (!order)
		order = strcmp(s->volume, t->volume);
	if (!order && s->created != t->created)
		order = s->created < t->created ? -1 : 1;
	return order ? order : strcmp(s->name, t->name);
}

int pv_cmd_snapshot_list(struct pv_ctx *ctx)
{
	const char *arg = ctx->nr_args ? ctx->args[0] : NULL, *why;
	bool of_volume = arg && strchr(arg, '/');
	const char *pool = of_volume ? NULL : arg, *volume = NULL;
	struct pv_snapshots snapshots;
	struct pv_volume_name name;
	int ret = pool ? pv_check_name(ctx, pool) : PV_OK;

	if (of_volume && pv_parse_volume(arg, &name, &why))
		return pv_usage_word(ctx, arg, why);
	if (ret)
		return ret;
	if (of_volume) {
		pool = name.pool;
		volume = name.volume;
	}
	ret = pv_snapshot_dump(ctx, pool, volume, &snapshots);
	if (ret && pool && ctx->error.sys == ENOENT)
		return volume ? pv_fail_no_volume(ctx, pool, volume) : pv_fail_no_pool(ctx, pool);
	if (ret)
		return ret;
	if (snapshots.nr)
		qsort(snapshots.snapshot, snapshots.nr, sizeof(*snapshots.snapshot), by_age);
	pv_print_snapshots(ctx, &snapshots);
	pv_snapshots_free(&snapshots);
	return PV_OK;
}

int pv_cmd_snapshot_show(struct pv_ctx *ctx)
{
	struct pv_snapshot_name name;
	struct pv_snapshot snapshot;
	int ret = parse_target(ctx, &name);

	if (ret)
		return ret;
	ret = pv_snapshot_call(ctx, PMEMVOL_CMD_SNAPSHOT_GET, &name, &snapshot);
	if (ret)
		return explain(ctx, &name, ret);
	pv_print_snapshot(ctx, &snapshot);
	return PV_OK;
}

static struct json_object *json_name(const struct pv_snapshot_name *name)
{
	struct json_object *o = json_object_new_object();

	pv_json_string(o, "pool", name->pool);
	pv_json_string(o, "volume", name->volume);
	pv_json_string(o, "name", name->snapshot);
	return o;
}

int pv_cmd_snapshot_delete(struct pv_ctx *ctx)
{
	struct pv_snapshot_name name;
	struct json_object *o;
	bool deleted;
	int ret = parse_target(ctx, &name);

	if (ret)
		return ret;
	ret = pv_snapshot_call(ctx, PMEMVOL_CMD_SNAPSHOT_DELETE, &name, NULL);
	deleted = !ret;
	ret = explain(ctx, &name, ret);
	/* Nothing of that name is what was wanted; a pool that sleeps may still have it. */
	if (ret && ret != PV_NOT_FOUND)
		return ret;
	pv_link_drop_snapshot(&name);
	ret = pv_option(ctx, "wait") ? pv_wait_erased(ctx, name.pool) : PV_OK;
	if (ret)
		return ret;
	if (ctx->json) {
		o = json_name(&name);
		pv_json_bool(o, "deleted", deleted);
		pv_json_print(o);
	}
	return PV_OK;
}

int pv_cmd_snapshot_activate(struct pv_ctx *ctx)
{
	struct pv_snapshot_name name;
	struct pv_snapshot snapshot;
	int ret = parse_target(ctx, &name);

	if (ret)
		return ret;
	ret = pv_snapshot_call(ctx, PMEMVOL_CMD_SNAPSHOT_ACTIVATE, &name, &snapshot);
	if (ret)
		return explain(ctx, &name, ret);
	pv_link_settle_snapshot(ctx, &snapshot);
	pv_print_snapshot(ctx, &snapshot);
	return PV_OK;
}

int pv_cmd_snapshot_deactivate(struct pv_ctx *ctx)
{
	struct pv_snapshot_name name;
	struct json_object *o;
	int ret = parse_target(ctx, &name);

	if (ret)
		return ret;
	ret = pv_snapshot_call(ctx, PMEMVOL_CMD_SNAPSHOT_DEACTIVATE, &name, NULL);
	if (ret)
		return explain(ctx, &name, ret);
	pv_link_drop_snapshot(&name);
	if (ctx->json) {
		o = json_name(&name);
		pv_json_string(o, "state", "inactive");
		pv_json_print(o);
	}
	return PV_OK;
}

/* A volume of that name exists. Is it a clone of that very snapshot? It may have grown since. */
static int print_existing_clone(struct pv_ctx *ctx, const struct pv_volume_request *r,
				uint64_t limit)
{
	char have[PV_SIZE_TEXT];
	struct pv_volume v;
	int ret = pv_volume_get(ctx, r->pool, r->name, &v);

	if (ret)
		return ret;
	if (!PV_HAS(&v, PMEMVOL_A_VOLUME_ORIGIN))
		return pv_fail(ctx, PV_ALREADY_EXISTS, "volume %s exists and is not a clone",
			       r->name);
	if (strcmp(v.origin, r->origin) || strcmp(v.origin_snapshot, r->snapshot))
		return pv_fail(ctx, PV_ALREADY_EXISTS, "volume %s exists and is a clone of %s@%s",
			       r->name, v.origin, v.origin_snapshot);
	if (v.thick != r->thick)
		return pv_fail(ctx, PV_ALREADY_EXISTS, "the clone exists and is %s",
			       v.thick ? "thick, not thin" : "thin, not thick");
	if (v.size < r->size || v.size > limit)
		return pv_fail(ctx, PV_ALREADY_EXISTS,
			       "the clone exists with a size of %s (%llu bytes)",
			       pv_format_size(v.size, have), (unsigned long long)v.size);
	pv_link_settle(ctx, &v);
	pv_print_volume(ctx, &v);
	return PV_OK;
}

/* A clone is at least as large as the snapshot, whose size does not change. */
static int check_clone_limit(struct pv_ctx *ctx, const struct pv_snapshot_name *from,
			     const struct pv_volume_name *to, uint64_t size, uint64_t limit)
{
	struct pv_snapshot snapshot;
	int ret;

	if (limit == UINT64_MAX)
		return PV_OK;
	ret = pv_snapshot_call(ctx, PMEMVOL_CMD_SNAPSHOT_GET, from, &snapshot);
	if (ret)
		return explain(ctx, from, ret);
	return pv_size_limit(ctx, to, size > snapshot.size ? size : snapshot.size, limit);
}

int pv_cmd_clone(struct pv_ctx *ctx)
{
	struct pv_volume_request request = { 0 };
	struct pv_snapshot_name from;
	struct pv_volume_name to;
	struct pv_volume volume;
	const char *why;
	uint64_t limit;
	int ret = parse_target(ctx, &from);

	if (ret)
		return ret;
	if (pv_parse_volume(ctx->args[1], &to, &why))
		return pv_usage_word(ctx, ctx->args[1], why);
	if (strcmp(to.pool, from.pool))
		return pv_usage_word(ctx, ctx->args[1], "is in another pool than the snapshot");
	ret = pv_size_options(ctx, &request.size, &limit);
	if (!ret)
		ret = check_clone_limit(ctx, &from, &to, request.size, limit);
	if (ret)
		return ret;
	request.pool = to.pool;
	request.name = to.volume;
	request.thick = pv_option(ctx, "thick");
	request.origin = from.volume;
	request.snapshot = from.snapshot;
	for (int i = 0; i < PV_CREATE_TRIES; i++) {
		ret = pv_volume_call(ctx, PMEMVOL_CMD_VOLUME_CLONE, &request, &volume);
		if (!ret || ctx->error.sys != EEXIST)
			break;
		ret = print_existing_clone(ctx, &request, limit);
		if (!ret || ctx->error.sys != ENOENT)
			return ret;
	}
	if (ret)
		return explain(ctx, &from, ret);
	pv_link_settle(ctx, &volume);
	pv_print_volume(ctx, &volume);
	return PV_OK;
}

int pv_cmd_volume_rollback(struct pv_ctx *ctx)
{
	struct pv_volume_request request = { 0 };
	struct pv_snapshot_name name;
	struct pv_volume volume;
	int ret = parse_target(ctx, &name);

	if (ret)
		return ret;
	request.pool = name.pool;
	request.name = name.volume;
	request.snapshot = name.snapshot;
	ret = pv_volume_call(ctx, PMEMVOL_CMD_VOLUME_ROLLBACK, &request, NULL);
	if (!ret)
		ret = pv_volume_get(ctx, name.pool, name.volume, &volume);
	if (ret)
		return explain(ctx, &name, ret);
	pv_link_settle(ctx, &volume);
	pv_print_volume(ctx, &volume);
	return PV_OK;
}
