// SPDX-License-Identifier: GPL-2.0
/* Attaching and detaching, and finding an attachment by its name. */
#include <linux/netlink.h>
#include <linux/slab.h>

#include "fence.h"

DECLARE_RWSEM(nvf_table_sem);
LIST_HEAD(nvf_attachments);

static unsigned int table_seq;

unsigned int nvf_attachments_seq(void)
{
	lockdep_assert_held(&nvf_table_sem);
	return table_seq;
}

static int refuse(struct netlink_ext_ack *extack, int err, const char *why)
{
	if (extack && why)
		extack->_msg = why;
	return err;
}

static struct nvf_attachment *find(const char *name)
{
	struct nvf_attachment *att;

	lockdep_assert_held(&nvf_table_sem);
	list_for_each_entry(att, &nvf_attachments, list)
		if (!strcmp(att->name, name))
			return att;
	return NULL;
}

struct nvf_attachment *nvf_attachment_get(const char *name)
{
	struct nvf_attachment *att;

	down_read(&nvf_table_sem);
	att = find(name);
	if (att)
		kref_get(&att->ref);
	up_read(&nvf_table_sem);
	return att;
}

static void attachment_free(struct kref *ref)
{
	struct nvf_attachment *att = container_of(ref, struct nvf_attachment, ref);
	struct nvf_lower *lower = att->lower;

	/* Until now, for those who mark it dead. */
	if (att->disk)
		put_disk(att->disk);
	free_percpu(att->flight);
	kfree(att->acq);
	kfree(att);
	nvf_lower_put(lower);
}

void nvf_attachment_put(struct nvf_attachment *att)
{
	kref_put(&att->ref, attachment_free);
}

/* The last put takes locks that are outside the one a file is closed under. */
static void orphan_work(struct work_struct *work)
{
	nvf_attachment_put(container_of(work, struct nvf_attachment, orphan_work));
}

/* Takes over the reference on the lower device, if it succeeds. */
static struct nvf_attachment *attachment_alloc(struct nvf_lower *lower, const char *name)
{
	struct nvf_attachment *att = kzalloc(sizeof(*att), GFP_KERNEL);

	if (!att)
		return NULL;
	att->flight = alloc_percpu(struct nvf_flight);
	if (!att->flight) {
		kfree(att);
		return NULL;
	}
	att->lower = lower;
	att->bdev = lower->bdev;
	att->minor = -1;
	kref_init(&att->ref);
	INIT_LIST_HEAD(&att->list);
	INIT_LIST_HEAD(&att->sibling);
	strscpy(att->name, name, sizeof(att->name));
	INIT_WORK(&att->orphan_work, orphan_work);
	nvf_gate_init(att);
	return att;
}

/* Among those of its device: from now on it takes part in acquires and removal. */
static int enlist(struct nvf_attachment *att)
{
	struct nvf_lower *lower = att->lower;
	int ret = 0;

	spin_lock_irq(&lower->lock);
	if (lower->gone) {
		ret = -ENODEV;
	} else {
		list_add_tail(&att->sibling, &lower->attachments);
		nvf_pr_add(&lower->pr, &att->pr);
	}
	spin_unlock_irq(&lower->lock);
	return ret;
}

/*
 * An attach that failed: nothing of it is granted or told any more. Who has opened its disk in
 * the meantime, as udev does, has a reference, and nobody opens it from here on.
 */
static void seal(struct nvf_attachment *att)
{
	struct nvf_lower *lower = att->lower;

	spin_lock_irq(&lower->lock);
	att->detached = true;
	nvf_gate_apply(att);
	att->orphaned = att->state.openers;
	if (att->orphaned)
		kref_get(&att->ref);
	spin_unlock_irq(&lower->lock);
}

static void dismantle(struct nvf_attachment *att)
{
	struct nvf_lower *lower = att->lower;

	nvf_gate_exit(att);
	nvf_disk_remove(att);
	spin_lock_irq(&lower->lock);
	if (!list_empty(&att->sibling)) {
		list_del_init(&att->sibling);
		nvf_pr_del(&lower->pr, &att->pr);
	}
	spin_unlock_irq(&lower->lock);
}

/* ---- attach ---- */

static void probe_run(struct nvf_job *job)
{
	job->ret = nvf_job_read(job);
}

/* Can the device's reservation be used? The caller's report proves it where we cannot read. */
static int find_grade(struct nvf_lower *lower, const struct nvf_attach_params *p,
		      struct netlink_ext_ack *extack)
{
	struct nvf_job *job;
	int ret;

	if (!nvf_dev_offers_pr(lower) || (!nvf_dev_can_read(lower) && !p->report))
		return -EOPNOTSUPP;
	job = nvf_job_alloc(lower, NULL, probe_run, p->timeout);
	if (!job)
		return -ENOMEM;
	if (p->report) {
		job->report = *p->report;
		job->report_given = true;
	}
	ret = nvf_job_wait(job, true);
	/* Who read it by passthrough has found one. */
	if (ret == -EOPNOTSUPP && p->report)
		ret = -EIO;
	if (ret && ret != -EOPNOTSUPP)
		refuse(extack, ret,
		       nvf_job_why(job) ?: "the reservation of the device could not be read");
	nvf_job_put(job);
	return ret;
}

