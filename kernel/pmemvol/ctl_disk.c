// SPDX-License-Identifier: GPL-2.0
/* The disk and the DAX device of a volume. */
#include <linux/device.h>
#include <linux/idr.h>
#include <linux/mm.h>
#include <linux/module.h>

#include "ctl.h"
#include "data.h"
#include "data_map.h"

/* Disks removed at a time when a pool goes. */
#define DISK_REMOVERS 64

static DEFINE_IDA(pmv_minors);
static struct workqueue_struct *disk_wq;

COMPAT_DISK_OPEN(disk_open)
{
	struct pmv_volume *v = COMPAT_OPEN_DISK()->private_data;
	int ret = 0;

	spin_lock(&v->open_lock);
	if (v->dying)
		ret = -ENXIO;
	else
		v->openers++;
	spin_unlock(&v->open_lock);
	return ret;
}

COMPAT_DISK_RELEASE(disk_release)
{
	struct pmv_volume *v = disk->private_data;

	spin_lock(&v->open_lock);
	if (!--v->openers)
		WRITE_ONCE(v->dax_given, false);
	spin_unlock(&v->open_lock);
}

COMPAT_SUBMIT_BIO_FN(pmv_submit_bio);
COMPAT_SUBMIT_BIO_FN(pmv_submit_snapshot_bio);

static const struct block_device_operations snapshot_fops = {
	.owner = THIS_MODULE,
	.open = disk_open,
	.release = disk_release,
	.submit_bio = COMPAT_SUBMIT_BIO(pmv_submit_snapshot_bio),
};

const struct block_device_operations pmv_disk_fops = {
	.owner = THIS_MODULE,
	.open = disk_open,
	.release = disk_release,
	.submit_bio = COMPAT_SUBMIT_BIO(pmv_submit_bio),
};

int pmv_disk_try_kill(struct pmv_volume *v)
{
	int ret = 0;

	spin_lock(&v->open_lock);
	if (v->openers)
		ret = -EBUSY;
	else
		v->dying = true;
	spin_unlock(&v->open_lock);
	return ret;
}

void pmv_disk_unkill(struct pmv_volume *v)
{
	spin_lock(&v->open_lock);
	v->dying = v->rolling;
	spin_unlock(&v->open_lock);
}

/* udev makes /dev/pmemvol/POOL/VOLUME from these. */
static struct pmv_volume *dev_volume(struct device *dev)
{
	return dev_to_disk(dev)->private_data;
}

static ssize_t pool_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%s\n", dev_volume(dev)->pool->name);
}

static ssize_t volume_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	struct pmv_volume *v = dev_volume(dev);
	struct pmv_volume *named = v->origin ?: v;
	char name[PMV_NAME_MAX + 1];

	/* A rename replaces the name under this lock. A snapshot with a disk has its volume. */
	spin_lock(&named->open_lock);
	memcpy(name, named->name, sizeof(name));
	spin_unlock(&named->open_lock);
	return named == v ? sysfs_emit(buf, "%s\n", name) :
			    sysfs_emit(buf, "%s@%s\n", name, v->name);
}

static ssize_t uuid_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%pUb\n", dev_volume(dev)->desc.uuid);
}

static DEVICE_ATTR_RO(pool);
static DEVICE_ATTR_RO(volume);
static DEVICE_ATTR_RO(uuid);

static struct attribute *disk_attrs[] = {
	&dev_attr_pool.attr,
	&dev_attr_volume.attr,
	&dev_attr_uuid.attr,
	NULL
};

static const struct attribute_group disk_group = {
	.name = "pmemvol",
	.attrs = disk_attrs,
};

static const struct attribute_group *disk_groups[] = { &disk_group, NULL };

static int make_dax(struct pmv_volume *v)
{
	v->dax = compat_alloc_dax(v, &pmv_dax_ops, v->disk);
	if (IS_ERR_OR_NULL(v->dax)) {
		int ret = v->dax ? PTR_ERR(v->dax) : -EOPNOTSUPP;

		v->dax = NULL;
		return ret;
	}
	/* As the members are: synchronous, written past the cache, read with care. */
	set_dax_synchronous(v->dax);
	set_dax_nocache(v->dax);
	set_dax_nomc(v->dax);
	dax_write_cache(v->dax, v->pool->write_cache);
	return 0;
}

/*
 * What a snapshot shows is others' too: nobody may map it. Neither a clone, where it cannot get
 * chunks of its own: without DAX its files can be read all the same.
 */
