// SPDX-License-Identifier: GPL-2.0
/* pvctl region list: what persistent memory there is, how it is, and what may become of it. */
#include <errno.h>
#include <linux/ndctl.h>
#include <stdio.h>
#include <string.h>

#include "cmd.h"
#include "ctl.h"
#include "device.h"
#include "nd.h"
#include "nl.h"
#include "output.h"
#include "region.h"
#include "sysfs.h"

static const char *mode_name(enum ndctl_namespace_mode mode)
{
	switch (mode) {
	case NDCTL_NS_MODE_FSDAX:
		return "fsdax";
	case NDCTL_NS_MODE_SECTOR:
		return "sector";
	case NDCTL_NS_MODE_RAW:
		return "raw";
	case NDCTL_NS_MODE_DEVDAX:
		return "devdax";
	default:
		return "unknown";
	}
}

static const char *smart_health(struct ndctl_dimm *dimm)
{
	const char *health = NULL;
	struct ndctl_cmd *cmd;
	unsigned int bits;

	cmd = ndctl_dimm_cmd_new_smart(dimm);
	if (!cmd)
		return NULL;
	if (ndctl_cmd_submit_xlat(cmd) >= 0 &&
	    ndctl_cmd_smart_get_flags(cmd) & ND_SMART_HEALTH_VALID) {
		bits = ndctl_cmd_smart_get_health(cmd);
		health = bits & ND_SMART_FATAL_HEALTH ? "fatal" :
			 bits & ND_SMART_CRITICAL_HEALTH ? "critical" :
			 bits & ND_SMART_NON_CRITICAL_HEALTH ? "non-critical" : "ok";
	}
	ndctl_cmd_unref(cmd);
	return health;
}

static struct json_object *dimm_flags(struct ndctl_dimm *dimm)
{
	const struct {
		const char *name;
		int (*test)(struct ndctl_dimm *dimm);
	} flags[] = {
		{ "failed-save", ndctl_dimm_failed_save },
		{ "failed-arm", ndctl_dimm_failed_arm },
		{ "failed-restore", ndctl_dimm_failed_restore },
		{ "failed-map", ndctl_dimm_failed_map },
		{ "failed-flush", ndctl_dimm_failed_flush },
		{ "smart-pending", ndctl_dimm_smart_pending },
	};
	struct json_object *array = json_object_new_array();

	for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++)
		if (flags[i].test(dimm) > 0)
			json_object_array_add(array, json_object_new_string(flags[i].name));
	return array;
}

static struct json_object *describe_dimm(struct ndctl_dimm *dimm)
{
	struct json_object *o = json_object_new_object();

	pv_json_string(o, "name", ndctl_dimm_get_devname(dimm));
	pv_json_string(o, "id", ndctl_dimm_get_unique_id(dimm));
	pv_json_string(o, "health", smart_health(dimm));
	json_object_object_add(o, "flags", dimm_flags(dimm));
	return o;
}

/* Of the name of a region in the path of a member's device. */
static struct ndctl_region *region_of(struct ndctl_ctx *nd, uint64_t devnum)
{
	struct ndctl_region *region;
	struct ndctl_bus *bus;

	ndctl_bus_foreach(nd, bus)
		ndctl_region_foreach(bus, region)
			if (pv_sysfs_in_region(devnum, ndctl_region_get_devname(region)))
				return region;
	return NULL;
}

static void add_ground(struct json_object *o, struct ndctl_region *region)
{
	struct json_object *dimms = json_object_new_array();
	struct ndctl_dimm *dimm;

	pv_json_string(o, "region", region ? ndctl_region_get_devname(region) : NULL);
	if (region)
		pv_json_u64(o, "interleave_ways", ndctl_region_get_interleave_ways(region));
	else
		json_object_object_add(o, "interleave_ways", NULL);
	if (region)
		ndctl_dimm_foreach_in_region(region, dimm)
			json_object_array_add(dimms, describe_dimm(dimm));
	json_object_object_add(o, "dimms", dimms);
}

void pv_region_add_ground(const struct pv_pool *pool, struct json_object *members)
{
	struct ndctl_ctx *nd = NULL;

	/* Devices may be made of anything: nothing known of regions is no failure. */
	if (pv_nd_load() || ndctl_new(&nd) < 0)
		nd = NULL;
	for (unsigned int i = 0; i < pool->nr_members; i++)
		add_ground(json_object_array_get_idx(members, i),
			   nd && pool->members[i].device[0] ?
				   region_of(nd, pool->members[i].devnum) : NULL);
	if (nd)
		ndctl_unref(nd);
}

