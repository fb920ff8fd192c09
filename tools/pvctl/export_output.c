// SPDX-License-Identifier: GPL-2.0
#include "export_output.h"

#include <stdio.h>

#include "output.h"

struct json_object *pv_json_export(const struct pv_export_view *v)
{
	struct json_object *o = json_object_new_object(), *hosts = json_object_new_array();
	char uuid[PV_UUID_TEXT], device[PV_DEVICE_MAX + 8];

	pv_json_string(o, "pool", v->pool);
	pv_json_string(o, "name", v->volume);
	pv_json_string(o, "uuid", pv_format_uuid(v->e->uuid, uuid));
	pv_json_string(o, "nqn", v->e->nqn);
	pv_json_string(o, "transport", pv_transport_name(v->port->transport));
	pv_json_string(o, "address", v->port->address);
	pv_json_u64(o, "port", v->port->port);
	for (unsigned int i = 0; i < v->e->nr_hosts; i++)
		json_object_array_add(hosts, json_object_new_string(v->e->hosts[i]));
	json_object_object_add(o, "hosts", hosts);
	pv_json_bool(o, "any_host", !v->e->nr_hosts);
	pv_json_bool(o, "reservations", v->state.reservations);
	pv_json_bool(o, "enabled", v->state.enabled);
	snprintf(device, sizeof(device), "/dev/%s", v->disk);
	pv_json_string(o, "device", v->disk[0] ? device : NULL);
	return o;
}

void pv_print_export(const struct pv_ctx *ctx, const struct pv_export_view *v)
{
	char uuid[PV_UUID_TEXT];

	if (ctx->json) {
		pv_json_print(pv_json_export(v));
		return;
	}
	pv_field("name", "%s/%s", v->pool, v->volume);
	pv_field("uuid", "%s", pv_format_uuid(v->e->uuid, uuid));
	pv_field("nqn", "%s", v->e->nqn);
	pv_field("transport", "%s", pv_transport_name(v->port->transport));
	pv_field("address", "%s", v->port->address);
	pv_field("port", "%u", v->port->port);
	if (!v->e->nr_hosts)
		pv_field("hosts", "any");
	for (unsigned int i = 0; i < v->e->nr_hosts; i++)
		pv_field("host", "%s", v->e->hosts[i]);
	pv_field("reservations", "%s", v->state.reservations ? "yes" : "no");
	pv_field("enabled", "%s", v->state.enabled ? "yes" : "no");
}

void pv_print_exports(const struct pv_ctx *ctx, const struct pv_export_view *views, size_t nr)
{
	static const struct pv_column columns[] = { { "NAME", false },	  { "TRANSPORT", false },
						    { "ADDRESS", false }, { "PORT", true },
						    { "ENABLED", false }, { "HOSTS", false },
						    { "NQN", false },	  { 0 } };
	struct pv_table *t;

	if (ctx->json) {
		struct json_object *array = json_object_new_array();

		for (size_t i = 0; i < nr; i++)
			json_object_array_add(array, pv_json_export(&views[i]));
		pv_json_print(array);
		return;
	}
	t = pv_table_new(columns);
	for (size_t i = 0; i < nr; i++) {
		const struct pv_export_view *v = &views[i];
		char text[2 * PMV_NAME_MAX + 2];

		snprintf(text, sizeof(text), "%s/%s", v->pool, v->volume);
		pv_table_cell(t, text);
		pv_table_cell(t, pv_transport_name(v->port->transport));
		pv_table_cell(t, v->port->address);
		snprintf(text, sizeof(text), "%u", v->port->port);
		pv_table_cell(t, text);
		pv_table_cell(t, v->state.enabled ? "yes" : "no");
		snprintf(text, sizeof(text), "%u", v->e->nr_hosts);
		pv_table_cell(t, v->e->nr_hosts ? text : "any");
		pv_table_cell(t, v->e->nqn);
	}
	pv_table_print(t);
}
