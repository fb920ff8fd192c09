// SPDX-License-Identifier: GPL-2.0
/*
 * measure read|write DEVICE SPAN BLOCK OPS [random|forward] [dsync]
 *	Direct reads or writes of BLOCK bytes within the first SPAN bytes; prints ns an operation, of the best of five rounds.
 * measure mixed DEVICE SPAN BLOCK OPS
 *	The same at random, seven reads to three writes.
 * measure first DEVICE SPAN STEP
 *	A direct write of 4 KiB at the begin of every STEP bytes of SPAN; prints ns a write.
 * measure flush DEVICE OPS
 *	fdatasync() with nothing to write back; prints ns a call.
 * measure discard DEVICE SPAN STEP
 *	BLKDISCARD of STEP bytes at a time, forward through SPAN; prints ns a call.
 * measure touch FILE LEN [sync]
 *	A store to every page of a shared mapping; prints page faults and ns a page.
 * measure persist FILE OPS
 *	MAP_SYNC: a store of 64 bytes, flushed and fenced, at random places of a mapping that was
 *	touched before; prints ns an operation.
 * measure copy FILE LEN
 *	memcpy() to a shared mapping of LEN bytes that was touched before, and back; prints MB/s of
 *	each, of the best of five rounds.
 * measure threads DEVICE SPAN MS N read|write
 *	N threads that read or write 4 KiB at random, each in its own file; prints operations a
 *	second.
 * measure blank DEVICE
 *	Nothing, but fails when something is written where content would begin or end, or at one of
 *	many places between.
 * measure free DEVICE
 *	Nothing, but fails when somebody holds the device exclusively or has it mounted.
 *
 * The loop does nothing but the system call, and the clock is read around all of it: what is
 * measured is the path, not the measuring.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/fs.h>
#include <linux/mman.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include "../kernel/prog.h"
#include "clock.h"

#define PAGE 4096UL
#define LINE 64UL
#define THREADS_MAX 64

static int open_direct(const char *name, int flags)
{
	int fd = open(name, O_RDWR | flags);

	if (fd < 0)
		err(2, "%s", name);
	return fd;
}

/* Where the operations go, worked out before the clock runs. */
static uint64_t *places(uint64_t span, uint64_t block, uint64_t ops, bool forward)
{
	struct prng p = { .state = 0x1234567 };
	uint64_t *place = calloc(ops, sizeof(*place)), i;

	if (!place)
		errx(2, "no memory");
	if (span < block || !ops)
		errx(2, "nothing to measure");
	for (i = 0; i < ops; i++)
		place[i] = (forward ? i % (span / block) : prng_below(&p, span / block)) * block;
	return place;
}

/* As few pieces of memory as can be, and the same number each time: one huge page. */
static char *buffer(size_t len)
{
	size_t whole = (len + CHUNK - 1) & ~(CHUNK - 1);
	char *buf;

	if (posix_memalign((void **)&buf, CHUNK, whole))
		errx(2, "no memory");
	madvise(buf, whole, MADV_HUGEPAGE);
	memset(buf, 0x5a, whole);
	return buf;
}

static int transfer(bool write, int argc, char **argv)
{
	uint64_t span = number(argv[1]), block = number(argv[2]), ops = number(argv[3]) / ROUNDS;
	uint64_t i, start, round, best = 0;
	bool forward = argc > 4 && !strcmp(argv[4], "forward");
	bool dsync = argc > 5 && !strcmp(argv[5], "dsync");
	uint64_t *at = places(span, block, ops * ROUNDS, forward);
	int fd = open_direct(argv[0], O_DIRECT | (dsync ? O_DSYNC : 0));
	char *buf = buffer(block);
	ssize_t n = block;

	for (round = 0; round < ROUNDS; round++, at += ops) {
		start = now();
		if (write)
			for (i = 0; i < ops && n == (ssize_t)block; i++)
				n = pwrite(fd, buf, block, at[i]);
		else
			for (i = 0; i < ops && n == (ssize_t)block; i++)
				n = pread(fd, buf, block, at[i]);
		if (n != (ssize_t)block)
			err(1, "%s: operation %lu", argv[0], i);
		keep_best(&best, start);
	}
	per_op(best, ops);
	return 0;
}

#define READS_IN_TEN 7

