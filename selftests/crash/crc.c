// SPDX-License-Identifier: GPL-2.0
#include "pmv_port.h"

u32 fast_crc32c(u32 crc, const void *data, size_t len);

static u32 table[8][256];

static void __attribute__((constructor)) fill(void)
{
	unsigned int i, n;
	u8 byte;

	for (i = 0; i < 256; i++) {
		byte = i;
		table[0][i] = crc32c(0, &byte, 1);
	}
	for (n = 1; n < 8; n++)
		for (i = 0; i < 256; i++)
			table[n][i] = table[n - 1][i] >> 8 ^ table[0][table[n - 1][i] & 0xff];
}

u32 fast_crc32c(u32 crc, const void *data, size_t len)
{
	const u8 *p = data;

	for (; len >= 8; len -= 8, p += 8)
		crc = table[7][(crc ^ p[0]) & 0xff] ^ table[6][(crc >> 8 ^ p[1]) & 0xff] ^
		      table[5][(crc >> 16 ^ p[2]) & 0xff] ^ table[4][crc >> 24 ^ p[3]] ^
		      table[3][p[4]] ^ table[2][p[5]] ^ table[1][p[6]] ^ table[0][p[7]];
	while (len--)
		crc = crc >> 8 ^ table[0][(crc ^ *p++) & 0xff];
	return crc;
}
