// SPDX-License-Identifier: GPL-2.0
/*
 * The generic netlink family: policies, requests and the operations on pools and volumes.
 * include/uapi/linux/pmemvol.h describes it, Documentation/netlink/specs/pmemvol.yaml specifies it.
 */
#include <linux/capability.h>
#include <linux/log2.h>
#include <linux/slab.h>
#include <net/genetlink.h>

#include "ctl_netlink.h"

static const struct nla_policy pmv_member_policy[PMEMVOL_A_MEMBER_MAX + 1] = {
	[PMEMVOL_A_MEMBER_DEVICE] = { .type = NLA_NUL_STRING, .len = PATH_MAX - 1 },
};

static struct netlink_range_validation chunk_size_range = {
	.min = PMEMVOL_CHUNK_SIZE_MIN,
	.max = PMEMVOL_CHUNK_SIZE_MAX,
};

static struct netlink_range_validation overcommit_range = {
	.min = PMEMVOL_OVERCOMMIT_MIN,
	.max = PMEMVOL_OVERCOMMIT_MAX,
};

static const struct nla_policy pmv_pool_policy[PMEMVOL_A_POOL_MAX + 1] = {
	[PMEMVOL_A_POOL_NAME] = { .type = NLA_NUL_STRING, .len = PMEMVOL_NAME_MAX },
	[PMEMVOL_A_POOL_UUID] = NLA_POLICY_EXACT_LEN(PMEMVOL_UUID_SIZE),
	[PMEMVOL_A_POOL_FORCE] = { .type = NLA_FLAG },
	[PMEMVOL_A_POOL_CHUNK_SIZE] = NLA_POLICY_FULL_RANGE(NLA_U32, &chunk_size_range),
	[PMEMVOL_A_POOL_OVERCOMMIT] = NLA_POLICY_FULL_RANGE(NLA_U32, &overcommit_range),
	[PMEMVOL_A_POOL_LOW_WATER] = NLA_POLICY_MAX(NLA_U32, PMEMVOL_LOW_WATER_MAX),
	[PMEMVOL_A_POOL_MEMBER] = NLA_POLICY_NESTED(pmv_member_policy),
};

static const struct nla_policy pmv_volume_policy[PMEMVOL_A_VOLUME_MAX + 1] = {
	[PMEMVOL_A_VOLUME_NAME] = { .type = NLA_NUL_STRING, .len = PMEMVOL_NAME_MAX },
	[PMEMVOL_A_VOLUME_UUID] = NLA_POLICY_EXACT_LEN(PMEMVOL_UUID_SIZE),
	[PMEMVOL_A_VOLUME_NEW_NAME] = { .type = NLA_NUL_STRING, .len = PMEMVOL_NAME_MAX },
	[PMEMVOL_A_VOLUME_SIZE] = { .type = NLA_U64 },
	[PMEMVOL_A_VOLUME_THICK] = { .type = NLA_FLAG },
	[PMEMVOL_A_VOLUME_ORIGIN] = { .type = NLA_NUL_STRING, .len = PMEMVOL_NAME_MAX },
};

static const struct nla_policy pmv_snapshot_policy[PMEMVOL_A_SNAPSHOT_MAX + 1] = {
	[PMEMVOL_A_SNAPSHOT_NAME] = { .type = NLA_NUL_STRING, .len = PMEMVOL_NAME_MAX },
	[PMEMVOL_A_SNAPSHOT_UUID] = NLA_POLICY_EXACT_LEN(PMEMVOL_UUID_SIZE),
};

static const struct nla_policy pmv_policy[PMEMVOL_A_MAX + 1] = {
	[PMEMVOL_A_POOL] = NLA_POLICY_NESTED(pmv_pool_policy),
	[PMEMVOL_A_VOLUME] = NLA_POLICY_NESTED(pmv_volume_policy),
	[PMEMVOL_A_SNAPSHOT] = NLA_POLICY_NESTED(pmv_snapshot_policy),
};

/* ---- requests ---- */

/*
 * The flag of genl operations asks for CAP_NET_ADMIN only, which containers often have, and
 * netlink_capable() looks at both the sender's and the socket opener's rights.
 */
