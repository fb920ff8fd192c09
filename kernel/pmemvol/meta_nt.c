// SPDX-License-Identifier: GPL-2.0
/*
 * Copying and clearing past the cache. The kernel's own function takes twelve instructions for 32
 * bytes, and clears by copying a page of zeroes; whole cache lines need two, or one, for eight.
 * The stores are of the same kind, and the caller's fence makes them persistent.
 */
#include <linux/kasan-checks.h>
#include <linux/mm.h>
#include <linux/string.h>

#include "meta.h"

#ifdef CONFIG_X86_64
/* What is done in one round, and what remains of that: so many bytes, and each eighth of them. */
#define ROUND	256
#define LINE	64
#define IN_LINE	"0,8,16,24,32,40,48,56"
#define IN_ROUND IN_LINE									\
	",64,72,80,88,96,104,112,120,128,136,144,152,160,168,176,184"			\
	",192,200,208,216,224,232,240,248"

#define COPY(at, dst, src)									\
do {												\
	unsigned long word;									\
												\
	asm volatile(".irp at," at "\n\t"							\
		     "movq \\at(%[from]), %[word]\n\t"						\
		     "movnti %[word], \\at(%[to])\n\t"						\
		     ".endr"									\
		     : [word] "=&r" (word) : [to] "r" (dst), [from] "r" (src) : "memory");	\
} while (0)

#define CLEAR(at, dst)										\
do {												\
	const unsigned long word = 0;								\
												\
	asm volatile(".irp at," at "\n\t"							\
		     "movnti %[zero], \\at(%[to])\n\t"						\
		     ".endr"									\
		     : : [to] "r" (dst), [zero] "r" (word) : "memory");				\
} while (0)

static bool whole_lines(unsigned long addresses, size_t len)
{
	return !((addresses & (sizeof(u64) - 1)) | (len & (LINE - 1)));
}

void pmv_copy_nt(void *dst, const void *src, size_t len)
{
	const void *end = src + (len & ~(ROUND - 1UL));

	if (unlikely(!whole_lines((unsigned long)dst | (unsigned long)src, len))) {
		memcpy_flushcache(dst, src, len);
		return;
	}
	kasan_check_read(src, len);
	kasan_check_write(dst, len);
	for (; src != end; src += ROUND, dst += ROUND)
		COPY(IN_ROUND, dst, src);
	for (end += len & (ROUND - 1); src != end; src += LINE, dst += LINE)
		COPY(IN_LINE, dst, src);
}

static __always_inline bool clear_lines(void *dst, size_t len)
{
	void *end = dst + (len & ~(ROUND - 1UL));

	if (!whole_lines((unsigned long)dst, len))
		return false;
	kasan_check_write(dst, len);
	for (; dst != end; dst += ROUND)
		CLEAR(IN_ROUND, dst);
	for (end += len & (ROUND - 1); dst != end; dst += LINE)
		CLEAR(IN_LINE, dst);
	return true;
}
#else
void pmv_copy_nt(void *dst, const void *src, size_t len)
{
	memcpy_flushcache(dst, src, len);
}

static __always_inline bool clear_lines(void *dst, size_t len)
{
	return false;
}
#endif

void pmv_zero_nt(void *addr, size_t len)
{
	const void *zero = page_address(ZERO_PAGE(0));

	if (clear_lines(addr, len))
		return;
	while (len) {
		size_t n = min_t(size_t, len, PAGE_SIZE);

		memcpy_flushcache(addr, zero, n);
		addr += n;
		len -= n;
	}
}
