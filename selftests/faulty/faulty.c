// SPDX-License-Identifier: GPL-2.0
/*
 * insmod faulty.ko fault=none|leak|access|locks
 *
 * Does what the debug kernel has to find, so that a test of the runner sees a run fail for it.
 * Built for that kernel alone, and loaded by nothing else.
 */
#include <linux/kernel.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/slab.h>

static char *fault = "none";
module_param(fault, charp, 0444);
MODULE_PARM_DESC(fault, "what to do wrong: none, leak, access, locks");

static DEFINE_MUTEX(faulty_first);
static DEFINE_MUTEX(faulty_second);

/* Nobody points to it when this has returned. */
static noinline int faulty_leak(void)
{
	char *lost = kmalloc(1000, GFP_KERNEL);

	if (!lost)
		return -ENOMEM;
	lost[0] = 1;
	return 0;
}

/* The byte behind what was allocated. */
static noinline int faulty_access(void)
{
	char *object = kmalloc(64, GFP_KERNEL);
	size_t end = 64;

	if (!object)
		return -ENOMEM;
	OPTIMIZER_HIDE_VAR(end);
	WRITE_ONCE(object[end], 1);
	kfree(object);
	return 0;
}

static void faulty_lock(struct mutex *outer, struct mutex *inner)
{
	mutex_lock(outer);
	mutex_lock(inner);
	mutex_unlock(inner);
	mutex_unlock(outer);
}

/* One order, then the other: no deadlock now, but two processes could have one. */
static noinline int faulty_locks(void)
{
	faulty_lock(&faulty_first, &faulty_second);
	faulty_lock(&faulty_second, &faulty_first);
	return 0;
}

static int __init faulty_init(void)
{
	if (!strcmp(fault, "leak"))
		return faulty_leak();
	if (!strcmp(fault, "access"))
		return faulty_access();
	if (!strcmp(fault, "locks"))
		return faulty_locks();
	return strcmp(fault, "none") ? -EINVAL : 0;
}

static void __exit faulty_exit(void)
{
}

module_init(faulty_init);
module_exit(faulty_exit);
MODULE_DESCRIPTION("Faults for the debug kernel to find");
MODULE_LICENSE("GPL");
