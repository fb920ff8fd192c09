// SPDX-License-Identifier: GPL-2.0
/* The allocator against a model of one state a chunk, whose sums are counted anew every time. */
#include "test.h"

#define CHUNKS_MAX 200

enum state { FREE_DIRTY, FREE_CLEAN, USED, PENDING, CLEARING, STATES };

struct model {
	struct pmv_alloc a;
	unsigned long bits[3][BITS_TO_LONGS(CHUNKS_MAX)], wide[3][BITS_TO_LONGS(CHUNKS_MAX)];
	u8 state[CHUNKS_MAX];
	u64 nr, owed;
	bool extended;
};

static void model_init(struct model *m, u64 nr)
{
	memset(m, 0, sizeof(*m));
	m->nr = nr;
	pmv_alloc_init(&m->a, nr, m->bits[0], m->bits[1], m->bits[2]);
}

static u64 count(const struct model *m, enum state s)
{
	u64 i, n = 0;

	for (i = 0; i < m->nr; i++)
		n += m->state[i] == s;
	return n;
}

static u64 nth(const struct model *m, enum state s, u64 n)
{
	u64 i;

	for (i = 0; i < m->nr; i++)
		if (m->state[i] == s && !n--)
			return i;
	return m->nr;
}

static bool agree(const struct model *m)
{
	u64 i, free = count(m, FREE_DIRTY) + count(m, FREE_CLEAN);
	u64 soon = count(m, PENDING) + count(m, CLEARING), back = free + soon;
	bool good = m->a.nr == m->nr && m->a.nr_free == free && m->a.owed == m->owed &&
		    m->a.nr_clean == count(m, FREE_CLEAN) &&
		    m->a.nr_pending == count(m, PENDING) && m->a.nr_soon == soon;

	for (i = 0; i < m->nr && good; i++)
		good = test_bit(i, m->a.used) == (m->state[i] >= USED) &&
		       test_bit(i, m->a.clean) == (m->state[i] == FREE_CLEAN) &&
		       test_bit(i, m->a.pending) == (m->state[i] == PENDING);
	/* What was promised can be kept, and metadata finds room until only promises are left. */
	good = good && m->owed <= back;
	good = good && pmv_alloc_available(&m->a) ==
	       (back > m->owed + PMV_META_RESERVE ? back - m->owed - PMV_META_RESERVE : 0);
	return good;
}

static void take(struct model *m, enum pmv_claim claim, u64 hint)
{
	u64 free = m->a.nr_free, back = free + m->a.nr_soon, chunk = ~0ULL;
	bool clean, may = claim == PMV_CLAIM_THIN ? back > m->owed + PMV_META_RESERVE :
			  claim == PMV_CLAIM_THICK ? m->owed > 0 : back > m->owed;
	int ret = pmv_alloc_take(&m->a, claim, hint, &chunk, &clean);

	if (!may || !free) {
		CHECK_EQ(ret, may && back ? -EAGAIN : -ENOSPC);
		return;
	}
	CHECK_EQ(ret, 0);
	CHECK(chunk < m->nr && m->state[chunk] < USED);
	CHECK(clean == (m->state[chunk] == FREE_CLEAN));
	CHECK(clean || !count(m, FREE_CLEAN));
	if (hint < m->nr && m->state[hint] < USED && (m->state[hint] == FREE_CLEAN || !clean))
		CHECK_EQ(chunk, hint);
	m->state[chunk] = USED;
	m->owed -= claim == PMV_CLAIM_THICK;
}

static void extend(struct model *m, u64 more)
{
	if (m->extended || m->nr + more > CHUNKS_MAX)
		return;
	m->extended = true;
	pmv_alloc_extend(&m->a, m->nr + more, m->wide[0], m->wide[1], m->wide[2]);
	memset(m->bits, 0xff, sizeof(m->bits));
	m->nr += more;
}

enum step {
	TAKE_THIN, TAKE_THICK, TAKE_META, PUT_CLEAN, PUT_DIRTY, PUT_THICK, DEFER, DEFER_THICK,
	ERASED, PICK_DIRTY, CLEARED, PROMISE, UNPROMISE, EXPECT, EXTEND, STEPS
};

static void give_back(struct model *m, enum step step, u64 which)
{
	u64 used = count(m, USED), chunk = used ? nth(m, USED, which % used) : m->nr;
	enum pmv_claim claim = step == PUT_THICK || step == DEFER_THICK ? PMV_CLAIM_THICK :
									    PMV_CLAIM_THIN;

	if (!used)
		return;
	m->owed += claim == PMV_CLAIM_THICK;
	if (step == DEFER || step == DEFER_THICK) {
		pmv_alloc_defer(&m->a, claim, chunk);
		m->state[chunk] = PENDING;
	} else if (step == EXPECT) {
		pmv_alloc_expect(&m->a, 1);
		m->state[chunk] = CLEARING;
	} else {
		pmv_alloc_put(&m->a, claim, chunk,
			      step == PUT_CLEAN ? PMV_RETURN_CLEAN : PMV_RETURN_DIRTY);
		m->state[chunk] = step == PUT_CLEAN ? FREE_CLEAN : FREE_DIRTY;
	}
}

