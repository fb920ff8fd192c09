/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The metadata of a pool: superblocks, metadata pages, descriptors, maps, and
 * the operations on them as sequences of stores that any power cut leaves whole.
 *
 * Pure code. The caller provides memory, locks and the medium:
 *
 *   - functions marked [meta] change or read the page allocator, the segment
 *     table, the directory or descriptors: one at a time in a pool;
 *   - functions marked [map] change words of one volume's map: one at a time in
 *     a volume. They may run beside [meta] ones and those of other volumes.
 *
 * Every function that changes the medium has fenced what it did when it returns.
 * Reading a pool back is in load.h, what can be wrong with it in find.h, whose
 * chunk a snapshot shows in kin.h.
 */
#ifndef PMV_CORE_CORE_H
#define PMV_CORE_CORE_H

#include "format.h"

/**
 * struct pmv_media_ops - the only way core/ touches a medium
 * @store64: store @val, little endian, at an 8-byte aligned offset, as one store
 * @write: copy @len bytes past the cache; persistent after the next fence
 * @zero: clear @len bytes past the cache; persistent after the next fence
 * @flush: write back the cache lines of a range; persistent after the next fence
 * @fence: return when all that was flushed or written past the cache is persistent
 * @read: copy from the medium; -EIO when any of it is unreadable. Nothing of @dst counts then
 *
 * @member counts from 0 in the order of the superblock; @off is in bytes from the start of the
 * device. The range is always inside the member.
 */
struct pmv_media_ops {
	void (*store64)(void *ctx, unsigned int member, u64 off, u64 val);
	void (*write)(void *ctx, unsigned int member, u64 off, const void *src, size_t len);
	void (*zero)(void *ctx, unsigned int member, u64 off, size_t len);
	void (*flush)(void *ctx, unsigned int member, u64 off, size_t len);
	void (*fence)(void *ctx);
	int (*read)(void *ctx, unsigned int member, u64 off, void *dst, size_t len);
};

/* A piece of metadata space: two chunks with the same content, PMV_PAGE_SIZE pages in each. */
struct pmv_segment {
	u32 chunk[PMV_COPIES];
	u32 used;			/* pages */
	u32 cursor;
	unsigned long *map;		/* one bit a page: in use. NULL: the segment is lost */
};

struct pmv_page_buf {
	__le64 word[PMV_WORDS_PER_PAGE];
};

/**
 * struct pmv_core - metadata of one pool
 * @ops: the medium
 * @ctx: handed to @ops
 * @sb: what all superblocks of the pool have in common, and those of member 0
 * @map_gen: birth generation of chunks that are provisioned now. That of @sb once it is persistent:
 *	[map] functions' callers read it beside [meta] ones, with READ_ONCE()
 * @data_off: of each member
 * @device_size: of each member
 * @chunks: in the pool
 * @segment: array of PMV_SEGMENTS_MAX
 * @nr_segments: of them in use
 * @free_pages: metadata pages that can be taken
 * @scratch: for one [meta] function at a time
 * @sb_scratch: likewise
 * @sb_copy: likewise
 * @desc_copy: likewise
 */
struct pmv_core {
	const struct pmv_media_ops *ops;
	void *ctx;
	struct pmv_sb sb;
	u64 map_gen;
	u64 data_off[PMV_MEMBERS_MAX];
	u64 device_size[PMV_MEMBERS_MAX];
	u64 chunks;
	unsigned int chunk_shift;
	unsigned int nr_members;
	struct pmv_segment *segment;
	unsigned int nr_segments;
	u64 free_pages;
	struct pmv_sb sb_scratch;
	struct pmv_sb sb_copy[PMV_COPIES];
	struct pmv_desc desc_copy[PMV_COPIES];
	struct pmv_page_buf scratch[PMV_HEIGHT_MAX + 2][PMV_COPIES];
};

/* The map of one volume: where its table hangs. */
struct pmv_map {
	u32 slot;
	u32 root;
	u32 height;
	u64 chunks;
};

