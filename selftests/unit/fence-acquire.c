// SPDX-License-Identifier: GPL-2.0
/* Acquires, line by line: what is to be done next, and what then happens. */
#include <stdlib.h>
#include "fence-test.h"

/*
 * A line of a script is the action that is expected and what comes of it:
 *
 *	read REPORT		(as report_make() has them)
 *	publish, drain
 *	register OLD NEW, reserve NEW, preempt OLD NEW
 *	grant EPOCH		the end
 *	fail WHY [WINNER]	the end
 *
 * "!" behind the first word: it meets a conflict; "?": it fails; "~": time is over. Before a line,
 * "N:": the node had published N by the time this is asked for.
 */
#define LINES 24

struct script {
	struct nvf_request request;
	const char *line[LINES];
};

static const char *const whys[] = {
	"none",	     "not_newer", "lost",      "foreign", "same_node",
	"exhausted", "device",	  "unsettled", "timeout",
};

static const char *const words[] = {
	[NVF_DO_READ] = "read",		[NVF_DO_PUBLISH] = "publish", [NVF_DO_DRAIN] = "drain",
	[NVF_DO_REGISTER] = "register", [NVF_DO_RESERVE] = "reserve", [NVF_DO_PREEMPT] = "preempt",
	[NVF_DO_GRANT] = "grant",	[NVF_DO_FAIL] = "fail",
};

/* One key in the words of reports; the text behind it is returned. */
static const char *key_of(const char *text, u64 *key)
{
	static struct nvf_report r;
	char one[64] = "- ";

	while (*text == ' ')
		text++;
	if (sscanf(text, "%40s", one + 2) != 1)
		one[2] = '\0';
	report_make(&r, one);
	*key = r.count ? r.reg[0].key : 0;
	while (*text && *text != ' ')
		text++;
	return text;
}

static bool as_expected(const struct nvf_acquire *a, const struct nvf_action *x, const char *text)
{
	u64 old = 0, new = 0;

	switch (x->what) {
	case NVF_DO_REGISTER:
	case NVF_DO_PREEMPT:
		key_of(key_of(text, &old), &new);
		return x->old_key == old && x->new_key == new;
	case NVF_DO_RESERVE: key_of(text, &new); return x->new_key == new;
	case NVF_DO_GRANT: return a->epoch == strtoull(text, NULL, 10);
	case NVF_DO_FAIL:
		while (*text == ' ')
			text++;
		if (strncmp(text, whys[x->why], strlen(whys[x->why])))
			return false;
		key_of(text + strlen(whys[x->why]), &new);
		return x->winner.key == new;
	default: return true;
	}
}

static void play(const char *name, unsigned int row, const struct script *s, struct nvf_acquire *a)
{
	static struct nvf_report r;
	enum nvf_outcome outcome = NVF_DONE;
	const struct nvf_report *given = NULL;
	struct nvf_action x;
	unsigned int i;
	u64 newest = 0;

	nvf_acquire_start(a, &s->request);
	for (i = 0; i < LINES && s->line[i]; i++) {
		const char *text = s->line[i];
		char word[16], *behind;

		if (*text >= '0' && *text <= '9') {
			newest = strtoull(text, &behind, 10);
			text = behind + 1;
		}
		nvf_acquire_next(a, outcome, given, newest, &x);
		if (sscanf(text, " %15[a-z]", word) != 1)
			break;
		text = strstr(text, word) + strlen(word);
		outcome = *text == '!' ? NVF_CONFLICT :
			  *text == '?' ? NVF_ERROR :
			  *text == '~' ? NVF_TIMEOUT :
					 NVF_DONE;
		text += outcome != NVF_DONE;
		given = NULL;
		if (strcmp(word, words[x.what]) || !as_expected(a, &x, text)) {
			ktap_fail("%s %u: \"%s\" expected, but %s%s%s old %llx new %llx", name, row,
				  s->line[i], words[x.what], x.why ? " " : "", whys[x.why],
				  (unsigned long long)x.old_key, (unsigned long long)x.new_key);
			return;
		}
		if (x.what == NVF_DO_READ && outcome == NVF_DONE) {
			report_make(&r, text + (*text == ' '));
			given = &r;
		}
		if (x.what == NVF_DO_PUBLISH && outcome == NVF_DONE)
			newest = a->epoch;
	}
	CHECK(x.what == NVF_DO_GRANT || x.what == NVF_DO_FAIL);
}

