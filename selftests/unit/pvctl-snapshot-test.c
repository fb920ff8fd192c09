// SPDX-License-Identifier: GPL-2.0
/* pvctl's snapshots and clones without a kernel: names, times, replies, JSON, refusals of the command line. */
#include <errno.h>
#include <limits.h>
#include <netlink/genl/genl.h>
#include <netlink/msg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "links.h"
#include "object.h"
#include "options.h"
#include "output.h"
#include "parse.h"
#include "pvctl-test.h"

static bool refused(const char *text)
{
	struct pv_snapshot_name n;
	const char *why = NULL;

	if (pv_parse_snapshot(text, &n, &why) == -EINVAL && why && why[0])
		return true;
	printf("# '%s' is taken\n", text);
	return false;
}

static void test_names(void)
{
	static const char *const bad[] = {
		"",
		"@",
		"/",
		"/@",
		"t",
		"t/v",
		"t@s",
		"@s",
		"t/@s",
		"/v@s",
		"t/v@",
		"t//v@s",
		"t/v@s@u",
		"t/v@@s",
		"t@u/v@s",
		"t/v@s/u",
		"t/v/u@s",
		"t/v@-s",
		"t/v@.s",
		"t/-v@s",
		".t/v@s",
		"t/v@s u",
		"t/v @s",
		"t/v@s\n",
		"t/v@*",
		"t/v@%s",
		"t/v@../x",
		/* An umlaut, half of one, an overlong '/', a byte that is never UTF-8, a no-break space. */
		"t/v@\xc3\xa4",
		"t/v@\xc3",
		"t/v@a\xc0\xaf",
		"t/\xff@s",
		"t/v@s\xc2\xa0",
		/* A '@' of full width is none. */
		"t/v\xef\xbc\xa0s",
	};
	char longest[PMV_NAME_MAX + 2], text[4 * PMV_NAME_MAX];
	struct pv_snapshot_name n;
	const char *why;

	CHECK(!pv_parse_snapshot("tank/v1@s1", &n, &why) && !strcmp(n.pool, "tank") &&
	      !strcmp(n.volume, "v1") && !strcmp(n.snapshot, "s1"));
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		CHECK(refused(bad[i]));
	/* No name has a '@': one way to read it. */
	CHECK(pv_parse_name("a@b", &why));
	memset(longest, 'a', sizeof(longest));
	longest[PMV_NAME_MAX] = '\0';
	snprintf(text, sizeof(text), "%s/%s@%s", longest, longest, longest);
	CHECK(!pv_parse_snapshot(text, &n, &why) && !strcmp(n.pool, longest) &&
	      !strcmp(n.volume, longest) && !strcmp(n.snapshot, longest));
	snprintf(text, sizeof(text), "%sa/v@s", longest);
	CHECK(refused(text));
	snprintf(text, sizeof(text), "t/%sa@s", longest);
	CHECK(refused(text));
	snprintf(text, sizeof(text), "t/v@%sa", longest);
	CHECK(refused(text));
	done("names of snapshots");
}

static bool printed(const char *text, const char *want)
{
	char buf[64];

	snprintf(buf, sizeof(buf), "%s", text);
	return !strcmp(pv_printable(buf), want);
}

/* What was typed is quoted on one line, and within JSON. */
static void test_printable(void)
{
	CHECK(printed("plain text, 'v1@s1'", "plain text, 'v1@s1'"));
	CHECK(printed("", ""));
	CHECK(printed("a\nb\tc\x1b[1m\x7f", "a?b?c?[1m?"));
	CHECK(printed("\xc3\xa4 \xe2\x82\xac \xf0\x9f\x98\x80",
		      "\xc3\xa4 \xe2\x82\xac \xf0\x9f\x98\x80"));
	CHECK(printed("\xc3", "?"));
	CHECK(printed("\xe2\x82", "??"));
	CHECK(printed("\xc3(", "?("));
	CHECK(printed("\xa4", "?"));
	CHECK(printed("\xff\xfe", "??"));
	/* An overlong '/', a control character of C1, half a pair, beyond the last one. */
	CHECK(printed("\xc0\xaf", "??"));
	CHECK(printed("\xc2\x85", "??"));
	CHECK(printed("\xed\xa0\x80", "???"));
	CHECK(printed("\xf4\x90\x80\x80", "????"));
	done("text that can be printed");
}

