/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What a lower device and an attachment are in memory, and which lock protects what.
 *
 * Lock order, outermost first; Documentation/nvme-fence-locking.md explains it:
 *
 *	nvf_open_mutex		mutex	which lower devices are open; one attach at a time
 *	nvf_table_sem		rwsem	which attachments exist
 *	event_lock		mutex	numbers of events, and the order they are sent in
 *	lower->lock		spin	gates, newest epoch, virtual reservations, jobs and the
 *					attachments of one lower device; taken from interrupts
 *
 * Commands to a device are sent by its jobs alone, one after the other, with no lock held: so
 * nobody but those who wait for a job is stopped by a device that does not answer. I/O takes no
 * lock: it looks at attachment->gate with interrupts off.
 */
#ifndef NVF_FENCE_H
#define NVF_FENCE_H

#include <linux/completion.h>
#include <linux/kref.h>
#include <linux/list.h>
#include <linux/mempool.h>
#include <linux/mutex.h>
#include <linux/percpu.h>
#include <linux/rwsem.h>
#include <linux/spinlock.h>
#include <linux/wait.h>
#include <linux/workqueue.h>
#include <uapi/linux/nvme_fence.h>

#include "stacking.h"
#include "core/acquire.h"
#include "core/gate.h"
#include "core/key.h"
#include "core/pr.h"

struct netlink_ext_ack;
struct nvf_job;

/* What names a device again after it was detached: its unique id, or the disk's sequence number. */
#define NVF_IDENT_SIZE	(NVME_FENCE_UNIQUE_ID_MAX + 1)

struct nvf_ident {
	u8 id[NVF_IDENT_SIZE];
};

/**
 * struct nvf_lower - a device that has attachments
 * @claim: the block device, held exclusively
 * @bdev: the same
 * @ident: by which its newest epoch is remembered
 * @unique_id: NGUID, EUI-64 or NAA
 * @unique_id_len: its length, 0 when the device has none
 * @host_id: what the device knows this host by; set under @lock, and once
 * @host_known: @host_id is set
 * @node_id: this node's number; the same for all attachments
 * @device_grade: the reservation of the device is used, by all attachments; under nvf_open_mutex
 * @io_pool: contexts of I/O, so that it goes on when memory is short
 * @ref: attachments, jobs, and the work that follows a removal
 * @list: of those that are open, under nvf_open_mutex
 * @lock: protects what follows
 * @attachments: those whose bios may be below, by nvf_attachment.sibling
 * @newest: the newest epoch published on this node; one gate at most is open, with this one
 * @seen: the newest one read from the device, told by a caller or remembered
 * @grants: how many there were; by it a report is known to be older than a grant
 * @pr: the reservations as the consumers see them
 * @gone: the device was removed
 * @gone_told: the work that follows has been queued
 * @leaving: who waits for @gone_work, when the device is removed in order
 * @jobs: commands to be sent, by nvf_job.list
 * @running: the one that is being worked on
 * @work: works on @jobs
 * @gone_work: marks the disks dead
 * @drain_wait: who waits for bios to end
 */
struct nvf_lower {
	struct compat_bdev claim;
	struct block_device *bdev;
	struct nvf_ident ident;
	u8 unique_id[NVME_FENCE_UNIQUE_ID_MAX];
	u8 unique_id_len;
	u8 host_id[NVF_HOST_ID_SIZE];
	bool host_known;
	u16 node_id;
	bool device_grade;
	mempool_t io_pool;
	struct kref ref;
	struct list_head list;

	spinlock_t lock;
	struct list_head attachments;
	u64 newest;
	u64 seen;
	u64 grants;
	struct nvf_pr pr;
	bool gone;
	bool gone_told;
	struct completion *leaving;
	struct list_head jobs;
	struct nvf_job *running;

	struct work_struct work;
	struct work_struct gone_work;
	wait_queue_head_t drain_wait;
};

/**
 * enum nvf_gate_value - what I/O looks at
 * @NVF_GATE_SHUT: no write passes
 * @NVF_GATE_LEASED: writes pass before the deadline
 * @NVF_GATE_OPEN: writes pass
 */
enum nvf_gate_value {
	NVF_GATE_SHUT,
	NVF_GATE_LEASED,
	NVF_GATE_OPEN,
};

/**
 * struct nvf_flight - bios below, on one CPU; they end on any: only sums mean something
 * @writes: those that the gate let pass
 * @reads: all others
 * @refused: writes that the gate or the device has refused; they are not below any more
 */
struct nvf_flight {
	unsigned long writes;
	unsigned long reads;
	unsigned long refused;
};

/* Bits of nvf_attachment.tell: what the attachment's work is to do. */
enum nvf_tell {
	NVF_TELL_STALE,
	NVF_TELL_GONE,
};

