// SPDX-License-Identifier: GPL-2.0
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include "check.h"
#include "site.h"

/* One runs, one recovers from its end, one from the end of that, one looks at results. */
enum { LIVE, FIRST, SECOND, LOOK, LEVELS };

static struct level {
	struct medium m;
	struct pool p;
} levels[LEVELS];

static struct {
	const struct op *op;
	const struct model *before, *after;
	u64 before_hash, after_hash;
	bool done;			/* the operation has returned */
} expect;

struct figures figures[OP_KINDS];
struct thoroughness thorough;
const char *violation;

static struct model live;

/* Operations done since the image was opened, to tell what led to a failure. */
static struct op history[8];
static unsigned int history_len;

static void __attribute__((format(printf, 1, 2))) violated(const char *fmt, ...)
{
	static char text[200];
	unsigned int i;
	va_list ap;

	if (violation)
		return;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	violation = text;
	if (thorough.quiet)
		return;
	printf("# %s\n#   after", text);
	for (i = 0; i < history_len; i++)
		op_print(&history[i]);
	printf("\n#   %s", expect.done ? "at the end of" : "in");
	if (expect.op)
		op_print(expect.op);
	putchar('\n');
	if (expect.before)
		model_print("before", expect.before);
	if (expect.after)
		model_print("after", expect.after);
}

/* ---- images seen ---- */

#define SEEN_MAX (1U << 22)

static u64 seen[SEEN_MAX];
static unsigned int nr_seen;

void check_reset(void)
{
	memset(seen, 0, sizeof(seen));
	nr_seen = 0;
	violation = NULL;
}

static bool seen_before(u64 key)
{
	unsigned int at = key % SEEN_MAX;

	key |= 1;
	while (seen[at] && seen[at] != key)
		at = (at + 1) % SEEN_MAX;
	if (seen[at])
		return true;
	/* Full: everything is new from here on, which costs time only. */
	if (nr_seen < SEEN_MAX / 4 * 3) {
		seen[at] = key;
		nr_seen++;
	}
	return false;
}

/* ---- judging ---- */

void must_be_fenced(struct pool *p, const char *step)
{
	struct medium *m = p->c.ctx;

	if (m->nr_lines)
		violated("%s returned with %u lines not persistent", step, m->nr_lines);
}

static u64 chunk_token(const struct pool *p, u32 chunk)
{
	unsigned int m;
	u64 off;

	m = pmv_chunk_where(&p->c, chunk, &off);
	return image_token(m, off);
}

/* A thick volume never lacks a leaf, or a write to it could fail. */
static void judge_leaves(const struct pool *p)
{
	unsigned int i, j;
	u64 leaves;

	for (i = 0; i < p->nr_vols; i++) {
		leaves = 0;
		for (j = 0; j < p->nr_leaves; j++)
			leaves += p->leaf[j].vol == i;
		if (le32_to_cpu(p->vol[i].d.flags) & PMV_DESC_THICK &&
		    leaves != pmv_map_leaves(p->vol[i].m.chunks))
			violated("a thick volume has %llu leaves", (unsigned long long)leaves);
	}
}

/* What one finds at @index is what it was before the operation or is after it. */
static void judge_shown(struct pool *p, struct pool_vol *v, u64 index, bool old, bool new)
{
	const struct model_vol *before = model_vol(expect.before, v->m.slot);
	const struct model_vol *after = model_vol(expect.after, v->m.slot);
	struct pmv_kin *owner;
	struct pmv_word w;
	u64 data = 0;
	int ret;

	ret = pmv_kin_find(&v->kin, index, pool_kin_word, p, &owner, &w);
	if (!ret)
		data = chunk_token(p, w.value);
	else if (ret != -ENOENT)
		violated("looking for what slot %u shows fails: %d", v->m.slot, ret);
	if (!(old && before && data == model_shows(before, index)) &&
	    !(new && after && data == model_shows(after, index)))
		violated("slot %u shows %llx at %llu", v->m.slot, (unsigned long long)data,
			 (unsigned long long)index);
}

/* What the user can read: what he wrote, and zeros elsewhere; of a snapshot what was there then. */
static void judge_data(struct pool *p, const struct model *m)
{
	u64 h = model_hash(m);
	bool new = h == expect.after_hash, old = h == expect.before_hash && !(new && expect.done);
	unsigned int i, j, used = 2 * m->segments;
	struct pool_vol *v;

	pool_kin(p);
	for (i = 0; i < MODEL_VOLS; i++)
		for (j = 0; m->vol[i].used && j < MODEL_ENTRIES; j++)
			used += m->vol[i].entry[j].chunk != 0;
	for (v = p->vol; (old || new) && v < &p->vol[p->nr_vols]; v++) {
		const struct model_vol *is = model_vol(new ? expect.after : expect.before,
						       v->m.slot);

		if (v->d.state != PMV_DESC_ACTIVE)
			continue;
		for (i = 0; i < p->nr_entries; i++)
			if (p->entry[i].index < v->m.chunks)
				judge_shown(p, v, p->entry[i].index, old, new);
		for (i = 0; i < MODEL_SHOWN; i++)
			judge_shown(p, v, is->shown[i].index, old, new);
	}
	if (p->a.nr_free + used != p->a.nr)
		violated("%u chunks used and %llu free are not %llu", used,
			 (unsigned long long)p->a.nr_free, (unsigned long long)p->a.nr);
	if (expect.op->kind == OP_ERASE_CHUNK && model_hash(m) == expect.after_hash &&
	    chunk_token(p, expect.op->chunk[0]))
		violated("an erased chunk is not zero");
}

