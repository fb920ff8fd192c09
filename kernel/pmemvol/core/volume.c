// SPDX-License-Identifier: GPL-2.0
/* The life of a volume: every function is one step that a power cut leaves done or not done. */
#include "core.h"

u64 pmv_volume_pages(const struct pmv_volume_params *p)
{
	/* The page of the slot, and the root or every page of the map. */
	return 1 + (p->flags & PMV_DESC_THICK ? pmv_map_pages_max(p->chunks) : 1);
}

int pmv_volume_create(struct pmv_core *c, u32 slot, const struct pmv_volume_params *p,
		      struct pmv_desc *d, struct pmv_map *m)
{
	struct pmv_desc old;
	int ret;

	ret = pmv_slot_prepare(c, slot);
	if (ret)
		return ret;
	ret = pmv_desc_read(c, slot, &old, NULL);
	if (ret)
		return ret;
	m->slot = slot;
	m->chunks = p->chunks;
	ret = pmv_map_create(c, m);
	if (ret)
		return ret;
	if (p->flags & PMV_DESC_THICK) {
		ret = pmv_map_make_all(c, m, 0);
		if (ret)
			goto err_map;
	}

	memset(d, 0, sizeof(*d));
	d->seq = old.seq;
	d->kind = p->snapshot_gen ? PMV_DESC_SNAPSHOT : PMV_DESC_VOLUME;
	d->state = PMV_DESC_ACTIVE;
	d->flags = cpu_to_le32(p->flags);
	d->height = m->height;
	d->root = cpu_to_le32(m->root);
	d->chunks = cpu_to_le64(p->chunks);
	d->created = cpu_to_le64(p->created);
	d->birth_gen = p->snapshot_gen ? cpu_to_le64(p->snapshot_gen) : c->sb.map_gen;
	d->origin = cpu_to_le32(p->origin);
	memcpy(d->uuid, p->uuid, PMV_UUID_SIZE);
	d->name_len = p->name_len;
	memcpy(d->name, p->name, p->name_len);
	ret = pmv_desc_write(c, slot, d);
	if (ret)
		goto err_map;
	return 0;

err_map:
	pmv_map_release(c, m);
	return ret;
}

int pmv_volume_rename(struct pmv_core *c, u32 slot, struct pmv_desc *d, const char *name,
		      size_t len)
{
	struct pmv_desc new = *d;
	int ret;

	memset(new.name, 0, sizeof(new.name));
	memcpy(new.name, name, len);
	new.name_len = len;
	ret = pmv_desc_write(c, slot, &new);
	if (!ret)
		*d = new;
	return ret;
}

int pmv_volume_grow(struct pmv_core *c, struct pmv_desc *d, struct pmv_map *m, u64 chunks)
{
	struct pmv_desc new = *d;
	struct pmv_map grown;
	int ret;

	ret = pmv_map_grow(c, m, chunks, &grown);
	if (ret)
		return ret;
	new.chunks = cpu_to_le64(chunks);
	new.height = grown.height;
	new.root = cpu_to_le32(grown.root);
	/*
	 * A thick volume's new leaves hang in the old tree as far as that reaches; should
	 * this fail they stay there, empty, and belong to the volume.
	 */
	if (le32_to_cpu(d->flags) & PMV_DESC_THICK) {
		ret = pmv_map_make_all(c, &grown, pmv_map_leaves(m->chunks) - 1);
		if (ret)
			goto err_grown;
	}
	ret = pmv_desc_write(c, m->slot, &new);
	if (ret)
		goto err_grown;
	*d = new;
	*m = grown;
	return 0;

err_grown:
	pmv_map_ungrow(c, m, &grown);
	return ret;
}

int pmv_volume_delete(struct pmv_core *c, u32 slot, struct pmv_desc *d)
{
	struct pmv_desc new = *d;
	int ret;

	new.state = PMV_DESC_ERASING;
	ret = pmv_desc_write(c, slot, &new);
	if (!ret)
		*d = new;
	return ret;
}

void pmv_volume_erase_chunk(const struct pmv_core *c, u32 leaf_page, u64 index, u64 chunk)
{
	/* Zero before nothing names it, so that it is not forgotten half erased. */
	pmv_chunk_zero(c, chunk);
	c->ops->fence(c->ctx);
	pmv_map_clear(c, leaf_page, index);
}

int pmv_volume_erased(struct pmv_core *c, struct pmv_desc *d, const struct pmv_map *m)
{
	struct pmv_desc new;
	int ret;

	memset(&new, 0, sizeof(new));
	new.seq = d->seq;
	new.kind = PMV_DESC_FREE;
	ret = pmv_desc_write(c, m->slot, &new);
	if (ret)
		return ret;
	*d = new;
	pmv_map_release(c, m);
	return 0;
}
