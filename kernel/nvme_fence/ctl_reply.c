// SPDX-License-Identifier: GPL-2.0
/* What is told of attachments and reservations, in replies and events. */
#include <linux/ktime.h>
#include <net/genetlink.h>

#include "fence.h"

static u64 devnum(dev_t dev)
{
	return (u64)MAJOR(dev) << 32 | MINOR(dev);
}

/* What changes, taken at one moment. */
struct status {
	struct nvf_gate state;
	enum nvme_fence_reason reason;
	u64 epoch;
	u64 device_epoch;
	u64 grants;
	u32 lease;
	u32 lease_left;
	u32 commands;
	bool host_known;
	u8 host_id[NVF_HOST_ID_SIZE];
};

static enum nvme_fence_reason reason_of(const struct nvf_attachment *att)
{
	if (att->acquiring)
		return NVME_FENCE_REASON_ACQUIRING;
	if (att->state.state == NVF_GRANTED)
		return NVME_FENCE_REASON_NONE;
	switch (att->state.event) {
	case NVF_EV_TAKEN_OVER:
		return NVME_FENCE_REASON_TAKEN_OVER;
	case NVF_EV_CONFLICT:
		return NVME_FENCE_REASON_CONFLICT;
	case NVF_EV_LEASE:
		return NVME_FENCE_REASON_LEASE;
	case NVF_EV_FORGOTTEN:
		return NVME_FENCE_REASON_FORGOTTEN;
	case NVF_EV_GONE:
		return NVME_FENCE_REASON_GONE;
	case NVF_EV_RELEASE:
	case NVF_EV_RELEASE_ADMIN:
		return NVME_FENCE_REASON_RELEASED;
	case NVF_EV_ACQUIRE:
	case NVF_EV_FAILED:
		return NVME_FENCE_REASON_ACQUIRING;
	case NVF_EV_OPEN:
	case NVF_EV_CLOSE:
	case NVF_EV_GRANT:
		break;
	}
	return att->unfinished ? NVME_FENCE_REASON_ACQUIRING : NVME_FENCE_REASON_NEW;
}

static void get_status(struct nvf_attachment *att, struct status *s)
{
	struct nvf_lower *lower = att->lower;
	u64 now = ktime_get_boottime_ns();

	memset(s, 0, sizeof(*s));
	spin_lock_irq(&lower->lock);
	s->state = att->state;
	s->reason = reason_of(att);
	s->epoch = att->acq && att->acquiring ? att->tried : att->state.epoch;
	s->device_epoch = max(lower->newest, lower->seen);
	s->grants = lower->grants;
	s->lease = att->lease;
	if (att->lease && att->state.state == NVF_GRANTED && att->deadline > now)
		s->lease_left = div_u64(att->deadline - now, NSEC_PER_MSEC);
	s->commands = att->commands;
	s->host_known = lower->host_known;
	memcpy(s->host_id, lower->host_id, sizeof(s->host_id));
	spin_unlock_irq(&lower->lock);
}

static int put_fixed(struct sk_buff *skb, struct nvf_attachment *att)
{
	const struct nvf_lower *lower = att->lower;
	char name[BDEVNAME_SIZE];

	snprintf(name, sizeof(name), "%pg", att->bdev);
	if (nla_put_string(skb, NVME_FENCE_A_ATT_NAME, att->name) ||
	    nla_put_string(skb, NVME_FENCE_A_ATT_DEVICE, name) ||
	    nla_put_u64_64bit(skb, NVME_FENCE_A_ATT_DEVICE_DEVNUM, devnum(att->bdev->bd_dev),
			      NVME_FENCE_A_ATT_PAD) ||
	    nla_put_u32(skb, NVME_FENCE_A_ATT_NODE_ID, lower->node_id) ||
	    (lower->unique_id_len && nla_put(skb, NVME_FENCE_A_ATT_UNIQUE_ID,
					     lower->unique_id_len, lower->unique_id)) ||
	    nla_put_u32(skb, NVME_FENCE_A_ATT_GRADE, att->grade))
		return -EMSGSIZE;
	return 0;
}

static int put_disk_of(struct sk_buff *skb, const struct nvf_attachment *att)
{
	/* One that was detached has none any more. */
	if (!att->disk)
		return 0;
	if (nla_put_string(skb, NVME_FENCE_A_ATT_DISK, att->disk->disk_name) ||
	    nla_put_u64_64bit(skb, NVME_FENCE_A_ATT_DEVNUM, devnum(disk_devt(att->disk)),
			      NVME_FENCE_A_ATT_PAD) ||
	    nla_put_u64_64bit(skb, NVME_FENCE_A_ATT_SIZE, get_capacity(att->disk) << SECTOR_SHIFT,
			      NVME_FENCE_A_ATT_PAD))
		return -EMSGSIZE;
	return 0;
}

