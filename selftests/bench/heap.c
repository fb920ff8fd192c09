// SPDX-License-Identifier: GPL-2.0
/*
 * heap DIR|dram COUNT SIZE
 *	An allocator over memory mapped from a file in DIR (memkind), or over the machine's own: COUNT blocks of SIZE
 *	bytes are allocated and filled, given back, and again. Prints ns a block, of the first time and of the second.
 */
#include <memkind.h>

#include "../kernel/prog.h"
#include "clock.h"

static uint64_t fill(memkind_t kind, char **block, uint64_t count, size_t size)
{
	uint64_t start = now(), took, i;

	for (i = 0; i < count; i++) {
		block[i] = memkind_malloc(kind, size);
		if (!block[i])
			errx(1, "no memory for block %lu", i);
		memset(block[i], 0x5a, size);
	}
	took = now() - start;
	for (i = 0; i < count; i++)
		memkind_free(kind, block[i]);
	return took;
}

int main(int argc, char **argv)
{
	memkind_t kind = MEMKIND_DEFAULT;
	uint64_t count, first, again;
	char **block;
	size_t size;
	int ret = 0;

	if (argc != 4)
		errx(2, "usage: heap DIR|dram COUNT SIZE");
	count = number(argv[2]);
	size = number(argv[3]);
	block = calloc(count, sizeof(*block));
	if (!count || !size || !block)
		errx(2, "nothing to measure");
	if (strcmp(argv[1], "dram"))
		ret = memkind_create_pmem(argv[1], 0, &kind);
	if (ret)
		errx(1, "memkind in %s: error %d", argv[1], ret);
	first = fill(kind, block, count, size);
	again = fill(kind, block, count, size);
	printf("%.1f %.1f\n", (double)first / count, (double)again / count);
	if (kind != MEMKIND_DEFAULT)
		memkind_destroy_kind(kind);
	return 0;
}
