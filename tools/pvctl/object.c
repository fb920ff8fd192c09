// SPDX-License-Identifier: GPL-2.0
#include "object.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "attr.h"
#include "pvctl.h"

#define NAME_POLICY { .type = NLA_STRING, .minlen = 1, .maxlen = PMEMVOL_NAME_MAX + 1 }
#define UUID_POLICY { .type = NLA_UNSPEC, .minlen = PMEMVOL_UUID_SIZE, .maxlen = PMEMVOL_UUID_SIZE }
#define U32_POLICY { .type = NLA_U32 }
#define U64_POLICY { .type = NLA_U64 }
#define DEVICE_POLICY { .type = NLA_STRING, .minlen = 1, .maxlen = PV_DEVICE_MAX }

static const struct nla_policy pool_policy[PMEMVOL_A_POOL_MAX + 1] = {
	[PMEMVOL_A_POOL_NAME] = NAME_POLICY,
	[PMEMVOL_A_POOL_UUID] = UUID_POLICY,
	[PMEMVOL_A_POOL_CHUNK_SIZE] = U32_POLICY,
	[PMEMVOL_A_POOL_OVERCOMMIT] = U32_POLICY,
	[PMEMVOL_A_POOL_LOW_WATER] = U32_POLICY,
	[PMEMVOL_A_POOL_SIZE] = U64_POLICY,
	[PMEMVOL_A_POOL_FREE] = U64_POLICY,
	[PMEMVOL_A_POOL_PROVISIONED] = U64_POLICY,
	[PMEMVOL_A_POOL_PROMISED] = U64_POLICY,
	[PMEMVOL_A_POOL_METADATA] = U64_POLICY,
	[PMEMVOL_A_POOL_ERASING] = U64_POLICY,
	[PMEMVOL_A_POOL_VOLUMES] = U32_POLICY,
	[PMEMVOL_A_POOL_MODE] = U32_POLICY,
	[PMEMVOL_A_POOL_GENERATION] = U64_POLICY,
	[PMEMVOL_A_POOL_MEMBER] = { .type = NLA_NESTED },
	[PMEMVOL_A_POOL_LARGEST_THIN] = U64_POLICY,
	[PMEMVOL_A_POOL_LARGEST_THICK] = U64_POLICY,
};

static const struct nla_policy member_policy[PMEMVOL_A_MEMBER_MAX + 1] = {
	[PMEMVOL_A_MEMBER_DEVICE] = DEVICE_POLICY,
	[PMEMVOL_A_MEMBER_UUID] = UUID_POLICY,
	[PMEMVOL_A_MEMBER_SIZE] = U64_POLICY,
	[PMEMVOL_A_MEMBER_NUMA_NODE] = { .type = NLA_S32 },
	[PMEMVOL_A_MEMBER_DEVNUM] = U64_POLICY,
	[PMEMVOL_A_MEMBER_BAD_BLOCKS] = U32_POLICY,
};

static const struct nla_policy volume_policy[PMEMVOL_A_VOLUME_MAX + 1] = {
	[PMEMVOL_A_VOLUME_NAME] = NAME_POLICY,
	[PMEMVOL_A_VOLUME_UUID] = UUID_POLICY,
	[PMEMVOL_A_VOLUME_NEW_NAME] = NAME_POLICY,
	[PMEMVOL_A_VOLUME_SIZE] = U64_POLICY,
	[PMEMVOL_A_VOLUME_THICK] = { .type = NLA_FLAG },
	[PMEMVOL_A_VOLUME_PROVISIONED] = U64_POLICY,
	[PMEMVOL_A_VOLUME_DISK] = DEVICE_POLICY,
	[PMEMVOL_A_VOLUME_DEVNUM] = U64_POLICY,
	[PMEMVOL_A_VOLUME_OPENERS] = U32_POLICY,
	[PMEMVOL_A_VOLUME_STATE] = U32_POLICY,
	[PMEMVOL_A_VOLUME_METADATA] = U64_POLICY,
	[PMEMVOL_A_VOLUME_SNAPSHOTS] = U32_POLICY,
	[PMEMVOL_A_VOLUME_ORIGIN] = NAME_POLICY,
	[PMEMVOL_A_VOLUME_ORIGIN_SNAPSHOT] = NAME_POLICY,
};

