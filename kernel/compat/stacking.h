/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The differences between kernels that concern a disk stacked over another one, and reservations.
 * Like compat.h, which has the rest, it acts on what the probes found.
 */
#ifndef PMV_COMPAT_STACKING_H
#define PMV_COMPAT_STACKING_H

#include <linux/blkdev.h>
#ifdef COMPAT_HAVE_BDEV_BIO
#include <linux/blk-integrity.h>
#endif
#include <linux/pr.h>

#include "compat.h"

/* ---- a device below, held exclusively ---- */

#ifdef COMPAT_HAVE_BDEV_FILE
/**
 * COMPAT_CLAIM_OPS() - what is called when a claimed device goes
 * @ops: name of the operations
 * @gone: void gone(struct block_device *bdev, void *holder, bool surprise); it is called with
 *	&block_device.bd_holder_lock, which keeps the holder, and releases it
 */
#define COMPAT_CLAIM_OPS(ops, gone)						\
static void ops##_mark_dead(struct block_device *bdev, bool surprise)		\
	__releases(&bdev->bd_holder_lock)					\
{										\
	gone(bdev, bdev->bd_holder, surprise);					\
}										\
										\
static const struct blk_holder_ops ops = { .mark_dead = ops##_mark_dead }

static inline void compat_claim_unlock(struct block_device *bdev)
{
	mutex_unlock(&bdev->bd_holder_lock);
}

#define compat_claim(b, dev, holder, ops)	__compat_claim(b, dev, holder, &(ops))

/* Where the kernel can, nobody else opens it for writing, not even without O_EXCL. */
static inline int __compat_claim(struct compat_bdev *b, dev_t dev, void *holder,
				 const struct blk_holder_ops *ops)
{
	struct file *file = bdev_file_open_by_dev(dev, BLK_OPEN_READ | BLK_OPEN_WRITE |
						  BLK_OPEN_RESTRICT_WRITES, holder, ops);

	if (IS_ERR(file))
		return PTR_ERR(file);
	b->file = file;
	return 0;
}
#else
/* Nobody tells: the holder looks at the disk's state. */
#define COMPAT_CLAIM_OPS(ops, gone)						\
static void __maybe_unused (*const ops)(struct block_device *, void *, bool) = gone

static inline void compat_claim_unlock(struct block_device *bdev)
{
}

#define compat_claim(b, dev, holder, ops)	((void)(ops), __compat_claim(b, dev, holder))

static inline int __compat_claim(struct compat_bdev *b, dev_t dev, void *holder)
{
	struct block_device *bdev = blkdev_get_by_dev(dev, COMPAT_BDEV_MODE, holder);

	if (IS_ERR(bdev))
		return PTR_ERR(bdev);
	b->bdev = bdev;
	return 0;
}
#endif

/** compat_disk_report_dead() - tell who is above that an orderly removal begins */
static inline void compat_disk_report_dead(struct gendisk *disk)
{
#ifdef COMPAT_HAVE_BDEV_FILE
	bdev_mark_dead(disk->part0, false);
#endif
}

/** compat_disk_dead() - has it been removed, or is it about to be? */
static inline bool compat_disk_dead(const struct gendisk *disk)
{
#ifdef GD_DEAD
	return test_bit(GD_DEAD, &disk->state);
#else
	return !(READ_ONCE(disk->flags) & GENHD_FL_UP) || blk_queue_dying(disk->queue);
#endif
}

/* ---- what a disk is known by ---- */

#ifdef COMPAT_HAVE_DISK_IDENTITY
static inline int compat_unique_id(struct gendisk *disk, u8 id[16], enum blk_unique_id kind)
{
	return disk->fops->get_unique_id ? disk->fops->get_unique_id(disk, id, kind) : -EOPNOTSUPP;
}

static inline u64 compat_disk_seq(const struct gendisk *disk)
{
	return disk->diskseq;
}
#else
static inline int compat_unique_id(struct gendisk *disk, u8 id[16], enum blk_unique_id kind)
{
	return -EOPNOTSUPP;
}

/* No two disks that were ever added have the same one. */
static inline u64 compat_disk_seq(const struct gendisk *disk)
{
	return disk->queue->backing_dev_info->id;
}
#endif

/* ---- a disk over one other ---- */

/*
 * Flushes and FUA always reach the disk: its driver decides about them first, and the device
 * below is the one that knows whether they are of use. I/O without waiting and polled I/O are as
 * the device below has them.
 */
#ifdef COMPAT_HAVE_BLK_LIMITS_FEATURES
static inline struct gendisk *compat_alloc_stacked(struct block_device *lower, int node)
{
	struct queue_limits lim;

	blk_set_stacking_limits(&lim);
	lim.features = BLK_FEAT_WRITE_CACHE | BLK_FEAT_FUA | BLK_FEAT_IO_STAT | BLK_FEAT_NOWAIT |
		       BLK_FEAT_POLL;
	queue_limits_stack_bdev(&lim, lower, 0, "nvme_fence");
	return blk_alloc_disk(&lim, node);
}
#else
static inline struct gendisk *compat_alloc_stacked(struct block_device *lower, int node)
{
	struct request_queue *below = bdev_get_queue(lower);
	struct gendisk *disk = blk_alloc_disk(node);
	struct request_queue *q;

	if (!disk)
		return ERR_PTR(-ENOMEM);
	q = disk->queue;
	blk_set_stacking_limits(&q->limits);
	disk_stack_limits(disk, lower, 0);
	blk_queue_write_cache(q, true, true);
	blk_queue_flag_set(QUEUE_FLAG_IO_STAT, q);
	if (blk_queue_nonrot(below))
		blk_queue_flag_set(QUEUE_FLAG_NONROT, q);
#ifdef QUEUE_FLAG_DISCARD
	if (!blk_queue_discard(below))
		blk_queue_flag_clear(QUEUE_FLAG_DISCARD, q);
#endif
	if (blk_queue_stable_writes(below))
		blk_queue_flag_set(QUEUE_FLAG_STABLE_WRITES, q);
	if (test_bit(QUEUE_FLAG_NOWAIT, &below->queue_flags))
		blk_queue_flag_set(QUEUE_FLAG_NOWAIT, q);
#ifdef COMPAT_HAVE_BIO_BDEV
	/* Elsewhere a queue is polled, not a bio, and that of such a disk has nothing to poll. */
	if (test_bit(QUEUE_FLAG_POLL, &below->queue_flags))
		blk_queue_flag_set(QUEUE_FLAG_POLL, q);
#endif
	return disk;
}
#endif

/* ---- bios on their way through a disk ---- */

#ifdef COMPAT_HAVE_BIO_BDEV
#define compat_trace_remap(bio, disk)						\
	trace_block_bio_remap(bio, disk_devt(disk), (bio)->bi_iter.bi_sector)

/** compat_bio_return() - it is a disk's again; its cgroup is settled: no bio_set_dev() */
static inline void compat_bio_return(struct bio *bio, struct gendisk *disk)
{
	bio->bi_bdev = disk->part0;
}
#else
#define compat_trace_remap(bio, disk)						\
	trace_block_bio_remap((bio)->bi_disk->queue, bio, disk_devt(disk),	\
			      (bio)->bi_iter.bi_sector)

static inline void compat_bio_return(struct bio *bio, struct gendisk *disk)
{
	bio->bi_disk = disk;
	bio->bi_partno = 0;
}
#endif

/* ---- I/O statistics; what is left of a bio when it ends does not say how large it was ---- */

#if !defined(COMPAT_HAVE_BIO_BDEV)
static inline unsigned long compat_acct_start(struct bio *bio, unsigned int sectors)
{
	return disk_start_io_acct(bio->bi_disk, sectors, bio_op(bio));
}

static inline void compat_acct_end(struct bio *bio, unsigned int sectors, unsigned long start)
{
	disk_end_io_acct(bio->bi_disk, bio_op(bio), start);
}
#elif defined(COMPAT_HAVE_BDEV_ACCT_SECTORS_END)
static inline unsigned long compat_acct_start(struct bio *bio, unsigned int sectors)
{
	return bdev_start_io_acct(bio->bi_bdev, bio_op(bio), jiffies);
}

static inline void compat_acct_end(struct bio *bio, unsigned int sectors, unsigned long start)
{
	bdev_end_io_acct(bio->bi_bdev, bio_op(bio), sectors, start);
}
#else
static inline unsigned long compat_acct_start(struct bio *bio, unsigned int sectors)
{
	return bdev_start_io_acct(bio->bi_bdev, sectors, bio_op(bio), jiffies);
}

static inline void compat_acct_end(struct bio *bio, unsigned int sectors, unsigned long start)
{
	bdev_end_io_acct(bio->bi_bdev, bio_op(bio), start);
}
#endif

/* ---- reservations ---- */

/* BLK_STS_NEXUS was its name up to 6.4. */
#ifdef BLK_STS_RESV_CONFLICT
#define COMPAT_STS_CONFLICT	BLK_STS_RESV_CONFLICT
#else
#define COMPAT_STS_CONFLICT	BLK_STS_NEXUS
#endif

/* What pr_ops answer for it; it has a name of its own from 6.2 on. */
#define COMPAT_PR_CONFLICT	0x18

#endif /* PMV_COMPAT_STACKING_H */
