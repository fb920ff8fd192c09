// SPDX-License-Identifier: GPL-2.0
#include "fence_output.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "fence_link.h"
#include "key.h"

#define HEX_TEXT (2 * NVME_FENCE_UNIQUE_ID_MAX + 1)

static const char *format_hex(const uint8_t *bytes, size_t len, char buf[HEX_TEXT])
{
	buf[0] = '\0';
	for (size_t i = 0; i < len; i++)
		snprintf(buf + 2 * i, 3, "%02x", bytes[i]);
	return buf;
}

/* Milliseconds as seconds: "30", "0.5" */
static const char *format_seconds(uint32_t ms, char buf[PV_SIZE_TEXT])
{
	int len = snprintf(buf, PV_SIZE_TEXT, "%u.%03u", ms / 1000, ms % 1000);

	while (buf[len - 1] == '0')
		buf[--len] = '\0';
	if (buf[len - 1] == '.')
		buf[len - 1] = '\0';
	return buf;
}

const char *pv_format_registrant(const struct pv_registrant *r, char buf[PV_REGISTRANT_TEXT])
{
	char host[PV_UUID_TEXT];
	int len;

	if (r->ours)
		len = snprintf(buf, PV_REGISTRANT_TEXT, "%sepoch %" PRIu64 " of node %u%s",
			       r->form == NVF_FORM_CLAIM ? "unfinished claim of " : "", r->epoch,
			       r->node_id, r->form == NVF_FORM_VACANT ? " (given back)" : "");
	else
		len = snprintf(buf, PV_REGISTRANT_TEXT, "foreign key %#" PRIx64, r->key);
	if (r->host_known)
		snprintf(buf + len, PV_REGISTRANT_TEXT - (size_t)len, " on host %s",
			 pv_format_uuid(r->host_id, host));
	return buf;
}

/* ---- JSON ---- */

static void add_number(struct json_object *o, const char *key, bool known, uint64_t value,
		       bool partial)
{
	if (known)
		pv_json_u64(o, key, value);
	else if (!partial)
		pv_json_string(o, key, NULL);
}

static void add_text(struct json_object *o, const char *key, const char *value, bool partial)
{
	if (value || !partial)
		pv_json_string(o, key, value);
}

static struct json_object *json_seconds(uint32_t ms)
{
	char text[PV_SIZE_TEXT];

	return json_object_new_double_s(ms / 1000.0, format_seconds(ms, text));
}

static void add_seconds(struct json_object *o, const char *key, bool known, uint32_t ms,
			bool partial)
{
	if (known || !partial)
		json_object_object_add(o, key, known ? json_seconds(ms) : NULL);
}

static void add_path(struct json_object *o, const char *key, const char *name, bool partial)
{
	char path[PV_DEVICE_MAX + 8];

	snprintf(path, sizeof(path), "/dev/%s", name);
	add_text(o, key, name[0] ? path : NULL, partial);
}

static void add_host(struct json_object *o, bool known, const uint8_t *host_id, bool partial)
{
	char text[PV_UUID_TEXT];

	add_text(o, "host_id", known ? pv_format_uuid(host_id, text) : NULL, partial);
}

static struct json_object *json_attachment(const struct pv_attachment *a, bool partial)
{
	struct json_object *o = json_object_new_object();
	char link[PV_FENCE_LINK_MAX], hex[HEX_TEXT];

#define HAS(attr) PV_HAS(a, NVME_FENCE_A_ATT_##attr)
#define ADD(key, attr) add_number(o, #key, HAS(attr), a->key, partial)
	pv_json_string(o, "name", a->name);
	add_path(o, "device", a->disk, partial);
	if (!partial)
		pv_json_string(o, "link", pv_fence_link_path(a->name, link));
	add_path(o, "lower", a->device, partial);
	add_text(o, "grade", HAS(GRADE) ? pv_grade_name(a->grade) : NULL, partial);
	add_text(o, "state", HAS(STATE) ? pv_fence_state_name(a->state) : NULL, partial);
	add_text(o, "reason", HAS(REASON) && a->reason ? pv_fence_reason_name(a->reason) : NULL,
		 partial);
	ADD(epoch, EPOCH);
	ADD(device_epoch, DEVICE_EPOCH);
	if (!partial)
		pv_json_u64(o, "record_epoch", a->record_epoch);
	ADD(node_id, NODE_ID);
	add_host(o, HAS(HOST_ID), a->host_id, partial);
	add_text(o, "unique_id",
		 HAS(UNIQUE_ID) ? format_hex(a->unique_id, a->unique_id_len, hex) : NULL, partial);
	ADD(size, SIZE);
	ADD(in_flight, IN_FLIGHT);
	ADD(writes_in_flight, WRITES_IN_FLIGHT);
	ADD(refused, REFUSED);
	ADD(openers, OPENERS);
	add_seconds(o, "lease", HAS(LEASE), a->lease, partial);
	add_seconds(o, "lease_left", HAS(LEASE_LEFT), a->lease_left, partial);
	ADD(commands, COMMANDS);
	if (!partial || a->sticky)
		pv_json_bool(o, "sticky", a->sticky);
#undef ADD
#undef HAS
	return o;
}

