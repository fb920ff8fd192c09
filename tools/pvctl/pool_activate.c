// SPDX-License-Identifier: GPL-2.0
/* pvctl pool activate and deactivate */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "cmd.h"
#include "ctl.h"
#include "links.h"
#include "output.h"
#include "parse.h"
#include "scan.h"

static void warn_stray(const struct pv_found *stray, void *arg)
{
	pv_warn(arg, "/dev/%s is left out: it claims to belong to the pool, but the pool does not name it",
		stray->name);
}

static int fail_missing(struct pv_ctx *ctx, const struct pv_pool *pool)
{
	char text[400] = "", uuid[PV_UUID_TEXT];
	size_t len = 0;

	for (unsigned int i = 0; i < pool->nr_members && len < sizeof(text); i++) {
		if (pool->members[i].device[0])
			continue;
		len += (size_t)snprintf(text + len, sizeof(text) - len, "%smember %u (%s)",
					len ? ", " : "", i,
					pv_format_uuid(pool->members[i].uuid, uuid));
	}
	return pv_fail(ctx, PV_FAILED_PRECONDITION, "pool %s is incomplete: no device found for %s",
		       pool->name, text);
}

/* Two devices with one member's identity: a copy was made, and nobody knows which one counts. */
static int check_copies(struct pv_ctx *ctx, const struct pv_scan *scan, const struct pv_pool *pool)
{
	for (size_t i = 0; i < scan->nr; i++)
		for (size_t j = 0; j < i; j++) {
			const struct pv_found *a = &scan->found[j], *b = &scan->found[i];

			if (!memcmp(a->sb.pool_uuid, pool->uuid, PMV_UUID_SIZE) &&
			    !memcmp(b->sb.pool_uuid, pool->uuid, PMV_UUID_SIZE) &&
			    !memcmp(a->sb.member_uuid, b->sb.member_uuid, PMV_UUID_SIZE))
				return pv_fail(ctx, PV_FAILED_PRECONDITION,
					       "/dev/%s and /dev/%s carry the same member: one is a copy",
					       a->name, b->name);
		}
	return PV_OK;
}

int pv_pool_start(struct pv_ctx *ctx, const struct pv_scan *scan, const struct pv_pool *pool,
		  struct pv_pool *out)
{
	char path[PMEMVOL_MEMBERS_MAX][PV_DEVICE_MAX + 8];
	const char *devices[PMEMVOL_MEMBERS_MAX];
	struct pv_pool_request request = {
		.name = pool->name,
		.devices = devices,
		.nr_devices = pool->nr_members,
	};
	int ret;

	if (pool->missing)
		return fail_missing(ctx, pool);
	ret = check_copies(ctx, scan, pool);
	if (ret)
		return ret;
	pv_scan_strays(scan, pool, warn_stray, ctx);
	for (unsigned int i = 0; i < pool->nr_members; i++) {
		snprintf(path[i], sizeof(path[i]), "/dev/%s", pool->members[i].device);
		devices[i] = path[i];
	}
	ret = pv_pool_call(ctx, PMEMVOL_CMD_POOL_ACTIVATE, &request, out);
	/* Another activation may have been faster; a pool of the same name is not that. */
	if (ret && (ctx->error.sys == EEXIST || ctx->error.sys == EBUSY)) {
		struct pv_error refusal = ctx->error;

		if (pv_pool_get(ctx, pool->name, out)) {
			ctx->error = refusal;
			return ret;
		}
		if (memcmp(out->uuid, pool->uuid, sizeof(out->uuid))) {
			pv_pool_free(out);
			ctx->error = refusal;
			return ret;
		}
		ret = PV_OK;
	}
	if (ret)
		return ret;
	if (PV_HAS(out, PMEMVOL_A_POOL_MODE) && out->mode == PMEMVOL_MODE_READ_ONLY)
		pv_warn(ctx, "the pool is read-only: its metadata is damaged or may not be written; 'pvctl pool check %s' says what it is",
			pool->name);
	pv_link_settle_pool(ctx, pool->name);
	return PV_OK;
}

static void add_pool(struct pv_pools *list, struct pv_pool *pool)
{
	list->pool = pv_grow(list->pool, list->nr, sizeof(*list->pool));
	list->pool[list->nr++] = *pool;
}

