/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Persistent reservations as a device tells of them, whatever it speaks. What a device answers is
 * not to be trusted: every length in it is checked against what was read.
 */
#ifndef PVCTL_RESV_H
#define PVCTL_RESV_H

#include <linux/nvme_fence.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/**
 * struct pv_registrant - one host's registration
 * @host_known: @host_id is set
 * @ours: the key is one of nvme_fence's; @epoch, @node_id and @form, an enum nvf_form, are set
 */
struct pv_registrant {
	uint64_t key;
	bool holder;
	bool host_known;
	bool ours;
	uint8_t host_id[NVME_FENCE_HOST_ID_SIZE];
	uint64_t epoch;
	uint32_t node_id;
	unsigned int form;
};

/**
 * struct pv_report - the reservation of a device at one moment
 * @known: it has been read
 * @type: as enum pr_type has it, 0 when not reserved
 * @nr: registrants; paths of one host with one key are one
 */
struct pv_report {
	bool known;
	uint32_t generation;
	uint32_t type;
	unsigned int nr;
	struct pv_registrant registrant[NVME_FENCE_REGISTRANTS_MAX];
};

/** pv_registrant_read_key() - what the key says, if it is of nvme_fence's form */
void pv_registrant_read_key(struct pv_registrant *r);

/** pv_report_add() - add a registrant, or another path of one. Return: 0 or -E2BIG */
int pv_report_add(struct pv_report *report, const struct pv_registrant *r);

/** pv_report_newest() - the newest epoch among the keys, 0 when there is none */
uint64_t pv_report_newest(const struct pv_report *report);

/** pv_report_holder() - NULL when there is no reservation */
const struct pv_registrant *pv_report_holder(const struct pv_report *report);

/** pv_report_learn_hosts() - what another reading of the same reservation says of the hosts */
void pv_report_learn_hosts(struct pv_report *report, const struct pv_report *other);

/** pv_report_type_name() - "write-exclusive" and so on; NULL for 0, "unknown" */
const char *pv_report_type_name(uint32_t type);

/** pv_registrant_form_name() - what its owner had come to: "grant"; NULL for a foreign key */
const char *pv_registrant_form_name(const struct pv_registrant *r);

/*
 * The parsers: @len is how much of @buf the device may have written. They
 * return 0; -E2BIG: the answer does not fit, *need says how long it is (where
 * the parameter is there); -EBADMSG: it makes no sense; -EOVERFLOW: it has
 * more registrants than can be handled.
 */

/** pv_resv_parse_nvme() - Reservation Report. @extended: with host identifiers of 128 bits */
int pv_resv_parse_nvme(const uint8_t *buf, size_t len, bool extended, struct pv_report *out,
		       size_t *need);

/** pv_resv_parse_scsi_full() - PERSISTENT RESERVE IN, READ FULL STATUS */
int pv_resv_parse_scsi_full(const uint8_t *buf, size_t len, struct pv_report *out, size_t *need);

/** pv_resv_parse_scsi_keys() - READ KEYS: the registrants */
int pv_resv_parse_scsi_keys(const uint8_t *buf, size_t len, struct pv_report *out, size_t *need);

/** pv_resv_parse_scsi_holder() - READ RESERVATION: its type, and who of @out's registrants holds */
int pv_resv_parse_scsi_holder(const uint8_t *buf, size_t len, struct pv_report *out);

/**
 * pv_resv_read() - ask a device by passthrough
 * @fd: the device, open for reading
 * @timeout_ms: for each command
 * @out: result
 * @why: a phrase on failure, static storage
 *
 * Return: 0; -EOPNOTSUPP: no such commands, or no reservations; -EBADMSG: an
 * answer that makes no sense; another -errno.
 */
int pv_resv_read(int fd, unsigned int timeout_ms, struct pv_report *out, const char **why);

/** pv_resv_read_device() - the same by the device's number. A partition has no reservations */
int pv_resv_read_device(uint64_t devnum, unsigned int timeout_ms, struct pv_report *out,
			const char **why);

#endif /* PVCTL_RESV_H */
