// SPDX-License-Identifier: GPL-2.0
/*
 * Gates: what I/O looks at follows what core/gate.h decides, and waiting until those writes are
 * over that passed before.
 */
#include <linux/jiffies.h>
#include <linux/ktime.h>
#include <linux/smp.h>

#include "fence.h"

void nvf_gate_apply(struct nvf_attachment *att)
{
	struct nvf_lower *lower = att->lower;
	int gate = NVF_GATE_SHUT;

	lockdep_assert_held(&lower->lock);
	if (att->state.state == NVF_GRANTED && att->state.epoch == lower->newest && !att->detached)
		gate = att->lease ? NVF_GATE_LEASED : NVF_GATE_OPEN;
	if (gate != NVF_GATE_SHUT)
		att->flown = true;
	WRITE_ONCE(att->gate, gate);
}

static void tell(struct nvf_attachment *att, enum nvf_tell what)
{
	lockdep_assert_held(&att->lower->lock);
	/* Detaching waits for the work, and nothing is told afterwards. */
	if (att->detached)
		return;
	__set_bit(what, &att->tell);
	queue_work(nvf_wq, &att->tell_work);
}

void nvf_gate_lose(struct nvf_attachment *att, enum nvf_event event)
{
	struct nvf_lower *lower = att->lower;
	enum nvf_gate_act act;

	lockdep_assert_held(&lower->lock);
	act = nvf_gate_event(&att->state, event, 0, lower->newest);
	nvf_gate_apply(att);
	switch (event) {
	case NVF_EV_CONFLICT:
	case NVF_EV_FORGOTTEN:
		/* Another node has it: the device has ended this host's registration. */
		if (act == NVF_ACT_SHUT)
			nvf_pr_evicted(&lower->pr, &att->pr);
		break;
	default:
		nvf_pr_released(&lower->pr, &att->pr);
	}
	if (event == NVF_EV_GONE)
		tell(att, NVF_TELL_GONE);
	else if (act == NVF_ACT_SHUT && att->state.state == NVF_STALE)
		tell(att, NVF_TELL_STALE);
}

void nvf_gate_conflict(struct nvf_attachment *att)
{
	struct nvf_lower *lower = att->lower;
	unsigned long flags;

	spin_lock_irqsave(&lower->lock, flags);
	nvf_gate_lose(att, NVF_EV_CONFLICT);
	spin_unlock_irqrestore(&lower->lock, flags);
}

bool nvf_publish(struct nvf_attachment *att, u64 epoch)
{
	struct nvf_lower *lower = att->lower;
	struct nvf_attachment *other;
	bool newer;

	spin_lock_irq(&lower->lock);
	newer = epoch > lower->newest;
	if (newer) {
		lower->newest = epoch;
		att->acquiring = true;
		att->tried = epoch;
		nvf_gate_lose(att, NVF_EV_ACQUIRE);
		list_for_each_entry(other, &lower->attachments, sibling)
			if (other != att)
				nvf_gate_lose(other, NVF_EV_TAKEN_OVER);
	}
	spin_unlock_irq(&lower->lock);
	return newer;
}

struct nvf_flight nvf_flight_sum(const struct nvf_attachment *att)
{
	struct nvf_flight sum = { 0 };
	int cpu;

	for_each_possible_cpu(cpu) {
		const struct nvf_flight *f = per_cpu_ptr(att->flight, cpu);

		sum.writes += READ_ONCE(f->writes);
		sum.reads += READ_ONCE(f->reads);
		sum.refused += READ_ONCE(f->refused);
	}
	return sum;
}

/*
 * Wait for the sections with interrupts off that enter() and leave() are in: each processor has
 * taken an interrupt when this returns, which is a full barrier there. A grace period, even an
 * expedited one, waits for more than that.
 */
static void wait_sections(void)
{
	kick_all_cpus_sync();
}

/*
 * Are all writes over that passed a gate that is shut now?
 *
 * The sum of a shut gate cannot be zero while a write is below. The caller has waited for sections
 * since the gate was shut. A section with enter() that saw it open began before that and is
 * over, and its increment is seen here; one that began later saw the gate shut. So from here on the
 * counters are only decremented, and every increment is in the sum: it is the number of writes
 * below plus the decrements that this walk came too early to see.
 *
 * Nor is the last decrement missed. leave() decrements and then looks at the gate, in one section.
 * If it sees the gate open, the section began before that wait was over and the decrement
 * is seen here. If it sees it shut, it wakes the waiter, who looks again: wq_has_sleeper() orders
 * the decrement before the look at the queue, prepare_to_wait() the entry there before the sum.
 */
