// SPDX-License-Identifier: GPL-2.0
/* The operations themselves, in the order in which the module takes their steps. */
#include "model.h"

const u64 device_sizes[IMAGE_DEVS] = { IMAGE_SIZE, IMAGE_SIZE, IMAGE_SIZE };

u64 user_data(u8 id, u64 index)
{
	return (u64)id << 56 | (index + 1);
}

static int do_format(struct pool *p, const struct op *op)
{
	const struct pmv_media_ops *ops = p->c.ops;
	void *ctx = p->c.ctx;

	pool_plan(p, ops, ctx, device_sizes, op->number, 0);
	memset(p->c.sb.pool_uuid, op->name, PMV_UUID_SIZE);
	return pool_format(p);
}

static int do_create(struct pool *p, const struct op *op)
{
	struct pool_vol *v = &p->vol[p->nr_vols];
	const char name[2] = { (char)op->name, 0 };
	struct pmv_volume_params params;
	int ret;

	if (p->nr_vols == POOL_VOLS)
		return -ENOMEM;
	pool_params(&params, name, op->number, op->thick);
	ret = pmv_volume_create(&p->c, op->slot, &params, &v->d, &v->m);
	if (!ret)
		p->nr_vols++;
	return ret;
}

static int do_provision(struct pool *p, struct pool_vol *v, const struct op *op)
{
	const struct pmv_word w = { .value = op->chunk[0], .tag = 1 };
	u32 page;
	int ret;

	ret = pmv_alloc_claim(&p->a, w.value);
	if (ret)
		return ret;
	pmv_chunk_zero(&p->c, w.value);
	p->c.ops->fence(p->c.ctx);
	ret = pmv_map_make_leaf(&p->c, &v->m, op->number >> PMV_LEAF_SHIFT, &page);
	if (ret)
		return ret;
	pmv_map_set(&p->c, &v->m, page, op->number, w);
	p->entry[p->nr_entries++] = (struct pool_entry){ v - p->vol, op->number, w };
	return 0;
}

static int do_clear(struct pool *p, struct pool_vol *v, const struct op *op)
{
	struct pool_entry *e = pool_chunk(p, v, op->number);
	u32 page;
	int ret;

	if (!e)
		return -ENOENT;
	ret = pmv_map_find_leaf(&p->c, &v->m, op->number >> PMV_LEAF_SHIFT, &page);
	if (ret)
		return ret;
	if (op->kind == OP_DISCARD)
		pmv_map_clear(&p->c, page, op->number);
	else
		pmv_volume_erase_chunk(&p->c, page, op->number, e->w.value);
	pmv_alloc_put(&p->a, PMV_CLAIM_THIN, e->w.value, PMV_RETURN_DIRTY);
	*e = p->entry[--p->nr_entries];
	return 0;
}

static int do_erased(struct pool *p, struct pool_vol *v)
{
	int ret = pmv_volume_erased(&p->c, &v->d, &v->m);

	/* Its place stays empty, and no slot has this number. */
	if (!ret)
		v->m.slot = ~0U;
	return ret;
}

static int do_segment_add(struct pool *p, const struct op *op)
{
	int ret;

	ret = pmv_alloc_claim(&p->a, op->chunk[0]);
	if (!ret)
		ret = pmv_alloc_claim(&p->a, op->chunk[1]);
	return ret ? ret : pmv_segment_add(&p->c, op->chunk[0], op->chunk[1], pool_map(p));
}

static int do_extend(struct pool *p)
{
	static struct pmv_sb sb;
	u64 old = p->c.chunks, data_off;

	pool_plan_extend(p, &sb, IMAGE_SIZE, 0, &data_off);
	pmv_extend(&p->c, &sb, &data_off, &device_sizes[p->c.nr_members]);
	p->a.nr = p->c.chunks;
	p->a.nr_free += p->c.chunks - old;
	return 0;
}

static int do_activate(struct pool *p)
{
	int ret = pool_open(p, p->c.ops, p->c.ctx, device_sizes, IMAGE_DEVS, true);

	if (ret)
		return ret;
	must_be_fenced(p, "pmv_load");
	pmv_sb_commit(&p->c);
	return 0;
}

int op_run(struct pool *p, const struct op *op)
{
	static const bool needs_volume[OP_KINDS] = {
		[OP_PROVISION] = true, [OP_DISCARD] = true, [OP_RENAME] = true, [OP_GROW] = true,
		[OP_DELETE] = true, [OP_ERASE_CHUNK] = true, [OP_ERASED] = true,
	};
	struct pool_vol *v = pool_slot(p, op->slot);
	const char name[2] = { (char)op->name, 0 };

	if (needs_volume[op->kind] && !v)
		return -ENOENT;
	switch (op->kind) {
	case OP_FORMAT:
		return do_format(p, op);
	case OP_CREATE:
		return do_create(p, op);
	case OP_PROVISION:
		return do_provision(p, v, op);
	case OP_DISCARD:
	case OP_ERASE_CHUNK:
		return do_clear(p, v, op);
	case OP_RENAME:
		return pmv_volume_rename(&p->c, op->slot, &v->d, name, 1);
	case OP_GROW:
		return pmv_volume_grow(&p->c, &v->d, &v->m, op->number);
	case OP_DELETE:
		return pmv_volume_delete(&p->c, op->slot, &v->d);
	case OP_ERASED:
		return do_erased(p, v);
	case OP_SEGMENT_ADD:
		return do_segment_add(p, op);
	case OP_SLOT_PREPARE:
		return pmv_slot_prepare(&p->c, op->slot);
	case OP_EXTEND:
		return do_extend(p);
	case OP_DESTROY:
		pmv_destroy(&p->c);
		return 0;
	case OP_ACTIVATE:
		return do_activate(p);
	case OP_KINDS:
		break;
	}
	return -EINVAL;
}
