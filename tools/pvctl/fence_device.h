/* SPDX-License-Identifier: GPL-2.0 */
/* What sysfs and the controller tell of a device that is to be fenced. */
#ifndef PVCTL_FENCE_DEVICE_H
#define PVCTL_FENCE_DEVICE_H

#include <linux/nvme_fence.h>

#include "fence_record.h"

/** pv_fence_device_number() - of a path. Return: PV_OK or a recorded failure */
int pv_fence_device_number(struct pv_ctx *ctx, const char *path, uint64_t *devnum);

/**
 * pv_fence_device_id() - what a device is called on every node and after every reboot
 *
 * An identifier of the device itself where it has one, else what sysfs knows of
 * it; of a device with nothing but a name, such as a RAM disk, that name.
 *
 * Return: 0, or -errno when the device is gone
 */
int pv_fence_device_id(uint64_t devnum, char buf[PV_FENCE_ID_MAX]);

/**
 * pv_fence_host_id() - what the device's controller knows this host by
 * @host_id: result
 * @known: false: the device has no such thing
 *
 * Return: PV_OK, or FAILED_PRECONDITION when its paths have different ones: which
 * of them a reservation would be made for is then left to chance.
 */
int pv_fence_host_id(struct pv_ctx *ctx, uint64_t devnum, uint8_t host_id[NVME_FENCE_HOST_ID_SIZE],
		     bool *known);

#endif /* PVCTL_FENCE_DEVICE_H */
