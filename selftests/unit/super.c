// SPDX-License-Identifier: GPL-2.0
/* Superblocks: which copy counts, which devices make a pool, and how it begins, grows and ends. */
#include "test.h"

static void put_sb(struct fixture *f, unsigned int dev, unsigned int copy, const struct pmv_sb *sb)
{
	ram_set(&f->r, dev, (u64)copy * PMV_COPY_STRIDE, sb, sizeof(*sb));
}

static int read_sb(struct fixture *f, unsigned int dev, struct pmv_sb *sb, const char **why)
{
	struct pmv_sb other;

	*why = NULL;
	return pmv_sb_read(&ram_ops, &f->r, dev, f->size[dev], sb, &other, why);
}

void super_read(void)
{
	static struct fixture f;
	struct pmv_sb sb, old, new, blank = { 0 }, broken, future;
	const struct pmv_sb *images[5] = { &blank, &broken, &old, &new, &future };
	/* What each image is alone: its error, or its generation. */
	static const int err[] = { -ENODATA, -EUCLEAN, 0, 0, -EOPNOTSUPP };
	const char *why;
	int i, j, ret;

	fixture_init(&f, 1, 4);
	CHECK_EQ(read_sb(&f, 0, &old, &why), 0);
	CHECK_EQ(le64_to_cpu(old.generation), 1);
	new = old;
	new.generation = cpu_to_le64(2);
	pmv_sb_seal(&new);
	broken = new;
	broken.created ^= 1;
	future = new;
	future.incompat = cpu_to_le64(4);
	pmv_sb_seal(&future);
	for (i = 0; i < 5; i++)
		for (j = 0; j < 5; j++) {
			put_sb(&f, 0, 0, images[i]);
			put_sb(&f, 0, 1, images[j]);
			ret = read_sb(&f, 0, &sb, &why);
			if (err[i] && err[j]) {
				CHECK(ret == err[i] || ret == err[j]);
				CHECK(ret != -ENODATA || i == j);
				CHECK(why);
				continue;
			}
			/* The newer copy is one this version does not know: the older is history. */
			if (i + j == 2 + 4 && i != j) {
				CHECK_EQ(ret, -EOPNOTSUPP);
				CHECK(why && strstr(why, "feature"));
				continue;
			}
			CHECK_EQ(ret, 0);
			CHECK_EQ(le64_to_cpu(sb.generation), i == 3 || j == 3 ? 2 : 1);
		}
	put_sb(&f, 0, 0, &old);
	put_sb(&f, 0, 1, &new);
	ram_make_bad(&f.r, 0, PMV_COPY_STRIDE + 100, 1);
	CHECK_EQ(read_sb(&f, 0, &sb, &why), 0);
	CHECK_EQ(le64_to_cpu(sb.generation), 1);
	ram_make_bad(&f.r, 0, 4095, 1);
	CHECK_EQ(read_sb(&f, 0, &sb, &why), -EIO);
	CHECK(why && strstr(why, "cannot be read"));
	f.r.bad[0] = f.r.bad[--f.r.nr_bad];
	CHECK_EQ(read_sb(&f, 0, &sb, &why), 0);
	CHECK_EQ(le64_to_cpu(sb.generation), 2);
	/* One copy gone and the other unreadable: not "no pool here". */
	put_sb(&f, 0, 1, &blank);
	CHECK_EQ(read_sb(&f, 0, &sb, &why), -EIO);
	CHECK(why && strstr(why, "cannot be read"));
	fixture_exit(&f);
}

static int assemble(const struct pmv_sb *const *sb, unsigned int nr, unsigned int *order, int *culprit)
{
	const char *why = NULL;
	int ret;

	*culprit = -2;
	ret = pmv_sb_assemble(sb, nr, order, culprit, &why);
	CHECK(!ret == !why);
	CHECK(!ret || *culprit >= -1);
	return ret;
}

