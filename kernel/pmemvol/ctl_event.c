// SPDX-License-Identifier: GPL-2.0
/* Events: one message to whoever listens. */
#include <linux/mutex.h>
#include <linux/sched/mm.h>
#include <net/genetlink.h>

#include "ctl.h"

/* Held until the message is with the listeners: who sees a number left out has missed an event. */
static DEFINE_MUTEX(event_lock);
static u64 event_seq;

void pmv_event(enum pmemvol_event type, struct pmv_pool *pool, struct pmv_volume *v)
{
	unsigned int noio = memalloc_noio_save();
	struct sk_buff *skb;

	mutex_lock(&event_lock);
	event_seq++;
	if (!genl_has_listeners(&pmv_genl_family, &init_net, 0))
		goto out;
	skb = genlmsg_new(NLMSG_DEFAULT_SIZE, GFP_KERNEL);
	if (!skb)
		goto out;
	if (pmv_netlink_put_event(skb, type, event_seq, pool, v)) {
		nlmsg_free(skb);
		goto out;
	}
	genlmsg_multicast(&pmv_genl_family, skb, 0, 0, GFP_KERNEL);
out:
	mutex_unlock(&event_lock);
	memalloc_noio_restore(noio);
}
