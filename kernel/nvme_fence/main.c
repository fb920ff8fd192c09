// SPDX-License-Identifier: GPL-2.0
/*
 * nvme_fence: block devices over a shared namespace, which write only while theirs is the newest
 * epoch.
 *
 *	data_*	I/O: bios, gates, waiting for writes
 *	dev_*	the device below, its reservation, jobs that ask it, the disk above
 *	ctl_*	control: netlink, attachments, acquiring, consumers' reservations, events
 *	core/	the rules
 */
#include <linux/module.h>

#include "fence.h"

struct workqueue_struct *nvf_wq;

static int __init nvf_init(void)
{
	int ret;

	ret = nvf_bio_init();
	if (ret)
		return ret;
	nvf_wq = alloc_workqueue("nvme_fence", WQ_UNBOUND, WQ_UNBOUND_MAX_ACTIVE);
	if (!nvf_wq) {
		ret = -ENOMEM;
		goto err_bio;
	}
	ret = nvf_netlink_init();
	if (ret)
		goto err_wq;
	return 0;

err_wq:
	destroy_workqueue(nvf_wq);
err_bio:
	nvf_bio_exit();
	return ret;
}

/* A lower device that is open holds a reference on the module: none is left here. */
static void __exit nvf_exit(void)
{
	nvf_netlink_exit();
	/* Who closed the last one may still be on the way out of its work. */
	destroy_workqueue(nvf_wq);
	nvf_lower_exit();
	nvf_disk_exit();
	nvf_bio_exit();
}

module_init(nvf_init);
module_exit(nvf_exit);

MODULE_AUTHOR("pmemvol developers");
MODULE_DESCRIPTION("Fencing of writers by epochs over a shared NVMe namespace");
MODULE_LICENSE("GPL");
MODULE_ALIAS_GENL_FAMILY(NVME_FENCE_GENL_NAME);
