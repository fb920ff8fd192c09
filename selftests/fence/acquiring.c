// SPDX-License-Identifier: GPL-2.0
/* An acquire, one action at a time; what the module does around the core's state machine. */
#include "model.h"

/* The core reads again so often; here it does after fewer rounds, or states would be many. */
#define ROUNDS_KEPT 6
#define ROUNDS_OVER 200

static void acq_load(const struct state *s, unsigned int att, struct nvf_acquire *q)
{
	const struct att *a = &s->att[att];
	unsigned int node = node_of(att);

	memset(q, 0, sizeof(*q));
	q->request.device = rules.device;
	q->request.node = node + 1;
	q->request.epoch = a->req_epoch;
	q->request.tenure = a->req_tenure;
	q->request.preempt_foreign = a->aflags & AF_FORCED;
	q->request.known = s->node[node].record;
	q->request.host_known = !rules.torn;
	q->request.host[0] = node + 1;
	q->epoch = a->aepoch;
	q->follows = a->follows;
	q->own_epoch = a->own_epoch;
	q->last = a->last;
	q->replacing_key = skey_to(a->replacing);
	q->refused_key = skey_to(a->refused);
	q->rounds = a->rounds > ROUNDS_KEPT ? ROUNDS_OVER : a->rounds;
	q->started = true;
	q->published = a->aflags & AF_PUBLISHED;
	q->broken = a->aflags & AF_BROKEN;
	q->confirming = a->aflags & AF_CONFIRMING;
	q->unsure = a->aflags & AF_UNSURE;
}

static void acq_clear(struct att *a)
{
	static const struct skey none;

	a->action = 0;
	a->last = 0;
	a->aepoch = 0;
	a->follows = 0;
	a->own_epoch = 0;
	a->rounds = 0;
	a->aflags = 0;
	a->req_epoch = 0;
	a->req_tenure = 0;
	a->wait = 0;
	a->half = 0;
	memset(a->keys, 0, sizeof(a->keys));
	a->replacing = none;
	a->refused = none;
	a->old_key = none;
	a->new_key = none;
	a->acq_serial = 0;
}

/* The report has been read that the grant stands on. */
static void decided(struct state *s, unsigned int att)
{
	struct node *n = &s->node[node_of(att)];
	u8 epoch = s->att[att].aepoch, last = 0;
	unsigned int i;

	for (i = 0; i < ATTS; i++) {
		const struct att *a = &s->att[i];

		last = a->acq_serial > last ? a->acq_serial : last;
		last = a->serial > last ? a->serial : last;
		last = a->write_serial > last ? a->write_serial : last;
	}
	s->att[att].acq_serial = last + 1;
	if (epoch <= s->granted_max && !s->forgot && rules.device)
		violation = "an epoch is granted that is not newer than one granted before";
	if (epoch <= n->granted_max)
		violation = "a node is granted an epoch not newer than one of its own";
	if (epoch > s->granted_max)
		s->granted_max = epoch;
	if (epoch > n->granted_max)
		n->granted_max = epoch;
}

static void acq_store(struct state *s, unsigned int att, const struct nvf_acquire *q,
		      const struct nvf_action *action)
{
	struct att *a = &s->att[att];

	if (action->what == NVF_DO_FAIL) {
		if (q->published && gate_do(s, att, NVF_EV_FAILED) == NVF_ACT_SHUT)
			consumer_evicted(s, att);
		acq_clear(a);
		return;
	}
	a->action = action->what + 1;
	a->last = q->last;
	a->aepoch = q->epoch;
	a->follows = q->follows;
	a->own_epoch = q->own_epoch;
	a->rounds = q->rounds;
	a->aflags = (a->aflags & (AF_PREEMPT | AF_FORCED)) | (q->published ? AF_PUBLISHED : 0) |
		    (q->broken ? AF_BROKEN : 0) | (q->confirming ? AF_CONFIRMING : 0) |
		    (q->unsure ? AF_UNSURE : 0);
	/* What is not looked at any more is not kept. */
	a->replacing = skey_of(action->what == NVF_DO_REGISTER ? q->replacing_key : 0);
	a->refused = skey_of(q->refused_key);
	a->old_key = skey_of(action->old_key);
	a->new_key = skey_of(action->new_key);
	if (action->what == NVF_DO_GRANT)
		decided(s, att);
}

