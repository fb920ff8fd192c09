// SPDX-License-Identifier: GPL-2.0
/*
 * Checking an active pool: the checker looks at the medium as it does before activation, on a
 * core of its own, while nothing on it changes. What it finds is kept and told message by message.
 */
#include <linux/capability.h>
#include <linux/list.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>
#include <net/genetlink.h>

#include "ctl_netlink.h"
#include "meta.h"

/* Of a medium full of damage the first will do; the rest is counted. */
#define TOLD_MAX 4096

struct kept {
	struct pmv_finding f;
	char volume[PMV_NAME_MAX + 1];
};

/* Memory of the checker, freed all at once. */
struct piece {
	struct list_head list;
	u8 data[] __aligned(8);
};

/**
 * struct check - a check, and where telling of it goes on
 * @k: the check
 * @core: for it
 * @pieces: for it
 * @name: of the pool
 * @kept: what was found
 * @nr: how many of those
 * @untold: how many more
 * @at: the next message: 0 the result, then one a finding
 */
struct check {
	struct pmv_check k;
	struct pmv_core core;
	struct list_head pieces;
	char name[PMV_NAME_MAX + 1];
	struct kept *kept;
	u64 nr;
	u64 untold;
	u64 at;
};

static void *check_alloc(void *arg, size_t size)
{
	struct check *c = arg;
	struct piece *p = kvzalloc(sizeof(*p) + size, GFP_KERNEL);

	if (!p)
		return NULL;
	list_add(&p->list, &c->pieces);
	return p->data;
}

static void free_pieces(struct check *c)
{
	struct piece *p, *tmp;

	list_for_each_entry_safe(p, tmp, &c->pieces, list)
		kvfree(p);
	INIT_LIST_HEAD(&c->pieces);
}

static void check_finding(void *arg, const struct pmv_finding *f)
{
	struct check *c = arg;
	struct kept *kept;

	if (c->nr == TOLD_MAX) {
		c->untold++;
		return;
	}
	kept = &c->kept[c->nr++];
	kept->f = *f;
	/* The descriptor does not outlive the call. */
	if (f->desc)
		memcpy(kept->volume, f->desc->name, f->desc->name_len);
	kept->f.desc = NULL;
}

/* Nothing on the medium changes meanwhile: neither words of maps nor anything else. */
static int check_pool(struct check *c, struct pmv_pool *pool, struct netlink_ext_ack *extack)
{
	unsigned int noio, i;
	int ret;

	lockdep_assert_held(&pool->ctl_lock);
	c->k.ops = &pmv_media_ops;
	c->k.ctx = pool;
	c->k.nr_devices = pool->nr_members;
	for (i = 0; i < pool->nr_members; i++)
		c->k.device_size[i] = pool->member[i]->size;
	/* Who waits for these locks may be about to free memory. */
	noio = memalloc_noio_save();
	down_write(&pool->word_sem);
	ret = pmv_meta_lock(pool);
	if (!ret) {
		ret = pmv_check(&c->k);
		pmv_meta_unlock(pool);
	}
	up_write(&pool->word_sem);
	memalloc_noio_restore(noio);
	if (ret == -ENXIO) {
		NL_SET_ERR_MSG(extack, "the pool has failed: a member is gone");
		ret = -EROFS;
	}
	return ret;
}

static int check_by_name(struct check *c, struct netlink_ext_ack *extack)
{
	struct pmv_pool *pool;
	int ret = -ENOENT;

	down_read(&pmv_pools_sem);
	pool = pmv_pool_find(c->name);
	if (pool) {
		mutex_lock(&pool->ctl_lock);
		ret = check_pool(c, pool, extack);
		mutex_unlock(&pool->ctl_lock);
	} else {
		NL_SET_ERR_MSG(extack, "no such pool is active");
	}
	up_read(&pmv_pools_sem);
	return ret;
}

static void check_free(struct check *c)
{
	if (!c)
		return;
	free_pieces(c);
	kvfree(c->core.segment);
	kvfree(c->kept);
	kvfree(c);
}

int pmv_nl_check_start(struct netlink_callback *cb)
{
	struct nlattr **attrs = compat_dump_attrs(cb);
	struct pmv_request r;
	struct check *c;
	int ret;

	if (!netlink_capable(cb->skb, CAP_SYS_ADMIN)) {
		NL_SET_ERR_MSG(cb->extack, "this needs CAP_SYS_ADMIN");
		return -EPERM;
	}
	if (!attrs || !attrs[PMEMVOL_A_POOL]) {
		NL_SET_ERR_MSG(cb->extack, "no pool is named");
		return -EINVAL;
	}
	ret = pmv_request_parse(attrs, &r, cb->extack);
	if (ret)
		return ret;
	c = kvzalloc(sizeof(*c), GFP_KERNEL);
	if (!c)
		return -ENOMEM;
	INIT_LIST_HEAD(&c->pieces);
	memcpy(c->name, r.params.name, r.params.name_len);
	c->core.segment = kvcalloc(PMV_SEGMENTS_MAX, sizeof(*c->core.segment), GFP_KERNEL);
	c->kept = kvcalloc(TOLD_MAX, sizeof(*c->kept), GFP_KERNEL);
	if (!c->core.segment || !c->kept) {
		check_free(c);
		return -ENOMEM;
	}
	c->k.core = &c->core;
	c->k.alloc = check_alloc;
	c->k.finding = check_finding;
	c->k.arg = c;
	ret = check_by_name(c, cb->extack);
	free_pieces(c);
	if (ret) {
		check_free(c);
		return ret;
	}
	cb->args[0] = (long)c;
	return 0;
}