static bool time_is(uint64_t seconds, const char *want)
{
	char buf[PV_TIME_TEXT];
	const char *got = pv_format_time(seconds, buf);

	if (!got || !want)
		return got == want;
	return !strcmp(got, want);
}

static void test_times(void)
{
	setenv("TZ", "America/St_Johns", 1);
	CHECK(time_is(0, "1970-01-01T00:00:00Z"));
	CHECK(time_is(1582934400, "2020-02-29T00:00:00Z"));
	CHECK(time_is(4294967296, "2106-02-07T06:28:16Z"));
	CHECK(time_is(253402300799, "9999-12-31T23:59:59Z"));
	CHECK(time_is(253402300800, NULL));
	CHECK(time_is(INT64_MAX, NULL));
	CHECK(time_is(UINT64_MAX, NULL));
	done("times");
}

static void put_name(struct nl_msg *msg, int type, int attr, const char *name)
{
	struct nlattr *nest = nla_nest_start(msg, type);

	nla_put_string(msg, attr, name);
	nla_nest_end(msg, nest);
}

static void put_volume(struct nl_msg *msg, const char *name)
{
	put_name(msg, PMEMVOL_A_POOL, PMEMVOL_A_POOL_NAME, "tank");
	put_name(msg, PMEMVOL_A_VOLUME, PMEMVOL_A_VOLUME_NAME, name);
}

static void put_snapshot(struct nl_msg *msg, const char *name, const char *disk, uint32_t state)
{
	struct nlattr *nest = nla_nest_start(msg, PMEMVOL_A_SNAPSHOT);
	uint8_t uuid[16] = { 7 };

	nla_put_string(msg, PMEMVOL_A_SNAPSHOT_NAME, name);
	nla_put(msg, PMEMVOL_A_SNAPSHOT_UUID, sizeof(uuid), uuid);
	nla_put_u64(msg, PMEMVOL_A_SNAPSHOT_CREATED, 1582934400);
	nla_put_u64(msg, PMEMVOL_A_SNAPSHOT_SIZE, UINT64_MAX);
	nla_put_u64(msg, PMEMVOL_A_SNAPSHOT_EXCLUSIVE, 3);
	nla_put_u64(msg, PMEMVOL_A_SNAPSHOT_METADATA, 8192);
	nla_put_u32(msg, PMEMVOL_A_SNAPSHOT_CLONES, 2);
	if (disk) {
		nla_put_string(msg, PMEMVOL_A_SNAPSHOT_DISK, disk);
		nla_put_u64(msg, PMEMVOL_A_SNAPSHOT_DEVNUM, pv_devnum(250, 9));
	}
	nla_put_u32(msg, PMEMVOL_A_SNAPSHOT_OPENERS, 1);
	nla_put_u32(msg, PMEMVOL_A_SNAPSHOT_STATE, state);
	/* From a newer kernel. */
	nla_put_u32(msg, PMEMVOL_A_SNAPSHOT_MAX + 5, 1);
	nla_nest_end(msg, nest);
}

static int decode(struct nl_msg *msg, struct pv_snapshot *s)
{
	struct nlattr *top[PMEMVOL_A_MAX + 1];

	if (genlmsg_parse(nlmsg_hdr(msg), 0, top, PMEMVOL_A_MAX, NULL) < 0)
		return -EBADMSG;
	return pv_decode_snapshot(top[PMEMVOL_A_POOL], top[PMEMVOL_A_VOLUME],
				  top[PMEMVOL_A_SNAPSHOT], s);
}

#define HEAD                                                                                      \
	"{\"pool\":\"tank\",\"volume\":\"v1\",\"name\":\"s1\","                                   \
	"\"uuid\":\"07000000-0000-0000-0000-000000000000\",\"created\":\"2020-02-29T00:00:00Z\"," \
	"\"size\":18446744073709551615,\"exclusive\":3,\"metadata\":8192,\"clones\":2,"

