/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What kernel/nvme_fence/core/ takes from its surroundings, here from user space.
 */
#ifndef NVF_PORT_H
#define NVF_PORT_H

#include <assert.h>
#include <errno.h>
#include <linux/types.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;

#endif /* NVF_PORT_H */
