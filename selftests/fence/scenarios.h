/* SPDX-License-Identifier: GPL-2.0 */
/* Where a search begins and what it lets happen. */
#ifndef FENCE_SCENARIOS_H
#define FENCE_SCENARIOS_H

#include "search.h"

struct scenario {
	const char *name;
	struct rules rules;
	void (*seed)(struct state *s);
	/* how deep in the usual run, and its part of FENCE_SECONDS in a longer one, in percent */
	unsigned int depth, share;
};

extern const struct scenario scenarios[];
extern const unsigned int scenarios_nr;

const struct scenario *scenario_find(const char *name);
/* Sets the rules and makes the state it begins with. */
void scenario_begin(const struct scenario *sc, struct state *s);

/* wrong.c: the rules of the list that are wrong on purpose */
void every_wrong_rule_is_found(void);
void limits_are_real(void);

#endif /* FENCE_SCENARIOS_H */
