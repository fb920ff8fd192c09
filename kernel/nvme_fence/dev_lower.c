// SPDX-License-Identifier: GPL-2.0
/*
 * Lower devices: opening them once for all their attachments, what they are known by, their
 * removal, and the memory of the newest epoch after the last attachment has gone.
 */
#include <linux/module.h>
#include <linux/netlink.h>
#include <linux/slab.h>

#include "fence.h"

/* Contexts kept for I/O when memory is short. */
#define IO_POOL_MIN	64
/* Devices remembered after the last detach; the oldest are forgotten. */
#define MEMORY_MAX	1024

DEFINE_MUTEX(nvf_open_mutex);

static LIST_HEAD(lowers);
static LIST_HEAD(memory);
static unsigned int memory_count;

/**
 * struct remembered - the newest epoch of a device that is not open
 * @list: of all, the newest first
 * @ident: the device
 * @epoch: never smaller than one that was granted
 */
struct remembered {
	struct list_head list;
	struct nvf_ident ident;
	u64 epoch;
};

static struct remembered *recall(const struct nvf_ident *ident)
{
	struct remembered *r;

	lockdep_assert_held(&nvf_open_mutex);
	list_for_each_entry(r, &memory, list)
		if (!memcmp(&r->ident, ident, sizeof(*ident)))
			return r;
	return NULL;
}

/* The place is there since the device was opened: closing cannot fail. */
static int reserve_memory(const struct nvf_ident *ident)
{
	struct remembered *r;

	if (recall(ident))
		return 0;
	r = kzalloc(sizeof(*r), GFP_KERNEL);
	if (!r)
		return -ENOMEM;
	r->ident = *ident;
	list_add(&r->list, &memory);
	memory_count++;
	return 0;
}

/* As another host, the same device may be open twice. */
static bool is_listed(const struct nvf_ident *ident)
{
	const struct nvf_lower *lower;

	lockdep_assert_held(&nvf_open_mutex);
	list_for_each_entry(lower, &lowers, list)
		if (!memcmp(&lower->ident, ident, sizeof(*ident)))
			return true;
	return false;
}

static void remember(const struct nvf_ident *ident, u64 epoch)
{
	struct remembered *r = recall(ident), *old;

	if (r) {
		r->epoch = max(r->epoch, epoch);
		list_move(&r->list, &memory);
		if (!r->epoch && !is_listed(ident)) {
			list_del(&r->list);
			kfree(r);
			memory_count--;
		}
	}
	while (memory_count > MEMORY_MAX) {
		old = list_last_entry(&memory, struct remembered, list);
		list_del(&old->list);
		kfree(old);
		memory_count--;
	}
}

/* ---- removal ---- */

void nvf_lower_queue(struct nvf_lower *lower, struct work_struct *work)
{
	nvf_lower_hold(lower);
	if (!queue_work(nvf_wq, work))
		nvf_lower_put(lower);
}

/* Marks all attachments; the work that marks their disks dead is queued once. */
static void mark_gone(struct nvf_lower *lower)
{
	struct nvf_attachment *att;

	lockdep_assert_held(&lower->lock);
	lower->gone = true;
	list_for_each_entry(att, &lower->attachments, sibling)
		if (!att->state.gone)
			nvf_gate_lose(att, NVF_EV_GONE);
	/* The work's reference; a device that is being closed needs no work. */
	if (lower->gone_told || !kref_get_unless_zero(&lower->ref))
		return;
	lower->gone_told = true;
	queue_work(nvf_wq, &lower->gone_work);
}

void nvf_lower_gone(struct nvf_lower *lower)
{
	unsigned long flags;

	spin_lock_irqsave(&lower->lock, flags);
	mark_gone(lower);
	spin_unlock_irqrestore(&lower->lock, flags);
}

void nvf_lower_check(struct nvf_lower *lower)
{
	if (compat_disk_dead(lower->bdev->bd_disk) && !READ_ONCE(lower->gone))
		nvf_lower_gone(lower);
}

