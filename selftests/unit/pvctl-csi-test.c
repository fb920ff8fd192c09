// SPDX-License-Identifier: GPL-2.0
/* What a CSI plugin relies on: limits of size and time, capacity, and figures of volumes in use. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "cmd.h"
#include "guard.h"
#include "media.h"
#include "object.h"
#include "options.h"
#include "pvctl-test.h"
#include "sysfs.h"
#include "volume_stats.h"

static void test_mounts(void)
{
	static const struct {
		const char *line, *point, *type;
		uint64_t devnum;
		bool ro, super_ro;
	} good[] = {
		{ "36 35 259:3 / /mnt/a rw,noatime master:1 - ext4 /dev/pmv0 rw,dax=always",
		  "/mnt/a", "ext4", 259ULL << 32 | 3, false, false },
		{ "36 35 259:3 / /mnt/a\\040b\\134 ro - xfs /dev/pmv0 rw\n", "/mnt/a b\\", "xfs",
		  259ULL << 32 | 3, true, false },
		{ "1 1 8:0 /x /y rw shared:1 master:2 - ext4 none errors=remount-ro,ro", "/y",
		  "ext4", 8ULL << 32, false, true },
		{ "1 1 8:0 / / ,rw,,ro, - t", "/", "t", 8ULL << 32, true, false },
		{ "1 1 8:0 / /a\\04 romantic - t s ropes", "/a\\04", "t", 8ULL << 32, false,
		  false },
	};
	static const char *const bad[] = {
		"",
		"\n",
		" - ",
		" - ext4 a rw",
		"36 35 259:3 / /mnt - ext4 a rw",
		"36 35 259 / /mnt rw - ext4 a rw",
		"36 35 :3 / /mnt rw - ext4 a rw",
		"36 35 259:3 / /mnt rw",
		"36 35 259:3 / /mnt rw - ",
		"36 35 259:3 / /mnt rw -",
	};
	char line[8192];
	struct pv_mount m;
	uint64_t devnum;

	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		strcpy(line, good[i].line);
		CHECK(pv_sysfs_parse_mount(line, &devnum, &m));
		CHECK(devnum == good[i].devnum && !strcmp(m.point, good[i].point) &&
		      !strcmp(m.type, good[i].type) && m.ro == good[i].ro &&
		      m.super_ro == good[i].super_ro);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		strcpy(line, bad[i]);
		if (pv_sysfs_parse_mount(line, &devnum, &m)) {
			printf("# '%s' is taken\n", bad[i]);
			CHECK(false);
		}
	}
	/* Longer than any path or type: cut off, not written beyond. */
	snprintf(line, sizeof(line), "1 1 1:1 / /%04500d rw - %0300d s rw", 0, 0);
	CHECK(pv_sysfs_parse_mount(line, &devnum, &m) && strlen(m.point) == sizeof(m.point) - 1 &&
	      strlen(m.type) == sizeof(m.type) - 1);
	done("lines of mountinfo");
}

static struct pv_volume volume_of(bool thick)
{
	struct pv_volume v = {
		.present = ~0ULL,
		.pool = "tank",
		.name = "v",
		.disk = "pmv0",
		.thick = thick,
		.size = 8 << 20,
		.provisioned = 2 << 20,
	};

	return v;
}

static bool usage_is(const struct pv_volume *v, const struct pv_pool *p, const struct pv_stats *s,
		     const char *usage, const char *condition)
{
	struct json_object *o = pv_json_stats(v, p, s);
	bool good;

	good = !strcmp(json_object_to_json_string_ext(json_object_object_get(o, "usage"),
						      JSON_C_TO_STRING_PLAIN),
		       usage) &&
	       !strcmp(json_object_to_json_string_ext(json_object_object_get(o, "condition"),
						      JSON_C_TO_STRING_PLAIN),
		       condition);
	if (!good)
		printf("# %s\n", json_object_to_json_string(o));
	json_object_put(o);
	return good;
}

static const char of_volume[] =
	"[{\"unit\":\"bytes\",\"total\":8388608,\"used\":2097152,\"available\":6291456}]";
static const char of_fs[] =
	"[{\"unit\":\"bytes\",\"total\":409600,\"used\":163840,\"available\":204800},"
	"{\"unit\":\"inodes\",\"total\":10,\"used\":0,\"available\":11}]";
static const char well[] = "{\"abnormal\":false,\"message\":\"the volume is well\"}";

