// SPDX-License-Identifier: GPL-2.0
/* Encoding and verification: what is accepted, and that every change of it is not. */
#include "test.h"

static const enum pmv_word_kind kinds[] = {
	PMV_WORD_SEGMENT, PMV_WORD_DIR, PMV_WORD_NODE, PMV_WORD_LEAF,
};

static void words_of_kind(enum pmv_word_kind kind, u64 *seed)
{
	static const u32 edge[] = { 0, 1, PMV_WORD_VALUE_MAX - 1, PMV_WORD_VALUE_MAX };
	struct pmv_word w, got;
	unsigned int n;
	u64 raw;

	for (n = 0; n < 5000; n++) {
		u32 owner = rnd(seed) % PMV_SLOTS_MAX;
		u64 index = rnd(seed) % BIT_ULL(PMV_HEIGHT_MAX * PMV_LEAF_SHIFT);

		w.value = n < 16 ? edge[n % 4] : rnd(seed) & PMV_WORD_VALUE_MAX;
		w.tag = n < 16 ? edge[n / 4] : rnd(seed) & PMV_WORD_TAG_MAX;
		if (!w.value && !w.tag)
			continue;
		raw = pmv_word_encode(w, kind, owner, index);
		CHECK(raw);
		CHECK_EQ(pmv_word_decode(raw, kind, owner, index, &got), 0);
		CHECK(got.value == w.value && got.tag == w.tag);
	}
}

void format_words(void)
{
	unsigned int i, j, accepted = 0;
	u64 seed = 1, raw, index;
	struct pmv_word w, got;

	for (i = 0; i < ARRAY_SIZE(kinds); i++)
		words_of_kind(kinds[i], &seed);
	/* A word in another place, of another owner or kind: neighbours are always told apart. */
	for (index = 0; index < 20000; index++) {
		w = (struct pmv_word){ rnd(&seed) & PMV_WORD_VALUE_MAX, 1 };
		raw = pmv_word_encode(w, PMV_WORD_LEAF, 7, index);
		CHECK(pmv_word_decode(raw, PMV_WORD_LEAF, 7, index ^ 1, &got));
		CHECK(pmv_word_decode(raw, PMV_WORD_LEAF, 6, index, &got));
		for (j = 0; j < ARRAY_SIZE(kinds) - 1; j++)
			CHECK(pmv_word_decode(raw, kinds[j], 7, index, &got));
	}
	/* Of noise one in 256 passes and no more. */
	for (i = 0; i < 256000; i++)
		accepted += !pmv_word_decode(rnd(&seed), PMV_WORD_LEAF, 1, i, &got);
	CHECK(accepted > 800 && accepted < 1200);
}

/* Every change of one bit is found, and of two adjacent ones too; so is one bit in an empty word. */
void format_word_flips(void)
{
	unsigned int i, n, bit, missed[2] = { 0 };
	struct pmv_word w, got;
	u64 seed = 2, raw;

	for (n = 0; n < 4000; n++) {
		enum pmv_word_kind kind = kinds[n % ARRAY_SIZE(kinds)];
		u32 owner = rnd(&seed) % PMV_SLOTS_MAX;
		u64 index = rnd(&seed) % BIT_ULL(27);

		w.value = rnd(&seed) & PMV_WORD_VALUE_MAX;
		w.tag = (rnd(&seed) & PMV_WORD_TAG_MAX) | 1;
		raw = pmv_word_encode(w, kind, owner, index);
		for (i = 0; i < 2; i++)
			for (bit = 0; bit < 64 - i; bit++)
				missed[i] += !pmv_word_decode(raw ^ (1ULL + 2 * i) << bit, kind,
							      owner, index, &got);
		for (bit = 0; bit < 56; bit++)
			CHECK(pmv_word_decode(1ULL << bit, kind, 0, 0, &got));
	}
	CHECK_EQ(missed[0], 0);
	CHECK_EQ(missed[1], 0);
}

struct mutation {
	const char *what;
	int err;
	void (*change)(struct pmv_sb *sb);
};

#define MUTATION(name, error, statement) \
	static void mutate_##name(struct pmv_sb *sb) { statement; }
