// SPDX-License-Identifier: GPL-2.0
#include "namespace.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/ndctl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>
#include <uuid/uuid.h>

#include "device.h"
#include "nd.h"

/* Huge pages need no less. */
#define NAMESPACE_ALIGN (2UL << 20)
/* An info block of libnvdimm stands within the first 8 KiB of a raw namespace. */
#define INFO_SIZE (8U << 10)
/* What identifies file systems, partition tables and pool members stands at the ends. */
#define LEFTOVER_SIZE (1U << 20)

static struct ndctl_region *find_region(struct ndctl_ctx *nd, const char *name)
{
	struct ndctl_bus *bus;
	struct ndctl_region *region;

	ndctl_bus_foreach(nd, bus)
		ndctl_region_foreach(bus, region)
			if (!strcmp(ndctl_region_get_devname(region), name))
				return region;
	return NULL;
}

/* Both or neither: a region is valid only as long as its context. */
static int open_region(struct pv_ctx *ctx, const char *name, struct ndctl_ctx **nd,
		       struct ndctl_region **region)
{
	int ret = pv_nd_open(ctx, nd);

	if (ret)
		return ret;
	*region = find_region(*nd, name);
	if (*region)
		return PV_OK;
	ndctl_unref(*nd);
	return pv_fail(ctx, PV_NOT_FOUND, "there is no region %s", name);
}

static unsigned long long available(struct ndctl_region *region)
{
	unsigned long long bytes = ndctl_region_get_max_available_extent(region);

	/* Kernels without that attribute: all of it is one extent or none is. */
	return bytes == ULLONG_MAX ? ndctl_region_get_available_size(region) : bytes;
}

int pv_namespace_available(struct pv_ctx *ctx, const char *name, uint64_t *bytes)
{
	struct ndctl_region *region;
	struct ndctl_ctx *nd;
	int ret = open_region(ctx, name, &nd, &region);

	if (ret)
		return ret;
	*bytes = available(region);
	ndctl_unref(nd);
	return PV_OK;
}

static int write_zeros(const char *path, bool tail)
{
	void *zeros;
	int fd, ret = 0;
	off_t end;

	if (posix_memalign(&zeros, 4096, LEFTOVER_SIZE))
		return -ENOMEM;
	memset(zeros, 0, LEFTOVER_SIZE);
	fd = open(path, O_RDWR | O_DIRECT | O_EXCL | O_CLOEXEC);
	if (fd < 0) {
		free(zeros);
		return -errno;
	}
	end = lseek(fd, 0, SEEK_END);
	if (!tail)
		ret = pwrite(fd, zeros, INFO_SIZE, 0) == (ssize_t)INFO_SIZE ? 0 : -EIO;
	else if (end < 2 * (off_t)LEFTOVER_SIZE ||
		 pwrite(fd, zeros, LEFTOVER_SIZE, 0) != (ssize_t)LEFTOVER_SIZE ||
		 pwrite(fd, zeros, LEFTOVER_SIZE, (end - LEFTOVER_SIZE) & ~4095L) !=
			(ssize_t)LEFTOVER_SIZE)
		ret = -EIO;
	if (!ret && fsync(fd))
		ret = -errno;
	close(fd);
	free(zeros);
	return ret;
}

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
	size = available(region) / unit * unit;
	uuid_generate(uuid);
	*step = "give it a UUID";
	ret = ndctl_namespace_set_uuid(ndns, uuid);
	if (ret)
		return ret;
	*step = "give it a size";
	return ndctl_namespace_set_size(ndns, size);
}

/* A namespace that is not started, or is no block device, has an empty one. */
static int describe(struct ndctl_region *region, struct ndctl_namespace *ndns,
		    struct pv_namespace *out)
{
	struct ndctl_pfn *pfn = ndctl_namespace_get_pfn(ndns);
	struct ndctl_btt *btt = ndctl_namespace_get_btt(ndns);
	const char *disk = pfn ? ndctl_pfn_get_block_device(pfn) :
			   btt ? ndctl_btt_get_block_device(btt) :
				 ndctl_namespace_get_block_device(ndns);

	snprintf(out->region, sizeof(out->region), "%s", ndctl_region_get_devname(region));
	snprintf(out->name, sizeof(out->name), "%s", ndctl_namespace_get_devname(ndns));
	out->bare = ndctl_namespace_get_type(ndns) != ND_DEVICE_NAMESPACE_PMEM &&
		    ndctl_namespace_get_mode(ndns) == NDCTL_NS_MODE_RAW;
	if (disk && disk[0])
		snprintf(out->device, sizeof(out->device), "/dev/%s", disk);
	return PV_OK;
}

