// SPDX-License-Identifier: GPL-2.0
/*
 * Reservation commands to a device. What is true is read back afterwards, so a status is only
 * sorted into done, conflict and error.
 */
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

#ifdef COMPAT_HAVE_PR_READ_KEYS
/* How often keys and holder are read until they are of one moment. */
#define READS_MAX 8

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
	return held->type && !holder ? -EAGAIN : 0;
}

static int read_keys(struct nvf_lower *lower, struct pr_keys *keys, unsigned int *commands)
{
	memset(keys, 0, struct_size(keys, keys, NVF_REGISTRANTS_MAX));
	keys->num_keys = NVF_REGISTRANTS_MAX;
	++*commands;
	return ops_of(lower)->pr_read_keys(lower->bdev, keys);
}

/* Keys and holder of one moment. Return: 0, -EAGAIN when they were not, or what the device said */
static int read_both(struct nvf_lower *lower, struct pr_keys *keys,
		     struct pr_held_reservation *held, unsigned int *commands)
{
	u32 generation;
	int ret;

	memset(held, 0, sizeof(*held));
	ret = read_keys(lower, keys, commands);
	if (ret)
		return ret;
	++*commands;
	ret = ops_of(lower)->pr_read_reservation(lower->bdev, held);
	if (ret)
		return ret;
	generation = held->generation;
	if (!held->type && !generation && keys->generation) {
		/* SCSI does not tell it while nobody holds. */
		generation = keys->generation;
		ret = read_keys(lower, keys, commands);
	}
	return ret ?: (generation == keys->generation ? 0 : -EAGAIN);
}

int nvf_dev_read(struct nvf_lower *lower, struct nvf_report *report, unsigned int *commands)
{
	struct pr_held_reservation held;
	unsigned int tries;
	struct pr_keys *keys;
	int ret = -EAGAIN;

	keys = kvzalloc(struct_size(keys, keys, NVF_REGISTRANTS_MAX), GFP_KERNEL);
	if (!keys)
		return -EIO;
	for (tries = 0; ret == -EAGAIN && tries < READS_MAX; tries++) {
		ret = read_both(lower, keys, &held, commands);
		if (!ret)
			ret = fill(report, keys, &held);
		else if (ret != -EAGAIN)
			ret = read_error(ret);
	}
	kvfree(keys);
	return ret == -EAGAIN ? -EIO : ret;
}
#else
int nvf_dev_read(struct nvf_lower *lower, struct nvf_report *report, unsigned int *commands)
{
	return -EOPNOTSUPP;
}
#endif

static enum nvf_outcome outcome_of(int ret)
{
	if (!ret)
		return NVF_DONE;
	if (ret == COMPAT_PR_CONFLICT ||
	    (ret > 0 && ret <= NVME_STATUS_MAX && (ret & NVME_STATUS_MASK) == NVME_CONFLICT))
		return NVF_CONFLICT;
	return NVF_ERROR;
}

enum nvf_outcome nvf_dev_register(struct nvf_lower *lower, u64 old_key, u64 new_key)
{
	return outcome_of(ops_of(lower)->pr_register(lower->bdev, old_key, new_key, 0));
}

enum nvf_outcome nvf_dev_reserve(struct nvf_lower *lower, u64 key)
{
	return outcome_of(ops_of(lower)->pr_reserve(lower->bdev, key, PR_WRITE_EXCLUSIVE, 0));
}

enum nvf_outcome nvf_dev_preempt(struct nvf_lower *lower, u64 key, u64 victim)
{
	/* Ours comes first, whatever the parameters are called. */
	return outcome_of(ops_of(lower)->pr_preempt(lower->bdev, key, victim, PR_WRITE_EXCLUSIVE,
						    true));
}
