// SPDX-License-Identifier: GPL-2.0
/* The disk of an attachment. */
#include <linux/device.h>
#include <linux/idr.h>
#include <linux/module.h>

#include "fence.h"

static DEFINE_IDA(nvf_minors);

static int open_gate(struct nvf_attachment *att)
{
	struct nvf_lower *lower = att->lower;
	int ret = 0;

	nvf_lower_check(lower);
	spin_lock_irq(&lower->lock);
	if (att->detached || att->state.gone)
		ret = -ENXIO;
	else
		nvf_gate_event(&att->state, NVF_EV_OPEN, 0, lower->newest);
	spin_unlock_irq(&lower->lock);
	return ret;
}

COMPAT_DISK_OPEN(disk_open)
{
	struct nvf_attachment *att = COMPAT_OPEN_DISK()->private_data;
	int ret = open_gate(att);

	if (!ret)
		nvf_disk_resize(att);
	return ret;
}

COMPAT_DISK_RELEASE(disk_release)
{
	struct nvf_attachment *att = disk->private_data;
	struct nvf_lower *lower = att->lower;
	bool last;

	spin_lock_irq(&lower->lock);
	nvf_gate_event(&att->state, NVF_EV_CLOSE, 0, lower->newest);
	last = att->orphaned && !att->state.openers;
	spin_unlock_irq(&lower->lock);
	if (last)
		queue_work(nvf_wq, &att->orphan_work);
}

#ifdef COMPAT_HAVE_DISK_IDENTITY
static int disk_unique_id(struct gendisk *disk, u8 id[16], enum blk_unique_id type)
{
	struct nvf_attachment *att = disk->private_data;

	return compat_unique_id(att->bdev->bd_disk, id, type);
}
#endif

COMPAT_SUBMIT_BIO_FN(nvf_submit_bio);

const struct block_device_operations nvf_disk_fops = {
	.owner = THIS_MODULE,
	.open = disk_open,
	.release = disk_release,
	.submit_bio = COMPAT_SUBMIT_BIO(nvf_submit_bio),
#ifdef COMPAT_HAVE_DISK_IDENTITY
	.get_unique_id = disk_unique_id,
#endif
	.pr_ops = &nvf_pr_ops,
};

/* udev makes /dev/nvme_fence/NAME from it. */
static ssize_t name_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	const struct nvf_attachment *att = dev_to_disk(dev)->private_data;

	return sysfs_emit(buf, "%s\n", att->name);
}

static DEVICE_ATTR_RO(name);

static struct attribute *disk_attrs[] = {
	&dev_attr_name.attr,
	NULL
};

static const struct attribute_group disk_group = {
	.name = "nvme_fence",
	.attrs = disk_attrs,
};

static const struct attribute_group *disk_groups[] = { &disk_group, NULL };

int nvf_disk_make(struct nvf_attachment *att)
{
	struct gendisk *disk;
	int ret;

	att->minor = ida_alloc(&nvf_minors, GFP_KERNEL);
	if (att->minor < 0)
		return att->minor;
	disk = compat_alloc_stacked(att->bdev, att->bdev->bd_disk->node_id);
	if (IS_ERR(disk)) {
		ret = PTR_ERR(disk);
		ida_free(&nvf_minors, att->minor);
		att->minor = -1;
		return ret;
	}
	snprintf(disk->disk_name, sizeof(disk->disk_name), "nvf%d", att->minor);
	disk->fops = &nvf_disk_fops;
	disk->private_data = att;
	disk->flags |= GENHD_FL_NO_PART;
	att->disk = disk;
	return 0;
}

int nvf_disk_add(struct nvf_attachment *att)
{
	int ret;

	set_capacity(att->disk, bdev_nr_sectors(att->bdev));
	ret = device_add_disk(NULL, att->disk, disk_groups);
	if (ret)
		return ret;
	att->added = true;
	ret = bd_link_disk_holder(att->bdev, att->disk);
	if (ret)
		return ret;
	att->linked = true;
	return 0;
}

void nvf_disk_resize(struct nvf_attachment *att)
{
	sector_t sectors = bdev_nr_sectors(att->bdev);

	if (sectors && sectors != get_capacity(att->disk))
		set_capacity_and_notify(att->disk, sectors);
}

void nvf_disk_remove(struct nvf_attachment *att)
{
	if (att->linked)
		bd_unlink_disk_holder(att->bdev, att->disk);
	att->linked = false;
	if (att->added) {
		del_gendisk(att->disk);
		/* The queue is empty, but bios are on their way below it. */
		nvf_drain_all(att);
	}
	att->added = false;
	if (att->minor >= 0)
		ida_free(&nvf_minors, att->minor);
	att->minor = -1;
}

void nvf_disk_exit(void)
{
	ida_destroy(&nvf_minors);
}
