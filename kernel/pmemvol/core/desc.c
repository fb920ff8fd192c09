// SPDX-License-Identifier: GPL-2.0
/* Descriptors: two copies, written in turn; the valid one with the higher seq counts. */
#include "core.h"

static int slot_page(const struct pmv_core *c, u32 slot, u32 *page)
{
	u32 dir = slot / PMV_DESCS_PER_PAGE;
	struct pmv_word w;
	int ret;

	ret = pmv_word_load(c, dir / PMV_WORDS_PER_PAGE, dir % PMV_WORDS_PER_PAGE, PMV_WORD_DIR, 0,
			    dir, &w);
	if (!ret)
		*page = w.value;
	return ret;
}

static unsigned int slot_off(u32 slot)
{
	return slot % PMV_DESCS_PER_PAGE * (unsigned int)sizeof(struct pmv_desc);
}

int pmv_slot_prepare(struct pmv_core *c, u32 slot)
{
	u32 dir = slot / PMV_DESCS_PER_PAGE, page;
	struct pmv_word w = { .tag = 1 };
	int ret;

	ret = slot_page(c, slot, &page);
	if (ret != -ENOENT)
		return ret;
	ret = pmv_page_take(c, &page);
	if (ret)
		return ret;
	/* Blank before it is reachable. */
	c->ops->fence(c->ctx);
	w.value = page;
	pmv_word_store(c, dir / PMV_WORDS_PER_PAGE, dir % PMV_WORDS_PER_PAGE,
		       pmv_word_encode(w, PMV_WORD_DIR, 0, dir));
	c->ops->fence(c->ctx);
	return 0;
}

int pmv_desc_read(const struct pmv_core *c, u32 slot, struct pmv_desc *d, bool *repair)
{
	u32 page;
	int ret;

	ret = slot_page(c, slot, &page);
	return ret ? ret : pmv_desc_read_at(c, page, slot, d, repair);
}

int pmv_desc_pick(const struct pmv_core *c, u32 page, u32 slot, struct pmv_desc *copy, bool *good)
{
	unsigned int i;

	for (i = 0; i < PMV_COPIES; i++)
		good[i] = !pmv_page_read(c, page, i, slot_off(slot), &copy[i], sizeof(copy[i])) &&
			  !pmv_desc_verify(&copy[i], c->sb.pool_uuid, slot);
	if (!good[0] && !good[1])
		return -EUCLEAN;
	return !good[0] || (good[1] && le64_to_cpu(copy[1].seq) > le64_to_cpu(copy[0].seq));
}

int pmv_desc_read_at(const struct pmv_core *c, u32 page, u32 slot, struct pmv_desc *d,
		     bool *repair)
{
	struct pmv_desc copy[PMV_COPIES];
	bool good[PMV_COPIES];
	int best;

	best = pmv_desc_pick(c, page, slot, copy, good);
	if (best < 0)
		return best;
	memcpy(d, &copy[best], sizeof(*d));
	if (repair)
		*repair = !good[!best] || memcmp(&copy[0], &copy[1], sizeof(copy[0]));
	return 0;
}

int pmv_desc_write(const struct pmv_core *c, u32 slot, struct pmv_desc *d)
{
	u32 page;
	int ret, copy;

	ret = slot_page(c, slot, &page);
	if (ret)
		return ret;
	d->seq = cpu_to_le64(le64_to_cpu(d->seq) + 1);
	pmv_desc_seal(d, c->sb.pool_uuid, slot);
	for (copy = PMV_COPIES - 1; copy >= 0; copy--) {
		pmv_page_write(c, page, copy, slot_off(slot), d, sizeof(*d));
		c->ops->fence(c->ctx);
	}
	return 0;
}