/* Why a namespace cannot be a member: its mode, or what is known about its block device. */
static void add_usable(struct json_object *o, struct ndctl_namespace *ndns, const char *path,
		       const struct pv_pools *active)
{
	struct pv_verdict verdict = { .status = PV_FAILED_PRECONDITION };
	enum ndctl_namespace_mode mode = ndctl_namespace_get_mode(ndns);

	if (mode != NDCTL_NS_MODE_FSDAX)
		snprintf(verdict.why, sizeof(verdict.why), "mode %s", mode_name(mode));
	else if (!path)
		snprintf(verdict.why, sizeof(verdict.why), "disabled");
	else
		pv_device_judge(path, active, NULL, &verdict);
	pv_json_bool(o, "usable", !verdict.status);
	pv_json_string(o, "reason", verdict.status ? verdict.why : NULL);
}

static struct json_object *describe_namespace(struct ndctl_namespace *ndns,
					      const struct pv_pools *active)
{
	struct ndctl_pfn *pfn = ndctl_namespace_get_pfn(ndns);
	struct ndctl_btt *btt = ndctl_namespace_get_btt(ndns);
	struct ndctl_dax *dax = ndctl_namespace_get_dax(ndns);
	struct json_object *o = json_object_new_object();
	char path[PV_DEVICE_MAX] = "";
	const char *disk = NULL;

	if (btt)
		disk = ndctl_btt_get_block_device(btt);
	else if (pfn)
		disk = ndctl_pfn_get_block_device(pfn);
	else if (!dax)
		disk = ndctl_namespace_get_block_device(ndns);
	if (disk && disk[0])
		snprintf(path, sizeof(path), "/dev/%s", disk);
	pv_json_string(o, "name", ndctl_namespace_get_devname(ndns));
	pv_json_string(o, "mode", mode_name(ndctl_namespace_get_mode(ndns)));
	pv_json_u64(o, "size", pfn ? ndctl_pfn_get_size(pfn) : ndctl_namespace_get_size(ndns));
	pv_json_string(o, "device", path[0] ? path : NULL);
	pv_json_int(o, "numa_node", ndctl_namespace_get_numa_node(ndns));
	pv_json_u64(o, "bad_blocks", path[0] ? pv_sysfs_bad_blocks(disk) : 0);
	add_usable(o, ndns, path[0] ? path : NULL, active);
	return o;
}

/* libndctl lists in no order of use to anyone: region10 goes behind region9. */
static int by_name(const void *a, const void *b)
{
	struct json_object *const *x = a, *const *y = b;

	return strverscmp(json_object_get_string(json_object_object_get(*x, "name")),
			  json_object_get_string(json_object_object_get(*y, "name")));
}

static struct json_object *describe_region(struct ndctl_region *region,
					   const struct pv_pools *active)
{
	unsigned long long extent = ndctl_region_get_max_available_extent(region);
	struct json_object *o = json_object_new_object();
	struct json_object *dimms = json_object_new_array();
	struct json_object *namespaces = json_object_new_array();
	struct ndctl_namespace *ndns;
	struct ndctl_dimm *dimm;

	pv_json_string(o, "name", ndctl_region_get_devname(region));
	pv_json_u64(o, "size", ndctl_region_get_size(region));
	pv_json_u64(o, "available", ndctl_region_get_available_size(region));
	pv_json_u64(o, "max_extent", extent == ULLONG_MAX ?
				     ndctl_region_get_available_size(region) : extent);
	pv_json_int(o, "numa_node", ndctl_region_get_numa_node(region));
	pv_json_u64(o, "interleave_ways", ndctl_region_get_interleave_ways(region));
	pv_json_bool(o, "enabled", ndctl_region_is_enabled(region));
	ndctl_dimm_foreach_in_region(region, dimm)
		json_object_array_add(dimms, describe_dimm(dimm));
	json_object_object_add(o, "dimms", dimms);
	/* Seeds and deleted ones have no size. */
	ndctl_namespace_foreach(region, ndns)
		if (ndctl_namespace_get_size(ndns))
			json_object_array_add(namespaces, describe_namespace(ndns, active));
	json_object_array_sort(namespaces, by_name);
	json_object_object_add(o, "namespaces", namespaces);
	return o;
}

static struct json_object *describe_all(struct ndctl_ctx *nd, const struct pv_pools *active)
{
	struct json_object *array = json_object_new_array();
	struct ndctl_region *region;
	struct ndctl_bus *bus;

	ndctl_bus_foreach(nd, bus)
		ndctl_region_foreach(bus, region)
			if (ndctl_region_get_type(region) == ND_DEVICE_REGION_PMEM)
				json_object_array_add(array, describe_region(region, active));
	json_object_array_sort(array, by_name);
	return array;
}