/**
 * struct nvf_attachment - a disk over a lower device
 * @gate: enum nvf_gate_value; written under lower->lock by nvf_gate_apply() alone
 * @flight: bios below
 * @lower: the device below
 * @bdev: the same's block device
 * @disk: the disk
 * @deadline: of the lease, CLOCK_BOOTTIME in ns
 * @state: what decides about @gate. From here on under lower->lock
 * @acquiring: an acquire has published its epoch and not ended
 * @unfinished: the last acquire that published an epoch did not end in a grant, or a release did
 *	not end in telling the device: it may have the key of @tried
 * @releasing: a release has shut the gate and is not over
 * @detached: it is being detached: nothing is granted, nobody opens it
 * @orphaned: it could not be attached, and lives until its last file is closed
 * @flown: writes have passed since the last time all were known to be over
 * @draining: a job waits for its writes; the gate was shut when it began
 * @lease: milliseconds, 0: none
 * @commands: sent to the device by the last acquire
 * @pr: the consumer's registration
 * @acq: an acquire that waits for a report
 * @tried: the epoch that the last acquire published, or that is being released
 * @grant: nvf_lower.grants with the one granted last
 * @acquires: of it that somebody waits for
 * @tell: enum nvf_tell
 * @visited: by the work that follows a removal
 * @sibling: of lower->attachments
 * @list: of the table, under nvf_table_sem
 * @ref: the table, jobs and who looked it up
 * @minor: of the disk's name
 * @added: the disk was added
 * @linked: the disk is linked to the lower device
 * @grade: enum nvme_fence_grade
 * @name: what the administrator calls it
 * @tell_work: sends events from where one cannot sleep
 * @lease_work: shuts the gate when the lease is over
 * @orphan_work: gives the reference of an orphan's files back
 */
struct nvf_attachment {
	int gate;
	struct nvf_flight __percpu *flight;
	struct nvf_lower *lower;
	struct block_device *bdev;
	struct gendisk *disk;
	u64 deadline;

	struct nvf_gate state;
	bool acquiring;
	bool unfinished;
	bool releasing;
	bool detached;
	bool orphaned;
	bool flown;
	bool draining;
	u32 lease;
	unsigned int commands;
	struct nvf_pr_host pr;
	struct nvf_acq *acq;
	u64 tried;
	u64 grant;
	unsigned int acquires;
	unsigned long tell;
	unsigned int visited;
	struct list_head sibling;

	struct list_head list;
	struct kref ref;
	int minor;
	bool added;
	bool linked;
	enum nvme_fence_grade grade;
	char name[NVME_FENCE_NAME_MAX + 1];
	struct work_struct tell_work;
	struct delayed_work lease_work;
	struct work_struct orphan_work;
};

extern struct mutex nvf_open_mutex;
extern struct rw_semaphore nvf_table_sem;
extern struct list_head nvf_attachments;
extern struct workqueue_struct *nvf_wq;

/* ---- data_bio.c: bios ---- */

extern struct kmem_cache *nvf_io_cache;

void nvf_submit_bio(struct bio *bio);
int nvf_bio_init(void);
void nvf_bio_exit(void);

/* ---- data_gate.c: opening, shutting, and waiting until it is over ---- */

/** nvf_gate_apply() - copy the decision to where I/O looks; lower->lock is held */
void nvf_gate_apply(struct nvf_attachment *att);

/**
 * nvf_gate_lose() - an event that takes the epoch away; lower->lock is held
 *
 * The attachment's work tells about it.
 */
void nvf_gate_lose(struct nvf_attachment *att, enum nvf_event event);

/** nvf_gate_conflict() - the device refused a write; from any context */
void nvf_gate_conflict(struct nvf_attachment *att);

/**
 * nvf_publish() - from now on @epoch is the newest one; @att acquires it
 *
 * Every gate of the device is shut on return, and those of other attachments are stale.
 * Return: false when @epoch is not newer than what was published before; nothing is done then
 */
bool nvf_publish(struct nvf_attachment *att, u64 epoch);

/**
 * nvf_drain() - wait until no write that has passed a gate of @lower is below
 * @over: ends the wait early; nvf_drain_wake() has it looked at
 *
 * Within a job. Gates that are open are not waited for. Return: whether all is over
 */
bool nvf_drain(struct nvf_lower *lower, unsigned long deadline, bool (*over)(void *data),
	       void *data);
void nvf_drain_wake(struct nvf_lower *lower);

/** nvf_drain_all() - wait until no bio at all of an attachment is below; its gate is shut */
void nvf_drain_all(struct nvf_attachment *att);

/** nvf_flight_sum() - bios below, of a shut gate the number only falls; and those refused */
struct nvf_flight nvf_flight_sum(const struct nvf_attachment *att);

