// SPDX-License-Identifier: GPL-2.0
/* pvctl pool media: where the media of a pool are known to be bad, and whose data that is. */
#include "media.h"

#include <errno.h>
#include <inttypes.h>
#include <netlink/msg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "attr.h"
#include "cmd.h"
#include "ctl.h"
#include "nl.h"
#include "output.h"
#include "scan.h"

static const struct nla_policy policy[PMEMVOL_A_BAD_MAX + 1] = {
	[PMEMVOL_A_BAD_MEMBER] = { .type = NLA_U32 },
	[PMEMVOL_A_BAD_OFFSET] = { .type = NLA_U64 },
	[PMEMVOL_A_BAD_LENGTH] = { .type = NLA_U64 },
	[PMEMVOL_A_BAD_POISON] = { .type = NLA_FLAG },
	[PMEMVOL_A_BAD_OWNER] = { .type = NLA_STRING },
	[PMEMVOL_A_BAD_VOLUME] = { .type = NLA_STRING },
	[PMEMVOL_A_BAD_VOLUME_OFFSET] = { .type = NLA_U64 },
	[PMEMVOL_A_BAD_SNAPSHOT] = { .type = NLA_STRING },
};

int pv_bad_decode(struct nlattr **top, struct pv_bad *b)
{
	struct nlattr *a[PMEMVOL_A_BAD_MAX + 1];

	*b = (struct pv_bad){ 0 };
	if (!top[PMEMVOL_A_BAD] ||
	    nla_parse_nested(a, PMEMVOL_A_BAD_MAX, top[PMEMVOL_A_BAD], policy) < 0 ||
	    !a[PMEMVOL_A_BAD_MEMBER] || !a[PMEMVOL_A_BAD_OFFSET] || !a[PMEMVOL_A_BAD_LENGTH] ||
	    !a[PMEMVOL_A_BAD_OWNER])
		return -EBADMSG;
	b->member = nla_get_u32(a[PMEMVOL_A_BAD_MEMBER]);
	b->offset = nla_get_u64(a[PMEMVOL_A_BAD_OFFSET]);
	b->length = nla_get_u64(a[PMEMVOL_A_BAD_LENGTH]);
	b->poison = a[PMEMVOL_A_BAD_POISON];
	nla_strlcpy(b->owner, a[PMEMVOL_A_BAD_OWNER], sizeof(b->owner));
	if (!a[PMEMVOL_A_BAD_VOLUME])
		return 0;
	if (!a[PMEMVOL_A_BAD_VOLUME_OFFSET])
		return -EBADMSG;
	nla_strlcpy(b->volume, a[PMEMVOL_A_BAD_VOLUME], sizeof(b->volume));
	b->volume_offset = nla_get_u64(a[PMEMVOL_A_BAD_VOLUME_OFFSET]);
	if (a[PMEMVOL_A_BAD_SNAPSHOT])
		nla_strlcpy(b->snapshot, a[PMEMVOL_A_BAD_SNAPSHOT], sizeof(b->snapshot));
	return 0;
}

struct dump {
	struct pv_bads *out;
	const char *volume;
};

static int add_bad(struct nlattr **top, void *arg)
{
	struct dump *d = arg;
	struct pv_bad bad;

	if (pv_bad_decode(top, &bad))
		return -EBADMSG;
	if (d->volume && (strcmp(bad.volume, d->volume) || bad.snapshot[0]))
		return 0;
	d->out->bad = pv_grow(d->out->bad, d->out->nr, sizeof(bad));
	d->out->bad[d->out->nr++] = bad;
	return 0;
}

int pv_bad_dump(struct pv_ctx *ctx, const char *pool, const char *volume, struct pv_bads *out)
{
	struct nl_msg *msg = pv_nl_request(ctx, PMEMVOL_CMD_POOL_MEDIA, NLM_F_DUMP);
	struct dump d = { .out = out, .volume = volume };
	struct nlattr *nest;
	int ret;

	*out = (struct pv_bads){ 0 };
	if (!msg)
		return ctx->error.status;
	nest = nla_nest_start(msg, PMEMVOL_A_POOL | NLA_F_NESTED);
	if (!nest || nla_put_string(msg, PMEMVOL_A_POOL_NAME, pool) || nla_nest_end(msg, nest)) {
		nlmsg_free(msg);
		return pv_fail(ctx, PV_INTERNAL, "too much for one request");
	}
	ret = pv_nl_call(ctx, msg, add_bad, &d);
	if (ret)
		pv_bads_free(out);
	return ret;
}