/* One that this round has not visited yet, with a reference: the list may change meanwhile. */
static struct nvf_attachment *next_attachment(struct nvf_lower *lower, unsigned int round)
{
	struct nvf_attachment *att, *found = NULL;

	spin_lock_irq(&lower->lock);
	list_for_each_entry(att, &lower->attachments, sibling) {
		if (att->visited == round || !kref_get_unless_zero(&att->ref))
			continue;
		att->visited = round;
		found = att;
		break;
	}
	spin_unlock_irq(&lower->lock);
	return found;
}

enum round {
	ROUND_NONE,
	ROUND_REPORT,
	ROUND_DEAD,
};

static void gone_work(struct work_struct *work)
{
	struct nvf_lower *lower = container_of(work, struct nvf_lower, gone_work);
	struct completion *leaving = READ_ONCE(lower->leaving);
	struct nvf_attachment *att;

	/* It goes in order: who is above may still write. */
	while (leaving && (att = next_attachment(lower, ROUND_REPORT))) {
		compat_disk_report_dead(att->disk);
		nvf_attachment_put(att);
	}
	nvf_lower_gone(lower);
	while ((att = next_attachment(lower, ROUND_DEAD))) {
		blk_mark_disk_dead(att->disk);
		nvf_attachment_put(att);
	}
	if (leaving)
		complete(leaving);
	nvf_lower_put(lower);
}

/*
 * The device goes; its removal does not go on before this returns. Where there is a bd_holder_lock,
 * this lets go of it.
 */
static void lower_removed(struct block_device *bdev, void *holder, bool surprise)
{
	DECLARE_COMPLETION_ONSTACK(done);
	struct nvf_lower *lower = holder;
	bool wait = false;

	/* The holder stays while bd_holder_lock is held, but it may be closing. */
	spin_lock_irq(&lower->lock);
	if (surprise) {
		mark_gone(lower);
	} else if (!lower->gone_told && kref_get_unless_zero(&lower->ref)) {
		lower->gone_told = true;
		lower->leaving = &done;
		queue_work(nvf_wq, &lower->gone_work);
		wait = true;
	}
	spin_unlock_irq(&lower->lock);
	compat_claim_unlock(bdev);
	if (wait)
		wait_for_completion(&done);
}

COMPAT_CLAIM_OPS(claim_ops, lower_removed);

/* ---- opening ---- */

static int refuse(struct netlink_ext_ack *extack, int err, const char *why)
{
	if (extack)
		extack->_msg = why;
	return err;
}

static int open_refused(struct netlink_ext_ack *extack, int err)
{
	switch (err) {
	case -EBUSY:
		return refuse(extack, err, "the device is in use");
	case -ENOTBLK:
		return refuse(extack, err, "not a block device");
	case -ENOENT:
	case -ENXIO:
	case -ENODEV:
		return refuse(extack, -ENODEV, "no such device");
	case -EROFS:
	case -EACCES:
		return refuse(extack, -EMEDIUMTYPE, "the device is read-only");
	}
	return refuse(extack, err, "the device cannot be opened");
}

static int check_usable(const struct nvf_lower *lower, struct netlink_ext_ack *extack)
{
	struct block_device *bdev = lower->bdev;

	if (bdev->bd_disk->fops == &nvf_disk_fops)
		return refuse(extack, -EMEDIUMTYPE, "the device is an attachment itself");
	if (bdev_is_partition(bdev))
		return refuse(extack, -EMEDIUMTYPE,
			      "the device is a partition, a reservation is for the whole device");
	if (bdev_read_only(bdev))
		return refuse(extack, -EMEDIUMTYPE, "the device is read-only");
	if (bdev_is_zoned(bdev))
		return refuse(extack, -EMEDIUMTYPE, "the device is zoned");
	if (bdev_get_integrity(bdev))
		return refuse(extack, -EMEDIUMTYPE, "the device has an integrity profile");
	if (!bdev_nr_sectors(bdev))
		return refuse(extack, -EMEDIUMTYPE, "the device has no capacity");
	return 0;
}

