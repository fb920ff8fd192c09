/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Persistent reservations as the consumers of this node's attachments of one device see them:
 * each attachment is a host of its own, with keys that its consumer chose and that never reach
 * the device. What decides there is the epoch. Pure code; one caller at a time for one device.
 *
 * The rules are those of a controller with one type, write exclusive: it is the one that a single
 * writer needs. The holder here is the attachment that has the newest grant, whether its consumer
 * reserved or an administrator acquired for it; "remote" is a reservation of another node.
 */
#ifndef NVF_CORE_PR_H
#define NVF_CORE_PR_H

#include "nvf_port.h"

/**
 * struct nvf_pr_host - one attachment as a host
 * @next: list of all those of the device
 * @key: its registration, if @registered
 */
struct nvf_pr_host {
	struct nvf_pr_host *next;
	u64 key;
	bool registered;
};

/**
 * struct nvf_pr - reservations of one device on this node
 * @hosts: the attachments
 * @holder: the one whose gate is open, NULL when none is
 * @reserved: the holder, or one cleared since, is shown as holding a reservation
 * @generation: counts registrations, preempts and clears
 */
struct nvf_pr {
	struct nvf_pr_host *hosts;
	struct nvf_pr_host *holder;
	bool reserved;
	u32 generation;
};

enum nvf_pr_verdict {
	NVF_PR_OK,
	NVF_PR_CONFLICT,
	NVF_PR_UNSUPPORTED,	/* a type, or a flag, that is not offered */
	NVF_PR_INVALID,
	NVF_PR_ACQUIRE,		/* an epoch is to be acquired for the host, then nvf_pr_granted() */
	NVF_PR_RELEASE,		/* the host's epoch is to be given back, then nvf_pr_released() */
};

void nvf_pr_add(struct nvf_pr *pr, struct nvf_pr_host *host);
/** nvf_pr_del() - an attachment goes; the caller has released what it held */
void nvf_pr_del(struct nvf_pr *pr, struct nvf_pr_host *host);

/** nvf_pr_register() - register, replace or (@new 0) give up a key */
enum nvf_pr_verdict nvf_pr_register(struct nvf_pr *pr, struct nvf_pr_host *host, u64 old, u64 new,
				    bool ignore_old);
/** nvf_pr_reserve() - @remote: another node holds the device's reservation */
enum nvf_pr_verdict nvf_pr_reserve(struct nvf_pr *pr, struct nvf_pr_host *host, u64 key, u8 type,
				   bool remote);
enum nvf_pr_verdict nvf_pr_release(struct nvf_pr *pr, struct nvf_pr_host *host, u64 key, u8 type);
/**
 * nvf_pr_preempt() - evict all other hosts whose key is @victim, and take over if one of them holds
 *
 * Keys of consumers on other nodes are not known here: while another node holds, any victim is
 * taken to be its consumer's key, and so is it for a holder of this node that never registered.
 * Nothing is evicted while the verdict is NVF_PR_ACQUIRE: nvf_pr_granted() does it.
 */
enum nvf_pr_verdict nvf_pr_preempt(struct nvf_pr *pr, struct nvf_pr_host *host, u64 key, u64 victim,
				   u8 type, bool remote);
/**
 * nvf_pr_clear() - forget every registration
 *
 * Nobody's gate opens or shuts by it but the caller's own, which is released if it was open.
 */
enum nvf_pr_verdict nvf_pr_clear(struct nvf_pr *pr, struct nvf_pr_host *host, u64 key, bool remote);

/**
 * nvf_pr_granted() - @host has got the newest epoch
 * @by_preempt: registrations with @victim but @host's own end
 */
void nvf_pr_granted(struct nvf_pr *pr, struct nvf_pr_host *host, bool by_preempt, u64 victim);
/** nvf_pr_released() - @host gave its epoch back; its registration stays */
void nvf_pr_released(struct nvf_pr *pr, struct nvf_pr_host *host);
/** nvf_pr_evicted() - @host lost its epoch to another node: it is not registered any more */
void nvf_pr_evicted(struct nvf_pr *pr, struct nvf_pr_host *host);

#endif /* NVF_CORE_PR_H */
