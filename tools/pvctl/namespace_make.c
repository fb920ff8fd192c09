// SPDX-License-Identifier: GPL-2.0
/* Making namespaces, and going on where somebody who did was killed. */
#include <errno.h>
#include <fcntl.h>
#include <linux/ndctl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>
#include <uuid/uuid.h>

#include "device.h"
#include "namespace_parts.h"

/* Huge pages need no less. */
#define NAMESPACE_ALIGN (2UL << 20)
/*
 * What identifies file systems, partition tables and pool members stands in the first and the last
 * MiB of a namespace, which may lose up to 2 MiB at each end to its info block and alignment.
 */
#define LEFTOVER_SIZE (4U << 20)
/* The name in the label of a namespace that was made here. */
#define MARK "pmemvol"
/* Of the info block of an fsdax namespace. */
#define PFN_OFFSET 4096
#define PFN_SIGNATURE "NVDIMM_PFN_INFO"

/* Turn an idle namespace into fsdax with its page descriptors in DRAM, and start it. */
static int set_up_pfn(struct ndctl_region *region, struct ndctl_namespace *ndns, const char **step)
{
	struct ndctl_pfn *pfn = ndctl_region_get_pfn_seed(region);
	uuid_t uuid;
	int ret;

	*step = "find a seed for it";
	if (!pfn)
		return -ENXIO;
	uuid_generate(uuid);
	/* Only a hint to the kernel's probing; old kernels do not have it. */
	ndctl_namespace_set_enforce_mode(ndns, NDCTL_NS_MODE_FSDAX);
	*step = "give it a UUID";
	ret = ndctl_pfn_set_uuid(pfn, uuid);
	if (ret)
		return ret;
	*step = "place its page descriptors";
	ret = ndctl_pfn_set_location(pfn, NDCTL_PFN_LOC_RAM);
	if (ret)
		return ret;
	*step = "align it";
	ret = ndctl_pfn_has_align(pfn) ? ndctl_pfn_set_align(pfn, NAMESPACE_ALIGN) : 0;
	if (ret)
		return ret;
	*step = "claim it";
	ret = ndctl_pfn_set_namespace(pfn, ndns);
	if (ret)
		return ret;
	*step = "start it";
	ret = ndctl_pfn_enable(pfn);
	if (ret)
		ndctl_pfn_set_namespace(pfn, NULL);
	return ret;
}

static int set_up_label(struct ndctl_region *region, struct ndctl_namespace *ndns,
			const char **step)
{
	unsigned long align = ndctl_region_get_align(region);
	unsigned long long unit, size;
	uuid_t uuid;
	int ret;

	if (align == ULONG_MAX || align < NAMESPACE_ALIGN)
		align = NAMESPACE_ALIGN;
	unit = (unsigned long long)align * ndctl_region_get_interleave_ways(region);
	size = pv_region_available(region) / unit * unit;
	uuid_generate(uuid);
	*step = "give it a UUID";
	ret = ndctl_namespace_set_uuid(ndns, uuid);
	if (ret)
		return ret;
	*step = "give it a name";
	ret = ndctl_namespace_set_alt_name(ndns, MARK);
	if (ret)
		return ret;
	*step = "give it a size";
	return ndctl_namespace_set_size(ndns, size);
}

static int fill(struct pv_ctx *ctx, struct ndctl_region *region, struct ndctl_namespace *ndns,
		struct pv_namespace *out)
{
	pv_namespace_describe(region, ndns, out);
	if (!out->device[0])
		return pv_fail(ctx, PV_INTERNAL, "%s: %s has no block device", out->region,
			       out->name);
	return PV_OK;
}

static void remove_label(struct ndctl_namespace *ndns)
{
	ndctl_namespace_set_enforce_mode(ndns, NDCTL_NS_MODE_RAW);
	ndctl_namespace_delete(ndns);
}

/* The capacity was free: what is still written on it belongs to nobody. */
static int clear_capacity(struct ndctl_namespace *ndns, const char **step)
{
	char path[PV_DEVICE_MAX + 8];
	int ret;

	*step = "clear it";
	ret = pv_namespace_raw(ndns, path);
	if (!ret)
		ret = pv_namespace_zero(path, LEFTOVER_SIZE, true);
	pv_namespace_raw_end(ndns);
	return ret;
}

/* Capacity that has a label already becomes a namespace with nothing on it. */
static int finish(struct pv_ctx *ctx, struct ndctl_region *region, struct ndctl_namespace *ndns,
		  struct pv_namespace *out)
{
	const char *step;
	int ret = clear_capacity(ndns, &step);

