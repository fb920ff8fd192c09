// SPDX-License-Identifier: GPL-2.0
/* 6.5: reservations can be read. */
#include <linux/blkdev.h>
#include <linux/pr.h>
static int probe_keys(struct block_device *bdev, struct pr_keys *keys)
{
	return 0;
}

static int probe_held(struct block_device *bdev, struct pr_held_reservation *held)
{
	return 0;
}

const struct pr_ops probe;
const struct pr_ops probe = {
	.pr_read_keys = probe_keys,
	.pr_read_reservation = probe_held,
};
