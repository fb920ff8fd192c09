/* SPDX-License-Identifier: GPL-2.0 */
/* Looking at an attachment and getting an epoch, with the reservation read where the kernel cannot. */
#ifndef PVCTL_FENCE_ACQUIRE_H
#define PVCTL_FENCE_ACQUIRE_H

#include "fence_ctl.h"

/**
 * pv_fence_get() - one attachment, compared with the device's reservation
 * @ctx: invocation
 * @name: of the attachment
 * @deadline: for the whole
 * @reply: the attachment, and the reservation if the kernel has compared it
 */
int pv_fence_get(struct pv_ctx *ctx, const char *name, uint64_t deadline,
		 struct pv_fence_reply *reply);

/** pv_fence_read_more() - what the kernel's reading lacks: hosts, or all of it for a local grade */
void pv_fence_read_more(struct pv_ctx *ctx, uint64_t deadline, struct pv_fence_reply *reply);

/**
 * pv_fence_acquire() - have an epoch granted
 * @ctx: invocation
 * @request: the name, and what is wanted of the epoch
 * @devnum: of the device below
 * @deadline: for the whole
 * @reply: the attachment
 *
 * A lost race is ABORTED, with the winner in the JSON error; a foreign
 * reservation is FAILED_PRECONDITION, with the report in it.
 */
int pv_fence_acquire(struct pv_ctx *ctx, const struct pv_fence_request *request, uint64_t devnum,
		     uint64_t deadline, struct pv_fence_reply *reply);

#endif /* PVCTL_FENCE_ACQUIRE_H */
