// SPDX-License-Identifier: GPL-2.0
/* Must compile: otherwise the probes say nothing about the kernel. */
#include <linux/blkdev.h>
#include <linux/dax.h>
#include <net/genetlink.h>
long probe(struct dax_device *dax);
long probe(struct dax_device *dax)
{
	return dax_synchronous(dax);
}
