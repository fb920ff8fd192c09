/* SPDX-License-Identifier: GPL-2.0 */
/* Shared by the unit tests: every one of them, and a pool to try things on. */
#ifndef PMV_UNIT_TEST_H
#define PMV_UNIT_TEST_H

#include "ktap.h"
#include "pool.h"
#include "ram.h"

#define MIB (1ULL << 20)

void format_words(void);
void format_word_flips(void);
void format_superblock(void);
void format_descriptor(void);
void format_names(void);
void format_geometry(void);
void alloc_small_exhaustive(void);
void alloc_random(void);
void alloc_neighbours(void);
void map_pages_max(void);
void map_create_fill_release(void);
void map_grow_every_way(void);
void map_grow_fails(void);
void map_out_of_space(void);
void map_hostile_walk(void);
void volume_life(void);
void volume_thick_grow_fails(void);
void volume_slots(void);
void volume_segments(void);
void super_read(void);
void super_assemble(void);
void super_extend_destroy(void);
void super_format(void);
void load_mirror(void);
void load_lost_lines(void);
void load_unreadable(void);
void load_hostile(void);
void load_flips(void);
void snapshot_rules(void);
void snapshot_generation(void);
void snapshot_life(void);
void snapshot_limits(void);
void snapshot_lies(void);
void check_clean(void);
void check_every_byte(void);
void check_unreadable_lines(void);
void check_zeroed_lines(void);
void check_both_copies(void);
void check_lies(void);
void check_load_rest(void);

/* xorshift: the same numbers on every machine. */
static inline u64 rnd(u64 *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

/* A formatted pool on members of these many chunks, on media full of 0xa5. */
struct fixture {
	struct ram r;
	struct pool p;
	u64 size[POOL_DEVS];
	unsigned int nr;
};

static inline void fixture_init(struct fixture *f, unsigned int nr, u64 chunks)
{
	unsigned int i;

	f->nr = nr;
	for (i = 0; i < nr; i++)
		f->size[i] = 2 * MIB + chunks * 2 * MIB;
	ram_init(&f->r, f->size, nr, 0xa5);
	pool_plan(&f->p, &ram_ops, &f->r, f->size, nr, 0);
	CHECK_EQ(pool_format(&f->p), 0);
}

static inline int fixture_reload(struct fixture *f)
{
	return pool_open(&f->p, &ram_ops, &f->r, f->size, f->nr, true);
}

static inline void fixture_exit(struct fixture *f)
{
	ram_exit(&f->r);
}

/* Where the word or descriptor page @page stands in copy @copy. */
static inline unsigned int fixture_page(const struct fixture *f, u32 page, unsigned int copy, u64 *off)
{
	unsigned int per = pmv_pages_per_segment(&f->p.c), m;

	m = pmv_chunk_where(&f->p.c, f->p.seg[page / per].chunk[copy], off);
	*off += (u64)(page % per) * PMV_PAGE_SIZE;
	return m;
}

#endif /* PMV_UNIT_TEST_H */
