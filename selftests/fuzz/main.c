// SPDX-License-Identifier: GPL-2.0
/* The fuzzer by itself: PMV_FUZZ_RUNS inputs made from PMV_FUZZ_SEED, or files given to it. */
#include <stdlib.h>
#include "../unit/ktap.h"
#include "fuzz.h"

static u64 number(const char *name, u64 otherwise)
{
	const char *s = getenv(name);

	return s ? strtoull(s, NULL, 0) : otherwise;
}

static void hostile_media(void)
{
	u64 runs = number("PMV_FUZZ_RUNS", 20000), seed = number("PMV_FUZZ_SEED", 1), n, x;
	u8 data[256];
	size_t size, i;

	for (n = 0; n < runs; n++) {
		/* Each input can be had again from its number alone. */
		x = (seed << 32 | n) * 0x9e3779b97f4a7c15ULL | 1;
		for (i = 0; i < sizeof(data); i++) {
			x ^= x << 13;
			x ^= x >> 7;
			x ^= x << 17;
			data[i] = x >> 24;
		}
		size = 12 + data[0] % (n % 4 ? 24 : sizeof(data) - 12);
		fuzz_one(data, size);
	}
	printf("# %llu inputs: %llu loaded, %llu of them repaired, %llu refused, %llu no pool\n",
	       (unsigned long long)runs, (unsigned long long)fuzz_figures.loaded,
	       (unsigned long long)fuzz_figures.repaired,
	       (unsigned long long)fuzz_figures.refused, (unsigned long long)fuzz_figures.no_pool);
	printf("# %llu checked: %llu with losses, %llu repaired\n",
	       (unsigned long long)fuzz_figures.checked, (unsigned long long)fuzz_figures.losses,
	       (unsigned long long)fuzz_figures.check_repaired);
	CHECK(fuzz_figures.checked && fuzz_figures.losses && fuzz_figures.check_repaired);
	CHECK(fuzz_figures.loaded && fuzz_figures.repaired && fuzz_figures.refused &&
	      fuzz_figures.no_pool);
}

static const struct ktap_test tests[] = {
	{ "hostile_media", hostile_media },
};

static int run_file(const char *path)
{
	static u8 data[1 << 16];
	FILE *f = fopen(path, "rb");
	size_t size;

	if (!f) {
		perror(path);
		return 1;
	}
	size = fread(data, 1, sizeof(data), f);
	fclose(f);
	fuzz_one(data, size);
	return 0;
}

int main(int argc, char **argv)
{
	int i, ret = 0;

	for (i = 1; i < argc; i++)
		ret |= run_file(argv[i]);
	return argc > 1 ? ret : ktap_run(tests, ARRAY_SIZE(tests), argc, argv);
}
