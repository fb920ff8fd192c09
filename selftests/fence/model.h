/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Two nodes with two attachments each, and a device with NVMe reservations. The rules of epochs
 * are the core's own code; everything around them stands here, small enough to look at every
 * order in which it can happen.
 */
#ifndef FENCE_MODEL_H
#define FENCE_MODEL_H

#include "acquire.h"
#include "gate.h"
#include "key.h"
#include "pr.h"

#define NODES 2
#define PER_NODE 2
#define ATTS (NODES * PER_NODE)
#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

/* Where the one write of an attachment is. */
enum write_at {
	WRITE_NONE,
	WRITE_STAMPED, /* made, its writer is paused */
	WRITE_PASSED, /* through the gate, in its host's queues */
	WRITE_SENT, /* accepted by the target, not executed */
};

/* A key in two bytes: epoch, and node << 2 | form. */
struct skey {
	u8 epoch;
	u8 rest;
};

/* All members are bytes, so equal states are equal memory. */
struct att {
	/* the gate */
	u8 state, event, openers, sticky, tenure, epoch;
	/* the write; stale: a later grant was answered since; former: its node's life is over */
	u8 write, stale, excused, former;
	/* the epoch is being given back: the key is to be exchanged */
	u8 releasing;
	/* the consumers' reservations */
	u8 pr_key;
	/* the acquire; "action" is what comes next, 0 when there is none */
	u8 action, last, aepoch, follows, own_epoch, rounds, aflags, req_epoch, req_tenure, wait;
	struct skey replacing, refused, old_key, new_key;
	/* the keys of a report whose other half is not read yet */
	u8 half;
	struct skey keys[NODES];
	/*
	 * In which order the last report before a grant was read: of the acquire, of the grant and
	 * of the write. Answers may come in another one: a node that is slow to open its gate
	 * has an epoch that was taken over already, and its writes are refused.
	 */
	u8 acq_serial, serial, write_serial;
};

/* The acquire's flags. */
#define AF_PUBLISHED 1
#define AF_BROKEN 2
#define AF_PREEMPT 4 /* asked for by a consumer's PREEMPT */
#define AF_FORCED 8 /* preempt_foreign */
#define AF_CONFIRMING 16
#define AF_UNSURE 32

struct node {
	u8 up;
	u8 newest; /* published in this life */
	u8 record; /* what is on the node's disk */
	u8 pr_reserved;
	u8 pr_holder; /* attachment + 1 */
	u8 granted_max; /* of this node, as long as its record is kept */
};

struct state {
	struct att att[ATTS];
	struct node node[NODES];
	struct skey reg[NODES];
	u8 holder; /* node + 1 */
	u8 forgot; /* the device has forgotten once */
	u8 granted_max;
	/* a command that was given up and is executed all the same, later */
	u8 late, late_node;
	struct skey late_old, late_new;
	/* what may still happen */
	u8 crashes, restarts, errors;
};

enum kind {
	EV_OPEN,
	EV_CLOSE,
	EV_STAMP,
	EV_SUBMIT,
	EV_SEND,
	EV_EXECUTE,
	EV_ACQUIRE, /* see enum how_asked */
	EV_STEP, /* the next action of an acquire; see enum how */
	EV_RELEASE, /* variant 1: by the administrator */
	EV_EXCHANGE, /* of the key, after a release */
	EV_LEASE,
	EV_PR_REGISTER,
	EV_PR_RESERVE,
	EV_PR_PREEMPT,
	EV_PR_RELEASE,
	EV_PR_CLEAR,
	EV_PR_UNREGISTER,
	/* of a node */
	EV_VERIFY,
	EV_CRASH, /* variant 1: the record is older than what was granted */
	EV_REBOOT,
	/* of the device */
	EV_RESTART,
	EV_LATE,
	EV_KINDS,
};

enum how_asked {
	ASK_NEXT,
	ASK_GIVEN, /* an epoch is given */
	ASK_FORCED, /* with an operator's word that the device has nothing to execute */
	ASKS,
};

