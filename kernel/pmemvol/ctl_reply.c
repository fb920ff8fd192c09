// SPDX-License-Identifier: GPL-2.0
/* What is told of pools and volumes: attributes, replies and events. */
#include <net/genetlink.h>

#include "ctl_netlink.h"
#include "data_map.h"

static u64 devnum(dev_t dev)
{
	return (u64)MAJOR(dev) << 32 | MINOR(dev);
}

static int put_member(struct sk_buff *skb, const struct pmv_pool *pool, const struct pmv_member *m)
{
	const struct block_device *bdev = pmv_member_bdev(m);
	struct nlattr *nest = nla_nest_start(skb, PMEMVOL_A_POOL_MEMBER);
	char name[BDEVNAME_SIZE];

	if (!nest)
		return -EMSGSIZE;
	snprintf(name, sizeof(name), "%pg", bdev);
	if (nla_put_string(skb, PMEMVOL_A_MEMBER_DEVICE, name) ||
	    nla_put(skb, PMEMVOL_A_MEMBER_UUID, PMV_UUID_SIZE,
		    pool->core.sb.member[m->index].uuid) ||
	    nla_put_u64_64bit(skb, PMEMVOL_A_MEMBER_SIZE, m->chunks << pool->chunk_shift,
			      PMEMVOL_A_MEMBER_PAD) ||
	    nla_put_s32(skb, PMEMVOL_A_MEMBER_NUMA_NODE, bdev->bd_disk->node_id) ||
	    nla_put_u64_64bit(skb, PMEMVOL_A_MEMBER_DEVNUM, devnum(bdev->bd_dev),
			      PMEMVOL_A_MEMBER_PAD) ||
	    nla_put_u32(skb, PMEMVOL_A_MEMBER_BAD_BLOCKS, pmv_member_nr_bad(m)))
		return -EMSGSIZE;
	nla_nest_end(skb, nest);
	return 0;
}

/* What the allocator says, taken at one moment. */
struct pool_figures {
	u64 size, free, provisioned, erasing, metadata;
};

static void get_figures(struct pmv_pool *pool, struct pool_figures *f)
{
	unsigned int shift = pool->chunk_shift;

	spin_lock(&pool->alloc_lock);
	f->size = pool->alloc.nr << shift;
	f->free = pmv_alloc_available(&pool->alloc) << shift;
	f->provisioned = pool->used_data << shift;
	f->erasing = (pool->alloc.nr_soon - pool->filling + pool->merging_chunks) << shift;
	spin_unlock(&pool->alloc_lock);
	f->metadata = (u64)READ_ONCE(pool->core.nr_segments) * PMV_COPIES << shift;
}

static int put_capacity(struct sk_buff *skb, struct pmv_pool *pool)
{
	return nla_put_u64_64bit(skb, PMEMVOL_A_POOL_LARGEST_THIN,
				 pmv_ctl_volume_largest(pool, false), PMEMVOL_A_POOL_PAD) ?:
	       nla_put_u64_64bit(skb, PMEMVOL_A_POOL_LARGEST_THICK,
				 pmv_ctl_volume_largest(pool, true), PMEMVOL_A_POOL_PAD);
}

int pmv_put_pool(struct sk_buff *skb, struct pmv_pool *pool, bool members)
{
	struct nlattr *nest = nla_nest_start(skb, PMEMVOL_A_POOL);
	struct pool_figures f;
	unsigned int i;

	if (!nest)
		return -EMSGSIZE;
	get_figures(pool, &f);
	if (nla_put_string(skb, PMEMVOL_A_POOL_NAME, pool->name) ||
	    nla_put(skb, PMEMVOL_A_POOL_UUID, PMV_UUID_SIZE, pool->core.sb.pool_uuid) ||
	    nla_put_u32(skb, PMEMVOL_A_POOL_CHUNK_SIZE, pmv_chunk_size(pool)) ||
	    nla_put_u32(skb, PMEMVOL_A_POOL_OVERCOMMIT, READ_ONCE(pool->overcommit)) ||
	    nla_put_u32(skb, PMEMVOL_A_POOL_LOW_WATER, READ_ONCE(pool->low_water)) ||
	    nla_put_u64_64bit(skb, PMEMVOL_A_POOL_SIZE, f.size, PMEMVOL_A_POOL_PAD) ||
	    nla_put_u64_64bit(skb, PMEMVOL_A_POOL_FREE, f.free, PMEMVOL_A_POOL_PAD) ||
	    nla_put_u64_64bit(skb, PMEMVOL_A_POOL_PROVISIONED, f.provisioned,
			      PMEMVOL_A_POOL_PAD) ||
	    nla_put_u64_64bit(skb, PMEMVOL_A_POOL_PROMISED,
			      (pool->promised_thin + pool->promised_thick) << pool->chunk_shift,
			      PMEMVOL_A_POOL_PAD) ||
	    nla_put_u64_64bit(skb, PMEMVOL_A_POOL_METADATA, f.metadata, PMEMVOL_A_POOL_PAD) ||
	    nla_put_u64_64bit(skb, PMEMVOL_A_POOL_ERASING, f.erasing, PMEMVOL_A_POOL_PAD) ||
	    nla_put_u32(skb, PMEMVOL_A_POOL_VOLUMES, pool->nr_volumes) ||
	    nla_put_u32(skb, PMEMVOL_A_POOL_MODE, READ_ONCE(pool->mode)) ||
	    nla_put_u64_64bit(skb, PMEMVOL_A_POOL_GENERATION,
			      le64_to_cpu(pool->core.sb.generation), PMEMVOL_A_POOL_PAD))
		return -EMSGSIZE;
	/* Events are sent where there is no ctl_lock. */
	if (members && put_capacity(skb, pool))
		return -EMSGSIZE;
	for (i = 0; members && i < pool->nr_members; i++)
		if (put_member(skb, pool, pool->member[i]))
			return -EMSGSIZE;
	nla_nest_end(skb, nest);
	return 0;
}

