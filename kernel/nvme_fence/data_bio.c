// SPDX-License-Identifier: GPL-2.0
/*
 * The block path. A bio is not cloned: it is sent on to the lower device itself, with its
 * completion going by way of a small context. Documentation/nvme-fence-locking.md says why that is
 * right with bios that are split, chained or polled.
 */
#include <linux/bio.h>
#include <linux/ktime.h>
#include <linux/percpu.h>
#include <linux/slab.h>
#include <trace/events/block.h>

#include "fence.h"

/* Deadlines are read as they are. */
static_assert(IS_ENABLED(CONFIG_64BIT));

/* What a bio was before it came by. */
struct nvf_io {
	struct nvf_attachment *att;
	bio_end_io_t *end_io;
	union {
		void *private;
		struct nvf_io *next;	/* while it is in stock */
	};
	unsigned long start;
	unsigned int sectors;
	bool counted;
	bool write;
};

/* Contexts that wait on their CPU for the next bio: that is half the price of an allocation. */
struct stock {
	struct nvf_io *first;
	unsigned int count;
};

#define STOCK_MAX 16

static DEFINE_PER_CPU(struct stock, stocks);

struct kmem_cache *nvf_io_cache;

static inline struct nvf_io *stock_take(void)
{
	struct stock *stock = this_cpu_ptr(&stocks);
	struct nvf_io *io = stock->first;

	if (likely(io)) {
		stock->first = io->next;
		stock->count--;
	}
	return io;
}

/* Not when somebody may wait for a pool that is not full. */
static inline bool stock_give(mempool_t *pool, struct nvf_io *io)
{
	struct stock *stock = this_cpu_ptr(&stocks);

	/* Pairs with the barrier in mempool_alloc(), as the one in mempool_free() does. */
	smp_rmb();
	if (unlikely(READ_ONCE(pool->curr_nr) < pool->min_nr || stock->count >= STOCK_MAX))
		return false;
	io->next = stock->first;
	stock->first = io;
	stock->count++;
	return true;
}

static noinline bool leased(const struct nvf_attachment *att, int gate)
{
	return gate == NVF_GATE_LEASED && ktime_get_boottime_ns() < READ_ONCE(att->deadline);
}

/*
 * May this bio pass? It is counted if it may, within the section that looked: who shuts the gate
 * and waits until every processor has taken an interrupt finds every write counted that passed.
 * The caller has interrupts off anyway, to take a context from the stock.
 */
static inline bool enter(struct nvf_attachment *att, bool write)
{
	int gate;

	if (!write) {
		__this_cpu_inc(att->flight->reads);
		return true;
	}
	gate = READ_ONCE(att->gate);
	if (unlikely(gate != NVF_GATE_OPEN) && !leased(att, gate))
		return false;
	__this_cpu_inc(att->flight->writes);
	return true;
}

/* It is not below any more. Who waits for that does so behind a shut gate. */
static inline void leave(struct nvf_attachment *att, bool write)
{
	if (write)
		__this_cpu_dec(att->flight->writes);
	else
		__this_cpu_dec(att->flight->reads);
	if (unlikely(READ_ONCE(att->gate) != NVF_GATE_OPEN))
		nvf_drain_wake(att->lower);
}

static noinline void failed(struct nvf_attachment *att, blk_status_t status, bool write)
{
	if (!write || status != COMPAT_STS_CONFLICT) {
		nvf_lower_check(att->lower);
		return;
	}
	this_cpu_inc(att->flight->refused);
	nvf_gate_conflict(att);
}

static void end_io(struct bio *bio)
{
	struct nvf_io *io = bio->bi_private;
	struct nvf_attachment *att = io->att;
	mempool_t *pool = &att->lower->io_pool;
	bool write = io->write;
	unsigned long flags;

	if (unlikely(bio->bi_status))
		failed(att, bio->bi_status, write);
	bio->bi_end_io = io->end_io;
	bio->bi_private = io->private;
	compat_bio_return(bio, att->disk);
	if (io->counted)
		compat_acct_end(bio, io->sectors, io->start);
	local_irq_save(flags);
	/* In this order: the attachment, and the pool with it, may go once the bio has left. */
	if (unlikely(!stock_give(pool, io)))
		mempool_free(io, pool);
	leave(att, write);
	local_irq_restore(flags);
	/* The part that was skipped: who it belongs to may be a bio that was split. */
	bio_endio(bio);
}

static noinline void refuse(struct nvf_io *io, struct nvf_attachment *att, struct bio *bio)
{
	mempool_free(io, &att->lower->io_pool);
	this_cpu_inc(att->flight->refused);
	bio->bi_status = COMPAT_STS_CONFLICT;
	bio_endio(bio);
}

/* The stock of this CPU is empty. */
static noinline struct nvf_io *io_alloc(struct nvf_attachment *att, const struct bio *bio)
{
	return mempool_alloc(&att->lower->io_pool,
			     bio->bi_opf & REQ_NOWAIT ? GFP_NOWAIT | __GFP_NOWARN : GFP_NOIO);
}

void nvf_submit_bio(struct bio *bio)
{
	struct gendisk *disk = compat_bio_disk(bio);
	struct nvf_attachment *att = disk->private_data;
	bool write = op_is_write(bio_op(bio)) || op_is_flush(bio->bi_opf);
	bool may = false;
	struct nvf_io *io;
	unsigned long flags;

	local_irq_save(flags);
	io = stock_take();
	if (likely(io))
		may = enter(att, write);
	local_irq_restore(flags);
	if (unlikely(!io)) {
		io = io_alloc(att, bio);
		if (!io) {
			bio_wouldblock_error(bio);
			return;
		}
		local_irq_save(flags);
		may = enter(att, write);
		local_irq_restore(flags);
	}
	if (unlikely(!may)) {
		refuse(io, att, bio);
		return;
	}
	io->att = att;
	io->write = write;
	io->end_io = bio->bi_end_io;
	io->private = bio->bi_private;
	io->counted = blk_queue_io_stat(disk->queue);
	if (io->counted) {
		io->sectors = bio_sectors(bio);
		io->start = compat_acct_start(bio, io->sectors);
	}
	bio->bi_end_io = end_io;
	bio->bi_private = io;
	bio_set_dev(bio, att->bdev);
	compat_trace_remap(bio, disk);
	submit_bio_noacct(bio);
}

int nvf_bio_init(void)
{
	/* The gate is for all that changes a block; zones are refused when a device is attached. */
	BUILD_BUG_ON(!op_is_write(REQ_OP_WRITE) || !op_is_write(REQ_OP_WRITE_ZEROES) ||
		     !op_is_write(REQ_OP_DISCARD) || !op_is_write(REQ_OP_SECURE_ERASE));
	nvf_io_cache = KMEM_CACHE(nvf_io, 0);
	return nvf_io_cache ? 0 : -ENOMEM;
}

void nvf_bio_exit(void)
{
	struct stock *stock;
	struct nvf_io *io;
	int cpu;

	for_each_possible_cpu(cpu) {
		stock = per_cpu_ptr(&stocks, cpu);
		while ((io = stock->first)) {
			stock->first = io->next;
			kmem_cache_free(nvf_io_cache, io);
		}
	}
	kmem_cache_destroy(nvf_io_cache);
}
