// SPDX-License-Identifier: GPL-2.0
#include "links.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "ctl.h"
#include "link.h"
#include "sysfs.h"

#define LINK_ROOT "/dev/pmemvol"
#define LOCK_FILE "/run/pvctl.lock"
/* What stands below a pool's directory: VOLUME, or VOLUME@SNAPSHOT. */
#define LEAF_MAX (2 * PMEMVOL_NAME_MAX + 2)

static void snapshot_leaf(const char *volume, const char *snapshot, char leaf[LEAF_MAX])
{
	snprintf(leaf, LEAF_MAX, "%s@%s", volume, snapshot);
}

const char *pv_link_path(const char *pool, const char *leaf, char buf[PV_LINK_MAX])
{
	snprintf(buf, PV_LINK_MAX, LINK_ROOT "/%s/%s", pool, leaf);
	return buf;
}

const char *pv_link_snapshot_path(const struct pv_snapshot *s, char buf[PV_LINK_MAX])
{
	char leaf[LEAF_MAX];

	snapshot_leaf(s->volume, s->name, leaf);
	if (!s->disk[0] || strlen(leaf) > NAME_MAX)
		return NULL;
	return pv_link_path(s->pool, leaf, buf);
}

/* Does the kernel say that this disk is that volume, or that snapshot? */
static bool disk_is(const char *disk, const char *pool, const char *leaf)
{
	char path[PV_DEVICE_MAX + 64], name[LEAF_MAX + 1];

	snprintf(path, sizeof(path), "/sys/block/%s/pmemvol/pool", disk);
	if (pv_sysfs_read(path, name, sizeof(name)) || strcmp(name, pool))
		return false;
	snprintf(path, sizeof(path), "/sys/block/%s/pmemvol/volume", disk);
	return !pv_sysfs_read(path, name, sizeof(name)) && !strcmp(name, leaf);
}

/*
 * Between looking where a link leads and removing it, nobody else makes it anew. Only root can hold
 * the lock, and it is gone with the process. Return: for unlock(); negative: there is no lock, and
 * it has to do without.
 */
static int lock(void)
{
	int fd = open(LOCK_FILE, O_RDONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);

	if (fd >= 0 && flock(fd, LOCK_EX)) {
		close(fd);
		fd = -1;
	}
	return fd;
}

static void unlock(int fd)
{
	if (fd >= 0)
		close(fd);
}

static void drop(const char *pool, const char *leaf)
{
	char path[PV_LINK_MAX], disk[PV_DEVICE_MAX];
	int fd = lock();

	pv_link_path(pool, leaf, path);
	if (pv_link_disk(path, disk, sizeof(disk)) && !disk_is(disk, pool, leaf))
		unlink(path);
	unlock(fd);
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

void pv_link_drop_snapshot(const struct pv_snapshot_name *name)
{
	char leaf[LEAF_MAX];

	snapshot_leaf(name->volume, name->snapshot, leaf);
	pv_link_drop(name->pool, leaf);
}

/* Return: whether udev is to be waited for with the next one. */
static bool settle(struct pv_ctx *ctx, const char *pool, const char *leaf, const char *disk,
		   bool udev, uint64_t deadline)
{
	char path[PV_LINK_MAX];
	int fd;

	pv_link_path(pool, leaf, path);
	udev = udev && pv_link_wait(path, disk, deadline);
	if (udev)
		return true;
	fd = lock();
	/* Deleted meanwhile, and maybe made anew: then the link is not ours to make. */
	if (disk_is(disk, pool, leaf))
		pv_link_make(ctx, path, disk);
	unlock(fd);
	return false;
}

void pv_link_settle(struct pv_ctx *ctx, const struct pv_volume *v)
{
	settle(ctx, v->pool, v->name, v->disk, pv_link_udev_runs(), pv_link_deadline());
}

void pv_link_settle_snapshot(struct pv_ctx *ctx, const struct pv_snapshot *s)
{
	char leaf[LEAF_MAX], path[PV_LINK_MAX];

	snapshot_leaf(s->volume, s->name, leaf);
	if (pv_link_snapshot_path(s, path))
		settle(ctx, s->pool, leaf, s->disk, pv_link_udev_runs(), pv_link_deadline());
	else if (s->disk[0])
		pv_warn(ctx, "%s is too long for a link; use /dev/%s", leaf, s->disk);
}

void pv_link_move_snapshots(struct pv_ctx *ctx, const struct pv_volume *v, const char *old)
{
	struct pv_snapshots snapshots;
	char leaf[LEAF_MAX];

	if (!v->snapshots || pv_snapshot_dump(ctx, v->pool, v->name, &snapshots))
		return;
	for (size_t i = 0; i < snapshots.nr; i++) {
		const struct pv_snapshot *s = &snapshots.snapshot[i];

		if (!s->disk[0])
			continue;
		pv_link_settle_snapshot(ctx, s);
		snapshot_leaf(old, s->name, leaf);
		drop(v->pool, leaf);
	}
	pv_snapshots_free(&snapshots);
}

void pv_link_settle_pool(struct pv_ctx *ctx, const char *pool)
{
	uint64_t deadline = pv_link_deadline();
	struct pv_volumes volumes;
	bool udev = pv_link_udev_runs();

	if (pv_volume_dump(ctx, pool, &volumes))
		return;
	for (size_t i = 0; i < volumes.nr; i++)
		udev = settle(ctx, pool, volumes.volume[i].name, volumes.volume[i].disk, udev,
			      deadline);
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
