/* SPDX-License-Identifier: GPL-2.0 */
/* What can be wrong with a pool, and a check that looks for all of it. [meta] is core.h's. */
#ifndef PMV_CORE_FIND_H
#define PMV_CORE_FIND_H

#include "core.h"

/* ---- find.c: findings ---- */

enum pmv_part {
	PMV_PART_SUPERBLOCK,
	PMV_PART_MEMBERS,
	PMV_PART_SEGMENTS,
	PMV_PART_DIRECTORY,
	PMV_PART_DESCRIPTOR,
	PMV_PART_NODE,
	PMV_PART_LEAF,
	PMV_PART_PROMISES,
	__PMV_PARTS
};

enum pmv_problem {
	PMV_PROBLEM_BEHIND,		/* one copy lacks the last change, as after a power cut */
	PMV_PROBLEM_COPY,		/* one copy is unreadable or fails its check */
	PMV_PROBLEM_BOTH,		/* both do */
	PMV_PROBLEM_RANGE,		/* names what is not there, or stands where nothing may */
	PMV_PROBLEM_OWNER,		/* names what another names too */
	PMV_PROBLEM_NAME,		/* has another volume's name */
	PMV_PROBLEM_MISSING,		/* is not there, but must be */
	PMV_PROBLEM_KIN,		/* names as its volume or snapshot what is not */
	PMV_PROBLEM_PROMISE,		/* more is promised than there is */
	PMV_PROBLEM_FEATURE,		/* needs a feature this code does not know */
	PMV_PROBLEM_READ_ONLY,		/* has one that allows no writing to this code */
	PMV_PROBLEM_REFUSED,		/* does not fit the rest; @why says how */
	__PMV_PROBLEMS
};

enum pmv_severity {
	PMV_SEVERITY_NOTE,		/* nothing is damaged */
	PMV_SEVERITY_DAMAGE,		/* nothing is lost yet */
	PMV_SEVERITY_LOSS,		/* a volume, or the pool, cannot be used as it is */
};

#define PMV_NO_MEMBER	(~0U)
#define PMV_NO_SLOT	(~0U)
#define PMV_NO_NUMBER	(~0ULL)

/**
 * struct pmv_finding - something that is wrong
 * @part: with what
 * @problem: what
 * @repairable: there is one right answer: the other copy
 * @repaired: it was given, and read back
 * @member: where it stands, or PMV_NO_MEMBER
 * @off: bytes from the start of the device
 * @slot: of the volume concerned, or PMV_NO_SLOT
 * @desc: its descriptor where that is known, or NULL
 * @index: chunk of the volume, or number in the table; or PMV_NO_NUMBER
 * @value: chunk of the pool or metadata page that is named, or PMV_NO_NUMBER
 * @why: sentence; static storage
 */
struct pmv_finding {
	enum pmv_part part;
	enum pmv_problem problem;
	bool repairable;
	bool repaired;
	u32 member;
	u64 off;
	u32 slot;
	const struct pmv_desc *desc;
	u64 index;
	u64 value;
	const char *why;
};

/** pmv_severity() - how bad a finding is */
enum pmv_severity pmv_severity(const struct pmv_finding *f);

/** pmv_finding_init() - a finding about nothing in particular, with its sentence */
void pmv_finding_init(struct pmv_finding *f, enum pmv_part part, enum pmv_problem problem);

/** pmv_part_name() - one or two words. Return: static storage */
const char *pmv_part_name(u32 part);

/** pmv_problem_name() - one word. Return: static storage */
const char *pmv_problem_name(u32 problem);

/** pmv_severity_name() - one word. Return: static storage */
const char *pmv_severity_name(u32 severity);

/* ---- check.c ---- */

/**
 * struct pmv_check - a check of a pool
 * @ops: the medium
 * @ctx: for @ops
 * @nr_devices: how many
 * @device_size: of each device, bytes; the array is put into the order of the members
 * @repair: repair what has one right answer
 * @core: scratch; its @segment is an array of PMV_SEGMENTS_MAX
 * @alloc: memory, zeroed, which the caller frees after the check; NULL when there is none
 * @reorder: device @order[i] is member i from here on, or NULL when they stand in order already
 * @finding: something is wrong
 * @arg: for these
 * @notes: out: findings of each severity, not counting those repaired
 * @damaged: out
 * @lost: out
 * @repaired: out
 * @volumes: out: volumes seen, deleted ones that are being erased among them
 * @volumes_lost: out: of them those that cannot be used, besides those whose descriptor is lost
 * @chunks: out: chunks of them and of metadata
 */
struct pmv_check {
	const struct pmv_media_ops *ops;
	void *ctx;
	unsigned int nr_devices;
	u64 device_size[PMV_MEMBERS_MAX];
	bool repair;
	struct pmv_core *core;
	void *(*alloc)(void *arg, size_t size);
	int (*reorder)(void *arg, const unsigned int *order);
	void (*finding)(void *arg, const struct pmv_finding *f);
	void *arg;
	u64 notes;
	u64 damaged;
	u64 lost;
	u64 repaired;
	u64 volumes;
	u64 volumes_lost;
	u64 chunks;
	/* private: what one check remembers */
	struct pmv_check_state *state;
};

/**
 * pmv_check() - look for all that is wrong with a pool [meta]
 * @k: what to check and whom to tell
 *
 * Nobody may change the pool meanwhile.
 *
 * Return: 0 when it could be looked at, whatever was found; -ENOMEM, or what @reorder returned.
 */
int pmv_check(struct pmv_check *k);

/**
 * pmv_sb_inspect() - look at both copies of a member's superblock
 * @ops: the medium
 * @ctx: for @ops
 * @member: which
 * @device_size: bytes
 * @copy: scratch: both copies as read; the one that counts is copy[Return]
 * @f: out: what is wrong, if anything
 * @found: out: something is
 *
 * Return: which copy counts, or as pmv_sb_read().
 */
int pmv_sb_inspect(const struct pmv_media_ops *ops, void *ctx, unsigned int member,
		   u64 device_size, struct pmv_sb *copy, struct pmv_finding *f, bool *found);

#endif /* PMV_CORE_FIND_H */