struct json_object *pv_json_attachment(const struct pv_attachment *a)
{
	return json_attachment(a, false);
}

struct json_object *pv_json_registrant(const struct pv_registrant *r)
{
	struct json_object *o = json_object_new_object();
	char key[24];

	/* Larger than what every reader of JSON keeps whole. */
	snprintf(key, sizeof(key), "%#018" PRIx64, r->key);
	pv_json_string(o, "key", key);
	pv_json_bool(o, "holder", r->holder);
	add_host(o, r->host_known, r->host_id, false);
	add_number(o, "epoch", r->ours, r->epoch, false);
	add_number(o, "node_id", r->ours, r->node_id, false);
	pv_json_string(o, "form", pv_registrant_form_name(r));
	return o;
}

struct json_object *pv_json_report(const struct pv_report *report)
{
	struct json_object *o, *registrants;

	if (!report->known)
		return NULL;
	o = json_object_new_object();
	registrants = json_object_new_array();
	pv_json_u64(o, "generation", report->generation);
	pv_json_string(o, "type", pv_report_type_name(report->type));
	for (unsigned int i = 0; i < report->nr; i++)
		json_object_array_add(registrants, pv_json_registrant(&report->registrant[i]));
	json_object_object_add(o, "registrants", registrants);
	return o;
}

struct json_object *pv_json_fence_event(const struct pv_fence_event *e)
{
	struct json_object *o = json_object_new_object();

	pv_json_string(o, "event", pv_fence_event_name(e->type));
	pv_json_u64(o, "seq", e->seq);
	json_object_object_add(o, "attachment", json_attachment(&e->attachment, true));
	if (e->has_winner)
		json_object_object_add(o, "winner", pv_json_registrant(&e->winner));
	return o;
}

/* ---- text ---- */

static void print_report(const struct pv_report *report)
{
	if (!report->known) {
		pv_field("reservation", "unknown");
		return;
	}
	pv_field("reservation", "%s, generation %u",
		 report->type ? pv_report_type_name(report->type) : "none", report->generation);
	for (unsigned int i = 0; i < report->nr; i++) {
		const struct pv_registrant *r = &report->registrant[i];
		char text[PV_REGISTRANT_TEXT];

		pv_field("registrant", "%s%s", pv_format_registrant(r, text),
			 r->holder ? ", holds" : "");
	}
}

static void print_lease(const struct pv_attachment *a)
{
	char lease[PV_SIZE_TEXT], left[PV_SIZE_TEXT];

	if (!a->lease)
		return;
	if (a->state == NVME_FENCE_STATE_GRANTED && PV_HAS(a, NVME_FENCE_A_ATT_LEASE_LEFT))
		pv_field("lease", "%s s, %s s left", format_seconds(a->lease, lease),
			 format_seconds(a->lease_left, left));
	else
		pv_field("lease", "%s s", format_seconds(a->lease, lease));
}

