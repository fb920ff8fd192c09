// SPDX-License-Identifier: GPL-2.0
/* pvctl fence without a kernel: reservations from hostile devices, the record of epochs, output. */
#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <netlink/attr.h>
#include <netlink/genl/genl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "extack.h"
#include "fence.h"
#include "fence_options.h"
#include "fence_output.h"
#include "fence_record.h"
#include "key.h"
#include "parse.h"
#include "pvctl-test.h"
#include "resv.h"

#define HOST_1 "01010101-0101-0101-0101-010101010101"
#define HOST_2 "02020202-0202-0202-0202-020202020202"
#define FUZZ_RUNS 200000

/* ---- reports of devices ---- */

struct controller {
	uint64_t key;
	uint8_t host;
	bool holder;
};

/* A reservation report as a controller writes it. Return: its length */
static size_t nvme_report(uint8_t *buf, bool extended, uint8_t type, const struct controller *c,
			  unsigned int nr)
{
	size_t head = extended ? 64 : 24, size = extended ? 64 : 24;

	memset(buf, 0, head + nr * size);
	buf[0] = 7;
	buf[4] = type;
	buf[5] = (uint8_t)nr;
	buf[6] = (uint8_t)(nr >> 8);
	for (unsigned int i = 0; i < nr; i++) {
		uint8_t *entry = buf + head + i * size;
		uint64_t key = htole64(c[i].key);

		entry[0] = (uint8_t)i;
		entry[2] = c[i].holder;
		memcpy(entry + (extended ? 8 : 16), &key, sizeof(key));
		memset(entry + (extended ? 16 : 8), c[i].host, extended ? 16 : 8);
	}
	return head + nr * size;
}

static void test_nvme_reports(void)
{
	const struct controller two[] = {
		{ nvf_key_make(5, 1), 1, true },
		{ nvf_key_make(5, 1), 1, false },
		{ 0x1234, 2, false },
	};
	struct controller many[300];
	static uint8_t buf[64 + 300 * 64];
	struct pv_report r;
	size_t len, need;

	for (int extended = 0; extended < 2; extended++) {
		len = nvme_report(buf, extended, 1, two, 3);
		CHECK(!pv_resv_parse_nvme(buf, len, extended, &r, &need) && need == len);
		/* Two paths of one host are one registrant. */
		CHECK(r.known && r.nr == 2 && r.type == 1 && r.generation == 7);
		CHECK(r.registrant[0].ours && r.registrant[0].epoch == 5 &&
		      r.registrant[0].node_id == 1 && r.registrant[0].holder);
		CHECK(!r.registrant[1].ours && r.registrant[1].key == 0x1234 &&
		      !r.registrant[1].holder && r.registrant[1].host_known);
		CHECK(pv_report_newest(&r) == 5 && pv_report_holder(&r) == &r.registrant[0]);
		for (size_t cut = 0; cut < len; cut++) {
			uint8_t *exact = malloc(cut ? cut : 1);
			int ret;

			memcpy(exact, buf, cut);
			ret = pv_resv_parse_nvme(exact, cut, extended, &r, &need);
			CHECK(cut < (extended ? 64 : 24) ? ret == -EBADMSG :
							   ret == -E2BIG && need == len);
			CHECK(!r.known);
			free(exact);
		}
	}
	len = nvme_report(buf, true, 0, NULL, 0);
	CHECK(!pv_resv_parse_nvme(buf, len, true, &r, &need) && r.known && !r.nr &&
	      !pv_report_holder(&r));
	len = nvme_report(buf, true, 7, two, 1);
	CHECK(pv_resv_parse_nvme(buf, len, true, &r, &need) == -EBADMSG);
	memset(buf, 0xff, 64);
	buf[4] = 1;
	CHECK(pv_resv_parse_nvme(buf, sizeof(buf), true, &r, &need) == -EOVERFLOW);
	for (unsigned int i = 0; i < 300; i++)
		many[i] = (struct controller){ i + 1, (uint8_t)i, false };
	len = nvme_report(buf, true, 0, many, 256);
	CHECK(!pv_resv_parse_nvme(buf, len, true, &r, &need) && r.nr == 256);
	len = nvme_report(buf, true, 0, many, 257);
	CHECK(pv_resv_parse_nvme(buf, len, true, &r, &need) == -EOVERFLOW && !r.known);
	done("reports of NVMe devices");
}

