/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A pool as tests see it: what its user (the module) keeps in memory, without locks and
 * with fixed limits. Devices stand in the order of the members.
 */
#ifndef PMV_TEST_POOL_H
#define PMV_TEST_POOL_H

#include "alloc.h"
#include "kin.h"
#include "load.h"

#define POOL_DEVS	4
#define POOL_CHUNKS	256
#define POOL_VOLS	32
#define POOL_LEAVES	2048
#define POOL_LONGS	BITS_TO_LONGS(POOL_CHUNKS)

struct pool_vol {
	struct pmv_desc d;
	struct pmv_map m;
	struct pmv_kin kin;		/* set by pool_kin() */
};

struct pool_entry {
	unsigned int vol;		/* in pool->vol */
	u64 index;
	struct pmv_word w;
};

struct pool_leaf {
	unsigned int vol;
	u64 leaf;
	u32 page;
};

struct pool {
	struct pmv_core c;
	struct pmv_segment seg[PMV_SEGMENTS_MAX];
	struct pmv_alloc a;
	unsigned long used[POOL_LONGS], clean[POOL_LONGS], pending[POOL_LONGS];
	struct pool_vol vol[POOL_VOLS];
	unsigned int nr_vols;
	struct pool_entry entry[POOL_CHUNKS];
	unsigned int nr_entries;
	struct pool_leaf leaf[POOL_LEAVES];
	unsigned int nr_leaves;
	struct pmv_sb sb[POOL_DEVS], sb_other;
	struct pmv_load_result res;
	const char *why;
	int culprit;
	/* Bitmaps of segments, of which there cannot be more than half the chunks. */
	unsigned int nr_maps;
	unsigned long map[POOL_CHUNKS / 2][BITS_TO_LONGS(1U << (PMV_CHUNK_SHIFT_MAX -
								PMV_PAGE_SHIFT))];
};

/* The superblocks of a pool that does not exist yet, in p->sb; @p is zeroed by it. */
void pool_plan(struct pool *p, const struct pmv_media_ops *ops, void *ctx, const u64 *size,
	       unsigned int nr, u64 phys);
/* pmv_format() of what was planned. */
int pool_format(struct pool *p);
/* A superblock like that of @p with device @nr added behind the others, for pmv_extend(). */
void pool_plan_extend(const struct pool *p, struct pmv_sb *sb, u64 size, u64 phys, u64 *data_off);
/*
 * Read, assemble and load; the members are as many of the first devices as the superblock of the
 * first one says. Return: 0 or the first error; p->why and p->res.why say more.
 */
int pool_open(struct pool *p, const struct pmv_media_ops *ops, void *ctx, const u64 *size,
	      unsigned int nr, bool repair);
/* What pool_open() loads with; and forgetting what was loaded before, but not the superblocks. */
extern const struct pmv_load_ops pool_load_ops;
void pool_forget(struct pool *p);
/* A zeroed bitmap for one more segment. */
unsigned long *pool_map(struct pool *p);
/* The volume in a slot, or NULL. */
struct pool_vol *pool_slot(struct pool *p, u32 slot);
/* The chunk of a volume at @index, or NULL. */
struct pool_entry *pool_chunk(struct pool *p, const struct pool_vol *v, u64 index);
/* The one whose kin this is. */
static inline struct pool_vol *pool_vol_of(struct pmv_kin *k)
{
	return (struct pool_vol *)((char *)k - offsetof(struct pool_vol, kin));
}

/* Let all volumes and snapshots know each other. */
void pool_kin(struct pool *p);
/* A pmv_kin_word for it, @ctx is the pool. */
int pool_kin_word(void *ctx, struct pmv_kin *k, u64 index, struct pmv_word *w);
/* Parameters of a volume whose name and UUID follow from one letter. */
void pool_params(struct pmv_volume_params *v, const char *letter, u64 chunks, bool thick);
/* Metadata pages marked in use in all segments. */
u64 pool_pages_used(const struct pool *p);

#endif /* PMV_TEST_POOL_H */
