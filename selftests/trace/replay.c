// SPDX-License-Identifier: GPL-2.0
/*
 * replay BEFORE AFTER TRACE SYMBOLS
 *
 * What the real modules stored to an NVDIMM: the stores of TRACE make AFTER out of BEFORE, only the
 * primitives of the media operations store to metadata, and whatever a power cut at any fence
 * could have left recovers. Prints KTAP.
 *
 * A fence makes persistent what was stored past the cache, and through it too: QEMU 7.2 does not tell which
 * line was flushed, only that one was. So there have to be as many flushes before the fence as such
 * lines of metadata. That the flushes are of the right lines is shown in user space (selftests/crash).
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "image.h"
#include "trace.h"

#define CHUNKS POOL_CHUNKS
#define LINE 64
#define PENDING_MAX (1U << 20)
/* All subsets of so many lines, and beyond that so many samples and single ones. */
#define ALL_SUBSETS 6
#define SAMPLES 24

static struct image im, after;
static bool meta_chunk[CHUNKS];
static u64 data_off;
static unsigned int chunk_shift;
static unsigned int failures, number;

static void result(bool good, const char *name)
{
	printf("%s %u %s\n", good ? "ok" : "not ok", ++number, name);
	failures += !good;
}

/* ---- who stores ---- */

struct symbol {
	u64 addr;
	char name[64];
	u64 stores;
};

static struct symbol *symbols;
static size_t nr_symbols;

static int by_address(const void *a, const void *b)
{
	const struct symbol *x = a, *y = b;

	return x->addr < y->addr ? -1 : x->addr > y->addr;
}

static void read_symbols(const char *file)
{
	FILE *f = fopen(file, "r");
	char line[512], name[256];
	size_t max = 0;
	u64 addr;

	if (!f) {
		perror(file);
		exit(2);
	}
	while (fgets(line, sizeof(line), f)) {
		if (sscanf(line, "%" SCNx64 " %*c %255s", &addr, name) != 2)
			continue;
		if (nr_symbols == max) {
			max = max ? 2 * max : 65536;
			symbols = realloc(symbols, max * sizeof(*symbols));
			if (!symbols)
				exit(2);
		}
		symbols[nr_symbols].addr = addr;
		symbols[nr_symbols].stores = 0;
		snprintf(symbols[nr_symbols++].name, sizeof(symbols->name), "%.63s", name);
	}
	fclose(f);
	qsort(symbols, nr_symbols, sizeof(*symbols), by_address);
}

static struct symbol *symbol_of(u64 pc)
{
	size_t low = 0, high = nr_symbols;

	while (high - low > 1) {
		size_t mid = (low + high) / 2;

		if (symbols[mid].addr <= pc)
			low = mid;
		else
			high = mid;
	}
	return nr_symbols && symbols[low].addr <= pc ? &symbols[low] : NULL;
}

/* They are in meta_media.c and meta_nt.c; the compiler may have put one into another. */
static bool is_primitive(const struct symbol *s)
{
	static const char *const names[] = {
		"media_store64", "media_write", "media_zero", "pmv_zero_nt", "__memcpy_flushcache",
	};
	unsigned int i;

	for (i = 0; s && i < ARRAY_SIZE(names); i++)
		if (!strcmp(s->name, names[i]))
			return true;
	return false;
}

/* ---- the stores ---- */

static bool is_meta(u64 off)
{
	u64 at = off - im.start, chunk;

	if (off < im.start || at >= im.device_size)
		return false;
	if (at < data_off)
		return true;
	chunk = (at - data_off) >> chunk_shift;
	return chunk < CHUNKS && meta_chunk[chunk];
}

/* Stores to metadata since the last fence, in their order. */
static struct trace_record pending[PENDING_MAX];
static unsigned int nr_pending;
static u64 old[PENDING_MAX]; /* what was there before each */

struct line {
	u64 addr;
	unsigned int nr; /* of stores */
	unsigned int keep; /* so many of them have arrived */
	bool plain;
};

static struct line *lines;
static unsigned int nr_lines;

static struct {
	u64 stores, nt, meta, fences, cuts, images, unflushed, foreign;
	unsigned int most;
} count;

static void sort_into_lines(void)
{
	unsigned int i, k;

	nr_lines = 0;
	for (i = 0; i < nr_pending; i++) {
		u64 addr = pending[i].off / LINE;

		for (k = nr_lines; k-- && lines[k].addr != addr;)
			;
		if (k == -1U) {
			k = nr_lines++;
			lines[k] = (struct line){ .addr = addr };
		}
		lines[k].nr++;
		lines[k].plain |= pending[i].kind == TRACE_STORE;
	}
}

static struct line *line_of(const struct trace_record *r)
{
	unsigned int k;

	for (k = nr_lines; k-- && lines[k].addr != r->off / LINE;)
		;
	return &lines[k];
}

static u64 random_state = 1;

static unsigned int random_below(unsigned int n)
{
	random_state = random_state * 6364136223846793005ULL + 1442695040888963407ULL;
	return (random_state >> 33) % n;
}

/* The image with what lines[].keep says; it is taken back. */
static bool try_image(void)
{
	static unsigned int done[PENDING_MAX];
	unsigned int i, k, nr = 0;
	const char *why;
	bool good;

	for (k = 0; k < nr_lines; k++)
		done[k] = 0;
	for (i = 0; i < nr_pending; i++) {
		k = line_of(&pending[i]) - lines;
		if (done[k]++ >= lines[k].keep)
			continue;
		old[i] = 0;
		memcpy(&old[i], im.data + pending[i].off, pending[i].size);
		memcpy(im.data + pending[i].off, &pending[i].value, pending[i].size);
		nr++;
	}
	good = image_recovers(&im, &why);
	if (!good)
		printf("# fence %" PRIu64 ", %u of %u stores to %u lines: %s\n", count.fences, nr,
		       nr_pending, nr_lines, why ? why : "does not load");
	for (i = nr_pending; i--;) {
		k = line_of(&pending[i]) - lines;
		if (--done[k] < lines[k].keep)
			memcpy(im.data + pending[i].off, &old[i], pending[i].size);
	}
	count.images++;
	return good;
}

