// SPDX-License-Identifier: GPL-2.0
/* 6.11: a disk is allocated with its limits, which carry its features. */
#include <linux/blkdev.h>
struct gendisk *probe(int node);
struct gendisk *probe(int node)
{
	struct queue_limits lim = { .features = BLK_FEAT_DAX | BLK_FEAT_NOWAIT };

	return blk_alloc_disk(&lim, node);
}
