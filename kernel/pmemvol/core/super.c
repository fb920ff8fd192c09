// SPDX-License-Identifier: GPL-2.0
/* Superblocks: reading, assembling a pool from its members, and committing changes to the set. */
#include "core.h"

bool pmv_sb_mirror_counts(const struct pmv_sb *sb, int ret, const struct pmv_sb *mirror,
			  int mirror_ret)
{
	return !mirror_ret &&
	       (ret || le64_to_cpu(mirror->generation) > le64_to_cpu(sb->generation));
}

bool pmv_sb_unknown(const struct pmv_sb *sb, int ret, const struct pmv_sb *other, int other_ret)
{
	return ret == -EOPNOTSUPP &&
	       (other_ret || le64_to_cpu(sb->generation) > le64_to_cpu(other->generation));
}

int pmv_sb_read(const struct pmv_media_ops *ops, void *ctx, unsigned int member, u64 device_size,
		struct pmv_sb *sb, struct pmv_sb *other, const char **why)
{
	const char *other_why = "the superblock cannot be read";
	int ret, other_ret;

	if (why)
		*why = "the superblock cannot be read";
	ret = ops->read(ctx, member, 0, sb, sizeof(*sb));
	if (!ret)
		ret = pmv_sb_verify(sb, device_size, why);
	other_ret = ops->read(ctx, member, PMV_COPY_STRIDE, other, sizeof(*other));
	if (!other_ret)
		other_ret = pmv_sb_verify(other, device_size, &other_why);

	if (pmv_sb_unknown(other, other_ret, sb, ret)) {
		if (why)
			*why = other_why;
		return other_ret;
	}
	if (pmv_sb_unknown(sb, ret, other, other_ret))
		return ret;
	if (pmv_sb_mirror_counts(sb, ret, other, other_ret)) {
		memcpy(sb, other, sizeof(*sb));
		return 0;
	}
	/* A damaged copy says more than a missing one. */
	if (ret == -ENODATA && other_ret != -ENODATA) {
		ret = other_ret;
		if (why)
			*why = other_why;
	}
	return ret;
}

static int blame(int device, int err, const char *text, int *culprit, const char **why)
{
	*culprit = device;
	*why = text;
	return err;
}

/* Everything in which the superblocks of one pool must agree with that of member 0. */
static bool same_pool(const struct pmv_sb *a, const struct pmv_sb *b)
{
	return !memcmp(a->pool_uuid, b->pool_uuid, PMV_UUID_SIZE);
}

int pmv_sb_assemble(const struct pmv_sb *const *sb, unsigned int nr, unsigned int *order,
		    int *culprit, const char **why)
{
	const struct pmv_sb *auth = NULL;
	unsigned int i, index, want;
	u64 gen, auth_gen;

	for (i = 0; i < nr; i++) {
		if (i && !same_pool(sb[0], sb[i]))
			return blame(i, -ESTALE, "the device is a member of another pool", culprit,
				     why);
		if (le16_to_cpu(sb[i]->member_index))
			continue;
		if (auth)
			return blame(i, -EUCLEAN, "two devices claim to be the first member",
				     culprit, why);
		auth = sb[i];
	}
	if (!auth)
		return blame(-1, -ESTALE, "the first member of the pool is missing", culprit, why);

	auth_gen = le64_to_cpu(auth->generation);
	want = le16_to_cpu(auth->nr_members);
	for (index = 0; index < want; index++)
		order[index] = PMV_MEMBERS_MAX;
	for (i = 0; i < nr; i++) {
		index = le16_to_cpu(sb[i]->member_index);
		if (index >= want || memcmp(sb[i]->member_uuid, auth->member[index].uuid,
					    PMV_UUID_SIZE))
			return blame(i, -ESTALE, "the device is no member of this pool",
				     culprit, why);
		if (order[index] != PMV_MEMBERS_MAX)
			return blame(i, -EUCLEAN, "two devices claim to be the same member",
				     culprit, why);
		gen = le64_to_cpu(sb[i]->generation);
		if (gen < auth_gen)
			return blame(i, -ESTALE, "the device is stale: it missed a change",
				     culprit, why);
		if (gen > auth_gen + 1)
			return blame(-1, -ESTALE, "the first member is stale: it missed a change",
				     culprit, why);
		if (sb[i]->chunk_shift != auth->chunk_shift ||
		    le64_to_cpu(sb[i]->member[index].chunks) !=
		    le64_to_cpu(auth->member[index].chunks))
			return blame(i, -EUCLEAN, "the members' superblocks contradict each other",
				     culprit, why);
		order[index] = i;
	}
	for (index = 0; index < want; index++)
		if (order[index] == PMV_MEMBERS_MAX)
			return blame(-1, -ESTALE, "a member of the pool is missing", culprit, why);
	return 0;
}

static void take_geometry(struct pmv_core *c)
{
	unsigned int i;

	c->nr_members = le16_to_cpu(c->sb.nr_members);
	c->chunks = 0;
	for (i = 0; i < c->nr_members; i++)
		c->chunks += le64_to_cpu(c->sb.member[i].chunks);
}