#define PLAY(table)                                            \
	do {                                                   \
		struct nvf_acquire _a;                         \
		unsigned int _i;                               \
		for (_i = 0; _i < ARRAY_SIZE(table); _i++)     \
			play(__func__, _i, &(table)[_i], &_a); \
	} while (0)

#define NODE2 .device = true, .node = 2
#define HOST2 NODE2, .host_known = true, .host = { 2 }

void acquire_paths(void)
{
	static const struct script table[] = {
		/* nobody is there */
		{ { NODE2 },
		  { "read -", "publish", "drain", "read -", "register 0 1.2", "read - 1.2",
		    "reserve 1.2", "read w 1.2*", "grant 1" } },
		/* others are registered, nobody holds */
		{ { NODE2 },
		  { "read - 4.1 3.3c", "publish", "drain", "read - 4.1 3.3c", "register 0 5.2",
		    "read - 4.1 3.3c 5.2", "reserve 5.2", "read w 4.1 5.2* 3.3c", "grant 5" } },
		/* from another node */
		{ { NODE2 },
		  { "read w 4.1*", "publish", "drain", "read w 4.1*", "register 0 5.2c",
		    "read w 4.1* 5.2c", "preempt 4.1 5.2c", "register 5.2c 5.2", "read w 5.2*",
		    "grant 5" } },
		/* the same, its reservation given back */
		{ { NODE2 },
		  { "read w 4.1v*", "publish", "drain", "read w 4.1v*", "register 0 5.2c",
		    "read w 4.1v* 5.2c", "preempt 4.1v 5.2c", "register 5.2c 5.2", "read w 5.2*",
		    "grant 5" } },
		/* its own */
		{ { NODE2 },
		  { "read w 4.2*", "publish", "drain", "read w 4.2*", "register 4.2 5.2",
		    "read w 5.2*", "grant 5" } },
		{ { NODE2 },
		  { "read w 4.2v*", "publish", "drain", "read w 4.2v*", "register 4.2v 5.2",
		    "read w 5.2*", "grant 5" } },
		/* its own is registered, another one holds */
		{ { NODE2 },
		  { "read w 3.2 4.1*", "publish", "drain", "read w 3.2 4.1*", "register 3.2 5.2c",
		    "read w 5.2c 4.1*", "preempt 4.1 5.2c", "register 5.2c 5.2", "read w 5.2*",
		    "grant 5" } },
		/* above all that is known, from wherever */
		{ { NODE2, .known = 9 },
		  { "read w 4.2*", "publish", "drain", "read w 4.2*", "register 4.2 10.2",
		    "read w 10.2*", "grant 10" } },
		{ { NODE2, .known = 9 },
		  { "11:read w 4.2*", "publish", "drain", "read w 4.2*", "register 4.2 12.2",
		    "read w 12.2*", "grant 12" } },
		{ { NODE2, .epoch = 50, .known = 9 },
		  { "read w 4.2*", "publish", "drain", "read w 4.2*", "register 4.2 50.2",
		    "read w 50.2*", "grant 50" } },
		/* the holder changes its key before it is preempted; it is older still */
		{ { NODE2, .epoch = 9 },
		  { "read w 4.1*", "publish", "drain", "read w 4.1*", "register 0 9.2c",
		    "read w 4.1* 9.2c", "preempt! 4.1 9.2c", "read w 5.1* 9.2c", "preempt 5.1 9.2c",
		    "register 9.2c 9.2", "read w 9.2*", "grant 9" } },
		/* preempted, but somebody else has got it: claimed again before the next preempt */
		{ { NODE2, .epoch = 9 },
		  { "read w 4.1*", "publish", "drain", "read w 4.1*", "register 0 9.2c",
		    "read w 4.1* 9.2c", "preempt 4.1 9.2c", "register 9.2c 9.2", "read w 5.3* 9.2",
		    "register 9.2 9.2c", "read w 5.3* 9.2c", "preempt 5.3 9.2c",
		    "register 9.2c 9.2", "read w 9.2*", "grant 9" } },
		/* the device forgets in between */
		{ { NODE2 },
		  { "read w 4.1*", "publish", "drain", "read -", "register 0 5.2", "read -",
		    "register 0 5.2", "read - 5.2", "reserve 5.2", "read w 5.2*", "grant 5" } },
		/* the reservation was somebody else's for a moment */
		{ { NODE2 },
		  { "read -", "publish", "drain", "read -", "register 0 1.2", "read - 1.2",
		    "reserve! 1.2", "read - 1.2", "reserve 1.2", "read w 1.2*", "grant 1" } },
	};

	PLAY(table);
}

