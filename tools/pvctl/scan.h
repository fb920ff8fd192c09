/* SPDX-License-Identifier: GPL-2.0 */
/* Pools that stand on devices but are not active. */
#ifndef PVCTL_SCAN_H
#define PVCTL_SCAN_H

#include "format.h"
#include "object.h"
#include "pvctl.h"

/**
 * struct pv_found - a device with a superblock
 * @name: kernel name, "pmem0"
 */
struct pv_found {
	char name[PV_DEVICE_MAX];
	uint64_t devnum;
	struct pmv_sb sb;
};

struct pv_scan {
	struct pv_found *found;
	size_t nr;
};

/**
 * pv_scan_devices() - read the superblocks of all DAX devices that no active pool holds
 * @active: active pools
 * @scan: result, for pv_scan_free()
 */
void pv_scan_devices(const struct pv_pools *active, struct pv_scan *scan);

/** pv_scan_add() - add one device's superblock, for pv_scan_devices() and tests */
void pv_scan_add(struct pv_scan *scan, const char *name, uint64_t devnum, const struct pmv_sb *sb);

void pv_scan_free(struct pv_scan *scan);

/**
 * pv_scan_pools() - put together pools from superblocks
 * @scan: devices
 * @pools: one for each pool UUID, by name and UUID, for pv_pools_free()
 *
 * The newest superblock of member 0 says who the members are. A device that
 * claims membership but is not named there, left by an extension that did not
 * finish, is not a member. Where member 0 is missing, the newest superblock of
 * all has to do, and the pool counts as incomplete.
 */
void pv_scan_pools(const struct pv_scan *scan, struct pv_pools *pools);

/** pv_scan_strays() - devices that claim membership of @pool without being members. @visit: for each */
void pv_scan_strays(const struct pv_scan *scan, const struct pv_pool *pool,
		    void (*visit)(const struct pv_found *stray, void *arg), void *arg);

/** pv_inactive_pools() - the two together with the list of the active ones, which stays open to the caller */
int pv_inactive_pools(struct pv_ctx *ctx, struct pv_pools *active, struct pv_scan *scan,
		      struct pv_pools *inactive);

/**
 * pv_find_inactive() - the inactive pool of that name or UUID
 * @pools: inactive pools
 * @name: as the user wrote it
 * @out: points into @pools, NULL when there is none
 *
 * Two different pools of one name are a failure that says both UUIDs.
 */
int pv_find_inactive(struct pv_ctx *ctx, const struct pv_pools *pools, const char *name,
		     const struct pv_pool **out);

/**
 * pv_fail_no_pool() - record why a pool is not there: it is not active, or there is none
 *
 * Return: FAILED_PRECONDITION or NOT_FOUND, or why that could not be found out.
 */
int pv_fail_no_pool(struct pv_ctx *ctx, const char *name);

#endif /* PVCTL_SCAN_H */
