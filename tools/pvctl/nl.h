/* SPDX-License-Identifier: GPL-2.0 */
/* The conversation with the kernel modules: connect, send a request, take its replies or its refusal. */
#ifndef PVCTL_NL_H
#define PVCTL_NL_H

#include "pvctl.h"

struct nl_msg;
struct nlattr;

/**
 * typedef pv_nl_reply - takes one reply
 * @top: top-level attributes by number
 * @arg: as given with the request
 *
 * Return: 0 or -EBADMSG.
 */
typedef int (*pv_nl_reply)(struct nlattr **top, void *arg);

/* Each module has a netlink family of its own. */
enum pv_family {
	PV_FAMILY_PMEMVOL,
	PV_FAMILY_FENCE,
	PV_NR_FAMILIES,
};

/** pv_nl_open() - connect, once. UNAVAILABLE when the module is not loaded */
int pv_nl_open(struct pv_ctx *ctx, enum pv_family family);

void pv_nl_close(struct pv_ctx *ctx);

/** pv_nl_patience() - how long an answer may take from now on; 0: for ever */
int pv_nl_patience(struct pv_ctx *ctx, unsigned int seconds);

/** pv_nl_request_to() - a message for a command; pv_nl_call() consumes it. NULL: recorded */
struct nl_msg *pv_nl_request_to(struct pv_ctx *ctx, enum pv_family family, int cmd, int flags);

/** pv_nl_request() - the same, to pmemvol */
struct nl_msg *pv_nl_request(struct pv_ctx *ctx, int cmd, int flags);

/**
 * pv_nl_call() - send a request and wait until it is answered
 * @ctx: invocation
 * @msg: request, freed in any case
 * @reply: called for each reply; may be NULL
 * @arg: for @reply
 *
 * A refusal is recorded with the kernel's sentence, led by the path of the
 * member device it is about where there is one; its errno is in ctx->error.sys.
 * A dump that ran into a change fails with EINTR: start again.
 */
int pv_nl_call(struct pv_ctx *ctx, struct nl_msg *msg, pv_nl_reply reply, void *arg);

/** pv_nl_subscribe() - join the events groups of the modules that are loaded, one at least */
int pv_nl_subscribe(struct pv_ctx *ctx);

/**
 * pv_nl_wait() - wait without limit for events
 * @ctx: invocation
 * @reply: takes the events of each family
 * @arg: for @reply
 * @lost: set when the kernel had to drop some
 *
 * Returns after each batch received.
 */
int pv_nl_wait(struct pv_ctx *ctx, const pv_nl_reply reply[PV_NR_FAMILIES], void *arg, bool *lost);

#endif /* PVCTL_NL_H */
