// SPDX-License-Identifier: GPL-2.0
/*
 * The generic netlink family: policies, parsing and operations.
 * include/uapi/linux/nvme_fence.h describes it.
 */
#include <linux/capability.h>
#include <linux/slab.h>
#include <net/genetlink.h>

#include "fence.h"

static struct netlink_range_validation node_id_range = { .min = 1, .max = NVME_FENCE_NODE_ID_MAX };
static struct netlink_range_validation epoch_range = { .min = 0, .max = NVME_FENCE_EPOCH_MAX };
static struct netlink_range_validation lease_range = { .min = 0, .max = NVME_FENCE_LEASE_MAX };
static struct netlink_range_validation timeout_range = {
	.min = NVME_FENCE_TIMEOUT_MIN,
	.max = NVME_FENCE_TIMEOUT_MAX,
};

static const struct nla_policy registrant_policy[NVME_FENCE_A_REG_MAX + 1] = {
	[NVME_FENCE_A_REG_KEY] = { .type = NLA_U64 },
	[NVME_FENCE_A_REG_HOLDER] = { .type = NLA_FLAG },
	[NVME_FENCE_A_REG_HOST_ID] = NLA_POLICY_EXACT_LEN(NVME_FENCE_HOST_ID_SIZE),
};

static const struct nla_policy report_policy[NVME_FENCE_A_REPORT_MAX + 1] = {
	[NVME_FENCE_A_REPORT_GENERATION] = { .type = NLA_U32 },
	[NVME_FENCE_A_REPORT_TYPE] = NLA_POLICY_MAX(NLA_U32, U8_MAX),
	[NVME_FENCE_A_REPORT_REGISTRANT] = NLA_POLICY_NESTED(registrant_policy),
	[NVME_FENCE_A_REPORT_GRANTS] = { .type = NLA_U64 },
};

static const struct nla_policy attachment_policy[NVME_FENCE_A_ATT_MAX + 1] = {
	[NVME_FENCE_A_ATT_NAME] = { .type = NLA_NUL_STRING, .len = NVME_FENCE_NAME_MAX },
	[NVME_FENCE_A_ATT_DEVICE] = { .type = NLA_NUL_STRING, .len = PATH_MAX - 1 },
	[NVME_FENCE_A_ATT_NODE_ID] = NLA_POLICY_FULL_RANGE(NLA_U32, &node_id_range),
	[NVME_FENCE_A_ATT_HOST_ID] = NLA_POLICY_EXACT_LEN(NVME_FENCE_HOST_ID_SIZE),
	[NVME_FENCE_A_ATT_GRADE] = NLA_POLICY_MAX(NLA_U32, NVME_FENCE_GRADE_DEVICE),
	[NVME_FENCE_A_ATT_EPOCH] = NLA_POLICY_FULL_RANGE(NLA_U64, &epoch_range),
	[NVME_FENCE_A_ATT_RECORD_EPOCH] = NLA_POLICY_FULL_RANGE(NLA_U64, &epoch_range),
	[NVME_FENCE_A_ATT_LEASE] = NLA_POLICY_FULL_RANGE(NLA_U32, &lease_range),
};

static const struct nla_policy family_policy[NVME_FENCE_A_MAX + 1] = {
	[NVME_FENCE_A_ATTACHMENT] = NLA_POLICY_NESTED(attachment_policy),
	[NVME_FENCE_A_REPORT] = NLA_POLICY_NESTED(report_policy),
	[NVME_FENCE_A_PREEMPT_FOREIGN] = { .type = NLA_FLAG },
	[NVME_FENCE_A_TIMEOUT] = NLA_POLICY_FULL_RANGE(NLA_U32, &timeout_range),
	[NVME_FENCE_A_CONTINUE] = { .type = NLA_FLAG },
};

/* ---- requests ---- */

/**
 * struct ask - a request, checked
 * @tb: of the attachment
 * @name: of it
 * @report: what the caller read, NULL when it sent none
 * @report_grants: NVME_FENCE_A_ATT_GRANTS from before it was read
 * @timeout: milliseconds, 0: not given
 */
struct ask {
	struct nlattr *tb[NVME_FENCE_A_ATT_MAX + 1];
	const char *name;
	struct nvf_report *report;
	u64 report_grants;
	u32 timeout;
};

