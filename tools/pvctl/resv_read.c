// SPDX-License-Identifier: GPL-2.0
/*
 * Reading reservations by passthrough, where the kernel has no call for it. The commands change
 * nothing and are let through although the device is claimed.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/nvme_ioctl.h>
#include <scsi/sg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "pvctl.h"
#include "resv.h"
#include "sysfs.h"

/* Enough for some dozens of hosts; the answer says when it was not. */
#define FIRST_READ 4096
#define TRIES 5

#define NVME_RESERVATION_REPORT 0x0e
#define NVME_EXTENDED 1
#define NVME_STATUS 0x7ff
#define NVME_INVALID_OPCODE 0x001
#define NVME_INVALID_FIELD 0x002
#define NVME_HOST_ID_FORMAT 0x018

#define SCSI_PERSISTENT_RESERVE_IN 0x5e
#define SCSI_READ_KEYS 0
#define SCSI_READ_RESERVATION 1
#define SCSI_READ_FULL_STATUS 3
#define SCSI_CHECK_CONDITION 2
#define SCSI_ILLEGAL_REQUEST 5
#define SCSI_LENGTH_MAX 0xffff

static int fail(const char **why, int error, const char *text)
{
	*why = text;
	return error;
}

static int parse_failed(const char **why, int error)
{
	switch (error) {
	case -EOVERFLOW:
		return fail(why, error, "the device reports more registrants than there can be");
	case -E2BIG:
	case -EAGAIN: return fail(why, -EAGAIN, "the reservation kept changing while it was read");
	default: return fail(why, -EBADMSG, "the device's report makes no sense");
	}
}

/* Return: 0, -errno, or the status NVMe has for it */
static int nvme_report(int fd, uint32_t nsid, bool extended, unsigned int timeout_ms, uint8_t *buf,
		       size_t len)
{
	struct nvme_passthru_cmd cmd = {
		.opcode = NVME_RESERVATION_REPORT,
		.nsid = nsid,
		.addr = (uintptr_t)buf,
		.data_len = (uint32_t)len,
		.cdw10 = (uint32_t)(len / 4 - 1),
		.cdw11 = extended ? NVME_EXTENDED : 0,
		.timeout_ms = timeout_ms,
	};
	int ret = ioctl(fd, NVME_IOCTL_IO_CMD, &cmd);

	return ret < 0 ? -errno : ret & NVME_STATUS;
}

static int read_nvme(int fd, uint32_t nsid, bool extended, unsigned int timeout_ms,
		     struct pv_report *out, const char **why)
{
	size_t len = FIRST_READ, need = 0;
	int ret = -EAGAIN;

	for (int i = 0; i < TRIES; i++) {
		uint8_t *buf = pv_alloc(1, len);

		ret = nvme_report(fd, nsid, extended, timeout_ms, buf, len);
		if (ret) {
			free(buf);
			return ret;
		}
		ret = pv_resv_parse_nvme(buf, len, extended, out, &need);
		free(buf);
		if (ret != -E2BIG)
			break;
		len = need;
	}
	return ret ? parse_failed(why, ret) : 0;
}

static int from_nvme(int fd, uint32_t nsid, unsigned int timeout_ms, struct pv_report *out,
		     const char **why)
{
	/* A controller takes the form that its host identifier has, and refuses the other one. */
	int ret = read_nvme(fd, nsid, true, timeout_ms, out, why);

	if (ret == NVME_HOST_ID_FORMAT || ret == NVME_INVALID_FIELD)
		ret = read_nvme(fd, nsid, false, timeout_ms, out, why);
	switch (ret) {
	case NVME_INVALID_OPCODE:
	case NVME_INVALID_FIELD: return fail(why, -EOPNOTSUPP, "the device has no reservations");
	case -EINTR:
	case -ETIME:
	case -ETIMEDOUT: return fail(why, -ETIMEDOUT, "the device does not answer");
	}
	if (ret > 0)
		return fail(why, -EIO, "the device refuses to report its reservation");
	if (ret < 0 && !*why)
		return fail(why, ret, "the reservation cannot be read");
	return ret;
}

/* Return: length of the answer, or -errno */
static ssize_t scsi_in(int fd, uint8_t action, unsigned int timeout_ms, uint8_t *buf, size_t len)
{
	uint8_t cdb[10] = {
		SCSI_PERSISTENT_RESERVE_IN,
		action,
		[7] = (uint8_t)(len >> 8),
		[8] = (uint8_t)len,
	};
	uint8_t sense[64] = { 0 };
	struct sg_io_hdr io = {
		.interface_id = 'S',
		.dxfer_direction = SG_DXFER_FROM_DEV,
		.cmd_len = sizeof(cdb),
		.cmdp = cdb,
		.mx_sb_len = sizeof(sense),
		.sbp = sense,
		.dxfer_len = (unsigned int)len,
		.dxferp = buf,
		.timeout = timeout_ms,
	};

	if (ioctl(fd, SG_IO, &io) < 0)
		return -errno;
	if (io.status == SCSI_CHECK_CONDITION && io.sb_len_wr > 2) {
		uint8_t key = sense[0] >= 0x72 ? sense[1] : sense[2];

		return (key & 0xf) == SCSI_ILLEGAL_REQUEST ? -EOPNOTSUPP : -EIO;
	}
	if (io.status || io.host_status || io.driver_status)
		return -EIO;
	if (io.resid < 0 || (size_t)io.resid > len)
		return -EBADMSG;
	return (ssize_t)(len - (size_t)io.resid);
}