static int fill(struct pv_ctx *ctx, struct ndctl_region *region, struct ndctl_namespace *ndns,
		struct pv_namespace *out)
{
	describe(region, ndns, out);
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

static int make_labelled(struct pv_ctx *ctx, struct ndctl_region *region, struct pv_namespace *out)
{
	const char *name = ndctl_region_get_devname(region), *step = "";
	struct ndctl_namespace *ndns = NULL, *each;
	int ret;

	if (available(region) < NAMESPACE_ALIGN)
		return pv_fail(ctx, PV_RESOURCE_EXHAUSTED, "%s has no available capacity", name);
	/* The first one is not a seed again once it has been used and deleted. */
	ndctl_namespace_foreach(region, each)
		if (!ndctl_namespace_get_id(each) && ndctl_namespace_is_configuration_idle(each))
			ndns = each;
	if (!ndns)
		ndns = ndctl_region_get_namespace_seed(region);
	if (!ndns || !ndctl_namespace_is_configuration_idle(ndns))
		return pv_fail(ctx, PV_FAILED_PRECONDITION, "%s has no idle namespace to use", name);
	ret = set_up_label(region, ndns, &step);
	if (!ret)
		ret = set_up_pfn(region, ndns, &step);
	if (ret) {
		pv_fail_sys(ctx, -ret, "%s: cannot make a namespace (cannot %s)", name, step);
		remove_label(ndns);
		return ctx->error.status;
	}
	ret = fill(ctx, region, ndns, out);
	if (ret)
		return ret;
	out->made = true;
	/* The capacity was free: what is still written on it belongs to nobody. */
	ret = write_zeros(out->device, true);
	if (ret) {
		pv_fail_sys(ctx, -ret, "%s: cannot clear the new namespace", out->device);
		pv_namespace_undo(ctx, out);
		return ctx->error.status;
	}
	return PV_OK;
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
	int ret;

	if (!ndns)
		return pv_fail(ctx, PV_FAILED_PRECONDITION, "%s has no namespace", name);
	switch (ndctl_namespace_get_mode(ndns)) {
	case NDCTL_NS_MODE_FSDAX:
		return fill(ctx, region, ndns, out);
	case NDCTL_NS_MODE_RAW:
		break;
	default:
		return pv_fail(ctx, PV_FAILED_PRECONDITION,
			       "%s is not available: %s is in use in another mode", name,
			       ndctl_namespace_get_devname(ndns));
	}
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
	ret = open_region(ctx, name, &nd, &region);
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

/* The info block would turn whatever stands there next into this namespace again. */
static int clear_info(struct ndctl_namespace *ndns)
{
	char path[PV_DEVICE_MAX + 8];
	int ret;

	ndctl_namespace_set_raw_mode(ndns, 1);
	ret = ndctl_namespace_enable(ndns);
	if (ret >= 0) {
		snprintf(path, sizeof(path), "/dev/%s", ndctl_namespace_get_block_device(ndns));
		ret = write_zeros(path, false);
	}
	ndctl_namespace_set_raw_mode(ndns, 0);
	ndctl_namespace_disable_invalidate(ndns);
	return ret;
}

int pv_namespace_find(struct pv_ctx *ctx, const char *name, struct pv_namespace *out)
{
	struct ndctl_namespace *ndns;
	struct ndctl_region *region;
	struct ndctl_bus *bus;
	struct ndctl_ctx *nd;
	int ret = pv_nd_open(ctx, &nd);

	*out = (struct pv_namespace){ 0 };
	if (ret)
		return ret;
	ret = pv_fail(ctx, PV_NOT_FOUND, "there is no namespace %s", name);
	ndctl_bus_foreach(nd, bus)
		ndctl_region_foreach(bus, region)
			ndctl_namespace_foreach(region, ndns)
				if (ret && ndctl_namespace_get_size(ndns) &&
				    !strcmp(ndctl_namespace_get_devname(ndns), name))
					ret = describe(region, ndns, out);
	ndctl_unref(nd);
	return ret;
}

int pv_namespace_only(struct pv_ctx *ctx, const char *name, struct pv_namespace *out)
{
	struct ndctl_namespace *ndns;
	struct ndctl_region *region;
	struct ndctl_ctx *nd;
	unsigned int nr = 0;
	int ret = open_region(ctx, name, &nd, &region);

	*out = (struct pv_namespace){ 0 };
	if (ret)
		return ret;
	ndctl_namespace_foreach(region, ndns) {
		if (!ndctl_namespace_get_size(ndns))
			continue;
		nr++;
		if (ndctl_namespace_get_mode(ndns) == NDCTL_NS_MODE_FSDAX)
			describe(region, ndns, out);
	}
	ndctl_unref(nd);
	return nr == 1 && out->device[0] ? PV_OK :
					   pv_fail(ctx, PV_NOT_FOUND, "%s has none of that kind", name);
}

static int undo(struct ndctl_region *region, const char *name)
{
	struct ndctl_namespace *ndns;
	int ret;

	ndctl_namespace_foreach(region, ndns)
		if (!strcmp(ndctl_namespace_get_devname(ndns), name))
			break;
	if (!ndns)
		return 0;
	ret = ndctl_namespace_disable_safe(ndns);
	if (ret < 0)
		return ret;
	ndctl_namespace_set_enforce_mode(ndns, NDCTL_NS_MODE_RAW);
	ret = clear_info(ndns);
	if (ndctl_namespace_get_type(ndns) == ND_DEVICE_NAMESPACE_PMEM)
		return ndctl_namespace_delete(ndns);
	ndctl_namespace_enable(ndns);
	return ret;
}

int pv_namespace_remove(struct pv_ctx *ctx, const char *name, const char *region_name)
{
	struct ndctl_region *region;
	struct ndctl_ctx *nd;
	int ret = open_region(ctx, region_name, &nd, &region);

	if (ret)
		return ret;
	ret = undo(region, name);
	ndctl_unref(nd);
	return ret < 0 ? pv_fail_sys(ctx, -ret, "cannot remove %s", name) : PV_OK;
}

void pv_namespace_undo(struct pv_ctx *ctx, const struct pv_namespace *ns)
{
	struct pv_error kept = ctx->error;

	if (!ns->made)
		return;
	if (pv_namespace_remove(ctx, ns->name, ns->region))
		pv_warn(ctx, "%s", ctx->error.message);
	/* What is reported is why the command failed, not how the undoing went. */
	ctx->error = kept;
}
