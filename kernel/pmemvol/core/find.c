// SPDX-License-Identifier: GPL-2.0
/* What can be wrong with a pool: its names, how bad it is, and a sentence for each. */
#include "find.h"

static const char *const parts[__PMV_PARTS] = {
	[PMV_PART_SUPERBLOCK] = "superblock",
	[PMV_PART_MEMBERS] = "members",
	[PMV_PART_SEGMENTS] = "segment-table",
	[PMV_PART_DIRECTORY] = "directory",
	[PMV_PART_DESCRIPTOR] = "descriptor",
	[PMV_PART_NODE] = "map-node",
	[PMV_PART_LEAF] = "map-leaf",
	[PMV_PART_PROMISES] = "promises",
};

static const struct {
	const char *name;
	enum pmv_severity severity;
	const char *why;
} problems[__PMV_PROBLEMS] = {
	[PMV_PROBLEM_BEHIND] = { "behind", PMV_SEVERITY_NOTE,
				 "one copy lacks the last change" },
	[PMV_PROBLEM_COPY] = { "copy-damaged", PMV_SEVERITY_DAMAGE,
			       "one copy is damaged or unreadable" },
	[PMV_PROBLEM_BOTH] = { "lost", PMV_SEVERITY_LOSS,
			       "both copies are damaged or unreadable" },
	[PMV_PROBLEM_RANGE] = { "out-of-range", PMV_SEVERITY_LOSS,
				"it names what is not there, or stands where nothing may be" },
	[PMV_PROBLEM_OWNER] = { "owned-twice", PMV_SEVERITY_LOSS,
				"it names what has another owner" },
	[PMV_PROBLEM_NAME] = { "name-taken", PMV_SEVERITY_LOSS,
			       "another volume has the same name" },
	[PMV_PROBLEM_MISSING] = { "missing", PMV_SEVERITY_DAMAGE,
				  "a guaranteed volume lacks a part of its map" },
	[PMV_PROBLEM_KIN] = { "no-relation", PMV_SEVERITY_LOSS,
			      "the volume or snapshot that it belongs to is not there" },
	[PMV_PROBLEM_PROMISE] = { "over-promised", PMV_SEVERITY_LOSS,
				  "thick volumes are promised more chunks than there are" },
	[PMV_PROBLEM_FEATURE] = { "unknown-feature", PMV_SEVERITY_LOSS,
				  "the pool has a feature this version lacks" },
	[PMV_PROBLEM_READ_ONLY] = { "read-only", PMV_SEVERITY_NOTE,
				    "the pool uses a feature this version cannot write" },
	[PMV_PROBLEM_REFUSED] = { "refused", PMV_SEVERITY_LOSS,
				  "it does not fit the rest of the pool" },
};

enum pmv_severity pmv_severity(const struct pmv_finding *f)
{
	return problems[f->problem].severity;
}

void pmv_finding_init(struct pmv_finding *f, enum pmv_part part, enum pmv_problem problem)
{
	memset(f, 0, sizeof(*f));
	f->part = part;
	f->problem = problem;
	f->repairable = problem == PMV_PROBLEM_BEHIND || problem == PMV_PROBLEM_COPY;
	f->member = PMV_NO_MEMBER;
	f->slot = PMV_NO_SLOT;
	f->index = PMV_NO_NUMBER;
	f->value = PMV_NO_NUMBER;
	f->why = problems[problem].why;
}

const char *pmv_part_name(u32 part)
{
	return part < __PMV_PARTS ? parts[part] : "unknown";
}

const char *pmv_problem_name(u32 problem)
{
	return problem < __PMV_PROBLEMS ? problems[problem].name : "unknown";
}

const char *pmv_severity_name(u32 severity)
{
	static const char *const names[] = {
		[PMV_SEVERITY_NOTE] = "note",
		[PMV_SEVERITY_DAMAGE] = "damage",
		[PMV_SEVERITY_LOSS] = "loss",
	};

	return severity < ARRAY_SIZE(names) ? names[severity] : "unknown";
}