static void put_be32(uint8_t *p, uint32_t v)
{
	v = htobe32(v);
	memcpy(p, &v, sizeof(v));
}

static void put_be64(uint8_t *p, uint64_t v)
{
	v = htobe64(v);
	memcpy(p, &v, sizeof(v));
}

/* READ FULL STATUS with transport identifiers of growing length. Return: its length */
static size_t scsi_full(uint8_t *buf, uint8_t type, const struct controller *c, unsigned int nr)
{
	size_t at = 8;

	memset(buf, 0, 4096);
	put_be32(buf, 9);
	for (unsigned int i = 0; i < nr; i++) {
		put_be64(buf + at, c[i].key);
		buf[at + 12] = c[i].holder;
		buf[at + 13] = c[i].holder ? type : 0;
		put_be32(buf + at + 20, i * 24);
		at += 24 + i * 24;
	}
	put_be32(buf + 4, (uint32_t)(at - 8));
	return at;
}

static void test_scsi_reports(void)
{
	const struct controller two[] = { { 0xabc, 0, false }, { nvf_key_make(9, 3), 0, true } };
	static uint8_t buf[4096];
	struct pv_report r;
	size_t len, need;

	len = scsi_full(buf, 5, two, 2);
	CHECK(!pv_resv_parse_scsi_full(buf, len, &r, &need) && r.known && r.nr == 2);
	CHECK(r.generation == 9 && r.type == 3 && pv_report_holder(&r) == &r.registrant[1]);
	CHECK(r.registrant[1].epoch == 9 && r.registrant[1].node_id == 3 &&
	      !r.registrant[1].host_known);
	for (size_t cut = 0; cut < len; cut++) {
		uint8_t *exact = malloc(cut ? cut : 1);
		int ret;

		memcpy(exact, buf, cut);
		ret = pv_resv_parse_scsi_full(exact, cut, &r, &need);
		CHECK(cut < 8 ? ret == -EBADMSG : ret == -E2BIG && need == len);
		/* The header agrees, the last descriptor does not. */
		if (cut >= 9) {
			put_be32(exact + 4, (uint32_t)(cut - 8));
			ret = pv_resv_parse_scsi_full(exact, cut, &r, &need);
			CHECK(ret == (cut == 8 + 24 ? 0 : -EBADMSG));
		}
		free(exact);
	}
	put_be32(buf + 8 + 20, UINT32_MAX);
	CHECK(pv_resv_parse_scsi_full(buf, len, &r, &need) == -EBADMSG);
	scsi_full(buf, 2, two, 2);
	CHECK(pv_resv_parse_scsi_full(buf, len, &r, &need) == -EBADMSG);
	put_be32(buf + 4, UINT32_MAX);
	CHECK(pv_resv_parse_scsi_full(buf, len, &r, &need) == -EOVERFLOW);

	/* In two steps: keys, then who holds. */
	memset(buf, 0, sizeof(buf));
	put_be32(buf, 4);
	put_be32(buf + 4, 16);
	put_be64(buf + 8, 0x11);
	put_be64(buf + 16, 0x22);
	CHECK(!pv_resv_parse_scsi_keys(buf, 24, &r, &need) && r.nr == 2);
	CHECK(pv_resv_parse_scsi_keys(buf, 23, &r, &need) == -E2BIG && need == 24);
	put_be32(buf + 4, 15);
	CHECK(pv_resv_parse_scsi_keys(buf, 24, &r, &need) == -EBADMSG);
	put_be32(buf + 4, 16);
	CHECK(!pv_resv_parse_scsi_keys(buf, 24, &r, &need));
	put_be64(buf + 8, 0x22);
	buf[8 + 13] = 1;
	CHECK(!pv_resv_parse_scsi_holder(buf, 24, &r) && r.type == 1 && !r.registrant[0].holder &&
	      r.registrant[1].holder);
	put_be64(buf + 8, 0x33);
	CHECK(pv_resv_parse_scsi_holder(buf, 24, &r) == -EBADMSG);
	buf[8 + 13] = 7;
	CHECK(!pv_resv_parse_scsi_holder(buf, 24, &r) && r.type == 5 && r.registrant[0].holder);
	put_be32(buf, 5);
	r.generation = 4;
	CHECK(pv_resv_parse_scsi_holder(buf, 24, &r) == -EAGAIN);
	r.generation = 5;
	put_be32(buf + 4, 8);
	CHECK(pv_resv_parse_scsi_holder(buf, 24, &r) == -EBADMSG);
	put_be32(buf + 4, 0);
	r.type = 0;
	CHECK(!pv_resv_parse_scsi_holder(buf, 24, &r) && !r.type);
	CHECK(pv_resv_parse_scsi_holder(buf, 7, &r) == -EBADMSG);
	done("reports of SCSI devices");
}