/*
 * The flag of genl operations asks for CAP_NET_ADMIN only, which containers often have, and
 * netlink_capable() looks at both the sender's and the socket opener's rights.
 */
static int pre_doit(const struct compat_genl_pre_ops *ops, struct sk_buff *skb,
		    struct genl_info *info)
{
	if (netlink_capable(skb, CAP_SYS_ADMIN))
		return 0;
	NL_SET_ERR_MSG(info->extack, "this needs CAP_SYS_ADMIN");
	return -EPERM;
}

static int refuse(struct netlink_ext_ack *extack, int err, const char *why)
{
	if (extack && why)
		extack->_msg = why;
	return err;
}

static bool name_char(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '+' || c == '_' || c == '.' || c == '-';
}

static int get_name(struct ask *r, struct netlink_ext_ack *extack)
{
	const struct nlattr *attr = r->tb[NVME_FENCE_A_ATT_NAME];
	const char *c;

	if (!attr)
		return refuse(extack, -EINVAL, "no attachment is named");
	r->name = nla_data(attr);
	for (c = r->name; name_char(*c); c++)
		;
	if (*c || c == r->name || *r->name == '-' || *r->name == '.') {
		NL_SET_ERR_MSG_ATTR(extack, attr,
				    "not a name: 1 to 128 of A-Z a-z 0-9 + _ . -, not beginning with - or .");
		return -EINVAL;
	}
	return 0;
}

static int parse_registrant(const struct nlattr *nest, struct nvf_report *report,
			    struct netlink_ext_ack *extack)
{
	struct nlattr *tb[NVME_FENCE_A_REG_MAX + 1];
	struct nvf_registrant *reg;
	int ret;

	if (report->count == NVF_REGISTRANTS_MAX) {
		NL_SET_ERR_MSG_ATTR(extack, nest, "a report has at most 256 registrants");
		return -ERANGE;
	}
	ret = nla_parse_nested(tb, NVME_FENCE_A_REG_MAX, nest, registrant_policy, extack);
	if (ret)
		return ret;
	if (!tb[NVME_FENCE_A_REG_KEY]) {
		NL_SET_ERR_MSG_ATTR(extack, nest, "a registrant without key");
		return -EINVAL;
	}
	reg = &report->reg[report->count++];
	reg->key = nla_get_u64(tb[NVME_FENCE_A_REG_KEY]);
	reg->holder = nla_get_flag(tb[NVME_FENCE_A_REG_HOLDER]);
	if (tb[NVME_FENCE_A_REG_HOST_ID]) {
		reg->host_known = true;
		memcpy(reg->host, nla_data(tb[NVME_FENCE_A_REG_HOST_ID]), sizeof(reg->host));
	}
	return 0;
}

static int parse_report(const struct nlattr *nest, struct ask *r, struct netlink_ext_ack *extack)
{
	struct nvf_report *report = r->report;
	struct nlattr *tb[NVME_FENCE_A_REPORT_MAX + 1], *attr;
	int rem, ret;

	ret = nla_parse_nested(tb, NVME_FENCE_A_REPORT_MAX, nest, report_policy, extack);
	if (ret)
		return ret;
	if (!tb[NVME_FENCE_A_REPORT_TYPE])
		return refuse(extack, -EINVAL, "a report without type");
	report->type = nla_get_u32(tb[NVME_FENCE_A_REPORT_TYPE]);
	if (tb[NVME_FENCE_A_REPORT_GENERATION])
		report->generation = nla_get_u32(tb[NVME_FENCE_A_REPORT_GENERATION]);
	if (tb[NVME_FENCE_A_REPORT_GRANTS])
		r->report_grants = nla_get_u64(tb[NVME_FENCE_A_REPORT_GRANTS]);
	nla_for_each_nested(attr, nest, rem) {
		if (nla_type(attr) != NVME_FENCE_A_REPORT_REGISTRANT)
			continue;
		ret = parse_registrant(attr, report, extack);
		if (ret)
			return ret;
	}
	return 0;
}

static void request_free(struct ask *r)
{
	kvfree(r->report);
	r->report = NULL;
}

