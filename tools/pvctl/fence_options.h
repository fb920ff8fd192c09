/* SPDX-License-Identifier: GPL-2.0 */
/* Numbers and words on the command lines of pvctl fence. */
#ifndef PVCTL_FENCE_OPTIONS_H
#define PVCTL_FENCE_OPTIONS_H

#include "fence_ctl.h"

/** pv_fence_options() - check the name and read the options a command has. Return: an exit status */
int pv_fence_options(struct pv_ctx *ctx, struct pv_fence_request *request);

#endif /* PVCTL_FENCE_OPTIONS_H */