void acquire_refusals(void)
{
	static const struct script table[] = {
		{ { NODE2, .epoch = 4 }, { "read w 4.1*", "fail not_newer 4.1" } },
		{ { NODE2, .epoch = 3 }, { "read w 3.1* 4.2", "fail not_newer 4.2" } },
		{ { NODE2, .epoch = 4, .known = 4 }, { "read -", "fail not_newer" } },
		{ { NODE2, .epoch = 4 }, { "5:read -", "fail not_newer" } },
		{ { NODE2, .known = NVF_EPOCH_MAX }, { "read -", "fail exhausted" } },
		{ { NODE2 }, { "read w 1099511627775.1*", "fail exhausted 1099511627775.1" } },
		{ { NODE2, .epoch = NVF_EPOCH_MAX + 1 }, { "read -", "fail exhausted" } },
		{ { NODE2, .epoch = NVF_EPOCH_MAX },
		  { "read -", "publish", "drain", "read -", "register 0 1099511627775.2",
		    "read - 1099511627775.2", "reserve 1099511627775.2", "read w 1099511627775.2*",
		    "grant 1099511627775" } },
		{ { NODE2 }, { "read - 7", "fail foreign 7" } },
		{ { NODE2 }, { "read w 7*", "fail foreign 7" } },
		{ { NODE2 }, { "read w 4.1* 0", "fail foreign 0" } },
		{ { NODE2 }, { "read x 4.1*", "fail foreign 4.1" } },
		{ { NODE2 }, { "read a 4.1* 3.2*", "fail foreign 3.2" } },
		/* two holders, hosts that share the number, two registrations of ours */
		{ { NODE2 }, { "read w 4.1* 5.3*", "fail device" } },
		{ { HOST2 }, { "read w 4.2@3*", "fail same_node 4.2" } },
		{ { HOST2 }, { "read w 4.2@2* 3.2@3", "fail same_node 3.2" } },
		{ { HOST2 }, { "read w 4.2@2* 3.2@2", "fail same_node 3.2" } },
		{ { NODE2 }, { "read w 4.2* 3.2", "fail same_node 3.2" } },
		/* none of it later either */
		{ { NODE2 },
		  { "read w 4.1*", "publish", "drain", "read w 4.1* 7", "fail foreign 7" } },
		{ { NODE2 },
		  { "read w 4.1*", "publish", "drain", "read w 4.1*", "register 0 5.2c",
		    "read x 4.1* 5.2c", "fail foreign 4.1" } },
		{ { HOST2 },
		  { "read -", "publish", "drain", "read - 1.2@3", "fail same_node 1.2" } },
		/* somebody has made our key */
		{ { NODE2 }, { "read -", "publish", "drain", "read - 1.2", "fail same_node 1.2" } },
		{ { NODE2 },
		  { "read -", "publish", "drain", "read w 1.2*", "fail same_node 1.2" } },
	};

	PLAY(table);
}

