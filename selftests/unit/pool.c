// SPDX-License-Identifier: GPL-2.0
#include <stdlib.h>
#include "pool.h"

#define SHIFT PMV_CHUNK_SHIFT_MIN

static void set_member(struct pmv_sb *sb, unsigned int i, u64 size, u64 phys, u64 *data_off)
{
	u64 first = i ? le64_to_cpu(sb->member[i - 1].first_chunk) +
			le64_to_cpu(sb->member[i - 1].chunks) : 0;

	*data_off = pmv_data_off(phys, sb->chunk_shift);
	memset(sb->member[i].uuid, 0x40 + (int)i, PMV_UUID_SIZE);
	sb->member[i].first_chunk = cpu_to_le64(first);
	sb->member[i].chunks = cpu_to_le64((size - *data_off) >> sb->chunk_shift);
	sb->nr_members = cpu_to_le16(i + 1);
}

void pool_plan(struct pool *p, const struct pmv_media_ops *ops, void *ctx, const u64 *size,
	       unsigned int nr, u64 phys)
{
	const struct pmv_sb *sb[POOL_DEVS];
	struct pmv_sb *first = &p->sb[0];
	u64 data_off[POOL_DEVS];
	unsigned int i;

	memset(p, 0, sizeof(*p));
	memset(first->pool_uuid, 0x11, PMV_UUID_SIZE);
	first->chunk_shift = SHIFT;
	first->name_len = 4;
	memcpy(first->name, "tank", 4);
	first->overcommit = cpu_to_le32(100);
	first->low_water = cpu_to_le32(10);
	first->map_gen = cpu_to_le64(1);
	for (i = 0; i < nr; i++)
		set_member(first, i, size[i], phys, &data_off[i]);
	for (i = 0; i < nr; i++) {
		if (i)
			p->sb[i] = *first;
		p->sb[i].member_index = cpu_to_le16(i);
		memcpy(p->sb[i].member_uuid, first->member[i].uuid, PMV_UUID_SIZE);
		p->sb[i].data_off = cpu_to_le64(data_off[i]);
		p->sb[i].device_size = cpu_to_le64(size[i]);
		sb[i] = &p->sb[i];
	}
	p->c.ops = ops;
	p->c.ctx = ctx;
	p->c.segment = p->seg;
	pmv_core_init(&p->c, sb);
	pmv_alloc_init(&p->a, p->c.chunks, p->used, p->clean, p->pending);
}

int pool_format(struct pool *p)
{
	unsigned int i;
	int ret;

	ret = pmv_format(&p->c, pool_map(p));
	for (i = 0; !ret && i < PMV_COPIES; i++)
		ret = pmv_alloc_claim(&p->a, p->seg[0].chunk[i]);
	return ret;
}

void pool_plan_extend(const struct pool *p, struct pmv_sb *sb, u64 size, u64 phys, u64 *data_off)
{
	*sb = p->c.sb;
	set_member(sb, p->c.nr_members, size, phys, data_off);
}

unsigned long *pool_map(struct pool *p)
{
	if (p->nr_maps == ARRAY_SIZE(p->map))
		return NULL;
	memset(p->map[p->nr_maps], 0, BITS_TO_LONGS(pmv_pages_per_segment(&p->c)) * sizeof(long));
	return p->map[p->nr_maps++];
}

static int on_claim(void *ctx, u64 chunk)
{
	struct pool *p = ctx;

	return pmv_alloc_claim(&p->a, chunk);
}

static int on_volume(void *ctx, const struct pmv_desc *d, const struct pmv_map *m, void **cookie)
{
	struct pool *p = ctx;
	unsigned int i;

	for (i = 0; i < p->nr_vols && d->state == PMV_DESC_ACTIVE; i++)
		if (p->vol[i].d.state == PMV_DESC_ACTIVE && pmv_same_name(&p->vol[i].d, d))
			return -EUCLEAN;
	if (p->nr_vols == POOL_VOLS)
		return -ENOMEM;
	p->vol[p->nr_vols].d = *d;
	p->vol[p->nr_vols].m = *m;
	*cookie = &p->vol[p->nr_vols++];
	return 0;
}

static int on_leaf(void *ctx, void *cookie, u64 leaf, u32 page)
{
	struct pool *p = ctx;
	struct pool_vol *v = cookie;

	/* The user of the core has an array of the volume's size: nothing else may come. */
	if (leaf >= pmv_map_leaves(v->m.chunks))
		abort();
	if (p->nr_leaves == POOL_LEAVES)
		return -ENOMEM;
	p->leaf[p->nr_leaves++] = (struct pool_leaf){ v - p->vol, leaf, page };
	return 0;
}

static int on_chunk(void *ctx, void *cookie, u64 index, struct pmv_word w)
{
	struct pool *p = ctx;
	struct pool_vol *v = cookie;

	if (index >= v->m.chunks || w.value >= p->c.chunks || p->nr_entries == POOL_CHUNKS)
		abort();
	p->entry[p->nr_entries++] = (struct pool_entry){ v - p->vol, index, w };
	return 0;
}

