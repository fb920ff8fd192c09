/* SPDX-License-Identifier: GPL-2.0 */
/* A time limit that holds whatever the kernel, a device or a file system does. */
#ifndef PVCTL_GUARD_H
#define PVCTL_GUARD_H

#include "pvctl.h"

/**
 * pv_guard() - run a command within ctx->timeout_ms
 * @ctx: invocation
 * @run: the command
 *
 * A system call that waits for a lock in the kernel cannot be given up from within: the command
 * runs in a process of its own, whose output appears when it has ended. One that is too slow is
 * killed, or ends when the kernel lets it go, and has no output.
 *
 * Return: the exit status; DEADLINE_EXCEEDED, recorded, when it was too slow.
 */
int pv_guard(struct pv_ctx *ctx, int (*run)(struct pv_ctx *ctx));

#endif /* PVCTL_GUARD_H */