void super_assemble(void)
{
	static struct fixture f;
	unsigned int order[PMV_MEMBERS_MAX];
	struct pmv_sb m[3], x;
	const struct pmv_sb *sb[4];
	const char *why;
	int i, j, k, culprit;

	fixture_init(&f, 3, 4);
	for (i = 0; i < 3; i++)
		CHECK_EQ(read_sb(&f, i, &m[i], &why), 0);
#define TRY(want, blamed, ...) do { \
	const struct pmv_sb *const _sb[] = { __VA_ARGS__ }; \
	CHECK_EQ(assemble(_sb, ARRAY_SIZE(_sb), order, &culprit), want); \
	if (want) \
		CHECK_EQ(culprit, blamed); \
} while (0)
	for (i = 0; i < 3; i++)
		for (j = 0; j < 3; j++)
			for (k = 0; k < 3; k++) {
				if (i == j || j == k || i == k)
					continue;
				TRY(0, 0, &m[i], &m[j], &m[k]);
				CHECK(order[i] == 0 || order[j] == 0 || order[k] == 0);
				sb[0] = &m[i];
				sb[1] = &m[j];
				sb[2] = &m[k];
				for (culprit = 0; culprit < 3; culprit++)
					CHECK_EQ(le16_to_cpu(sb[order[culprit]]->member_index), culprit);
			}
	CHECK_EQ(assemble(sb, 0, order, &culprit), -ESTALE);
	TRY(-ESTALE, -1, &m[0], &m[1]);
	TRY(-ESTALE, -1, &m[1], &m[2]);
	TRY(-EUCLEAN, 2, &m[0], &m[1], &m[1], &m[2]);
	TRY(-EUCLEAN, 1, &m[0], &m[0], &m[1], &m[2]);
	x = m[1];
	x.pool_uuid[3] ^= 1;
	TRY(-ESTALE, 1, &m[0], &x, &m[2]);
	x = m[1];
	x.member_uuid[3] ^= 1;
	TRY(-ESTALE, 2, &m[0], &m[2], &x);
	x = m[1];
	x.member_index = cpu_to_le16(3);
	TRY(-ESTALE, 1, &m[0], &x, &m[2]);
	x.member_index = cpu_to_le16(0xffff);
	TRY(-ESTALE, 1, &m[0], &x, &m[2]);
	x = m[1];
	x.chunk_shift++;
	TRY(-EUCLEAN, 1, &m[0], &x, &m[2]);
	x = m[1];
	x.member[1].chunks = cpu_to_le64(3);
	TRY(-EUCLEAN, 1, &m[0], &x, &m[2]);
	/* Generations: ahead of the first member by one is a commit cut short, no more than that. */
	x = m[1];
	x.generation = cpu_to_le64(2);
	TRY(0, 0, &m[0], &x, &m[2]);
	x.generation = cpu_to_le64(3);
	TRY(-ESTALE, -1, &m[0], &x, &m[2]);
	x.generation = 0;
	TRY(-ESTALE, 1, &m[0], &x, &m[2]);
	/* A first member that went back in time. */
	x = m[0];
	x.generation = cpu_to_le64(3);
	TRY(-ESTALE, 1, &x, &m[1], &m[2]);
	/* Two first members, one of them of a pool of one. */
	x = m[0];
	x.nr_members = cpu_to_le16(1);
	TRY(-EUCLEAN, 1, &m[0], &x, &m[1], &m[2]);
	TRY(-ESTALE, 1, &x, &m[1], &m[2]);
#undef TRY
	fixture_exit(&f);
}

void super_extend_destroy(void)
{
	static struct fixture f;
	static struct pmv_sb sb;
	const char *why;
	unsigned int i;
	u64 off;

	fixture_init(&f, 3, 6);
	/* Format anew on two, with the third holding the remains of the old pool. */
	f.nr = 2;
	pool_plan(&f.p, &ram_ops, &f.r, f.size, 2, 0);
	CHECK_EQ(pool_format(&f.p), 0);
	CHECK_EQ(f.p.seg[0].chunk[1], 6);
	pool_plan_extend(&f.p, &sb, f.size[2], 0, &off);
	pmv_extend(&f.p.c, &sb, &off, &f.size[2]);
	CHECK_EQ(f.p.c.chunks, 18);
	CHECK_EQ(pmv_chunk_where(&f.p.c, 17, &off), 2);
	CHECK_EQ(off, 2 * MIB + 5 * 2 * MIB);
	CHECK_EQ(pmv_chunk_where(&f.p.c, 0, &off), 0);
	CHECK_EQ(pmv_chunk_where(&f.p.c, 11, &off), 1);
	f.nr = 3;
	CHECK_EQ(fixture_reload(&f), 0);
	CHECK_EQ(f.p.c.nr_members, 3);
	CHECK_EQ(le64_to_cpu(f.p.c.sb.generation), 2);
	pmv_destroy(&f.p.c);
	for (i = 0; i < 3; i++)
		CHECK_EQ(read_sb(&f, i, &sb, &why), -ENODATA);
	fixture_exit(&f);
}

void super_format(void)
{
	static struct fixture f;
	u8 byte, mark[] = "EFI PART";
	const u64 one[] = { 4 * MIB };
	u64 off;

	/* One chunk is not enough for a first segment, and nothing is touched then. */
	ram_init(&f.r, one, 1, 0xa5);
	pool_plan(&f.p, &ram_ops, &f.r, one, 1, 0);
	CHECK_EQ(f.p.c.chunks, 1);
	CHECK_EQ(pool_format(&f.p), -ENOSPC);
	for (off = 0; off < 4 * MIB; off += 512) {
		ram_get(&f.r, 0, off, &byte, 1);
		CHECK_EQ(byte, 0xa5);
	}
	ram_exit(&f.r);
	/* Of foreign signatures in the header and at the end nothing is left. */
	fixture_init(&f, 1, 2);
	ram_set(&f.r, 0, 512, mark, sizeof(mark));
	ram_set(&f.r, 0, f.size[0] - 512, mark, sizeof(mark));
	pool_plan(&f.p, &ram_ops, &f.r, f.size, 1, 0);
	CHECK_EQ(pool_format(&f.p), 0);
	for (off = 4096; off < 65536; off += 8) {
		ram_get(&f.r, 0, off, &byte, 1);
		CHECK_EQ(byte, 0);
		ram_get(&f.r, 0, f.size[0] - 65536 + off, &byte, 1);
		CHECK_EQ(byte, 0);
	}
	ram_get(&f.r, 0, 512, &byte, 1);
	CHECK_EQ(byte, 0);
	CHECK_EQ(fixture_reload(&f), 0);
	CHECK_EQ(f.p.a.nr_free, 0);
	fixture_exit(&f);
}
