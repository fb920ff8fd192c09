/* SPDX-License-Identifier: GPL-2.0 */
/* Attributes of netlink: libnl/attr.h, whose policies are not const before 3.5. */
#ifndef PVCTL_ATTR_H
#define PVCTL_ATTR_H

#include <netlink/attr.h>

/* The policy is only read, whatever its type is. */
static inline int pv_parse_nested(struct nlattr *tb[], int max, struct nlattr *nest,
				  const struct nla_policy *policy)
{
	return nla_parse_nested(tb, max, nest, (struct nla_policy *)policy);
}

#define nla_parse_nested(tb, max, nest, policy) pv_parse_nested(tb, max, nest, policy)

#endif /* PVCTL_ATTR_H */