static bool snapshot_is(const char *disk, uint32_t state, const char *want)
{
	struct nl_msg *msg = new_message();
	struct pv_snapshot s;
	bool same;

	put_volume(msg, "v1");
	put_snapshot(msg, "s1", disk, state);
	same = !decode(msg, &s) && json_is(pv_json_snapshot(&s), want);
	nlmsg_free(msg);
	return same;
}

static void test_snapshot_json(void)
{
	struct nlattr *nest;
	struct nl_msg *msg;
	struct pv_snapshot s;

	CHECK(snapshot_is(NULL, PMEMVOL_VOLUME_ACTIVE,
			  HEAD
			  "\"device\":null,\"link\":null,\"state\":\"inactive\",\"openers\":1}"));
	CHECK(snapshot_is("pmv9", PMEMVOL_VOLUME_ACTIVE,
			  HEAD "\"device\":\"/dev/pmv9\",\"link\":\"/dev/pmemvol/tank/v1@s1\","
			       "\"state\":\"active\",\"openers\":1}"));
	CHECK(snapshot_is(NULL, PMEMVOL_VOLUME_FAILED,
			  HEAD
			  "\"device\":null,\"link\":null,\"state\":\"failed\",\"openers\":1}"));
	CHECK(snapshot_is(NULL, 99,
			  HEAD
			  "\"device\":null,\"link\":null,\"state\":\"unknown\",\"openers\":1}"));

	/* A snapshot of which nothing but the name is told. */
	msg = new_message();
	put_volume(msg, "v1");
	put_name(msg, PMEMVOL_A_SNAPSHOT, PMEMVOL_A_SNAPSHOT_NAME, "s1");
	CHECK(!decode(msg, &s));
	CHECK(json_is(pv_json_snapshot(&s),
		      "{\"pool\":\"tank\",\"volume\":\"v1\",\"name\":\"s1\","
		      "\"uuid\":\"00000000-0000-0000-0000-000000000000\",\"created\":null,"
		      "\"size\":null,\"exclusive\":null,\"metadata\":null,\"clones\":null,"
		      "\"device\":null,\"link\":null,\"state\":\"inactive\",\"openers\":null}"));
	nlmsg_free(msg);

	/* A UUID that is cut short. */
	msg = new_message();
	put_volume(msg, "v1");
	nest = nla_nest_start(msg, PMEMVOL_A_SNAPSHOT);
	nla_put_string(msg, PMEMVOL_A_SNAPSHOT_NAME, "s1");
	nla_put(msg, PMEMVOL_A_SNAPSHOT_UUID, 5, "short");
	nla_nest_end(msg, nest);
	CHECK(decode(msg, &s) == -EBADMSG);
	nlmsg_free(msg);

	/* Without a pool it is nobody's. */
	msg = new_message();
	put_snapshot(msg, "s1", NULL, 0);
	CHECK(decode(msg, &s) == -EBADMSG);
	nlmsg_free(msg);
	done("JSON of a snapshot");
}

/* The name of a file has 255 bytes at most: two longest names and a '@' are more. */
static void test_long_links(void)
{
	struct pv_snapshot s = { .pool = "tank", .disk = "pmv0" };
	char link[PV_LINK_MAX];

	memset(s.pool, 'p', PMEMVOL_NAME_MAX);
	memset(s.volume, 'v', PMEMVOL_NAME_MAX);
	memset(s.name, 's', PMEMVOL_NAME_MAX);
	CHECK(!pv_link_snapshot_path(&s, link));
	s.name[PMEMVOL_NAME_MAX - 1] = '\0';
	CHECK(!pv_link_snapshot_path(&s, link));
	s.name[PMEMVOL_NAME_MAX - 2] = '\0';
	CHECK(pv_link_snapshot_path(&s, link) && strlen(strrchr(link, '/') + 1) == NAME_MAX);
	s.disk[0] = '\0';
	CHECK(!pv_link_snapshot_path(&s, link));
	done("names too long for a link");
}

