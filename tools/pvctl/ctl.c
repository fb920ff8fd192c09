// SPDX-License-Identifier: GPL-2.0
#include "ctl.h"

#include <errno.h>
#include <netlink/attr.h>
#include <netlink/msg.h>

#include "nl.h"

/* A dump that changes run into is read again; under a steady storm of them it gives up. */
#define DUMP_TRIES 64

static int fail_full(struct pv_ctx *ctx, struct nl_msg *msg)
{
	nlmsg_free(msg);
	return pv_fail(ctx, PV_INVALID_ARGUMENT, "too much for one request");
}

static int put_member(struct nl_msg *msg, const char *device)
{
	struct nlattr *nest = nla_nest_start(msg, PMEMVOL_A_POOL_MEMBER | NLA_F_NESTED);

	if (!nest || nla_put_string(msg, PMEMVOL_A_MEMBER_DEVICE, device))
		return -EMSGSIZE;
	return nla_nest_end(msg, nest);
}

static int put_pool(struct nl_msg *msg, const struct pv_pool_request *r)
{
	struct nlattr *nest = nla_nest_start(msg, PMEMVOL_A_POOL | NLA_F_NESTED);

	if (!nest || nla_put_string(msg, PMEMVOL_A_POOL_NAME, r->name) ||
	    (r->force && nla_put_flag(msg, PMEMVOL_A_POOL_FORCE)) ||
	    (r->chunk_size && nla_put_u32(msg, PMEMVOL_A_POOL_CHUNK_SIZE, r->chunk_size)) ||
	    (r->overcommit && nla_put_u32(msg, PMEMVOL_A_POOL_OVERCOMMIT, r->overcommit)) ||
	    (r->has_low_water && nla_put_u32(msg, PMEMVOL_A_POOL_LOW_WATER, r->low_water)))
		return -EMSGSIZE;
	for (unsigned int i = 0; i < r->nr_devices; i++)
		if (put_member(msg, r->devices[i]))
			return -EMSGSIZE;
	return nla_nest_end(msg, nest);
}

/* Where one reply of a kind goes; a second one would leak the first. */
struct one {
	void *out;
	bool got;
};

static int take_pool(struct nlattr **top, void *arg)
{
	struct one *one = arg;

	if (one->got)
		pv_pool_free(one->out);
	one->got = false;
	if (pv_decode_pool(top[PMEMVOL_A_POOL], one->out))
		return -EBADMSG;
	one->got = true;
	return 0;
}

static int take_volume(struct nlattr **top, void *arg)
{
	struct one *one = arg;

	if (pv_decode_volume(top[PMEMVOL_A_POOL], top[PMEMVOL_A_VOLUME], one->out))
		return -EBADMSG;
	one->got = true;
	return 0;
}

static int need_reply(struct pv_ctx *ctx, int ret, const struct one *one)
{
	if (!ret && !one->got)
		return pv_fail(ctx, PV_INTERNAL, "the kernel acknowledged without an answer");
	return ret;
}

int pv_pool_call(struct pv_ctx *ctx, int cmd, const struct pv_pool_request *request,
		 struct pv_pool *out)
{
	struct nl_msg *msg = pv_nl_request(ctx, cmd, NLM_F_ACK);
	struct one one = { .out = out };
	int ret;

	if (!msg)
		return ctx->error.status;
	if (put_pool(msg, request))
		return fail_full(ctx, msg);
	ret = pv_nl_call(ctx, msg, out ? take_pool : NULL, &one);
	if (ret && one.got)
		pv_pool_free(out);
	return out ? need_reply(ctx, ret, &one) : ret;
}

int pv_pool_get(struct pv_ctx *ctx, const char *name, struct pv_pool *out)
{
	struct pv_pool_request request = { .name = name };

	return pv_pool_call(ctx, PMEMVOL_CMD_POOL_GET, &request, out);
}

static int add_pool(struct nlattr **top, void *arg)
{
	struct pv_pools *pools = arg;

	pools->pool = pv_grow(pools->pool, pools->nr, sizeof(*pools->pool));
	if (pv_decode_pool(top[PMEMVOL_A_POOL], &pools->pool[pools->nr]))
		return -EBADMSG;
	pools->nr++;
	return 0;
}

