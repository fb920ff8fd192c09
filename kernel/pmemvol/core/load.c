// SPDX-License-Identifier: GPL-2.0
/*
 * Reading a pool back: every page and word is verified, every chunk and page has
 * one owner, and two copies that differ are brought into agreement. This is the one
 * place that knows who may own what: activation and check walk the pool with it.
 */
#include "load_parts.h"

int pmv_load_tell(struct load *l, struct pmv_finding *f, u32 page)
{
	struct pmv_load_result *res = l->res;

	f->slot = l->slot;
	f->desc = l->desc;
	if (l->ops->finding)
		l->ops->finding(l->ctx, f);
	if (f->repairable)
		return 0;
	if (pmv_severity(f) < PMV_SEVERITY_LOSS)
		return 0;
	if (!res->lost++) {
		res->bad_page = page;
		res->why = f->why;
	}
	l->hurt = true;
	return l->ops->lost ? 0 : -EUCLEAN;
}

static void stands_at(const struct load *l, struct pmv_finding *f, u32 page, unsigned int copy,
		      unsigned int off)
{
	f->member = pmv_page_where(l->c, page, copy, &f->off);
	f->off += off;
}

/* A loss in a metadata page that can be read: its word @at names @value. */
static int bad_word(struct load *l, enum pmv_part part, enum pmv_problem problem, u32 page,
		    unsigned int at, u64 index, u64 value, const char *why)
{
	struct pmv_finding f;

	pmv_finding_init(&f, part, problem);
	stands_at(l, &f, page, 0, 8 * at);
	f.index = index;
	f.value = value;
	f.why = why;
	return pmv_load_tell(l, &f, page);
}

/* ---- owners ---- */

static int claim_chunk(struct load *l, u64 chunk)
{
	int ret;

	if (chunk >= l->c->chunks)
		return -ERANGE;
	ret = l->ops->claim_chunk(l->ctx, chunk);
	if (!ret)
		l->claimed++;
	else if (ret == -EUCLEAN && l->ops->contested)
		l->ops->contested(l->ctx, chunk);
	return ret;
}

static enum pmv_problem problem_of(int err)
{
	return err == -ERANGE ? PMV_PROBLEM_RANGE : PMV_PROBLEM_OWNER;
}

/*
 * Claim the page that word @at of @page names. Return: 0 it is @l's; 1 it is not, but loading
 * goes on without it; -EUCLEAN.
 */
static int claim_page(struct load *l, enum pmv_part part, u32 page, unsigned int at, u64 value)
{
	int ret = pmv_page_claim(l->c, value);
	enum pmv_problem problem = PMV_PROBLEM_OWNER;

	if (!ret)
		return 0;
	if (value >= (u64)l->c->nr_segments * pmv_pages_per_segment(l->c) ||
	    !l->c->segment[(u32)value / pmv_pages_per_segment(l->c)].map)
		problem = PMV_PROBLEM_RANGE;
	ret = bad_word(l, part, problem, page, at, PMV_NO_NUMBER, value,
		       "a metadata page is out of range or owned twice");
	return ret ? ret : 1;
}

/* ---- maps ---- */

/* What a chunk may be born in at the latest. */
static u64 youngest(const struct load *l)
{
	return le64_to_cpu(l->desc->kind == PMV_DESC_SNAPSHOT ? l->desc->birth_gen :
							       l->c->sb.map_gen);
}

/* The last step of handing over a chunk was not done: do it. */
static int forget_entry(struct load *l, u32 page, unsigned int at, u64 index)
{
	struct pmv_finding f;

	pmv_finding_init(&f, PMV_PART_LEAF, PMV_PROBLEM_BEHIND);
	stands_at(l, &f, page, 0, 8 * at);
	f.index = index;
	f.why = "a deleted snapshot's chunk was handed over to an older one";
	l->res->repaired++;
	if (l->repair) {
		pmv_map_clear(l->c, page, index);
		f.repaired = true;
	}
	return pmv_load_tell(l, &f, page);
}

static int load_entry(struct load *l, const struct pmv_map *m, void *cookie, u32 page, u64 index,
		      __le64 raw)
{
	unsigned int at = index & (PMV_WORDS_PER_PAGE - 1);
	struct pmv_word w;
	int ret;

	if (index >= m->chunks || pmv_word_decode(le64_to_cpu(raw), PMV_WORD_LEAF, m->slot, index,
						  &w) ||
	    !w.tag || w.tag > youngest(l))
		return bad_word(l, PMV_PART_LEAF, PMV_PROBLEM_RANGE, page, at, index, PMV_NO_NUMBER,
				"a map entry is out of range");
	if (l->has_heir && pmv_load_handed_over(l, index, w))
		return forget_entry(l, page, at, index);
	ret = claim_chunk(l, w.value);
	if (ret == -ERANGE || ret == -EUCLEAN)
		return bad_word(l, PMV_PART_LEAF, problem_of(ret), page, at, index, w.value,
				"a chunk is out of range or owned twice");
	if (!ret && cookie)
		ret = l->ops->chunk(l->ctx, cookie, index, w);
	return ret;
}