static uint64_t state = 1;

static uint64_t random_number(void)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return state;
}

/* What a good answer looks like, bent in a few places, cut anywhere, or noise. */
static size_t hostile_answer(uint8_t *buf)
{
	struct controller c[8];
	unsigned int nr = (unsigned int)(random_number() % 8);
	size_t len;

	for (unsigned int i = 0; i < nr; i++)
		c[i] = (struct controller){ random_number() % 3 ? random_number() % 8 :
								  nvf_key_make(i + 1, 1),
					    (uint8_t)(random_number() % 3), !i };
	switch (random_number() % 4) {
	case 0: len = nvme_report(buf, true, 1, c, nr); break;
	case 1: len = nvme_report(buf, false, 1, c, nr); break;
	case 2: len = scsi_full(buf, 1, c, nr); break;
	default:
		len = random_number() % 600;
		for (size_t i = 0; i < len; i++)
			buf[i] = (uint8_t)random_number();
	}
	for (unsigned int i = (unsigned int)(random_number() % 6); i && len; i--)
		buf[random_number() % (random_number() % 2 ? len :
				       len < 32		   ? len :
							     32)] = (uint8_t)random_number();
	return random_number() % 3 ? len : random_number() % (len + 1);
}

static bool sound(const struct pv_report *r)
{
	if (r->nr > NVME_FENCE_REGISTRANTS_MAX || r->type > 6)
		return false;
	json_object_put(pv_json_report(r));
	return true;
}

static void test_hostile_devices(void)
{
	static uint8_t buf[4096];
	unsigned int taken = 0, refused = 0;
	struct pv_report *r = malloc(sizeof(*r));

	for (unsigned int i = 0; i < FUZZ_RUNS; i++) {
		size_t len = hostile_answer(buf), need;
		uint8_t *exact = malloc(len ? len : 1);
		int ret;

		memcpy(exact, buf, len);
		switch (i % 4) {
		case 0: ret = pv_resv_parse_nvme(exact, len, true, r, &need); break;
		case 1: ret = pv_resv_parse_nvme(exact, len, false, r, &need); break;
		case 2: ret = pv_resv_parse_scsi_full(exact, len, r, &need); break;
		default:
			ret = pv_resv_parse_scsi_keys(exact, len, r, &need);
			if (!ret) {
				len = hostile_answer(buf);
				ret = pv_resv_parse_scsi_holder(buf, len, r);
			}
		}
		free(exact);
		if (ret)
			refused++;
		else
			taken++;
		if (!ret && !sound(r)) {
			CHECK(false);
			break;
		}
	}
	free(r);
	printf("# %u answers: %u taken, %u refused\n", FUZZ_RUNS, taken, refused);
	CHECK(taken > FUZZ_RUNS / 20 && refused > FUZZ_RUNS / 20);
	done("devices that answer nonsense");
}

/* ---- messages of the kernel ---- */

static void put_registrant(struct nl_msg *msg, int type, uint64_t key, bool holder, uint8_t host)
{
	struct nlattr *nest = nla_nest_start(msg, type);
	uint8_t id[NVME_FENCE_HOST_ID_SIZE];

	memset(id, host, sizeof(id));
	nla_put_u64(msg, NVME_FENCE_A_REG_KEY, key);
	if (holder)
		nla_put_flag(msg, NVME_FENCE_A_REG_HOLDER);
	if (host)
		nla_put(msg, NVME_FENCE_A_REG_HOST_ID, sizeof(id), id);
	nla_nest_end(msg, nest);
}

