// SPDX-License-Identifier: GPL-2.0
/* pvctl's own logic without a kernel: parsing, decoding, refusals, and pools put together from superblocks. */
#include <errno.h>
#include <fcntl.h>
#include <linux/genetlink.h>
#include <linux/netlink.h>
#include <netlink/genl/genl.h>
#include <netlink/msg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "extack.h"
#include "help.h"
#include "object.h"
#include "options.h"
#include "output.h"
#include "parse.h"
#include "pvctl-test.h"
#include "scan.h"
#include "superblock.h"

static unsigned int nr_tests, nr_failed, nr_complaints;

void check(bool good, const char *text, int line)
{
	if (good)
		return;
	printf("# line %d: %s\n", line, text);
	nr_complaints++;
}

void done(const char *name)
{
	nr_tests++;
	printf("%s %u %s\n", nr_complaints ? "not ok" : "ok", nr_tests, name);
	nr_failed += !!nr_complaints;
	nr_complaints = 0;
}

static void test_sizes(void)
{
	static const struct {
		const char *text;
		uint64_t size;
	} good[] = {
		{ "1", 1 }, { "4096", 4096 }, { "1K", 1024 }, { "1Ki", 1024 }, { "1KiB", 1024 },
		{ "10G", 10ULL << 30 }, { "10Gi", 10ULL << 30 }, { "1.5G", 3ULL << 29 },
		{ "1.5GiB", 3ULL << 29 }, { "0.5K", 512 }, { "2T", 2ULL << 40 },
		{ "2TiB", 2ULL << 40 }, { "512MiB", 512ULL << 20 }, { "0.0009765625K", 1 },
		{ "18446744073709551615", UINT64_MAX }, { "16777215T", 16777215ULL << 40 },
	};
	static const char *const bad[] = {
		"", " ", "0", "0G", "-1", "-1G", "+1", "G", "1g", "1m", "1GB", "1KB", "1P", "1 G",
		"1GiBs", "1.G", ".5G", "1..5G", "1.2.3G", "0.3K", "1.0000001", "0x10", "1e3",
		"18446744073709551616", "16777216T", "99999999999999999999999G", "1G ", "ten", "1i",
	};
	const char *why = NULL;
	uint64_t size;

	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		bool ok = !pv_parse_size(good[i].text, &size, &why) && size == good[i].size;

		if (!ok)
			printf("# '%s'\n", good[i].text);
		CHECK(ok);
	}
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		why = NULL;
		if (pv_parse_size(bad[i], &size, &why) != -EINVAL || !why || !why[0]) {
			printf("# '%s' is taken\n", bad[i]);
			CHECK(false);
		}
	}
	done("sizes");
}

static bool ratio_is(const char *text, uint32_t want)
{
	const char *why;
	uint32_t got;

	return !pv_parse_ratio(text, &got, &why) && got == want;
}

static bool ratio_refused(const char *text)
{
	const char *why = NULL;
	uint32_t got;

	return pv_parse_ratio(text, &got, &why) == -EINVAL && why;
}

static void test_ratios(void)
{
	const char *why;
	uint64_t count;
	uint32_t v;

	CHECK(ratio_is("1", 100));
	CHECK(ratio_is("2.5", 250));
	CHECK(ratio_is("2.50", 250));
	CHECK(ratio_is("400%", 400));
	CHECK(ratio_is("100%", 100));
	CHECK(ratio_is("10000", 1000000));
	CHECK(ratio_refused("0.99"));
	CHECK(ratio_refused("99%"));
	CHECK(ratio_refused("10001"));
	CHECK(ratio_refused("1.005"));
	CHECK(ratio_refused("100.5%"));
	CHECK(ratio_refused("-2"));
	CHECK(ratio_refused("2x"));
	CHECK(ratio_refused("2.5%%"));
	CHECK(ratio_refused(""));
	CHECK(ratio_refused("999999999999999999999"));
	CHECK(!pv_parse_percent("0", &v, &why) && v == 0);
	CHECK(!pv_parse_percent("99%", &v, &why) && v == 99);
	CHECK(pv_parse_percent("100", &v, &why));
	CHECK(pv_parse_percent("5.5", &v, &why));
	CHECK(pv_parse_percent("-5", &v, &why));
	CHECK(pv_parse_percent("", &v, &why));
	CHECK(!pv_parse_count("7", &count, &why) && count == 7);
	CHECK(pv_parse_count("0", &count, &why));
	CHECK(pv_parse_count("7x", &count, &why));
	done("ratios, percentages, counts");
}