static void acq_next(struct state *s, unsigned int att, enum nvf_outcome outcome,
		     const struct nvf_report *report)
{
	struct nvf_action action;
	struct nvf_acquire q;

	acq_load(s, att, &q);
	core.acquire_next(&q, outcome, report, s->node[node_of(att)].newest, &action);
	acq_store(s, att, &q, &action);
}

/* The end of a wait and what is read next: nothing that matters can come between. */
static void acq_read(struct state *s, unsigned int att)
{
	static const struct skey none;
	static struct nvf_report r;
	struct att *a = &s->att[att];
	unsigned int i;

	if (rules.torn && !a->half) {
		a->half = 1;
		memcpy(a->keys, s->reg, sizeof(a->keys));
		return;
	}
	if (rules.torn)
		device_report_torn(s, a->keys, &r);
	else
		device_report(s, &r);
	a->half = 0;
	for (i = 0; i < NODES; i++)
		a->keys[i] = none;
	acq_next(s, att, NVF_DONE, &r);
}

/* What the operator has made sure of. */
static bool nothing_to_execute(const struct state *s)
{
	unsigned int i;

	for (i = 0; i < ATTS; i++)
		if (s->att[i].write == WRITE_SENT)
			return false;
	return s->holder && (s->reg[s->holder - 1].rest & 3) == NVF_FORM_CLAIM;
}

bool acquire_begin(struct state *s, unsigned int att, enum how_asked how, bool preempt)
{
	struct att *a = &s->att[att];
	struct nvf_request request;
	struct nvf_action action;
	struct nvf_acquire q;

	if (a->action || a->releasing || !gate_may_acquire(s, att))
		return false;
	if (how == ASK_FORCED && !nothing_to_execute(s))
		return false;
	acq_clear(a);
	a->aflags = (preempt ? AF_PREEMPT : 0) | (how == ASK_FORCED ? AF_FORCED : 0);
	if (how == ASK_GIVEN)
		a->req_epoch = s->granted_max + 2;
	a->req_tenure = rules.no_tenure || !a->tenure ? 0 : a->epoch;
	acq_load(s, att, &q);
	request = q.request;
	core.acquire_start(&q, &request);
	core.acquire_next(&q, NVF_DONE, NULL, s->node[node_of(att)].newest, &action);
	acq_store(s, att, &q, &action);
	if (a->action == NVF_DO_READ + 1)
		acq_read(s, att);
	/* What was refused at once is no news. */
	return a->action;
}

static void publish(struct state *s, unsigned int att)
{
	unsigned int node = node_of(att), i;
	u8 epoch = s->att[att].aepoch;

	if (s->node[node].newest >= epoch) {
		acq_next(s, att, NVF_CONFLICT, NULL);
		return;
	}
	s->node[node].newest = epoch;
	for (i = node * PER_NODE; i < (node + 1) * PER_NODE; i++) {
		enum nvf_event event = i == att ? NVF_EV_ACQUIRE : NVF_EV_TAKEN_OVER;

		if (i != att && rules.no_publish)
			continue;
		if (gate_do(s, i, event) == NVF_ACT_SHUT)
			consumer_released(s, i);
	}
	acq_next(s, att, NVF_DONE, NULL);
}

static bool drained(const struct state *s, unsigned int node)
{
	unsigned int i;

	for (i = node * PER_NODE; i < (node + 1) * PER_NODE; i++)
		/* Of what a life before this one has sent the node knows nothing. */
		if (s->att[i].write >= WRITE_PASSED && !s->att[i].former)
			return false;
	return true;
}

/* A preempt-and-abort answers when no write of the victims is below any more. */
static bool aborted(const struct state *s, unsigned int victims)
{
	unsigned int i;

	for (i = 0; i < ATTS; i++)
		if (victims >> node_of(i) & 1 && s->att[i].write == WRITE_SENT)
			return false;
	return true;
}

static enum nvf_outcome command(struct state *s, unsigned int att)
{
	const struct att *a = &s->att[att];
	unsigned int node = node_of(att);