int pmv_put_pool_name(struct sk_buff *skb, const struct pmv_pool *pool)
{
	struct nlattr *nest = nla_nest_start(skb, PMEMVOL_A_POOL);

	if (!nest || nla_put_string(skb, PMEMVOL_A_POOL_NAME, pool->name))
		return -EMSGSIZE;
	nla_nest_end(skb, nest);
	return 0;
}

static u32 state_of(const struct pmv_volume *v)
{
	return v->damaged || READ_ONCE(v->rolling) ||
	       READ_ONCE(v->pool->mode) == PMEMVOL_MODE_FAILED ? PMEMVOL_VOLUME_FAILED :
								 PMEMVOL_VOLUME_ACTIVE;
}

/* A rename replaces it under this lock, and not all that tell it hold ctl_lock. */
static int put_name(struct sk_buff *skb, int attr, struct pmv_volume *v)
{
	char name[PMV_NAME_MAX + 1];

	spin_lock(&v->open_lock);
	memcpy(name, v->name, sizeof(name));
	spin_unlock(&v->open_lock);
	return nla_put_string(skb, attr, name);
}

/* Of a clone: what it was made of. */
static int put_parent(struct sk_buff *skb, const struct pmv_volume *v)
{
	struct pmv_volume *s = v->kin.parent ? pmv_snap_volume(v->kin.parent) : NULL;

	if (s && ((s->origin && put_name(skb, PMEMVOL_A_VOLUME_ORIGIN, s->origin)) ||
		  put_name(skb, PMEMVOL_A_VOLUME_ORIGIN_SNAPSHOT, s)))
		return -EMSGSIZE;
	return 0;
}

static int put_volume(struct sk_buff *skb, struct pmv_volume *v)
{
	struct nlattr *nest = nla_nest_start(skb, PMEMVOL_A_VOLUME);
	struct pmv_pool *pool = v->pool;
	unsigned int shift = pool->chunk_shift;

	if (!nest ||
	    put_name(skb, PMEMVOL_A_VOLUME_NAME, v) ||
	    nla_put(skb, PMEMVOL_A_VOLUME_UUID, PMV_UUID_SIZE, v->desc.uuid) ||
	    nla_put_u64_64bit(skb, PMEMVOL_A_VOLUME_SIZE, v->map.chunks << shift,
			      PMEMVOL_A_VOLUME_PAD) ||
	    (pmv_volume_thick(v) && nla_put_flag(skb, PMEMVOL_A_VOLUME_THICK)) ||
	    nla_put_u64_64bit(skb, PMEMVOL_A_VOLUME_PROVISIONED,
			      READ_ONCE(v->provisioned) << shift, PMEMVOL_A_VOLUME_PAD) ||
	    nla_put_u32(skb, PMEMVOL_A_VOLUME_OPENERS, READ_ONCE(v->openers)) ||
	    nla_put_u32(skb, PMEMVOL_A_VOLUME_STATE, state_of(v)) ||
	    nla_put_u32(skb, PMEMVOL_A_VOLUME_SNAPSHOTS, READ_ONCE(v->snapshots)) ||
	    put_parent(skb, v) ||
	    nla_put_u64_64bit(skb, PMEMVOL_A_VOLUME_METADATA, pmv_map_media_bytes(v),
			      PMEMVOL_A_VOLUME_PAD) ||
	    nla_put_string(skb, PMEMVOL_A_VOLUME_DISK, v->disk->disk_name) ||
	    nla_put_u64_64bit(skb, PMEMVOL_A_VOLUME_DEVNUM, devnum(disk_devt(v->disk)),
			      PMEMVOL_A_VOLUME_PAD))
		return -EMSGSIZE;
	nla_nest_end(skb, nest);
	return 0;
}

static int put_volume_name(struct sk_buff *skb, struct pmv_volume *v)
{
	struct nlattr *nest = nla_nest_start(skb, PMEMVOL_A_VOLUME);

	if (!nest || put_name(skb, PMEMVOL_A_VOLUME_NAME, v) ||
	    nla_put(skb, PMEMVOL_A_VOLUME_UUID, PMV_UUID_SIZE, v->desc.uuid))
		return -EMSGSIZE;
	nla_nest_end(skb, nest);
	return 0;
}

