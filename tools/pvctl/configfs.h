/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The directory tree that is the kernel's NVMe target. Paths begin below it; what is not literal in
 * them was checked by pv_parse_nqn() or came from pv_configfs_list(). The unit tests have a tree of
 * their own behind the same functions.
 */
#ifndef PVCTL_CONFIGFS_H
#define PVCTL_CONFIGFS_H

#include <stddef.h>

#include "pvctl.h"

/* Each returns 0 or -errno. */
int pv_configfs_mkdir(const char *path);
int pv_configfs_rmdir(const char *path);
int pv_configfs_link(const char *target, const char *path);
int pv_configfs_unlink(const char *path);
int pv_configfs_write(const char *path, const char *value);

/** pv_configfs_read() - an attribute without the end of its line */
int pv_configfs_read(const char *path, char *buf, size_t size);

/** pv_configfs_exists() - is there a directory, attribute or link? */
bool pv_configfs_exists(const char *path);

/** pv_configfs_list() - names in a directory, sorted. Return: how many, none when there is no directory */
unsigned int pv_configfs_list(const char *path, char ***names);
void pv_configfs_list_free(char **names, unsigned int nr);

/**
 * pv_configfs_prepare() - load what is missing, mount configfs, let one at a time go on
 * @transport: "tcp"; NULL: only what is there already, *lock is -1 when there is nothing
 * @lock: to be closed at the end
 */
int pv_configfs_prepare(struct pv_ctx *ctx, const char *transport, int *lock);

#endif /* PVCTL_CONFIGFS_H */
