/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * Generic netlink interface of nvme_fence: attachments, block devices over a namespace that write
 * only while their epoch is the newest.
 *
 * Every command, dump and the multicast group need CAP_SYS_ADMIN in the initial user namespace,
 * and exist in the initial network namespace only. A refusal carries one sentence in the
 * extended acknowledgment and, where one attribute is to blame, that attribute's offset.
 *
 * Attribute tree ("in": in a request, "out": in a reply, dump or event):
 *
 * NVME_FENCE_A_ATTACHMENT (nest)
 *	NVME_FENCE_A_ATT_NAME		string	in out
 *	NVME_FENCE_A_ATT_DEVICE		string	in out	path in, "nvme0n1" out
 *	NVME_FENCE_A_ATT_DEVICE_DEVNUM	u64	out	major << 32 | minor
 *	NVME_FENCE_A_ATT_NODE_ID	u32	in out	1..65535
 *	NVME_FENCE_A_ATT_HOST_ID	16 B	in out	what the device knows this host by, if known
 *	NVME_FENCE_A_ATT_UNIQUE_ID	binary	out	NGUID, EUI-64 or NAA, if there is one
 *	NVME_FENCE_A_ATT_DISK		string	out	"nvf0"
 *	NVME_FENCE_A_ATT_DEVNUM		u64	out	major << 32 | minor
 *	NVME_FENCE_A_ATT_SIZE		u64	out	bytes
 *	NVME_FENCE_A_ATT_GRADE		u32	in out	enum nvme_fence_grade; in: the least
 *	NVME_FENCE_A_ATT_STATE		u32	out	enum nvme_fence_state
 *	NVME_FENCE_A_ATT_REASON		u32	out	enum nvme_fence_reason
 *	NVME_FENCE_A_ATT_EPOCH		u64	in out	in: the one to acquire; out: granted last
 *	NVME_FENCE_A_ATT_DEVICE_EPOCH	u64	out	the newest one known of the device
 *	NVME_FENCE_A_ATT_RECORD_EPOCH	u64	in	the newest one the caller's record knows of
 *	NVME_FENCE_A_ATT_IN_FLIGHT	u64	out	bios below, reads and writes
 *	NVME_FENCE_A_ATT_WRITES_IN_FLIGHT u64	out	bios below that the gate let pass
 *	NVME_FENCE_A_ATT_OPENERS	u32	out
 *	NVME_FENCE_A_ATT_LEASE		u32	in out	milliseconds, 0: none
 *	NVME_FENCE_A_ATT_LEASE_LEFT	u32	out	milliseconds
 *	NVME_FENCE_A_ATT_COMMANDS	u32	out	reservation commands of the last acquire
 *	NVME_FENCE_A_ATT_STICKY		flag	out	an open file from before the fencing is left
 *	NVME_FENCE_A_ATT_REFUSED	u64	out	writes refused by the gate or by the device
 *	NVME_FENCE_A_ATT_GRANTS		u64	out	grants on the device so far
 * NVME_FENCE_A_REPORT (nest)			in out	the device's reservation
 *	NVME_FENCE_A_REPORT_GENERATION	u32	in out
 *	NVME_FENCE_A_REPORT_TYPE	u32	in out	enum pr_type; 0: not reserved
 *	NVME_FENCE_A_REPORT_GRANTS	u64	in	ATT_GRANTS from before it was read
 *	NVME_FENCE_A_REPORT_REGISTRANT (nest, multi)	in out
 *		NVME_FENCE_A_REG_KEY		u64	in out
 *		NVME_FENCE_A_REG_HOLDER		flag	in out
 *		NVME_FENCE_A_REG_HOST_ID	16 B	in out	optional
 *		NVME_FENCE_A_REG_EPOCH		u64	out	if the key is this module's
 *		NVME_FENCE_A_REG_NODE_ID	u32	out	likewise
 * NVME_FENCE_A_PREEMPT_FOREIGN	flag	in	acquire: also from what has another key format
 * NVME_FENCE_A_TIMEOUT		u32	in	milliseconds for the whole request
 * NVME_FENCE_A_CONTINUE	flag	in	acquire: go on with EPOCH, REPORT was wanted
 * NVME_FENCE_A_REPORT_WANTED	flag	out	acquire: not over, the caller is to read the
 *						reservation and to call again with CONTINUE
 * NVME_FENCE_A_WINNER (nest)		out	acquire that lost, in the acknowledgment's stead:
 *	NVME_FENCE_A_REG_*			the registrant that won
 * NVME_FENCE_A_EVENT (nest)		out
 *	NVME_FENCE_A_EVENT_TYPE		u32	enum nvme_fence_event
 *	NVME_FENCE_A_EVENT_SEQ		u64	one more at every event since the module was loaded
 *
 * Command	request					reply
 * GET		ATTACHMENT{NAME}, [REPORT], [TIMEOUT]	ATTACHMENT{...}, [REPORT]
 *		dump: -					every attachment
 * ATTACH	ATTACHMENT{NAME, DEVICE, NODE_ID,	ATTACHMENT{...}
 *		[HOST_ID, GRADE, RECORD_EPOCH,
 *		LEASE]}, [REPORT]
 * DETACH	ATTACHMENT{NAME}			ATTACHMENT{...} as it was last
 * ACQUIRE	ATTACHMENT{NAME, [EPOCH, RECORD_EPOCH,	ATTACHMENT{...}, [REPORT_WANTED],
 *		LEASE]}, [REPORT, PREEMPT_FOREIGN,	or WINNER{...} when lost
 *		TIMEOUT, CONTINUE]
 * RENEW	ATTACHMENT{NAME, [LEASE]}		ATTACHMENT{...}
 * RELEASE	ATTACHMENT{NAME}, [TIMEOUT]		ATTACHMENT{...}
 * EVENT	(multicast)				EVENT{...}, ATTACHMENT{...}, [WINNER{...}]
 *
 * GET of one attachment compares its grant with the device's reservation and fences it where the
 * device has forgotten. A REPORT in a request is what the caller read by passthrough. It decides
 * only where the kernel itself cannot read reservations, and is compared with grants only that are
 * no newer than REPORT_GRANTS; elsewhere it tells whose keys are whose. REPORT_WANTED is
 * answered in the first case, and in the second one once where a key of this host's is not
 * known to be its.
 *
 * Errors: EINVAL malformed or out of place, ERANGE a number outside what is possible, ENOENT no
 * such attachment, ENODEV no such device or gone, EEXIST the name is taken, EBUSY in use,
 * ENOTBLK not a block device, EMEDIUMTYPE not usable (zoned, integrity, read-only), ESTALE not
 * newer or sticky, EBADE lost to a newer epoch, EKEYREJECTED a foreign reservation, ETIMEDOUT,
 * EOPNOTSUPP, ENOMEM, EIO the device failed, EPERM.
 */
