// SPDX-License-Identifier: GPL-2.0
/* Encoding and verification of everything that stands on media. */
#include "format.h"

/*
 * Eight bits of CRC32C over the word and its place: a misplaced word does not pass, nor one with
 * a flipped bit. Never zero, so that no flipped bit makes a word of nothing; 0xff instead keeps
 * the former true, because no single bit changes these eight by 0xff.
 */
static u8 word_check(u64 payload, enum pmv_word_kind kind, u32 owner, u64 index)
{
	__le64 buf[3] = {
		cpu_to_le64(payload),
		cpu_to_le64((u64)kind << 32 | owner),
		cpu_to_le64(index),
	};
	u32 crc = crc32c(~0U, buf, sizeof(buf));
	u8 check = (crc ^ crc >> 8 ^ crc >> 16 ^ crc >> 24) & 0xff;

	return check ? check : 0xff;
}

u64 pmv_word_encode(struct pmv_word w, enum pmv_word_kind kind, u32 owner, u64 index)
{
	u64 payload = (u64)w.tag << PMV_WORD_VALUE_BITS | w.value;

	return (u64)word_check(payload, kind, owner, index) << 56 | payload;
}

int pmv_word_decode(u64 raw, enum pmv_word_kind kind, u32 owner, u64 index, struct pmv_word *w)
{
	u64 payload = raw & (BIT_ULL(56) - 1);

	if (!payload || raw >> 56 != word_check(payload, kind, owner, index))
		return -EUCLEAN;
	w->value = payload & PMV_WORD_VALUE_MAX;
	w->tag = payload >> PMV_WORD_VALUE_BITS;
	return 0;
}

static u32 sb_crc(const struct pmv_sb *sb)
{
	static const __le32 zero;
	size_t at = offsetof(struct pmv_sb, crc);
	u32 crc;

	crc = crc32c(~0U, sb, at);
	crc = crc32c(crc, &zero, sizeof(zero));
	at += sizeof(zero);
	return crc32c(crc, (const u8 *)sb + at, sizeof(*sb) - at);
}

void pmv_sb_seal(struct pmv_sb *sb)
{
	memcpy(sb->magic, PMV_MAGIC, PMV_MAGIC_LEN);
	sb->crc = cpu_to_le32(sb_crc(sb));
}

static int refuse(int err, const char **why, const char *text)
{
	if (why)
		*why = text;
	return err;
}

/* The member table tiles the pool's chunk numbers without gap or overlap, and names this member. */
static int sb_verify_members(const struct pmv_sb *sb, const char **why)
{
	unsigned int nr = le16_to_cpu(sb->nr_members), index = le16_to_cpu(sb->member_index), i, j;
	u64 next = 0;

	if (!nr || nr > PMV_MEMBERS_MAX || index >= nr)
		return refuse(-EUCLEAN, why, "the superblock's member count is out of range");
	for (i = 0; i < nr; i++) {
		u64 chunks = le64_to_cpu(sb->member[i].chunks);

		if (le64_to_cpu(sb->member[i].first_chunk) != next || !chunks ||
		    chunks > PMV_WORD_VALUE_MAX || next + chunks > PMV_WORD_VALUE_MAX)
			return refuse(-EUCLEAN, why, "the superblock's members are inconsistent");
		next += chunks;
		for (j = 0; j < i; j++)
			if (!memcmp(sb->member[i].uuid, sb->member[j].uuid, PMV_UUID_SIZE))
				return refuse(-EUCLEAN, why, "the superblock names a member twice");
	}
	if (memcmp(sb->member[index].uuid, sb->member_uuid, PMV_UUID_SIZE))
		return refuse(-EUCLEAN, why, "the superblock's member table is inconsistent");
	return 0;
}

