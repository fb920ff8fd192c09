// SPDX-License-Identifier: GPL-2.0
#include "fence.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "attr.h"

#define NAME_POLICY                                                                \
	{                                                                          \
		.type = NLA_STRING, .minlen = 1, .maxlen = NVME_FENCE_NAME_MAX + 1 \
	}
#define DEVICE_POLICY                                                    \
	{                                                                \
		.type = NLA_STRING, .minlen = 1, .maxlen = PV_DEVICE_MAX \
	}
#define HOST_POLICY                                                                  \
	{                                                                            \
		.minlen = NVME_FENCE_HOST_ID_SIZE, .maxlen = NVME_FENCE_HOST_ID_SIZE \
	}
#define U32_POLICY              \
	{                       \
		.type = NLA_U32 \
	}
#define U64_POLICY              \
	{                       \
		.type = NLA_U64 \
	}

#define HAS_ROOM(max) _Static_assert((max) < 64, "a bit for each attribute")
HAS_ROOM(NVME_FENCE_A_ATT_MAX);

static const struct nla_policy attachment_policy[NVME_FENCE_A_ATT_MAX + 1] = {
	[NVME_FENCE_A_ATT_NAME] = NAME_POLICY,
	[NVME_FENCE_A_ATT_DEVICE] = DEVICE_POLICY,
	[NVME_FENCE_A_ATT_DEVICE_DEVNUM] = U64_POLICY,
	[NVME_FENCE_A_ATT_NODE_ID] = U32_POLICY,
	[NVME_FENCE_A_ATT_HOST_ID] = HOST_POLICY,
	[NVME_FENCE_A_ATT_UNIQUE_ID] = { .minlen = 1, .maxlen = NVME_FENCE_UNIQUE_ID_MAX },
	[NVME_FENCE_A_ATT_DISK] = DEVICE_POLICY,
	[NVME_FENCE_A_ATT_DEVNUM] = U64_POLICY,
	[NVME_FENCE_A_ATT_SIZE] = U64_POLICY,
	[NVME_FENCE_A_ATT_GRADE] = U32_POLICY,
	[NVME_FENCE_A_ATT_STATE] = U32_POLICY,
	[NVME_FENCE_A_ATT_REASON] = U32_POLICY,
	[NVME_FENCE_A_ATT_EPOCH] = U64_POLICY,
	[NVME_FENCE_A_ATT_DEVICE_EPOCH] = U64_POLICY,
	[NVME_FENCE_A_ATT_IN_FLIGHT] = U64_POLICY,
	[NVME_FENCE_A_ATT_WRITES_IN_FLIGHT] = U64_POLICY,
	[NVME_FENCE_A_ATT_REFUSED] = U64_POLICY,
	[NVME_FENCE_A_ATT_GRANTS] = U64_POLICY,
	[NVME_FENCE_A_ATT_OPENERS] = U32_POLICY,
	[NVME_FENCE_A_ATT_LEASE] = U32_POLICY,
	[NVME_FENCE_A_ATT_LEASE_LEFT] = U32_POLICY,
	[NVME_FENCE_A_ATT_COMMANDS] = U32_POLICY,
	[NVME_FENCE_A_ATT_STICKY] = { .type = NLA_FLAG },
};

static const struct nla_policy report_policy[NVME_FENCE_A_REPORT_MAX + 1] = {
	[NVME_FENCE_A_REPORT_GENERATION] = U32_POLICY,
	[NVME_FENCE_A_REPORT_TYPE] = U32_POLICY,
	[NVME_FENCE_A_REPORT_REGISTRANT] = { .type = NLA_NESTED },
};

static const struct nla_policy registrant_policy[NVME_FENCE_A_REG_MAX + 1] = {
	[NVME_FENCE_A_REG_KEY] = U64_POLICY,	  [NVME_FENCE_A_REG_HOLDER] = { .type = NLA_FLAG },
	[NVME_FENCE_A_REG_HOST_ID] = HOST_POLICY, [NVME_FENCE_A_REG_EPOCH] = U64_POLICY,
	[NVME_FENCE_A_REG_NODE_ID] = U32_POLICY,
};

static const struct nla_policy event_policy[NVME_FENCE_A_EVENT_MAX + 1] = {
	[NVME_FENCE_A_EVENT_TYPE] = U32_POLICY,
	[NVME_FENCE_A_EVENT_SEQ] = U64_POLICY,
};

