// SPDX-License-Identifier: GPL-2.0
/* Consumers' reservations, as a controller has them. */
#include "fence-test.h"

#define WE NVF_TYPE_WRITE_EXCLUSIVE

struct fixture {
	struct nvf_pr pr;
	struct nvf_pr_host a, b, c;
};

static void begin(struct fixture *f)
{
	memset(f, 0, sizeof(*f));
	nvf_pr_add(&f->pr, &f->a);
	nvf_pr_add(&f->pr, &f->b);
	nvf_pr_add(&f->pr, &f->c);
}

static void registered(struct fixture *f, u64 a, u64 b, u64 c)
{
	begin(f);
	CHECK_EQ(nvf_pr_register(&f->pr, &f->a, 0, a, false), NVF_PR_OK);
	CHECK_EQ(nvf_pr_register(&f->pr, &f->b, 0, b, false), NVF_PR_OK);
	CHECK_EQ(nvf_pr_register(&f->pr, &f->c, 0, c, false), NVF_PR_OK);
}

void pr_register(void)
{
	static const struct {
		u64 have, old, new;
		bool ignore;
		enum nvf_pr_verdict verdict;
		u64 key;
	} table[] = {
		{ 0, 0, 5, false, NVF_PR_OK, 5 },	 { 0, 4, 5, false, NVF_PR_CONFLICT, 0 },
		{ 0, 4, 5, true, NVF_PR_OK, 5 },	 { 0, 0, 0, false, NVF_PR_CONFLICT, 0 },
		{ 0, 0, 0, true, NVF_PR_CONFLICT, 0 },	 { 5, 0, 5, false, NVF_PR_OK, 5 },
		{ 5, 0, 6, false, NVF_PR_CONFLICT, 5 },	 { 5, 0, 6, true, NVF_PR_OK, 6 },
		{ 5, 5, 6, false, NVF_PR_OK, 6 },	 { 5, 4, 6, false, NVF_PR_CONFLICT, 5 },
		{ 5, 4, 6, true, NVF_PR_OK, 6 },	 { 5, 4, 0, false, NVF_PR_CONFLICT, 5 },
		{ 5, 5, 0, false, NVF_PR_OK, 0 },	 { 5, 4, 0, true, NVF_PR_OK, 0 },
		{ 5, 0, ~0ULL, true, NVF_PR_OK, ~0ULL },
	};
	struct fixture f;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(table); i++) {
		enum nvf_pr_verdict verdict;

		begin(&f);
		if (table[i].have)
			nvf_pr_register(&f.pr, &f.a, 0, table[i].have, false);
		verdict = nvf_pr_register(&f.pr, &f.a, table[i].old, table[i].new, table[i].ignore);
		if (verdict != table[i].verdict || f.a.registered != !!table[i].key ||
		    (table[i].key && f.a.key != table[i].key))
			ktap_fail("row %u: %d", i, verdict);
	}
	/* The holder's registration ends, and so does its epoch. */
	registered(&f, 5, 6, 7);
	nvf_pr_granted(&f.pr, &f.a, false, 0);
	CHECK_EQ(nvf_pr_register(&f.pr, &f.a, 5, 8, false), NVF_PR_OK);
	CHECK(f.pr.holder == &f.a);
	CHECK_EQ(nvf_pr_register(&f.pr, &f.a, 8, 0, false), NVF_PR_RELEASE);
	nvf_pr_released(&f.pr, &f.a);
	CHECK(!f.pr.holder && !f.pr.reserved && !f.a.registered);
}

