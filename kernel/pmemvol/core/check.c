// SPDX-License-Identifier: GPL-2.0
/*
 * Looking for all that is wrong with a pool. Superblocks are looked at here; the rest is found
 * by the loader, so that what a check calls good is what activation takes.
 */
#include "load.h"

/* Names of volumes, by hash: room for twice as many as there can be. */
#define NAMES (2 * PMV_SLOTS_MAX)

struct pmv_check_state {
	unsigned long *used;		/* chunks that have an owner */
	unsigned long *twice;		/* chunks that have two */
	bool any_twice;
	u32 *name;			/* slot + 1, open addressing */
	/* The second look: who owns what has two owners. */
	bool again;
	const struct pmv_desc *desc;
	u32 slot;
	bool sb_found[PMV_MEMBERS_MAX];
	struct pmv_finding sb_finding[PMV_MEMBERS_MAX];
	struct pmv_desc other;
	struct pmv_sb sb[PMV_MEMBERS_MAX];
	struct pmv_sb copy[PMV_COPIES];
};

static void report(struct pmv_check *k, const struct pmv_finding *f)
{
	if (f->repaired)
		k->repaired++;
	else if (pmv_severity(f) == PMV_SEVERITY_NOTE)
		k->notes++;
	else if (pmv_severity(f) == PMV_SEVERITY_DAMAGE)
		k->damaged++;
	else
		k->lost++;
	k->finding(k->arg, f);
}

/* ---- superblocks ---- */

static void sb_problem(struct pmv_finding *f, enum pmv_problem problem, unsigned int member,
		       unsigned int copy, const char *why)
{
	pmv_finding_init(f, PMV_PART_SUPERBLOCK, problem);
	f->member = member;
	f->off = (u64)copy * PMV_COPY_STRIDE;
	if (why)
		f->why = why;
}

int pmv_sb_inspect(const struct pmv_media_ops *ops, void *ctx, unsigned int member,
		   u64 device_size, struct pmv_sb *copy, struct pmv_finding *f, bool *found)
{
	const char *why[PMV_COPIES];
	int ret[PMV_COPIES], best;
	unsigned int i, bad;

	*found = true;
	for (i = 0; i < PMV_COPIES; i++) {
		why[i] = "the superblock cannot be read";
		ret[i] = ops->read(ctx, member, (u64)i * PMV_COPY_STRIDE, &copy[i],
				   sizeof(copy[i]));
		if (!ret[i])
			ret[i] = pmv_sb_verify(&copy[i], device_size, &why[i]);
	}
	for (i = 0; i < PMV_COPIES; i++)
		if (pmv_sb_unknown(&copy[i], ret[i], &copy[!i], ret[!i])) {
			sb_problem(f, PMV_PROBLEM_FEATURE, member, i, why[i]);
			return ret[i];
		}
	best = pmv_sb_mirror_counts(&copy[0], ret[0], &copy[1], ret[1]);
	bad = !best;
	if (ret[best]) {
		/* A damaged copy says more than a missing one. */
		bad = ret[0] == -ENODATA && ret[1] != -ENODATA;
		sb_problem(f, PMV_PROBLEM_BOTH, member, bad, why[bad]);
		return ret[bad];
	}
	if (ret[bad])
		sb_problem(f, PMV_PROBLEM_COPY, member, bad, NULL);
	else if (memcmp(&copy[0], &copy[1], sizeof(copy[0])))
		sb_problem(f, PMV_PROBLEM_BEHIND, member, bad, NULL);
	else
		*found = false;
	return best;
}

/* Read all; what is wrong with each is told later, when it may have been repaired. */
static int read_superblocks(struct pmv_check *k)
{
	struct pmv_check_state *st = k->state;
	int best, ret = 0;
	unsigned int i;

	for (i = 0; i < k->nr_devices; i++) {
		best = pmv_sb_inspect(k->ops, k->ctx, i, k->device_size[i], st->copy,
				      &st->sb_finding[i], &st->sb_found[i]);
		if (best < 0)
			ret = best;
		else
			memcpy(&st->sb[i], &st->copy[best], sizeof(st->sb[i]));
	}
	return ret;
}

static void tell_superblocks(struct pmv_check *k)
{
	struct pmv_check_state *st = k->state;
	unsigned int i;

	for (i = 0; i < k->nr_devices; i++)
		if (st->sb_found[i])
			report(k, &st->sb_finding[i]);
}

