/* SPDX-License-Identifier: GPL-2.0 */
/* Sequences of operations from all starts, the last of each with cuts. */
#ifndef PMV_CRASH_EXPLORE_H
#define PMV_CRASH_EXPLORE_H

#include "starts.h"

#define SEQUENCE_MAX 3

/* All sequences of @length operations. Return: how many; stops at the first violation. */
u64 explore_all(unsigned int length);
/* All single ones with so few metadata pages that they are refused, one more each time. Return: how many. */
u64 explore_short_of_pages(void);
/* Random ones of SEQUENCE_MAX operations until @seconds are over. Return: how many. */
u64 explore_random(double seconds, u64 seed);
/* All sequences of one operation with a site made to do nothing. Return: true when that shows. */
bool explore_without(unsigned int site, u64 *sequences);
/* Seconds of CPU time: how much is looked at does not depend on who else is busy. */
double now(void);

#endif /* PMV_CRASH_EXPLORE_H */
