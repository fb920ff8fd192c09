// SPDX-License-Identifier: GPL-2.0
/* What can happen to the whole, and what must never be. */
#include <stdlib.h>
#include "model.h"

const char *violation;
struct rules rules;

void state_init(struct state *s)
{
	unsigned int i;

	memset(s, 0, sizeof(*s));
	for (i = 0; i < NODES; i++)
		s->node[i].up = 1;
	s->crashes = rules.crashes;
	s->restarts = rules.restarts;
	s->errors = rules.errors;
}

static void write_over(struct att *a)
{
	a->write = WRITE_NONE;
	a->stale = 0;
	a->excused = 0;
	a->write_serial = 0;
	a->former = 0;
}

static bool open_close(struct state *s, unsigned int att, bool open)
{
	struct att *a = &s->att[att];

	if (open == a->openers)
		return false;
	gate_do(s, att, open ? NVF_EV_OPEN : NVF_EV_CLOSE);
	/* What was not submitted never is: its writer has died. */
	if (!open && a->write == WRITE_STAMPED)
		write_over(a);
	return true;
}

static bool write_stamp(struct att *a)
{
	if (!a->openers || a->write || a->state != NVF_GRANTED)
		return false;
	a->write = WRITE_STAMPED;
	a->write_serial = a->serial;
	return true;
}

static bool write_submit(struct att *a)
{
	if (a->write != WRITE_STAMPED)
		return false;
	if (a->state == NVF_GRANTED)
		a->write = WRITE_PASSED;
	else
		write_over(a);
	return true;
}

/* The write arrives at the device, which looks at its reservation now and not again. */
static bool write_send(struct state *s, unsigned int att)
{
	struct att *a = &s->att[att];
	unsigned int node = node_of(att);

	if (a->write != WRITE_PASSED)
		return false;
	if (rules.device && s->holder && s->holder != node + 1 && !rules.conflict_ignored) {
		write_over(a);
		if (gate_do(s, att, NVF_EV_CONFLICT) == NVF_ACT_SHUT)
			consumer_evicted(s, att);
		if (a->state == NVF_GRANTED)
			violation = "a gate is open although the device has refused its write";
		return true;
	}
	a->write = WRITE_SENT;
	/* Without its memory the device cannot refuse anything: said in the documentation. */
	a->excused = s->forgot && !s->holder && !rules.forgetting_counts;
	return true;
}

static bool write_execute(struct att *a)
{
	if (a->write != WRITE_SENT)
		return false;
	if (a->stale && !a->excused)
		violation = "a block changed to a stamp that is older than an answered acquire";
	write_over(a);
	return true;
}

static bool crash(struct state *s, unsigned int node, bool record_old)
{
	struct node *n = &s->node[node];
	unsigned int i;

	if (!n->up || !s->crashes--)
		return false;
	if (record_old && n->record >= n->newest)
		return false;
	if (record_old)
		n->granted_max = 0;
	else if (n->newest > n->record)
		n->record = n->newest;
	n->up = 0;
	n->newest = 0;
	n->pr_reserved = 0;
	n->pr_holder = 0;
	for (i = node * PER_NODE; i < (node + 1) * PER_NODE; i++) {
		struct att gone = s->att[i];

		memset(&s->att[i], 0, sizeof(s->att[i]));
		/* What the target has taken is out of the node's hands. */
		if (gone.write != WRITE_SENT)
			continue;
		s->att[i].write = gone.write;
		s->att[i].stale = gone.stale;
		s->att[i].excused = gone.excused;
		s->att[i].write_serial = gone.write_serial;
	}
	return true;
}

static bool reboot(struct state *s, unsigned int node)
{
	unsigned int i;

	if (s->node[node].up || rules.one_node)
		return false;
	s->node[node].up = 1;
	/* By then the target has ended the old connection, and what came by it. */
	for (i = node * PER_NODE; i < (node + 1) * PER_NODE; i++) {
		if (!rules.life_kept)
			write_over(&s->att[i]);
		s->att[i].former = s->att[i].write;
	}
	return true;
}

static bool restart(struct state *s)
{
	unsigned int i;

	if (!s->restarts--)
		return false;
	if (!rules.persistent) {
		memset(s->reg, 0, sizeof(s->reg));
		s->holder = 0;
		s->forgot = 1;
	}
	/* What the target had taken is sent again by its host, if there is one. */
	for (i = 0; i < ATTS; i++) {
		struct att *a = &s->att[i];

		if (a->write == WRITE_SENT && s->node[node_of(i)].up)
			a->write = WRITE_PASSED;
		else if (a->write == WRITE_SENT)
			write_over(a);
		/* A command that waited has no answer. */
		acquire_cut_off(s, i);
	}
	s->late = 0;
	return true;
}

static bool late_command(struct state *s)
{
	unsigned int node = s->late_node;

	switch (s->late - 1) {
	case NVF_DO_REGISTER: device_register(s, node, s->late_old, s->late_new); break;
	case NVF_DO_RESERVE: device_reserve(s, node, s->late_new); break;
	case NVF_DO_PREEMPT: device_preempt(s, node, s->late_new, s->late_old); break;
	default: return false;
	}
	s->late = 0;
	s->late_node = 0;
	memset(&s->late_old, 0, sizeof(s->late_old));
	memset(&s->late_new, 0, sizeof(s->late_new));
	return true;
}

