/* SPDX-License-Identifier: GPL-2.0 */
/* What finding and making namespaces share. */
#ifndef PVCTL_NAMESPACE_PARTS_H
#define PVCTL_NAMESPACE_PARTS_H

#include "namespace.h"
#include "nd.h"

/* An info block of libnvdimm stands within the first 8 KiB of a raw namespace. */
#define PV_INFO_SIZE (8U << 10)

/** pv_region_open() - both or neither: a region is valid only as long as its context */
int pv_region_open(struct pv_ctx *ctx, const char *name, struct ndctl_ctx **nd,
		   struct ndctl_region **region);

/** pv_region_available() - bytes of the largest extent */
unsigned long long pv_region_available(struct ndctl_region *region);

/** pv_namespace_describe() - one that is not started, or is no block device, has an empty one */
void pv_namespace_describe(struct ndctl_region *region, struct ndctl_namespace *ndns,
			   struct pv_namespace *out);

/** pv_namespace_zero() - @size bytes, or all there are, of its device from both ends. Return: 0 or -errno */
int pv_namespace_zero(const char *path, size_t size, bool tail);

/**
 * pv_namespace_raw() - start one that is not started so that its device is all of it
 * @path: the device. To be ended by pv_namespace_raw_end(), also after a failure
 */
int pv_namespace_raw(struct ndctl_namespace *ndns, char path[PV_DEVICE_MAX + 8]);
void pv_namespace_raw_end(struct ndctl_namespace *ndns);

#endif /* PVCTL_NAMESPACE_PARTS_H */
