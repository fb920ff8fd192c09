// SPDX-License-Identifier: GPL-2.0
/*
 * The block path: a bio is copied straight to or from the chunks it covers.
 * Provisioned chunks are found without a lock; everything rare is out of line.
 */
#include <linux/bio.h>
#include <linux/bvec.h>
#include <linux/uio.h>

#include "acct.h"
#include "ctl.h"
#include "data.h"
#include "data_map.h"
#include "meta.h"

static_assert(!IS_ENABLED(CONFIG_HIGHMEM));

/* A range inside one chunk. */
struct piece {
	u64 index;			/* chunk of the volume */
	unsigned int off;		/* within the chunk, bytes */
	unsigned int len;
};

static inline struct piece piece_at(const struct pmv_pool *pool, sector_t sector, unsigned int len)
{
	unsigned int shift = pool->chunk_shift - SECTOR_SHIFT;
	struct piece p;

	p.index = sector >> shift;
	p.off = (sector & (BIT_ULL(shift) - 1)) << SECTOR_SHIFT;
	p.len = min_t(u64, len, BIT_ULL(pool->chunk_shift) - p.off);
	return p;
}

/* Copy one piece of a provisioned chunk. Called under rcu_read_lock(). */
static inline blk_status_t copy_piece(const struct pmv_pool *pool, u64 entry, struct piece p,
				      void *buf, bool write)
{
	const struct pmv_member *m = pmv_entry_member(pool, entry);
	void *addr = pmv_entry_addr(entry) + p.off;
	bool bad = pmv_member_bad(m, addr - m->kaddr, p.len);

	if (write) {
		if (unlikely(bad))
			return BLK_STS_AGAIN;
		pmv_copy_nt(addr, buf, p.len);
		return BLK_STS_OK;
	}
	if (unlikely(bad) || unlikely(copy_mc_to_kernel(buf, addr, p.len)))
		return BLK_STS_IOERR;
	return BLK_STS_OK;
}

/*
 * A write to known bad blocks: clear them outside of the RCU section, then write. A page that is
 * only partly overwritten would lose the rest.
 * BLK_STS_AGAIN: the chunk is not as it was found, look again.
 */
static noinline blk_status_t write_bad_piece(struct pmv_volume *v, struct piece p, void *buf)
{
	blk_status_t status = BLK_STS_IOERR;
	const struct pmv_top *top;
	struct pmv_member *m;
	void *addr;
	u64 entry;

	/* map_lock keeps the chunk with the volume, since clearing may sleep. */
	mutex_lock(&v->map_lock);
	rcu_read_lock();
	top = rcu_dereference(v->top);
	entry = top ? pmv_map_lookup(top, p.index) : 0;
	rcu_read_unlock();
	if (top && (!entry || !pmv_entry_is_own(v, entry))) {
		status = BLK_STS_AGAIN;
	} else if (entry) {
		m = pmv_entry_member(v->pool, entry);
		addr = pmv_entry_addr(entry) + p.off;
		if (!pmv_member_clear(m, addr - m->kaddr, p.len)) {
			pmv_copy_nt(addr, buf, p.len);
			status = BLK_STS_OK;
		}
	}
	mutex_unlock(&v->map_lock);
	return status;
}

static blk_status_t errno_to_status(int err)
{
	/* A pool that may not change is an error of the device, not of the request. */
	return errno_to_blk_status(err == -EROFS || err == -EUCLEAN ? -EIO : err);
}

static noinline blk_status_t provision(struct pmv_volume *v, u64 index, bool nowait)
{
	/* Sleeping is not for those who asked not to: they come again in a context that may. */
	if (nowait)
		return BLK_STS_AGAIN;
	return errno_to_status(pmv_map_provision(v, index));
}

/* Snapshots may need what is about to change. */
static noinline blk_status_t own(struct pmv_volume *v, u64 index, bool nowait)
{
	if (nowait)
		return BLK_STS_AGAIN;
	return errno_to_status(pmv_snap_own(v, index));
}

static noinline blk_status_t read_through(struct pmv_volume *v, struct piece p, void *buf,
					  bool nowait)
{
	if (nowait)
		return BLK_STS_AGAIN;
	return errno_to_status(pmv_snap_read(v, p.index, p.off, buf, p.len));
}