#ifndef _UAPI_LINUX_NVME_FENCE_H
#define _UAPI_LINUX_NVME_FENCE_H

#define NVME_FENCE_GENL_NAME		"nvme_fence"
#define NVME_FENCE_GENL_VERSION		1
#define NVME_FENCE_GENL_MCGRP_EVENTS	"events"

/* Names: 1..128 bytes of [A-Za-z0-9+_.-], not beginning with '-' or '.'. */
#define NVME_FENCE_NAME_MAX		128
#define NVME_FENCE_HOST_ID_SIZE		16
#define NVME_FENCE_UNIQUE_ID_MAX	16
#define NVME_FENCE_NODE_ID_MAX		65535
#define NVME_FENCE_EPOCH_MAX		((1ULL << 40) - 1)
#define NVME_FENCE_REGISTRANTS_MAX	256
#define NVME_FENCE_LEASE_MIN		100
#define NVME_FENCE_LEASE_MAX		86400000
#define NVME_FENCE_TIMEOUT_MIN		1
#define NVME_FENCE_TIMEOUT_MAX		3600000
#define NVME_FENCE_TIMEOUT_DEFAULT	30000

enum nvme_fence_cmd {
	NVME_FENCE_CMD_UNSPEC,
	NVME_FENCE_CMD_GET,
	NVME_FENCE_CMD_ATTACH,
	NVME_FENCE_CMD_DETACH,
	NVME_FENCE_CMD_ACQUIRE,
	NVME_FENCE_CMD_RENEW,
	NVME_FENCE_CMD_RELEASE,
	NVME_FENCE_CMD_EVENT,

