// SPDX-License-Identifier: GPL-2.0
#include "fence_link.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "link.h"
#include "sysfs.h"

#define LINK_ROOT "/dev/nvme_fence"

const char *pv_fence_link_path(const char *name, char buf[PV_FENCE_LINK_MAX])
{
	snprintf(buf, PV_FENCE_LINK_MAX, LINK_ROOT "/%s", name);
	return buf;
}

/* Does the kernel say that this disk is that attachment? */
static bool disk_is(const char *disk, const char *name)
{
	char path[PV_DEVICE_MAX + 64], found[NVME_FENCE_NAME_MAX + 2];

	snprintf(path, sizeof(path), "/sys/block/%s/nvme_fence/name", disk);
	return !pv_sysfs_read(path, found, sizeof(found)) && !strcmp(found, name);
}

void pv_fence_link_settle(struct pv_ctx *ctx, const struct pv_attachment *a)
{
	char path[PV_FENCE_LINK_MAX];

	pv_fence_link_path(a->name, path);
	if (pv_link_udev_runs() && pv_link_wait(path, a->disk, pv_link_deadline()))
		return;
	if (!pv_link_make(ctx, path, a->disk) && !disk_is(a->disk, a->name))
		/* Detached meanwhile, by one who then found no link to remove. */
		pv_fence_link_drop(a->name);
}

void pv_fence_link_drop(const char *name)
{
	char path[PV_FENCE_LINK_MAX], disk[PV_DEVICE_MAX];

	pv_fence_link_path(name, path);
	if (pv_link_disk(path, disk, sizeof(disk)) && !disk_is(disk, name))
		unlink(path);
	rmdir(LINK_ROOT);
}
