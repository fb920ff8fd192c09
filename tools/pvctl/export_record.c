// SPDX-License-Identifier: GPL-2.0
#include "export_record.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "output.h"

#define FORM "pvctl export record 1"
/* More than the longest valid one has. */
#define RECORD_MAX (128 << 10)

const struct pv_state_kind pv_export_records = { "the record of exports", "export" };

char *pv_export_format(const struct pv_export *e)
{
	struct json_object *o = json_object_new_object(), *hosts = json_object_new_array();
	struct json_object *ports = json_object_new_array();
	char uuid[PV_UUID_TEXT], *text;

	pv_json_string(o, "form", FORM);
	pv_json_string(o, "uuid", pv_format_uuid(e->uuid, uuid));
	pv_json_string(o, "pool", e->pool);
	pv_json_string(o, "volume", e->volume);
	pv_json_string(o, "nqn", e->nqn);
	for (unsigned int i = 0; i < e->nr_hosts; i++)
		json_object_array_add(hosts, json_object_new_string(e->hosts[i]));
	json_object_object_add(o, "hosts", hosts);
	for (unsigned int i = 0; i < e->nr_ports; i++) {
		struct json_object *port = json_object_new_object();

		pv_json_string(port, "transport", pv_transport_name(e->port[i].transport));
		pv_json_string(port, "address", e->port[i].address);
		pv_json_u64(port, "port", e->port[i].port);
		json_object_array_add(ports, port);
	}
	json_object_object_add(o, "ports", ports);
	text = strdup(json_object_to_json_string_ext(o, JSON_C_TO_STRING_PLAIN |
								JSON_C_TO_STRING_NOSLASHESCAPE));
	json_object_put(o);
	if (!text)
		abort();
	return text;
}

static struct json_object *member(struct json_object *o, const char *key, enum json_type type)
{
	struct json_object *value;

	return json_object_object_get_ex(o, key, &value) && json_object_is_type(value, type) ?
		       value :
		       NULL;
}

/* A string without a zero byte in it, or NULL. */
static const char *text_of(struct json_object *o)
{
	const char *s;

	if (!o || !json_object_is_type(o, json_type_string))
		return NULL;
	s = json_object_get_string(o);
	return strlen(s) == (size_t)json_object_get_string_len(o) ? s : NULL;
}

static const char *text_member(struct json_object *o, const char *key)
{
	return text_of(member(o, key, json_type_string));
}

static int parse_name(struct json_object *o, const char *key, char name[PMV_NAME_MAX + 1])
{
	const char *text = text_member(o, key), *why;

	if (!text || pv_parse_name(text, &why))
		return -EUCLEAN;
	strcpy(name, text);
	return 0;
}

static int parse_hosts(struct json_object *o, struct pv_export *e)
{
	struct json_object *array = member(o, "hosts", json_type_array);
	const char *hosts[PV_EXPORT_HOSTS_MAX], *why;
	size_t nr;

	if (!array)
		return -EUCLEAN;
	nr = json_object_array_length(array);
	if (nr > PV_EXPORT_HOSTS_MAX)
		return -EUCLEAN;
	for (size_t i = 0; i < nr; i++) {
		hosts[i] = text_of(json_object_array_get_idx(array, i));
		if (!hosts[i] || pv_parse_nqn(hosts[i], &why))
			return -EUCLEAN;
	}
	pv_export_set_hosts(e, hosts, (unsigned int)nr);
	return 0;
}

static int parse_port(struct json_object *o, struct pv_export *e)
{
	struct pv_export_port *port = &e->port[e->nr_ports];
	const char *transport, *address, *why;
	struct json_object *number;

	if (!json_object_is_type(o, json_type_object))
		return -EUCLEAN;
	transport = text_member(o, "transport");
	address = text_member(o, "address");
	number = member(o, "port", json_type_int);
	if (!transport || !address || !number || e->nr_ports == PV_TRANSPORTS ||
	    pv_parse_transport(transport, &port->transport, &why) ||
	    pv_export_find_port(e, port->transport) ||
	    pv_parse_address(address, port->address, &why) || json_object_get_int64(number) < 1 ||
	    json_object_get_int64(number) > UINT16_MAX)
		return -EUCLEAN;
	port->port = (uint16_t)json_object_get_int64(number);
	e->nr_ports++;
	return 0;
}

static int parse_object(struct json_object *o, struct pv_export *e)
{
	const char *form, *uuid, *nqn, *why;
	struct json_object *ports;
	int ret;

	if (!json_object_is_type(o, json_type_object))
		return -EUCLEAN;
	form = text_member(o, "form");
	uuid = text_member(o, "uuid");
	nqn = text_member(o, "nqn");
	ports = member(o, "ports", json_type_array);
	if (!form || strcmp(form, FORM) || !uuid || pv_parse_uuid(uuid, e->uuid) || !nqn ||
	    pv_parse_nqn(nqn, &why) || !ports || !json_object_array_length(ports))
		return -EUCLEAN;
	strcpy(e->nqn, nqn);
	ret = parse_name(o, "pool", e->pool);
	if (!ret)
		ret = parse_name(o, "volume", e->volume);
	for (size_t i = 0; !ret && i < json_object_array_length(ports); i++)
		ret = parse_port(json_object_array_get_idx(ports, i), e);
	return ret ? ret : parse_hosts(o, e);
}