static int parse(struct genl_info *info, struct ask *r)
{
	struct nlattr **attrs = info->attrs;
	int ret;

	memset(r, 0, sizeof(*r));
	if (!attrs[NVME_FENCE_A_ATTACHMENT])
		return refuse(info->extack, -EINVAL, "no attachment is named");
	ret = nla_parse_nested(r->tb, NVME_FENCE_A_ATT_MAX, attrs[NVME_FENCE_A_ATTACHMENT],
			       attachment_policy, info->extack);
	if (ret)
		return ret;
	ret = get_name(r, info->extack);
	if (ret)
		return ret;
	if (attrs[NVME_FENCE_A_TIMEOUT])
		r->timeout = nla_get_u32(attrs[NVME_FENCE_A_TIMEOUT]);
	if (!attrs[NVME_FENCE_A_REPORT])
		return 0;
	r->report = kvzalloc(sizeof(*r->report), GFP_KERNEL);
	if (!r->report)
		return -ENOMEM;
	ret = parse_report(attrs[NVME_FENCE_A_REPORT], r, info->extack);
	if (ret)
		request_free(r);
	return ret;
}

/* Between none at all and one that nobody could renew in time there is nothing. */
static int get_lease(const struct ask *r, u32 *lease, struct netlink_ext_ack *extack)
{
	const struct nlattr *attr = r->tb[NVME_FENCE_A_ATT_LEASE];

	*lease = attr ? nla_get_u32(attr) : 0;
	if (!*lease || *lease >= NVME_FENCE_LEASE_MIN)
		return 0;
	NL_SET_ERR_MSG_ATTR(extack, attr, "a lease is 100 milliseconds at least");
	return -ERANGE;
}

static struct nvf_attachment *get_attachment(const struct ask *r,
					     struct netlink_ext_ack *extack)
{
	struct nvf_attachment *att = nvf_attachment_get(r->name);

	if (!att)
		NL_SET_ERR_MSG_ATTR(extack, r->tb[NVME_FENCE_A_ATT_NAME], "no such attachment");
	return att;
}

/* ---- replies ---- */

/* A report has up to this many bytes for each registrant. */
#define REGISTRANT_REPLY	64
#define REPLY_SIZE		(NLMSG_DEFAULT_SIZE + NVF_REGISTRANTS_MAX * REGISTRANT_REPLY)

/**
 * struct answer - a reply, allocated before anything is done
 * @skb: its message, NULL once it has been sent
 * @hdr: the message's header
 *
 * So a request that has changed something, or has opened a gate, is never told to have failed.
 */
struct answer {
	struct sk_buff *skb;
	void *hdr;
};

static int answer_begin(struct genl_info *info, struct answer *a, size_t size)
{
	a->skb = genlmsg_new(size, GFP_KERNEL);
	if (!a->skb)
		return -ENOMEM;
	a->hdr = genlmsg_put_reply(a->skb, info, &nvf_genl_family, 0, info->genlhdr->cmd);
	if (a->hdr)
		return 0;
	nlmsg_free(a->skb);
	return -EMSGSIZE;
}

static int answer_send(struct genl_info *info, struct answer *a)
{
	struct sk_buff *skb = a->skb;

	a->skb = NULL;
	genlmsg_end(skb, a->hdr);
	return genlmsg_reply(skb, info);
}

static int answer_attachment(struct genl_info *info, struct answer *a, struct nvf_attachment *att)
{
	return nvf_put_attachment(a->skb, att) ? -EMSGSIZE : answer_send(info, a);
}

static void answer_drop(struct answer *a)
{
	nlmsg_free(a->skb);
}

/* ---- operations ---- */

/* Where the kernel reads by itself, what it does not tell; the report is the job's then. */
static void hand_in(struct nvf_job *job, struct ask *r)
{
	if (!r->report)
		return;
	if (nvf_dev_can_read(job->lower)) {
		job->hosts = r->report;
		r->report = NULL;
		return;
	}
	job->report = *r->report;
	job->report_grants = r->report_grants;
	job->report_given = true;
}

static int do_get(struct genl_info *info, struct nvf_attachment *att, struct ask *r,
		  struct answer *a)
{
	struct nvf_job *job;
	int ret = 0;

