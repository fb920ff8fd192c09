/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The one place where releases of the kernel differ. What is available is found
 * out by compiling kernel/compat/probes, never by version: distributions backport.
 */
#ifndef PMV_COMPAT_H
#define PMV_COMPAT_H

#include <linux/badblocks.h>
#include <linux/blkdev.h>
#include <linux/dax.h>
#include <linux/file.h>
#include <linux/memremap.h>
#include <net/genetlink.h>

#include "older.h"

/* ---- opening a block device exclusively ---- */

#ifdef COMPAT_HAVE_BDEV_FILE
struct compat_bdev {
	struct file *file;
};

static inline int compat_bdev_open(struct compat_bdev *b, const char *path, void *holder)
{
	struct file *file = bdev_file_open_by_path(path, BLK_OPEN_READ | BLK_OPEN_WRITE, holder,
						   NULL);

	if (IS_ERR(file))
		return PTR_ERR(file);
	b->file = file;
	return 0;
}

static inline struct block_device *compat_bdev(const struct compat_bdev *b)
{
	return file_bdev(b->file);
}

static inline void compat_bdev_close(struct compat_bdev *b)
{
	bdev_fput(b->file);
}
#else
#define COMPAT_BDEV_MODE (FMODE_READ | FMODE_WRITE | FMODE_EXCL)

struct compat_bdev {
	struct block_device *bdev;
};

static inline int compat_bdev_open(struct compat_bdev *b, const char *path, void *holder)
{
	struct block_device *bdev = blkdev_get_by_path(path, COMPAT_BDEV_MODE, holder);

	if (IS_ERR(bdev))
		return PTR_ERR(bdev);
	b->bdev = bdev;
	return 0;
}

static inline struct block_device *compat_bdev(const struct compat_bdev *b)
{
	return b->bdev;
}

static inline void compat_bdev_close(struct compat_bdev *b)
{
	blkdev_put(b->bdev, COMPAT_BDEV_MODE);
}
#endif

/* ---- a bio-based disk with DAX ---- */

/**
 * struct compat_disk_limits - what a volume's disk looks like
 * @logical: logical block size, bytes
 * @io_opt: preferred granularity, bytes
 * @discard: granularity of discard, bytes; 0: none is taken, nor write-zeroes
 * @dax: it has a DAX device
 */
struct compat_disk_limits {
	unsigned int logical;
	unsigned int io_opt;
	unsigned int discard;
	bool dax;
};

/* A bio of at most this many sectors is discarded or zeroed at once. */
#define COMPAT_MAX_SECTORS (UINT_MAX >> SECTOR_SHIFT)

#ifdef COMPAT_HAVE_BLK_LIMITS_FEATURES
static inline struct gendisk *compat_alloc_disk(const struct compat_disk_limits *l, int node)
{
	struct queue_limits lim = {
		.logical_block_size = l->logical,
		.physical_block_size = PAGE_SIZE,
		.io_min = l->io_opt,
		.io_opt = l->io_opt,
		.max_hw_sectors = UINT_MAX,
		.max_hw_discard_sectors = l->discard ? COMPAT_MAX_SECTORS : 0,
		.max_write_zeroes_sectors = l->discard ? COMPAT_MAX_SECTORS : 0,
		.discard_granularity = l->discard,
		.features = BLK_FEAT_WRITE_CACHE | BLK_FEAT_FUA | BLK_FEAT_SYNCHRONOUS |
			    (l->dax ? BLK_FEAT_DAX : 0) | BLK_FEAT_NOWAIT | BLK_FEAT_IO_STAT,
	};

	return blk_alloc_disk(&lim, node);
}
#else
static inline struct gendisk *compat_alloc_disk(const struct compat_disk_limits *l, int node)
{
	struct gendisk *disk = blk_alloc_disk(node);
	struct request_queue *q;

	if (!disk)
		return ERR_PTR(-ENOMEM);
	q = disk->queue;
	blk_queue_write_cache(q, true, true);
	blk_queue_logical_block_size(q, l->logical);
	blk_queue_physical_block_size(q, PAGE_SIZE);
	blk_queue_io_min(q, l->io_opt);
	blk_queue_io_opt(q, l->io_opt);
	blk_queue_max_hw_sectors(q, UINT_MAX);
	blk_queue_max_discard_sectors(q, l->discard ? COMPAT_MAX_SECTORS : 0);
	blk_queue_max_write_zeroes_sectors(q, l->discard ? COMPAT_MAX_SECTORS : 0);
	q->limits.discard_granularity = l->discard;
#ifdef QUEUE_FLAG_DISCARD
	if (!l->discard)
		blk_queue_flag_clear(QUEUE_FLAG_DISCARD, q);
#endif
	blk_queue_flag_set(QUEUE_FLAG_NONROT, q);
	if (l->dax)
		blk_queue_flag_set(QUEUE_FLAG_DAX, q);
	blk_queue_flag_set(QUEUE_FLAG_NOWAIT, q);
	blk_queue_flag_set(QUEUE_FLAG_IO_STAT, q);
	return disk;
}
#endif

