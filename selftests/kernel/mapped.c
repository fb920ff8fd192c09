// SPDX-License-Identifier: GPL-2.0
/*
 * mapped faults FILE LEN [sync]
 *	Touch every page of a shared mapping by a store, print how many page faults that took.
 * mapped read FILE LEN
 *	The same by a load.
 * mapped sigbus FILE LEN [AFTER]
 *	Store to a page after the other until SIGBUS comes; prints "SIGBUS offset" or "none LEN".
 *	With AFTER, once SIGBUS came, create that file, wait for a line on standard input and go on.
 * mapped poison FILE LEN OFFSET
 *	Report a memory failure in the page at OFFSET, then load from it; prints "SIGBUS" or "none".
 * mapped stir FILE LEN [sync]
 *	Store a number to every page of one mapping: 1, and for every line on standard input the
 *	next; prints it when that is done, and ends with the input.
 * mapped pin FILE LEN
 *	Keep a page of the mapping pinned, in a pipe; prints "pinned", and "free" once a line on
 *	standard input has made it let go. Ends with the input.
 * mapped holds FILE LEN NUMBER
 *	Is that what every page holds? Reads with read(2).
 * mapped support FILE
 *	Print "sync" when MAP_SYNC is granted, else the errno's name.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/mman.h>
#include <setjmp.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/uio.h>
#include <unistd.h>

#include "prog.h"

#define PAGE 4096

static sigjmp_buf on_bus;

static void bus(int sig)
{
	(void)sig;
	siglongjmp(on_bus, 1);
}

static char *map_file(const char *file, size_t len, int flags)
{
	int fd = open(file, O_RDWR);
	char *hint, *map;

	if (fd < 0)
		err(2, "%s", file);
	/* An address aligned to 2 MiB, so that it depends on the medium alone. */
	hint = mmap(NULL, len + CHUNK, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (hint == MAP_FAILED)
		err(2, "mmap");
	hint = (char *)(((uintptr_t)hint + CHUNK - 1) & ~(CHUNK - 1));
	map = mmap(hint, len, PROT_READ | PROT_WRITE, flags | MAP_FIXED, fd, 0);
	if (map == MAP_FAILED)
		err(2, "%s: mmap", file);
	close(fd);
	return map;
}

static long faults_now(void)
{
	struct rusage u;

	getrusage(RUSAGE_SELF, &u);
	return u.ru_minflt + u.ru_majflt;
}

static int faults(const char *file, size_t len, int flags, int store)
{
	volatile char *map = map_file(file, len, flags);
	long before;
	size_t i;

	/* What printing and counting themselves touch is touched before. */
	printf("%s", "");
	faults_now();
	before = faults_now();
	for (i = 0; i < len; i += PAGE) {
		if (store)
			map[i] = 1;
		else
			(void)map[i];
	}
	printf("%ld\n", faults_now() - before);
	return 0;
}

static int sigbus(const char *file, size_t len, const char *mark)
{
	struct sigaction sa = { .sa_handler = bus };
	volatile char *map = map_file(file, len, MAP_SHARED);
	volatile size_t i = 0;
	int fd;

	sigaction(SIGBUS, &sa, NULL);
	if (sigsetjmp(on_bus, 1)) {
		printf("SIGBUS %zu\n", i);
		fflush(stdout);
		if (!mark)
			return 0;
		fd = open(mark, O_CREAT | O_WRONLY, 0600);
		if (fd < 0)
			err(2, "%s", mark);
		close(fd);
		mark = NULL;
		if (getchar() == EOF)
			errx(2, "nobody said go on");
	}
	for (; i < len; i += PAGE)
		map[i] = 0x55;
	printf("none %zu\n", i);
	return 0;
}