static void take_string(struct nlattr *attr, char *out, size_t size)
{
	if (attr)
		nla_strlcpy(out, attr, size);
}

static void take_u32(struct nlattr *attr, uint32_t *out)
{
	if (attr)
		*out = nla_get_u32(attr);
}

static void take_u64(struct nlattr *attr, uint64_t *out)
{
	if (attr)
		*out = nla_get_u64(attr);
}

static bool take_host(struct nlattr *attr, uint8_t *out)
{
	if (attr)
		memcpy(out, nla_data(attr), NVME_FENCE_HOST_ID_SIZE);
	return attr;
}

int pv_decode_attachment(struct nlattr *nest, struct pv_attachment *a)
{
	struct nlattr *tb[NVME_FENCE_A_ATT_MAX + 1], *id;

	memset(a, 0, sizeof(*a));
	if (!nest || nla_parse_nested(tb, NVME_FENCE_A_ATT_MAX, nest, attachment_policy) < 0 ||
	    !tb[NVME_FENCE_A_ATT_NAME])
		return -EBADMSG;
	for (int i = 1; i <= NVME_FENCE_A_ATT_MAX; i++)
		if (tb[i])
			a->present |= 1ULL << i;
	take_string(tb[NVME_FENCE_A_ATT_NAME], a->name, sizeof(a->name));
	take_string(tb[NVME_FENCE_A_ATT_DEVICE], a->device, sizeof(a->device));
	take_string(tb[NVME_FENCE_A_ATT_DISK], a->disk, sizeof(a->disk));
	take_u64(tb[NVME_FENCE_A_ATT_DEVICE_DEVNUM], &a->device_devnum);
	take_u64(tb[NVME_FENCE_A_ATT_DEVNUM], &a->devnum);
	take_u32(tb[NVME_FENCE_A_ATT_NODE_ID], &a->node_id);
	take_host(tb[NVME_FENCE_A_ATT_HOST_ID], a->host_id);
	id = tb[NVME_FENCE_A_ATT_UNIQUE_ID];
	if (id) {
		a->unique_id_len = (size_t)nla_len(id);
		memcpy(a->unique_id, nla_data(id), a->unique_id_len);
	}
	take_u64(tb[NVME_FENCE_A_ATT_SIZE], &a->size);
	take_u32(tb[NVME_FENCE_A_ATT_GRADE], &a->grade);
	take_u32(tb[NVME_FENCE_A_ATT_STATE], &a->state);
	take_u32(tb[NVME_FENCE_A_ATT_REASON], &a->reason);
	take_u64(tb[NVME_FENCE_A_ATT_EPOCH], &a->epoch);
	take_u64(tb[NVME_FENCE_A_ATT_DEVICE_EPOCH], &a->device_epoch);
	take_u64(tb[NVME_FENCE_A_ATT_IN_FLIGHT], &a->in_flight);
	take_u64(tb[NVME_FENCE_A_ATT_WRITES_IN_FLIGHT], &a->writes_in_flight);
	take_u64(tb[NVME_FENCE_A_ATT_REFUSED], &a->refused);
	take_u64(tb[NVME_FENCE_A_ATT_GRANTS], &a->grants);
	take_u32(tb[NVME_FENCE_A_ATT_OPENERS], &a->openers);
	take_u32(tb[NVME_FENCE_A_ATT_LEASE], &a->lease);
	take_u32(tb[NVME_FENCE_A_ATT_LEASE_LEFT], &a->lease_left);
	take_u32(tb[NVME_FENCE_A_ATT_COMMANDS], &a->commands);
	a->sticky = tb[NVME_FENCE_A_ATT_STICKY];
	return 0;
}

int pv_decode_registrant(struct nlattr *nest, struct pv_registrant *r)
{
	struct nlattr *tb[NVME_FENCE_A_REG_MAX + 1];

	memset(r, 0, sizeof(*r));
	if (!nest || nla_parse_nested(tb, NVME_FENCE_A_REG_MAX, nest, registrant_policy) < 0 ||
	    !tb[NVME_FENCE_A_REG_KEY])
		return -EBADMSG;
	take_u64(tb[NVME_FENCE_A_REG_KEY], &r->key);
	r->holder = tb[NVME_FENCE_A_REG_HOLDER];
	r->host_known = take_host(tb[NVME_FENCE_A_REG_HOST_ID], r->host_id);
	pv_registrant_read_key(r);
	return 0;
}

