// SPDX-License-Identifier: GPL-2.0
/* Creating, deleting, showing snapshots, and rolling volumes back to them. */
#include <linux/atomic.h>
#include <linux/ktime.h>
#include <linux/netlink.h>
#include <linux/uuid.h>

#include "ctl_volume.h"
#include "data.h"
#include "data_map.h"
#include "meta.h"

/*
 * A sentence with names in it has to stay until the answer has been sent, which is after the
 * operation: that of as many operations before is overwritten.
 */
#define SENTENCES 16
#define SENTENCE_LEN 512

static char *new_sentence(void)
{
	static char sentence[SENTENCES][SENTENCE_LEN];
	static atomic_t next;

	return sentence[(unsigned int)atomic_inc_return(&next) % SENTENCES];
}

/* A list of names that grows until it is full. */
struct names {
	char *text;
	size_t len;
	unsigned int more;
	bool any;
};

static void names_begin(struct names *l, const char *what)
{
	l->text = new_sentence();
	l->len = scnprintf(l->text, SENTENCE_LEN, "%s", what);
	l->more = 0;
	l->any = false;
}

static void names_add(struct names *l, const char *name)
{
	/* " and 4294967295 more" has to fit behind. */
	if (l->more || l->len + strlen(name) + 2 + 24 > SENTENCE_LEN) {
		l->more++;
		return;
	}
	l->len += scnprintf(l->text + l->len, SENTENCE_LEN - l->len, "%s%s", l->any ? ", " : "",
			    name);
	l->any = true;
}

static int names_refuse(struct names *l, struct netlink_ext_ack *extack)
{
	if (l->more)
		scnprintf(l->text + l->len, SENTENCE_LEN - l->len, " and %u more", l->more);
	if (extack)
		extack->_msg = l->text;
	return -EBUSY;
}

int pmv_refuse_snapshots(struct pmv_volume *v, struct netlink_ext_ack *extack)
{
	struct pmv_kin *k;
	struct names list;

	names_begin(&list, "the volume has snapshots: ");
	down_read(&v->pool->kin_sem);
	for (k = v->kin.older; k; k = k->older)
		if (!k->leaving)
			names_add(&list, pmv_snap_volume(k)->name);
	up_read(&v->pool->kin_sem);
	return names_refuse(&list, extack);
}

static int refuse_clones(struct pmv_volume *s, struct netlink_ext_ack *extack)
{
	struct pmv_volume *v;
	unsigned long slot;
	struct names list;

	names_begin(&list, "the snapshot has clones: ");
	xa_for_each(&s->pool->volumes, slot, v)
		if (!xa_is_value(v) && v->kin.parent == &s->kin)
			names_add(&list, v->name);
	return names_refuse(&list, extack);
}

struct pmv_volume *pmv_ctl_snapshot_get(struct pmv_pool *pool, const struct pmv_volume_request *r,
					struct netlink_ext_ack *extack)
{
	struct pmv_volume *v = pmv_volume_find(pool, r->origin), *s;

	if (!v) {
		NL_SET_ERR_MSG(extack, "no such volume");
		return ERR_PTR(-ENOENT);
	}
	s = pmv_snapshot_find(pool, v->map.slot, r->snapshot);
	if (s)
		return s;
	NL_SET_ERR_MSG(extack, "no such snapshot");
	return ERR_PTR(-ENOENT);
}

/* A snapshot that is about to be made. */
struct creation {
	struct pmv_volume *s;
	u32 slot;
	struct pmv_volume_params p;
};

/* Called with the file system above held still. */
static int switch_over(struct pmv_volume *v, void *arg)
{
	struct pmv_pool *pool = v->pool;
	struct creation *c = arg;
	int ret;

	mutex_lock(&v->map_lock);
	ret = pmv_top_of(v) ? pmv_meta_lock(pool) : -ENXIO;
	if (!ret) {
		ret = pmv_snapshot_create(&pool->core, c->slot, &c->p, &v->desc, &v->map,
					  &c->s->desc, &c->s->map);
		pmv_meta_unlock(pool);
	}
	if (!ret) {
		c->s->kin.gen = le64_to_cpu(c->s->desc.birth_gen);
		pmv_snap_switch(v, c->s);
	}
	mutex_unlock(&v->map_lock);
	return ret;
}

static int create_on_media(struct pmv_volume *v, struct creation *c,
			   struct netlink_ext_ack *extack)
{
	struct pmv_pool *pool = v->pool;
	int ret;

	/* Waiting for space is not done with a file system held still. */
	do {
		ret = pmv_meta_reserve(pool, pmv_volume_pages(&c->p));
		if (ret)
			break;
		ret = pmv_volume_hold_still(v, switch_over, c, extack);
	} while (ret == -ENOSPC);
	switch (ret) {
	case -EOVERFLOW:
		NL_SET_ERR_MSG(extack, "the pool has had as many snapshots as it can");
		return ret;
	case -ENOSPC:
	case -EUCLEAN:
	case -ENOENT:
	case -ENXIO:
		return pmv_ctl_meta_error(pool, ret, extack);
	}
	return ret;
}

