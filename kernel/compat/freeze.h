/* SPDX-License-Identifier: GPL-2.0 */
/* Freezing the file system on a block device, and finding it. */
#ifndef PMV_COMPAT_FREEZE_H
#define PMV_COMPAT_FREEZE_H

#include <linux/blkdev.h>
#include <linux/fs.h>
#include <linux/module.h>

/**
 * struct compat_frozen - a disk on which everything is held still
 * @bdev: the whole of it
 * @sb: the file system on it, which freezing holds, or NULL; one that cannot map files by DAX need
 *	not be found
 */
struct compat_frozen {
	struct block_device *bdev;
	struct super_block *sb;
};

#ifdef COMPAT_HAVE_BIO_BDEV
#ifdef COMPAT_HAVE_BDEV_FREEZE
static inline int compat_bdev_freeze(struct block_device *bdev)
{
	return bdev_freeze(bdev);
}

static inline int compat_bdev_thaw(struct block_device *bdev)
{
	return bdev_thaw(bdev);
}
#else
static inline int compat_bdev_freeze(struct block_device *bdev)
{
	return freeze_bdev(bdev);
}

static inline int compat_bdev_thaw(struct block_device *bdev)
{
	return thaw_bdev(bdev);
}
#endif

#if defined(COMPAT_HAVE_FS_HOLDER_OPS)
static inline struct super_block *compat_frozen_super(struct block_device *bdev)
{
	struct super_block *sb = NULL;

	mutex_lock(&bdev->bd_holder_lock);
	if (bdev->bd_holder_ops == &fs_holder_ops)
		sb = bdev->bd_holder;
	mutex_unlock(&bdev->bd_holder_lock);
	return sb;
}
#elif defined(COMPAT_HAVE_BDEV_FREEZE)
/* The holder is the file systems' own affair: ask those that know DAX. */
struct compat_super_search {
	struct block_device *bdev;
	struct super_block *sb;
};

static inline void compat_super_look(struct super_block *sb, void *arg)
{
	struct compat_super_search *s = arg;

	if (sb->s_bdev == s->bdev)
		s->sb = sb;
}

static inline struct super_block *compat_frozen_super(struct block_device *bdev)
{
	static const char *const names[] = { "ext4", "xfs", "ext2" };
	struct compat_super_search s = { .bdev = bdev };
	struct file_system_type *type;
	bool by_fs;
	int i;

	mutex_lock(&bdev->bd_holder_lock);
	by_fs = bdev->bd_holder_ops && bdev->bd_holder_ops->freeze;
	mutex_unlock(&bdev->bd_holder_lock);
	for (i = 0; by_fs && !s.sb && i < ARRAY_SIZE(names); i++) {
		type = get_fs_type(names[i]);
		if (!type)
			continue;
		iterate_supers_type(type, compat_super_look, &s);
		module_put(type->owner);
	}
	return s.sb;
}
#else
static inline struct super_block *compat_frozen_super(struct block_device *bdev)
{
	return bdev->bd_super;
}
#endif

static inline int compat_freeze(struct gendisk *disk, struct compat_frozen *f)
{
	int ret;

	f->bdev = disk->part0;
	ret = compat_bdev_freeze(f->bdev);
	f->sb = ret ? NULL : compat_frozen_super(f->bdev);
	return ret;
}

static inline void compat_thaw(struct compat_frozen *f)
{
	compat_bdev_thaw(f->bdev);
}
#else
/* Anybody may make partitions there; what is on one would not be held still. */
static inline bool compat_has_partition(struct gendisk *disk)
{
	struct disk_part_iter iter;
	bool any;

	disk_part_iter_init(&iter, disk, 0);
	any = disk_part_iter_next(&iter);
	disk_part_iter_exit(&iter);
	return any;
}

/* Block devices are apart from disks there, and not every file system is to be found by its own. */
static inline int compat_freeze(struct gendisk *disk, struct compat_frozen *f)
{
	if (compat_has_partition(disk))
		return -EOPNOTSUPP;
	f->bdev = bdget_disk(disk, 0);
	if (!f->bdev)
		return -ENOMEM;
	f->sb = freeze_bdev(f->bdev);
	if (!IS_ERR(f->sb))
		return 0;
	bdput(f->bdev);
	return PTR_ERR(f->sb);
}

static inline void compat_thaw(struct compat_frozen *f)
{
	thaw_bdev(f->bdev, f->sb);
	bdput(f->bdev);
}
#endif

#endif /* PMV_COMPAT_FREEZE_H */
