// SPDX-License-Identifier: GPL-2.0
/* The command table: dispatch, usage, help, completion and the man pages' lists come from it. */
#include "cmd.h"

#define OPTION_FORCE(text) { .name = "force", .help = text }
#define OPTION_OVERCOMMIT \
	{ .name = "overcommit", .arg = "RATIO", \
	  .help = "promise volumes up to RATIO times the capacity: 1, 2.5 or 250%" }
#define OPTION_LOW_WATER \
	{ .name = "low-water", .arg = "PERCENT", \
	  .help = "send an event when less of the capacity is free" }
#define OPTION_CHUNK_SIZE \
	{ .name = "chunk-size", .arg = "SIZE", \
	  .help = "unit of provisioning, a power of two from 2M (the default) to 64M" }
#define OPTION_REGION \
	{ .name = "region", .arg = "REGION", .complete = PV_COMPLETE_REGION, .repeat = true, \
	  .help = "make an fsdax namespace over all that is available in REGION, and add it" }
#define OPTION_SIZE \
	{ .name = "size", .arg = "SIZE", .required = true, \
	  .help = "bytes, or with a unit such as 10G or 10GiB; rounded up to chunks" }

static const struct pv_option region_create[] = {
	OPTION_FORCE("take a raw namespace that carries something, where there are no labels"),
	{ 0 }
};

static const struct pv_option region_remove[] = {
	OPTION_FORCE("even with a file system or an inactive pool on it, which is lost"),
	{ 0 }
};

static const struct pv_option pool_create[] = {
	OPTION_FORCE("overwrite file systems, partition tables and inactive pools on the devices"),
	OPTION_OVERCOMMIT,
	OPTION_LOW_WATER,
	OPTION_CHUNK_SIZE,
	OPTION_REGION,
	{ 0 }
};

static const struct pv_option pool_extend[] = {
	OPTION_REGION,
	OPTION_FORCE("overwrite file systems, partition tables and inactive pools on the devices"),
	{ 0 }
};

static const struct pv_option pool_set[] = {
	OPTION_OVERCOMMIT,
	OPTION_LOW_WATER,
	{ 0 }
};

static const struct pv_option pool_destroy[] = {
	OPTION_FORCE("even with volumes in it, which are lost"),
	{ 0 }
};

static const struct pv_option pool_check[] = {
	{ .name = "repair", .help = "write what has one right answer: a second copy that is good" },
	{ 0 }
};

static const struct pv_option pool_activate[] = {
	{ .name = "all", .help = "every pool; go on past failures" },
	{ .name = "member", .arg = "DEVICE", .complete = PV_COMPLETE_DEVICE,
	  .help = "the pool that DEVICE belongs to, if there is one and all its members are there" },
	{ 0 }
};

static const struct pv_option all_pools[] = {
	{ .name = "all", .help = "every pool; go on past failures" },
	{ 0 }
};

#define OPTION_LIMIT(text) { .name = "limit", .arg = "SIZE", .help = text }

static const struct pv_option volume_create[] = {
	OPTION_SIZE,
	OPTION_LIMIT("fail when the volume would be larger; take an existing one from SIZE to this"),
	{ .name = "thick", .help = "reserve all of its space now" },
	{ 0 }
};

static const struct pv_option volume_resize[] = {
	OPTION_SIZE,
	OPTION_LIMIT("fail when the volume would be larger; let it be from SIZE to this"),
	{ 0 }
};

static const struct pv_option delete[] = {
	{ .name = "wait", .help = "until what is deleted in the pool has been erased" },
	{ 0 }
};

static const struct pv_option volume_stats[] = {
	{ .name = "path", .arg = "PATH", .complete = PV_COMPLETE_FILE,
	  .help = "where it is mounted, or a device node of it" },
	{ 0 }
};

static const struct pv_option clone[] = {
	{ .name = "size", .arg = "SIZE", .help = "larger than the snapshot, if that has less" },
	OPTION_LIMIT("fail when the clone would be larger"),
	{ .name = "thick", .help = "reserve all of its space now" },
	{ 0 }
};

