// SPDX-License-Identifier: GPL-2.0
/* Keys, and what is read out of reports, honest and other ones. */
#include <ctype.h>
#include <stdlib.h>
#include "fence-test.h"

/*
 * The first letter is the type: "-" none, "w" write exclusive, "x" exclusive access, "a" write
 * exclusive, all registrants. Then a word each: EPOCH.NODE of a grant, with "c" behind it of a
 * claim and "v" of a vacant one; a bare number is a key of another form. "*": holds. "@N": of
 * host N.
 */
void report_make(struct nvf_report *r, const char *text)
{
	memset(r, 0, sizeof(*r));
	r->type = *text == 'w' ? 1 : *text == 'x' ? 2 : *text == 'a' ? 5 : 0;
	for (text++; *text;) {
		struct nvf_registrant *reg = &r->reg[r->count];
		enum nvf_form form = NVF_FORM_GRANT;
		u64 epoch, node;
		char *end;

		if (*text == ' ') {
			text++;
			continue;
		}
		r->count++;
		epoch = strtoull(text, &end, 10);
		text = end;
		reg->key = epoch;
		if (*text == '.') {
			node = strtoull(text + 1, &end, 10);
			text = end;
			if (*text == 'c' || *text == 'v')
				form = *text++ == 'c' ? NVF_FORM_CLAIM : NVF_FORM_VACANT;
			reg->key = nvf_key_make_form(epoch, node, form);
		}
		if (*text == '@') {
			reg->host_known = true;
			reg->host[0] = strtoull(text + 1, &end, 10);
			text = end;
		}
		if (*text == '*') {
			reg->holder = true;
			text++;
		}
	}
}

/* What is learnt of hosts, from another reading. */
void report_learn(void)
{
	static const struct {
		const char *report, *other, *result;
	} table[] = {
		{ "w 4.1* 7", "w 4.1@1* 7@2", "w 4.1@1* 7@2" },
		{ "w 4.1* 7", "w 4.1@1*", "w 4.1@1* 7" },
		{ "w 4.1* 7", "w 5.1@1* 7", "w 4.1* 7" },
		/* once for each controller */
		{ "w 7* 7 8", "w 7@2* 8@1", "w 7@2* 7@2 8@1" },
		/* one key of two hosts: the holder's is the holder's */
		{ "w 7* 7", "w 7@1 7@2*", "w 7@2* 7@1" },
		{ "w 7 7*", "w 7@1 7@2*", "w 7@1 7@2*" },
		{ "w 7* 7", "w 7@1 7@2", "w 7@2* 7@1" },
		{ "w 7*", "w 7@1 7@2*", "w 7@2*" },
		/* and of one that is not known */
		{ "w 7* 7", "w 7@1 7*", "w 7* 7@1" },
		{ "w 4.1@3* 7", "w 4.1@1* 7@2", "w 4.1@3* 7@2" },
		{ "-", "w 4.1@1*", "-" },
	};
	static struct nvf_report r, other, result;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(table); i++) {
		report_make(&r, table[i].report);
		report_make(&other, table[i].other);
		report_make(&result, table[i].result);
		nvf_report_learn(&r, &other);
		if (memcmp(&r, &result, sizeof(r)))
			ktap_fail("row %u: not \"%s\"", i, table[i].result);
	}
	/* Hostile counts. */
	report_make(&r, "w 7*");
	report_make(&other, "w 7@2*");
	r.count = 65535;
	other.count = 65535;
	nvf_report_learn(&r, &other);
	CHECK(r.reg[0].host_known);
}

void key_round_trip(void)
{
	static const u64 epochs[] = {
		1, 2, 255, 256, 65535, 65536, NVF_EPOCH_MAX - 1, NVF_EPOCH_MAX
	};
	static const u16 nodes[] = { 1, 2, 255, 256, 32768, 65535 };
	unsigned int i, j, form;
	u64 epoch, key, seed = 1;
	u16 node;

	for (i = 0; i < ARRAY_SIZE(epochs); i++) {
		for (j = 0; j < ARRAY_SIZE(nodes); j++) {
			for (form = NVF_FORM_CLAIM; form <= NVF_FORM_VACANT; form++) {
				key = nvf_key_make_form(epochs[i], nodes[j], form);
				CHECK(nvf_key_parse(key, &epoch, &node));
				CHECK(epoch == epochs[i] && node == nodes[j]);
				CHECK_EQ(nvf_key_form(key), form);
				CHECK_EQ(key & ((1ULL << 56) - 1), epoch << 16 | node);
			}
			CHECK(nvf_key_form(nvf_key_make(epochs[i], nodes[j])) == NVF_FORM_GRANT);
		}
	}
	for (i = 0; i < 100000; i++) {
		u64 e = (rnd(&seed) & NVF_EPOCH_MAX) ?: 1;
		u16 n = (rnd(&seed) & NVF_NODE_MAX) ?: 1;

		CHECK(nvf_key_parse(nvf_key_make(e, n), &epoch, &node) && epoch == e && node == n);
	}
}