	__NVME_FENCE_CMD_MAX,
	NVME_FENCE_CMD_MAX = __NVME_FENCE_CMD_MAX - 1
};

enum nvme_fence_attr {
	NVME_FENCE_A_UNSPEC,
	NVME_FENCE_A_ATTACHMENT,
	NVME_FENCE_A_REPORT,
	NVME_FENCE_A_PREEMPT_FOREIGN,
	NVME_FENCE_A_TIMEOUT,
	NVME_FENCE_A_CONTINUE,
	NVME_FENCE_A_REPORT_WANTED,
	NVME_FENCE_A_WINNER,
	NVME_FENCE_A_EVENT,

	__NVME_FENCE_A_MAX,
	NVME_FENCE_A_MAX = __NVME_FENCE_A_MAX - 1
};

enum nvme_fence_attachment_attr {
	NVME_FENCE_A_ATT_UNSPEC,
	NVME_FENCE_A_ATT_NAME,
	NVME_FENCE_A_ATT_DEVICE,
	NVME_FENCE_A_ATT_DEVICE_DEVNUM,
	NVME_FENCE_A_ATT_NODE_ID,
	NVME_FENCE_A_ATT_HOST_ID,
	NVME_FENCE_A_ATT_UNIQUE_ID,
	NVME_FENCE_A_ATT_DISK,
	NVME_FENCE_A_ATT_DEVNUM,
	NVME_FENCE_A_ATT_SIZE,
	NVME_FENCE_A_ATT_GRADE,
	NVME_FENCE_A_ATT_STATE,
	NVME_FENCE_A_ATT_REASON,
	NVME_FENCE_A_ATT_EPOCH,
	NVME_FENCE_A_ATT_DEVICE_EPOCH,
	NVME_FENCE_A_ATT_RECORD_EPOCH,
	NVME_FENCE_A_ATT_IN_FLIGHT,
	NVME_FENCE_A_ATT_WRITES_IN_FLIGHT,
	NVME_FENCE_A_ATT_OPENERS,
	NVME_FENCE_A_ATT_LEASE,
	NVME_FENCE_A_ATT_LEASE_LEFT,
	NVME_FENCE_A_ATT_COMMANDS,
	NVME_FENCE_A_ATT_STICKY,
	NVME_FENCE_A_ATT_PAD,
	NVME_FENCE_A_ATT_REFUSED,
	NVME_FENCE_A_ATT_GRANTS,

	__NVME_FENCE_A_ATT_MAX,
	NVME_FENCE_A_ATT_MAX = __NVME_FENCE_A_ATT_MAX - 1
};

enum nvme_fence_report_attr {
	NVME_FENCE_A_REPORT_UNSPEC,
	NVME_FENCE_A_REPORT_GENERATION,
	NVME_FENCE_A_REPORT_TYPE,
	NVME_FENCE_A_REPORT_REGISTRANT,
	NVME_FENCE_A_REPORT_GRANTS,

	__NVME_FENCE_A_REPORT_MAX,
	NVME_FENCE_A_REPORT_MAX = __NVME_FENCE_A_REPORT_MAX - 1
};

