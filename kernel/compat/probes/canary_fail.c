// SPDX-License-Identifier: GPL-2.0
/* Must not compile: otherwise errors go unnoticed. */
#include <linux/blkdev.h>
long probe(struct block_device *bdev);
long probe(struct block_device *bdev)
{
	return bdev->there_is_no_such_field;
}
