/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * Generic netlink interface of pmemvol: pools of persistent memory and the
 * thin DAX volumes in them.
 *
 * Every command, dump and the multicast group need CAP_SYS_ADMIN in the initial
 * user namespace, and exist in the initial network namespace only. A refusal
 * carries one sentence in the extended acknowledgment and, where one attribute
 * is to blame, that attribute's offset.
 *
 * Attribute tree ("in": in a request, "out": in a reply, dump or event):
 *
 * PMEMVOL_A_POOL (nest)
 *	PMEMVOL_A_POOL_NAME		string	in out
 *	PMEMVOL_A_POOL_UUID		16 B	in out	(in: create only, optional)
 *	PMEMVOL_A_POOL_FORCE		flag	in	create, extend: overwrite signatures;
 *							destroy: with the volumes in it
 *	PMEMVOL_A_POOL_CHUNK_SIZE	u32	in out	bytes, power of two
 *	PMEMVOL_A_POOL_OVERCOMMIT	u32	in out	percent of the capacity, 100 and more
 *	PMEMVOL_A_POOL_LOW_WATER	u32	in out	percent of the capacity
 *	PMEMVOL_A_POOL_SIZE		u64	out	bytes usable for data and metadata
 *	PMEMVOL_A_POOL_FREE		u64	out	bytes no volume, promise or reserve holds
 *	PMEMVOL_A_POOL_PROVISIONED	u64	out	bytes provisioned to volumes
 *	PMEMVOL_A_POOL_PROMISED		u64	out	sum of the volumes' sizes
 *	PMEMVOL_A_POOL_METADATA		u64	out	bytes in metadata segments, both copies
 *	PMEMVOL_A_POOL_ERASING		u64	out	bytes of deleted volumes not yet erased
 *	PMEMVOL_A_POOL_VOLUMES		u32	out
 *	PMEMVOL_A_POOL_MODE		u32	out	enum pmemvol_pool_mode
 *	PMEMVOL_A_POOL_GENERATION	u64	out	of the superblocks
 *	PMEMVOL_A_POOL_LARGEST_THIN	u64	out	bytes of the largest thin volume that could
 *							be made now; not in events
 *	PMEMVOL_A_POOL_LARGEST_THICK	u64	out	the same of a thick one
 *	PMEMVOL_A_POOL_MEMBER (nest, multi)	in out	one a member, in order
 *		PMEMVOL_A_MEMBER_DEVICE		string	in out	path in, "pmem0" out
 *		PMEMVOL_A_MEMBER_UUID		16 B	out
 *		PMEMVOL_A_MEMBER_SIZE		u64	out	bytes of chunks on it
 *		PMEMVOL_A_MEMBER_NUMA_NODE	s32	out	-1: unknown
 *		PMEMVOL_A_MEMBER_DEVNUM		u64	out	major << 32 | minor
 *		PMEMVOL_A_MEMBER_BAD_BLOCKS	u32	out	known bad 512-byte blocks
 * PMEMVOL_A_VOLUME (nest)
 *	PMEMVOL_A_VOLUME_NAME		string	in out
 *	PMEMVOL_A_VOLUME_UUID		16 B	in out	(in: create only, optional)
 *	PMEMVOL_A_VOLUME_NEW_NAME	string	in	rename
 *	PMEMVOL_A_VOLUME_SIZE		u64	in out	bytes; rounded up to chunks
 *	PMEMVOL_A_VOLUME_THICK		flag	in out
 *	PMEMVOL_A_VOLUME_PROVISIONED	u64	out	bytes
 *	PMEMVOL_A_VOLUME_DISK		string	out	"pmv0"
 *	PMEMVOL_A_VOLUME_DEVNUM		u64	out	major << 32 | minor
 *	PMEMVOL_A_VOLUME_OPENERS	u32	out
 *	PMEMVOL_A_VOLUME_STATE		u32	out	enum pmemvol_volume_state
 *	PMEMVOL_A_VOLUME_METADATA	u64	out	bytes of map tables, both copies
 *	PMEMVOL_A_VOLUME_SNAPSHOTS	u32	out
 *	PMEMVOL_A_VOLUME_ORIGIN		string	in out	of a clone: whose snapshot it was made of
 *	PMEMVOL_A_VOLUME_ORIGIN_SNAPSHOT	string	out	of a clone: that snapshot
 * PMEMVOL_A_CHECK (nest)			out	what a check came to
 *	PMEMVOL_A_CHECK_NOTES		u64	out	findings that are no damage
 *	PMEMVOL_A_CHECK_DAMAGED		u64	out	findings that have lost nothing yet
 *	PMEMVOL_A_CHECK_LOST		u64	out	findings that have lost something
 *	PMEMVOL_A_CHECK_VOLUMES		u64	out	looked at, with deleted ones being erased
 *	PMEMVOL_A_CHECK_CHUNKS		u64	out	that have an owner
 *	PMEMVOL_A_CHECK_UNTOLD		u64	out	findings beyond those that follow
 * PMEMVOL_A_FINDING (nest)			out	something that is wrong
 *	PMEMVOL_A_FINDING_SEVERITY	string	out	"note", "damage", "loss"
 *	PMEMVOL_A_FINDING_PART		string	out	such as "descriptor"
 *	PMEMVOL_A_FINDING_PROBLEM	string	out	such as "copy-damaged"
 *	PMEMVOL_A_FINDING_WHY		string	out	a sentence
 *	PMEMVOL_A_FINDING_REPAIRABLE	flag	out	there is one right answer
 *	PMEMVOL_A_FINDING_MEMBER	u32	out	where it stands, if anywhere
 *	PMEMVOL_A_FINDING_OFFSET	u64	out	bytes from the start of that member
 *	PMEMVOL_A_FINDING_SLOT		u32	out	of the volume concerned
 *	PMEMVOL_A_FINDING_VOLUME	string	out	its name, where that is known
 *	PMEMVOL_A_FINDING_INDEX		u64	out	chunk of the volume, place of the table
 *	PMEMVOL_A_FINDING_VALUE		u64	out	chunk or metadata page that is named there
 * PMEMVOL_A_SNAPSHOT (nest)
 *	PMEMVOL_A_SNAPSHOT_NAME		string	in out	unique among those of its volume
 *	PMEMVOL_A_SNAPSHOT_UUID		16 B	in out	(in: create only, optional)
 *	PMEMVOL_A_SNAPSHOT_CREATED	u64	out	seconds since 1970
 *	PMEMVOL_A_SNAPSHOT_SIZE		u64	out	bytes
 *	PMEMVOL_A_SNAPSHOT_EXCLUSIVE	u64	out	bytes that it holds by itself
 *	PMEMVOL_A_SNAPSHOT_METADATA	u64	out	bytes of map tables, both copies
 *	PMEMVOL_A_SNAPSHOT_CLONES	u32	out
 *	PMEMVOL_A_SNAPSHOT_DISK		string	out	"pmv1", once it is activated
 *	PMEMVOL_A_SNAPSHOT_DEVNUM	u64	out	likewise: major << 32 | minor
 *	PMEMVOL_A_SNAPSHOT_OPENERS	u32	out
 *	PMEMVOL_A_SNAPSHOT_STATE	u32	out	enum pmemvol_volume_state
 * PMEMVOL_A_BAD (nest)			out	a place where a medium is known to be bad
 *	PMEMVOL_A_BAD_MEMBER		u32	out
 *	PMEMVOL_A_BAD_OFFSET		u64	out	bytes from the start of that member
 *	PMEMVOL_A_BAD_LENGTH		u64	out	bytes
 *	PMEMVOL_A_BAD_POISON		flag	out	memory failed there; else a bad block
 *	PMEMVOL_A_BAD_OWNER		string	out	"data", "metadata", "header", "free"
 *	PMEMVOL_A_BAD_VOLUME		string	out	"data": whose
 *	PMEMVOL_A_BAD_VOLUME_OFFSET	u64	out	bytes from the start of that volume
 *	PMEMVOL_A_BAD_SNAPSHOT		string	out	a snapshot of that volume has it by itself
 * PMEMVOL_A_EVENT (nest)			out
 *	PMEMVOL_A_EVENT_TYPE		u32	enum pmemvol_event
 *	PMEMVOL_A_EVENT_SEQ		u64	one more at every event since the module was loaded
 *
 * Command			request				reply
 * POOL_GET			POOL{NAME}			POOL{...}; dump: every pool
 * POOL_CREATE			POOL{NAME, MEMBER{DEVICE}...,	POOL{...}
 *				[UUID, FORCE, CHUNK_SIZE,
 *				OVERCOMMIT, LOW_WATER]}
 * POOL_ACTIVATE		POOL{NAME, MEMBER{DEVICE}...}	POOL{...}
 * POOL_DEACTIVATE		POOL{NAME}			-
 * POOL_EXTEND			POOL{NAME, MEMBER{DEVICE}...,	POOL{...}
 *				[FORCE]}
 * POOL_DESTROY			POOL{NAME, [FORCE]}		-
 * POOL_SET			POOL{NAME, [OVERCOMMIT,		POOL{...}
 *				LOW_WATER]}
 * VOLUME_GET			POOL{NAME}, VOLUME{NAME}	POOL{NAME}, VOLUME{...}
 *				dump: [POOL{NAME}]		every volume (of that pool)
 * VOLUME_CREATE		POOL{NAME}, VOLUME{NAME, SIZE,	POOL{NAME}, VOLUME{...}
 *				[UUID, THICK]}
 * VOLUME_RESIZE		POOL{NAME}, VOLUME{NAME, SIZE}	POOL{NAME}, VOLUME{...}
 * VOLUME_RENAME		POOL{NAME}, VOLUME{NAME,	POOL{NAME}, VOLUME{...}
 *				NEW_NAME}
 * VOLUME_DELETE		POOL{NAME}, VOLUME{NAME}	-
 * EVENT			(multicast)			EVENT{...}, POOL{...},
 *								[VOLUME{...}], [SNAPSHOT{...}]
 * POOL_CHECK			dump: POOL{NAME}		POOL{NAME}, CHECK{...}; then each
 *								POOL{NAME}, FINDING{...}
 * SNAPSHOT_GET			POOL{NAME}, VOLUME{NAME},	POOL{NAME}, VOLUME{NAME, UUID},
 *				SNAPSHOT{NAME}			SNAPSHOT{...}
 *				dump: POOL{NAME},		every snapshot of the pool (or
 *				[VOLUME{NAME}]			of that volume)
 * SNAPSHOT_CREATE		POOL{NAME}, VOLUME{NAME},	POOL{NAME}, VOLUME{NAME, UUID},
 *				SNAPSHOT{NAME, [UUID]}		SNAPSHOT{...}
 * SNAPSHOT_DELETE		POOL{NAME}, VOLUME{NAME},	-
 *				SNAPSHOT{NAME}
 * SNAPSHOT_ACTIVATE		POOL{NAME}, VOLUME{NAME},	POOL{NAME}, VOLUME{NAME, UUID},
 *				SNAPSHOT{NAME}			SNAPSHOT{...}, with its disk
 * SNAPSHOT_DEACTIVATE		POOL{NAME}, VOLUME{NAME},	POOL{NAME}, VOLUME{NAME, UUID},
 *				SNAPSHOT{NAME}			SNAPSHOT{...}
 * VOLUME_CLONE			POOL{NAME}, VOLUME{NAME,	POOL{NAME}, VOLUME{...}
 *				ORIGIN, [UUID, THICK, SIZE]},
 *				SNAPSHOT{NAME}
 * VOLUME_ROLLBACK		POOL{NAME}, VOLUME{NAME},	POOL{NAME}, VOLUME{...}
 *				SNAPSHOT{NAME}
 * POOL_MEDIA			dump: POOL{NAME}		POOL{NAME}, BAD{...}; 4096 at most
 *
 * Errors: EINVAL malformed or out of place, ERANGE a size or number outside what is possible,
 * ENOENT no such pool, volume or snapshot, ENODEV no such device, EEXIST the name is taken, EBUSY
 * in use, or others depend on it, ENOTEMPTY volumes are left, ENOTBLK not a block device,
 * EMEDIUMTYPE not usable as a member, ENOSPC out of chunks, of promises or of slots, ENOMEM, EROFS
 * the pool's mode forbids it, ESTALE a member is missing, foreign or stale, EUCLEAN metadata
 * damaged, EIO the medium failed, EPERM; of a snapshot EOPNOTSUPP what uses the volume cannot be
 * held still, EAGAIN pages of its files stayed pinned, EOVERFLOW the pool has had as many
 * snapshots as it can.
 */