	job = nvf_job_alloc(att->lower, att, nvf_verify_run, r->timeout);
	if (!job)
		return -ENOMEM;
	hand_in(job, r);
	job->impatient = true;
	nvf_lower_check(att->lower);
	/* A device that does not answer is no reason not to tell what is known. */
	if (!nvf_job_wait(job, true) && job->read && nvf_put_report(a->skb, &job->report))
		ret = -EMSGSIZE;
	nvf_job_put(job);
	return ret;
}

/* Which attribute an attach was refused for. */
static void blame(struct netlink_ext_ack *extack, const struct ask *r, int err)
{
	switch (err) {
	case -EEXIST:
		NL_SET_BAD_ATTR(extack, r->tb[NVME_FENCE_A_ATT_NAME]);
		break;
	case -ENODEV:
	case -ENOTBLK:
	case -EMEDIUMTYPE:
	case -EBUSY:
		NL_SET_BAD_ATTR(extack, r->tb[NVME_FENCE_A_ATT_DEVICE]);
		break;
	case -EOPNOTSUPP:
		NL_SET_BAD_ATTR(extack, r->tb[NVME_FENCE_A_ATT_GRADE]);
		break;
	}
}

static int do_attach(struct genl_info *info, struct ask *r)
{
	struct nvf_attach_params p = {
		.name = r->name,
		.report = r->report,
		.timeout = r->timeout,
	};
	struct nvf_attachment *att;
	struct answer a;
	int ret;

	if (!r->tb[NVME_FENCE_A_ATT_DEVICE])
		return refuse(info->extack, -EINVAL, "no device is named");
	if (!r->tb[NVME_FENCE_A_ATT_NODE_ID])
		return refuse(info->extack, -EINVAL, "no node id is given");
	ret = get_lease(r, &p.lease, info->extack);
	if (ret)
		return ret;
	p.device = nla_data(r->tb[NVME_FENCE_A_ATT_DEVICE]);
	p.node_id = nla_get_u32(r->tb[NVME_FENCE_A_ATT_NODE_ID]);
	if (r->tb[NVME_FENCE_A_ATT_HOST_ID])
		p.host_id = nla_data(r->tb[NVME_FENCE_A_ATT_HOST_ID]);
	if (r->tb[NVME_FENCE_A_ATT_GRADE]) {
		p.grade_given = true;
		p.grade = nla_get_u32(r->tb[NVME_FENCE_A_ATT_GRADE]);
	}
	if (r->tb[NVME_FENCE_A_ATT_RECORD_EPOCH])
		p.known = nla_get_u64(r->tb[NVME_FENCE_A_ATT_RECORD_EPOCH]);
	ret = answer_begin(info, &a, NLMSG_DEFAULT_SIZE);
	if (ret)
		return ret;
	att = nvf_attach(&p, info->extack);
	if (IS_ERR(att)) {
		ret = PTR_ERR(att);
		blame(info->extack, r, ret);
	} else {
		ret = answer_attachment(info, &a, att);
		nvf_attachment_put(att);
	}
	answer_drop(&a);
	return ret;
}

static int do_detach(struct genl_info *info, struct nvf_attachment *att, struct ask *r,
		     struct answer *a)
{
	return nvf_detach(att, info->extack);
}

static struct nvf_acq *take_set_aside(struct nvf_attachment *att)
{
	struct nvf_acq *acq;

	spin_lock_irq(&att->lower->lock);
	acq = att->acq;
	att->acq = NULL;
	spin_unlock_irq(&att->lower->lock);
	return acq;
}

/* The acquire that goes on, or a new one in its stead. */
static int get_acq(struct genl_info *info, struct nvf_attachment *att, const struct ask *r,
		   struct nvf_acq **result)
{
	struct nvf_acquire_params p = { 0 };
	struct nvf_acq *acq;
	int ret;

