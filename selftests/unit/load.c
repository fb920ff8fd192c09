// SPDX-License-Identifier: GPL-2.0
/* Loading: one of two copies is enough, and nothing the medium says is taken on trust. */
#include <stdlib.h>
#include "test.h"

/* A pool with a map of each height, chunks in them, and something in a second page of descriptors. */
static void populate(struct fixture *f)
{
	static const struct { u32 slot; u64 chunks; bool thick; } vols[] = {
		{ 0, 5, false }, { 1, 700, true }, { 9, BIT_ULL(18) + 3, false },
	};
	struct pmv_volume_params p;
	unsigned int i, chunk = 2;
	char letter[] = "a";
	struct pmv_desc d;
	struct pmv_map m;
	u32 page;

	fixture_init(f, 2, 12);
	for (i = 0; i < ARRAY_SIZE(vols); i++, letter[0]++) {
		pool_params(&p, letter, vols[i].chunks, vols[i].thick);
		CHECK_EQ(pmv_volume_create(&f->p.c, vols[i].slot, &p, &d, &m), 0);
		CHECK_EQ(pmv_map_make_leaf(&f->p.c, &m, 0, &page), 0);
		pmv_map_set(&f->p.c, &m, page, 1, (struct pmv_word){ chunk++, 1 });
		CHECK_EQ(pmv_map_make_leaf(&f->p.c, &m, (vols[i].chunks - 1) >> 9, &page), 0);
		pmv_map_set(&f->p.c, &m, page, vols[i].chunks - 1, (struct pmv_word){ chunk++, 1 });
	}
	CHECK_EQ(fixture_reload(f), 0);
	CHECK_EQ(f->p.res.repaired, 0);
	CHECK_EQ(f->p.nr_entries, 6);
}

static bool whole(struct fixture *f)
{
	return f->p.nr_vols == 3 && f->p.nr_entries == 6 && f->p.c.nr_segments == 1;
}

/* Every page in use, and the header of the first member. */
static unsigned int all_places(struct fixture *f, unsigned int copy, unsigned int *dev, u64 *off)
{
	unsigned int n = 0, page;

	for (page = 0; page < 512; page++)
		if (test_bit(page, f->p.seg[0].map)) {
			dev[n] = fixture_page(f, page, copy, &off[n]);
			n++;
		}
	dev[n] = 0;
	off[n++] = (u64)copy * PMV_COPY_STRIDE + PMV_SEGTAB_OFF;
	return n;
}

static void spoil_and_load(struct fixture *f, void (*spoil)(struct ram *, unsigned int, u64))
{
	unsigned int copy, i, n, dev[64];
	struct ram pristine;
	u64 off[64];

	populate(f);
	ram_copy(&pristine, &f->r);
	for (copy = 0; copy < PMV_COPIES; copy++) {
		n = all_places(f, copy, dev, off);
		CHECK_EQ(n, PMV_DIR_PAGES + 2 + 1 + 3 + 5 + 1);
		for (i = 0; i < n; i++) {
			ram_exit(&f->r);
			ram_copy(&f->r, &pristine);
			spoil(&f->r, dev[i], off[i]);
			/* Looking only: nothing is changed, so it can be looked at again. */
			CHECK_EQ(pool_open(&f->p, &ram_ops, &f->r, f->size, f->nr, false), 0);
			CHECK(whole(f));
			CHECK_EQ(fixture_reload(f), 0);
			CHECK(whole(f));
			CHECK_EQ(fixture_reload(f), 0);
			CHECK(whole(f));
			CHECK_EQ(f->p.res.repaired, 0);
		}
	}
	ram_exit(&pristine);
	fixture_exit(f);
}

static void spoil_garbage(struct ram *r, unsigned int dev, u64 off)
{
	unsigned int i;

	for (i = 0; i < PMV_PAGE_SIZE; i++)
		ram_flip(r, dev, off + i, (u8)(0x5a + i));
}

static void spoil_zero(struct ram *r, unsigned int dev, u64 off)
{
	static const u8 zero[PMV_PAGE_SIZE];

	ram_set(r, dev, off, zero, sizeof(zero));
}

static void spoil_unreadable(struct ram *r, unsigned int dev, u64 off)
{
	ram_make_bad(r, dev, off, 256);
}

void load_mirror(void)
{
	static struct fixture f;

	spoil_and_load(&f, spoil_garbage);
}

/* A page that reads as zeros, as after its poison was cleared, must not take the other along. */
void load_lost_lines(void)
{
	static struct fixture f;

	spoil_and_load(&f, spoil_zero);
}

void load_unreadable(void)
{
	static struct fixture f;

	spoil_and_load(&f, spoil_unreadable);
}

static void set_word(struct fixture *f, u32 page, unsigned int at, enum pmv_word_kind kind, u32 owner,
		     u64 index, u32 value, u32 tag)
{
	pmv_word_store(&f->p.c, page, at,
		       pmv_word_encode((struct pmv_word){ value, tag }, kind, owner, index));
}

