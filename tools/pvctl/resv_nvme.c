// SPDX-License-Identifier: GPL-2.0
/* The Reservation Report of NVMe, as the base specification lays it out. */
#include <endian.h>
#include <errno.h>
#include <string.h>

#include "resv.h"

/* The header, and one registered controller, without and with 128-bit host identifiers. */
#define HEAD 24
#define HEAD_EXTENDED 64
#define ENTRY 24
#define ENTRY_EXTENDED 64
/* More controllers than hosts: each path of a host is one. */
#define CONTROLLERS_MAX 4096
#define TYPE_MAX 6
#define STATUS_HOLDER 1

static uint16_t le16(const uint8_t *p)
{
	uint16_t v;

	memcpy(&v, p, sizeof(v));
	return le16toh(v);
}

static uint32_t le32(const uint8_t *p)
{
	uint32_t v;

	memcpy(&v, p, sizeof(v));
	return le32toh(v);
}

static uint64_t le64(const uint8_t *p)
{
	uint64_t v;

	memcpy(&v, p, sizeof(v));
	return le64toh(v);
}

static void take(const uint8_t *entry, bool extended, struct pv_registrant *r)
{
	*r = (struct pv_registrant){ .holder = entry[2] & STATUS_HOLDER, .host_known = true };
	if (extended) {
		r->key = le64(entry + 8);
		memcpy(r->host_id, entry + 16, sizeof(r->host_id));
	} else {
		memcpy(r->host_id, entry + 8, sizeof(uint64_t));
		r->key = le64(entry + 16);
	}
}

int pv_resv_parse_nvme(const uint8_t *buf, size_t len, bool extended, struct pv_report *out,
		       size_t *need)
{
	size_t head = extended ? HEAD_EXTENDED : HEAD, size = extended ? ENTRY_EXTENDED : ENTRY;
	unsigned int controllers;

	memset(out, 0, sizeof(*out));
	if (len < head)
		return -EBADMSG;
	out->generation = le32(buf);
	out->type = buf[4];
	controllers = le16(buf + 5);
	if (out->type > TYPE_MAX)
		return -EBADMSG;
	if (controllers > CONTROLLERS_MAX)
		return -EOVERFLOW;
	*need = head + controllers * size;
	if (*need > len)
		return -E2BIG;
	for (unsigned int i = 0; i < controllers; i++) {
		struct pv_registrant r;

		take(buf + head + i * size, extended, &r);
		if (pv_report_add(out, &r))
			return -EOVERFLOW;
	}
	out->known = true;
	return 0;
}