static inline blk_status_t do_piece(struct pmv_volume *v, struct piece p, void *buf, bool write,
				    bool nowait)
{
	const struct pmv_top *top;
	blk_status_t status;
	u64 entry;

	for (;;) {
		rcu_read_lock();
		top = rcu_dereference(v->top);
		if (unlikely(!top)) {
			rcu_read_unlock();
			return BLK_STS_IOERR;
		}
		entry = pmv_map_lookup(top, p.index);
		if (write && entry && unlikely(!pmv_entry_is_own(v, entry))) {
			rcu_read_unlock();
			status = own(v, p.index, nowait);
			if (status)
				return status;
			continue;
		}
		if (likely(entry)) {
			status = copy_piece(v->pool, entry, p, buf, write);
			rcu_read_unlock();
			if (likely(status != BLK_STS_AGAIN) || nowait)
				return status;
			status = write_bad_piece(v, p, buf);
			if (status != BLK_STS_AGAIN)
				return status;
			continue;
		}
		rcu_read_unlock();
		if (!write && unlikely(pmv_snap_reads_through(v)))
			return read_through(v, p, buf, nowait);
		if (!write) {
			/* Nothing is there, and reading provisions nothing. */
			memset(buf, 0, p.len);
			return BLK_STS_OK;
		}
		status = provision(v, p.index, nowait);
		if (status)
			return status;
	}
}

static blk_status_t do_rw(struct pmv_volume *v, struct bio *bio, bool write)
{
	bool nowait = bio->bi_opf & REQ_NOWAIT;
	struct bvec_iter iter;
	struct bio_vec bvec;

	bio_for_each_bvec(bvec, bio, iter) {
		sector_t sector = iter.bi_sector;
		void *buf = bvec_virt(&bvec);
		unsigned int left = bvec.bv_len;

		while (left) {
			struct piece p = piece_at(v->pool, sector, left);
			blk_status_t status = do_piece(v, p, buf, write, nowait);

			if (unlikely(status))
				return status;
			buf += p.len;
			left -= p.len;
			sector += p.len >> SECTOR_SHIFT;
		}
	}
	return BLK_STS_OK;
}

/* Clear part of a chunk that has something in it. */
static blk_status_t zero_piece(struct pmv_volume *v, struct piece p)
{
	blk_status_t status = BLK_STS_OK;
	const struct pmv_top *top;
	u64 entry;
	int ret;

again:
	rcu_read_lock();
	top = rcu_dereference(v->top);
	entry = top ? pmv_map_lookup(top, p.index) : 0;
	if (top && (entry ? !pmv_entry_is_own(v, entry) : pmv_snap_reads_through(v))) {
		rcu_read_unlock();
		ret = entry ? pmv_snap_own(v, p.index) : pmv_snap_shows(v, p.index);
		if (ret > 0)
			ret = pmv_map_provision(v, p.index);
		else if (!ret && !entry)
			return BLK_STS_OK;
		if (ret)
			return errno_to_status(ret);
		goto again;
	}
	if (entry) {
		const struct pmv_member *m = pmv_entry_member(v->pool, entry);
		void *addr = pmv_entry_addr(entry) + p.off;

		if (pmv_member_bad(m, addr - m->kaddr, p.len))
			status = BLK_STS_IOERR;
		else
			pmv_zero_nt(addr, p.len);
	}
	rcu_read_unlock();
	return top ? status : BLK_STS_IOERR;
}

/* A member that goes waits for each step. */
static blk_status_t zero_range(struct pmv_volume *v, struct piece p)
{
	blk_status_t status = BLK_STS_OK;
	struct piece step = p;

	for (; p.len && !status; p.off += step.len, p.len -= step.len) {
		step.off = p.off;
		step.len = min_t(unsigned int, p.len, BIT(PMV_CHUNK_SHIFT_MIN));
		status = zero_piece(v, step);
	}
	return status;
}

/*
 * Discard and write-zeroes. Whole chunks are given back; of the rest, write-zeroes is
 * done by hand and a discard leaves it as it is. In a full pool write-zeroes gives nothing back:
 * another volume might have it before what is written next.
 */
