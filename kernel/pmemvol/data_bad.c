// SPDX-License-Identifier: GPL-2.0
/*
 * Bad places of a member: memory that was told to have failed, and how overwriting makes a place
 * good again. Known bad blocks are the lower driver's to remember.
 *
 * The mark that the kernel puts on a page whose memory has failed does not serve for the first: it
 * may be on the first page of a large folio instead.
 */
#include <linux/dax.h>

#include "data.h"

void pmv_member_failed(struct pmv_member *m, u64 off, u64 len)
{
	unsigned long page = off >> PAGE_SHIFT, end;

	end = DIV_ROUND_UP(min(off + min(len, m->size), m->size), PAGE_SIZE);
	xa_lock(&m->failed);
	for (; page < end && m->nr_failed < PMV_FAILED_MAX; page++)
		if (!__xa_insert(&m->failed, page, xa_mk_value(0), GFP_KERNEL))
			m->nr_failed++;
	xa_unlock(&m->failed);
}

void pmv_member_cleared(struct pmv_member *m, u64 off, u64 len)
{
	unsigned long page = off >> PAGE_SHIFT, end = (off + len) >> PAGE_SHIFT;

	if (xa_empty(&m->failed))
		return;
	xa_lock(&m->failed);
	for (; page < end; page++)
		if (__xa_erase(&m->failed, page))
			m->nr_failed--;
	xa_unlock(&m->failed);
}

int pmv_member_zero(struct pmv_member *m, u64 off)
{
	bool bad = pmv_member_bad(m, off, PAGE_SIZE);
	int ret = dax_zero_page_range(m->dax, (m->dax_off + off) >> PAGE_SHIFT, 1);

	/* Memory that has failed without being a bad block is not mended by that. */
	if (!ret && bad)
		pmv_member_cleared(m, off, PAGE_SIZE);
	return ret;
}

int pmv_member_clear(struct pmv_member *m, u64 off, u64 len)
{
	u64 at, end = off + len;
	int id, ret = 0;

	if (!IS_ALIGNED(off, PAGE_SIZE) || !IS_ALIGNED(len, PAGE_SIZE))
		return -EIO;
	id = dax_read_lock();
	for (at = off; !ret && at < end; at += PAGE_SIZE)
		ret = pmv_member_zero(m, at);
	dax_read_unlock(id);
	return ret;
}
