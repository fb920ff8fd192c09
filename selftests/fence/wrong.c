// SPDX-License-Identifier: GPL-2.0
/* Rules that are wrong on purpose, and what the documentation says cannot be kept. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include "../unit/ktap.h"
#include "scenarios.h"

#define FIELDS 6
#define SECONDS_MAX 120
#define STATES_MAX 40000000
#define DEPTH_MAX 40

enum { NAME, SCENARIO, MISTAKES, FILE_NAME, EXPRESSIONS, WHAT };

static const struct {
	const char *name;
	size_t at;
} mistakes[] = {
#define MISTAKE(m)                            \
	{                                     \
#m, offsetof(struct rules, m) \
	}
	MISTAKE(no_drain),	    MISTAKE(no_publish), MISTAKE(plain_preempt),
	MISTAKE(release_frees),	    MISTAKE(no_tenure),	 MISTAKE(conflict_ignored),
	MISTAKE(ignore_key),	    MISTAKE(life_kept),	 MISTAKE(lease_grants),
	MISTAKE(forgetting_counts),
};

static bool make_mistake(const char *name)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(mistakes); i++) {
		if (strcmp(mistakes[i].name, name))
			continue;
		*((bool *)&rules + mistakes[i].at) = true;
		return true;
	}
	return !strcmp(name, "-");
}

/* Where this program stands, there is "mutants" beside it. */
static void library_of(const char *name, char *path, size_t size)
{
	ssize_t n = readlink("/proc/self/exe", path, size - 1);
	char *slash;

	path[n < 0 ? 0 : n] = '\0';
	slash = strrchr(path, '/');
	if (slash)
		snprintf(slash, size - (slash - path), "/mutants/%s.so", name);
}

/* Return: the violation, or NULL */
static const char *violate(const char *name, const char *scenario, char *wrong, bool library,
			   struct search *q)
{
	const struct scenario *sc = scenario_find(scenario);
	char path[4096], *one, *rest = wrong;
	struct state s;

	*q = (struct search){ .depth_max = DEPTH_MAX,
			      .seconds = SECONDS_MAX,
			      .states_max = STATES_MAX };
	core_builtin();
	if (!sc) {
		ktap_fail("no scenario %s", scenario);
		return NULL;
	}
	scenario_begin(sc, &s);
	while ((one = strsep(&rest, ",")))
		if (!make_mistake(one))
			ktap_fail("no mistake %s", one);
	library_of(name, path, sizeof(path));
	if (library && !core_load(path)) {
		ktap_fail("no library for %s", name);
		return NULL;
	}
	search_run(q, &s, getenv("FENCE_TRACE"));
	core_builtin();
	return q->violation;
}

/* Fields stand between " | ". */
static bool split(char *line, char **field)
{
	unsigned int i;

	for (i = 0; i < FIELDS; i++) {
		field[i] = line;
		if (i == FIELDS - 1)
			return true;
		line = strstr(line, " | ");
		if (!line)
			return false;
		*line = '\0';
		line += 3;
	}
	return false;
}

void every_wrong_rule_is_found(void)
{
	char line[2048], *field[FIELDS];
	unsigned int rules_nr = 0;
	struct search q;
	FILE *f = fopen("mutants", "r");
	const char *only = getenv("FENCE_WRONG");

	CHECK(f);
	while (f && fgets(line, sizeof(line), f)) {
		if (*line == '#' || *line == '\n')
			continue;
		line[strcspn(line, "\n")] = '\0';
		if (!split(line, field)) {
			ktap_fail("not a rule: %s", line);
			continue;
		}
		rules_nr++;
		if (only && strcmp(only, field[NAME]))
			continue;
		if (violate(field[NAME], field[SCENARIO], field[MISTAKES],
			    strcmp(field[FILE_NAME], "-"), &q))
			printf("# %s (%s): after %u events, %zu states, %.1f s: %s\n", field[NAME],
			       field[WHAT], q.trace_length, q.states, q.took, q.violation);
		else
			ktap_fail("%s (%s): nothing shows in %zu states, depth %u, %.1f s",
				  field[NAME], field[WHAT], q.states, q.depth, q.took);
		fflush(stdout);
	}
	if (f)
		fclose(f);
	CHECK(rules_nr >= 10);
}

/* What is excepted in the documentation is so because it happens. */
void limits_are_real(void)
{
	char life[] = "life_kept", forgets[] = "forgetting_counts";
	struct search q;

	if (violate("", "reboot", life, false, &q))
		printf("# a target keeps what a node's previous life sent: after %u events: %s\n",
		       q.trace_length, q.violation);
	CHECK(q.violation);
	if (violate("", "forget", forgets, false, &q))
		printf("# a target forgets: after %u events: %s\n", q.trace_length, q.violation);
	CHECK(q.violation);
}
