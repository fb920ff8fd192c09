// SPDX-License-Identifier: GPL-2.0
/* Snapshots: who shows what, whatever was done before, and what a reload takes for true. */
#include "test.h"

/* ---- the rules alone, against copies of everything ---- */

#define KINS 14
#define SIZE 5

/* A volume, clone or snapshot. A "chunk" is a place in data[], so that one can be handed over. */
struct one {
	struct pmv_kin kin;
	bool used, snapshot;
	unsigned int clones;
	struct pmv_word word[SIZE];
	u32 shows[SIZE];
};

struct family {
	struct one one[KINS];
	u32 data[1 << 20];
	u32 nr_data;
	u64 gen;
};

static struct one *one_of(struct pmv_kin *k)
{
	return (struct one *)((char *)k - offsetof(struct one, kin));
}

static int one_word(void *ctx, struct pmv_kin *k, u64 index, struct pmv_word *w)
{
	CHECK(ctx && index < SIZE && one_of(k)->used);
	*w = one_of(k)->word[index];
	return w->value ? 0 : -ENOENT;
}

static u32 new_chunk(struct family *f, u32 data)
{
	CHECK(f->nr_data + 1 < ARRAY_SIZE(f->data));
	f->data[++f->nr_data] = data;
	return f->nr_data;
}

static u32 shown(struct family *f, struct one *o, u64 index)
{
	struct pmv_kin *owner;
	struct pmv_word w;
	int ret = pmv_kin_find(&o->kin, index, one_word, f, &owner, &w);

	CHECK(!ret || ret == -ENOENT);
	return ret ? 0 : f->data[w.value];
}

static struct pmv_kin *heir(struct family *f, struct one *o, u64 index)
{
	struct pmv_kin *h, *owner = NULL;
	struct pmv_word w;

	CHECK_EQ(pmv_kin_heir(&o->kin, index, o->word[index].tag, one_word, f, &h), 0);
	/* Nothing is copied or kept that nobody shows. */
	if (h)
		CHECK(!h->leaving && !pmv_kin_find(h, index, one_word, f, &owner, &w) &&
		      owner == &o->kin);
	return h;
}

static struct one *unused(struct family *f)
{
	struct one *o;

	for (o = f->one; o < &f->one[KINS]; o++) {
		if (o->used)
			continue;
		memset(o, 0, sizeof(*o));
		o->used = true;
		o->kin.chunks = SIZE;
		return o;
	}
	return NULL;
}

static void write_one(struct family *f, struct one *o, u64 index, u32 data)
{
	struct pmv_kin *h;

	if (o->word[index].value) {
		h = heir(f, o, index);
		if (h) {
			CHECK(!one_of(h)->word[index].value);
			one_of(h)->word[index].tag = o->word[index].tag;
			one_of(h)->word[index].value = new_chunk(f, shown(f, o, index));
		}
		/* Everybody who needs it has it now. */
		CHECK(!heir(f, o, index));
	} else {
		o->word[index].tag = f->gen;
		o->word[index].value = new_chunk(f, shown(f, o, index));
	}
	f->data[o->word[index].value] = data;
	o->shows[index] = data;
}

static void merge(struct family *f, struct one *o)
{
	struct pmv_kin *h;
	unsigned int i;

	for (i = 0; i < SIZE && !o->word[i].value; i++)
		;
	if (i < SIZE) {
		h = heir(f, o, i);
		if (h)
			one_of(h)->word[i] = o->word[i];
		else
			f->data[o->word[i].value] = ~0U;
		o->word[i] = (struct pmv_word){ 0 };
		return;
	}
	pmv_kin_remove(&o->kin);
	o->used = false;
}

static void derive(struct family *f, struct one *from, bool snapshot)
{
	struct one *o = unused(f);

	if (!o)
		return;
	memcpy(o->shows, from->shows, sizeof(o->shows));
	o->snapshot = snapshot;
	if (snapshot) {
		o->kin.gen = f->gen++;
		pmv_kin_insert(&from->kin, &o->kin);
		return;
	}
	o->kin.gen = ~0ULL;
	o->kin.parent = &from->kin;
	from->clones++;
}

