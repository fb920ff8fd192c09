// SPDX-License-Identifier: GPL-2.0
/* 5.17: a disk tells its unique id and has a sequence number. */
#include <linux/blkdev.h>
int probe(struct gendisk *disk, u8 id[16]);
int probe(struct gendisk *disk, u8 id[16])
{
	return disk->fops->get_unique_id(disk, id, BLK_UID_EUI64) + !disk->diskseq;
}
