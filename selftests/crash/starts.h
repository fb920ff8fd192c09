/* SPDX-License-Identifier: GPL-2.0 */
/* States from which sequences of operations begin. */
#ifndef PMV_CRASH_STARTS_H
#define PMV_CRASH_STARTS_H

#include "check.h"

struct start {
	const char *name;
	void (*build)(void);
	bool unclean;			/* only activation may come first */
};

#define STARTS_MAX 32

extern const struct start starts[];
extern const unsigned int nr_starts;

/* Make the image and its model. Return: false on failure, with violation set. */
bool start_build(const struct start *s, struct model *m);

#endif /* PMV_CRASH_STARTS_H */
