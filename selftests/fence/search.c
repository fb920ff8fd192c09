// SPDX-License-Identifier: GPL-2.0
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include "search.h"

#define NONE UINT32_MAX

/* States that were seen, by a hash of 64 bits, and how each was come by. */
struct origin {
	u32 parent;
	u8 kind, who, variant;
};

struct seen {
	u64 *hash; /* 0: free */
	size_t mask;
	struct origin *origin;
	u32 nr;
	size_t room;
};

struct layer {
	struct state *state;
	u32 *index;
	size_t nr, room;
};

double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec + t.tv_nsec / 1e9;
}

static void *need(void *p)
{
	if (!p) {
		fputs("out of memory\n", stderr);
		exit(1);
	}
	return p;
}

static u64 hash_of(const struct state *s)
{
	const u8 *p = (const u8 *)s;
	u64 h = 0x9e3779b97f4a7c15, word;
	size_t n = sizeof(*s);

	while (n) {
		size_t part = n < 8 ? n : 8;

		word = 0;
		memcpy(&word, p, part);
		h = (h ^ word) * 0xff51afd7ed558ccd;
		h ^= h >> 32;
		p += part;
		n -= part;
	}
	return h ? h : 1;
}

static void seen_grow(struct seen *t)
{
	struct seen old = *t;
	size_t i;

	t->mask = old.mask * 2 + 1;
	t->hash = need(calloc(t->mask + 1, sizeof(*t->hash)));
	for (i = 0; i <= old.mask; i++) {
		size_t at = old.hash[i] & t->mask;

		if (!old.hash[i])
			continue;
		while (t->hash[at])
			at = (at + 1) & t->mask;
		t->hash[at] = old.hash[i];
	}
	free(old.hash);
}

/* Return: false when it was there */
static bool seen_add(struct seen *t, u64 h)
{
	size_t at = h & t->mask;

	while (t->hash[at]) {
		if (t->hash[at] == h)
			return false;
		at = (at + 1) & t->mask;
	}
	t->hash[at] = h;
	if (t->nr * 2UL > t->mask)
		seen_grow(t);
	return true;
}

static u32 origin_add(struct seen *t, u32 parent, struct event ev)
{
	if (t->nr == t->room) {
		t->room = t->room ? t->room * 2 : 1024;
		t->origin = need(realloc(t->origin, t->room * sizeof(*t->origin)));
	}
	t->origin[t->nr] = (struct origin){ parent, ev.kind, ev.who, ev.variant };
	return t->nr++;
}

static void layer_add(struct layer *l, const struct state *s, u32 index)
{
	if (l->nr == l->room) {
		l->room = l->room ? l->room * 2 : 1024;
		l->state = need(realloc(l->state, l->room * sizeof(*l->state)));
		l->index = need(realloc(l->index, l->room * sizeof(*l->index)));
	}
	l->state[l->nr] = *s;
	l->index[l->nr++] = index;
}

/* Everything that could happen, in some state. */
static struct event all[EV_KINDS * ATTS * HOWS];
static unsigned int all_nr;

static bool asked(enum how_asked how)
{
	return how == ASK_NEXT || (how == ASK_GIVEN ? rules.given_epochs : rules.by_operator);
}

static void events_init(void)
{
	static const u8 variants[EV_KINDS] = {
		[EV_ACQUIRE] = ASKS,
		[EV_STEP] = HOWS,
		[EV_RELEASE] = 2,
		[EV_CRASH] = 2,
	};
	unsigned int kind, who, variant;

	all_nr = 0;
	for (kind = 0; kind < EV_KINDS; kind++) {
		unsigned int those = kind >= EV_RESTART ? 1 : kind >= EV_VERIFY ? NODES : ATTS;

		for (who = 0; who < those; who++) {
			for (variant = 0; variant < (variants[kind] ?: 1); variant++) {
				if (kind == EV_ACQUIRE && !asked(variant))
					continue;
				all[all_nr++] = (struct event){ kind, who, variant };
			}
		}
	}
}

