// SPDX-License-Identifier: GPL-2.0
/*
 * Where the media of a pool are known to be bad, and whose data that is. Two parties know: the
 * driver below keeps a list of bad blocks, and the kernel tells of memory that has failed.
 */
#include <linux/capability.h>
#include <linux/slab.h>
#include <linux/sort.h>
#include <net/genetlink.h>

#include "ctl_netlink.h"
#include "data.h"
#include "data_map.h"

/* Of a medium full of errors the first will do. */
#define TOLD_MAX 4096

enum owner { OWNER_HEADER, OWNER_FREE, OWNER_METADATA, OWNER_DATA };

static const char *const owner_name[] = {
	[OWNER_HEADER] = "header",
	[OWNER_FREE] = "free",
	[OWNER_METADATA] = "metadata",
	[OWNER_DATA] = "data",
};

#define NO_CHUNK U64_MAX

/**
 * struct bad - a bad range within a chunk, or within what is before and behind the chunks
 * @member: number of its member
 * @off: bytes from the start of that
 * @len: bytes
 * @chunk: which, or NO_CHUNK
 * @poison: memory has failed there; a block that is known to be bad otherwise
 * @owner: what it is used for
 * @volume_off: OWNER_DATA: bytes from the start of the volume
 * @volume: its name, or that of the volume whose snapshot it is
 * @snapshot: OWNER_DATA, of a snapshot: its name
 */
struct bad {
	u32 member;
	u64 off;
	u64 len;
	u64 chunk;
	bool poison;
	enum owner owner;
	u64 volume_off;
	char volume[PMV_NAME_MAX + 1];
	char snapshot[PMV_NAME_MAX + 1];
};

/* The dump: @at is what is told next. */
struct media {
	char name[PMV_NAME_MAX + 1];
	struct bad *bad;
	u64 nr;
	u64 at;
};

/* Add a range in as many pieces as it touches chunks. */
static void add_place(struct media *d, const struct pmv_pool *pool, const struct pmv_member *m,
		      u64 off, u64 end, bool poison)
{
	u64 base = m->chunk_base - m->kaddr, size = pmv_chunk_size(pool), stop;
	u64 behind = base + (m->chunks << pool->chunk_shift);
	struct bad *b;

	for (end = min(end, m->size); off < end && d->nr < TOLD_MAX; off = stop) {
		b = &d->bad[d->nr++];
		b->chunk = NO_CHUNK;
		stop = end;
		if (off < base) {
			stop = min(end, base);
		} else if (off < behind) {
			b->chunk = m->first_chunk + ((off - base) >> pool->chunk_shift);
			stop = min(end, off - ((off - base) & (size - 1)) + size);
		}
		b->member = m->index;
		b->off = off;
		b->len = stop - off;
		b->poison = poison;
	}
}

static void add_bad_blocks(struct media *d, const struct pmv_pool *pool, struct pmv_member *m)
{
	sector_t start = m->bb_start, at = start, end = start + (m->size >> SECTOR_SHIFT), first;
	struct badblocks *bb;
	sector_t nr;

	rcu_read_lock();
	bb = READ_ONCE(m->bb);
	while (bb && at < end && d->nr < TOLD_MAX) {
		if (!compat_badblocks_next(bb, at, min_t(sector_t, end - at, INT_MAX), &first,
					   &nr)) {
			at += min_t(sector_t, end - at, INT_MAX);
			continue;
		}
		nr += first;
		first = max(first, at);
		if (nr <= first)
			break;
		add_place(d, pool, m, (first - start) << SECTOR_SHIFT, (nr - start) << SECTOR_SHIFT,
			  false);
		at = nr;
	}
	rcu_read_unlock();
}

static void add_poison(struct media *d, const struct pmv_pool *pool, struct pmv_member *m)
{
	unsigned long page;
	void *entry;

	xa_for_each(&m->failed, page, entry) {
		u64 off = (u64)page << PAGE_SHIFT;

		if (d->nr < TOLD_MAX && !pmv_member_bad(m, off, PAGE_SIZE))
			add_place(d, pool, m, off, off + PAGE_SIZE, true);
	}
}