static void put_report(struct nl_msg *msg)
{
	struct nlattr *nest = nla_nest_start(msg, NVME_FENCE_A_REPORT);

	nla_put_u32(msg, NVME_FENCE_A_REPORT_GENERATION, 12);
	nla_put_u32(msg, NVME_FENCE_A_REPORT_TYPE, 1);
	put_registrant(msg, NVME_FENCE_A_REPORT_REGISTRANT, nvf_key_make(7, 2), true, 2);
	put_registrant(msg, NVME_FENCE_A_REPORT_REGISTRANT, 0xbeef, false, 0);
	nla_nest_end(msg, nest);
}

static void put_attachment(struct nl_msg *msg)
{
	struct nlattr *nest = nla_nest_start(msg, NVME_FENCE_A_ATTACHMENT);
	uint8_t host[NVME_FENCE_HOST_ID_SIZE], unique[8] = { 0xde, 0xad };

	memset(host, 1, sizeof(host));
	nla_put_string(msg, NVME_FENCE_A_ATT_NAME, "pod-a");
	nla_put_string(msg, NVME_FENCE_A_ATT_DEVICE, "nvme0n1");
	nla_put_u64(msg, NVME_FENCE_A_ATT_DEVICE_DEVNUM, pv_devnum(259, 0));
	nla_put_u32(msg, NVME_FENCE_A_ATT_NODE_ID, 3);
	nla_put(msg, NVME_FENCE_A_ATT_HOST_ID, sizeof(host), host);
	nla_put(msg, NVME_FENCE_A_ATT_UNIQUE_ID, sizeof(unique), unique);
	nla_put_string(msg, NVME_FENCE_A_ATT_DISK, "nvf0");
	nla_put_u64(msg, NVME_FENCE_A_ATT_DEVNUM, pv_devnum(250, 0));
	nla_put_u64(msg, NVME_FENCE_A_ATT_SIZE, 1 << 20);
	nla_put_u32(msg, NVME_FENCE_A_ATT_GRADE, NVME_FENCE_GRADE_DEVICE);
	nla_put_u32(msg, NVME_FENCE_A_ATT_STATE, NVME_FENCE_STATE_STALE);
	nla_put_u32(msg, NVME_FENCE_A_ATT_REASON, NVME_FENCE_REASON_CONFLICT);
	nla_put_u64(msg, NVME_FENCE_A_ATT_EPOCH, 6);
	nla_put_u64(msg, NVME_FENCE_A_ATT_DEVICE_EPOCH, 7);
	nla_put_u64(msg, NVME_FENCE_A_ATT_IN_FLIGHT, 2);
	nla_put_u64(msg, NVME_FENCE_A_ATT_WRITES_IN_FLIGHT, 1);
	nla_put_u64(msg, NVME_FENCE_A_ATT_REFUSED, 9);
	nla_put_u32(msg, NVME_FENCE_A_ATT_OPENERS, 4);
	nla_put_u32(msg, NVME_FENCE_A_ATT_LEASE, 2500);
	nla_put_u32(msg, NVME_FENCE_A_ATT_LEASE_LEFT, 0);
	nla_put_u32(msg, NVME_FENCE_A_ATT_COMMANDS, 5);
	nla_put_flag(msg, NVME_FENCE_A_ATT_STICKY);
	/* From a newer kernel. */
	nla_put_u32(msg, NVME_FENCE_A_ATT_MAX + 2, 1);
	nla_nest_end(msg, nest);
}

static void parse_top(struct nl_msg *msg, struct nlattr **top)
{
	CHECK(!genlmsg_parse(nlmsg_hdr(msg), 0, top, NVME_FENCE_A_MAX, NULL));
}

static void test_attachment_json(void)
{
	struct nlattr *top[NVME_FENCE_A_MAX + 1];
	struct nl_msg *msg = new_message();
	struct pv_attachment a;

	put_attachment(msg);
	parse_top(msg, top);
	CHECK(!pv_decode_attachment(top[NVME_FENCE_A_ATTACHMENT], &a));
	CHECK(pv_attachment_newest(&a) == 7);
	a.record_epoch = 8;
	CHECK(json_is(pv_json_attachment(&a),
		      "{\"name\":\"pod-a\",\"device\":\"/dev/nvf0\","
		      "\"link\":\"/dev/nvme_fence/pod-a\",\"lower\":\"/dev/nvme0n1\","
		      "\"grade\":\"device\",\"state\":\"stale\",\"reason\":\"conflict\","
		      "\"epoch\":6,\"device_epoch\":7,\"record_epoch\":8,\"node_id\":3,"
		      "\"host_id\":\"" HOST_1 "\",\"unique_id\":\"dead000000000000\","
		      "\"size\":1048576,\"in_flight\":2,\"writes_in_flight\":1,\"refused\":9,"
		      "\"openers\":4,"
		      "\"lease\":2.5,\"lease_left\":0,\"commands\":5,\"sticky\":true}"));
	nlmsg_free(msg);
	done("JSON of an attachment");
}