static void test_names(void)
{
	struct pv_volume_name n;
	char longest[PMV_NAME_MAX + 3];
	const char *why;

	memset(longest, 'a', sizeof(longest));
	longest[PMV_NAME_MAX] = '\0';
	CHECK(!pv_parse_name(longest, &why));
	CHECK(!pv_parse_name("disk-334cb6fa-fabd-4687-96dc-0d2b15564822", &why));
	CHECK(!pv_parse_name("A+b_c.d-0", &why));
	CHECK(pv_parse_name("", &why));
	CHECK(pv_parse_name("-a", &why));
	CHECK(pv_parse_name(".a", &why));
	CHECK(pv_parse_name("a b", &why));
	CHECK(pv_parse_name("a/b", &why));
	CHECK(pv_parse_name("\xc3\xa4", &why));
	CHECK(!pv_parse_volume("tank/v1", &n, &why) && !strcmp(n.pool, "tank") &&
	      !strcmp(n.volume, "v1"));
	CHECK(pv_parse_volume("tank", &n, &why));
	CHECK(pv_parse_volume("tank/", &n, &why));
	CHECK(pv_parse_volume("/v1", &n, &why));
	CHECK(pv_parse_volume("tank/v1/x", &n, &why));
	CHECK(pv_parse_volume("tank/../v1", &n, &why));
	longest[PMV_NAME_MAX] = 'a';
	longest[PMV_NAME_MAX + 1] = '\0';
	CHECK(pv_parse_name(longest, &why));
	longest[0] = '/';
	CHECK(pv_parse_volume(longest, &n, &why));
	done("names");
}

static void test_uuids_and_units(void)
{
	static const char text[] = "334cb6fa-fabd-4687-96dc-0d2b15564822";
	uint8_t uuid[PMV_UUID_SIZE];
	char buf[PV_UUID_TEXT];

	CHECK(!pv_parse_uuid(text, uuid) && !strcmp(pv_format_uuid(uuid, buf), text));
	CHECK(!pv_parse_uuid("334CB6FA-FABD-4687-96DC-0D2B15564822", uuid) &&
	      !strcmp(pv_format_uuid(uuid, buf), text));
	CHECK(pv_parse_uuid("334cb6fa-fabd-4687-96dc-0d2b1556482", uuid));
	CHECK(pv_parse_uuid("334cb6fa-fabd-4687-96dc-0d2b155648222", uuid));
	CHECK(pv_parse_uuid("334cb6fafabd-4687-96dc-0d2b15564822", uuid));
	CHECK(pv_parse_uuid("334cb6fa-fabd-4687-96dc-0d2b1556482g", uuid));
	CHECK(pv_parse_uuid("", uuid));
	CHECK(pv_parse_uuid("3", uuid));
	CHECK(!strcmp(pv_format_size(0, buf), "0 B"));
	CHECK(!strcmp(pv_format_size(1023, buf), "1023 B"));
	CHECK(!strcmp(pv_format_size(1024, buf), "1.0 KiB"));
	CHECK(!strcmp(pv_format_size(3ULL << 29, buf), "1.5 GiB"));
	CHECK(!strcmp(pv_format_size((1ULL << 30) - 1, buf), "1.0 GiB"));
	CHECK(!strcmp(pv_format_size(UINT64_MAX, buf), "16.0 EiB"));
	CHECK(!strcmp(pv_format_ratio(100, buf), "1"));
	CHECK(!strcmp(pv_format_ratio(250, buf), "2.5"));
	CHECK(!strcmp(pv_format_ratio(105, buf), "1.05"));
	CHECK(!strcmp(pv_format_ratio(100000, buf), "1000"));
	done("UUIDs and units");
}

static void put_member(struct nl_msg *msg, const char *device, int numa)
{
	struct nlattr *nest = nla_nest_start(msg, PMEMVOL_A_POOL_MEMBER);
	uint8_t uuid[16] = { 0xaa };

	nla_put_string(msg, PMEMVOL_A_MEMBER_DEVICE, device);
	nla_put(msg, PMEMVOL_A_MEMBER_UUID, sizeof(uuid), uuid);
	nla_put_u64(msg, PMEMVOL_A_MEMBER_SIZE, 1ULL << 30);
	nla_put_s32(msg, PMEMVOL_A_MEMBER_NUMA_NODE, numa);
	nla_put_u64(msg, PMEMVOL_A_MEMBER_DEVNUM, pv_devnum(259, 1));
	nla_put_u32(msg, PMEMVOL_A_MEMBER_BAD_BLOCKS, 8);
	nla_nest_end(msg, nest);
}