#ifndef _UAPI_LINUX_PMEMVOL_H
#define _UAPI_LINUX_PMEMVOL_H

#define PMEMVOL_GENL_NAME		"pmemvol"
#define PMEMVOL_GENL_VERSION		1
#define PMEMVOL_GENL_MCGRP_EVENTS	"events"

/* Names: 1..128 bytes of [A-Za-z0-9+_.-], not beginning with '-' or '.'. */
#define PMEMVOL_NAME_MAX		128
#define PMEMVOL_UUID_SIZE		16
#define PMEMVOL_MEMBERS_MAX		64
#define PMEMVOL_CHUNK_SIZE_MIN		(2U << 20)
#define PMEMVOL_CHUNK_SIZE_MAX		(64U << 20)
#define PMEMVOL_OVERCOMMIT_MIN		100
#define PMEMVOL_OVERCOMMIT_MAX		1000000
#define PMEMVOL_LOW_WATER_MAX		99

enum pmemvol_cmd {
	PMEMVOL_CMD_UNSPEC,
	PMEMVOL_CMD_POOL_GET,
	PMEMVOL_CMD_POOL_CREATE,
	PMEMVOL_CMD_POOL_ACTIVATE,
	PMEMVOL_CMD_POOL_DEACTIVATE,
	PMEMVOL_CMD_POOL_EXTEND,
	PMEMVOL_CMD_POOL_DESTROY,
	PMEMVOL_CMD_POOL_SET,
	PMEMVOL_CMD_VOLUME_GET,
	PMEMVOL_CMD_VOLUME_CREATE,
	PMEMVOL_CMD_VOLUME_RESIZE,
	PMEMVOL_CMD_VOLUME_RENAME,
	PMEMVOL_CMD_VOLUME_DELETE,
	PMEMVOL_CMD_EVENT,
	PMEMVOL_CMD_POOL_CHECK,
	PMEMVOL_CMD_SNAPSHOT_GET,
	PMEMVOL_CMD_SNAPSHOT_CREATE,
	PMEMVOL_CMD_SNAPSHOT_DELETE,
	PMEMVOL_CMD_SNAPSHOT_ACTIVATE,
	PMEMVOL_CMD_SNAPSHOT_DEACTIVATE,
	PMEMVOL_CMD_VOLUME_CLONE,
	PMEMVOL_CMD_VOLUME_ROLLBACK,
	PMEMVOL_CMD_POOL_MEDIA,

