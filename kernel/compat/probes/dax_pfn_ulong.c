// SPDX-License-Identifier: GPL-2.0
/* 6.17: direct_access returns a bare page frame number, pfn_t is gone. */
#include <linux/dax.h>
long probe(struct dax_device *dax, void **kaddr, unsigned long *pfn);
long probe(struct dax_device *dax, void **kaddr, unsigned long *pfn)
{
	return dax_direct_access(dax, 0, 1, DAX_ACCESS, kaddr, pfn);
}
