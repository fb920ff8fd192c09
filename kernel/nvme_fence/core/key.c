// SPDX-License-Identifier: GPL-2.0
/* Keys, and what a report says. A report comes from a device: its count is not trusted either. */
#include "key.h"

#define EPOCH_SHIFT	16
#define CHECK_SHIFT	56
#define FORM_SHIFT	62

/*
 * Six bits mixed from epoch and node, below the form, which is not 0: no key of this module is
 * smaller than 2^62. Those that people choose by hand, and the zero of "not registered", are.
 */
static u8 key_check(u64 payload)
{
	return payload * 0x9e3779b97f4a7c15ULL >> 58;
}

u64 nvf_key_make_form(u64 epoch, u16 node, enum nvf_form form)
{
	u64 payload = (epoch & NVF_EPOCH_MAX) << EPOCH_SHIFT | node;

	return (u64)form << FORM_SHIFT | (u64)key_check(payload) << CHECK_SHIFT | payload;
}

bool nvf_key_parse(u64 key, u64 *epoch, u16 *node)
{
	u64 payload = key & ((1ULL << CHECK_SHIFT) - 1);
	u64 e = payload >> EPOCH_SHIFT;
	u16 n = payload & NVF_NODE_MAX;

	if (!e || !n || !nvf_key_form(key) || (key >> CHECK_SHIFT & 0x3f) != key_check(payload))
		return false;
	*epoch = e;
	*node = n;
	return true;
}

static unsigned int report_count(const struct nvf_report *r)
{
	return r->count < NVF_REGISTRANTS_MAX ? r->count : NVF_REGISTRANTS_MAX;
}

static bool is_host(const struct nvf_registrant *reg, const struct nvf_registrant *known)
{
	return reg->host_known && known->host_known &&
	       !memcmp(reg->host, known->host, NVF_HOST_ID_SIZE);
}

/* Has another host the same key? */
static bool is_shared(const struct nvf_report *r, const struct nvf_registrant *known)
{
	unsigned int i;

	for (i = 0; i < report_count(r); i++)
		if (r->reg[i].key == known->key && !is_host(&r->reg[i], known))
			return true;
	return false;
}

static bool is_told(const struct nvf_report *r, const struct nvf_registrant *known)
{
	unsigned int i;

	for (i = 0; i < report_count(r); i++)
		if (r->reg[i].key == known->key && is_host(&r->reg[i], known))
			return true;
	return false;
}

/* The registrations with that key are that host's; of a @shared one, one is. */
static void learn_one(struct nvf_report *r, const struct nvf_registrant *known, bool shared,
		      bool by_holder)
{
	unsigned int i;

	for (i = 0; i < report_count(r); i++) {
		struct nvf_registrant *reg = &r->reg[i];

		if (reg->host_known || reg->key != known->key ||
		    (by_holder && reg->holder != known->holder))
			continue;
		if (shared && is_told(r, known))
			return;
		reg->host_known = true;
		memcpy(reg->host, known->host, NVF_HOST_ID_SIZE);
	}
}

void nvf_report_learn(struct nvf_report *r, const struct nvf_report *other)
{
	const struct nvf_registrant *known;
	unsigned int i, pass;

	/* Who holds is told apart first. A host with several controllers may have one for each. */
	for (pass = 0; pass < 2; pass++) {
		for (i = 0; i < report_count(other); i++) {
			known = &other->reg[i];
			if (known->host_known)
				learn_one(r, known, is_shared(other, known), !pass);
		}
	}
}

u64 nvf_report_newest(const struct nvf_report *r)
{
	u64 newest = 0, epoch;
	unsigned int i;
	u16 node;

	for (i = 0; i < report_count(r); i++)
		if (nvf_key_parse(r->reg[i].key, &epoch, &node) && epoch > newest)
			newest = epoch;
	return newest;
}

const struct nvf_registrant *nvf_report_holder(const struct nvf_report *r)
{
	unsigned int i;

	if (!r->type)
		return NULL;
	for (i = 0; i < report_count(r); i++)
		if (r->reg[i].holder)
			return &r->reg[i];
	return NULL;
}

bool nvf_report_remote(const struct nvf_report *r, u16 node)
{
	const struct nvf_registrant *holder = nvf_report_holder(r);
	u64 epoch;
	u16 there;

	/* Something holds, but not who: it is not us. */
	if (!holder)
		return r->type;
	if (!nvf_key_parse(holder->key, &epoch, &there))
		return true;
	return there != node && nvf_key_form(holder->key) != NVF_FORM_VACANT;
}

/* A host with several controllers may be told once for each. */
static bool same_host(const struct nvf_registrant *a, const struct nvf_registrant *b)
{
	return a->key == b->key && (!a->host_known || !b->host_known ||
				    !memcmp(a->host, b->host, NVF_HOST_ID_SIZE));
}

bool nvf_report_holds(const struct nvf_report *r, u64 key)
{
	const struct nvf_registrant *holder = nvf_report_holder(r);
	u64 epoch, other;
	u16 node, there;
	unsigned int i;

	/* What is beyond the maximum has not been looked at; it might be newer. */
	if (!holder || r->count > NVF_REGISTRANTS_MAX || r->type != NVF_TYPE_WRITE_EXCLUSIVE ||
	    holder->key != key || !nvf_key_parse(key, &epoch, &node))
		return false;
	for (i = 0; i < r->count; i++) {
		const struct nvf_registrant *reg = &r->reg[i];

		if (same_host(reg, holder))
			continue;
		/* One host holds a write-exclusive reservation, and two are no answer. */
		if (reg->holder || reg->key == key)
			return false;
		if (nvf_key_parse(reg->key, &other, &there) &&
		    (other > epoch || (other == epoch && there >= node)))
			return false;
	}
	return true;
}