void pr_reserve(void)
{
	struct fixture f;
	u8 type;

	registered(&f, 5, 6, 7);
	for (type = 0; type < 10; type++)
		if (type != WE)
			CHECK_EQ(nvf_pr_reserve(&f.pr, &f.a, 5, type, false), NVF_PR_UNSUPPORTED);
	CHECK_EQ(nvf_pr_reserve(&f.pr, &f.a, 6, WE, false), NVF_PR_CONFLICT);
	CHECK_EQ(nvf_pr_reserve(&f.pr, &f.a, 5, WE, true), NVF_PR_CONFLICT);
	CHECK_EQ(nvf_pr_reserve(&f.pr, &f.a, 5, WE, false), NVF_PR_ACQUIRE);
	CHECK(!f.pr.holder);
	nvf_pr_granted(&f.pr, &f.a, false, 0);
	CHECK_EQ(nvf_pr_reserve(&f.pr, &f.a, 5, WE, false), NVF_PR_OK);
	CHECK_EQ(nvf_pr_reserve(&f.pr, &f.b, 6, WE, false), NVF_PR_CONFLICT);
	/* Only the holder's release does anything, and only with its key. */
	CHECK_EQ(nvf_pr_release(&f.pr, &f.b, 6, WE), NVF_PR_OK);
	CHECK_EQ(nvf_pr_release(&f.pr, &f.b, 5, WE), NVF_PR_CONFLICT);
	CHECK_EQ(nvf_pr_release(&f.pr, &f.a, 5, 3), NVF_PR_UNSUPPORTED);
	CHECK(f.pr.holder == &f.a);
	CHECK_EQ(nvf_pr_release(&f.pr, &f.a, 5, WE), NVF_PR_RELEASE);
	nvf_pr_released(&f.pr, &f.b);
	CHECK(f.pr.holder == &f.a);
	nvf_pr_released(&f.pr, &f.a);
	CHECK(!f.pr.holder && f.a.registered);
	/* Unregistered consumers have no rights; a host that goes leaves nothing. */
	nvf_pr_granted(&f.pr, &f.c, false, 0);
	nvf_pr_evicted(&f.pr, &f.c);
	CHECK(!f.pr.holder && !f.c.registered);
	CHECK_EQ(nvf_pr_reserve(&f.pr, &f.c, 7, WE, false), NVF_PR_CONFLICT);
	nvf_pr_granted(&f.pr, &f.b, false, 0);
	nvf_pr_del(&f.pr, &f.b);
	CHECK(!f.pr.holder && !f.pr.reserved && f.pr.hosts == &f.c && f.c.next == &f.a);
}

void pr_preempt(void)
{
	struct fixture f;

	/* Nobody holds: whoever has the key is unregistered, the caller too. */
	registered(&f, 5, 5, 7);
	CHECK_EQ(nvf_pr_preempt(&f.pr, &f.a, 5, 9, WE, false), NVF_PR_CONFLICT);
	CHECK_EQ(nvf_pr_preempt(&f.pr, &f.a, 5, 0, WE, false), NVF_PR_INVALID);
	CHECK_EQ(nvf_pr_preempt(&f.pr, &f.a, 5, 5, 3, false), NVF_PR_UNSUPPORTED);
	CHECK_EQ(nvf_pr_preempt(&f.pr, &f.a, 7, 5, WE, false), NVF_PR_CONFLICT);
	CHECK_EQ(nvf_pr_preempt(&f.pr, &f.a, 5, 5, WE, false), NVF_PR_OK);
	CHECK(!f.a.registered && !f.b.registered && f.c.registered && !f.pr.holder);
	/* The holder's key: a take-over, and nobody is evicted before it is granted. */
	registered(&f, 5, 5, 5);
	nvf_pr_granted(&f.pr, &f.b, false, 0);
	CHECK_EQ(nvf_pr_preempt(&f.pr, &f.a, 5, 5, WE, false), NVF_PR_ACQUIRE);
	CHECK(f.b.registered && f.pr.holder == &f.b);
	nvf_pr_granted(&f.pr, &f.a, true, 5);
	CHECK(f.a.registered && !f.b.registered && !f.c.registered && f.pr.holder == &f.a);
	/* By the holder: nothing. */
	registered(&f, 5, 6, 7);
	nvf_pr_granted(&f.pr, &f.a, false, 0);
	CHECK_EQ(nvf_pr_preempt(&f.pr, &f.a, 5, 6, WE, false), NVF_PR_OK);
	CHECK(f.b.registered && f.pr.holder == &f.a);
	/* Another key than the holder's: evicts, takes nothing. */
	CHECK_EQ(nvf_pr_preempt(&f.pr, &f.b, 6, 7, WE, false), NVF_PR_OK);
	CHECK(!f.c.registered && f.pr.holder == &f.a);
	CHECK_EQ(nvf_pr_preempt(&f.pr, &f.b, 6, 6, WE, false), NVF_PR_OK);
	CHECK(!f.b.registered);
	/* A holder that never registered, and another node, are taken over by any key. */
	begin(&f);
	nvf_pr_register(&f.pr, &f.b, 0, 6, false);
	nvf_pr_granted(&f.pr, &f.a, false, 0);
	CHECK_EQ(nvf_pr_preempt(&f.pr, &f.b, 6, 99, WE, false), NVF_PR_ACQUIRE);
	CHECK_EQ(nvf_pr_preempt(&f.pr, &f.b, 6, 99, WE, true), NVF_PR_ACQUIRE);
	CHECK_EQ(nvf_pr_preempt(&f.pr, &f.c, 6, 99, WE, true), NVF_PR_CONFLICT);
}

