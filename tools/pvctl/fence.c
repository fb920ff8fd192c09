// SPDX-License-Identifier: GPL-2.0
/* pvctl fence ... */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "cmd.h"
#include "fence_acquire.h"
#include "fence_device.h"
#include "fence_link.h"
#include "fence_options.h"
#include "fence_output.h"
#include "fence_record.h"

static int explain(struct pv_ctx *ctx, const char *name, int ret)
{
	if (ret && ctx->error.sys == ENOENT)
		return pv_fail(ctx, PV_NOT_FOUND, "there is no attachment %s", name);
	return ret;
}

/* Keep what was learnt of the device before anything is said. A device that is gone has no name left. */
static int record(struct pv_ctx *ctx, struct pv_attachment *a, const struct pv_report *report)
{
	uint64_t newest = pv_attachment_newest(a);
	char id[PV_FENCE_ID_MAX];
	int ret = PV_OK;

	if (report && pv_report_newest(report) > newest)
		newest = pv_report_newest(report);
	if (pv_fence_device_id(a->device_devnum, id))
		return PV_OK;
	if (newest)
		ret = pv_record_raise(ctx, id, newest);
	return ret ? ret : pv_record_read(ctx, id, &a->record_epoch);
}

/* The same where the command has its use without. */
static void try_record(struct pv_ctx *ctx, struct pv_attachment *a, const struct pv_report *report)
{
	if (record(ctx, a, report))
		pv_warn(ctx, "%s", ctx->error.message);
}

/* ---- attach ---- */

/* It exists. Is it the one that was asked for? */
static int compare(struct pv_ctx *ctx, const struct pv_fence_request *r, uint64_t devnum,
		   const struct pv_attachment *a)
{
	if (a->device_devnum != devnum)
		return pv_fail(ctx, PV_ALREADY_EXISTS, "the attachment exists on /dev/%s",
			       a->device);
	if (a->node_id != r->node_id)
		return pv_fail(ctx, PV_ALREADY_EXISTS, "the attachment exists for node %u, not %u",
			       a->node_id, r->node_id);
	if (r->has_grade && a->grade < r->grade)
		return pv_fail(ctx, PV_ALREADY_EXISTS,
			       "the attachment exists with grade %s, not %s",
			       pv_grade_name(a->grade), pv_grade_name(r->grade));
	if (r->has_lease && a->lease != r->lease_ms)
		return pv_fail(ctx, PV_ALREADY_EXISTS,
			       "the attachment exists with a lease of %u ms, not %u ms", a->lease,
			       r->lease_ms);
	if (r->host_id && PV_HAS(a, NVME_FENCE_A_ATT_HOST_ID) &&
	    memcmp(a->host_id, r->host_id, sizeof(a->host_id)))
		return pv_fail(ctx, PV_ALREADY_EXISTS,
			       "the attachment exists for another host ID than the device has now");
	return PV_OK;
}

/* What the kernel might not find out by itself: the host's identifier, the reservation, the record. */
static int ask_device(struct pv_ctx *ctx, uint64_t devnum, struct pv_fence_request *r,
		      uint8_t *host_id, struct pv_report *report)
{
	char id[PV_FENCE_ID_MAX];
	const char *why;
	bool known;
	int ret;

	ret = pv_fence_device_id(devnum, id);
	if (ret)
		return pv_fail_sys(ctx, -ret, "%s", r->device);
	ret = pv_record_read(ctx, id, &r->record_epoch);
	if (!ret)
		ret = pv_fence_host_id(ctx, devnum, host_id, &known);
	if (ret)
		return ret;
	if (known)
		r->host_id = host_id;
	ret = pv_resv_read_device(devnum, NVME_FENCE_TIMEOUT_DEFAULT, report, &why);
	/* A device that has reservations and does not tell must not pass for one without. */
	if (ret && ret != -EOPNOTSUPP && !(r->has_grade && r->grade == NVME_FENCE_GRADE_LOCAL))
		return pv_fail_sys(ctx, -ret, "%s: %s", r->device, why);
	if (!ret)
		r->report = report;
	return PV_OK;
}