struct run {
	struct search *q;
	struct seen seen;
	struct layer now, next;
	double started;
	u32 bad; /* index of the state that violates, or NONE */
};

static bool over(const struct run *r)
{
	const struct search *q = r->q;

	return now() - r->started > q->seconds || r->seen.nr > q->states_max;
}

/* Return: false when there was no time for all of it, or a violation */
static bool expand(struct run *r)
{
	unsigned int e;
	size_t i;

	for (i = 0; i < r->now.nr; i++) {
		if (!(i & 0xfff) && over(r))
			return false;
		for (e = 0; e < all_nr; e++) {
			struct state s = r->now.state[i];
			u32 index;

			if (!state_apply(&s, all[e]))
				continue;
			r->q->events++;
			if (violation) {
				r->q->violation = violation;
				r->bad = origin_add(&r->seen, r->now.index[i], all[e]);
				return false;
			}
			state_canonical(&s);
			if (!seen_add(&r->seen, hash_of(&s)))
				continue;
			index = origin_add(&r->seen, r->now.index[i], all[e]);
			layer_add(&r->next, &s, index);
		}
	}
	return true;
}

static unsigned int path_of(const struct run *r, struct event *path, unsigned int max)
{
	unsigned int n = 0, i;
	u32 at;

	for (at = r->bad; r->seen.origin[at].parent != NONE; at = r->seen.origin[at].parent)
		n++;
	if (n > max)
		return n;
	for (at = r->bad, i = n; i--; at = r->seen.origin[at].parent) {
		const struct origin *o = &r->seen.origin[at];

		path[i] = (struct event){ o->kind, o->who, o->variant };
	}
	return n;
}

/*
 * The path is one of canonical states, in which attachments change places and epochs shrink. For
 * people a second one goes along, in which they keep their names and numbers.
 */
static void print_path(const struct state *from, const struct event *path, unsigned int n)
{
	struct state canon = *from, real = *from, before;
	u8 name[ATTS] = { 0, 1, 2, 3 }, swap;
	unsigned int i, node, swapped;

	for (i = 0; i < n; i++) {
		struct event ev = path[i];

		if (ev.kind < EV_VERIFY)
			ev.who = name[ev.who];
		before = real;
		state_apply(&real, ev);
		event_print(i + 1, &before, ev, &real);
		state_apply(&canon, path[i]);
		swapped = state_canonical(&canon);
		for (node = 0; node < NODES; node++) {
			if (!(swapped >> node & 1))
				continue;
			swap = name[node * PER_NODE];
			name[node * PER_NODE] = name[node * PER_NODE + 1];
			name[node * PER_NODE + 1] = swap;
		}
	}
}

void search_run(struct search *q, const struct state *from, bool print_trace)
{
	struct run r = { .q = q, .started = now(), .bad = NONE };
	struct state start = *from;
	struct event path[256];
	struct layer done;

	events_init();
	q->depth = 0;
	q->events = 0;
	q->violation = NULL;
	r.seen.mask = (1U << 16) - 1;
	r.seen.hash = need(calloc(r.seen.mask + 1, sizeof(*r.seen.hash)));
	state_canonical(&start);
	seen_add(&r.seen, hash_of(&start));
	layer_add(&r.now, &start, origin_add(&r.seen, NONE, (struct event){ 0 }));
	while (q->depth < q->depth_max && r.now.nr && expand(&r)) {
		q->depth++;
		done = r.now;
		r.now = r.next;
		r.next = done;
		r.next.nr = 0;
	}
	q->exhausted = !r.now.nr;
	q->states = r.seen.nr;
	q->took = now() - r.started;
	if (r.bad != NONE) {
		q->trace_length = path_of(&r, path, 256);
		if (print_trace)
			print_path(&start, path, q->trace_length);
	}
	free(r.seen.hash);
	free(r.seen.origin);
	free(r.now.state);
	free(r.now.index);
	free(r.next.state);
	free(r.next.index);
}