static void end_clone(struct one *o)
{
	if (!o->kin.parent || o->kin.older)
		return;
	one_of(o->kin.parent)->clones--;
	o->used = false;
}

static void step(struct family *f, u64 *seed, u32 data)
{
	struct one *o = &f->one[rnd(seed) % KINS];
	u64 index = rnd(seed) % SIZE;

	if (!o->used)
		return;
	if (o->kin.leaving) {
		merge(f, o);
		return;
	}
	switch (rnd(seed) % 8) {
	case 0: derive(f, o, !o->snapshot); break;
	case 1:
		if (o->snapshot && !o->clones)
			o->kin.leaving = true;
		else
			end_clone(o);
		break;
	case 2:
		if (o->snapshot || !o->word[index].value || heir(f, o, index) ||
		    (o->kin.parent && shown(f, one_of(o->kin.parent), index)))
			break;
		o->word[index] = (struct pmv_word){ 0 };
		o->shows[index] = 0;
		break;
	default:
		if (!o->snapshot)
			write_one(f, o, index, data);
	}
}

void snapshot_rules(void)
{
	static struct family f;
	u64 seed = 7, clones = 0, depth = 0, most = 0;
	unsigned int n, i;
	struct pmv_kin *k;
	struct one *o;

	f.gen = 1;
	o = unused(&f);
	o->kin.gen = ~0ULL;
	for (n = 1; n < 300000; n++) {
		step(&f, &seed, n);
		for (o = f.one; o < &f.one[KINS]; o++) {
			if (!o->used || o->kin.leaving)
				continue;
			clones += o->kin.parent != NULL;
			for (depth = 0, k = o->kin.older; k; k = k->older)
				depth++;
			most = max(most, depth);
			for (i = 0; i < SIZE; i++)
				CHECK_EQ(shown(&f, o, i), o->shows[i]);
		}
	}
	CHECK(clones > 1000 && most >= 5);
}

/* ---- on a medium ---- */

static int create(struct fixture *f, u32 slot, const char *letter, u64 chunks, bool thick)
{
	struct pmv_volume_params p;
	struct pmv_desc d;
	struct pmv_map m;

	pool_params(&p, letter, chunks, thick);
	return pmv_volume_create(&f->p.c, slot, &p, &d, &m);
}

static int snapshot(struct fixture *f, u32 slot, const char *letter, u32 of)
{
	struct pool_vol *v = pool_slot(&f->p, of);
	u64 pages = f->p.c.free_pages;
	struct pmv_volume_params p;
	struct pmv_desc d;
	struct pmv_map m;
	int ret;

	pool_params(&p, letter, 0, false);
	ret = pmv_snapshot_create(&f->p.c, slot, &p, &v->d, &v->m, &d, &m);
	p.chunks = v->m.chunks;
	p.flags = le32_to_cpu(v->d.flags) & PMV_DESC_THICK;
	if (!ret)
		CHECK(pages - f->p.c.free_pages <= pmv_volume_pages(&p));
	return ret;
}

static int clone(struct fixture *f, u32 slot, const char *letter, u32 of)
{
	struct pmv_volume_params p;
	struct pmv_desc d;
	struct pmv_map m;

	pool_params(&p, letter, pool_slot(&f->p, of)->m.chunks, false);
	p.flags = PMV_DESC_CLONE;
	p.origin = of;
	return pmv_volume_create(&f->p.c, slot, &p, &d, &m);
}

static u32 put_chunk(struct fixture *f, u32 slot, u64 index, u32 chunk, u32 birth)
{
	struct pool_vol *v = pool_slot(&f->p, slot);
	u32 page = 0;

	CHECK_EQ(pmv_map_make_leaf(&f->p.c, &v->m, index >> PMV_LEAF_SHIFT, &page), 0);
	pmv_map_set(&f->p.c, &v->m, page, index, (struct pmv_word){ chunk, birth });
	return page;
}

