// SPDX-License-Identifier: GPL-2.0
#include "superblock.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/types.h>
#include <unistd.h>

int pv_sb_read(int fd, u64 size, struct pmv_sb *sb, const char **why)
{
	int err = -ENODATA;
	bool found = false;
	void *page;

	*why = "the device carries no pool superblock";
	/* Aligned for O_DIRECT. */
	if (posix_memalign(&page, PMV_PAGE_SIZE, PMV_PAGE_SIZE))
		return -ENOMEM;
	for (unsigned int i = 0; i < PMV_COPIES; i++) {
		const struct pmv_sb *copy = page;
		const char *refusal = "the superblock cannot be read";
		off_t at = (off_t)i * PMV_COPY_STRIDE;
		int ret = -EIO;

		if ((u64)at + PMV_PAGE_SIZE > size)
			break;
		if (pread(fd, page, PMV_PAGE_SIZE, at) == (ssize_t)PMV_PAGE_SIZE)
			ret = pmv_sb_verify(copy, size, &refusal);
		if (!ret && (!found || le64_to_cpu(copy->generation) > le64_to_cpu(sb->generation)))
			memcpy(sb, copy, sizeof(*sb));
		found |= !ret;
		/* Damage says more than absence. */
		if (ret && ret != -ENODATA) {
			err = ret;
			*why = refusal;
		}
	}
	free(page);
	return found ? 0 : err;
}

int pv_sb_open(const char *path, struct pmv_sb *sb, u64 *size, const char **why)
{
	off_t end;
	int fd, ret;

	*why = "the device cannot be opened";
	/*
	 * Past the page cache: the kernel module writes superblocks straight to
	 * the medium, so a cached page may be old. Files may not know O_DIRECT.
	 */
	fd = open(path, O_RDONLY | O_CLOEXEC | O_DIRECT);
	if (fd < 0 && errno == EINVAL)
		fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	end = lseek(fd, 0, SEEK_END);
	ret = end < 0 ? -EIO : pv_sb_read(fd, (u64)end, sb, why);
	if (size)
		*size = end < 0 ? 0 : (u64)end;
	close(fd);
	return ret;
}

const char *pv_sb_name(const struct pmv_sb *sb, char buf[PMV_NAME_MAX + 1])
{
	memcpy(buf, sb->name, sb->name_len);
	buf[sb->name_len] = '\0';
	return buf;
}
