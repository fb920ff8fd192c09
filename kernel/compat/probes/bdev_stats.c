// SPDX-License-Identifier: GPL-2.0
/* 5.12: the statistics of a disk are those of its block device. */
#include <linux/blkdev.h>
#include <linux/part_stat.h>
bool probe(struct bio *bio);
bool probe(struct bio *bio)
{
	struct block_device *bdev = bio->bi_bdev;
	struct disk_stats *stats = this_cpu_ptr(bdev->bd_stats);
	unsigned long now = jiffies;

	stats->ios[STAT_READ] += stats->sectors[STAT_READ];
	local_inc(&stats->in_flight[0]);
	return READ_ONCE(bdev->bd_stamp) == now && blk_queue_io_stat(bdev_get_queue(bdev));
}