static int pmv_pre_doit(const struct compat_genl_pre_ops *ops, struct sk_buff *skb,
			struct genl_info *info)
{
	if (netlink_capable(skb, CAP_SYS_ADMIN))
		return 0;
	NL_SET_ERR_MSG(info->extack, "this needs CAP_SYS_ADMIN");
	return -EPERM;
}

static int missing(struct netlink_ext_ack *extack, const char *why)
{
	if (extack)
		extack->_msg = why;
	return -EINVAL;
}

static int get_name(const struct nlattr *attr, const char **name, size_t *len,
		    struct netlink_ext_ack *extack, const char *why_missing)
{
	if (!attr)
		return missing(extack, why_missing);
	*name = nla_data(attr);
	*len = strlen(*name);
	if (pmv_name_verify(*name, *len)) {
		NL_SET_ERR_MSG_ATTR(extack, attr,
				    "not a name: 1 to 128 of A-Z a-z 0-9 + _ . -, not beginning with - or .");
		return -EINVAL;
	}
	return 0;
}

static int get_devices(const struct nlattr *nest, struct pmv_device *device, unsigned int *nr,
		       struct netlink_ext_ack *extack)
{
	struct nlattr *tb[PMEMVOL_A_MEMBER_MAX + 1], *attr;
	int rem, ret;

	*nr = 0;
	nla_for_each_nested(attr, nest, rem) {
		if (nla_type(attr) != PMEMVOL_A_POOL_MEMBER)
			continue;
		if (*nr == PMEMVOL_MEMBERS_MAX) {
			NL_SET_ERR_MSG_ATTR(extack, attr, "a pool has at most 64 members");
			return -ERANGE;
		}
		ret = nla_parse_nested(tb, PMEMVOL_A_MEMBER_MAX, attr, pmv_member_policy, extack);
		if (ret)
			return ret;
		if (!tb[PMEMVOL_A_MEMBER_DEVICE])
			return missing(extack, "a member without device");
		device[*nr].path = nla_data(tb[PMEMVOL_A_MEMBER_DEVICE]);
		device[*nr].attr = tb[PMEMVOL_A_MEMBER_DEVICE];
		++*nr;
	}
	return *nr ? 0 : missing(extack, "no device is named");
}

static int get_pool_params(struct nlattr **tb, struct pmv_pool_params *p,
			   struct netlink_ext_ack *extack)
{
	int ret;

	memset(p, 0, sizeof(*p));
	ret = get_name(tb[PMEMVOL_A_POOL_NAME], &p->name, &p->name_len, extack,
		       "no pool is named");
	if (ret)
		return ret;
	if (tb[PMEMVOL_A_POOL_UUID])
		p->uuid = nla_data(tb[PMEMVOL_A_POOL_UUID]);
	p->force = nla_get_flag(tb[PMEMVOL_A_POOL_FORCE]);
	if (tb[PMEMVOL_A_POOL_CHUNK_SIZE]) {
		p->chunk_size = nla_get_u32(tb[PMEMVOL_A_POOL_CHUNK_SIZE]);
		if (!is_power_of_2(p->chunk_size)) {
			NL_SET_ERR_MSG_ATTR(extack, tb[PMEMVOL_A_POOL_CHUNK_SIZE],
					    "the chunk size is not a power of two");
			return -EINVAL;
		}
	}
	if (tb[PMEMVOL_A_POOL_OVERCOMMIT])
		p->overcommit = nla_get_u32(tb[PMEMVOL_A_POOL_OVERCOMMIT]);
	p->low_water = tb[PMEMVOL_A_POOL_LOW_WATER] ?
		       nla_get_u32(tb[PMEMVOL_A_POOL_LOW_WATER]) : PMV_LOW_WATER_UNSET;
	return 0;
}

int pmv_request_parse(struct nlattr **attrs, struct pmv_request *r,
		      struct netlink_ext_ack *extack)
{
	int ret = 0;

