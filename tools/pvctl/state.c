// SPDX-License-Identifier: GPL-2.0
#include "state.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define STATE_DIR "/var/lib/pvctl"
#define STATE_ENV "PVCTL_STATE_DIR"

const char *pv_state_root(const struct pv_ctx *ctx)
{
	const char *root = pv_option(ctx, "state-dir");

	if (!root)
		root = secure_getenv(STATE_ENV);
	return root && root[0] ? root : STATE_DIR;
}

int pv_state_fail(struct pv_ctx *ctx, const struct pv_state_kind *kind, int error)
{
	return pv_fail_sys(ctx, error, "%s in %s/%s", kind->what, pv_state_root(ctx), kind->subdir);
}

/* Each part of the path that is missing, and the entry of each is on the disk. */
static int make_directories(const char *path)
{
	char part[PATH_MAX];
	size_t len = strlen(path);

	if (len >= sizeof(part))
		return -ENAMETOOLONG;
	for (size_t i = 1; i <= len; i++) {
		int fd;

		if (path[i] != '/' && path[i] != '\0')
			continue;
		memcpy(part, path, i);
		part[i] = '\0';
		if (!mkdir(part, 0700)) {
			char *slash = strrchr(part, '/');

			if (slash)
				slash[slash == part] = '\0';
			fd = open(slash ? part : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
			if (fd < 0 || fsync(fd)) {
				int error = errno;

				if (fd >= 0)
					close(fd);
				return -error;
			}
			close(fd);
		} else if (errno != EEXIST) {
			return -errno;
		}
	}
	return 0;
}

int pv_state_open(struct pv_ctx *ctx, const struct pv_state_kind *kind, bool make, int *dir)
{
	char path[PATH_MAX];
	int ret;

	snprintf(path, sizeof(path), "%s/%s", pv_state_root(ctx), kind->subdir);
	*dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (*dir >= 0)
		return PV_OK;
	if (errno != ENOENT)
		return pv_state_fail(ctx, kind, errno);
	if (!make)
		return PV_OK;
	ret = make_directories(path);
	if (!ret) {
		*dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		ret = *dir < 0 ? -errno : 0;
	}
	return ret ? pv_state_fail(ctx, kind, -ret) : PV_OK;
}

int pv_state_lock(struct pv_ctx *ctx, const struct pv_state_kind *kind, int dir)
{
	while (flock(dir, LOCK_EX))
		if (errno != EINTR)
			return pv_state_fail(ctx, kind, errno);
	return PV_OK;
}

static ssize_t read_all(int fd, char *buf, size_t size)
{
	size_t len = 0;

	while (len < size) {
		ssize_t n = read(fd, buf + len, size - len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (!n)
			break;
		len += (size_t)n;
	}
	return (ssize_t)len;
}

static int write_all(int fd, const char *buf, size_t len)
{
	while (len) {
		ssize_t n = write(fd, buf, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		buf += n;
		len -= (size_t)n;
	}
	return 0;
}

ssize_t pv_state_read(int dir, const char *name, char *buf, size_t size)
{
	int fd = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	ssize_t len;

	if (fd < 0)
		return -errno;
	len = read_all(fd, buf, size);
	close(fd);
	return len;
}

int pv_state_replace(int dir, const char *name, const char *buf, size_t len)
{
	char temp[NAME_MAX + 1];
	int fd, ret;

	/* The lock is held: what is there is left from one who was interrupted. */
	snprintf(temp, sizeof(temp), ".%s.new", name);
	fd = openat(dir, temp, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return -errno;
	ret = write_all(fd, buf, len);
	if (!ret && fsync(fd))
		ret = -errno;
	if (close(fd) && !ret)
		ret = -errno;
	if (!ret && renameat(dir, temp, dir, name))
		ret = -errno;
	if (!ret && fsync(dir))
		ret = -errno;
	if (ret)
		unlinkat(dir, temp, 0);
	return ret;
}

int pv_state_remove(int dir, const char *name)
{
	if (unlinkat(dir, name, 0))
		return errno == ENOENT ? 0 : -errno;
	return fsync(dir) ? -errno : 0;
}