/* Do @one to all; report each failure, go on, and return the first one's status. */
static int for_all(struct pv_ctx *ctx, const struct pv_pools *pools,
		   int (*one)(struct pv_ctx *ctx, const struct pv_pool *pool, void *arg), void *arg)
{
	int first = PV_OK;

	for (size_t i = 0; i < pools->nr; i++) {
		int ret;

		ctx->subject = pools->pool[i].name;
		ret = one(ctx, &pools->pool[i], arg);
		if (ret)
			pv_report(ctx);
		if (!first)
			first = ret;
	}
	ctx->subject = NULL;
	return first;
}

struct activation {
	const struct pv_pools *inactive;
	const struct pv_scan *scan;
	struct pv_pools started;
};

static int activate_each(struct pv_ctx *ctx, const struct pv_pool *pool, void *arg)
{
	struct activation *a = arg;
	const struct pv_pool *found;
	struct pv_pool out;
	int ret = pv_find_inactive(ctx, a->inactive, pool->name, &found);

	if (!ret)
		ret = pv_pool_start(ctx, a->scan, pool, &out);
	if (!ret)
		add_pool(&a->started, &out);
	return ret;
}

static int activate_all(struct pv_ctx *ctx)
{
	struct activation a = { 0 };
	struct pv_pools active, inactive;
	struct pv_scan scan;
	int ret = pv_inactive_pools(ctx, &active, &scan, &inactive);

	if (ret)
		return ret;
	a.inactive = &inactive;
	a.scan = &scan;
	ret = for_all(ctx, &inactive, activate_each, &a);
	if (ctx->json || a.started.nr)
		pv_print_pools(ctx, &a.started);
	pv_pools_free(&a.started);
	pv_pools_free(&active);
	pv_pools_free(&inactive);
	pv_scan_free(&scan);
	/* What failed has been reported, each by itself. */
	ctx->error.status = PV_OK;
	return ret;
}

static const struct pv_pool *find_active(const struct pv_pools *active, const char *name)
{
	uint8_t uuid[PMV_UUID_SIZE];
	bool is_uuid = !pv_parse_uuid(name, uuid);

	for (size_t i = 0; i < active->nr; i++)
		if (!strcmp(active->pool[i].name, name) ||
		    (is_uuid && !memcmp(active->pool[i].uuid, uuid, sizeof(uuid))))
			return &active->pool[i];
	return NULL;
}

static int activate_one(struct pv_ctx *ctx, const char *name)
{
	const struct pv_pool *pool;
	struct pv_pools active, inactive;
	struct pv_pool started;
	struct pv_scan scan;
	int ret = pv_inactive_pools(ctx, &active, &scan, &inactive);

	if (ret)
		return ret;
	pool = find_active(&active, name);
	if (pool) {
		pv_link_settle_pool(ctx, pool->name);
		pv_print_pool(ctx, pool);
		goto out;
	}
	ret = pv_find_inactive(ctx, &inactive, name, &pool);
	if (ret)
		goto out;
	if (!pool) {
		ret = pv_fail(ctx, PV_NOT_FOUND, "no device carries a pool %s", name);
		goto out;
	}
	ret = pv_pool_start(ctx, &scan, pool, &started);
	if (!ret) {
		pv_print_pool(ctx, &started);
		pv_pool_free(&started);
	}
out:
	pv_pools_free(&active);
	pv_pools_free(&inactive);
	pv_scan_free(&scan);
	return ret;
}

static const struct pv_found *find_device(const struct pv_scan *scan, uint64_t devnum)
{
	for (size_t i = 0; i < scan->nr; i++)
		if (scan->found[i].devnum == devnum)
			return &scan->found[i];
	return NULL;
}

static const struct pv_pool *find_uuid(const struct pv_pools *pools, const uint8_t *uuid)
{
	for (size_t i = 0; i < pools->nr; i++)
		if (!memcmp(pools->pool[i].uuid, uuid, PMV_UUID_SIZE))
			return &pools->pool[i];
	return NULL;
}

/*
 * For udev, which tells of one device after the other: with the last one the pool is complete.
 * A device that no pool claims is none of our business.
 */