static void test_report_json(void)
{
	struct nlattr *top[NVME_FENCE_A_MAX + 1];
	struct pv_report *r = calloc(2, sizeof(*r));
	struct nl_msg *msg = new_message();
	char text[PV_REGISTRANT_TEXT], want[512];

	put_report(msg);
	parse_top(msg, top);
	CHECK(!pv_decode_report(top[NVME_FENCE_A_REPORT], r));
	/* Another reading knows the host of the second one. */
	r[1] = r[0];
	r[0].registrant[0].host_known = false;
	r[1].registrant[1].host_known = true;
	pv_report_learn_hosts(&r[0], &r[1]);
	CHECK(r[0].registrant[0].host_known && r[0].registrant[1].host_known);
	r[0].registrant[1].host_known = false;
	CHECK(!strcmp(pv_format_registrant(&r->registrant[0], text),
		      "epoch 7 of node 2 on host " HOST_2));
	CHECK(!strcmp(pv_format_registrant(&r->registrant[1], text), "foreign key 0xbeef"));
	r[1].registrant[1].key = nvf_key_make_form(8, 3, NVF_FORM_VACANT);
	r[1].registrant[1].host_known = false;
	pv_registrant_read_key(&r[1].registrant[1]);
	CHECK(!strcmp(pv_format_registrant(&r[1].registrant[1], text),
		      "epoch 8 of node 3 (given back)"));
	r[1].registrant[1].key = nvf_key_make_form(8, 3, NVF_FORM_CLAIM);
	pv_registrant_read_key(&r[1].registrant[1]);
	CHECK(!strcmp(pv_format_registrant(&r[1].registrant[1], text),
		      "unfinished claim of epoch 8 of node 3"));
	snprintf(want, sizeof(want),
		 "{\"generation\":12,\"type\":\"write-exclusive\",\"registrants\":["
		 "{\"key\":\"0x%016" PRIx64 "\",\"holder\":true,\"host_id\":\"" HOST_2
		 "\",\"epoch\":7,\"node_id\":2,\"form\":\"grant\"},"
		 "{\"key\":\"0x000000000000beef\",\"holder\":false,\"host_id\":null,"
		 "\"epoch\":null,\"node_id\":null,\"form\":null}]}",
		 nvf_key_make(7, 2));
	CHECK(json_is(pv_json_report(r), want));
	r->known = false;
	CHECK(!pv_json_report(r));
	free(r);
	nlmsg_free(msg);
	done("JSON of a reservation");
}

static void test_event_json(void)
{
	struct nlattr *top[NVME_FENCE_A_MAX + 1], *nest;
	struct nl_msg *msg = new_message();
	struct pv_fence_event e;

	nest = nla_nest_start(msg, NVME_FENCE_A_EVENT);
	nla_put_u32(msg, NVME_FENCE_A_EVENT_TYPE, NVME_FENCE_EVENT_LOST);
	nla_put_u64(msg, NVME_FENCE_A_EVENT_SEQ, 42);
	nla_nest_end(msg, nest);
	nest = nla_nest_start(msg, NVME_FENCE_A_ATTACHMENT);
	nla_put_string(msg, NVME_FENCE_A_ATT_NAME, "pod-a");
	nla_put_u64(msg, NVME_FENCE_A_ATT_EPOCH, 6);
	nla_nest_end(msg, nest);
	parse_top(msg, top);
	CHECK(!pv_decode_fence_event(top, &e));
	CHECK(json_is(pv_json_fence_event(&e), "{\"event\":\"fence-lost\",\"seq\":42,"
					       "\"attachment\":{\"name\":\"pod-a\",\"epoch\":6}}"));
	put_registrant(msg, NVME_FENCE_A_WINNER, nvf_key_make(7, 2), false, 0);
	parse_top(msg, top);
	CHECK(!pv_decode_fence_event(top, &e) && e.has_winner && e.winner.epoch == 7 &&
	      e.winner.node_id == 2);
	nlmsg_free(msg);
	done("JSON of a fencing event");
}