static int put_status(struct sk_buff *skb, struct nvf_attachment *att)
{
	struct nvf_flight flight = nvf_flight_sum(att);
	struct status s;

	get_status(att, &s);
	if ((s.host_known && nla_put(skb, NVME_FENCE_A_ATT_HOST_ID, sizeof(s.host_id),
				     s.host_id)) ||
	    nla_put_u32(skb, NVME_FENCE_A_ATT_STATE, s.state.state) ||
	    nla_put_u32(skb, NVME_FENCE_A_ATT_REASON, s.reason) ||
	    nla_put_u64_64bit(skb, NVME_FENCE_A_ATT_EPOCH, s.epoch, NVME_FENCE_A_ATT_PAD) ||
	    nla_put_u64_64bit(skb, NVME_FENCE_A_ATT_DEVICE_EPOCH, s.device_epoch,
			      NVME_FENCE_A_ATT_PAD) ||
	    nla_put_u64_64bit(skb, NVME_FENCE_A_ATT_IN_FLIGHT, flight.writes + flight.reads,
			      NVME_FENCE_A_ATT_PAD) ||
	    nla_put_u64_64bit(skb, NVME_FENCE_A_ATT_WRITES_IN_FLIGHT, flight.writes,
			      NVME_FENCE_A_ATT_PAD) ||
	    nla_put_u32(skb, NVME_FENCE_A_ATT_OPENERS, s.state.openers) ||
	    nla_put_u32(skb, NVME_FENCE_A_ATT_LEASE, s.lease) ||
	    nla_put_u32(skb, NVME_FENCE_A_ATT_LEASE_LEFT, s.lease_left) ||
	    nla_put_u32(skb, NVME_FENCE_A_ATT_COMMANDS, s.commands) ||
	    (s.state.sticky && nla_put_flag(skb, NVME_FENCE_A_ATT_STICKY)) ||
	    nla_put_u64_64bit(skb, NVME_FENCE_A_ATT_REFUSED, flight.refused,
			      NVME_FENCE_A_ATT_PAD) ||
	    nla_put_u64_64bit(skb, NVME_FENCE_A_ATT_GRANTS, s.grants, NVME_FENCE_A_ATT_PAD))
		return -EMSGSIZE;
	return 0;
}

int nvf_put_attachment(struct sk_buff *skb, struct nvf_attachment *att)
{
	struct nlattr *nest = nla_nest_start(skb, NVME_FENCE_A_ATTACHMENT);

	if (!nest || put_fixed(skb, att) || put_disk_of(skb, att) || put_status(skb, att))
		return -EMSGSIZE;
	nla_nest_end(skb, nest);
	return 0;
}

static int put_registrant(struct sk_buff *skb, const struct nvf_registrant *reg)
{
	u64 epoch;
	u16 node;

	if (nla_put_u64_64bit(skb, NVME_FENCE_A_REG_KEY, reg->key, NVME_FENCE_A_REG_PAD) ||
	    (reg->holder && nla_put_flag(skb, NVME_FENCE_A_REG_HOLDER)) ||
	    (reg->host_known && nla_put(skb, NVME_FENCE_A_REG_HOST_ID, sizeof(reg->host),
					reg->host)))
		return -EMSGSIZE;
	if (!nvf_key_parse(reg->key, &epoch, &node))
		return 0;
	if (nla_put_u64_64bit(skb, NVME_FENCE_A_REG_EPOCH, epoch, NVME_FENCE_A_REG_PAD) ||
	    nla_put_u32(skb, NVME_FENCE_A_REG_NODE_ID, node))
		return -EMSGSIZE;
	return 0;
}

int nvf_put_winner(struct sk_buff *skb, const struct nvf_registrant *winner)
{
	struct nlattr *nest = nla_nest_start(skb, NVME_FENCE_A_WINNER);

	if (!nest || put_registrant(skb, winner))
		return -EMSGSIZE;
	nla_nest_end(skb, nest);
	return 0;
}

int nvf_put_report(struct sk_buff *skb, const struct nvf_report *report)
{
	struct nlattr *nest = nla_nest_start(skb, NVME_FENCE_A_REPORT), *reg;
	unsigned int i;

	if (!nest || nla_put_u32(skb, NVME_FENCE_A_REPORT_GENERATION, report->generation) ||
	    nla_put_u32(skb, NVME_FENCE_A_REPORT_TYPE, report->type))
		return -EMSGSIZE;
	for (i = 0; i < min_t(unsigned int, report->count, NVF_REGISTRANTS_MAX); i++) {
		reg = nla_nest_start(skb, NVME_FENCE_A_REPORT_REGISTRANT);
		if (!reg || put_registrant(skb, &report->reg[i]))
			return -EMSGSIZE;
		nla_nest_end(skb, reg);
	}
	nla_nest_end(skb, nest);
	return 0;
}
