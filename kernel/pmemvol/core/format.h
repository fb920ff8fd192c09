/* SPDX-License-Identifier: GPL-2.0 */
/*
 * On-media format of a pmemvol pool. Documentation/pmemvol-format.md is the
 * text to it.
 *
 * Nothing here calls the kernel, allocates, locks or does I/O: the same files
 * build into the module, pvctl, the unit tests and the crash enumerator.
 */
#ifndef PMV_CORE_FORMAT_H
#define PMV_CORE_FORMAT_H

#include "pmv_port.h"

#define PMV_MAGIC		"PMEMVOL\x01"
#define PMV_MAGIC_LEN		8

#define PMV_PAGE_SHIFT		12
#define PMV_PAGE_SIZE		4096U
#define PMV_CHUNK_SHIFT_MIN	21
#define PMV_CHUNK_SHIFT_MAX	26
#define PMV_MEMBERS_MAX		64
#define PMV_NAME_MAX		128
#define PMV_UUID_SIZE		16

/*
 * A member begins with a header of 1 MiB that holds two copies of everything
 * in it, 512 KiB apart. Chunks begin at pmv_sb.data_off, which is a multiple
 * of the chunk size in PHYSICAL address.
 */
#define PMV_HEADER_SIZE		(1024U << 10)
#define PMV_COPIES		2
#define PMV_COPY_STRIDE		(512U << 10)
#define PMV_SEGTAB_OFF		(64U << 10)
#define PMV_SEGMENTS_MAX	4096U
/* Signatures of others may stand at the end too (GPT, md): formatting wipes this much. */
#define PMV_TAIL_WIPE		(64U << 10)

/* More changes of superblocks than a pool can live to see. */
#define PMV_GENERATION_MAX	(1ULL << 62)

/* Slots of descriptors: a directory of 16 pages of pointers, 8 descriptors a page behind each. */
#define PMV_DIR_PAGES		16U
#define PMV_WORDS_PER_PAGE	(PMV_PAGE_SIZE / 8)
#define PMV_DIR_WORDS		(PMV_DIR_PAGES * PMV_WORDS_PER_PAGE)
#define PMV_DESCS_PER_PAGE	(PMV_PAGE_SIZE / 512)
#define PMV_SLOTS_MAX		(PMV_DIR_WORDS * PMV_DESCS_PER_PAGE)

#define PMV_HEIGHT_MAX		3
#define PMV_LEAF_SHIFT		9

/* Feature masks: an unknown bit is ignored, forbids writing, or forbids activation. */
#define PMV_COMPAT_KNOWN	0ULL
#define PMV_RO_KNOWN		0ULL
#define PMV_INCOMPAT_SNAPSHOTS	0x1ULL	/* set by the first snapshot, and never taken back */
#define PMV_INCOMPAT_KNOWN	PMV_INCOMPAT_SNAPSHOTS

struct pmv_sb_member {
	__u8	uuid[PMV_UUID_SIZE];
	__le64	first_chunk;		/* number of its first chunk within the pool */
	__le64	chunks;
};

static_assert(sizeof(struct pmv_sb_member) == 32);

/**
 * struct pmv_sb - superblock, two copies a member
 *
 * The superblock of member 0 is the authority; the others are written before it,
 * so a member may be one generation ahead of it, never behind.
 */
struct pmv_sb {
	__u8	magic[PMV_MAGIC_LEN];
	__le32	crc;			/* CRC32C of all 4096 bytes with this field zero */
	__le32	reserved0;
	__le64	generation;
	__le64	compat;
	__le64	ro;
	__le64	incompat;
	__u8	pool_uuid[PMV_UUID_SIZE];
	__u8	member_uuid[PMV_UUID_SIZE];
	__le16	member_index;
	__le16	nr_members;
	__u8	chunk_shift;
	__u8	name_len;
	__u8	reserved1[2];
	__le64	data_off;		/* of this member, bytes from the start of the device */
	__le64	device_size;		/* of this member, bytes */
	__le32	overcommit;		/* percent */
	__le32	low_water;		/* percent */
	__le64	map_gen;		/* birth generation of chunks provisioned now */
	__le64	created;		/* seconds since 1970 */
	__u8	name[PMV_NAME_MAX];
	__u8	reserved2[1792];
	struct pmv_sb_member member[PMV_MEMBERS_MAX];
};

static_assert(sizeof(struct pmv_sb) == PMV_PAGE_SIZE);
static_assert(offsetof(struct pmv_sb, generation) == 16);
static_assert(offsetof(struct pmv_sb, pool_uuid) == 48);
static_assert(offsetof(struct pmv_sb, data_off) == 88);
static_assert(offsetof(struct pmv_sb, name) == 128);
static_assert(offsetof(struct pmv_sb, member) == 2048);

enum pmv_desc_kind {
	PMV_DESC_FREE,
	PMV_DESC_VOLUME,
	PMV_DESC_SNAPSHOT,		/* read only, of the volume in slot @origin */
	__PMV_DESC_KINDS
};

enum pmv_desc_state {
	PMV_DESC_ACTIVE,
	PMV_DESC_ERASING,		/* deleted; its chunks are being erased and given back */
	__PMV_DESC_STATES
};

#define PMV_DESC_THICK		0x1U
#define PMV_DESC_CLONE		0x2U	/* of a volume: shows the snapshot in slot @origin */
#define PMV_DESC_ROLLBACK	0x4U	/* of a volume: is being made what slot @target shows */
#define PMV_DESC_FLAGS_KNOWN	(PMV_DESC_THICK | PMV_DESC_CLONE | PMV_DESC_ROLLBACK)

/**
 * struct pmv_desc - descriptor of a volume or snapshot
 *
 * The two copies are written one after the other (mirror first), so one of them
 * is always whole and the valid one with the higher @seq counts.
 */
