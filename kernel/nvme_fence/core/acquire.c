// SPDX-License-Identifier: GPL-2.0
#include "acquire.h"

/* Reports read before it is said that the device does not settle. */
#define ROUNDS_MAX	16
/* enum pr_type's two that every registrant holds. */
#define TYPE_WRITE_EXCLUSIVE_ALL	5
#define TYPE_EXCLUSIVE_ACCESS_ALL	6

/* What a report says, sorted. */
struct view {
	const struct nvf_registrant *own;
	const struct nvf_registrant *holder;
	const struct nvf_registrant *foreign;
	const struct nvf_registrant *same_node;
	const struct nvf_registrant *newest;	/* of all but our own */
	u64 newest_epoch;
	u16 newest_node;
	u64 own_epoch;
	u8 type;
	bool own_holds;
	bool all_hold;
	bool nonsense;
};

void nvf_acquire_start(struct nvf_acquire *a, const struct nvf_request *request)
{
	memset(a, 0, sizeof(*a));
	a->request = *request;
}

static void act(struct nvf_acquire *a, struct nvf_action *action, enum nvf_do what)
{
	a->last = what;
	action->what = what;
}

static void fail(struct nvf_acquire *a, struct nvf_action *action, enum nvf_why why,
		 const struct nvf_registrant *winner)
{
	act(a, action, NVF_DO_FAIL);
	action->why = why;
	if (winner)
		action->winner = *winner;
}

/* Somebody else may have written by the time of the grant: this is no continuation any more. */
static void break_off(struct nvf_acquire *a)
{
	a->broken = true;
	a->follows = 0;
}

static void do_register(struct nvf_acquire *a, struct nvf_action *action, u64 old,
			enum nvf_form form)
{
	action->old_key = old;
	action->new_key = nvf_key_make_form(a->epoch, a->request.node, form);
	a->replacing_key = old;
	a->own_epoch = a->epoch;
	act(a, action, NVF_DO_REGISTER);
}

static void read_again(struct nvf_acquire *a, struct nvf_action *action, enum nvf_why why,
		       const struct nvf_registrant *winner)
{
	if (a->rounds++ >= ROUNDS_MAX)
		fail(a, action, why, winner);
	else
		act(a, action, NVF_DO_READ);
}

static bool is_ours(const struct nvf_request *q, const struct nvf_registrant *reg, bool valid,
		    u16 node)
{
	if (q->host_known && reg->host_known)
		return !memcmp(q->host, reg->host, NVF_HOST_ID_SIZE);
	return valid && node == q->node;
}

/* Once for each controller of a host, or two hosts that go by one number? */
static bool is_own_again(const struct view *v, const struct nvf_registrant *reg)
{
	return !v->own || v->own->key == reg->key;
}

static void sort_one(const struct nvf_request *q, const struct nvf_registrant *reg, struct view *v)
{
	u64 epoch = 0;
	u16 node = 0;
	bool valid = nvf_key_parse(reg->key, &epoch, &node);
	bool ours = is_ours(q, reg, valid, node);

	if (!valid)
		v->foreign = reg;
	if (v->type && reg->holder) {
		v->nonsense |= v->holder && v->holder->key != reg->key && !v->all_hold;
		v->holder = reg;
	}
	if (ours && is_own_again(v, reg)) {
		v->own = reg;
		v->own_epoch = epoch;
		v->own_holds |= v->type && reg->holder;
		return;
	}
	if (ours || (valid && node == q->node))
		v->same_node = reg;
	if (valid && (epoch > v->newest_epoch ||
		      (epoch == v->newest_epoch && node > v->newest_node))) {
		v->newest = reg;
		v->newest_epoch = epoch;
		v->newest_node = node;
	}
}

static void sort(const struct nvf_request *q, const struct nvf_report *r, struct view *v)
{
	unsigned int i;

	memset(v, 0, sizeof(*v));
	v->type = r->type;
	v->all_hold = r->type == TYPE_WRITE_EXCLUSIVE_ALL || r->type == TYPE_EXCLUSIVE_ACCESS_ALL;
	/* What is cut off may be what matters. */
	v->nonsense = r->count > NVF_REGISTRANTS_MAX;
	for (i = 0; i < r->count && i < NVF_REGISTRANTS_MAX; i++)
		sort_one(q, &r->reg[i], v);
}

/* @floor is the newest epoch known; @in_way is whose it is, if it stands in a report. */
static void choose(struct nvf_acquire *a, u64 floor, const struct nvf_registrant *in_way,
		   struct nvf_action *action)
{
	u64 epoch = a->request.epoch;

	if (floor < a->request.known)
		floor = a->request.known;
	if (epoch && epoch <= floor) {
		fail(a, action, NVF_WHY_NOT_NEWER, in_way);
		return;
	}
	if (epoch > NVF_EPOCH_MAX || floor >= NVF_EPOCH_MAX) {
		fail(a, action, NVF_WHY_EXHAUSTED, in_way);
		return;
	}
	a->epoch = epoch ? epoch : floor + 1;
	act(a, action, NVF_DO_PUBLISH);
}

