// SPDX-License-Identifier: GPL-2.0
#include <time.h>
#include "explore.h"
#include "site.h"

struct sequence {
	const struct start *start;
	struct model model;
	size_t mark;
	struct op op[SEQUENCE_MAX];
	unsigned int length;
};

double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static bool begin(struct sequence *s, const struct start *start)
{
	memset(s, 0, sizeof(*s));
	s->start = start;
	if (!start_build(start, &s->model))
		return false;
	s->mark = image_mark();
	return true;
}

static bool run(const struct sequence *s)
{
	unsigned int i;

	image_rollback(s->mark);
	if (!live_open(&s->model, !s->start->unclean))
		return false;
	for (i = 0; i + 1 < s->length; i++)
		if (!live_run(&s->op[i]))
			return false;
	return live_run_with_cuts(&s->op[i], ALL_PAGES);
}

static unsigned int next_ops(const struct sequence *s, const struct model *m, struct op *op)
{
	if (s->start->unclean && !s->length) {
		op[0] = (struct op){ .kind = OP_ACTIVATE };
		return 1;
	}
	return model_ops(m, op);
}

static u64 extend(struct sequence *s, const struct model *m, unsigned int more)
{
	struct op op[OPS_MAX];
	unsigned int nr = next_ops(s, m, op), i;
	u64 n = 0, data;

	for (i = 0; i < nr && !violation; i++) {
		struct model next = *m;

		s->op[s->length++] = op[i];
		model_apply(&next, &op[i]);
		model_write(&next, &op[i], &data);
		if (more > 1)
			n += extend(s, &next, more - 1);
		else
			n += run(s);
		s->length--;
	}
	return n;
}

/* Sites known after single operations from each start: the last one may be the first to show one. */
static unsigned int sites_known[STARTS_MAX];

u64 explore_all(unsigned int length)
{
	struct sequence s;
	unsigned int i;
	u64 n = 0;

	for (i = 0; i < nr_starts && !violation; i++) {
		if (begin(&s, &starts[i]))
			n += extend(&s, &s.model, length);
		if (length == 1 && !sites_known[i])
			sites_known[i] = site_count();
	}
	return n;
}

static bool reopen(const struct sequence *s)
{
	image_rollback(s->mark);
	return live_open(&s->model, true);
}

/* With one page more each time, until it is not refused any more. */
static u64 run_short(const struct sequence *s, const struct op *op)
{
	u64 pages;

	for (pages = 0; !violation; pages++) {
		if (!reopen(s) || !live_is_refused(op, pages))
			break;
		if (!reopen(s) || !live_run_with_cuts(op, pages))
			break;
	}
	return pages;
}

u64 explore_short_of_pages(void)
{
	struct op op[OPS_MAX];
	struct sequence s;
	unsigned int i, k, nr;
	u64 n = 0;

	for (i = 0; i < nr_starts && !violation; i++) {
		if (starts[i].unclean || !begin(&s, &starts[i]))
			continue;
		nr = next_ops(&s, &s.model, op);
		for (k = 0; k < nr && !violation; k++)
			/* Those make or read a pool of their own. */
			if (op[k].kind != OP_FORMAT && op[k].kind != OP_ACTIVATE)
				n += run_short(&s, &op[k]);
	}
	return n;
}

static u64 rnd(u64 *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

u64 explore_random(double seconds, u64 seed)
{
	double end = now() + seconds, turn;
	struct op op[OPS_MAX];
	struct sequence s;
	unsigned int i;
	u64 n = 0, data;

	/* Building a start takes a while: stay with one for some time. */
	for (i = 0; now() < end && !violation; i = (i + 1) % nr_starts) {
		turn = now() + seconds / (4 * nr_starts);
		if (!begin(&s, &starts[i]))
			break;
		while (now() < min(turn, end) && !violation) {
			struct model m = s.model;

			for (s.length = 0; s.length < SEQUENCE_MAX;) {
				struct op *next = &op[rnd(&seed) % next_ops(&s, &m, op)];

				model_apply(&m, next);
				model_write(&m, next, &data);
				s.op[s.length++] = *next;
			}
			n += run(&s);
		}
	}
	return n;
}

bool explore_without(unsigned int site, u64 *sequences)
{
	struct sequence s;
	unsigned int i, first = 0;

	check_reset();
	/* Where it was first seen it most likely shows. */
	while (first + 1 < nr_starts && sites_known[first] <= site)
		first++;
	for (i = 0; i < nr_starts && !violation; i++) {
		if (!begin(&s, &starts[(first + i) % nr_starts]))
			break;
		site_disable((int)site);
		*sequences += extend(&s, &s.model, 1);
		site_disable(-1);
	}
	return violation != NULL;
}
