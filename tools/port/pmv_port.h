/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What kernel/pmemvol/core/ takes from its surroundings, here from user space:
 * the few names of the kernel's own headers that it uses, with their meaning there.
 */
#ifndef PMV_PORT_H
#define PMV_PORT_H

#include <assert.h>
#include <endian.h>
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
typedef int64_t s64;

#define le16_to_cpu(x)	le16toh((uint16_t)(x))
#define le32_to_cpu(x)	le32toh((uint32_t)(x))
#define le64_to_cpu(x)	le64toh((uint64_t)(x))
#define cpu_to_le16(x)	htole16(x)
#define cpu_to_le32(x)	htole32(x)
#define cpu_to_le64(x)	htole64(x)

#define BITS_PER_LONG	(8 * (unsigned int)sizeof(long))
#define BITS_TO_LONGS(n) (((n) + BITS_PER_LONG - 1) / BITS_PER_LONG)
#define BIT_ULL(n)	(1ULL << (n))
#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))
#define WRITE_ONCE(x, v) (*(volatile __typeof__(x) *)&(x) = (v))
#define likely(x)	__builtin_expect(!!(x), 1)
#define unlikely(x)	__builtin_expect(!!(x), 0)
#define min(a, b)	({ __auto_type _a = (a); __auto_type _b = (b); _a < _b ? _a : _b; })
#define max(a, b)	({ __auto_type _a = (a); __auto_type _b = (b); _a > _b ? _a : _b; })
#define DIV_ROUND_UP(n, d) (((n) + (d) - 1) / (d))

#ifndef EUCLEAN
#define EUCLEAN 117
#endif

static inline bool is_power_of_2(unsigned long n)
{
	return n && !(n & (n - 1));
}

static inline u64 div_u64(u64 a, u32 b)
{
	return a / b;
}

static inline bool test_bit(unsigned long n, const unsigned long *map)
{
	return map[n / BITS_PER_LONG] >> (n % BITS_PER_LONG) & 1;
}

static inline void __set_bit(unsigned long n, unsigned long *map)
{
	map[n / BITS_PER_LONG] |= 1UL << (n % BITS_PER_LONG);
}

static inline void __clear_bit(unsigned long n, unsigned long *map)
{
	map[n / BITS_PER_LONG] &= ~(1UL << (n % BITS_PER_LONG));
}

static inline unsigned long pmv_port_find(const unsigned long *map, unsigned long size,
					  unsigned long from, unsigned long invert)
{
	while (from < size) {
		unsigned long w = (map[from / BITS_PER_LONG] ^ invert) >> (from % BITS_PER_LONG);

		if (w) {
			from += (unsigned long)__builtin_ctzl(w);
			return from < size ? from : size;
		}
		from = (from / BITS_PER_LONG + 1) * BITS_PER_LONG;
	}
	return size;
}

static inline unsigned long find_next_bit(const unsigned long *map, unsigned long size,
					  unsigned long from)
{
	return pmv_port_find(map, size, from, 0);
}

static inline unsigned long find_next_zero_bit(const unsigned long *map, unsigned long size,
					       unsigned long from)
{
	return pmv_port_find(map, size, from, ~0UL);
}

/* CRC32C as the kernel's crc32c(): no inversion at either end. */
static inline u32 crc32c(u32 crc, const void *data, size_t len)
{
	const u8 *p = data;

#ifdef __SSE4_2__
	for (u64 word; len >= sizeof(word); p += sizeof(word), len -= sizeof(word)) {
		memcpy(&word, p, sizeof(word));
		crc = (u32)__builtin_ia32_crc32di(crc, word);
	}
#endif
	while (len--) {
		crc ^= *p++;
		for (int i = 0; i < 8; i++)
			crc = crc >> 1 ^ (0x82f63b78U & -(crc & 1));
	}
	return crc;
}

static inline const void *memchr_inv(const void *p, int c, size_t len)
{
	for (const u8 *b = p; len; b++, len--)
		if (*b != (u8)c)
			return b;
	return NULL;
}

#endif /* PMV_PORT_H */