void pv_bads_free(struct pv_bads *bads)
{
	free(bads->bad);
	*bads = (struct pv_bads){ 0 };
}

static const char *kind(const struct pv_bad *b)
{
	return b->poison ? "poison" : "bad-block";
}

static const char *device_of(const struct pv_pool *pool, const struct pv_bad *b, char *buf,
			     size_t size)
{
	if (b->member >= pool->nr_members || !pool->members[b->member].device[0])
		return NULL;
	snprintf(buf, size, "/dev/%s", pool->members[b->member].device);
	return buf;
}

struct json_object *pv_bad_json(const struct pv_bads *bads, const struct pv_pool *pool)
{
	struct json_object *array = json_object_new_array();
	char device[PV_DEVICE_MAX + 8];

	for (size_t i = 0; i < bads->nr; i++) {
		const struct pv_bad *b = &bads->bad[i];
		struct json_object *o = json_object_new_object();

		pv_json_string(o, "kind", kind(b));
		if (pool)
			pv_json_string(o, "device", device_of(pool, b, device, sizeof(device)));
		pv_json_u64(o, "member", b->member);
		pv_json_u64(o, "offset", b->offset);
		pv_json_u64(o, "length", b->length);
		pv_json_string(o, "owner", b->owner);
		pv_json_string(o, "volume", b->volume[0] ? b->volume : NULL);
		pv_json_string(o, "snapshot", b->snapshot[0] ? b->snapshot : NULL);
		if (b->volume[0])
			pv_json_u64(o, "volume_offset", b->volume_offset);
		else
			json_object_object_add(o, "volume_offset", NULL);
		json_object_array_add(array, o);
	}
	return array;
}

static void print_number(struct pv_table *t, uint64_t number)
{
	char text[24];

	snprintf(text, sizeof(text), "%" PRIu64, number);
	pv_table_cell(t, text);
}

static void print_table(const struct pv_bads *bads, const struct pv_pool *pool)
{
	static const struct pv_column columns[] = {
		{ "DEVICE", false }, { "OFFSET", true },  { "LENGTH", true }, { "KIND", false },
		{ "OWNER", false },  { "VOLUME", false }, { "AT", true },     { 0 },
	};
	struct pv_table *t = pv_table_new(columns);
	char device[PV_DEVICE_MAX + 8], name[2 * PMEMVOL_NAME_MAX + 2];

	for (size_t i = 0; i < bads->nr; i++) {
		const struct pv_bad *b = &bads->bad[i];
		const char *path = device_of(pool, b, device, sizeof(device));

		pv_table_cell(t, path ? path : "-");
		print_number(t, b->offset);
		print_number(t, b->length);
		pv_table_cell(t, kind(b));
		pv_table_cell(t, b->owner);
		snprintf(name, sizeof(name), "%s%s%s", b->volume[0] ? b->volume : "-",
			 b->snapshot[0] ? "@" : "", b->snapshot);
		pv_table_cell(t, name);
		if (b->volume[0])
			print_number(t, b->volume_offset);
		else
			pv_table_cell(t, "-");
	}
	pv_table_print(t);
}

int pv_cmd_pool_media(struct pv_ctx *ctx)
{
	const char *name = ctx->args[0];
	struct pv_pool pool = { 0 };
	struct pv_bads bads;
	int ret = pv_check_name(ctx, name);

	if (ret)
		return ret;
	ret = pv_bad_dump(ctx, name, NULL, &bads);
	if (!ret) {
		ret = pv_pool_get(ctx, name, &pool);
		if (ret)
			pv_bads_free(&bads);
	}
	if (ret)
		return ctx->error.sys == ENOENT ? pv_fail_no_pool(ctx, name) : ret;
	if (ctx->json)
		pv_json_print(pv_bad_json(&bads, &pool));
	else
		print_table(&bads, &pool);
	pv_pool_free(&pool);
	pv_bads_free(&bads);
	return PV_OK;
}
