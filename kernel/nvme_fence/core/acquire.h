/* SPDX-License-Identifier: GPL-2.0 */
/*
 * How an attachment comes by an epoch: a state machine that is handed what happened and says what
 * to do next. Pure code; the caller sends the commands, fences, waits and keeps time.
 *
 * The order is the whole point. Nothing is fenced on behalf of a request that is refused. Once the
 * epoch is published no older attachment of this node passes its gate; then those writes that
 * had passed are waited for; only then is the device asked, and what is true is read back
 * from it, never concluded from a command's status, before a gate opens:
 *
 *	READ		(device grade) -> refuse what is foreign or not newer; choose the epoch
 *	PUBLISH		-> every other attachment of the namespace on this node is stale
 *	DRAIN		-> their writes, and older ones of our own, are over
 *	then, until GRANT or FAIL, READ and one of
 *	REGISTER	our key is not registered as it should be (replacing exactly the old one)
 *	RESERVE		nobody holds
 *	PREEMPT		an older epoch, or what is foreign and may be preempted, holds; with abort
 *	GRANT		we hold, and no newer key is registered
 *
 * A preempt is made with a key of the form CLAIM, and the REGISTER of the form GRANT follows it
 * at once when it has succeeded: it says, to this node's next life and to the other nodes, that
 * the victim's writes have been waited for. The caller is to send it even when its time is
 * over. Where it fails it is sent again, as often as reports are read (the caller may pause before
 * a REGISTER that follows a REGISTER): of two that are executed the second one finds another key.
 * One may be executed much later, so a claim of that epoch is not made again after that.
 *
 * A holder with a CLAIM is waited for during some rounds of READ (the caller may pause some
 * milliseconds before a READ that follows a READ) and then refused as FOREIGN is: it failed
 * half-way, and the device cannot be made to wait for the writes of a victim whose registration
 * is gone. @preempt_foreign is an operator's word that there are none.
 *
 * Two nodes that choose at the same time: of two keys the greater (epoch, node) wins and the other
 * one answers that it lost. A greater one with an equal epoch first raises its epoch, for
 * no epoch is granted twice; it cannot when the epoch was given by the caller, and loses then.
 * A key that a former grant used stays registered, or was replaced or preempted by a
 * greater one, until the device forgets everything; so grants only grow.
 *
 * Nothing here ever releases the device's reservation or unregisters, and the caller must not do
 * it for a consumer either: see VACANT in key.h. To give an epoch back it fences, waits for the
 * writes, and then, as well as it goes, registers nvf_key_make_form(..., NVF_FORM_VACANT) in
 * exchange for the granted key.
 *
 * With @preempt_foreign a holder of another form is preempted; hosts that are merely registered
 * stay, for they cannot write, and on some targets a holder's preempt of them does nothing.
 */
#ifndef NVF_CORE_ACQUIRE_H
#define NVF_CORE_ACQUIRE_H

#include "key.h"

enum nvf_do {
	NVF_DO_READ,
	NVF_DO_PUBLISH,
	NVF_DO_DRAIN,
	NVF_DO_REGISTER,
	NVF_DO_RESERVE,
	NVF_DO_PREEMPT,
	NVF_DO_GRANT,
	NVF_DO_FAIL,
};

/* What became of the action before. */
enum nvf_outcome {
	NVF_DONE,
	NVF_CONFLICT,		/* "reservation conflict"; of PUBLISH: not newer any more */
	NVF_ERROR,		/* the device answered anything else, or not at all */
	NVF_TIMEOUT,		/* the caller's time is over */
};

/**
 * enum nvf_why - why an acquire failed
 * @NVF_WHY_NOT_NEWER: the epoch asked for is not newer than one known
 * @NVF_WHY_LOST: a newer epoch won; winner is set
 * @NVF_WHY_FOREIGN: a registration that is none of this module's is there, or a reservation of
 *	another type, or one that was left behind half-way (CLAIM); winner is set
 * @NVF_WHY_SAME_NODE: another host uses this node's number; winner is set
 * @NVF_WHY_EXHAUSTED: no greater epoch can be written
 * @NVF_WHY_DEVICE: a command failed
 * @NVF_WHY_UNSETTLED: it changed too often while we looked, or did not do what it had acknowledged
 * @NVF_WHY_TIMEOUT: out of time
 */