/** nvf_lease_start() - the lease begins anew; lower->lock is held */
void nvf_lease_start(struct nvf_attachment *att);
void nvf_gate_init(struct nvf_attachment *att);
/** nvf_gate_exit() - no work of the gate runs any more */
void nvf_gate_exit(struct nvf_attachment *att);

/* ---- dev_lower.c: devices ---- */

/**
 * nvf_lower_get() - the device at a path, opened if it is not open yet; nvf_open_mutex is held
 * @path: as user space sees it
 * @node: this node's number
 * @host_id: may be NULL
 */
struct nvf_lower *nvf_lower_get(const char *path, u16 node, const u8 *host_id,
				struct netlink_ext_ack *extack);
/** nvf_lower_put() - give it back; the last one closes the device, under nvf_open_mutex */
void nvf_lower_put(struct nvf_lower *lower);
/** nvf_lower_put_locked() - the same for who holds nvf_open_mutex */
void nvf_lower_put_locked(struct nvf_lower *lower);
/** nvf_lower_hold() - one more reference for who has one */
void nvf_lower_hold(struct nvf_lower *lower);
/** nvf_lower_queue() - have one of its work items run, with a reference that the work gives back */
void nvf_lower_queue(struct nvf_lower *lower, struct work_struct *work);
/** nvf_lower_settle() - who has detached last waits until no work keeps the device open */
void nvf_lower_settle(struct nvf_lower *lower);
/** nvf_lower_saw() - an epoch is known to have been used; @lower->lock is held */
void nvf_lower_saw(struct nvf_lower *lower, u64 epoch);
/** nvf_lower_gone() - the device was removed; from any context */
void nvf_lower_gone(struct nvf_lower *lower);
/** nvf_lower_check() - look whether it was removed, where the kernel does not tell */
void nvf_lower_check(struct nvf_lower *lower);
void nvf_lower_exit(void);

/* ---- dev_pr.c: reservation commands; they sleep until the device has answered ---- */

/** nvf_dev_offers_pr() - are there reservation commands that may be used? */
bool nvf_dev_offers_pr(const struct nvf_lower *lower);
/** nvf_dev_can_read() - does this kernel read reservations of that device? */
bool nvf_dev_can_read(const struct nvf_lower *lower);
/**
 * nvf_dev_read() - what the device says, in job->report
 *
 * This and the commands wait, for as long as the job may, while no path leads to the device: what
 * was not sent can be sent later.
 * Return: 0, -EOPNOTSUPP when the device has no reservations, -EIO
 */
int nvf_dev_read(struct nvf_job *job, unsigned int *commands);
enum nvf_outcome nvf_dev_register(struct nvf_job *job, u64 old_key, u64 new_key);
enum nvf_outcome nvf_dev_reserve(struct nvf_job *job, u64 key);
enum nvf_outcome nvf_dev_preempt(struct nvf_job *job, u64 key, u64 victim);

/* ---- dev_disk.c: the disk of an attachment ---- */

extern const struct block_device_operations nvf_disk_fops;

int nvf_disk_make(struct nvf_attachment *att);
int nvf_disk_add(struct nvf_attachment *att);
/** nvf_disk_remove() - nobody has it open; returns when no bio is below any more */
void nvf_disk_remove(struct nvf_attachment *att);
/** nvf_disk_resize() - as large as the device below */
void nvf_disk_resize(struct nvf_attachment *att);
void nvf_disk_exit(void);

/* ---- dev_job.c: what waits for a device ---- */

/**
 * struct nvf_job - something that sends commands to a device
 * @run: does it, in the order of queueing, one at a time for a device
 * @lower: the device
 * @att: the attachment concerned, may be NULL
 * @report: room for a report; the one that was handed in if @report_given
 * @report_given: it has not been looked at yet
 * @report_grants: nvf_lower.grants from before it was read
 * @hosts: a report that was handed in where the kernel reads by itself: it tells whose keys are
 *	whose. May be NULL
 * @impatient: does not wait for a path to the device
 * @read: @report is what the device says now
 * @acq: the acquire, for those that acquire
 * @op: for ctl_pr.c
 * @deadline: jiffies
 * @abandoned: nobody waits any more, so nothing may be granted; under lower->lock
 * @ended: it has come to a result that stays; under lower->lock
 * @ret: the result
 * @why: one sentence when @ret is an error
 * @wanted: a report is wanted
 * @winner: of an acquire that lost, if @lost
 * @lost: likewise
 */
