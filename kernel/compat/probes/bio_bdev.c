// SPDX-License-Identifier: GPL-2.0
/* 5.12: a bio names a block device, and the whole of a disk is one. */
#include <linux/blkdev.h>
#include <linux/fs.h>
#include <trace/events/block.h>
int probe(struct bio *bio, const char *path);
int probe(struct bio *bio, const char *path)
{
	struct block_device *bdev = bio->bi_bdev->bd_disk->part0;

	trace_block_bio_remap(bio, bdev->bd_dev, 0);
	return lookup_bdev(path, &bdev->bd_dev);
}
