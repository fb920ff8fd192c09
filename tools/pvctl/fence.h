/* SPDX-License-Identifier: GPL-2.0 */
/* Attachments, reservations and events of nvme_fence, and how they come out of netlink. */
#ifndef PVCTL_FENCE_H
#define PVCTL_FENCE_H

#include <linux/nvme_fence.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "object.h"
#include "resv.h"

/**
 * struct pv_attachment - a block device that writes only while its epoch is the newest
 * @present: bit NVME_FENCE_A_ATT_x is set when that attribute is known
 * @device: the device below, "nvme0n1"
 * @disk: its own, "nvf0"
 * @unique_id_len: bytes in @unique_id
 * @grants: of all attachments of the device so far
 * @record_epoch: what the local record has for the device below; 0: nothing
 */
struct pv_attachment {
	uint64_t present;
	char name[NVME_FENCE_NAME_MAX + 1];
	char device[PV_DEVICE_MAX];
	char disk[PV_DEVICE_MAX];
	uint64_t device_devnum;
	uint64_t devnum;
	uint32_t node_id;
	uint8_t host_id[NVME_FENCE_HOST_ID_SIZE];
	uint8_t unique_id[NVME_FENCE_UNIQUE_ID_MAX];
	size_t unique_id_len;
	uint64_t size;
	uint32_t grade;
	uint32_t state;
	uint32_t reason;
	uint64_t epoch;
	uint64_t device_epoch;
	uint64_t in_flight;
	uint64_t writes_in_flight;
	uint32_t openers;
	uint32_t lease;
	uint32_t lease_left;
	uint32_t commands;
	bool sticky;
	uint64_t refused;
	uint64_t grants;
	uint64_t record_epoch;
};

struct pv_attachments {
	struct pv_attachment *attachment;
	size_t nr;
};

struct pv_fence_event {
	uint32_t type;
	uint64_t seq;
	bool has_winner;
	struct pv_attachment attachment;
	struct pv_registrant winner;
};

/*
 * The decoders return 0 or -EBADMSG and ignore attributes they do not know: a
 * newer kernel may send more.
 */
int pv_decode_attachment(struct nlattr *nest, struct pv_attachment *a);
int pv_decode_report(struct nlattr *nest, struct pv_report *report);
int pv_decode_registrant(struct nlattr *nest, struct pv_registrant *r);
int pv_decode_fence_event(struct nlattr **top, struct pv_fence_event *event);

void pv_attachments_free(struct pv_attachments *attachments);

/** pv_attachment_newest() - the newest epoch it tells of, granted or seen on the device */
uint64_t pv_attachment_newest(const struct pv_attachment *a);

/* Names as users read them; "unknown" for a value a newer kernel may have. */
const char *pv_grade_name(uint32_t grade);
const char *pv_fence_state_name(uint32_t state);
const char *pv_fence_reason_name(uint32_t reason);
const char *pv_fence_event_name(uint32_t type);

#endif /* PVCTL_FENCE_H */
