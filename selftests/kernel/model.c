// SPDX-License-Identifier: GPL-2.0
/*
 * model file FILE SIZE OPERATIONS SEED [OFFSET]
 * model block DEVICE SIZE OPERATIONS SEED [OFFSET]
 *
 * Random operations on SIZE bytes from OFFSET on, compared with a model in memory. On a file:
 * mapped stores and loads, writes and reads (buffered and O_DIRECT), truncating, holes, zeroed
 * ranges, fsync, msync. On a device: O_DIRECT of 512 bytes and more, discard, write-zeroes, FUA,
 * fsync. A discard leaves what was there or zeros; the model takes what it finds if it is that.
 *
 * With MODEL_SNAPSHOTS=COMMAND in the environment it runs, every few operations, "COMMAND take N",
 * where N counts from 1, and later, in any order, "COMMAND open N", which prints where that snapshot
 * of the file or device is to be read, "COMMAND close N" and "COMMAND drop N". What is there must
 * be what the model was at the time.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/falloc.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <unistd.h>

#include "prog.h"

#define PART_MAX (5 * MIB)

static struct prng rnd;
static unsigned char *want, *buf;
static uint64_t base, size, length;
static int fd, direct_fd;
static char *map;
static bool is_file;
static unsigned long op;
static const char *what;

static void differs(const unsigned char *got, uint64_t off, uint64_t len)
{
	uint64_t i = 0;

	while (i < len && got[i] == want[off + i])
		i++;
	errx(1, "operation %lu (%s): offset %llu is %02x, not %02x", op, what,
	     (unsigned long long)(off + i), got[i], want[off + i]);
}

static void compare(const unsigned char *got, uint64_t off, uint64_t len)
{
	if (memcmp(got, want + off, len))
		differs(got, off, len);
}

static void must(bool ok)
{
	if (!ok)
		err(1, "operation %lu (%s)", op, what);
}

/* A range of @unit alignment inside @limit, mostly short, often around a chunk's border. */
static bool pick(uint64_t unit, uint64_t limit, uint64_t *off, uint64_t *len)
{
	uint64_t room, most;

	if (limit < unit)
		return false;
	*off = prng_below(&rnd, limit / unit) * unit;
	if (!prng_below(&rnd, 3) && limit > CHUNK + 8 * unit) {
		uint64_t border = (1 + prng_below(&rnd, (limit - 1) / CHUNK)) * CHUNK;

		*off = border - unit * (1 + prng_below(&rnd, 4));
		if (*off >= limit)
			*off = limit / unit * unit - unit;
	}
	room = limit - *off;
	most = prng_below(&rnd, 24) ? 48 << 10 : PART_MAX;
	*len = (1 + prng_below(&rnd, (room < most ? room : most) / unit)) * unit;
	return true;
}

static void randomize(uint64_t len)
{
	uint64_t *word = (uint64_t *)buf, i;

	for (i = 0; i < (len + 7) / 8; i++)
		word[i] = prng_next(&rnd);
}

static void extend(uint64_t end)
{
	if (end > length)
		length = end;
}

static void do_write(int where, uint64_t unit, int flags)
{
	struct iovec iov = { .iov_base = buf };
	uint64_t off, len;

	if (!pick(unit, size, &off, &len))
		return;
	randomize(len);
	iov.iov_len = len;
	must(pwritev2(where, &iov, 1, base + off, flags) == (ssize_t)len);
	memcpy(want + off, buf, len);
	extend(off + len);
}

static void do_read(int where, uint64_t unit)
{
	uint64_t off, len;

	if (!pick(unit, length, &off, &len))
		return;
	must(pread(where, buf, len, base + off) == (ssize_t)len);
	compare(buf, off, len);
}

static void do_store(bool sync)
{
	uint64_t off, len;

	if (!pick(1, length, &off, &len))
		return;
	randomize(len);
	memcpy(map + off, buf, len);
	memcpy(want + off, buf, len);
	if (sync)
		must(!msync(map + (off & ~4095ULL), len + (off & 4095), MS_SYNC));
}