/* A preempt that nobody is known to have seen succeed. */
static bool is_half_way(const struct view *v)
{
	u64 epoch;
	u16 node;

	return v->holder && nvf_key_parse(v->holder->key, &epoch, &node) &&
	       nvf_key_form(v->holder->key) == NVF_FORM_CLAIM;
}

/* What is refused whatever epoch is asked for; true when there is something. */
static bool refuse(struct nvf_acquire *a, const struct view *v, struct nvf_action *action)
{
	if (v->nonsense) {
		fail(a, action, NVF_WHY_DEVICE, NULL);
		return true;
	}
	if (v->same_node) {
		fail(a, action, NVF_WHY_SAME_NODE, v->same_node);
		return true;
	}
	if (v->type && !v->holder) {
		/* It changed while it was read, in two parts. */
		read_again(a, action, NVF_WHY_UNSETTLED, NULL);
		return true;
	}
	if (a->request.preempt_foreign)
		return false;
	if (v->foreign || (v->type && v->type != NVF_TYPE_WRITE_EXCLUSIVE)) {
		fail(a, action, NVF_WHY_FOREIGN, v->foreign ? v->foreign : v->holder);
		return true;
	}
	if (is_half_way(v)) {
		read_again(a, action, NVF_WHY_FOREIGN, v->holder);
		return true;
	}
	return false;
}

/* Files are open that write under an epoch: has it been ours without a break? */
static bool tenure_lost(const struct nvf_acquire *a, const struct nvf_report *r)
{
	u64 key = nvf_key_make(a->request.tenure, a->request.node);

	return a->request.tenure && !nvf_report_holds(r, key);
}

static void look_first(struct nvf_acquire *a, const struct nvf_report *r, const struct view *v,
		       u64 newest, struct nvf_action *action)
{
	const struct nvf_registrant *in_way = v->own_epoch > v->newest_epoch ? v->own : v->newest;
	u64 seen = nvf_report_newest(r);

	if (tenure_lost(a, r))
		fail(a, action, NVF_WHY_LOST, v->holder);
	else
		choose(a, seen > newest ? seen : newest, in_way, action);
}

/* The key that holds is not the one that is to. */
static void take(struct nvf_acquire *a, const struct view *v, struct nvf_action *action)
{
	u64 claim = nvf_key_make_form(a->epoch, a->request.node, NVF_FORM_CLAIM);

	break_off(a);
	if (a->request.tenure) {
		fail(a, action, NVF_WHY_LOST, v->holder);
	} else if (a->unsure) {
		/* A confirmation that is on its way would confirm the next preempt too. */
		fail(a, action, NVF_WHY_DEVICE, v->holder);
	} else if (!v->own || v->own->key != claim) {
		do_register(a, action, v->own ? v->own->key : 0, NVF_FORM_CLAIM);
	} else {
		/* What everybody holds is taken with a key of zero. */
		action->old_key = v->all_hold ? 0 : v->holder->key;
		action->new_key = claim;
		act(a, action, NVF_DO_PREEMPT);
	}
}

/* We hold, or nobody does. */
static void keep(struct nvf_acquire *a, const struct nvf_report *r, const struct view *v,
		 struct nvf_action *action)
{
	u64 key = nvf_key_make(a->epoch, a->request.node);

	if (!v->own_holds)
		break_off(a);
	else if (!a->broken && v->own_epoch != a->own_epoch)
		a->follows = v->own_epoch;
	if (a->request.tenure && a->broken) {
		fail(a, action, NVF_WHY_LOST, NULL);
		return;
	}
	action->new_key = key;
	if (!v->own || v->own->key != key)
		do_register(a, action, v->own ? v->own->key : 0, NVF_FORM_GRANT);
	else if (!v->own_holds)
		act(a, action, NVF_DO_RESERVE);
	else if (nvf_report_holds(r, key))
		act(a, action, NVF_DO_GRANT);
	else
		read_again(a, action, NVF_WHY_UNSETTLED, NULL);
}

/* A key with our number that we may not replace, or that we have not made. */
static bool not_ours(const struct nvf_acquire *a, const struct view *v)
{
	if (!v->own)
		return false;
	return (a->refused_key && v->own->key == a->refused_key) ||
	       (v->own_epoch == a->epoch && a->own_epoch != a->epoch);
}

static void look(struct nvf_acquire *a, const struct nvf_report *r, u64 newest,
		 struct nvf_action *action)
{
	struct view v;

	sort(&a->request, r, &v);
	if (refuse(a, &v, action))
		return;
	if (!a->epoch) {
		look_first(a, r, &v, newest, action);
		return;
	}
	if (v.newest_epoch > a->epoch ||
	    (v.newest_epoch == a->epoch && v.newest_node > a->request.node)) {
		fail(a, action, NVF_WHY_LOST, v.newest);
	} else if (v.own_epoch > a->epoch) {
		fail(a, action, NVF_WHY_LOST, v.own);
	} else if (v.newest_epoch == a->epoch) {
		/* The other one sees the greater key and gives in; but it may have been granted. */
		if (a->request.epoch)
			fail(a, action, NVF_WHY_LOST, v.newest);
		else
			choose(a, a->epoch, v.newest, action);
	} else if (not_ours(a, &v)) {
		fail(a, action, NVF_WHY_SAME_NODE, v.own);
	} else if (v.holder && (!v.own_holds || v.type != NVF_TYPE_WRITE_EXCLUSIVE)) {
		take(a, &v, action);
	} else {
		keep(a, r, &v, action);
	}
}

