// SPDX-License-Identifier: GPL-2.0
#include "fence-test.h"

#define GRANT 100 /* in a list of events: an epoch one greater is granted */
#define END (-1)

struct row {
	int events[8];
	enum nvf_state state;
	bool sticky, tenure;
	enum nvf_gate_act act; /* of the last event */
};

static enum nvf_gate_act play(struct nvf_gate *g, const int *events)
{
	enum nvf_gate_act act = NVF_ACT_NONE;
	u64 newest = 10;

	memset(g, 0, sizeof(*g));
	for (; *events != END; events++) {
		if (*events == GRANT) {
			newest++;
			act = nvf_gate_event(g, NVF_EV_GRANT, newest, newest);
		} else {
			act = nvf_gate_event(g, *events, 0, newest);
		}
	}
	return act;
}

void gate_table(void)
{
	static const struct row table[] = {
		{ { END }, NVF_FENCED, false, false, NVF_ACT_NONE },
		{ { GRANT, END }, NVF_GRANTED, false, false, NVF_ACT_OPENED },
		{ { NVF_EV_OPEN, GRANT, END }, NVF_GRANTED, false, true, NVF_ACT_OPENED },
		{ { GRANT, NVF_EV_OPEN, END }, NVF_GRANTED, false, true, NVF_ACT_NONE },
		{ { GRANT, NVF_EV_OPEN, NVF_EV_TAKEN_OVER, END },
		  NVF_STALE,
		  true,
		  true,
		  NVF_ACT_SHUT },
		{ { GRANT, NVF_EV_OPEN, NVF_EV_CONFLICT, END },
		  NVF_STALE,
		  true,
		  true,
		  NVF_ACT_SHUT },
		{ { GRANT, NVF_EV_OPEN, NVF_EV_FORGOTTEN, END },
		  NVF_STALE,
		  true,
		  true,
		  NVF_ACT_SHUT },
		{ { GRANT, NVF_EV_OPEN, NVF_EV_LEASE, END }, NVF_STALE, true, true, NVF_ACT_SHUT },
		{ { GRANT, NVF_EV_OPEN, NVF_EV_GONE, END }, NVF_STALE, true, true, NVF_ACT_SHUT },
		{ { GRANT, NVF_EV_OPEN, NVF_EV_RELEASE_ADMIN, END },
		  NVF_FENCED,
		  true,
		  true,
		  NVF_ACT_SHUT },
		{ { GRANT, NVF_EV_OPEN, NVF_EV_RELEASE, END },
		  NVF_FENCED,
		  false,
		  false,
		  NVF_ACT_SHUT },
		{ { GRANT, NVF_EV_OPEN, NVF_EV_ACQUIRE, END },
		  NVF_FENCED,
		  false,
		  true,
		  NVF_ACT_SHUT },
		{ { GRANT, NVF_EV_OPEN, NVF_EV_ACQUIRE, NVF_EV_FAILED, END },
		  NVF_FENCED,
		  true,
		  true,
		  NVF_ACT_NONE },
		{ { GRANT, NVF_EV_OPEN, NVF_EV_ACQUIRE, NVF_EV_TAKEN_OVER, END },
		  NVF_STALE,
		  true,
		  true,
		  NVF_ACT_NONE },
		/* Nobody has a file open: nothing is sticky. */
		{ { GRANT, NVF_EV_TAKEN_OVER, END }, NVF_STALE, false, false, NVF_ACT_SHUT },
		{ { GRANT, NVF_EV_TAKEN_OVER, GRANT, END },
		  NVF_GRANTED,
		  false,
		  false,
		  NVF_ACT_OPENED },
		{ { GRANT, NVF_EV_ACQUIRE, NVF_EV_FAILED, GRANT, END },
		  NVF_GRANTED,
		  false,
		  false,
		  NVF_ACT_OPENED },
		/* What has nothing loses nothing, and a failure before publishing shuts nothing. */
		{ { NVF_EV_OPEN, NVF_EV_CONFLICT, END }, NVF_FENCED, false, false, NVF_ACT_NONE },
		{ { NVF_EV_OPEN, NVF_EV_TAKEN_OVER, GRANT, END },
		  NVF_GRANTED,
		  false,
		  true,
		  NVF_ACT_OPENED },
		{ { GRANT, NVF_EV_OPEN, NVF_EV_FAILED, END },
		  NVF_GRANTED,
		  false,
		  true,
		  NVF_ACT_NONE },
		/* A conflict that comes after the consumer's own release is one all the same. */
		{ { GRANT, NVF_EV_OPEN, NVF_EV_RELEASE, NVF_EV_CONFLICT, END },
		  NVF_STALE,
		  true,
		  false,
		  NVF_ACT_NONE },
		{ { GRANT, NVF_EV_GONE, GRANT, END }, NVF_STALE, false, false, NVF_ACT_REFUSED },
		/* Never below none. */
		{ { NVF_EV_CLOSE, NVF_EV_CLOSE, NVF_EV_OPEN, GRANT, END },
		  NVF_GRANTED,
		  false,
		  true,
		  NVF_ACT_OPENED },
	};
	struct nvf_gate g;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(table); i++) {
		const struct row *t = &table[i];
		enum nvf_gate_act act = play(&g, t->events);

		if (g.state != t->state || g.sticky != t->sticky || g.tenure != t->tenure ||
		    act != t->act)
			ktap_fail("row %u: state %d sticky %d tenure %d act %d", i, g.state,
				  g.sticky, g.tenure, act);
	}
}

