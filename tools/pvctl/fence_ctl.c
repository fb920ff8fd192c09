// SPDX-License-Identifier: GPL-2.0
#include "fence_ctl.h"

#include <errno.h>
#include <netlink/attr.h>
#include <netlink/msg.h>
#include <string.h>

#include "nl.h"

#define DUMP_TRIES 64
/* Longer than the module itself lets a request take. */
#define PATIENCE_MIN_S 120
#define PATIENCE_MORE_S 30

static int put_attachment(struct nl_msg *msg, const struct pv_fence_request *r)
{
	struct nlattr *nest = nla_nest_start(msg, NVME_FENCE_A_ATTACHMENT | NLA_F_NESTED);

	if (!nest || nla_put_string(msg, NVME_FENCE_A_ATT_NAME, r->name) ||
	    (r->device && nla_put_string(msg, NVME_FENCE_A_ATT_DEVICE, r->device)) ||
	    (r->node_id && nla_put_u32(msg, NVME_FENCE_A_ATT_NODE_ID, r->node_id)) ||
	    (r->host_id &&
	     nla_put(msg, NVME_FENCE_A_ATT_HOST_ID, NVME_FENCE_HOST_ID_SIZE, r->host_id)) ||
	    (r->has_grade && nla_put_u32(msg, NVME_FENCE_A_ATT_GRADE, r->grade)) ||
	    (r->epoch && nla_put_u64(msg, NVME_FENCE_A_ATT_EPOCH, r->epoch)) ||
	    (r->record_epoch && nla_put_u64(msg, NVME_FENCE_A_ATT_RECORD_EPOCH, r->record_epoch)) ||
	    (r->has_lease && nla_put_u32(msg, NVME_FENCE_A_ATT_LEASE, r->lease_ms)))
		return -EMSGSIZE;
	return nla_nest_end(msg, nest);
}

static int put_registrant(struct nl_msg *msg, const struct pv_registrant *r)
{
	struct nlattr *nest = nla_nest_start(msg, NVME_FENCE_A_REPORT_REGISTRANT | NLA_F_NESTED);

	if (!nest || nla_put_u64(msg, NVME_FENCE_A_REG_KEY, r->key) ||
	    (r->holder && nla_put_flag(msg, NVME_FENCE_A_REG_HOLDER)) ||
	    (r->host_known &&
	     nla_put(msg, NVME_FENCE_A_REG_HOST_ID, NVME_FENCE_HOST_ID_SIZE, r->host_id)))
		return -EMSGSIZE;
	return nla_nest_end(msg, nest);
}

static int put_report(struct nl_msg *msg, const struct pv_fence_request *request)
{
	const struct pv_report *report = request->report;
	struct nlattr *nest = nla_nest_start(msg, NVME_FENCE_A_REPORT | NLA_F_NESTED);

	if (!nest || nla_put_u32(msg, NVME_FENCE_A_REPORT_GENERATION, report->generation) ||
	    nla_put_u32(msg, NVME_FENCE_A_REPORT_TYPE, report->type) ||
	    nla_put_u64(msg, NVME_FENCE_A_REPORT_GRANTS, request->report_grants))
		return -EMSGSIZE;
	for (unsigned int i = 0; i < report->nr; i++)
		if (put_registrant(msg, &report->registrant[i]))
			return -EMSGSIZE;
	return nla_nest_end(msg, nest);
}

static int put_request(struct nl_msg *msg, const struct pv_fence_request *r)
{
	if (put_attachment(msg, r) || (r->report && r->report->known && put_report(msg, r)) ||
	    (r->preempt_foreign && nla_put_flag(msg, NVME_FENCE_A_PREEMPT_FOREIGN)) ||
	    (r->timeout_ms && nla_put_u32(msg, NVME_FENCE_A_TIMEOUT, r->timeout_ms)) ||
	    (r->go_on && nla_put_flag(msg, NVME_FENCE_A_CONTINUE)))
		return -EMSGSIZE;
	return 0;
}

static int take_reply(struct nlattr **top, void *arg)
{
	struct pv_fence_reply *reply = arg;

	if (top[NVME_FENCE_A_ATTACHMENT]) {
		if (pv_decode_attachment(top[NVME_FENCE_A_ATTACHMENT], &reply->attachment))
			return -EBADMSG;
		reply->got = true;
	}
	if (top[NVME_FENCE_A_WINNER]) {
		if (pv_decode_registrant(top[NVME_FENCE_A_WINNER], &reply->winner))
			return -EBADMSG;
		reply->has_winner = true;
	}
	if (top[NVME_FENCE_A_REPORT] && pv_decode_report(top[NVME_FENCE_A_REPORT], &reply->report))
		return -EBADMSG;
	reply->report_wanted |= !!top[NVME_FENCE_A_REPORT_WANTED];
	return 0;
}

int pv_fence_call(struct pv_ctx *ctx, int cmd, const struct pv_fence_request *request,
		  struct pv_fence_reply *reply)
{
	struct nl_msg *msg = pv_nl_request_to(ctx, PV_FAMILY_FENCE, cmd, NLM_F_ACK);
	unsigned int patience = PATIENCE_MIN_S;
	int ret;

	memset(reply, 0, sizeof(*reply));
	if (!msg)
		return ctx->error.status;
	if (put_request(msg, request)) {
		nlmsg_free(msg);
		return pv_fail(ctx, PV_INVALID_ARGUMENT, "too much for one request");
	}
	if (request->timeout_ms / 1000 + PATIENCE_MORE_S > patience)
		patience = request->timeout_ms / 1000 + PATIENCE_MORE_S;
	ret = pv_nl_patience(ctx, patience);
	if (ret) {
		nlmsg_free(msg);
		return ret;
	}
	ret = pv_nl_call(ctx, msg, take_reply, reply);
	if (!ret && !reply->got && !reply->has_winner)
		return pv_fail(ctx, PV_INTERNAL, "the kernel acknowledged without an answer");
	return ret;
}

static int add_attachment(struct nlattr **top, void *arg)
{
	struct pv_attachments *all = arg;

	all->attachment = pv_grow(all->attachment, all->nr, sizeof(*all->attachment));
	if (pv_decode_attachment(top[NVME_FENCE_A_ATTACHMENT], &all->attachment[all->nr]))
		return -EBADMSG;
	all->nr++;
	return 0;
}

int pv_fence_dump(struct pv_ctx *ctx, struct pv_attachments *out)
{
	for (int i = 0; i < DUMP_TRIES; i++) {
		struct nl_msg *msg =
			pv_nl_request_to(ctx, PV_FAMILY_FENCE, NVME_FENCE_CMD_GET, NLM_F_DUMP);
		int ret;

		*out = (struct pv_attachments){ 0 };
		if (!msg)
			return ctx->error.status;
		ret = pv_nl_call(ctx, msg, add_attachment, out);
		if (!ret)
			return PV_OK;
		pv_attachments_free(out);
		if (ctx->error.sys != EINTR)
			return ret;
	}
	return pv_fail(ctx, PV_ABORTED, "the list kept changing while it was read: try again");
}