static inline unsigned int pmv_pages_per_segment(const struct pmv_core *c)
{
	return 1U << (c->chunk_shift - PMV_PAGE_SHIFT);
}

static inline u64 pmv_map_leaves(u64 chunks)
{
	return (chunks + BIT_ULL(PMV_LEAF_SHIFT) - 1) >> PMV_LEAF_SHIFT;
}

/* ---- super.c: superblocks ---- */

/**
 * pmv_sb_read() - read the superblock of a device
 * @ops: the medium
 * @ctx: for @ops
 * @member: which, for @ops
 * @device_size: bytes
 * @sb: the valid copy with the higher generation
 * @other: scratch
 * @why: sentence on refusal
 *
 * Return: 0, or as pmv_sb_verify() when neither copy is valid, -EIO when neither is readable.
 */
int pmv_sb_read(const struct pmv_media_ops *ops, void *ctx, unsigned int member, u64 device_size,
		struct pmv_sb *sb, struct pmv_sb *other, const char **why);

/**
 * pmv_sb_assemble() - do these superblocks make one whole pool?
 * @sb: one of each device, verified, in any order
 * @nr: how many
 * @order: out: @order[i] is the device that is member i
 * @culprit: out: the device to blame, or -1
 * @why: sentence on refusal
 *
 * Return: 0; -ESTALE a member is missing, foreign or stale; -EUCLEAN they contradict each other.
 */
int pmv_sb_assemble(const struct pmv_sb *const *sb, unsigned int nr, unsigned int *order,
		    int *culprit, const char **why);

/**
 * pmv_core_init() - take geometry from the superblocks
 * @c: zeroed; @c->ops, @c->ctx and @c->segment set
 * @sb: of each member, in order
 */
void pmv_core_init(struct pmv_core *c, const struct pmv_sb *const *sb);

/**
 * pmv_sb_commit() - write c->sb to all members with the next generation [meta]
 * @c: pool
 *
 * Member 0 is last: until it is written, the old superblock counts.
 */
void pmv_sb_commit(struct pmv_core *c);

/** pmv_sb_mirror_counts() - of two copies and what verifying them returned: is it the second? */
bool pmv_sb_mirror_counts(const struct pmv_sb *sb, int ret, const struct pmv_sb *mirror,
			  int mirror_ret);

/**
 * pmv_sb_unknown() - is this the newer copy, and of a version that this code does not know?
 *
 * Nothing may be concluded from the older copy then.
 */
bool pmv_sb_unknown(const struct pmv_sb *sb, int ret, const struct pmv_sb *other, int other_ret);

/** pmv_sb_wipe() - make a device a member of nothing. @c: pool; @member: which [meta] */
void pmv_sb_wipe(struct pmv_core *c, unsigned int member);

/**
 * pmv_format() - lay out a new pool [meta]
 * @c: initialised by pmv_core_init() from superblocks that were never written
 * @map0: bitmap of pmv_pages_per_segment() bits for the first segment, zeroed
 *
 * The first segment takes the first chunk of the first and of the last member (of a single
 * member its first two). The pool exists when member 0's superblock is written, which is last.
 *
 * Return: 0, or -ENOSPC when the pool has not even the chunks for that; nothing is changed then.
 */
int pmv_format(struct pmv_core *c, unsigned long *map0);

/**
 * pmv_extend() - add members [meta]
 * @c: pool
 * @sb: what c->sb shall become: the old one with members added at the end
 * @data_off: of the new members
 * @device_size: of the new members
 */
void pmv_extend(struct pmv_core *c, const struct pmv_sb *sb, const u64 *data_off,
		const u64 *device_size);

/** pmv_destroy() - end a pool: member 0 first, so it is gone at once. @c: pool [meta] */
void pmv_destroy(struct pmv_core *c);

/* ---- meta.c: metadata pages ---- */

/** pmv_chunk_where() - find a chunk. @c: pool; @chunk: number; @off: out. Return: its member. */
unsigned int pmv_chunk_where(const struct pmv_core *c, u64 chunk, u64 *off);

