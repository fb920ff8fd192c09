/* SPDX-License-Identifier: GPL-2.0 */
/* Shared by the unit tests of kernel/nvme_fence/core/. */
#ifndef FENCE_UNIT_H
#define FENCE_UNIT_H

#include "acquire.h"
#include "gate.h"
#include "key.h"
#include "ktap.h"
#include "pr.h"

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

void key_round_trip(void);
void key_foreign(void);
void report_newest(void);
void report_learn(void);
void report_holder(void);
void report_holds(void);
void report_remote(void);
void report_hostile(void);
void acquire_paths(void);
void acquire_refusals(void);
void acquire_answers(void);
void acquire_half_way(void);
void acquire_ties(void);
void acquire_own(void);
void acquire_foreign(void);
void acquire_local(void);
void acquire_tenure(void);
void acquire_bounded(void);
void acquire_random(void);
void gate_table(void);
void gate_grants(void);
void gate_sticky(void);
void gate_random(void);
void pr_register(void);
void pr_reserve(void);
void pr_preempt(void);
void pr_clear(void);
void pr_lease_program(void);

/* xorshift: the same numbers on every machine. */
static inline u64 rnd(u64 *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

/* fence-key.c: reports from text such as "w 5.1* 6.2c 7f" */
void report_make(struct nvf_report *r, const char *text);

#endif /* FENCE_UNIT_H */
