// SPDX-License-Identifier: GPL-2.0
/*
 * Where a pool lies on its members: claiming them, laying out new ones, and reading what is
 * on those of an existing pool.
 */
#include <linux/ktime.h>
#include <linux/netlink.h>
#include <linux/slab.h>
#include <linux/uuid.h>

#include "core/foreign.h"
#include "ctl.h"
#include "meta.h"

#define DEFAULT_OVERCOMMIT	100
#define DEFAULT_LOW_WATER	10
#define DEFAULT_CHUNK_SIZE	PMEMVOL_CHUNK_SIZE_MIN

void pmv_layout_close(struct pmv_pool *pool, unsigned int from, unsigned int to)
{
	unsigned int i;

	pmv_members_release(pool, from, to);
	for (i = from; i < to; i++) {
		pmv_member_close(pool->member[i]);
		pool->member[i] = NULL;
	}
}

int pmv_layout_open(struct pmv_pool *pool, unsigned int from, const struct pmv_pool_params *p,
		    struct netlink_ext_ack *extack)
{
	struct pmv_member *m;
	unsigned int i;
	int ret = 0;

	for (i = 0; i < p->nr_devices && !ret; i++) {
		m = kzalloc(sizeof(*m), GFP_KERNEL);
		if (!m)
			return -ENOMEM;
		m->pool = pool;
		xa_init(&m->failed);
		pool->member[from + i] = m;
		ret = pmv_member_open(m, &p->device[i], extack);
	}
	return ret;
}

static int place_members(struct pmv_pool *pool, unsigned int from, unsigned int to,
			 const struct pmv_sb *sb, const u64 *data_off,
			 struct netlink_ext_ack *extack)
{
	unsigned int i;
	int ret;

	for (i = from; i < to; i++) {
		ret = pmv_member_place(pool->member[i], i,
				       le64_to_cpu(sb->member[i].first_chunk),
				       le64_to_cpu(sb->member[i].chunks), data_off[i - from]);
		if (ret) {
			NL_SET_ERR_MSG(extack, "a member is not mapped at a 2 MiB boundary");
			return ret;
		}
	}
	return 0;
}

/* Is there anything on a device that must not be overwritten unasked? */
static int check_blank(struct pmv_pool *pool, unsigned int member, const u8 *own_uuid,
		       const struct pmv_device *d, struct netlink_ext_ack *extack)
{
	u64 size = pool->member[member]->size, off;
	struct pmv_sb *sb, *other;
	u8 buf[PMV_SIGNATURE_LEN_MAX];
	unsigned int i;
	int ret = -ENOMEM;

	sb = kvmalloc(sizeof(*sb), GFP_KERNEL);
	other = kvmalloc(sizeof(*other), GFP_KERNEL);
	if (!sb || !other)
		goto out;
	ret = pmv_sb_read(&pmv_media_ops, pool, member, size, sb, other, NULL);
	if (!ret && own_uuid && !memcmp(sb->pool_uuid, own_uuid, PMV_UUID_SIZE))
		goto out;	/* an extension of this pool that was interrupted */
	if (ret != -ENODATA && ret != -EIO) {
		NL_SET_ERR_MSG_ATTR(extack, d->attr, "the device carries a pool's superblock");
		ret = -EMEDIUMTYPE;
		goto out;
	}
	for (i = 0; i < pmv_nr_signatures; i++) {
		const struct pmv_signature *s = &pmv_signatures[i];

		off = pmv_signature_off(s, size);
		if (off == ~0ULL || pmv_media_ops.read(pool, member, off, buf, s->len) ||
		    memcmp(buf, s->bytes, s->len))
			continue;
		NL_SET_ERR_MSG_ATTR(extack, d->attr, "the device carries a foreign signature");
		ret = -EMEDIUMTYPE;
		goto out;
	}
	ret = 0;
out:
	kvfree(other);
	kvfree(sb);
	return ret;
}

/* Fill in the member table for members @from..@to-1, from the devices' sizes. */
static int layout_members(struct pmv_pool *pool, struct pmv_sb *sb, unsigned int from,
			  unsigned int to, u64 *data_off, const struct pmv_device *device,
			  struct netlink_ext_ack *extack)
{
	unsigned int i, shift = sb->chunk_shift;
	u64 next = 0;
	uuid_t uuid;

	if (from)
		next = le64_to_cpu(sb->member[from - 1].first_chunk) +
		       le64_to_cpu(sb->member[from - 1].chunks);
	for (i = from; i < to; i++) {
		struct pmv_member *m = pool->member[i];
		u64 off = pmv_data_off((u64)compat_pfn_number(m->pfn) << PAGE_SHIFT, shift), chunks;

		chunks = m->size > off + PMV_TAIL_WIPE ?
			 (m->size - off - PMV_TAIL_WIPE) >> shift : 0;
		if (!chunks || (!from && to == 1 && chunks < 2 * PMV_COPIES)) {
			NL_SET_ERR_MSG_ATTR(extack, device[i - from].attr,
					    "the device is too small for this chunk size");
			return -ERANGE;
		}
		if (next + chunks > PMV_WORD_VALUE_MAX) {
			NL_SET_ERR_MSG_ATTR(extack, device[i - from].attr,
					    "the pool would be larger than a pool can be");
			return -ERANGE;
		}
		uuid_gen(&uuid);
		memcpy(sb->member[i].uuid, uuid.b, PMV_UUID_SIZE);
		sb->member[i].first_chunk = cpu_to_le64(next);
		sb->member[i].chunks = cpu_to_le64(chunks);
		data_off[i - from] = off;
		next += chunks;
	}
	sb->nr_members = cpu_to_le16(to);
	return 0;
}