/** pmv_chunk_zero() - clear a chunk past the cache; the caller fences. @c: pool; @chunk: number */
void pmv_chunk_zero(const struct pmv_core *c, u64 chunk);

/**
 * pmv_segment_add() - make two free chunks metadata space [meta]
 * @c: pool
 * @primary: chunk
 * @mirror: chunk
 * @map: zeroed bitmap of pmv_pages_per_segment() bits; owned by the segment from now on
 *
 * Return: 0, or -ENOSPC when the segment table is full.
 */
int pmv_segment_add(struct pmv_core *c, u32 primary, u32 mirror, unsigned long *map);

/** pmv_page_take() - take a page and clear it, unfenced [meta]. Return: number or -ENOSPC. */
int pmv_page_take(struct pmv_core *c, u32 *page);

/** pmv_page_put() - give a page back that nothing on media names; ignores one not in use [meta] */
void pmv_page_put(struct pmv_core *c, u32 page);

/** pmv_page_claim() - note on loading that a page is in use. Return: 0 or -EUCLEAN. [meta] */
int pmv_page_claim(struct pmv_core *c, u64 page);

/** pmv_word_store() - store and flush a word in both copies; the caller fences */
void pmv_word_store(const struct pmv_core *c, u32 page, unsigned int index, u64 raw);

/**
 * pmv_word_load() - read one word, from the mirror when the primary copy has none that is good
 * @c: pool
 * @page: metadata page
 * @at: which word of it
 * @kind: as for pmv_word_decode()
 * @owner: as for pmv_word_decode()
 * @index: as for pmv_word_decode()
 * @w: out; of a directory or node word the page is one that exists
 *
 * Return: 0, -ENOENT when there is none, -EUCLEAN when neither copy is good.
 */
int pmv_word_load(const struct pmv_core *c, u32 page, unsigned int at, enum pmv_word_kind kind,
		  u32 owner, u64 index, struct pmv_word *w);

/** pmv_page_write() - write part of one copy of a page, unfenced */
void pmv_page_write(const struct pmv_core *c, u32 page, unsigned int copy, unsigned int off,
		    const void *src, size_t len);

/** pmv_page_where() - where a copy of a page stands. @off: out. Return: the member. */
unsigned int pmv_page_where(const struct pmv_core *c, u32 page, unsigned int copy, u64 *off);

/** pmv_page_read() - read part of one copy. Return: 0 or -EIO. */
int pmv_page_read(const struct pmv_core *c, u32 page, unsigned int copy, unsigned int off,
		  void *dst, size_t len);

/* ---- desc.c: descriptors ---- */

/**
 * pmv_desc_read() - read a descriptor [meta]
 * @c: pool
 * @slot: which
 * @d: out: the newer valid copy
 * @repair: out, may be NULL: the copies differ
 *
 * Return: 0, -ENOENT when its page does not exist, -EUCLEAN when neither copy is valid.
 */
int pmv_desc_read(const struct pmv_core *c, u32 slot, struct pmv_desc *d, bool *repair);

/**
 * pmv_desc_pick() - read both copies of a descriptor and say which counts [meta]
 * @c: pool
 * @page: of the slot; it exists
 * @slot: which
 * @copy: out: PMV_COPIES of them as read
 * @good: out: which of them are valid
 *
 * Return: 0 or 1, or -EUCLEAN when neither copy is valid.
 */
int pmv_desc_pick(const struct pmv_core *c, u32 page, u32 slot, struct pmv_desc *copy, bool *good);

/** pmv_desc_read_at() - the same, of a slot whose page, which exists, the caller knows [meta] */
int pmv_desc_read_at(const struct pmv_core *c, u32 page, u32 slot, struct pmv_desc *d,
		     bool *repair);

/**
 * pmv_desc_write() - replace a descriptor [meta]
 * @c: pool
 * @slot: which; its page exists
 * @d: all but seq and crc set; both are set here, @d->seq must be that of the descriptor replaced
 *
 * Return: 0 or -EUCLEAN/-ENOENT when the directory cannot be read.
 */