static void put_pool(struct nl_msg *msg, const char *name)
{
	struct nlattr *nest = nla_nest_start(msg, PMEMVOL_A_POOL);
	uint8_t uuid[16] = { 1, 2, 3 };

	nla_put_string(msg, PMEMVOL_A_POOL_NAME, name);
	nla_put(msg, PMEMVOL_A_POOL_UUID, sizeof(uuid), uuid);
	nla_put_u32(msg, PMEMVOL_A_POOL_CHUNK_SIZE, 2 << 20);
	nla_put_u32(msg, PMEMVOL_A_POOL_OVERCOMMIT, 250);
	nla_put_u32(msg, PMEMVOL_A_POOL_LOW_WATER, 10);
	nla_put_u64(msg, PMEMVOL_A_POOL_SIZE, 3ULL << 30);
	nla_put_u64(msg, PMEMVOL_A_POOL_FREE, 1ULL << 30);
	nla_put_u64(msg, PMEMVOL_A_POOL_PROVISIONED, 5);
	nla_put_u64(msg, PMEMVOL_A_POOL_PROMISED, 6);
	nla_put_u64(msg, PMEMVOL_A_POOL_METADATA, 7);
	nla_put_u64(msg, PMEMVOL_A_POOL_ERASING, 8);
	nla_put_u32(msg, PMEMVOL_A_POOL_VOLUMES, 9);
	nla_put_u32(msg, PMEMVOL_A_POOL_MODE, PMEMVOL_MODE_NO_SPACE);
	nla_put_u64(msg, PMEMVOL_A_POOL_GENERATION, 11);
	/* From a newer kernel. */
	nla_put_u32(msg, PMEMVOL_A_POOL_MAX + 3, 1);
	put_member(msg, "pmem0", 0);
	put_member(msg, "pmem1", -1);
	nla_nest_end(msg, nest);
}

static void put_volume(struct nl_msg *msg, const char *name, bool thick)
{
	struct nlattr *nest = nla_nest_start(msg, PMEMVOL_A_VOLUME);
	uint8_t uuid[16] = { 9 };

	nla_put_string(msg, PMEMVOL_A_VOLUME_NAME, name);
	nla_put(msg, PMEMVOL_A_VOLUME_UUID, sizeof(uuid), uuid);
	nla_put_u64(msg, PMEMVOL_A_VOLUME_SIZE, UINT64_MAX);
	if (thick)
		nla_put_flag(msg, PMEMVOL_A_VOLUME_THICK);
	nla_put_u64(msg, PMEMVOL_A_VOLUME_PROVISIONED, 4);
	nla_put_string(msg, PMEMVOL_A_VOLUME_DISK, "pmv7");
	nla_put_u64(msg, PMEMVOL_A_VOLUME_DEVNUM, pv_devnum(250, 7));
	nla_put_u32(msg, PMEMVOL_A_VOLUME_OPENERS, 1);
	nla_put_u32(msg, PMEMVOL_A_VOLUME_STATE, PMEMVOL_VOLUME_FAILED);
	nla_put_u64(msg, PMEMVOL_A_VOLUME_METADATA, 8192);
	nla_put_u32(msg, PMEMVOL_A_VOLUME_SNAPSHOTS, 0);
	nla_nest_end(msg, nest);
}

struct nl_msg *new_message(void)
{
	struct nl_msg *msg = nlmsg_alloc_size(64 << 10);

	genlmsg_put(msg, 0, 0, 0x20, 0, 0, 0, 1);
	return msg;
}

static void parse_top(struct nl_msg *msg, struct nlattr **top)
{
	CHECK(!genlmsg_parse(nlmsg_hdr(msg), 0, top, PMEMVOL_A_MAX, NULL));
}

bool json_is(struct json_object *o, const char *want)
{
	const char *got = json_object_to_json_string_ext(o, JSON_C_TO_STRING_PLAIN |
							    JSON_C_TO_STRING_NOSLASHESCAPE);
	bool same = !strcmp(got, want);

	if (!same)
		printf("# got  %s\n# want %s\n", got, want);
	json_object_put(o);
	return same;
}