static void test_stats(void)
{
	struct pv_volume thin = volume_of(false), thick = volume_of(true);
	struct pv_pool pool = { .mode = PMEMVOL_MODE_WRITABLE };
	struct pv_stats block = { 0 };
	struct pv_stats fs = {
		.path = "/mnt",
		.has_fs = true,
		/* A file system that counts more as free than it has is not made to wrap. */
		.fs = { .f_frsize = 4096,
			.f_blocks = 100,
			.f_bfree = 60,
			.f_bavail = 50,
			.f_files = 10,
			.f_ffree = 11,
			.f_favail = 11 },
	};

	CHECK(usage_is(&thin, &pool, &block, of_volume, well));
	CHECK(usage_is(&thin, &pool, &fs, of_fs, well));
	fs.mount.super_ro = true;
	CHECK(strstr(pv_stats_condition(&thin, &pool, &fs), "become read-only"));
	fs.mount.ro = true;
	CHECK(!pv_stats_condition(&thin, &pool, &fs));
	pool.mode = PMEMVOL_MODE_NO_SPACE;
	CHECK(strstr(pv_stats_condition(&thin, &pool, &fs), "no space left"));
	CHECK(!pv_stats_condition(&thick, &pool, &fs));
	thin.provisioned = thin.size;
	CHECK(!pv_stats_condition(&thin, &pool, &fs));
	thin.snapshots = 1;
	CHECK(strstr(pv_stats_condition(&thin, &pool, &fs), "no space left"));
	pool.mode = PMEMVOL_MODE_READ_ONLY;
	CHECK(strstr(pv_stats_condition(&thick, &pool, &block), "pool is read-only"));
	pool.mode = PMEMVOL_MODE_FAILED;
	CHECK(strstr(pv_stats_condition(&thick, &pool, &block), "pool has failed"));
	pool.mode = PMEMVOL_MODE_WRITABLE;
	thick.state = PMEMVOL_VOLUME_FAILED;
	CHECK(strstr(pv_stats_condition(&thick, &pool, &block), "volume has failed"));
	done("figures of a volume in use");
}

static void test_bad_media(void)
{
	struct pv_volume thin = volume_of(false);
	struct pv_member member = { .device = "pmem2" };
	struct pv_pool pool = { .members = &member, .nr_members = 1 };
	struct pv_bad places[] = {
		{ .offset = 4096, .length = 512, .owner = "header" },
		{ .member = 1,
		  .offset = 8192,
		  .length = 4096,
		  .poison = true,
		  .owner = "data",
		  .volume = "v",
		  .snapshot = "s",
		  .volume_offset = 1 },
	};
	struct pv_stats stats = { .bads = { places, 2 } };

	CHECK(json_is(pv_bad_json(&stats.bads, &pool),
		      "[{\"kind\":\"bad-block\",\"device\":\"/dev/pmem2\",\"member\":0,"
		      "\"offset\":4096,\"length\":512,\"owner\":\"header\",\"volume\":null,"
		      "\"snapshot\":null,\"volume_offset\":null},"
		      "{\"kind\":\"poison\",\"device\":null,\"member\":1,\"offset\":8192,"
		      "\"length\":4096,\"owner\":\"data\",\"volume\":\"v\",\"snapshot\":\"s\","
		      "\"volume_offset\":1}]"));
	CHECK(strstr(pv_stats_condition(&thin, &pool, &stats), "medium is bad"));
	done("places where media are bad");
}

static void test_capacity(void)
{
	struct pv_pool pool = {
		.name = "tank",
		.chunk_size = 2 << 20,
		.largest_thin = UINT64_MAX,
	};

	CHECK(json_is(pv_json_capacity(&pool),
		      "{\"pool\":\"tank\",\"minimum_volume_size\":2097152,"
		      "\"thin\":{\"available_capacity\":18446744073709551615,"
		      "\"maximum_volume_size\":18446744073709551615},"
		      "\"thick\":{\"available_capacity\":0,\"maximum_volume_size\":0}}"));
	done("capacity of a pool");
}

#define LINE(ctx, verb, ...) LINE_OF(ctx, "volume", verb, __VA_ARGS__)

/* Refused for the words alone: nobody asks the kernel. */
static bool refused(const char *text, const char *verb, char *size, char *limit)
{
	char *argv[7] = { (char *)verb, "t/v", "--size", size, "--limit", limit };
	struct pv_ctx ctx;
	bool good;
	int ret;

	if (!command_line(&ctx, "volume", verb, argv, 6))
		return false;
	ret = ctx.command->run(&ctx);
	good = ret == PV_INVALID_ARGUMENT && strstr(ctx.error.message, text);
	if (!good)
		printf("# %d: %s\n", ret, ctx.error.message);
	free(ctx.given);
	return good;
}

