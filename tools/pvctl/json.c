// SPDX-License-Identifier: GPL-2.0
#include <stdio.h>

#include "links.h"
#include "output.h"

void pv_json_string(struct json_object *o, const char *key, const char *value)
{
	json_object_object_add(o, key, value ? json_object_new_string(value) : NULL);
}

void pv_json_u64(struct json_object *o, const char *key, uint64_t value)
{
	json_object_object_add(o, key, json_object_new_uint64(value));
}

void pv_json_int(struct json_object *o, const char *key, int64_t value)
{
	json_object_object_add(o, key, json_object_new_int64(value));
}

void pv_json_bool(struct json_object *o, const char *key, bool value)
{
	json_object_object_add(o, key, json_object_new_boolean(value));
}

void pv_json_print(struct json_object *o)
{
	puts(json_object_to_json_string_ext(o, JSON_C_TO_STRING_PRETTY |
					       JSON_C_TO_STRING_NOSLASHESCAPE));
	json_object_put(o);
}

void pv_json_print_line(struct json_object *o)
{
	puts(json_object_to_json_string_ext(o, JSON_C_TO_STRING_PLAIN |
					       JSON_C_TO_STRING_NOSLASHESCAPE));
	json_object_put(o);
}

static void add_uuid(struct json_object *o, const uint8_t *uuid)
{
	char buf[PV_UUID_TEXT];

	pv_json_string(o, "uuid", pv_format_uuid(uuid, buf));
}

static void add_device(struct json_object *o, const char *name)
{
	char path[PV_DEVICE_MAX + 8];

	snprintf(path, sizeof(path), "/dev/%s", name);
	pv_json_string(o, "device", name[0] ? path : NULL);
}

static struct json_object *json_member(const struct pv_member *m)
{
	struct json_object *o = json_object_new_object();

	add_device(o, m->device);
	add_uuid(o, m->uuid);
	pv_json_u64(o, "size", m->size);
	pv_json_int(o, "numa_node", m->numa_node);
	pv_json_u64(o, "bad_blocks", m->bad_blocks);
	return o;
}

/*
 * A number that is not known is null in an object that stands for itself, so
 * that the keys are always there, and left out of an event's.
 */
static void add_known(struct json_object *o, const char *key, bool known, uint64_t value,
		      bool partial)
{
	if (known)
		pv_json_u64(o, key, value);
	else if (!partial)
		json_object_object_add(o, key, NULL);
}

static struct json_object *json_pool(const struct pv_pool *p, bool partial)
{
	struct json_object *o = json_object_new_object(), *members;
	char ratio[PV_SIZE_TEXT];

	pv_json_string(o, "name", p->name);
	if (!partial || PV_HAS(p, PMEMVOL_A_POOL_UUID))
		add_uuid(o, p->uuid);
	if (!partial)
		pv_json_string(o, "state", p->active ? "active" : "inactive");
	if (PV_HAS(p, PMEMVOL_A_POOL_MODE))
		pv_json_string(o, "mode", pv_mode_name(p->mode));
	else if (!partial)
		pv_json_string(o, "mode", NULL);
#define ADD(key, attr) add_known(o, #key, PV_HAS(p, PMEMVOL_A_POOL_##attr), p->key, partial)
	ADD(size, SIZE);
	ADD(free, FREE);
	ADD(provisioned, PROVISIONED);
	ADD(promised, PROMISED);
	ADD(metadata, METADATA);
	ADD(erasing, ERASING);
	ADD(chunk_size, CHUNK_SIZE);
	ADD(volumes, VOLUMES);
	ADD(low_water, LOW_WATER);
	ADD(generation, GENERATION);
#undef ADD
	if (PV_HAS(p, PMEMVOL_A_POOL_OVERCOMMIT))
		json_object_object_add(o, "overcommit",
				       json_object_new_double_s(p->overcommit / 100.0,
						pv_format_ratio(p->overcommit, ratio)));
	else if (!partial)
		json_object_object_add(o, "overcommit", NULL);
	if (!p->active)
		pv_json_u64(o, "missing", p->missing);
	if (partial && !p->nr_members)
		return o;
	members = json_object_new_array();
	for (unsigned int i = 0; i < p->nr_members; i++)
		json_object_array_add(members, json_member(&p->members[i]));
	json_object_object_add(o, "members", members);
	return o;
}

