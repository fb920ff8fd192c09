/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Persistent memory that remembers what is not persistent yet, after the rules of x86:
 *
 *   - a plain store may reach the medium at any time until a flush and a fence make sure of it;
 *   - a flushed line, and what was written past the cache, may do so until the fence does;
 *   - of the plain stores to one line a prefix has arrived, of non-temporal ones any pieces,
 *     each of 8 bytes, whole;
 *   - nothing orders one line before another but a fence.
 *
 * There is one image, as the CPU sees it, with a journal to go back. A power cut takes back some
 * of what is pending; recovery then runs on that image with a recorder of its own.
 *
 * Data chunks are not stored. Each has a token: what it is full of, 0 for zeros.
 */
#ifndef PMV_CRASH_MEDIUM_H
#define PMV_CRASH_MEDIUM_H

#include "core.h"

#define IMAGE_DEVS	3
#define IMAGE_DATA_OFF	(2ULL << 20)
#define IMAGE_CHUNKS	16
#define IMAGE_SIZE	(IMAGE_DATA_OFF + ((u64)IMAGE_CHUNKS << PMV_CHUNK_SHIFT_MIN))
/* What chunks hold before anybody zeroes them. */
#define IMAGE_DIRT	0xa5a5a5a5a5a5a5a5ULL

void image_reset(void);
size_t image_mark(void);
void image_rollback(size_t mark);
u64 image_hash(void);
u64 image_get(unsigned int dev, u64 off);
void image_set(unsigned int dev, u64 off, u64 val);
u64 image_token(unsigned int dev, u64 off);
void image_set_token(unsigned int dev, u64 off, u64 token);

#define LINE_EVENTS	48
#define MEDIUM_LINES	4096

struct event {
	u64 val;
	u8 word;
	bool nt;
	bool flushed;
};

struct line {
	u64 addr;
	u64 persistent[8];
	unsigned int nr;
	struct event event[LINE_EVENTS];
};

struct medium {
	/* Called at every fence before it takes effect; may be NULL. */
	void (*at_fence)(struct medium *m);
	struct line line[MEDIUM_LINES];
	unsigned int nr_lines;
	unsigned int stamp;
	struct {
		unsigned int stamp, line;
	} index[2 * MEDIUM_LINES];
};

extern const struct pmv_media_ops medium_ops;

/* Copy a chunk of data past the cache. */
void medium_copy(struct medium *m, unsigned int to, u64 to_off, unsigned int from, u64 from_off);

void medium_init(struct medium *m, void (*at_fence)(struct medium *m));

/* How thoroughly to look at what may be left. */
struct cut_limits {
	unsigned int all_subsets;	/* up to this many lines */
	unsigned int singles;		/* beyond: so many lines alone, and all but one */
	unsigned int samples;		/* and so many random subsets */
	unsigned int torn_lines;	/* so many lines torn at each place */
	unsigned int torn_samples;	/* and so many images with all lines torn at random */
};

/* Call @check on every image a power cut now could leave, within limits. It says when to stop. */
void medium_cut(struct medium *m, const struct cut_limits *limits, bool (*check)(void *arg),
		void *arg);

#endif /* PMV_CRASH_MEDIUM_H */
