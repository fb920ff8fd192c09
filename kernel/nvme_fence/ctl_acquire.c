// SPDX-License-Identifier: GPL-2.0
/*
 * Acquiring an epoch, giving it back, and comparing it with the device: core/acquire.h says what
 * comes next, this does it. All of it runs in jobs of the device, one at a time.
 */
#include <linux/delay.h>
#include <linux/slab.h>

#include "fence.h"

/* Between two looks at a reservation that somebody else is about to change. */
#define READ_PAUSE_MS	5
/* Before a command that failed is sent again. */
#define RETRY_PAUSE_MS	500

static bool job_over(void *data)
{
	return nvf_job_over(data);
}

int nvf_job_read(struct nvf_job *job)
{
	struct nvf_lower *lower = job->lower;
	unsigned int commands = 0;
	int ret;

	job->read = false;
	if (nvf_dev_can_read(lower)) {
		ret = nvf_dev_read(job, &commands);
		if (job->acq)
			job->acq->commands += commands;
		if (ret)
			return ret;
		if (job->hosts)
			nvf_report_learn(&job->report, job->hosts);
	} else if (!job->report_given) {
		return -EAGAIN;
	}
	job->report_given = false;
	job->read = true;
	spin_lock_irq(&lower->lock);
	nvf_lower_saw(lower, nvf_report_newest(&job->report));
	spin_unlock_irq(&lower->lock);
	return 0;
}

struct nvf_acq *nvf_acq_make(struct nvf_attachment *att, const struct nvf_acquire_params *p)
{
	struct nvf_lower *lower = att->lower;
	struct nvf_request request = {
		.device = att->grade == NVME_FENCE_GRADE_DEVICE,
		.node = lower->node_id,
		.epoch = p->epoch,
		.preempt_foreign = p->preempt_foreign,
	};
	struct nvf_acq *acq = kzalloc(sizeof(*acq), GFP_KERNEL);

	if (!acq)
		return NULL;
	spin_lock_irq(&lower->lock);
	nvf_lower_saw(lower, p->known);
	request.known = lower->seen;
	request.tenure = nvf_gate_tenure(&att->state);
	request.host_known = lower->host_known;
	memcpy(request.host, lower->host_id, NVF_HOST_ID_SIZE);
	spin_unlock_irq(&lower->lock);
	acq->set_lease = p->set_lease;
	acq->lease = p->lease;
	nvf_acquire_start(&acq->a, &request);
	return acq;
}

static int fail(struct nvf_job *job, int ret, const char *why)
{
	job->ret = ret;
	job->why = why;
	return ret;
}

/* May this attachment acquire at all? Nothing is fenced on behalf of one that may not. */
static int may_acquire(struct nvf_job *job)
{
	struct nvf_attachment *att = job->att;
	struct nvf_lower *lower = job->lower;
	bool sticky, gone;

	nvf_lower_check(lower);
	spin_lock_irq(&lower->lock);
	sticky = att->state.sticky;
	gone = lower->gone || att->detached;
	spin_unlock_irq(&lower->lock);
	if (gone)
		return fail(job, -ENODEV, "the device was removed");
	if (sticky)
		return fail(job, -ESTALE,
			    "files are open that were open when the attachment was fenced: close them first, or attach anew");
	return 0;
}

/* The last step: the gate opens, unless somebody has published a newer epoch or nobody waits. */
static int grant(struct nvf_job *job)
{
	struct nvf_attachment *att = job->att;
	struct nvf_lower *lower = job->lower;
	struct nvf_acq *acq = job->acq;
	enum nvf_gate_act act = NVF_ACT_REFUSED;

	spin_lock_irq(&lower->lock);
	if (!job->abandoned && !att->detached)
		act = nvf_gate_grant(&att->state, acq->a.epoch, acq->a.follows, lower->newest);
	if (act == NVF_ACT_OPENED) {
		att->acquiring = false;
		att->unfinished = false;
		att->releasing = false;
		att->grant = ++lower->grants;
		att->commands = acq->commands;
		if (acq->set_lease)
			att->lease = acq->lease;
		nvf_lease_start(att);
		nvf_gate_apply(att);
		nvf_pr_granted(&lower->pr, &att->pr, acq->by_preempt, acq->victim);
		job->ended = true;
	}
	spin_unlock_irq(&lower->lock);
	if (act == NVF_ACT_OPENED) {
		nvf_disk_resize(att);
		nvf_event(NVME_FENCE_EVENT_GRANTED, att, NULL);
		return 0;
	}
	return -ESTALE;
}

/* The acquire has come to nothing: what it fenced stays so. */
static void give_up(struct nvf_job *job)
{
	struct nvf_attachment *att = job->att;
	struct nvf_lower *lower = job->lower;

	spin_lock_irq(&lower->lock);
	att->commands = job->acq->commands;
	if (att->acquiring) {
		att->acquiring = false;
		att->unfinished = true;
		nvf_gate_lose(att, NVF_EV_FAILED);
	}
	spin_unlock_irq(&lower->lock);
}