static void test_hostile_replies(void)
{
	struct nlattr *top[NVME_FENCE_A_MAX + 1];
	struct pv_report *r = malloc(sizeof(*r));
	struct nl_msg *msg = new_message();
	struct nlmsghdr *nlh = nlmsg_hdr(msg);
	unsigned int refused = 0;
	struct pv_attachment a;
	uint8_t *copy;

	put_attachment(msg);
	put_report(msg);
	copy = malloc(nlh->nlmsg_len);
	for (uint32_t i = NLMSG_HDRLEN + GENL_HDRLEN; i < nlh->nlmsg_len; i++) {
		for (unsigned int value = 0; value < 256; value += 17) {
			memcpy(copy, nlh, nlh->nlmsg_len);
			copy[i] = (uint8_t)value;
			if (genlmsg_parse((struct nlmsghdr *)copy, 0, top, NVME_FENCE_A_MAX, NULL) <
			    0) {
				refused++;
				continue;
			}
			if (pv_decode_attachment(top[NVME_FENCE_A_ATTACHMENT], &a))
				refused++;
			else
				json_object_put(pv_json_attachment(&a));
			if (pv_decode_report(top[NVME_FENCE_A_REPORT], r))
				refused++;
			else
				json_object_put(pv_json_report(r));
		}
	}
	free(copy);
	free(r);
	nlmsg_free(msg);
	CHECK(refused > 0);
	done("replies about fencing with a wrong byte");
}

static void test_refusals(void)
{
	struct nl_msg *msg = new_message();
	struct nlmsghdr *request = nlmsg_hdr(msg);
	struct nlattr *nest = nla_nest_start(msg, NVME_FENCE_A_ATTACHMENT | NLA_F_NESTED);
	uint32_t name_at = request->nlmsg_len, device_at;

	nla_put_string(msg, NVME_FENCE_A_ATT_NAME, "pod-a");
	device_at = request->nlmsg_len;
	nla_put_string(msg, NVME_FENCE_A_ATT_DEVICE, "/dev/nvme0n1");
	nla_put_u32(msg, NVME_FENCE_A_ATT_NODE_ID, 1);
	nla_nest_end(msg, nest);
	CHECK(!strcmp(pv_extack_lower(request, device_at), "/dev/nvme0n1"));
	CHECK(!pv_extack_lower(request, name_at) && !pv_extack_lower(request, 0));
	CHECK(!pv_extack_lower(request, request->nlmsg_len));
	CHECK(!pv_extack_lower(request, request->nlmsg_len - 4));
	nlmsg_free(msg);
	done("refusals name the device to attach");
}

/* ---- the record ---- */

#define ID "eui.0025388b71b0a5c1"

static void test_record_content(void)
{
	char buf[PV_RECORD_MAX], bent[PV_RECORD_MAX], name[PV_FENCE_ID_MAX], id[PV_FENCE_ID_MAX];
	size_t len = pv_record_format(buf, ID, 57);
	const char *why;
	uint64_t epoch = 0;

	CHECK(!pv_record_parse(buf, len, ID, &epoch, &why) && epoch == 57);
	CHECK(pv_record_parse(buf, len, "eui.other", &epoch, &why) == -EUCLEAN &&
	      !strcmp(why, "is of another device"));
	/* Any bit, and any length, but the right one. */
	for (size_t bit = 0; bit < 8 * len; bit++) {
		memcpy(bent, buf, len);
		bent[bit / 8] = (char)(bent[bit / 8] ^ 1 << bit % 8);
		CHECK(pv_record_parse(bent, len, ID, &epoch, &why) == -EUCLEAN);
	}
	for (size_t cut = 0; cut < len; cut++)
		CHECK(pv_record_parse(buf, cut, ID, &epoch, &why) == -EUCLEAN);
	memcpy(bent, buf, len);
	bent[len] = '\n';
	CHECK(pv_record_parse(bent, len + 1, ID, &epoch, &why) == -EUCLEAN);
	memset(bent, 'a', sizeof(bent));
	CHECK(pv_record_parse(bent, sizeof(bent), ID, &epoch, &why) == -EUCLEAN);
	CHECK(epoch == 57);
	len = pv_record_format(buf, ID, NVME_FENCE_EPOCH_MAX + 1);
	CHECK(pv_record_parse(buf, len, ID, &epoch, &why) == -EUCLEAN);

	CHECK(!strcmp(pv_record_file(ID, name), ID));
	CHECK(!strcmp(pv_record_file("../a b/\xff", name), "%2e.%2fa%20b%2f%ff"));
	memset(id, '/', sizeof(id) - 1);
	id[sizeof(id) - 1] = '\0';
	CHECK(strlen(pv_record_file(id, name)) < 240 && !strchr(name, '/'));
	len = pv_record_format(buf, id, 3);
	CHECK(!pv_record_parse(buf, len, id, &epoch, &why) && epoch == 3);
	done("content of the record of epochs");
}

