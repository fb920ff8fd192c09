/* SPDX-License-Identifier: GPL-2.0 */
/*
 * I/O statistics of a bio that is done at once, on a disk without partitions.
 *
 * Their clock is the tick. Of what begins and ends between two ticks bio_start_io_acct() and
 * bio_end_io_acct() only count that it was there, and its sectors; here that is in line, and needs
 * a third of the instructions. What begins after the first look at a new tick is left to them.
 */
#ifndef PMV_COMPAT_ACCT_H
#define PMV_COMPAT_ACCT_H

#include <linux/bio.h>
#include <linux/blkdev.h>
#include <linux/jiffies.h>
#include <linux/part_stat.h>

#ifdef COMPAT_HAVE_BDEV_STATS
/**
 * struct compat_acct - what is being counted
 * @start: when it began; 0 when the disk keeps no statistics (jiffies of 64 bits never are)
 * @stats: of this processor
 */
struct compat_acct {
	unsigned long start;
	struct disk_stats *stats;
};

static_assert(IS_ENABLED(CONFIG_64BIT));

static __always_inline void compat_acct_count(struct bio *bio, bool write)
{
	struct disk_stats __percpu *stats = bio->bi_bdev->bd_stats;

	__this_cpu_inc(stats->ios[write ? STAT_WRITE : STAT_READ]);
	__this_cpu_add(stats->sectors[write ? STAT_WRITE : STAT_READ], bio_sectors(bio));
}

/**
 * compat_acct_start() - begin to count a bio, if the disk keeps statistics
 * @a: out: for compat_acct_end()
 * @bio: a read or write of the whole disk, not of a partition
 * @write: which of them
 *
 * Context: preemption off until compat_acct_end().
 * Return: false when a tick has passed: nothing was done, bio_start_io_acct() has to be called.
 */
static __always_inline bool compat_acct_start(struct compat_acct *a, struct bio *bio, bool write)
{
	struct block_device *bdev = bio->bi_bdev;

	a->start = 0;
	if (!blk_queue_io_stat(bdev_get_queue(bdev)))
		return true;
	a->start = jiffies;
	if (unlikely(READ_ONCE(bdev->bd_stamp) != a->start))
		return false;
	a->stats = this_cpu_ptr(bdev->bd_stats);
	if (!__is_defined(COMPAT_HAVE_BDEV_ACCT_SECTORS_END))
		compat_acct_count(bio, write);
	local_inc(&a->stats->in_flight[write]);
	return true;
}

/** compat_acct_end() - a bio is done that compat_acct_start() has begun to count */
static __always_inline void compat_acct_end(struct compat_acct *a, struct bio *bio, bool write)
{
	unsigned long now;

	if (!a->start)
		return;
	now = jiffies;
	if (unlikely(now != a->start)) {
		bio_end_io_acct(bio, a->start);
		return;
	}
	if (__is_defined(COMPAT_HAVE_BDEV_ACCT_SECTORS_END))
		compat_acct_count(bio, write);
	local_dec(&a->stats->in_flight[write]);
}
#else
struct compat_acct {
	unsigned long start;
	bool counts;
};

static inline bool compat_acct_start(struct compat_acct *a, struct bio *bio, bool write)
{
	a->counts = blk_queue_io_stat(bio->bi_disk->queue);
	if (a->counts)
		a->start = bio_start_io_acct(bio);
	return true;
}

static inline void compat_acct_end(struct compat_acct *a, struct bio *bio, bool write)
{
	if (a->counts)
		bio_end_io_acct(bio, a->start);
}
#endif

#endif /* PMV_COMPAT_ACCT_H */