static int activate_member(struct pv_ctx *ctx, const char *path)
{
	struct pv_pools active, inactive;
	const struct pv_found *found;
	const struct pv_pool *pool;
	struct pv_pool started;
	struct pv_scan scan;
	struct stat st;
	int ret;

	ctx->subject = path;
	if (stat(path, &st))
		return pv_fail_sys(ctx, errno, "cannot be used");
	if (!S_ISBLK(st.st_mode))
		return pv_fail(ctx, PV_FAILED_PRECONDITION, "is not a block device");
	ret = pv_inactive_pools(ctx, &active, &scan, &inactive);
	if (ret)
		return ret;
	pool = pv_pools_holding(&active, pv_devnum(major(st.st_rdev), minor(st.st_rdev)));
	found = find_device(&scan, pv_devnum(major(st.st_rdev), minor(st.st_rdev)));
	if (!pool && found)
		pool = find_uuid(&inactive, found->sb.pool_uuid);
	if (pool && !pool->active && !pool->missing) {
		ret = pv_pool_start(ctx, &scan, pool, &started);
		if (!ret) {
			pv_print_pool(ctx, &started);
			pv_pool_free(&started);
		}
	} else if (pool) {
		pv_print_pool(ctx, pool);
	} else if (ctx->json) {
		pv_json_print(NULL);
	}
	pv_pools_free(&active);
	pv_pools_free(&inactive);
	pv_scan_free(&scan);
	return ret;
}

static int one_or_all(struct pv_ctx *ctx, bool *all)
{
	*all = pv_option(ctx, "all");
	if (*all == (ctx->nr_args == 1))
		return pv_usage_error(ctx, "give either NAME or --all");
	return *all ? PV_OK : pv_check_name(ctx, ctx->args[0]);
}

int pv_cmd_pool_activate(struct pv_ctx *ctx)
{
	const char *member = pv_option(ctx, "member");
	bool all;
	int ret;

	if (member && (pv_option(ctx, "all") || ctx->nr_args))
		return pv_usage_error(ctx, "--member goes with neither NAME nor --all");
	if (member)
		return activate_member(ctx, member);
	ret = one_or_all(ctx, &all);
	if (ret)
		return ret;
	return all ? activate_all(ctx) : activate_one(ctx, ctx->args[0]);
}

static int deactivate(struct pv_ctx *ctx, const char *name)
{
	struct pv_pool_request request = { .name = name };
	int ret = pv_pool_call(ctx, PMEMVOL_CMD_POOL_DEACTIVATE, &request, NULL);

	if (!ret)
		pv_link_drop_pool(name);
	return ret;
}

static struct json_object *json_inactive(const char *name)
{
	struct json_object *o = json_object_new_object();

	pv_json_string(o, "name", name);
	pv_json_string(o, "state", "inactive");
	return o;
}

static int deactivate_each(struct pv_ctx *ctx, const struct pv_pool *pool, void *arg)
{
	int ret = deactivate(ctx, pool->name);

	if (ret && ctx->error.sys == ENOENT)
		ret = PV_OK;
	if (!ret)
		json_object_array_add(arg, json_inactive(pool->name));
	return ret;
}

static int deactivate_all(struct pv_ctx *ctx)
{
	struct json_object *done;
	struct pv_pools active;
	int ret = pv_pool_dump(ctx, &active);

	if (ret)
		return ret;
	done = json_object_new_array();
	ret = for_all(ctx, &active, deactivate_each, done);
	if (ctx->json)
		pv_json_print(done);
	else
		json_object_put(done);
	pv_pools_free(&active);
	ctx->error.status = PV_OK;
	return ret;
}

static int deactivate_one(struct pv_ctx *ctx, const char *name)
{
	int ret = deactivate(ctx, name);

	if (ret && ctx->error.sys == ENOENT) {
		ret = pv_fail_no_pool(ctx, name);
		/* On devices but not active: that is what was wanted. */
		if (ret == PV_FAILED_PRECONDITION)
			ret = PV_OK;
	}
	if (!ret && ctx->json)
		pv_json_print(json_inactive(name));
	return ret;
}

int pv_cmd_pool_deactivate(struct pv_ctx *ctx)
{
	bool all;
	int ret = one_or_all(ctx, &all);

	if (ret)
		return ret;
	return all ? deactivate_all(ctx) : deactivate_one(ctx, ctx->args[0]);
}