static int may_have_snapshot(struct pmv_pool *pool, struct pmv_volume *v, const char *name,
			     struct netlink_ext_ack *extack)
{
	if (v->damaged) {
		NL_SET_ERR_MSG(extack, "the volume's metadata is damaged");
		return -EUCLEAN;
	}
	if (v->rolling) {
		NL_SET_ERR_MSG(extack, "the volume is not rolled back completely");
		return -EBUSY;
	}
	if (pmv_snapshot_find(pool, v->map.slot, name)) {
		NL_SET_ERR_MSG(extack, "the volume has a snapshot of this name");
		return -EEXIST;
	}
	return 0;
}

struct pmv_volume *pmv_ctl_snapshot_create(struct pmv_pool *pool,
					   const struct pmv_volume_request *r,
					   struct netlink_ext_ack *extack)
{
	struct creation c = {
		.p.name = r->snapshot,
		.p.name_len = r->snapshot_len,
		.p.created = ktime_get_real_seconds(),
	};
	struct pmv_volume *v, *s;
	uuid_t uuid;
	u64 pages;
	bool thick;
	int ret;

	v = pmv_ctl_find(pool, r->origin, extack);
	if (IS_ERR(v))
		return v;
	ret = may_have_snapshot(pool, v, r->snapshot, extack);
	if (ret)
		return ERR_PTR(ret);
	uuid_gen(&uuid);
	c.p.uuid = r->snapshot_uuid ?: uuid.b;
	c.p.chunks = v->map.chunks;
	thick = pmv_volume_thick(v);
	c.p.flags = thick ? PMV_DESC_THICK : 0;
	pages = pmv_map_pages_max(c.p.chunks);
	/* All that is in it may have to be copied; of a thin one that may fail. */
	if (thick) {
		ret = pmv_promise_check(pool, c.p.chunks, pages, true, extack);
		if (!ret)
			ret = pmv_promise(pool, c.p.chunks, true, extack);
		if (ret)
			return ERR_PTR(ret);
	}
	s = pmv_volume_alloc(pool, c.p.chunks, thick ? c.p.chunks : 0);
	if (!s) {
		ret = -ENOMEM;
		goto err_promise;
	}
	c.s = s;
	memcpy(s->name, r->snapshot, r->snapshot_len);
	if (thick) {
		ret = pmv_map_fill_leaves(s);
		if (ret)
			goto err_free;
	}
	ret = pmv_slot_alloc(pool, &c.slot, extack);
	if (ret)
		goto err_free;
	ret = create_on_media(v, &c, extack);
	if (ret)
		goto err_slot;
	xa_store(&pool->volumes, c.slot, s, GFP_KERNEL);
	pmv_volume_hash(s);
	v->snapshots++;
	pool->nr_snapshots++;
	pool->pages_max += pages;
	if (thick)
		pool->promised_thick += c.p.chunks;
	pmv_event(PMEMVOL_EVENT_SNAPSHOT_CREATED, pool, s);
	return s;

err_slot:
	xa_erase(&pool->volumes, c.slot);
err_free:
	pmv_volume_free(s);
err_promise:
	pmv_unpromise(pool, c.p.chunks, thick);
	return ERR_PTR(ret);
}

static int may_go(struct pmv_volume *s, struct netlink_ext_ack *extack)
{
	int ret;

	if (s->clones)
		return refuse_clones(s, extack);
	if (s->origin->rolling == s) {
		NL_SET_ERR_MSG(extack, "its volume is being rolled back to the snapshot");
		return -EBUSY;
	}
	ret = pmv_disk_try_kill(s);
	if (ret)
		NL_SET_ERR_MSG(extack, "the snapshot is open or mounted");
	return ret;
}

/*
 * From here on it gets no chunks any more, on media and in memory at once: after a power cut a
 * chunk that was being handed over to it would have two owners, none of which is to be preferred.
 */
static int leave(struct pmv_volume *s)
{
	struct pmv_pool *pool = s->pool;
	int ret;

	down_write(&pool->kin_sem);
	ret = pmv_meta_lock(pool);
	if (!ret) {
		ret = pmv_volume_delete(&pool->core, s->map.slot, &s->desc);
		pmv_meta_unlock(pool);
	}
	if (!ret)
		s->kin.leaving = true;
	up_write(&pool->kin_sem);
	return ret;
}

int pmv_ctl_snapshot_delete(struct pmv_pool *pool, const struct pmv_volume_request *r,
			    struct netlink_ext_ack *extack)
{
	struct pmv_volume *s = pmv_ctl_snapshot_get(pool, r, extack);
	int ret;