static void fail_why(struct nvf_job *job, enum nvf_why why)
{
	switch (why) {
	case NVF_WHY_NOT_NEWER:
		fail(job, -ESTALE, "the epoch is not newer than the newest one known");
		break;
	case NVF_WHY_LOST:
		fail(job, -EBADE, "a newer epoch has won");
		break;
	case NVF_WHY_FOREIGN:
		fail(job, -EKEYREJECTED,
		     "the device has a reservation or registration of another kind, or one left half-way");
		break;
	case NVF_WHY_SAME_NODE:
		fail(job, -EKEYREJECTED, "another host is registered with this node id");
		break;
	case NVF_WHY_EXHAUSTED:
		fail(job, -ERANGE, "no greater epoch can be written");
		break;
	case NVF_WHY_TIMEOUT:
		fail(job, -ETIMEDOUT, "the time was over before the epoch was acquired");
		break;
	case NVF_WHY_UNSETTLED:
		fail(job, -EIO, "the reservation of the device does not settle");
		break;
	default:
		if (READ_ONCE(job->lower->gone))
			fail(job, -ENODEV, "the device was removed");
		else
			fail(job, -EIO, "a reservation command failed");
	}
}

static void end_failed(struct nvf_job *job)
{
	struct nvf_action *action = &job->acq->action;

	give_up(job);
	fail_why(job, action->why);
	if (action->why == NVF_WHY_LOST) {
		job->lost = true;
		job->winner = action->winner;
		nvf_event(NVME_FENCE_EVENT_LOST, job->att, &job->winner);
	}
}

/* The caller is to read the reservation: it is continued with the next request. */
static void set_aside(struct nvf_job *job)
{
	struct nvf_attachment *att = job->att;
	struct nvf_lower *lower = job->lower;
	struct nvf_acq *acq = job->acq, *old = NULL;

	job->acq = NULL;
	job->wanted = true;
	spin_lock_irq(&lower->lock);
	att->commands = acq->commands;
	if (!job->abandoned && !att->detached) {
		old = att->acq;
		att->acq = acq;
		acq = NULL;
		job->ended = true;
	}
	spin_unlock_irq(&lower->lock);
	kfree(old);
	kfree(acq);
}

static enum nvf_outcome drain(struct nvf_job *job)
{
	return nvf_drain(job->lower, job->deadline, job_over, job) ? NVF_DONE : NVF_TIMEOUT;
}

static enum nvf_outcome publish(struct nvf_job *job)
{
	return nvf_publish(job->att, job->acq->a.epoch) ? NVF_DONE : NVF_CONFLICT;
}

/*
 * The kernel's own reading tells no hosts. A key of this host's that has another node's number, or
 * another form, is then met only by a first registration that the device refuses: who asked for
 * the acquire may know whose it is, and is asked once.
 */
static bool ask_for_hosts(struct nvf_job *job)
{
	struct nvf_acq *acq = job->acq;

	/* A consumer's ioctl has nobody to be asked. */
	if (!acq->hosts_wanted || acq->hosts_asked || job->hosts || job->op ||
	    !nvf_dev_can_read(job->lower))
		return false;
	acq->hosts_asked = true;
	return true;
}

/*
 * One action. @before: the last one. Returns -EAGAIN when a report is wanted, 1 when the acquire
 * has ended.
 */
static int act(struct nvf_job *job, enum nvf_do before, enum nvf_outcome *outcome)
{
	struct nvf_acq *acq = job->acq;
	struct nvf_action *action = &acq->action;
	int ret;

	*outcome = NVF_TIMEOUT;
	if (action->what == NVF_DO_FAIL) {
		end_failed(job);
		return 1;
	}
	/* What a preempt has come to is said to the device even when the time is over. */
	if (before != NVF_DO_PREEMPT && nvf_job_over(job))
		return 0;
	switch (action->what) {
	case NVF_DO_READ:
		/* It waits for another host to come to an end. */
		if (before == NVF_DO_READ)
			msleep(READ_PAUSE_MS);
		ret = ask_for_hosts(job) ? -EAGAIN : nvf_job_read(job);
		if (ret == -EAGAIN)
			return ret;
		*outcome = ret ? NVF_ERROR : NVF_DONE;
		return 0;
	case NVF_DO_PUBLISH:
		*outcome = publish(job);
		return 0;
	case NVF_DO_DRAIN:
		*outcome = drain(job);
		return 0;
	case NVF_DO_REGISTER:
		acq->commands++;
		if (before == NVF_DO_REGISTER)
			msleep(RETRY_PAUSE_MS);
		*outcome = nvf_dev_register(job, action->old_key, action->new_key);
		acq->hosts_wanted |= !action->old_key && *outcome == NVF_CONFLICT;
		return 0;
	case NVF_DO_RESERVE:
		acq->commands++;
		*outcome = nvf_dev_reserve(job, action->new_key);
		return 0;
	case NVF_DO_PREEMPT:
		acq->commands++;
		*outcome = nvf_dev_preempt(job, action->new_key, action->old_key);
		return 0;
	case NVF_DO_GRANT:
		if (grant(job)) {
			give_up(job);
			may_acquire(job);
			if (!job->ret)
				fail(job, -ESTALE, "the epoch was not granted any more");
		}
		return 1;
	case NVF_DO_FAIL:
		break;
	}
	return 0;
}

