// SPDX-License-Identifier: GPL-2.0
/* pvctl pool check: by the kernel of an active pool, of any other with the same code here. */
#include <errno.h>
#include <inttypes.h>
#include <netlink/msg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "attr.h"
#include "cmd.h"
#include "ctl.h"
#include "find.h"
#include "medium.h"
#include "nl.h"
#include "output.h"
#include "parse.h"
#include "scan.h"

#define TEXT 128

/* A finding as it is told, wherever it came from. Numbers: UINT64_MAX where there is none. */
struct finding {
	char severity[16], part[32], problem[32], why[TEXT];
	char volume[PMEMVOL_NAME_MAX + 1];
	char device[PV_DEVICE_MAX + 8];
	bool repairable, repaired;
	uint64_t member, offset, slot, index, value;
};

struct result {
	char pool[PMEMVOL_NAME_MAX + 1];
	bool online;
	uint64_t notes, damaged, lost, repaired, volumes, chunks, untold;
	struct finding *finding;
	size_t nr;
	char device[PMEMVOL_MEMBERS_MAX][PV_DEVICE_MAX + 8];
	unsigned int nr_devices;
};

static struct finding *add_finding(struct result *r)
{
	struct finding *f;

	r->finding = pv_grow(r->finding, r->nr, sizeof(*r->finding));
	f = &r->finding[r->nr++];
	*f = (struct finding){
		.member = UINT64_MAX,
		.offset = UINT64_MAX,
		.slot = UINT64_MAX,
		.index = UINT64_MAX,
		.value = UINT64_MAX,
	};
	return f;
}

static void name_device(const struct result *r, struct finding *f)
{
	if (f->member < r->nr_devices)
		memcpy(f->device, r->device[f->member], sizeof(f->device));
}

/* ---- by the kernel ---- */

static const struct nla_policy check_policy[PMEMVOL_A_CHECK_MAX + 1] = {
	[PMEMVOL_A_CHECK_NOTES] = { .type = NLA_U64 },
	[PMEMVOL_A_CHECK_DAMAGED] = { .type = NLA_U64 },
	[PMEMVOL_A_CHECK_LOST] = { .type = NLA_U64 },
	[PMEMVOL_A_CHECK_VOLUMES] = { .type = NLA_U64 },
	[PMEMVOL_A_CHECK_CHUNKS] = { .type = NLA_U64 },
	[PMEMVOL_A_CHECK_UNTOLD] = { .type = NLA_U64 },
};

static const struct nla_policy finding_policy[PMEMVOL_A_FINDING_MAX + 1] = {
	[PMEMVOL_A_FINDING_SEVERITY] = { .type = NLA_STRING },
	[PMEMVOL_A_FINDING_PART] = { .type = NLA_STRING },
	[PMEMVOL_A_FINDING_PROBLEM] = { .type = NLA_STRING },
	[PMEMVOL_A_FINDING_WHY] = { .type = NLA_STRING },
	[PMEMVOL_A_FINDING_REPAIRABLE] = { .type = NLA_FLAG },
	[PMEMVOL_A_FINDING_MEMBER] = { .type = NLA_U32 },
	[PMEMVOL_A_FINDING_OFFSET] = { .type = NLA_U64 },
	[PMEMVOL_A_FINDING_SLOT] = { .type = NLA_U32 },
	[PMEMVOL_A_FINDING_VOLUME] = { .type = NLA_STRING },
	[PMEMVOL_A_FINDING_INDEX] = { .type = NLA_U64 },
	[PMEMVOL_A_FINDING_VALUE] = { .type = NLA_U64 },
};

static void get_u64(struct nlattr *attr, uint64_t *out)
{
	if (attr)
		*out = nla_get_u64(attr);
}

static void get_u32(struct nlattr *attr, uint64_t *out)
{
	if (attr)
		*out = nla_get_u32(attr);
}

static void get_text(struct nlattr *attr, char *out, size_t size)
{
	if (attr)
		nla_strlcpy(out, attr, size);
}