#include "sb-mutations.h"
#undef MUTATION
#define MUTATION(name, error, statement) { #name, error, mutate_##name },
static const struct mutation mutations[] = {
#include "sb-mutations.h"
};
#undef MUTATION

static void valid_sb(struct pmv_sb *sb, struct pool *p)
{
	const u64 size[] = { 64 * MIB, 32 * MIB };

	pool_plan(p, &ram_ops, NULL, size, 2, 0);
	*sb = p->sb[1];
	sb->generation = cpu_to_le64(5);
	pmv_sb_seal(sb);
}

void format_superblock(void)
{
	static struct pool p;
	const char *why;
	struct pmv_sb sb, bad;
	size_t byte;
	unsigned int i;

	valid_sb(&sb, &p);
	CHECK_EQ(pmv_sb_verify(&sb, 32 * MIB, &why), 0);
	CHECK_EQ(pmv_sb_verify(&sb, 32 * MIB, NULL), 0);
	CHECK_EQ(pmv_sb_verify(&sb, 64 * MIB, &why), 0);
	CHECK_EQ(pmv_sb_verify(&sb, 32 * MIB - 512, &why), -ESTALE);
	/* Any byte, unsealed: the checksum. */
	for (byte = 0; byte < sizeof(sb); byte++) {
		bad = sb;
		((u8 *)&bad)[byte] ^= 1U << byte % 8;
		CHECK_EQ(pmv_sb_verify(&bad, 32 * MIB, &why), byte < 8 ? -ENODATA : -EUCLEAN);
	}
	/* Any field out of range, sealed: the check of that field. */
	for (i = 0; i < ARRAY_SIZE(mutations); i++) {
		int ret;

		bad = sb;
		mutations[i].change(&bad);
		pmv_sb_seal(&bad);
		why = NULL;
		ret = pmv_sb_verify(&bad, 32 * MIB, &why);
		if (ret != mutations[i].err)
			ktap_fail("%s: %d, not %d", mutations[i].what, ret, mutations[i].err);
		if (ret && !why)
			ktap_fail("%s: no reason given", mutations[i].what);
	}
}

static void reject_desc(const struct pmv_desc *good, const u8 *uuid, size_t off, u64 val, size_t len)
{
	struct pmv_desc d = *good;
	__le64 raw = cpu_to_le64(val);

	memcpy((u8 *)&d + off, &raw, len);
	pmv_desc_seal(&d, uuid, 9);
	if (!pmv_desc_verify(&d, uuid, 9))
		ktap_fail("value %llu at %zu is accepted", (unsigned long long)val, off);
}

#define REJECT(field, val) \
	reject_desc(&d, uuid, offsetof(struct pmv_desc, field), val, sizeof(d.field))