static bool file_is(const char *path, const char *want, size_t len)
{
	char buf[PV_RECORD_MAX + 1];
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, buf, sizeof(buf));

	if (fd >= 0)
		close(fd);
	return n == (ssize_t)len && !memcmp(buf, want, len);
}

static void write_file(const char *path, const char *text, size_t len)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	CHECK(fd >= 0 && write(fd, text, len) == (ssize_t)len);
	close(fd);
}

/* Many at the same time, each with other epochs: the highest remains. */
static void raise_together(struct pv_ctx *ctx)
{
	int status;

	for (unsigned int i = 0; i < 8; i++)
		if (!fork()) {
			int ret = 0;

			for (unsigned int j = 0; j < 40 && !ret; j++)
				ret = pv_record_raise(ctx, ID, 1000 + (j * 8 + i) * 37 % 320);
			_exit(ret);
		}
	for (unsigned int i = 0; i < 8; i++)
		CHECK(wait(&status) > 0 && !status);
}

static void test_record_files(void)
{
	char dir[] = "/tmp/pvctl-fence-XXXXXX", root[64], path[128], temp[128], buf[PV_RECORD_MAX];
	struct pv_ctx ctx = { 0 };
	uint64_t epoch;
	size_t len;

	CHECK(mkdtemp(dir));
	snprintf(root, sizeof(root), "%s/var/lib", dir);
	snprintf(path, sizeof(path), "%s/fence/" ID, root);
	snprintf(temp, sizeof(temp), "%s/fence/." ID ".new", root);
	setenv("PVCTL_STATE_DIR", root, 1);
	/* Nothing is no epoch, and reading makes nothing. */
	CHECK(!pv_record_read(&ctx, ID, &epoch) && !epoch && access(root, F_OK));
	CHECK(!pv_record_raise(&ctx, ID, 5) && !pv_record_read(&ctx, ID, &epoch) && epoch == 5);
	CHECK(!pv_record_raise(&ctx, ID, 4) && !pv_record_read(&ctx, ID, &epoch) && epoch == 5);
	CHECK(!pv_record_read(&ctx, "eui.other", &epoch) && !epoch);
	/* What an interrupted one left. */
	write_file(temp, "half", 4);
	CHECK(!pv_record_raise(&ctx, ID, 6) && !pv_record_read(&ctx, ID, &epoch) && epoch == 6);
	CHECK(access(temp, F_OK));
	raise_together(&ctx);
	CHECK(!pv_record_read(&ctx, ID, &epoch) && epoch == 1319);
	/* Damage stays damage: it is told, and nothing is written over it. */
	len = pv_record_format(buf, ID, 1319);
	buf[30] ^= 1;
	write_file(path, buf, len);
	CHECK(pv_record_read(&ctx, ID, &epoch) == PV_DATA_LOSS && !epoch);
	CHECK(strstr(ctx.error.message, path) && strstr(ctx.error.message, "is damaged"));
	CHECK(pv_record_raise(&ctx, ID, 5000) == PV_DATA_LOSS && file_is(path, buf, len));
	write_file(path, "", 0);
	CHECK(pv_record_read(&ctx, ID, &epoch) == PV_DATA_LOSS);
	unlink(path);
	CHECK(!symlink("/dev/zero", path) && pv_record_read(&ctx, ID, &epoch) && !epoch);
	unlink(path);
	/* A directory that cannot be one. */
	snprintf(path, sizeof(path), "%s/file", dir);
	write_file(path, "x", 1);
	setenv("PVCTL_STATE_DIR", path, 1);
	CHECK(pv_record_raise(&ctx, ID, 1) && pv_record_read(&ctx, ID, &epoch));
	unsetenv("PVCTL_STATE_DIR");
	snprintf(path, sizeof(path), "rm -rf %s", dir);
	CHECK(!system(path));
	done("files of the record of epochs");
}

