// SPDX-License-Identifier: GPL-2.0
/* 5.17: a disk comes with its queue and goes with it, and adding one may fail. */
#include <linux/blkdev.h>
int probe(struct gendisk *disk);
int probe(struct gendisk *disk)
{
	disk->flags |= GENHD_FL_NO_PART;
	blk_mark_disk_dead(disk);
	return device_add_disk(NULL, disk, NULL);
}