static const struct nla_policy snapshot_policy[PMEMVOL_A_SNAPSHOT_MAX + 1] = {
	[PMEMVOL_A_SNAPSHOT_NAME] = NAME_POLICY,
	[PMEMVOL_A_SNAPSHOT_UUID] = UUID_POLICY,
	[PMEMVOL_A_SNAPSHOT_CREATED] = U64_POLICY,
	[PMEMVOL_A_SNAPSHOT_SIZE] = U64_POLICY,
	[PMEMVOL_A_SNAPSHOT_EXCLUSIVE] = U64_POLICY,
	[PMEMVOL_A_SNAPSHOT_METADATA] = U64_POLICY,
	[PMEMVOL_A_SNAPSHOT_CLONES] = U32_POLICY,
	[PMEMVOL_A_SNAPSHOT_DISK] = DEVICE_POLICY,
	[PMEMVOL_A_SNAPSHOT_DEVNUM] = U64_POLICY,
	[PMEMVOL_A_SNAPSHOT_OPENERS] = U32_POLICY,
	[PMEMVOL_A_SNAPSHOT_STATE] = U32_POLICY,
};

static const struct nla_policy event_policy[PMEMVOL_A_EVENT_MAX + 1] = {
	[PMEMVOL_A_EVENT_TYPE] = U32_POLICY,
	[PMEMVOL_A_EVENT_SEQ] = U64_POLICY,
};

static void take_string(struct nlattr *attr, char *out, size_t size)
{
	if (attr)
		nla_strlcpy(out, attr, size);
}

static void take_uuid(struct nlattr *attr, uint8_t *out)
{
	if (attr)
		memcpy(out, nla_data(attr), PMEMVOL_UUID_SIZE);
}

static void take_u32(struct nlattr *attr, uint32_t *out)
{
	if (attr)
		*out = nla_get_u32(attr);
}

static void take_u64(struct nlattr *attr, uint64_t *out)
{
	if (attr)
		*out = nla_get_u64(attr);
}

static uint64_t present_mask(struct nlattr **tb, int max)
{
	uint64_t mask = 0;

	for (int i = 1; i <= max; i++)
		if (tb[i])
			mask |= 1ULL << i;
	return mask;
}

static int decode_member(struct nlattr *nest, struct pv_member *m)
{
	struct nlattr *tb[PMEMVOL_A_MEMBER_MAX + 1];

	memset(m, 0, sizeof(*m));
	m->numa_node = -1;
	if (nla_parse_nested(tb, PMEMVOL_A_MEMBER_MAX, nest, member_policy) < 0)
		return -EBADMSG;
	take_string(tb[PMEMVOL_A_MEMBER_DEVICE], m->device, sizeof(m->device));
	take_uuid(tb[PMEMVOL_A_MEMBER_UUID], m->uuid);
	take_u64(tb[PMEMVOL_A_MEMBER_SIZE], &m->size);
	take_u64(tb[PMEMVOL_A_MEMBER_DEVNUM], &m->devnum);
	take_u32(tb[PMEMVOL_A_MEMBER_BAD_BLOCKS], &m->bad_blocks);
	if (tb[PMEMVOL_A_MEMBER_NUMA_NODE])
		m->numa_node = nla_get_s32(tb[PMEMVOL_A_MEMBER_NUMA_NODE]);
	return 0;
}

