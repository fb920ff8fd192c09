// SPDX-License-Identifier: GPL-2.0
#include "device.h"

#include <blkid/blkid.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "parse.h"
#include "superblock.h"
#include "sysfs.h"

/* Less leaves next to nothing behind the header. */
#define DEVICE_SIZE_MIN (16ULL << 20)

static void __attribute__((format(printf, 3, 4)))
refuse(struct pv_verdict *v, enum pv_status status, const char *format, ...)
{
	va_list ap;

	v->status = status;
	va_start(ap, format);
	vsnprintf(v->why, sizeof(v->why), format, ap);
	va_end(ap);
}

static void refuse_sys(struct pv_verdict *v, const char *what)
{
	refuse(v, pv_status_of(errno), "%s: %s", what, strerror(errno));
}

static bool judge_kind(const char *path, struct pv_verdict *v)
{
	struct stat st;

	if (stat(path, &st)) {
		refuse_sys(v, "cannot be used");
		return false;
	}
	if (!S_ISBLK(st.st_mode)) {
		refuse(v, PV_FAILED_PRECONDITION, "is not a block device");
		return false;
	}
	v->devnum = pv_devnum(major(st.st_rdev), minor(st.st_rdev));
	if (pv_sysfs_is_volume(v->devnum)) {
		refuse(v, PV_FAILED_PRECONDITION, "is itself a volume of a pool");
		return false;
	}
	if (!pv_sysfs_is_dax(v->devnum)) {
		refuse(v, PV_FAILED_PRECONDITION,
		       "cannot be mapped directly: an fsdax namespace is needed");
		return false;
	}
	return true;
}

/* Held by a mount, a mapping, or another program? An exclusive open knows. */
static bool judge_use(const char *path, struct pv_verdict *v)
{
	char where[128];
	off_t size;
	int fd;

	fd = open(path, O_RDONLY | O_EXCL | O_CLOEXEC);
	if (fd < 0) {
		if (errno != EBUSY)
			refuse_sys(v, "cannot be opened");
		else if (pv_sysfs_mounted_at(v->devnum, where, sizeof(where)))
			refuse(v, PV_FAILED_PRECONDITION, "is mounted at %s", where);
		else
			refuse(v, PV_FAILED_PRECONDITION, "is in use");
		return false;
	}
	size = lseek(fd, 0, SEEK_END);
	close(fd);
	if (size < (off_t)DEVICE_SIZE_MIN) {
		refuse(v, PV_FAILED_PRECONDITION, "is smaller than 16 MiB");
		return false;
	}
	return true;
}

static const char *article(const char *noun)
{
	return strchr("aeioAEIO", noun[0]) ? "an" : "a";
}

static const char *value_of(blkid_probe probe, const char *key)
{
	const char *value;

	return blkid_probe_lookup_value(probe, key, &value, NULL) ? NULL : value;
}

static void describe_signature(blkid_probe probe, struct pv_verdict *v)
{
	const char *type = value_of(probe, "TYPE"), *usage = value_of(probe, "USAGE");
	const char *table = value_of(probe, "PTTYPE");
	const char *noun = type ? type : table ? table : "unknown";
	const char *kind = "signature";

	if (type && usage && !strcmp(usage, "filesystem"))
		kind = "file system";
	else if (!type && table)
		kind = "partition table";
	refuse(v, PV_FAILED_PRECONDITION, "carries %s %s %s", article(noun), noun, kind);
	v->forceable = true;
}

static void judge_signature(const char *path, struct pv_verdict *v)
{
	blkid_probe probe = blkid_new_probe_from_filename(path);

	if (!probe) {
		refuse(v, PV_INTERNAL, "cannot be examined for file systems");
		return;
	}
	blkid_probe_enable_superblocks(probe, 1);
	blkid_probe_set_superblocks_flags(probe, BLKID_SUBLKS_TYPE | BLKID_SUBLKS_USAGE);
	blkid_probe_enable_partitions(probe, 1);
	switch (blkid_do_safeprobe(probe)) {
	case 0:
		describe_signature(probe, v);
		break;
	case 1:
		break;
	case -2:
		refuse(v, PV_FAILED_PRECONDITION, "carries signatures of several kinds");
		v->forceable = true;
		break;
	default:
		refuse(v, PV_DATA_LOSS, "cannot be examined for file systems");
	}
	blkid_free_probe(probe);
}

static bool judge_superblock(const char *path, const struct pv_pool *extended,
			     struct pv_verdict *v)
{
	char name[PMV_NAME_MAX + 1], uuid[PV_UUID_TEXT];
	struct pmv_sb sb;
	const char *why;

	switch (pv_sb_open(path, &sb, NULL, &why)) {
	case 0:
		if (extended && !memcmp(sb.pool_uuid, extended->uuid, sizeof(sb.pool_uuid)))
			return false;
		refuse(v, PV_FAILED_PRECONDITION, "carries a superblock of pool %s (%s)",
		       pv_sb_name(&sb, name), pv_format_uuid(sb.pool_uuid, uuid));
		v->forceable = true;
		return false;
	case -ENODATA:
		return true;
	case -EIO:
		refuse(v, PV_DATA_LOSS, "cannot be read: %s", why);
		v->forceable = true;
		return false;
	default:
		refuse(v, PV_FAILED_PRECONDITION, "was a member of a pool: %s", why);
		v->forceable = true;
		return false;
	}
}

void pv_device_judge(const char *path, const struct pv_pools *active,
		     const struct pv_pool *extended, struct pv_verdict *v)
{
	const struct pv_pool *holder;

	*v = (struct pv_verdict){ .status = PV_OK };
	if (!judge_kind(path, v))
		return;
	holder = pv_pools_holding(active, v->devnum);
	if (holder) {
		refuse(v, PV_FAILED_PRECONDITION, "is a member of pool %s", holder->name);
		return;
	}
	if (judge_use(path, v) && judge_superblock(path, extended, v))
		judge_signature(path, v);
}

void pv_device_judge_content(const char *path, uint64_t devnum, struct pv_verdict *v)
{
	*v = (struct pv_verdict){ .status = PV_OK, .devnum = devnum };
	if (judge_use(path, v) && judge_superblock(path, NULL, v))
		judge_signature(path, v);
}