static int mixed(char **argv)
{
	uint64_t span = number(argv[1]), block = number(argv[2]), ops = number(argv[3]) / ROUNDS;
	uint64_t *at = places(span, block, ops * ROUNDS, false), i, start, round, best = 0;
	bool *is_write = calloc(ops * ROUNDS, sizeof(*is_write));
	int fd = open_direct(argv[0], O_DIRECT);
	struct prng p = { .state = 0x7654321 };
	char *buf = buffer(block);
	ssize_t n = block;

	if (!is_write)
		errx(2, "no memory");
	for (i = 0; i < ops * ROUNDS; i++)
		is_write[i] = prng_below(&p, 10) >= READS_IN_TEN;
	for (round = 0; round < ROUNDS; round++, at += ops, is_write += ops) {
		start = now();
		for (i = 0; i < ops && n == (ssize_t)block; i++)
			n = is_write[i] ? pwrite(fd, buf, block, at[i]) :
					  pread(fd, buf, block, at[i]);
		if (n != (ssize_t)block)
			err(1, "%s: operation %lu", argv[0], i);
		keep_best(&best, start);
	}
	per_op(best, ops);
	return 0;
}

static int first(char **argv)
{
	uint64_t span = number(argv[1]), step = number(argv[2]), off, start;
	int fd = open_direct(argv[0], O_DIRECT);
	char *buf = aligned_buffer(PAGE);

	start = now();
	for (off = 0; off + step <= span; off += step)
		if (pwrite(fd, buf, PAGE, off) != (ssize_t)PAGE)
			err(1, "%s: at %lu", argv[0], off);
	per_op(now() - start, span / step);
	return 0;
}

static int flush(char **argv)
{
	uint64_t ops = number(argv[1]) / ROUNDS, i, start, round, best = 0;
	int fd = open_direct(argv[0], O_DIRECT);

	if (!ops)
		errx(2, "nothing to measure");
	for (round = 0; round < ROUNDS; round++) {
		start = now();
		for (i = 0; i < ops; i++)
			if (fdatasync(fd))
				err(1, "%s", argv[0]);
		keep_best(&best, start);
	}
	per_op(best, ops);
	return 0;
}

static int discard(char **argv)
{
	uint64_t span = number(argv[1]), step = number(argv[2]), range[2], start;
	int fd = open_direct(argv[0], 0);

	range[1] = step;
	start = now();
	for (range[0] = 0; range[0] + step <= span; range[0] += step)
		if (ioctl(fd, BLKDISCARD, range))
			err(1, "%s", argv[0]);
	per_op(now() - start, span / step);
	return 0;
}

