// SPDX-License-Identifier: GPL-2.0
/*
 * pmemvol: thin, DAX-capable volumes on pools of persistent memory.
 *
 *	data_*	I/O: bio, DAX, the map in memory, zeroed chunks
 *	meta_*	metadata on the medium, with core/ as the pure part
 *	ctl_*	control: netlink, pools, members, volumes, disks, events
 */
#include <linux/module.h>

#include "ctl.h"
#include "data.h"

static int __init pmv_init(void)
{
	int ret;

	ret = pmv_stock_init();
	if (ret)
		return ret;
	ret = pmv_disk_init();
	if (ret)
		goto err_stock;
	ret = pmv_netlink_init();
	if (ret)
		goto err_disk;
	return 0;

err_disk:
	pmv_disk_exit();
err_stock:
	pmv_stock_exit();
	return ret;
}

/* An active pool holds a reference on the module: none is left here. */
static void __exit pmv_exit(void)
{
	pmv_netlink_exit();
	pmv_disk_exit();
	pmv_stock_exit();
	pmv_failures_exit();
	/* Leaves and tops may still wait for a grace period. */
	rcu_barrier();
}

module_init(pmv_init);
module_exit(pmv_exit);

MODULE_AUTHOR("pmemvol developers");
MODULE_DESCRIPTION("Thin DAX volumes on persistent memory");
MODULE_LICENSE("GPL");
MODULE_ALIAS_GENL_FAMILY(PMEMVOL_GENL_NAME);
