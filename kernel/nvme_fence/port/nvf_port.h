/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What core/ takes from its surroundings, here from the kernel. The user-space
 * builds put tools/port/ on the include path instead.
 */
#ifndef NVF_PORT_H
#define NVF_PORT_H

#include <linux/build_bug.h>
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/minmax.h>
#include <linux/stddef.h>
#include <linux/string.h>
#include <linux/types.h>

#endif /* NVF_PORT_H */