	ret = get_lease(r, &p.lease, info->extack);
	if (ret)
		return ret;
	p.set_lease = r->tb[NVME_FENCE_A_ATT_LEASE];
	p.preempt_foreign = nla_get_flag(info->attrs[NVME_FENCE_A_PREEMPT_FOREIGN]);
	if (r->tb[NVME_FENCE_A_ATT_EPOCH]) {
		p.epoch = nla_get_u64(r->tb[NVME_FENCE_A_ATT_EPOCH]);
		if (!p.epoch) {
			NL_SET_ERR_MSG_ATTR(info->extack, r->tb[NVME_FENCE_A_ATT_EPOCH],
					    "epochs begin with 1");
			return -ERANGE;
		}
	}
	if (r->tb[NVME_FENCE_A_ATT_RECORD_EPOCH])
		p.known = nla_get_u64(r->tb[NVME_FENCE_A_ATT_RECORD_EPOCH]);
	acq = take_set_aside(att);
	if (nla_get_flag(info->attrs[NVME_FENCE_A_CONTINUE])) {
		if (!acq)
			return refuse(info->extack, -EINVAL, "there is no acquire to go on with");
	} else {
		kfree(acq);
		acq = nvf_acq_make(att, &p);
		if (!acq)
			return -ENOMEM;
	}
	*result = acq;
	return 0;
}

static int do_acquire(struct genl_info *info, struct nvf_attachment *att, struct ask *r,
		      struct answer *a)
{
	struct nvf_acq *acq;
	struct nvf_job *job;
	int ret;

	job = nvf_job_alloc(att->lower, att, nvf_acquire_run, r->timeout);
	if (!job)
		return -ENOMEM;
	hand_in(job, r);
	ret = get_acq(info, att, r, &acq);
	if (ret)
		goto out;
	job->acq = acq;
	ret = nvf_job_wait(job, true);
	if (ret)
		refuse(info->extack, ret, nvf_job_why(job));
	else if (job->wanted && nla_put_flag(a->skb, NVME_FENCE_A_REPORT_WANTED))
		ret = -EMSGSIZE;
	/* The winner is told first, the error follows as the acknowledgment. */
	if (ret == -EBADE && job->lost && !nvf_put_winner(a->skb, &job->winner))
		answer_send(info, a);
out:
	nvf_job_put(job);
	return ret;
}

static int do_renew(struct genl_info *info, struct nvf_attachment *att, struct ask *r,
		    struct answer *a)
{
	struct nvf_lower *lower = att->lower;
	int ret;
	u32 lease;

	ret = get_lease(r, &lease, info->extack);
	if (ret)
		return ret;
	spin_lock_irq(&lower->lock);
	if (att->state.state != NVF_GRANTED) {
		ret = -ESTALE;
	} else if (att->lease && ktime_get_boottime_ns() >= att->deadline) {
		/* Its work has not come by yet. */
		nvf_gate_lose(att, NVF_EV_LEASE);
		ret = -ESTALE;
	} else {
		if (r->tb[NVME_FENCE_A_ATT_LEASE])
			att->lease = lease;
		nvf_lease_start(att);
		nvf_gate_apply(att);
	}
	spin_unlock_irq(&lower->lock);
	if (ret)
		refuse(info->extack, ret, "the attachment has no epoch to renew: acquire one");
	return ret;
}

static int do_release(struct genl_info *info, struct nvf_attachment *att, struct ask *r,
		      struct answer *a)
{
	struct nvf_job *job = nvf_job_alloc(att->lower, att, nvf_release_run, r->timeout);
	int ret;

	if (!job)
		return -ENOMEM;
	ret = nvf_job_wait(job, true);
	if (ret)
		refuse(info->extack, ret, nvf_job_why(job));
	nvf_job_put(job);
	return ret;
}

typedef int (*attachment_op)(struct genl_info *info, struct nvf_attachment *att, struct ask *r,
			     struct answer *a);

/* What is done to an attachment, and then it is told how it is. */
static int do_and_answer(struct genl_info *info, struct nvf_attachment *att, struct ask *r,
			 attachment_op op)
{
	bool reports = op == do_get && att->grade == NVME_FENCE_GRADE_DEVICE;
	struct answer a;
	int ret;

	ret = answer_begin(info, &a, reports ? REPLY_SIZE : NLMSG_DEFAULT_SIZE);
	if (ret)
		return ret;
	ret = op(info, att, r, &a);
	if (!ret)
		ret = answer_attachment(info, &a, att);
	answer_drop(&a);
	return ret;
}

static int with_attachment(struct genl_info *info, attachment_op op)
{
	struct nvf_attachment *att;
	struct ask r;
	int ret;

	ret = parse(info, &r);
	if (ret)
		return ret;
	att = get_attachment(&r, info->extack);
	ret = att ? do_and_answer(info, att, &r, op) : -ENOENT;
	if (att)
		nvf_attachment_put(att);
	request_free(&r);
	return ret;
}