static void test_clone_json(void)
{
	struct pv_volume v = {
		.present = 1ULL << PMEMVOL_A_VOLUME_ORIGIN,
		.pool = "tank",
		.name = "c",
		.origin = "v1",
		.origin_snapshot = "s1",
		.disk = "pmv2",
	};

	CHECK(json_is(pv_json_volume(&v),
		      "{\"pool\":\"tank\",\"name\":\"c\","
		      "\"uuid\":\"00000000-0000-0000-0000-000000000000\",\"size\":null,"
		      "\"provisioned\":null,\"thick\":false,\"device\":\"/dev/pmv2\","
		      "\"link\":\"/dev/pmemvol/tank/c\",\"state\":null,\"openers\":null,"
		      "\"metadata\":null,\"snapshots\":null,"
		      "\"origin\":{\"volume\":\"v1\",\"snapshot\":\"s1\"}}"));
	done("JSON of a clone");
}

static void test_events(void)
{
	struct nlattr *top[PMEMVOL_A_MAX + 1], *nest;
	struct nl_msg *msg = new_message();
	struct pv_event e;

	nest = nla_nest_start(msg, PMEMVOL_A_EVENT);
	nla_put_u32(msg, PMEMVOL_A_EVENT_TYPE, PMEMVOL_EVENT_SNAPSHOT_CREATED);
	nla_put_u64(msg, PMEMVOL_A_EVENT_SEQ, 42);
	nla_nest_end(msg, nest);
	put_volume(msg, "v1");
	put_name(msg, PMEMVOL_A_SNAPSHOT, PMEMVOL_A_SNAPSHOT_NAME, "s1");
	CHECK(!genlmsg_parse(nlmsg_hdr(msg), 0, top, PMEMVOL_A_MAX, NULL));
	CHECK(!pv_decode_event(top, &e));
	CHECK(json_is(pv_json_event(&e),
		      "{\"event\":\"snapshot-created\",\"seq\":42,\"pool\":{\"name\":\"tank\"},"
		      "\"volume\":{\"pool\":\"tank\",\"name\":\"v1\"},"
		      "\"snapshot\":{\"pool\":\"tank\",\"volume\":\"v1\",\"name\":\"s1\"}}"));
	CHECK(!strcmp(pv_event_name(PMEMVOL_EVENT_SNAPSHOT_DELETED), "snapshot-deleted"));
	CHECK(!strcmp(pv_event_name(PMEMVOL_EVENT_SNAPSHOT_ERASED), "snapshot-erased"));
	CHECK(!strcmp(pv_event_name(PMEMVOL_EVENT_VOLUME_ROLLED_BACK), "volume-rolled-back"));
	pv_pool_free(&e.pool);
	/* The volume may be gone when the last of a snapshot is erased. */
	top[PMEMVOL_A_VOLUME] = NULL;
	CHECK(!pv_decode_event(top, &e));
	CHECK(json_is(pv_json_event(&e),
		      "{\"event\":\"snapshot-created\",\"seq\":42,\"pool\":{\"name\":\"tank\"},"
		      "\"snapshot\":{\"pool\":\"tank\",\"name\":\"s1\"}}"));
	pv_pool_free(&e.pool);
	/* A snapshot that cannot be read spoils the event. */
	top[PMEMVOL_A_POOL] = NULL;
	CHECK(pv_decode_event(top, &e) == -EBADMSG);
	nlmsg_free(msg);
	done("events of snapshots");
}

/* Whatever byte of a reply is wrong: an answer or a refusal, never a read out of bounds. */
static void test_hostile_replies(void)
{
	struct nl_msg *msg = new_message(), *bent = new_message();
	struct nlmsghdr *nlh = nlmsg_hdr(msg);
	unsigned int bad = 0;
	struct pv_snapshot s;

	put_volume(msg, "v1");
	put_snapshot(msg, "s1", "pmv9", 0);
	for (uint32_t i = NLMSG_HDRLEN + GENL_HDRLEN; i < nlh->nlmsg_len; i++) {
		for (unsigned int value = 0; value < 256; value += 17) {
			memcpy(nlmsg_hdr(bent), nlh, nlh->nlmsg_len);
			((uint8_t *)nlmsg_hdr(bent))[i] = (uint8_t)value;
			if (decode(bent, &s))
				bad++;
			else
				json_object_put(pv_json_snapshot(&s));
		}
	}
	nlmsg_free(msg);
	nlmsg_free(bent);
	CHECK(bad > 0);
	done("replies about snapshots with a wrong byte");
}

