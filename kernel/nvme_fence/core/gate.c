// SPDX-License-Identifier: GPL-2.0
#include "gate.h"

static void gate_close(struct nvf_gate *g)
{
	if (!g->openers || --g->openers)
		return;
	g->sticky = false;
	g->tenure = false;
}

/* Shut, for good or until the next grant. */
static enum nvf_gate_act gate_lose(struct nvf_gate *g, enum nvf_event event, enum nvf_state to)
{
	bool was = g->state == NVF_GRANTED;

	g->state = to;
	g->event = event;
	if (g->openers)
		g->sticky = true;
	return was ? NVF_ACT_SHUT : NVF_ACT_NONE;
}

static enum nvf_gate_act gate_release(struct nvf_gate *g)
{
	if (g->state != NVF_GRANTED)
		return NVF_ACT_NONE;
	g->state = NVF_FENCED;
	g->event = NVF_EV_RELEASE;
	/* Whoever has a file open is who released. */
	g->tenure = false;
	return NVF_ACT_SHUT;
}

static enum nvf_gate_act gate_acquire(struct nvf_gate *g)
{
	if (g->state != NVF_GRANTED)
		return NVF_ACT_NONE;
	g->state = NVF_FENCED;
	g->event = NVF_EV_ACQUIRE;
	return NVF_ACT_SHUT;
}

enum nvf_gate_act nvf_gate_grant(struct nvf_gate *g, u64 epoch, u64 follows, u64 newest)
{
	/* Equal to one's own is not newer: no epoch is granted twice. */
	if (!nvf_gate_may_acquire(g) || !epoch || epoch <= g->epoch || epoch != newest)
		return NVF_ACT_REFUSED;
	if (g->tenure && follows != g->epoch)
		return NVF_ACT_REFUSED;
	g->state = NVF_GRANTED;
	g->event = NVF_EV_GRANT;
	g->epoch = epoch;
	g->tenure = g->openers;
	return NVF_ACT_OPENED;
}

enum nvf_gate_act nvf_gate_event(struct nvf_gate *g, enum nvf_event event, u64 epoch, u64 newest)
{
	/* Open, or shut in favour of a newer epoch of its own that has not come. */
	bool holds = g->state == NVF_GRANTED || (g->tenure && !g->sticky);

	switch (event) {
	case NVF_EV_OPEN:
		g->openers++;
		g->tenure |= g->state == NVF_GRANTED;
		return NVF_ACT_NONE;
	case NVF_EV_CLOSE:
		gate_close(g);
		return NVF_ACT_NONE;
	case NVF_EV_GRANT:
		return nvf_gate_grant(g, epoch, 0, newest);
	case NVF_EV_GONE:
		g->gone = true;
		return gate_lose(g, event, NVF_STALE);
	case NVF_EV_CONFLICT:
		/* Also of a write that passed before its consumer gave the epoch back. */
		if (!g->epoch || g->state == NVF_STALE)
			return NVF_ACT_NONE;
		return gate_lose(g, event, NVF_STALE);
	case NVF_EV_TAKEN_OVER:
	case NVF_EV_FORGOTTEN:
	case NVF_EV_LEASE:
		return holds ? gate_lose(g, event, NVF_STALE) : NVF_ACT_NONE;
	case NVF_EV_RELEASE:
		return gate_release(g);
	case NVF_EV_RELEASE_ADMIN:
		return holds ? gate_lose(g, event, NVF_FENCED) : NVF_ACT_NONE;
	case NVF_EV_ACQUIRE:
		return gate_acquire(g);
	case NVF_EV_FAILED:
		if (!holds || g->state == NVF_GRANTED)
			return NVF_ACT_NONE;
		return gate_lose(g, NVF_EV_ACQUIRE, NVF_FENCED);
	}
	return NVF_ACT_NONE;
}