static void reload(struct fixture *f)
{
	CHECK_EQ(fixture_reload(f), 0);
	CHECK_EQ(f->p.res.repaired, 0);
}

/* A volume of 600 chunks in slot 0, snapshots in 1 and 2, a clone of 1 in 3. */
static void populate(struct fixture *f)
{
	fixture_init(f, 2, 14);
	CHECK_EQ(create(f, 0, "a", 600, false), 0);
	CHECK_EQ(create(f, 5, "x", 4, false), 0);
	reload(f);
	CHECK_EQ(le64_to_cpu(f->p.c.sb.incompat), 0);
	put_chunk(f, 0, 0, 2, 1);
	put_chunk(f, 0, 599, 3, 1);
	/* Names of snapshots are names among those of their volume. */
	CHECK_EQ(snapshot(f, 1, "a", 0), 0);
	reload(f);
	put_chunk(f, 1, 0, 4, 1);
	put_chunk(f, 0, 7, 5, 2);
	CHECK_EQ(snapshot(f, 2, "b", 0), 0);
	CHECK_EQ(snapshot(f, 6, "a", 5), 0);
	CHECK_EQ(clone(f, 3, "c", 1), 0);
	reload(f);
	CHECK_EQ(le64_to_cpu(f->p.c.sb.incompat), PMV_INCOMPAT_SNAPSHOTS);
	CHECK_EQ(le64_to_cpu(f->p.c.sb.map_gen), 4);
	CHECK_EQ(f->p.nr_vols, 6);
	CHECK_EQ(le64_to_cpu(pool_slot(&f->p, 2)->d.birth_gen), 2);
}

void snapshot_life(void)
{
	static struct fixture f;
	struct pmv_kin *owner;
	struct pool_vol *v;
	struct pmv_word w;
	u32 from, to;

	populate(&f);
	pool_kin(&f.p);
	CHECK_EQ(pmv_kin_find(&pool_slot(&f.p, 3)->kin, 0, pool_kin_word, &f.p, &owner, &w), 0);
	CHECK(pool_vol_of(owner) == pool_slot(&f.p, 1) && w.value == 4);
	CHECK_EQ(pmv_kin_find(&pool_slot(&f.p, 3)->kin, 599, pool_kin_word, &f.p, &owner, &w), 0);
	CHECK(pool_vol_of(owner) == pool_slot(&f.p, 0) && w.value == 3);
	CHECK_EQ(pmv_kin_find(&pool_slot(&f.p, 3)->kin, 7, pool_kin_word, &f.p, &owner, &w),
		 -ENOENT);
	CHECK_EQ(pmv_kin_find(&pool_slot(&f.p, 2)->kin, 7, pool_kin_word, &f.p, &owner, &w), 0);

	/* Handed over half way: both name the chunk, and the deleted one is told to forget it. */
	from = put_chunk(&f, 2, 599, 6, 1);
	v = pool_slot(&f.p, 2);
	CHECK_EQ(pmv_volume_delete(&f.p.c, 2, &v->d), 0);
	reload(&f);
	put_chunk(&f, 1, 599, 6, 1);
	CHECK_EQ(fixture_reload(&f), 0);
	CHECK_EQ(f.p.res.repaired, 1);
	CHECK_EQ(f.p.res.damaged, 0);
	CHECK(!pool_chunk(&f.p, pool_slot(&f.p, 2), 599));
	CHECK(pool_chunk(&f.p, pool_slot(&f.p, 1), 599));
	reload(&f);
	/* The whole of it, back and forth. */
	put_chunk(&f, 2, 7, 7, 1);
	reload(&f);
	CHECK_EQ(pmv_map_make_leaf(&f.p.c, &pool_slot(&f.p, 1)->m, 0, &to), 0);
	CHECK_EQ(pmv_map_find_leaf(&f.p.c, &pool_slot(&f.p, 2)->m, 0, &from), 0);
	pmv_snapshot_hand_over(&f.p.c, &pool_slot(&f.p, 1)->m, to, from, 7,
			       (struct pmv_word){ 7, 1 });
	reload(&f);
	CHECK(!pool_chunk(&f.p, pool_slot(&f.p, 2), 7));
	CHECK_EQ(pool_chunk(&f.p, pool_slot(&f.p, 1), 7)->w.value, 7);
	v = pool_slot(&f.p, 2);
	CHECK_EQ(pmv_volume_erased(&f.p.c, &v->d, &v->m), 0);
	reload(&f);
	CHECK(!pool_slot(&f.p, 2));

	v = pool_slot(&f.p, 0);
	CHECK_EQ(pmv_rollback_begin(&f.p.c, 0, &v->d, 1), 0);
	reload(&f);
	v = pool_slot(&f.p, 0);
	CHECK_EQ(le32_to_cpu(v->d.flags), PMV_DESC_ROLLBACK);
	CHECK_EQ(le32_to_cpu(v->d.target), 1);
	CHECK_EQ(pmv_rollback_end(&f.p.c, 0, &v->d), 0);
	reload(&f);
	CHECK_EQ(le32_to_cpu(pool_slot(&f.p, 0)->d.flags), 0);
	fixture_exit(&f);
}

