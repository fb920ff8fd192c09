// SPDX-License-Identifier: GPL-2.0
/*
 * IOC_PR_* of an attachment's disk: each attachment is a host of its own, by the rules of
 * core/pr.h. What its consumer orders concerns its own gate; taking over is an acquire.
 */
#include <linux/limits.h>
#include <linux/slab.h>

#include "fence.h"

enum pr_kind {
	PR_RESERVE,
	PR_RELEASE,
	PR_PREEMPT,
	PR_CLEAR,
	PR_LOOK,
};

/**
 * struct nvf_pr_op - what a consumer asks for
 * @kind: of operation
 * @key: the consumer's own
 * @victim: of a preempt
 * @type: of reservation
 * @remote: is set: another node holds the device's reservation
 * @remote_key: is set: its key
 */
struct nvf_pr_op {
	enum pr_kind kind;
	u64 key;
	u64 victim;
	u8 type;
	bool remote;
	u64 remote_key;
};

static struct nvf_attachment *attachment_of(struct block_device *bdev)
{
	return bdev->bd_disk->private_data;
}

/* Does another node hold? Of grade local nobody else can. */
static int look_remote(struct nvf_job *job)
{
	struct nvf_pr_op *op = job->op;
	const struct nvf_registrant *holder;
	int ret;

	if (job->att->grade != NVME_FENCE_GRADE_DEVICE)
		return 0;
	ret = nvf_job_read(job);
	if (ret)
		return ret == -EAGAIN ? -EOPNOTSUPP : -EIO;
	holder = nvf_report_holder(&job->report);
	op->remote = nvf_report_remote(&job->report, job->lower->node_id);
	op->remote_key = op->remote && holder ? holder->key : 0;
	return 0;
}

/* A consumer that repeats a release which came to no end has it brought to one. */
static enum nvf_pr_verdict finish(const struct nvf_attachment *att, enum nvf_pr_verdict verdict)
{
	return verdict == NVF_PR_OK && att->releasing ? NVF_PR_RELEASE : verdict;
}

static enum nvf_pr_verdict judge(struct nvf_job *job)
{
	struct nvf_attachment *att = job->att;
	struct nvf_pr *pr = &job->lower->pr;
	struct nvf_pr_op *op = job->op;

	lockdep_assert_held(&job->lower->lock);
	switch (op->kind) {
	case PR_RESERVE:
		if (!nvf_gate_may_acquire(&att->state))
			return NVF_PR_CONFLICT;
		return nvf_pr_reserve(pr, &att->pr, op->key, op->type, op->remote);
	case PR_PREEMPT:
		if (!nvf_gate_may_acquire(&att->state))
			return NVF_PR_CONFLICT;
		return nvf_pr_preempt(pr, &att->pr, op->key, op->victim, op->type, op->remote);
	case PR_RELEASE:
		return finish(att, nvf_pr_release(pr, &att->pr, op->key, op->type));
	case PR_CLEAR:
		return finish(att, nvf_pr_clear(pr, &att->pr, op->key, op->remote));
	case PR_LOOK:
		break;
	}
	return NVF_PR_OK;
}

static int acquire(struct nvf_job *job)
{
	const struct nvf_acquire_params params = { 0 };
	struct nvf_pr_op *op = job->op;

	job->acq = nvf_acq_make(job->att, &params);
	if (!job->acq)
		return -ENOMEM;
	job->acq->by_preempt = op->kind == PR_PREEMPT;
	job->acq->victim = op->victim;
	nvf_acquire_run(job);
	switch (job->ret) {
	case -EBADE:
	case -ESTALE:
	case -EKEYREJECTED:
		return COMPAT_PR_CONFLICT;
	}
	/* Without a caller who reads it cannot go on. */
	return job->wanted ? -EOPNOTSUPP : job->ret;
}

static int verdict_to_status(struct nvf_job *job, enum nvf_pr_verdict verdict)
{
	switch (verdict) {
	case NVF_PR_OK:
		return 0;
	case NVF_PR_CONFLICT:
		return COMPAT_PR_CONFLICT;
	case NVF_PR_UNSUPPORTED:
		return -EOPNOTSUPP;
	case NVF_PR_INVALID:
		return -EINVAL;
	case NVF_PR_ACQUIRE:
		return acquire(job);
	case NVF_PR_RELEASE:
		return nvf_release_now(job, NVF_EV_RELEASE);
	}
	return -EINVAL;
}

static void pr_run(struct nvf_job *job)
{
	struct nvf_pr_op *op = job->op;
	enum nvf_pr_verdict verdict;

	/* A consumer that only gives back does not depend on what others hold. */
	if (op->kind != PR_RELEASE) {
		job->ret = look_remote(job);
		if (job->ret)
			return;
	}
	spin_lock_irq(&job->lower->lock);
	verdict = judge(job);
	spin_unlock_irq(&job->lower->lock);
	job->ret = verdict_to_status(job, verdict);
}