void gate_grants(void)
{
	struct nvf_gate g = { 0 };

	CHECK_EQ(nvf_gate_event(&g, NVF_EV_GRANT, 0, 0), NVF_ACT_REFUSED);
	CHECK_EQ(nvf_gate_event(&g, NVF_EV_GRANT, 5, 6), NVF_ACT_REFUSED);
	CHECK_EQ(nvf_gate_event(&g, NVF_EV_GRANT, 6, 5), NVF_ACT_REFUSED);
	CHECK_EQ(nvf_gate_event(&g, NVF_EV_GRANT, 5, 5), NVF_ACT_OPENED);
	CHECK_EQ(nvf_gate_event(&g, NVF_EV_GRANT, 5, 5), NVF_ACT_REFUSED);
	CHECK_EQ(g.state, NVF_GRANTED);
	nvf_gate_event(&g, NVF_EV_OPEN, 0, 5);
	CHECK_EQ(nvf_gate_tenure(&g), 5);
	/* With files open only what follows one's own. */
	nvf_gate_event(&g, NVF_EV_ACQUIRE, 0, 6);
	CHECK_EQ(nvf_gate_event(&g, NVF_EV_GRANT, 6, 6), NVF_ACT_REFUSED);
	CHECK_EQ(nvf_gate_grant(&g, 6, 4, 6), NVF_ACT_REFUSED);
	CHECK_EQ(nvf_gate_grant(&g, 6, 5, 7), NVF_ACT_REFUSED);
	CHECK_EQ(nvf_gate_grant(&g, 6, 5, 6), NVF_ACT_OPENED);
	CHECK_EQ(nvf_gate_tenure(&g), 6);
	nvf_gate_event(&g, NVF_EV_CLOSE, 0, 6);
	CHECK_EQ(nvf_gate_tenure(&g), 0);
	CHECK_EQ(nvf_gate_grant(&g, NVF_EPOCH_MAX, 0, NVF_EPOCH_MAX), NVF_ACT_OPENED);
}

/* The last of the files has to be closed, those opened later too. */
void gate_sticky(void)
{
	struct nvf_gate g = { 0 };

	nvf_gate_event(&g, NVF_EV_GRANT, 5, 5);
	nvf_gate_event(&g, NVF_EV_OPEN, 0, 5);
	nvf_gate_event(&g, NVF_EV_TAKEN_OVER, 0, 6);
	nvf_gate_event(&g, NVF_EV_OPEN, 0, 6);
	CHECK(!nvf_gate_may_acquire(&g));
	nvf_gate_event(&g, NVF_EV_CLOSE, 0, 6);
	CHECK(!nvf_gate_may_acquire(&g));
	CHECK_EQ(nvf_gate_grant(&g, 7, 5, 7), NVF_ACT_REFUSED);
	nvf_gate_event(&g, NVF_EV_CLOSE, 0, 7);
	CHECK(nvf_gate_may_acquire(&g));
	nvf_gate_event(&g, NVF_EV_OPEN, 0, 7);
	CHECK_EQ(nvf_gate_event(&g, NVF_EV_GRANT, 7, 7), NVF_ACT_OPENED);
}

/* Whatever happens: open only by a grant that was taken, never after the device is gone. */
void gate_random(void)
{
	u64 seed = 3, newest = 0;
	unsigned int i;

	for (i = 0; i < 20000; i++) {
		struct nvf_gate g = { 0 };
		unsigned int n;

		for (n = 0; n < 30; n++) {
			enum nvf_event event = rnd(&seed) % (NVF_EV_FAILED + 1);
			struct nvf_gate was = g;
			enum nvf_gate_act act;

			if (rnd(&seed) % 3 == 0)
				newest++;
			act = nvf_gate_event(&g, event, newest - rnd(&seed) % 2, newest);
			CHECK((act == NVF_ACT_OPENED) ==
			      (event == NVF_EV_GRANT && g.epoch != was.epoch));
			CHECK((act == NVF_ACT_SHUT) ==
			      (was.state == NVF_GRANTED && g.state != NVF_GRANTED));
			CHECK(g.state != NVF_GRANTED || was.state == NVF_GRANTED ||
			      act == NVF_ACT_OPENED);
			CHECK(g.epoch >= was.epoch);
			CHECK(!(g.state == NVF_GRANTED && (g.gone || g.sticky)));
			CHECK(!(g.sticky && !g.openers) && !(g.tenure && !g.openers));
			CHECK(!was.sticky || g.sticky || !g.openers);
		}
	}
}