int pv_cmd_fence_attach(struct pv_ctx *ctx)
{
	struct pv_fence_request request = { .device = ctx->args[1] };
	uint8_t host_id[NVME_FENCE_HOST_ID_SIZE];
	struct pv_fence_reply reply;
	struct pv_report report;
	uint64_t devnum;
	int ret = pv_fence_options(ctx, &request);

	if (!ret)
		ret = pv_fence_device_number(ctx, request.device, &devnum);
	if (!ret)
		ret = ask_device(ctx, devnum, &request, host_id, &report);
	if (ret)
		return ret;
	ret = pv_fence_call(ctx, NVME_FENCE_CMD_ATTACH, &request, &reply);
	if (ret && ctx->error.sys == EEXIST) {
		ret = pv_fence_get(ctx, request.name, pv_now_ms() + request.timeout_ms, &reply);
		if (!ret)
			ret = compare(ctx, &request, devnum, &reply.attachment);
	}
	/* The device is not what was required, which is not the module's lack. */
	if (ret && ctx->error.sys == EOPNOTSUPP && request.has_grade)
		ret = ctx->error.status = PV_FAILED_PRECONDITION;
	if (!ret)
		ret = record(ctx, &reply.attachment, request.report);
	if (ret)
		return ret;
	pv_fence_link_settle(ctx, &reply.attachment);
	pv_print_attachment(ctx, &reply.attachment, NULL);
	return PV_OK;
}

/* ---- acquire ---- */

/*
 * The answer to an earlier acquire may have been lost on its way: who has the newest epoch already has
 * what he asks for, unless it is another one. Of a device that does not say so nobody knows.
 */
static bool has_it(const struct pv_fence_reply *reply, const struct pv_fence_request *r)
{
	const struct pv_attachment *a = &reply->attachment;

	return a->state == NVME_FENCE_STATE_GRANTED && a->device_epoch <= a->epoch &&
	       (a->grade == NVME_FENCE_GRADE_LOCAL || reply->report.known) &&
	       (!r->epoch || r->epoch == a->epoch);
}

static int keep(struct pv_ctx *ctx, const struct pv_fence_request *r, struct pv_fence_reply *reply)
{
	struct pv_fence_request renew = { .name = r->name,
					  .has_lease = r->has_lease,
					  .lease_ms = r->lease_ms };

	return r->has_lease || reply->attachment.lease ?
		       pv_fence_call(ctx, NVME_FENCE_CMD_RENEW, &renew, reply) :
		       PV_OK;
}

/* An epoch that is not on record could be granted twice: give it back. The failure stays the record's. */
static void give_back(struct pv_ctx *ctx, const char *name)
{
	struct pv_fence_request request = { .name = name };
	struct pv_error failure = ctx->error;
	struct pv_fence_reply reply;

	pv_fence_call(ctx, NVME_FENCE_CMD_RELEASE, &request, &reply);
	ctx->error = failure;
}

static int acquire(struct pv_ctx *ctx, struct pv_fence_request *r, uint64_t deadline,
		   struct pv_fence_reply *reply)
{
	uint64_t devnum = reply->attachment.device_devnum;
	char id[PV_FENCE_ID_MAX];
	int ret = pv_fence_device_id(devnum, id);

	if (!ret && pv_record_read(ctx, id, &r->record_epoch))
		return ctx->error.status;
	ret = pv_fence_acquire(ctx, r, devnum, deadline, reply);
	if (ret)
		return ret;
	ret = record(ctx, &reply->attachment, NULL);
	if (ret)
		give_back(ctx, r->name);
	return ret;
}

