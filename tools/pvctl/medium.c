// SPDX-License-Identifier: GPL-2.0
/*
 * Past the page cache, as the kernel module does it: what is read is what stands there, and a
 * bad block is an error of itself alone. A fence is a flush of the devices.
 */
#include "medium.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

#define SECTOR 512U

void pv_medium_init(struct pv_medium *m)
{
	*m = (struct pv_medium){ 0 };
}

int pv_medium_open(struct pv_medium *m, const char *path, bool write)
{
	int flags = (write ? O_RDWR : O_RDONLY) | O_EXCL | O_CLOEXEC, fd;
	struct stat st;
	off_t size;
	int ret;

	if (m->nr == PMV_MEMBERS_MAX)
		return -E2BIG;
	/* Aligned for O_DIRECT, which not all files know. */
	if (!m->page && posix_memalign((void **)&m->page, PMV_PAGE_SIZE, PMV_PAGE_SIZE))
		return -ENOMEM;
	fd = open(path, flags | O_DIRECT);
	if (fd < 0 && errno == EINVAL)
		fd = open(path, flags);
	if (fd < 0)
		return -errno;
	size = lseek(fd, 0, SEEK_END);
	if (size < 0 || fstat(fd, &st))
		ret = -errno;
	else if (!S_ISBLK(st.st_mode) && !S_ISREG(st.st_mode))
		ret = -ENOTBLK;
	else
		ret = 0;
	if (ret) {
		close(fd);
		return ret;
	}
	m->fd[m->nr] = fd;
	/* The kernel module counts whole pages too. */
	m->size[m->nr++] = (u64)size & ~(u64)(PMV_PAGE_SIZE - 1);
	return 0;
}

void pv_medium_reorder(struct pv_medium *m, const unsigned int *order)
{
	struct pv_medium old = *m;

	for (unsigned int i = 0; i < m->nr; i++) {
		m->fd[i] = old.fd[order[i]];
		m->size[i] = old.size[order[i]];
	}
}

void pv_medium_close(struct pv_medium *m)
{
	for (unsigned int i = 0; i < m->nr; i++)
		close(m->fd[i]);
	free(m->page);
	pv_medium_init(m);
}

/* One page, or where that fails the sectors of it that are wanted. */
static int read_page(struct pv_medium *m, unsigned int member, u64 off, unsigned int first,
		     unsigned int last)
{
	int fd = m->fd[member];

	if (off + PMV_PAGE_SIZE > m->size[member])
		return -EIO;
	if (pread(fd, m->page, PMV_PAGE_SIZE, (off_t)off) == (ssize_t)PMV_PAGE_SIZE)
		return 0;
	for (unsigned int at = first / SECTOR * SECTOR; at < last; at += SECTOR)
		if (pread(fd, m->page + at, SECTOR, (off_t)(off + at)) != (ssize_t)SECTOR)
			return -EIO;
	return 0;
}

static int medium_read(void *ctx, unsigned int member, u64 off, void *dst, size_t len)
{
	struct pv_medium *m = ctx;
	u8 *to = dst;

	while (len) {
		unsigned int at = off % PMV_PAGE_SIZE;
		size_t n = min(len, (size_t)PMV_PAGE_SIZE - at);

		if (read_page(m, member, off - at, at, at + (unsigned int)n))
			return -EIO;
		memcpy(to, m->page + at, n);
		to += n;
		off += n;
		len -= n;
	}
	return 0;
}

static void failed(struct pv_medium *m)
{
	if (!m->error)
		m->error = errno ? errno : EIO;
}

/* @src NULL: zeros. Sectors are written whole, with what they hold beside. */
static void write_bytes(struct pv_medium *m, unsigned int member, u64 off, const u8 *src,
			size_t len)
{
	while (len) {
		unsigned int at = off % PMV_PAGE_SIZE, first, last;
		size_t n = min(len, (size_t)PMV_PAGE_SIZE - at);

		first = at / SECTOR * SECTOR;
		last = (at + (unsigned int)n + SECTOR - 1) / SECTOR * SECTOR;
		errno = 0;
		if ((first != at || last != at + n) &&
		    read_page(m, member, off - at, first, last)) {
			failed(m);
			return;
		}
		if (src)
			memcpy(m->page + at, src, n);
		else
			memset(m->page + at, 0, n);
		if (pwrite(m->fd[member], m->page + first, last - first,
			   (off_t)(off - at + first)) != (ssize_t)(last - first)) {
			failed(m);
			return;
		}
		src = src ? src + n : NULL;
		off += n;
		len -= n;
	}
}

static void medium_store64(void *ctx, unsigned int member, u64 off, u64 val)
{
	__le64 raw = cpu_to_le64(val);

	write_bytes(ctx, member, off, (const u8 *)&raw, sizeof(raw));
}

static void medium_write(void *ctx, unsigned int member, u64 off, const void *src, size_t len)
{
	write_bytes(ctx, member, off, src, len);
}

static void medium_zero(void *ctx, unsigned int member, u64 off, size_t len)
{
	write_bytes(ctx, member, off, NULL, len);
}

static void medium_flush(void *ctx, unsigned int member, u64 off, size_t len)
{
	/* The fence does it. */
	(void)ctx;
	(void)member;
	(void)off;
	(void)len;
}

static void medium_fence(void *ctx)
{
	struct pv_medium *m = ctx;

	for (unsigned int i = 0; i < m->nr; i++)
		if (fdatasync(m->fd[i]))
			failed(m);
}

const struct pmv_media_ops pv_medium_ops = {
	.store64 = medium_store64,
	.write = medium_write,
	.zero = medium_zero,
	.flush = medium_flush,
	.fence = medium_fence,
	.read = medium_read,
};
