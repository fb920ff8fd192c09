// SPDX-License-Identifier: GPL-2.0
/* 6.0: a DAX device has a holder, who hears of failures; it knows its disk and how it is read. */
#include <linux/blkdev.h>
#include <linux/dax.h>
#include <linux/uio.h>
struct dax_device *probe(struct block_device *bdev, u64 *off,
			 const struct dax_holder_operations *ops, struct iov_iter *iter);
struct dax_device *probe(struct block_device *bdev, u64 *off,
			 const struct dax_holder_operations *ops, struct iov_iter *iter)
{
	struct dax_device *dax = fs_dax_get_by_bdev(bdev, off, NULL, ops);

	if (dax_add_host(dax, bdev->bd_disk))
		return NULL;
	set_dax_nomc(dax);
	dax_recovery_write(dax, 0, dax_holder(dax), 0, iter);
	return dax;
}
