// SPDX-License-Identifier: GPL-2.0
#include "fence_record.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <linux/nvme_fence.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "pmv_port.h"

#define STATE_DIR "/var/lib/pvctl"
#define SUBDIR "fence"
#define STATE_ENV "PVCTL_STATE_DIR"
/* The longest name that still has room for the temporary one's prefix. */
#define FILE_NAME_MAX 200

size_t pv_record_format(char buf[PV_RECORD_MAX], const char *id, uint64_t epoch)
{
	int len = snprintf(buf, PV_RECORD_MAX,
			   "pvctl fence record 1\ndevice %.*s\nepoch %" PRIu64 "\n",
			   PV_FENCE_ID_MAX - 1, id, epoch);

	return (size_t)(len + snprintf(buf + len, PV_RECORD_MAX - (size_t)len, "crc32c %08x\n",
				       crc32c(~0U, buf, (size_t)len)));
}

/* Only what pv_record_format() could have written is taken; anything else is damage. */
int pv_record_parse(const char *buf, size_t len, const char *id, uint64_t *epoch, const char **why)
{
	static const char key[] = "\nepoch ";
	char text[PV_RECORD_MAX + 1], again[PV_RECORD_MAX], *at, *end;
	uint64_t value;

	*why = "is damaged";
	if (len > PV_RECORD_MAX || memchr(buf, '\0', len))
		return -EUCLEAN;
	memcpy(text, buf, len);
	text[len] = '\0';
	at = strstr(text, key);
	if (!at)
		return -EUCLEAN;
	errno = 0;
	value = strtoull(at + strlen(key), &end, 10);
	if (errno || *end != '\n' || value > NVME_FENCE_EPOCH_MAX)
		return -EUCLEAN;
	if (pv_record_format(again, id, value) != len || memcmp(again, buf, len)) {
		/* Whole in itself, it is another device's. */
		at = strstr(text, "\ndevice ");
		if (at) {
			at += strlen("\ndevice ");
			at[strcspn(at, "\n")] = '\0';
			if (strlen(at) < PV_FENCE_ID_MAX &&
			    pv_record_format(again, at, value) == len && !memcmp(again, buf, len))
				*why = "is of another device";
		}
		return -EUCLEAN;
	}
	*epoch = value;
	return 0;
}

const char *pv_record_file(const char *id, char buf[PV_FENCE_ID_MAX])
{
	size_t len = 0;

	for (const char *p = id; *p && len < FILE_NAME_MAX; p++) {
		/* The first dot would hide the file, or name the directory. */
		if (isalnum((unsigned char)*p) || strchr("_-", *p) || (len && *p == '.'))
			buf[len++] = *p;
		else
			len += (size_t)snprintf(buf + len, 4, "%%%02x", (unsigned char)*p);
	}
	buf[len] = '\0';
	if (len >= FILE_NAME_MAX)
		snprintf(buf + len, PV_FENCE_ID_MAX - len, "~%08x", crc32c(~0U, id, strlen(id)));
	return buf;
}

static const char *root_of(const struct pv_ctx *ctx)
{
	const char *root = pv_option(ctx, "state-dir");

	if (!root)
		root = secure_getenv(STATE_ENV);
	return root && root[0] ? root : STATE_DIR;
}

static void directory_path(const struct pv_ctx *ctx, char *buf, size_t size)
{
	snprintf(buf, size, "%s/" SUBDIR, root_of(ctx));
}

static int fail_directory(struct pv_ctx *ctx, int error)
{
	return pv_fail_sys(ctx, error, "the record of epochs in %s/" SUBDIR, root_of(ctx));
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

/* Return: the directory, or -1 with the failure recorded; *dir is -1 when there is none and none is wanted */
static int open_directory(struct pv_ctx *ctx, bool make, int *dir)
{
	char path[PATH_MAX];
	int ret;

	directory_path(ctx, path, sizeof(path));
	*dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (*dir >= 0)
		return PV_OK;
	if (errno != ENOENT)
		return fail_directory(ctx, errno);
	if (!make)
		return PV_OK;
	ret = make_directories(path);
	if (!ret) {
		*dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		ret = *dir < 0 ? -errno : 0;
	}
	return ret ? fail_directory(ctx, -ret) : PV_OK;
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

static int read_record(struct pv_ctx *ctx, int dir, const char *id, uint64_t *epoch)
{
	char name[PV_FENCE_ID_MAX], buf[PV_RECORD_MAX + 1];
	static const char advice[] =
		"remove it and acquire with an --epoch that is newer than any that was granted";
	const char *why;
	ssize_t len;
	int fd;

	*epoch = 0;
	pv_record_file(id, name);
	fd = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT ? PV_OK : fail_directory(ctx, errno);
	len = read_all(fd, buf, sizeof(buf));
	close(fd);
	if (len < 0)
		return fail_directory(ctx, (int)-len);
	if (pv_record_parse(buf, (size_t)len, id, epoch, &why))
		return pv_fail(ctx, PV_DATA_LOSS, "%s/" SUBDIR "/%s %s: %s", root_of(ctx), name,
			       why, advice);
	return PV_OK;
}

static int replace(int dir, const char *id, uint64_t epoch)
{
	char name[PV_FENCE_ID_MAX], temp[PV_FENCE_ID_MAX + 8], buf[PV_RECORD_MAX];
	size_t len = pv_record_format(buf, id, epoch);
	int fd, ret;

	pv_record_file(id, name);
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

int pv_record_read(struct pv_ctx *ctx, const char *id, uint64_t *epoch)
{
	int dir, ret = open_directory(ctx, false, &dir);

	*epoch = 0;
	if (ret || dir < 0)
		return ret;
	ret = read_record(ctx, dir, id, epoch);
	close(dir);
	return ret;
}

int pv_record_raise(struct pv_ctx *ctx, const char *id, uint64_t epoch)
{
	uint64_t known;
	int dir, ret = open_directory(ctx, true, &dir);

	if (ret)
		return ret;
	/* Of two at the same time the second one sees what the first has written. */
	while (flock(dir, LOCK_EX)) {
		if (errno == EINTR)
			continue;
		ret = fail_directory(ctx, errno);
		goto out;
	}
	ret = read_record(ctx, dir, id, &known);
	if (!ret && epoch > known) {
		ret = replace(dir, id, epoch);
		if (ret)
			ret = fail_directory(ctx, -ret);
	}
out:
	close(dir);
	return ret;
}
