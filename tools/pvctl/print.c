// SPDX-License-Identifier: GPL-2.0
/* Pools, volumes and snapshots on standard output, the way the user asked for. */
#include <inttypes.h>
#include <stdio.h>

#include "links.h"
#include "output.h"
#include "region.h"

static void field_known(const char *key, bool known, uint64_t size)
{
	if (known)
		pv_field_size(key, size);
}

/* @o: the pool as JSON, which knows what its members stand on */
static void print_members(const struct pv_pool *p, struct json_object *o)
{
	struct json_object *members = json_object_object_get(o, "members");

	for (unsigned int i = 0; i < p->nr_members; i++) {
		struct json_object *member = json_object_array_get_idx(members, i);
		struct json_object *region = json_object_object_get(member, "region");
		const struct pv_member *m = &p->members[i];
		char uuid[PV_UUID_TEXT], size[PV_SIZE_TEXT], dimms[512];

		pv_field("member", "%s%s %s %s numa %d bad blocks %u",
			 m->device[0] ? "/dev/" : "", m->device[0] ? m->device : "missing",
			 pv_format_uuid(m->uuid, uuid), pv_format_size(m->size, size),
			 m->numa_node, m->bad_blocks);
		if (!region)
			continue;
		pv_region_dimms_text(json_object_object_get(member, "dimms"), dimms, sizeof(dimms));
		pv_field("on", "%s, interleaved %s ways: %s", json_object_get_string(region),
			 json_object_get_string(json_object_object_get(member, "interleave_ways")),
			 dimms);
	}
}

static void print_pool(const struct pv_pool *p, struct json_object *o)
{
	char buf[PV_UUID_TEXT];

	pv_field("name", "%s", p->name);
	pv_field("uuid", "%s", pv_format_uuid(p->uuid, buf));
	pv_field("state", "%s", p->active ? "active" : "inactive");
	if (PV_HAS(p, PMEMVOL_A_POOL_MODE))
		pv_field("mode", "%s", pv_mode_name(p->mode));
	field_known("size", PV_HAS(p, PMEMVOL_A_POOL_SIZE), p->size);
	field_known("free", PV_HAS(p, PMEMVOL_A_POOL_FREE), p->free);
	field_known("provisioned", PV_HAS(p, PMEMVOL_A_POOL_PROVISIONED), p->provisioned);
	field_known("promised", PV_HAS(p, PMEMVOL_A_POOL_PROMISED), p->promised);
	field_known("metadata", PV_HAS(p, PMEMVOL_A_POOL_METADATA), p->metadata);
	field_known("erasing", PV_HAS(p, PMEMVOL_A_POOL_ERASING), p->erasing);
	field_known("chunk size", PV_HAS(p, PMEMVOL_A_POOL_CHUNK_SIZE), p->chunk_size);
	pv_field("overcommit", "%s", pv_format_ratio(p->overcommit, buf));
	pv_field("low water", "%u%%", p->low_water);
	if (PV_HAS(p, PMEMVOL_A_POOL_VOLUMES))
		pv_field("volumes", "%u", p->volumes);
	pv_field("generation", "%" PRIu64, p->generation);
	if (p->missing)
		pv_field("missing members", "%u", p->missing);
	print_members(p, o);
}

void pv_print_pool_ground(const struct pv_ctx *ctx, const struct pv_pool *p)
{
	struct json_object *o = pv_json_pool(p);

	pv_region_add_ground(p, json_object_object_get(o, "members"));
	if (ctx->json) {
		pv_json_print(o);
		return;
	}
	print_pool(p, o);
	json_object_put(o);
}

void pv_print_pool(const struct pv_ctx *ctx, const struct pv_pool *p)
{
	struct json_object *o = pv_json_pool(p);

	if (ctx->json) {
		pv_json_print(o);
		return;
	}
	print_pool(p, o);
	json_object_put(o);
}

void pv_print_volume(const struct pv_ctx *ctx, const struct pv_volume *v)
{
	char uuid[PV_UUID_TEXT], link[PV_LINK_MAX];

	if (ctx->json) {
		pv_json_print(pv_json_volume(v));
		return;
	}
	pv_field("pool", "%s", v->pool);
	pv_field("name", "%s", v->name);
	pv_field("uuid", "%s", pv_format_uuid(v->uuid, uuid));
	pv_field("device", "/dev/%s", v->disk);
	pv_field("link", "%s", pv_link_path(v->pool, v->name, link));
	pv_field("state", "%s", pv_volume_state_name(v->state));
	pv_field("thick", "%s", v->thick ? "yes" : "no");
	pv_field_size("size", v->size);
	pv_field_size("provisioned", v->provisioned);
	pv_field_size("metadata", v->metadata);
	pv_field("snapshots", "%u", v->snapshots);
	if (PV_HAS(v, PMEMVOL_A_VOLUME_ORIGIN))
		pv_field("origin", "%s/%s@%s", v->pool, v->origin, v->origin_snapshot);
	pv_field("openers", "%u", v->openers);
}

/* When the clock was not set, or not sane, this says so by itself. */
static const char *when(const struct pv_snapshot *s, char buf[PV_TIME_TEXT])
{
	const char *text = pv_format_time(s->created, buf);

	return text ? text : "-";
}

