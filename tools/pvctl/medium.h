/* SPDX-License-Identifier: GPL-2.0 */
/* Devices as core/ reads and writes them, from user space. */
#ifndef PVCTL_MEDIUM_H
#define PVCTL_MEDIUM_H

#include "core.h"

/**
 * struct pv_medium - devices, or files with their content, opened exclusively
 * @fd: of each
 * @size: bytes
 * @nr: how many
 * @error: errno value of the first write that failed, or 0
 */
struct pv_medium {
	int fd[PMV_MEMBERS_MAX];
	u64 size[PMV_MEMBERS_MAX];
	unsigned int nr;
	int error;
	u8 *page;
};

/** pv_medium_init() - none yet; ended by pv_medium_close() */
void pv_medium_init(struct pv_medium *m);

/** pv_medium_open() - add one. @write: it will be written. Return: 0 or a negative errno value */
int pv_medium_open(struct pv_medium *m, const char *path, bool write);

/** pv_medium_reorder() - device @order[i] is number i from here on */
void pv_medium_reorder(struct pv_medium *m, const unsigned int *order);

void pv_medium_close(struct pv_medium *m);

/* The context is a struct pv_medium. */
extern const struct pmv_media_ops pv_medium_ops;

#endif /* PVCTL_MEDIUM_H */