	__PMEMVOL_CMD_MAX,
	PMEMVOL_CMD_MAX = __PMEMVOL_CMD_MAX - 1
};

enum pmemvol_attr {
	PMEMVOL_A_UNSPEC,
	PMEMVOL_A_POOL,
	PMEMVOL_A_VOLUME,
	PMEMVOL_A_EVENT,
	PMEMVOL_A_CHECK,
	PMEMVOL_A_FINDING,
	PMEMVOL_A_SNAPSHOT,
	PMEMVOL_A_BAD,

	__PMEMVOL_A_MAX,
	PMEMVOL_A_MAX = __PMEMVOL_A_MAX - 1
};

enum pmemvol_pool_attr {
	PMEMVOL_A_POOL_UNSPEC,
	PMEMVOL_A_POOL_NAME,
	PMEMVOL_A_POOL_UUID,
	PMEMVOL_A_POOL_FORCE,
	PMEMVOL_A_POOL_CHUNK_SIZE,
	PMEMVOL_A_POOL_OVERCOMMIT,
	PMEMVOL_A_POOL_LOW_WATER,
	PMEMVOL_A_POOL_SIZE,
	PMEMVOL_A_POOL_FREE,
	PMEMVOL_A_POOL_PROVISIONED,
	PMEMVOL_A_POOL_PROMISED,
	PMEMVOL_A_POOL_METADATA,
	PMEMVOL_A_POOL_ERASING,
	PMEMVOL_A_POOL_VOLUMES,
	PMEMVOL_A_POOL_MODE,
	PMEMVOL_A_POOL_GENERATION,
	PMEMVOL_A_POOL_MEMBER,
	PMEMVOL_A_POOL_LARGEST_THIN,
	PMEMVOL_A_POOL_LARGEST_THICK,
	PMEMVOL_A_POOL_PAD,