/* Both superblocks of every member are the same. */
static void judge_superblocks(unsigned int members)
{
	unsigned int dev, off;

	for (dev = 0; dev < members; dev++)
		for (off = 0; off < sizeof(struct pmv_sb); off += 8)
			if (image_get(dev, off) != image_get(dev, PMV_COPY_STRIDE + off)) {
				violated("the superblocks of member %u differ", dev);
				return;
			}
}

/* Another look at a result: state, nothing to repair, and the same pages in use as in memory. */
static void look(struct pool *p, const struct model *want)
{
	struct level *l = &levels[LOOK];
	struct model found;
	int ret;

	medium_init(&l->m, NULL);
	ret = pool_open(&l->p, &medium_ops, &l->m, device_sizes, IMAGE_DEVS, false);
	if (!want->exists) {
		if (ret != -ENODATA)
			violated("a destroyed pool is still there (%d)", ret);
		return;
	}
	if (ret || !model_of_pool(&found, &l->p) || !model_equal(&found, want))
		violated("the result is not what it should be (%d)", ret);
	else if (l->p.res.repaired)
		violated("the two copies differ in %llu places",
			 (unsigned long long)l->p.res.repaired);
	else if (pool_pages_used(&l->p) != pool_pages_used(p) ||
		 p->c.free_pages != l->p.c.free_pages)
		violated("%llu pages in use, the medium says %llu",
			 (unsigned long long)pool_pages_used(p),
			 (unsigned long long)pool_pages_used(&l->p));
	judge_superblocks(want->members);
}

/* Formatting touches so much that repeating it after every image would take most of the time. */
#define FORMAT_REPEAT_EVERY 32

static void repeat(struct level *l)
{
	int ret;

	l->m.at_fence = NULL;
	l->p.c.ops = &medium_ops;
	l->p.c.ctx = &l->m;
	ret = op_run(&l->p, expect.op);
	if (ret)
		violated("repeating it fails: %d", ret);
	else
		look(&l->p, expect.after);
}

static bool judge(void *arg);

static void cut_recovery(struct medium *m)
{
	if (!violation)
		medium_cut(m, &thorough.second, judge, &levels[SECOND]);
}

/* The image is what a power cut left: recover from it. */
static bool judge(void *arg)
{
	struct level *l = arg;
	struct figures *f = &figures[expect.op->kind];
	bool first = l == &levels[FIRST];
	struct model found = { 0 };
	u64 image = image_hash(), key, h;
	int ret;

	key = image ^ expect.before_hash * 3 ^ expect.after_hash * 5;
	key = (key ^ expect.op->kind * 4ULL ^ expect.done * 2ULL ^ first) * 0x9e3779b97f4a7c15ULL;
	f->images++;
	if (seen_before(key ^ key >> 31))
		return true;
	if (first)
		f->distinct++;
	else
		f->second++;

	medium_init(&l->m, first && image % thorough.second_every == 0 ? cut_recovery : NULL);
	ret = pool_open(&l->p, &medium_ops, &l->m, device_sizes, IMAGE_DEVS, true);
	if (ret && l->p.c.ops) {
		violated("loading fails: %d, %s", ret, l->p.res.why ? l->p.res.why : "");
		return false;
	}
	if (!ret) {
		must_be_fenced(&l->p, "pmv_load");
		pmv_sb_commit(&l->p.c);
		must_be_fenced(&l->p, "pmv_sb_commit");
		if (!model_of_pool(&found, &l->p))
			violated("a volume is not one that was made");
		judge_data(&l->p, &found);
		judge_leaves(&l->p);
	}
	h = model_hash(&found);
	/* Formatting ends what was there before the new pool begins. */
	if (h != expect.after_hash &&
	    (expect.done || (h != expect.before_hash &&
			     (found.exists || expect.op->kind != OP_FORMAT)))) {
		violated("neither before nor after (%d %s)", ret, l->p.why ? l->p.why : "");
		if (!thorough.quiet)
			model_print("found", &found);
	}
	if (!violation && first && h != expect.after_hash &&
	    (expect.op->kind != OP_FORMAT || image % FORMAT_REPEAT_EVERY == 0))
		repeat(l);
	return !violation;
}

/* ---- running ---- */

static void cut_live(struct medium *m)
{
	figures[expect.op->kind].fences++;
	if (!violation)
		medium_cut(m, &thorough.first, judge, &levels[FIRST]);
}

const struct model *live_model(void)
{
	return &live;
}