/* No page and no generation is used up by what is refused, and all leaves are there if promised. */
void snapshot_limits(void)
{
	static struct fixture f;
	static u32 taken[1100];
	unsigned int n;
	u64 gen;

	fixture_init(&f, 2, 14);
	CHECK_EQ(create(&f, 0, "t", 600, true), 0);
	reload(&f);
	CHECK_EQ(snapshot(&f, 1, "s", 0), 0);
	reload(&f);
	CHECK_EQ(le32_to_cpu(pool_slot(&f.p, 1)->d.flags), PMV_DESC_THICK);
	CHECK_EQ(f.p.nr_leaves, 4);
	for (n = 0; f.p.c.free_pages > 2; n++)
		CHECK_EQ(pmv_page_take(&f.p.c, &taken[n]), 0);
	CHECK_EQ(snapshot(&f, 2, "u", 0), -ENOSPC);
	CHECK_EQ(f.p.c.free_pages, 2);
	while (n)
		pmv_page_put(&f.p.c, taken[--n]);
	reload(&f);
	CHECK_EQ(f.p.nr_vols, 2);
	f.p.c.sb.map_gen = cpu_to_le64(PMV_WORD_TAG_MAX - 1);
	CHECK_EQ(snapshot(&f, 2, "u", 0), 0);
	gen = le64_to_cpu(f.p.c.sb.generation);
	CHECK_EQ(snapshot(&f, 3, "v", 0), -EOVERFLOW);
	CHECK_EQ(le64_to_cpu(f.p.c.sb.generation), gen);
	reload(&f);
	CHECK_EQ(f.p.nr_vols, 3);
	fixture_exit(&f);
}

/* Looks what the medium says whenever something is about to be stored. */
static struct fixture *watched;
static u64 seen_before, seen_after;

static void watched_write(void *ctx, unsigned int member, u64 off, const void *src, size_t len)
{
	struct pmv_sb sb, other;

	CHECK_EQ(pmv_sb_read(&ram_ops, ctx, 0, watched->p.c.device_size[0], &sb, &other, NULL), 0);
	CHECK(watched->p.c.map_gen <= le64_to_cpu(sb.map_gen));
	if (watched->p.c.map_gen == le64_to_cpu(sb.map_gen))
		seen_after++;
	seen_before += le64_to_cpu(watched->p.c.sb.map_gen) > watched->p.c.map_gen;
	ram_ops.write(ctx, member, off, src, len);
}

