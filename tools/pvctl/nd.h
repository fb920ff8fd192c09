/* SPDX-License-Identifier: GPL-2.0 */
/*
 * libndctl, loaded by those who look at regions: it brings half a dozen libraries, and loading
 * them takes twice the time of all else that a command does.
 */
#ifndef PVCTL_ND_H
#define PVCTL_ND_H

#include <ndctl/libndctl.h>

#include "pvctl.h"

/* What is used of it. */
#define PV_ND_FUNCTIONS(F) \
	F(ndctl_btt_get_block_device) F(ndctl_bus_get_first) F(ndctl_bus_get_next) \
	F(ndctl_cmd_smart_get_flags) F(ndctl_cmd_smart_get_health) F(ndctl_cmd_submit_xlat) \
	F(ndctl_cmd_unref) F(ndctl_dimm_cmd_new_smart) F(ndctl_dimm_failed_arm) \
	F(ndctl_dimm_failed_flush) F(ndctl_dimm_failed_map) F(ndctl_dimm_failed_restore) \
	F(ndctl_dimm_failed_save) F(ndctl_dimm_get_devname) F(ndctl_dimm_get_unique_id) \
	F(ndctl_dimm_smart_pending) F(ndctl_namespace_delete) \
	F(ndctl_namespace_disable_invalidate) F(ndctl_namespace_disable_safe) \
	F(ndctl_namespace_enable) F(ndctl_namespace_get_alt_name) \
	F(ndctl_namespace_get_block_device) \
	F(ndctl_namespace_get_btt) F(ndctl_namespace_get_dax) F(ndctl_namespace_get_devname) \
	F(ndctl_namespace_get_first) F(ndctl_namespace_get_id) F(ndctl_namespace_get_mode) \
	F(ndctl_namespace_get_next) F(ndctl_namespace_get_numa_node) \
	F(ndctl_namespace_get_pfn) F(ndctl_namespace_get_size) F(ndctl_namespace_get_type) \
	F(ndctl_namespace_is_configuration_idle) F(ndctl_namespace_is_enabled) \
	F(ndctl_namespace_set_alt_name) F(ndctl_namespace_set_enforce_mode) F(ndctl_namespace_set_raw_mode) \
	F(ndctl_namespace_set_size) F(ndctl_namespace_set_uuid) F(ndctl_new) \
	F(ndctl_pfn_enable) F(ndctl_pfn_get_block_device) F(ndctl_pfn_get_size) \
	F(ndctl_pfn_has_align) F(ndctl_pfn_set_align) F(ndctl_pfn_set_location) \
	F(ndctl_pfn_set_namespace) F(ndctl_pfn_set_uuid) F(ndctl_region_get_align) \
	F(ndctl_region_get_available_size) F(ndctl_region_get_devname) \
	F(ndctl_region_get_first) F(ndctl_region_get_first_dimm) \
	F(ndctl_region_get_interleave_ways) F(ndctl_region_get_max_available_extent) \
	F(ndctl_region_get_namespace_seed) F(ndctl_region_get_next) \
	F(ndctl_region_get_next_dimm) F(ndctl_region_get_nstype) F(ndctl_region_get_numa_node) \
	F(ndctl_region_get_pfn_seed) F(ndctl_region_get_ro) F(ndctl_region_get_size) \
	F(ndctl_region_get_type) F(ndctl_region_is_enabled) F(ndctl_unref)

enum pv_nd_index {
#define PV_ND_INDEX(function) PV_##function,
	PV_ND_FUNCTIONS(PV_ND_INDEX)
#undef PV_ND_INDEX
	PV_ND_NR
};

/* Complete once pv_nd_load() has succeeded. */
extern void *pv_nd[PV_ND_NR];

/** pv_nd_load() - load the library. Return: NULL, or why that is not possible */
const char *pv_nd_load(void);

/** pv_nd_open() - load the library and make a context: to be given to ndctl_unref() */
int pv_nd_open(struct pv_ctx *ctx, struct ndctl_ctx **nd);

/* A macro's own name within it is not replaced, so this is the type that the library declares. */
#define PV_ND_CALL(function) ((__typeof__(function) *)pv_nd[PV_##function])