struct pmv_desc {
	__le32	crc;			/* CRC32C, seeded with pool UUID and slot, of the rest */
	__le32	flags;
	__le64	seq;
	__u8	kind;			/* enum pmv_desc_kind */
	__u8	state;			/* enum pmv_desc_state */
	__u8	height;			/* levels of the map, 1: the root is a leaf */
	__u8	name_len;
	__le32	root;			/* metadata page of the map's root */
	__u8	uuid[PMV_UUID_SIZE];
	__le64	chunks;			/* size */
	__le64	created;		/* seconds since 1970 */
	__le64	birth_gen;		/* of a snapshot: chunks born later are none of its own */
	__u8	name[PMV_NAME_MAX];
	__le32	origin;
	__le32	target;
	__u8	reserved[312];
};

static_assert(sizeof(struct pmv_desc) == 512);
static_assert(offsetof(struct pmv_desc, uuid) == 24);
static_assert(offsetof(struct pmv_desc, name) == 64);
static_assert(offsetof(struct pmv_desc, origin) == 192);

/*
 * A word: 8 bytes, 8-byte aligned, stored and persisted as one. Zero is "nothing"; any other is
 *	bits  0..27	value (chunk, or metadata page)
 *	bits 28..55	tag (birth generation, level, or mirror chunk)
 *	bits 56..63	check over both and over the place the word stands in; never zero
 */
#define PMV_WORD_VALUE_BITS	28
#define PMV_WORD_VALUE_MAX	0xfffffffU
#define PMV_WORD_TAG_MAX	PMV_WORD_VALUE_MAX

enum pmv_word_kind {
	PMV_WORD_SEGMENT = 1,		/* value: primary chunk, tag: mirror chunk */
	PMV_WORD_DIR,			/* value: page of descriptors, tag: 1 */
	PMV_WORD_NODE,			/* value: page of the next level, tag: that page's level */
	PMV_WORD_LEAF,			/* value: chunk, tag: birth generation */
};

struct pmv_word {
	u32	value;
	u32	tag;
};

/**
 * pmv_word_encode() - make a word
 * @w: value and tag, each at most PMV_WORD_VALUE_MAX, not both zero
 * @kind: what it stands for
 * @owner: slot of the descriptor the word belongs to, 0 for the pool's own
 * @index: where it stands: of a segment, directory or leaf word the number of what it describes;
 *	   of a node word the first leaf it leads to
 *
 * Return: the word in CPU byte order.
 */
u64 pmv_word_encode(struct pmv_word w, enum pmv_word_kind kind, u32 owner, u64 index);

/**
 * pmv_word_decode() - take a word apart and verify it
 * @raw: the word in CPU byte order, not zero
 * @kind: as for pmv_word_encode()
 * @owner: as for pmv_word_encode()
 * @index: as for pmv_word_encode()
 * @w: where the parts go
 *
 * The check is 8 bits: the caller verifies range and ownership of what it gets.
 *
 * Return: 0, or -EUCLEAN when the check does not fit.
 */
int pmv_word_decode(u64 raw, enum pmv_word_kind kind, u32 owner, u64 index, struct pmv_word *w);

/** pmv_sb_seal() - set the magic and the CRC of a superblock. @sb: all other fields set */
void pmv_sb_seal(struct pmv_sb *sb);

/**
 * pmv_sb_verify() - check everything a superblock says that needs no other one
 * @sb: 4096 bytes as read
 * @device_size: of the device it was read from, bytes
 * @why: a sentence on refusal, static storage; may be NULL
 *
 * Return: 0; -ENODATA no superblock at all; -EUCLEAN damaged or inconsistent; -EOPNOTSUPP a
 * feature this code does not know; -ESTALE the device is smaller than it was.
 */
int pmv_sb_verify(const struct pmv_sb *sb, u64 device_size, const char **why);

/** pmv_desc_seal() - set the CRC. @d: all else set; @pool_uuid: of the pool; @slot: its place */
void pmv_desc_seal(struct pmv_desc *d, const u8 *pool_uuid, u32 slot);

/**
 * pmv_desc_verify() - check one copy of a descriptor
 * @d: as read
 * @pool_uuid: of the pool
 * @slot: its place
 *
 * All zero is a free slot that was never used and is valid, with sequence number 0.
 *
 * Return: 0 or -EUCLEAN.
 */
int pmv_desc_verify(const struct pmv_desc *d, const u8 *pool_uuid, u32 slot);

/** pmv_desc_is_blank() - is this slot's copy as formatted? @d: as read */
bool pmv_desc_is_blank(const struct pmv_desc *d);

/** pmv_same_name() - would these two be one name? Volumes have theirs, and each its snapshots */
bool pmv_same_name(const struct pmv_desc *a, const struct pmv_desc *b);

/**
 * pmv_name_verify() - is this a name for a pool or a volume?
 * @name: bytes, not necessarily terminated
 * @len: how many
 *
 * Return: 0 or -EINVAL.
 */
int pmv_name_verify(const char *name, size_t len);

/**
 * pmv_data_off() - where a member's chunks begin
 * @phys: physical address of the start of the device
 * @chunk_shift: log2 of the chunk size
 *
 * Return: offset in bytes of the first chunk-aligned physical address behind the header.
 */
u64 pmv_data_off(u64 phys, unsigned int chunk_shift);

/**
 * pmv_map_height() - levels a map of this many chunks needs
 * @chunks: size of the volume
 *
 * Return: 1..PMV_HEIGHT_MAX, or 0 when it is too large.
 */
unsigned int pmv_map_height(u64 chunks);

#endif /* PMV_CORE_FORMAT_H */
