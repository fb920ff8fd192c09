/* SPDX-License-Identifier: GPL-2.0 */
/* The commands of nvme_fence as functions. */
#ifndef PVCTL_FENCE_CTL_H
#define PVCTL_FENCE_CTL_H

#include "fence.h"
#include "pvctl.h"

/**
 * struct pv_fence_request - what a command says; 0 and NULL leave an attribute out
 * @name: always
 * @device: path
 * @host_id: 16 bytes
 * @grade: valid with @has_grade
 * @lease_ms: valid with @has_lease, because 0 is a value
 * @report: what was read from the device
 * @report_grants: pv_attachment.grants from before it was read
 */
struct pv_fence_request {
	const char *name;
	const char *device;
	uint32_t node_id;
	const uint8_t *host_id;
	bool has_grade;
	uint32_t grade;
	uint64_t epoch;
	uint64_t record_epoch;
	bool has_lease;
	uint32_t lease_ms;
	uint32_t timeout_ms;
	bool preempt_foreign;
	bool go_on;
	const struct pv_report *report;
	uint64_t report_grants;
};

/**
 * struct pv_fence_reply - what came back, with a refusal too
 * @got: @attachment is set
 * @has_winner: @winner is set
 * @report_wanted: the kernel cannot read the reservation, or not whose keys are whose: read it and
 *	go on
 * @report: known when the kernel sent one: it has compared grants with it
 */
struct pv_fence_reply {
	bool got;
	bool has_winner;
	bool report_wanted;
	struct pv_attachment attachment;
	struct pv_registrant winner;
	struct pv_report report;
};

/** pv_fence_call() - any command but the dump. On failure @reply has what came with it */
int pv_fence_call(struct pv_ctx *ctx, int cmd, const struct pv_fence_request *request,
		  struct pv_fence_reply *reply);

/** pv_fence_dump() - every attachment */
int pv_fence_dump(struct pv_ctx *ctx, struct pv_attachments *out);

#endif /* PVCTL_FENCE_CTL_H */
