/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Reservation keys and what a device reports of them.
 *
 * Pure code: no locks, no allocation, no I/O.
 *
 * A key on the device is f(epoch, node): 16 bits of node below 40 bits of epoch below 8 bits of
 * check, which are never 0. A reservation of somebody else, whose keys are as a rule small numbers,
 * is so told apart from one of another node of ours: it must not be preempted by accident.
 *
 * The upper two of the eight bits are the form, what the owner of the key had come to:
 *
 *	CLAIM	it is about to preempt, or has sent the command and does not know yet that the
 *		victim's writes are over. A key of this form that holds is proof of nothing, and
 *		whoever finds one cannot make the device wait for the victim any more, because
 *		its registration is gone. Only an operator can know.
 *	GRANT	whatever wrote before this epoch is over. This is the form of a grant.
 *	VACANT	a grant that was given back. The reservation stays where it is, as a fence: were it
 *		released, a write of an older epoch that its host has held back until now would
 *		find no reservation in its way.
 */
#ifndef NVF_CORE_KEY_H
#define NVF_CORE_KEY_H

#include "nvf_port.h"

#define NVF_EPOCH_MAX		((1ULL << 40) - 1)
#define NVF_NODE_MAX		65535U
#define NVF_HOST_ID_SIZE	16
#define NVF_REGISTRANTS_MAX	256
/* enum pr_type's PR_WRITE_EXCLUSIVE: the one type of a single writer. */
#define NVF_TYPE_WRITE_EXCLUSIVE 1

enum nvf_form {
	NVF_FORM_CLAIM = 1,
	NVF_FORM_GRANT,
	NVF_FORM_VACANT,
};

/**
 * nvf_key_make_form() - the key of an epoch on a node
 * @epoch: 1..NVF_EPOCH_MAX
 * @node: 1..NVF_NODE_MAX
 * @form: what the node has come to
 *
 * Keys compare, form and check bits left out, as (epoch, node) does.
 */
u64 nvf_key_make_form(u64 epoch, u16 node, enum nvf_form form);

/** nvf_key_make() - the key of a granted epoch */
static inline u64 nvf_key_make(u64 epoch, u16 node)
{
	return nvf_key_make_form(epoch, node, NVF_FORM_GRANT);
}

/**
 * nvf_key_parse() - the epoch and the node of a key, whatever its form
 * Return: false when the key is not one of this module; nothing is stored then
 */
bool nvf_key_parse(u64 key, u64 *epoch, u16 *node);

/** nvf_key_form() - the form of a key that nvf_key_parse() took */
static inline enum nvf_form nvf_key_form(u64 key)
{
	return key >> 62;
}

/**
 * struct nvf_registrant - one host's registration on the device
 * @key: as registered
 * @holder: it holds the reservation
 * @host_known: @host is set; the kernel's own interface does not tell it
 * @host: the device's name of the host
 */
struct nvf_registrant {
	u64 key;
	bool holder;
	bool host_known;
	u8 host[NVF_HOST_ID_SIZE];
};

/**
 * struct nvf_report - the reservation of a device at one moment
 * @generation: the device's counter; it may start anew, nothing is decided by it
 * @type: enum pr_type, 0 when not reserved
 * @count: registrants in @reg
 */
struct nvf_report {
	u32 generation;
	u8 type;
	u16 count;
	struct nvf_registrant reg[NVF_REGISTRANTS_MAX];
};

/**
 * nvf_report_learn() - what another reading says of whose keys they are
 * @r: a report without hosts
 * @other: one with hosts, from about the same time
 *
 * A key that several hosts have is each host's once; the one that holds there is taken for the one
 * that holds here. An error in this costs a command that the device refuses: it looks at who sends
 * it.
 */
void nvf_report_learn(struct nvf_report *r, const struct nvf_report *other);

/** nvf_report_newest() - the newest epoch among the keys of a report, 0 when there is none */
u64 nvf_report_newest(const struct nvf_report *r);

/** nvf_report_holder() - the holder's registration, NULL when there is no reservation */
const struct nvf_registrant *nvf_report_holder(const struct nvf_report *r);

/**
 * nvf_report_remote() - does somebody else than @node hold, who has not given it back?
 *
 * This is "remote" of the consumers' reservations (pr.h).
 */
bool nvf_report_remote(const struct nvf_report *r, u16 node);

/**
 * nvf_report_holds() - does this key hold the write-exclusive reservation, with no newer beside it?
 * @key: of a grant
 *
 * "Newer" is any other key of this module whose (epoch, node) is greater. This is the test before a
 * gate opens, and the one that finds a device that has forgotten.
 */
bool nvf_report_holds(const struct nvf_report *r, u64 key);

#endif /* NVF_CORE_KEY_H */