enum nvf_why {
	NVF_WHY_NONE,
	NVF_WHY_NOT_NEWER,
	NVF_WHY_LOST,
	NVF_WHY_FOREIGN,
	NVF_WHY_SAME_NODE,
	NVF_WHY_EXHAUSTED,
	NVF_WHY_DEVICE,
	NVF_WHY_UNSETTLED,
	NVF_WHY_TIMEOUT,
};

/**
 * struct nvf_action - what the caller is to do
 * @what: the kind; PUBLISH: of acquire->epoch, in one step with the check that nothing as new was
 *	published (else NVF_CONFLICT is the outcome); the attachment itself gets NVF_EV_ACQUIRE.
 *	GRANT: likewise of acquire->epoch, by nvf_gate_grant() with acquire->follows
 * @old_key: REGISTER: the key to be replaced, 0 when none is registered. PREEMPT: the victim's
 * @new_key: REGISTER, RESERVE, PREEMPT: ours
 * @why: FAIL
 * @winner: FAIL: the registration that is in the way, where one is
 */
struct nvf_action {
	enum nvf_do what;
	u64 old_key;
	u64 new_key;
	enum nvf_why why;
	struct nvf_registrant winner;
};

/**
 * struct nvf_request - what is asked for
 * @device: grade device: the reservation decides too
 * @node: this node
 * @epoch: the one wanted, 0: the next one
 * @known: the newest one known from elsewhere: the local record, this module's memory
 * @preempt_foreign: take over from keys of another form
 * @host_known: @host is set
 * @host: what the device knows this host by
 * @tenure: nvf_gate_tenure() of the attachment: with files open that write under this epoch it
 *	can only replace its own reservation, and fails with NVF_WHY_LOST where that was lost
 */
struct nvf_request {
	bool device;
	u16 node;
	u64 epoch;
	u64 known;
	bool preempt_foreign;
	bool host_known;
	u8 host[NVF_HOST_ID_SIZE];
	u64 tenure;
};

/**
 * struct nvf_acquire - an acquire on its way
 * @epoch: chosen; 0 before PUBLISH. It may be raised: PUBLISH comes again then
 * @follows: at GRANT: the epoch of this node that this one came after without anybody else
 *	having held between, 0 when that is not sure
 *
 * The other members are nvf_acquire_next()'s.
 */
struct nvf_acquire {
	struct nvf_request request;
	u64 epoch;
	u64 follows;
	enum nvf_do last;
	u64 own_epoch;		/* registered by this acquire */
	u64 replacing_key;	/* what REGISTER was last asked to replace */
	u64 refused_key;	/* a replacement of this one met a conflict */
	u8 rounds;
	bool started;
	bool published;
	bool broken;		/* another held, or nobody, so nothing is followed */
	bool confirming;	/* REGISTER is the one that follows a preempt */
	bool unsure;		/* it was sent more than once: one may be executed yet */
};

/** nvf_acquire_start() - begin; the first nvf_acquire_next() takes NVF_DONE and no report */
void nvf_acquire_start(struct nvf_acquire *a, const struct nvf_request *request);

/**
 * nvf_acquire_next() - the next action
 * @a: the acquire
 * @outcome: of the last action
 * @report: what READ gave, only after NVF_DO_READ with NVF_DONE; otherwise NULL
 * @newest: the newest epoch published on this node for this device, this acquire's own included
 * @action: is set
 *
 * After GRANT the caller opens the gate in one step with the check that @newest is still
 * this acquire's epoch. GRANT and FAIL are the last actions.
 */
void nvf_acquire_next(struct nvf_acquire *a, enum nvf_outcome outcome,
		      const struct nvf_report *report, u64 newest, struct nvf_action *action);

#endif /* NVF_CORE_ACQUIRE_H */