static void identify(struct nvf_lower *lower)
{
	static const enum blk_unique_id kinds[] = { BLK_UID_NAA, BLK_UID_EUI64 };
	struct gendisk *disk = lower->bdev->bd_disk;
	u8 id[NVME_FENCE_UNIQUE_ID_MAX] = { 0 };
	unsigned int i;
	int len = 0;

	/* NVMe answers EUI-64 with the NGUID, if there is one. */
	for (i = 0; i < ARRAY_SIZE(kinds) && len <= 0; i++)
		len = compat_unique_id(disk, id, kinds[i]);
	if (len > 0 && len <= (int)sizeof(id)) {
		lower->unique_id_len = len;
		memcpy(lower->unique_id, id, len);
		lower->ident.id[0] = len;
		memcpy(lower->ident.id + 1, id, len);
	} else {
		u64 seq = compat_disk_seq(disk);

		memcpy(lower->ident.id + 1, &seq, sizeof(seq));
	}
}

/*
 * Two paths of one host to one device, which the host itself does not know to be one: the device
 * sees one host where this module would see two.
 */
static int check_paths(const struct nvf_lower *lower, struct netlink_ext_ack *extack)
{
	const struct nvf_lower *other;

	lockdep_assert_held(&nvf_open_mutex);
	if (!lower->unique_id_len)
		return 0;
	list_for_each_entry(other, &lowers, list) {
		if (other == lower || memcmp(&other->ident, &lower->ident, sizeof(lower->ident)))
			continue;
		if (!other->host_known || !lower->host_known)
			return refuse(extack, -EBUSY,
				      "another path to the device is in use, and not both host ids are known");
		if (!memcmp(other->host_id, lower->host_id, NVF_HOST_ID_SIZE))
			return refuse(extack, -EBUSY,
				      "another path of this host to the device is in use");
	}
	return 0;
}

static void set_host(struct nvf_lower *lower, const u8 *host_id)
{
	spin_lock_irq(&lower->lock);
	lower->host_known = host_id;
	if (host_id)
		memcpy(lower->host_id, host_id, NVF_HOST_ID_SIZE);
	spin_unlock_irq(&lower->lock);
}

static void lower_work_init(struct nvf_lower *lower)
{
	kref_init(&lower->ref);
	spin_lock_init(&lower->lock);
	INIT_LIST_HEAD(&lower->list);
	INIT_LIST_HEAD(&lower->attachments);
	INIT_LIST_HEAD(&lower->jobs);
	INIT_WORK(&lower->work, nvf_lower_work);
	INIT_WORK(&lower->gone_work, gone_work);
	init_waitqueue_head(&lower->drain_wait);
}

static void lower_close(struct kref *ref)
{
	struct nvf_lower *lower = container_of(ref, struct nvf_lower, ref);

	lockdep_assert_held(&nvf_open_mutex);
	/* One that could not be opened was never listed. */
	if (!list_empty(&lower->list)) {
		list_del(&lower->list);
		remember(&lower->ident, max(lower->newest, lower->seen));
	}
	compat_bdev_close(&lower->claim);
	mempool_exit(&lower->io_pool);
	kfree(lower);
	module_put(THIS_MODULE);
}

static struct nvf_lower *lower_open(dev_t dev, u16 node, const u8 *host_id,
				    struct netlink_ext_ack *extack)
{
	struct nvf_lower *lower;
	int ret;

