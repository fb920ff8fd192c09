// SPDX-License-Identifier: GPL-2.0
/* Power cuts: every moment of every operation, and proof that a forgotten fence would show. */
#include <stdlib.h>
#include "../unit/ktap.h"
#include "explore.h"
#include "gate.h"
#include "site.h"

static double started;

static double budget(void)
{
	const char *s = getenv("PMV_CRASH_SECONDS");

	return s && atof(s) > 0 ? atof(s) : 180;
}

static void expect_no_violation(void)
{
	if (violation)
		ktap_fail("%s", violation);
	/* The next test tells its own story. */
	violation = NULL;
}

static void sequences_of(unsigned int length)
{
	double t = now();
	u64 n = explore_all(length);

	printf("# %llu sequences of length %u, %.1f s\n", (unsigned long long)n, length, now() - t);
	CHECK(n > 0);
	expect_no_violation();
}

/* Operations from each start are looked at closely, what follows upon another less so. */
static const struct thoroughness close_look = {
	.first = { .all_subsets = 12, .singles = 16, .samples = 32, .torn_lines = 8,
		   .torn_samples = 16 },
	.second = { .all_subsets = 4, .singles = 4, .samples = 8, .torn_lines = 2,
		    .torn_samples = 4 },
	.second_every = 4,
};

static const struct thoroughness quick_look = {
	.first = { .all_subsets = 6, .singles = 2, .samples = 4, .torn_lines = 2,
		   .torn_samples = 4 },
	.second = { .all_subsets = 2, .singles = 1, .samples = 2, .torn_lines = 1,
		    .torn_samples = 2 },
	.second_every = 8,
};

static void cut_single_operations(void)
{
	thorough = close_look;
	sequences_of(1);
}

static void cut_second_operations(void)
{
	thorough = quick_look;
	sequences_of(2);
}

/* Half way there is no page left. */
static void cut_refused_operations(void)
{
	double t = now();
	u64 n;

	thorough = close_look;
	n = explore_short_of_pages();
	printf("# %llu refusals for want of pages, %.1f s\n", (unsigned long long)n, now() - t);
	CHECK(n > 0);
	expect_no_violation();
}

static void cut_random_sequences(void)
{
	double left = max(budget() - (now() - started), 3.0);
	u64 n;

	thorough = close_look;
	n = explore_random(left, 1);

	printf("# %llu random sequences of length %u, %.1f s\n", (unsigned long long)n,
	       SEQUENCE_MAX, left);
	expect_no_violation();
}

static void every_operation_was_cut(void)
{
	struct figures sum = { 0 };
	unsigned int i;

	printf("# %-12s %8s %8s %10s %10s %10s\n", "operation", "runs", "fences", "images",
	       "recovered", "second");
	for (i = 0; i < OP_KINDS; i++) {
		const struct figures *f = &figures[i];

		printf("# %-12s %8llu %8llu %10llu %10llu %10llu\n", op_names[i],
		       (unsigned long long)f->runs, (unsigned long long)f->fences,
		       (unsigned long long)f->images, (unsigned long long)f->distinct,
		       (unsigned long long)f->second);
		CHECK(f->runs > 0 && f->fences > 0 && f->distinct > 1 && f->second > 0);
		sum.runs += f->runs;
		sum.fences += f->fences;
		sum.images += f->images;
		sum.distinct += f->distinct;
		sum.second += f->second;
	}
	printf("# %-12s %8llu %8llu %10llu %10llu %10llu\n", "all", (unsigned long long)sum.runs,
	       (unsigned long long)sum.fences, (unsigned long long)sum.images,
	       (unsigned long long)sum.distinct, (unsigned long long)sum.second);
}

static const struct ktap_test tests[] = {
	{ "cut_single_operations", cut_single_operations },
	{ "cut_refused_operations", cut_refused_operations },
	{ "cut_second_operations", cut_second_operations },
	{ "cut_random_sequences", cut_random_sequences },
	{ "every_operation_was_cut", every_operation_was_cut },
	{ "every_step_is_needed", gate_run },
};

int main(int argc, char **argv)
{
	started = now();
	if (!site_names_load()) {
		fputs("cannot read the program's own symbols\n", stderr);
		return 1;
	}
	return ktap_run(tests, ARRAY_SIZE(tests), argc, argv);
}
