/* SPDX-License-Identifier: GPL-2.0 */
/* Running operations with a power cut at every moment, and judging what recovery makes of it. */
#ifndef PMV_CRASH_CHECK_H
#define PMV_CRASH_CHECK_H

#include "model.h"

struct figures {
	u64 runs;			/* of the operation with cuts */
	u64 fences;
	u64 images;			/* looked at */
	u64 distinct;			/* of them not seen before: recovered */
	u64 second;			/* images of cuts during recovery, distinct */
};

extern struct figures figures[OP_KINDS];

/* How thorough; set before use. */
struct thoroughness {
	struct cut_limits first, second;
	unsigned int second_every;	/* cut the recovery of one image in so many short too */
	bool quiet;			/* do not explain failures */
};

extern struct thoroughness thorough;

/* What went wrong first, or NULL; cleared by check_reset(), as is the memory of images seen. */
extern const char *violation;
void check_reset(void);

/*
 * Start from the image as it is; @m is what it means. One that is not @clean is left alone, for
 * activation to open it. Return: false when it cannot be opened.
 */
bool live_open(const struct model *m, bool clean);
/* Do operations on what was opened: without cuts, or with all. They set the model. */
bool live_run(const struct op *op);
#define ALL_PAGES (~0ULL)
/* With so few free metadata pages, or ALL_PAGES: it may be refused then, and changes nothing. */
bool live_run_with_cuts(const struct op *op, u64 pages);
/* Would it be? After this the image has to be opened again. */
bool live_is_refused(const struct op *op, u64 pages);
const struct model *live_model(void);
struct pool *live_pool(void);

#endif /* PMV_CRASH_CHECK_H */
