// SPDX-License-Identifier: GPL-2.0
#include <stdio.h>
#include <stdlib.h>
#include "scenarios.h"

static void must(struct state *s, enum kind kind, unsigned int who)
{
	if (!state_apply(s, (struct event){ kind, who, 0 }) || violation) {
		printf("# a scenario cannot begin: event %u of %u: %s\n", kind, who,
		       violation ? violation : "impossible");
		exit(1);
	}
}

/* Acquire without anything between. */
static void granted(struct state *s, unsigned int att)
{
	must(s, EV_ACQUIRE, att);
	while (s->att[att].action)
		must(s, EV_STEP, att);
	if (s->att[att].state != NVF_GRANTED)
		exit(1);
}

static void seed_nothing(struct state *s)
{
	(void)s;
}

/* Node A writes. */
static void seed_writing(struct state *s)
{
	granted(s, 0);
	must(s, EV_OPEN, 0);
}

/* Node A is in the middle of a write, its file is closed. */
static void seed_written(struct state *s)
{
	seed_writing(s);
	must(s, EV_STAMP, 0);
	must(s, EV_SUBMIT, 0);
}

/* Node A's write waits in the device. */
static void seed_sent(struct state *s)
{
	seed_written(s);
	must(s, EV_SEND, 0);
}

/* Node A was in the middle of a write when node B took over. */
static void seed_taken_over(struct state *s)
{
	seed_written(s);
	granted(s, PER_NODE);
	must(s, EV_OPEN, PER_NODE);
}

/* The same, but the writer is paused before it submits. */
static void seed_paused(struct state *s)
{
	seed_writing(s);
	must(s, EV_STAMP, 0);
	granted(s, PER_NODE);
}

/* An acquire was overtaken by one of the same node when it was about to register. */
static void seed_overtaken(struct state *s)
{
	must(s, EV_ACQUIRE, 0);
	must(s, EV_STEP, 0);
	must(s, EV_STEP, 0);
	granted(s, 1);
}

/* Both are about to ask for the same epoch. */
static void seed_racing(struct state *s)
{
	must(s, EV_ACQUIRE, 0);
	must(s, EV_STEP, 0);
	must(s, EV_ACQUIRE, PER_NODE);
	must(s, EV_STEP, PER_NODE);
}

/* A preempt has been sent, the victim has a write in the device. */
static void seed_preempting(struct state *s)
{
	seed_written(s);
	must(s, EV_ACQUIRE, PER_NODE);
	/* publish, wait and read, register, read */
	must(s, EV_STEP, PER_NODE);
	must(s, EV_STEP, PER_NODE);
	must(s, EV_STEP, PER_NODE);
	must(s, EV_STEP, PER_NODE);
	must(s, EV_SEND, 0);
}

/* Node B is down and stays so. */
static void seed_one_node(struct state *s)
{
	s->node[1].up = 0;
	seed_writing(s);
}

const struct scenario scenarios[] = {
	{ "takeover", { .device = true, .reopens = true }, seed_writing, 16, 6 },
	{ "handover",
	  { .device = true, .reopens = true, .releases = true },
	  seed_taken_over,
	  13,
	  8 },
	{ "torn", { .device = true, .torn = true, .reopens = true }, seed_writing, 17, 6 },
	{ "torn_race", { .device = true, .torn = true, .crashes = 1 }, seed_nothing, 15, 4 },
	{ "paused", { .device = true, .verifies = true, .leases = true }, seed_paused, 14, 6 },
	{ "overtaken", { .device = true, .reopens = true }, seed_overtaken, 15, 6 },
	{ "race", { .device = true }, seed_racing, 16, 6 },
	{ "given", { .device = true, .given_epochs = true }, seed_racing, 13, 6 },
	{ "reboot", { .device = true, .reopens = true, .crashes = 2 }, seed_sent, 12, 4 },
	{ "crash", { .device = true, .reopens = true, .crashes = 2 }, seed_preempting, 12, 8 },
	{ "faults",
	  { .device = true, .reopens = true, .crashes = 1, .errors = 2 },
	  seed_preempting,
	  11,
	  10 },
	{ "operator",
	  { .device = true, .by_operator = true, .reopens = true, .crashes = 1, .errors = 1 },
	  seed_preempting,
	  11,
	  4 },
	{ "forget",
	  { .device = true, .verifies = true, .restarts = 2, .crashes = 1 },
	  seed_taken_over,
	  13,
	  8 },
	{ "restart",
	  { .device = true, .persistent = true, .restarts = 2, .crashes = 1 },
	  seed_preempting,
	  13,
	  6 },
	{ "leases",
	  { .device = true, .leases = true, .releases = true, .reopens = true },
	  seed_taken_over,
	  12,
	  6 },
	{ "consumers", { .device = true, .pr = true, .reopens = true }, seed_writing, 10, 6 },
	{ "local",
	  { .leases = true, .releases = true, .reopens = true, .pr = true, .one_node = true },
	  seed_one_node,
	  20,
	  2 },
	{ "all",
	  { .device = true,
	    .reopens = true,
	    .releases = true,
	    .leases = true,
	    .verifies = true,
	    .pr = true,
	    .given_epochs = true,
	    .crashes = 1,
	    .errors = 1,
	    .restarts = 1 },
	  seed_nothing,
	  10,
	  4 },
};

const unsigned int scenarios_nr = ARRAY_SIZE(scenarios);

const struct scenario *scenario_find(const char *name)
{
	unsigned int i;

	for (i = 0; i < scenarios_nr; i++)
		if (!strcmp(scenarios[i].name, name))
			return &scenarios[i];
	return NULL;
}

void scenario_begin(const struct scenario *sc, struct state *s)
{
	rules = sc->rules;
	state_init(s);
	sc->seed(s);
}