int pv_decode_report(struct nlattr *nest, struct pv_report *report)
{
	struct nlattr *tb[NVME_FENCE_A_REPORT_MAX + 1], *attr;
	struct pv_registrant r;
	int rem;

	memset(report, 0, sizeof(*report));
	if (!nest || nla_parse_nested(tb, NVME_FENCE_A_REPORT_MAX, nest, report_policy) < 0)
		return -EBADMSG;
	take_u32(tb[NVME_FENCE_A_REPORT_GENERATION], &report->generation);
	take_u32(tb[NVME_FENCE_A_REPORT_TYPE], &report->type);
	nla_for_each_nested(attr, nest, rem) {
		if (nla_type(attr) != NVME_FENCE_A_REPORT_REGISTRANT)
			continue;
		if (pv_decode_registrant(attr, &r) || pv_report_add(report, &r))
			return -EBADMSG;
	}
	report->known = true;
	return 0;
}

int pv_decode_fence_event(struct nlattr **top, struct pv_fence_event *e)
{
	struct nlattr *tb[NVME_FENCE_A_EVENT_MAX + 1];

	memset(e, 0, sizeof(*e));
	if (!top[NVME_FENCE_A_EVENT] ||
	    nla_parse_nested(tb, NVME_FENCE_A_EVENT_MAX, top[NVME_FENCE_A_EVENT], event_policy) <
		    0 ||
	    !tb[NVME_FENCE_A_EVENT_TYPE] ||
	    pv_decode_attachment(top[NVME_FENCE_A_ATTACHMENT], &e->attachment))
		return -EBADMSG;
	take_u32(tb[NVME_FENCE_A_EVENT_TYPE], &e->type);
	take_u64(tb[NVME_FENCE_A_EVENT_SEQ], &e->seq);
	e->has_winner = top[NVME_FENCE_A_WINNER];
	return e->has_winner ? pv_decode_registrant(top[NVME_FENCE_A_WINNER], &e->winner) : 0;
}

void pv_attachments_free(struct pv_attachments *attachments)
{
	free(attachments->attachment);
	*attachments = (struct pv_attachments){ 0 };
}

uint64_t pv_attachment_newest(const struct pv_attachment *a)
{
	return a->epoch > a->device_epoch ? a->epoch : a->device_epoch;
}

static const char *name_of(const char *const *names, size_t nr, uint32_t value)
{
	return value < nr && names[value] ? names[value] : "unknown";
}

#define NAME_OF(names, value) name_of(names, sizeof(names) / sizeof((names)[0]), value)

const char *pv_grade_name(uint32_t grade)
{
	static const char *const names[] = {
		[NVME_FENCE_GRADE_LOCAL] = "local",
		[NVME_FENCE_GRADE_DEVICE] = "device",
	};

	return NAME_OF(names, grade);
}

const char *pv_fence_state_name(uint32_t state)
{
	static const char *const names[] = {
		[NVME_FENCE_STATE_FENCED] = "fenced",
		[NVME_FENCE_STATE_GRANTED] = "granted",
		[NVME_FENCE_STATE_STALE] = "stale",
	};

	return NAME_OF(names, state);
}

const char *pv_fence_reason_name(uint32_t reason)
{
	static const char *const names[] = {
		[NVME_FENCE_REASON_NONE] = "none",
		[NVME_FENCE_REASON_NEW] = "new",
		[NVME_FENCE_REASON_RELEASED] = "released",
		[NVME_FENCE_REASON_TAKEN_OVER] = "taken-over",
		[NVME_FENCE_REASON_CONFLICT] = "conflict",
		[NVME_FENCE_REASON_FORGOTTEN] = "forgotten",
		[NVME_FENCE_REASON_LEASE] = "lease",
		[NVME_FENCE_REASON_GONE] = "gone",
		[NVME_FENCE_REASON_ACQUIRING] = "acquiring",
	};

	return NAME_OF(names, reason);
}

const char *pv_fence_event_name(uint32_t type)
{
	static const char *const names[] = {
		[NVME_FENCE_EVENT_ATTACHED] = "fence-attached",
		[NVME_FENCE_EVENT_DETACHED] = "fence-detached",
		[NVME_FENCE_EVENT_GRANTED] = "fence-granted",
		[NVME_FENCE_EVENT_RELEASED] = "fence-released",
		[NVME_FENCE_EVENT_STALE] = "fence-stale",
		[NVME_FENCE_EVENT_LOST] = "fence-lost",
		[NVME_FENCE_EVENT_GONE] = "fence-gone",
	};

	return NAME_OF(names, type);
}
