// SPDX-License-Identifier: GPL-2.0
/*
 * fence-stamp write DEVICE BLOCKS EPOCH WRITER THREADS [LOG [INSIST]]
 *	THREADS threads write blocks of 4 KiB, each its own ones of the first BLOCKS, with O_DIRECT,
 *	stamped (epoch, writer, sequence, block). What was acknowledged goes to LOG, which is mapped
 *	and so outlives the process. "ready" is printed after the first acknowledged write. The
 *	first failure ends it: every thread tries INSIST (1) times more, and one that succeeds is a
 *	failure of fencing (status 99). The status is the errno of the first failure.
 *
 * fence-stamp watch DEVICE BLOCKS EPOCH [LOG...]
 *	Reads the blocks again and again until SIGTERM, at least twice: none may change to a stamp
 *	of an epoch before EPOCH, and none may be older than what the LOGs say was acknowledged.
 *	"ready" is printed when all have been read once. Status 1: one did, with a line that says which.
 *
 * fence-stamp acked LOG
 *	Prints how many writes were acknowledged.
 *
 * Each sector of a block has the whole stamp, for a block may be torn.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "prog.h"

#define BLOCK 4096
#define SECTOR 512
#define BATCH 64
#define MAGIC 0x706d61747366766eULL
#define REVIVED 99

struct stamp {
	uint64_t magic;
	uint64_t epoch;
	uint64_t writer;
	uint64_t sequence;
	uint64_t block;
	uint64_t check;
};

/* An entry for each block; the first one counts. */
struct acked {
	_Atomic uint64_t epoch;
	_Atomic uint64_t sequence;
};

static const char *device;
static uint64_t blocks, epoch, writer, threads, insist = 1;
static struct acked *acks;
static _Atomic uint64_t sequence, acknowledged;
static _Atomic int first_error;
static _Atomic bool revived;
static volatile sig_atomic_t ended;

static uint64_t stamp_check(const struct stamp *s)
{
	return pattern_word(s->epoch ^ s->writer << 48, s->sequence << 20 ^ s->block << 3);
}

static int open_device(int mode)
{
	int fd = open(device, mode | O_DIRECT);

	if (fd < 0)
		err(2, "%s", device);
	return fd;
}

static struct acked *map_log(const char *path, bool create)
{
	size_t len = (blocks + 1) * sizeof(struct acked);
	int fd = open(path, create ? O_RDWR | O_CREAT : O_RDWR, 0600);
	void *map;

	if (fd < 0 || (create && ftruncate(fd, len)))
		err(2, "%s", path);
	map = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (map == MAP_FAILED)
		err(2, "%s", path);
	close(fd);
	return map;
}

static void note_ack(uint64_t block, uint64_t seq)
{
	if (acks) {
		/* The order lets a killed writer leave less than was acknowledged, never more. */
		if (acks[1 + block].epoch != epoch)
			acks[1 + block].sequence = 0;
		acks[1 + block].epoch = epoch;
		acks[1 + block].sequence = seq;
		acks[0].sequence++;
	}
	if (!acknowledged++) {
		puts("ready");
		fflush(stdout);
	}
}

static bool write_one(int fd, char *buf, uint64_t block)
{
	struct stamp s = {
		.magic = MAGIC,
		.epoch = epoch,
		.writer = writer,
		.sequence = ++sequence,
		.block = block,
	};
	unsigned int i;

	s.check = stamp_check(&s);
	for (i = 0; i < BLOCK; i += SECTOR)
		memcpy(buf + i, &s, sizeof(s));
	errno = 0;
	if (pwrite(fd, buf, BLOCK, block * BLOCK) != BLOCK)
		return false;
	note_ack(block, s.sequence);
	return true;
}

static void *writer_thread(void *arg)
{
	uint64_t me = (uintptr_t)arg, own = blocks / threads, i;
	struct prng prng = { .state = me + 1 + writer * 1000 + epoch * 1000000 };
	char *buf = aligned_buffer(BLOCK);
	int fd = open_device(O_RDWR);

	while (!first_error && !ended) {
		if (!write_one(fd, buf, prng_below(&prng, own) * threads + me)) {
			int none = 0;

			atomic_compare_exchange_strong(&first_error, &none, errno ? errno : EIO);
		}
	}
	for (i = 0; i < insist && first_error; i++)
		if (write_one(fd, buf, prng_below(&prng, own) * threads + me))
			revived = true;
	/* Closed all at once, when the process ends: a file open no more would not be sticky. */
	return NULL;
}

static void on_term(int signal)
{
	(void)signal;
	ended = 1;
}

static int write_all(void)
{
	pthread_t thread[256];
	uint64_t i;

	if (!threads || threads > 256 || blocks < threads)
		errx(2, "1 to 256 threads, with a block each");
	for (i = 0; i < threads; i++)
		if (pthread_create(&thread[i], NULL, writer_thread, (void *)i))
			errx(2, "no thread");
	for (i = 0; i < threads; i++)
		pthread_join(thread[i], NULL);
	printf("writer %llu epoch %llu: %llu acknowledged, ended with %s%s\n",
	       (unsigned long long)writer, (unsigned long long)epoch,
	       (unsigned long long)acknowledged,
	       first_error ? strerrorname_np(first_error) : "a signal",
	       revived ? ", and WROTE AGAIN after that" : "");
	return revived ? REVIVED : first_error;
}

/* All zero is valid, too: a sector never written. */
static bool get_stamp(const void *sector, struct stamp *s, uint64_t block)
{
	memcpy(s, sector, sizeof(*s));
	if (!s->magic && !s->epoch && !s->check) {
		memset(s, 0, sizeof(*s));
		return true;
	}
	return s->magic == MAGIC && s->check == stamp_check(s) && s->block == block;
}