#define POOL_UUID "01020300-0000-0000-0000-000000000000"
#define MEMBER_UUID "aa000000-0000-0000-0000-000000000000"

static void test_pool_json(void)
{
	struct nlattr *top[PMEMVOL_A_MAX + 1];
	struct nl_msg *msg = new_message();
	struct pv_pool pool;

	put_pool(msg, "tank");
	parse_top(msg, top);
	CHECK(!pv_decode_pool(top[PMEMVOL_A_POOL], &pool));
	CHECK(json_is(pv_json_pool(&pool),
		      "{\"name\":\"tank\",\"uuid\":\"" POOL_UUID "\",\"state\":\"active\","
		      "\"mode\":\"no-space\",\"size\":3221225472,\"free\":1073741824,"
		      "\"provisioned\":5,\"promised\":6,\"metadata\":7,\"erasing\":8,"
		      "\"chunk_size\":2097152,\"volumes\":9,\"low_water\":10,\"generation\":11,"
		      "\"overcommit\":2.5,\"members\":["
		      "{\"device\":\"/dev/pmem0\",\"uuid\":\"" MEMBER_UUID "\",\"size\":1073741824,"
		      "\"numa_node\":0,\"bad_blocks\":8},"
		      "{\"device\":\"/dev/pmem1\",\"uuid\":\"" MEMBER_UUID "\",\"size\":1073741824,"
		      "\"numa_node\":-1,\"bad_blocks\":8}]}"));
	pv_pool_free(&pool);
	nlmsg_free(msg);
	done("JSON of a pool");
}

static void test_volume_json(void)
{
	struct nlattr *top[PMEMVOL_A_MAX + 1];
	struct nl_msg *msg = new_message();
	struct pv_volume volume;

	put_pool(msg, "tank");
	put_volume(msg, "v1", true);
	parse_top(msg, top);
	CHECK(!pv_decode_volume(top[PMEMVOL_A_POOL], top[PMEMVOL_A_VOLUME], &volume));
	CHECK(json_is(pv_json_volume(&volume),
		      "{\"pool\":\"tank\",\"name\":\"v1\","
		      "\"uuid\":\"09000000-0000-0000-0000-000000000000\","
		      "\"size\":18446744073709551615,\"provisioned\":4,\"thick\":true,"
		      "\"device\":\"/dev/pmv7\",\"link\":\"/dev/pmemvol/tank/v1\","
		      "\"state\":\"failed\",\"openers\":1,\"metadata\":8192,\"snapshots\":0,"
		      "\"origin\":null}"));
	nlmsg_free(msg);
	done("JSON of a volume");
}

static void test_event_json(void)
{
	struct nlattr *top[PMEMVOL_A_MAX + 1], *nest;
	struct nl_msg *msg = new_message();
	struct pv_event e;

	nest = nla_nest_start(msg, PMEMVOL_A_EVENT);
	nla_put_u32(msg, PMEMVOL_A_EVENT_TYPE, PMEMVOL_EVENT_VOLUME_DELETED);
	nla_put_u64(msg, PMEMVOL_A_EVENT_SEQ, 42);
	nla_nest_end(msg, nest);
	nest = nla_nest_start(msg, PMEMVOL_A_POOL);
	nla_put_string(msg, PMEMVOL_A_POOL_NAME, "tank");
	nla_nest_end(msg, nest);
	nest = nla_nest_start(msg, PMEMVOL_A_VOLUME);
	nla_put_string(msg, PMEMVOL_A_VOLUME_NAME, "v1");
	nla_nest_end(msg, nest);
	parse_top(msg, top);
	CHECK(!pv_decode_event(top, &e));
	CHECK(json_is(pv_json_event(&e),
		      "{\"event\":\"volume-deleted\",\"seq\":42,\"pool\":{\"name\":\"tank\"},"
		      "\"volume\":{\"pool\":\"tank\",\"name\":\"v1\"}}"));
	pv_pool_free(&e.pool);
	nlmsg_free(msg);
	done("JSON of an event");
}