/* ---- command lines ---- */

static bool seconds_are(const char *text, uint64_t want)
{
	const char *why;
	uint64_t ms;

	return !pv_parse_seconds(text, &ms, &why) && ms == want;
}

static bool options_say(struct pv_ctx *ctx, struct pv_fence_request *r, bool parsed)
{
	bool good;

	memset(r, 0, sizeof(*r));
	good = parsed && !pv_fence_options(ctx, r);
	free(ctx->given);
	return good;
}

#define TAKEN(verb, ...) options_say(&ctx, &r, LINE_OF(&ctx, "fence", verb, __VA_ARGS__))
#define REFUSED(text, verb, ...)                                                 \
	(!TAKEN(verb, __VA_ARGS__) && ctx.error.status == PV_INVALID_ARGUMENT && \
	 strstr(ctx.error.message, text))

static void test_command_lines(void)
{
	struct pv_fence_request r;
	struct pv_ctx ctx;
	uint64_t ms;
	const char *why;

	CHECK(seconds_are("30", 30000) && seconds_are("0.5", 500) && seconds_are("0", 0) &&
	      seconds_are("0.001", 1));
	CHECK(pv_parse_seconds("1.0001", &ms, &why) && pv_parse_seconds("5s", &ms, &why) &&
	      pv_parse_seconds("-1", &ms, &why) && pv_parse_seconds("", &ms, &why) &&
	      pv_parse_seconds("18446744073709551615", &ms, &why));
	CHECK(TAKEN("attach", "a", "/dev/x", "--node-id", "65535", "--lease", "2.5", "--require",
		    "device") &&
	      r.node_id == 65535 && r.has_lease && r.lease_ms == 2500 && r.has_grade &&
	      r.grade == NVME_FENCE_GRADE_DEVICE && !strcmp(r.name, "a"));
	CHECK(TAKEN("acquire", "a", "--epoch", "1099511627775", "--preempt-foreign", "--timeout",
		    "3600") &&
	      r.epoch == NVME_FENCE_EPOCH_MAX && r.preempt_foreign && r.timeout_ms == 3600000 &&
	      !r.has_lease);
	CHECK(TAKEN("acquire", "a") && !r.epoch && r.timeout_ms == NVME_FENCE_TIMEOUT_DEFAULT);
	CHECK(TAKEN("renew", "a", "--lease", "0") && r.has_lease && !r.lease_ms);
	CHECK(REFUSED("--node-id is missing", "attach", "a", "/dev/x"));
	CHECK(REFUSED("DEVICE is missing", "attach", "a", "--node-id", "1"));
	CHECK(REFUSED("a node is from 1 to 65535", "attach", "a", "b", "--node-id", "65536"));
	CHECK(REFUSED("not a whole number", "attach", "a", "b", "--node-id", "0"));
	CHECK(REFUSED("'x' is not 'device' or 'local'", "attach", "a", "b", "--node-id", "1",
		      "--require", "x"));
	CHECK(REFUSED("at most 1099511627775", "acquire", "a", "--epoch", "1099511627776"));
	CHECK(REFUSED("is not 0 or from 0.1", "acquire", "a", "--lease", "0.099"));
	CHECK(REFUSED("is not 0 or from 0.1", "acquire", "a", "--lease", "86400.001"));
	CHECK(REFUSED("is not from 0.001", "acquire", "a", "--timeout", "0"));
	CHECK(REFUSED("is not from 0.001", "acquire", "a", "--timeout", "3600.001"));
	CHECK(REFUSED("is not a name", "acquire", "../a"));
	CHECK(REFUSED("'b' is one argument too many", "detach", "a", "b"));
	done("command lines of fencing");
}

void test_fence(void)
{
	test_nvme_reports();
	test_scsi_reports();
	test_hostile_devices();
	test_attachment_json();
	test_report_json();
	test_event_json();
	test_hostile_replies();
	test_refusals();
	test_record_content();
	test_record_files();
	test_command_lines();
}
