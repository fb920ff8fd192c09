// SPDX-License-Identifier: GPL-2.0
#include "namespace.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/ndctl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "namespace_parts.h"
#include "state.h"

static const struct pv_state_kind lock_kind = { "the lock of regions", "region" };

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

int pv_namespace_lock(struct pv_ctx *ctx, int *lock)
{
	int ret = pv_state_open(ctx, &lock_kind, true, lock);

	if (ret)
		return ret;
	ret = pv_state_lock(ctx, &lock_kind, *lock);
	if (ret) {
		close(*lock);
		*lock = -1;
	}
	return ret;
}

int pv_region_open(struct pv_ctx *ctx, const char *name, struct ndctl_ctx **nd,
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

unsigned long long pv_region_available(struct ndctl_region *region)
{
	unsigned long long bytes = ndctl_region_get_max_available_extent(region);

	/* Kernels without that attribute: all of it is one extent or none is. */
	return bytes == ULLONG_MAX ? ndctl_region_get_available_size(region) : bytes;
}

int pv_namespace_available(struct pv_ctx *ctx, const char *name, uint64_t *bytes)
{
	struct ndctl_region *region;
	struct ndctl_ctx *nd;
	int ret = pv_region_open(ctx, name, &nd, &region);

	if (ret)
		return ret;
	*bytes = pv_region_available(region);
	ndctl_unref(nd);
	return PV_OK;
}

int pv_namespace_zero(const char *path, size_t size, bool tail)
{
	void *zeros;
	int fd, ret = 0;
	off_t end;

	fd = open(path, O_RDWR | O_DIRECT | O_EXCL | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	end = lseek(fd, 0, SEEK_END) & ~4095L;
	if ((off_t)size > end)
		size = (size_t)end;
	if (posix_memalign(&zeros, 4096, size)) {
		close(fd);
		return -ENOMEM;
	}
	memset(zeros, 0, size);
	if (pwrite(fd, zeros, size, 0) != (ssize_t)size ||
	    (tail && pwrite(fd, zeros, size, end - (off_t)size) != (ssize_t)size))
		ret = -EIO;
	if (!ret && fsync(fd))
		ret = -errno;
	close(fd);
	free(zeros);
	return ret;
}

void pv_namespace_describe(struct ndctl_region *region, struct ndctl_namespace *ndns,
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
}

int pv_namespace_raw(struct ndctl_namespace *ndns, char path[PV_DEVICE_MAX + 8])
{
	int ret;

	ndctl_namespace_set_raw_mode(ndns, 1);
	ret = ndctl_namespace_enable(ndns);
	if (ret < 0)
		return ret;
	snprintf(path, PV_DEVICE_MAX + 8, "/dev/%s", ndctl_namespace_get_block_device(ndns));
	return 0;
}

void pv_namespace_raw_end(struct ndctl_namespace *ndns)
{
	ndctl_namespace_set_raw_mode(ndns, 0);
	ndctl_namespace_disable_invalidate(ndns);
}

/* The info block would turn whatever stands there next into this namespace again. */
static int clear_info(struct ndctl_namespace *ndns)
{
	char path[PV_DEVICE_MAX + 8];
	int ret = pv_namespace_raw(ndns, path);

	if (!ret)
		ret = pv_namespace_zero(path, PV_INFO_SIZE, false);
	pv_namespace_raw_end(ndns);
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
				    !strcmp(ndctl_namespace_get_devname(ndns), name)) {
					pv_namespace_describe(region, ndns, out);
					ret = PV_OK;
				}
	ndctl_unref(nd);
	return ret;
}

int pv_namespace_only(struct pv_ctx *ctx, const char *name, struct pv_namespace *out)
{
	struct ndctl_namespace *ndns;
	struct ndctl_region *region;
	struct ndctl_ctx *nd;
	unsigned int nr = 0;
	int ret = pv_region_open(ctx, name, &nd, &region);

	*out = (struct pv_namespace){ 0 };
	if (ret)
		return ret;
	ndctl_namespace_foreach(region, ndns) {
		if (!ndctl_namespace_get_size(ndns))
			continue;
		nr++;
		if (ndctl_namespace_get_mode(ndns) == NDCTL_NS_MODE_FSDAX)
			pv_namespace_describe(region, ndns, out);
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
	int ret = pv_region_open(ctx, region_name, &nd, &region);

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
