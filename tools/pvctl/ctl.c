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
	    (r->thick && nla_put_flag(msg, PMEMVOL_A_VOLUME_THICK)))
		return -EMSGSIZE;
	return nla_nest_end(msg, nest);
}

int pv_volume_call(struct pv_ctx *ctx, int cmd, const struct pv_volume_request *request,
		   struct pv_volume *out)
{
	struct nl_msg *msg = pv_nl_request(ctx, cmd, NLM_F_ACK);
	struct one one = { .out = out };
	int ret;

	if (!msg)
		return ctx->error.status;
	if (put_volume(msg, request))
		return fail_full(ctx, msg);
	ret = pv_nl_call(ctx, msg, out ? take_volume : NULL, &one);
	return out ? need_reply(ctx, ret, &one) : ret;
}

int pv_volume_get(struct pv_ctx *ctx, const char *pool, const char *name, struct pv_volume *out)
{
	struct pv_volume_request request = { .pool = pool, .name = name };

	return pv_volume_call(ctx, PMEMVOL_CMD_VOLUME_GET, &request, out);
}

int pv_volume_dump(struct pv_ctx *ctx, const char *pool, struct pv_volumes *out)
{
	struct pv_pool_request filter = { .name = pool };

	for (int i = 0; i < DUMP_TRIES; i++) {
		struct nl_msg *msg = pv_nl_request(ctx, PMEMVOL_CMD_VOLUME_GET, NLM_F_DUMP);
		int ret;

		*out = (struct pv_volumes){ 0 };
		if (!msg)
			return ctx->error.status;
		if (pool && put_pool(msg, &filter))
			return fail_full(ctx, msg);
		ret = pv_nl_call(ctx, msg, add_volume, out);
		if (!ret)
			return PV_OK;
		pv_volumes_free(out);
		if (ctx->error.sys != EINTR)
			return ret;
	}
	return give_up(ctx);
}
