// SPDX-License-Identifier: GPL-2.0
#include <linux/blkdev.h>
#include <linux/fs.h>

bool probe(struct block_device *bdev);
bool probe(struct block_device *bdev)
{
	return bdev->bd_holder_ops == &fs_holder_ops;
}
