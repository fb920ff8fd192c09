// SPDX-License-Identifier: GPL-2.0
/* pvctl pool create and extend: devices and regions become members. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "cmd.h"
#include "ctl.h"
#include "device.h"
#include "namespace.h"
#include "output.h"
#include "scan.h"
#include "sysfs.h"

/**
 * struct plan - what the user asked for and what has come of it
 * @request: goes to the kernel; its devices are those still to be added
 * @devices: as given
 * @devnums: of @devices
 * @regions: as given
 * @made: namespaces made in regions
 * @lock: of namespaces, where there are regions; else -1
 */
struct plan {
	struct pv_pool_request request;
	const char **devices;
	uint64_t *devnums;
	unsigned int nr_devices;
	const char **regions;
	unsigned int nr_regions;
	struct pv_namespace *made;
	unsigned int nr_made;
	int lock;
};

static void plan_free(struct plan *p)
{
	free(p->request.devices);
	free(p->devices);
	free(p->devnums);
	free(p->regions);
	free(p->made);
	if (p->lock >= 0)
		close(p->lock);
}

static int resolve_devices(struct pv_ctx *ctx, struct plan *p)
{
	for (unsigned int i = 0; i < p->nr_devices; i++) {
		struct stat st;

		if (stat(p->devices[i], &st))
			return pv_fail_sys(ctx, errno, "%s", p->devices[i]);
		if (!S_ISBLK(st.st_mode))
			return pv_fail(ctx, PV_FAILED_PRECONDITION, "%s: is not a block device",
				       p->devices[i]);
		p->devnums[i] = pv_devnum(major(st.st_rdev), minor(st.st_rdev));
		for (unsigned int j = 0; j < i; j++)
			if (p->devnums[j] == p->devnums[i])
				return pv_usage_error(ctx, "%s: is given twice", p->devices[i]);
	}
	for (unsigned int i = 0; i < p->nr_regions; i++)
		for (unsigned int j = 0; j < i; j++)
			if (!strcmp(p->regions[i], p->regions[j]))
				return pv_usage_error(ctx, "%s: is given twice", p->regions[i]);
	return PV_OK;
}

static int plan_init(struct pv_ctx *ctx, struct plan *p)
{
	int nr = ctx->nr_args - 1, ret;

	*p = (struct plan){ .request = { .name = ctx->args[0] }, .lock = -1 };
	ret = pv_check_name(ctx, p->request.name);
	if (!ret)
		ret = pv_pool_options(ctx, &p->request);
	if (ret)
		return ret;
	p->devices = pv_alloc((size_t)nr, sizeof(*p->devices));
	p->devnums = pv_alloc((size_t)nr, sizeof(*p->devnums));
	p->regions = pv_alloc((size_t)ctx->nr_given, sizeof(*p->regions));
	p->nr_devices = (unsigned int)nr;
	p->nr_regions = (unsigned int)pv_option_list(ctx, "region", p->regions);
	for (int i = 0; i < nr; i++)
		p->devices[i] = ctx->args[i + 1];
	if (!nr && !p->nr_regions)
		return pv_usage_error(ctx, "give at least one DEVICE or --region");
	if (p->nr_devices + p->nr_regions > PMEMVOL_MEMBERS_MAX)
		return pv_usage_error(ctx, "a pool has at most %d members", PMEMVOL_MEMBERS_MAX);
	p->made = pv_alloc(p->nr_regions, sizeof(*p->made));
	p->request.devices = pv_alloc(p->nr_devices + p->nr_regions, sizeof(char *));
	ret = resolve_devices(ctx, p);
	/* Before anything is looked at: somebody may be about to do the same. */
	return !ret && p->nr_regions ? pv_namespace_lock(ctx, &p->lock) : ret;
}

static bool is_member(const struct pv_pool *pool, uint64_t devnum)
{
	for (unsigned int i = 0; i < pool->nr_members; i++)
		if (pool->members[i].device[0] && pool->members[i].devnum == devnum)
			return true;
	return false;
}

static bool region_has_member(const struct pv_pool *pool, const char *region)
{
	for (unsigned int i = 0; i < pool->nr_members; i++)
		if (pool->members[i].device[0] &&
		    pv_sysfs_in_region(pool->members[i].devnum, region))
			return true;
	return false;
}

static bool member_was_given(const struct plan *p, const struct pv_member *m)
{
	for (unsigned int i = 0; i < p->nr_devices; i++)
		if (m->device[0] && m->devnum == p->devnums[i])
			return true;
	for (unsigned int i = 0; i < p->nr_regions; i++)
		if (m->device[0] && pv_sysfs_in_region(m->devnum, p->regions[i]))
			return true;
	return false;
}