/* Whatever byte of a reply is wrong: an answer or a refusal, never a read out of bounds. */
static void test_hostile_replies(void)
{
	struct nlattr *top[PMEMVOL_A_MAX + 1];
	struct nl_msg *msg = new_message();
	struct nlmsghdr *nlh = nlmsg_hdr(msg);
	unsigned int refused = 0;
	struct pv_volume v;
	struct pv_pool p;
	uint8_t *copy;

	put_pool(msg, "tank");
	put_volume(msg, "v1", false);
	copy = malloc(nlh->nlmsg_len);
	for (uint32_t i = NLMSG_HDRLEN + GENL_HDRLEN; i < nlh->nlmsg_len; i++) {
		for (unsigned int value = 0; value < 256; value += 17) {
			struct nlmsghdr *bent = (struct nlmsghdr *)copy;

			memcpy(copy, nlh, nlh->nlmsg_len);
			copy[i] = (uint8_t)value;
			if (genlmsg_parse(bent, 0, top, PMEMVOL_A_MAX, NULL) < 0) {
				refused++;
				continue;
			}
			refused += pv_decode_volume(top[PMEMVOL_A_POOL], top[PMEMVOL_A_VOLUME],
						    &v) != 0;
			if (pv_decode_pool(top[PMEMVOL_A_POOL], &p))
				refused++;
			else
				json_object_put(pv_json_pool(&p));
			pv_pool_free(&p);
		}
	}
	free(copy);
	nlmsg_free(msg);
	CHECK(refused > 0);
	done("replies with a wrong byte");
}

/* A refusal as the kernel writes it: error, the request or its head, TLVs. */
static void make_refusal(uint8_t *buf, const struct nlmsghdr *request, bool capped, uint32_t offset)
{
	struct nlmsghdr *nlh = (struct nlmsghdr *)buf;
	struct nlmsgerr *err = NLMSG_DATA(nlh);
	static const char text[] = "the device is in use";
	struct nlattr *attr;
	size_t len = NLMSG_LENGTH(sizeof(*err));

	memset(buf, 0, 4096);
	nlh->nlmsg_type = NLMSG_ERROR;
	nlh->nlmsg_flags = NLM_F_ACK_TLVS | (capped ? NLM_F_CAPPED : 0);
	err->error = -EBUSY;
	err->msg = *request;
	if (!capped) {
		memcpy(buf + len, request + 1, request->nlmsg_len - NLMSG_HDRLEN);
		len += NLMSG_ALIGN(request->nlmsg_len - NLMSG_HDRLEN);
	}
	attr = (struct nlattr *)(buf + len);
	attr->nla_type = NLMSGERR_ATTR_MSG;
	attr->nla_len = NLA_HDRLEN + sizeof(text);
	memcpy(nla_data(attr), text, sizeof(text));
	len += NLA_ALIGN(attr->nla_len);
	attr = (struct nlattr *)(buf + len);
	attr->nla_type = NLMSGERR_ATTR_OFFS;
	attr->nla_len = NLA_HDRLEN + sizeof(offset);
	memcpy(nla_data(attr), &offset, sizeof(offset));
	nlh->nlmsg_len = (uint32_t)(len + NLA_ALIGN(attr->nla_len));
}

static void test_refusals(void)
{
	static uint8_t buf[4096] __attribute__((aligned(8)));
	struct nlmsghdr *nlh = (struct nlmsghdr *)buf, *request;
	struct nl_msg *msg = new_message();
	struct pv_extack ack;
	uint32_t at[3], nest_at, end;
	struct nlattr *pool;

	request = nlmsg_hdr(msg);
	pool = nla_nest_start(msg, PMEMVOL_A_POOL | NLA_F_NESTED);
	nla_put_string(msg, PMEMVOL_A_POOL_NAME, "tank");
	nest_at = request->nlmsg_len;
	for (int i = 0; i < 3; i++) {
		char path[32];
		struct nlattr *member = nla_nest_start(msg, PMEMVOL_A_POOL_MEMBER | NLA_F_NESTED);

		snprintf(path, sizeof(path), "/dev/pmem%d", i);
		at[i] = request->nlmsg_len;
		nla_put_string(msg, PMEMVOL_A_MEMBER_DEVICE, path);
		nla_nest_end(msg, member);
	}
	nla_nest_end(msg, pool);
	end = request->nlmsg_len;

	for (int capped = 0; capped < 2; capped++) {
		make_refusal(buf, request, capped, at[1]);
		pv_extack_parse(nlh, &ack);
		CHECK(!strcmp(ack.message, "the device is in use"));
		CHECK(ack.offset == at[1]);
	}
	CHECK(!strcmp(pv_extack_device(request, at[0]), "/dev/pmem0"));
	CHECK(!strcmp(pv_extack_device(request, at[1]), "/dev/pmem1"));
	CHECK(!strcmp(pv_extack_device(request, at[2]), "/dev/pmem2"));
	CHECK(!strcmp(pv_extack_device(request, nest_at), "/dev/pmem0"));
	CHECK(!pv_extack_device(request, 0));
	CHECK(!pv_extack_device(request, NLMSG_HDRLEN + GENL_HDRLEN));
	CHECK(!pv_extack_device(request, end));
	CHECK(!pv_extack_device(request, UINT32_MAX));

	/* Cut short anywhere, it is still read within its bounds. */
	for (uint32_t len = NLMSG_HDRLEN; len < nlh->nlmsg_len; len++) {
		uint8_t *cut;

		make_refusal(buf, request, false, at[1]);
		nlh->nlmsg_len = len;
		cut = malloc(len);
		memcpy(cut, buf, len);
		pv_extack_parse((struct nlmsghdr *)cut, &ack);
		free(cut);
	}
	nlh->nlmsg_flags = 0;
	pv_extack_parse(nlh, &ack);
	CHECK(!ack.message[0] && !ack.offset);
	nlmsg_free(msg);
	done("refusals name the device");
}