#define OPTION_LEASE(text) { .name = "lease", .arg = "SECONDS", .help = text }
#define OPTION_TIMEOUT \
	{ .name = "timeout", .arg = "SECONDS", .help = "give up after this time (30)" }
#define OPTION_STATE_DIR \
	{ .name = "state-dir", .arg = "DIRECTORY", .complete = PV_COMPLETE_FILE, \
	  .help = "where the record of epochs is kept (/var/lib/pvctl)" }

static const struct pv_option fence_attach[] = {
	{ .name = "node-id", .arg = "N", .required = true,
	  .help = "this node's number, 1 to 65535, that no other node has" },
	OPTION_LEASE("deny writes when not renewed for this time"),
	{ .name = "require", .arg = "device|local", .complete = PV_COMPLETE_GRADE,
	  .help = "refuse a device that cannot give this grade" },
	OPTION_STATE_DIR,
	{ 0 }
};

static const struct pv_option fence_acquire[] = {
	{ .name = "epoch", .arg = "E", .help = "this one, or fail if a newer one is known" },
	{ .name = "preempt-foreign", .help = "take over from other keys and unfinished claims; their writers must be dead" },
	OPTION_TIMEOUT,
	OPTION_LEASE("deny writes when not renewed for this time, 0: for ever"),
	OPTION_STATE_DIR,
	{ 0 }
};

static const struct pv_option fence_renew[] = {
	OPTION_LEASE("another time than before, 0: for ever"),
	OPTION_STATE_DIR,
	{ 0 }
};

static const struct pv_option fence_release[] = {
	OPTION_TIMEOUT,
	OPTION_STATE_DIR,
	{ 0 }
};

static const struct pv_option fence_other[] = {
	OPTION_STATE_DIR,
	{ 0 }
};

#define OPTION_EXPORT_STATE_DIR \
	{ .name = "state-dir", .arg = "DIRECTORY", .complete = PV_COMPLETE_FILE, \
	  .help = "where exports are remembered (/var/lib/pvctl)" }

static const struct pv_option export_volume[] = {
	{ .name = "transport", .arg = "tcp|rdma", .required = true,
	  .complete = PV_COMPLETE_TRANSPORT, .help = "how other nodes reach it" },
	{ .name = "address", .arg = "ADDRESS", .required = true,
	  .help = "of this node: IPv4 or IPv6" },
	{ .name = "port", .arg = "PORT", .required = true,
	  .help = "to listen on, 4420 as a rule; exports may share it" },
	{ .name = "nqn", .arg = "NQN",
	  .help = "name of the subsystem; else one made from the volume's UUID" },
	{ .name = "allow-host", .arg = "NQN", .repeat = true,
	  .help = "a host that may connect, by the name that it gives; else any may" },
	OPTION_EXPORT_STATE_DIR,
	{ 0 }
};

static const struct pv_option unexport_volume[] = {
	{ .name = "transport", .arg = "tcp|rdma", .complete = PV_COMPLETE_TRANSPORT,
	  .help = "over this one only" },
	OPTION_EXPORT_STATE_DIR,
	{ 0 }
};

static const struct pv_option all_exports[] = {
	OPTION_EXPORT_STATE_DIR,
	{ 0 }
};

static const struct pv_option monitor[] = {
	{ .name = "count", .arg = "N", .help = "end after N events" },
	{ .name = "ready-file", .arg = "PATH", .complete = PV_COMPLETE_FILE,
	  .help = "create this file when no event can be missed any more" },
	{ 0 }
};

static const struct pv_option metrics[] = {
	{ .name = "output", .arg = "FILE", .complete = PV_COMPLETE_FILE,
	  .help = "replace FILE by them at once, so that a reader never sees a part" },
	{ 0 }
};

