// SPDX-License-Identifier: GPL-2.0
/* 6.2: ->pre_doit() gets a split operation. */
#include <net/genetlink.h>
static int probe_pre(const struct genl_split_ops *ops, struct sk_buff *skb, struct genl_info *info)
{
	return 0;
}

const struct genl_family probe_family;
const struct genl_family probe_family = { .pre_doit = probe_pre };