	__PMEMVOL_A_POOL_MAX,
	PMEMVOL_A_POOL_MAX = __PMEMVOL_A_POOL_MAX - 1
};

enum pmemvol_member_attr {
	PMEMVOL_A_MEMBER_UNSPEC,
	PMEMVOL_A_MEMBER_DEVICE,
	PMEMVOL_A_MEMBER_UUID,
	PMEMVOL_A_MEMBER_SIZE,
	PMEMVOL_A_MEMBER_NUMA_NODE,
	PMEMVOL_A_MEMBER_DEVNUM,
	PMEMVOL_A_MEMBER_BAD_BLOCKS,
	PMEMVOL_A_MEMBER_PAD,

	__PMEMVOL_A_MEMBER_MAX,
	PMEMVOL_A_MEMBER_MAX = __PMEMVOL_A_MEMBER_MAX - 1
};

enum pmemvol_volume_attr {
	PMEMVOL_A_VOLUME_UNSPEC,
	PMEMVOL_A_VOLUME_NAME,
	PMEMVOL_A_VOLUME_UUID,
	PMEMVOL_A_VOLUME_NEW_NAME,
	PMEMVOL_A_VOLUME_SIZE,
	PMEMVOL_A_VOLUME_THICK,
	PMEMVOL_A_VOLUME_PROVISIONED,
	PMEMVOL_A_VOLUME_DISK,
	PMEMVOL_A_VOLUME_DEVNUM,
	PMEMVOL_A_VOLUME_OPENERS,
	PMEMVOL_A_VOLUME_STATE,
	PMEMVOL_A_VOLUME_METADATA,
	PMEMVOL_A_VOLUME_SNAPSHOTS,
	PMEMVOL_A_VOLUME_PAD,
	PMEMVOL_A_VOLUME_ORIGIN,
	PMEMVOL_A_VOLUME_ORIGIN_SNAPSHOT,

