// SPDX-License-Identifier: GPL-2.0
/* Which images a power cut can leave of what is pending. */
#include <stdlib.h>
#include "medium.h"

struct cut {
	const struct medium *m;
	size_t mark;
	bool (*check)(void *arg);
	void *arg;
	u64 seed;
	bool stop;
};

static u64 rnd(struct cut *c)
{
	c->seed ^= c->seed << 13;
	c->seed ^= c->seed >> 7;
	c->seed ^= c->seed << 17;
	return c->seed;
}

#define EVERYTHING (~0ULL)

/* Make line @l what it is when of its events those in @mask have arrived. */
static void put_line(const struct line *l, u64 mask)
{
	u64 word[8];
	unsigned int i;

	memcpy(word, l->persistent, sizeof(word));
	for (i = 0; i < l->nr; i++)
		if (mask >> i & 1)
			word[l->event[i].word] = l->event[i].val;
	for (i = 0; i < 8; i++)
		image_set(l->addr >> 40, (l->addr & ((1ULL << 40) - 1)) + 8 * i, word[i]);
}

/* Of plain stores a prefix, of others anything. */
static u64 random_mask(struct cut *c, const struct line *l)
{
	u64 pieces = rnd(c), mask = 0;
	unsigned int i, plain = 0, keep;

	for (i = 0; i < l->nr; i++)
		plain += !l->event[i].nt;
	keep = rnd(c) % (plain + 1);
	for (i = 0; i < l->nr; i++) {
		bool in = l->event[i].nt ? pieces >> i & 1 : keep > 0;

		if (!l->event[i].nt && keep)
			keep--;
		mask |= (u64)in << i;
	}
	return mask;
}

/* The image is complete: look at it, and go back to what the CPU sees. */
static void judge(struct cut *c)
{
	if (!c->stop)
		c->stop = !c->check(c->arg);
	image_rollback(c->mark);
}

/* All lines as @rest says, but for line @n, of which @mask has arrived. */
static void one_differs(struct cut *c, unsigned int n, u64 mask, u64 rest)
{
	unsigned int i;

	for (i = 0; i < c->m->nr_lines && !c->stop; i++)
		put_line(&c->m->line[i], i == n ? mask : rest);
	judge(c);
}

static void subsets(struct cut *c, const struct cut_limits *limits)
{
	unsigned int n = c->m->nr_lines, i, k;
	u64 set;

	if (n <= limits->all_subsets) {
		for (set = 0; set < 1ULL << n && !c->stop; set++) {
			for (i = 0; i < n; i++)
				put_line(&c->m->line[i], set >> i & 1 ? EVERYTHING : 0);
			judge(c);
		}
		return;
	}
	one_differs(c, n, 0, 0);
	one_differs(c, n, 0, EVERYTHING);
	for (k = 0; k < min(n, limits->singles) && !c->stop; k++) {
		i = n <= limits->singles ? k : rnd(c) % n;
		one_differs(c, i, EVERYTHING, 0);
		one_differs(c, i, 0, EVERYTHING);
	}
	for (k = 0; k < limits->samples && !c->stop; k++) {
		for (i = 0; i < n; i++)
			put_line(&c->m->line[i], rnd(c) & 1 ? EVERYTHING : 0);
		judge(c);
	}
}

static void torn(struct cut *c, const struct cut_limits *limits)
{
	unsigned int n = c->m->nr_lines, i, k, at;

	for (k = 0; k < min(n, limits->torn_lines) && !c->stop; k++) {
		const struct line *l;

		i = n <= limits->torn_lines ? k : rnd(c) % n;
		l = &c->m->line[i];
		for (at = 1; at < l->nr && !c->stop; at++) {
			one_differs(c, i, (1ULL << at) - 1, 0);
			one_differs(c, i, (1ULL << at) - 1, EVERYTHING);
		}
	}
	for (k = 0; k < limits->torn_samples && !c->stop; k++) {
		for (i = 0; i < n; i++) {
			u64 how = rnd(c) % 4, mask = random_mask(c, &c->m->line[i]);

			put_line(&c->m->line[i], how == 0 ? 0 : how == 1 ? EVERYTHING : mask);
		}
		judge(c);
	}
}

void medium_cut(struct medium *m, const struct cut_limits *limits, bool (*check)(void *arg),
		void *arg)
{
	struct cut c = {
		.m = m, .mark = image_mark(), .check = check, .arg = arg,
		.seed = image_hash() | 1,
	};

	subsets(&c, limits);
	torn(&c, limits);
}