/* Commands that fail or do not answer; and being overtaken at each of them. */
void acquire_answers(void)
{
	static const struct script table[] = {
		{ { NODE2 }, { "read?", "fail device" } },
		{ { NODE2 }, { "read~", "fail timeout" } },
		{ { NODE2 }, { "read!", "fail device" } },
		{ { NODE2 }, { "read -", "publish", "drain~", "fail timeout" } },
		{ { NODE2 },
		  { "read -", "publish", "drain", "read -", "register? 0 1.2", "fail device" } },
		{ { NODE2 },
		  { "read -", "publish", "drain", "read -", "register~ 0 1.2", "fail timeout" } },
		{ { NODE2 },
		  { "read -", "publish", "drain", "read -", "register 0 1.2", "read - 1.2",
		    "reserve? 1.2", "fail device" } },
		{ { NODE2 },
		  { "read w 4.1*", "publish", "drain", "read w 4.1*", "register 0 5.2c",
		    "read w 4.1* 5.2c", "preempt? 4.1 5.2c", "fail device" } },
		{ { NODE2 },
		  { "read w 4.1*", "publish", "drain", "read w 4.1*", "register 0 5.2c",
		    "read w 4.1* 5.2c", "preempt~ 4.1 5.2c", "fail device" } },
		{ { NODE2 },
		  { "read w 4.1*", "publish", "drain", "read w 4.1*", "register 0 5.2c",
		    "read w 4.1* 5.2c", "preempt 4.1 5.2c", "register~ 5.2c 5.2",
		    "fail timeout" } },
		/* a preempt has succeeded: the device is told until it answers */
		{ { NODE2 },
		  { "read w 4.1*", "publish", "drain", "read w 4.1*", "register 0 5.2c",
		    "read w 4.1* 5.2c", "preempt 4.1 5.2c", "register? 5.2c 5.2",
		    "register? 5.2c 5.2", "register 5.2c 5.2", "read w 5.2*", "grant 5" } },
		/* it was told the first time */
		{ { NODE2 },
		  { "read w 4.1*", "publish", "drain", "read w 4.1*", "register 0 5.2c",
		    "read w 4.1* 5.2c", "preempt 4.1 5.2c", "register? 5.2c 5.2",
		    "register! 5.2c 5.2", "read w 5.2*", "grant 5" } },
		/* one that is on its way would confirm the next preempt */
		{ { NODE2 },
		  { "read w 4.1*", "publish", "drain", "read w 4.1*", "register 0 5.2c",
		    "read w 4.1* 5.2c", "preempt 4.1 5.2c", "register? 5.2c 5.2",
		    "register 5.2c 5.2", "read w 4.3* 5.2", "fail device 4.3" } },
		{ { NODE2 },
		  { "read w 4.1*", "publish", "drain", "read w 4.1*", "register 0 5.2c",
		    "read w 4.1* 5.2c", "preempt 4.1 5.2c", "register? 5.2c 5.2",
		    "register~ 5.2c 5.2", "fail timeout" } },
		/* another attachment published in between: another epoch, but not a given one */
		{ { NODE2 },
		  { "read -", "publish!", "5:publish", "drain", "read -", "register 0 6.2",
		    "read - 6.2", "reserve 6.2", "read w 6.2*", "grant 6" } },
		{ { NODE2, .epoch = 3 }, { "read -", "publish!", "5:fail not_newer" } },
		/* overtaken */
		{ { NODE2 }, { "read -", "publish", "2:drain", "fail lost 2.2" } },
		{ { NODE2 }, { "read -", "publish", "drain", "read -", "2:fail lost 2.2" } },
		{ { NODE2 },
		  { "read -", "publish", "drain", "read -", "register 0 1.2", "2:fail lost 2.2" } },
		{ { NODE2 },
		  { "read -", "publish", "drain", "read -", "register 0 1.2", "read - 1.2",
		    "reserve 1.2", "2:fail lost 2.2" } },
		/* what a preempt has come to is told to the device first */
		{ { NODE2 },
		  { "read w 4.1*", "publish", "drain", "read w 4.1*", "register 0 5.2c",
		    "read w 4.1* 5.2c", "preempt 4.1 5.2c", "6:register 5.2c 5.2",
		    "fail lost 6.2" } },
	};

	PLAY(table);
}

/* Holders that never said that their preempt was over. */
void acquire_half_way(void)
{
	static const struct script table[] = {
		/* it comes to an end while we look */
		{ { NODE2 },
		  { "read w 4.1c*", "read w 4.1c*", "read w 4.1*", "publish", "drain",
		    "read w 4.1*", "register 0 5.2c", "read w 4.1* 5.2c", "preempt 4.1 5.2c",
		    "register 5.2c 5.2", "read w 5.2*", "grant 5" } },
		/* one's own, by an operator's word */
		{ { NODE2, .preempt_foreign = true },
		  { "read w 4.2c*", "publish", "drain", "read w 4.2c*", "register 4.2c 5.2",
		    "read w 5.2*", "grant 5" } },
		{ { NODE2, .preempt_foreign = true },
		  { "read w 4.1c*", "publish", "drain", "read w 4.1c*", "register 0 5.2c",
		    "read w 4.1c* 5.2c", "preempt 4.1c 5.2c", "register 5.2c 5.2", "read w 5.2*",
		    "grant 5" } },
		/* a claim that holds nothing is no obstacle */
		{ { NODE2 },
		  { "read w 4.2* 3.1c", "publish", "drain", "read w 4.2* 3.1c", "register 4.2 5.2",
		    "read w 5.2* 3.1c", "grant 5" } },
	};

	PLAY(table);
}