/* The pool exists. Is it the one that was asked for? */
static int compare(struct pv_ctx *ctx, const struct plan *p, const struct pv_pool *pool)
{
	const struct pv_pool_request *r = &p->request;
	char have[PV_SIZE_TEXT], want[PV_SIZE_TEXT];
	unsigned int i;

	for (i = 0; i < p->nr_devices; i++)
		if (!is_member(pool, p->devnums[i]))
			return pv_fail(ctx, PV_ALREADY_EXISTS,
				       "the pool exists, but %s is not a member of it",
				       p->devices[i]);
	for (i = 0; i < p->nr_regions; i++)
		if (!region_has_member(pool, p->regions[i]))
			return pv_fail(ctx, PV_ALREADY_EXISTS,
				       "the pool exists, but has no member in %s", p->regions[i]);
	for (i = 0; i < pool->nr_members; i++)
		if (!member_was_given(p, &pool->members[i]))
			return pv_fail(ctx, PV_ALREADY_EXISTS,
				       "the pool exists and has another member, %s%s",
				       pool->members[i].device[0] ? "/dev/" : "a missing one",
				       pool->members[i].device);
	if (r->chunk_size && r->chunk_size != pool->chunk_size)
		return pv_fail(ctx, PV_ALREADY_EXISTS, "the pool exists with a chunk size of %s, not %s",
			       pv_format_size(pool->chunk_size, have),
			       pv_format_size(r->chunk_size, want));
	if (r->overcommit && r->overcommit != pool->overcommit)
		return pv_fail(ctx, PV_ALREADY_EXISTS,
			       "the pool exists with an overcommit ratio of %s, not %s",
			       pv_format_ratio(pool->overcommit, have),
			       pv_format_ratio(r->overcommit, want));
	if (r->has_low_water && r->low_water != pool->low_water)
		return pv_fail(ctx, PV_ALREADY_EXISTS,
			       "the pool exists with a low water mark of %u%%, not %u%%",
			       pool->low_water, r->low_water);
	return PV_OK;
}

static int print_existing(struct pv_ctx *ctx, const struct plan *p, const struct pv_pool *pool)
{
	int ret = compare(ctx, p, pool);

	if (!ret)
		pv_print_pool(ctx, pool);
	return ret;
}

static const struct pv_pool *find_active(const struct pv_pools *active, const char *name)
{
	for (size_t i = 0; i < active->nr; i++)
		if (!strcmp(active->pool[i].name, name))
			return &active->pool[i];
	return NULL;
}

static int judge(struct pv_ctx *ctx, const struct plan *p, const char *path,
		 const struct pv_pools *active)
{
	struct pv_verdict v;

	/* Only an extension names a pool that is active. */
	pv_device_judge(path, active, find_active(active, p->request.name), &v);
	if (!v.status || (v.forceable && p->request.force))
		return PV_OK;
	return pv_fail(ctx, v.status, "%s: %s%s", path, v.why,
		       v.forceable ? " (use --force to overwrite it)" : "");
}

static void undo_namespaces(struct pv_ctx *ctx, struct plan *p)
{
	for (unsigned int i = p->nr_made; i--;)
		pv_namespace_undo(ctx, &p->made[i]);
	p->nr_made = 0;
}

static int make_namespaces(struct pv_ctx *ctx, struct plan *p, const struct pv_pools *active)
{
	for (unsigned int i = 0; i < p->nr_regions; i++) {
		struct pv_namespace *ns = &p->made[p->nr_made];
		int ret = pv_namespace_create(ctx, p->regions[i], p->request.force, ns);

		if (!ret) {
			p->nr_made++;
			p->request.devices[p->request.nr_devices++] = ns->device;
			ret = judge(ctx, p, ns->device, active);
		}
		if (ret)
			return ret;
	}
	return PV_OK;
}

/* Check everything, then make namespaces, then ask the kernel; undo when that fails. */
static int carry_out(struct pv_ctx *ctx, int cmd, struct plan *p, const struct pv_pools *active,
		     struct pv_pool *out)
{
	int ret = PV_OK;

	for (unsigned int i = 0; !ret && i < p->request.nr_devices; i++)
		ret = judge(ctx, p, p->request.devices[i], active);
	if (!ret)
		ret = make_namespaces(ctx, p, active);
	if (!ret)
		ret = pv_pool_call(ctx, cmd, &p->request, out);
	if (ret)
		undo_namespaces(ctx, p);
	return ret;
}

/* Are all devices of this pool that are there about to be overwritten? */
static bool is_replaced(const struct plan *p, const struct pv_pool *pool)
{
	for (unsigned int i = 0; i < pool->nr_members; i++)
		if (pool->members[i].device[0] && !member_was_given(p, &pool->members[i]))
			return false;
	return p->request.force;
}

