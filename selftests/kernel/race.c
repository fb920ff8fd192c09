// SPDX-License-Identifier: GPL-2.0
/*
 * race provision direct|mmap FILE CHUNKS THREADS
 *	All threads write to a chunk at the same moment, each its own pages; then to the next. At
 *	the end every page is checked. Provisioning races with itself.
 *
 * race discard FILE CHUNKS THREADS SECONDS
 *	Each thread writes, reads and checks chunks of its own, and discards them now and then;
 *	two more threads discard and read a chunk that all share. What is read is what was written
 *	or, where that chunk was discarded, zero.
 *
 * race io FILE LEN SECONDS|- [FILE-THAT-ENDS-IT]
 *	Writes and checks without pause until the time is over or the file appears.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/fs.h>
#include <pthread.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "prog.h"

#define PAGE 4096

static const char *file;
static uint64_t chunks;
static unsigned int threads;
static bool by_mmap;
static char *map;
static pthread_barrier_t barrier;
static time_t until;

static int open_direct(void)
{
	int fd = open(file, O_RDWR | O_DIRECT);

	if (fd < 0)
		err(2, "%s", file);
	return fd;
}

static void put(int fd, void *buf, uint64_t seed, uint64_t off, size_t len)
{
	pattern_fill(buf, seed, off, len);
	if (pwrite(fd, buf, len, off) != (ssize_t)len)
		err(1, "%s: write at %llu", file, (unsigned long long)off);
}

static void get(int fd, void *buf, uint64_t off, size_t len)
{
	if (pread(fd, buf, len, off) != (ssize_t)len)
		err(1, "%s: read at %llu", file, (unsigned long long)off);
}

static void check(int fd, void *buf, uint64_t seed, uint64_t off, size_t len)
{
	ssize_t bad;

	get(fd, buf, off, len);
	bad = pattern_check(buf, seed, off, len);
	if (bad >= 0)
		errx(1, "%s: wrong data at %llu", file, (unsigned long long)(off + bad));
}

static void give_back(int fd, uint64_t off, uint64_t len)
{
	uint64_t range[2] = { off, len };

	if (ioctl(fd, BLKDISCARD, range))
		err(1, "%s: discard", file);
}

static void *provision(void *arg)
{
	uint64_t me = (uintptr_t)arg, chunk, off, page;
	void *buf = aligned_buffer(PAGE);
	int fd = open_direct();

	for (chunk = 0; chunk < chunks; chunk++) {
		pthread_barrier_wait(&barrier);
		for (page = me; page < CHUNK / PAGE; page += threads * 16) {
			off = chunk * CHUNK + page * PAGE;
			if (by_mmap)
				pattern_fill(map + off, me, off, PAGE);
			else
				put(fd, buf, me, off, PAGE);
		}
	}
	pthread_barrier_wait(&barrier);
	for (chunk = 0; chunk < chunks; chunk++)
		for (page = me; page < CHUNK / PAGE; page += threads * 16)
			check(fd, buf, me, chunk * CHUNK + page * PAGE, PAGE);
	close(fd);
	return NULL;
}

static bool time_is_left(void)
{
	return time(NULL) < until;
}

/* Chunk 0 is everybody's; the rest is divided. */
static void *own_chunks(void *arg)
{
	uint64_t me = (uintptr_t)arg, n = (chunks - 1) / threads, first = 1 + me * n, round = 0, i;
	void *buf = aligned_buffer(CHUNK);
	int fd = open_direct();

	while (time_is_left()) {
		round++;
		for (i = first; i < first + n; i++)
			put(fd, buf, me + round * 100, i * CHUNK, CHUNK);
		for (i = first; i < first + n; i++)
			check(fd, buf, me + round * 100, i * CHUNK, CHUNK);
		give_back(fd, first * CHUNK, n * CHUNK);
		for (i = first; i < first + n; i++) {
			uint64_t *word = buf, w;

			get(fd, buf, i * CHUNK, CHUNK);
			for (w = 0; w < CHUNK / 8; w++)
				if (word[w])
					errx(1, "%s: %016llx in a discarded chunk at %llu", file,
					     (unsigned long long)word[w],
					     (unsigned long long)(i * CHUNK + w * 8));
		}
	}
	close(fd);
	return NULL;
}

/* Is every byte of a word zero or the wanted word's? */
static bool bytes_of(uint64_t word, uint64_t wanted)
{
	unsigned int shift;

	for (shift = 0; shift < 64; shift += 8) {
		uint64_t byte = word >> shift & 0xff;

		if (byte && byte != (wanted >> shift & 0xff))
			return false;
	}
	return true;
}

static void *shared_chunk(void *arg)
{
	bool writer = arg;
	uint64_t *buf = aligned_buffer(CHUNK), w;
	int fd = open_direct();

	while (time_is_left()) {
		if (writer) {
			put(fd, buf, 9999, 0, CHUNK);
			give_back(fd, 0, CHUNK);
			continue;
		}
		get(fd, buf, 0, CHUNK);
		/* A read beside a write or a discard may see some bytes of a word before, some after. */
		for (w = 0; w < CHUNK / 8; w++)
			if (!bytes_of(buf[w], pattern_word(9999, w * 8)))
				errx(1, "%s: %016llx of somebody else's at %llu", file,
				     (unsigned long long)buf[w], (unsigned long long)w * 8);
	}
	close(fd);
	return NULL;
}

static void start(pthread_t *t, void *(*fn)(void *), uintptr_t arg)
{
	if (pthread_create(t, NULL, fn, (void *)arg))
		errx(2, "no thread");
}

static int run_io(uint64_t len, const char *seconds, const char *end_file)
{
	uint64_t round = 0, off;
	void *buf = aligned_buffer(MIB);
	int fd = open_direct();

	until = *seconds == '-' ? 0 : time(NULL) + number(seconds);
	do {
		round++;
		for (off = 0; off < len; off += MIB)
			put(fd, buf, round, off, MIB);
		for (off = 0; off < len; off += MIB)
			check(fd, buf, round, off, MIB);
	} while (until ? time_is_left() : access(end_file, F_OK) != 0);
	printf("%llu\n", (unsigned long long)round);
	return 0;
}

int main(int argc, char **argv)
{
	pthread_t thread[66];
	unsigned int i, n;

	if (argc >= 5 && !strcmp(argv[1], "io")) {
		file = argv[2];
		return run_io(number(argv[3]), argv[4], argc > 5 ? argv[5] : "");
	}
	if (argc != 6)
		errx(2, "race provision|discard|io ...");
	if (!strcmp(argv[1], "provision")) {
		by_mmap = !strcmp(argv[2], "mmap");
		file = argv[3];
		chunks = number(argv[4]);
		threads = number(argv[5]);
	} else {
		file = argv[2];
		chunks = number(argv[3]);
		threads = number(argv[4]);
		until = time(NULL) + number(argv[5]);
	}
	if (!threads || threads > 64)
		errx(2, "1 to 64 threads");
	if (by_mmap) {
		int fd = open(file, O_RDWR);

		map = mmap(NULL, chunks * CHUNK, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
		if (fd < 0 || map == MAP_FAILED)
			err(2, "%s", file);
	}
	pthread_barrier_init(&barrier, NULL, threads);
	for (i = 0; i < threads; i++)
		start(&thread[i], until ? own_chunks : provision, i);
	n = threads;
	if (until) {
		start(&thread[n++], shared_chunk, 0);
		start(&thread[n++], shared_chunk, 1);
	}
	for (i = 0; i < n; i++)
		pthread_join(thread[i], NULL);
	return 0;
}
