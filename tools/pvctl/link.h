/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Links below /dev to block devices of ours. udev makes them from the rules that are installed with
 * pvctl; where no udev runs (initramfs, containers) pvctl does. It does not matter who is first.
 */
#ifndef PVCTL_LINK_H
#define PVCTL_LINK_H

#include "pvctl.h"

/** pv_link_udev_runs() - is there one to wait for? */
bool pv_link_udev_runs(void);

/** pv_link_deadline() - until when udev is waited for at most, from now on */
uint64_t pv_link_deadline(void);

/**
 * pv_link_wait() - let udev make a link
 *
 * Return: true when it leads to the disk; false when udev has been idle for a while
 * without making it, or at the deadline
 */
bool pv_link_wait(const char *path, const char *disk, uint64_t deadline);

/** pv_link_make() - make a link, and the directories above it, to /dev/@disk. Failing to is a warning */
int pv_link_make(struct pv_ctx *ctx, const char *path, const char *disk);

/** pv_link_disk() - name of the disk a link leads to. Return: false when there is no link */
bool pv_link_disk(const char *path, char *disk, size_t size);

#endif /* PVCTL_LINK_H */
