/* SPDX-License-Identifier: GPL-2.0 */
/* CRC32C eight bytes at a time instead of one bit: most of the time goes there otherwise. */
#ifndef PMV_CRASH_CRC_H
#define PMV_CRASH_CRC_H

#include "pmv_port.h"

u32 fast_crc32c(u32 crc, const void *data, size_t len);

#define crc32c fast_crc32c

#endif /* PMV_CRASH_CRC_H */
