/* SPDX-License-Identifier: GPL-2.0 */
/* Breadth first through every state, so that the first violation has the fewest events. */
#ifndef FENCE_SEARCH_H
#define FENCE_SEARCH_H

#include "model.h"

struct search {
	/* in: stop at whichever comes first */
	unsigned int depth_max;
	double seconds;
	size_t states_max;
	/* out: the depth that was looked at in full */
	unsigned int depth;
	size_t states;
	u64 events;
	double took;
	const char *violation;
	unsigned int trace_length;
	bool exhausted; /* there is nothing beyond */
};

double now(void);
/* Everything that can happen from @from. The trace of a violation is printed if asked for. */
void search_run(struct search *q, const struct state *from, bool print_trace);

#endif /* FENCE_SEARCH_H */
