// SPDX-License-Identifier: GPL-2.0
/* Lists of pools and volumes, in as many messages as they take. */
#include <linux/capability.h>
#include <linux/slab.h>
#include <net/genetlink.h>

#include "ctl_netlink.h"
#include "data_map.h"

/*
 * Where a dump goes on: the pool's place in the list and the slot; and of which pool, and of
 * snapshots of which volume, things are wanted.
 */
struct dump_state {
	unsigned long pool;
	unsigned long slot;
	bool one_pool;
	bool one_volume;
	char name[PMV_NAME_MAX + 1];
	char volume[PMV_NAME_MAX + 1];
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

/* Is there what the dump is of? */
static int find_dumped(const struct dump_state *st, struct netlink_ext_ack *extack)
{
	struct pmv_pool *pool;
	bool found = true, killed = false;

	if (down_read_killable(&pmv_pools_sem))
		return -EINTR;
	pool = pmv_pool_find(st->name);
	if (pool && st->one_volume) {
		killed = mutex_lock_killable(&pool->ctl_lock);
		if (!killed) {
			found = pmv_volume_find(pool, st->volume);
			mutex_unlock(&pool->ctl_lock);
		}
	}
	up_read(&pmv_pools_sem);
	if (killed)
		return -EINTR;
	if (!pool)
		NL_SET_ERR_MSG(extack, "no such pool is active");
	else if (!found)
		NL_SET_ERR_MSG(extack, "no such volume");
	return pool && found ? 0 : -ENOENT;
}

static int parse_dump(struct dump_state *st, struct nlattr **attrs, struct netlink_ext_ack *extack)
{
	struct pmv_request r;
	int ret;

	ret = pmv_request_parse(attrs, &r, extack);
	if (ret)
		return ret;
	memcpy(st->name, r.params.name, r.params.name_len);
	st->one_pool = true;
	if (r.volume[PMEMVOL_A_VOLUME_NAME]) {
		strscpy(st->volume, nla_data(r.volume[PMEMVOL_A_VOLUME_NAME]),
			sizeof(st->volume));
		st->one_volume = true;
	}
	return find_dumped(st, extack);
}

static int start_part(struct netlink_callback *cb, bool must_be_part)
{
	struct nlattr **attrs = compat_dump_attrs(cb);
	int ret;

	ret = pmv_nl_dump_start(cb);
	if (ret || (!must_be_part && (!attrs || !attrs[PMEMVOL_A_POOL])))
		return ret;
	ret = attrs ? parse_dump((struct dump_state *)cb->args[0], attrs, cb->extack) : -EINVAL;
	if (ret) {
		kfree((void *)cb->args[0]);
		cb->args[0] = 0;
	}
	return ret;
}

int pmv_nl_volume_dump_start(struct netlink_callback *cb)
{
	return start_part(cb, false);
}

int pmv_nl_snapshot_dump_start(struct netlink_callback *cb)
{
	return start_part(cb, true);
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

static int put_locked(struct sk_buff *skb, struct pmv_pool *pool)
{
	int ret;

	if (mutex_lock_killable(&pool->ctl_lock))
		return -EINTR;
	ret = pmv_put_pool(skb, pool, true);
	mutex_unlock(&pool->ctl_lock);
	return ret;
}

int pmv_nl_pool_dump(struct sk_buff *skb, struct netlink_callback *cb)
{
	struct dump_state *st = (struct dump_state *)cb->args[0];
	unsigned long at = 0;
	struct pmv_pool *pool;
	int ret = 0;
	void *hdr;

	if (down_read_killable(&pmv_pools_sem))
		return -EINTR;
	cb->seq = pmv_pools_seq;
	list_for_each_entry(pool, &pmv_pools, list) {
		if (at++ < st->pool)
			continue;
		hdr = dump_put(skb, cb, PMEMVOL_CMD_POOL_GET);
		if (hdr)
			ret = put_locked(skb, pool);
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

static bool is_wanted(const struct dump_state *st, const struct pmv_volume *v, u8 cmd)
{
	bool snapshots = cmd == PMEMVOL_CMD_SNAPSHOT_GET;

	if (xa_is_value(v) || pmv_volume_is_snapshot(v) != snapshots)
		return false;
	if (!v->origin || !st->one_volume)
		return true;
	return !strcmp(v->origin->name, st->volume);
}

/*
 * The volumes or snapshots of one pool from st->slot on. Returns whether the message is full, or
 * nobody waits for it.
 */
static bool dump_slots(struct sk_buff *skb, struct netlink_callback *cb, struct dump_state *st,
		       struct pmv_pool *pool, u8 cmd)
{
	struct pmv_volume *v;
	unsigned long slot;
	bool full = false;
	void *hdr;

	if (mutex_lock_killable(&pool->ctl_lock))
		return true;
	xa_for_each_start(&pool->volumes, slot, v, st->slot) {
		if (!is_wanted(st, v, cmd))
			continue;
		hdr = dump_put(skb, cb, cmd);
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

static int dump_all(struct sk_buff *skb, struct netlink_callback *cb, u8 cmd)
{
	struct dump_state *st = (struct dump_state *)cb->args[0];
	unsigned long at = 0;
	struct pmv_pool *pool;

	if (down_read_killable(&pmv_pools_sem))
		return -EINTR;
	cb->seq = pmv_pools_seq;
	list_for_each_entry(pool, &pmv_pools, list) {
		if (at++ < st->pool)
			continue;
		if (!(st->one_pool && strcmp(pool->name, st->name)) &&
		    dump_slots(skb, cb, st, pool, cmd))
			break;
		st->pool = at;
		st->slot = 0;
	}
	up_read(&pmv_pools_sem);
	return skb->len;
}

int pmv_nl_volume_dump(struct sk_buff *skb, struct netlink_callback *cb)
{
	return dump_all(skb, cb, PMEMVOL_CMD_VOLUME_GET);
}

int pmv_nl_snapshot_dump(struct sk_buff *skb, struct netlink_callback *cb)
{
	return dump_all(skb, cb, PMEMVOL_CMD_SNAPSHOT_GET);
}
