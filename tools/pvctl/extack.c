// SPDX-License-Identifier: GPL-2.0
#include "extack.h"

#include <linux/genetlink.h>
#include <linux/nvme_fence.h>
#include <linux/pmemvol.h>
#include <netlink/attr.h>
#include <stdbool.h>
#include <string.h>

/*
 * The TLVs stand behind the error code, and behind the copy of the request's
 * payload where the kernel has not left that out.
 */
static size_t tlv_offset(const struct nlmsghdr *nlh)
{
	const struct nlmsgerr *err;
	size_t off;

	if (nlh->nlmsg_type == NLMSG_DONE)
		return NLMSG_LENGTH(sizeof(int));
	off = NLMSG_LENGTH(sizeof(*err));
	if (nlh->nlmsg_len < off)
		return nlh->nlmsg_len;
	err = (const struct nlmsgerr *)((const char *)nlh + NLMSG_HDRLEN);
	if (!(nlh->nlmsg_flags & NLM_F_CAPPED) && err->msg.nlmsg_len > NLMSG_HDRLEN)
		off += NLMSG_ALIGN(err->msg.nlmsg_len - NLMSG_HDRLEN);
	return off;
}

void pv_extack_parse(const struct nlmsghdr *nlh, struct pv_extack *out)
{
	size_t off;
	struct nlattr *attr;
	int rem;

	memset(out, 0, sizeof(*out));
	if (!(nlh->nlmsg_flags & NLM_F_ACK_TLVS))
		return;
	off = tlv_offset(nlh);
	if (off >= nlh->nlmsg_len)
		return;
	rem = (int)(nlh->nlmsg_len - off);
	nla_for_each_attr(attr, (struct nlattr *)((char *)nlh + off), rem, rem) {
		if (nla_type(attr) == NLMSGERR_ATTR_MSG)
			nla_strlcpy(out->message, attr, sizeof(out->message));
		else if (nla_type(attr) == NLMSGERR_ATTR_OFFS && nla_len(attr) >= 4)
			out->offset = nla_get_u32(attr);
	}
}

static const char *member_device(struct nlattr *member)
{
	struct nlattr *device = nla_find(nla_data(member), nla_len(member),
					 PMEMVOL_A_MEMBER_DEVICE);

	return device ? nla_get_string(device) : NULL;
}

/* Is the attribute at @offset within this one? */
static bool covers(const struct nlmsghdr *request, const struct nlattr *attr, uint32_t offset)
{
	const char *start = (const char *)attr, *blamed = (const char *)request + offset;

	return blamed >= start && blamed < start + nla_total_size(nla_len(attr));
}

/* What stands behind the headers of a request that @offset lies in. Return: its length, or 0 */
static int attributes(const struct nlmsghdr *request, uint32_t offset, struct nlattr **first)
{
	size_t head = NLMSG_HDRLEN + GENL_HDRLEN;

	if (!offset || request->nlmsg_len <= head || offset >= request->nlmsg_len)
		return 0;
	*first = (struct nlattr *)((char *)request + head);
	return (int)(request->nlmsg_len - head);
}

const char *pv_extack_device(const struct nlmsghdr *request, uint32_t offset)
{
	struct nlattr *first, *pool, *member;
	int rem = attributes(request, offset, &first), rem2;

	if (!rem)
		return NULL;
	nla_for_each_attr(pool, first, rem, rem) {
		if (nla_type(pool) != PMEMVOL_A_POOL)
			continue;
		nla_for_each_nested(member, pool, rem2)
			if (nla_type(member) == PMEMVOL_A_POOL_MEMBER &&
			    covers(request, member, offset))
				return member_device(member);
	}
	return NULL;
}

const char *pv_extack_lower(const struct nlmsghdr *request, uint32_t offset)
{
	struct nlattr *first, *top, *attr;
	int rem = attributes(request, offset, &first), rem2;

	if (!rem)
		return NULL;
	nla_for_each_attr(top, first, rem, rem) {
		if (nla_type(top) != NVME_FENCE_A_ATTACHMENT)
			continue;
		nla_for_each_nested(attr, top, rem2)
			if (nla_type(attr) == NVME_FENCE_A_ATT_DEVICE &&
			    covers(request, attr, offset))
				return nla_get_string(attr);
	}
	return NULL;
}