/*
 * Memory has no sectors: who reads one while it is being written may see a part of either. What
 * does not become whole was left so.
 */
static void get_whole_stamp(int fd, const char *sector, struct stamp *s, uint64_t block, size_t at)
{
	static char *buf;
	int tries;

	if (get_stamp(sector, s, block))
		return;
	buf = buf ? buf : aligned_buffer(BLOCK);
	for (tries = 0; tries < 1000; tries++) {
		if (pread(fd, buf, BLOCK, block * BLOCK) != BLOCK)
			err(1, "%s: read", device);
		if (get_stamp(buf + at, s, block))
			return;
		usleep(1000);
	}
	errx(1, "block %llu holds no valid stamp: magic %llx, of block %llu",
	     (unsigned long long)block, (unsigned long long)s->magic, (unsigned long long)s->block);
}

static bool same(const struct stamp *a, const struct stamp *b)
{
	return a->epoch == b->epoch && a->writer == b->writer && a->sequence == b->sequence;
}

static void judge(const struct stamp *now, const struct stamp *before, uint64_t block, bool first)
{
	if (!first && !same(now, before) && now->epoch < epoch)
		errx(1,
		     "STALE: block %llu changed to epoch %llu, writer %llu, sequence %llu; "
		     "epoch %llu had been granted (before: epoch %llu, sequence %llu)",
		     (unsigned long long)block, (unsigned long long)now->epoch,
		     (unsigned long long)now->writer, (unsigned long long)now->sequence,
		     (unsigned long long)epoch, (unsigned long long)before->epoch,
		     (unsigned long long)before->sequence);
}

/* Read before the block was: what is acknowledged later may be newer than the block. */
static void judge_lost(const struct stamp *now, uint64_t block, uint64_t acked_epoch,
		       uint64_t acked_sequence)
{
	if (now->epoch < acked_epoch ||
	    (now->epoch == acked_epoch && now->sequence < acked_sequence))
		errx(1,
		     "LOST: block %llu has epoch %llu, sequence %llu; acknowledged were %llu, %llu",
		     (unsigned long long)block, (unsigned long long)now->epoch,
		     (unsigned long long)now->sequence, (unsigned long long)acked_epoch,
		     (unsigned long long)acked_sequence);
}

static int watch_all(char **logs, int count)
{
	struct stamp *last = calloc(blocks * (BLOCK / SECTOR), sizeof(*last)), now;
	struct acked *log[16];
	char *buf = aligned_buffer(BATCH * BLOCK);
	uint64_t want[BATCH][2], block, rounds = 0, changes = 0, n, b;
	int fd = open_device(O_RDONLY), i;

	if (!last || count > 16)
		errx(2, "no memory");
	for (i = 0; i < count; i++)
		log[i] = map_log(logs[i], false);
	for (; rounds < 2 || !ended; rounds++) {
		for (block = 0; block < blocks; block += n) {
			n = blocks - block < BATCH ? blocks - block : BATCH;
			for (b = 0; b < n; b++) {
				want[b][0] = want[b][1] = 0;
				for (i = 0; i < count; i++) {
					uint64_t e = log[i][1 + block + b].epoch;

					if (e < want[b][0])
						continue;
					want[b][0] = e;
					want[b][1] = log[i][1 + block + b].sequence;
				}
			}
			if (pread(fd, buf, n * BLOCK, block * BLOCK) != (ssize_t)(n * BLOCK))
				err(1, "%s: read", device);
			for (b = 0; b < n * (BLOCK / SECTOR); b++) {
				struct stamp *old = &last[block * (BLOCK / SECTOR) + b];
				uint64_t nr = block + b / (BLOCK / SECTOR);

				get_whole_stamp(fd, buf + b * SECTOR, &now, nr,
						b % (BLOCK / SECTOR) * SECTOR);
				judge(&now, old, nr, !rounds);
				judge_lost(&now, nr, want[b / 8][0], want[b / 8][1]);
				changes += rounds && !same(&now, old);
				*old = now;
			}
		}
		if (!rounds) {
			puts("ready");
			fflush(stdout);
		}
	}
	printf("epoch %llu: %llu rounds, %llu sectors changed, none to an older epoch\n",
	       (unsigned long long)epoch, (unsigned long long)rounds, (unsigned long long)changes);
	return 0;
}

int main(int argc, char **argv)
{
	struct sigaction act = { .sa_handler = on_term };
	struct timespec now;

	if (argc == 3 && !strcmp(argv[1], "acked")) {
		printf("%llu\n", (unsigned long long)map_log(argv[2], false)[0].sequence);
		return 0;
	}
	if (argc < 5)
		errx(2, "fence-stamp write|watch DEVICE BLOCKS EPOCH ...");
	sigaction(SIGTERM, &act, NULL);
	/* nvme-tcp sends on behalf of whoever writes, who gets the signal of a broken connection. */
	signal(SIGPIPE, SIG_IGN);
	device = argv[2];
	blocks = number(argv[3]);
	epoch = number(argv[4]);
	if (!strcmp(argv[1], "watch"))
		return watch_all(argv + 5, argc - 5);
	if (strcmp(argv[1], "write") || argc < 7)
		errx(2, "fence-stamp write DEVICE BLOCKS EPOCH WRITER THREADS [LOG [INSIST]]");
	writer = number(argv[5]);
	threads = number(argv[6]);
	if (argc > 7)
		acks = map_log(argv[7], true);
	/* Stamps of a writer that is started again with the same epoch are newer. */
	clock_gettime(CLOCK_MONOTONIC, &now);
	sequence = (now.tv_sec * 1000ULL + now.tv_nsec / 1000000) << 20;
	if (argc > 8)
		insist = number(argv[8]);
	return write_all();
}
