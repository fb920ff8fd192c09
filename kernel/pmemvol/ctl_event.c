// SPDX-License-Identifier: GPL-2.0
/* Events: one message to whoever listens. */
#include <linux/atomic.h>
#include <linux/sched/mm.h>
#include <net/genetlink.h>

#include "pool.h"

static atomic64_t event_seq;

void pmv_event(enum pmemvol_event type, struct pmv_pool *pool, struct pmv_volume *v)
{
	u64 seq = atomic64_inc_return(&event_seq);
	struct sk_buff *skb;
	unsigned int noio;

	if (!genl_has_listeners(&pmv_genl_family, &init_net, 0))
		return;
	noio = memalloc_noio_save();
	skb = genlmsg_new(NLMSG_DEFAULT_SIZE, GFP_KERNEL);
	if (!skb)
		goto out;
	if (pmv_netlink_put_event(skb, type, seq, pool, v)) {
		nlmsg_free(skb);
		goto out;
	}
	genlmsg_multicast(&pmv_genl_family, skb, 0, 0, GFP_KERNEL);
out:
	memalloc_noio_restore(noio);
}