static blk_status_t do_clear(struct pmv_volume *v, struct bio *bio)
{
	unsigned int shift = v->pool->chunk_shift - SECTOR_SHIFT;
	sector_t sector = bio->bi_iter.bi_sector, end = bio_end_sector(bio);
	bool zero = bio_op(bio) == REQ_OP_WRITE_ZEROES;
	bool keep = zero && (bio->bi_opf & REQ_NOUNMAP || pmv_stock_is_spent(v->pool));
	blk_status_t status = BLK_STS_OK;
	u64 first, last;

	if (bio->bi_opf & REQ_NOWAIT)
		return BLK_STS_AGAIN;
	while (sector < end && !status) {
		struct piece p = piece_at(v->pool, sector, min_t(u64, end - sector, 1U << shift)
					  << SECTOR_SHIFT);

		first = sector >> shift;
		/* Zeroing goes chunk by chunk: what a file has mapped is still there after it. */
		last = zero ? first + (p.len == 1ULL << v->pool->chunk_shift) : end >> shift;
		if (!keep && !p.off && last > first) {
			status = errno_to_status(pmv_map_unprovision(v, first, last - first));
			if (!zero)
				sector = (sector_t)last << shift;
			if (!zero || status)
				continue;
		}
		if (zero)
			status = zero_range(v, p);
		sector += p.len >> SECTOR_SHIFT;
		cond_resched();
	}
	return status;
}

/* Where a flush does more than a fence, the members are asked to; the bio ends after them. */
static noinline void flush_members(struct pmv_pool *pool, struct bio *parent)
{
	unsigned int i;

	for (i = 0; i < pool->nr_members; i++) {
		struct pmv_member *m = pool->member[i];
		struct bio *bio;

		if (!m->deep_flush)
			continue;
		bio = bio_alloc(pmv_member_bdev(m), 0, REQ_OP_WRITE | REQ_PREFLUSH | REQ_SYNC,
				GFP_NOIO);
		bio_chain(bio, parent);
		submit_bio(bio);
	}
}

/* Whatever it is. */
static inline void do_any(struct pmv_volume *v, struct bio *bio)
{
	bool acct = blk_queue_io_stat(compat_bio_disk(bio)->queue);
	unsigned long start = acct ? bio_start_io_acct(bio) : 0;
	blk_status_t status;

	/* A flush alone changes nothing. */
	if (op_is_write(bio_op(bio)) && bio->bi_iter.bi_size &&
	    READ_ONCE(v->pool->mode) == PMEMVOL_MODE_READ_ONLY) {
		status = BLK_STS_IOERR;
		goto end;
	}
	/* What was written before is persistent before any of this may be. */
	if (bio->bi_opf & REQ_PREFLUSH && bio->bi_iter.bi_size)
		pmem_wmb();
	switch (bio_op(bio)) {
	case REQ_OP_READ:
		status = do_rw(v, bio, false);
		break;
	case REQ_OP_WRITE:
		status = do_rw(v, bio, true);
		break;
	case REQ_OP_FLUSH:
		status = BLK_STS_OK;
		break;
	case REQ_OP_DISCARD:
	case REQ_OP_WRITE_ZEROES:
		status = do_clear(v, bio);
		break;
	default:
		status = BLK_STS_NOTSUPP;
	}
end:
	if (acct)
		bio_end_io_acct(bio, start);
	/* What it was split from may have failed before. */
	if (unlikely(status)) {
		if (status == BLK_STS_AGAIN)
			bio_set_flag(bio, BIO_QUIET);
		bio->bi_status = status;
	}
}

static __always_inline void copy_plain(struct bio *bio, void *addr, void *buf, bool write)
{
	unsigned int len = bio->bi_iter.bi_size;

	if (write)
		pmv_copy_nt(addr, buf, len);
	else if (unlikely(copy_mc_to_kernel(buf, addr, len)))
		bio->bi_status = BLK_STS_IOERR;
}

/*
 * What nearly every bio is: something within one page of a chunk that is there, may change
 * without a look, and is on a member without known bad blocks. Preemption is off while it is
 * copied: that is as good as rcu_read_lock() and costs less.
 * Return: false when it is anything else; nothing was done then.
 */
