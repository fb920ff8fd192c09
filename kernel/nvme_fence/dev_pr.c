// SPDX-License-Identifier: GPL-2.0
/*
 * Reservation commands to a device. What is true is read back afterwards, so a status is only
 * sorted into done, conflict and error.
 */
#include <linux/bio.h>
#include <linux/delay.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "fence.h"

/* NVMe's status of a conflict, without the bits above that say "more" and "do not retry". */
#define NVME_CONFLICT		0x83
#define NVME_STATUS_MASK	0x7ff
#define NVME_STATUS_MAX		0x7fff

static const struct pr_ops *ops_of(const struct nvf_lower *lower)
{
	return lower->bdev->bd_disk->fops->pr_ops;
}

bool nvf_dev_offers_pr(const struct nvf_lower *lower)
{
	const struct gendisk *disk = lower->bdev->bd_disk;
	const struct pr_ops *ops = ops_of(lower);

	/* The device mapper passes a preempt-and-abort on without the abort. */
	return ops && ops->pr_register && ops->pr_reserve && ops->pr_preempt &&
	       strncmp(disk->disk_name, "dm-", 3);
}

bool nvf_dev_can_read(const struct nvf_lower *lower)
{
#ifdef COMPAT_HAVE_PR_READ_KEYS
	const struct pr_ops *ops = ops_of(lower);

	return nvf_dev_offers_pr(lower) && ops->pr_read_keys && ops->pr_read_reservation;
#else
	return false;
#endif
}

/* Between two looks for a path to the device. */
#define PATH_PAUSE_MS		50

/* NVMe with several paths, none of which can be used now, has not sent the command. */
static bool wait_path(const struct nvf_job *job, int ret)
{
	if (ret != -EWOULDBLOCK || job->impatient || nvf_job_over(job))
		return false;
	msleep(PATH_PAUSE_MS);
	return true;
}

#ifdef COMPAT_HAVE_PR_READ_KEYS
/* How often keys and holder are read until they are of one moment. */
#define READS_MAX 8
/* Keys and holder were of two moments; no errno that a driver has for it. */
#define TORN 1

static int read_error(int ret)
{
	switch (ret) {
	case -EOPNOTSUPP:
	case -EINVAL:
	case -ENOTTY:
		return -EOPNOTSUPP;
	}
	return -EIO;
}

/* Does it read its first block? */
static bool reads_block(struct nvf_lower *lower)
{
	unsigned int size = bdev_logical_block_size(lower->bdev), order = get_order(size);
	struct page *page = alloc_pages(GFP_KERNEL, order);
	struct bio *bio;
	int ret = -EIO;

	if (!page)
		return false;
	bio = bio_alloc(lower->bdev, 1, REQ_OP_READ, GFP_KERNEL);
	bio->bi_iter.bi_sector = 0;
	if (bio_add_page(bio, page, size, 0) == size)
		ret = submit_bio_wait(bio);
	bio_put(bio);
	__free_pages(page, order);
	return !ret;
}

static int fill(struct nvf_report *r, const struct pr_keys *keys,
		const struct pr_held_reservation *held)
{
	bool holder = false;
	u32 i;

	if (keys->num_keys > NVF_REGISTRANTS_MAX || held->type > U8_MAX)
		return -EIO;
	memset(r, 0, sizeof(*r));
	r->generation = keys->generation;
	r->type = held->type;
	r->count = keys->num_keys;
	for (i = 0; i < keys->num_keys; i++) {
		r->reg[i].key = keys->keys[i];
		/* Hosts that share a key cannot be told apart here; such a key is not ours. */
		if (held->type && !holder && keys->keys[i] == held->key) {
			r->reg[i].holder = true;
			holder = true;
		}
	}
	return held->type && !holder ? TORN : 0;
}

/* What a driver returns: an errno, or a status, which is positive and must not pass for TORN. */
static int answered(int ret)
{
	return ret > 0 ? -EIO : ret;
}