struct pool *live_pool(void)
{
	return &levels[LIVE].p;
}

bool live_open(const struct model *m, bool clean)
{
	struct level *l = &levels[LIVE];
	struct model found;

	live = *m;
	history_len = 0;
	memset(&expect, 0, sizeof(expect));
	medium_init(&l->m, NULL);
	l->p.c.ops = &medium_ops;
	l->p.c.ctx = &l->m;
	if (!m->exists || !clean)
		return true;
	if (pool_open(&l->p, &medium_ops, &l->m, device_sizes, IMAGE_DEVS, true) ||
	    !model_of_pool(&found, &l->p) || !model_equal(&found, m)) {
		violated("the start cannot be opened");
		return false;
	}
	return true;
}

/* The user writes to what he got. */
static void write_data(const struct op *op)
{
	struct pool *p = &levels[LIVE].p;
	u64 data, off;
	unsigned int m;

	if (!model_write(&live, op, &data))
		return;
	m = pmv_chunk_where(&p->c, pool_chunk(p, pool_slot(p, op->slot), op->number)->w.value, &off);
	image_set_token(m, off, data);
}

bool live_run(const struct op *op)
{
	int ret = op_run(&levels[LIVE].p, op);

	if (history_len < ARRAY_SIZE(history))
		history[history_len++] = *op;
	if (ret) {
		violated("%s fails: %d", op_names[op->kind], ret);
		return false;
	}
	model_apply(&live, op);
	write_data(op);
	return true;
}

/* Of what stood on a new member before nothing may be left to be recognised. */
static void judge_wiped(const struct op *op, const struct model *before)
{
	unsigned int dev = op->kind == OP_FORMAT ? 0 : before->members;
	u64 off;

	if (op->kind != OP_FORMAT && op->kind != OP_EXTEND)
		return;
	for (; dev < live.members; dev++) {
		for (off = PMV_PAGE_SIZE; off < PMV_COPY_STRIDE; off += 8)
			if ((dev || off != PMV_SEGTAB_OFF) && image_get(dev, off))
				violated("the header is not wiped");
		for (off = IMAGE_SIZE - PMV_TAIL_WIPE; off < IMAGE_SIZE; off += 8)
			if (image_get(dev, off))
				violated("the end is not wiped");
	}
}

/* Metadata pages that something else has, as it seems. */
static u32 taken[MODEL_SEGMENTS << PMV_LEAF_SHIFT];
static unsigned int nr_taken;

static void leave_pages(struct pmv_core *c, u64 left)
{
	u32 page = 0;

	for (; c->free_pages > left && page < c->nr_segments * pmv_pages_per_segment(c); page++)
		if (!pmv_page_claim(c, page))
			taken[nr_taken++] = page;
}

static void give_pages_back(struct pmv_core *c)
{
	while (nr_taken)
		pmv_page_put(c, taken[--nr_taken]);
}

/* Run it with so few pages. Of segments, which need none, the table is full then. */
static int run_short_of(struct pool *p, const struct op *op, u64 pages)
{
	unsigned int segments = p->c.nr_segments;
	bool table_full = op->kind == OP_SEGMENT_ADD && !pages;
	int ret;

	leave_pages(&p->c, pages);
	if (table_full)
		p->c.nr_segments = PMV_SEGMENTS_MAX;
	ret = op_run(p, op);
	if (table_full)
		p->c.nr_segments = segments;
	give_pages_back(&p->c);
	return ret;
}

bool live_is_refused(const struct op *op, u64 pages)
{
	return run_short_of(&levels[LIVE].p, op, pages) == -ENOSPC;
}

bool live_run_with_cuts(const struct op *op, u64 pages)
{
	struct level *l = &levels[LIVE];
	struct model before = live, after = live, found;
	int ret;

	model_apply(&after, op);
	expect.op = op;
	expect.before = &before;
	expect.after = &after;
	expect.before_hash = model_hash(&before);
	expect.after_hash = model_hash(&after);
	expect.done = false;
	figures[op->kind].runs++;

	l->m.at_fence = cut_live;
	ret = pages == ALL_PAGES ? op_run(&l->p, op) : run_short_of(&l->p, op, pages);
	l->m.at_fence = NULL;
	if (ret == -ENOSPC && pages != ALL_PAGES) {
		/* Nothing has happened, and no page is lost. */
		after = before;
		expect.after_hash = expect.before_hash;
	} else if (ret) {
		violated("it fails: %d", ret);
	}
	live = after;
	expect.done = true;
	if (!violation)
		medium_cut(&l->m, &thorough.first, judge, &levels[FIRST]);
	if (!violation && live.exists &&
	    (!model_of_pool(&found, &l->p) || !model_equal(&found, &after)))
		violated("memory does not agree with what was done");
	if (!violation)
		must_be_fenced(&l->p, op_names[op->kind]);
	if (!violation)
		look(&l->p, &after);
	if (!violation)
		judge_wiped(op, &before);
	expect.op = NULL;
	expect.before = expect.after = NULL;
	return !violation;
}
