// SPDX-License-Identifier: GPL-2.0
/* A trace for people: one line an event, and what it led to. */
#include <stdio.h>
#include "model.h"

static const char *const kinds[EV_KINDS] = {
	[EV_OPEN] = "opens a file",
	[EV_CLOSE] = "closes its file",
	[EV_STAMP] = "prepares a write, and is paused",
	[EV_SUBMIT] = "submits it",
	[EV_SEND] = "the write reaches the device",
	[EV_EXECUTE] = "the write is executed",
	[EV_ACQUIRE] = "acquires",
	[EV_STEP] = "acquire",
	[EV_RELEASE] = "releases",
	[EV_EXCHANGE] = "its writes are over, the key is exchanged",
	[EV_LEASE] = "the lease runs out",
	[EV_PR_REGISTER] = "IOC_PR_REGISTER, ignoring the old key",
	[EV_PR_RESERVE] = "IOC_PR_RESERVE",
	[EV_PR_PREEMPT] = "IOC_PR_PREEMPT",
	[EV_PR_RELEASE] = "IOC_PR_RELEASE",
	[EV_PR_CLEAR] = "IOC_PR_CLEAR",
	[EV_PR_UNREGISTER] = "IOC_PR_REGISTER of no key",
	[EV_VERIFY] = "compares its grant with a report",
	[EV_CRASH] = "crashes",
	[EV_REBOOT] = "is up again",
	[EV_RESTART] = "restarts",
	[EV_LATE] = "executes a command that was given up",
};

static const char *const actions[] = {
	[NVF_DO_READ] = "reads the reservation",
	[NVF_DO_PUBLISH] = "publishes",
	[NVF_DO_DRAIN] = "older writes of the node are over; reads",
	[NVF_DO_REGISTER] = "registers",
	[NVF_DO_RESERVE] = "reserves",
	[NVF_DO_PREEMPT] = "preempts and aborts",
	[NVF_DO_GRANT] = "is granted",
};

static const char *const hows[HOWS] = {
	"",
	": fails",
	": executed, but not answered",
	": not answered, executed later",
};

static const char *const forms[] = { "-", "claim", "grant", "vacant" };

static void print_key(struct skey k)
{
	if (k.epoch)
		printf("%u.%u/%s", k.epoch, k.rest >> 2, forms[k.rest & 3]);
	else
		printf("none");
}

static void print_step(const struct att *a, u8 how)
{
	printf("%s%s", a->wait ? "the preempt is answered" : actions[a->action - 1], hows[how]);
	if (a->action == NVF_DO_REGISTER + 1 || (a->action == NVF_DO_PREEMPT + 1 && !a->wait)) {
		printf(" ");
		print_key(a->action == NVF_DO_REGISTER + 1 ? a->new_key : a->old_key);
	}
}

static void print_after(const struct state *s)
{
	unsigned int i;

	printf("  [device:");
	for (i = 0; i < NODES; i++) {
		printf(" ");
		print_key(s->reg[i]);
		if (s->holder == i + 1)
			printf(" holds");
	}
	printf("; open:");
	for (i = 0; i < ATTS; i++)
		if (s->att[i].state == NVF_GRANTED)
			printf(" %c%u at %u", 'A' + i / PER_NODE, i % PER_NODE + 1,
			       s->att[i].epoch);
	printf("]\n");
}

void event_print(unsigned int n, const struct state *before, struct event ev,
		 const struct state *after)
{
	printf("#   %2u ", n);
	if (ev.kind >= EV_RESTART)
		printf("the device ");
	else if (ev.kind >= EV_VERIFY)
		printf("node %c ", 'A' + ev.who);
	else
		printf("%c%u: ", 'A' + ev.who / PER_NODE, ev.who % PER_NODE + 1);
	if (ev.kind == EV_STEP)
		print_step(&before->att[ev.who], ev.variant);
	else
		printf("%s", kinds[ev.kind]);
	if (ev.kind == EV_ACQUIRE && ev.variant == ASK_GIVEN)
		printf(" a given epoch");
	if (ev.kind == EV_ACQUIRE && ev.variant == ASK_FORCED)
		printf(" by the operator's word");
	if (ev.kind == EV_RELEASE && ev.variant)
		printf(", by the administrator");
	if (ev.kind == EV_CRASH && ev.variant)
		printf(", its record lost");
	print_after(after);
}
