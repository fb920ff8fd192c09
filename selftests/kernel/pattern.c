// SPDX-License-Identifier: GPL-2.0
/*
 * pattern write|check|zero|find METHOD FILE OFF LEN [SEED]
 *
 * Writes a pattern that depends on place and seed, checks it, checks that all is zero, or says
 * how many 8-byte words equal the byte SEED repeated ("find", status 1 when there are any).
 * METHOD: direct (O_DIRECT), buffered, mmap (MAP_SHARED), sync (MAP_SYNC).
 * With FAIL_NTH=N in the environment the N-th allocation under each write(2) fails; "injected" is
 * printed when it came to that.
 *
 * pattern touch FILE OFF STEP: writes one sector at OFF and every STEP bytes behind it.
 *
 * pattern fill FILE BYTE: writes the byte with O_DIRECT from the start until it cannot; prints
 * the errno's name and the offset where it came.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <sys/ioctl.h>
#include <linux/fs.h>
#include <linux/mman.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "prog.h"

#define BLOCK (1 * MIB)

enum action { WRITE, CHECK, ZERO, FIND };

static const char *const actions[] = { "write", "check", "zero", "find" };

struct job {
	enum action action;
	uint64_t seed;
	uint64_t found;
	const char *file;
};

static void handle(struct job *j, void *buf, uint64_t off, size_t len)
{
	const uint64_t *word = buf;
	ssize_t bad;
	size_t i;

	switch (j->action) {
	case WRITE: pattern_fill(buf, j->seed, off, len); break;
	case CHECK:
		bad = pattern_check(buf, j->seed, off, len);
		if (bad >= 0)
			errx(1, "%s: wrong data at %llu: %016llx, not %016llx", j->file,
			     (unsigned long long)(off + bad), (unsigned long long)word[bad / 8],
			     (unsigned long long)pattern_word(j->seed, off + bad));
		break;
	case ZERO:
		for (i = 0; i < len / 8; i++)
			if (word[i])
				errx(1, "%s: not zero at %llu: %016llx", j->file,
				     (unsigned long long)(off + i * 8),
				     (unsigned long long)word[i]);
		break;
	case FIND:
		for (i = 0; i < len / 8; i++)
			j->found += word[i] == j->seed * 0x0101010101010101ULL;
		break;
	}
}

static void by_mmap(struct job *j, uint64_t off, uint64_t len, bool sync)
{
	bool write = j->action == WRITE;
	int flags = sync ? MAP_SHARED_VALIDATE | MAP_SYNC : MAP_SHARED;
	int fd = open(j->file, write ? O_RDWR | O_CREAT : O_RDONLY, 0600);
	uint64_t end = off + len;
	struct stat st;
	char *map;

	if (fd < 0 || fstat(fd, &st))
		err(1, "%s", j->file);
	if (write && S_ISREG(st.st_mode) && (uint64_t)st.st_size < end && ftruncate(fd, end))
		err(1, "%s: truncate", j->file);
	/* The whole file is mapped: its offset 0 is aligned as large pages need it. */
	map = mmap(NULL, end, PROT_READ | (write ? PROT_WRITE : 0), flags, fd, 0);
	if (map == MAP_FAILED)
		err(1, "%s: mmap", j->file);
	for (; off < end; off += BLOCK)
		handle(j, map + off, off, end - off < BLOCK ? end - off : BLOCK);
	if (write && msync(map, end, MS_SYNC))
		err(1, "%s: msync", j->file);
	munmap(map, end);
	close(fd);
}

static int fail_nth_fd = -1;

static void fail_nth(const char *n)
{
	if (fail_nth_fd < 0)
		fail_nth_fd = open("/proc/thread-self/fail-nth", O_RDWR);
	if (fail_nth_fd < 0 || pwrite(fail_nth_fd, n, strlen(n), 0) < 0)
		err(2, "fail-nth");
}

static bool was_injected(void)
{
	char left[32] = "";

	if (pread(fail_nth_fd, left, sizeof(left) - 1, 0) < 0)
		err(2, "fail-nth");
	fail_nth("0");
	return !atoi(left);
}