/* Refused before the kernel is asked, with @text in the one line that is told. */
static bool not_run(const char *group, const char *verb, char **argv, int argc, const char *text)
{
	struct pv_ctx ctx;
	bool good;

	good = !command_line(&ctx, group, verb, argv, argc) ||
	       ctx.command->run(&ctx) == PV_INVALID_ARGUMENT;
	good = good && ctx.error.status == PV_INVALID_ARGUMENT && !ctx.nl &&
	       strstr(ctx.error.message, text) && !strchr(ctx.error.message, '\n');
	if (!good)
		printf("# %s\n", ctx.error.message);
	free(ctx.given);
	return good;
}

#define NOT_RUN(text, group, verb, ...)                                                            \
	not_run(group, verb, (char *[]){ (char *)((verb) ? (verb) : (group)), __VA_ARGS__, NULL }, \
		sizeof((char *[]){ (char *)((verb) ? (verb) : (group)), __VA_ARGS__ }) /           \
			sizeof(char *),                                                            \
		text)

static void test_refusals(void)
{
	static const char *const verbs[] = {
		"create", "show", "activate", "deactivate", "delete",
	};
	char longest[5000] = "";

	for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++) {
		CHECK(NOT_RUN("names no snapshot", "snapshot", verbs[i], "tank/v1"));
		CHECK(NOT_RUN("names no pool", "snapshot", verbs[i], "v1@s1"));
		CHECK(NOT_RUN("it is empty", "snapshot", verbs[i], "tank/v1@"));
		CHECK(NOT_RUN("one argument too many", "snapshot", verbs[i], "t/v@s", "t/v@u"));
	}
	CHECK(NOT_RUN("is not a name", "snapshot", "list", "tank/v1@s1"));
	CHECK(NOT_RUN("is not a name", "snapshot", "list", "tank@s1"));
	CHECK(NOT_RUN("it is empty", "snapshot", "list", "tank/"));
	CHECK(NOT_RUN("names no snapshot", "volume", "rollback", "tank/v1"));
	CHECK(NOT_RUN("in another pool", "clone", NULL, "tank/v1@s1", "lake/c"));
	CHECK(NOT_RUN("names no pool", "clone", NULL, "tank/v1@s1", "c"));
	CHECK(NOT_RUN("is not a name", "clone", NULL, "tank/v1@s1", "tank/c@d"));
	CHECK(NOT_RUN("names no snapshot", "clone", NULL, "tank/v1", "tank/c"));
	CHECK(NOT_RUN("POOL/NAME is missing", "clone", NULL, "tank/v1@s1"));
	/* However long, the reason is told. */
	memset(longest, 'x', sizeof(longest) - 1);
	memcpy(longest, "tank/v1@", 8);
	CHECK(NOT_RUN("...' is not a name: it is longer", "snapshot", "show", longest));
	CHECK(NOT_RUN("is not an option", "clone", NULL, "t/v@s", "t/c", "--lease", "1"));
	CHECK(NOT_RUN("--size: '' is not a number", "clone", NULL, "t/v@s", "t/c", "--size", ""));
	CHECK(NOT_RUN("'1M' is less than --size", "clone", NULL, "t/v@s", "t/c", "--size", "2M",
		      "--limit", "1M"));
	done("snapshot and clone commands that are wrong");
}

void test_snapshots(void)
{
	test_names();
	test_printable();
	test_times();
	test_snapshot_json();
	test_long_links();
	test_clone_json();
	test_events();
	test_hostile_replies();
	test_refusals();
}
