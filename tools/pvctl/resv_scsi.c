// SPDX-License-Identifier: GPL-2.0
/* The answers to PERSISTENT RESERVE IN, as SPC-4 lays them out. */
#include <endian.h>
#include <errno.h>
#include <string.h>

#include "resv.h"

/* Generation and length in front of all of them; a key; a descriptor of READ FULL STATUS. */
#define HEAD 8
#define KEY 8
#define DESCRIPTOR 24
#define RESERVATION 16
#define LENGTH_MAX (1U << 20)

static uint32_t be32(const uint8_t *p)
{
	uint32_t v;

	memcpy(&v, p, sizeof(v));
	return be32toh(v);
}

static uint64_t be64(const uint8_t *p)
{
	uint64_t v;

	memcpy(&v, p, sizeof(v));
	return be64toh(v);
}

/* SCSI's number of a type as enum pr_type has it; 0: there is no such type */
static uint32_t type_of(uint8_t scope_and_type)
{
	static const uint8_t types[16] = {
		[1] = 1, [3] = 2, [5] = 3, [6] = 4, [7] = 5, [8] = 6,
	};

	return types[scope_and_type & 0xf];
}

/* Is all that the header announces there? *end: where it ends in @buf */
static int check_head(const uint8_t *buf, size_t len, struct pv_report *out, size_t *end)
{
	uint32_t more;

	if (len < HEAD)
		return -EBADMSG;
	out->generation = be32(buf);
	more = be32(buf + 4);
	if (more > LENGTH_MAX)
		return -EOVERFLOW;
	*end = HEAD + (size_t)more;
	return *end > len ? -E2BIG : 0;
}

int pv_resv_parse_scsi_full(const uint8_t *buf, size_t len, struct pv_report *out, size_t *need)
{
	size_t at = HEAD, end;
	int ret;

	memset(out, 0, sizeof(*out));
	ret = check_head(buf, len, out, need);
	if (ret)
		return ret;
	end = *need;
	while (at < end) {
		const uint8_t *d = buf + at;
		struct pv_registrant r = { 0 };
		uint32_t transport;

		if (end - at < DESCRIPTOR)
			return -EBADMSG;
		transport = be32(d + 20);
		if (transport > end - at - DESCRIPTOR)
			return -EBADMSG;
		r.key = be64(d);
		r.holder = d[12] & 1;
		if (r.holder) {
			out->type = type_of(d[13]);
			if (!out->type)
				return -EBADMSG;
		}
		if (pv_report_add(out, &r))
			return -EOVERFLOW;
		at += DESCRIPTOR + transport;
	}
	out->known = true;
	return 0;
}

int pv_resv_parse_scsi_keys(const uint8_t *buf, size_t len, struct pv_report *out, size_t *need)
{
	int ret;

	memset(out, 0, sizeof(*out));
	ret = check_head(buf, len, out, need);
	if (ret)
		return ret;
	if ((*need - HEAD) % KEY)
		return -EBADMSG;
	for (size_t at = HEAD; at < *need; at += KEY) {
		struct pv_registrant r = { .key = be64(buf + at) };

		if (pv_report_add(out, &r))
			return -EOVERFLOW;
	}
	out->known = true;
	return 0;
}

int pv_resv_parse_scsi_holder(const uint8_t *buf, size_t len, struct pv_report *out)
{
	uint32_t generation = out->generation;
	struct pv_registrant *holder = NULL;
	uint64_t key;
	size_t end;
	int ret = check_head(buf, len, out, &end);

	if (ret)
		return ret == -E2BIG ? -EBADMSG : ret;
	/* Registrations changed between the two commands. */
	if (out->generation != generation)
		return -EAGAIN;
	if (end == HEAD)
		return 0;
	if (end < HEAD + RESERVATION)
		return -EBADMSG;
	out->type = type_of(buf[HEAD + 13]);
	if (!out->type)
		return -EBADMSG;
	key = be64(buf + HEAD);
	for (unsigned int i = 0; i < out->nr; i++) {
		/* With a type of all registrants each of them holds. */
		if (out->type < 5 && out->registrant[i].key != key)
			continue;
		holder = &out->registrant[i];
		holder->holder = true;
		/* Of several with one key one holds; which is not told. */
		if (out->type < 5)
			break;
	}
	return holder ? 0 : -EBADMSG;
}
