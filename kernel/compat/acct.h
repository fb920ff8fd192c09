/* SPDX-License-Identifier: GPL-2.0 */
/*
 * I/O statistics of a bio that is done at once, on a disk without partitions.
 *
 * Their clock is the tick. Of what begins and ends between two ticks bio_start_io_acct() and
 * bio_end_io_acct() only count that it was there, and its sectors; here that is in line, and needs
 * a quarter of the instructions. What begins after the first look at a new tick is left to them.
 * They also count it as in flight meanwhile, which another processor could see only if it looked
 * just then: here that is left out.
 */
#ifndef PMV_COMPAT_ACCT_H
#define PMV_COMPAT_ACCT_H

#include <linux/bio.h>
#include <linux/blkdev.h>
#include <linux/jiffies.h>
#include <linux/part_stat.h>

#ifdef COMPAT_HAVE_BDEV_STATS
/** compat_acct_on() - does the disk keep statistics? */
static __always_inline bool compat_acct_on(const struct bio *bio)
{
	return blk_queue_io_stat(bdev_get_queue(bio->bi_bdev));
}

/**
 * compat_acct_start() - begin to count a bio
 * @start: out: for compat_acct_end()
 * @bio: a read or write of the whole disk, not of a partition
 *
 * Context: preemption off until compat_acct_end().
 * Return: false when a tick has passed: nothing was done, bio_start_io_acct() has to be called.
 */
static __always_inline bool compat_acct_start(unsigned long *start, struct bio *bio)
{
	*start = jiffies;
	return READ_ONCE(bio->bi_bdev->bd_stamp) == *start;
}

/**
 * compat_acct_end() - a bio is done that compat_acct_start() has begun to count
 * @start: what that has set
 * @bio: the same
 * @write: what it is
 */
static __always_inline void compat_acct_end(unsigned long start, struct bio *bio, bool write)
{
	struct disk_stats __percpu *stats = bio->bi_bdev->bd_stats;
	const unsigned long now = jiffies;
	const bool late = now != start;

	if (!__is_defined(COMPAT_HAVE_BDEV_ACCT_SECTORS_END) || likely(!late)) {
		__this_cpu_inc(stats->ios[write ? STAT_WRITE : STAT_READ]);
		__this_cpu_add(stats->sectors[write ? STAT_WRITE : STAT_READ], bio_sectors(bio));
	}
	if (unlikely(late)) {
		local_inc(&this_cpu_ptr(stats)->in_flight[write]);
		bio_end_io_acct(bio, start);
	}
}
#else
static inline bool compat_acct_on(const struct bio *bio)
{
	return blk_queue_io_stat(bio->bi_disk->queue);
}

static inline bool compat_acct_start(unsigned long *start, struct bio *bio)
{
	*start = bio_start_io_acct(bio);
	return true;
}

static inline void compat_acct_end(unsigned long start, struct bio *bio, bool write)
{
	bio_end_io_acct(bio, start);
}
#endif

#endif /* PMV_COMPAT_ACCT_H */