int pmv_nl_check_done(struct netlink_callback *cb)
{
	check_free((struct check *)cb->args[0]);
	return 0;
}

static int put_name(struct sk_buff *skb, const struct check *c)
{
	struct nlattr *nest = nla_nest_start(skb, PMEMVOL_A_POOL);

	if (!nest || nla_put_string(skb, PMEMVOL_A_POOL_NAME, c->name))
		return -EMSGSIZE;
	nla_nest_end(skb, nest);
	return 0;
}

static int put_u64(struct sk_buff *skb, int attr, u64 value)
{
	return nla_put_u64_64bit(skb, attr, value, PMEMVOL_A_CHECK_PAD);
}

static int put_result(struct sk_buff *skb, const struct check *c)
{
	struct nlattr *nest = nla_nest_start(skb, PMEMVOL_A_CHECK);

	if (!nest || put_u64(skb, PMEMVOL_A_CHECK_NOTES, c->k.notes) ||
	    put_u64(skb, PMEMVOL_A_CHECK_DAMAGED, c->k.damaged) ||
	    put_u64(skb, PMEMVOL_A_CHECK_LOST, c->k.lost) ||
	    put_u64(skb, PMEMVOL_A_CHECK_VOLUMES, c->k.volumes) ||
	    put_u64(skb, PMEMVOL_A_CHECK_CHUNKS, c->k.chunks) ||
	    (c->untold && put_u64(skb, PMEMVOL_A_CHECK_UNTOLD, c->untold)))
		return -EMSGSIZE;
	nla_nest_end(skb, nest);
	return 0;
}

static int put_number(struct sk_buff *skb, int attr, u64 value)
{
	return value == PMV_NO_NUMBER ? 0 :
	       nla_put_u64_64bit(skb, attr, value, PMEMVOL_A_FINDING_PAD);
}

static int put_place(struct sk_buff *skb, const struct pmv_finding *f)
{
	if (f->member == PMV_NO_MEMBER)
		return 0;
	return nla_put_u32(skb, PMEMVOL_A_FINDING_MEMBER, f->member) ?:
	       put_number(skb, PMEMVOL_A_FINDING_OFFSET, f->off);
}

static int put_finding(struct sk_buff *skb, const struct kept *kept)
{
	struct nlattr *nest = nla_nest_start(skb, PMEMVOL_A_FINDING);
	const struct pmv_finding *f = &kept->f;

	if (!nest ||
	    nla_put_string(skb, PMEMVOL_A_FINDING_SEVERITY, pmv_severity_name(pmv_severity(f))) ||
	    nla_put_string(skb, PMEMVOL_A_FINDING_PART, pmv_part_name(f->part)) ||
	    nla_put_string(skb, PMEMVOL_A_FINDING_PROBLEM, pmv_problem_name(f->problem)) ||
	    nla_put_string(skb, PMEMVOL_A_FINDING_WHY, f->why) ||
	    (f->repairable && nla_put_flag(skb, PMEMVOL_A_FINDING_REPAIRABLE)) ||
	    put_place(skb, f) ||
	    (f->slot != PMV_NO_SLOT && nla_put_u32(skb, PMEMVOL_A_FINDING_SLOT, f->slot)) ||
	    (kept->volume[0] &&
	     nla_put_string(skb, PMEMVOL_A_FINDING_VOLUME, kept->volume)) ||
	    put_number(skb, PMEMVOL_A_FINDING_INDEX, f->index) ||
	    put_number(skb, PMEMVOL_A_FINDING_VALUE, f->value))
		return -EMSGSIZE;
	nla_nest_end(skb, nest);
	return 0;
}

int pmv_nl_check_dump(struct sk_buff *skb, struct netlink_callback *cb)
{
	struct check *c = (struct check *)cb->args[0];
	int ret = 0;
	void *hdr;

	for (; c->at <= c->nr; c->at++) {
		hdr = genlmsg_put(skb, NETLINK_CB(cb->skb).portid, cb->nlh->nlmsg_seq,
				  &pmv_genl_family, NLM_F_MULTI, PMEMVOL_CMD_POOL_CHECK);
		if (!hdr)
			break;
		ret = put_name(skb, c);
		if (!ret)
			ret = c->at ? put_finding(skb, &c->kept[c->at - 1]) : put_result(skb, c);
		if (ret) {
			genlmsg_cancel(skb, hdr);
			break;
		}
		genlmsg_end(skb, hdr);
	}
	return ret && !skb->len ? ret : (int)skb->len;
}
