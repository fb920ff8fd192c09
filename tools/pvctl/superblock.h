/* SPDX-License-Identifier: GPL-2.0 */
/* The superblock of a device, read from outside the kernel. */
#ifndef PVCTL_SUPERBLOCK_H
#define PVCTL_SUPERBLOCK_H

#include "format.h"

/**
 * pv_sb_read() - read and verify the superblock of a device
 * @fd: open for reading
 * @size: of the device in bytes
 * @sb: the newest copy that is valid
 * @why: a sentence on refusal, static storage
 *
 * Return: 0; -ENODATA the device carries none; -EIO it cannot be read; else as pmv_sb_verify().
 */
int pv_sb_read(int fd, u64 size, struct pmv_sb *sb, const char **why);

/** pv_sb_open() - the same for a device by its path. @size: may be NULL. Return: also -errno of open */
int pv_sb_open(const char *path, struct pmv_sb *sb, u64 *size, const char **why);

/** pv_sb_name() - the pool's name, terminated. Return: @buf */
const char *pv_sb_name(const struct pmv_sb *sb, char buf[PMV_NAME_MAX + 1]);

#endif /* PVCTL_SUPERBLOCK_H */