#define ndctl_btt_get_block_device PV_ND_CALL(ndctl_btt_get_block_device)
#define ndctl_bus_get_first PV_ND_CALL(ndctl_bus_get_first)
#define ndctl_bus_get_next PV_ND_CALL(ndctl_bus_get_next)
#define ndctl_cmd_smart_get_flags PV_ND_CALL(ndctl_cmd_smart_get_flags)
#define ndctl_cmd_smart_get_health PV_ND_CALL(ndctl_cmd_smart_get_health)
#define ndctl_cmd_submit_xlat PV_ND_CALL(ndctl_cmd_submit_xlat)
#define ndctl_cmd_unref PV_ND_CALL(ndctl_cmd_unref)
#define ndctl_dimm_cmd_new_smart PV_ND_CALL(ndctl_dimm_cmd_new_smart)
#define ndctl_dimm_failed_arm PV_ND_CALL(ndctl_dimm_failed_arm)
#define ndctl_dimm_failed_flush PV_ND_CALL(ndctl_dimm_failed_flush)
#define ndctl_dimm_failed_map PV_ND_CALL(ndctl_dimm_failed_map)
#define ndctl_dimm_failed_restore PV_ND_CALL(ndctl_dimm_failed_restore)
#define ndctl_dimm_failed_save PV_ND_CALL(ndctl_dimm_failed_save)
#define ndctl_dimm_get_devname PV_ND_CALL(ndctl_dimm_get_devname)
#define ndctl_dimm_get_unique_id PV_ND_CALL(ndctl_dimm_get_unique_id)
#define ndctl_dimm_smart_pending PV_ND_CALL(ndctl_dimm_smart_pending)
#define ndctl_namespace_delete PV_ND_CALL(ndctl_namespace_delete)
#define ndctl_namespace_disable_invalidate PV_ND_CALL(ndctl_namespace_disable_invalidate)
#define ndctl_namespace_disable_safe PV_ND_CALL(ndctl_namespace_disable_safe)
#define ndctl_namespace_enable PV_ND_CALL(ndctl_namespace_enable)
#define ndctl_namespace_get_alt_name PV_ND_CALL(ndctl_namespace_get_alt_name)
#define ndctl_namespace_get_block_device PV_ND_CALL(ndctl_namespace_get_block_device)
#define ndctl_namespace_get_btt PV_ND_CALL(ndctl_namespace_get_btt)
#define ndctl_namespace_get_dax PV_ND_CALL(ndctl_namespace_get_dax)
#define ndctl_namespace_get_devname PV_ND_CALL(ndctl_namespace_get_devname)
#define ndctl_namespace_get_first PV_ND_CALL(ndctl_namespace_get_first)
#define ndctl_namespace_get_id PV_ND_CALL(ndctl_namespace_get_id)
#define ndctl_namespace_get_mode PV_ND_CALL(ndctl_namespace_get_mode)
#define ndctl_namespace_get_next PV_ND_CALL(ndctl_namespace_get_next)
#define ndctl_namespace_get_numa_node PV_ND_CALL(ndctl_namespace_get_numa_node)
#define ndctl_namespace_get_pfn PV_ND_CALL(ndctl_namespace_get_pfn)
#define ndctl_namespace_get_size PV_ND_CALL(ndctl_namespace_get_size)
#define ndctl_namespace_get_type PV_ND_CALL(ndctl_namespace_get_type)
#define ndctl_namespace_is_configuration_idle PV_ND_CALL(ndctl_namespace_is_configuration_idle)
#define ndctl_namespace_is_enabled PV_ND_CALL(ndctl_namespace_is_enabled)
#define ndctl_namespace_set_alt_name PV_ND_CALL(ndctl_namespace_set_alt_name)
#define ndctl_namespace_set_enforce_mode PV_ND_CALL(ndctl_namespace_set_enforce_mode)
#define ndctl_namespace_set_raw_mode PV_ND_CALL(ndctl_namespace_set_raw_mode)
#define ndctl_namespace_set_size PV_ND_CALL(ndctl_namespace_set_size)
#define ndctl_namespace_set_uuid PV_ND_CALL(ndctl_namespace_set_uuid)
#define ndctl_new PV_ND_CALL(ndctl_new)
#define ndctl_pfn_enable PV_ND_CALL(ndctl_pfn_enable)
#define ndctl_pfn_get_block_device PV_ND_CALL(ndctl_pfn_get_block_device)
#define ndctl_pfn_get_size PV_ND_CALL(ndctl_pfn_get_size)
#define ndctl_pfn_has_align PV_ND_CALL(ndctl_pfn_has_align)
#define ndctl_pfn_set_align PV_ND_CALL(ndctl_pfn_set_align)
#define ndctl_pfn_set_location PV_ND_CALL(ndctl_pfn_set_location)
#define ndctl_pfn_set_namespace PV_ND_CALL(ndctl_pfn_set_namespace)
#define ndctl_pfn_set_uuid PV_ND_CALL(ndctl_pfn_set_uuid)
#define ndctl_region_get_align PV_ND_CALL(ndctl_region_get_align)
#define ndctl_region_get_available_size PV_ND_CALL(ndctl_region_get_available_size)
#define ndctl_region_get_devname PV_ND_CALL(ndctl_region_get_devname)
#define ndctl_region_get_first PV_ND_CALL(ndctl_region_get_first)
#define ndctl_region_get_first_dimm PV_ND_CALL(ndctl_region_get_first_dimm)
#define ndctl_region_get_interleave_ways PV_ND_CALL(ndctl_region_get_interleave_ways)
#define ndctl_region_get_max_available_extent PV_ND_CALL(ndctl_region_get_max_available_extent)
#define ndctl_region_get_namespace_seed PV_ND_CALL(ndctl_region_get_namespace_seed)
#define ndctl_region_get_next PV_ND_CALL(ndctl_region_get_next)
#define ndctl_region_get_next_dimm PV_ND_CALL(ndctl_region_get_next_dimm)
#define ndctl_region_get_nstype PV_ND_CALL(ndctl_region_get_nstype)
#define ndctl_region_get_numa_node PV_ND_CALL(ndctl_region_get_numa_node)
#define ndctl_region_get_pfn_seed PV_ND_CALL(ndctl_region_get_pfn_seed)
#define ndctl_region_get_ro PV_ND_CALL(ndctl_region_get_ro)
#define ndctl_region_get_size PV_ND_CALL(ndctl_region_get_size)
#define ndctl_region_get_type PV_ND_CALL(ndctl_region_get_type)
#define ndctl_region_is_enabled PV_ND_CALL(ndctl_region_is_enabled)
#define ndctl_unref PV_ND_CALL(ndctl_unref)

#endif
