/* SPDX-License-Identifier: GPL-2.0 */
/* What the files of the netlink family share: requests in, replies, events and dumps out. */
#ifndef PMV_CTL_NETLINK_H
#define PMV_CTL_NETLINK_H

#include "ctl.h"

struct genl_info;
struct netlink_callback;
struct sk_buff;

/**
 * struct pmv_request - a request taken apart; what it has passed the policies
 * @pool: attributes of the pool
 * @volume: attributes of the volume
 * @snapshot: attributes of the snapshot
 * @params: what @pool says, without devices
 */
struct pmv_request {
	struct nlattr *pool[PMEMVOL_A_POOL_MAX + 1];
	struct nlattr *volume[PMEMVOL_A_VOLUME_MAX + 1];
	struct nlattr *snapshot[PMEMVOL_A_SNAPSHOT_MAX + 1];
	struct pmv_pool_params params;
};

/* ---- ctl_netlink.c ---- */

/**
 * pmv_request_parse() - take a request apart
 * @attrs: of the message
 * @r: out; points into the message
 * @extack: for the reason of a refusal
 *
 * Return: 0, or -EINVAL when something is wrong or no pool is named.
 */
int pmv_request_parse(struct nlattr **attrs, struct pmv_request *r,
		      struct netlink_ext_ack *extack);

/* ---- ctl_reply.c ---- */

/* A pool with many members takes more than the default size; the reply is allocated to fit. */
#define PMV_MEMBER_REPLY	192
#define PMV_REPLY_SIZE		(NLMSG_DEFAULT_SIZE + PMEMVOL_MEMBERS_MAX * PMV_MEMBER_REPLY)

/*
 * Add a pool, with its members or without, its name alone, or a volume, or a snapshot with its
 * volume's name, to a message. Context:
 * for pmv_put_volume() and members pool->ctl_lock held. Return: 0, or -EMSGSIZE when it is full.
 */
int pmv_put_pool(struct sk_buff *skb, struct pmv_pool *pool, bool members);
int pmv_put_pool_name(struct sk_buff *skb, const struct pmv_pool *pool);
int pmv_put_volume(struct sk_buff *skb, struct pmv_volume *v);

/*
 * Answer a request with a pool, or with a volume or snapshot likewise. Context: pool->ctl_lock
 * held. Return: 0 or errno.
 */
int pmv_reply_pool(struct genl_info *info, struct pmv_pool *pool);
int pmv_reply_volume(struct genl_info *info, struct pmv_volume *v);

/* ---- ctl_dump.c: operations of the family ---- */

int pmv_nl_dump_start(struct netlink_callback *cb);
int pmv_nl_volume_dump_start(struct netlink_callback *cb);
int pmv_nl_pool_dump(struct sk_buff *skb, struct netlink_callback *cb);
int pmv_nl_volume_dump(struct sk_buff *skb, struct netlink_callback *cb);
int pmv_nl_snapshot_dump_start(struct netlink_callback *cb);
int pmv_nl_snapshot_dump(struct sk_buff *skb, struct netlink_callback *cb);
int pmv_nl_dump_done(struct netlink_callback *cb);

/* ---- ctl_check.c: operation of the family ---- */

int pmv_nl_check_start(struct netlink_callback *cb);
int pmv_nl_check_dump(struct sk_buff *skb, struct netlink_callback *cb);
int pmv_nl_check_done(struct netlink_callback *cb);

/* ---- ctl_media.c: operation of the family ---- */

int pmv_nl_media_start(struct netlink_callback *cb);
int pmv_nl_media_dump(struct sk_buff *skb, struct netlink_callback *cb);
int pmv_nl_media_done(struct netlink_callback *cb);

#endif /* PMV_CTL_NETLINK_H */
