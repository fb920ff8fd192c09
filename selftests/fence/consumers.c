// SPDX-License-Identifier: GPL-2.0
/*
 * IOC_PR_* of the consumers. All have the one fixed key of an unmodified lease program: with
 * others less would happen, not more.
 */
#include "model.h"

#define FIXED_KEY 7

struct seen {
	struct nvf_pr pr;
	struct nvf_pr_host host[PER_NODE];
};

static void pr_load(const struct state *s, unsigned int node, struct seen *v)
{
	const struct node *n = &s->node[node];
	unsigned int i;

	memset(v, 0, sizeof(*v));
	for (i = 0; i < PER_NODE; i++) {
		v->host[i].key = s->att[node * PER_NODE + i].pr_key;
		v->host[i].registered = v->host[i].key;
		v->host[i].next = v->pr.hosts;
		v->pr.hosts = &v->host[i];
	}
	v->pr.reserved = n->pr_reserved;
	if (n->pr_holder)
		v->pr.holder = &v->host[n->pr_holder - 1];
}

static void pr_store(struct state *s, unsigned int node, const struct seen *v)
{
	unsigned int i;

	for (i = 0; i < PER_NODE; i++)
		s->att[node * PER_NODE + i].pr_key = v->host[i].registered ? v->host[i].key : 0;
	s->node[node].pr_reserved = v->pr.reserved;
	s->node[node].pr_holder = v->pr.holder ? v->pr.holder - v->host + 1 : 0;
}

void consumer_granted(struct state *s, unsigned int att, bool by_preempt)
{
	struct seen v;

	pr_load(s, node_of(att), &v);
	core.pr_granted(&v.pr, &v.host[att % PER_NODE], by_preempt, FIXED_KEY);
	pr_store(s, node_of(att), &v);
}

void consumer_released(struct state *s, unsigned int att)
{
	struct seen v;

	pr_load(s, node_of(att), &v);
	core.pr_released(&v.pr, &v.host[att % PER_NODE]);
	pr_store(s, node_of(att), &v);
}

void consumer_evicted(struct state *s, unsigned int att)
{
	struct seen v;

	pr_load(s, node_of(att), &v);
	core.pr_evicted(&v.pr, &v.host[att % PER_NODE]);
	pr_store(s, node_of(att), &v);
}

static bool is_remote(const struct state *s, unsigned int node)
{
	static struct nvf_report r;

	device_report(s, &r);
	return core.report_remote(&r, node + 1);
}

static enum nvf_pr_verdict ask(struct seen *v, struct nvf_pr_host *h, enum kind kind, bool remote)
{
	const u8 type = NVF_TYPE_WRITE_EXCLUSIVE;

	switch (kind) {
	case EV_PR_REGISTER: return core.pr_register(&v->pr, h, 0, FIXED_KEY, true);
	case EV_PR_UNREGISTER: return core.pr_register(&v->pr, h, FIXED_KEY, 0, false);
	case EV_PR_RESERVE: return core.pr_reserve(&v->pr, h, FIXED_KEY, type, remote);
	case EV_PR_PREEMPT: return core.pr_preempt(&v->pr, h, FIXED_KEY, FIXED_KEY, type, remote);
	case EV_PR_RELEASE: return core.pr_release(&v->pr, h, FIXED_KEY, type);
	default: return core.pr_clear(&v->pr, h, FIXED_KEY, remote);
	}
}

bool consumer(struct state *s, unsigned int att, enum kind kind)
{
	unsigned int node = node_of(att);
	enum nvf_pr_verdict verdict;
	struct state before = *s;
	struct seen v;

	pr_load(s, node, &v);
	verdict = ask(&v, &v.host[att % PER_NODE], kind, is_remote(s, node));
	pr_store(s, node, &v);
	if (verdict == NVF_PR_ACQUIRE)
		return acquire_begin(s, att, ASK_NEXT, kind == EV_PR_PREEMPT);
	/* What changes nothing leads nowhere. */
	if (verdict == NVF_PR_RELEASE) {
		if (s->att[att].state != NVF_GRANTED)
			violation = "a consumer is to give back what it does not have";
		return violation || release_begin(s, att, false);
	}
	return memcmp(&before, s, sizeof(before));
}
