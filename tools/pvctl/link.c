// SPDX-License-Identifier: GPL-2.0
#include "link.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "clock.h"
#include "object.h"

#define DEV "/dev/"
#define UDEV_CONTROL "/run/udev/control"
/* There as long as udev has events to work on. */
#define UDEV_QUEUE "/run/udev/queue"
#define UDEV_PATIENCE_MS 5000
#define UDEV_IDLE_MS 1000
#define UDEV_POLL_MS 10
/* A link that another pvctl is making or removing at the same time: meet it again. */
#define RACE_TRIES 16
/* /dev/pmemvol/POOL/VOLUME@SNAPSHOT is the longest. */
#define PATH_MAX_OURS 448

bool pv_link_udev_runs(void)
{
	return !access(UDEV_CONTROL, F_OK);
}

bool pv_link_disk(const char *path, char *disk, size_t size)
{
	char target[PV_DEVICE_MAX + 16];
	ssize_t len = readlink(path, target, sizeof(target) - 1);
	const char *base;

	if (len < 0)
		return false;
	target[len] = '\0';
	base = strrchr(target, '/');
	base = base ? base + 1 : target;
	return snprintf(disk, size, "%s", base) < (int)size;
}

static bool leads_to(const char *path, const char *disk)
{
	char found[PV_DEVICE_MAX];

	return pv_link_disk(path, found, sizeof(found)) && !strcmp(found, disk);
}

/* The directories between /dev and the link. Return: how many, or -errno */
static int make_directories(const char *path)
{
	char dir[PATH_MAX_OURS];
	int depth = 0;

	snprintf(dir, sizeof(dir), "%s", path);
	for (char *slash = strchr(dir + strlen(DEV), '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		/* Gone again meanwhile: the link cannot be made, and all is tried once more. */
		if (mkdir(dir, 0755) && errno != EEXIST && errno != ENOENT)
			return -errno;
		*slash = '/';
		depth++;
	}
	return depth;
}

static int make_link(const char *path, const char *disk)
{
	char temp[PATH_MAX_OURS + 16], target[PV_DEVICE_MAX + 16];

	/* No name of ours begins with a dot, so the temporary one is nobody's. */
	snprintf(temp, sizeof(temp), "%.*s/.%d", (int)(strrchr(path, '/') - path), path,
		 (int)getpid());
	for (int i = 0; i < RACE_TRIES; i++) {
		int depth = make_directories(path);

		if (depth < 0)
			return depth;
		snprintf(target, sizeof(target), "%s%s", depth == 2 ? "../../" : "../", disk);
		if (symlink(target, temp)) {
			if (errno == EEXIST)
				unlink(temp);
			else if (errno != ENOENT)
				return -errno;
			continue;
		}
		if (!rename(temp, path))
			return 0;
		unlink(temp);
		if (errno != ENOENT)
			return -errno;
	}
	return -EBUSY;
}

int pv_link_make(struct pv_ctx *ctx, const char *path, const char *disk)
{
	int ret = make_link(path, disk);

	if (ret)
		pv_warn(ctx, "cannot make %s: %s; use /dev/%s", path, strerror(-ret), disk);
	return ret;
}

uint64_t pv_link_deadline(void)
{
	return pv_now_ms() + UDEV_PATIENCE_MS;
}

bool pv_link_wait(const char *path, const char *disk, uint64_t deadline)
{
	struct timespec pause = { .tv_nsec = UDEV_POLL_MS * 1000000L };
	uint64_t now = pv_now_ms(), busy = now;

	while (!leads_to(path, disk)) {
		now = pv_now_ms();
		if (!access(UDEV_QUEUE, F_OK))
			busy = now;
		if (now >= deadline || now - busy >= UDEV_IDLE_MS)
			return false;
		nanosleep(&pause, NULL);
	}
	return true;
}
