// SPDX-License-Identifier: GPL-2.0
/*
 * journal write METHOD TAG FILE SLOTS FIRST
 *	Writes records of 4 KiB number FIRST, FIRST + 1 ... without end, each to slot number modulo
 *	SLOTS, and prints "ACK TAG number" when one is persistent. METHOD: dsync (O_DIRECT and
 *	O_DSYNC), fsync, msync (mapped), sync (MAP_SYNC, written back by the processor).
 *
 * journal check FILE SLOTS LAST [AHEAD]
 *	Every slot has its last record up to number LAST, whole, or words of the one that was to follow
 *	there. With AHEAD, of the AHEAD records after LAST only: after a power cut one does not know how
 *	many were written and not acknowledged any more.
 *
 * journal last FILE SLOTS FROM TO
 *	Prints the newest of these numbers whose record is there, whole; 0, if FROM is 0 and none is.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/mman.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "prog.h"

#define RECORD 4096
/* Slots lie apart, so that records provision chunks now and then. */
#define STRIDE (40UL << 10)

static uint64_t slots;

static uint64_t place(uint64_t number)
{
	return number * 7919 % slots * STRIDE;
}

static void write_back(void *p, size_t len)
{
	size_t i;

	for (i = 0; i < len; i += 64)
		__asm__ volatile("clflush %0" : "+m"(*((volatile char *)p + i)));
	__asm__ volatile("sfence" ::: "memory");
}

static int write_records(const char *method, const char *tag, const char *file, uint64_t number)
{
	bool mapped = !strcmp(method, "msync") || !strcmp(method, "sync");
	bool sync = !strcmp(method, "sync"), dsync = !strcmp(method, "dsync");
	int fd = open(file, O_RDWR | O_CREAT | (dsync ? O_DIRECT | O_DSYNC : 0), 0600);
	size_t size = slots * STRIDE;
	void *buf = aligned_buffer(RECORD);
	char *map = NULL;
	struct stat st;

	if (fd < 0 || fstat(fd, &st))
		err(2, "%s", file);
	if (mapped) {
		if ((size_t)st.st_size < size && (ftruncate(fd, size) || fsync(fd)))
			err(2, "%s", file);
		map = mmap(NULL, size, PROT_READ | PROT_WRITE,
			   sync ? MAP_SHARED_VALIDATE | MAP_SYNC : MAP_SHARED, fd, 0);
		if (map == MAP_FAILED)
			err(2, "%s: mmap", file);
	}
	for (;; number++) {
		uint64_t at = place(number);

		if (mapped) {
			pattern_fill(map + at, number, at, RECORD);
			if (sync)
				write_back(map + at, RECORD);
			else if (msync(map + at, RECORD, MS_SYNC))
				err(1, "%s: msync", file);
		} else {
			pattern_fill(buf, number, at, RECORD);
			if (pwrite(fd, buf, RECORD, at) != RECORD)
				err(1, "%s: write", file);
			if (!dsync && fsync(fd))
				err(1, "%s: fsync", file);
		}
		printf("ACK %s %llu\n", tag, (unsigned long long)number);
		fflush(stdout);
	}
}

static void check_record(const char *file, uint64_t number, uint64_t last, uint64_t ahead,
			 const uint64_t *word)
{
	uint64_t at = place(number), i, have, next;

	/* Written and acknowledged at all? */
	have = number <= last ? number : 0;
	next = have ? number + slots : number;
	for (i = 0; i < RECORD / 8; i++) {
		uint64_t off = at + i * 8;

		if (word[i] == (have ? pattern_word(have, off) : 0))
			continue;
		/* What came next in this slot was not acknowledged, but may be there. */
		if (next <= last + ahead && word[i] == pattern_word(next, off))
			continue;
		errx(1, "%s: record %llu: offset %llu is %016llx", file, (unsigned long long)number,
		     (unsigned long long)off, (unsigned long long)word[i]);
	}
}

static int check_records(const char *file, uint64_t last, uint64_t ahead)
{
	int fd = open(file, O_RDONLY);
	uint64_t first = last >= slots ? last - slots + 1 : 1, number;
	uint64_t *buf = aligned_buffer(RECORD);

	if (fd < 0)
		err(2, "%s", file);
	for (number = first; number < first + slots; number++) {
		ssize_t n = pread(fd, buf, RECORD, place(number));

		if (n < 0)
			err(1, "%s: read", file);
		/* The end of a file that grows may lie before what was never acknowledged. */
		memset((char *)buf + n, 0, RECORD - n);
		check_record(file, number, last, ahead, buf);
	}
	return 0;
}

static int find_last(const char *file, uint64_t from, uint64_t to)
{
	uint64_t *first = calloc(slots, sizeof(*first)), *buf = aligned_buffer(RECORD), number;
	int fd = open(file, O_RDONLY);

	if (fd < 0 || !first)
		err(2, "%s", file);
	/* One word tells most of them apart; slots that a file ends before have none. */
	for (number = 0; number < slots; number++)
		if (pread(fd, &first[number], 8, place(number)) < 0)
			err(1, "%s: read", file);
	for (number = to; number && number >= from; number--) {
		uint64_t at = place(number);

		if (first[number % slots] != pattern_word(number, at))
			continue;
		if (pread(fd, buf, RECORD, at) == RECORD &&
		    pattern_check(buf, number, at, RECORD) < 0)
			break;
	}
	if (number < from)
		errx(1, "%s: no record from %llu to %llu", file, (unsigned long long)from,
		     (unsigned long long)to);
	printf("%llu\n", (unsigned long long)number);
	return 0;
}

int main(int argc, char **argv)
{
	if (argc == 7 && !strcmp(argv[1], "write")) {
		slots = number(argv[5]);
		return write_records(argv[2], argv[3], argv[4], number(argv[6]));
	}
	if ((argc == 5 || argc == 6) && !strcmp(argv[1], "check")) {
		slots = number(argv[3]);
		return check_records(argv[2], number(argv[4]), argc == 6 ? number(argv[5]) : slots);
	}
	if (argc == 6 && !strcmp(argv[1], "last")) {
		slots = number(argv[3]);
		return find_last(argv[2], number(argv[4]), number(argv[5]));
	}
	errx(2, "journal write METHOD TAG FILE SLOTS FIRST | "
		"check FILE SLOTS LAST [AHEAD] | "
		"last FILE SLOTS FROM TO");
}