/* One device, one grade: attachments that are ordered by different things are not ordered. */
static int set_grade(struct nvf_attachment *att, const struct nvf_attach_params *p,
		     struct netlink_ext_ack *extack)
{
	struct nvf_lower *lower = att->lower;
	bool shared = !list_empty(&lower->attachments);
	int ret = 0;

	lockdep_assert_held(&nvf_open_mutex);
	if (!shared || !lower->device_grade)
		ret = find_grade(lower, p, extack);
	if (ret && ret != -EOPNOTSUPP)
		return ret;
	if (shared && !ret && !lower->device_grade)
		return refuse(extack, -EINVAL,
			      "the device is attached with grade local: detach those first");
	if (ret && p->grade_given && p->grade == NVME_FENCE_GRADE_DEVICE)
		return refuse(extack, ret, "the device offers no reservations that could be used");
	lower->device_grade = !ret;
	att->grade = ret ? NVME_FENCE_GRADE_LOCAL : NVME_FENCE_GRADE_DEVICE;
	return 0;
}

static struct nvf_attachment *attach_locked(const struct nvf_attach_params *p,
					    struct netlink_ext_ack *extack)
{
	struct nvf_attachment *att;
	struct nvf_lower *lower;
	int ret;

	att = nvf_attachment_get(p->name);
	if (att) {
		nvf_attachment_put(att);
		return ERR_PTR(refuse(extack, -EEXIST, "an attachment with this name exists"));
	}
	lower = nvf_lower_get(p->device, p->node_id, p->host_id, extack);
	if (IS_ERR(lower))
		return ERR_CAST(lower);
	att = attachment_alloc(lower, p->name);
	if (!att) {
		nvf_lower_put_locked(lower);
		return ERR_PTR(-ENOMEM);
	}
	/* Until the end: the last reference on the device must not go while the mutex is held. */
	nvf_lower_hold(lower);
	att->lease = p->lease;
	ret = set_grade(att, p, extack);
	if (ret)
		goto err_put;
	ret = nvf_disk_make(att);
	if (ret)
		goto err_put;
	ret = enlist(att);
	if (ret) {
		refuse(extack, ret, "the device was removed");
		goto err_remove;
	}
	spin_lock_irq(&lower->lock);
	nvf_lower_saw(lower, p->known);
	spin_unlock_irq(&lower->lock);
	ret = nvf_disk_add(att);
	if (ret) {
		refuse(extack, ret, "the disk could not be added");
		goto err_remove;
	}
	if (READ_ONCE(lower->gone)) {
		ret = refuse(extack, -ENODEV, "the device was removed");
		goto err_remove;
	}
	/* For the caller, beside the table's. */
	kref_get(&att->ref);
	down_write(&nvf_table_sem);
	list_add_tail(&att->list, &nvf_attachments);
	table_seq++;
	up_write(&nvf_table_sem);
	nvf_lower_put_locked(lower);
	return att;

err_remove:
	seal(att);
	dismantle(att);
err_put:
	nvf_attachment_put(att);
	nvf_lower_put_locked(lower);
	return ERR_PTR(ret);
}

struct nvf_attachment *nvf_attach(const struct nvf_attach_params *p,
				  struct netlink_ext_ack *extack)
{
	struct nvf_attachment *att;

	if (mutex_lock_killable(&nvf_open_mutex))
		return ERR_PTR(-EINTR);
	att = attach_locked(p, extack);
	mutex_unlock(&nvf_open_mutex);
	if (!IS_ERR(att))
		nvf_event(NVME_FENCE_EVENT_ATTACHED, att, NULL);
	return att;
}

/* ---- detach ---- */

/* What it holds is given back; a device that does not answer keeps it, which fences nobody else. */
static void give_back(struct nvf_attachment *att)
{
	struct nvf_job *job = nvf_job_alloc(att->lower, att, nvf_release_run, 0);

	if (!job || nvf_job_wait(job, true))
		pr_warn("nvme_fence: %s: detached, but its reservation may still be on %pg\n",
			att->name, att->bdev);
	if (job)
		nvf_job_put(job);
}

int nvf_detach(struct nvf_attachment *att, struct netlink_ext_ack *extack)
{
	struct nvf_lower *lower = att->lower;
	const char *why = NULL;
	bool held;
	int ret = 0;

	spin_lock_irq(&lower->lock);
	if (att->detached) {
		ret = -ENOENT;
		why = "no such attachment";
	} else if (att->state.openers) {
		ret = -EBUSY;
		why = "the attachment's device is open";
	} else if (att->acquires) {
		ret = -EBUSY;
		why = "the attachment is acquiring";
	} else {
		att->detached = true;
		held = att->state.state == NVF_GRANTED || att->acquiring || att->unfinished;
		nvf_gate_apply(att);
	}
	spin_unlock_irq(&lower->lock);
	if (ret)
		return refuse(extack, ret, why);
	if (held)
		give_back(att);
	down_write(&nvf_table_sem);
	list_del_init(&att->list);
	table_seq++;
	up_write(&nvf_table_sem);
	dismantle(att);
	nvf_event(NVME_FENCE_EVENT_DETACHED, att, NULL);
	nvf_lower_settle(lower);
	/* The table's; the caller has one. */
	nvf_attachment_put(att);
	return 0;
}
