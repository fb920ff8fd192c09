// SPDX-License-Identifier: GPL-2.0
/*
 * Whose chunk one shows. A volume's chunks stay with it; a snapshot has copies of those that were
 * changed while it was the newest, and shows the rest through newer snapshots and the volume.
 */
#include "kin.h"

void pmv_kin_insert(struct pmv_kin *volume, struct pmv_kin *snapshot)
{
	struct pmv_kin *newer = volume;

	while (newer->older && newer->older->gen > snapshot->gen)
		newer = newer->older;
	snapshot->newer = newer;
	snapshot->older = newer->older;
	if (snapshot->older)
		snapshot->older->newer = snapshot;
	newer->older = snapshot;
}

void pmv_kin_remove(struct pmv_kin *snapshot)
{
	snapshot->newer->older = snapshot->older;
	if (snapshot->older)
		snapshot->older->newer = snapshot->newer;
	snapshot->newer = NULL;
	snapshot->older = NULL;
}

/* Among a volume and its snapshots alone. */
static int find_among(struct pmv_kin *k, u64 index, pmv_kin_word word, void *ctx,
		      struct pmv_kin **owner, struct pmv_word *w)
{
	u64 gen = k->gen;
	int ret;

	for (; k; k = k->newer) {
		if (index >= k->chunks)
			continue;
		ret = word(ctx, k, index, w);
		if (ret == -ENOENT)
			continue;
		if (ret)
			return ret;
		/* What was born later hides nothing that was born earlier. */
		if (w->tag > gen)
			return -ENOENT;
		*owner = k;
		return 0;
	}
	return -ENOENT;
}

int pmv_kin_find(struct pmv_kin *k, u64 index, pmv_kin_word word, void *ctx,
		 struct pmv_kin **owner, struct pmv_word *w)
{
	int ret;

	for (; k; k = k->parent) {
		if (index >= k->chunks)
			return -ENOENT;
		ret = find_among(k, index, word, ctx, owner, w);
		if (ret != -ENOENT)
			return ret;
		/* What a clone had not got yet, its snapshots show as the clone did. */
		while (k->newer)
			k = k->newer;
	}
	return -ENOENT;
}

int pmv_kin_heir(struct pmv_kin *k, u64 index, u64 birth, pmv_kin_word word, void *ctx,
		 struct pmv_kin **heir)
{
	struct pmv_word w;
	int ret;

	*heir = NULL;
	for (k = k->older; k && k->gen >= birth; k = k->older) {
		/* One has a chunk of its own, and so have all older ones that need one. */
		ret = word(ctx, k, index, &w);
		if (ret != -ENOENT)
			return ret;
		if (k->leaving)
			continue;
		*heir = k;
		return 0;
	}
	return 0;
}
