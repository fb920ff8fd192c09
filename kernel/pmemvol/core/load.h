/* SPDX-License-Identifier: GPL-2.0 */
/* Reading a pool back. [meta] is core.h's. */
#ifndef PMV_CORE_LOAD_H
#define PMV_CORE_LOAD_H

#include "find.h"

/**
 * struct pmv_load_ops - what the loader finds
 * @claim_chunk: a chunk is owned; -EUCLEAN when it was already
 * @volume: a descriptor, in the order of slots; *@cookie is handed to the next two. -EUCLEAN when
 *	    the name exists, for snapshots among those of their volume. One being erased may bear
 *	    the name of a later one
 * @leaf: a leaf of the last volume's map, within the volume's size; may be NULL
 * @chunk: a provisioned chunk of the last volume, after @claim_chunk
 * @segment_map: memory for the bitmap of a segment, zeroed; NULL: -ENOMEM
 * @finding: something is wrong; may be NULL
 * @lost: the last volume is damaged and cannot be used, whatever was or will be told of it. NULL:
 *	  loading ends at the first loss
 * @contested: a chunk that was claimed before is claimed again: who has it is lost too; may be NULL
 */
struct pmv_load_ops {
	int (*claim_chunk)(void *ctx, u64 chunk);
	int (*volume)(void *ctx, const struct pmv_desc *d, const struct pmv_map *m, void **cookie);
	int (*leaf)(void *ctx, void *cookie, u64 leaf, u32 page);
	int (*chunk)(void *ctx, void *cookie, u64 index, struct pmv_word w);
	unsigned long *(*segment_map)(void *ctx, unsigned int bits);
	void (*finding)(void *ctx, const struct pmv_finding *f);
	void (*lost)(void *ctx, void *cookie);
	void (*contested)(void *ctx, u64 chunk);
};

/**
 * struct pmv_load_result - what loading saw
 * @repaired: pages or descriptors of which one copy was damaged or behind
 * @damaged: of them those of which a copy was damaged
 * @lost: findings that are losses
 * @bad_page: of the place of the first loss
 * @why: sentence, when there was one
 */
struct pmv_load_result {
	u64 repaired;
	u64 damaged;
	u64 lost;
	u32 bad_page;
	const char *why;
};

/**
 * pmv_load() - read all metadata of a pool and verify it [meta]
 * @c: initialised by pmv_core_init()
 * @ops: called for what is found
 * @ctx: for @ops
 * @repair: bring copies that differ into agreement
 * @res: out
 *
 * With @ops->lost, what is damaged is left out and the rest is loaded: such a pool must not be
 * changed, for nobody knows which chunks the lost parts name.
 *
 * Return: 0, -EUCLEAN, or what a callback returned.
 */
int pmv_load(struct pmv_core *c, const struct pmv_load_ops *ops, void *ctx, bool repair,
	     struct pmv_load_result *res);

#endif /* PMV_CORE_LOAD_H */