static struct json_object *get(struct json_object *o, const char *key)
{
	return json_object_object_get(o, key);
}

static const char *get_string(struct json_object *o, const char *key)
{
	struct json_object *value = get(o, key);

	return value ? json_object_get_string(value) : "-";
}

/* "nmem0: ok, failed-save; nmem1: unknown" */
void pv_region_dimms_text(struct json_object *dimms, char *buf, size_t size)
{
	size_t len = 0;

	snprintf(buf, size, "-");
	for (size_t i = 0; i < json_object_array_length(dimms) && len < size; i++) {
		struct json_object *dimm = json_object_array_get_idx(dimms, i);
		struct json_object *flags = get(dimm, "flags");
		const char *health = get(dimm, "health") ? get_string(dimm, "health") : "unknown";

		len += (size_t)snprintf(buf + len, size - len, "%s%s: %s", i ? "; " : "",
					get_string(dimm, "name"), health);
		for (size_t j = 0; j < json_object_array_length(flags) && len < size; j++)
			len += (size_t)snprintf(buf + len, size - len, ", %s",
				json_object_get_string(json_object_array_get_idx(flags, j)));
	}
}

static void print_regions(struct json_object *regions)
{
	static const struct pv_column columns[] = {
		{ "REGION", false }, { "SIZE", true }, { "AVAILABLE", true }, { "NUMA", true },
		{ "WAYS", true }, { "DIMMS", false }, { 0 }
	};
	struct pv_table *t = pv_table_new(columns);
	char text[512];

	for (size_t i = 0; i < json_object_array_length(regions); i++) {
		struct json_object *o = json_object_array_get_idx(regions, i);

		pv_table_cell(t, get_string(o, "name"));
		pv_table_size(t, json_object_get_uint64(get(o, "size")));
		pv_table_size(t, json_object_get_uint64(get(o, "available")));
		pv_table_cell(t, get_string(o, "numa_node"));
		pv_table_cell(t, get_string(o, "interleave_ways"));
		pv_region_dimms_text(get(o, "dimms"), text, sizeof(text));
		pv_table_cell(t, text);
	}
	pv_table_print(t);
}

static void print_namespaces(struct json_object *regions)
{
	static const struct pv_column columns[] = {
		{ "NAMESPACE", false }, { "REGION", false }, { "MODE", false }, { "SIZE", true },
		{ "DEVICE", false }, { "NUMA", true }, { "BAD BLOCKS", true },
		{ "USABLE", false }, { 0 }
	};
	struct pv_table *t = pv_table_new(columns);
	char text[300];

	for (size_t i = 0; i < json_object_array_length(regions); i++) {
		struct json_object *region = json_object_array_get_idx(regions, i);
		struct json_object *namespaces = get(region, "namespaces");

		for (size_t j = 0; j < json_object_array_length(namespaces); j++) {
			struct json_object *o = json_object_array_get_idx(namespaces, j);

			pv_table_cell(t, get_string(o, "name"));
			pv_table_cell(t, get_string(region, "name"));
			pv_table_cell(t, get_string(o, "mode"));
			pv_table_size(t, json_object_get_uint64(get(o, "size")));
			pv_table_cell(t, get_string(o, "device"));
			pv_table_cell(t, get_string(o, "numa_node"));
			pv_table_cell(t, get_string(o, "bad_blocks"));
			snprintf(text, sizeof(text), "no: %s", get_string(o, "reason"));
			pv_table_cell(t, get(o, "reason") ? text : "yes");
		}
	}
	pv_table_print(t);
}

int pv_cmd_region_list(struct pv_ctx *ctx)
{
	struct pv_pools active = { 0 };
	struct json_object *regions;
	struct ndctl_ctx *nd;
	int ret;

	/* Without the module there are no active pools, and the rest is worth knowing. */
	ret = pv_nl_open(ctx, PV_FAMILY_PMEMVOL);
	if (!ret)
		ret = pv_pool_dump(ctx, &active);
	if (ret && ret != PV_UNAVAILABLE)
		return ret;
	ret = pv_nd_open(ctx, &nd);
	if (ret) {
		pv_pools_free(&active);
		return ret;
	}
	regions = describe_all(nd, &active);
	ndctl_unref(nd);
	pv_pools_free(&active);
	if (ctx->json) {
		pv_json_print(regions);
		return PV_OK;
	}
	print_regions(regions);
	putchar('\n');
	print_namespaces(regions);
	json_object_put(regions);
	return PV_OK;
}