static bool has_dax(const struct pmv_volume *v)
{
	if (pmv_volume_is_snapshot(v))
		return false;
	return !v->kin.parent || READ_ONCE(v->pool->mode) != PMEMVOL_MODE_READ_ONLY;
}

int pmv_disk_make(struct pmv_volume *v)
{
	struct pmv_pool *pool = v->pool;
	const bool dax = has_dax(v);
	/*
	 * Blocks of 512 bytes, as the raw device has: images made there or on LVM over it
	 * can be copied to a volume whatever sector size their file system chose. mkfs takes
	 * the preferred granularity for its allocation, which makes 2 MiB mappings possible.
	 */
	const struct compat_disk_limits limits = {
		.logical = SECTOR_SIZE,
		.io_opt = PMD_SIZE,
		.discard = pmv_volume_is_snapshot(v) ? 0 : pmv_chunk_size(pool),
		.dax = dax,
	};
	struct gendisk *disk;
	int ret;

	v->minor = ida_alloc(&pmv_minors, GFP_KERNEL);
	if (v->minor < 0)
		return v->minor;
	disk = compat_alloc_disk(&limits, pool->node);
	if (IS_ERR(disk)) {
		ret = PTR_ERR(disk);
		goto err_minor;
	}
	snprintf(disk->disk_name, sizeof(disk->disk_name), "pmv%d", v->minor);
	disk->fops = pmv_volume_is_snapshot(v) ? &snapshot_fops : &pmv_disk_fops;
	disk->private_data = v;
	disk->flags |= GENHD_FL_NO_PART;
	v->disk = disk;
	ret = dax ? make_dax(v) : 0;
	if (ret)
		goto err_disk;
	return 0;

err_disk:
	put_disk(disk);
	v->disk = NULL;
err_minor:
	ida_free(&pmv_minors, v->minor);
	v->minor = -1;
	return ret;
}

int pmv_disk_add(struct pmv_volume *v)
{
	int ret;

	set_capacity(v->disk, v->map.chunks << (v->pool->chunk_shift - SECTOR_SHIFT));
	/* File systems and programs hear it before they try. */
	v->only_read = READ_ONCE(v->pool->mode) == PMEMVOL_MODE_READ_ONLY;
	if (pmv_volume_is_snapshot(v) || v->only_read)
		set_disk_ro(v->disk, true);
	if (v->dax) {
		ret = dax_add_host(v->dax, v->disk);
		if (ret)
			return ret;
		v->dax_added = true;
	}
	ret = device_add_disk(NULL, v->disk, disk_groups);
	/* It says so of a name that it had no memory for. */
	if (ret == -EINVAL)
		ret = -ENOMEM;
	if (ret)
		return ret;
	v->disk_added = true;
	return 0;
}

void pmv_disk_remove(struct pmv_volume *v)
{
	struct gendisk *disk = v->disk;
	const bool added = v->disk_added;

	if (disk && pmv_volume_is_snapshot(v)) {
		/* It stays, without its disk, and no DAX device is waited for. */
		WRITE_ONCE(v->disk_added, false);
		WRITE_ONCE(v->disk, NULL);
		pmv_failures_wait();
	}
	if (added)
		del_gendisk(disk);
	if (v->dax_added)
		dax_remove_host(disk);
	if (v->dax) {
		/* Waits for everybody who is asking for an address, or looks at a failure. */
		kill_dax(v->dax);
		put_dax(v->dax);
	}
	if (disk)
		put_disk(disk);
	if (v->minor >= 0)
		ida_free(&pmv_minors, v->minor);
	v->disk_added = false;
	v->dax_added = false;
	v->dax = NULL;
	v->disk = NULL;
	v->minor = -1;
}

static void remove_work(struct work_struct *work)
{
	pmv_disk_remove(container_of(work, struct pmv_volume, remove));
}

void pmv_disk_remove_all(struct pmv_pool *pool)
{
	struct pmv_volume *v;
	unsigned long slot;

	/* Each waits for grace periods: together they wait for the same ones. */
	xa_for_each(&pool->volumes, slot, v) {
		if (xa_is_value(v))
			continue;
		INIT_WORK(&v->remove, remove_work);
		queue_work(disk_wq, &v->remove);
	}
	flush_workqueue(disk_wq);
}

int pmv_disk_init(void)
{
	disk_wq = alloc_workqueue("pmemvol-disk", WQ_UNBOUND, DISK_REMOVERS);
	return disk_wq ? 0 : -ENOMEM;
}

void pmv_disk_exit(void)
{
	destroy_workqueue(disk_wq);
	ida_destroy(&pmv_minors);
}