static int add_volume(struct nlattr **top, void *arg)
{
	struct pv_volumes *volumes = arg;

	volumes->volume = pv_grow(volumes->volume, volumes->nr, sizeof(*volumes->volume));
	if (pv_decode_volume(top[PMEMVOL_A_POOL], top[PMEMVOL_A_VOLUME],
			     &volumes->volume[volumes->nr]))
		return -EBADMSG;
	volumes->nr++;
	return 0;
}

static int give_up(struct pv_ctx *ctx)
{
	return pv_fail(ctx, PV_ABORTED, "the list kept changing while it was read: try again");
}

int pv_pool_dump(struct pv_ctx *ctx, struct pv_pools *out)
{
	for (int i = 0; i < DUMP_TRIES; i++) {
		struct nl_msg *msg = pv_nl_request(ctx, PMEMVOL_CMD_POOL_GET, NLM_F_DUMP);
		int ret;

		*out = (struct pv_pools){ 0 };
		if (!msg)
			return ctx->error.status;
		ret = pv_nl_call(ctx, msg, add_pool, out);
		if (!ret)
			return PV_OK;
		pv_pools_free(out);
		if (ctx->error.sys != EINTR)
			return ret;
	}
	return give_up(ctx);
}

static int put_snapshot(struct nl_msg *msg, const char *name)
{
	struct nlattr *nest = nla_nest_start(msg, PMEMVOL_A_SNAPSHOT | NLA_F_NESTED);

	if (!nest || nla_put_string(msg, PMEMVOL_A_SNAPSHOT_NAME, name))
		return -EMSGSIZE;
	return nla_nest_end(msg, nest);
}

static int put_volume(struct nl_msg *msg, const struct pv_volume_request *r)
{
	struct pv_pool_request pool = { .name = r->pool };
	struct nlattr *nest;

	if (put_pool(msg, &pool))
		return -EMSGSIZE;
	nest = nla_nest_start(msg, PMEMVOL_A_VOLUME | NLA_F_NESTED);
	if (!nest || nla_put_string(msg, PMEMVOL_A_VOLUME_NAME, r->name) ||
	    (r->new_name && nla_put_string(msg, PMEMVOL_A_VOLUME_NEW_NAME, r->new_name)) ||
	    (r->size && nla_put_u64(msg, PMEMVOL_A_VOLUME_SIZE, r->size)) ||
	    (r->thick && nla_put_flag(msg, PMEMVOL_A_VOLUME_THICK)) ||
	    (r->origin && nla_put_string(msg, PMEMVOL_A_VOLUME_ORIGIN, r->origin)))
		return -EMSGSIZE;
	nla_nest_end(msg, nest);
	return r->snapshot ? put_snapshot(msg, r->snapshot) : 0;
}

/* A request about a volume or one of its snapshots, and its reply. */
static int call(struct pv_ctx *ctx, int cmd, const struct pv_volume_request *request,
		pv_nl_reply take, void *out)
{
	struct nl_msg *msg = pv_nl_request(ctx, cmd, NLM_F_ACK);
	struct one one = { .out = out };
	int ret;

	if (!msg)
		return ctx->error.status;
	if (put_volume(msg, request))
		return fail_full(ctx, msg);
	ret = pv_nl_call(ctx, msg, out ? take : NULL, &one);
	return out ? need_reply(ctx, ret, &one) : ret;
}

int pv_volume_call(struct pv_ctx *ctx, int cmd, const struct pv_volume_request *request,
		   struct pv_volume *out)
{
	return call(ctx, cmd, request, take_volume, out);
}

int pv_volume_get(struct pv_ctx *ctx, const char *pool, const char *name, struct pv_volume *out)
{
	struct pv_volume_request request = { .pool = pool, .name = name };

	return pv_volume_call(ctx, PMEMVOL_CMD_VOLUME_GET, &request, out);
}

