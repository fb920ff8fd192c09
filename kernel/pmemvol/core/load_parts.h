/* SPDX-License-Identifier: GPL-2.0 */
/* What the parts of the loader share, and nobody else sees. */
#ifndef PMV_CORE_LOAD_PARTS_H
#define PMV_CORE_LOAD_PARTS_H

#include "load.h"

/* A load under way. */
struct load {
	struct pmv_core *c;
	const struct pmv_load_ops *ops;
	void *ctx;
	bool repair;
	struct pmv_load_result *res;
	/* Of the volume that is being loaded: */
	const struct pmv_desc *desc;
	u32 slot;
	bool hurt;
	u64 leaves;
	/* Of a deleted snapshot: the map of the one that may have got chunks of it. */
	bool has_heir;
	struct pmv_map heir;
	/* Of all volumes that are not deleted: */
	u64 owed;
	/* Of the pool: chunks owned, and those of them that come back by themselves. */
	u64 claimed;
	u64 soon;
};

/* A page of words: where its copies stand, and what its words are, to tell good from bad. */
struct table {
	enum pmv_part part;
	u32 page;			/* metadata page, or 0 */
	u32 member[PMV_COPIES];
	u64 off[PMV_COPIES];
	enum pmv_word_kind kind;
	u32 owner;
	u64 first;			/* index of word 0 */
	unsigned int shift;		/* log2 of the distance to the next word's index */
	bool by_word;			/* even a damaged copy's good words count */
	const char *unreadable;		/* what to say when both copies are */
	const char *damaged;
};

/**
 * pmv_load_tell() - tell of something wrong
 * @l: load
 * @f: what; gets the volume that is being loaded
 * @page: metadata page to blame
 *
 * Return: 0, or -EUCLEAN when it is a loss and those are not tolerated.
 */
int pmv_load_tell(struct load *l, struct pmv_finding *f, u32 page);

/**
 * pmv_load_kin() - look at what a descriptor says of others, and who is a deleted snapshot's heir
 * @l: load of the volume or snapshot @d
 * @d: descriptor
 * @slot: its slot
 * @why: out: sentence on refusal
 *
 * Return: 0, or -EUCLEAN when it is not true.
 */
int pmv_load_kin(struct load *l, const struct pmv_desc *d, u32 slot, const char **why);

/** pmv_load_handed_over() - has the deleted snapshot's heir got this chunk already? */
bool pmv_load_handed_over(const struct load *l, u64 index, struct pmv_word w);

/** pmv_load_table_of() - set in @t where metadata page @page stands, as part @part */
void pmv_load_table_of(const struct load *l, struct table *t, enum pmv_part part, u32 page);

/**
 * pmv_load_table() - read a page of words into scratch[depth][0]
 * @l: load
 * @depth: which scratch
 * @t: which page
 *
 * A power cut leaves no bad word: a copy with one is damaged, and some of its words may be good by
 * accident. It counts for nothing if the other is good throughout; of two damaged copies word by
 * word what is good counts. Words of which nothing is good are lost, and empty in what is read.
 *
 * Return: 0 or -EUCLEAN.
 */
int pmv_load_table(struct load *l, unsigned int depth, const struct table *t);

#endif /* PMV_CORE_LOAD_PARTS_H */