void pmv_core_init(struct pmv_core *c, const struct pmv_sb *const *sb)
{
	unsigned int i;

	memcpy(&c->sb, sb[0], sizeof(c->sb));
	c->map_gen = le64_to_cpu(c->sb.map_gen);
	c->chunk_shift = c->sb.chunk_shift;
	take_geometry(c);
	for (i = 0; i < c->nr_members; i++) {
		c->data_off[i] = le64_to_cpu(sb[i]->data_off);
		c->device_size[i] = le64_to_cpu(sb[i]->device_size);
	}
}

/*
 * The copy that counts is overwritten last. That it is always the same one cannot be relied on:
 * what is committed now may follow a commit that was cut short and left the other behind.
 */
static unsigned int sb_copy_that_counts(struct pmv_core *c, unsigned int member)
{
	struct pmv_sb *sb = c->sb_copy;
	unsigned int i;
	int ret[PMV_COPIES];

	for (i = 0; i < PMV_COPIES; i++) {
		ret[i] = c->ops->read(c->ctx, member, (u64)i * PMV_COPY_STRIDE, &sb[i],
				      sizeof(sb[i]));
		if (!ret[i])
			ret[i] = pmv_sb_verify(&sb[i], c->device_size[member], NULL);
	}
	return pmv_sb_mirror_counts(&sb[0], ret[0], &sb[1], ret[1]);
}

static void sb_write(struct pmv_core *c, unsigned int member)
{
	unsigned int i, last = sb_copy_that_counts(c, member);
	struct pmv_sb *sb = &c->sb_scratch;

	memcpy(sb, &c->sb, sizeof(*sb));
	memcpy(sb->member_uuid, sb->member[member].uuid, PMV_UUID_SIZE);
	sb->member_index = cpu_to_le16(member);
	sb->data_off = cpu_to_le64(c->data_off[member]);
	sb->device_size = cpu_to_le64(c->device_size[member]);
	pmv_sb_seal(sb);
	for (i = 0; i < PMV_COPIES; i++) {
		u64 off = (u64)(i ? last : !last) * PMV_COPY_STRIDE;

		c->ops->write(c->ctx, member, off, sb, sizeof(*sb));
		c->ops->fence(c->ctx);
	}
}

void pmv_sb_commit(struct pmv_core *c)
{
	unsigned int member = c->nr_members;

	c->sb.generation = cpu_to_le64(le64_to_cpu(c->sb.generation) + 1);
	while (member--)
		sb_write(c, member);
	/* A chunk of a generation that a power cut takes back would be taken for damage. */
	WRITE_ONCE(c->map_gen, le64_to_cpu(c->sb.map_gen));
}

void pmv_sb_wipe(struct pmv_core *c, unsigned int member)
{
	int copy;

	for (copy = 0; copy < PMV_COPIES; copy++)
		c->ops->zero(c->ctx, member, (u64)copy * PMV_COPY_STRIDE, PMV_PAGE_SIZE);
	c->ops->fence(c->ctx);
}

/* Nothing of what stood here may be recognised as anything later, by us or by others. */
static void wipe_header(struct pmv_core *c, unsigned int member)
{
	pmv_sb_wipe(c, member);
	c->ops->zero(c->ctx, member, 0, PMV_HEADER_SIZE);
	c->ops->zero(c->ctx, member, c->device_size[member] - PMV_TAIL_WIPE, PMV_TAIL_WIPE);
	c->ops->fence(c->ctx);
}

int pmv_format(struct pmv_core *c, unsigned long *map0)
{
	unsigned int i;
	u32 mirror;
	int ret;

	if (c->chunks < PMV_COPIES)
		return -ENOSPC;
	for (i = 0; i < c->nr_members; i++)
		wipe_header(c, i);
	c->nr_segments = 0;
	c->free_pages = 0;
	mirror = c->nr_members > 1 ?
		 le64_to_cpu(c->sb.member[c->nr_members - 1].first_chunk) : 1;
	ret = pmv_segment_add(c, 0, mirror, map0);
	/* The directory is the first pages taken. */
	for (i = 0; !ret && i < PMV_DIR_PAGES; i++) {
		u32 page;

		ret = pmv_page_take(c, &page);
	}
	if (ret)
		return ret;
	c->ops->fence(c->ctx);
	pmv_sb_commit(c);
	return 0;
}

void pmv_extend(struct pmv_core *c, const struct pmv_sb *sb, const u64 *data_off,
		const u64 *device_size)
{
	unsigned int i, old = c->nr_members, new = le16_to_cpu(sb->nr_members);

	for (i = old; i < new; i++) {
		c->data_off[i] = data_off[i - old];
		c->device_size[i] = device_size[i - old];
		wipe_header(c, i);
	}
	/* Only what is new is stored: chunks of the old members are being looked up meanwhile. */
	memcpy(&c->sb.member[old], &sb->member[old], (new - old) * sizeof(c->sb.member[0]));
	c->sb.nr_members = sb->nr_members;
	take_geometry(c);
	pmv_sb_commit(c);
}

void pmv_destroy(struct pmv_core *c)
{
	unsigned int i;

	for (i = 0; i < c->nr_members; i++)
		pmv_sb_wipe(c, i);
}
