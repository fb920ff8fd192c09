// SPDX-License-Identifier: GPL-2.0
#include "fence-test.h"

#define T(f)          \
	{             \
#f, f \
	}

/* clang-format off */
static const struct ktap_test tests[] = {
	T(key_round_trip), T(key_foreign),
	T(report_learn), T(report_newest), T(report_holder), T(report_holds), T(report_remote), T(report_hostile),
	T(acquire_paths), T(acquire_refusals), T(acquire_answers), T(acquire_half_way),
	T(acquire_ties), T(acquire_own), T(acquire_foreign), T(acquire_local), T(acquire_tenure),
	T(acquire_bounded), T(acquire_random),
	T(gate_table), T(gate_grants), T(gate_sticky), T(gate_random),
	T(pr_register), T(pr_reserve), T(pr_preempt), T(pr_clear), T(pr_lease_program),
};
/* clang-format on */

int main(int argc, char **argv)
{
	return ktap_run(tests, ARRAY_SIZE(tests), argc, argv);
}
