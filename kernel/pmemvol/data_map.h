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
 * Context: rcu_read_lock() or rcu_read_lock_sched() held since @top was read; as long as it is
 * held, the chunk is not erased and given to anybody else.
 * Return: the entry, 0 when nothing is provisioned (or the index is outside).
 */
static inline u64 pmv_map_lookup(const struct pmv_top *top, u64 index)
{
	u64 at = index >> PMV_LEAF_SHIFT;
	const struct pmv_leaf *leaf;

	if (unlikely(at >= top->nr))
		return 0;
	leaf = rcu_dereference_check(top->leaf[at], rcu_read_lock_sched_held());
	if (unlikely(!leaf))
		return 0;
	return READ_ONCE(leaf->entry[index & (PMV_WORDS_PER_PAGE - 1)]);
}

/** pmv_map_has_leaf() - may there be chunks near this one? Context: as pmv_map_lookup() */
static inline bool pmv_map_has_leaf(const struct pmv_top *top, u64 index)
{
	u64 at = index >> PMV_LEAF_SHIFT;

	return at < top->nr && rcu_access_pointer(top->leaf[at]);
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

/* ---- data_snap.c: what snapshots and clones are to the data path ---- */

/**
 * pmv_snap_own() - see to it that a chunk of the volume may change
 * @v: volume
 * @index: chunk of it
 *
 * What a snapshot shows of it is copied there first, and persistent on return.
 * Context: as pmv_map_provision(). Return: as that, or -EIO when it cannot be read.
 */
int pmv_snap_own(struct pmv_volume *v, u64 index);

/**
 * pmv_snap_keeps() - must a discard leave this chunk alone?
 *
 * Context: map_lock held. Return: snapshots show it, or it hides what a clone's snapshot shows.
 */
bool pmv_snap_keeps(struct pmv_volume *v, u64 index);

/**
 * pmv_snap_shows() - is anything to be read where there is no chunk of its own?
 * @v: snapshot or clone
 * @index: chunk of it
 *
 * Context: may sleep. Return: 0, 1 or an error.
 */
int pmv_snap_shows(struct pmv_volume *v, u64 index);

/**
 * pmv_snap_fill() - a clone's new chunk gets what its snapshot shows there
 * @v: volume
 * @index: chunk of it, which it does not have yet
 * @chunk: zeroed
 *
 * Context: map_lock held. Return: 0, with the content persistent, or errno.
 */
int pmv_snap_fill(struct pmv_volume *v, u64 index, u64 chunk);

/** pmv_snap_read() - read where a snapshot or clone has no chunk of its own. Context: may sleep */
int pmv_snap_read(struct pmv_volume *v, u64 index, unsigned int off, void *buf, unsigned int len);

/**
 * pmv_snap_switch() - from here on @snapshot is the newest of @v
 * @v: volume
 * @snapshot: persistent
 *
 * On return nobody changes a chunk who has not looked. Context: map_lock of @v held.
 */
void pmv_snap_switch(struct pmv_volume *v, struct pmv_volume *snapshot);

/** pmv_snap_volume() - whose place among its kind this is */
static inline struct pmv_volume *pmv_snap_volume(struct pmv_kin *k)
{
	return container_of(k, struct pmv_volume, kin);
}

/** pmv_snap_word() - a pmv_kin_word for volumes. Context: kin_sem held, may sleep */
int pmv_snap_word(void *ctx, struct pmv_kin *k, u64 index, struct pmv_word *w);

/**
 * pmv_snap_copy() - copy a chunk, unfenced
 * @pool: pool
 * @to: chunk that nobody else looks at
 * @from: chunk
 *
 * Context: kin_sem held, may sleep. Return: 0, -EIO when it cannot be read, -ENXIO.
 */
int pmv_snap_copy(struct pmv_pool *pool, u64 to, u64 from);

/** pmv_snap_reads_through() - may it show others' chunks? */
static inline bool pmv_snap_reads_through(const struct pmv_volume *v)
{
	return v->kin.parent || pmv_volume_is_snapshot(v);
}

/** pmv_map_make_leaf_of() - memory and page of the leaf of @index. Context: map_lock held */
int pmv_map_make_leaf_of(struct pmv_volume *v, u64 index);

/** pmv_map_slot() - an entry in memory, or NULL without its leaf. Context: map_lock held */
u64 *pmv_map_slot(struct pmv_volume *v, u64 index);

/** pmv_map_drop() - take a chunk away that nothing needs. Return: 0, -ENXIO. Context: may sleep */
int pmv_map_drop(struct pmv_volume *v, u64 index);

/** pmv_map_publish() - commit and show a chunk. Context: map_lock held, its leaf made */
void pmv_map_publish(struct pmv_volume *v, u64 index, struct pmv_word w);

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