void nvf_acquire_run(struct nvf_job *job)
{
	struct nvf_acq *acq = job->acq;
	enum nvf_outcome outcome = NVF_DONE;
	enum nvf_do before = NVF_DO_FAIL;
	const struct nvf_report *report;
	int ret;

	if (may_acquire(job)) {
		give_up(job);
		return;
	}
	if (!acq->begun) {
		acq->begun = true;
		nvf_acquire_next(&acq->a, NVF_DONE, NULL, job->lower->newest, &acq->action);
	}
	for (;;) {
		ret = act(job, before, &outcome);
		if (ret)
			break;
		before = acq->action.what;
		report = before == NVF_DO_READ && outcome == NVF_DONE ? &job->report : NULL;
		nvf_acquire_next(&acq->a, outcome, report, job->lower->newest, &acq->action);
	}
	if (ret == -EAGAIN)
		set_aside(job);
}

/* ---- giving back ---- */

/* The epoch whose key the attachment may have on the device, 0 for none. */
static u64 held_epoch(struct nvf_attachment *att)
{
	lockdep_assert_held(&att->lower->lock);
	if (att->grade != NVME_FENCE_GRADE_DEVICE || att->lower->gone)
		return 0;
	if (att->state.state == NVF_GRANTED)
		return att->state.epoch;
	if ((att->unfinished || att->acquiring) && att->tried == att->lower->newest)
		return att->tried;
	return 0;
}

/*
 * The reservation stays, with a key that says that nobody uses it: were it released, what an older
 * host has held back until now would find nothing in its way. A conflict is an answer too: the key
 * was not on the device any more.
 */
static int vacate(struct nvf_job *job, u64 epoch)
{
	u16 node = job->lower->node_id;
	u64 held = nvf_key_make(epoch, node);
	u64 vacant = nvf_key_make_form(epoch, node, NVF_FORM_VACANT);

	switch (nvf_dev_register(job, held, vacant)) {
	case NVF_DONE:
	case NVF_CONFLICT:
		return 0;
	case NVF_TIMEOUT:
		return fail(job, -ETIMEDOUT, "the gate is shut, but no path leads to the device");
	case NVF_ERROR:
		break;
	}
	return fail(job, -EIO, "the gate is shut, but the device could not be told");
}

int nvf_release_now(struct nvf_job *job, enum nvf_event event)
{
	struct nvf_attachment *att = job->att;
	struct nvf_lower *lower = job->lower;
	struct nvf_acq *old;
	bool granted;
	u64 epoch;

	nvf_lower_check(lower);
	spin_lock_irq(&lower->lock);
	/* Also if it began with an earlier release, which came to no end. */
	att->releasing |= att->state.state == NVF_GRANTED;
	epoch = held_epoch(att);
	old = att->acq;
	att->acq = NULL;
	att->acquiring = false;
	/* Whatever happens now: as long as the device is not told, the key may be there. */
	if (epoch) {
		att->unfinished = true;
		att->tried = epoch;
	}
	nvf_gate_lose(att, event);
	spin_unlock_irq(&lower->lock);
	kfree(old);
	/* Others may write once the device is free: what this one wrote has to be over. */
	if (!nvf_drain(lower, job->deadline, job_over, job))
		return fail(job, -ETIMEDOUT,
			    "the gate is shut, but writes are still on their way: the device was not told");
	if (epoch && vacate(job, epoch))
		return job->ret;
	spin_lock_irq(&lower->lock);
	att->unfinished = false;
	granted = att->releasing;
	att->releasing = false;
	spin_unlock_irq(&lower->lock);
	if (granted)
		nvf_event(NVME_FENCE_EVENT_RELEASED, att, NULL);
	return 0;
}

void nvf_release_run(struct nvf_job *job)
{
	nvf_release_now(job, NVF_EV_RELEASE_ADMIN);
}

/* ---- comparing ---- */

void nvf_verify_run(struct nvf_job *job)
{
	struct nvf_lower *lower = job->lower;
	struct nvf_attachment *att;
	u64 grants = U64_MAX, key;
	int ret;

	if (job->att->grade != NVME_FENCE_GRADE_DEVICE || READ_ONCE(lower->gone))
		return;
	/* What was granted after the caller had begun to read cannot be in its report. */
	if (!nvf_dev_can_read(lower))
		grants = job->report_grants;
	ret = nvf_job_read(job);
	if (ret == -EOPNOTSUPP) {
		/* It had reservations, and knows nothing of such a thing any more. */
		memset(&job->report, 0, sizeof(job->report));
		job->read = true;
	} else if (ret) {
		return;
	}
	spin_lock_irq(&lower->lock);
	list_for_each_entry(att, &lower->attachments, sibling) {
		if (att->state.state != NVF_GRANTED || att->grant > grants)
			continue;
		key = nvf_key_make(att->state.epoch, lower->node_id);
		if (!nvf_report_holds(&job->report, key))
			nvf_gate_lose(att, NVF_EV_FORGOTTEN);
	}
	spin_unlock_irq(&lower->lock);
}
