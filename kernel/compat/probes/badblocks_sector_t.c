// SPDX-License-Identifier: GPL-2.0
/* 6.15: badblocks_check() counts in sector_t. */
#include <linux/badblocks.h>
bool probe(struct badblocks *bb, sector_t *bad);
bool probe(struct badblocks *bb, sector_t *bad)
{
	sector_t first;

	return badblocks_check(bb, 0, 1, &first, bad);
}