static void test_status(void)
{
	CHECK(pv_status_of(0) == PV_OK);
	CHECK(pv_status_of(EINVAL) == 3);
	CHECK(pv_status_of(ETIMEDOUT) == 4);
	CHECK(pv_status_of(ENOENT) == 5 && pv_status_of(ENODEV) == 5 && pv_status_of(ENXIO) == 5);
	CHECK(pv_status_of(EEXIST) == 6);
	CHECK(pv_status_of(EPERM) == 7 && pv_status_of(EACCES) == 7);
	CHECK(pv_status_of(ENOSPC) == 8 && pv_status_of(ENOMEM) == 8);
	CHECK(pv_status_of(EBUSY) == 9 && pv_status_of(ENOTEMPTY) == 9 &&
	      pv_status_of(EMEDIUMTYPE) == 9 && pv_status_of(ENOTBLK) == 9 &&
	      pv_status_of(EROFS) == 9 && pv_status_of(ESTALE) == 9);
	CHECK(pv_status_of(EKEYREJECTED) == 9 && pv_status_of(EBADE) == 10);
	CHECK(pv_status_of(ERANGE) == 11 && pv_status_of(EOVERFLOW) == 11);
	CHECK(pv_status_of(EOPNOTSUPP) == 12);
	CHECK(pv_status_of(ECHILD) == 13);
	CHECK(pv_status_of(EUCLEAN) == 15 && pv_status_of(EIO) == 15 && pv_status_of(EBADMSG) == 15);
	CHECK(!strcmp(pv_status_name(PV_FAILED_PRECONDITION), "FAILED_PRECONDITION"));
	done("exit statuses");
}

#define DEVICE_SIZE (64ULL << 20)

/* A superblock of member @index of @nr in a pool whose UUID begins with @id. */
static struct pmv_sb superblock(uint8_t id, const char *name, unsigned int index, unsigned int nr,
				uint64_t generation)
{
	struct pmv_sb sb = { 0 };

	sb.generation = cpu_to_le64(generation);
	sb.pool_uuid[0] = id;
	sb.member_uuid[0] = (uint8_t)(index + 1);
	sb.member_uuid[1] = id;
	sb.member_index = cpu_to_le16((uint16_t)index);
	sb.nr_members = cpu_to_le16((uint16_t)nr);
	sb.chunk_shift = PMV_CHUNK_SHIFT_MIN;
	sb.name_len = (uint8_t)strlen(name);
	memcpy(sb.name, name, sb.name_len);
	sb.data_off = cpu_to_le64(2 << 20);
	sb.device_size = cpu_to_le64(DEVICE_SIZE);
	sb.overcommit = cpu_to_le32(100);
	sb.map_gen = cpu_to_le64(1);
	for (unsigned int i = 0; i < nr; i++) {
		sb.member[i].uuid[0] = (uint8_t)(i + 1);
		sb.member[i].uuid[1] = id;
		sb.member[i].first_chunk = cpu_to_le64(i * 31ULL);
		sb.member[i].chunks = cpu_to_le64(31);
	}
	pmv_sb_seal(&sb);
	return sb;
}

