// SPDX-License-Identifier: GPL-2.0
/* 5.19: a block device tells its size and features, and bios are allocated for one. */
#include <linux/bio.h>
#include <linux/blkdev.h>
struct bio *probe(struct block_device *bdev);
struct bio *probe(struct block_device *bdev)
{
	if (!bdev_nr_bytes(bdev) || !bdev_nr_sectors(bdev) || bdev_fua(bdev))
		return NULL;
	return bio_alloc(bdev, 0, REQ_OP_WRITE, GFP_NOIO);
}