int pv_decode_pool(struct nlattr *nest, struct pv_pool *p)
{
	struct nlattr *tb[PMEMVOL_A_POOL_MAX + 1], *attr;
	int rem;

	memset(p, 0, sizeof(*p));
	if (!nest || nla_parse_nested(tb, PMEMVOL_A_POOL_MAX, nest, pool_policy) < 0 ||
	    !tb[PMEMVOL_A_POOL_NAME])
		return -EBADMSG;
	p->present = present_mask(tb, PMEMVOL_A_POOL_MAX);
	p->active = true;
	take_string(tb[PMEMVOL_A_POOL_NAME], p->name, sizeof(p->name));
	take_uuid(tb[PMEMVOL_A_POOL_UUID], p->uuid);
	take_u32(tb[PMEMVOL_A_POOL_CHUNK_SIZE], &p->chunk_size);
	take_u32(tb[PMEMVOL_A_POOL_OVERCOMMIT], &p->overcommit);
	take_u32(tb[PMEMVOL_A_POOL_LOW_WATER], &p->low_water);
	take_u64(tb[PMEMVOL_A_POOL_SIZE], &p->size);
	take_u64(tb[PMEMVOL_A_POOL_FREE], &p->free);
	take_u64(tb[PMEMVOL_A_POOL_PROVISIONED], &p->provisioned);
	take_u64(tb[PMEMVOL_A_POOL_PROMISED], &p->promised);
	take_u64(tb[PMEMVOL_A_POOL_METADATA], &p->metadata);
	take_u64(tb[PMEMVOL_A_POOL_ERASING], &p->erasing);
	take_u32(tb[PMEMVOL_A_POOL_VOLUMES], &p->volumes);
	take_u32(tb[PMEMVOL_A_POOL_MODE], &p->mode);
	take_u64(tb[PMEMVOL_A_POOL_GENERATION], &p->generation);
	take_u64(tb[PMEMVOL_A_POOL_LARGEST_THIN], &p->largest_thin);
	take_u64(tb[PMEMVOL_A_POOL_LARGEST_THICK], &p->largest_thick);

	nla_for_each_nested(attr, nest, rem) {
		if (nla_type(attr) != PMEMVOL_A_POOL_MEMBER)
			continue;
		p->members = pv_grow(p->members, p->nr_members, sizeof(*p->members));
		if (decode_member(attr, &p->members[p->nr_members])) {
			pv_pool_free(p);
			return -EBADMSG;
		}
		p->nr_members++;
	}
	return 0;
}

int pv_decode_volume(struct nlattr *pool_nest, struct nlattr *nest, struct pv_volume *v)
{
	struct nlattr *tb[PMEMVOL_A_VOLUME_MAX + 1];
	struct nlattr *pool[PMEMVOL_A_POOL_MAX + 1];

	memset(v, 0, sizeof(*v));
	if (!nest || !pool_nest ||
	    nla_parse_nested(pool, PMEMVOL_A_POOL_MAX, pool_nest, pool_policy) < 0 ||
	    nla_parse_nested(tb, PMEMVOL_A_VOLUME_MAX, nest, volume_policy) < 0 ||
	    !pool[PMEMVOL_A_POOL_NAME] || !tb[PMEMVOL_A_VOLUME_NAME])
		return -EBADMSG;
	v->present = present_mask(tb, PMEMVOL_A_VOLUME_MAX);
	take_string(pool[PMEMVOL_A_POOL_NAME], v->pool, sizeof(v->pool));
	take_string(tb[PMEMVOL_A_VOLUME_NAME], v->name, sizeof(v->name));
	take_string(tb[PMEMVOL_A_VOLUME_NEW_NAME], v->new_name, sizeof(v->new_name));
	take_uuid(tb[PMEMVOL_A_VOLUME_UUID], v->uuid);
	take_u64(tb[PMEMVOL_A_VOLUME_SIZE], &v->size);
	v->thick = tb[PMEMVOL_A_VOLUME_THICK];
	take_u64(tb[PMEMVOL_A_VOLUME_PROVISIONED], &v->provisioned);
	take_string(tb[PMEMVOL_A_VOLUME_DISK], v->disk, sizeof(v->disk));
	take_u64(tb[PMEMVOL_A_VOLUME_DEVNUM], &v->devnum);
	take_u32(tb[PMEMVOL_A_VOLUME_OPENERS], &v->openers);
	take_u32(tb[PMEMVOL_A_VOLUME_STATE], &v->state);
	take_u64(tb[PMEMVOL_A_VOLUME_METADATA], &v->metadata);
	take_u32(tb[PMEMVOL_A_VOLUME_SNAPSHOTS], &v->snapshots);
	take_string(tb[PMEMVOL_A_VOLUME_ORIGIN], v->origin, sizeof(v->origin));
	take_string(tb[PMEMVOL_A_VOLUME_ORIGIN_SNAPSHOT], v->origin_snapshot,
		    sizeof(v->origin_snapshot));
	return 0;
}