int pmv_desc_write(const struct pmv_core *c, u32 slot, struct pmv_desc *d);

/** pmv_slot_prepare() - make sure the page of a slot exists; needs one free page [meta] */
int pmv_slot_prepare(struct pmv_core *c, u32 slot);

/* ---- map.c: the map of a volume ---- */

/** pmv_map_pages_max() - metadata pages a fully provisioned map takes. @chunks: size */
u64 pmv_map_pages_max(u64 chunks);

/** pmv_map_create() - take a root for map->chunks; needs one free page [meta] */
int pmv_map_create(struct pmv_core *c, struct pmv_map *m);

/**
 * pmv_map_find_leaf() - find the page of a leaf [map]
 * @c: pool
 * @m: map
 * @leaf: number, from 0
 * @page: out
 *
 * Return: 0, -ENOENT when there is none, -EUCLEAN.
 */
int pmv_map_find_leaf(const struct pmv_core *c, const struct pmv_map *m, u64 leaf, u32 *page);

/**
 * pmv_map_make_leaf() - find the page of a leaf, making it and what leads to it [meta] [map]
 * @c: pool, with at least PMV_HEIGHT_MAX - 1 free pages
 * @m: map
 * @leaf: number
 * @page: out
 *
 * Return: 0, -ENOSPC, -EUCLEAN.
 */
int pmv_map_make_leaf(struct pmv_core *c, const struct pmv_map *m, u64 leaf, u32 *page);

/** pmv_map_make_all() - make every leaf, for a volume that must never lack one [meta] [map] */
int pmv_map_make_all(struct pmv_core *c, const struct pmv_map *m, u64 first_leaf);

/**
 * pmv_map_set() - commit the provisioning of a chunk: one 8-byte store [map]
 * @c: pool
 * @m: map
 * @leaf_page: of the leaf of @index
 * @index: chunk of the volume
 * @w: chunk of the pool, zeroed and fenced, and birth generation
 */
void pmv_map_set(const struct pmv_core *c, const struct pmv_map *m, u32 leaf_page, u64 index,
		 struct pmv_word w);

/** pmv_map_clear() - commit that the volume has no chunk at @index any more [map] */
void pmv_map_clear(const struct pmv_core *c, u32 leaf_page, u64 index);

/**
 * pmv_map_grow() - prepare a map for more chunks [meta] [map]
 * @c: pool, with PMV_HEIGHT_MAX - 1 free pages
 * @m: map; unchanged
 * @chunks: new size, larger
 * @new: out: the map to write into the descriptor
 *
 * Return: 0, -ENOSPC, -EFBIG.
 */
int pmv_map_grow(struct pmv_core *c, const struct pmv_map *m, u64 chunks, struct pmv_map *new);

/** pmv_map_ungrow() - undo pmv_map_grow() when the descriptor was not written [meta] */
void pmv_map_ungrow(struct pmv_core *c, const struct pmv_map *m, const struct pmv_map *new);

/**
 * pmv_map_release() - give back all pages of a map that no descriptor names any more [meta]
 * @c: pool
 * @m: map
 *
 * A page that cannot be read keeps those behind it until the next activation.
 */
void pmv_map_release(struct pmv_core *c, const struct pmv_map *m);

/* ---- volume.c: the life of a volume, each function one committed step ---- */

struct pmv_volume_params {
	const char *name;		/* pmv_name_verify()ed */
	size_t name_len;
	const u8 *uuid;
	u64 chunks;
	u64 created;			/* seconds since 1970 */
	u32 flags;			/* PMV_DESC_THICK, PMV_DESC_CLONE */
	u32 origin;			/* of a clone: slot of its snapshot */
	u64 snapshot_gen;		/* set by pmv_snapshot_create() alone */
};

/** pmv_volume_pages() - free pages that pmv_volume_create() needs. @c: pool; @p: parameters */
u64 pmv_volume_pages(const struct pmv_volume_params *p);