static int poison(const char *file, size_t len, size_t off)
{
	struct sigaction sa = { .sa_handler = bus };
	volatile char *map = map_file(file, len, MAP_SHARED);

	sigaction(SIGBUS, &sa, NULL);
	/* The signal may come with the report, or with the load. */
	if (sigsetjmp(on_bus, 1)) {
		puts("SIGBUS");
		return 0;
	}
	map[off] = 1;
	if (madvise((char *)map + off, PAGE, MADV_HWPOISON)) {
		puts(strerrorname_np(errno));
		return 1;
	}
	(void)map[off];
	puts("none");
	return 0;
}

static int stir(const char *file, size_t len, int flags)
{
	volatile char *map = map_file(file, len, flags);
	uint64_t n = 0;
	size_t i;
	int c;

	do {
		n++;
		for (i = 0; i < len; i += PAGE)
			*(volatile uint64_t *)(map + i) = n;
		printf("%llu\n", (unsigned long long)n);
		fflush(stdout);
		do
			c = getchar();
		while (c != '\n' && c != EOF);
	} while (c != EOF);
	return 0;
}

static int pin(const char *file, size_t len)
{
	struct iovec page = { .iov_base = map_file(file, len, MAP_SHARED), .iov_len = PAGE };
	char rest[PAGE];
	int pipes[2];

	*(volatile char *)page.iov_base = 1;
	if (pipe(pipes) || vmsplice(pipes[1], &page, 1, 0) != PAGE)
		err(2, "vmsplice");
	puts("pinned");
	fflush(stdout);
	if (getchar() == EOF)
		errx(2, "nobody said go on");
	if (read(pipes[0], rest, PAGE) != PAGE)
		err(2, "pipe");
	puts("free");
	fflush(stdout);
	while (getchar() != EOF)
		;
	return 0;
}

static int holds(const char *file, size_t len, uint64_t n)
{
	int fd = open(file, O_RDONLY);
	uint64_t page[PAGE / 8];
	size_t i;

	if (fd < 0)
		err(2, "%s", file);
	for (i = 0; i < len; i += PAGE) {
		if (pread(fd, page, PAGE, i) != PAGE)
			err(2, "%s: read at %zu", file, i);
		if (page[0] != n)
			errx(1, "%s: at %zu there is %llu, not %llu", file, i,
			     (unsigned long long)page[0], (unsigned long long)n);
	}
	return 0;
}

static int support(const char *file)
{
	int fd = open(file, O_RDWR);
	void *map;

	if (fd < 0)
		err(2, "%s", file);
	map = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED_VALIDATE | MAP_SYNC, fd, 0);
	puts(map == MAP_FAILED ? strerrorname_np(errno) : "sync");
	return 0;
}

int main(int argc, char **argv)
{
	if (argc == 3 && !strcmp(argv[1], "support"))
		return support(argv[2]);
	if (argc < 4)
		errx(2, "mapped faults|read|sigbus|stir|pin|holds|poison FILE LEN [...]");
	if (!strcmp(argv[1], "faults"))
		return faults(argv[2], number(argv[3]),
			      argc > 4 ? MAP_SHARED_VALIDATE | MAP_SYNC : MAP_SHARED, 1);
	if (!strcmp(argv[1], "read"))
		return faults(argv[2], number(argv[3]), MAP_SHARED, 0);
	if (!strcmp(argv[1], "sigbus"))
		return sigbus(argv[2], number(argv[3]), argc > 4 ? argv[4] : NULL);
	if (!strcmp(argv[1], "stir"))
		return stir(argv[2], number(argv[3]),
			    argc > 4 ? MAP_SHARED_VALIDATE | MAP_SYNC : MAP_SHARED);
	if (!strcmp(argv[1], "pin"))
		return pin(argv[2], number(argv[3]));
	if (!strcmp(argv[1], "holds") && argc == 5)
		return holds(argv[2], number(argv[3]), number(argv[4]));
	if (!strcmp(argv[1], "poison") && argc == 5)
		return poison(argv[2], number(argv[3]), number(argv[4]));
	errx(2, "unknown action %s", argv[1]);
}
