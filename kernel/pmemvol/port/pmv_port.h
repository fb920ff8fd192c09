/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What core/ takes from its surroundings, here from the kernel. The user-space
 * builds put tools/port/ on the include path instead.
 */
#ifndef PMV_PORT_H
#define PMV_PORT_H

#include <linux/types.h>
#include <linux/bitmap.h>
#include <linux/bitops.h>
#include <linux/build_bug.h>
#include <linux/crc32c.h>
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/log2.h>
#include <linux/math64.h>
#include <linux/minmax.h>
#include <linux/stddef.h>
#include <linux/string.h>
#include <asm/byteorder.h>

#endif /* PMV_PORT_H */