static void do_load(void)
{
	uint64_t off, len;

	if (pick(1, length, &off, &len))
		compare((unsigned char *)map + off, off, len);
}

static void do_truncate(void)
{
	uint64_t to = prng_below(&rnd, size + 1);

	must(!ftruncate(fd, to));
	if (to < length)
		memset(want + to, 0, length - to);
	length = to;
}

static void do_fallocate(int mode)
{
	uint64_t off, len;

	if (!pick(1, length, &off, &len))
		return;
	must(!fallocate(fd, mode, off, len));
	memset(want + off, 0, len);
}

static void do_zero_device(void)
{
	uint64_t range[2], off, len;

	if (!pick(512, size, &off, &len))
		return;
	range[0] = base + off;
	range[1] = len;
	must(!ioctl(fd, BLKZEROOUT, range));
	memset(want + off, 0, len);
}

static void do_discard(void)
{
	uint64_t range[2], off, len, i;

	if (!pick(512, size, &off, &len))
		return;
	range[0] = base + off;
	range[1] = len;
	must(!ioctl(fd, BLKDISCARD, range));
	must(pread(direct_fd, buf, len, base + off) == (ssize_t)len);
	for (i = 0; i < len; i += 512) {
		static const unsigned char zeros[512];

		if (memcmp(buf + i, zeros, 512))
			compare(buf + i, off + i, 512);
		else
			memset(want + off + i, 0, 512);
	}
}

struct action {
	const char *name;
	unsigned int weight;
	void (*run)(void);
};

static void file_write(void) { do_write(fd, 1, 0); }
static void file_read(void) { do_read(fd, 1); }
static void direct_write(void) { do_write(direct_fd, is_file ? 4096 : 512, 0); }
static void direct_write_page(void) { do_write(direct_fd, 4096, 0); }
static void direct_read(void) { do_read(direct_fd, is_file ? 4096 : 512); }
static void fua_write(void) { do_write(direct_fd, 512, RWF_DSYNC); }
static void store(void) { do_store(false); }
static void store_and_msync(void) { do_store(true); }
static void hole(void) { do_fallocate(FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE); }
static void zero_range(void) { do_fallocate(FALLOC_FL_ZERO_RANGE | FALLOC_FL_KEEP_SIZE); }
static void sync_file(void) { must(!fsync(fd)); }

static const struct action on_file[] = {
	{ "write", 1, file_write },
	{ "direct write", 1, direct_write },
	{ "read", 1, file_read },
	{ "direct read", 1, direct_read },
	{ "store", 2, store },
	{ "store and msync", 1, store_and_msync },
	{ "load", 1, do_load },
	{ "truncate", 1, do_truncate },
	{ "hole", 1, hole },
	{ "zero range", 1, zero_range },
	{ "fsync", 1, sync_file },
	{ NULL, 0, NULL }
};

static const struct action on_device[] = {
	{ "write of sectors", 2, direct_write },
	{ "write of pages", 1, direct_write_page },
	{ "write with FUA", 1, fua_write },
	{ "read", 3, direct_read },
	{ "discard", 1, do_discard },
	{ "write-zeroes", 1, do_zero_device },
	{ "fsync", 1, sync_file },
	{ NULL, 0, NULL }
};

static void one(const struct action *a)
{
	const struct action *at;
	unsigned int sum = 0;
	uint64_t n;

	for (at = a; at->name; at++)
		sum += at->weight;
	n = prng_below(&rnd, sum);
	for (at = a; n >= at->weight; at++)
		n -= at->weight;
	what = at->name;
	at->run();
}

static void check_all(int where, const char *name)
{
	uint64_t off, part;

	what = name;
	for (off = 0; off < length; off += part) {
		part = length - off < PART_MAX ? length - off : PART_MAX;
		must(pread(where, buf, part, base + off) == (ssize_t)part);
		compare(buf, off, part);
	}
}

/* ---- snapshots ---- */

#define SNAPSHOTS_MAX 6
#define SNAPSHOT_EVERY 16

