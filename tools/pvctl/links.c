// SPDX-License-Identifier: GPL-2.0
#include "links.h"

#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "ctl.h"
#include "link.h"
#include "sysfs.h"

#define LINK_ROOT "/dev/pmemvol"

const char *pv_link_path(const char *pool, const char *volume, char buf[PV_LINK_MAX])
{
	snprintf(buf, PV_LINK_MAX, LINK_ROOT "/%s/%s", pool, volume);
	return buf;
}

/* Does the kernel say that this disk is that volume? */
static bool disk_is(const char *disk, const char *pool, const char *volume)
{
	char path[PV_DEVICE_MAX + 64], name[PMEMVOL_NAME_MAX + 2];

	snprintf(path, sizeof(path), "/sys/block/%s/pmemvol/pool", disk);
	if (pv_sysfs_read(path, name, sizeof(name)) || strcmp(name, pool))
		return false;
	snprintf(path, sizeof(path), "/sys/block/%s/pmemvol/volume", disk);
	return !pv_sysfs_read(path, name, sizeof(name)) && !strcmp(name, volume);
}

/* Return: whether udev is to be waited for with the next one. */
static bool settle(struct pv_ctx *ctx, const struct pv_volume *v, bool udev, uint64_t deadline)
{
	char path[PV_LINK_MAX];

	pv_link_path(v->pool, v->name, path);
	udev = udev && pv_link_wait(path, v->disk, deadline);
	if (!udev && !pv_link_make(ctx, path, v->disk) && !disk_is(v->disk, v->pool, v->name))
		/* Deleted meanwhile, by one who then found no link to remove. */
		pv_link_drop(v->pool, v->name);
	return udev;
}

void pv_link_settle(struct pv_ctx *ctx, const struct pv_volume *v)
{
	settle(ctx, v, pv_link_udev_runs(), pv_link_deadline());
}

static void drop(const char *pool, const char *volume)
{
	char path[PV_LINK_MAX], disk[PV_DEVICE_MAX];

	pv_link_path(pool, volume, path);
	if (pv_link_disk(path, disk, sizeof(disk)) && !disk_is(disk, pool, volume))
		unlink(path);
}

static void drop_directory(const char *pool)
{
	char dir[PV_LINK_MAX];

	snprintf(dir, sizeof(dir), LINK_ROOT "/%s", pool);
	rmdir(dir);
}

void pv_link_drop(const char *pool, const char *volume)
{
	drop(pool, volume);
	drop_directory(pool);
}

void pv_link_settle_pool(struct pv_ctx *ctx, const char *pool)
{
	uint64_t deadline = pv_link_deadline();
	struct pv_volumes volumes;
	bool udev = pv_link_udev_runs();

	if (pv_volume_dump(ctx, pool, &volumes))
		return;
	for (size_t i = 0; i < volumes.nr; i++)
		udev = settle(ctx, &volumes.volume[i], udev, deadline);
	pv_volumes_free(&volumes);
}

void pv_link_drop_pool(const char *pool)
{
	char dir[PV_LINK_MAX];
	struct dirent *entry;
	DIR *d;

	snprintf(dir, sizeof(dir), LINK_ROOT "/%s", pool);
	d = opendir(dir);
	if (!d)
		return;
	while ((entry = readdir(d)))
		if (entry->d_name[0] != '.')
			drop(pool, entry->d_name);
	closedir(d);
	drop_directory(pool);
}