static int read_keys(struct nvf_lower *lower, struct pr_keys *keys, unsigned int *commands)
{
	memset(keys, 0, struct_size(keys, keys, NVF_REGISTRANTS_MAX));
	keys->num_keys = NVF_REGISTRANTS_MAX;
	++*commands;
	return ops_of(lower)->pr_read_keys(lower->bdev, keys);
}

/* Keys and holder of one moment. Return: 0, TORN when they were not, or what the device said */
static int read_both(struct nvf_lower *lower, struct pr_keys *keys,
		     struct pr_held_reservation *held, unsigned int *commands)
{
	u32 generation;
	int ret;

	memset(held, 0, sizeof(*held));
	ret = read_keys(lower, keys, commands);
	if (ret)
		return answered(ret);
	++*commands;
	ret = ops_of(lower)->pr_read_reservation(lower->bdev, held);
	if (ret)
		return answered(ret);
	generation = held->generation;
	if (!held->type && !generation && keys->generation) {
		/* SCSI does not tell it while nobody holds. */
		generation = keys->generation;
		ret = read_keys(lower, keys, commands);
	}
	if (ret)
		return answered(ret);
	return generation == keys->generation ? 0 : TORN;
}

static int read_settled(struct nvf_job *job, struct pr_keys *keys, unsigned int *commands)
{
	struct pr_held_reservation held;
	unsigned int tries;
	int ret = TORN;

	for (tries = 0; ret == TORN && tries < READS_MAX; tries++) {
		do {
			ret = read_both(job->lower, keys, &held, commands);
		} while (wait_path(job, ret));
		if (!ret)
			ret = fill(&job->report, keys, &held);
	}
	return ret;
}

int nvf_dev_read(struct nvf_job *job, unsigned int *commands)
{
	struct pr_keys *keys;
	int ret;

	keys = kvzalloc(struct_size(keys, keys, NVF_REGISTRANTS_MAX), GFP_KERNEL);
	if (!keys)
		return -EIO;
	ret = read_settled(job, keys, commands);
	if (ret)
		ret = read_error(ret);
	/*
	 * Drivers have one errno for "no such command" and for a namespace that is not there at the
	 * moment, which does not read either. By the second answer it may be back.
	 */
	if (ret == -EOPNOTSUPP) {
		ret = -EIO;
		if (reads_block(job->lower))
			ret = read_settled(job, keys, commands);
		if (ret)
			ret = read_error(ret);
	}
	kvfree(keys);
	return ret;
}
#else
int nvf_dev_read(struct nvf_job *job, unsigned int *commands)
{
	return -EOPNOTSUPP;
}
#endif

static enum nvf_outcome outcome_of(int ret)
{
	if (!ret)
		return NVF_DONE;
	/* There was no path until now. */
	if (ret == -EWOULDBLOCK)
		return NVF_TIMEOUT;
	if (ret == COMPAT_PR_CONFLICT ||
	    (ret > 0 && ret <= NVME_STATUS_MAX && (ret & NVME_STATUS_MASK) == NVME_CONFLICT))
		return NVF_CONFLICT;
	return NVF_ERROR;
}

enum nvf_outcome nvf_dev_register(struct nvf_job *job, u64 old_key, u64 new_key)
{
	const struct pr_ops *ops = ops_of(job->lower);
	int ret;

	do {
		ret = ops->pr_register(job->lower->bdev, old_key, new_key, 0);
	} while (wait_path(job, ret));
	return outcome_of(ret);
}

enum nvf_outcome nvf_dev_reserve(struct nvf_job *job, u64 key)
{
	const struct pr_ops *ops = ops_of(job->lower);
	int ret;

	do {
		ret = ops->pr_reserve(job->lower->bdev, key, PR_WRITE_EXCLUSIVE, 0);
	} while (wait_path(job, ret));
	return outcome_of(ret);
}

enum nvf_outcome nvf_dev_preempt(struct nvf_job *job, u64 key, u64 victim)
{
	const struct pr_ops *ops = ops_of(job->lower);
	int ret;

	/* Ours comes first, whatever the parameters are called. */
	do {
		ret = ops->pr_preempt(job->lower->bdev, key, victim, PR_WRITE_EXCLUSIVE, true);
	} while (wait_path(job, ret));
	return outcome_of(ret);
}