/* After a command whose answer is told by the next report. */
static void commanded(struct nvf_acquire *a, enum nvf_do last, enum nvf_outcome outcome,
		      struct nvf_action *action)
{
	u64 claim = nvf_key_make_form(a->epoch, a->request.node, NVF_FORM_CLAIM);

	if (last == NVF_DO_REGISTER)
		a->refused_key = outcome == NVF_CONFLICT ? a->replacing_key : 0;
	a->confirming = last == NVF_DO_PREEMPT && outcome == NVF_DONE;
	if (a->confirming)
		do_register(a, action, claim, NVF_FORM_GRANT);
	else
		read_again(a, action, NVF_WHY_UNSETTLED, NULL);
}

/* The preempt has succeeded, and the device is not known to have been told. */
static bool confirm_again(struct nvf_acquire *a, enum nvf_do last, enum nvf_outcome outcome,
			  struct nvf_action *action)
{
	if (last != NVF_DO_REGISTER || outcome != NVF_ERROR || !a->confirming ||
	    a->rounds++ >= ROUNDS_MAX)
		return false;
	a->unsure = true;
	do_register(a, action, a->replacing_key, NVF_FORM_GRANT);
	return true;
}

/* The end for what did not happen, or is not known to have; true when it is the end. */
static bool failed(struct nvf_acquire *a, enum nvf_do last, enum nvf_outcome outcome,
		   struct nvf_action *action)
{
	bool commands = last == NVF_DO_REGISTER || last == NVF_DO_RESERVE || last == NVF_DO_PREEMPT;

	if (outcome == NVF_DONE || (outcome == NVF_CONFLICT && commands))
		return false;
	if (outcome == NVF_CONFLICT && last == NVF_DO_PUBLISH)
		return false;
	if (outcome == NVF_TIMEOUT && last != NVF_DO_PREEMPT)
		fail(a, action, NVF_WHY_TIMEOUT, NULL);
	else
		fail(a, action, NVF_WHY_DEVICE, NULL);
	return true;
}

static void overtaken(struct nvf_acquire *a, u64 newest, struct nvf_action *action)
{
	struct nvf_registrant by = {
		.key = nvf_key_make(newest, a->request.node),
		.host_known = a->request.host_known,
	};

	memcpy(by.host, a->request.host, NVF_HOST_ID_SIZE);
	fail(a, action, NVF_WHY_LOST, &by);
}

static void start(struct nvf_acquire *a, u64 newest, struct nvf_action *action)
{
	a->started = true;
	if (a->request.device) {
		act(a, action, NVF_DO_READ);
		return;
	}
	if (a->request.tenure && a->request.tenure != newest) {
		overtaken(a, newest, action);
		return;
	}
	a->follows = newest;
	choose(a, newest, NULL, action);
}

/* Another attachment of this node was quicker by an instant. */
static void not_published(struct nvf_acquire *a, u64 newest, struct nvf_action *action)
{
	if (a->request.tenure) {
		overtaken(a, newest, action);
		return;
	}
	if (!a->request.device)
		break_off(a);
	choose(a, newest > a->epoch ? newest : a->epoch, NULL, action);
}

void nvf_acquire_next(struct nvf_acquire *a, enum nvf_outcome outcome,
		      const struct nvf_report *report, u64 newest, struct nvf_action *action)
{
	enum nvf_do last = a->last;

	memset(action, 0, sizeof(*action));
	if (!a->started) {
		start(a, newest, action);
		return;
	}
	if (confirm_again(a, last, outcome, action) || failed(a, last, outcome, action))
		return;
	/* The one command that is owed to the others even when we have been overtaken meanwhile. */
	if (a->published && newest > a->epoch && last != NVF_DO_PREEMPT) {
		overtaken(a, newest, action);
		return;
	}

	switch (last) {
	case NVF_DO_PUBLISH:
		if (outcome == NVF_CONFLICT) {
			not_published(a, newest, action);
			return;
		}
		a->published = true;
		act(a, action, NVF_DO_DRAIN);
		return;
	case NVF_DO_DRAIN:
		act(a, action, a->request.device ? NVF_DO_READ : NVF_DO_GRANT);
		return;
	case NVF_DO_READ:
		if (report)
			look(a, report, newest, action);
		else
			fail(a, action, NVF_WHY_DEVICE, NULL);
		return;
	case NVF_DO_REGISTER:
	case NVF_DO_RESERVE:
	case NVF_DO_PREEMPT:
		commanded(a, last, outcome, action);
		return;
	case NVF_DO_GRANT:
	case NVF_DO_FAIL:
		/* They were the last ones. */
		fail(a, action, NVF_WHY_DEVICE, NULL);
		return;
	}
}