static bool all_over(struct nvf_lower *lower)
{
	struct nvf_attachment *att;
	bool over = true;

	spin_lock_irq(&lower->lock);
	list_for_each_entry(att, &lower->attachments, sibling) {
		if (!att->draining)
			continue;
		if (nvf_flight_sum(att).writes) {
			over = false;
		} else {
			att->draining = false;
			att->flown = false;
		}
	}
	spin_unlock_irq(&lower->lock);
	return over;
}

/*
 * Only those whose gates are shut before that wait. Of the others one may be open, and is
 * shut while we wait; none opens, because grants are jobs too and come after this one.
 */
static bool drain_begin(struct nvf_lower *lower)
{
	struct nvf_attachment *att;
	bool any = false;

	spin_lock_irq(&lower->lock);
	list_for_each_entry(att, &lower->attachments, sibling) {
		att->draining = att->flown && att->gate == NVF_GATE_SHUT;
		any |= att->draining;
	}
	spin_unlock_irq(&lower->lock);
	return any;
}

bool nvf_drain(struct nvf_lower *lower, unsigned long deadline, bool (*over)(void *data),
	       void *data)
{
	long left;

	/* Where no gate was open since the last time, nothing can have passed. */
	if (!drain_begin(lower))
		return true;
	kick_all_cpus_sync();
	left = max_t(long, deadline - jiffies, 0);
	wait_event_timeout(lower->drain_wait, all_over(lower) || over(data), left);
	return all_over(lower);
}

void nvf_drain_wake(struct nvf_lower *lower)
{
	if (wq_has_sleeper(&lower->drain_wait))
		wake_up_all(&lower->drain_wait);
}

static bool landed_all(const struct nvf_attachment *att)
{
	struct nvf_flight sum = nvf_flight_sum(att);

	return !sum.writes && !sum.reads;
}

void nvf_drain_all(struct nvf_attachment *att)
{
	struct nvf_lower *lower = att->lower;

	WARN_ON_ONCE(READ_ONCE(att->gate) != NVF_GATE_SHUT);
	/* The disk is gone, so no read comes any more either. */
	wait_sections();
	wait_event(lower->drain_wait, landed_all(att));
	/* Those that landed may still be on their way to look for a waiter. */
	wait_sections();
}

/* ---- leases ---- */

void nvf_lease_start(struct nvf_attachment *att)
{
	lockdep_assert_held(&att->lower->lock);
	if (!att->lease || att->detached)
		return;
	WRITE_ONCE(att->deadline, ktime_get_boottime_ns() + (u64)att->lease * NSEC_PER_MSEC);
	mod_delayed_work(nvf_wq, &att->lease_work, msecs_to_jiffies(att->lease) + 1);
}

static void lease_work(struct work_struct *work)
{
	struct nvf_attachment *att = container_of(to_delayed_work(work), struct nvf_attachment,
						  lease_work);
	struct nvf_lower *lower = att->lower;
	u64 now = ktime_get_boottime_ns();

	spin_lock_irq(&lower->lock);
	if (att->lease && !att->detached && att->state.state == NVF_GRANTED) {
		if (now >= att->deadline)
			nvf_gate_lose(att, NVF_EV_LEASE);
		else
			mod_delayed_work(nvf_wq, &att->lease_work,
					 nsecs_to_jiffies(att->deadline - now) + 1);
	}
	spin_unlock_irq(&lower->lock);
}

/* ---- telling ---- */

static void tell_work(struct work_struct *work)
{
	struct nvf_attachment *att = container_of(work, struct nvf_attachment, tell_work);
	struct nvf_lower *lower = att->lower;
	unsigned long what;

	spin_lock_irq(&lower->lock);
	what = att->tell;
	att->tell = 0;
	spin_unlock_irq(&lower->lock);
	if (what & BIT(NVF_TELL_STALE))
		nvf_event(NVME_FENCE_EVENT_STALE, att, NULL);
	if (what & BIT(NVF_TELL_GONE))
		nvf_event(NVME_FENCE_EVENT_GONE, att, NULL);
}

void nvf_gate_init(struct nvf_attachment *att)
{
	INIT_WORK(&att->tell_work, tell_work);
	INIT_DELAYED_WORK(&att->lease_work, lease_work);
}

void nvf_gate_exit(struct nvf_attachment *att)
{
	cancel_delayed_work_sync(&att->lease_work);
	/* What was told before is still sent. */
	flush_work(&att->tell_work);
}