static void keep_all(bool all)
{
	unsigned int k;

	for (k = 0; k < nr_lines; k++)
		lines[k].keep = all ? lines[k].nr : 0;
}

/* Every image, or of many lines: none, single ones, all but one, and samples with lines torn. */
static bool cut(void)
{
	unsigned int k, n, set;
	bool good = true;

	if (nr_lines <= ALL_SUBSETS) {
		for (set = 0; good && set < 1U << nr_lines; set++) {
			for (k = 0; k < nr_lines; k++)
				lines[k].keep = set >> k & 1 ? lines[k].nr : 0;
			good = try_image();
		}
	} else {
		keep_all(false);
		good = try_image();
		for (n = 0; good && n < SAMPLES; n++) {
			keep_all(false);
			k = random_below(nr_lines);
			lines[k].keep = lines[k].nr;
			good = try_image();
			keep_all(true);
			lines[k].keep = 0;
			good = good && try_image();
		}
	}
	for (n = 0; good && n < SAMPLES; n++) {
		for (k = 0; k < nr_lines; k++)
			lines[k].keep = random_below(lines[k].nr + 1);
		good = try_image();
	}
	return good;
}

static bool at_fence(u64 flushes)
{
	unsigned int i, k, plain = 0;
	bool good = true;

	if (!nr_pending)
		return true;
	count.cuts++;
	sort_into_lines();
	if (nr_lines > count.most)
		count.most = nr_lines;
	for (k = 0; k < nr_lines; k++)
		plain += lines[k].plain;
	if (plain > flushes) {
		printf("# fence %" PRIu64 ": %u lines stored to, %" PRIu64 " flushed\n",
		       count.fences, plain, flushes);
		count.unflushed++;
	}
	good = cut();
	for (i = 0; i < nr_pending; i++)
		memcpy(im.data + pending[i].off, &pending[i].value, pending[i].size);
	nr_pending = 0;
	return good;
}

static void on_store(const struct trace_record *r)
{
	struct symbol *s;

	count.stores++;
	count.nt += r->kind == TRACE_STORE_NT;
	if (r->off + r->size > im.size) {
		printf("# a store beyond the end, at %u\n", r->off);
		exit(1);
	}
	if (!is_meta(r->off)) {
		memcpy(im.data + r->off, &r->value, r->size);
		return;
	}
	count.meta++;
	s = symbol_of(r->pc);
	if (s)
		s->stores++;
	count.foreign += !is_primitive(s);
	if (nr_pending == PENDING_MAX) {
		printf("# too many stores without a fence\n");
		exit(1);
	}
	pending[nr_pending++] = *r;
}

int main(int argc, char **argv)
{
	bool meta_after[CHUNKS] = { false }, good = true;
	struct trace_record r;
	u64 flushes = 0, at;
	size_t i;
	FILE *f;

	if (argc != 5) {
		fprintf(stderr, "usage: replay BEFORE AFTER TRACE SYMBOLS\n");
		return 2;
	}
	setvbuf(stdout, NULL, _IOLBF, 0);
	image_read(&im, argv[1]);
	image_read(&after, argv[2]);
	read_symbols(argv[4]);
	f = fopen(argv[3], "r");
	lines = calloc(PENDING_MAX, sizeof(*lines));
	if (!f || !lines || im.size != after.size || !image_find(&im) || !image_find(&after) ||
	    im.start != after.start ||
	    !image_meta(&im, meta_chunk, CHUNKS, &data_off, &chunk_shift) ||
	    !image_meta(&after, meta_after, CHUNKS, &data_off, &chunk_shift)) {
		fprintf(stderr, "replay: no trace of a pool\n");
		return 2;
	}
	/* One that became metadata, or was, in between holds data too. */
	for (i = 0; i < CHUNKS; i++)
		meta_chunk[i] = meta_chunk[i] && meta_after[i];

	printf("TAP version 13\n1..4\n");
	while (good && fread(&r, sizeof(r), 1, f) == 1) {
		switch (r.kind) {
		case TRACE_FLUSH: flushes++; break;
		case TRACE_FENCE:
			count.fences++;
			good = at_fence(flushes);
			flushes = 0;
			break;
		default: on_store(&r);
		}
	}
	good = good && at_fence(-1ULL);
	printf("# %" PRIu64 " stores, %" PRIu64 " past the cache; %" PRIu64
	       " to metadata, before %" PRIu64 " of %" PRIu64 " fences; %u lines at most; %" PRIu64
	       " images\n",
	       count.stores, count.nt, count.meta, count.cuts, count.fences, count.most,
	       count.images);
	for (i = 0; i < nr_symbols; i++)
		if (symbols[i].stores)
			printf("# %s: %" PRIu64 " stores to metadata\n", symbols[i].name,
			       symbols[i].stores);
	result(good && count.images > 1000, "every-cut-recovers");
	result(!count.unflushed, "as-many-flushes-as-lines");
	result(!count.foreign && count.meta, "only-primitives-store-to-metadata");
	for (at = im.start; good && at < im.start + im.device_size && im.data[at] == after.data[at];
	     at++)
		;
	if (good && at < im.start + im.device_size)
		printf("# at %" PRIu64 " there is %#x, not %#x\n", at, after.data[at], im.data[at]);
	result(good && at == im.start + im.device_size, "stores-make-the-image");
	return failures ? 1 : 0;
}