static void add(struct pv_scan *scan, const char *device, uint64_t devnum, struct pmv_sb sb)
{
	CHECK(!pmv_sb_verify(&sb, DEVICE_SIZE, NULL));
	pv_scan_add(scan, device, devnum, &sb);
}

static void count_stray(const struct pv_found *stray, void *arg)
{
	CHECK(!strcmp(stray->name, "pmem7"));
	(*(unsigned int *)arg)++;
}

static void test_scan(void)
{
	struct pv_ctx ctx = { 0 };
	const struct pv_pool *found;
	struct pv_scan scan = { 0 };
	unsigned int strays = 0;
	struct pv_pools pools;

	/* Out of order; member 1 is a generation ahead; an extension to 4 members did not finish. */
	add(&scan, "pmem2", 2, superblock(1, "tank", 2, 3, 5));
	add(&scan, "pmem7", 7, superblock(1, "tank", 3, 4, 6));
	add(&scan, "pmem1", 1, superblock(1, "tank", 1, 4, 6));
	add(&scan, "pmem0", 9, superblock(1, "tank", 0, 3, 5));
	add(&scan, "pmem5", 5, superblock(2, "lake", 1, 2, 1));
	add(&scan, "pmem6", 6, superblock(3, "tank", 0, 1, 1));
	pv_scan_pools(&scan, &pools);
	CHECK(pools.nr == 3);
	CHECK(!strcmp(pools.pool[0].name, "lake") && pools.pool[0].missing == 1 &&
	      !pools.pool[0].members[0].device[0]);
	CHECK(!strcmp(pools.pool[1].name, "tank") && pools.pool[1].nr_members == 3 &&
	      !pools.pool[1].missing && !pools.pool[1].active);
	CHECK(!strcmp(pools.pool[1].members[0].device, "pmem0") &&
	      !strcmp(pools.pool[1].members[1].device, "pmem1") &&
	      !strcmp(pools.pool[1].members[2].device, "pmem2"));
	CHECK(pools.pool[1].size == 3 * 31 * (2ULL << 20));
	pv_scan_strays(&scan, &pools.pool[1], count_stray, &strays);
	CHECK(strays == 1);
	CHECK(pv_find_inactive(&ctx, &pools, "tank", &found) == PV_FAILED_PRECONDITION);
	CHECK(strstr(ctx.error.message, "01000000-0000-0000-0000-000000000000") &&
	      strstr(ctx.error.message, "03000000-0000-0000-0000-000000000000"));
	CHECK(!pv_find_inactive(&ctx, &pools, "03000000-0000-0000-0000-000000000000", &found) &&
	      found == &pools.pool[2]);
	CHECK(!pv_find_inactive(&ctx, &pools, "lake", &found) && found == &pools.pool[0]);
	CHECK(!pv_find_inactive(&ctx, &pools, "sea", &found) && !found);
	CHECK(json_is(pv_json_pool(&pools.pool[0]),
		      "{\"name\":\"lake\",\"uuid\":\"02000000-0000-0000-0000-000000000000\","
		      "\"state\":\"inactive\",\"mode\":null,\"size\":130023424,\"free\":null,"
		      "\"provisioned\":null,\"promised\":null,\"metadata\":null,\"erasing\":null,"
		      "\"chunk_size\":2097152,\"volumes\":null,\"low_water\":0,\"generation\":1,"
		      "\"overcommit\":1,\"missing\":1,\"members\":["
		      "{\"device\":null,\"uuid\":\"01020000-0000-0000-0000-000000000000\","
		      "\"size\":65011712,\"numa_node\":-1,\"bad_blocks\":0},"
		      "{\"device\":\"/dev/pmem5\",\"uuid\":\"02020000-0000-0000-0000-000000000000\","
		      "\"size\":65011712,\"numa_node\":-1,\"bad_blocks\":0}]}"));
	pv_pools_free(&pools);
	pv_scan_free(&scan);
	done("pools put together from superblocks");
}

