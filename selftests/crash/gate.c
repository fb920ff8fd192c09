// SPDX-License-Identifier: GPL-2.0
#include "../unit/ktap.h"
#include "explore.h"
#include "gate.h"
#include "site.h"

/* What may be left out without harm, and why it is there all the same. */
static const struct {
	const char *site;
	const char *why;
} redundant[] = {
	{ "pmv_format>wipe_header:fence",
	  "nothing of the pool is reachable before its superblock, and other fences come first" },
	{ "pmv_extend>wipe_header:fence",
	  "the member is not reachable before its superblock, whose own fence covers this" },
	{ "pmv_format>pmv_segment_add:fence",
	  "the fence after the directory covers it; segments are added elsewhere too" },
	{ "pmv_volume_grow>pmv_map_grow:fence#1",
	  "the new root is not named before the next fence; keeps two kinds of stores apart" },
	{ "do_provision>pmv_map_make_leaf:fence#2",
	  "an entry in a leaf that is not reachable is none; the entry's fence covers both" },
	{ "add_copy>pmv_map_make_leaf:fence#2",
	  "as in do_provision: the entry's fence covers both" },
	{ "do_merge>pmv_map_make_leaf:fence#2",
	  "as in do_provision: the older snapshot's entry has its own fence" },
	{ "pmv_volume_create>pmv_slot_prepare:fence#2",
	  "the fence after the map's root covers it; slots are prepared elsewhere too" },
};

static const char *reason(const char *site)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(redundant); i++)
		if (!strcmp(redundant[i].site, site))
			return redundant[i].why;
	return NULL;
}

void gate_run(void)
{
	unsigned int i, nr, caught = 0, argued = 0;
	double t = now();
	u64 sequences = 0;

	/* Nothing left out: what places are there? */
	check_reset();
	thorough = (struct thoroughness){ .second_every = 1 };
	CHECK(explore_all(1) > 0 && !violation);
	nr = site_count();
	thorough = (struct thoroughness){
		.first = { .all_subsets = 8, .singles = 4, .samples = 8, .torn_lines = 2,
			   .torn_samples = 8 },
		.second = { .all_subsets = 4, .singles = 2, .samples = 4, .torn_lines = 2,
			    .torn_samples = 4 },
		.second_every = 2,
		.quiet = true,
	};
	for (i = 0; i < nr; i++) {
		const char *why, *name;
		bool shows = explore_without(i, &sequences);

		fflush(stdout);
		name = site_name(i);
		why = reason(name);
		if (shows)
			printf("# without %s: %s\n", name, violation);
		else
			printf("# without %s: nothing shows%s%s\n", name, why ? "; " : "",
			       why ? why : "");
		caught += shows;
		argued += !shows && why;
		if (!shows && !why)
			ktap_fail("%s can be left out and nothing shows", name);
		if (shows && why)
			ktap_fail("%s is needed, but is listed as redundant", name);
	}
	violation = NULL;
	printf("# %u places, %u caught, %u argued redundant, %llu sequences, %.1f s\n", nr, caught,
	       argued, (unsigned long long)sequences, now() - t);
	CHECK(nr > 40);
}