static int take_check(struct nlattr **top, void *arg)
{
	struct nlattr *c[PMEMVOL_A_CHECK_MAX + 1], *a[PMEMVOL_A_FINDING_MAX + 1];
	struct result *r = arg;
	struct finding *f;

	if (top[PMEMVOL_A_CHECK]) {
		if (nla_parse_nested(c, PMEMVOL_A_CHECK_MAX, top[PMEMVOL_A_CHECK], check_policy))
			return -EBADMSG;
		get_u64(c[PMEMVOL_A_CHECK_NOTES], &r->notes);
		get_u64(c[PMEMVOL_A_CHECK_DAMAGED], &r->damaged);
		get_u64(c[PMEMVOL_A_CHECK_LOST], &r->lost);
		get_u64(c[PMEMVOL_A_CHECK_VOLUMES], &r->volumes);
		get_u64(c[PMEMVOL_A_CHECK_CHUNKS], &r->chunks);
		get_u64(c[PMEMVOL_A_CHECK_UNTOLD], &r->untold);
	}
	if (!top[PMEMVOL_A_FINDING])
		return 0;
	if (nla_parse_nested(a, PMEMVOL_A_FINDING_MAX, top[PMEMVOL_A_FINDING], finding_policy))
		return -EBADMSG;
	f = add_finding(r);
	get_text(a[PMEMVOL_A_FINDING_SEVERITY], f->severity, sizeof(f->severity));
	get_text(a[PMEMVOL_A_FINDING_PART], f->part, sizeof(f->part));
	get_text(a[PMEMVOL_A_FINDING_PROBLEM], f->problem, sizeof(f->problem));
	get_text(a[PMEMVOL_A_FINDING_WHY], f->why, sizeof(f->why));
	get_text(a[PMEMVOL_A_FINDING_VOLUME], f->volume, sizeof(f->volume));
	f->repairable = a[PMEMVOL_A_FINDING_REPAIRABLE];
	get_u32(a[PMEMVOL_A_FINDING_MEMBER], &f->member);
	get_u32(a[PMEMVOL_A_FINDING_SLOT], &f->slot);
	get_u64(a[PMEMVOL_A_FINDING_OFFSET], &f->offset);
	get_u64(a[PMEMVOL_A_FINDING_INDEX], &f->index);
	get_u64(a[PMEMVOL_A_FINDING_VALUE], &f->value);
	name_device(r, f);
	return 0;
}

static int check_online(struct pv_ctx *ctx, const struct pv_pool *pool, struct result *r)
{
	struct nl_msg *msg = pv_nl_request(ctx, PMEMVOL_CMD_POOL_CHECK, NLM_F_DUMP);
	struct nlattr *nest;

	if (!msg)
		return ctx->error.status;
	r->online = true;
	snprintf(r->pool, sizeof(r->pool), "%s", pool->name);
	r->nr_devices = pool->nr_members;
	for (unsigned int i = 0; i < pool->nr_members; i++)
		snprintf(r->device[i], sizeof(r->device[i]), "/dev/%s", pool->members[i].device);
	nest = nla_nest_start(msg, PMEMVOL_A_POOL | NLA_F_NESTED);
	if (!nest || nla_put_string(msg, PMEMVOL_A_POOL_NAME, pool->name) ||
	    nla_nest_end(msg, nest)) {
		nlmsg_free(msg);
		return pv_fail(ctx, PV_INTERNAL, "too much for one request");
	}
	return pv_nl_call(ctx, msg, take_check, r);
}

/* ---- here ---- */

struct offline {
	struct result *r;
	struct pv_medium medium;
	struct pmv_core core;
	struct pmv_segment segment[PMV_SEGMENTS_MAX];
	void **piece;
	size_t nr_pieces;
};

static void *offline_alloc(void *arg, size_t size)
{
	struct offline *o = arg;

	o->piece = pv_grow(o->piece, o->nr_pieces, sizeof(*o->piece));
	o->piece[o->nr_pieces] = pv_alloc(1, size);
	return o->piece[o->nr_pieces++];
}

static int offline_reorder(void *arg, const unsigned int *order)
{
	struct offline *o = arg;
	struct result old = *o->r;

	pv_medium_reorder(&o->medium, order);
	for (unsigned int i = 0; i < old.nr_devices; i++)
		memcpy(o->r->device[i], old.device[order[i]], sizeof(old.device[0]));
	return 0;
}

static void offline_finding(void *arg, const struct pmv_finding *from)
{
	struct offline *o = arg;
	struct finding *f = add_finding(o->r);

	snprintf(f->severity, sizeof(f->severity), "%s", pmv_severity_name(pmv_severity(from)));
	snprintf(f->part, sizeof(f->part), "%s", pmv_part_name(from->part));
	snprintf(f->problem, sizeof(f->problem), "%s", pmv_problem_name(from->problem));
	snprintf(f->why, sizeof(f->why), "%s", from->why);
	if (from->desc)
		memcpy(f->volume, from->desc->name, from->desc->name_len);
	f->repairable = from->repairable;
	f->repaired = from->repaired;
	if (from->member != PMV_NO_MEMBER) {
		f->member = from->member;
		f->offset = from->off;
	}
	if (from->slot != PMV_NO_SLOT)
		f->slot = from->slot;
	f->index = from->index;
	f->value = from->value;
	name_device(o->r, f);
}