	if (IS_ERR(s))
		return PTR_ERR(s);
	ret = pmv_ctl_check_mode(pool, extack);
	if (!ret)
		ret = may_go(s, extack);
	if (ret)
		return ret;
	ret = leave(s);
	if (ret) {
		pmv_disk_unkill(s);
		return pmv_ctl_meta_error(pool, ret, extack);
	}
	hash_del(&s->by_name);
	xa_store(&pool->volumes, s->map.slot, xa_mk_value(0), GFP_KERNEL);
	s->origin->snapshots--;
	pool->nr_snapshots--;
	pool->pages_max -= pmv_map_pages_max(s->map.chunks);
	pmv_event(PMEMVOL_EVENT_SNAPSHOT_DELETED, pool, s);
	pmv_disk_remove(s);
	if (pmv_volume_thick(s))
		pool->promised_thick -= s->map.chunks;
	pmv_merge_snapshot(s);
	return 0;
}

struct pmv_volume *pmv_ctl_snapshot_activate(struct pmv_pool *pool,
					     const struct pmv_volume_request *r,
					     struct netlink_ext_ack *extack)
{
	struct pmv_volume *s = pmv_ctl_snapshot_get(pool, r, extack);
	int ret;

	if (IS_ERR(s) || s->disk)
		return s;
	ret = pmv_disk_make(s);
	if (!ret)
		ret = pmv_disk_add(s);
	if (!ret)
		return s;
	NL_SET_ERR_MSG(extack, "the disk could not be added");
	pmv_disk_remove(s);
	return ERR_PTR(ret);
}

struct pmv_volume *pmv_ctl_snapshot_deactivate(struct pmv_pool *pool,
					       const struct pmv_volume_request *r,
					       struct netlink_ext_ack *extack)
{
	struct pmv_volume *s = pmv_ctl_snapshot_get(pool, r, extack);

	if (IS_ERR(s) || !s->disk)
		return s;
	if (pmv_disk_try_kill(s)) {
		NL_SET_ERR_MSG(extack, "the snapshot is open or mounted");
		return ERR_PTR(-EBUSY);
	}
	pmv_disk_remove(s);
	pmv_disk_unkill(s);
	return s;
}

int pmv_rollback_finish(struct pmv_volume *v)
{
	struct pmv_pool *pool = v->pool;
	int ret;

	ret = pmv_roll_back(v, v->rolling);
	if (!ret)
		ret = pmv_meta_lock(pool);
	if (ret)
		return ret;
	ret = pmv_rollback_end(&pool->core, v->map.slot, &v->desc);
	pmv_meta_unlock(pool);
	if (ret)
		return ret;
	v->rolling = NULL;
	pmv_disk_unkill(v);
	return 0;
}

static int begin_rollback(struct pmv_volume *v, struct pmv_volume *target,
			  struct netlink_ext_ack *extack)
{
	struct pmv_pool *pool = v->pool;
	int ret;

	if (v->rolling == target)
		return 0;
	if (v->damaged || target->damaged) {
		NL_SET_ERR_MSG(extack, "metadata of the volume or of the snapshot is damaged");
		return -EUCLEAN;
	}
	/* One that could not be completed may be given up for another: nobody has it open. */
	ret = v->rolling ? 0 : pmv_disk_try_kill(v);
	if (ret) {
		NL_SET_ERR_MSG(extack, "the volume is open or mounted");
		return ret;
	}
	/* Half way it would be of no use. */
	ret = pmv_roll_foresee(v, target);
	if (ret) {
		if (ret == -EIO)
			NL_SET_ERR_MSG(extack,
				       "the medium is bad where it would have to be copied: see pool media");
		pmv_disk_unkill(v);
		return ret;
	}
	ret = pmv_meta_lock(pool);
	if (!ret) {
		ret = pmv_rollback_begin(&pool->core, v->map.slot, &v->desc, target->map.slot);
		pmv_meta_unlock(pool);
	}
	if (ret) {
		pmv_disk_unkill(v);
		return pmv_ctl_meta_error(pool, ret, extack);
	}
	v->rolling = target;
	return 0;
}

struct pmv_volume *pmv_ctl_volume_rollback(struct pmv_pool *pool,
					   const struct pmv_volume_request *r,
					   struct netlink_ext_ack *extack)
{
	struct pmv_volume *target = pmv_ctl_snapshot_get(pool, r, extack), *v;
	int ret;

	if (IS_ERR(target))
		return target;
	v = target->origin;
	ret = pmv_ctl_check_mode(pool, extack);
	if (!ret)
		ret = begin_rollback(v, target, extack);
	if (ret)
		return ERR_PTR(ret);
	ret = pmv_rollback_finish(v);
	if (ret) {
		NL_SET_ERR_MSG(extack,
			       "the volume is not rolled back completely, and of no use before it is: try again");
		return ERR_PTR(ret == -ENXIO ? -EROFS : ret);
	}
	pmv_event(PMEMVOL_EVENT_VOLUME_ROLLED_BACK, pool, v);
	return v;
}
