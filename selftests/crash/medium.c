// SPDX-License-Identifier: GPL-2.0
#include <stdio.h>
#include <stdlib.h>
#include "medium.h"
#include "site.h"

#define PAGES		(IMAGE_SIZE / PMV_PAGE_SIZE)
#define TOKEN		(1ULL << 39)

/* The image: addresses carry the device in their upper bits. */
static u64 *pages[IMAGE_DEVS][PAGES];
static u64 tokens[IMAGE_DEVS][IMAGE_CHUNKS];
static u64 hash;

static struct {
	u64 addr;
	u64 old;
} *journal;
static size_t journal_len, journal_max;

static u64 make_addr(unsigned int dev, u64 off)
{
	return (u64)dev << 40 | off;
}

static u64 mix(u64 x)
{
	x ^= x >> 31;
	x *= 0x7fb5d329728ea185ULL;
	x ^= x >> 27;
	x *= 0x81dadef4bc2dd44dULL;
	return x ^ x >> 33;
}

static u64 background(u64 off)
{
	return off < IMAGE_DATA_OFF ? 0 : IMAGE_DIRT;
}

static u64 get(u64 addr)
{
	unsigned int dev = addr >> 40;
	u64 off = addr & (TOKEN - 1);
	const u64 *page;

	if (addr & TOKEN)
		return off % 64 ? 0 : tokens[dev][off / 64];
	page = pages[dev][off / PMV_PAGE_SIZE];
	return page ? page[off % PMV_PAGE_SIZE / 8] : background(off);
}

static void put(u64 addr, u64 val)
{
	unsigned int dev = addr >> 40, i;
	u64 off = addr & (TOKEN - 1), **page;

	if (addr & TOKEN) {
		tokens[dev][off / 64] = val;
		return;
	}
	page = &pages[dev][off / PMV_PAGE_SIZE];
	if (!*page) {
		*page = malloc(PMV_PAGE_SIZE);
		if (!*page)
			abort();
		for (i = 0; i < PMV_WORDS_PER_PAGE; i++)
			(*page)[i] = background(off);
	}
	(*page)[off % PMV_PAGE_SIZE / 8] = val;
}

static void change(u64 addr, u64 val)
{
	u64 old = get(addr);

	if (old == val)
		return;
	if (journal_len == journal_max) {
		journal_max = journal_max ? 2 * journal_max : 1 << 16;
		journal = realloc(journal, journal_max * sizeof(*journal));
		if (!journal)
			abort();
	}
	journal[journal_len].addr = addr;
	journal[journal_len++].old = old;
	hash ^= mix(addr ^ mix(old)) ^ mix(addr ^ mix(val));
	put(addr, val);
}

size_t image_mark(void)
{
	return journal_len;
}

void image_rollback(size_t mark)
{
	while (journal_len > mark) {
		u64 addr = journal[--journal_len].addr, old = journal[journal_len].old;

		hash ^= mix(addr ^ mix(old)) ^ mix(addr ^ mix(get(addr)));
		put(addr, old);
	}
}

void image_reset(void)
{
	unsigned int dev, i;

	image_rollback(0);
	for (dev = 0; dev < IMAGE_DEVS; dev++)
		for (i = 0; i < IMAGE_CHUNKS; i++)
			tokens[dev][i] = IMAGE_DIRT;
}

u64 image_hash(void)
{
	return hash;
}

u64 image_get(unsigned int dev, u64 off)
{
	return get(make_addr(dev, off));
}

void image_set(unsigned int dev, u64 off, u64 val)
{
	change(make_addr(dev, off), val);
}

static u64 token_addr(unsigned int dev, u64 off)
{
	return make_addr(dev, TOKEN | (off - IMAGE_DATA_OFF) >> PMV_CHUNK_SHIFT_MIN << 6);
}

u64 image_token(unsigned int dev, u64 off)
{
	return get(token_addr(dev, off));
}

void image_set_token(unsigned int dev, u64 off, u64 token)
{
	change(token_addr(dev, off), token);
}

/* ---- recording ---- */

void medium_init(struct medium *m, void (*at_fence)(struct medium *m))
{
	m->at_fence = at_fence;
	m->nr_lines = 0;
	m->stamp++;
}

/* Where the index says, or would say, which line an address is in. */
static unsigned int find_slot(const struct medium *m, u64 addr)
{
	unsigned int at = mix(addr >> 6) % ARRAY_SIZE(m->index);

	while (m->index[at].stamp == m->stamp && m->line[m->index[at].line].addr != addr)
		at = (at + 1) % ARRAY_SIZE(m->index);
	return at;
}

static void index_line(struct medium *m, unsigned int n)
{
	unsigned int at = find_slot(m, m->line[n].addr);

	m->index[at].stamp = m->stamp;
	m->index[at].line = n;
}

static struct line *find_line(struct medium *m, u64 addr)
{
	unsigned int at = find_slot(m, addr & ~63ULL);

	return m->index[at].stamp == m->stamp ? &m->line[m->index[at].line] : NULL;
}

static struct line *new_line(struct medium *m, u64 addr)
{
	struct line *l = &m->line[m->nr_lines];
	unsigned int i;