static int run_offline(struct pv_ctx *ctx, struct offline *o, bool repair)
{
	struct pmv_check k = {
		.ops = &pv_medium_ops,
		.ctx = &o->medium,
		.nr_devices = o->medium.nr,
		.repair = repair,
		.core = &o->core,
		.alloc = offline_alloc,
		.reorder = offline_reorder,
		.finding = offline_finding,
		.arg = o,
	};
	int ret;

	o->core.segment = o->segment;
	memcpy(k.device_size, o->medium.size, sizeof(k.device_size));
	ret = pmv_check(&k);
	if (ret)
		return pv_fail_sys(ctx, -ret, "the check did not end");
	if (o->core.nr_members && o->core.sb.name_len <= PMEMVOL_NAME_MAX)
		memcpy(o->r->pool, o->core.sb.name, o->core.sb.name_len);
	o->r->notes = k.notes;
	o->r->damaged = k.damaged;
	o->r->lost = k.lost;
	o->r->repaired = k.repaired;
	o->r->volumes = k.volumes;
	o->r->chunks = k.chunks;
	if (o->medium.error)
		return pv_fail_sys(ctx, o->medium.error, "a device cannot be written");
	return PV_OK;
}

static int open_failed(struct pv_ctx *ctx, const char *path, int err)
{
	if (err == EBUSY)
		return pv_fail(ctx, PV_FAILED_PRECONDITION,
			       "%s is in use; an active pool is checked by its name", path);
	return pv_fail_sys(ctx, err, "%s cannot be opened", path);
}

static int check_devices(struct pv_ctx *ctx, char **path, unsigned int nr, bool repair,
			 struct result *r)
{
	struct offline *o = pv_alloc(1, sizeof(*o));
	int ret = PV_OK;

	o->r = r;
	pv_medium_init(&o->medium);
	for (unsigned int i = 0; i < nr && !ret; i++) {
		int err = -pv_medium_open(&o->medium, path[i], repair);

		if (err)
			ret = open_failed(ctx, path[i], err);
		else
			snprintf(r->device[r->nr_devices++], sizeof(r->device[0]), "%s", path[i]);
	}
	if (!ret)
		ret = run_offline(ctx, o, repair);
	pv_medium_close(&o->medium);
	for (size_t i = 0; i < o->nr_pieces; i++)
		free(o->piece[i]);
	free(o->piece);
	free(o);
	return ret;
}

/* ---- telling ---- */

static void json_number(struct json_object *o, const char *key, uint64_t value)
{
	if (value == UINT64_MAX)
		pv_json_string(o, key, NULL);
	else
		pv_json_u64(o, key, value);
}

static struct json_object *json_finding(const struct finding *f)
{
	struct json_object *o = json_object_new_object();

	pv_json_string(o, "severity", f->severity);
	pv_json_string(o, "part", f->part);
	pv_json_string(o, "problem", f->problem);
	pv_json_string(o, "message", f->why);
	pv_json_string(o, "volume", f->volume[0] ? f->volume : NULL);
	pv_json_string(o, "device", f->device[0] ? f->device : NULL);
	json_number(o, "member", f->member);
	json_number(o, "offset", f->offset);
	json_number(o, "slot", f->slot);
	json_number(o, "index", f->index);
	json_number(o, "value", f->value);
	pv_json_bool(o, "repairable", f->repairable);
	pv_json_bool(o, "repaired", f->repaired);
	return o;
}

static void print_json(const struct result *r)
{
	struct json_object *o = json_object_new_object(), *list = json_object_new_array();

	pv_json_string(o, "pool", r->pool[0] ? r->pool : NULL);
	pv_json_bool(o, "online", r->online);
	pv_json_bool(o, "clean", !r->damaged && !r->lost);
	pv_json_u64(o, "notes", r->notes);
	pv_json_u64(o, "damaged", r->damaged);
	pv_json_u64(o, "lost", r->lost);
	pv_json_u64(o, "repaired", r->repaired);
	pv_json_u64(o, "volumes", r->volumes);
	pv_json_u64(o, "chunks", r->chunks);
	pv_json_u64(o, "untold", r->untold);
	for (size_t i = 0; i < r->nr; i++)
		json_object_array_add(list, json_finding(&r->finding[i]));
	json_object_object_add(o, "findings", list);
	pv_json_print(o);
}