	__PMEMVOL_A_VOLUME_MAX,
	PMEMVOL_A_VOLUME_MAX = __PMEMVOL_A_VOLUME_MAX - 1
};

enum pmemvol_snapshot_attr {
	PMEMVOL_A_SNAPSHOT_UNSPEC,
	PMEMVOL_A_SNAPSHOT_NAME,
	PMEMVOL_A_SNAPSHOT_UUID,
	PMEMVOL_A_SNAPSHOT_CREATED,
	PMEMVOL_A_SNAPSHOT_SIZE,
	PMEMVOL_A_SNAPSHOT_EXCLUSIVE,
	PMEMVOL_A_SNAPSHOT_METADATA,
	PMEMVOL_A_SNAPSHOT_CLONES,
	PMEMVOL_A_SNAPSHOT_DISK,
	PMEMVOL_A_SNAPSHOT_DEVNUM,
	PMEMVOL_A_SNAPSHOT_OPENERS,
	PMEMVOL_A_SNAPSHOT_STATE,
	PMEMVOL_A_SNAPSHOT_PAD,

	__PMEMVOL_A_SNAPSHOT_MAX,
	PMEMVOL_A_SNAPSHOT_MAX = __PMEMVOL_A_SNAPSHOT_MAX - 1
};

enum pmemvol_event_attr {
	PMEMVOL_A_EVENT_UNSPEC,
	PMEMVOL_A_EVENT_TYPE,
	PMEMVOL_A_EVENT_SEQ,
	PMEMVOL_A_EVENT_PAD,

	__PMEMVOL_A_EVENT_MAX,
	PMEMVOL_A_EVENT_MAX = __PMEMVOL_A_EVENT_MAX - 1
};

enum pmemvol_check_attr {
	PMEMVOL_A_CHECK_UNSPEC,
	PMEMVOL_A_CHECK_NOTES,
	PMEMVOL_A_CHECK_DAMAGED,
	PMEMVOL_A_CHECK_LOST,
	PMEMVOL_A_CHECK_VOLUMES,
	PMEMVOL_A_CHECK_CHUNKS,
	PMEMVOL_A_CHECK_UNTOLD,
	PMEMVOL_A_CHECK_PAD,