static void do_step(struct model *m, enum step step, u64 arg)
{
	u64 chunk, n;
	bool may;
	int ret;

	switch (step) {
	case TAKE_THIN:
	case TAKE_THICK:
	case TAKE_META:
		take(m, (enum pmv_claim)(step - TAKE_THIN), arg % (m->nr + 2));
		break;
	case ERASED:
		chunk = pmv_alloc_pick_pending(&m->a, arg % m->nr);
		for (n = arg % m->nr; n < m->nr && m->state[n] != PENDING; n++)
			;
		CHECK_EQ(chunk, n);
		if (chunk < m->nr) {
			pmv_alloc_erased(&m->a, chunk);
			m->state[chunk] = FREE_CLEAN;
		}
		break;
	case PICK_DIRTY:
		n = count(m, FREE_DIRTY);
		ret = pmv_alloc_pick_dirty(&m->a, &chunk);
		CHECK_EQ(ret, n ? 0 : -ENOENT);
		if (!ret) {
			CHECK_EQ(m->state[chunk], FREE_DIRTY);
			m->state[chunk] = CLEARING;
		}
		break;
	case CLEARED:
		n = count(m, CLEARING);
		if (n) {
			chunk = nth(m, CLEARING, arg % n);
			pmv_alloc_cleared(&m->a, chunk);
			m->state[chunk] = FREE_CLEAN;
		}
		break;
	case PROMISE:
		n = arg % (m->nr + 2);
		may = n <= pmv_alloc_available(&m->a);
		ret = pmv_alloc_promise(&m->a, n);
		CHECK_EQ(ret, may ? 0 : -ENOSPC);
		m->owed += ret ? 0 : n;
		break;
	case UNPROMISE:
		n = m->owed ? arg % (m->owed + 1) : 0;
		pmv_alloc_unpromise(&m->a, n);
		m->owed -= n;
		break;
	case EXTEND:
		extend(m, 1 + arg % 70);
		break;
	default:
		give_back(m, step, arg);
	}
}

/* All sequences of five steps on pools of two to five chunks, the argument running with the step. */
void alloc_small_exhaustive(void)
{
	static struct model m;
	unsigned int at, seq, all = 1, depth = 5;
	u64 nr;

	for (at = 0; at < depth; at++)
		all *= STEPS;
	for (nr = 2; nr <= 5; nr++)
		for (seq = 0; seq < all && !ktap_failures; seq++) {
			unsigned int rest = seq;

			model_init(&m, nr);
			for (at = 0; at < depth; at++, rest /= STEPS) {
				do_step(&m, (enum step)(rest % STEPS), at);
				CHECK(agree(&m));
			}
		}
}

void alloc_random(void)
{
	static struct model m;
	unsigned int round, n;
	u64 seed = 77;

	for (round = 0; round < 300 && !ktap_failures; round++) {
		model_init(&m, 2 + rnd(&seed) % 129);
		/* As on loading: some are owned from the start. */
		for (n = 0; n < m.nr / 3; n++) {
			u64 chunk = rnd(&seed) % (m.nr + 1);
			bool bad = chunk >= m.nr || m.state[chunk] == USED;

			CHECK_EQ(pmv_alloc_claim(&m.a, chunk), bad ? -EUCLEAN : 0);
			if (!bad)
				m.state[chunk] = USED;
		}
		CHECK_EQ(pmv_alloc_claim(&m.a, ~0ULL), -EUCLEAN);
		for (n = 0; n < 600 && !ktap_failures; n++) {
			do_step(&m, (enum step)(rnd(&seed) % STEPS), rnd(&seed) >> 8);
			CHECK(agree(&m));
		}
	}
}

/* A volume written from the beginning gets one run of chunks, clean ones or not. */
void alloc_neighbours(void)
{
	static struct model m;
	u64 chunk, last = 9, n;
	bool clean;

	model_init(&m, 64);
	for (n = 0; n < 20; n++) {
		CHECK_EQ(pmv_alloc_take(&m.a, PMV_CLAIM_THIN, last + 1, &chunk, &clean), 0);
		CHECK_EQ(chunk, last + 1);
		last = chunk;
	}
	CHECK_EQ(pmv_alloc_take(&m.a, PMV_CLAIM_THIN, ~0ULL, &chunk, &clean), 0);
	CHECK_EQ(chunk, last + 1);
}
