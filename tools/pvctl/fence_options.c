// SPDX-License-Identifier: GPL-2.0
#include "fence_options.h"

#include <string.h>

#include "cmd.h"
#include "parse.h"

static int node_option(struct pv_ctx *ctx, uint32_t *node_id)
{
	const char *text = pv_option(ctx, "node-id"), *why;
	uint64_t value;

	if (!text)
		return PV_OK;
	if (pv_parse_count(text, &value, &why))
		return pv_usage_error(ctx, "--node-id: '%s' %s", text, why);
	if (value > NVME_FENCE_NODE_ID_MAX)
		return pv_usage_error(ctx,
				      "--node-id: '%s' is out of range: a node is from 1 to %d",
				      text, NVME_FENCE_NODE_ID_MAX);
	*node_id = (uint32_t)value;
	return PV_OK;
}

static int epoch_option(struct pv_ctx *ctx, uint64_t *epoch)
{
	const char *text = pv_option(ctx, "epoch"), *why;

	if (!text)
		return PV_OK;
	if (pv_parse_count(text, epoch, &why))
		return pv_usage_error(ctx, "--epoch: '%s' %s", text, why);
	if (*epoch > NVME_FENCE_EPOCH_MAX)
		return pv_usage_error(ctx,
				      "--epoch: '%s' is out of range: an epoch is at most %llu",
				      text, NVME_FENCE_EPOCH_MAX);
	return PV_OK;
}

static int lease_option(struct pv_ctx *ctx, struct pv_fence_request *r)
{
	const char *text = pv_option(ctx, "lease"), *why;
	uint64_t ms;

	if (!text)
		return PV_OK;
	if (pv_parse_seconds(text, &ms, &why))
		return pv_usage_error(ctx, "--lease: '%s' %s", text, why);
	if (ms && (ms < NVME_FENCE_LEASE_MIN || ms > NVME_FENCE_LEASE_MAX))
		return pv_usage_error(ctx, "--lease: '%s' is not 0 or from 0.1 to 86400", text);
	r->has_lease = true;
	r->lease_ms = (uint32_t)ms;
	return PV_OK;
}

static int timeout_option(struct pv_ctx *ctx, uint32_t *timeout_ms)
{
	const char *text = pv_option(ctx, "timeout"), *why;
	uint64_t ms;

	*timeout_ms = NVME_FENCE_TIMEOUT_DEFAULT;
	if (!text)
		return PV_OK;
	if (pv_parse_seconds(text, &ms, &why))
		return pv_usage_error(ctx, "--timeout: '%s' %s", text, why);
	if (ms < NVME_FENCE_TIMEOUT_MIN || ms > NVME_FENCE_TIMEOUT_MAX)
		return pv_usage_error(ctx, "--timeout: '%s' is not from 0.001 to 3600", text);
	*timeout_ms = (uint32_t)ms;
	return PV_OK;
}

static int grade_option(struct pv_ctx *ctx, struct pv_fence_request *r)
{
	const char *text = pv_option(ctx, "require");

	if (!text)
		return PV_OK;
	r->has_grade = true;
	if (!strcmp(text, pv_grade_name(NVME_FENCE_GRADE_DEVICE)))
		r->grade = NVME_FENCE_GRADE_DEVICE;
	else if (!strcmp(text, pv_grade_name(NVME_FENCE_GRADE_LOCAL)))
		r->grade = NVME_FENCE_GRADE_LOCAL;
	else
		return pv_usage_error(ctx, "--require: '%s' is not 'device' or 'local'", text);
	return PV_OK;
}

int pv_fence_options(struct pv_ctx *ctx, struct pv_fence_request *r)
{
	int ret;

	r->name = ctx->args[0];
	ret = pv_check_name(ctx, r->name);
	if (!ret)
		ret = node_option(ctx, &r->node_id);
	if (!ret)
		ret = epoch_option(ctx, &r->epoch);
	if (!ret)
		ret = lease_option(ctx, r);
	if (!ret)
		ret = timeout_option(ctx, &r->timeout_ms);
	if (!ret)
		ret = grade_option(ctx, r);
	r->preempt_foreign = pv_option(ctx, "preempt-foreign");
	return ret;
}