/* READ FULL STATUS, or READ KEYS. Return: 0, -errno; -EAGAIN: @len is to be *need */
static int scsi_registrants(int fd, uint8_t action, unsigned int timeout_ms, size_t len,
			    struct pv_report *out, size_t *need)
{
	uint8_t *buf = pv_alloc(1, len);
	ssize_t got = scsi_in(fd, action, timeout_ms, buf, len);
	int ret;

	if (got < 0)
		ret = (int)got;
	else if (action == SCSI_READ_KEYS)
		ret = pv_resv_parse_scsi_keys(buf, (size_t)got, out, need);
	else
		ret = pv_resv_parse_scsi_full(buf, (size_t)got, out, need);
	free(buf);
	return ret;
}

static int scsi_all(int fd, uint8_t action, unsigned int timeout_ms, struct pv_report *out)
{
	size_t len = FIRST_READ, need = 0;
	int ret = -E2BIG;

	for (int i = 0; i < TRIES && ret == -E2BIG; i++) {
		ret = scsi_registrants(fd, action, timeout_ms, len, out, &need);
		if (ret == -E2BIG && need > SCSI_LENGTH_MAX)
			return -EOVERFLOW;
		len = need;
	}
	return ret;
}

/* For devices without READ FULL STATUS. */
static int scsi_in_two_steps(int fd, unsigned int timeout_ms, struct pv_report *out)
{
	uint8_t buf[256];
	int ret = -EAGAIN;

	for (int i = 0; i < TRIES && ret == -EAGAIN; i++) {
		ssize_t got;

		ret = scsi_all(fd, SCSI_READ_KEYS, timeout_ms, out);
		if (ret)
			return ret;
		got = scsi_in(fd, SCSI_READ_RESERVATION, timeout_ms, buf, sizeof(buf));
		ret = got < 0 ? (int)got : pv_resv_parse_scsi_holder(buf, (size_t)got, out);
	}
	return ret;
}

static int from_scsi(int fd, unsigned int timeout_ms, struct pv_report *out, const char **why)
{
	int ret = scsi_all(fd, SCSI_READ_FULL_STATUS, timeout_ms, out);

	if (ret == -EOPNOTSUPP)
		ret = scsi_in_two_steps(fd, timeout_ms, out);
	switch (ret) {
	case 0: return 0;
	case -EOPNOTSUPP: return fail(why, ret, "the device has no reservations");
	case -E2BIG:
	case -EAGAIN:
	case -EBADMSG:
	case -EOVERFLOW: return parse_failed(why, ret);
	default: return fail(why, ret, "the reservation cannot be read");
	}
}

int pv_resv_read(int fd, unsigned int timeout_ms, struct pv_report *out, const char **why)
{
	int nsid = ioctl(fd, NVME_IOCTL_ID), version, ret;

	*why = NULL;
	if (nsid > 0)
		ret = from_nvme(fd, (uint32_t)nsid, timeout_ms, out, why);
	else if (!ioctl(fd, SG_GET_VERSION_NUM, &version) && version >= 30000)
		ret = from_scsi(fd, timeout_ms, out, why);
	else
		ret = fail(why, -EOPNOTSUPP, "the device is neither NVMe nor SCSI");
	out->known = !ret;
	return ret;
}

int pv_resv_read_device(uint64_t devnum, unsigned int timeout_ms, struct pv_report *out,
			const char **why)
{
	unsigned int major_of = (unsigned int)(devnum >> 32), minor_of = (unsigned int)devnum;
	char name[64], path[80];
	struct stat st;
	int fd, ret;

	out->known = false;
	if (pv_sysfs_is_partition(devnum))
		return fail(why, -EOPNOTSUPP, "a partition has no reservations of its own");
	if (pv_sysfs_name(devnum, name, sizeof(name)))
		return fail(why, -ENODEV, "the device is gone");
	/* Device-mapper hands such commands to a device below, whose reservation is not its own. */
	if (!strncmp(name, "dm-", 3))
		return fail(why, -EOPNOTSUPP, "a mapped device has no reservations of its own");
	snprintf(path, sizeof(path), "/dev/%s", name);
	fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0)
		return fail(why, -errno, "the device cannot be opened");
	if (fstat(fd, &st) || !S_ISBLK(st.st_mode) || st.st_rdev != makedev(major_of, minor_of))
		ret = fail(why, -ENODEV, "the device's node is another device's");
	else
		ret = pv_resv_read(fd, timeout_ms, out, why);
	close(fd);
	return ret;
}