static int load_leaf(struct load *l, const struct pmv_map *m, void *cookie, u64 leaf, u32 page)
{
	const __le64 *word = l->c->scratch[1][0].word;
	struct table t;
	unsigned int i;
	int ret;

	pmv_load_table_of(l, &t, PMV_PART_LEAF, page);
	t.kind = PMV_WORD_LEAF;
	t.owner = m->slot;
	t.first = leaf << PMV_LEAF_SHIFT;
	ret = pmv_load_table(l, 1, &t);
	if (ret)
		return ret;
	/* Growing a thick volume that failed half way may have left empty leaves behind its end. */
	if (leaf < pmv_map_leaves(m->chunks)) {
		l->leaves++;
		if (cookie && l->ops->leaf)
			ret = l->ops->leaf(l->ctx, cookie, leaf, page);
		if (ret)
			return ret;
	}
	for (i = 0; i < PMV_WORDS_PER_PAGE; i++) {
		if (!word[i])
			continue;
		ret = load_entry(l, m, cookie, page, t.first + i, word[i]);
		if (ret)
			return ret;
	}
	return 0;
}

/* Read the node at @level into scratch[level]; its words stay there while children are visited. */
static int load_node(struct load *l, const struct pmv_map *m, u64 leaf, u32 page,
		     unsigned int level)
{
	struct table t;

	pmv_load_table_of(l, &t, PMV_PART_NODE, page);
	t.kind = PMV_WORD_NODE;
	t.owner = m->slot;
	t.first = leaf;
	t.shift = (level - 2) * PMV_LEAF_SHIFT;
	return pmv_load_table(l, level, &t);
}

static int load_map(struct load *l, const struct pmv_map *m, void *cookie)
{
	unsigned int at[PMV_HEIGHT_MAX + 1] = { 0 }, level = m->height;
	u64 first[PMV_HEIGHT_MAX + 1] = { 0 };
	u32 page[PMV_HEIGHT_MAX + 1];
	struct pmv_word w;
	int ret;

	page[level] = m->root;
	if (level == 1)
		return load_leaf(l, m, cookie, 0, m->root);
	ret = load_node(l, m, 0, m->root, level);
	if (ret)
		return ret;
	while (level <= m->height) {
		unsigned int child = level - 1, n = at[level];
		__le64 raw;

		if (n == PMV_WORDS_PER_PAGE) {
			level++;
			continue;
		}
		raw = l->c->scratch[level][0].word[n];
		first[child] = first[level] + ((u64)n << (level - 2) * PMV_LEAF_SHIFT);
		at[level]++;
		if (!raw)
			continue;
		if (pmv_word_decode(le64_to_cpu(raw), PMV_WORD_NODE, m->slot, first[child], &w) ||
		    w.tag != child) {
			ret = bad_word(l, PMV_PART_NODE, PMV_PROBLEM_RANGE, page[level], n,
				       PMV_NO_NUMBER, PMV_NO_NUMBER,
				       "a map node is inconsistent");
			if (ret)
				return ret;
			continue;
		}
		ret = claim_page(l, PMV_PART_NODE, page[level], n, w.value);
		if (ret < 0)
			return ret;
		if (ret)
			continue;
		page[child] = w.value;
		if (child == 1) {
			ret = load_leaf(l, m, cookie, first[child], w.value);
			if (ret)
				return ret;
			continue;
		}
		ret = load_node(l, m, first[child], w.value, child);
		if (ret)
			return ret;
		at[child] = 0;
		level = child;
	}
	return 0;
}

/* ---- descriptors ---- */

/* What a descriptor promises and holds, once its map has been read. */
static int account(struct load *l, const struct pmv_desc *d, const struct pmv_map *m, u64 chunks,
		   u32 page, unsigned int off)
{
	struct pmv_finding f;

	if (d->state == PMV_DESC_ERASING) {
		/* Of a deleted snapshot's, older ones may need any. */
		if (d->kind == PMV_DESC_VOLUME)
			l->soon += chunks;
		return 0;
	}
	if (!(le32_to_cpu(d->flags) & PMV_DESC_THICK))
		return 0;
	l->owed += m->chunks - min(chunks, m->chunks);
	if (l->hurt || l->leaves == pmv_map_leaves(m->chunks))
		return 0;
	pmv_finding_init(&f, PMV_PART_DESCRIPTOR, PMV_PROBLEM_MISSING);
	stands_at(l, &f, page, 0, off);
	return pmv_load_tell(l, &f, page);
}

