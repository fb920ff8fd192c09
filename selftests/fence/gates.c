// SPDX-License-Identifier: GPL-2.0
/* An attachment's gate, and what a node does to it of its own accord. */
#include "model.h"

static void gate_load(const struct att *a, struct nvf_gate *g)
{
	*g = (struct nvf_gate){
		.state = a->state,
		.event = a->event,
		.openers = a->openers,
		.sticky = a->sticky,
		.tenure = a->tenure,
		.epoch = a->epoch,
	};
}

static void gate_store(struct att *a, const struct nvf_gate *g)
{
	a->state = g->state;
	a->event = g->event;
	a->openers = g->openers;
	a->sticky = g->sticky;
	a->tenure = g->tenure;
	a->epoch = g->epoch;
	/* Why it is shut is told to people and decides nothing but in these. */
	if (g->event != NVF_EV_ACQUIRE)
		a->event = 0;
}

enum nvf_gate_act gate_do(struct state *s, unsigned int att, enum nvf_event event)
{
	struct att *a = &s->att[att];
	enum nvf_gate_act act;
	struct nvf_gate g;

	gate_load(a, &g);
	act = core.gate_event(&g, event, 0, s->node[node_of(att)].newest);
	gate_store(a, &g);
	return act;
}

enum nvf_gate_act gate_grant(struct state *s, unsigned int att, u8 epoch, u8 follows)
{
	struct att *a = &s->att[att];
	enum nvf_gate_act act;
	struct nvf_gate g;

	gate_load(a, &g);
	act = core.gate_grant(&g, epoch, follows, s->node[node_of(att)].newest);
	gate_store(a, &g);
	return act;
}

bool gate_may_acquire(const struct state *s, unsigned int att)
{
	struct nvf_gate g;

	gate_load(&s->att[att], &g);
	return nvf_gate_may_acquire(&g);
}

bool release_begin(struct state *s, unsigned int att, bool admin)
{
	struct att *a = &s->att[att];

	if (a->state != NVF_GRANTED || a->releasing || a->action)
		return false;
	/* A consumer that releases has nothing prepared; the administrator cannot know. */
	if (!admin && a->write)
		return false;
	if (gate_do(s, att, admin ? NVF_EV_RELEASE_ADMIN : NVF_EV_RELEASE) != NVF_ACT_SHUT)
		return false;
	a->releasing = rules.device;
	consumer_released(s, att);
	return true;
}

bool release_exchange(struct state *s, unsigned int att)
{
	struct att *a = &s->att[att];
	unsigned int node = node_of(att);
	struct skey old = skey_of(nvf_key_make(a->epoch, node + 1));
	struct skey new = skey_of(nvf_key_make_form(a->epoch, node + 1, NVF_FORM_VACANT));

	if (!a->releasing || a->write >= WRITE_PASSED)
		return false;
	a->releasing = 0;
	if (rules.release_frees) {
		if (s->holder == node + 1 && s->reg[node].epoch == a->epoch)
			s->holder = 0;
	} else {
		device_register(s, node, old, new);
	}
	return true;
}

bool verify(struct state *s, unsigned int node)
{
	static struct nvf_report r;
	unsigned int i;

	device_report(s, &r);
	for (i = node * PER_NODE; i < (node + 1) * PER_NODE; i++) {
		struct att *a = &s->att[i];

		if (a->state != NVF_GRANTED ||
		    core.report_holds(&r, nvf_key_make(a->epoch, node + 1)))
			continue;
		gate_do(s, i, NVF_EV_FORGOTTEN);
		consumer_evicted(s, i);
		return true;
	}
	return false;
}
