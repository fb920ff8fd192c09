// SPDX-License-Identifier: GPL-2.0
/* 6.4: sectors are counted when I/O ends. */
#include <linux/blkdev.h>
void probe(struct block_device *bdev);
void probe(struct block_device *bdev)
{
	unsigned long start = bdev_start_io_acct(bdev, REQ_OP_READ, jiffies);

	bdev_end_io_acct(bdev, REQ_OP_READ, 8, start);
}
