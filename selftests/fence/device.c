// SPDX-License-Identifier: GPL-2.0
/* Reservations of one namespace, as the NVMe base specification has them and nvmet does them. */
#include "model.h"

struct skey skey_of(u64 key)
{
	struct skey k = { 0 };
	u64 epoch;
	u16 node;

	if (nvf_key_parse(key, &epoch, &node)) {
		k.epoch = epoch;
		k.rest = node << 2 | nvf_key_form(key);
	}
	return k;
}

u64 skey_to(struct skey k)
{
	return k.epoch ? nvf_key_make_form(k.epoch, k.rest >> 2, k.rest & 3) : 0;
}

static bool same(struct skey a, struct skey b)
{
	return a.epoch == b.epoch && a.rest == b.rest;
}

void device_report(const struct state *s, struct nvf_report *r)
{
	unsigned int i;

	r->generation = 0;
	r->type = s->holder ? NVF_TYPE_WRITE_EXCLUSIVE : 0;
	r->count = 0;
	for (i = 0; i < NODES; i++) {
		struct nvf_registrant *reg = &r->reg[r->count];

		if (!s->reg[i].epoch)
			continue;
		memset(reg, 0, sizeof(*reg));
		reg->key = skey_to(s->reg[i]);
		reg->holder = s->holder == i + 1;
		reg->host_known = true;
		reg->host[0] = i + 1;
		r->count++;
	}
}

void device_report_torn(const struct state *s, const struct skey *keys, struct nvf_report *r)
{
	u64 holder = s->holder ? skey_to(s->reg[s->holder - 1]) : 0;
	unsigned int i;

	r->generation = 0;
	r->type = holder ? NVF_TYPE_WRITE_EXCLUSIVE : 0;
	r->count = 0;
	for (i = 0; i < NODES; i++) {
		struct nvf_registrant *reg = &r->reg[r->count];

		if (!keys[i].epoch)
			continue;
		memset(reg, 0, sizeof(*reg));
		reg->key = skey_to(keys[i]);
		reg->holder = reg->key == holder;
		r->count++;
	}
}

enum nvf_outcome device_register(struct state *s, unsigned int node, struct skey old,
				 struct skey new)
{
	struct skey *reg = &s->reg[node];

	if (rules.ignore_key && reg->epoch)
		old = *reg;
	if (old.epoch ? !same(*reg, old) : reg->epoch && !same(*reg, new))
		return NVF_CONFLICT;
	*reg = new;
	return NVF_DONE;
}

enum nvf_outcome device_reserve(struct state *s, unsigned int node, struct skey key)
{
	if (!key.epoch || !same(s->reg[node], key))
		return NVF_CONFLICT;
	if (s->holder && s->holder != node + 1)
		return NVF_CONFLICT;
	s->holder = node + 1;
	return NVF_DONE;
}

enum nvf_outcome device_preempt(struct state *s, unsigned int node, struct skey key,
				struct skey victim)
{
	bool takes = s->holder && s->holder != node + 1 && same(s->reg[s->holder - 1], victim);
	bool found = false;
	unsigned int i;

	if (!key.epoch || !same(s->reg[node], key))
		return NVF_CONFLICT;
	/* The holder's own preempt evicts nobody and succeeds. */
	if (s->holder == node + 1)
		return NVF_DONE;
	if (takes)
		s->holder = node + 1;
	for (i = 0; i < NODES; i++) {
		if (!s->reg[i].epoch || !same(s->reg[i], victim) || (takes && i == node))
			continue;
		memset(&s->reg[i], 0, sizeof(s->reg[i]));
		found = true;
	}
	return found ? NVF_DONE : NVF_CONFLICT;
}