#ifdef COMPAT_HAVE_BLK_OPEN_DISK
#define COMPAT_DISK_OPEN(fn)	static int fn(struct gendisk *disk, blk_mode_t mode)
#define COMPAT_DISK_RELEASE(fn)	static void fn(struct gendisk *disk)
#define COMPAT_OPEN_DISK()	disk
#else
#define COMPAT_DISK_OPEN(fn)	static int fn(struct block_device *bdev, fmode_t mode)
#define COMPAT_DISK_RELEASE(fn)	static void fn(struct gendisk *disk, fmode_t mode)
#define COMPAT_OPEN_DISK()	(bdev->bd_disk)
#endif

/*
 * COMPAT_SUBMIT_BIO_FN() - to stand before the operations of a disk that name a function as
 * COMPAT_SUBMIT_BIO(): where it has to return something, another one does that for it
 */
#ifdef COMPAT_HAVE_SUBMIT_BIO_VOID
#define COMPAT_SUBMIT_BIO_FN(fn)	void fn(struct bio *bio)
#define COMPAT_SUBMIT_BIO(fn)		(fn)
#else
#define COMPAT_SUBMIT_BIO_FN(fn)						\
static blk_qc_t compat_##fn(struct bio *bio)					\
{										\
	fn(bio);								\
	return BLK_QC_T_NONE;							\
}										\
										\
static_assert(true)
#define COMPAT_SUBMIT_BIO(fn)		compat_##fn
#endif

/** compat_bio_disk() - the disk that a bio is for */
static inline struct gendisk *compat_bio_disk(const struct bio *bio)
{
#ifdef COMPAT_HAVE_BIO_BDEV
	return bio->bi_bdev->bd_disk;
#else
	return bio->bi_disk;
#endif
}

/* ---- a DAX device ---- */

#ifdef COMPAT_HAVE_DAX_HOLDER
#define COMPAT_DAX_OPS(ops, direct, zero, recover)				\
const struct dax_operations ops = {						\
	.direct_access = direct,						\
	.zero_page_range = zero,						\
	.recovery_write = recover,						\
}

static inline struct dax_device *compat_alloc_dax(void *private, const struct dax_operations *ops,
						  const struct gendisk *disk)
{
	return alloc_dax(private, ops);
}
#else
/*
 * File systems ask whether a volume can do it, and nothing is to be provisioned for that: all that
 * matters is known since its members were asked.
 */
static inline bool compat_dax_supported(struct dax_device *dax, struct block_device *bdev,
					int blocksize, sector_t start, sector_t sectors)
{
	return blocksize == PAGE_SIZE && !bdev_dax_pgoff(bdev, start, PAGE_SIZE, NULL);
}

/* How dax_copy_*_iter() copy when a device is set_dax_nocache() and set_dax_nomc(). */
static inline size_t compat_dax_from_iter(struct dax_device *dax, pgoff_t pgoff, void *addr,
					  size_t bytes, struct iov_iter *i)
{
	return _copy_from_iter_flushcache(addr, bytes, i);
}

static inline size_t compat_dax_to_iter(struct dax_device *dax, pgoff_t pgoff, void *addr,
					size_t bytes, struct iov_iter *i)
{
	return _copy_mc_to_iter(addr, bytes, i);
}

#define COMPAT_DAX_OPS(ops, direct, zero, recover)				\
static long ops##_direct(struct dax_device *dax, pgoff_t pgoff, long nr,	\
			 void **kaddr, pfn_t *pfn)				\
{										\
	return direct(dax, pgoff, nr, DAX_ACCESS, kaddr, pfn);			\
}										\
										\
static void __maybe_unused ops##_unused(void)					\
{										\
	(void)(recover);							\
}										\
										\