void acquire_ties(void)
{
	static const struct script table[] = {
		/* the greater key wins, whatever its form */
		{ { NODE2 }, { "read -", "publish", "drain", "read - 1.3c", "fail lost 1.3c" } },
		{ { NODE2 }, { "read -", "publish", "drain", "read - 2.1", "fail lost 2.1" } },
		{ { NODE2 },
		  { "read -", "publish", "drain", "read -", "register 0 1.2", "read w 1.2 1.3*",
		    "fail lost 1.3" } },
		{ { NODE2 },
		  { "read -", "publish", "drain", "read -", "register 0 1.2", "read - 1.2",
		    "reserve 1.2", "read w 1.2* 2.1c", "fail lost 2.1c" } },
		/* the greater one of two equal epochs takes another one */
		{ { NODE2 },
		  { "read -", "publish", "drain", "read - 1.1", "publish", "drain", "read w 1.1*",
		    "register 0 2.2c", "read w 1.1* 2.2c", "preempt 1.1 2.2c", "register 2.2c 2.2",
		    "read w 2.2*", "grant 2" } },
		{ { NODE2 },
		  { "read -", "publish", "drain", "read -", "register 0 1.2", "read - 1.2 1.1",
		    "publish", "drain", "read - 1.2 1.1", "register 1.2 2.2", "read - 2.2 1.1",
		    "reserve 2.2", "read w 2.2* 1.1", "grant 2" } },
		/* but not where it was given */
		{ { NODE2, .epoch = 1 },
		  { "read -", "publish", "drain", "read - 1.1", "fail lost 1.1" } },
		/* nor where there is none */
		{ { NODE2, .known = NVF_EPOCH_MAX - 1 },
		  { "read -", "publish", "drain", "read - 1099511627775.1",
		    "fail exhausted 1099511627775.1" } },
	};

	PLAY(table);
}

void acquire_own(void)
{
	static const struct script table[] = {
		/* one's own by the host's name, whatever node it was; once for each controller */
		{ { HOST2 },
		  { "read w 4.2@2* 4.2@2* 3.1@1", "publish", "drain", "read w 4.2@2* 4.2@2*",
		    "register 4.2 5.2", "read w 5.2@2* 5.2@2*", "grant 5" } },
		{ { HOST2 },
		  { "read w 4.7@2*", "publish", "drain", "read w 4.7@2*", "register 4.7 5.2",
		    "read w 5.2@2*", "grant 5" } },
		/* another form on one's own host: foreign, and exactly replaced if wanted */
		{ { HOST2 }, { "read w 7@2*", "fail foreign 7" } },
		{ { HOST2, .preempt_foreign = true },
		  { "read w 7@2*", "publish", "drain", "read w 7@2*", "register 7 1.2",
		    "read w 1.2@2*", "grant 1" } },
		/* not ours: the device refuses, and it is there still */
		{ { NODE2 },
		  { "read w 4.2*", "publish", "drain", "read w 4.2*", "register! 4.2 5.2",
		    "read w 4.2*", "fail same_node 4.2" } },
		/* it had only changed */
		{ { NODE2 },
		  { "read w 4.2*", "publish", "drain", "read w 4.2*", "register! 4.2 5.2",
		    "read w 3.2*", "register 3.2 5.2", "read w 5.2*", "grant 5" } },
		{ { NODE2 },
		  { "read w 4.2*", "publish", "drain", "read w 4.2*", "register! 4.2 5.2", "read -",
		    "register 0 5.2", "read - 5.2", "reserve 5.2", "read w 5.2*", "grant 5" } },
		/* it has become newer: a later life or another module */
		{ { NODE2 },
		  { "read w 4.2*", "publish", "drain", "read w 9.2*", "fail lost 9.2" } },
	};

	PLAY(table);
}