/* At an address aligned to 2 MiB, so that the size of the mappings depends on the medium alone. */
static volatile char *map_file(const char *file, size_t len, bool sync)
{
	int fd = open_direct(file, 0);
	char *hint, *map;

	hint = mmap(NULL, len + CHUNK, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (hint == MAP_FAILED)
		err(2, "mmap");
	hint = (char *)(((uintptr_t)hint + CHUNK - 1) & ~(CHUNK - 1));
	map = mmap(hint, len, PROT_READ | PROT_WRITE,
		   MAP_FIXED | (sync ? MAP_SHARED_VALIDATE | MAP_SYNC : MAP_SHARED), fd, 0);
	if (map == MAP_FAILED)
		err(1, "%s: mmap", file);
	close(fd);
	return map;
}

static long faults_now(void)
{
	struct rusage u;

	getrusage(RUSAGE_SELF, &u);
	return u.ru_minflt + u.ru_majflt;
}

static int touch(int argc, char **argv)
{
	size_t len = number(argv[1]), i;
	volatile char *map = map_file(argv[0], len, argc > 2);
	uint64_t start = now();
	long before = faults_now();

	for (i = 0; i < len; i += PAGE)
		map[i] = 1;
	before = faults_now() - before;
	start = now() - start;
	printf("%ld %.1f\n", before, (double)start / (len / PAGE));
	return 0;
}

static inline void write_back(volatile void *p)
{
	/* A processor without clwb ends here: one with persistent memory has it. */
	__asm__ volatile("clwb %0; sfence" : "+m"(*(volatile char *)p));
}

static int persist(char **argv)
{
	const size_t len = 64 * MIB;
	volatile char *map = map_file(argv[0], len, true);
	uint64_t ops = number(argv[1]) / ROUNDS, i, start, round, best = 0;
	uint64_t *at = places(len, LINE, ops * ROUNDS, false);
	size_t j;

	for (i = 0; i < len; i += PAGE)
		map[i] = 1;
	for (round = 0; round < ROUNDS; round++, at += ops) {
		start = now();
		for (i = 0; i < ops; i++) {
			for (j = 0; j < LINE; j += sizeof(uint64_t))
				*(volatile uint64_t *)(map + at[i] + j) = i;
			write_back(map + at[i]);
		}
		keep_best(&best, start);
	}
	per_op(best, ops);
	return 0;
}

static bool is_zero(int fd, off_t at, size_t len)
{
	static char buf[64 * 1024];
	size_t i;

	for (; len; len -= sizeof(buf), at += sizeof(buf)) {
		if (pread(fd, buf, sizeof(buf), at) != (ssize_t)sizeof(buf))
			err(2, "read");
		for (i = 0; i < sizeof(buf); i++)
			if (buf[i])
				return false;
	}
	return true;
}

static int blank(char **argv)
{
	const unsigned int places = 256;
	int fd = open_direct(argv[0], 0);
	off_t size = lseek(fd, 0, SEEK_END) & -PAGE, i;

	if (size < (off_t)(4 * MIB))
		errx(2, "%s: too small", argv[0]);
	for (i = 1; i < places; i++)
		if (!is_zero(fd, size / places * i & -PAGE, 64 * 1024))
			return 1;
	return !is_zero(fd, 0, 4 * MIB) || !is_zero(fd, size - MIB, MIB);
}

static double mb_per_second(size_t len, uint64_t ns)
{
	return len * 1e3 / ns;
}

static int copy(char **argv)
{
	size_t len = number(argv[1]), i;
	char *map = (char *)map_file(argv[0], len, false), *buf = buffer(len);
	uint64_t start, round, to = 0, from = 0;

	for (i = 0; i < len; i += PAGE)
		((volatile char *)map)[i] = 1;
	for (round = 0; round < ROUNDS; round++) {
		start = now();
		memcpy(map, buf, len);
		keep_best(&to, start);
		start = now();
		memcpy(buf, map, len);
		keep_best(&from, start);
	}
	printf("%.1f %.1f\n", mb_per_second(len, to), mb_per_second(len, from));
	return 0;
}

struct worker {
	pthread_t thread;
	const char *name;
	uint64_t span, ops;
	unsigned int seed;
	bool write;
};

static atomic_bool stop;
static pthread_barrier_t begin;

static void *work_on(void *arg)
{
	struct worker *r = arg;
	struct prng p = { .state = 0x1234567 + r->seed };
	int fd = open_direct(r->name, O_DIRECT);
	char *buf = aligned_buffer(PAGE);

	pthread_barrier_wait(&begin);
	while (!atomic_load_explicit(&stop, memory_order_relaxed)) {
		off_t at = prng_below(&p, r->span / PAGE) * PAGE;

		if ((r->write ? pwrite(fd, buf, PAGE, at) : pread(fd, buf, PAGE, at)) !=
		    (ssize_t)PAGE)
			err(1, "%s", r->name);
		r->ops++;
	}
	return NULL;
}

static int threads(char **argv)
{
	uint64_t span = number(argv[1]), ms = number(argv[2]), n = number(argv[3]), sum = 0, i,
		 start;
	struct timespec wait = { .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000 };
	struct worker r[THREADS_MAX] = { 0 };

	if (!n || n > THREADS_MAX || span < PAGE)
		errx(2, "1 to %d threads", THREADS_MAX);
	pthread_barrier_init(&begin, NULL, n + 1);
	for (i = 0; i < n; i++) {
		r[i].name = argv[0];
		r[i].span = span;
		r[i].seed = i;
		r[i].write = !strcmp(argv[4], "write");
		if (pthread_create(&r[i].thread, NULL, work_on, &r[i]))
			errx(2, "no thread");
	}
	pthread_barrier_wait(&begin);
	start = now();
	nanosleep(&wait, NULL);
	atomic_store(&stop, true);
	start = now() - start;
	for (i = 0; i < n; i++) {
		pthread_join(r[i].thread, NULL);
		sum += r[i].ops;
	}
	printf("%.0f\n", sum * 1e9 / start);
	return 0;
}

int main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "";
	int n = argc - 2;

	argv += 2;
	if (n >= 4 && !strcmp(what, "read"))
		return transfer(false, n, argv);
	if (n >= 4 && !strcmp(what, "write"))
		return transfer(true, n, argv);
	if (n == 1 && !strcmp(what, "blank"))
		return blank(argv);
	if (n == 1 && !strcmp(what, "free"))
		return open_direct(argv[0], O_EXCL) < 0;
	if (n == 3 && !strcmp(what, "first"))
		return first(argv);
	if (n == 2 && !strcmp(what, "flush"))
		return flush(argv);
	if (n == 3 && !strcmp(what, "discard"))
		return discard(argv);
	if (n >= 2 && !strcmp(what, "touch"))
		return touch(n, argv);
	if (n == 2 && !strcmp(what, "persist"))
		return persist(argv);
	if (n == 4 && !strcmp(what, "mixed"))
		return mixed(argv);
	if (n == 2 && !strcmp(what, "copy"))
		return copy(argv);
	if (n == 5 && !strcmp(what, "threads"))
		return threads(argv);
	errx(2,
	     "measure read|write|mixed|first|flush|discard|touch|persist|copy|threads|blank|free ...");
}
