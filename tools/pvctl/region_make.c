// SPDX-License-Identifier: GPL-2.0
/* pvctl region create, remove: namespaces that pools stand on. */
#include <string.h>
#include <unistd.h>

#include "cmd.h"
#include "ctl.h"
#include "device.h"
#include "namespace.h"
#include "nl.h"
#include "output.h"

static void print_namespace(const struct pv_ctx *ctx, const struct pv_namespace *ns)
{
	struct json_object *o;

	if (!ctx->json) {
		pv_field("namespace", "%s", ns->name);
		pv_field("region", "%s", ns->region);
		pv_field("device", "%s", ns->device);
		return;
	}
	o = json_object_new_object();
	pv_json_string(o, "name", ns->name);
	pv_json_string(o, "region", ns->region);
	pv_json_string(o, "device", ns->device);
	pv_json_bool(o, "created", ns->made);
	pv_json_print(o);
}

int pv_cmd_region_create(struct pv_ctx *ctx)
{
	struct pv_namespace ns, existing;
	int lock, ret = pv_namespace_lock(ctx, &lock);

	if (ret)
		return ret;
	ret = pv_namespace_create(ctx, ctx->args[0], pv_option(ctx, "force"), &ns);
	if (ret == PV_RESOURCE_EXHAUSTED) {
		struct pv_error kept = ctx->error;

		/* Made before, by a call whose answer was lost? */
		if (pv_namespace_only(ctx, ctx->args[0], &existing)) {
			ctx->error = kept;
		} else {
			ns = existing;
			ret = PV_OK;
		}
	}
	close(lock);
	if (!ret)
		print_namespace(ctx, &ns);
	return ret;
}

/* Nobody may use it; what is merely written on it is lost when that is wanted. */
static int may_remove(struct pv_ctx *ctx, const struct pv_namespace *ns)
{
	struct pv_pools active = { 0 };
	struct pv_verdict verdict;
	int ret;

	if (!ns->device[0])
		return pv_option(ctx, "force") ?
			       PV_OK :
			       pv_fail(ctx, PV_FAILED_PRECONDITION,
				       "what is on it cannot be known: it is no block device, or not started (use --force to lose it)");
	ret = pv_nl_open(ctx, PV_FAMILY_PMEMVOL);
	if (!ret)
		ret = pv_pool_dump(ctx, &active);
	/* Without the module there are no active pools. */
	if (ret && ret != PV_UNAVAILABLE)
		return ret;
	pv_device_judge(ns->device, &active, NULL, &verdict);
	pv_pools_free(&active);
	if (!verdict.status || (verdict.forceable && pv_option(ctx, "force")))
		return PV_OK;
	return pv_fail(ctx, verdict.status, "%s: %s%s", ns->device, verdict.why,
		       verdict.forceable ? " (use --force to lose it)" : "");
}

int pv_cmd_region_remove(struct pv_ctx *ctx)
{
	struct pv_namespace ns;
	struct json_object *o;
	int lock, ret = pv_namespace_lock(ctx, &lock);
	bool there;

	if (ret)
		return ret;
	ret = pv_namespace_find(ctx, ctx->args[0], &ns);
	there = !ret;

	/* All that is left of one whose region has no labels. */
	if (!ret && ns.bare) {
		there = false;
		ret = PV_NOT_FOUND;
	}
	if (!ret)
		ret = may_remove(ctx, &ns);
	if (!ret)
		ret = pv_namespace_remove(ctx, ns.name, ns.region);
	close(lock);
	if (ret && (there || ret != PV_NOT_FOUND))
		return ret;
	if (ctx->json) {
		o = json_object_new_object();
		pv_json_string(o, "name", ctx->args[0]);
		pv_json_bool(o, "removed", there);
		pv_json_print(o);
	}
	return PV_OK;
}
