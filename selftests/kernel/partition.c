// SPDX-License-Identifier: GPL-2.0
/*
 * partition add|delete DISK OFF LEN: the first partition, made known to the kernel or forgotten;
 * prints "OK" or the errno's name. Not all userlands have addpart.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/blkpg.h>
#include <sys/ioctl.h>

#include "prog.h"

int main(int argc, char **argv)
{
	struct blkpg_partition p = { .pno = 1 };
	struct blkpg_ioctl_arg arg = { .datalen = sizeof(p), .data = &p };
	int fd;

	if (argc != 5)
		errx(2, "partition add|delete DISK OFF LEN");
	arg.op = strcmp(argv[1], "add") ? BLKPG_DEL_PARTITION : BLKPG_ADD_PARTITION;
	p.start = number(argv[3]);
	p.length = number(argv[4]);
	fd = open(argv[2], O_RDONLY);
	if (fd < 0)
		err(2, "%s", argv[2]);
	if (ioctl(fd, BLKPG, &arg)) {
		puts(strerrorname_np(errno));
		return 1;
	}
	puts("OK");
	return 0;
}
