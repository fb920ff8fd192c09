// SPDX-License-Identifier: GPL-2.0
/* feature DEVICE BITS: set bits of "incompat" in both superblocks of a member that is not in use. */
#define _GNU_SOURCE
#include <endian.h>
#include <fcntl.h>
#include <unistd.h>

#include "prog.h"

#define SIZE 4096
#define COPY_STRIDE (512 << 10)
#define CRC 8
#define INCOMPAT 40

static uint32_t crc32c(const unsigned char *p, size_t len)
{
	uint32_t crc = ~0U;

	while (len--) {
		crc ^= *p++;
		for (int bit = 0; bit < 8; bit++)
			crc = crc >> 1 ^ (crc & 1 ? 0x82f63b78 : 0);
	}
	return crc;
}

int main(int argc, char **argv)
{
	unsigned char *sb;
	uint64_t bits;
	uint32_t crc;
	int fd;

	if (argc != 3)
		errx(2, "feature DEVICE BITS");
	fd = open(argv[1], O_RDWR | O_DIRECT | O_EXCL);
	if (fd < 0)
		err(2, "%s", argv[1]);
	sb = aligned_buffer(SIZE);
	for (off_t off = 0; off <= COPY_STRIDE; off += COPY_STRIDE) {
		if (pread(fd, sb, SIZE, off) != SIZE)
			err(2, "reading");
		memcpy(&bits, sb + INCOMPAT, sizeof(bits));
		bits |= htole64(number(argv[2]));
		memcpy(sb + INCOMPAT, &bits, sizeof(bits));
		memset(sb + CRC, 0, sizeof(crc));
		crc = htole32(crc32c(sb, SIZE));
		memcpy(sb + CRC, &crc, sizeof(crc));
		if (pwrite(fd, sb, SIZE, off) != SIZE || fsync(fd))
			err(2, "writing");
	}
	return 0;
}
