// SPDX-License-Identifier: GPL-2.0
/*
 * fence-pr DEVICE COMMAND ARGUMENT...: one persistent-reservation ioctl
 *
 *	register OLD NEW [ignore]	reserve KEY TYPE	release KEY TYPE	clear KEY
 *	preempt MINE VICTIM TYPE	preempt-abort MINE VICTIM TYPE
 *	read-keys			read-reservation
 *
 * Prints "ok", the errno's name or "status 0x18", and what was read; ends with 0 when it was "ok".
 * With "readonly" before COMMAND the device is opened for reading only.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/pr.h>
#include <linux/types.h>
#include <sys/ioctl.h>

#include "prog.h"

/* Newer than the headers of some releases. */
struct read_keys {
	__u32 generation;
	__u32 num_keys;
	__u64 keys_ptr;
};

struct read_reservation {
	__u64 key;
	__u32 generation;
	__u32 type;
};

#ifndef IOC_PR_READ_KEYS
#define IOC_PR_READ_KEYS _IOWR('p', 206, struct read_keys)
#define IOC_PR_READ_RESERVATION _IOR('p', 207, struct read_reservation)
#endif

static int verdict(int ret)
{
	if (!ret)
		puts("ok");
	else if (ret < 0)
		puts(strerrorname_np(errno));
	else
		printf("status 0x%x\n", ret);
	return !!ret;
}

static int reserve(int fd, unsigned long request, const __u64 *arg)
{
	struct pr_reservation r = { .key = arg[0], .type = arg[1] };

	return verdict(ioctl(fd, request, &r));
}

static int preempt(int fd, unsigned long request, const __u64 *arg)
{
	struct pr_preempt r = { .old_key = arg[0], .new_key = arg[1], .type = arg[2] };

	return verdict(ioctl(fd, request, &r));
}

static int read_keys(int fd)
{
	__u64 keys[64];
	struct read_keys r = { .num_keys = 64, .keys_ptr = (uintptr_t)keys };
	unsigned int i;
	int ret = ioctl(fd, IOC_PR_READ_KEYS, &r);

	verdict(ret);
	if (ret)
		return 1;
	printf("generation %u\n", r.generation);
	for (i = 0; i < r.num_keys && i < 64; i++)
		printf("key 0x%llx\n", keys[i]);
	return 0;
}

static int read_reservation(int fd)
{
	struct read_reservation r = {};
	int ret = ioctl(fd, IOC_PR_READ_RESERVATION, &r);

	verdict(ret);
	if (!ret)
		printf("generation %u\nkey 0x%llx\ntype %u\n", r.generation, r.key, r.type);
	return !!ret;
}

int main(int argc, char **argv)
{
	__u64 arg[3] = {};
	const char *device = argv[1], *command;
	int fd, i, n, mode = O_RDWR;

	if (argc > 2 && !strcmp(argv[2], "readonly")) {
		mode = O_RDONLY;
		argv++;
		argc--;
	}
	if (argc < 3)
		errx(2, "fence-pr DEVICE [readonly] COMMAND ARGUMENT...");
	command = argv[2];
	fd = open(device, mode);
	if (fd < 0)
		err(2, "%s", device);
	for (i = 3; i < argc && i < 6 && strcmp(argv[i], "ignore"); i++)
		arg[i - 3] = number(argv[i]);
	n = i - 3;

	if (!strcmp(command, "register") && n == 2) {
		struct pr_registration r = { .old_key = arg[0], .new_key = arg[1] };

		if (i < argc)
			r.flags = PR_FL_IGNORE_KEY;
		return verdict(ioctl(fd, IOC_PR_REGISTER, &r));
	}
	if (!strcmp(command, "reserve") && n == 2)
		return reserve(fd, IOC_PR_RESERVE, arg);
	if (!strcmp(command, "release") && n == 2)
		return reserve(fd, IOC_PR_RELEASE, arg);
	if (!strcmp(command, "preempt") && n == 3)
		return preempt(fd, IOC_PR_PREEMPT, arg);
	if (!strcmp(command, "preempt-abort") && n == 3)
		return preempt(fd, IOC_PR_PREEMPT_ABORT, arg);
	if (!strcmp(command, "clear") && n == 1) {
		struct pr_clear r = { .key = arg[0] };

		return verdict(ioctl(fd, IOC_PR_CLEAR, &r));
	}
	if (!strcmp(command, "read-keys"))
		return read_keys(fd);
	if (!strcmp(command, "read-reservation"))
		return read_reservation(fd);
	errx(2, "'%s' is no command, or its arguments are wrong", command);
}