enum nvme_fence_registrant_attr {
	NVME_FENCE_A_REG_UNSPEC,
	NVME_FENCE_A_REG_KEY,
	NVME_FENCE_A_REG_HOLDER,
	NVME_FENCE_A_REG_HOST_ID,
	NVME_FENCE_A_REG_EPOCH,
	NVME_FENCE_A_REG_NODE_ID,
	NVME_FENCE_A_REG_PAD,

	__NVME_FENCE_A_REG_MAX,
	NVME_FENCE_A_REG_MAX = __NVME_FENCE_A_REG_MAX - 1
};

enum nvme_fence_event_attr {
	NVME_FENCE_A_EVENT_UNSPEC,
	NVME_FENCE_A_EVENT_TYPE,
	NVME_FENCE_A_EVENT_SEQ,
	NVME_FENCE_A_EVENT_PAD,

	__NVME_FENCE_A_EVENT_MAX,
	NVME_FENCE_A_EVENT_MAX = __NVME_FENCE_A_EVENT_MAX - 1
};

/**
 * enum nvme_fence_grade - what a grant is enforced by
 * @NVME_FENCE_GRADE_LOCAL: this module alone: it orders the attachments of this node
 * @NVME_FENCE_GRADE_DEVICE: the device's reservation too: it orders the nodes
 */
enum nvme_fence_grade {
	NVME_FENCE_GRADE_LOCAL,
	NVME_FENCE_GRADE_DEVICE,
};

/**
 * enum nvme_fence_state - may an attachment write?
 * @NVME_FENCE_STATE_FENCED: no; it has not acquired an epoch yet, or has released it
 * @NVME_FENCE_STATE_GRANTED: yes
 * @NVME_FENCE_STATE_STALE: no; its epoch was taken from it
 */
enum nvme_fence_state {
	NVME_FENCE_STATE_FENCED,
	NVME_FENCE_STATE_GRANTED,
	NVME_FENCE_STATE_STALE,
};

/**
 * enum nvme_fence_reason - why an attachment may not write
 * @NVME_FENCE_REASON_NONE: it may
 * @NVME_FENCE_REASON_NEW: it has not acquired anything yet
 * @NVME_FENCE_REASON_RELEASED: it, or the administrator, gave its epoch back
 * @NVME_FENCE_REASON_TAKEN_OVER: another attachment of this node has a newer one
 * @NVME_FENCE_REASON_CONFLICT: the device refused a write: another node has a newer one
 * @NVME_FENCE_REASON_FORGOTTEN: the device's reservation is not this node's any more
 * @NVME_FENCE_REASON_LEASE: it was not renewed in time
 * @NVME_FENCE_REASON_GONE: the device below was removed
 * @NVME_FENCE_REASON_ACQUIRING: it is acquiring, or an acquire did not come to an end
 */
enum nvme_fence_reason {
	NVME_FENCE_REASON_NONE,
	NVME_FENCE_REASON_NEW,
	NVME_FENCE_REASON_RELEASED,
	NVME_FENCE_REASON_TAKEN_OVER,
	NVME_FENCE_REASON_CONFLICT,
	NVME_FENCE_REASON_FORGOTTEN,
	NVME_FENCE_REASON_LEASE,
	NVME_FENCE_REASON_GONE,
	NVME_FENCE_REASON_ACQUIRING,
};

enum nvme_fence_event {
	NVME_FENCE_EVENT_UNSPEC,
	NVME_FENCE_EVENT_ATTACHED,
	NVME_FENCE_EVENT_DETACHED,
	NVME_FENCE_EVENT_GRANTED,
	NVME_FENCE_EVENT_RELEASED,
	NVME_FENCE_EVENT_STALE,
	NVME_FENCE_EVENT_LOST,
	NVME_FENCE_EVENT_GONE,
};

#endif /* _UAPI_LINUX_NVME_FENCE_H */
