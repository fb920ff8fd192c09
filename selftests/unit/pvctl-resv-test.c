// SPDX-License-Identifier: GPL-2.0
/* Reservations as devices report them, hostile ones among them. */
#include <endian.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fence_output.h"
#include "key.h"
#include "pvctl-test.h"
#include "resv.h"

#define FUZZ_RUNS 200000

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

void test_resv(void)
{
	test_nvme_reports();
	test_scsi_reports();
	test_hostile_devices();
}
