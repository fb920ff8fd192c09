// SPDX-License-Identifier: GPL-2.0
/* Lists of pools and volumes, in as many messages as they take. */
#include <linux/capability.h>
#include <linux/slab.h>
#include <net/genetlink.h>

#include "ctl_netlink.h"

/* Where a dump goes on: the pool's place in the list, the slot, and whose volumes. */
struct dump_state {
	unsigned long pool;
	unsigned long slot;
	bool one_pool;
	char name[PMV_NAME_MAX + 1];
};

int pmv_nl_dump_start(struct netlink_callback *cb)
{
	struct dump_state *st;

	if (!netlink_capable(cb->skb, CAP_SYS_ADMIN)) {
		NL_SET_ERR_MSG(cb->extack, "this needs CAP_SYS_ADMIN");
		return -EPERM;
	}
	st = kzalloc(sizeof(*st), GFP_KERNEL);
	if (!st)
		return -ENOMEM;
	cb->args[0] = (long)st;
	/* A pool with many members must fit. */
	cb->min_dump_alloc = PMV_REPLY_SIZE;
	return 0;
}

int pmv_nl_volume_dump_start(struct netlink_callback *cb)
{
	struct nlattr **attrs = compat_dump_attrs(cb);
	struct pmv_request r;
	struct dump_state *st;
	int ret;

	ret = pmv_nl_dump_start(cb);
	if (ret || !attrs || !attrs[PMEMVOL_A_POOL])
		return ret;
	st = (struct dump_state *)cb->args[0];
	ret = pmv_request_parse(attrs, &r, cb->extack);
	if (ret)
		goto err;
	memcpy(st->name, r.params.name, r.params.name_len);
	st->one_pool = true;
	down_read(&pmv_pools_sem);
	if (!pmv_pool_find(st->name))
		ret = -ENOENT;
	up_read(&pmv_pools_sem);
	if (ret) {
		NL_SET_ERR_MSG(cb->extack, "no such pool is active");
		goto err;
	}
	return 0;
err:
	kfree(st);
	cb->args[0] = 0;
	return ret;
}

int pmv_nl_dump_done(struct netlink_callback *cb)
{
	kfree((void *)cb->args[0]);
	return 0;
}

/* A message of a dump; it says so when pools came or went since the dump began. */
static void *dump_put(struct sk_buff *skb, struct netlink_callback *cb, u8 cmd)
{
	void *hdr = genlmsg_put(skb, NETLINK_CB(cb->skb).portid, cb->nlh->nlmsg_seq,
				&pmv_genl_family, NLM_F_MULTI, cmd);

	if (hdr)
		genl_dump_check_consistent(cb, hdr);
	return hdr;
}

int pmv_nl_pool_dump(struct sk_buff *skb, struct netlink_callback *cb)
{
	struct dump_state *st = (struct dump_state *)cb->args[0];
	unsigned long at = 0;
	struct pmv_pool *pool;
	int ret = 0;
	void *hdr;

	down_read(&pmv_pools_sem);
	cb->seq = pmv_pools_seq;
	list_for_each_entry(pool, &pmv_pools, list) {
		if (at++ < st->pool)
			continue;
		hdr = dump_put(skb, cb, PMEMVOL_CMD_POOL_GET);
		if (hdr) {
			mutex_lock(&pool->ctl_lock);
			ret = pmv_put_pool(skb, pool, true);
			mutex_unlock(&pool->ctl_lock);
		}
		if (!hdr || ret) {
			if (hdr)
				genlmsg_cancel(skb, hdr);
			break;
		}
		genlmsg_end(skb, hdr);
		st->pool = at;
	}
	up_read(&pmv_pools_sem);
	return ret && !skb->len ? ret : (int)skb->len;
}

/* The volumes of one pool from st->slot on. Returns whether the message is full. */
static bool dump_volumes(struct sk_buff *skb, struct netlink_callback *cb, struct dump_state *st,
			 struct pmv_pool *pool)
{
	struct pmv_volume *v;
	unsigned long slot;
	bool full = false;
	void *hdr;

	mutex_lock(&pool->ctl_lock);
	xa_for_each_start(&pool->volumes, slot, v, st->slot) {
		if (xa_is_value(v))
			continue;
		hdr = dump_put(skb, cb, PMEMVOL_CMD_VOLUME_GET);
		if (!hdr || pmv_put_pool_name(skb, pool) || pmv_put_volume(skb, v)) {
			if (hdr)
				genlmsg_cancel(skb, hdr);
			full = true;
			break;
		}
		genlmsg_end(skb, hdr);
		st->slot = slot + 1;
	}
	mutex_unlock(&pool->ctl_lock);
	return full;
}

int pmv_nl_volume_dump(struct sk_buff *skb, struct netlink_callback *cb)
{
	struct dump_state *st = (struct dump_state *)cb->args[0];
	unsigned long at = 0;
	struct pmv_pool *pool;

	down_read(&pmv_pools_sem);
	cb->seq = pmv_pools_seq;
	list_for_each_entry(pool, &pmv_pools, list) {
		if (at++ < st->pool)
			continue;
		if (!(st->one_pool && strcmp(pool->name, st->name)) &&
		    dump_volumes(skb, cb, st, pool))
			break;
		st->pool = at;
		st->slot = 0;
	}
	up_read(&pmv_pools_sem);
	return skb->len;
}
