/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The gate of an attachment: may it write, may it acquire? Pure code; the caller holds the lock
 * that orders these calls for one attachment, and copies the answer to where I/O looks.
 */
#ifndef NVF_CORE_GATE_H
#define NVF_CORE_GATE_H

#include "nvf_port.h"

enum nvf_state {
	NVF_FENCED,		/* in the order of enum nvme_fence_state */
	NVF_GRANTED,
	NVF_STALE,
};

enum nvf_event {
	NVF_EV_OPEN,		/* a file was opened */
	NVF_EV_CLOSE,		/* a file was closed */
	NVF_EV_GRANT,		/* an acquire has come to its end; epoch is set */
	NVF_EV_TAKEN_OVER,	/* a newer epoch was published on this node */
	NVF_EV_CONFLICT,	/* the device refused a write */
	NVF_EV_FORGOTTEN,	/* the device's report does not show our reservation */
	NVF_EV_LEASE,		/* not renewed in time */
	NVF_EV_GONE,		/* the device below was removed; nothing is granted after it */
	NVF_EV_RELEASE,		/* by its own consumer, who knows: not sticky */
	NVF_EV_RELEASE_ADMIN,	/* by the administrator */
	NVF_EV_ACQUIRE,		/* its own acquire publishes: shut, sticky only if it fails */
	NVF_EV_FAILED,		/* its own acquire failed after that */
};

/**
 * struct nvf_gate - of one attachment
 * @state: NVF_GRANTED is the only one that writes
 * @event: the one that led to @state
 * @openers: open files
 * @sticky: files are open that were open when the epoch was taken away: nothing is granted
 *	before the last of them is closed
 * @gone: the device below was removed
 * @tenure: files are open that could write under @epoch: a newer one is granted only if nobody
 *	else had one since, or what they prepared then would come after what others wrote
 * @epoch: the one granted last, 0 when none
 */
struct nvf_gate {
	enum nvf_state state;
	enum nvf_event event;
	u32 openers;
	bool sticky;
	bool gone;
	bool tenure;
	u64 epoch;
};

/* What the caller has to do after an event. */
enum nvf_gate_act {
	NVF_ACT_NONE,
	NVF_ACT_SHUT,		/* writes are denied from now on; tell */
	NVF_ACT_OPENED,		/* writes may pass; tell */
	NVF_ACT_REFUSED,	/* of NVF_EV_GRANT: not newer, sticky or gone */
};

/**
 * nvf_gate_event() - what follows from an event
 * @g: the gate
 * @event: what happened
 * @epoch: of NVF_EV_GRANT, else 0
 * @newest: the newest epoch published for the device on this node: only its owner is granted
 *
 * Return: what is to be done
 */
enum nvf_gate_act nvf_gate_event(struct nvf_gate *g, enum nvf_event event, u64 epoch, u64 newest);

/**
 * nvf_gate_grant() - NVF_EV_GRANT of an epoch that comes after one of this node
 * @follows: nvf_acquire.follows; nvf_gate_event() knows of none
 */
enum nvf_gate_act nvf_gate_grant(struct nvf_gate *g, u64 epoch, u64 follows, u64 newest);

/** nvf_gate_tenure() - nvf_request.tenure */
static inline u64 nvf_gate_tenure(const struct nvf_gate *g)
{
	return g->tenure ? g->epoch : 0;
}

/** nvf_gate_may_acquire() - would a grant be taken? */
static inline bool nvf_gate_may_acquire(const struct nvf_gate *g)
{
	return !g->sticky && !g->gone;
}

#endif /* NVF_CORE_GATE_H */