enum how {
	HOW_WELL,
	HOW_FAILED, /* an error, nothing was executed */
	HOW_UNANSWERED, /* an error, it was executed */
	HOW_LATER, /* an error, it is executed later */
	HOWS,
};

struct event {
	u8 kind, who, variant;
};

/* What a scenario lets happen, and what deliberately goes wrong around the core. */
struct rules {
	bool device; /* the grade */
	bool torn; /* a report is read in two commands, and tells no hosts */
	bool persistent; /* the device keeps reservations over a restart */
	bool given_epochs, by_operator;
	bool leases, releases, reopens, verifies, pr;
	bool one_node; /* node B is down and stays so */
	u8 crashes, restarts, errors;
	/* not the rules: what a caller could do wrong, or a target */
	bool no_drain, no_publish, plain_preempt, release_frees, no_tenure;
	bool conflict_ignored, ignore_key, life_kept, lease_grants, forgetting_counts;
};

/* The core under test. */
struct core {
	__typeof__(nvf_acquire_start) *acquire_start;
	__typeof__(nvf_acquire_next) *acquire_next;
	__typeof__(nvf_gate_event) *gate_event;
	__typeof__(nvf_gate_grant) *gate_grant;
	__typeof__(nvf_report_holds) *report_holds;
	__typeof__(nvf_report_remote) *report_remote;
	__typeof__(nvf_pr_register) *pr_register;
	__typeof__(nvf_pr_reserve) *pr_reserve;
	__typeof__(nvf_pr_release) *pr_release;
	__typeof__(nvf_pr_preempt) *pr_preempt;
	__typeof__(nvf_pr_clear) *pr_clear;
	__typeof__(nvf_pr_granted) *pr_granted;
	__typeof__(nvf_pr_released) *pr_released;
	__typeof__(nvf_pr_evicted) *pr_evicted;
};

extern struct core core;
extern struct rules rules;
/* What is wrong with the state that was made last, or NULL. */
extern const char *violation;

static inline unsigned int node_of(unsigned int att)
{
	return att / PER_NODE;
}

void core_builtin(void);
bool core_load(const char *path);

void state_init(struct state *s);
/* Return: false when the event cannot happen; the state is spoilt then */
bool state_apply(struct state *s, struct event ev);
/*
 * Make states equal that are so up to the names of attachments of a node and the size of gaps
 * between epochs. Return: a bit for each node whose attachments changed places
 */
unsigned int state_canonical(struct state *s);

/* device.c */
struct skey skey_of(u64 key);
u64 skey_to(struct skey k);
void device_report(const struct state *s, struct nvf_report *r);
/* Keys of before and the reservation of now. */
void device_report_torn(const struct state *s, const struct skey *keys, struct nvf_report *r);
enum nvf_outcome device_register(struct state *s, unsigned int node, struct skey old,
				 struct skey new);
enum nvf_outcome device_reserve(struct state *s, unsigned int node, struct skey key);
enum nvf_outcome device_preempt(struct state *s, unsigned int node, struct skey key,
				struct skey victim);

/* acquiring.c */
bool acquire_begin(struct state *s, unsigned int att, enum how_asked how, bool preempt);
bool acquire_step(struct state *s, unsigned int att, enum how how);
/* A preempt that waits gets no answer. */
void acquire_cut_off(struct state *s, unsigned int att);

/* gates.c */
enum nvf_gate_act gate_do(struct state *s, unsigned int att, enum nvf_event event);
enum nvf_gate_act gate_grant(struct state *s, unsigned int att, u8 epoch, u8 follows);
bool gate_may_acquire(const struct state *s, unsigned int att);
bool release_begin(struct state *s, unsigned int att, bool admin);
bool release_exchange(struct state *s, unsigned int att);
bool verify(struct state *s, unsigned int node);

/* consumers.c: IOC_PR_* */
bool consumer(struct state *s, unsigned int att, enum kind kind);
void consumer_granted(struct state *s, unsigned int att, bool by_preempt);
void consumer_released(struct state *s, unsigned int att);
void consumer_evicted(struct state *s, unsigned int att);

/* print.c */
void event_print(unsigned int n, const struct state *before, struct event ev,
		 const struct state *after);

#endif /* FENCE_MODEL_H */