static bool timeout_is(const char *text, uint64_t ms)
{
	struct pv_ctx ctx;
	bool good = LINE(&ctx, "list", "--timeout", (char *)text) && ctx.timeout_ms == ms;

	free(ctx.given);
	return good;
}

static void test_limits(void)
{
	static const char *const bad[] = { "",		"0",  "-1",  "0.0001",
					   "86400.001", "1s", "inf", "99999999999999999999" };
	struct pv_ctx ctx;

	for (int i = 0; i < 2; i++) {
		const char *verb = i ? "resize" : "create";

		CHECK(refused("--limit: '9M' is less than --size", verb, "10M", "9M"));
		CHECK(refused("--limit: '0' must be more than zero", verb, "1", "0"));
		CHECK(refused("--limit: 'x' is not a number", verb, "1", "x"));
		CHECK(refused("--limit: '16777216T' is too large", verb, "1", "16777216T"));
		CHECK(refused("--size: '' is not a number", verb, "", "1"));
	}
	CHECK(timeout_is("0.001", 1) && timeout_is("86400", 86400000) && timeout_is("2.5", 2500));
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		CHECK(!LINE(&ctx, "list", "--timeout", (char *)bad[i]) &&
		      ctx.error.status == PV_INVALID_ARGUMENT &&
		      strstr(ctx.error.message, "--timeout: "));
		free(ctx.given);
	}
	CHECK(LINE_OF(&ctx, "pool", "list", (char *)"-j") && ctx.timeout_ms == 120000);
	free(ctx.given);
	CHECK(LINE_OF(&ctx, "pool", "check", "tank") && ctx.timeout_ms == 3600000);
	free(ctx.given);
	CHECK(LINE_OF(&ctx, "volume", "rollback", "tank/v@s") && ctx.timeout_ms == 3600000);
	free(ctx.given);
	/* What it means there is the kernel's business. */
	/* Of the device, and for the record. */
	CHECK(LINE_OF(&ctx, "fence", "acquire", "a", "--timeout", "5") && ctx.timeout_ms == 15000);
	free(ctx.given);
	CHECK(LINE_OF(&ctx, "fence", "release", "a") && ctx.timeout_ms == 40000);
	free(ctx.given);
	CHECK(LINE_OF(&ctx, "pool", "create", "tank", "--region", "region0") &&
	      ctx.timeout_ms == 3600000);
	free(ctx.given);
	CHECK(LINE_OF(&ctx, "pool", "extend", "tank", "--region", "region0") &&
	      ctx.timeout_ms == 3600000);
	free(ctx.given);
	done("limits of size and of time");
}

static int hang(struct pv_ctx *ctx)
{
	(void)ctx;
	/* Deaf to all that can be ignored. */
	for (int i = 1; i < NSIG; i++)
		signal(i, SIG_IGN);
	dprintf(STDOUT_FILENO, "# too late\n");
	for (;;)
		pause();
	return PV_OK;
}

static int speak(struct pv_ctx *ctx)
{
	(void)ctx;
	dprintf(STDOUT_FILENO, "# heard\n");
	_exit(PV_NOT_FOUND);
}

static int crash(struct pv_ctx *ctx)
{
	(void)ctx;
	raise(SIGKILL);
	return PV_OK;
}

static void test_guard(void)
{
	struct pv_ctx ctx = { .timeout_ms = 100 };
	uint64_t start = pv_now_ms();

	CHECK(pv_guard(&ctx, hang) == PV_DEADLINE_EXCEEDED);
	CHECK(strstr(ctx.error.message, "not done within 0.100 seconds"));
	CHECK(pv_now_ms() - start >= 100);
	ctx = (struct pv_ctx){ .timeout_ms = 60000 };
	CHECK(pv_guard(&ctx, speak) == PV_NOT_FOUND && !ctx.error.status);
	CHECK(pv_guard(&ctx, crash) == PV_INTERNAL && strstr(ctx.error.message, "signal 9"));
	CHECK(pv_now_ms() - start < 60000);
	done("commands that hang");
}

void test_csi(void)
{
	test_mounts();
	test_stats();
	test_bad_media();
	test_capacity();
	test_limits();
	test_guard();
}
