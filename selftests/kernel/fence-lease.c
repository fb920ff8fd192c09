// SPDX-License-Identifier: GPL-2.0
/*
 * fence-lease DEVICE NODE KEY INTERVAL SILENCE
 *
 * The lease program of people who share a disk by reservations: all nodes have the same KEY. The
 * active one writes a record of one logical block every INTERVAL ms; a standby that sees the
 * record unchanged for SILENCE ms registers (ignoring what key it had), preempts that key with
 * write-exclusive, registers again, since the preempt may have taken its own registration
 * too, reserves, and is active. Nothing here knows of epochs.
 *
 * Prints what it does, a line each; ends with the errno of the first write that failed.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/fs.h>
#include <linux/pr.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "prog.h"

struct record {
	char magic[8];
	char node[24];
	uint64_t number;
};

static int fd;
static size_t block;
static struct record *record;
static uint64_t key;

static void say(const char *what, int ret)
{
	if (!ret)
		printf("%s: ok\n", what);
	else if (ret < 0)
		printf("%s: %s\n", what, strerrorname_np(errno));
	else
		printf("%s: status 0x%x\n", what, ret);
	fflush(stdout);
}

static uint64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000ULL + t.tv_nsec / 1000000;
}

static void pause_ms(uint64_t ms)
{
	struct timespec t = { .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000 };

	nanosleep(&t, NULL);
}

static void read_record(void)
{
	if (pread(fd, record, block, 0) != (ssize_t)block)
		err(1, "read");
}

/* Returns when nobody has written for so long. */
static void standby(uint64_t interval, uint64_t silence)
{
	struct record last;
	uint64_t since = now_ms();

	puts("standby");
	fflush(stdout);
	read_record();
	last = *record;
	while (now_ms() - since < silence) {
		pause_ms(interval);
		read_record();
		if (memcmp(&last, record, sizeof(last))) {
			last = *record;
			since = now_ms();
		}
	}
	printf("silence after record %llu of '%.24s'\n", (unsigned long long)last.number,
	       last.node);
}

static bool take_over(void)
{
	struct pr_registration reg = { .new_key = key, .flags = PR_FL_IGNORE_KEY };
	struct pr_preempt preempt = { .old_key = key, .new_key = key, .type = PR_WRITE_EXCLUSIVE };
	struct pr_reservation reserve = { .key = key, .type = PR_WRITE_EXCLUSIVE };
	int ret;

	say("register", ioctl(fd, IOC_PR_REGISTER, &reg));
	say("preempt", ioctl(fd, IOC_PR_PREEMPT, &preempt));
	say("register", ioctl(fd, IOC_PR_REGISTER, &reg));
	ret = ioctl(fd, IOC_PR_RESERVE, &reserve);
	say("reserve", ret);
	return !ret;
}

static int active(const char *node, uint64_t interval)
{
	uint64_t number = record->number;

	for (;;) {
		memset(record, 0, block);
		memcpy(record->magic, "LEASEREC", 8);
		snprintf(record->node, sizeof(record->node), "%s", node);
		record->number = ++number;
		if (pwrite(fd, record, block, 0) != (ssize_t)block) {
			int error = errno;

			printf("record %llu: %s\n", (unsigned long long)number,
			       strerrorname_np(error));
			return error;
		}
		printf("record %llu\n", (unsigned long long)number);
		fflush(stdout);
		pause_ms(interval);
	}
}

int main(int argc, char **argv)
{
	uint64_t interval, silence;
	int size;

	if (argc != 6)
		errx(2, "fence-lease DEVICE NODE KEY INTERVAL SILENCE");
	key = number(argv[3]);
	interval = number(argv[4]);
	silence = number(argv[5]);
	fd = open(argv[1], O_RDWR | O_DIRECT);
	if (fd < 0 || ioctl(fd, BLKSSZGET, &size))
		err(2, "%s", argv[1]);
	block = size;
	record = aligned_buffer(block);
	do {
		standby(interval, silence);
	} while (!take_over());
	puts("active");
	return active(argv[2], interval);
}