void pv_print_snapshot(const struct pv_ctx *ctx, const struct pv_snapshot *s)
{
	char buf[PV_UUID_TEXT], link[PV_LINK_MAX];

	if (ctx->json) {
		pv_json_print(pv_json_snapshot(s));
		return;
	}
	pv_field("pool", "%s", s->pool);
	pv_field("volume", "%s", s->volume);
	pv_field("name", "%s", s->name);
	pv_field("uuid", "%s", pv_format_uuid(s->uuid, buf));
	pv_field("created", "%s", when(s, buf));
	pv_field("state", "%s", pv_snapshot_state_name(s));
	if (s->disk[0])
		pv_field("device", "/dev/%s", s->disk);
	if (pv_link_snapshot_path(s, link))
		pv_field("link", "%s", link);
	pv_field_size("size", s->size);
	pv_field_size("exclusive", s->exclusive);
	pv_field_size("metadata", s->metadata);
	pv_field("clones", "%u", s->clones);
	pv_field("openers", "%u", s->openers);
}

static void table_known(struct pv_table *t, bool known, uint64_t size)
{
	if (known)
		pv_table_size(t, size);
	else
		pv_table_cell(t, "-");
}

static void table_count(struct pv_table *t, bool known, unsigned int count)
{
	char buf[16];

	snprintf(buf, sizeof(buf), "%u", count);
	pv_table_cell(t, known ? buf : "-");
}

void pv_print_pools(const struct pv_ctx *ctx, const struct pv_pools *pools)
{
	static const struct pv_column columns[] = {
		{ "NAME", false }, { "STATE", false }, { "MODE", false }, { "SIZE", true },
		{ "FREE", true }, { "PROVISIONED", true }, { "PROMISED", true },
		{ "VOLUMES", true }, { "MEMBERS", true }, { 0 }
	};
	struct pv_table *t;

	if (ctx->json) {
		struct json_object *array = json_object_new_array();

		for (size_t i = 0; i < pools->nr; i++)
			json_object_array_add(array, pv_json_pool(&pools->pool[i]));
		pv_json_print(array);
		return;
	}
	t = pv_table_new(columns);
	for (size_t i = 0; i < pools->nr; i++) {
		const struct pv_pool *p = &pools->pool[i];

		pv_table_cell(t, p->name);
		pv_table_cell(t, !p->active ? p->missing ? "incomplete" : "inactive" : "active");
		pv_table_cell(t, PV_HAS(p, PMEMVOL_A_POOL_MODE) ? pv_mode_name(p->mode) : "-");
		table_known(t, PV_HAS(p, PMEMVOL_A_POOL_SIZE), p->size);
		table_known(t, PV_HAS(p, PMEMVOL_A_POOL_FREE), p->free);
		table_known(t, PV_HAS(p, PMEMVOL_A_POOL_PROVISIONED), p->provisioned);
		table_known(t, PV_HAS(p, PMEMVOL_A_POOL_PROMISED), p->promised);
		table_count(t, PV_HAS(p, PMEMVOL_A_POOL_VOLUMES), p->volumes);
		table_count(t, true, p->nr_members);
	}
	pv_table_print(t);
}

void pv_print_volumes(const struct pv_ctx *ctx, const struct pv_volumes *volumes)
{
	static const struct pv_column columns[] = {
		{ "NAME", false }, { "DEVICE", false }, { "STATE", false }, { "KIND", false },
		{ "SIZE", true }, { "PROVISIONED", true }, { "OPENERS", true }, { 0 }
	};
	struct pv_table *t;

	if (ctx->json) {
		struct json_object *array = json_object_new_array();

		for (size_t i = 0; i < volumes->nr; i++)
			json_object_array_add(array, pv_json_volume(&volumes->volume[i]));
		pv_json_print(array);
		return;
	}
	t = pv_table_new(columns);
	for (size_t i = 0; i < volumes->nr; i++) {
		const struct pv_volume *v = &volumes->volume[i];
		char text[2 * PMEMVOL_NAME_MAX + 2];

		snprintf(text, sizeof(text), "%s/%s", v->pool, v->name);
		pv_table_cell(t, text);
		snprintf(text, sizeof(text), "/dev/%s", v->disk);
		pv_table_cell(t, text);
		pv_table_cell(t, pv_volume_state_name(v->state));
		pv_table_cell(t, v->thick ? "thick" : "thin");
		pv_table_size(t, v->size);
		pv_table_size(t, v->provisioned);
		table_count(t, true, v->openers);
	}
	pv_table_print(t);
}

void pv_print_snapshots(const struct pv_ctx *ctx, const struct pv_snapshots *snapshots)
{
	static const struct pv_column columns[] = {
		{ "NAME", false }, { "CREATED", false }, { "STATE", false }, { "DEVICE", false },
		{ "SIZE", true }, { "EXCLUSIVE", true }, { "CLONES", true }, { 0 }
	};
	struct pv_table *t;

	if (ctx->json) {
		struct json_object *array = json_object_new_array();

		for (size_t i = 0; i < snapshots->nr; i++)
			json_object_array_add(array, pv_json_snapshot(&snapshots->snapshot[i]));
		pv_json_print(array);
		return;
	}
	t = pv_table_new(columns);
	for (size_t i = 0; i < snapshots->nr; i++) {
		const struct pv_snapshot *s = &snapshots->snapshot[i];
		char text[3 * PMEMVOL_NAME_MAX + 3], created[PV_TIME_TEXT];

		snprintf(text, sizeof(text), "%s/%s@%s", s->pool, s->volume, s->name);
		pv_table_cell(t, text);
		pv_table_cell(t, when(s, created));
		pv_table_cell(t, pv_snapshot_state_name(s));
		snprintf(text, sizeof(text), "/dev/%s", s->disk);
		pv_table_cell(t, s->disk[0] ? text : "-");
		pv_table_size(t, s->size);
		pv_table_size(t, s->exclusive);
		table_count(t, true, s->clones);
	}
	pv_table_print(t);
}