int pv_cmd_fence_acquire(struct pv_ctx *ctx)
{
	struct pv_fence_request request = { 0 };
	struct pv_fence_reply reply;
	uint64_t deadline;
	bool held;
	int ret = pv_fence_options(ctx, &request);

	if (ret)
		return ret;
	deadline = pv_now_ms() + request.timeout_ms;
	ret = explain(ctx, request.name, pv_fence_get(ctx, request.name, deadline, &reply));
	if (ret)
		return ret;
	held = has_it(&reply, &request);
	if (held) {
		ret = keep(ctx, &request, &reply);
		/* Lost since we looked. */
		held = !ret || ctx->error.sys != ESTALE;
		if (!ret)
			ret = record(ctx, &reply.attachment, NULL);
	}
	if (!held)
		ret = acquire(ctx, &request, deadline, &reply);
	if (ret)
		return ret;
	pv_print_attachment(ctx, &reply.attachment, NULL);
	return PV_OK;
}

/* ---- the rest ---- */

static int simple(struct pv_ctx *ctx, int cmd)
{
	struct pv_fence_request request = { 0 };
	struct pv_fence_reply reply;
	int ret = pv_fence_options(ctx, &request);

	if (ret)
		return ret;
	ret = explain(ctx, request.name, pv_fence_call(ctx, cmd, &request, &reply));
	if (ret)
		return ret;
	try_record(ctx, &reply.attachment, NULL);
	pv_print_attachment(ctx, &reply.attachment, NULL);
	return PV_OK;
}

int pv_cmd_fence_renew(struct pv_ctx *ctx)
{
	return simple(ctx, NVME_FENCE_CMD_RENEW);
}

int pv_cmd_fence_release(struct pv_ctx *ctx)
{
	return simple(ctx, NVME_FENCE_CMD_RELEASE);
}

int pv_cmd_fence_detach(struct pv_ctx *ctx)
{
	struct pv_fence_request request = { 0 };
	struct pv_fence_reply reply;
	struct json_object *o;
	bool detached;
	int ret = pv_fence_options(ctx, &request);

	if (ret)
		return ret;
	ret = pv_fence_call(ctx, NVME_FENCE_CMD_DETACH, &request, &reply);
	detached = !ret;
	/* Nothing of that name is what was wanted. */
	if (ret && ctx->error.sys != ENOENT)
		return ret;
	pv_fence_link_drop(request.name);
	if (detached)
		try_record(ctx, &reply.attachment, NULL);
	if (ctx->json) {
		o = json_object_new_object();
		pv_json_string(o, "name", request.name);
		pv_json_bool(o, "detached", detached);
		pv_json_print(o);
	}
	return PV_OK;
}

static int by_name(const void *a, const void *b)
{
	const struct pv_attachment *p = a, *q = b;

	return strcmp(p->name, q->name);
}

static int list(struct pv_ctx *ctx)
{
	struct pv_attachments all;
	int ret = pv_fence_dump(ctx, &all);

	if (ret)
		return ret;
	for (size_t i = 0; i < all.nr; i++)
		try_record(ctx, &all.attachment[i], NULL);
	if (all.nr)
		qsort(all.attachment, all.nr, sizeof(*all.attachment), by_name);
	pv_print_attachments(ctx, &all);
	pv_attachments_free(&all);
	return PV_OK;
}

int pv_cmd_fence_status(struct pv_ctx *ctx)
{
	struct pv_fence_request request = { 0 };
	struct pv_fence_reply reply;
	uint64_t deadline;
	int ret;

	if (!ctx->nr_args)
		return list(ctx);
	ret = pv_fence_options(ctx, &request);
	if (ret)
		return ret;
	deadline = pv_now_ms() + request.timeout_ms;
	ret = explain(ctx, request.name, pv_fence_get(ctx, request.name, deadline, &reply));
	if (ret)
		return ret;
	pv_fence_read_more(ctx, deadline, &reply);
	try_record(ctx, &reply.attachment, &reply.report);
	pv_print_attachment(ctx, &reply.attachment, &reply.report);
	return PV_OK;
}