	memset(r, 0, sizeof(*r));
	if (attrs[PMEMVOL_A_POOL])
		ret = nla_parse_nested(r->pool, PMEMVOL_A_POOL_MAX, attrs[PMEMVOL_A_POOL],
				       pmv_pool_policy, extack);
	if (!ret && attrs[PMEMVOL_A_VOLUME])
		ret = nla_parse_nested(r->volume, PMEMVOL_A_VOLUME_MAX, attrs[PMEMVOL_A_VOLUME],
				       pmv_volume_policy, extack);
	if (!ret && attrs[PMEMVOL_A_SNAPSHOT])
		ret = nla_parse_nested(r->snapshot, PMEMVOL_A_SNAPSHOT_MAX,
				       attrs[PMEMVOL_A_SNAPSHOT], pmv_snapshot_policy, extack);
	return ret ?: get_pool_params(r->pool, &r->params, extack);
}

/* ---- operations on pools ---- */

/**
 * struct pool_cmd - an operation on a pool
 * @change: what it does, or NULL
 * @devices: it names devices
 * @reply: it is answered with the pool
 */
struct pool_cmd {
	int (*change)(const struct pmv_pool_params *p, struct netlink_ext_ack *extack);
	bool devices;
	bool reply;
};

static const struct pool_cmd pool_cmds[] = {
	[PMEMVOL_CMD_POOL_GET] = { .reply = true },
	[PMEMVOL_CMD_POOL_CREATE] = { pmv_pool_create, .devices = true, .reply = true },
	[PMEMVOL_CMD_POOL_ACTIVATE] = { pmv_pool_activate, .devices = true, .reply = true },
	[PMEMVOL_CMD_POOL_EXTEND] = { pmv_pool_extend, .devices = true, .reply = true },
	[PMEMVOL_CMD_POOL_SET] = { pmv_pool_set, .reply = true },
	[PMEMVOL_CMD_POOL_DEACTIVATE] = { pmv_pool_deactivate },
	[PMEMVOL_CMD_POOL_DESTROY] = { pmv_pool_destroy },
};

static struct pmv_pool *find_pool(const char *name, struct netlink_ext_ack *extack)
{
	struct pmv_pool *pool = pmv_pool_find(name);

	if (!pool)
		NL_SET_ERR_MSG(extack, "no such pool is active");
	return pool;
}

static int reply_pool_by_name(struct genl_info *info, const char *name)
{
	struct pmv_pool *pool;
	int ret = -ENOENT;

	if (down_read_killable(&pmv_pools_sem))
		return -EINTR;
	pool = find_pool(name, info->extack);
	if (pool && mutex_lock_killable(&pool->ctl_lock)) {
		ret = -EINTR;
	} else if (pool) {
		ret = pmv_reply_pool(info, pool);
		mutex_unlock(&pool->ctl_lock);
	}
	up_read(&pmv_pools_sem);
	return ret;
}

static int pmv_nl_pool(struct sk_buff *skb, struct genl_info *info)
{
	const struct pool_cmd *cmd = &pool_cmds[info->genlhdr->cmd];
	struct pmv_device *device = NULL;
	struct pmv_request r;
	int ret;

	ret = pmv_request_parse(info->attrs, &r, info->extack);
	if (ret)
		return ret;
	if (cmd->devices) {
		device = kcalloc(PMEMVOL_MEMBERS_MAX, sizeof(*device), GFP_KERNEL);
		if (!device)
			return -ENOMEM;
		ret = get_devices(info->attrs[PMEMVOL_A_POOL], device, &r.params.nr_devices,
				  info->extack);
		r.params.device = device;
	}
	if (!ret && cmd->change)
		ret = cmd->change(&r.params, info->extack);
	if (!ret && cmd->reply)
		ret = reply_pool_by_name(info, r.params.name);
	kfree(device);
	return ret;
}

/* ---- operations on volumes ---- */

static int get_volume_request(struct nlattr **tb, struct pmv_volume_request *v,
			      struct netlink_ext_ack *extack)
{
	int ret;

