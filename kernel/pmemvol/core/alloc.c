// SPDX-License-Identifier: GPL-2.0
/* The allocator of chunks, see alloc.h. */
#include "alloc.h"

void pmv_alloc_init(struct pmv_alloc *a, u64 nr, unsigned long *used, unsigned long *clean,
		    unsigned long *pending)
{
	memset(a, 0, sizeof(*a));
	a->nr = nr;
	a->nr_free = nr;
	a->used = used;
	a->clean = clean;
	a->pending = pending;
}

void pmv_alloc_extend(struct pmv_alloc *a, u64 nr, unsigned long *used, unsigned long *clean,
		      unsigned long *pending)
{
	size_t len = BITS_TO_LONGS(a->nr) * sizeof(long);

	/* Bits behind the old end were never set, so whole longs can be copied. */
	memcpy(used, a->used, len);
	memcpy(clean, a->clean, len);
	memcpy(pending, a->pending, len);
	a->used = used;
	a->clean = clean;
	a->pending = pending;
	a->nr_free += nr - a->nr;
	a->nr = nr;
}

int pmv_alloc_claim(struct pmv_alloc *a, u64 chunk)
{
	if (chunk >= a->nr || test_bit(chunk, a->used))
		return -EUCLEAN;
	__set_bit(chunk, a->used);
	a->nr_free--;
	return 0;
}

static u64 sub_floor(u64 a, u64 b)
{
	return a > b ? a - b : 0;
}

u64 pmv_alloc_available(const struct pmv_alloc *a)
{
	return sub_floor(a->nr_free + a->nr_soon, a->owed + PMV_META_RESERVE);
}

static bool may_take(const struct pmv_alloc *a, enum pmv_claim claim)
{
	switch (claim) {
	case PMV_CLAIM_THIN:
		return pmv_alloc_available(a) > 0;
	case PMV_CLAIM_THICK:
		return a->owed > 0;
	case PMV_CLAIM_META:
		return sub_floor(a->nr_free + a->nr_soon, a->owed) > 0;
	}
	return false;
}

static bool is_free(const struct pmv_alloc *a, u64 chunk)
{
	return chunk < a->nr && !test_bit(chunk, a->used);
}

/* The next bit from the cursor on, wrapping once; a->nr when there is none. */
static u64 search(const struct pmv_alloc *a, bool clean)
{
	u64 at;

	if (clean) {
		at = find_next_bit(a->clean, a->nr, a->cursor);
		return at < a->nr ? at : find_next_bit(a->clean, a->nr, 0);
	}
	at = find_next_zero_bit(a->used, a->nr, a->cursor);
	return at < a->nr ? at : find_next_zero_bit(a->used, a->nr, 0);
}

static void take(struct pmv_alloc *a, u64 chunk, bool *clean)
{
	*clean = test_bit(chunk, a->clean);
	if (*clean) {
		__clear_bit(chunk, a->clean);
		a->nr_clean--;
	}
	__set_bit(chunk, a->used);
	a->nr_free--;
}

int pmv_alloc_take(struct pmv_alloc *a, enum pmv_claim claim, u64 hint, u64 *chunk, bool *clean)
{
	if (!may_take(a, claim))
		return -ENOSPC;
	if (!a->nr_free)
		return a->nr_soon ? -EAGAIN : -ENOSPC;

	if (is_free(a, hint) && (test_bit(hint, a->clean) || !a->nr_clean))
		*chunk = hint;
	else
		*chunk = search(a, a->nr_clean > 0);
	take(a, *chunk, clean);
	a->cursor = *chunk + 1 < a->nr ? *chunk + 1 : 0;
	if (claim == PMV_CLAIM_THICK)
		a->owed--;
	return 0;
}

static void set_free(struct pmv_alloc *a, u64 chunk, bool clean)
{
	__clear_bit(chunk, a->used);
	a->nr_free++;
	if (clean) {
		__set_bit(chunk, a->clean);
		a->nr_clean++;
	}
}

void pmv_alloc_put(struct pmv_alloc *a, enum pmv_claim claim, u64 chunk, enum pmv_returned how)
{
	set_free(a, chunk, how == PMV_RETURN_CLEAN);
	if (claim == PMV_CLAIM_THICK)
		a->owed++;
}

void pmv_alloc_defer(struct pmv_alloc *a, enum pmv_claim claim, u64 chunk)
{
	__set_bit(chunk, a->pending);
	a->nr_pending++;
	a->nr_soon++;
	if (claim == PMV_CLAIM_THICK)
		a->owed++;
}

int pmv_alloc_promise(struct pmv_alloc *a, u64 n)
{
	if (n > pmv_alloc_available(a))
		return -ENOSPC;
	a->owed += n;
	return 0;
}

void pmv_alloc_unpromise(struct pmv_alloc *a, u64 n)
{
	a->owed -= n;
}

void pmv_alloc_expect(struct pmv_alloc *a, u64 n)
{
	a->nr_soon += n;
}

u64 pmv_alloc_pick_pending(const struct pmv_alloc *a, u64 from)
{
	return find_next_bit(a->pending, a->nr, from);
}

void pmv_alloc_erased(struct pmv_alloc *a, u64 chunk)
{
	__clear_bit(chunk, a->pending);
	a->nr_pending--;
	a->nr_soon--;
	set_free(a, chunk, true);
}

int pmv_alloc_pick_dirty(struct pmv_alloc *a, u64 *chunk)
{
	u64 at = a->cursor, turns;

	if (a->nr_free == a->nr_clean)
		return -ENOENT;
	/* Behind the cursor first: that is where the next chunks will be looked for. */
	for (turns = 0; turns < 2; turns++, at = 0) {
		for (at = find_next_zero_bit(a->used, a->nr, at); at < a->nr;
		     at = find_next_zero_bit(a->used, a->nr, at + 1)) {
			if (test_bit(at, a->clean))
				continue;
			__set_bit(at, a->used);
			a->nr_free--;
			a->nr_soon++;
			*chunk = at;
			return 0;
		}
	}
	return -ENOENT;
}

void pmv_alloc_cleared(struct pmv_alloc *a, u64 chunk)
{
	a->nr_soon--;
	set_free(a, chunk, true);
}