static int load_volume(struct load *l, const struct pmv_desc *d, u32 slot, u32 page)
{
	unsigned int off = slot % PMV_DESCS_PER_PAGE * (unsigned int)sizeof(*d);
	struct pmv_map m = {
		.slot = slot, .root = le32_to_cpu(d->root), .height = d->height,
		.chunks = le64_to_cpu(d->chunks),
	};
	u64 before = l->claimed;
	struct pmv_finding f;
	void *cookie = NULL;
	const char *why;
	int ret;

	ret = l->ops->volume(l->ctx, d, &m, &cookie);
	if (ret == -EUCLEAN) {
		cookie = NULL;
		pmv_finding_init(&f, PMV_PART_DESCRIPTOR, PMV_PROBLEM_NAME);
		stands_at(l, &f, page, 0, off);
		f.why = "two volumes have one name";
		ret = pmv_load_tell(l, &f, page);
	}
	if (ret)
		return ret;
	ret = pmv_load_kin(l, d, slot, &why);
	if (ret) {
		pmv_finding_init(&f, PMV_PART_DESCRIPTOR, PMV_PROBLEM_KIN);
		stands_at(l, &f, page, 0, off);
		f.why = why;
		ret = pmv_load_tell(l, &f, page);
		if (ret)
			return ret;
	}
	ret = claim_page(l, PMV_PART_DESCRIPTOR, page, off / 8, m.root);
	if (!ret)
		ret = load_map(l, &m, cookie);
	if (ret >= 0)
		ret = account(l, d, &m, l->claimed - before, page, off);
	if (!ret && l->hurt && cookie)
		l->ops->lost(l->ctx, cookie);
	return ret;
}

/* Bring both copies of a descriptor to what @d says. Return: are they? */
static bool mend_desc(struct load *l, u32 slot, u32 page, const struct pmv_desc *d)
{
	unsigned int copy, off = slot % PMV_DESCS_PER_PAGE * (unsigned int)sizeof(*d);
	struct pmv_desc *copies = l->c->desc_copy;
	bool good[PMV_COPIES];

	for (copy = 0; copy < PMV_COPIES; copy++) {
		/* The good copy is rewritten with itself, one after the other. */
		pmv_page_write(l->c, page, !copy, off, d, sizeof(*d));
		l->c->ops->fence(l->c->ctx);
	}
	return pmv_desc_pick(l->c, page, slot, copies, good) >= 0 && good[0] && good[1];
}

static int load_slot(struct load *l, u32 slot, u32 page, const bool *readable)
{
	unsigned int copy, off = slot % PMV_DESCS_PER_PAGE * (unsigned int)sizeof(struct pmv_desc);
	struct pmv_desc *copies = l->c->desc_copy, d;
	bool good[PMV_COPIES];
	struct pmv_finding f;
	int best, ret = 0;

	l->slot = slot;
	l->hurt = false;
	l->leaves = 0;
	best = pmv_desc_pick(l->c, page, slot, copies, good);
	if (best < 0) {
		pmv_finding_init(&f, PMV_PART_DESCRIPTOR, PMV_PROBLEM_BOTH);
		stands_at(l, &f, page, 0, off);
		f.why = "a descriptor is damaged in both copies";
		ret = pmv_load_tell(l, &f, page);
		goto out;
	}
	memcpy(&d, &copies[best], sizeof(d));
	copy = !best;
	if (d.kind != PMV_DESC_FREE)
		l->desc = &d;
	if (readable[copy] && (!good[copy] || memcmp(&copies[0], &copies[1], sizeof(d)))) {
		pmv_finding_init(&f, PMV_PART_DESCRIPTOR,
				 good[copy] ? PMV_PROBLEM_BEHIND : PMV_PROBLEM_COPY);
		stands_at(l, &f, page, copy, off);
		l->res->repaired++;
		l->res->damaged += !good[copy];
		f.repaired = l->repair && mend_desc(l, slot, page, &d);
		ret = pmv_load_tell(l, &f, page);
	}
	if (!ret && d.kind != PMV_DESC_FREE)
		ret = load_volume(l, &d, slot, page);
out:
	l->slot = PMV_NO_SLOT;
	l->desc = NULL;
	return ret;
}