static __always_inline bool do_plain(struct pmv_volume *v, struct bio *bio, bool write)
{
	const struct bio_vec *bv = __bvec_iter_bvec(bio->bi_io_vec, bio->bi_iter);
	unsigned int off = mp_bvec_iter_offset(bio->bi_io_vec, bio->bi_iter);
	unsigned int len = bio->bi_iter.bi_size;
	u64 pos = (u64)bio->bi_iter.bi_sector << SECTOR_SHIFT;
	const struct badblocks *bb;
	const struct pmv_top *top;
	unsigned long start;
	bool ret = false;
	void *addr, *buf;
	u64 entry;

	if (unlikely(((pos + len - 1) ^ pos) >= PAGE_SIZE ||
		     bv->bv_len - (off - bv->bv_offset) < len))
		return false;
	rcu_read_lock_sched();
	top = rcu_dereference_sched(v->top);
	entry = likely(top) ? pmv_map_lookup(top, pos >> v->chunk_shift) : 0;
	if (unlikely(!entry || (write && !pmv_entry_is_own(v, entry))))
		goto out;
	bb = READ_ONCE(pmv_entry_member(v->pool, entry)->bb);
	if (likely(bb) && unlikely(READ_ONCE(bb->count)))
		goto out;
	addr = pmv_entry_addr(entry) + (pos & v->chunk_mask);
	buf = page_address(bv->bv_page) + off;
	if (likely(compat_acct_on(bio))) {
		if (unlikely(!compat_acct_start(&start, bio)))
			goto out;
		copy_plain(bio, addr, buf, write);
		compat_acct_end(start, bio, write);
	} else {
		copy_plain(bio, addr, buf, write);
	}
	ret = true;
out:
	rcu_read_unlock_sched();
	return ret;
}

/* There are no data: what has to be done for it is done for every flush. */
static inline bool do_flush(struct bio *bio)
{
	unsigned long start;
	bool ret = true;

	part_stat_lock();
	if (likely(compat_acct_on(bio))) {
		ret = compat_acct_start(&start, bio);
		if (likely(ret))
			compat_acct_end(start, bio, true);
	}
	part_stat_unlock();
	return ret;
}

/* Return: false when it is not one of the writes that are nearly all there are. */
static __always_inline bool do_usual_write(struct pmv_volume *v, struct bio *bio)
{
	if (unlikely(bio_op(bio) != REQ_OP_WRITE))
		return false;
	if (!bio->bi_iter.bi_size)
		return do_flush(bio);
	/*
	 * A flush before it is not usual. And the block layer only warns of writes to a read-only
	 * disk: do_any() refuses.
	 */
	return likely(!(bio->bi_opf & REQ_PREFLUSH)) &&
	       likely(READ_ONCE(v->pool->mode) != PMEMVOL_MODE_READ_ONLY) &&
	       do_plain(v, bio, true);
}

/*
 * Data went past the cache: one fence makes this bio and all that completed before it persistent.
 */
static inline void flush(const struct pmv_volume *v, struct bio *bio)
{
	pmem_wmb();
	if (unlikely(v->pool->deep_flush))
		flush_members(v->pool, bio);
}

/* Out of line, so that what nearly every bio takes saves few registers. */
static noinline void submit_any(struct pmv_volume *v, struct bio *bio)
{
	do_any(v, bio);
	if (op_is_flush(bio->bi_opf))
		flush(v, bio);
	bio_endio(bio);
}

void pmv_submit_snapshot_bio(struct bio *bio)
{
	/* The block layer only warns. */
	if (op_is_write(bio_op(bio)) && bio->bi_iter.bi_size)
		bio_io_error(bio);
	else
		pmv_submit_bio(bio);
}

void pmv_submit_bio(struct bio *bio)
{
	struct pmv_volume *v = compat_bio_disk(bio)->private_data;

	if (bio_op(bio) == REQ_OP_READ) {
		if (likely(bio->bi_iter.bi_size) && likely(do_plain(v, bio, false)))
			return bio_endio(bio);
	} else if (likely(do_usual_write(v, bio))) {
		/* It is not kept over the copy: few of them are flushes. */
		v = compat_bio_disk(bio)->private_data;
		if (op_is_flush(bio->bi_opf))
			flush(v, bio);
		return bio_endio(bio);
	}
	submit_any(v, bio);
}