static unsigned long *on_segment_map(void *ctx, unsigned int bits)
{
	struct pool *p = ctx;

	return bits == pmv_pages_per_segment(&p->c) ? pool_map(p) : NULL;
}

const struct pmv_load_ops pool_load_ops = {
	.claim_chunk = on_claim,
	.volume = on_volume,
	.leaf = on_leaf,
	.chunk = on_chunk,
	.segment_map = on_segment_map,
};

void pool_forget(struct pool *p)
{
	memset(p->used, 0, sizeof(p->used));
	memset(p->clean, 0, sizeof(p->clean));
	memset(p->pending, 0, sizeof(p->pending));
	p->nr_vols = p->nr_entries = p->nr_leaves = p->nr_maps = 0;
	pmv_alloc_init(&p->a, p->c.chunks, p->used, p->clean, p->pending);
}

int pool_open(struct pool *p, const struct pmv_media_ops *ops, void *ctx, const u64 *size,
	      unsigned int nr, bool repair)
{
	const struct pmv_sb *sb[POOL_DEVS] = { NULL };
	unsigned int i, order[PMV_MEMBERS_MAX];
	int ret;

	memset(&p->c, 0, sizeof(p->c));
	pool_forget(p);
	p->why = NULL;
	p->culprit = -1;
	memset(&p->res, 0, sizeof(p->res));
	for (i = 0; i < nr; i++) {
		ret = pmv_sb_read(ops, ctx, i, size[i], &p->sb[i], &p->sb_other, &p->why);
		if (ret)
			return ret;
		sb[i] = &p->sb[i];
		if (!i)
			nr = min(nr, (unsigned int)le16_to_cpu(p->sb[0].nr_members));
	}
	ret = pmv_sb_assemble(sb, nr, order, &p->culprit, &p->why);
	if (ret)
		return ret;
	for (i = 0; i < nr; i++)
		if (order[i] != i)
			return -EXDEV;
	p->c.ops = ops;
	p->c.ctx = ctx;
	p->c.segment = p->seg;
	pmv_core_init(&p->c, sb);
	if (p->c.chunks > POOL_CHUNKS)
		return -E2BIG;
	pool_forget(p);
	return pmv_load(&p->c, &pool_load_ops, p, repair, &p->res);
}

struct pool_vol *pool_slot(struct pool *p, u32 slot)
{
	unsigned int i;

	for (i = 0; i < p->nr_vols; i++)
		if (p->vol[i].m.slot == slot)
			return &p->vol[i];
	return NULL;
}

struct pool_entry *pool_chunk(struct pool *p, const struct pool_vol *v, u64 index)
{
	unsigned int i;

	for (i = 0; i < p->nr_entries; i++)
		if (&p->vol[p->entry[i].vol] == v && p->entry[i].index == index)
			return &p->entry[i];
	return NULL;
}

void pool_kin(struct pool *p)
{
	struct pool_vol *v, *of;

	for (v = p->vol; v < &p->vol[p->nr_vols]; v++)
		v->kin = (struct pmv_kin){
			.gen = v->d.kind == PMV_DESC_SNAPSHOT ? le64_to_cpu(v->d.birth_gen) :
							       ~0ULL,
			.chunks = v->m.chunks,
			.leaving = v->d.state == PMV_DESC_ERASING,
		};
	for (v = p->vol; v < &p->vol[p->nr_vols]; v++) {
		of = pool_slot(p, le32_to_cpu(v->d.origin));
		if (!of || v->d.kind == PMV_DESC_FREE)
			continue;
		if (v->d.kind == PMV_DESC_SNAPSHOT && of->d.kind == PMV_DESC_VOLUME)
			pmv_kin_insert(&of->kin, &v->kin);
		else if (v->d.kind == PMV_DESC_VOLUME && v->d.state == PMV_DESC_ACTIVE &&
			 le32_to_cpu(v->d.flags) & PMV_DESC_CLONE)
			v->kin.parent = &of->kin;
	}
}

int pool_kin_word(void *ctx, struct pmv_kin *k, u64 index, struct pmv_word *w)
{
	struct pool_entry *e = pool_chunk(ctx, pool_vol_of(k), index);

	if (!e)
		return -ENOENT;
	*w = e->w;
	return 0;
}

void pool_params(struct pmv_volume_params *v, const char *letter, u64 chunks, bool thick)
{
	static u8 uuid[PMV_UUID_SIZE];

	memset(uuid, *letter, sizeof(uuid));
	*v = (struct pmv_volume_params){
		.name = letter,
		.name_len = 1,
		.uuid = uuid,
		.chunks = chunks,
		.created = 1700000000,
		.flags = thick ? PMV_DESC_THICK : 0,
	};
}

u64 pool_pages_used(const struct pool *p)
{
	unsigned int s, i, per = pmv_pages_per_segment(&p->c);
	u64 n = 0;

	for (s = 0; s < p->c.nr_segments; s++)
		for (i = 0; i < per; i++)
			n += test_bit(i, p->seg[s].map);
	return n;
}