	if (m->nr_lines == MEDIUM_LINES) {
		fputs("too many lines pending\n", stderr);
		abort();
	}
	l->addr = addr & ~63ULL;
	l->nr = 0;
	for (i = 0; i < 8; i++)
		l->persistent[i] = get(l->addr + 8 * i);
	index_line(m, m->nr_lines++);
	return l;
}

static void settle(struct line *l, unsigned int n)
{
	l->persistent[l->event[n].word] = l->event[n].val;
	l->nr--;
	memmove(&l->event[n], &l->event[n + 1], (l->nr - n) * sizeof(l->event[0]));
}

static void record(struct medium *m, u64 addr, u64 val, bool nt)
{
	u8 word = addr / 8 % 8;
	struct line *l = find_line(m, addr);
	bool pending = false;
	unsigned int i;

	for (i = 0; l && i < l->nr; i++)
		pending |= l->event[i].word == word;
	/* What it is already, and persistently so. */
	if (!pending && get(addr) == val)
		return;
	if (!l)
		l = new_line(m, addr);
	if (l->nr == LINE_EVENTS)
		settle(l, 0);
	l->event[l->nr++] = (struct event){ .val = val, .word = word, .nt = nt };
	change(addr, val);
}

static void check_range(unsigned int member, u64 off, u64 len)
{
	if (member < IMAGE_DEVS && off <= IMAGE_SIZE && len <= IMAGE_SIZE - off && !(off % 8) &&
	    !(len % 8))
		return;
	fprintf(stderr, "access outside member %u: %llu bytes at %llu\n", member,
		(unsigned long long)len, (unsigned long long)off);
	abort();
}

#define PASS(op) site_pass(op, __builtin_return_address(0), __builtin_return_address(1))

static void op_store64(void *ctx, unsigned int member, u64 off, u64 val)
{
	check_range(member, off, 8);
	if (PASS(SITE_STORE))
		record(ctx, make_addr(member, off), val, false);
}

static void op_write(void *ctx, unsigned int member, u64 off, const void *src, size_t len)
{
	const u8 *from = src;
	u64 val;

	check_range(member, off, len);
	if (!PASS(SITE_WRITE))
		return;
	for (; len; len -= 8, off += 8, from += 8) {
		memcpy(&val, from, 8);
		record(ctx, make_addr(member, off), val, true);
	}
}

static void op_zero(void *ctx, unsigned int member, u64 off, size_t len)
{
	check_range(member, off, len);
	if (!PASS(SITE_ZERO))
		return;
	if (len == 1U << PMV_CHUNK_SHIFT_MIN && off >= IMAGE_DATA_OFF) {
		record(ctx, token_addr(member, off), 0, true);
		return;
	}
	for (; len; len -= 8, off += 8)
		if (pages[member][off / PMV_PAGE_SIZE] || background(off))
			record(ctx, make_addr(member, off), 0, true);
}

void medium_copy(struct medium *m, unsigned int to, u64 to_off, unsigned int from, u64 from_off)
{
	if (PASS(SITE_WRITE))
		record(m, token_addr(to, to_off), image_token(from, from_off), true);
}

static void op_flush(void *ctx, unsigned int member, u64 off, size_t len)
{
	u64 addr = make_addr(member, off) & ~63ULL, end = make_addr(member, off + len);
	struct medium *m = ctx;
	unsigned int i, n;

	check_range(member, off, len);
	if (!PASS(SITE_FLUSH))
		return;
	for (n = 0; n < m->nr_lines; n++)
		if (m->line[n].addr >= addr && m->line[n].addr < end)
			for (i = 0; i < m->line[n].nr; i++)
				m->line[n].event[i].flushed = true;
}

static void op_fence(void *ctx)
{
	struct medium *m = ctx;
	unsigned int n, i, left = 0;

	if (!PASS(SITE_FENCE))
		return;
	if (m->at_fence)
		m->at_fence(m);
	m->stamp++;
	for (n = 0; n < m->nr_lines; n++) {
		struct line *l = &m->line[n];

		for (i = 0; i < l->nr;) {
			if (l->event[i].nt || l->event[i].flushed)
				settle(l, i);
			else
				i++;
		}
		if (!l->nr)
			continue;
		if (left != n)
			m->line[left] = *l;
		index_line(m, left++);
	}
	m->nr_lines = left;
}

static int op_read(void *ctx, unsigned int member, u64 off, void *dst, size_t len)
{
	u8 *to = dst;
	u64 val;

	(void)ctx;
	check_range(member, off, len);
	while (len) {
		const u64 *page = pages[member][off / PMV_PAGE_SIZE];
		size_t n = min(len, PMV_PAGE_SIZE - off % PMV_PAGE_SIZE), i;

		if (page) {
			memcpy(to, (const u8 *)page + off % PMV_PAGE_SIZE, n);
		} else {
			val = background(off);
			for (i = 0; i < n; i += 8)
				memcpy(to + i, &val, 8);
		}
		to += n;
		off += n;
		len -= n;
	}
	return 0;
}

const struct pmv_media_ops medium_ops = {
	.store64 = op_store64,
	.write = op_write,
	.zero = op_zero,
	.flush = op_flush,
	.fence = op_fence,
	.read = op_read,
};