/* One dump of what is in a pool, or in a volume. @pool and @volume may be NULL */
static int dump(struct pv_ctx *ctx, int cmd, const char *pool, const char *volume, pv_nl_reply add,
		void *out)
{
	struct pv_volume_request both = { .pool = pool, .name = volume };
	struct pv_pool_request filter = { .name = pool };
	struct nl_msg *msg = pv_nl_request(ctx, cmd, NLM_F_DUMP);

	if (!msg)
		return ctx->error.status;
	if (volume ? put_volume(msg, &both) : pool ? put_pool(msg, &filter) : 0)
		return fail_full(ctx, msg);
	return pv_nl_call(ctx, msg, add, out);
}

int pv_volume_dump(struct pv_ctx *ctx, const char *pool, struct pv_volumes *out)
{
	for (int i = 0; i < DUMP_TRIES; i++) {
		int ret;

		*out = (struct pv_volumes){ 0 };
		ret = dump(ctx, PMEMVOL_CMD_VOLUME_GET, pool, NULL, add_volume, out);
		if (!ret)
			return PV_OK;
		pv_volumes_free(out);
		if (ctx->error.sys != EINTR)
			return ret;
	}
	return give_up(ctx);
}

static int take_snapshot(struct nlattr **top, void *arg)
{
	struct one *one = arg;

	if (pv_decode_snapshot(top[PMEMVOL_A_POOL], top[PMEMVOL_A_VOLUME], top[PMEMVOL_A_SNAPSHOT],
			       one->out) ||
	    !top[PMEMVOL_A_VOLUME])
		return -EBADMSG;
	one->got = true;
	return 0;
}

int pv_snapshot_call(struct pv_ctx *ctx, int cmd, const struct pv_snapshot_name *name,
		     struct pv_snapshot *out)
{
	struct pv_volume_request request = {
		.pool = name->pool,
		.name = name->volume,
		.snapshot = name->snapshot,
	};

	return call(ctx, cmd, &request, take_snapshot, out);
}

static int add_snapshot(struct nlattr **top, void *arg)
{
	struct pv_snapshots *s = arg;

	s->snapshot = pv_grow(s->snapshot, s->nr, sizeof(*s->snapshot));
	if (pv_decode_snapshot(top[PMEMVOL_A_POOL], top[PMEMVOL_A_VOLUME], top[PMEMVOL_A_SNAPSHOT],
			       &s->snapshot[s->nr]) ||
	    !top[PMEMVOL_A_VOLUME])
		return -EBADMSG;
	s->nr++;
	return 0;
}

/* The kernel tells those of one pool at a time; one that is gone by then has none. */
static int dump_all_pools(struct pv_ctx *ctx, struct pv_snapshots *out)
{
	struct pv_snapshots some;
	struct pv_pools pools;
	int ret = pv_pool_dump(ctx, &pools);

	*out = (struct pv_snapshots){ 0 };
	if (ret)
		return ret;
	for (size_t i = 0; i < pools.nr; i++) {
		ret = pv_snapshot_dump(ctx, pools.pool[i].name, NULL, &some);
		if (ret && ctx->error.sys == ENOENT) {
			ret = PV_OK;
			continue;
		}
		if (ret)
			break;
		for (size_t j = 0; j < some.nr; j++) {
			out->snapshot = pv_grow(out->snapshot, out->nr, sizeof(*out->snapshot));
			out->snapshot[out->nr++] = some.snapshot[j];
		}
		pv_snapshots_free(&some);
	}
	pv_pools_free(&pools);
	if (ret)
		pv_snapshots_free(out);
	return ret;
}

int pv_snapshot_dump(struct pv_ctx *ctx, const char *pool, const char *volume,
		     struct pv_snapshots *out)
{
	if (!pool)
		return dump_all_pools(ctx, out);
	for (int i = 0; i < DUMP_TRIES; i++) {
		int ret;

		*out = (struct pv_snapshots){ 0 };
		ret = dump(ctx, PMEMVOL_CMD_SNAPSHOT_GET, pool, volume, add_snapshot, out);
		if (!ret)
			return PV_OK;
		pv_snapshots_free(out);
		if (ctx->error.sys != EINTR)
			return ret;
	}
	return give_up(ctx);
}