void key_foreign(void)
{
	static const u64 foreign[] = { 0,	   1,	       7,	   0x123abc,
				       0xdeadbeef, 0xffffffff, ~0ULL >> 2, (1ULL << 62) - 1 };
	unsigned int i, taken = 0;
	u64 epoch = 77, seed = 2;
	u16 node = 88;

	for (i = 0; i < ARRAY_SIZE(foreign); i++)
		CHECK(!nvf_key_parse(foreign[i], &epoch, &node));
	/* All small numbers, and what has no epoch, no node or no form. */
	for (i = 0; i < 1000000; i++)
		CHECK(!nvf_key_parse(i, &epoch, &node));
	CHECK(!nvf_key_parse(nvf_key_make(0, 1), &epoch, &node));
	CHECK(!nvf_key_parse(nvf_key_make(1, 0), &epoch, &node));
	CHECK(!nvf_key_parse(nvf_key_make_form(1, 1, 0), &epoch, &node));
	CHECK(epoch == 77 && node == 88);
	/* Three forms, one check of 64: three of 256, and no more. */
	for (i = 0; i < 256000; i++)
		taken += nvf_key_parse(rnd(&seed), &epoch, &node);
	CHECK(taken > 2700 && taken < 3300);
}

static u64 newest_of(const char *text)
{
	static struct nvf_report r;

	report_make(&r, text);
	return nvf_report_newest(&r);
}

void report_newest(void)
{
	CHECK_EQ(newest_of("-"), 0);
	CHECK_EQ(newest_of("- 7 8 99999"), 0);
	CHECK_EQ(newest_of("w 5.1* 6.2c 4.3v 7"), 6);
	CHECK_EQ(newest_of("- 5.1v"), 5);
	CHECK_EQ(newest_of("w 1099511627775.65535* 1.1"), NVF_EPOCH_MAX);
}

void report_holder(void)
{
	static struct nvf_report r;

	report_make(&r, "- 5.1*");
	CHECK(!nvf_report_holder(&r));
	report_make(&r, "w 5.1 6.2");
	CHECK(!nvf_report_holder(&r));
	report_make(&r, "w 5.1 6.2*");
	CHECK(nvf_report_holder(&r) == &r.reg[1]);
	report_make(&r, "x 7*");
	CHECK(nvf_report_holder(&r) == &r.reg[0]);
}

void report_holds(void)
{
	/* Asked of epoch 5 on node 2. */
	static const struct {
		const char *text;
		bool holds;
	} table[] = {
		{ "w 5.2*", true },
		{ "w 4.1 5.2* 3.3", true },
		{ "w 5.2* 5.1", true }, /* the smaller node gives in */
		{ "w 5.2* 7", true }, /* what is merely registered writes nothing */
		{ "w 5.2@1* 5.2@1*", true }, /* once for each controller */
		{ "w 5.2* 5.2", true },
		{ "w 5.2@1* 5.2@2", false },
		{ "w 5.2* 5.2c", false },
		{ "w 5.2* 5.3", false },
		{ "w 5.2* 6.1", false },
		{ "w 5.2* 6.1c", false },
		{ "w 5.2* 6.1v", false },
		{ "w 5.2c*", false },
		{ "w 5.2v*", false },
		{ "w 5.2", false },
		{ "w 5.2 5.1*", false },
		{ "w 5.2* 4.1*", false },
		{ "w 4.1* 5.2*", false },
		{ "- 5.2*", false },
		{ "x 5.2*", false },
		{ "a 5.2*", false },
		{ "w", false },
		{ "w 7*", false },
	};
	static struct nvf_report r;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(table); i++) {
		report_make(&r, table[i].text);
		if (nvf_report_holds(&r, nvf_key_make(5, 2)) != table[i].holds)
			ktap_fail("\"%s\"", table[i].text);
	}
	report_make(&r, "w 7*");
	CHECK(!nvf_report_holds(&r, 7));
	CHECK(!nvf_report_holds(&r, 0));
}

void report_remote(void)
{
	static const struct {
		const char *text;
		bool remote;
	} table[] = {
		{ "- 5.1", false }, { "w 5.2*", false }, { "w 5.2c*", false },
		{ "w 5.1*", true }, { "w 5.1c*", true }, { "w 5.1v*", false },
		{ "w 7*", true },   { "w 5.2", true },	 { "x 7*", true },
	};
	static struct nvf_report r;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(table); i++) {
		report_make(&r, table[i].text);
		if (nvf_report_remote(&r, 2) != table[i].remote)
			ktap_fail("\"%s\"", table[i].text);
	}
}

/* Counts and contents that no honest device sends: sanitizers watch. */
void report_hostile(void)
{
	static struct nvf_report r;
	unsigned int i;

	report_make(&r, "w 5.2*");
	for (i = 1; i < NVF_REGISTRANTS_MAX; i++)
		r.reg[i] = (struct nvf_registrant){ .key = nvf_key_make(1, i + 10) };
	r.count = NVF_REGISTRANTS_MAX;
	CHECK(nvf_report_holds(&r, nvf_key_make(5, 2)));
	r.count = NVF_REGISTRANTS_MAX + 1;
	CHECK(!nvf_report_holds(&r, nvf_key_make(5, 2)));
	r.count = 65535;
	CHECK(!nvf_report_holds(&r, nvf_key_make(5, 2)));
	CHECK_EQ(nvf_report_newest(&r), 5);
	CHECK(nvf_report_holder(&r) == &r.reg[0]);
	CHECK(!nvf_report_remote(&r, 2));
	for (i = 0; i < 4; i++)
		r.reg[i] = (struct nvf_registrant){ .key = ~0ULL, .holder = true };
	r.count = 3;
	r.type = 255;
	CHECK(nvf_report_newest(&r) <= NVF_EPOCH_MAX);
	CHECK(!nvf_report_holds(&r, ~0ULL));
}