void acquire_foreign(void)
{
	static const struct script table[] = {
		/* the holder is preempted, others stay */
		{ { NODE2, .preempt_foreign = true },
		  { "read w 7* 8", "publish", "drain", "read w 7* 8", "register 0 1.2c",
		    "read w 7* 8 1.2c", "preempt 7 1.2c", "register 1.2c 1.2", "read w 8 1.2*",
		    "grant 1" } },
		{ { NODE2, .preempt_foreign = true },
		  { "read - 8", "publish", "drain", "read - 8", "register 0 1.2", "read - 8 1.2",
		    "reserve 1.2", "read w 8 1.2*", "grant 1" } },
		/* another type: the preempt sets ours, for one's own too */
		{ { NODE2, .preempt_foreign = true },
		  { "read x 4.1*", "publish", "drain", "read x 4.1*", "register 0 5.2c",
		    "read x 4.1* 5.2c", "preempt 4.1 5.2c", "register 5.2c 5.2", "read w 5.2*",
		    "grant 5" } },
		{ { HOST2, .preempt_foreign = true },
		  { "read x 7@2*", "publish", "drain", "read x 7@2*", "register 7 1.2c",
		    "read x 1.2c@2*", "preempt 1.2c 1.2c", "register 1.2c 1.2", "read w 1.2@2*",
		    "grant 1" } },
		/* what everybody holds is taken with a key of zero */
		{ { NODE2, .preempt_foreign = true },
		  { "read a 7* 8*", "publish", "drain", "read a 7* 8*", "register 0 1.2c",
		    "read a 7* 8* 1.2c*", "preempt 0 1.2c", "register 1.2c 1.2", "read w 1.2*",
		    "grant 1" } },
		/* a newer one of ours is not foreign */
		{ { NODE2, .preempt_foreign = true },
		  { "read w 7*", "publish", "drain", "read w 7* 3.1c", "fail lost 3.1c" } },
	};

	PLAY(table);
}

void acquire_local(void)
{
	static const struct script table[] = {
		{ { .node = 2 }, { "publish", "drain", "grant 1" } },
		{ { .node = 2, .known = 7 }, { "5:publish", "drain", "grant 8" } },
		{ { .node = 2 }, { "5:publish!", "6:publish", "drain", "grant 7" } },
		{ { .node = 2, .epoch = 9 }, { "5:publish", "drain", "grant 9" } },
		{ { .node = 2, .epoch = 5 }, { "5:fail not_newer" } },
		{ { .node = 2 }, { "5:publish", "7:drain", "fail lost 7.2" } },
		{ { .node = 2 }, { "5:publish", "drain~", "fail timeout" } },
		{ { .node = 2 }, { "1099511627775:fail exhausted" } },
	};

	PLAY(table);
}

void acquire_tenure(void)
{
	static const struct script table[] = {
		{ { NODE2, .tenure = 4 },
		  { "4:read w 4.2*", "publish", "drain", "read w 4.2*", "register 4.2 5.2",
		    "read w 5.2*", "grant 5" } },
		{ { NODE2, .tenure = 4 }, { "4:read w 5.1*", "fail lost 5.1" } },
		{ { NODE2, .tenure = 4 }, { "4:read w 4.2* 5.1c", "fail lost 4.2" } },
		{ { NODE2, .tenure = 4 }, { "4:read -", "fail lost" } },
		{ { NODE2, .tenure = 3 }, { "4:read w 4.2*", "fail lost 4.2" } },
		{ { NODE2, .tenure = 4 },
		  { "4:read w 4.2*", "publish", "drain", "read -", "fail lost" } },
		{ { NODE2, .tenure = 4 },
		  { "4:read w 4.2*", "publish", "drain", "read w 3.1*", "fail lost 3.1" } },
		{ { NODE2, .tenure = 4 }, { "4:read w 4.2*", "publish!", "5:fail lost 5.2" } },
		{ { .node = 2, .tenure = 4 }, { "4:publish", "drain", "grant 5" } },
		{ { .node = 2, .tenure = 4 }, { "5:fail lost 5.2" } },
	};
	static const struct {
		struct script script;
		u64 follows;
	} followed[] = {
		{ { { NODE2 },
		    { "read w 4.2*", "publish", "drain", "read w 4.2*", "register 4.2 5.2",
		      "read w 5.2*", "grant 5" } },
		  4 },
		{ { { NODE2 },
		    { "read w 4.2*", "publish", "drain", "read w 4.2*", "register 4.2 5.2",
		      "read w 5.2* 5.1", "publish", "drain", "read w 5.2* 5.1", "register 5.2 6.2",
		      "read w 6.2* 5.1", "grant 6" } },
		  4 },
		{ { { NODE2 },
		    { "read w 4.2*", "publish", "drain", "read -", "register 0 5.2", "read - 5.2",
		      "reserve 5.2", "read w 5.2*", "grant 5" } },
		  0 },
		{ { { NODE2 },
		    { "read w 4.2 3.1*", "publish", "drain", "read w 4.2 3.1*", "register 4.2 5.2c",
		      "read w 5.2c 3.1*", "preempt 3.1 5.2c", "register 5.2c 5.2", "read w 5.2*",
		      "grant 5" } },
		  0 },
		{ { { .node = 2 }, { "4:publish", "drain", "grant 5" } }, 4 },
		{ { { .node = 2 }, { "4:publish!", "6:publish", "drain", "grant 7" } }, 0 },
	};
	struct nvf_acquire a;
	unsigned int i;

	PLAY(table);
	for (i = 0; i < ARRAY_SIZE(followed); i++) {
		play("follows", i, &followed[i].script, &a);
		CHECK_EQ(a.follows, followed[i].follows);
	}
}

