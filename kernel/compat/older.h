/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What newer kernels have, for those that lack it: under the names and in the shapes of the newest
 * one, so that who calls it need not know. Only compat.h includes this.
 */
#ifndef PMV_COMPAT_OLDER_H
#define PMV_COMPAT_OLDER_H

#include <linux/bio.h>
#include <linux/blkdev.h>
#include <linux/bvec.h>
#include <linux/dax.h>
#include <linux/fs.h>
#include <linux/uio.h>

/* ---- memory ---- */

#ifndef COMPAT_HAVE_PAGE_FOLIO
/* The pages of a DAX device are not compound there. */
static inline struct page *compat_page_folio(struct page *page)
{
	return page;
}

#define page_folio(page)	compat_page_folio(page)
#endif

#ifndef COMPAT_HAVE_BVEC_VIRT
static inline void *compat_bvec_virt(struct bio_vec *bvec)
{
	return page_address(bvec->bv_page) + bvec->bv_offset;
}

#define bvec_virt(bvec)		compat_bvec_virt(bvec)
#endif

/* ---- block devices ---- */

#ifndef COMPAT_HAVE_BDEV_BIO
static inline loff_t compat_bdev_nr_bytes(struct block_device *bdev)
{
	return i_size_read(bdev->bd_inode);
}

static inline bool compat_bdev_fua(struct block_device *bdev)
{
	return blk_queue_fua(bdev_get_queue(bdev));
}

static inline struct bio *compat_bio_alloc(struct block_device *bdev, unsigned short nr_vecs,
					   unsigned int opf, gfp_t gfp)
{
	struct bio *bio = bio_alloc(gfp, nr_vecs);

	if (bio) {
		bio_set_dev(bio, bdev);
		bio->bi_opf = opf;
	}
	return bio;
}

#define bdev_nr_bytes(bdev)	compat_bdev_nr_bytes(bdev)
#define bdev_nr_sectors(bdev)	((sector_t)(compat_bdev_nr_bytes(bdev) >> SECTOR_SHIFT))
#define bdev_fua(bdev)		compat_bdev_fua(bdev)
#define bio_alloc(bdev, nr_vecs, opf, gfp)	compat_bio_alloc(bdev, nr_vecs, opf, gfp)
#endif

#ifndef COMPAT_HAVE_BIO_BDEV
static inline int compat_lookup_bdev(const char *path, dev_t *dev)
{
	struct block_device *bdev = lookup_bdev(path);

	if (IS_ERR(bdev))
		return PTR_ERR(bdev);
	*dev = bdev->bd_dev;
	bdput(bdev);
	return 0;
}

#define lookup_bdev(path, dev)	compat_lookup_bdev(path, dev)
#endif

/* ---- disks; a queue lives apart from its disk, which has a reference once it is added ---- */

#ifndef COMPAT_HAVE_DISK_OWNS_QUEUE
#define GENHD_FL_NO_PART	GENHD_FL_NO_PART_SCAN

static inline struct gendisk *compat_disk_alloc(int node)
{
	struct request_queue *q = blk_alloc_queue(node);
	struct gendisk *disk;

	if (!q)
		return NULL;
	disk = alloc_disk_node(0, node);
	if (!disk) {
		blk_cleanup_queue(q);
		return NULL;
	}
	disk->queue = q;
	disk->flags |= GENHD_FL_EXT_DEVT;
	blk_queue_flag_set(QUEUE_FLAG_DISCARD, q);
	return disk;
}

/* It cannot fail there, or does not tell. */
static inline int compat_device_add_disk(struct device *parent, struct gendisk *disk,
					 const struct attribute_group **groups)
{
	device_add_disk(parent, disk, groups);
	return 0;
}

static inline void compat_del_gendisk(struct gendisk *disk)
{
	del_gendisk(disk);
	/* Returns when nobody is in ->submit_bio() any more. */
	blk_cleanup_queue(disk->queue);
}

