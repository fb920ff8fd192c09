// SPDX-License-Identifier: GPL-2.0
/*
 * Jobs: what sends commands to a device. Those of one device run one after the other, in a
 * work item, so that who waits for one can give up while the device does not answer.
 */
#include <linux/jiffies.h>
#include <linux/slab.h>

#include "fence.h"

struct nvf_job *nvf_job_alloc(struct nvf_lower *lower, struct nvf_attachment *att,
			      void (*run)(struct nvf_job *job), u32 timeout_ms)
{
	struct nvf_job *job = kvzalloc(sizeof(*job), GFP_KERNEL);

	if (!job)
		return NULL;
	job->run = run;
	job->lower = lower;
	nvf_lower_hold(lower);
	job->att = att;
	if (att)
		kref_get(&att->ref);
	job->deadline = jiffies + msecs_to_jiffies(timeout_ms ?: NVME_FENCE_TIMEOUT_DEFAULT);
	INIT_LIST_HEAD(&job->list);
	init_completion(&job->done);
	kref_init(&job->ref);
	return job;
}

static void job_free(struct kref *ref)
{
	struct nvf_job *job = container_of(ref, struct nvf_job, ref);

	if (job->att)
		nvf_attachment_put(job->att);
	nvf_lower_put(job->lower);
	kfree(job->acq);
	kfree(job->op);
	kvfree(job->hosts);
	kvfree(job);
}

void nvf_job_put(struct nvf_job *job)
{
	kref_put(&job->ref, job_free);
}

bool nvf_job_over(const struct nvf_job *job)
{
	return READ_ONCE(job->abandoned) || time_after(jiffies, job->deadline);
}

/* Nobody waits any more. Returns whether the job's result stands nevertheless. */
static bool abandon(struct nvf_job *job)
{
	struct nvf_lower *lower = job->lower;
	bool ended, queued;

	spin_lock_irq(&lower->lock);
	ended = job->ended;
	if (!ended)
		WRITE_ONCE(job->abandoned, true);
	queued = !list_empty(&job->list);
	if (queued)
		list_del_init(&job->list);
	spin_unlock_irq(&lower->lock);
	nvf_drain_wake(lower);
	if (queued)
		nvf_job_put(job);
	return ended;
}

int nvf_job_wait(struct nvf_job *job, bool killable)
{
	struct nvf_lower *lower = job->lower;
	long left, ret;
	bool acquires;

	spin_lock_irq(&lower->lock);
	list_add_tail(&job->list, &lower->jobs);
	kref_get(&job->ref);
	acquires = job->att && job->acq;
	if (acquires)
		job->att->acquires++;
	spin_unlock_irq(&lower->lock);
	nvf_lower_queue(lower, &lower->work);

	left = max_t(long, job->deadline - jiffies, 1);
	ret = killable ? wait_for_completion_killable_timeout(&job->done, left) :
			 wait_for_completion_interruptible_timeout(&job->done, left);
	if (ret <= 0 && abandon(job)) {
		/* A few instructions from its end. */
		wait_for_completion(&job->done);
		ret = 1;
	}
	spin_lock_irq(&lower->lock);
	if (acquires)
		job->att->acquires--;
	spin_unlock_irq(&lower->lock);
	if (ret > 0)
		return job->ret;
	/* What the job itself writes is not looked at: it may run still. */
	return ret ? -EINTR : -ETIMEDOUT;
}

const char *nvf_job_why(const struct nvf_job *job)
{
	return job->abandoned ? "the device did not answer in time" : job->why;
}

void nvf_lower_work(struct work_struct *work)
{
	struct nvf_lower *lower = container_of(work, struct nvf_lower, work);
	struct nvf_job *job;

	for (;;) {
		spin_lock_irq(&lower->lock);
		job = list_first_entry_or_null(&lower->jobs, struct nvf_job, list);
		if (job)
			list_del_init(&job->list);
		lower->running = job;
		spin_unlock_irq(&lower->lock);
		if (!job)
			break;
		job->run(job);
		spin_lock_irq(&lower->lock);
		job->ended = true;
		spin_unlock_irq(&lower->lock);
		complete(&job->done);
		nvf_job_put(job);
	}
	nvf_lower_put(lower);
}
