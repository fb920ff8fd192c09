// SPDX-License-Identifier: GPL-2.0
#include "configfs.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sysfs.h"

#define MOUNT "/sys/kernel/config"
#define ROOT MOUNT "/nvmet"

#ifndef CONFIGFS_MAGIC
#define CONFIGFS_MAGIC 0x62656570
#endif

static const char *full(const char *path, char buf[PATH_MAX])
{
	snprintf(buf, PATH_MAX, ROOT "/%s", path);
	return buf;
}

int pv_configfs_mkdir(const char *path)
{
	char buf[PATH_MAX];

	return mkdir(full(path, buf), 0755) ? -errno : 0;
}

int pv_configfs_rmdir(const char *path)
{
	char buf[PATH_MAX];

	return rmdir(full(path, buf)) ? -errno : 0;
}

int pv_configfs_link(const char *target, const char *path)
{
	char buf[PATH_MAX], to[PATH_MAX];

	return symlink(full(target, to), full(path, buf)) ? -errno : 0;
}

int pv_configfs_unlink(const char *path)
{
	char buf[PATH_MAX];

	return unlink(full(path, buf)) ? -errno : 0;
}

int pv_configfs_write(const char *path, const char *value)
{
	char buf[PATH_MAX];
	int fd = open(full(path, buf), O_WRONLY | O_CLOEXEC), ret = 0;

	if (fd < 0)
		return -errno;
	/* In one piece: the kernel takes each write(2) for a whole value. */
	if (write(fd, value, strlen(value)) < 0)
		ret = -errno;
	/* Some kernels act, and may fail, when the file is closed. */
	if (close(fd) && !ret)
		ret = -errno;
	return ret;
}

int pv_configfs_read(const char *path, char *buf, size_t size)
{
	char name[PATH_MAX];

	return pv_sysfs_read(full(path, name), buf, size);
}

bool pv_configfs_exists(const char *path)
{
	char buf[PATH_MAX];
	struct stat st;

	return !lstat(full(path, buf), &st);
}

static int not_hidden(const struct dirent *d)
{
	return d->d_name[0] != '.';
}

unsigned int pv_configfs_list(const char *path, char ***names)
{
	struct dirent **found;
	char buf[PATH_MAX];
	int nr = scandir(full(path, buf), &found, not_hidden, alphasort);

	*names = NULL;
	if (nr < 0)
		return 0;
	*names = pv_alloc((size_t)nr, sizeof(**names));
	for (int i = 0; i < nr; i++) {
		(*names)[i] = strcpy(pv_alloc(1, strlen(found[i]->d_name) + 1), found[i]->d_name);
		free(found[i]);
	}
	free(found);
	return (unsigned int)nr;
}

void pv_configfs_list_free(char **names, unsigned int nr)
{
	for (unsigned int i = 0; i < nr; i++)
		free(names[i]);
	free(names);
}

/* Whether that went well is seen by what is there afterwards. */
static bool load(const char *module)
{
	char *const argv[] = { "modprobe", "-q", "--", (char *)module, NULL };
	posix_spawn_file_actions_t actions;
	int status = -1;
	pid_t child;

	if (posix_spawn_file_actions_init(&actions))
		return false;
	/* What it has to say would be in the way of our own sentence. */
	if (!posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0) &&
	    !posix_spawnp(&child, argv[0], &actions, NULL, argv, environ))
		while (waitpid(child, &status, 0) < 0 && errno == EINTR)
			;
	posix_spawn_file_actions_destroy(&actions);
	return !status;
}

static bool has_module(const char *module)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "/sys/module/%s", module);
	for (char *p = path; *p; p++)
		if (*p == '-')
			*p = '_';
	return !access(path, F_OK) || load(module);
}

static int mount_configfs(struct pv_ctx *ctx)
{
	struct statfs fs;

	/* Its directory comes with the module. */
	has_module("configfs");
	if (statfs(MOUNT, &fs))
		return pv_fail(ctx, PV_UNIMPLEMENTED, "this kernel has no configfs");
	if (fs.f_type == CONFIGFS_MAGIC)
		return PV_OK;
	/* EBUSY: somebody else was faster. */
	if (mount("configfs", MOUNT, "configfs", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL) &&
	    errno != EBUSY)
		return pv_fail_sys(ctx, errno, "cannot mount configfs on " MOUNT);
	return PV_OK;
}

int pv_configfs_prepare(struct pv_ctx *ctx, const char *transport, int *lock)
{
	char module[32];
	int ret;

	*lock = -1;
	if (transport) {
		ret = mount_configfs(ctx);
		if (ret)
			return ret;
		if (!has_module("nvmet") || access(ROOT, F_OK))
			return pv_fail(ctx, PV_UNIMPLEMENTED,
				       "this kernel has no NVMe target (module nvmet)");
		snprintf(module, sizeof(module), "nvmet-%s", transport);
		if (!has_module(module))
			return pv_fail(ctx, PV_UNIMPLEMENTED,
				       "this kernel's NVMe target has no %s (module %s)", transport,
				       module);
	}
	*lock = open(ROOT, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (*lock < 0 && errno == ENOENT && !transport)
		return PV_OK;
	if (*lock < 0)
		return pv_fail_sys(ctx, errno, "the kernel's NVMe target, " ROOT);
	/* Beside the records', which may be in several directories: ports belong to all. */
	while (flock(*lock, LOCK_EX)) {
		if (errno == EINTR)
			continue;
		ret = pv_fail_sys(ctx, errno, "cannot lock " ROOT);
		close(*lock);
		*lock = -1;
		return ret;
	}
	return PV_OK;
}
