// SPDX-License-Identifier: GPL-2.0
/*
 * The DAX path: file systems ask where a page is and map the medium itself.
 * A chunk whose address was handed out stays where it is.
 */
#include <linux/uio.h>

#include "ctl.h"
#include "data.h"
#include "data_map.h"

static struct pmv_volume *dax_volume(struct dax_device *dax)
{
	return dax_get_private(dax);
}

/* Entry of a chunk, 0: none, or U64_MAX when the pool has failed. */
static u64 find_entry(struct pmv_volume *v, u64 index)
{
	const struct pmv_top *top;
	u64 entry;

	rcu_read_lock();
	top = rcu_dereference(v->top);
	entry = top ? pmv_map_lookup(top, index) : U64_MAX;
	rcu_read_unlock();
	return entry;
}

/* Entry of a chunk that the volume has to itself, which it gets if need be and possible. */
static int own_entry(struct pmv_volume *v, u64 index, bool change, u64 *entry)
{
	int ret;

	for (;;) {
		*entry = find_entry(v, index);
		if (*entry == U64_MAX)
			return -ENXIO;
		if (likely(*entry && pmv_entry_is_own(v, *entry)))
			return 0;
		/* Nothing is copied out there, and whoever asks is about to read. */
		if (!change && *entry && v->only_read)
			return 0;
		ret = *entry ? pmv_snap_own(v, index) : pmv_map_provision(v, index);
		if (ret)
			return ret == -EROFS || ret == -EUCLEAN ? -EIO : ret;
	}
}

/* Chunks that follow each other on the medium too, up to @pages. */
static long contiguous_pages(struct pmv_volume *v, u64 index, u64 entry, long have, long pages)
{
	u64 step = pmv_chunk_size(v->pool);
	const struct pmv_top *top;

	rcu_read_lock();
	top = rcu_dereference(v->top);
	while (top && have < pages) {
		entry += step;
		if (pmv_map_lookup(top, ++index) != entry)
			break;
		have += step >> PAGE_SHIFT;
	}
	rcu_read_unlock();
	return have;
}

static long dax_direct(struct dax_device *dax, pgoff_t pgoff, long nr_pages,
		       enum dax_access_mode mode, void **kaddr, compat_pfn *pfn)
{
	struct pmv_volume *v = dax_volume(dax);
	unsigned int shift = v->pool->chunk_shift - PAGE_SHIFT;
	pgoff_t in_chunk = pgoff & (BIT_ULL(shift) - 1);
	u64 index = pgoff >> shift, entry, off;
	struct pmv_member *m;
	long have;
	int ret;

	if (unlikely(!READ_ONCE(v->dax_given)))
		WRITE_ONCE(v->dax_given, true);
	/* Holes of a file never come here: whoever asks may be about to store. */
	ret = own_entry(v, index, false, &entry);
	if (ret)
		return ret;

	m = pmv_entry_member(v->pool, entry);
	off = (u64)(pmv_entry_addr(entry) - m->kaddr) + ((u64)in_chunk << PAGE_SHIFT);
	have = BIT_ULL(shift) - in_chunk;
	if (unlikely(pmv_member_nr_bad(m)))
		/* The lower driver knows what is bad; it must not be asked beyond the chunk. */
		return dax_direct_access(m->dax, (m->dax_off + off) >> PAGE_SHIFT,
					 min(have, nr_pages), mode, kaddr, pfn);
	if (kaddr)
		*kaddr = m->kaddr + off;
	if (pfn)
		*pfn = compat_pfn_add(m->pfn, off >> PAGE_SHIFT);
	return have < nr_pages ? contiguous_pages(v, index, entry, have, nr_pages) : have;
}

/* The place of a page that will be changed, or -ENOENT when nothing is provisioned nor shown. */
static int find_page(struct pmv_volume *v, pgoff_t pgoff, struct pmv_member **m, u64 *off)
{
	unsigned int shift = v->pool->chunk_shift - PAGE_SHIFT;
	u64 entry;
	int ret;

	if (!v->kin.parent && !find_entry(v, pgoff >> shift))
		return -ENOENT;
	ret = own_entry(v, pgoff >> shift, true, &entry);
	if (ret)
		return ret;
	*m = pmv_entry_member(v->pool, entry);
	*off = pmv_entry_addr(entry) - (*m)->kaddr;
	*off += (pgoff & (BIT_ULL(shift) - 1)) << PAGE_SHIFT;
	return 0;
}

static int dax_zero(struct dax_device *dax, pgoff_t pgoff, size_t nr_pages)
{
	struct pmv_volume *v = dax_volume(dax);
	struct pmv_member *m;
	u64 off;
	int ret;

	for (; nr_pages; nr_pages--, pgoff++) {
		ret = find_page(v, pgoff, &m, &off);
		if (ret == -ENOENT)
			continue;
		if (!ret)
			ret = pmv_member_zero(m, off);
		if (ret)
			return ret;
	}
	return 0;
}

static size_t dax_recover(struct dax_device *dax, pgoff_t pgoff, void *addr, size_t bytes,
			  struct iov_iter *i)
{
	struct pmv_volume *v = dax_volume(dax);
	struct pmv_member *m;
	size_t done;
	u64 off;

	if (find_page(v, pgoff, &m, &off))
		return 0;
	done = dax_recovery_write(m->dax, (m->dax_off + off) >> PAGE_SHIFT, addr, bytes, i);
	pmv_member_cleared(m, off, done);
	return done;
}

COMPAT_DAX_OPS(pmv_dax_ops, dax_direct, dax_zero, dax_recover);
