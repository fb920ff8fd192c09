// SPDX-License-Identifier: GPL-2.0
/*
 * Snapshots, clones and their volumes name each other by slot. Generations fall from each to what
 * it shows things through, so that nobody goes in circles, whatever the medium says.
 */
#include "load_parts.h"

/* The descriptor in @slot, if it is one in use of this kind. */
static bool read_active(const struct load *l, u32 slot, u8 kind, struct pmv_desc *d)
{
	return !pmv_desc_read(l->c, slot, d, NULL) && d->kind == kind &&
	       d->state == PMV_DESC_ACTIVE;
}

static u64 gen_of(const struct pmv_desc *d)
{
	return le64_to_cpu(d->birth_gen);
}

static int bad(const char **why, const char *text)
{
	*why = text;
	return -EUCLEAN;
}

static void take_heir(struct load *l, const struct pmv_desc *d, u32 slot)
{
	l->has_heir = true;
	l->heir.slot = slot;
	l->heir.root = le32_to_cpu(d->root);
	l->heir.height = d->height;
	l->heir.chunks = le64_to_cpu(d->chunks);
}

/* Of the eight descriptors of one page. */
static void find_heir_at(struct load *l, const struct pmv_desc *d, u32 dir, u64 *best)
{
	u32 slot = dir * PMV_DESCS_PER_PAGE, end = slot + PMV_DESCS_PER_PAGE;
	struct pmv_desc other;
	struct pmv_word w;

	if (pmv_word_load(l->c, dir / PMV_WORDS_PER_PAGE, dir % PMV_WORDS_PER_PAGE, PMV_WORD_DIR,
			  0, dir, &w))
		return;
	for (; slot < end; slot++) {
		if (pmv_desc_read_at(l->c, w.value, slot, &other, NULL) ||
		    other.kind != PMV_DESC_SNAPSHOT || other.state != PMV_DESC_ACTIVE ||
		    other.origin != d->origin || gen_of(&other) >= gen_of(d) ||
		    gen_of(&other) <= *best)
			continue;
		*best = gen_of(&other);
		take_heir(l, &other, slot);
	}
}

/* The newest snapshot of the same volume that is older than @d, a deleted one. */
static void find_heir(struct load *l, const struct pmv_desc *d)
{
	/* The words at the top of this descriptor's way are in scratch[0], nothing below is. */
	struct pmv_page_buf *buf = l->c->scratch[2];
	unsigned int page, copy, i;
	u64 best = 0;

	for (page = 0; page < PMV_DIR_PAGES; page++) {
		for (copy = 0; copy < PMV_COPIES; copy++)
			if (pmv_page_read(l->c, page, copy, 0, &buf[copy], sizeof(buf[copy])))
				memset(&buf[copy], 0, sizeof(buf[copy]));
		for (i = 0; i < PMV_WORDS_PER_PAGE; i++)
			if (buf[0].word[i] || buf[1].word[i])
				find_heir_at(l, d, page * PMV_WORDS_PER_PAGE + i, &best);
	}
}

static int load_snapshot(struct load *l, const struct pmv_desc *d, const char **why)
{
	struct pmv_desc volume;

	if (gen_of(d) >= le64_to_cpu(l->c->sb.map_gen))
		return bad(why, "a snapshot is of a generation that is still to come");
	if (d->state == PMV_DESC_ERASING) {
		find_heir(l, d);
		return 0;
	}
	if (!read_active(l, le32_to_cpu(d->origin), PMV_DESC_VOLUME, &volume) ||
	    gen_of(&volume) > gen_of(d))
		return bad(why, "the volume of a snapshot is not there");
	return 0;
}

int pmv_load_kin(struct load *l, const struct pmv_desc *d, u32 slot, const char **why)
{
	u32 flags = le32_to_cpu(d->flags);
	struct pmv_desc other;

	l->has_heir = false;
	if (d->kind == PMV_DESC_SNAPSHOT)
		return load_snapshot(l, d, why);
	if (d->state == PMV_DESC_ERASING)
		return 0;
	if (flags & PMV_DESC_CLONE &&
	    (!read_active(l, le32_to_cpu(d->origin), PMV_DESC_SNAPSHOT, &other) ||
	     gen_of(&other) >= gen_of(d)))
		return bad(why, "the snapshot of a clone is not there");
	if (flags & PMV_DESC_ROLLBACK &&
	    (!read_active(l, le32_to_cpu(d->target), PMV_DESC_SNAPSHOT, &other) ||
	     le32_to_cpu(other.origin) != slot))
		return bad(why, "the snapshot that a volume is rolled back to is not there");
	return 0;
}

bool pmv_load_handed_over(const struct load *l, u64 index, struct pmv_word w)
{
	struct pmv_word theirs;
	u32 page;

	return index < l->heir.chunks &&
	       !pmv_map_find_leaf(l->c, &l->heir, index >> PMV_LEAF_SHIFT, &page) &&
	       !pmv_word_load(l->c, page, index & (PMV_WORDS_PER_PAGE - 1), PMV_WORD_LEAF,
			      l->heir.slot, index, &theirs) &&
	       theirs.value == w.value && theirs.tag == w.tag;
}