int pv_export_parse(const char *text, size_t len, struct pv_export *e)
{
	struct json_tokener *tokener = json_tokener_new();
	struct json_object *o = NULL;
	int ret = -EUCLEAN;

	memset(e, 0, sizeof(*e));
	if (!tokener)
		abort();
	json_tokener_set_flags(tokener, JSON_TOKENER_STRICT);
	if (len && len <= RECORD_MAX) {
		o = json_tokener_parse_ex(tokener, text, (int)len);
		/* All of it, and nothing behind. */
		if (json_tokener_get_error(tokener) == json_tokener_success &&
		    json_tokener_get_parse_end(tokener) == len)
			ret = parse_object(o, e);
	}
	json_object_put(o);
	json_tokener_free(tokener);
	return ret;
}

static int fail_damaged(struct pv_ctx *ctx, const char *name)
{
	return pv_fail(ctx, PV_DATA_LOSS,
		       "%s/%s/%s is damaged: remove it, unexport the volume and export it again",
		       pv_state_root(ctx), pv_export_records.subdir, name);
}

int pv_export_load(struct pv_ctx *ctx, int dir, const uint8_t *uuid, struct pv_export *e)
{
	char name[PV_UUID_TEXT], *buf;
	ssize_t len;
	int ret;

	memset(e, 0, sizeof(*e));
	pv_format_uuid(uuid, name);
	buf = pv_alloc(1, RECORD_MAX + 1);
	len = dir < 0 ? -ENOENT : pv_state_read(dir, name, buf, RECORD_MAX + 1);
	if (len == -ENOENT)
		ret = pv_fail(ctx, PV_NOT_FOUND, "the volume is not exported");
	else if (len < 0)
		ret = pv_state_fail(ctx, &pv_export_records, (int)-len);
	else if (pv_export_parse(buf, (size_t)len, e))
		ret = fail_damaged(ctx, name);
	else if (memcmp(uuid, e->uuid, PMV_UUID_SIZE))
		ret = fail_damaged(ctx, name);
	else
		ret = PV_OK;
	if (ret)
		pv_export_free(e);
	free(buf);
	return ret;
}

/* Whole names only: a dot is in front of what was not finished. */
static int is_record(const struct dirent *d)
{
	uint8_t uuid[PMV_UUID_SIZE];
	char text[PV_UUID_TEXT];

	return !pv_parse_uuid(d->d_name, uuid) && !strcmp(pv_format_uuid(uuid, text), d->d_name);
}

int pv_export_load_all(struct pv_ctx *ctx, int dir, struct pv_exports *out, unsigned int *damaged)
{
	struct dirent **names = NULL;
	int nr, ret = PV_OK;

	*out = (struct pv_exports){ 0 };
	*damaged = 0;
	if (dir < 0)
		return PV_OK;
	nr = scandirat(dir, ".", &names, is_record, alphasort);
	if (nr < 0)
		return pv_state_fail(ctx, &pv_export_records, errno);
	for (int i = 0; i < nr; i++) {
		uint8_t uuid[PMV_UUID_SIZE];
		struct pv_export e;

		pv_parse_uuid(names[i]->d_name, uuid);
		free(names[i]);
		if (ret)
			continue;
		ret = pv_export_load(ctx, dir, uuid, &e);
		if (!ret) {
			out->export = pv_grow(out->export, out->nr, sizeof(e));
			out->export[out->nr++] = e;
		} else if (ret == PV_DATA_LOSS) {
			pv_warn(ctx, "%s", ctx->error.message);
			(*damaged)++;
			ret = PV_OK;
		} else if (ret == PV_NOT_FOUND) {
			/* Gone since the directory was read. */
			ret = PV_OK;
		}
	}
	free(names);
	if (ret)
		pv_exports_free(out);
	else
		ctx->error = (struct pv_error){ 0 };
	return ret;
}

int pv_export_store(struct pv_ctx *ctx, int dir, const struct pv_export *e)
{
	char name[PV_UUID_TEXT], *text;
	int ret;

	pv_format_uuid(e->uuid, name);
	if (e->nr_ports) {
		text = pv_export_format(e);
		ret = pv_state_replace(dir, name, text, strlen(text));
		free(text);
	} else {
		ret = pv_state_remove(dir, name);
	}
	return ret ? pv_state_fail(ctx, &pv_export_records, -ret) : PV_OK;
}