	if (!ret)
		ret = set_up_pfn(region, ndns, &step);
	if (ret) {
		pv_fail_sys(ctx, -ret, "%s: cannot make a namespace (cannot %s)", out->region,
			    step);
		remove_label(ndns);
		return ctx->error.status;
	}
	out->made = true;
	return fill(ctx, region, ndns, out);
}

/*
 * Has the namespace, which is not started, an info block: is it more than a label? Something that may
 * be waiting to start it lets it go.
 */
static bool has_info(struct ndctl_namespace *ndns)
{
	char path[PV_DEVICE_MAX + 8], info[PV_INFO_SIZE];
	bool has = true;
	int fd;

	if (ndctl_namespace_disable_invalidate(ndns) < 0)
		return true;
	if (!pv_namespace_raw(ndns, path)) {
		fd = open(path, O_RDONLY | O_CLOEXEC);
		if (fd >= 0) {
			has = pread(fd, info, sizeof(info), 0) != (ssize_t)sizeof(info) ||
			      !memcmp(info + PFN_OFFSET, PFN_SIGNATURE, strlen(PFN_SIGNATURE));
			close(fd);
		}
	}
	pv_namespace_raw_end(ndns);
	return has;
}

enum state {
	OTHER,
	LABEL,
	WHOLE,
};

static bool is_blank(const char *path)
{
	struct pv_verdict verdict;
	struct stat st;

	if (stat(path, &st))
		return false;
	pv_device_judge_content(path, pv_devnum(major(st.st_rdev), minor(st.st_rdev)), &verdict);
	return !verdict.status;
}

/* How far got who made this namespace, and was killed? */
static enum state state_of(struct ndctl_region *region, struct ndctl_namespace *ndns)
{
	enum ndctl_namespace_mode mode = ndctl_namespace_get_mode(ndns);
	const char *name = ndctl_namespace_get_alt_name(ndns);
	struct pv_namespace ns = { 0 };

	if (!ndctl_namespace_get_size(ndns) || !name || strcmp(name, MARK))
		return OTHER;
	pv_namespace_describe(region, ndns, &ns);
	if (mode != NDCTL_NS_MODE_FSDAX && mode != NDCTL_NS_MODE_RAW)
		return OTHER;
	/* One that was stopped, or could not be started, looks like a label. */
	if (!ns.device[0])
		return has_info(ndns) ? OTHER : LABEL;
	if (!is_blank(ns.device))
		return OTHER;
	/* A raw one was started to be cleared, or by a boot. */
	return mode == NDCTL_NS_MODE_FSDAX ? WHOLE : LABEL;
}

static struct ndctl_namespace *find_started(struct ndctl_region *region, enum state *state)
{
	struct ndctl_namespace *ndns;

	ndctl_namespace_foreach(region, ndns) {
		*state = state_of(region, ndns);
		if (*state != OTHER)
			return ndns;
	}
	return NULL;
}

int pv_namespace_left(struct pv_ctx *ctx, const char *name, bool *left)
{
	struct ndctl_region *region;
	struct ndctl_ctx *nd;
	enum state state;
	int ret = pv_region_open(ctx, name, &nd, &region);

	if (ret)
		return ret;
	*left = find_started(region, &state);
	ndctl_unref(nd);
	return PV_OK;
}

/* Nothing is available. Because somebody was killed who was making what is wanted now? */
static int take_left(struct pv_ctx *ctx, struct ndctl_region *region, struct pv_namespace *out)
{
	struct ndctl_namespace *ndns;
	enum state state;
	int ret;

	ndns = find_started(region, &state);
	if (!ndns)
		return pv_fail(ctx, PV_RESOURCE_EXHAUSTED, "%s has no available capacity",
			       out->region);
	if (state == WHOLE)
		return fill(ctx, region, ndns, out);
	ret = ndctl_namespace_disable_safe(ndns);
	if (ret < 0)
		return pv_fail_sys(ctx, -ret, "%s: cannot stop %s", out->region,
				   ndctl_namespace_get_devname(ndns));
	return finish(ctx, region, ndns, out);
}

static struct ndctl_namespace *find_idle(struct ndctl_region *region)
{
	struct ndctl_namespace *ndns = NULL, *each;

	/* The first one is not a seed again once it has been used and deleted. */
	ndctl_namespace_foreach(region, each)
		if (!ndctl_namespace_get_id(each) && ndctl_namespace_is_configuration_idle(each))
			ndns = each;
	if (!ndns)
		ndns = ndctl_region_get_namespace_seed(region);
	return ndns && ndctl_namespace_is_configuration_idle(ndns) ? ndns : NULL;
}