static int put_snapshot(struct sk_buff *skb, struct pmv_volume *s)
{
	unsigned int shift = s->pool->chunk_shift;
	/* It comes and goes. */
	struct gendisk *disk = READ_ONCE(s->disk);
	struct nlattr *nest;

	/* Of one that is deleted the volume may be, too. */
	if (s->origin && put_volume_name(skb, s->origin))
		return -EMSGSIZE;
	nest = nla_nest_start(skb, PMEMVOL_A_SNAPSHOT);
	if (!nest ||
	    nla_put_string(skb, PMEMVOL_A_SNAPSHOT_NAME, s->name) ||
	    nla_put(skb, PMEMVOL_A_SNAPSHOT_UUID, PMV_UUID_SIZE, s->desc.uuid) ||
	    nla_put_u64_64bit(skb, PMEMVOL_A_SNAPSHOT_CREATED, le64_to_cpu(s->desc.created),
			      PMEMVOL_A_SNAPSHOT_PAD) ||
	    nla_put_u64_64bit(skb, PMEMVOL_A_SNAPSHOT_SIZE, s->map.chunks << shift,
			      PMEMVOL_A_SNAPSHOT_PAD) ||
	    nla_put_u64_64bit(skb, PMEMVOL_A_SNAPSHOT_EXCLUSIVE,
			      READ_ONCE(s->provisioned) << shift, PMEMVOL_A_SNAPSHOT_PAD) ||
	    nla_put_u64_64bit(skb, PMEMVOL_A_SNAPSHOT_METADATA, pmv_map_media_bytes(s),
			      PMEMVOL_A_SNAPSHOT_PAD) ||
	    nla_put_u32(skb, PMEMVOL_A_SNAPSHOT_CLONES, s->clones) ||
	    nla_put_u32(skb, PMEMVOL_A_SNAPSHOT_OPENERS, READ_ONCE(s->openers)) ||
	    nla_put_u32(skb, PMEMVOL_A_SNAPSHOT_STATE, state_of(s)))
		return -EMSGSIZE;
	if (disk && (nla_put_string(skb, PMEMVOL_A_SNAPSHOT_DISK, disk->disk_name) ||
		     nla_put_u64_64bit(skb, PMEMVOL_A_SNAPSHOT_DEVNUM, devnum(disk_devt(disk)),
				       PMEMVOL_A_SNAPSHOT_PAD)))
		return -EMSGSIZE;
	nla_nest_end(skb, nest);
	return 0;
}

int pmv_put_volume(struct sk_buff *skb, struct pmv_volume *v)
{
	return pmv_volume_is_snapshot(v) ? put_snapshot(skb, v) : put_volume(skb, v);
}

int pmv_netlink_put_event(struct sk_buff *skb, enum pmemvol_event type, u64 seq,
			  struct pmv_pool *pool, struct pmv_volume *v)
{
	struct nlattr *nest;
	void *hdr;

	hdr = genlmsg_put(skb, 0, 0, &pmv_genl_family, 0, PMEMVOL_CMD_EVENT);
	if (!hdr)
		return -EMSGSIZE;
	nest = nla_nest_start(skb, PMEMVOL_A_EVENT);
	if (!nest || nla_put_u32(skb, PMEMVOL_A_EVENT_TYPE, type) ||
	    nla_put_u64_64bit(skb, PMEMVOL_A_EVENT_SEQ, seq, PMEMVOL_A_EVENT_PAD))
		return -EMSGSIZE;
	nla_nest_end(skb, nest);
	if (pmv_put_pool(skb, pool, false) || (v && pmv_put_volume(skb, v)))
		return -EMSGSIZE;
	genlmsg_end(skb, hdr);
	return 0;
}

/* An empty reply, and the header in it. */
static struct sk_buff *reply_new(struct genl_info *info, size_t size, void **hdr)
{
	struct sk_buff *skb = genlmsg_new(size, GFP_KERNEL);

	*hdr = skb ? genlmsg_put_reply(skb, info, &pmv_genl_family, 0, info->genlhdr->cmd) : NULL;
	return skb;
}

static int reply_send(struct genl_info *info, struct sk_buff *skb, void *hdr, int err)
{
	if (!skb)
		return -ENOMEM;
	if (!hdr || err) {
		nlmsg_free(skb);
		return -EMSGSIZE;
	}
	genlmsg_end(skb, hdr);
	return genlmsg_reply(skb, info);
}

int pmv_reply_pool(struct genl_info *info, struct pmv_pool *pool)
{
	void *hdr;
	struct sk_buff *skb = reply_new(info, PMV_REPLY_SIZE, &hdr);

	return reply_send(info, skb, hdr, hdr ? pmv_put_pool(skb, pool, true) : 0);
}

int pmv_reply_volume(struct genl_info *info, struct pmv_volume *v)
{
	void *hdr;
	struct sk_buff *skb = reply_new(info, NLMSG_DEFAULT_SIZE, &hdr);

	return reply_send(info, skb, hdr,
			  hdr ? pmv_put_pool_name(skb, v->pool) ?: pmv_put_volume(skb, v) : 0);
}
