// SPDX-License-Identifier: GPL-2.0
/* 5.16: ->submit_bio() returns nothing. */
#include <linux/blkdev.h>
static void probe_submit(struct bio *bio)
{
}

const struct block_device_operations probe_fops;
const struct block_device_operations probe_fops = { .submit_bio = probe_submit };