const struct pv_command pv_commands[] = {
	{ "region", "list", "", 0, 0, NULL,
	  "list NVDIMM regions, their DIMMs and namespaces", pv_cmd_region_list, { 0 } },
	{ "region", "create", "REGION", 1, 1, region_create,
	  "make an fsdax namespace over all that is available in a region", pv_cmd_region_create,
	  { PV_COMPLETE_REGION } },
	{ "region", "remove", "NAMESPACE", 1, 1, region_remove,
	  "remove a namespace that nobody uses", pv_cmd_region_remove, { 0 } },

	{ "pool", "create", "NAME [DEVICE...]", 1, PV_ARGS_ANY, pool_create,
	  "make a pool over devices and activate it", pv_cmd_pool_create,
	  { PV_COMPLETE_NONE, PV_COMPLETE_DEVICE } },
	{ "pool", "list", "", 0, 0, NULL,
	  "list active pools and those found on devices", pv_cmd_pool_list, { 0 } },
	{ "pool", "show", "NAME", 1, 1, NULL,
	  "show all about a pool", pv_cmd_pool_show, { PV_COMPLETE_POOL } },
	{ "pool", "extend", "NAME [DEVICE...]", 1, PV_ARGS_ANY, pool_extend,
	  "add devices to an active pool", pv_cmd_pool_extend,
	  { PV_COMPLETE_POOL, PV_COMPLETE_DEVICE } },
	{ "pool", "set", "NAME", 1, 1, pool_set,
	  "change what a pool promises and when it warns", pv_cmd_pool_set, { PV_COMPLETE_POOL } },
	{ "pool", "destroy", "NAME", 1, 1, pool_destroy,
	  "destroy an active pool and free its devices", pv_cmd_pool_destroy,
	  { PV_COMPLETE_POOL } },
	{ "pool", "activate", "[NAME]", 0, 1, pool_activate,
	  "find a pool on its devices and bring up its volumes", pv_cmd_pool_activate,
	  { PV_COMPLETE_POOL } },
	{ "pool", "deactivate", "[NAME]", 0, 1, all_pools,
	  "take down a pool's volumes and release its devices", pv_cmd_pool_deactivate,
	  { PV_COMPLETE_POOL } },

	{ "pool", "check", "NAME|DEVICE...", 1, PV_ARGS_ANY, pool_check,
	  "look for all that is wrong with a pool, active or not", pv_cmd_pool_check,
	  { PV_COMPLETE_POOL, PV_COMPLETE_DEVICE } },

	{ "pool", "media", "NAME", 1, 1, NULL,
	  "show where the media of an active pool are known to be bad, and whose data that is",
	  pv_cmd_pool_media, { PV_COMPLETE_POOL } },

	{ "volume", "create", "POOL/NAME", 1, 1, volume_create,
	  "make a volume", pv_cmd_volume_create, { PV_COMPLETE_VOLUME } },
	{ "volume", "list", "[POOL]", 0, 1, NULL,
	  "list volumes", pv_cmd_volume_list, { PV_COMPLETE_POOL } },
	{ "volume", "show", "POOL/NAME", 1, 1, NULL,
	  "show all about a volume", pv_cmd_volume_show, { PV_COMPLETE_VOLUME } },
	{ "volume", "resize", "POOL/NAME", 1, 1, volume_resize,
	  "make a volume larger, in use or not", pv_cmd_volume_resize, { PV_COMPLETE_VOLUME } },
	{ "volume", "rename", "POOL/NAME NEWNAME", 2, 2, NULL,
	  "give a volume another name", pv_cmd_volume_rename,
	  { PV_COMPLETE_VOLUME, PV_COMPLETE_NONE } },
	{ "volume", "rollback", "POOL/VOLUME@SNAPSHOT", 1, 1, NULL,
	  "make a volume that is not in use what a snapshot of it is", pv_cmd_volume_rollback,
	  { PV_COMPLETE_SNAPSHOT } },
	{ "volume", "delete", "POOL/NAME", 1, 1, delete,
	  "delete a volume and erase its data", pv_cmd_volume_delete, { PV_COMPLETE_VOLUME } },
	{ "volume", "stats", "POOL/NAME", 1, 1, volume_stats,
	  "show how full a volume and its file system are, and whether they are well",
	  pv_cmd_volume_stats, { PV_COMPLETE_VOLUME } },
	{ "capacity", NULL, "[POOL]", 0, 1, NULL,
	  "show how large volumes can be made", pv_cmd_capacity, { PV_COMPLETE_POOL } },

	{ "snapshot", "create", "POOL/VOLUME@SNAPSHOT", 1, 1, NULL,
	  "keep what a volume holds now, in use or not", pv_cmd_snapshot_create,
	  { PV_COMPLETE_VOLUME } },
	{ "snapshot", "list", "[POOL[/VOLUME]]", 0, 1, NULL,
	  "list snapshots, the oldest of a volume first", pv_cmd_snapshot_list,
	  { PV_COMPLETE_VOLUME } },
	{ "snapshot", "show", "POOL/VOLUME@SNAPSHOT", 1, 1, NULL,
	  "show all about a snapshot", pv_cmd_snapshot_show, { PV_COMPLETE_SNAPSHOT } },
	{ "snapshot", "activate", "POOL/VOLUME@SNAPSHOT", 1, 1, NULL,
	  "give a snapshot a device, which is read-only", pv_cmd_snapshot_activate,
	  { PV_COMPLETE_SNAPSHOT } },
	{ "snapshot", "deactivate", "POOL/VOLUME@SNAPSHOT", 1, 1, NULL,
	  "take a snapshot's device away", pv_cmd_snapshot_deactivate, { PV_COMPLETE_SNAPSHOT } },
	{ "snapshot", "delete", "POOL/VOLUME@SNAPSHOT", 1, 1, delete,
	  "delete a snapshot and erase what it alone holds", pv_cmd_snapshot_delete,
	  { PV_COMPLETE_SNAPSHOT } },

	{ "clone", NULL, "POOL/VOLUME@SNAPSHOT POOL/NAME", 2, 2, clone,
	  "make a volume that begins as what a snapshot is", pv_cmd_clone,
	  { PV_COMPLETE_SNAPSHOT, PV_COMPLETE_VOLUME } },

	{ "fence", "attach", "NAME DEVICE", 2, 2, fence_attach,
	  "make a device that writes only with the newest epoch", pv_cmd_fence_attach,
	  { PV_COMPLETE_NONE, PV_COMPLETE_BLOCK_DEVICE } },
	{ "fence", "acquire", "NAME", 1, 1, fence_acquire,
	  "get the newest epoch, fence all others", pv_cmd_fence_acquire,
	  { PV_COMPLETE_ATTACHMENT } },
	{ "fence", "renew", "NAME", 1, 1, fence_renew,
	  "start the lease anew", pv_cmd_fence_renew, { PV_COMPLETE_ATTACHMENT } },
	{ "fence", "release", "NAME", 1, 1, fence_release,
	  "stop writing and give the epoch back", pv_cmd_fence_release,
	  { PV_COMPLETE_ATTACHMENT } },
	{ "fence", "detach", "NAME", 1, 1, fence_other,
	  "remove the device", pv_cmd_fence_detach, { PV_COMPLETE_ATTACHMENT } },
	{ "fence", "status", "[NAME]", 0, 1, fence_other,
	  "show attachments, or all about one and the reservation", pv_cmd_fence_status,
	  { PV_COMPLETE_ATTACHMENT } },

	{ "metrics", NULL, "", 0, 0, metrics,
	  "print figures in the text format of Prometheus", pv_cmd_metrics, { 0 } },

	/* Words that are no POOL/NAME stand before the row that takes any. */
	{ "export", "list", "[POOL]", 0, 1, all_exports,
	  "list exports, in effect or not", pv_cmd_export_list, { PV_COMPLETE_POOL } },
	{ "export", "restore", "[POOL]", 0, 1, all_exports,
	  "export again all that was, as after a reboot", pv_cmd_export_restore,
	  { PV_COMPLETE_POOL } },
	{ "export", "withdraw", "[POOL]", 0, 1, all_exports,
	  "end all exports until they are restored", pv_cmd_export_withdraw,
	  { PV_COMPLETE_POOL } },
	{ "export", NULL, "POOL/NAME", 1, 1, export_volume,
	  "offer a volume to other nodes over NVMe", pv_cmd_export, { PV_COMPLETE_VOLUME } },
	{ "unexport", NULL, "POOL/NAME", 1, 1, unexport_volume,
	  "end a volume's export", pv_cmd_unexport, { PV_COMPLETE_VOLUME } },

	{ "monitor", NULL, "", 0, 0, monitor,
	  "print events as they happen", pv_cmd_monitor, { 0 } },
	{ 0 }
};
