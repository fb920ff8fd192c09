// SPDX-License-Identifier: GPL-2.0
/* pvctl monitor */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#include "cmd.h"
#include "fence_output.h"
#include "nl.h"
#include "output.h"
#include "parse.h"

struct watch {
	const struct pv_ctx *ctx;
	uint64_t left;
	uint64_t last_seq[PV_NR_FAMILIES];
};

static void print_text(const struct pv_event *e)
{
	char size[PV_SIZE_TEXT];

	printf("%" PRIu64 " %s", e->seq, pv_event_name(e->type));
	if (e->has_pool)
		printf(" %s", e->pool.name);
	if (e->has_volume)
		printf("/%s", e->volume.name);
	if (e->has_snapshot)
		printf("@%s", e->snapshot.name);
	if (e->has_volume && e->volume.new_name[0])
		printf(" -> %s", e->volume.new_name);
	if (e->has_volume && PV_HAS(&e->volume, PMEMVOL_A_VOLUME_SIZE))
		printf(" %s", pv_format_size(e->volume.size, size));
	if (e->has_pool && PV_HAS(&e->pool, PMEMVOL_A_POOL_MODE))
		printf(" mode %s", pv_mode_name(e->pool.mode));
	if (e->has_pool && PV_HAS(&e->pool, PMEMVOL_A_POOL_FREE))
		printf(" free %s", pv_format_size(e->pool.free, size));
	putchar('\n');
}

/* Some events never came; what they said has to be read with list and show. */
static void print_gap(const struct watch *w, uint64_t missed)
{
	struct json_object *o;

	if (!w->ctx->json) {
		printf("- overrun\n");
		return;
	}
	o = json_object_new_object();
	pv_json_string(o, "event", "overrun");
	if (missed)
		pv_json_u64(o, "missed", missed);
	pv_json_print_line(o);
}

/* Each module numbers its own. Return: whether the event is to be printed */
static bool next(struct watch *w, enum pv_family family, uint64_t seq)
{
	uint64_t last = w->last_seq[family];

	if (!w->left)
		return false;
	if (last && seq > last + 1)
		print_gap(w, seq - last - 1);
	w->last_seq[family] = seq;
	w->left--;
	return true;
}

static int take_event(struct nlattr **top, void *arg)
{
	struct watch *w = arg;
	struct pv_event e;

	if (pv_decode_event(top, &e))
		return -EBADMSG;
	if (!next(w, PV_FAMILY_PMEMVOL, e.seq))
		;
	else if (w->ctx->json)
		pv_json_print_line(pv_json_event(&e));
	else
		print_text(&e);
	pv_pool_free(&e.pool);
	return 0;
}

static int take_fence_event(struct nlattr **top, void *arg)
{
	struct watch *w = arg;
	struct pv_fence_event e;

	if (pv_decode_fence_event(top, &e))
		return -EBADMSG;
	if (!next(w, PV_FAMILY_FENCE, e.seq))
		return 0;
	if (w->ctx->json)
		pv_json_print_line(pv_json_fence_event(&e));
	else
		pv_print_fence_event(&e);
	return 0;
}

static int announce(struct pv_ctx *ctx, const char *path)
{
	int fd;

	if (path) {
		fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
		if (fd < 0)
			return pv_fail_sys(ctx, errno, "%s", path);
		close(fd);
	}
	if (!ctx->json && isatty(STDERR_FILENO))
		fputs("listening\n", stderr);
	return PV_OK;
}

int pv_cmd_monitor(struct pv_ctx *ctx)
{
	static const pv_nl_reply replies[PV_NR_FAMILIES] = {
		[PV_FAMILY_PMEMVOL] = take_event,
		[PV_FAMILY_FENCE] = take_fence_event,
	};
	const char *text = pv_option(ctx, "count"), *why;
	struct watch w = { .ctx = ctx, .left = UINT64_MAX };
	int ret;

	if (text && pv_parse_count(text, &w.left, &why))
		return pv_usage_error(ctx, "--count: '%s' %s", text, why);
	ret = pv_nl_subscribe(ctx);
	if (!ret)
		ret = announce(ctx, pv_option(ctx, "ready-file"));
	while (!ret && w.left) {
		bool lost;

		ret = pv_nl_wait(ctx, replies, &w, &lost);
		if (lost)
			print_gap(&w, 0);
		if (fflush(stdout))
			return pv_fail_sys(ctx, errno, "cannot write");
	}
	return ret;
}
