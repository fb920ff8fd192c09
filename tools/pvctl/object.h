/* SPDX-License-Identifier: GPL-2.0 */
/* Pools, members, volumes, snapshots and events as pvctl holds them, and how they come out of netlink. */
#ifndef PVCTL_OBJECT_H
#define PVCTL_OBJECT_H

#include <linux/pmemvol.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct nlattr;

#define PV_DEVICE_MAX 64

/**
 * struct pv_member - one device of a pool
 * @device: as below /dev; empty when a pool that is not active lacks it
 */
struct pv_member {
	char device[PV_DEVICE_MAX];
	uint8_t uuid[PMEMVOL_UUID_SIZE];
	uint64_t size;
	uint64_t devnum;
	uint32_t bad_blocks;
	int32_t numa_node;
};

/**
 * struct pv_pool - a pool, active or found on devices
 * @present: bit PMEMVOL_A_POOL_x is set when that attribute is known
 * @active: the kernel has it
 * @missing: members of a pool that is not active for which there is no device
 */
struct pv_pool {
	uint64_t present;
	bool active;
	unsigned int missing;
	char name[PMEMVOL_NAME_MAX + 1];
	uint8_t uuid[PMEMVOL_UUID_SIZE];
	uint32_t chunk_size;
	uint32_t overcommit;
	uint32_t low_water;
	uint32_t volumes;
	uint32_t mode;
	uint64_t size;
	uint64_t free;
	uint64_t provisioned;
	uint64_t promised;
	uint64_t metadata;
	uint64_t erasing;
	uint64_t generation;
	uint64_t largest_thin;
	uint64_t largest_thick;
	struct pv_member *members;
	unsigned int nr_members;
};

struct pv_pools {
	struct pv_pool *pool;
	size_t nr;
};

/**
 * struct pv_volume - a volume
 * @present: bit PMEMVOL_A_VOLUME_x is set when that attribute is known
 * @disk: "pmv0"
 * @origin: of a clone: the volume that @origin_snapshot is of
 */
struct pv_volume {
	uint64_t present;
	char pool[PMEMVOL_NAME_MAX + 1];
	char name[PMEMVOL_NAME_MAX + 1];
	char new_name[PMEMVOL_NAME_MAX + 1];
	uint8_t uuid[PMEMVOL_UUID_SIZE];
	char disk[PV_DEVICE_MAX];
	bool thick;
	uint32_t openers;
	uint32_t state;
	uint32_t snapshots;
	uint64_t size;
	uint64_t provisioned;
	uint64_t metadata;
	uint64_t devnum;
	char origin[PMEMVOL_NAME_MAX + 1];
	char origin_snapshot[PMEMVOL_NAME_MAX + 1];
};

struct pv_volumes {
	struct pv_volume *volume;
	size_t nr;
};

/**
 * struct pv_snapshot - a snapshot of a volume
 * @present: bit PMEMVOL_A_SNAPSHOT_x is set when that attribute is known
 * @volume: empty in an event that comes after the volume is gone
 * @created: seconds since 1970
 * @exclusive: bytes that it holds by itself
 * @disk: "pmv0"; empty when it is not activated
 */
struct pv_snapshot {
	uint64_t present;
	char pool[PMEMVOL_NAME_MAX + 1];
	char volume[PMEMVOL_NAME_MAX + 1];
	char name[PMEMVOL_NAME_MAX + 1];
	uint8_t uuid[PMEMVOL_UUID_SIZE];
	char disk[PV_DEVICE_MAX];
	uint32_t clones;
	uint32_t openers;
	uint32_t state;
	uint64_t created;
	uint64_t size;
	uint64_t exclusive;
	uint64_t metadata;
	uint64_t devnum;
};

struct pv_snapshots {
	struct pv_snapshot *snapshot;
	size_t nr;
};

struct pv_event {
	uint32_t type;
	uint64_t seq;
	bool has_pool;
	bool has_volume;
	bool has_snapshot;
	struct pv_pool pool;
	struct pv_volume volume;
	struct pv_snapshot snapshot;
};

#define PV_HAS(object, attr) (!!((object)->present & (1ULL << (attr))))

/*
 * The decoders return 0 or -EBADMSG, leave nothing allocated on failure, and
 * ignore attributes they do not know: a newer kernel may send more.
 */
int pv_decode_pool(struct nlattr *nest, struct pv_pool *pool);
int pv_decode_volume(struct nlattr *pool_nest, struct nlattr *nest, struct pv_volume *volume);
int pv_decode_snapshot(struct nlattr *pool_nest, struct nlattr *volume_nest, struct nlattr *nest,
		       struct pv_snapshot *snapshot);
int pv_decode_event(struct nlattr **top, struct pv_event *event);

void pv_pool_free(struct pv_pool *pool);
void pv_pools_free(struct pv_pools *pools);
void pv_volumes_free(struct pv_volumes *volumes);
void pv_snapshots_free(struct pv_snapshots *snapshots);

/** pv_devnum() - device number as the netlink interface writes it */
uint64_t pv_devnum(unsigned int major, unsigned int minor);

/** pv_pools_holding() - the pool with this device as a member, or NULL */
const struct pv_pool *pv_pools_holding(const struct pv_pools *pools, uint64_t devnum);

/* Names as users read them; "unknown" for a value a newer kernel may have. */
const char *pv_mode_name(uint32_t mode);
const char *pv_volume_state_name(uint32_t state);
const char *pv_snapshot_state_name(const struct pv_snapshot *snapshot);
const char *pv_event_name(uint32_t type);

#endif /* PVCTL_OBJECT_H */