static int nl_get(struct sk_buff *skb, struct genl_info *info)
{
	return with_attachment(info, do_get);
}

static int nl_attach(struct sk_buff *skb, struct genl_info *info)
{
	struct ask r;
	int ret;

	ret = parse(info, &r);
	if (ret)
		return ret;
	ret = do_attach(info, &r);
	request_free(&r);
	return ret;
}

static int nl_detach(struct sk_buff *skb, struct genl_info *info)
{
	return with_attachment(info, do_detach);
}

static int nl_acquire(struct sk_buff *skb, struct genl_info *info)
{
	return with_attachment(info, do_acquire);
}

static int nl_renew(struct sk_buff *skb, struct genl_info *info)
{
	return with_attachment(info, do_renew);
}

static int nl_release(struct sk_buff *skb, struct genl_info *info)
{
	return with_attachment(info, do_release);
}

/* ---- the dump ---- */

static int nl_dump_start(struct netlink_callback *cb)
{
	if (netlink_capable(cb->skb, CAP_SYS_ADMIN))
		return 0;
	NL_SET_ERR_MSG(cb->extack, "this needs CAP_SYS_ADMIN");
	return -EPERM;
}

/* It says so when attachments came or went since the dump began. */
static int nl_dump(struct sk_buff *skb, struct netlink_callback *cb)
{
	struct nvf_attachment *att;
	unsigned long at = 0;
	void *hdr;

	down_read(&nvf_table_sem);
	cb->seq = nvf_attachments_seq() + 1;
	list_for_each_entry(att, &nvf_attachments, list) {
		if (at++ < cb->args[0])
			continue;
		hdr = genlmsg_put(skb, NETLINK_CB(cb->skb).portid, cb->nlh->nlmsg_seq,
				  &nvf_genl_family, NLM_F_MULTI, NVME_FENCE_CMD_GET);
		if (!hdr)
			break;
		genl_dump_check_consistent(cb, hdr);
		nvf_lower_check(att->lower);
		if (nvf_put_attachment(skb, att)) {
			genlmsg_cancel(skb, hdr);
			break;
		}
		genlmsg_end(skb, hdr);
		cb->args[0] = at;
	}
	up_read(&nvf_table_sem);
	return skb->len;
}

/* ---- the family ---- */

static const struct genl_ops nvf_genl_ops[] = {
	{
		.cmd = NVME_FENCE_CMD_GET,
		.doit = nl_get,
		.start = nl_dump_start,
		.dumpit = nl_dump,
	},
	{ .cmd = NVME_FENCE_CMD_ATTACH, .doit = nl_attach },
	{ .cmd = NVME_FENCE_CMD_DETACH, .doit = nl_detach },
	{ .cmd = NVME_FENCE_CMD_ACQUIRE, .doit = nl_acquire },
	{ .cmd = NVME_FENCE_CMD_RENEW, .doit = nl_renew },
	{ .cmd = NVME_FENCE_CMD_RELEASE, .doit = nl_release },
};

static const struct genl_multicast_group nvf_mcgrps[] = {
	{ .name = NVME_FENCE_GENL_MCGRP_EVENTS, COMPAT_GENL_MCAST_SYS_ADMIN },
};

struct genl_family nvf_genl_family = {
	.name = NVME_FENCE_GENL_NAME,
	.version = NVME_FENCE_GENL_VERSION,
	.maxattr = NVME_FENCE_A_MAX,
	.policy = family_policy,
	.module = THIS_MODULE,
	.ops = nvf_genl_ops,
	.n_ops = ARRAY_SIZE(nvf_genl_ops),
	.mcgrps = nvf_mcgrps,
	.n_mcgrps = ARRAY_SIZE(nvf_mcgrps),
	.pre_doit = pre_doit,
	/* A request may wait for a device: others are not to wait for it. */
	.parallel_ops = true,
	COMPAT_GENL_RESV_CHECKED
};

int nvf_netlink_init(void)
{
	return genl_register_family(&nvf_genl_family);
}

void nvf_netlink_exit(void)
{
	genl_unregister_family(&nvf_genl_family);
}