/*
 * A copy of a page of descriptors that cannot be read as a whole is written as a whole, or what
 * makes it unreadable stays. The other copy has the newest of all its slots before that.
 */
static bool mend_desc_page(struct load *l, u32 first_slot, u32 page, unsigned int bad)
{
	struct pmv_page_buf *buf = &l->c->scratch[1][0], *have = &l->c->scratch[1][1];
	struct pmv_desc *copies = l->c->desc_copy;
	bool good[PMV_COPIES];
	unsigned int s, off;
	int best;

	for (s = 0; s < PMV_DESCS_PER_PAGE; s++) {
		off = s * (unsigned int)sizeof(*copies);
		best = pmv_desc_pick(l->c, page, first_slot + s, copies, good);
		if (best < 0)
			return false;
		memcpy((u8 *)buf + off, &copies[best], sizeof(*copies));
		if (best != (int)bad)
			continue;
		pmv_page_write(l->c, page, !bad, off, &copies[best], sizeof(*copies));
		l->c->ops->fence(l->c->ctx);
	}
	pmv_page_write(l->c, page, bad, 0, buf, sizeof(*buf));
	l->c->ops->fence(l->c->ctx);
	return !pmv_page_read(l->c, page, bad, 0, have, sizeof(*have)) &&
	       !memcmp(buf, have, sizeof(*buf));
}

static int load_desc_page(struct load *l, u32 first_slot, u32 page)
{
	struct pmv_page_buf *buf = &l->c->scratch[1][0];
	bool readable[PMV_COPIES];
	struct pmv_finding f;
	unsigned int copy, s;
	int ret;

	for (copy = 0; copy < PMV_COPIES; copy++)
		readable[copy] = !pmv_page_read(l->c, page, copy, 0, buf, sizeof(*buf));
	for (copy = 0; copy < PMV_COPIES; copy++) {
		if (readable[copy])
			continue;
		pmv_finding_init(&f, PMV_PART_DESCRIPTOR, PMV_PROBLEM_COPY);
		stands_at(l, &f, page, copy, 0);
		l->res->repaired++;
		l->res->damaged++;
		f.repaired = l->repair && mend_desc_page(l, first_slot, page, copy);
		ret = pmv_load_tell(l, &f, page);
		if (ret)
			return ret;
	}
	for (s = 0; s < PMV_DESCS_PER_PAGE; s++) {
		ret = load_slot(l, first_slot + s, page, readable);
		if (ret)
			return ret;
	}
	return 0;
}

static int load_directory_page(struct load *l, unsigned int dir)
{
	struct table t;
	struct pmv_word w;
	unsigned int i;
	int ret;

	/* Word 0 of the page itself is to blame when it is not there. */
	ret = pmv_page_claim(l->c, dir);
	if (ret)
		return bad_word(l, PMV_PART_DIRECTORY, PMV_PROBLEM_OWNER, dir, 0, PMV_NO_NUMBER,
				dir, "a page of the directory has another owner");
	pmv_load_table_of(l, &t, PMV_PART_DIRECTORY, dir);
	t.kind = PMV_WORD_DIR;
	t.first = (u64)dir * PMV_WORDS_PER_PAGE;
	ret = pmv_load_table(l, 0, &t);
	if (ret)
		return ret;
	for (i = 0; i < PMV_WORDS_PER_PAGE; i++) {
		__le64 raw = l->c->scratch[0][0].word[i];

		if (!raw)
			continue;
		/* pmv_load_table() has verified it. */
		if (pmv_word_decode(le64_to_cpu(raw), t.kind, 0, t.first + i, &w))
			return -EUCLEAN;
		ret = claim_page(l, PMV_PART_DIRECTORY, dir, i, w.value);
		if (!ret)
			ret = load_desc_page(l, (u32)(t.first + i) * PMV_DESCS_PER_PAGE, w.value);
		if (ret < 0)
			return ret;
	}
	return 0;
}

/* ---- segments ---- */

static int bad_segment(struct load *l, enum pmv_problem problem, unsigned int n, u64 value,
		       const char *why)
{
	struct pmv_finding f;

	pmv_finding_init(&f, PMV_PART_SEGMENTS, problem);
	f.member = 0;
	f.off = PMV_SEGTAB_OFF + 8ULL * n;
	f.index = n;
	f.value = value;
	f.why = why;
	return pmv_load_tell(l, &f, 0);
}

