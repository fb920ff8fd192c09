// SPDX-License-Identifier: GPL-2.0
/* The life of a snapshot; as in volume.c every function is one step, done or not done. */
#include "core.h"

/* The next generation is persistent before the snapshot is: what is born later is not its own. */
static int next_generation(struct pmv_core *c, u64 *gen)
{
	*gen = le64_to_cpu(c->sb.map_gen);
	if (*gen >= PMV_WORD_TAG_MAX)
		return -EOVERFLOW;
	c->sb.map_gen = cpu_to_le64(*gen + 1);
	c->sb.incompat = cpu_to_le64(le64_to_cpu(c->sb.incompat) | PMV_INCOMPAT_SNAPSHOTS);
	pmv_sb_commit(c);
	return 0;
}

int pmv_snapshot_create(struct pmv_core *c, u32 slot, const struct pmv_volume_params *p,
			const struct pmv_desc *of, const struct pmv_map *of_map,
			struct pmv_desc *d, struct pmv_map *m)
{
	struct pmv_volume_params params = *p;
	u64 gen;
	int ret;

	params.chunks = of_map->chunks;
	params.flags = le32_to_cpu(of->flags) & PMV_DESC_THICK;
	params.origin = of_map->slot;
	ret = next_generation(c, &gen);
	if (ret)
		return ret;
	params.snapshot_gen = gen;
	return pmv_volume_create(c, slot, &params, d, m);
}

void pmv_snapshot_hand_over(const struct pmv_core *c, const struct pmv_map *to, u32 to_page,
			    u32 from_page, u64 index, struct pmv_word w)
{
	pmv_map_set(c, to, to_page, index, w);
	pmv_map_clear(c, from_page, index);
}

static int set_rollback(struct pmv_core *c, u32 slot, struct pmv_desc *d, u32 flag, u32 target)
{
	struct pmv_desc new = *d;
	int ret;

	new.flags = cpu_to_le32((le32_to_cpu(d->flags) & ~PMV_DESC_ROLLBACK) | flag);
	new.target = cpu_to_le32(target);
	ret = pmv_desc_write(c, slot, &new);
	if (!ret)
		*d = new;
	return ret;
}

int pmv_rollback_begin(struct pmv_core *c, u32 slot, struct pmv_desc *d, u32 target)
{
	return set_rollback(c, slot, d, PMV_DESC_ROLLBACK, target);
}

int pmv_rollback_end(struct pmv_core *c, u32 slot, struct pmv_desc *d)
{
	return set_rollback(c, slot, d, 0, 0);
}