static int refuse_members(struct pmv_check *k, int member, const char *why)
{
	struct pmv_finding f;

	pmv_finding_init(&f, PMV_PART_MEMBERS, PMV_PROBLEM_REFUSED);
	if (member >= 0)
		f.member = member;
	f.off = 0;
	f.why = why;
	report(k, &f);
	return 1;
}

/* What member @i says beside its own part must be what member 0 says, or older or younger. */
static bool same_change(const struct pmv_core *c, const struct pmv_sb *sb)
{
	const struct pmv_sb *auth = &c->sb;

	return sb->nr_members == auth->nr_members && sb->name_len == auth->name_len &&
	       !memcmp(sb->name, auth->name, sb->name_len) && sb->compat == auth->compat &&
	       sb->ro == auth->ro && sb->overcommit == auth->overcommit &&
	       sb->low_water == auth->low_water && sb->map_gen == auth->map_gen &&
	       !memcmp(sb->member, auth->member, sizeof(sb->member));
}

/* Put the members in order. Return: 0; 1: they make no pool, which has been told; or an error. */
static int assemble(struct pmv_check *k)
{
	const struct pmv_sb *sb[PMV_MEMBERS_MAX];
	struct pmv_check_state *st = k->state;
	unsigned int order[PMV_MEMBERS_MAX], i;
	u64 size[PMV_MEMBERS_MAX];
	const char *why = NULL;
	bool moved = false;
	int ret, culprit;

	for (i = 0; i < k->nr_devices; i++)
		sb[i] = &st->sb[i];
	ret = pmv_sb_assemble(sb, k->nr_devices, order, &culprit, &why);
	if (ret) {
		tell_superblocks(k);
		return refuse_members(k, culprit, why);
	}
	for (i = 0; i < k->nr_devices; i++) {
		sb[i] = &st->sb[order[i]];
		size[i] = k->device_size[order[i]];
		moved |= order[i] != i;
	}
	if (moved) {
		/* What was found so far says the devices as they stood. */
		ret = k->reorder ? k->reorder(k->arg, order) : -EINVAL;
		if (ret)
			return ret;
		memcpy(k->device_size, size, k->nr_devices * sizeof(size[0]));
	}
	pmv_core_init(k->core, sb);
	return moved ? read_superblocks(k) : 0;
}

static void compare_members(struct pmv_check *k)
{
	struct pmv_check_state *st = k->state;
	unsigned int i;

	for (i = 0; i < k->nr_devices; i++) {
		const struct pmv_sb *sb = &st->sb[i];

		/* One that is younger holds a change that was not committed. */
		if (!st->sb_found[i] && (sb->generation != k->core->sb.generation ||
					 !same_change(k->core, sb))) {
			sb_problem(&st->sb_finding[i], PMV_PROBLEM_BEHIND, i, 0,
				   "a change of the members was not completed");
			st->sb_found[i] = true;
		}
	}
}

/* Write all superblocks, as every activation does, and look again. */
static void repair_superblocks(struct pmv_check *k)
{
	struct pmv_check_state *st = k->state;
	struct pmv_finding f;
	bool found, any = false;
	unsigned int i;

	for (i = 0; i < k->nr_devices; i++)
		any |= st->sb_found[i];
	if (!any || !k->repair)
		return;
	pmv_sb_commit(k->core);
	for (i = 0; i < k->nr_devices; i++)
		if (st->sb_found[i])
			st->sb_finding[i].repaired =
				pmv_sb_inspect(k->ops, k->ctx, i, k->device_size[i], st->copy, &f,
					       &found) >= 0 && !found;
}

/* ---- what the loader finds ---- */

static int on_claim(void *ctx, u64 chunk)
{
	struct pmv_check *k = ctx;
	struct pmv_check_state *st = k->state;

	if (st->again)
		return 0;
	if (test_bit(chunk, st->used)) {
		__set_bit(chunk, st->twice);
		st->any_twice = true;
		return -EUCLEAN;
	}
	__set_bit(chunk, st->used);
	k->chunks++;
	return 0;
}

static bool same_name(struct pmv_check *k, u32 slot, const struct pmv_desc *d)
{
	struct pmv_desc *other = &k->state->other;

	return !pmv_desc_read(k->core, slot, other, NULL) && pmv_same_name(other, d);
}