struct nvf_job {
	void (*run)(struct nvf_job *job);
	struct nvf_lower *lower;
	struct nvf_attachment *att;
	struct nvf_report report;
	bool report_given;
	u64 report_grants;
	struct nvf_report *hosts;
	bool impatient;
	bool read;
	struct nvf_acq *acq;
	struct nvf_pr_op *op;
	unsigned long deadline;
	bool abandoned;
	bool ended;
	int ret;
	const char *why;
	bool wanted;
	bool lost;
	struct nvf_registrant winner;

	struct list_head list;
	struct kref ref;
	struct completion done;
};

struct nvf_job *nvf_job_alloc(struct nvf_lower *lower, struct nvf_attachment *att,
			      void (*run)(struct nvf_job *job), u32 timeout_ms);
/**
 * nvf_job_wait() - have a job run and wait for it, until its deadline or a signal
 * @job: nvf_job_put() is the caller's
 * @killable: only a deadly signal ends the wait
 *
 * Return: the job's result; or -ETIMEDOUT or -EINTR when it has been abandoned, which may then run
 * still, but never opens a gate: nothing of it but nvf_job_why() is to be looked at
 */
int nvf_job_wait(struct nvf_job *job, bool killable);
/** nvf_job_why() - after nvf_job_wait() returned an error: one sentence, or NULL */
const char *nvf_job_why(const struct nvf_job *job);
void nvf_job_put(struct nvf_job *job);
/** nvf_job_over() - has it run out of time, or is nobody interested? */
bool nvf_job_over(const struct nvf_job *job);
void nvf_lower_work(struct work_struct *work);

/* ---- ctl_acquire.c: acquire, release, comparing with the device ---- */

/** struct nvf_acquire_params - what an acquire asks for; the times and reports are in the job */
struct nvf_acquire_params {
	u64 epoch;
	u64 known;
	bool preempt_foreign;
	bool set_lease;
	u32 lease;
};

/** struct nvf_acq - an acquire on its way */
struct nvf_acq {
	struct nvf_acquire a;
	struct nvf_action action;
	unsigned int commands;
	bool begun;
	bool hosts_wanted;	/* somebody has a key of this host's that is not known to be its */
	bool hosts_asked;
	bool set_lease;
	u32 lease;
	bool by_preempt;	/* a consumer's preempt of registrations with this key */
	u64 victim;
};

struct nvf_acq *nvf_acq_make(struct nvf_attachment *att, const struct nvf_acquire_params *p);
/** nvf_acquire_run() - of a job with an acq */
void nvf_acquire_run(struct nvf_job *job);
/** nvf_verify_run() - read the reservation, fence what the device has forgotten */
void nvf_verify_run(struct nvf_job *job);
/** nvf_release_run() - give the epoch back, by the administrator */
void nvf_release_run(struct nvf_job *job);
/** nvf_release_now() - within a job: give it back for that reason */
int nvf_release_now(struct nvf_job *job, enum nvf_event event);
/** nvf_job_read() - within a job: the reservation, as read or as handed in */
int nvf_job_read(struct nvf_job *job);

/* ---- ctl_pr.c: reservations as consumers see them ---- */

extern const struct pr_ops nvf_pr_ops;

/* ---- ctl_attach.c: attachments ---- */

struct nvf_attach_params {
	const char *name;
	const char *device;
	u32 node_id;
	const u8 *host_id;
	bool grade_given;
	u32 grade;
	u64 known;
	u32 lease;
	const struct nvf_report *report;	/* may be NULL */
	u32 timeout;
};

/** nvf_attach() - Return: the attachment with a reference, or an error */
struct nvf_attachment *nvf_attach(const struct nvf_attach_params *p,
				  struct netlink_ext_ack *extack);
/** nvf_detach() - the caller's reference stays */
int nvf_detach(struct nvf_attachment *att, struct netlink_ext_ack *extack);
/** nvf_attachment_get() - by name, with a reference */
struct nvf_attachment *nvf_attachment_get(const char *name);
void nvf_attachment_put(struct nvf_attachment *att);
/** nvf_attachments_seq() - changes whenever an attachment comes or goes; nvf_table_sem is held */
unsigned int nvf_attachments_seq(void);

/* ---- ctl_event.c, ctl_netlink.c, ctl_reply.c ---- */

struct genl_info;
struct sk_buff;

extern struct genl_family nvf_genl_family;

/** nvf_event() - one message to whoever listens; may sleep. @winner may be NULL */
void nvf_event(enum nvme_fence_event type, struct nvf_attachment *att,
	       const struct nvf_registrant *winner);
int nvf_put_attachment(struct sk_buff *skb, struct nvf_attachment *att);
int nvf_put_report(struct sk_buff *skb, const struct nvf_report *report);
int nvf_put_winner(struct sk_buff *skb, const struct nvf_registrant *winner);
int nvf_netlink_init(void);
void nvf_netlink_exit(void);

#endif /* NVF_FENCE_H */
