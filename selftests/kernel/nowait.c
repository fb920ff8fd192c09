// SPDX-License-Identifier: GPL-2.0
/*
 * nowait read|write FILE OFF LEN: one preadv2/pwritev2 with O_DIRECT and RWF_NOWAIT; prints the
 * number of bytes or the errno's name.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <sys/uio.h>

#include "prog.h"

int main(int argc, char **argv)
{
	struct iovec iov;
	ssize_t n;
	int fd;

	if (argc != 5)
		errx(2, "nowait read|write FILE OFF LEN");
	fd = open(argv[2], O_RDWR | O_DIRECT);
	if (fd < 0)
		err(2, "%s", argv[2]);
	iov.iov_len = number(argv[4]);
	iov.iov_base = aligned_buffer(iov.iov_len);
	if (!strcmp(argv[1], "read")) {
		n = preadv2(fd, &iov, 1, number(argv[3]), RWF_NOWAIT);
	} else {
		pattern_fill(iov.iov_base, 1, number(argv[3]), iov.iov_len);
		n = pwritev2(fd, &iov, 1, number(argv[3]), RWF_NOWAIT);
	}
	if (n < 0)
		puts(strerrorname_np(errno));
	else
		printf("%zd\n", n);
	return 0;
}
