// SPDX-License-Identifier: GPL-2.0
/* Reading a pool's metadata into memory on activation. */
#include <linux/bitmap.h>
#include <linux/mm.h>
#include <linux/netlink.h>
#include <linux/slab.h>

#include "core/load.h"
#include "ctl.h"
#include "data.h"
#include "data_map.h"
#include "meta.h"

static int load_claim_chunk(void *ctx, u64 chunk)
{
	struct pmv_pool *pool = ctx;

	return pmv_alloc_claim(&pool->alloc, chunk);
}

static unsigned long *load_segment_map(void *ctx, unsigned int bits)
{
	return pmv_meta_segment_map(bits);
}

/* Is there one already of which nobody could tell this one by its name? */
static bool find_like(struct pmv_pool *pool, const struct pmv_desc *d, const char *name)
{
	if (d->kind == PMV_DESC_SNAPSHOT)
		return pmv_snapshot_find(pool, le32_to_cpu(d->origin), name);
	return pmv_volume_find(pool, name);
}

static int load_volume(void *ctx, const struct pmv_desc *d, const struct pmv_map *m, void **cookie)
{
	struct pmv_pool *pool = ctx;
	struct pmv_volume *v;
	int ret;

	v = pmv_volume_alloc(pool, m->chunks, m->chunks);
	if (!v)
		return -ENOMEM;
	v->desc = *d;
	v->map = *m;
	memcpy(v->name, d->name, d->name_len);
	if (d->state == PMV_DESC_ACTIVE && find_like(pool, d, v->name)) {
		pmv_volume_free(v);
		return -EUCLEAN;
	}
	ret = xa_insert(&pool->volumes, m->slot, v, GFP_KERNEL);
	if (ret) {
		pmv_volume_free(v);
		return ret;
	}
	if (d->state == PMV_DESC_ACTIVE)
		pmv_volume_hash(v);
	*cookie = v;
	return 0;
}

static int load_leaf(void *ctx, void *cookie, u64 leaf, u32 page)
{
	return pmv_map_load_leaf(cookie, leaf, page);
}

static int load_chunk(void *ctx, void *cookie, u64 index, struct pmv_word w)
{
	pmv_map_load_chunk(cookie, index, w.value);
	return 0;
}

/* A medium full of damage must not fill the log: the check tells all. */
#define LOG_LINES 16

void pmv_load_report(struct pmv_pool *pool, const struct pmv_finding *f)
{
	const struct pmv_desc *d = f->desc;
	char what[PMV_NAME_MAX + 160];

	if (pmv_severity(f) == PMV_SEVERITY_NOTE)
		return;
	pool->mended += f->repaired;
	if (pool->told++ > LOG_LINES)
		return;
	if (pool->told > LOG_LINES) {
		pr_notice("pmemvol: %s: there is more; a check tells all\n", pool->name);
		return;
	}
	snprintf(what, sizeof(what), "%s of %.*s%smember %d at %llu: %s", pmv_part_name(f->part),
		 d ? d->name_len : 0, d ? (const char *)d->name : "", d ? ", " : "",
		 (int)f->member, f->off, f->why);
	if (f->repaired)
		pr_notice("pmemvol: %s: %s; repaired from the other\n", pool->name, what);
	else
		pr_err("pmemvol: %s: %s\n", pool->name, what);
}

static void load_finding(void *ctx, const struct pmv_finding *f)
{
	pmv_load_report(ctx, f);
}

static void load_lost(void *ctx, void *cookie)
{
	struct pmv_volume *v = cookie;

	v->damaged = true;
}

/* A chunk with two owners. Who had it already is looked for when all are known. */
static void load_contested(void *ctx, u64 chunk)
{
	struct pmv_pool *pool = ctx;

	__set_bit(chunk, pool->contested);
}

static bool has_contested(const struct pmv_pool *pool, const struct pmv_leaf *l)
{
	unsigned int i;

	for (i = 0; i < PMV_WORDS_PER_PAGE; i++)
		if (l->entry[i] && test_bit(pmv_map_chunk(pool, l->entry[i]), pool->contested))
			return true;
	return false;
}

/* Nobody knows whose a contested chunk is, so neither owner may read it. */
static void settle_contested(struct pmv_pool *pool)
{
	struct pmv_volume *v;
	unsigned long slot;
	u64 at;

	if (bitmap_empty(pool->contested, pool->core.chunks))
		return;
	xa_for_each(&pool->volumes, slot, v) {
		const struct pmv_top *top = pmv_top_of(v);

		for (at = 0; at < top->nr && !v->damaged; at++) {
			const struct pmv_leaf *l = rcu_dereference_protected(top->leaf[at], 1);

			v->damaged = l && has_contested(pool, l);
		}
		cond_resched();
	}
}

static const struct pmv_load_ops load_ops = {
	.claim_chunk = load_claim_chunk,
	.volume = load_volume,
	.leaf = load_leaf,
	.chunk = load_chunk,
	.segment_map = load_segment_map,
	.finding = load_finding,
	.lost = load_lost,
	.contested = load_contested,
};

static u64 gen_of(const struct pmv_volume *v)
{
	return le64_to_cpu(v->desc.birth_gen);
}