static bool lease(struct state *s, unsigned int att)
{
	if (rules.lease_grants && s->att[att].state == NVF_STALE) {
		s->att[att].state = NVF_GRANTED;
		return true;
	}
	if (gate_do(s, att, NVF_EV_LEASE) != NVF_ACT_SHUT)
		return false;
	consumer_released(s, att);
	return true;
}

static bool of_attachment(struct state *s, struct event ev)
{
	unsigned int att = ev.who;

	if (!s->node[node_of(att)].up && ev.kind != EV_EXECUTE)
		return false;
	switch (ev.kind) {
	case EV_OPEN: return open_close(s, att, true);
	case EV_CLOSE: return rules.reopens && open_close(s, att, false);
	case EV_STAMP: return write_stamp(&s->att[att]);
	case EV_SUBMIT: return write_submit(&s->att[att]);
	case EV_SEND: return write_send(s, att);
	case EV_EXECUTE: return write_execute(&s->att[att]);
	case EV_ACQUIRE: return acquire_begin(s, att, ev.variant, false);
	case EV_STEP: return acquire_step(s, att, ev.variant);
	case EV_RELEASE: return rules.releases && release_begin(s, att, ev.variant);
	case EV_EXCHANGE: return release_exchange(s, att);
	case EV_LEASE: return rules.leases && lease(s, att);
	default: return rules.pr && consumer(s, att, ev.kind);
	}
}

/* True of every state. */
static void check(const struct state *s)
{
	unsigned int node, i, open;

	for (node = 0; node < NODES; node++) {
		u8 holder = s->node[node].pr_holder;

		for (i = node * PER_NODE, open = 0; i < (node + 1) * PER_NODE; i++)
			open += s->att[i].state == NVF_GRANTED;
		if (open > 1)
			violation = "two gates of one namespace are open on one node";
		if (holder && s->att[node * PER_NODE + holder - 1].state != NVF_GRANTED)
			violation = "consumers are shown a holder whose gate is shut";
	}
}

bool state_apply(struct state *s, struct event ev)
{
	bool happened;

	violation = NULL;
	switch (ev.kind) {
	case EV_VERIFY: happened = rules.verifies && s->node[ev.who].up && verify(s, ev.who); break;
	case EV_CRASH: happened = crash(s, ev.who, ev.variant); break;
	case EV_REBOOT: happened = reboot(s, ev.who); break;
	case EV_RESTART: happened = restart(s); break;
	case EV_LATE: happened = late_command(s); break;
	default: happened = of_attachment(s, ev); break;
	}
	if (!happened) {
		violation = NULL;
		return false;
	}
	if (!violation)
		check(s);
	return true;
}

/* ---- which states are the same ---- */

#define EPOCHS_MAX 64

static unsigned int epochs_of(struct state *s, u8 **at)
{
	unsigned int n = 0, i, j;

	for (i = 0; i < ATTS; i++) {
		struct att *a = &s->att[i];

		at[n++] = &a->epoch;
		if (!a->action)
			continue;
		at[n++] = &a->aepoch;
		at[n++] = &a->follows;
		at[n++] = &a->own_epoch;
		at[n++] = &a->req_epoch;
		at[n++] = &a->req_tenure;
		at[n++] = &a->replacing.epoch;
		at[n++] = &a->refused.epoch;
		at[n++] = &a->old_key.epoch;
		at[n++] = &a->new_key.epoch;
		for (j = 0; j < NODES; j++)
			at[n++] = &a->keys[j].epoch;
	}
	for (i = 0; i < NODES; i++) {
		at[n++] = &s->reg[i].epoch;
		at[n++] = &s->node[i].newest;
		at[n++] = &s->node[i].record;
		at[n++] = &s->node[i].granted_max;
	}
	at[n++] = &s->granted_max;
	at[n++] = &s->late_old.epoch;
	at[n++] = &s->late_new.epoch;
	return n;
}

static unsigned int serials_of(struct state *s, u8 **at)
{
	unsigned int n = 0, i;

	for (i = 0; i < ATTS; i++) {
		struct att *a = &s->att[i];

		/* Nothing is compared with that of a grant that writes no more. */
		if (a->state != NVF_GRANTED && !a->tenure)
			a->serial = 0;
		at[n++] = &a->acq_serial;
		at[n++] = &a->serial;
		at[n++] = &a->write_serial;
	}
	return n;
}

/* Neighbours stay neighbours, and the others come as near as @gap. */
static void renumber(u8 **at, unsigned int n, unsigned int gap)
{
	unsigned int i, last = 0, number = 0;
	u8 to[256] = { 0 };

	for (i = 0; i < n; i++)
		to[*at[i]] = 1;
	to[0] = 0;
	for (i = 1; i < 256; i++) {
		if (!to[i])
			continue;
		number += i - last < gap ? i - last : gap;
		to[i] = number;
		last = i;
	}
	for (i = 0; i < n; i++)
		*at[i] = to[*at[i]];
}

unsigned int state_canonical(struct state *s)
{
	unsigned int node, swapped = 0;
	u8 *at[EPOCHS_MAX];

	/* A new epoch is one more than some other, a new serial one more than all. */
	renumber(at, epochs_of(s, at), 2);
	renumber(at, serials_of(s, at), 1);
	for (node = 0; node < NODES; node++) {
		struct att *a = &s->att[node * PER_NODE], swap;

		if (memcmp(&a[0], &a[1], sizeof(*a)) <= 0)
			continue;
		swap = a[0];
		a[0] = a[1];
		a[1] = swap;
		swapped |= 1U << node;
		if (s->node[node].pr_holder)
			s->node[node].pr_holder = 3 - s->node[node].pr_holder;
	}
	return swapped;
}