static int on_volume(void *ctx, const struct pmv_desc *d, const struct pmv_map *m, void **cookie)
{
	struct pmv_check *k = ctx;
	struct pmv_check_state *st = k->state;
	u32 at;

	st->desc = d;
	st->slot = m->slot;
	*cookie = st;
	if (st->again)
		return 0;
	k->volumes++;
	if (d->state != PMV_DESC_ACTIVE)
		return 0;
	at = crc32c(~0U, d->name, d->name_len) % NAMES;
	for (; st->name[at]; at = (at + 1) % NAMES)
		if (same_name(k, st->name[at] - 1, d))
			return -EUCLEAN;
	st->name[at] = m->slot + 1;
	return 0;
}

static int on_chunk(void *ctx, void *cookie, u64 index, struct pmv_word w)
{
	const struct pmv_check_state *st = cookie;
	struct pmv_check *k = ctx;
	struct pmv_finding f;

	if (!st->again || !test_bit(w.value, st->twice))
		return 0;
	pmv_finding_init(&f, PMV_PART_LEAF, PMV_PROBLEM_OWNER);
	f.slot = st->slot;
	f.desc = st->desc;
	f.index = index;
	f.value = w.value;
	report(k, &f);
	return 0;
}

static unsigned long *on_segment_map(void *ctx, unsigned int bits)
{
	struct pmv_check *k = ctx;

	return k->alloc(k->arg, BITS_TO_LONGS(bits) * sizeof(long));
}

static void on_finding(void *ctx, const struct pmv_finding *f)
{
	struct pmv_check *k = ctx;

	/* Who else owns a chunk is known after the second look: then all are told. */
	if (k->state->again || (f->part == PMV_PART_LEAF && f->problem == PMV_PROBLEM_OWNER))
		return;
	report(k, f);
}

static void on_lost(void *ctx, void *cookie)
{
	const struct pmv_check_state *st = cookie;
	struct pmv_check *k = ctx;

	k->volumes_lost += !st->again;
}

static const struct pmv_load_ops check_load_ops = {
	.claim_chunk = on_claim,
	.volume = on_volume,
	.chunk = on_chunk,
	.segment_map = on_segment_map,
	.finding = on_finding,
	.lost = on_lost,
};

static int check_metadata(struct pmv_check *k, bool repair)
{
	struct pmv_check_state *st = k->state;
	struct pmv_core *c = k->core;
	struct pmv_load_result res;
	int ret;

	st->used = k->alloc(k->arg, BITS_TO_LONGS(c->chunks) * sizeof(long));
	st->twice = k->alloc(k->arg, BITS_TO_LONGS(c->chunks) * sizeof(long));
	st->name = k->alloc(k->arg, NAMES * sizeof(*st->name));
	if (!st->used || !st->twice || !st->name)
		return -ENOMEM;
	ret = pmv_load(c, &check_load_ops, k, repair, &res);
	if (!ret && st->any_twice) {
		st->again = true;
		ret = pmv_load(c, &check_load_ops, k, false, &res);
	}
	/* What the loader cannot go on after has been told like all the rest. */
	return ret == -EUCLEAN ? 0 : ret;
}

int pmv_check(struct pmv_check *k)
{
	struct pmv_check_state *st;
	struct pmv_finding f;
	bool repair = k->repair;
	int ret;

	k->notes = 0;
	k->damaged = 0;
	k->lost = 0;
	k->repaired = 0;
	k->volumes = 0;
	k->volumes_lost = 0;
	k->chunks = 0;
	st = k->alloc(k->arg, sizeof(*st));
	if (!st)
		return -ENOMEM;
	k->state = st;
	k->core->ops = k->ops;
	k->core->ctx = k->ctx;
	if (read_superblocks(k)) {
		tell_superblocks(k);
		return 0;
	}
	ret = assemble(k);
	if (ret)
		return ret < 0 ? ret : 0;
	if (le64_to_cpu(k->core->sb.ro) & ~PMV_RO_KNOWN) {
		/* It may be read, and must not be written. */
		repair = false;
		sb_problem(&f, PMV_PROBLEM_READ_ONLY, 0, 0, NULL);
		report(k, &f);
	}
	compare_members(k);
	ret = check_metadata(k, repair);
	if (!ret && repair)
		repair_superblocks(k);
	tell_superblocks(k);
	return ret;
}