void format_descriptor(void)
{
	u8 uuid[PMV_UUID_SIZE] = { 1, 2, 3 }, other[PMV_UUID_SIZE] = { 1, 2, 4 };
	struct pmv_desc d = {
		.kind = PMV_DESC_VOLUME, .height = 2, .name_len = 3, .name = "abc",
		.root = cpu_to_le32(20), .chunks = cpu_to_le64(513), .seq = cpu_to_le64(3),
	}, bad;
	size_t byte;

	memset(&bad, 0, sizeof(bad));
	CHECK(pmv_desc_is_blank(&bad));
	CHECK_EQ(pmv_desc_verify(&bad, uuid, 1), 0);
	pmv_desc_seal(&d, uuid, 9);
	CHECK(!pmv_desc_is_blank(&d));
	CHECK_EQ(pmv_desc_verify(&d, uuid, 9), 0);
	CHECK_EQ(pmv_desc_verify(&d, uuid, 8), -EUCLEAN);
	CHECK_EQ(pmv_desc_verify(&d, other, 9), -EUCLEAN);
	for (byte = 0; byte < sizeof(d); byte++) {
		bad = d;
		((u8 *)&bad)[byte] ^= 1U << byte % 8;
		CHECK_EQ(pmv_desc_verify(&bad, uuid, 9), -EUCLEAN);
	}
	/* A snapshot has a generation. */
	REJECT(kind, PMV_DESC_SNAPSHOT);
	REJECT(kind, __PMV_DESC_KINDS);
	REJECT(kind, 255);
	REJECT(state, __PMV_DESC_STATES);
	REJECT(flags, PMV_DESC_FLAGS_KNOWN + 1);
	REJECT(origin, PMV_SLOTS_MAX);
	REJECT(target, ~0U);
	REJECT(flags, 1U << 31);
	REJECT(height, 0);
	REJECT(height, 1);
	REJECT(height, 3);
	REJECT(height, PMV_HEIGHT_MAX + 1);
	REJECT(height, 255);
	REJECT(chunks, 0);
	REJECT(chunks, 512);
	REJECT(chunks, BIT_ULL(18) + 1);
	REJECT(chunks, ~0ULL);
	REJECT(root, PMV_WORD_VALUE_MAX + 1ULL);
	REJECT(root, ~0U);
	REJECT(name_len, 0);
	REJECT(name_len, 4);
	REJECT(name_len, PMV_NAME_MAX + 1);
	REJECT(name_len, 255);
	REJECT(name[0], '-');
	REJECT(name[1], '/');
	bad = d;
	bad.kind = PMV_DESC_SNAPSHOT;
	bad.birth_gen = cpu_to_le64(1);
	pmv_desc_seal(&bad, uuid, 9);
	CHECK_EQ(pmv_desc_verify(&bad, uuid, 9), 0);
	bad.flags = cpu_to_le32(PMV_DESC_CLONE);
	pmv_desc_seal(&bad, uuid, 9);
	CHECK_EQ(pmv_desc_verify(&bad, uuid, 9), -EUCLEAN);
	/* What a free slot says apart from being free does not matter. */
	bad = d;
	bad.kind = PMV_DESC_FREE;
	bad.state = 99;
	pmv_desc_seal(&bad, uuid, 9);
	CHECK_EQ(pmv_desc_verify(&bad, uuid, 9), 0);
}

void format_names(void)
{
	char name[PMV_NAME_MAX + 1], c[2] = "ax";
	int i;

	memset(name, 'a', sizeof(name));
	CHECK_EQ(pmv_name_verify(name, PMV_NAME_MAX), 0);
	CHECK_EQ(pmv_name_verify(name, PMV_NAME_MAX + 1), -EINVAL);
	CHECK_EQ(pmv_name_verify(name, 0), -EINVAL);
	CHECK_EQ(pmv_name_verify("..", 2), -EINVAL);
	CHECK_EQ(pmv_name_verify("-a", 2), -EINVAL);
	CHECK_EQ(pmv_name_verify("a\0b", 3), -EINVAL);
	for (i = 0; i < 256; i++) {
		bool good = (i >= '0' && i <= '9') || (i >= 'a' && i <= 'z') ||
			    (i >= 'A' && i <= 'Z') || i == '+' || i == '_' || i == '.' || i == '-';

		c[1] = (char)i;
		CHECK_EQ(pmv_name_verify(c, 2), good ? 0 : -EINVAL);
	}
}

void format_geometry(void)
{
	unsigned int shift;
	u64 phys, off;

	for (shift = PMV_CHUNK_SHIFT_MIN; shift <= PMV_CHUNK_SHIFT_MAX; shift++)
		for (phys = 0; phys < 200 * MIB; phys += 12 * 4096 * 7) {
			off = pmv_data_off(phys, shift);
			CHECK(off >= PMV_HEADER_SIZE);
			CHECK(off < PMV_HEADER_SIZE + BIT_ULL(shift));
			CHECK_EQ((phys + off) % BIT_ULL(shift), 0);
		}
	CHECK_EQ(pmv_map_height(1), 1);
	CHECK_EQ(pmv_map_height(512), 1);
	CHECK_EQ(pmv_map_height(513), 2);
	CHECK_EQ(pmv_map_height(BIT_ULL(18)), 2);
	CHECK_EQ(pmv_map_height(BIT_ULL(18) + 1), 3);
	CHECK_EQ(pmv_map_height(BIT_ULL(27)), 3);
	CHECK_EQ(pmv_map_height(BIT_ULL(27) + 1), 0);
	CHECK_EQ(pmv_map_height(~0ULL), 0);
}