	/* The last put may be in a work item: the module stays until the device is closed. */
	if (!try_module_get(THIS_MODULE))
		return ERR_PTR(-ENODEV);
	lower = kzalloc(sizeof(*lower), GFP_KERNEL);
	if (!lower) {
		ret = -ENOMEM;
		goto err_module;
	}
	lower_work_init(lower);
	lower->node_id = node;
	set_host(lower, host_id);
	ret = mempool_init_slab_pool(&lower->io_pool, IO_POOL_MIN, nvf_io_cache);
	if (ret)
		goto err_free;
	ret = compat_claim(&lower->claim, dev, lower, claim_ops);
	if (ret) {
		ret = open_refused(extack, ret);
		goto err_pool;
	}
	lower->bdev = compat_bdev(&lower->claim);
	ret = check_usable(lower, extack);
	if (ret)
		goto err_put;
	identify(lower);
	ret = check_paths(lower, extack);
	if (ret)
		goto err_put;
	ret = reserve_memory(&lower->ident);
	if (ret)
		goto err_put;
	lower->seen = recall(&lower->ident)->epoch;
	list_add(&lower->list, &lowers);
	return lower;

err_put:
	/* The claim's operations may have queued work, which has a reference of its own. */
	kref_put(&lower->ref, lower_close);
	return ERR_PTR(ret);

err_pool:
	mempool_exit(&lower->io_pool);
err_free:
	kfree(lower);
err_module:
	module_put(THIS_MODULE);
	return ERR_PTR(ret);
}

/* Another attachment of a device that is open already. */
static int lower_share(struct nvf_lower *lower, u16 node, const u8 *host_id,
		       struct netlink_ext_ack *extack)
{
	int ret;

	if (lower->node_id != node)
		return refuse(extack, -EINVAL,
			      "the device is attached with another node id, and this is one node");
	if (host_id && lower->host_known && memcmp(host_id, lower->host_id, NVF_HOST_ID_SIZE))
		return refuse(extack, -EINVAL, "the device is attached with another host id");
	if (host_id && !lower->host_known) {
		set_host(lower, host_id);
		ret = check_paths(lower, extack);
		if (ret) {
			set_host(lower, NULL);
			return ret;
		}
	}
	kref_get(&lower->ref);
	return 0;
}

struct nvf_lower *nvf_lower_get(const char *path, u16 node, const u8 *host_id,
				struct netlink_ext_ack *extack)
{
	struct nvf_lower *lower;
	dev_t dev;
	int ret;

	lockdep_assert_held(&nvf_open_mutex);
	ret = lookup_bdev(path, &dev);
	if (ret)
		return ERR_PTR(open_refused(extack, ret));
	list_for_each_entry(lower, &lowers, list) {
		if (lower->bdev->bd_dev != dev)
			continue;
		/* The number of one that was removed may be another one's now. */
		nvf_lower_check(lower);
		if (READ_ONCE(lower->gone))
			continue;
		ret = lower_share(lower, node, host_id, extack);
		return ret ? ERR_PTR(ret) : lower;
	}
	return lower_open(dev, node, host_id, extack);
}

void nvf_lower_hold(struct nvf_lower *lower)
{
	kref_get(&lower->ref);
}

void nvf_lower_put(struct nvf_lower *lower)
{
	if (kref_put_mutex(&lower->ref, lower_close, &nvf_open_mutex))
		mutex_unlock(&nvf_open_mutex);
}

void nvf_lower_put_locked(struct nvf_lower *lower)
{
	lockdep_assert_held(&nvf_open_mutex);
	kref_put(&lower->ref, lower_close);
}

void nvf_lower_settle(struct nvf_lower *lower)
{
	bool idle;

	spin_lock_irq(&lower->lock);
	idle = list_empty(&lower->attachments) && list_empty(&lower->jobs) && !lower->running;
	spin_unlock_irq(&lower->lock);
	if (idle) {
		flush_work(&lower->work);
		flush_work(&lower->gone_work);
	}
}

void nvf_lower_saw(struct nvf_lower *lower, u64 epoch)
{
	lockdep_assert_held(&lower->lock);
	lower->seen = max(lower->seen, epoch);
}

void nvf_lower_exit(void)
{
	struct remembered *r, *next;

	list_for_each_entry_safe(r, next, &memory, list) {
		list_del(&r->list);
		kfree(r);
	}
}