	switch (a->action - 1) {
	case NVF_DO_REGISTER: return device_register(s, node, a->old_key, a->new_key);
	case NVF_DO_RESERVE: return device_reserve(s, node, a->new_key);
	default: return device_preempt(s, node, a->new_key, a->old_key);
	}
}

static bool unwell(struct state *s, unsigned int att, enum how how)
{
	struct att *a = &s->att[att];

	if (!s->errors)
		return false;
	s->errors--;
	if (how == HOW_UNANSWERED && command(s, att) != NVF_DONE)
		return false;
	if (how == HOW_LATER) {
		if (s->late)
			return false;
		s->late = a->action;
		s->late_node = node_of(att);
		s->late_old = a->old_key;
		s->late_new = a->new_key;
	}
	acq_next(s, att, NVF_ERROR, NULL);
	return true;
}

static bool commanding(struct state *s, unsigned int att, enum how how)
{
	struct att *a = &s->att[att];
	unsigned int had = 0, i;
	enum nvf_outcome outcome;

	if (how != HOW_WELL)
		return unwell(s, att, how);
	for (i = 0; i < NODES; i++)
		had |= (s->reg[i].epoch != 0) << i;
	outcome = command(s, att);
	if (a->action != NVF_DO_PREEMPT + 1 || outcome != NVF_DONE || rules.plain_preempt) {
		acq_next(s, att, outcome, NULL);
		return true;
	}
	/* Answered when the victims' writes are over; bit 7 so that it is not "none". */
	for (i = 0; i < NODES; i++)
		if (s->reg[i].epoch)
			had &= ~(1U << i);
	a->wait = 0x80 | had;
	return true;
}

/* Whatever others have on its way since before. */
static void answered(struct state *s, unsigned int att)
{
	unsigned int i;

	for (i = 0; i < ATTS; i++) {
		struct att *a = &s->att[i];

		/* An attachment does not fence itself, but it is another one after a reboot. */
		if (a->write && (i != att || a->former) && a->write_serial < s->att[att].serial)
			a->stale = 1;
	}
}

static void grant(struct state *s, unsigned int att)
{
	struct att *a = &s->att[att];
	bool preempt = a->aflags & AF_PREEMPT;
	u8 epoch = a->aepoch, follows = a->follows, serial = a->acq_serial;

	acq_clear(a);
	if (gate_grant(s, att, epoch, follows) == NVF_ACT_OPENED) {
		a->serial = serial;
		answered(s, att);
		consumer_granted(s, att, preempt);
	} else {
		gate_do(s, att, NVF_EV_FAILED);
	}
}

void acquire_cut_off(struct state *s, unsigned int att)
{
	struct att *a = &s->att[att];

	if (!a->wait)
		return;
	a->wait = 0;
	acq_next(s, att, NVF_TIMEOUT, NULL);
}

bool acquire_step(struct state *s, unsigned int att, enum how how)
{
	struct att *a = &s->att[att];
	enum nvf_do what = a->action - 1;

	if (!a->action)
		return false;
	if (a->wait && how == HOW_WELL) {
		if (!aborted(s, a->wait & 0x7f))
			return false;
		a->wait = 0;
		acq_next(s, att, NVF_DONE, NULL);
		return true;
	}
	/* The answer of a preempt may also fail to come. */
	if (a->wait) {
		if (how != HOW_UNANSWERED || !s->errors--)
			return false;
		acquire_cut_off(s, att);
		return true;
	}
	if (what == NVF_DO_REGISTER || what == NVF_DO_RESERVE || what == NVF_DO_PREEMPT)
		return commanding(s, att, how);
	if (how != HOW_WELL)
		return false;
	switch (what) {
	case NVF_DO_READ: acq_read(s, att); return true;
	case NVF_DO_PUBLISH: publish(s, att); return true;
	case NVF_DO_DRAIN:
		if (!drained(s, node_of(att)) && !rules.no_drain)
			return false;
		acq_next(s, att, NVF_DONE, NULL);
		if (a->action == NVF_DO_READ + 1)
			acq_read(s, att);
		return true;
	case NVF_DO_GRANT: grant(s, att); return true;
	default: return false;
	}
}
