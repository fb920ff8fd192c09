// SPDX-License-Identifier: GPL-2.0
/* Fencing: every order of events to a depth, and proof that wrong rules would show. */
#include <stdio.h>
#include <stdlib.h>
#include "../unit/ktap.h"
#include "scenarios.h"

/* A usual run is limited by depth, so that it finds the same on every machine. */
#define SECONDS_MAX 300
#define STATES_MAX 60000000

static u64 states_of_all, events_of_all;

static void search(const struct scenario *sc)
{
	const char *seconds = getenv("FENCE_SECONDS");
	struct search q = { .depth_max = sc->depth,
			    .seconds = SECONDS_MAX,
			    .states_max = STATES_MAX };
	struct state s;

	if (seconds && atof(seconds) > 0) {
		q.depth_max = 250;
		q.seconds = atof(seconds) * sc->share / 100;
	}
	core_builtin();
	scenario_begin(sc, &s);
	search_run(&q, &s, true);
	printf("# %zu states, %llu events, depth %u%s, %.1f s\n", q.states,
	       (unsigned long long)q.events, q.depth, q.exhausted ? " (all there are)" : "",
	       q.took);
	states_of_all += q.states;
	events_of_all += q.events;
	if (q.violation)
		ktap_fail("after %u events: %s", q.trace_length, q.violation);
	CHECK(q.violation || q.depth >= 8 || q.exhausted);
}

#define EACH_SCENARIO(f)                                                                     \
	f(takeover) f(handover) f(torn) f(torn_race) f(paused) f(overtaken) f(race) f(given) \
		f(reboot) f(crash) f(faults) f(operator) f(forget) f(restart) f(leases)      \
			f(consumers) f(local) f(all)

#define DEFINE(name)                          \
	static void every_order_##name(void)  \
	{                                     \
		search(scenario_find(#name)); \
	}
EACH_SCENARIO(DEFINE)

/* clang-format off */
#define LIST(name) { "every_order_" #name, every_order_##name },

static const struct ktap_test tests[] = {
	{ "every_wrong_rule_is_found", every_wrong_rule_is_found },
	{ "limits_are_real", limits_are_real },
	EACH_SCENARIO(LIST)
};
/* clang-format on */

int main(int argc, char **argv)
{
	int status = ktap_run(tests, ARRAY_SIZE(tests), argc, argv);

	printf("# %llu states and %llu events in all searches of the real rules\n",
	       (unsigned long long)states_of_all, (unsigned long long)events_of_all);
	return status;
}