	__PMEMVOL_A_CHECK_MAX,
	PMEMVOL_A_CHECK_MAX = __PMEMVOL_A_CHECK_MAX - 1
};

enum pmemvol_finding_attr {
	PMEMVOL_A_FINDING_UNSPEC,
	PMEMVOL_A_FINDING_SEVERITY,
	PMEMVOL_A_FINDING_PART,
	PMEMVOL_A_FINDING_PROBLEM,
	PMEMVOL_A_FINDING_WHY,
	PMEMVOL_A_FINDING_REPAIRABLE,
	PMEMVOL_A_FINDING_MEMBER,
	PMEMVOL_A_FINDING_OFFSET,
	PMEMVOL_A_FINDING_SLOT,
	PMEMVOL_A_FINDING_VOLUME,
	PMEMVOL_A_FINDING_INDEX,
	PMEMVOL_A_FINDING_VALUE,
	PMEMVOL_A_FINDING_PAD,

	__PMEMVOL_A_FINDING_MAX,
	PMEMVOL_A_FINDING_MAX = __PMEMVOL_A_FINDING_MAX - 1
};

enum pmemvol_bad_attr {
	PMEMVOL_A_BAD_UNSPEC,
	PMEMVOL_A_BAD_MEMBER,
	PMEMVOL_A_BAD_OFFSET,
	PMEMVOL_A_BAD_LENGTH,
	PMEMVOL_A_BAD_POISON,
	PMEMVOL_A_BAD_OWNER,
	PMEMVOL_A_BAD_VOLUME,
	PMEMVOL_A_BAD_VOLUME_OFFSET,
	PMEMVOL_A_BAD_SNAPSHOT,
	PMEMVOL_A_BAD_PAD,

	__PMEMVOL_A_BAD_MAX,
	PMEMVOL_A_BAD_MAX = __PMEMVOL_A_BAD_MAX - 1
};

/**
 * enum pmemvol_pool_mode - what a pool still does, in order of degradation
 * @PMEMVOL_MODE_WRITABLE: everything
 * @PMEMVOL_MODE_NO_SPACE: no chunk is left for thin volumes; what is provisioned is written on
 * @PMEMVOL_MODE_READ_ONLY: metadata is damaged, or may not be written; writes fail with EIO
 * @PMEMVOL_MODE_FAILED: a member is gone; all I/O fails
 */
enum pmemvol_pool_mode {
	PMEMVOL_MODE_WRITABLE,
	PMEMVOL_MODE_NO_SPACE,
	PMEMVOL_MODE_READ_ONLY,
	PMEMVOL_MODE_FAILED,
};

enum pmemvol_volume_state {
	PMEMVOL_VOLUME_ACTIVE,
	PMEMVOL_VOLUME_FAILED,
};

enum pmemvol_event {
	PMEMVOL_EVENT_UNSPEC,
	PMEMVOL_EVENT_POOL_CREATED,
	PMEMVOL_EVENT_POOL_ACTIVATED,
	PMEMVOL_EVENT_POOL_DEACTIVATED,
	PMEMVOL_EVENT_POOL_EXTENDED,
	PMEMVOL_EVENT_POOL_CHANGED,
	PMEMVOL_EVENT_POOL_DESTROYED,
	PMEMVOL_EVENT_POOL_MODE,
	PMEMVOL_EVENT_LOW_WATER,
	PMEMVOL_EVENT_NO_SPACE,
	PMEMVOL_EVENT_VOLUME_CREATED,
	PMEMVOL_EVENT_VOLUME_RESIZED,
	PMEMVOL_EVENT_VOLUME_RENAMED,
	PMEMVOL_EVENT_VOLUME_DELETED,
	PMEMVOL_EVENT_ERASED,
	PMEMVOL_EVENT_MEDIA_ERROR,
	PMEMVOL_EVENT_METADATA_REPAIRED,
	PMEMVOL_EVENT_SNAPSHOT_CREATED,
	PMEMVOL_EVENT_SNAPSHOT_DELETED,
	PMEMVOL_EVENT_SNAPSHOT_ERASED,
	PMEMVOL_EVENT_VOLUME_ROLLED_BACK,
};

#endif /* _UAPI_LINUX_PMEMVOL_H */
