/* SPDX-License-Identifier: GPL-2.0 */
/* What the measuring programs share: the clock, and which of several rounds counts. */
#ifndef CLOCK_H
#define CLOCK_H

#include <stdint.h>
#include <stdio.h>
#include <time.h>

static inline uint64_t now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC_RAW, &t);
	return t.tv_sec * 1000000000UL + t.tv_nsec;
}

/* The loops run in rounds, and the best one counts: an interrupt is none of the path's. */
#define ROUNDS 5

static inline void keep_best(uint64_t *best, uint64_t start)
{
	uint64_t took = now() - start;

	if (!*best || took < *best)
		*best = took;
}

static inline void per_op(uint64_t took, uint64_t ops)
{
	printf("%.1f\n", (double)took / ops);
}

#endif
