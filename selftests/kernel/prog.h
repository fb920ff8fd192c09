/* SPDX-License-Identifier: GPL-2.0 */
/* What the test programs share: ending with a reason, numbers, a pattern that names its place. */
#ifndef PROG_H
#define PROG_H

#include <err.h>
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>

#include "errname.h"

#define MIB (1UL << 20)
#define CHUNK (2 * MIB)

static inline uint64_t number(const char *text)
{
	char *end;
	uint64_t n;

	errno = 0;
	n = strtoull(text, &end, 0);
	if (errno || end == text)
		errx(2, "'%s' is no number", text);
	switch (*end) {
	case 'K':
		return n << 10;
	case 'M':
		return n << 20;
	case 'G':
		return n << 30;
	case '\0':
		return n;
	}
	errx(2, "'%s' is no number", text);
}

/* What tells a sector of a file, and a seed, from all others. */
static inline uint64_t pattern_base(uint64_t seed, uint64_t sector)
{
	uint64_t x = sector * 0x9e3779b97f4a7c15ULL + seed * 0xd1342543de82ef95ULL;

	x ^= x >> 32;
	x *= 0xd6e8feb86659fd93ULL;
	return x ^ x >> 32;
}

#define PATTERN_STEP 0x2545f4914f6cdd1cULL

/* The word at a place: tells places and seeds apart, and is never zero. */
static inline uint64_t pattern_word(uint64_t seed, uint64_t off)
{
	return (pattern_base(seed, off >> 9) + (off >> 3 & 63) * PATTERN_STEP) | 1;
}

/* As pattern_word() for each, with one addition a word: emulated processors are slow. */
static inline void pattern_fill(void *buf, uint64_t seed, uint64_t off, size_t len)
{
	uint64_t *word = buf, *end = word + len / 8, x = 0;

	for (off >>= 3; word < end; off++, word++, x += PATTERN_STEP) {
		if (word == buf || !(off & 63))
			x = pattern_word(seed, off << 3);
		*word = x;
	}
}

/* Returns -1, or where the first wrong word stands. */
static inline ssize_t pattern_check(const void *buf, uint64_t seed, uint64_t off, size_t len)
{
	const uint64_t *word = buf, *end = word + len / 8;
	uint64_t x = 0;

	for (off >>= 3; word < end; off++, word++, x += PATTERN_STEP) {
		if (word == buf || !(off & 63))
			x = pattern_word(seed, off << 3);
		if (*word != x)
			return (const char *)word - (const char *)buf;
	}
	return -1;
}

static inline void *aligned_buffer(size_t len)
{
	void *buf;

	if (posix_memalign(&buf, 2 * MIB, len))
		errx(2, "no memory");
	memset(buf, 0, len);
	return buf;
}

/* A small generator of one's own: the same numbers on every release. */
struct prng {
	uint64_t state;
};

static inline uint64_t prng_next(struct prng *p)
{
	p->state ^= p->state << 13;
	p->state ^= p->state >> 7;
	p->state ^= p->state << 17;
	return p->state * 0x2545f4914f6cdd1dULL;
}

static inline uint64_t prng_below(struct prng *p, uint64_t n)
{
	return (prng_next(p) >> 16) % n;
}

#endif /* PROG_H */
