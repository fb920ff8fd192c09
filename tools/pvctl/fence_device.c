// SPDX-License-Identifier: GPL-2.0
#include "fence_device.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/nvme_ioctl.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "object.h"
#include "parse.h"
#include "sysfs.h"

#define NVME_GET_FEATURES 0x0a
#define NVME_HOST_IDENTIFIER 0x81
#define NVME_EXTENDED 1
#define FEATURE_TIMEOUT_MS 10000

int pv_fence_device_number(struct pv_ctx *ctx, const char *path, uint64_t *devnum)
{
	struct stat st;

	if (stat(path, &st))
		return pv_fail_sys(ctx, errno, "%s", path);
	if (!S_ISBLK(st.st_mode))
		return pv_fail(ctx, PV_FAILED_PRECONDITION, "%s: is not a block device", path);
	*devnum = pv_devnum(major(st.st_rdev), minor(st.st_rdev));
	return PV_OK;
}

/*
 * In order of trust. A world wide name has its kind in front of it; what else is found gets one, so
 * that no two kinds can be taken for each other.
 */
static const struct {
	const char *attr;
	const char *kind;
} identifiers[] = {
	{ "wwid", "" },	      { "device/wwid", "" },   { "dm/uuid", "dm." },
	{ "md/uuid", "md." }, { "serial", "serial." }, { "loop/backing_file", "file." },
};

static bool find_identifier(uint64_t devnum, char *buf, size_t size)
{
	char text[PV_FENCE_ID_MAX];

	for (size_t i = 0; i < ARRAY_SIZE(identifiers); i++) {
		if (pv_sysfs_attr(devnum, identifiers[i].attr, text, sizeof(text)) ||
		    !text[strspn(text, " ")])
			continue;
		snprintf(buf, size, "%s%s", identifiers[i].kind, text);
		return true;
	}
	return false;
}

int pv_fence_device_id(uint64_t devnum, char buf[PV_FENCE_ID_MAX])
{
	char name[PV_DEVICE_MAX], text[PV_FENCE_ID_MAX];
	bool partition = pv_sysfs_is_partition(devnum);
	int ret = pv_sysfs_name(devnum, name, sizeof(name));

	if (ret)
		return ret;
	if (partition || !find_identifier(devnum, text, sizeof(text)))
		snprintf(text, sizeof(text), "name.%s", name);
	/* One line in the record, whatever the device calls itself. */
	for (char *p = text; *p; p++)
		if (*p < ' ' || *p > '~')
			*p = '?';
	strcpy(buf, text);
	return 0;
}

static bool read_host_id(const char *directory, uint8_t *host_id)
{
	char path[PATH_MAX + NAME_MAX + 16], text[PV_UUID_TEXT + 1];

	snprintf(path, sizeof(path), "%s/hostid", directory);
	return !pv_sysfs_read(path, text, sizeof(text)) && !pv_parse_uuid(text, host_id);
}

/* Under native multipath the namespace hangs below the subsystem, which lists its controllers. */
static int from_subsystem(struct pv_ctx *ctx, const char *directory, uint8_t *host_id, bool *known)
{
	DIR *d = opendir(directory);
	struct dirent *entry;
	bool differ = false;

	if (!d)
		return PV_OK;
	while ((entry = readdir(d))) {
		char path[PATH_MAX + NAME_MAX + 2];
		uint8_t one[NVME_FENCE_HOST_ID_SIZE];

		if (strncmp(entry->d_name, "nvme", 4))
			continue;
		snprintf(path, sizeof(path), "%s/%s", directory, entry->d_name);
		if (!read_host_id(path, one))
			continue;
		differ |= *known && memcmp(one, host_id, sizeof(one));
		memcpy(host_id, one, sizeof(one));
		*known = true;
	}
	closedir(d);
	if (differ)
		return pv_fail(ctx, PV_FAILED_PRECONDITION,
			       "the device's paths are connected with different host IDs");
	return PV_OK;
}

/* A controller on PCIe was told its host's identifier by a command, if at all. */
static void from_controller(const char *name, uint8_t *host_id, bool *known)
{
	struct nvme_passthru_cmd cmd = {
		.opcode = NVME_GET_FEATURES,
		.addr = (uintptr_t)host_id,
		.data_len = NVME_FENCE_HOST_ID_SIZE,
		.cdw10 = NVME_HOST_IDENTIFIER,
		.cdw11 = NVME_EXTENDED,
		.timeout_ms = FEATURE_TIMEOUT_MS,
	};
	static const uint8_t none[NVME_FENCE_HOST_ID_SIZE];
	char path[PV_DEVICE_MAX + 8];
	int fd;

	snprintf(path, sizeof(path), "/dev/%s", name);
	fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0)
		return;
	memset(host_id, 0, sizeof(none));
	if (ioctl(fd, NVME_IOCTL_ID) > 0 && !ioctl(fd, NVME_IOCTL_ADMIN_CMD, &cmd))
		*known = memcmp(host_id, none, sizeof(none));
	close(fd);
}

int pv_fence_host_id(struct pv_ctx *ctx, uint64_t devnum, uint8_t host_id[NVME_FENCE_HOST_ID_SIZE],
		     bool *known)
{
	char directory[PATH_MAX], name[PV_DEVICE_MAX], *slash;
	int ret;

	*known = false;
	if (pv_sysfs_name(devnum, name, sizeof(name)) || strncmp(name, "nvme", 4) ||
	    pv_sysfs_is_partition(devnum) || pv_sysfs_dir(devnum, directory, sizeof(directory)))
		return PV_OK;
	slash = strrchr(directory, '/');
	*slash = '\0';
	*known = read_host_id(directory, host_id);
	if (*known)
		return PV_OK;
	ret = from_subsystem(ctx, directory, host_id, known);
	if (!ret && !*known)
		from_controller(name, host_id, known);
	return ret;
}