void pv_print_attachment(const struct pv_ctx *ctx, const struct pv_attachment *a,
			 const struct pv_report *report)
{
	char link[PV_FENCE_LINK_MAX], text[PV_UUID_TEXT], hex[HEX_TEXT];

	if (ctx->json) {
		struct json_object *o = pv_json_attachment(a);

		if (report)
			json_object_object_add(o, "report", pv_json_report(report));
		pv_json_print(o);
		return;
	}
	pv_field("name", "%s", a->name);
	pv_field("device", "/dev/%s", a->disk);
	pv_field("link", "%s", pv_fence_link_path(a->name, link));
	pv_field("lower", "/dev/%s", a->device);
	pv_field("grade", "%s", pv_grade_name(a->grade));
	pv_field("state", "%s", pv_fence_state_name(a->state));
	if (a->reason)
		pv_field("reason", "%s", pv_fence_reason_name(a->reason));
	if (a->sticky)
		pv_field("sticky", "a file that was open when it was fenced is still open");
	pv_field("epoch", "%" PRIu64, a->epoch);
	pv_field("device epoch", "%" PRIu64, a->device_epoch);
	pv_field("record epoch", "%" PRIu64, a->record_epoch);
	pv_field("node", "%u", a->node_id);
	if (PV_HAS(a, NVME_FENCE_A_ATT_HOST_ID))
		pv_field("host", "%s", pv_format_uuid(a->host_id, text));
	if (a->unique_id_len)
		pv_field("unique id", "%s", format_hex(a->unique_id, a->unique_id_len, hex));
	pv_field_size("size", a->size);
	print_lease(a);
	pv_field("openers", "%u", a->openers);
	pv_field("in flight", "%" PRIu64 ", writes among them %" PRIu64, a->in_flight,
		 a->writes_in_flight);
	if (PV_HAS(a, NVME_FENCE_A_ATT_REFUSED))
		pv_field("refused", "%" PRIu64 " writes", a->refused);
	if (report)
		print_report(report);
}

static void cell_number(struct pv_table *t, uint64_t value)
{
	char text[24];

	snprintf(text, sizeof(text), "%" PRIu64, value);
	pv_table_cell(t, text);
}

static void cell_device(struct pv_table *t, const char *name)
{
	char text[PV_DEVICE_MAX + 8];

	snprintf(text, sizeof(text), "/dev/%s", name);
	pv_table_cell(t, name[0] ? text : "-");
}

void pv_print_attachments(const struct pv_ctx *ctx, const struct pv_attachments *attachments)
{
	static const struct pv_column columns[] = {
		{ "NAME", false },  { "DEVICE", false }, { "LOWER", false },	{ "GRADE", false },
		{ "STATE", false }, { "REASON", false }, { "EPOCH", true },	{ "NEWEST", true },
		{ "NODE", true },   { "OPENERS", true }, { "IN FLIGHT", true }, { 0 }
	};
	struct pv_table *t;

	if (ctx->json) {
		struct json_object *array = json_object_new_array();

		for (size_t i = 0; i < attachments->nr; i++)
			json_object_array_add(array,
					      pv_json_attachment(&attachments->attachment[i]));
		pv_json_print(array);
		return;
	}
	t = pv_table_new(columns);
	for (size_t i = 0; i < attachments->nr; i++) {
		const struct pv_attachment *a = &attachments->attachment[i];

		pv_table_cell(t, a->name);
		cell_device(t, a->disk);
		cell_device(t, a->device);
		pv_table_cell(t, pv_grade_name(a->grade));
		pv_table_cell(t, pv_fence_state_name(a->state));
		pv_table_cell(t, a->reason ? pv_fence_reason_name(a->reason) : "-");
		cell_number(t, a->epoch);
		cell_number(t, a->device_epoch);
		cell_number(t, a->node_id);
		cell_number(t, a->openers);
		cell_number(t, a->in_flight);
	}
	pv_table_print(t);
}

void pv_print_fence_event(const struct pv_fence_event *e)
{
	const struct pv_attachment *a = &e->attachment;
	char text[PV_REGISTRANT_TEXT];

	printf("%" PRIu64 " %s %s", e->seq, pv_fence_event_name(e->type), a->name);
	if (a->device[0])
		printf(" on %s", a->device);
	if (a->epoch)
		printf(" epoch %" PRIu64, a->epoch);
	if (a->reason)
		printf(" %s", pv_fence_reason_name(a->reason));
	if (e->has_winner)
		printf(" winner %s", pv_format_registrant(&e->winner, text));
	putchar('\n');
}