int pmv_sb_verify(const struct pmv_sb *sb, u64 device_size, const char **why)
{
	u64 chunks, off, size;
	unsigned int shift;
	int ret;

	if (memcmp(sb->magic, PMV_MAGIC, PMV_MAGIC_LEN))
		return refuse(-ENODATA, why, "the device carries no pool superblock");
	if (le32_to_cpu(sb->crc) != sb_crc(sb))
		return refuse(-EUCLEAN, why, "the superblock's checksum is wrong");
	if (le64_to_cpu(sb->incompat) & ~PMV_INCOMPAT_KNOWN)
		return refuse(-EOPNOTSUPP, why, "the pool has a feature this version lacks");
	ret = sb_verify_members(sb, why);
	if (ret)
		return ret;

	shift = sb->chunk_shift;
	if (shift < PMV_CHUNK_SHIFT_MIN || shift > PMV_CHUNK_SHIFT_MAX)
		return refuse(-EUCLEAN, why, "the superblock's chunk size is out of range");
	off = le64_to_cpu(sb->data_off);
	size = le64_to_cpu(sb->device_size);
	chunks = le64_to_cpu(sb->member[le16_to_cpu(sb->member_index)].chunks);
	if (off < PMV_HEADER_SIZE || off % PMV_PAGE_SIZE || off > size ||
	    chunks > (size - off) >> shift)
		return refuse(-EUCLEAN, why, "the superblock's chunks do not fit the device");
	if (device_size < size)
		return refuse(-ESTALE, why, "the device is smaller than when it joined the pool");
	if (!sb->name_len || sb->name_len > PMV_NAME_MAX ||
	    pmv_name_verify((const char *)sb->name, sb->name_len))
		return refuse(-EUCLEAN, why, "the superblock's pool name is not valid");
	/* It is counted up and compared: far from where it would wrap. */
	if (!le64_to_cpu(sb->generation) || le64_to_cpu(sb->generation) > PMV_GENERATION_MAX)
		return refuse(-EUCLEAN, why, "the superblock's generation is out of range");
	if (!le64_to_cpu(sb->map_gen) || le64_to_cpu(sb->map_gen) > PMV_WORD_TAG_MAX)
		return refuse(-EUCLEAN, why, "the superblock's map generation is out of range");
	return 0;
}

static u32 desc_crc(const struct pmv_desc *d, const u8 *pool_uuid, u32 slot)
{
	__le32 where = cpu_to_le32(slot);
	u32 crc = crc32c(~0U, pool_uuid, PMV_UUID_SIZE);

	crc = crc32c(crc, &where, sizeof(where));
	return crc32c(crc, (const u8 *)d + sizeof(d->crc), sizeof(*d) - sizeof(d->crc));
}

void pmv_desc_seal(struct pmv_desc *d, const u8 *pool_uuid, u32 slot)
{
	d->crc = cpu_to_le32(desc_crc(d, pool_uuid, slot));
}

bool pmv_desc_is_blank(const struct pmv_desc *d)
{
	return !memchr_inv(d, 0, sizeof(*d));
}

/* What a descriptor says of other slots; whether those are what they should be, the loader sees. */
static bool relations_good(const struct pmv_desc *d)
{
	u32 flags = le32_to_cpu(d->flags);
	u64 gen = le64_to_cpu(d->birth_gen);

	if (le32_to_cpu(d->origin) >= PMV_SLOTS_MAX || le32_to_cpu(d->target) >= PMV_SLOTS_MAX)
		return false;
	if (d->kind != PMV_DESC_SNAPSHOT)
		return true;
	return !(flags & ~PMV_DESC_THICK) && gen && gen <= PMV_WORD_TAG_MAX;
}

int pmv_desc_verify(const struct pmv_desc *d, const u8 *pool_uuid, u32 slot)
{
	u64 chunks;

	if (pmv_desc_is_blank(d))
		return 0;
	if (le32_to_cpu(d->crc) != desc_crc(d, pool_uuid, slot))
		return -EUCLEAN;
	if (d->kind == PMV_DESC_FREE)
		return 0;
	chunks = le64_to_cpu(d->chunks);
	if (d->kind >= __PMV_DESC_KINDS || d->state >= __PMV_DESC_STATES ||
	    le32_to_cpu(d->flags) & ~PMV_DESC_FLAGS_KNOWN || !relations_good(d) ||
	    !d->height || d->height > PMV_HEIGHT_MAX || !chunks ||
	    pmv_map_height(chunks) != d->height ||
	    le32_to_cpu(d->root) > PMV_WORD_VALUE_MAX ||
	    !d->name_len || d->name_len > PMV_NAME_MAX ||
	    pmv_name_verify((const char *)d->name, d->name_len))
		return -EUCLEAN;
	return 0;
}

bool pmv_same_name(const struct pmv_desc *a, const struct pmv_desc *b)
{
	return a->kind == b->kind && a->name_len == b->name_len &&
	       !memcmp(a->name, b->name, a->name_len) &&
	       (a->kind == PMV_DESC_VOLUME || a->origin == b->origin);
}

int pmv_name_verify(const char *name, size_t len)
{
	size_t i;

	if (!len || len > PMV_NAME_MAX || name[0] == '-' || name[0] == '.')
		return -EINVAL;
	for (i = 0; i < len; i++) {
		char c = name[i];

		if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
		      c == '+' || c == '_' || c == '.' || c == '-'))
			return -EINVAL;
	}
	return 0;
}

u64 pmv_data_off(u64 phys, unsigned int chunk_shift)
{
	u64 mask = BIT_ULL(chunk_shift) - 1;

	return ((phys + PMV_HEADER_SIZE + mask) & ~mask) - phys;
}

unsigned int pmv_map_height(u64 chunks)
{
	unsigned int height;

	for (height = 1; height <= PMV_HEIGHT_MAX; height++)
		if (chunks <= BIT_ULL(height * PMV_LEAF_SHIFT))
			return height;
	return 0;
}
