/* SPDX-License-Identifier: GPL-2.0 */
/* May this device become a member of a pool? */
#ifndef PVCTL_DEVICE_H
#define PVCTL_DEVICE_H

#include "object.h"
#include "pvctl.h"

/**
 * struct pv_verdict - what was found out about a device
 * @status: PV_OK: it may
 * @forceable: it may not, but only because of what is written on it
 * @devnum: valid when the device exists
 * @why: a phrase to read behind the device's name; "in pool tank"
 */
struct pv_verdict {
	enum pv_status status;
	bool forceable;
	uint64_t devnum;
	char why[256];
};

/**
 * pv_device_judge() - look at a device without changing it
 * @path: as the user gave it
 * @active: active pools
 * @extended: the pool it is to join, or NULL; what an interrupted extension left of it on the device
 *	      is no obstacle
 * @verdict: result
 */
void pv_device_judge(const char *path, const struct pv_pools *active,
		     const struct pv_pool *extended, struct pv_verdict *verdict);

/**
 * pv_device_judge_content() - the same for a block device that is not DAX capable yet
 * @path: exists and is a block device
 * @devnum: its number
 * @verdict: result: in use, too small, or something is written on it
 */
void pv_device_judge_content(const char *path, uint64_t devnum, struct pv_verdict *verdict);

#endif /* PVCTL_DEVICE_H */
