// SPDX-License-Identifier: GPL-2.0
/* Events: one message to whoever listens. */
#include <linux/mutex.h>
#include <net/genetlink.h>

#include "fence.h"

/* Held until the message is with the listeners: who sees a number left out has missed an event. */
static DEFINE_MUTEX(event_lock);
static u64 event_seq;

static int put_event(struct sk_buff *skb, enum nvme_fence_event type, u64 seq,
		     struct nvf_attachment *att, const struct nvf_registrant *winner)
{
	struct nlattr *nest;
	void *hdr;

	hdr = genlmsg_put(skb, 0, 0, &nvf_genl_family, 0, NVME_FENCE_CMD_EVENT);
	if (!hdr)
		return -EMSGSIZE;
	nest = nla_nest_start(skb, NVME_FENCE_A_EVENT);
	if (!nest || nla_put_u32(skb, NVME_FENCE_A_EVENT_TYPE, type) ||
	    nla_put_u64_64bit(skb, NVME_FENCE_A_EVENT_SEQ, seq, NVME_FENCE_A_EVENT_PAD))
		return -EMSGSIZE;
	nla_nest_end(skb, nest);
	if (nvf_put_attachment(skb, att) || (winner && nvf_put_winner(skb, winner)))
		return -EMSGSIZE;
	genlmsg_end(skb, hdr);
	return 0;
}

void nvf_event(enum nvme_fence_event type, struct nvf_attachment *att,
	       const struct nvf_registrant *winner)
{
	struct sk_buff *skb;

	mutex_lock(&event_lock);
	event_seq++;
	if (!genl_has_listeners(&nvf_genl_family, &init_net, 0))
		goto out;
	skb = genlmsg_new(NLMSG_DEFAULT_SIZE, GFP_KERNEL);
	if (!skb)
		goto out;
	if (put_event(skb, type, event_seq, att, winner)) {
		nlmsg_free(skb);
		goto out;
	}
	genlmsg_multicast(&nvf_genl_family, skb, 0, 0, GFP_KERNEL);
out:
	mutex_unlock(&event_lock);
}