static ssize_t failing_write(int fd, const void *buf, size_t len, uint64_t off)
{
	const char *nth = getenv("FAIL_NTH");
	ssize_t n;
	int error;

	if (!nth)
		return pwrite(fd, buf, len, off);
	fail_nth(nth);
	n = pwrite(fd, buf, len, off);
	error = errno;
	if (was_injected())
		puts("injected");
	errno = error;
	return n;
}

static void by_read_write(struct job *j, uint64_t off, uint64_t len, int flag)
{
	bool write = j->action == WRITE;
	int fd = open(j->file, (write ? O_RDWR | O_CREAT : O_RDONLY) | flag, 0600);
	void *buf = aligned_buffer(BLOCK);
	uint64_t end = off + len;
	ssize_t n;

	if (fd < 0)
		err(1, "%s", j->file);
	while (off < end) {
		size_t part = end - off < BLOCK ? end - off : BLOCK;

		if (write) {
			handle(j, buf, off, part);
			n = failing_write(fd, buf, part, off);
		} else {
			n = pread(fd, buf, part, off);
			if (n > 0)
				handle(j, buf, off, n);
		}
		if (n < 0)
			err(1, "%s: %s at %llu", j->file, write ? "write" : "read",
			    (unsigned long long)off);
		if (!n)
			errx(1, "%s: ends at %llu", j->file, (unsigned long long)off);
		off += n;
	}
	if (write && fsync(fd))
		err(1, "%s: fsync", j->file);
	close(fd);
	free(buf);
}

static int fill(const char *file, int byte)
{
	int fd = open(file, O_WRONLY | O_DIRECT);
	void *buf = aligned_buffer(BLOCK);
	uint64_t off = 0, end;
	ssize_t n;

	if (fd < 0)
		err(2, "%s", file);
	memset(buf, byte, BLOCK);
	end = lseek(fd, 0, SEEK_END);
	while (off < end) {
		n = pwrite(fd, buf, end - off < BLOCK ? end - off : BLOCK, off);
		if (n < 0) {
			printf("%s %llu\n", strerrorname_np(errno), (unsigned long long)off);
			return 0;
		}
		off += n;
	}
	printf("full %llu\n", (unsigned long long)off);
	return 0;
}

static int touch(const char *file, uint64_t off, uint64_t step)
{
	int fd = open(file, O_WRONLY | O_DIRECT);
	void *buf = aligned_buffer(BLOCK);
	uint64_t end;

	if (fd < 0)
		err(2, "%s", file);
	for (end = lseek(fd, 0, SEEK_END); off < end; off += step) {
		pattern_fill(buf, 1, off, 512);
		if (pwrite(fd, buf, 512, off) != 512)
			err(1, "%s: write at %llu", file, (unsigned long long)off);
	}
	return 0;
}

int main(int argc, char **argv)
{
	struct job j = { 0 };
	const char *method;
	uint64_t off, len;

	if (argc == 4 && !strcmp(argv[1], "fill"))
		return fill(argv[2], number(argv[3]));
	if (argc == 5 && !strcmp(argv[1], "touch"))
		return touch(argv[2], number(argv[3]), number(argv[4]));
	if (argc < 6)
		errx(2, "pattern write|check|zero|find METHOD FILE OFF LEN [SEED]");
	while (strcmp(actions[j.action], argv[1]))
		if (++j.action > FIND)
			errx(2, "unknown action %s", argv[1]);
	method = argv[2];
	j.file = argv[3];
	off = number(argv[4]);
	len = number(argv[5]);
	j.seed = argc > 6 ? number(argv[6]) : 0;
	if (!strcmp(method, "direct"))
		by_read_write(&j, off, len, O_DIRECT);
	else if (!strcmp(method, "buffered"))
		by_read_write(&j, off, len, 0);
	else if (!strcmp(method, "mmap"))
		by_mmap(&j, off, len, false);
	else if (!strcmp(method, "sync"))
		by_mmap(&j, off, len, true);
	else
		errx(2, "unknown method %s", method);
	if (j.action == FIND) {
		printf("%llu\n", (unsigned long long)j.found);
		return j.found ? 1 : 0;
	}
	return 0;
}