void pr_clear(void)
{
	struct fixture f;

	registered(&f, 5, 6, 7);
	nvf_pr_granted(&f.pr, &f.a, false, 0);
	CHECK_EQ(nvf_pr_clear(&f.pr, &f.b, 5, false), NVF_PR_CONFLICT);
	CHECK_EQ(nvf_pr_clear(&f.pr, &f.b, 6, true), NVF_PR_CONFLICT);
	CHECK(f.a.registered && f.b.registered && f.c.registered && f.pr.reserved);
	/* Another's gate stays as it is; but it is shown as holding nothing, and can be followed. */
	CHECK_EQ(nvf_pr_clear(&f.pr, &f.b, 6, false), NVF_PR_OK);
	CHECK(!f.a.registered && !f.b.registered && !f.c.registered && !f.pr.reserved);
	CHECK(f.pr.holder == &f.a);
	CHECK_EQ(nvf_pr_reserve(&f.pr, &f.b, 6, WE, false), NVF_PR_CONFLICT);
	nvf_pr_register(&f.pr, &f.b, 0, 6, false);
	CHECK_EQ(nvf_pr_reserve(&f.pr, &f.b, 6, WE, false), NVF_PR_ACQUIRE);
	/* The holder's own clear gives its epoch back. */
	registered(&f, 5, 6, 7);
	nvf_pr_granted(&f.pr, &f.a, false, 0);
	CHECK_EQ(nvf_pr_clear(&f.pr, &f.a, 5, false), NVF_PR_RELEASE);
}

/* What an unmodified lease program does, on two attachments, one key for all. */
static enum nvf_pr_verdict lease_program(struct nvf_pr *pr, struct nvf_pr_host *h, bool remote)
{
	enum nvf_pr_verdict verdict;

	CHECK_EQ(nvf_pr_register(pr, h, 0, 7, true), NVF_PR_OK);
	verdict = nvf_pr_preempt(pr, h, 7, 7, WE, remote);
	if (verdict == NVF_PR_ACQUIRE)
		nvf_pr_granted(pr, h, true, 7);
	else
		CHECK_EQ(verdict, NVF_PR_OK);
	CHECK_EQ(nvf_pr_register(pr, h, 0, 7, true), NVF_PR_OK);
	verdict = nvf_pr_reserve(pr, h, 7, WE, false);
	if (verdict == NVF_PR_ACQUIRE)
		nvf_pr_granted(pr, h, false, 0);
	return verdict;
}

void pr_lease_program(void)
{
	struct fixture f;

	begin(&f);
	CHECK_EQ(lease_program(&f.pr, &f.a, false), NVF_PR_ACQUIRE);
	CHECK(f.pr.holder == &f.a);
	/* Once more by the same: it holds already. */
	CHECK_EQ(lease_program(&f.pr, &f.a, false), NVF_PR_OK);
	CHECK_EQ(lease_program(&f.pr, &f.b, false), NVF_PR_OK);
	CHECK(f.pr.holder == &f.b && !f.a.registered);
	CHECK_EQ(lease_program(&f.pr, &f.c, true), NVF_PR_OK);
	CHECK(f.pr.holder == &f.c && !f.b.registered);
}