int pv_decode_snapshot(struct nlattr *pool_nest, struct nlattr *volume_nest, struct nlattr *nest,
		       struct pv_snapshot *s)
{
	struct nlattr *tb[PMEMVOL_A_SNAPSHOT_MAX + 1];
	struct nlattr *pool[PMEMVOL_A_POOL_MAX + 1];
	struct pv_volume volume = { 0 };

	memset(s, 0, sizeof(*s));
	if (!nest || !pool_nest ||
	    (volume_nest && pv_decode_volume(pool_nest, volume_nest, &volume)) ||
	    nla_parse_nested(pool, PMEMVOL_A_POOL_MAX, pool_nest, pool_policy) < 0 ||
	    nla_parse_nested(tb, PMEMVOL_A_SNAPSHOT_MAX, nest, snapshot_policy) < 0 ||
	    !pool[PMEMVOL_A_POOL_NAME] || !tb[PMEMVOL_A_SNAPSHOT_NAME])
		return -EBADMSG;
	s->present = present_mask(tb, PMEMVOL_A_SNAPSHOT_MAX);
	take_string(pool[PMEMVOL_A_POOL_NAME], s->pool, sizeof(s->pool));
	strcpy(s->volume, volume.name);
	take_string(tb[PMEMVOL_A_SNAPSHOT_NAME], s->name, sizeof(s->name));
	take_uuid(tb[PMEMVOL_A_SNAPSHOT_UUID], s->uuid);
	take_u64(tb[PMEMVOL_A_SNAPSHOT_CREATED], &s->created);
	take_u64(tb[PMEMVOL_A_SNAPSHOT_SIZE], &s->size);
	take_u64(tb[PMEMVOL_A_SNAPSHOT_EXCLUSIVE], &s->exclusive);
	take_u64(tb[PMEMVOL_A_SNAPSHOT_METADATA], &s->metadata);
	take_u32(tb[PMEMVOL_A_SNAPSHOT_CLONES], &s->clones);
	take_string(tb[PMEMVOL_A_SNAPSHOT_DISK], s->disk, sizeof(s->disk));
	take_u64(tb[PMEMVOL_A_SNAPSHOT_DEVNUM], &s->devnum);
	take_u32(tb[PMEMVOL_A_SNAPSHOT_OPENERS], &s->openers);
	take_u32(tb[PMEMVOL_A_SNAPSHOT_STATE], &s->state);
	return 0;
}

int pv_decode_event(struct nlattr **top, struct pv_event *e)
{
	struct nlattr *tb[PMEMVOL_A_EVENT_MAX + 1];

	memset(e, 0, sizeof(*e));
	if (!top[PMEMVOL_A_EVENT] ||
	    nla_parse_nested(tb, PMEMVOL_A_EVENT_MAX, top[PMEMVOL_A_EVENT], event_policy) < 0 ||
	    !tb[PMEMVOL_A_EVENT_TYPE])
		return -EBADMSG;
	take_u32(tb[PMEMVOL_A_EVENT_TYPE], &e->type);
	take_u64(tb[PMEMVOL_A_EVENT_SEQ], &e->seq);
	if (top[PMEMVOL_A_POOL]) {
		if (pv_decode_pool(top[PMEMVOL_A_POOL], &e->pool))
			return -EBADMSG;
		e->has_pool = true;
	}
	if (top[PMEMVOL_A_VOLUME]) {
		if (pv_decode_volume(top[PMEMVOL_A_POOL], top[PMEMVOL_A_VOLUME], &e->volume)) {
			pv_pool_free(&e->pool);
			return -EBADMSG;
		}
		e->has_volume = true;
	}
	if (top[PMEMVOL_A_SNAPSHOT]) {
		if (pv_decode_snapshot(top[PMEMVOL_A_POOL], top[PMEMVOL_A_VOLUME],
				       top[PMEMVOL_A_SNAPSHOT], &e->snapshot)) {
			pv_pool_free(&e->pool);
			return -EBADMSG;
		}
		e->has_snapshot = true;
	}
	return 0;
}

void pv_pool_free(struct pv_pool *p)
{
	free(p->members);
	p->members = NULL;
	p->nr_members = 0;
}