/**
 * pmv_volume_create() - make a volume in a free slot [meta]
 * @c: pool, with pmv_volume_pages() free
 * @slot: free
 * @p: parameters, verified
 * @d: out: its descriptor
 * @m: out: its map
 *
 * Return: 0, -EFBIG, -ENOSPC, -EUCLEAN; nothing is left behind then.
 */
int pmv_volume_create(struct pmv_core *c, u32 slot, const struct pmv_volume_params *p,
		      struct pmv_desc *d, struct pmv_map *m);

/** pmv_volume_rename() - one descriptor. @d: of the volume, replaced on success [meta] */
int pmv_volume_rename(struct pmv_core *c, u32 slot, struct pmv_desc *d, const char *name,
		      size_t len);

/**
 * pmv_volume_grow() - more chunks [meta] [map]
 * @c: pool, with PMV_HEIGHT_MAX + (thick: pmv_map_pages_max(chunks)) pages free
 * @d: of the volume, replaced on success
 * @m: its map, replaced on success
 * @chunks: new size, larger
 *
 * Return: 0, -EFBIG, -ENOSPC, -EUCLEAN.
 */
int pmv_volume_grow(struct pmv_core *c, struct pmv_desc *d, struct pmv_map *m, u64 chunks);

/** pmv_volume_delete() - of a volume or snapshot: from here on it is gone; see erasing [meta] */
int pmv_volume_delete(struct pmv_core *c, u32 slot, struct pmv_desc *d);

/** pmv_volume_erase_chunk() - erase a chunk of a deleted volume; it is free and zero then [map] */
void pmv_volume_erase_chunk(const struct pmv_core *c, u32 leaf_page, u64 index, u64 chunk);

/** pmv_volume_erased() - free the slot and pages of a volume or snapshot without chunks [meta] */
int pmv_volume_erased(struct pmv_core *c, struct pmv_desc *d, const struct pmv_map *m);

/* ---- snapshot.c: snapshots, each function one committed step as above ---- */

/**
 * pmv_snapshot_create() - make a snapshot of a volume in a free slot [meta] [map of the volume]
 * @c: pool, with pmv_volume_pages() free
 * @slot: free
 * @p: name, UUID and time; the rest is as the volume has it
 * @of: the volume's descriptor
 * @of_map: and its map
 * @d: out: the snapshot's descriptor
 * @m: out: its map, with no chunk in it
 *
 * All superblocks get the next map generation first: a chunk provisioned from then on is no part
 * of the snapshot. Should this fail, or the power, that does no harm.
 *
 * Return: 0, -ENOSPC, -EOVERFLOW there are no more generations, -EUCLEAN; nothing is left then.
 */
int pmv_snapshot_create(struct pmv_core *c, u32 slot, const struct pmv_volume_params *p,
			const struct pmv_desc *of, const struct pmv_map *of_map,
			struct pmv_desc *d, struct pmv_map *m);

/**
 * pmv_snapshot_hand_over() - an older snapshot gets a deleted one's chunk [map of both]
 * @c: pool
 * @to: map of the older one, which has nothing at @index
 * @to_page: leaf of @index there
 * @from_page: leaf of @index in the deleted one's map
 * @index: chunk of the volume
 * @w: what the deleted one has there
 *
 * When the power goes in between, both name the chunk. The loader knows that from a deleted
 * snapshot, and takes it for handed over.
 */
void pmv_snapshot_hand_over(const struct pmv_core *c, const struct pmv_map *to, u32 to_page,
			    u32 from_page, u64 index, struct pmv_word w);

/**
 * pmv_rollback_begin() - from here on a volume is to be made what its snapshot shows [meta]
 * @c: pool
 * @slot: of the volume
 * @d: its descriptor, replaced on success
 * @target: slot of its snapshot
 *
 * It is no use to anybody before pmv_rollback_end().
 */
int pmv_rollback_begin(struct pmv_core *c, u32 slot, struct pmv_desc *d, u32 target);

/** pmv_rollback_end() - it is now [meta] */
int pmv_rollback_end(struct pmv_core *c, u32 slot, struct pmv_desc *d);

#endif /* PMV_CORE_CORE_H */