	memset(v, 0, sizeof(*v));
	ret = get_name(tb[PMEMVOL_A_VOLUME_NAME], &v->name, &v->name_len, extack,
		       "no volume is named");
	if (ret)
		return ret;
	if (tb[PMEMVOL_A_VOLUME_UUID])
		v->uuid = nla_data(tb[PMEMVOL_A_VOLUME_UUID]);
	if (tb[PMEMVOL_A_VOLUME_SIZE])
		v->size = nla_get_u64(tb[PMEMVOL_A_VOLUME_SIZE]);
	v->thick = nla_get_flag(tb[PMEMVOL_A_VOLUME_THICK]);
	return 0;
}

static int reply_or_error(struct genl_info *info, struct pmv_volume *v)
{
	return IS_ERR(v) ? PTR_ERR(v) : pmv_reply_volume(info, v);
}

static int volume_get(struct genl_info *info, struct pmv_pool *pool,
		      const struct pmv_volume_request *r, struct nlattr **tb)
{
	struct pmv_volume *v = pmv_volume_find(pool, r->name);

	if (!v) {
		NL_SET_ERR_MSG(info->extack, "no such volume");
		return -ENOENT;
	}
	return pmv_reply_volume(info, v);
}

static int volume_create(struct genl_info *info, struct pmv_pool *pool,
			 const struct pmv_volume_request *r, struct nlattr **tb)
{
	if (!tb[PMEMVOL_A_VOLUME_SIZE])
		return missing(info->extack, "no size is given");
	return reply_or_error(info, pmv_ctl_volume_create(pool, r, info->extack));
}

static int volume_resize(struct genl_info *info, struct pmv_pool *pool,
			 const struct pmv_volume_request *r, struct nlattr **tb)
{
	if (!tb[PMEMVOL_A_VOLUME_SIZE])
		return missing(info->extack, "no size is given");
	return reply_or_error(info, pmv_ctl_volume_resize(pool, r, info->extack));
}

static int volume_rename(struct genl_info *info, struct pmv_pool *pool,
			 const struct pmv_volume_request *r, struct nlattr **tb)
{
	struct pmv_volume_request to = *r;
	int ret;

	ret = get_name(tb[PMEMVOL_A_VOLUME_NEW_NAME], &to.new_name, &to.new_name_len,
		       info->extack, "no new name is given");
	if (ret)
		return ret;
	return reply_or_error(info, pmv_ctl_volume_rename(pool, &to, info->extack));
}

static int volume_delete(struct genl_info *info, struct pmv_pool *pool,
			 const struct pmv_volume_request *r, struct nlattr **tb)
{
	return pmv_ctl_volume_delete(pool, r, info->extack);
}

static int snapshot_get(struct genl_info *info, struct pmv_pool *pool,
			const struct pmv_volume_request *r, struct nlattr **tb)
{
	return reply_or_error(info, pmv_ctl_snapshot_get(pool, r, info->extack));
}

static int snapshot_create(struct genl_info *info, struct pmv_pool *pool,
			   const struct pmv_volume_request *r, struct nlattr **tb)
{
	return reply_or_error(info, pmv_ctl_snapshot_create(pool, r, info->extack));
}

static int snapshot_delete(struct genl_info *info, struct pmv_pool *pool,
			   const struct pmv_volume_request *r, struct nlattr **tb)
{
	return pmv_ctl_snapshot_delete(pool, r, info->extack);
}

static int snapshot_activate(struct genl_info *info, struct pmv_pool *pool,
			     const struct pmv_volume_request *r, struct nlattr **tb)
{
	return reply_or_error(info, pmv_ctl_snapshot_activate(pool, r, info->extack));
}

static int snapshot_deactivate(struct genl_info *info, struct pmv_pool *pool,
			       const struct pmv_volume_request *r, struct nlattr **tb)
{
	return reply_or_error(info, pmv_ctl_snapshot_deactivate(pool, r, info->extack));
}

static int volume_clone(struct genl_info *info, struct pmv_pool *pool,
			const struct pmv_volume_request *r, struct nlattr **tb)
{
	return reply_or_error(info, pmv_ctl_volume_clone(pool, r, info->extack));
}