static int by_chunk(const void *a, const void *b)
{
	const struct bad *x = a, *y = b;

	if (x->chunk != y->chunk)
		return x->chunk < y->chunk ? -1 : 1;
	return x->off < y->off ? -1 : x->off > y->off;
}

/* The first of those in a chunk, or the end. */
static u64 find_chunk(const struct media *d, u64 chunk)
{
	u64 low = 0, high = d->nr, mid;

	while (low < high) {
		mid = (low + high) / 2;
		if (d->bad[mid].chunk < chunk)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

static void own_chunk(struct media *d, struct pmv_pool *pool, u64 chunk, enum owner owner,
		      const struct pmv_volume *v, u64 index)
{
	u64 at;

	for (at = find_chunk(d, chunk); at < d->nr && d->bad[at].chunk == chunk; at++) {
		struct bad *b = &d->bad[at];
		const struct pmv_member *m = pool->member[b->member];
		u64 in_chunk = (b->off - (m->chunk_base - m->kaddr)) & (pmv_chunk_size(pool) - 1);

		b->owner = owner;
		if (!v)
			continue;
		b->volume_off = (index << pool->chunk_shift) + in_chunk;
		if (v->origin)
			strscpy(b->snapshot, v->name, sizeof(b->snapshot));
		strscpy(b->volume, v->origin ? v->origin->name : v->name, sizeof(b->volume));
	}
}

static u64 entry_of(struct pmv_volume *v, u64 *index)
{
	const struct pmv_top *top;
	u64 entry = 0;

	rcu_read_lock();
	top = rcu_dereference(v->top);
	if (!top || !pmv_map_has_leaf(top, *index))
		*index |= PMV_WORDS_PER_PAGE - 1;
	else
		entry = pmv_map_lookup(top, *index);
	rcu_read_unlock();
	return entry;
}

static void own_volume(struct media *d, struct pmv_pool *pool, struct pmv_volume *v)
{
	u64 index, entry;

	for (index = 0; index < v->map.chunks; index++) {
		entry = entry_of(v, &index);
		if (entry)
			own_chunk(d, pool, pmv_map_chunk(pool, entry), OWNER_DATA, v, index);
		/* At the end of a leaf, also of one that is not there. */
		if (!((index + 1) & (PMV_WORDS_PER_PAGE - 1)))
			cond_resched();
	}
}

static void find_owners(struct media *d, struct pmv_pool *pool)
{
	struct pmv_volume *v;
	unsigned long slot;
	unsigned int i, copy;
	u64 at;

	sort(d->bad, d->nr, sizeof(*d->bad), by_chunk, NULL);
	for (at = 0; at < d->nr; at++)
		d->bad[at].owner = d->bad[at].chunk == NO_CHUNK ? OWNER_HEADER : OWNER_FREE;
	mutex_lock(&pool->meta_lock);
	for (i = 0; i < pool->core.nr_segments; i++)
		for (copy = 0; copy < PMV_COPIES; copy++)
			own_chunk(d, pool, pool->core.segment[i].chunk[copy], OWNER_METADATA, NULL,
				  0);
	mutex_unlock(&pool->meta_lock);
	xa_for_each(&pool->volumes, slot, v) {
		if (!xa_is_value(v))
			own_volume(d, pool, v);
	}
}

static int look(struct media *d, struct netlink_ext_ack *extack)
{
	struct pmv_pool *pool;
	unsigned int i;

	if (down_read_killable(&pmv_pools_sem))
		return -EINTR;
	pool = pmv_pool_find(d->name);
	if (!pool || mutex_lock_killable(&pool->ctl_lock)) {
		up_read(&pmv_pools_sem);
		if (pool)
			return -EINTR;
		NL_SET_ERR_MSG(extack, "no such pool is active");
		return -ENOENT;
	}
	/* Of a pool that has failed, memory may be gone. */
	for (i = 0; READ_ONCE(pool->mode) != PMEMVOL_MODE_FAILED && i < pool->nr_members; i++) {
		add_bad_blocks(d, pool, pool->member[i]);
		add_poison(d, pool, pool->member[i]);
	}
	if (d->nr)
		find_owners(d, pool);
	mutex_unlock(&pool->ctl_lock);
	up_read(&pmv_pools_sem);
	return 0;
}

static void media_free(struct media *d)
{
	if (d)
		kvfree(d->bad);
	kfree(d);
}

int pmv_nl_media_start(struct netlink_callback *cb)
{
	struct nlattr **attrs = compat_dump_attrs(cb);
	struct pmv_request r;
	struct media *d;
	int ret;

	if (!netlink_capable(cb->skb, CAP_SYS_ADMIN)) {
		NL_SET_ERR_MSG(cb->extack, "this needs CAP_SYS_ADMIN");
		return -EPERM;
	}
	if (!attrs || !attrs[PMEMVOL_A_POOL]) {
		NL_SET_ERR_MSG(cb->extack, "no pool is named");
		return -EINVAL;
	}
	ret = pmv_request_parse(attrs, &r, cb->extack);
	if (ret)
		return ret;
	d = kzalloc(sizeof(*d), GFP_KERNEL);
	if (!d)
		return -ENOMEM;
	memcpy(d->name, r.params.name, r.params.name_len);
	d->bad = kvcalloc(TOLD_MAX, sizeof(*d->bad), GFP_KERNEL);
	ret = d->bad ? look(d, cb->extack) : -ENOMEM;
	if (ret) {
		media_free(d);
		return ret;
	}
	cb->args[0] = (long)d;
	return 0;
}

int pmv_nl_media_done(struct netlink_callback *cb)
{
	media_free((struct media *)cb->args[0]);
	return 0;
}

static int put_u64(struct sk_buff *skb, int attr, u64 value)
{
	return nla_put_u64_64bit(skb, attr, value, PMEMVOL_A_BAD_PAD);
}

static int put_bad(struct sk_buff *skb, const struct media *d, const struct bad *b)
{
	struct nlattr *nest = nla_nest_start(skb, PMEMVOL_A_POOL);

	if (!nest || nla_put_string(skb, PMEMVOL_A_POOL_NAME, d->name))
		return -EMSGSIZE;
	nla_nest_end(skb, nest);
	nest = nla_nest_start(skb, PMEMVOL_A_BAD);
	if (!nest || nla_put_u32(skb, PMEMVOL_A_BAD_MEMBER, b->member) ||
	    put_u64(skb, PMEMVOL_A_BAD_OFFSET, b->off) ||
	    put_u64(skb, PMEMVOL_A_BAD_LENGTH, b->len) ||
	    (b->poison && nla_put_flag(skb, PMEMVOL_A_BAD_POISON)) ||
	    nla_put_string(skb, PMEMVOL_A_BAD_OWNER, owner_name[b->owner]) ||
	    (b->volume[0] && (nla_put_string(skb, PMEMVOL_A_BAD_VOLUME, b->volume) ||
			      put_u64(skb, PMEMVOL_A_BAD_VOLUME_OFFSET, b->volume_off))) ||
	    (b->snapshot[0] && nla_put_string(skb, PMEMVOL_A_BAD_SNAPSHOT, b->snapshot)))
		return -EMSGSIZE;
	nla_nest_end(skb, nest);
	return 0;
}

int pmv_nl_media_dump(struct sk_buff *skb, struct netlink_callback *cb)
{
	struct media *d = (struct media *)cb->args[0];
	int ret = 0;
	void *hdr;

	for (; d->at < d->nr; d->at++) {
		hdr = genlmsg_put(skb, NETLINK_CB(cb->skb).portid, cb->nlh->nlmsg_seq,
				  &pmv_genl_family, NLM_F_MULTI, PMEMVOL_CMD_POOL_MEDIA);
		if (!hdr)
			break;
		ret = put_bad(skb, d, &d->bad[d->at]);
		if (ret) {
			genlmsg_cancel(skb, hdr);
			break;
		}
		genlmsg_end(skb, hdr);
	}
	return ret && !skb->len ? ret : (int)skb->len;
}