/* Well-formed lies, each one alone. */
void load_hostile(void)
{
	static struct fixture f;
	struct ram pristine;
	unsigned int lie, copy, dev;
	struct pmv_desc d;
	u32 root0, root9, page;
	u64 raw, off;
	int ret;

	populate(&f);
	ram_copy(&pristine, &f.r);
	for (lie = 0;; lie++) {
		ram_exit(&f.r);
		ram_copy(&f.r, &pristine);
		CHECK_EQ(fixture_reload(&f), 0);
		root0 = pool_slot(&f.p, 0)->m.root;
		root9 = pool_slot(&f.p, 9)->m.root;
		switch (lie) {
		case 0:		/* a chunk twice in a volume */
			set_word(&f, root0, 2, PMV_WORD_LEAF, 0, 2, 2, 1);
			break;
		case 1:		/* a chunk of another volume */
			set_word(&f, root0, 2, PMV_WORD_LEAF, 0, 2, 5, 1);
			break;
		case 2:		/* a chunk of metadata */
			set_word(&f, root0, 2, PMV_WORD_LEAF, 0, 2, 0, 1);
			break;
		case 3:		/* a chunk behind the end */
			set_word(&f, root0, 2, PMV_WORD_LEAF, 0, 2, 24, 1);
			break;
		case 4:
			set_word(&f, root0, 2, PMV_WORD_LEAF, 0, 2, PMV_WORD_VALUE_MAX, 1);
			break;
		case 5:		/* an entry behind the volume's end */
			set_word(&f, root0, 5, PMV_WORD_LEAF, 0, 5, 20, 1);
			break;
		case 6:		/* born never, and in the future */
			set_word(&f, root0, 2, PMV_WORD_LEAF, 0, 2, 20, 0);
			break;
		case 7:
			set_word(&f, root0, 2, PMV_WORD_LEAF, 0, 2, 20, 2);
			break;
		case 8:		/* a child at the wrong level, itself, the directory, nowhere */
			set_word(&f, root9, 2, PMV_WORD_NODE, 9, 1024ULL, 400, 1);
			break;
		case 9:
			set_word(&f, root9, 2, PMV_WORD_NODE, 9, 1024ULL, root9, 2);
			break;
		case 10:
			set_word(&f, root9, 2, PMV_WORD_NODE, 9, 1024ULL, 3, 2);
			break;
		case 11:
			set_word(&f, root9, 2, PMV_WORD_NODE, 9, 1024ULL, 512, 2);
			break;
		case 12:	/* a child that is another volume's */
			set_word(&f, root9, 2, PMV_WORD_NODE, 9, 1024ULL, root0, 2);
			break;
		case 13:	/* the directory leads to itself, outside, and to one page twice */
			set_word(&f, 0, 100, PMV_WORD_DIR, 0, 100, 15, 1);
			break;
		case 14:
			set_word(&f, 0, 100, PMV_WORD_DIR, 0, 100, 512, 1);
			break;
		case 15:
			CHECK_EQ(pmv_word_load(&f.p.c, 0, 0, PMV_WORD_DIR, 0, 0,
					       &(struct pmv_word){ 0 }), 0);
			set_word(&f, 0, 100, PMV_WORD_DIR, 0, 100, 16, 1);
			break;
		case 16:	/* segments: the same chunk twice, a chunk outside, one in use, none */
			CHECK_EQ(pmv_segment_add(&f.p.c, 20, 20, pool_map(&f.p)), 0);
			break;
		case 17:
			CHECK_EQ(pmv_segment_add(&f.p.c, 20, 24, pool_map(&f.p)), 0);
			break;
		case 18:
			CHECK_EQ(pmv_segment_add(&f.p.c, 20, 3, pool_map(&f.p)), 0);
			break;
		case 19:
			raw = 0;
			ram_set(&f.r, 0, PMV_SEGTAB_OFF, &raw, 8);
			ram_set(&f.r, 0, PMV_COPY_STRIDE + PMV_SEGTAB_OFF, &raw, 8);
			break;
		case 20:	/* descriptors: a name twice, a root in the directory, outside, another's */
			d = pool_slot(&f.p, 0)->d;
			CHECK_EQ(pmv_volume_rename(&f.p.c, 0, &d, "b", 1), 0);
			break;
		case 21 ... 24:
			d = pool_slot(&f.p, 0)->d;
			d.root = cpu_to_le32(lie == 21 ? 4 : lie == 22 ? 512 : lie == 23 ? root9 :
					     PMV_WORD_VALUE_MAX);
			CHECK_EQ(pmv_desc_write(&f.p.c, 0, &d), 0);
			break;
		case 25:	/* damage in both copies */
			CHECK_EQ(pmv_map_find_leaf(&f.p.c, &pool_slot(&f.p, 1)->m, 1, &page), 0);
			pmv_word_store(&f.p.c, page, 7, 0x1234567890abcdefULL);
			break;
		case 26:	/* nothing to read in either copy */
			for (copy = 0; copy < PMV_COPIES; copy++) {
				dev = fixture_page(&f, root0, copy, &off);
				ram_make_bad(&f.r, dev, off + 64, 1);
			}
			break;
		default:
			ram_exit(&pristine);
			fixture_exit(&f);
			return;
		}
		ret = fixture_reload(&f);
		if (ret != -EUCLEAN)
			ktap_fail("lie %u: %d", lie, ret);
		CHECK(f.p.res.why);
	}
}

/* Any one bit of the metadata in one copy: the pool is what it was, from whichever copy. */
void load_flips(void)
{
	static struct fixture f;
	unsigned int copy, i, n, dev[64], bit;
	u64 off[64], at;

	populate(&f);
	for (copy = 0; copy < PMV_COPIES; copy++) {
		n = all_places(&f, copy, dev, off);
		for (i = PMV_DIR_PAGES - 1; i < n; i++)
			for (at = 0; at < PMV_PAGE_SIZE; at += 7) {
				bit = at / 7 % 8;
				ram_flip(&f.r, dev[i], off[i] + at, (u8)(1U << bit));
				CHECK_EQ(pool_open(&f.p, &ram_ops, &f.r, f.size, f.nr, true), 0);
				CHECK(whole(&f));
			}
	}
	fixture_exit(&f);
}