static int volume_rollback(struct genl_info *info, struct pmv_pool *pool,
			   const struct pmv_volume_request *r, struct nlattr **tb)
{
	return reply_or_error(info, pmv_ctl_volume_rollback(pool, r, info->extack));
}

typedef int (*volume_cmd)(struct genl_info *info, struct pmv_pool *pool,
			  const struct pmv_volume_request *v, struct nlattr **tb);

static const volume_cmd volume_cmds[] = {
	[PMEMVOL_CMD_VOLUME_GET] = volume_get,
	[PMEMVOL_CMD_VOLUME_CREATE] = volume_create,
	[PMEMVOL_CMD_VOLUME_RESIZE] = volume_resize,
	[PMEMVOL_CMD_VOLUME_RENAME] = volume_rename,
	[PMEMVOL_CMD_VOLUME_DELETE] = volume_delete,
	[PMEMVOL_CMD_SNAPSHOT_GET] = snapshot_get,
	[PMEMVOL_CMD_SNAPSHOT_CREATE] = snapshot_create,
	[PMEMVOL_CMD_SNAPSHOT_DELETE] = snapshot_delete,
	[PMEMVOL_CMD_SNAPSHOT_ACTIVATE] = snapshot_activate,
	[PMEMVOL_CMD_SNAPSHOT_DEACTIVATE] = snapshot_deactivate,
	[PMEMVOL_CMD_VOLUME_CLONE] = volume_clone,
	[PMEMVOL_CMD_VOLUME_ROLLBACK] = volume_rollback,
};

/* Commands after the last of those about volumes alone name a snapshot, too. */
static int get_snapshot_request(struct genl_info *info, const struct pmv_request *r,
				struct pmv_volume_request *v)
{
	bool clone = info->genlhdr->cmd == PMEMVOL_CMD_VOLUME_CLONE;
	int origin = clone ? PMEMVOL_A_VOLUME_ORIGIN : PMEMVOL_A_VOLUME_NAME;
	struct nlattr *const *tb = r->snapshot;
	size_t len;
	int ret;

	ret = get_name(tb[PMEMVOL_A_SNAPSHOT_NAME], &v->snapshot, &v->snapshot_len, info->extack,
		       "no snapshot is named");
	if (!ret)
		ret = get_name(r->volume[origin], &v->origin, &len, info->extack,
			       "no origin is named");
	if (tb[PMEMVOL_A_SNAPSHOT_UUID])
		v->snapshot_uuid = nla_data(tb[PMEMVOL_A_SNAPSHOT_UUID]);
	return ret;
}

/* Find the pool, hold it, and do something to a volume of it. */
static int pmv_nl_volume(struct sk_buff *skb, struct genl_info *info)
{
	struct pmv_volume_request v;
	struct pmv_pool *pool;
	struct pmv_request r;
	int ret;

	ret = pmv_request_parse(info->attrs, &r, info->extack);
	if (!ret)
		ret = get_volume_request(r.volume, &v, info->extack);
	if (!ret && info->genlhdr->cmd >= PMEMVOL_CMD_SNAPSHOT_GET)
		ret = get_snapshot_request(info, &r, &v);
	if (ret)
		return ret;
	/* Who gives up waiting behind others can be killed, and has changed nothing. */
	if (down_read_killable(&pmv_pools_sem))
		return -EINTR;
	pool = find_pool(r.params.name, info->extack);
	if (!pool) {
		ret = -ENOENT;
	} else if (mutex_lock_killable(&pool->ctl_lock)) {
		ret = -EINTR;
	} else {
		ret = volume_cmds[info->genlhdr->cmd](info, pool, &v, r.volume);
		mutex_unlock(&pool->ctl_lock);
	}
	up_read(&pmv_pools_sem);
	return ret;
}

/* ---- the family ---- */

