/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What this node remembers across a reboot: small files in a state directory, each replaced as a
 * whole, and on the disk before anybody is told.
 */
#ifndef PVCTL_STATE_H
#define PVCTL_STATE_H

#include <sys/types.h>

#include "pvctl.h"

/**
 * struct pv_state_kind - one kind of records
 * @what: as a failure names them
 * @subdir: of the state directory
 */
struct pv_state_kind {
	const char *what;
	const char *subdir;
};

/** pv_state_root() - the state directory: --state-dir, the environment's, or the usual one */
const char *pv_state_root(const struct pv_ctx *ctx);

/** pv_state_fail() - record the failed system call. @error: errno value. Return: its status */
int pv_state_fail(struct pv_ctx *ctx, const struct pv_state_kind *kind, int error);

/**
 * pv_state_open() - the directory of a kind
 * @make: with all that is missing above it; else *dir is -1 when there is none
 */
int pv_state_open(struct pv_ctx *ctx, const struct pv_state_kind *kind, bool make, int *dir);

/** pv_state_lock() - of two at the same time the second one waits, until the first closes @dir */
int pv_state_lock(struct pv_ctx *ctx, const struct pv_state_kind *kind, int dir);

/** pv_state_read() - a whole file. Return: its length, at most @size, or -errno */
ssize_t pv_state_read(int dir, const char *name, char *buf, size_t size);

/** pv_state_replace() - write a file as a whole. The directory is locked. Return: 0 or -errno */
int pv_state_replace(int dir, const char *name, const char *buf, size_t len);

/** pv_state_remove() - a file that may not be there. Return: 0 or -errno */
int pv_state_remove(int dir, const char *name);

#endif /* PVCTL_STATE_H */
