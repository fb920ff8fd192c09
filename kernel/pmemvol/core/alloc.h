/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The allocator of chunks. It lives in memory only and is rebuilt from the maps
 * when a pool is activated: what no map names is free.
 *
 * Pure code: the caller holds one lock around every function and provides the
 * bitmaps.
 */
#ifndef PMV_CORE_ALLOC_H
#define PMV_CORE_ALLOC_H

#include "pmv_port.h"

/* Chunks that only metadata may take: one segment, so that a full pool can be worked on. */
#define PMV_META_RESERVE	2U

enum pmv_claim {
	PMV_CLAIM_THIN,			/* neither promised chunks nor the reserve */
	PMV_CLAIM_THICK,		/* one of the promised chunks */
	PMV_CLAIM_META,			/* from the reserve if need be; not promised chunks */
};

enum pmv_returned {
	PMV_RETURN_CLEAN,		/* zero and fenced, and nobody can have it mapped */
	PMV_RETURN_DIRTY,		/* may hold data, but nobody looks at it any more */
};

/**
 * struct pmv_alloc - chunks of a pool
 * @used: bit: not free. Chunks on the way back are still used
 * @clean: bit: free and zero
 * @pending: bit: given back, to be erased after a grace period
 * @nr: chunks in the pool
 * @nr_free: bits not set in @used
 * @nr_clean: bits set in @clean
 * @nr_pending: bits set in @pending
 * @nr_soon: used chunks that will become free without anybody asking: pending, being erased,
 *	     or owned by a deleted volume
 * @owed: chunks promised to thick volumes and not yet provisioned
 * @cursor: where the next search begins
 */
struct pmv_alloc {
	unsigned long *used;
	unsigned long *clean;
	unsigned long *pending;
	u64 nr;
	u64 nr_free;
	u64 nr_clean;
	u64 nr_pending;
	u64 nr_soon;
	u64 owed;
	u64 cursor;
};

/** pmv_alloc_init() - all chunks free, not known to be zero; bitmaps of @nr zeroed bits each */
void pmv_alloc_init(struct pmv_alloc *a, u64 nr, unsigned long *used, unsigned long *clean,
		    unsigned long *pending);

/**
 * pmv_alloc_extend() - more chunks at the end
 * @a: allocator
 * @nr: new number of chunks
 * @used: zeroed bitmap of @nr bits that replaces the old one, as the other two do
 * @clean: likewise
 * @pending: likewise
 */
void pmv_alloc_extend(struct pmv_alloc *a, u64 nr, unsigned long *used, unsigned long *clean,
		      unsigned long *pending);

/** pmv_alloc_claim() - on loading: it is owned. Return: 0, -EUCLEAN owned twice or outside */
int pmv_alloc_claim(struct pmv_alloc *a, u64 chunk);

/** pmv_alloc_available() - chunks a thin volume could still get, now or soon */
u64 pmv_alloc_available(const struct pmv_alloc *a);

/**
 * pmv_alloc_take() - take a chunk
 * @a: allocator
 * @claim: on whose account
 * @hint: the chunk best taken if it is free; neighbours make larger DAX extents
 * @chunk: out
 * @clean: out: it is zero
 *
 * A zero chunk is preferred to a neighbour that would have to be zeroed first.
 *
 * Return: 0; -ENOSPC; -EAGAIN when chunks are on their way back: wait for them.
 */
int pmv_alloc_take(struct pmv_alloc *a, enum pmv_claim claim, u64 hint, u64 *chunk, bool *clean);

/** pmv_alloc_put() - undo pmv_alloc_take(), or give back a chunk that nobody can look at */
void pmv_alloc_put(struct pmv_alloc *a, enum pmv_claim claim, u64 chunk, enum pmv_returned how);

/** pmv_alloc_defer() - give back a chunk others may still be looking at: it becomes pending */
void pmv_alloc_defer(struct pmv_alloc *a, enum pmv_claim claim, u64 chunk);

/** pmv_alloc_promise() - promise @n more chunks to a thick volume. Return: 0 or -ENOSPC */
int pmv_alloc_promise(struct pmv_alloc *a, u64 n);

/** pmv_alloc_unpromise() - take back a promise of @n chunks not provisioned */
void pmv_alloc_unpromise(struct pmv_alloc *a, u64 n);

/** pmv_alloc_expect() - @n used chunks are a deleted volume's: pmv_alloc_cleared() frees each */
void pmv_alloc_expect(struct pmv_alloc *a, u64 n);

/** pmv_alloc_pick_pending() - the next pending chunk at or after @from. Return: it, or a->nr */
u64 pmv_alloc_pick_pending(const struct pmv_alloc *a, u64 from);

/** pmv_alloc_erased() - a pending chunk is zero now and free */
void pmv_alloc_erased(struct pmv_alloc *a, u64 chunk);

/** pmv_alloc_pick_dirty() - take a free chunk that is not zero, to clear it. Return: 0, -ENOENT */
int pmv_alloc_pick_dirty(struct pmv_alloc *a, u64 *chunk);

/** pmv_alloc_cleared() - free, and zero now: what pmv_alloc_pick_dirty() took or was expected */
void pmv_alloc_cleared(struct pmv_alloc *a, u64 chunk);

#endif /* PMV_CORE_ALLOC_H */