struct snapshot {
	unsigned int number;
	unsigned char *want;
	uint64_t length;
};

static struct snapshot snapshots[SNAPSHOTS_MAX];
static unsigned int nr_snapshots, taken;
static const char *command;

/* Runs COMMAND WORD NUMBER; what it prints, a line, goes to @line unless that is NULL. */
static void run_command(const char *word, unsigned int n, char *line, int len)
{
	char text[512];
	FILE *p;

	snprintf(text, sizeof(text), "%s %s %u", command, word, n);
	p = popen(text, "r");
	must(p);
	if (line) {
		if (!fgets(line, len, p))
			*line = '\0';
		line[strcspn(line, "\n")] = '\0';
	}
	if (pclose(p))
		errx(1, "operation %lu: '%s' failed", op, text);
}

static void take_snapshot(void)
{
	struct snapshot *s = &snapshots[nr_snapshots++];

	s->number = ++taken;
	s->length = length;
	s->want = aligned_buffer(size);
	memcpy(s->want, want, size);
	run_command("take", s->number, NULL, 0);
}

static void check_and_drop(unsigned int at)
{
	struct snapshot *s = &snapshots[at];
	unsigned char *now = want;
	uint64_t now_length = length;
	char path[256], name[64];
	off_t end;
	int where;

	snprintf(name, sizeof(name), "snapshot %u", s->number);
	run_command("open", s->number, path, sizeof(path));
	where = open(path, O_RDONLY | (is_file ? 0 : O_DIRECT));
	if (where < 0)
		err(1, "operation %lu: %s of %s", op, path, name);
	end = lseek(where, 0, SEEK_END);
	if (is_file && (uint64_t)end != s->length)
		errx(1, "operation %lu: %s has %lld bytes, not %llu", op, name, (long long)end,
		     (unsigned long long)s->length);
	want = s->want;
	length = s->length;
	check_all(where, name);
	close(where);
	want = now;
	length = now_length;
	run_command("close", s->number, NULL, 0);
	run_command("drop", s->number, NULL, 0);
	free(s->want);
	*s = snapshots[--nr_snapshots];
}

static void some_snapshots(void)
{
	if (nr_snapshots == SNAPSHOTS_MAX || (nr_snapshots && !prng_below(&rnd, 3)))
		check_and_drop(prng_below(&rnd, nr_snapshots));
	if (nr_snapshots < SNAPSHOTS_MAX)
		take_snapshot();
}

int main(int argc, char **argv)
{
	unsigned long operations;

	if (argc < 6)
		errx(2, "model file|block PATH SIZE OPERATIONS SEED [OFFSET]");
	is_file = !strcmp(argv[1], "file");
	size = number(argv[3]);
	operations = number(argv[4]);
	rnd.state = number(argv[5]) * 0x9e3779b97f4a7c15ULL + 1;
	base = argc > 6 ? number(argv[6]) : 0;
	want = aligned_buffer(size);
	buf = aligned_buffer(PART_MAX + 8);
	fd = open(argv[2], O_RDWR | (is_file ? O_CREAT | O_TRUNC : 0), 0600);
	direct_fd = open(argv[2], O_RDWR | O_DIRECT);
	if (fd < 0 || direct_fd < 0)
		err(2, "%s", argv[2]);
	if (is_file) {
		/* Mapped beyond the file's end: the file grows and shrinks below it. */
		map = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
		if (map == MAP_FAILED)
			err(2, "%s: mmap", argv[2]);
	} else {
		length = size;
		check_all(direct_fd, "zero at the start");
	}
	command = getenv("MODEL_SNAPSHOTS");
	for (op = 1; op <= operations; op++) {
		one(is_file ? on_file : on_device);
		if (command && !(op % SNAPSHOT_EVERY))
			some_snapshots();
	}
	while (nr_snapshots)
		check_and_drop(prng_below(&rnd, nr_snapshots));
	check_all(direct_fd, "all at the end");
	if (is_file)
		check_all(fd, "all at the end, buffered");
	return 0;
}