/* Other volumes' chunks are born in a generation that is persistent, also while it changes. */
void snapshot_generation(void)
{
	static struct fixture f;
	struct pmv_media_ops ops = ram_ops;

	fixture_init(&f, 2, 14);
	CHECK_EQ(f.p.c.map_gen, 1);
	CHECK_EQ(create(&f, 0, "a", 600, false), 0);
	reload(&f);
	ops.write = watched_write;
	watched = &f;
	f.p.c.ops = &ops;
	CHECK_EQ(snapshot(&f, 1, "s", 0), 0);
	f.p.c.ops = &ram_ops;
	CHECK_EQ(f.p.c.map_gen, 2);
	CHECK(seen_before && seen_after);
	reload(&f);
	CHECK_EQ(f.p.c.map_gen, 2);
	fixture_exit(&f);
}

/* Well-formed lies about who belongs to whom, each alone. */
void snapshot_lies(void)
{
	static struct fixture f;
	struct ram pristine;
	unsigned int lie, at = 0;
	struct pmv_desc d;
	int ret;

	populate(&f);
	ram_copy(&pristine, &f.r);
	for (lie = 0;; lie++) {
		ram_exit(&f.r);
		ram_copy(&f.r, &pristine);
		CHECK_EQ(fixture_reload(&f), 0);
		if (lie < 10) {
			at = lie < 6 ? 2 : lie < 9 ? 3 : 0;
			d = pool_slot(&f.p, at)->d;
		}
		switch (lie) {
		case 0: /* a snapshot of nothing, a snapshot, itself, a later volume */
		case 1:
		case 2: d.origin = cpu_to_le32(lie == 0 ? 4 : lie); break;
		case 3: d.origin = cpu_to_le32(3); break;
		case 4: /* of now, which is still going on */ d.birth_gen = cpu_to_le64(4); break;
		case 5: /* its name twice */ memcpy(d.name, "a", 1); break;
		case 6: /* a clone of nothing, a volume, a later snapshot */
			d.origin = cpu_to_le32(4);
			break;
		case 7: d.origin = 0; break;
		case 8: d.birth_gen = cpu_to_le64(1); break;
		case 9: /* a rollback to another volume's snapshot */
			d.flags = cpu_to_le32(PMV_DESC_ROLLBACK);
			d.target = cpu_to_le32(6);
			break;
		case 10: /* a chunk of a snapshot that is younger than it */
			put_chunk(&f, 1, 3, 8, 2);
			break;
		case 11: /* a chunk of both, and the newer one is not deleted */
			put_chunk(&f, 2, 0, 4, 1);
			break;
		case 12: /* it is, but they name it at different places */
			CHECK_EQ(pmv_volume_delete(&f.p.c, 2, &pool_slot(&f.p, 2)->d), 0);
			put_chunk(&f, 2, 1, 4, 1);
			break;
		case 13: /* or do not agree on its birth */
			put_chunk(&f, 1, 1, 8, 1);
			CHECK_EQ(pmv_volume_delete(&f.p.c, 2, &pool_slot(&f.p, 2)->d), 0);
			put_chunk(&f, 2, 1, 8, 2);
			break;
		case 14: /* or the deleted one is the older */
			d = pool_slot(&f.p, 3)->d;
			CHECK_EQ(pmv_volume_delete(&f.p.c, 3, &d), 0);
			CHECK_EQ(pmv_volume_delete(&f.p.c, 1, &pool_slot(&f.p, 1)->d), 0);
			put_chunk(&f, 2, 0, 4, 1);
			break;
		default:
			ram_exit(&pristine);
			fixture_exit(&f);
			return;
		}
		if (lie < 10)
			CHECK_EQ(pmv_desc_write(&f.p.c, at, &d), 0);
		ret = fixture_reload(&f);
		if (ret != -EUCLEAN)
			ktap_fail("lie %u: %d", lie, ret);
		CHECK(f.p.res.why);
	}
}
