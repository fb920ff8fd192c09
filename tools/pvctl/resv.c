// SPDX-License-Identifier: GPL-2.0
#include "resv.h"

#include <errno.h>
#include <string.h>

#include "key.h"

static bool same_host(const struct pv_registrant *a, const struct pv_registrant *b)
{
	return a->host_known == b->host_known &&
	       (!a->host_known || !memcmp(a->host_id, b->host_id, sizeof(a->host_id)));
}

void pv_registrant_read_key(struct pv_registrant *r)
{
	uint16_t node;

	r->ours = nvf_key_parse(r->key, &r->epoch, &node);
	r->node_id = r->ours ? node : 0;
	r->form = r->ours ? nvf_key_form(r->key) : 0;
}

const char *pv_registrant_form_name(const struct pv_registrant *r)
{
	static const char *const names[] = {
		[NVF_FORM_CLAIM] = "claim",
		[NVF_FORM_GRANT] = "grant",
		[NVF_FORM_VACANT] = "vacant",
	};

	return r->ours && r->form < sizeof(names) / sizeof(names[0]) ? names[r->form] : NULL;
}

int pv_report_add(struct pv_report *report, const struct pv_registrant *r)
{
	for (unsigned int i = 0; i < report->nr; i++) {
		struct pv_registrant *known = &report->registrant[i];

		/* Without the host's name two registrations with one key may be two hosts. */
		if (r->host_known && known->key == r->key && same_host(known, r)) {
			known->holder |= r->holder;
			return 0;
		}
	}
	if (report->nr == NVME_FENCE_REGISTRANTS_MAX)
		return -E2BIG;
	report->registrant[report->nr] = *r;
	pv_registrant_read_key(&report->registrant[report->nr++]);
	return 0;
}

uint64_t pv_report_newest(const struct pv_report *report)
{
	uint64_t newest = 0;

	for (unsigned int i = 0; i < report->nr; i++)
		if (report->registrant[i].ours && report->registrant[i].epoch > newest)
			newest = report->registrant[i].epoch;
	return newest;
}

const struct pv_registrant *pv_report_holder(const struct pv_report *report)
{
	if (!report->type)
		return NULL;
	for (unsigned int i = 0; i < report->nr; i++)
		if (report->registrant[i].holder)
			return &report->registrant[i];
	return NULL;
}

void pv_report_learn_hosts(struct pv_report *report, const struct pv_report *other)
{
	for (unsigned int i = 0; i < report->nr; i++) {
		struct pv_registrant *r = &report->registrant[i];

		for (unsigned int j = 0; j < other->nr && !r->host_known; j++) {
			const struct pv_registrant *o = &other->registrant[j];

			if (o->key != r->key || !o->host_known)
				continue;
			r->host_known = true;
			memcpy(r->host_id, o->host_id, sizeof(r->host_id));
		}
	}
}

const char *pv_report_type_name(uint32_t type)
{
	static const char *const names[] = {
		NULL,
		"write-exclusive",
		"exclusive-access",
		"write-exclusive-registrants-only",
		"exclusive-access-registrants-only",
		"write-exclusive-all-registrants",
		"exclusive-access-all-registrants",
	};

	return type < sizeof(names) / sizeof(names[0]) ? names[type] : "unknown";
}