static const struct genl_ops pmv_genl_ops[] = {
	{
		.cmd = PMEMVOL_CMD_POOL_GET,
		.doit = pmv_nl_pool,
		.start = pmv_nl_dump_start,
		.dumpit = pmv_nl_pool_dump,
		.done = pmv_nl_dump_done,
	},
	{ .cmd = PMEMVOL_CMD_POOL_CREATE, .doit = pmv_nl_pool },
	{ .cmd = PMEMVOL_CMD_POOL_ACTIVATE, .doit = pmv_nl_pool },
	{ .cmd = PMEMVOL_CMD_POOL_DEACTIVATE, .doit = pmv_nl_pool },
	{ .cmd = PMEMVOL_CMD_POOL_EXTEND, .doit = pmv_nl_pool },
	{ .cmd = PMEMVOL_CMD_POOL_DESTROY, .doit = pmv_nl_pool },
	{ .cmd = PMEMVOL_CMD_POOL_SET, .doit = pmv_nl_pool },
	{
		.cmd = PMEMVOL_CMD_POOL_CHECK,
		.start = pmv_nl_check_start,
		.dumpit = pmv_nl_check_dump,
		.done = pmv_nl_check_done,
	},
	{
		.cmd = PMEMVOL_CMD_POOL_MEDIA,
		.start = pmv_nl_media_start,
		.dumpit = pmv_nl_media_dump,
		.done = pmv_nl_media_done,
	},
	{
		.cmd = PMEMVOL_CMD_VOLUME_GET,
		.doit = pmv_nl_volume,
		.start = pmv_nl_volume_dump_start,
		.dumpit = pmv_nl_volume_dump,
		.done = pmv_nl_dump_done,
	},
	{ .cmd = PMEMVOL_CMD_VOLUME_CREATE, .doit = pmv_nl_volume },
	{ .cmd = PMEMVOL_CMD_VOLUME_RESIZE, .doit = pmv_nl_volume },
	{ .cmd = PMEMVOL_CMD_VOLUME_RENAME, .doit = pmv_nl_volume },
	{ .cmd = PMEMVOL_CMD_VOLUME_DELETE, .doit = pmv_nl_volume },
	{
		.cmd = PMEMVOL_CMD_SNAPSHOT_GET,
		.doit = pmv_nl_volume,
		.start = pmv_nl_snapshot_dump_start,
		.dumpit = pmv_nl_snapshot_dump,
		.done = pmv_nl_dump_done,
	},
	{ .cmd = PMEMVOL_CMD_SNAPSHOT_CREATE, .doit = pmv_nl_volume },
	{ .cmd = PMEMVOL_CMD_SNAPSHOT_DELETE, .doit = pmv_nl_volume },
	{ .cmd = PMEMVOL_CMD_SNAPSHOT_ACTIVATE, .doit = pmv_nl_volume },
	{ .cmd = PMEMVOL_CMD_SNAPSHOT_DEACTIVATE, .doit = pmv_nl_volume },
	{ .cmd = PMEMVOL_CMD_VOLUME_CLONE, .doit = pmv_nl_volume },
	{ .cmd = PMEMVOL_CMD_VOLUME_ROLLBACK, .doit = pmv_nl_volume },
};

static const struct genl_multicast_group pmv_mcgrps[] = {
	{ .name = PMEMVOL_GENL_MCGRP_EVENTS, COMPAT_GENL_MCAST_SYS_ADMIN },
};

struct genl_family pmv_genl_family = {
	.name = PMEMVOL_GENL_NAME,
	.version = PMEMVOL_GENL_VERSION,
	.maxattr = PMEMVOL_A_MAX,
	.policy = pmv_policy,
	.module = THIS_MODULE,
	.ops = pmv_genl_ops,
	.n_ops = ARRAY_SIZE(pmv_genl_ops),
	.mcgrps = pmv_mcgrps,
	.n_mcgrps = ARRAY_SIZE(pmv_mcgrps),
	.pre_doit = pmv_pre_doit,
	/* Serialised by the pools' own locks: other families do not wait for ours. */
	.parallel_ops = true,
	COMPAT_GENL_RESV_CHECKED
};

int pmv_netlink_init(void)
{
	return genl_register_family(&pmv_genl_family);
}

void pmv_netlink_exit(void)
{
	genl_unregister_family(&pmv_genl_family);
}