static void print_finding(const struct finding *f)
{
	printf("%s: %s", f->severity, f->part);
	if (f->volume[0])
		printf(" of %s", f->volume);
	else if (f->slot != UINT64_MAX)
		printf(" of slot %" PRIu64, f->slot);
	if (f->index != UINT64_MAX)
		printf(", number %" PRIu64, f->index);
	if (f->value != UINT64_MAX)
		printf(", names %" PRIu64, f->value);
	if (f->offset != UINT64_MAX)
		printf(", on %s at %" PRIu64, f->device[0] ? f->device : "a member", f->offset);
	printf(": %s%s\n", f->why,
	       f->repaired   ? "; repaired" :
	       f->repairable ? "; can be repaired" :
			       "");
}

static void print_text(const struct result *r)
{
	for (size_t i = 0; i < r->nr; i++)
		print_finding(&r->finding[i]);
	if (r->untold)
		printf("and %" PRIu64 " more\n", r->untold);
	printf("%s: %" PRIu64 " volumes, %" PRIu64 " chunks: ", r->pool[0] ? r->pool : "no pool",
	       r->volumes, r->chunks);
	if (!r->damaged && !r->lost)
		printf("clean");
	else
		printf("%" PRIu64 " damaged, %" PRIu64 " lost", r->damaged, r->lost);
	if (r->repaired)
		printf(", %" PRIu64 " repaired", r->repaired);
	putchar('\n');
}

static int tell(struct pv_ctx *ctx, const struct result *r)
{
	if (ctx->json)
		print_json(r);
	else
		print_text(r);
	if (!r->damaged && !r->lost)
		return PV_OK;
	return pv_fail(ctx, PV_DATA_LOSS,
		       "%" PRIu64 " places are damaged, %" PRIu64 " of them without a good copy",
		       r->damaged + r->lost, r->lost);
}

/* ---- which ---- */

static int check_inactive(struct pv_ctx *ctx, const struct pv_pool *pool, bool repair,
			  struct result *r)
{
	char path[PMEMVOL_MEMBERS_MAX][PV_DEVICE_MAX + 8], *paths[PMEMVOL_MEMBERS_MAX];
	unsigned int nr = 0;

	for (unsigned int i = 0; i < pool->nr_members; i++) {
		if (!pool->members[i].device[0])
			continue;
		snprintf(path[nr], sizeof(path[nr]), "/dev/%s", pool->members[i].device);
		paths[nr] = path[nr];
		nr++;
	}
	snprintf(r->pool, sizeof(r->pool), "%s", pool->name);
	return check_devices(ctx, paths, nr, repair, r);
}

static int check_name(struct pv_ctx *ctx, const char *name, bool repair, struct result *r)
{
	struct pv_pools active, inactive;
	const struct pv_pool *pool = NULL;
	struct pv_scan scan;
	int ret = pv_inactive_pools(ctx, &active, &scan, &inactive);

	if (ret)
		return ret;
	for (size_t i = 0; i < active.nr; i++)
		if (!strcmp(active.pool[i].name, name))
			pool = &active.pool[i];
	if (pool && repair) {
		ret = pv_fail(ctx, PV_FAILED_PRECONDITION,
			      "the pool is active: 'pvctl pool deactivate %s' first", name);
	} else if (pool) {
		ret = check_online(ctx, pool, r);
	} else {
		ret = pv_find_inactive(ctx, &inactive, name, &pool);
		if (!ret && pool)
			ret = check_inactive(ctx, pool, repair, r);
		else if (!ret)
			ret = pv_fail(ctx, PV_NOT_FOUND, "no device carries a pool %s", name);
	}
	pv_pools_free(&active);
	pv_pools_free(&inactive);
	pv_scan_free(&scan);
	return ret;
}

int pv_cmd_pool_check(struct pv_ctx *ctx)
{
	bool repair = pv_option(ctx, "repair"), devices = strchr(ctx->args[0], '/');
	struct result *r = pv_alloc(1, sizeof(*r));
	int ret = PV_OK;

	for (int i = 1; i < ctx->nr_args && !ret; i++)
		if (!devices || !strchr(ctx->args[i], '/'))
			ret = pv_usage_error(ctx,
					     "give one NAME, or all DEVICEs of a pool by path");
	if (!ret && !devices)
		ret = pv_check_name(ctx, ctx->args[0]);
	if (!ret && ctx->nr_args > (int)PMV_MEMBERS_MAX)
		ret = pv_usage_error(ctx, "a pool has at most %d members", PMV_MEMBERS_MAX);
	if (!ret)
		ret = devices ?
			      check_devices(ctx, ctx->args, (unsigned int)ctx->nr_args, repair, r) :
			      check_name(ctx, ctx->args[0], repair, r);
	if (!ret)
		ret = tell(ctx, r);
	free(r->finding);
	free(r);
	return ret;
}
