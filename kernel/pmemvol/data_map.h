/* SPDX-License-Identifier: GPL-2.0 */
/* The map of a volume in memory: found without a lock, changed under its map_lock. */
#ifndef PMV_DATA_MAP_H
#define PMV_DATA_MAP_H

#include <linux/rcupdate.h>

#include "pool.h"

/**
 * pmv_map_lookup() - where is this chunk?
 * @top: of the volume
 * @index: chunk of the volume
 *
 * Context: rcu_read_lock() held since @top was read; as long as it is held, the chunk is not
 * erased and given to anybody else.
 * Return: the entry, 0 when nothing is provisioned (or the index is outside).
 */
static inline u64 pmv_map_lookup(const struct pmv_top *top, u64 index)
{
	u64 at = index >> PMV_LEAF_SHIFT;
	const struct pmv_leaf *leaf;

	if (unlikely(at >= top->nr))
		return 0;
	leaf = rcu_dereference(top->leaf[at]);
	if (unlikely(!leaf))
		return 0;
	return READ_ONCE(leaf->entry[index & (PMV_WORDS_PER_PAGE - 1)]);
}

/**
 * pmv_map_provision() - give the volume a zeroed chunk unless it has one
 * @v: volume
 * @index: chunk of the volume
 *
 * On return the entry is persistent and visible.
 * Context: process, may sleep, starts no I/O.
 * Return: 0, -ENOSPC, -ENOMEM, -EROFS, -ENXIO, -EUCLEAN.
 */
int pmv_map_provision(struct pmv_volume *v, u64 index);

/**
 * pmv_map_unprovision() - take chunks away from the volume
 * @v: volume
 * @first: chunk of the volume
 * @nr: how many
 *
 * On return this is persistent; the chunks are erased in the background. A chunk that a file
 * has mapped stays.
 * Context: process, may sleep, starts no I/O.
 * Return: 0, -EROFS, -ENXIO.
 */
int pmv_map_unprovision(struct pmv_volume *v, u64 first, u64 nr);

/** pmv_map_chunk() - number of the chunk an entry names. @pool: pool; @entry: not 0 */
u64 pmv_map_chunk(const struct pmv_pool *pool, u64 entry);

/** pmv_map_entry() - entry of a chunk. @pool: pool; @chunk: number */
u64 pmv_map_entry(const struct pmv_pool *pool, u64 chunk);

/** pmv_map_load_leaf() - on activation, memory for a leaf. Return: 0 or -ENOMEM. */
int pmv_map_load_leaf(struct pmv_volume *v, u64 leaf, u32 page);

/** pmv_map_load_chunk() - on activation, an entry of a leaf that was loaded. */
void pmv_map_load_chunk(struct pmv_volume *v, u64 index, u64 chunk);

/** pmv_map_fill_leaves() - memory for every leaf: a thick volume must never lack it. */
int pmv_map_fill_leaves(struct pmv_volume *v);

/** pmv_map_media_bytes() - what the tables of a map take on media, both copies */
u64 pmv_map_media_bytes(struct pmv_volume *v);

struct pmv_top *pmv_top_alloc(u64 chunks);

/** pmv_top_grow() - a larger top with the same leaves, to be published with pmv_top_replace() */
struct pmv_top *pmv_top_grow(struct pmv_volume *v, u64 chunks);

/** pmv_top_replace() - publish @top and free the old one. Context: map_lock held. */
void pmv_top_replace(struct pmv_volume *v, struct pmv_top *top);

/**
 * pmv_top_retire() - no chunk of the volume is found any more: its medium goes away
 * @v: volume
 *
 * The map is kept for pmv_volume_free(). Context: map_lock held.
 */
void pmv_top_retire(struct pmv_volume *v);

/** pmv_top_free() - free a map with its leaves; nobody looks at it. */
void pmv_top_free(struct pmv_top *top);

/** pmv_top_of() - the map of a volume for whoever may change it. Context: map_lock, or owner */
static inline struct pmv_top *pmv_top_of(struct pmv_volume *v)
{
	return rcu_dereference_protected(v->top, 1);
}

#endif /* PMV_DATA_MAP_H */