/* Segment @n is as its word says. Return: 0; 1: it is lost; or an error. */
static int load_segment(struct load *l, unsigned int n, __le64 raw)
{
	struct pmv_segment *s = &l->c->segment[n];
	struct pmv_word w = { 0 };
	unsigned int i;
	int ret;

	memset(s, 0, sizeof(*s));
	if (!raw || pmv_word_decode(le64_to_cpu(raw), PMV_WORD_SEGMENT, 0, n, &w)) {
		ret = bad_segment(l, PMV_PROBLEM_BOTH, n, PMV_NO_NUMBER,
				  "the segment table is inconsistent");
		return ret ? ret : 1;
	}
	s->chunk[0] = w.value;
	s->chunk[1] = w.tag;
	for (i = 0; i < PMV_COPIES; i++) {
		ret = claim_chunk(l, s->chunk[i]);
		if (ret == -ERANGE || ret == -EUCLEAN) {
			ret = bad_segment(l, problem_of(ret), n, s->chunk[i],
					  "a chunk is out of range or owned twice");
			return ret ? ret : 1;
		}
		if (ret)
			return ret;
	}
	s->map = l->ops->segment_map(l->ctx, pmv_pages_per_segment(l->c));
	if (!s->map)
		return -ENOMEM;
	l->c->free_pages += pmv_pages_per_segment(l->c);
	return 0;
}

/* The words of one page of the segment table; segments are numbered without a gap. */
static int load_segments_page(struct load *l, unsigned int first, unsigned int *end)
{
	const __le64 *word = l->c->scratch[0][0].word;
	struct pmv_core *c = l->c;
	struct table t = {
		.part = PMV_PART_SEGMENTS, .kind = PMV_WORD_SEGMENT, .first = first,
		.by_word = true,
		.unreadable = "the segment table is unreadable in both copies",
		.damaged = "the segment table is damaged in both copies",
	};
	unsigned int n, copy;
	u64 lost = l->res->lost;
	int ret;

	for (copy = 0; copy < PMV_COPIES; copy++)
		t.off[copy] = (u64)copy * PMV_COPY_STRIDE + PMV_SEGTAB_OFF + 8ULL * first;
	ret = pmv_load_table(l, 0, &t);
	if (ret)
		return ret;
	for (n = PMV_WORDS_PER_PAGE; n && !word[n - 1]; n--)
		;
	/* A word that is lost may have been the last. */
	*end = n ? first + n : c->nr_segments;
	for (; c->nr_segments < *end; c->nr_segments++) {
		__le64 raw;

		n = c->nr_segments;
		raw = n < first ? 0 : word[n - first];
		if (!raw && l->res->lost > lost) {
			/* It has been told. */
			memset(&c->segment[n], 0, sizeof(c->segment[n]));
			c->segment[n].used = pmv_pages_per_segment(c);
			continue;
		}
		ret = load_segment(l, n, raw);
		if (ret < 0)
			return ret;
		if (ret)
			c->segment[n].used = pmv_pages_per_segment(c);
	}
	return 0;
}

static int load_segments(struct load *l)
{
	struct pmv_core *c = l->c;
	unsigned int first, end;
	int ret;

	for (first = 0; first < PMV_SEGMENTS_MAX; first += PMV_WORDS_PER_PAGE) {
		ret = load_segments_page(l, first, &end);
		if (ret)
			return ret;
		/* Who asks for findings wants to know of what stands behind the end, too. */
		if (end < first + PMV_WORDS_PER_PAGE && !l->ops->finding)
			break;
	}
	if (!c->nr_segments || !c->segment[0].map) {
		ret = bad_segment(l, PMV_PROBLEM_BOTH, 0, PMV_NO_NUMBER,
				  "the segment table is empty");
		return ret ? ret : -EUCLEAN;
	}
	return 0;
}

int pmv_load(struct pmv_core *c, const struct pmv_load_ops *ops, void *ctx, bool repair,
	     struct pmv_load_result *res)
{
	struct load l = {
		.c = c, .ops = ops, .ctx = ctx, .repair = repair, .res = res, .slot = PMV_NO_SLOT,
	};
	struct pmv_finding f;
	unsigned int dir;
	int ret;

	memset(res, 0, sizeof(*res));
	c->nr_segments = 0;
	c->free_pages = 0;
	ret = load_segments(&l);
	for (dir = 0; !ret && dir < PMV_DIR_PAGES; dir++)
		ret = load_directory_page(&l, dir);
	if (ret)
		return ret;
	/* Promises are of no concern to who only wants to read the maps. */
	if (ops->finding && l.owed > c->chunks - l.claimed + l.soon) {
		pmv_finding_init(&f, PMV_PART_PROMISES, PMV_PROBLEM_PROMISE);
		f.value = l.owed;
		ret = pmv_load_tell(&l, &f, 0);
	}
	return ret;
}