static void fill_superblock(struct pmv_sb *sb, const struct pmv_pool_params *p)
{
	uuid_t uuid;

	uuid_gen(&uuid);
	memcpy(sb->pool_uuid, p->uuid ?: uuid.b, PMV_UUID_SIZE);
	memcpy(sb->name, p->name, p->name_len);
	sb->name_len = p->name_len;
	sb->chunk_shift = ilog2(p->chunk_size ?: DEFAULT_CHUNK_SIZE);
	sb->overcommit = cpu_to_le32(p->overcommit ?: DEFAULT_OVERCOMMIT);
	sb->low_water = cpu_to_le32(p->low_water == PMV_LOW_WATER_UNSET ? DEFAULT_LOW_WATER :
				    p->low_water);
	sb->map_gen = cpu_to_le64(1);
	sb->created = cpu_to_le64(ktime_get_real_seconds());
}

/* What pmv_core_init() takes from superblocks, for a pool that has none yet. */
static void init_core(struct pmv_pool *pool, const struct pmv_sb *sb, const u64 *data_off)
{
	unsigned int i;

	pool->core.sb = *sb;
	pool->core.chunk_shift = sb->chunk_shift;
	pool->core.nr_members = le16_to_cpu(sb->nr_members);
	pool->core.chunks = 0;
	for (i = 0; i < pool->core.nr_members; i++) {
		pool->core.chunks += le64_to_cpu(sb->member[i].chunks);
		pool->core.data_off[i] = data_off[i];
		pool->core.device_size[i] = pool->member[i]->size;
	}
}

int pmv_layout_format(struct pmv_pool *pool, const struct pmv_pool_params *p,
		      struct netlink_ext_ack *extack)
{
	unsigned long *map0;
	struct pmv_sb *sb;
	u64 *data_off;
	unsigned int i;
	int ret = -ENOMEM;

	sb = kvzalloc(sizeof(*sb), GFP_KERNEL);
	data_off = kvcalloc(p->nr_devices, sizeof(*data_off), GFP_KERNEL);
	map0 = NULL;
	if (!sb || !data_off)
		goto out;
	for (i = 0; i < p->nr_devices && !p->force; i++) {
		ret = check_blank(pool, i, NULL, &p->device[i], extack);
		if (ret)
			goto out;
	}
	fill_superblock(sb, p);
	ret = layout_members(pool, sb, 0, p->nr_devices, data_off, p->device, extack);
	if (!ret)
		ret = place_members(pool, 0, p->nr_devices, sb, data_off, extack);
	if (ret)
		goto out;
	init_core(pool, sb, data_off);
	map0 = pmv_meta_segment_map(pmv_pages_per_segment(&pool->core));
	if (!map0) {
		ret = -ENOMEM;
		goto out;
	}
	mutex_lock(&pool->meta_lock);
	ret = pmv_format(&pool->core, map0);
	mutex_unlock(&pool->meta_lock);
	/* It is read back like any other pool: what cannot be read back was not created. */
	kvfree(map0);
	pool->core.nr_segments = 0;
out:
	kvfree(data_off);
	kvfree(sb);
	return ret;
}

/* Read the superblocks of the devices as opened and bring members and core into order. */
int pmv_layout_assemble(struct pmv_pool *pool, const struct pmv_pool_params *p,
			struct netlink_ext_ack *extack)
{
	unsigned int nr = p->nr_devices, i;
	struct pmv_member *by_device[PMV_MEMBERS_MAX];
	const struct pmv_sb *sb[PMV_MEMBERS_MAX];
	unsigned int order[PMV_MEMBERS_MAX];
	struct pmv_sb *buf, *other;
	const char *why = NULL;
	int ret = -ENOMEM, culprit = -1;

	buf = kvcalloc(nr + 1, sizeof(*buf), GFP_KERNEL);
	if (!buf)
		return -ENOMEM;
	other = &buf[nr];
	for (i = 0; i < nr; i++) {
		culprit = i;
		ret = pmv_sb_read(&pmv_media_ops, pool, i, pool->member[i]->size, &buf[i], other,
				  &why);
		if (ret)
			goto refuse;
		sb[i] = &buf[i];
	}
	culprit = -1;
	ret = pmv_sb_assemble(sb, nr, order, &culprit, &why);
	if (ret)
		goto refuse;
	for (i = 0; i < nr; i++)
		by_device[i] = pool->member[i];
	for (i = 0; i < nr; i++) {
		pool->member[i] = by_device[order[i]];
		sb[i] = &buf[order[i]];
	}
	if (sb[0]->name_len != p->name_len || memcmp(sb[0]->name, p->name, p->name_len)) {
		ret = -ESTALE;
		why = "the devices are members of a pool of another name";
		goto refuse;
	}
	pmv_core_init(&pool->core, sb);
	ret = place_members(pool, 0, nr, sb[0], pool->core.data_off, extack);
	goto out;
refuse:
	if (ret == -ENODATA)
		ret = -ESTALE;
	if (extack && why) {
		extack->_msg = why;
		if (culprit >= 0)
			NL_SET_BAD_ATTR(extack, p->device[culprit].attr);
	}
out:
	kvfree(buf);
	return ret;
}

int pmv_layout_extend(struct pmv_pool *pool, const struct pmv_pool_params *p, struct pmv_sb *sb,
		      u64 *data_off, struct netlink_ext_ack *extack)
{
	unsigned int from = pool->nr_members, to = from + p->nr_devices, i;
	int ret = 0;

	*sb = pool->core.sb;
	for (i = from; i < to && !p->force && !ret; i++)
		ret = check_blank(pool, i, sb->pool_uuid, &p->device[i - from], extack);
	if (!ret)
		ret = layout_members(pool, sb, from, to, data_off, p->device, extack);
	return ret ?: place_members(pool, from, to, sb, data_off, extack);
}