static inline void compat_put_disk(struct gendisk *disk)
{
	/* One that was never added has no reference on its queue. */
	if (!blk_queue_dead(disk->queue)) {
		blk_cleanup_queue(disk->queue);
		disk->queue = NULL;
	}
	put_disk(disk);
}

static inline void compat_mark_disk_dead(struct gendisk *disk)
{
	blk_set_queue_dying(disk->queue);
	set_capacity(disk, 0);
}

#define blk_alloc_disk(node)	compat_disk_alloc(node)
#define device_add_disk(parent, disk, groups)	compat_device_add_disk(parent, disk, groups)
#define del_gendisk(disk)	compat_del_gendisk(disk)
#define put_disk(disk)		compat_put_disk(disk)
#define blk_mark_disk_dead(disk)	compat_mark_disk_dead(disk)
#endif

#ifndef COMPAT_HAVE_DISK_IDENTITY
enum blk_unique_id {
	BLK_UID_T10	= 1,
	BLK_UID_EUI64	= 2,
	BLK_UID_NAA	= 3,
};
#endif

/* ---- DAX devices; who holds one is not known there, and nobody is told of failures ---- */

#ifndef COMPAT_HAVE_DAX_HOLDER
enum dax_access_mode {
	DAX_ACCESS,
	DAX_RECOVERY_WRITE,
};

struct dax_holder_operations {
	int (*notify_failure)(struct dax_device *dax, u64 off, u64 len, int flags);
};

/* Memory with known bad blocks is not told. */
static inline long compat_dax_direct_access(struct dax_device *dax, pgoff_t pgoff, long nr_pages,
					    enum dax_access_mode mode, void **kaddr, pfn_t *pfn)
{
	return dax_direct_access(dax, pgoff, nr_pages, kaddr, pfn);
}

static inline size_t compat_dax_recovery_write(struct dax_device *dax, pgoff_t pgoff, void *addr,
					       size_t bytes, struct iov_iter *i)
{
	return 0;
}

static inline struct dax_device *compat_dax_get(struct block_device *bdev, u64 *start_off,
						void *holder,
						const struct dax_holder_operations *ops)
{
	struct dax_device *dax = fs_dax_get_by_bdev(bdev);

	*start_off = (u64)get_start_sect(bdev) << SECTOR_SHIFT;
	if (dax && !bdev_dax_supported(bdev, PAGE_SIZE)) {
		fs_put_dax(dax);
		return NULL;
	}
	return dax;
}

static inline void compat_dax_put(struct dax_device *dax, void *holder)
{
	fs_put_dax(dax);
}

static inline void *compat_dax_holder(struct dax_device *dax)
{
	return NULL;
}

static inline int compat_dax_notify_failure(struct dax_device *dax, u64 off, u64 len, int flags)
{
	return -EOPNOTSUPP;
}

/* It was given the disk's name when it was allocated. */
static inline int compat_dax_add_host(struct dax_device *dax, struct gendisk *disk)
{
	return 0;
}

static inline void compat_dax_unused(const void *what)
{
}

#define dax_direct_access(dax, pgoff, nr, mode, kaddr, pfn)			\
	compat_dax_direct_access(dax, pgoff, nr, mode, kaddr, pfn)
#define dax_recovery_write(dax, pgoff, addr, bytes, i)				\
	compat_dax_recovery_write(dax, pgoff, addr, bytes, i)
#define fs_dax_get_by_bdev(bdev, off, holder, ops)				\
	compat_dax_get(bdev, off, holder, ops)
#define fs_put_dax(dax, holder)		compat_dax_put(dax, holder)
#define dax_holder(dax)			compat_dax_holder(dax)
#define dax_holder_notify_failure(dax, off, len, flags)				\
	compat_dax_notify_failure(dax, off, len, flags)
#define dax_add_host(dax, disk)		compat_dax_add_host(dax, disk)
#define dax_remove_host(disk)		compat_dax_unused(disk)
/* These are operations of the device there. */
#define set_dax_nocache(dax)		compat_dax_unused(dax)
#define set_dax_nomc(dax)		compat_dax_unused(dax)
#endif

#endif /* PMV_COMPAT_OLDER_H */