static void test_superblock_copies(void)
{
	struct pmv_sb older = superblock(1, "tank", 0, 1, 1), newer = superblock(1, "tank", 0, 1, 2);
	char path[] = "/tmp/pvctl-test-XXXXXX", name[PMV_NAME_MAX + 1];
	int fd = mkstemp(path);
	struct pmv_sb sb, bad;
	const char *why;
	u64 size;

	CHECK(fd >= 0 && !ftruncate(fd, DEVICE_SIZE));
	CHECK(pv_sb_open(path, &sb, &size, &why) == -ENODATA && size == DEVICE_SIZE);
	CHECK(pwrite(fd, &older, sizeof(older), 0) == sizeof(older));
	CHECK(pwrite(fd, &newer, sizeof(newer), PMV_COPY_STRIDE) == sizeof(newer));
	CHECK(!pv_sb_open(path, &sb, NULL, &why) && le64_to_cpu(sb.generation) == 2);
	CHECK(!strcmp(pv_sb_name(&sb, name), "tank"));
	bad = newer;
	bad.name[0] = 'b';
	CHECK(pwrite(fd, &bad, sizeof(bad), PMV_COPY_STRIDE) == sizeof(bad));
	CHECK(!pv_sb_open(path, &sb, NULL, &why) && le64_to_cpu(sb.generation) == 1);
	CHECK(pwrite(fd, &bad, sizeof(bad), 0) == sizeof(bad));
	CHECK(pv_sb_open(path, &sb, NULL, &why) == -EUCLEAN && strstr(why, "checksum"));
	CHECK(!ftruncate(fd, 1000) && pv_sb_open(path, &sb, NULL, &why) == -ENODATA);
	CHECK(!ftruncate(fd, DEVICE_SIZE / 2) &&
	      pwrite(fd, &older, sizeof(older), 0) == sizeof(older) &&
	      pv_sb_open(path, &sb, NULL, &why) == -ESTALE);
	close(fd);
	unlink(path);
	done("copies of a superblock");
}

bool command_line(struct pv_ctx *ctx, const char *group, const char *verb, char **argv, int argc)
{
	const struct pv_command *c;
	bool help;

	memset(ctx, 0, sizeof(*ctx));
	pv_for_each_command(c)
		if (!strcmp(c->group, group) && (verb ? c->verb && !strcmp(c->verb, verb) : !c->verb))
			ctx->command = c;
	return !pv_options_parse(ctx, argc, argv, &help);
}

#define LINE(ctx, verb, ...) LINE_OF(ctx, "volume", verb, __VA_ARGS__)

static void test_options(void)
{
	struct pv_ctx ctx;

	CHECK(LINE(&ctx, "create", "t/v", "--size", "1G", "-j") && ctx.json && ctx.nr_args == 1 &&
	      !strcmp(pv_option(&ctx, "size"), "1G") && !pv_option(&ctx, "thick"));
	free(ctx.given);
	CHECK(LINE(&ctx, "create", "--size=1G", "--thick", "t/v") && pv_option(&ctx, "thick"));
	free(ctx.given);
	CHECK(!LINE(&ctx, "create", "t/v") && strstr(ctx.error.message, "--size is missing"));
	free(ctx.given);
	CHECK(!LINE(&ctx, "create", "t/v", "--size") &&
	      strstr(ctx.error.message, "needs an argument"));
	free(ctx.given);
	CHECK(!LINE(&ctx, "create", "t/v", "--size", "1", "--size", "2") &&
	      strstr(ctx.error.message, "given twice"));
	free(ctx.given);
	CHECK(!LINE(&ctx, "create", "t/v", "--size", "1", "--bogus") &&
	      strstr(ctx.error.message, "'--bogus' is not an option"));
	free(ctx.given);
	CHECK(!LINE(&ctx, "rename", "t/v") && strstr(ctx.error.message, "NEWNAME is missing"));
	CHECK(ctx.error.status == PV_INVALID_ARGUMENT &&
	      strstr(ctx.error.message, "usage: pvctl volume rename POOL/NAME NEWNAME"));
	free(ctx.given);
	CHECK(!LINE(&ctx, "rename", "t/v", "w", "x") && strstr(ctx.error.message, "'x' is one"));
	free(ctx.given);
	done("command lines");
}

int main(void)
{
	printf("TAP version 13\n1..%d\n",
	       13 + SNAPSHOT_TESTS + FENCE_TESTS + METRICS_TESTS + EXPORT_TESTS +
	       CSI_TESTS);
	test_sizes();
	test_ratios();
	test_names();
	test_uuids_and_units();
	test_pool_json();
	test_volume_json();
	test_event_json();
	test_hostile_replies();
	test_refusals();
	test_status();
	test_scan();
	test_superblock_copies();
	test_options();
	test_snapshots();
	test_resv();
	test_fence();
	test_metrics();
	test_export();
	test_csi();
	return nr_failed ? 1 : 0;
}
