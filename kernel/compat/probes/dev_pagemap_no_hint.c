// SPDX-License-Identifier: GPL-2.0
/* Since about 6.18: looking a page map up takes no earlier one as a hint. */
#include <linux/memremap.h>
struct dev_pagemap *probe(unsigned long pfn);
struct dev_pagemap *probe(unsigned long pfn)
{
	return get_dev_pagemap(pfn);
}