const struct dax_operations ops = {						\
	.direct_access = ops##_direct,						\
	.dax_supported = compat_dax_supported,					\
	.copy_from_iter = compat_dax_from_iter,					\
	.copy_to_iter = compat_dax_to_iter,					\
	.zero_page_range = zero,						\
}

static inline struct dax_device *compat_alloc_dax(void *private, const struct dax_operations *ops,
						  const struct gendisk *disk)
{
	return alloc_dax(private, disk->disk_name, ops, 0);
}
#endif

/* ---- page frame numbers of DAX ---- */

#ifdef COMPAT_HAVE_DAX_PFN_ULONG
#define compat_pfn unsigned long

static inline unsigned long compat_pfn_number(compat_pfn pfn)
{
	return pfn;
}

static inline compat_pfn compat_pfn_add(compat_pfn pfn, unsigned long pages)
{
	return pfn + pages;
}
#else
#include <linux/pfn_t.h>

#define compat_pfn pfn_t

static inline unsigned long compat_pfn_number(compat_pfn pfn)
{
	return pfn_t_to_pfn(pfn);
}

static inline compat_pfn compat_pfn_add(compat_pfn pfn, unsigned long pages)
{
	/* The flags are in the topmost bits. */
	pfn.val += pages;
	return pfn;
}
#endif

/** compat_get_dev_pagemap() - a reference on the page map of a page, or NULL */
static inline struct dev_pagemap *compat_get_dev_pagemap(unsigned long pfn)
{
#ifdef COMPAT_HAVE_DEV_PAGEMAP_NO_HINT
	return get_dev_pagemap(pfn);
#else
	return get_dev_pagemap(pfn, NULL);
#endif
}

/* ---- bad blocks ---- */

/**
 * compat_badblocks_any() - is any of these sectors known to be bad?
 * @dax: the device they are of
 *
 * Where nobody hears that a device is removed, its list may be gone before its memory.
 */
static inline bool compat_badblocks_any(struct dax_device *dax, struct badblocks *bb,
					sector_t sector, unsigned int sectors)
{
	sector_t first;
#ifdef COMPAT_HAVE_BADBLOCKS_SECTOR_T
	sector_t bad;
#else
	int bad;
#endif
#ifdef COMPAT_HAVE_DAX_HOLDER
	return badblocks_check(bb, sector, sectors, &first, &bad);
#else
	int id = dax_read_lock();
	bool any = !dax_alive(dax) || badblocks_check(bb, sector, sectors, &first, &bad);

	dax_read_unlock(id);
	return any;
#endif
}

/**
 * compat_badblocks_next() - the first bad range among these sectors
 * @first: out: where it begins, maybe before @sector
 * @nr: out: how many sectors it has
 *
 * Return: whether there is one.
 */
static inline bool compat_badblocks_next(struct badblocks *bb, sector_t sector,
					 unsigned int sectors, sector_t *first, sector_t *nr)
{
#ifdef COMPAT_HAVE_BADBLOCKS_SECTOR_T
	return badblocks_check(bb, sector, sectors, first, nr);
#else
	int bad = 0, ret;

	ret = badblocks_check(bb, sector, sectors, first, &bad);
	*nr = bad;
	return ret;
#endif
}

/* ---- generic netlink ---- */

#ifdef COMPAT_HAVE_GENL_SPLIT_PRE_DOIT
#define compat_genl_pre_ops genl_split_ops
#else
#define compat_genl_pre_ops genl_ops
#endif

/*
 * Every command of the families is younger than the check of reserved fields, where there is one:
 * a line of its own in the family's initializer.
 */
#ifdef COMPAT_HAVE_GENL_RESV_START
#define COMPAT_GENL_RESV_CHECKED	.resv_start_op = 1,
#else
#define COMPAT_GENL_RESV_CHECKED
#endif

/* In the initializer of a multicast group. */
#ifdef GENL_MCAST_CAP_SYS_ADMIN
#define COMPAT_GENL_MCAST_SYS_ADMIN	.flags = GENL_MCAST_CAP_SYS_ADMIN
#else
#define COMPAT_GENL_MCAST_SYS_ADMIN	.cap_sys_admin = 1
#endif

/** compat_dump_attrs() - the attributes of the request that started a dump */
static inline struct nlattr **compat_dump_attrs(struct netlink_callback *cb)
{
#ifdef COMPAT_HAVE_GENL_DUMP_INFO
	return genl_dumpit_info(cb)->info.attrs;
#else
	return genl_dumpit_info(cb)->attrs;
#endif
}

#endif /* PMV_COMPAT_H */