void pv_pools_free(struct pv_pools *pools)
{
	for (size_t i = 0; i < pools->nr; i++)
		pv_pool_free(&pools->pool[i]);
	free(pools->pool);
	*pools = (struct pv_pools){ 0 };
}

void pv_volumes_free(struct pv_volumes *volumes)
{
	free(volumes->volume);
	*volumes = (struct pv_volumes){ 0 };
}

void pv_snapshots_free(struct pv_snapshots *snapshots)
{
	free(snapshots->snapshot);
	*snapshots = (struct pv_snapshots){ 0 };
}

uint64_t pv_devnum(unsigned int major, unsigned int minor)
{
	return (uint64_t)major << 32 | minor;
}

const struct pv_pool *pv_pools_holding(const struct pv_pools *pools, uint64_t devnum)
{
	for (size_t i = 0; i < pools->nr; i++)
		for (unsigned int j = 0; j < pools->pool[i].nr_members; j++)
			if (pools->pool[i].members[j].device[0] &&
			    pools->pool[i].members[j].devnum == devnum)
				return &pools->pool[i];
	return NULL;
}

static const char *name_of(const char *const *names, size_t nr, uint32_t value)
{
	return value < nr && names[value] ? names[value] : "unknown";
}

const char *pv_mode_name(uint32_t mode)
{
	static const char *const names[] = {
		[PMEMVOL_MODE_WRITABLE] = "writable",
		[PMEMVOL_MODE_NO_SPACE] = "no-space",
		[PMEMVOL_MODE_READ_ONLY] = "read-only",
		[PMEMVOL_MODE_FAILED] = "failed",
	};

	return name_of(names, sizeof(names) / sizeof(names[0]), mode);
}

const char *pv_volume_state_name(uint32_t state)
{
	static const char *const names[] = {
		[PMEMVOL_VOLUME_ACTIVE] = "active",
		[PMEMVOL_VOLUME_FAILED] = "failed",
	};

	return name_of(names, sizeof(names) / sizeof(names[0]), state);
}

/* A snapshot that can be read is active while it has a device. */
const char *pv_snapshot_state_name(const struct pv_snapshot *s)
{
	if (s->state == PMEMVOL_VOLUME_ACTIVE && !s->disk[0])
		return "inactive";
	return pv_volume_state_name(s->state);
}

const char *pv_event_name(uint32_t type)
{
	static const char *const names[] = {
		[PMEMVOL_EVENT_POOL_CREATED] = "pool-created",
		[PMEMVOL_EVENT_POOL_ACTIVATED] = "pool-activated",
		[PMEMVOL_EVENT_POOL_DEACTIVATED] = "pool-deactivated",
		[PMEMVOL_EVENT_POOL_EXTENDED] = "pool-extended",
		[PMEMVOL_EVENT_POOL_CHANGED] = "pool-changed",
		[PMEMVOL_EVENT_POOL_DESTROYED] = "pool-destroyed",
		[PMEMVOL_EVENT_POOL_MODE] = "pool-mode",
		[PMEMVOL_EVENT_LOW_WATER] = "low-water",
		[PMEMVOL_EVENT_NO_SPACE] = "no-space",
		[PMEMVOL_EVENT_VOLUME_CREATED] = "volume-created",
		[PMEMVOL_EVENT_VOLUME_RESIZED] = "volume-resized",
		[PMEMVOL_EVENT_VOLUME_RENAMED] = "volume-renamed",
		[PMEMVOL_EVENT_VOLUME_DELETED] = "volume-deleted",
		[PMEMVOL_EVENT_ERASED] = "erased",
		[PMEMVOL_EVENT_MEDIA_ERROR] = "media-error",
		[PMEMVOL_EVENT_METADATA_REPAIRED] = "metadata-repaired",
		[PMEMVOL_EVENT_SNAPSHOT_CREATED] = "snapshot-created",
		[PMEMVOL_EVENT_SNAPSHOT_DELETED] = "snapshot-deleted",
		[PMEMVOL_EVENT_SNAPSHOT_ERASED] = "snapshot-erased",
		[PMEMVOL_EVENT_VOLUME_ROLLED_BACK] = "volume-rolled-back",
	};

	return name_of(names, sizeof(names) / sizeof(names[0]), type);
}
