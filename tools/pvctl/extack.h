/* SPDX-License-Identifier: GPL-2.0 */
/* The extended acknowledgement: the kernel's sentence and the attribute it is about. */
#ifndef PVCTL_EXTACK_H
#define PVCTL_EXTACK_H

#include <linux/netlink.h>
#include <stddef.h>
#include <stdint.h>

/**
 * struct pv_extack - what came with a refusal
 * @message: empty when there was none
 * @offset: of the attribute to blame, from the start of the request; 0 when there was none
 */
struct pv_extack {
	char message[576];
	uint32_t offset;
};

/** pv_extack_parse() - read what follows the error code. @nlh: NLMSG_ERROR or NLMSG_DONE, whole */
void pv_extack_parse(const struct nlmsghdr *nlh, struct pv_extack *out);

/**
 * pv_extack_device() - which member device of a request an offset lies in
 * @request: as it was sent
 * @offset: from the acknowledgement
 *
 * Return: the path in the request, or NULL.
 */
const char *pv_extack_device(const struct nlmsghdr *request, uint32_t offset);

/** pv_extack_lower() - the same of a request to nvme_fence: the device to attach, if that is to blame */
const char *pv_extack_lower(const struct nlmsghdr *request, uint32_t offset);

#endif /* PVCTL_EXTACK_H */