static int make_labelled(struct pv_ctx *ctx, struct ndctl_region *region, struct pv_namespace *out)
{
	struct ndctl_namespace *ndns;
	const char *step = "";
	int ret;

	if (pv_region_available(region) < NAMESPACE_ALIGN)
		return take_left(ctx, region, out);
	ndns = find_idle(region);
	ret = ndns ? set_up_label(region, ndns, &step) : 0;
	if (ret == -EBUSY) {
		/* Somebody was killed who had given it a UUID, and no size. */
		remove_label(ndns);
		ndns = find_idle(region);
		ret = ndns ? set_up_label(region, ndns, &step) : 0;
	}
	if (!ndns)
		return pv_fail(ctx, PV_FAILED_PRECONDITION, "%s has no idle namespace to use",
			       out->region);
	if (!ret)
		return finish(ctx, region, ndns, out);
	pv_fail_sys(ctx, -ret, "%s: cannot make a namespace (cannot %s)", out->region, step);
	remove_label(ndns);
	return ctx->error.status;
}

static int judge_raw(struct pv_ctx *ctx, struct ndctl_namespace *ndns, bool force)
{
	char path[PV_DEVICE_MAX + 8];
	struct pv_verdict verdict;
	struct stat st;

	snprintf(path, sizeof(path), "/dev/%s", ndctl_namespace_get_block_device(ndns));
	if (stat(path, &st))
		return pv_fail_sys(ctx, errno, "%s", path);
	pv_device_judge_content(path, pv_devnum(major(st.st_rdev), minor(st.st_rdev)), &verdict);
	if (!verdict.status || (verdict.forceable && force))
		return PV_OK;
	return pv_fail(ctx, verdict.status, "%s: %s%s", path, verdict.why,
		       verdict.forceable ? " (use --force to overwrite it)" : "");
}

/* Without labels there is one namespace, which is the region. */
static int take_unlabelled(struct pv_ctx *ctx, struct ndctl_region *region, bool force,
			   struct pv_namespace *out)
{
	const char *name = ndctl_region_get_devname(region), *step = "stop it";
	struct ndctl_namespace *ndns = ndctl_namespace_get_first(region);
	enum ndctl_namespace_mode mode;
	int ret;

	if (!ndns)
		return pv_fail(ctx, PV_FAILED_PRECONDITION, "%s has no namespace", name);
	mode = ndctl_namespace_get_mode(ndns);
	if (mode == NDCTL_NS_MODE_FSDAX)
		return fill(ctx, region, ndns, out);
	if (mode != NDCTL_NS_MODE_RAW)
		return pv_fail(ctx, PV_FAILED_PRECONDITION,
			       "%s is not available: %s is in use in another mode", name,
			       ndctl_namespace_get_devname(ndns));
	if (ndctl_namespace_is_enabled(ndns)) {
		ret = judge_raw(ctx, ndns, force);
		if (ret)
			return ret;
	}
	ret = ndctl_namespace_disable_safe(ndns);
	if (!ret)
		ret = set_up_pfn(region, ndns, &step);
	if (ret < 0) {
		pv_fail_sys(ctx, -ret, "%s: cannot convert %s (cannot %s)", name,
			    ndctl_namespace_get_devname(ndns), step);
		ndctl_namespace_set_enforce_mode(ndns, NDCTL_NS_MODE_RAW);
		ndctl_namespace_enable(ndns);
		return ctx->error.status;
	}
	out->made = true;
	return fill(ctx, region, ndns, out);
}

int pv_namespace_create(struct pv_ctx *ctx, const char *name, bool force, struct pv_namespace *out)
{
	struct ndctl_region *region;
	struct ndctl_ctx *nd;
	int ret;

	*out = (struct pv_namespace){ 0 };
	ret = pv_region_open(ctx, name, &nd, &region);
	if (ret)
		return ret;
	snprintf(out->region, sizeof(out->region), "%s", name);
	if (!ndctl_region_is_enabled(region))
		ret = pv_fail(ctx, PV_FAILED_PRECONDITION, "%s is disabled", name);
	else if (ndctl_region_get_ro(region) == 1)
		ret = pv_fail(ctx, PV_FAILED_PRECONDITION, "%s is read-only", name);
	else if (ndctl_region_get_nstype(region) == ND_DEVICE_NAMESPACE_PMEM)
		ret = make_labelled(ctx, region, out);
	else
		ret = take_unlabelled(ctx, region, force, out);
	ndctl_unref(nd);
	return ret;
}
