// SPDX-License-Identifier: GPL-2.0
/* 6.1: a family says from which command on its reserved fields are looked at. */
#include <net/genetlink.h>
const struct genl_family probe_family;
const struct genl_family probe_family = { .resv_start_op = 1 };
