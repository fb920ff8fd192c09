// SPDX-License-Identifier: GPL-2.0
/* Tables of words in two copies: which counts, and how the other is made to agree with it. */
#include "load_parts.h"

static bool word_good(__le64 raw, const struct table *t, unsigned int at)
{
	struct pmv_word w;

	return !pmv_word_decode(le64_to_cpu(raw), t->kind, t->owner,
				t->first + ((u64)at << t->shift), &w);
}

/*
 * Which copy of a word counts, -1: neither. After a crash in the middle of a step one copy may
 * be empty and the other not, and either may win. The word wins: a line that lost its content
 * and reads as zeros must not take the other copy along.
 */
static int word_pick(const bool *have, const __le64 *raw, const struct table *t, unsigned int at)
{
	int copy, empty = -1;

	for (copy = PMV_COPIES - 1; copy >= 0; copy--)
		if (have[copy] && !raw[copy])
			empty = copy;
	for (copy = 0; copy < (int)PMV_COPIES; copy++)
		if (have[copy] && raw[copy] && word_good(raw[copy], t, at))
			return copy;
	return empty;
}

/* Is every word of a copy of a page good or empty? */
static bool copy_good(const struct pmv_page_buf *p, const struct table *t)
{
	unsigned int i;

	for (i = 0; i < PMV_WORDS_PER_PAGE; i++)
		if (p->word[i] && !word_good(p->word[i], t, i))
			return false;
	return true;
}

static int table_read(const struct load *l, const struct table *t, unsigned int copy,
		      struct pmv_page_buf *p)
{
	return l->c->ops->read(l->c->ctx, t->member[copy], t->off[copy], p, sizeof(*p));
}

/*
 * Of two damaged copies, the one that is made whole first would make the other count for
 * nothing. So before that it gets what only the other has, where it has nothing itself.
 */
static void fill_empty(const struct load *l, const struct table *t, unsigned int copy,
		       const struct pmv_page_buf *want, struct pmv_page_buf *have)
{
	const struct pmv_media_ops *ops = l->c->ops;
	unsigned int i;

	if (table_read(l, t, copy, have))
		return;
	for (i = 0; i < PMV_WORDS_PER_PAGE; i++) {
		if (have->word[i] == want->word[i] ||
		    (have->word[i] && !word_good(have->word[i], t, i)))
			continue;
		ops->store64(l->c->ctx, t->member[copy], t->off[copy] + 8 * i,
			     le64_to_cpu(want->word[i]));
		ops->flush(l->c->ctx, t->member[copy], t->off[copy] + 8 * i, 8);
	}
	ops->fence(l->c->ctx);
}

/* Write @want to one copy. Return: is it there now? */
static bool mend(const struct load *l, const struct table *t, unsigned int copy,
		 const struct pmv_page_buf *want, struct pmv_page_buf *have)
{
	const struct pmv_media_ops *ops = l->c->ops;

	ops->write(l->c->ctx, t->member[copy], t->off[copy], want, sizeof(*want));
	ops->fence(l->c->ctx);
	return !table_read(l, t, copy, have) && !memcmp(have, want, sizeof(*want));
}

static int bad_table_word(struct load *l, const struct table *t, unsigned int at)
{
	struct pmv_finding f;

	pmv_finding_init(&f, t->part, PMV_PROBLEM_BOTH);
	f.member = t->member[0];
	f.off = t->off[0] + 8 * at;
	f.index = t->first + ((u64)at << t->shift);
	f.why = t->damaged;
	return pmv_load_tell(l, &f, t->page);
}

int pmv_load_table(struct load *l, unsigned int depth, const struct table *t)
{
	struct pmv_core *c = l->c;
	struct pmv_page_buf *p = &c->scratch[depth][0], *m = &c->scratch[depth][1];
	bool have[PMV_COPIES], good[PMV_COPIES], fix[PMV_COPIES], whole = true, same;
	struct pmv_finding f;
	unsigned int i, copy;
	int ret;

	for (copy = 0; copy < PMV_COPIES; copy++) {
		have[copy] = !table_read(l, t, copy, &c->scratch[depth][copy]);
		fix[copy] = !have[copy];
	}
	/* As nearly always: the copies agree, and looking at one of them is enough. */
	same = have[0] && have[1] && !memcmp(p, m, sizeof(*p));
	good[0] = have[0] && copy_good(p, t);
	if (same && good[0])
		return 0;
	good[1] = have[1] && copy_good(m, t);
	if (!have[0] && !have[1]) {
		memset(p, 0, sizeof(*p));
		pmv_finding_init(&f, t->part, PMV_PROBLEM_BOTH);
		f.member = t->member[0];
		f.off = t->off[0];
		f.index = t->first;
		f.why = t->unreadable;
		return pmv_load_tell(l, &f, t->page);
	}
	for (copy = 0; copy < PMV_COPIES; copy++)
		have[copy] &= good[copy] || !good[!copy] || t->by_word;
	for (i = 0; i < PMV_WORDS_PER_PAGE; i++) {
		__le64 raw[PMV_COPIES] = { p->word[i], m->word[i] };
		int pick;

		if (!raw[0] && !raw[1])
			continue;
		pick = word_pick(have, raw, t, i);
		if (pick < 0) {
			ret = bad_table_word(l, t, i);
			if (ret)
				return ret;
			whole = false;
			p->word[i] = 0;
			continue;
		}
		p->word[i] = raw[pick];
		for (copy = 0; copy < PMV_COPIES; copy++)
			fix[copy] |= raw[copy] != raw[pick];
	}
	if (!fix[0] && !fix[1])
		return 0;
	l->res->repaired++;
	/* What is lost is left as it is, for whoever can make something of it. */
	for (copy = 0; l->repair && whole && fix[0] && fix[1] && copy < PMV_COPIES; copy++)
		fill_empty(l, t, copy, p, m);
	for (copy = 0; copy < PMV_COPIES; copy++) {
		if (!fix[copy])
			continue;
		pmv_finding_init(&f, t->part, good[copy] ? PMV_PROBLEM_BEHIND : PMV_PROBLEM_COPY);
		l->res->damaged += !good[copy];
		f.member = t->member[copy];
		f.off = t->off[copy];
		f.index = t->first;
		f.repairable = whole;
		f.repaired = l->repair && whole && mend(l, t, copy, p, m);
		ret = pmv_load_tell(l, &f, t->page);
		if (ret)
			return ret;
	}
	return 0;
}

void pmv_load_table_of(const struct load *l, struct table *t, enum pmv_part part, u32 page)
{
	unsigned int copy;

	memset(t, 0, sizeof(*t));
	t->part = part;
	t->page = page;
	t->unreadable = "a metadata page is unreadable in both copies";
	t->damaged = "a metadata page is damaged in both copies";
	for (copy = 0; copy < PMV_COPIES; copy++)
		t->member[copy] = pmv_page_where(l->c, page, copy, &t->off[copy]);
}