/* The operation is the job's from here on. */
static int pr_do(struct nvf_attachment *att, const struct nvf_pr_op *ask, struct nvf_pr_op *result)
{
	struct nvf_job *job = nvf_job_alloc(att->lower, att, pr_run, 0);
	int ret;

	if (!job)
		return -ENOMEM;
	ret = -ENOMEM;
	job->op = kmemdup(ask, sizeof(*ask), GFP_KERNEL);
	if (job->op)
		ret = nvf_job_wait(job, false);
	if (!ret && result)
		*result = *job->op;
	nvf_job_put(job);
	return ret;
}

static void release_run(struct nvf_job *job)
{
	job->ret = nvf_release_now(job, NVF_EV_RELEASE);
}

static int pr_register(struct block_device *bdev, u64 old_key, u64 new_key, u32 flags)
{
	struct nvf_attachment *att = attachment_of(bdev);
	struct nvf_lower *lower = att->lower;
	enum nvf_pr_verdict verdict;
	struct nvf_job *job;
	int ret;

	/* Allocated first: a registration that ends is not taken back. */
	job = nvf_job_alloc(lower, att, release_run, 0);
	if (!job)
		return -ENOMEM;
	spin_lock_irq(&lower->lock);
	verdict = nvf_pr_register(&lower->pr, &att->pr, old_key, new_key,
				  flags & PR_FL_IGNORE_KEY);
	spin_unlock_irq(&lower->lock);
	if (verdict == NVF_PR_RELEASE)
		ret = nvf_job_wait(job, false);
	else
		ret = verdict == NVF_PR_OK ? 0 : COMPAT_PR_CONFLICT;
	nvf_job_put(job);
	return ret;
}

static u8 type_of(enum pr_type type)
{
	return type > U8_MAX ? U8_MAX : type;
}

static int pr_reserve(struct block_device *bdev, u64 key, enum pr_type type, u32 flags)
{
	const struct nvf_pr_op op = { .kind = PR_RESERVE, .key = key, .type = type_of(type) };

	if (flags)
		return -EOPNOTSUPP;
	return pr_do(attachment_of(bdev), &op, NULL);
}

static int pr_release(struct block_device *bdev, u64 key, enum pr_type type)
{
	const struct nvf_pr_op op = { .kind = PR_RELEASE, .key = key, .type = type_of(type) };

	return pr_do(attachment_of(bdev), &op, NULL);
}

/* Both kinds abort: older writes are over when it returns. */
static int pr_preempt(struct block_device *bdev, u64 key, u64 victim, enum pr_type type, bool abort)
{
	const struct nvf_pr_op op = {
		.kind = PR_PREEMPT,
		.key = key,
		.victim = victim,
		.type = type_of(type),
	};

	return pr_do(attachment_of(bdev), &op, NULL);
}

static int pr_clear(struct block_device *bdev, u64 key)
{
	const struct nvf_pr_op op = { .kind = PR_CLEAR, .key = key };

	return pr_do(attachment_of(bdev), &op, NULL);
}

#ifdef COMPAT_HAVE_PR_READ_KEYS
static int pr_read_keys(struct block_device *bdev, struct pr_keys *keys)
{
	struct nvf_attachment *att = attachment_of(bdev);
	struct nvf_lower *lower = att->lower;
	const struct nvf_pr_host *host;
	u32 room = keys->num_keys, count = 0;

	spin_lock_irq(&lower->lock);
	keys->generation = lower->pr.generation;
	for (host = lower->pr.hosts; host; host = host->next) {
		if (!host->registered)
			continue;
		if (count < room)
			keys->keys[count] = host->key;
		count++;
	}
	keys->num_keys = count;
	spin_unlock_irq(&lower->lock);
	return 0;
}

static int pr_read_reservation(struct block_device *bdev, struct pr_held_reservation *held)
{
	const struct nvf_pr_op ask = { .kind = PR_LOOK };
	struct nvf_attachment *att = attachment_of(bdev);
	struct nvf_lower *lower = att->lower;
	struct nvf_pr_op op;
	int ret;

	ret = pr_do(att, &ask, &op);
	if (ret)
		return ret;
	memset(held, 0, sizeof(*held));
	spin_lock_irq(&lower->lock);
	held->generation = lower->pr.generation;
	if (op.remote || lower->pr.reserved) {
		held->type = PR_WRITE_EXCLUSIVE;
		held->key = op.remote ? op.remote_key :
			    lower->pr.holder ? lower->pr.holder->key : 0;
	}
	spin_unlock_irq(&lower->lock);
	return 0;
}
#endif

const struct pr_ops nvf_pr_ops = {
	.pr_register = pr_register,
	.pr_reserve = pr_reserve,
	.pr_release = pr_release,
	.pr_preempt = pr_preempt,
	.pr_clear = pr_clear,
#ifdef COMPAT_HAVE_PR_READ_KEYS
	.pr_read_keys = pr_read_keys,
	.pr_read_reservation = pr_read_reservation,
#endif
};
