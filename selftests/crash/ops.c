// SPDX-License-Identifier: GPL-2.0
/* The operations themselves, in the order in which the module takes their steps. */
#include "model.h"

const u64 device_sizes[IMAGE_DEVS] = { IMAGE_SIZE, IMAGE_SIZE, IMAGE_SIZE };

u64 user_data(u8 id, u64 index, u64 old)
{
	return (u64)id << 56 | ((old >> 32 & 0xffffff) + 1) << 32 | (index + 1);
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

static void note_entry(struct pool *p, struct pool_vol *v, u64 index, struct pmv_word w)
{
	p->entry[p->nr_entries++] = (struct pool_entry){ v - p->vol, index, w };
}

static void forget_entry(struct pool *p, struct pool_entry *e)
{
	*e = p->entry[--p->nr_entries];
}

static int do_provision(struct pool *p, struct pool_vol *v, const struct op *op)
{
	const struct pmv_word w = { .value = op->chunk[0], .tag = le64_to_cpu(p->c.sb.map_gen) };
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
	note_entry(p, v, op->number, w);
	return 0;
}

static void copy_chunk(struct pool *p, u32 to, u32 from)
{
	unsigned int to_member, from_member;
	u64 to_off, from_off;

	to_member = pmv_chunk_where(&p->c, to, &to_off);
	from_member = pmv_chunk_where(&p->c, from, &from_off);
	medium_copy(p->c.ctx, to_member, to_off, from_member, from_off);
}

/* A chunk of @v's own that holds what chunk @from does. */
static int add_copy(struct pool *p, struct pool_vol *v, u64 index, struct pmv_word w, u32 from)
{
	u32 page;
	int ret;

	ret = pmv_alloc_claim(&p->a, w.value);
	if (ret)
		return ret;
	copy_chunk(p, w.value, from);
	p->c.ops->fence(p->c.ctx);
	ret = pmv_map_make_leaf(&p->c, &v->m, index >> PMV_LEAF_SHIFT, &page);
	if (ret)
		return ret;
	pmv_map_set(&p->c, &v->m, page, index, w);
	note_entry(p, v, index, w);
	return 0;
}

static int do_copy_out(struct pool *p, struct pool_vol *v, const struct op *op)
{
	struct pool_entry *e = pool_chunk(p, v, op->number);
	struct pmv_word w = { .value = op->chunk[0] };
	struct pmv_kin *heir;
	int ret;

	if (!e)
		return -ENOENT;
	pool_kin(p);
	ret = pmv_kin_heir(&v->kin, op->number, e->w.tag, pool_kin_word, p, &heir);
	if (ret || !heir)
		return ret ? ret : -ESRCH;
	w.tag = e->w.tag;
	return add_copy(p, pool_vol_of(heir), op->number, w, e->w.value);
}

static int do_clone_copy(struct pool *p, struct pool_vol *v, const struct op *op)
{
	const struct pmv_word own = { .value = op->chunk[0], .tag = le64_to_cpu(p->c.sb.map_gen) };
	struct pmv_kin *owner;
	struct pmv_word w;
	int ret;

	pool_kin(p);
	ret = pmv_kin_find(&v->kin, op->number, pool_kin_word, p, &owner, &w);
	return ret ? ret : add_copy(p, v, op->number, own, w.value);
}

static int do_merge(struct pool *p, struct pool_vol *v, const struct op *op)
{
	struct pool_entry *e = pool_chunk(p, v, op->number);
	struct pmv_word w;
	struct pmv_kin *heir;
	u32 page, to_page;
	int ret;

	if (!e)
		return -ENOENT;
	w = e->w;
	pool_kin(p);
	ret = pmv_kin_heir(&v->kin, op->number, w.tag, pool_kin_word, p, &heir);
	if (!ret)
		ret = pmv_map_find_leaf(&p->c, &v->m, op->number >> PMV_LEAF_SHIFT, &page);
	if (!ret && heir)
		ret = pmv_map_make_leaf(&p->c, &pool_vol_of(heir)->m, op->number >> PMV_LEAF_SHIFT,
					&to_page);
	if (ret)
		return ret;
	forget_entry(p, e);
	if (heir) {
		pmv_snapshot_hand_over(&p->c, &pool_vol_of(heir)->m, to_page, page, op->number, w);
		note_entry(p, pool_vol_of(heir), op->number, w);
		return 0;
	}
	pmv_map_clear(&p->c, page, op->number);
	pmv_alloc_put(&p->a, PMV_CLAIM_THIN, w.value, PMV_RETURN_DIRTY);
	return 0;
}

static int do_snapshot(struct pool *p, const struct op *op)
{
	struct pool_vol *s = &p->vol[p->nr_vols], *of = pool_slot(p, op->number);
	const char name[2] = { (char)op->name, 0 };
	struct pmv_volume_params params;
	int ret;

	if (p->nr_vols == POOL_VOLS || !of)
		return -ENOENT;
	pool_params(&params, name, 0, false);
	if (op->kind == OP_SNAPSHOT) {
		ret = pmv_snapshot_create(&p->c, op->slot, &params, &of->d, &of->m, &s->d, &s->m);
	} else {
		params.chunks = of->m.chunks;
		params.flags = PMV_DESC_CLONE;
		params.origin = op->number;
		ret = pmv_volume_create(&p->c, op->slot, &params, &s->d, &s->m);
	}
	if (!ret)
		p->nr_vols++;
	return ret;
}

/* Make a chunk what the snapshot shows; nobody else shows what it was any more. */
static int do_roll_chunk(struct pool *p, struct pool_vol *v, const struct op *op)
{
	const struct pmv_word own = { .value = op->chunk[0], .tag = le64_to_cpu(p->c.sb.map_gen) };
	struct pool_vol *target = pool_slot(p, le32_to_cpu(v->d.target));
	struct pool_entry *e = pool_chunk(p, v, op->number);
	struct pmv_kin *owner, *k;
	struct pmv_word w;
	u32 page;
	int ret;

	if (!target)
		return -ENOENT;
	pool_kin(p);
	ret = pmv_kin_find(&target->kin, op->number, pool_kin_word, p, &owner, &w);
	if (ret && ret != -ENOENT)
		return ret;
	for (k = owner; !ret && k->newer; k = k->newer)
		;
	if (!ret && k == &v->kin) {
		if (!e)
			return add_copy(p, v, op->number, own, w.value);
		copy_chunk(p, e->w.value, w.value);
		p->c.ops->fence(p->c.ctx);
		return 0;
	}
	/* Nothing of its own: it shows what is below it again, or zeros. */
	if (!e)
		return 0;
	ret = pmv_map_find_leaf(&p->c, &v->m, op->number >> PMV_LEAF_SHIFT, &page);
	if (ret)
		return ret;
	pmv_map_clear(&p->c, page, op->number);
	pmv_alloc_put(&p->a, PMV_CLAIM_THIN, e->w.value, PMV_RETURN_DIRTY);
	forget_entry(p, e);
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
	forget_entry(p, e);
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
	unsigned int i;
	int ret;

	ret = pmv_alloc_claim(&p->a, op->chunk[0]);
	if (!ret)
		ret = pmv_alloc_claim(&p->a, op->chunk[1]);
	if (ret)
		return ret;
	ret = pmv_segment_add(&p->c, op->chunk[0], op->chunk[1], pool_map(p));
	for (i = 0; ret && i < PMV_COPIES; i++)
		pmv_alloc_put(&p->a, PMV_CLAIM_META, op->chunk[i], PMV_RETURN_DIRTY);
	return ret;
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
		[OP_COPY_OUT] = true, [OP_MERGE] = true, [OP_CLONE_COPY] = true,
		[OP_ROLL_BEGIN] = true, [OP_ROLL_CHUNK] = true, [OP_ROLL_END] = true,
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
	case OP_SNAPSHOT:
	case OP_CLONE:
		return do_snapshot(p, op);
	case OP_COPY_OUT:
		return do_copy_out(p, v, op);
	case OP_CLONE_COPY:
		return do_clone_copy(p, v, op);
	case OP_MERGE:
		return do_merge(p, v, op);
	case OP_ROLL_BEGIN:
		return pmv_rollback_begin(&p->c, op->slot, &v->d, op->number);
	case OP_ROLL_CHUNK:
		return do_roll_chunk(p, v, op);
	case OP_ROLL_END:
		return pmv_rollback_end(&p->c, op->slot, &v->d);
	case OP_KINDS:
		break;
	}
	return -EINVAL;
}
