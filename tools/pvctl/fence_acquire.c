// SPDX-License-Identifier: GPL-2.0
#include "fence_acquire.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "clock.h"
#include "fence_output.h"

/* The kernel's own loop ends much earlier: this bounds what a kernel gone wrong costs. */
#define ROUNDS_MAX 256
/* A device that takes longer for a report will not do the rest in time either. */
#define READ_TIMEOUT_MS 10000

static unsigned int read_timeout(uint64_t deadline)
{
	uint32_t left = pv_left_ms(deadline);

	return left < READ_TIMEOUT_MS ? left : READ_TIMEOUT_MS;
}

static int read_lower(struct pv_ctx *ctx, uint64_t deadline, const struct pv_attachment *a,
		      struct pv_report *report)
{
	const char *why;
	int ret;

	if (a->reason == NVME_FENCE_REASON_GONE)
		return -ENODEV;
	ret = pv_resv_read_device(a->device_devnum, read_timeout(deadline), report, &why);
	if (ret && ret != -EOPNOTSUPP)
		pv_warn(ctx, "/dev/%s: %s", a->device, why);
	return ret;
}

int pv_fence_get(struct pv_ctx *ctx, const char *name, uint64_t deadline,
		 struct pv_fence_reply *reply)
{
	struct pv_fence_request request = { .name = name, .timeout_ms = pv_left_ms(deadline) };
	struct pv_report read;
	int ret = pv_fence_call(ctx, NVME_FENCE_CMD_GET, &request, reply);

	if (ret || reply->report.known || reply->attachment.grade != NVME_FENCE_GRADE_DEVICE ||
	    read_lower(ctx, deadline, &reply->attachment, &read))
		return ret;
	request.report = &read;
	request.report_grants = reply->attachment.grants;
	request.timeout_ms = pv_left_ms(deadline);
	return pv_fence_call(ctx, NVME_FENCE_CMD_GET, &request, reply);
}

static bool hosts_known(const struct pv_report *report)
{
	for (unsigned int i = 0; i < report->nr; i++)
		if (!report->registrant[i].host_known)
			return false;
	return true;
}

void pv_fence_read_more(struct pv_ctx *ctx, uint64_t deadline, struct pv_fence_reply *reply)
{
	struct pv_report read;

	if ((reply->report.known && hosts_known(&reply->report)) ||
	    read_lower(ctx, deadline, &reply->attachment, &read))
		return;
	if (reply->report.known)
		pv_report_learn_hosts(&reply->report, &read);
	else
		reply->report = read;
}

static int fail_lost(struct pv_ctx *ctx, const char *name, const struct pv_fence_reply *reply)
{
	char text[PV_REGISTRANT_TEXT];

	if (!reply->has_winner)
		return ctx->error.status ?
			       (int)ctx->error.status :
			       pv_fail(ctx, PV_ABORTED, "%s lost to a newer epoch", name);
	pv_fail(ctx, PV_ABORTED, "lost to %s", pv_format_registrant(&reply->winner, text));
	pv_fail_detail(ctx, "winner", pv_json_registrant(&reply->winner));
	return PV_ABORTED;
}

/* The refusal is the kernel's; what stands in the way is added to it. */
static int fail_foreign(struct pv_ctx *ctx, uint64_t devnum, struct pv_fence_reply *reply)
{
	char list[256] = "", text[PV_REGISTRANT_TEXT];
	struct pv_error refusal = ctx->error;
	struct pv_report read;
	const char *why;
	size_t len = 0;

	if (!pv_resv_read_device(devnum, READ_TIMEOUT_MS, &read, &why)) {
		if (reply->report.known)
			pv_report_learn_hosts(&reply->report, &read);
		else
			reply->report = read;
	}
	for (unsigned int i = 0; i < reply->report.nr && len < sizeof(list); i++) {
		const struct pv_registrant *r = &reply->report.registrant[i];

		len += (size_t)snprintf(list + len, sizeof(list) - len, "%s%s%s", len ? ", " : "",
					pv_format_registrant(r, text), r->holder ? " (holds)" : "");
	}
	if (reply->has_winner)
		pv_fail_detail(ctx, "winner", pv_json_registrant(&reply->winner));
	pv_fail_detail(ctx, "report", pv_json_report(&reply->report));
	if (list[0])
		pv_fail(ctx, refusal.status, "%s: %s", refusal.message, list);
	ctx->error.sys = refusal.sys;
	return refusal.status;
}

static int explain(struct pv_ctx *ctx, const char *name, uint64_t devnum,
		   struct pv_fence_reply *reply, int ret)
{
	if (ctx->error.sys == EKEYREJECTED && ret)
		return fail_foreign(ctx, devnum, reply);
	if ((ret && ctx->error.sys == EBADE) || (!ret && reply->has_winner))
		return fail_lost(ctx, name, reply);
	return ret;
}

static int fail_read(struct pv_ctx *ctx, int error, const char *why)
{
	if (error == -EOPNOTSUPP)
		return pv_fail(ctx, PV_FAILED_PRECONDITION,
			       "the kernel cannot read all of the reservation, and %s", why);
	return pv_fail_sys(ctx, -error, "%s", why);
}

int pv_fence_acquire(struct pv_ctx *ctx, const struct pv_fence_request *request, uint64_t devnum,
		     uint64_t deadline, struct pv_fence_reply *reply)
{
	struct pv_fence_request r = *request;
	struct pv_report report;
	const char *why;
	int ret;

	for (int round = 0; round < ROUNDS_MAX; round++) {
		if (pv_now_ms() >= deadline)
			return pv_fail(ctx, PV_DEADLINE_EXCEEDED,
				       "the device took too long: the attachment stays fenced");
		r.timeout_ms = pv_left_ms(deadline);
		ret = pv_fence_call(ctx, NVME_FENCE_CMD_ACQUIRE, &r, reply);
		ret = explain(ctx, r.name, devnum, reply, ret);
		if (ret || !reply->report_wanted)
			return ret;
		ret = pv_resv_read_device(devnum, read_timeout(deadline), &report, &why);
		if (ret)
			return fail_read(ctx, ret, why);
		r.report = &report;
		r.go_on = true;
	}
	return pv_fail(ctx, PV_ABORTED, "the reservation kept changing: try again");
}
