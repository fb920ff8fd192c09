// SPDX-License-Identifier: GPL-2.0
#include "guard.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "clock.h"

/* Where the command writes: standard output, standard error. */
struct output {
	int fd[2];
};

static int open_output(struct output *o)
{
	o->fd[0] = memfd_create("stdout", MFD_CLOEXEC);
	o->fd[1] = memfd_create("stderr", MFD_CLOEXEC);
	return o->fd[0] < 0 || o->fd[1] < 0 ? -errno : 0;
}

static void close_output(struct output *o)
{
	for (int i = 0; i < 2; i++)
		if (o->fd[i] >= 0)
			close(o->fd[i]);
}

/* Returns in the command's own process only. */
static void become_worker(const struct output *o, pid_t parent)
{
	/* Whoever kills pvctl wants this to end, too. */
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent || dup2(o->fd[0], STDOUT_FILENO) < 0 ||
	    dup2(o->fd[1], STDERR_FILENO) < 0)
		_exit(PV_INTERNAL);
}

static int copy_out(int from, FILE *to)
{
	char buf[16384];
	ssize_t n;

	if (lseek(from, 0, SEEK_SET))
		return -errno;
	while ((n = read(from, buf, sizeof(buf))) > 0)
		if (fwrite(buf, 1, (size_t)n, to) != (size_t)n)
			return -EIO;
	return n < 0 ? -errno : 0;
}

static int fail_slow(struct pv_ctx *ctx)
{
	unsigned long long ms = ctx->timeout_ms;

	return pv_fail(ctx, PV_DEADLINE_EXCEEDED,
		       "not done within %llu.%03llu seconds; it may still happen: repeat to know",
		       ms / 1000, ms % 1000);
}

/* Return: 0 when the process has ended, -ETIMEDOUT, or why that cannot be known */
static int wait_end(pid_t pid, uint64_t deadline)
{
	struct pollfd p = { .events = POLLIN };
	int ret;

	p.fd = (int)syscall(SYS_pidfd_open, pid, 0);
	if (p.fd < 0)
		return -errno;
	do {
		uint64_t now = pv_now_ms();

		ret = poll(&p, 1, now < deadline ? (int)(deadline - now) : 0);
	} while (ret < 0 && errno == EINTR);
	ret = ret > 0 ? 0 : ret ? -errno : -ETIMEDOUT;
	close(p.fd);
	return ret;
}

static int supervise(struct pv_ctx *ctx, pid_t pid, const struct output *o, uint64_t deadline)
{
	int ret = wait_end(pid, deadline), status;

	if (ret) {
		/* It may hang in the kernel, where even this does not reach it: do not wait. */
		kill(pid, SIGKILL);
		return ret == -ETIMEDOUT ? fail_slow(ctx) :
					   pv_fail_sys(ctx, -ret, "cannot wait for the command");
	}
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return pv_fail_sys(ctx, errno, "cannot wait for the command");
	if (WIFSIGNALED(status))
		return pv_fail(ctx, PV_INTERNAL, "ended by signal %d; repeat the command",
			       WTERMSIG(status));
	/* The worker has reported its failure by itself. */
	ret = copy_out(o->fd[1], stderr);
	if (!ret)
		ret = copy_out(o->fd[0], stdout);
	if (ret)
		return pv_fail_sys(ctx, -ret, "cannot write the output");
	return WEXITSTATUS(status);
}

int pv_guard(struct pv_ctx *ctx, int (*run)(struct pv_ctx *ctx))
{
	uint64_t deadline = pv_now_ms() + ctx->timeout_ms;
	struct output o;
	pid_t parent = getpid(), pid;
	int ret;

	if (!ctx->timeout_ms)
		return run(ctx);
	ret = open_output(&o);
	if (ret) {
		ret = pv_fail_sys(ctx, -ret, "no place for the output");
		goto out;
	}
	fflush(stdout);
	fflush(stderr);
	pid = fork();
	if (!pid) {
		become_worker(&o, parent);
		return run(ctx);
	}
	ret = pid < 0 ? pv_fail_sys(ctx, errno, "cannot start a process") :
			supervise(ctx, pid, &o, deadline);
out:
	close_output(&o);
	return ret;
}