/* A device that never settles, in every way: there is an end. */
void acquire_bounded(void)
{
	static const char *const reports[] = {
		"w 4.1*", "w", "w 4.1c*", "- 1.2c", "w 5.2", "- 5.2",
	};
	static struct nvf_report r;
	struct nvf_request request = { NODE2 };
	unsigned int i, n;

	for (i = 0; i < ARRAY_SIZE(reports); i++) {
		struct nvf_acquire a;
		struct nvf_action x;

		report_make(&r, reports[i]);
		nvf_acquire_start(&a, &request);
		nvf_acquire_next(&a, NVF_DONE, NULL, 0, &x);
		for (n = 0; n < 1000 && x.what != NVF_DO_FAIL && x.what != NVF_DO_GRANT; n++)
			nvf_acquire_next(&a, NVF_DONE, x.what == NVF_DO_READ ? &r : NULL, a.epoch,
					 &x);
		CHECK(n < 100);
		CHECK_EQ(x.what, NVF_DO_FAIL);
	}
}

/* Reports of noise and every outcome: an end, and a grant only on a report that allows it. */
void acquire_random(void)
{
	static const u64 keys[] = { 0, 7 };
	static struct nvf_report r;
	unsigned int i, n, j, grants = 0;
	u64 seed = 5;

	for (i = 0; i < 100000; i++) {
		struct nvf_request request = {
			.device = true,
			.node = 2,
			.epoch = rnd(&seed) % 4 ? 0 : rnd(&seed) % 6,
			.known = rnd(&seed) % 4,
			.preempt_foreign = rnd(&seed) % 2,
			.host_known = rnd(&seed) % 2,
			.host = { 2 },
		};
		struct nvf_acquire a;
		struct nvf_action x;
		u64 newest = 0;

		nvf_acquire_start(&a, &request);
		nvf_acquire_next(&a, NVF_DONE, NULL, 0, &x);
		for (n = 0; n < 1000 && x.what != NVF_DO_FAIL && x.what != NVF_DO_GRANT; n++) {
			r.type = rnd(&seed) % 8 ? 1 : rnd(&seed) % 9;
			r.count = rnd(&seed) % 64 ? rnd(&seed) % 4 : rnd(&seed) % 65536;
			for (j = 0; j < 4; j++) {
				struct nvf_registrant *reg = &r.reg[j];

				reg->key = rnd(&seed) % 8 ? nvf_key_make_form(rnd(&seed) % 8,
									      rnd(&seed) % 3 + 1,
									      rnd(&seed) % 4) :
							    keys[rnd(&seed) % 2];
				reg->holder = rnd(&seed) % 2;
				reg->host_known = request.host_known;
				reg->host[0] = rnd(&seed) % 3 + 1;
			}
			/* Often enough what is wanted, or nothing would ever be granted. */
			if (a.epoch && rnd(&seed) % 8) {
				r.type = a.own_epoch == a.epoch;
				r.count = r.type;
				r.reg[0].key = nvf_key_make(a.epoch, 2);
				r.reg[0].holder = true;
				r.reg[0].host[0] = 2;
			}
			if (x.what == NVF_DO_PUBLISH)
				newest = a.epoch;
			nvf_acquire_next(&a, rnd(&seed) % 32 ? NVF_DONE : rnd(&seed) % 4,
					 x.what == NVF_DO_READ ? &r : NULL,
					 newest + (rnd(&seed) % 64 == 0), &x);
		}
		CHECK(n < 200);
		if (x.what != NVF_DO_GRANT)
			continue;
		grants++;
		CHECK(nvf_report_holds(&r, nvf_key_make(a.epoch, 2)));
		CHECK(a.epoch > request.known && (!request.epoch || a.epoch == request.epoch));
	}
	CHECK(grants > 1000);
}