/*
 * What a descriptor names, if it is one in use of that kind. The loader has said so when it is not;
 * of a deleted snapshot the volume may be gone, and its slot another's, born later.
 */
static struct pmv_volume *named(struct pmv_pool *pool, __le32 slot, bool snapshot)
{
	struct pmv_volume *v = xa_load(&pool->volumes, le32_to_cpu(slot));

	if (!v || v->desc.state != PMV_DESC_ACTIVE || pmv_volume_is_snapshot(v) != snapshot)
		return NULL;
	return v;
}

static void link_volume(struct pmv_pool *pool, struct pmv_volume *v)
{
	u32 flags = le32_to_cpu(v->desc.flags);
	struct pmv_volume *s;

	if (v->desc.state != PMV_DESC_ACTIVE)
		return;
	if (flags & PMV_DESC_CLONE) {
		s = named(pool, v->desc.origin, true);
		if (s && gen_of(s) < gen_of(v)) {
			v->kin.parent = &s->kin;
			s->clones++;
		} else {
			v->damaged = true;
		}
	}
	if (flags & PMV_DESC_ROLLBACK) {
		s = named(pool, v->desc.target, true);
		if (s && s->origin == v)
			v->rolling = s;
		else
			v->damaged = true;
	}
}

/* All are there: who belongs to whom? */
static void link_kin(struct pmv_pool *pool)
{
	struct pmv_volume *v, *of;
	unsigned long slot;

	xa_for_each(&pool->volumes, slot, v) {
		if (!pmv_volume_is_snapshot(v))
			continue;
		v->kin.gen = gen_of(v);
		v->kin.leaving = v->desc.state == PMV_DESC_ERASING;
		of = named(pool, v->desc.origin, false);
		if (!of || gen_of(of) > gen_of(v)) {
			v->damaged |= !v->kin.leaving;
			continue;
		}
		pmv_kin_insert(&of->kin, &v->kin);
		v->origin = of;
		of->snapshots += !v->kin.leaving;
		/* No entry has been looked at. */
		of->epoch = PMV_ENTRY_EPOCH_ONE;
	}
	xa_for_each(&pool->volumes, slot, v)
		if (!pmv_volume_is_snapshot(v))
			link_volume(pool, v);
}

/* Count what was found: promises, and what deleted volumes still hold. */
static int settle(struct pmv_pool *pool)
{
	struct pmv_volume *v;
	unsigned long slot;
	int ret;

	xa_for_each(&pool->volumes, slot, v) {
		u64 missing = v->map.chunks - v->provisioned;

		pool->used_data += v->provisioned;
		if (v->damaged) {
			mutex_lock(&v->map_lock);
			pmv_top_retire(v);
			mutex_unlock(&v->map_lock);
		}
		if (v->desc.state == PMV_DESC_ERASING) {
			/* Its promise is taken back with what it holds. */
			if (pmv_volume_thick(v))
				pool->alloc.owed += missing;
			xa_store(&pool->volumes, slot, xa_mk_value(0), GFP_KERNEL);
			if (pmv_volume_is_snapshot(v))
				pmv_merge_snapshot(v);
			else
				pmv_stock_erase_volume(v);
			continue;
		}
		pool->nr_volumes += !pmv_volume_is_snapshot(v);
		pool->nr_snapshots += pmv_volume_is_snapshot(v);
		pool->pages_max += pmv_map_pages_max(v->map.chunks);
		if (!pmv_volume_thick(v)) {
			if (!pmv_volume_is_snapshot(v))
				pool->promised_thin += v->map.chunks;
			continue;
		}
		pool->promised_thick += v->map.chunks;
		pool->alloc.owed += missing;
		if (v->damaged)
			continue;
		ret = pmv_map_fill_leaves(v);
		if (ret)
			return ret;
	}
	return 0;
}

int pmv_pool_load(struct pmv_pool *pool, struct netlink_ext_ack *extack)
{
	bool may_write = !(le64_to_cpu(pool->core.sb.ro) & ~PMV_RO_KNOWN);
	struct pmv_load_result res;
	int ret;

	pool->contested = kvcalloc(BITS_TO_LONGS(pool->core.chunks), sizeof(long), GFP_KERNEL);
	if (!pool->contested)
		return -ENOMEM;
	/* Nobody else knows the pool yet; the locks are for the assertions. */
	mutex_lock(&pool->ctl_lock);
	mutex_lock(&pool->meta_lock);
	ret = pmv_load(&pool->core, &load_ops, pool, may_write, &res);
	mutex_unlock(&pool->meta_lock);
	if (res.repaired && may_write)
		pr_info("pmemvol: %s: the copies of %llu metadata pages or descriptors were brought into agreement\n",
			pool->name, res.repaired);
	if (ret == -EUCLEAN)
		NL_SET_ERR_MSG(extack, "the pool's metadata is damaged; the kernel log says where");
	if (ret)
		goto out;
	/* Nobody knows which chunks the lost parts name: nothing may be taken or given back. */
	if (res.lost || !may_write)
		pmv_pool_set_mode(pool, PMEMVOL_MODE_READ_ONLY);
	settle_contested(pool);
	link_kin(pool);
	ret = settle(pool);
out:
	mutex_unlock(&pool->ctl_lock);
	kvfree(pool->contested);
	pool->contested = NULL;
	return ret;
}
