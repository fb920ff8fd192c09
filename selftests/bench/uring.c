// SPDX-License-Identifier: GPL-2.0
/*
 * uring read|write DEVICE SPAN OPS DEPTH
 *	Direct I/O of 4 KiB at random within the first SPAN bytes, DEPTH at a time through io_uring; prints ns an
 *	operation, of the best of five rounds.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <liburing.h>

#include "../kernel/prog.h"
#include "clock.h"

#define PAGE 4096UL
#define DEPTH_MAX 256

struct job {
	struct io_uring ring;
	bool write;
	int fd;
	char *buf;
	uint64_t span;
	struct prng random;
};

/* As many as are submitted come back: the next ones are submitted then. */
static void batch(struct job *j, unsigned int depth)
{
	struct io_uring_cqe *cqe;
	unsigned int i;
	int ret;

	for (i = 0; i < depth; i++) {
		struct io_uring_sqe *sqe = io_uring_get_sqe(&j->ring);
		uint64_t at = prng_below(&j->random, j->span / PAGE) * PAGE;

		if (j->write)
			io_uring_prep_write(sqe, j->fd, j->buf + i * PAGE, PAGE, at);
		else
			io_uring_prep_read(sqe, j->fd, j->buf + i * PAGE, PAGE, at);
	}
	ret = io_uring_submit_and_wait(&j->ring, depth);
	if (ret != (int)depth)
		errx(1, "submitting: %s", strerror(ret < 0 ? -ret : EAGAIN));
	for (i = 0; i < depth; i++) {
		ret = io_uring_wait_cqe(&j->ring, &cqe);
		if (ret)
			errx(1, "waiting: %s", strerror(-ret));
		if (cqe->res != (int)PAGE)
			errx(1, "an operation ended with %d", cqe->res);
		io_uring_cqe_seen(&j->ring, cqe);
	}
}

int main(int argc, char **argv)
{
	struct job j = { .random = { .state = 0x1234567 } };
	uint64_t ops, done, start, best = 0;
	unsigned int depth, round;
	int ret;

	if (argc != 6 || (strcmp(argv[1], "read") && strcmp(argv[1], "write")))
		errx(2, "usage: uring read|write DEVICE SPAN OPS DEPTH");
	j.write = !strcmp(argv[1], "write");
	j.span = number(argv[3]);
	depth = number(argv[5]);
	if (j.span < PAGE || !depth || depth > DEPTH_MAX)
		errx(2, "nothing to measure");
	ops = number(argv[4]) / ROUNDS / depth * depth;
	if (!ops)
		errx(2, "nothing to measure");
	j.fd = open(argv[2], O_RDWR | O_DIRECT);
	if (j.fd < 0)
		err(2, "%s", argv[2]);
	if (posix_memalign((void **)&j.buf, CHUNK, depth * PAGE))
		errx(2, "no memory");
	memset(j.buf, 0x5a, depth * PAGE);
	ret = io_uring_queue_init(depth, &j.ring, 0);
	if (ret)
		errx(1, "io_uring: %s", strerror(-ret));
	for (round = 0; round < ROUNDS; round++) {
		start = now();
		for (done = 0; done < ops; done += depth)
			batch(&j, depth);
		keep_best(&best, start);
	}
	per_op(best, ops);
	io_uring_queue_exit(&j.ring);
	return 0;
}