/* What a clone shows where it has nothing of its own. */
static struct json_object *json_origin(const struct pv_volume *v)
{
	struct json_object *o = json_object_new_object();

	pv_json_string(o, "volume", v->origin);
	pv_json_string(o, "snapshot", v->origin_snapshot);
	return o;
}

static struct json_object *json_volume(const struct pv_volume *v, bool partial)
{
	struct json_object *o = json_object_new_object();
	char link[PV_LINK_MAX];

	pv_json_string(o, "pool", v->pool);
	pv_json_string(o, "name", v->name);
	if (!partial || PV_HAS(v, PMEMVOL_A_VOLUME_UUID))
		add_uuid(o, v->uuid);
#define ADD(key, attr) add_known(o, #key, PV_HAS(v, PMEMVOL_A_VOLUME_##attr), v->key, partial)
	ADD(size, SIZE);
	ADD(provisioned, PROVISIONED);
	if (!partial)
		pv_json_bool(o, "thick", v->thick);
	if (!partial || v->disk[0])
		add_device(o, v->disk);
	if (!partial)
		pv_json_string(o, "link", pv_link_path(v->pool, v->name, link));
	if (PV_HAS(v, PMEMVOL_A_VOLUME_STATE))
		pv_json_string(o, "state", pv_volume_state_name(v->state));
	else if (!partial)
		pv_json_string(o, "state", NULL);
	ADD(openers, OPENERS);
	ADD(metadata, METADATA);
	ADD(snapshots, SNAPSHOTS);
#undef ADD
	if (PV_HAS(v, PMEMVOL_A_VOLUME_ORIGIN))
		json_object_object_add(o, "origin", json_origin(v));
	else if (!partial)
		json_object_object_add(o, "origin", NULL);
	return o;
}

static struct json_object *json_snapshot(const struct pv_snapshot *s, bool partial)
{
	struct json_object *o = json_object_new_object();
	char link[PV_LINK_MAX], created[PV_TIME_TEXT];

	pv_json_string(o, "pool", s->pool);
	if (!partial || s->volume[0])
		pv_json_string(o, "volume", s->volume);
	pv_json_string(o, "name", s->name);
	if (!partial || PV_HAS(s, PMEMVOL_A_SNAPSHOT_UUID))
		add_uuid(o, s->uuid);
	if (PV_HAS(s, PMEMVOL_A_SNAPSHOT_CREATED))
		pv_json_string(o, "created", pv_format_time(s->created, created));
	else if (!partial)
		pv_json_string(o, "created", NULL);
#define ADD(key, attr) add_known(o, #key, PV_HAS(s, PMEMVOL_A_SNAPSHOT_##attr), s->key, partial)
	ADD(size, SIZE);
	ADD(exclusive, EXCLUSIVE);
	ADD(metadata, METADATA);
	ADD(clones, CLONES);
	if (!partial || s->disk[0])
		add_device(o, s->disk);
	if (!partial) {
		pv_json_string(o, "link", pv_link_snapshot_path(s, link));
		pv_json_string(o, "state", pv_snapshot_state_name(s));
	}
	ADD(openers, OPENERS);
#undef ADD
	return o;
}

struct json_object *pv_json_pool(const struct pv_pool *pool)
{
	return json_pool(pool, false);
}

struct json_object *pv_json_volume(const struct pv_volume *volume)
{
	return json_volume(volume, false);
}

struct json_object *pv_json_snapshot(const struct pv_snapshot *snapshot)
{
	return json_snapshot(snapshot, false);
}

struct json_object *pv_json_event(const struct pv_event *e)
{
	struct json_object *o = json_object_new_object();

	pv_json_string(o, "event", pv_event_name(e->type));
	pv_json_u64(o, "seq", e->seq);
	if (e->has_pool)
		json_object_object_add(o, "pool", json_pool(&e->pool, true));
	if (e->has_volume)
		json_object_object_add(o, "volume", json_volume(&e->volume, true));
	if (e->has_snapshot)
		json_object_object_add(o, "snapshot", json_snapshot(&e->snapshot, true));
	return o;
}