/*
 * A pool of this name stands on devices but is not active. When it is the one
 * that was asked for (a retry after a restart, say), activating it is what
 * creating it would have led to. Return: -1 when it is no obstacle.
 */
static int adopt_inactive(struct pv_ctx *ctx, const struct plan *p, const struct pv_scan *scan,
			  const struct pv_pool *pool)
{
	struct pv_pool started;
	int ret;

	if (pool->missing && is_replaced(p, pool))
		return -1;
	ret = compare(ctx, p, pool);
	if (ret)
		return is_replaced(p, pool) ? -1 : ret;
	ret = pv_pool_start(ctx, scan, pool, &started);
	if (!ret) {
		pv_print_pool(ctx, &started);
		pv_pool_free(&started);
	}
	return ret;
}

static int create_new(struct pv_ctx *ctx, struct plan *p, const struct pv_pools *active)
{
	struct pv_pool pool;
	int ret;

	for (unsigned int i = 0; i < p->nr_devices; i++)
		p->request.devices[p->request.nr_devices++] = p->devices[i];
	ret = carry_out(ctx, PMEMVOL_CMD_POOL_CREATE, p, active, &pool);
	if (!ret) {
		pv_print_pool(ctx, &pool);
	} else if (ctx->error.sys == EEXIST) {
		/* Somebody was faster. */
		ret = pv_pool_get(ctx, p->request.name, &pool);
		if (ret)
			return ret;
		ret = print_existing(ctx, p, &pool);
	} else {
		return ret;
	}
	pv_pool_free(&pool);
	return ret;
}

int pv_cmd_pool_create(struct pv_ctx *ctx)
{
	const struct pv_pool *there;
	struct pv_pools active = { 0 }, inactive = { 0 };
	struct pv_scan scan = { 0 };
	struct plan plan;
	int ret;

	ret = plan_init(ctx, &plan);
	if (!ret)
		ret = pv_inactive_pools(ctx, &active, &scan, &inactive);
	if (ret)
		goto out;
	there = find_active(&active, plan.request.name);
	if (there) {
		ret = print_existing(ctx, &plan, there);
		goto out;
	}
	ret = pv_find_inactive(ctx, &inactive, plan.request.name, &there);
	if (ret)
		goto out;
	ret = there ? adopt_inactive(ctx, &plan, &scan, there) : -1;
	if (ret < 0)
		ret = create_new(ctx, &plan, &active);
out:
	pv_pools_free(&active);
	pv_pools_free(&inactive);
	pv_scan_free(&scan);
	plan_free(&plan);
	return ret;
}

/* Leave out what is a member already, so that a retry succeeds. */
static int drop_members(struct pv_ctx *ctx, struct plan *p, const struct pv_pool *pool)
{
	unsigned int i, nr = 0;

	for (i = 0; i < p->nr_devices; i++)
		if (!is_member(pool, p->devnums[i]))
			p->request.devices[p->request.nr_devices++] = p->devices[i];
	for (i = 0; i < p->nr_regions; i++) {
		uint64_t bytes;
		bool left;
		int ret = pv_namespace_available(ctx, p->regions[i], &bytes);

		if (!ret)
			ret = pv_namespace_left(ctx, p->regions[i], &left);
		if (ret)
			return ret;
		if (bytes || left || !region_has_member(pool, p->regions[i]))
			p->regions[nr++] = p->regions[i];
	}
	p->nr_regions = nr;
	return PV_OK;
}

int pv_cmd_pool_extend(struct pv_ctx *ctx)
{
	struct pv_pools active = { 0 };
	const struct pv_pool *there;
	struct pv_pool pool;
	struct plan plan;
	int ret;

	ret = plan_init(ctx, &plan);
	if (!ret)
		ret = pv_pool_dump(ctx, &active);
	if (ret)
		goto out;
	there = find_active(&active, plan.request.name);
	if (!there) {
		ret = pv_fail_no_pool(ctx, plan.request.name);
		goto out;
	}
	ret = drop_members(ctx, &plan, there);
	if (ret)
		goto out;
	if (!plan.request.nr_devices && !plan.nr_regions) {
		pv_print_pool(ctx, there);
		goto out;
	}
	ret = carry_out(ctx, PMEMVOL_CMD_POOL_EXTEND, &plan, &active, &pool);
	if (!ret) {
		pv_print_pool(ctx, &pool);
		pv_pool_free(&pool);
	}
out:
	pv_pools_free(&active);
	plan_free(&plan);
	return ret;
}
