// SPDX-License-Identifier: GPL-2.0
/* pvctl export list, restore and withdraw: all that is recorded */
#include "export_all.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cmd.h"
#include "configfs.h"
#include "ctl.h"
#include "export_forget.h"
#include "export_output.h"
#include "export_record.h"

/**
 * struct work - one run over the records
 * @dir: their directory, -1: there is none
 * @volumes: all there are
 * @damaged: how many records are
 */
struct work {
	int dir;
	struct pv_exports exports;
	struct pv_volumes volumes;
	unsigned int damaged;
};

/* Records of other pools than the one that was asked for are none of our business. */
static void select_pool(struct work *w, const char *pool)
{
	size_t nr = 0;

	for (size_t i = 0; i < w->exports.nr; i++) {
		struct pv_export *e = &w->exports.export[i];
		const struct pv_volume *volume = pv_export_volume(&w->volumes, e);

		if (strcmp(volume ? volume->pool : e->pool, pool))
			pv_export_free(e);
		else
			w->exports.export[nr++] = *e;
	}
	w->exports.nr = nr;
}

static void end(struct work *w)
{
	pv_exports_free(&w->exports);
	pv_volumes_free(&w->volumes);
	if (w->dir >= 0)
		close(w->dir);
}

static int begin(struct pv_ctx *ctx, struct work *w, bool lock)
{
	const char *pool = ctx->nr_args ? ctx->args[0] : NULL;
	int ret;

	*w = (struct work){ .dir = -1 };
	ret = pool ? pv_check_name(ctx, pool) : PV_OK;
	if (!ret)
		ret = pv_state_open(ctx, &pv_export_records, false, &w->dir);
	if (!ret && lock && w->dir >= 0)
		ret = pv_state_lock(ctx, &pv_export_records, w->dir);
	if (!ret)
		ret = pv_export_load_all(ctx, w->dir, &w->exports, &w->damaged);
	if (!ret && w->exports.nr) {
		ret = pv_volume_dump(ctx, NULL, &w->volumes);
		/* Records can be shown, and exports be taken away, without the module. */
		if (ret == PV_UNAVAILABLE)
			ret = PV_OK;
	}
	if (ret)
		end(w);
	else if (pool)
		select_pool(w, pool);
	return ret;
}

struct pv_export_view *pv_export_views(const struct pv_exports *exports,
				       const struct pv_volumes *volumes, size_t *nr)
{
	struct pv_export_view *views = pv_alloc(exports->nr, PV_TRANSPORTS * sizeof(*views));

	*nr = 0;
	for (size_t i = 0; i < exports->nr; i++) {
		const struct pv_export *e = &exports->export[i];
		const struct pv_volume *volume = pv_export_volume(volumes, e);

		for (unsigned int p = 0; p < e->nr_ports; p++) {
			struct pv_export_view *v = &views[(*nr)++];

			v->e = e;
			v->port = &e->port[p];
			pv_nvmet_state(e, v->port, &v->state);
			strcpy(v->pool, volume ? volume->pool : e->pool);
			strcpy(v->volume, volume ? volume->name : e->volume);
			strcpy(v->disk, volume ? volume->disk : "");
		}
	}
	return views;
}

/* Shows all of it. Return: @first, else DATA_LOSS when a record could not be read */
static int finish(struct pv_ctx *ctx, struct work *w, int first)
{
	size_t nr;
	struct pv_export_view *views = pv_export_views(&w->exports, &w->volumes, &nr);

	pv_print_exports(ctx, views, nr);
	free(views);
	if (!first && w->damaged)
		first = pv_fail(ctx, PV_DATA_LOSS, "%u records of exports are damaged", w->damaged);
	end(w);
	return first;
}

int pv_cmd_export_list(struct pv_ctx *ctx)
{
	struct work w;
	int ret = begin(ctx, &w, false);

	return ret ? ret : finish(ctx, &w, PV_OK);
}

static int restore_port(struct pv_ctx *ctx, struct work *w, const struct pv_export *e,
			const struct pv_export_port *port)
{
	const struct pv_volume *volume = pv_export_volume(&w->volumes, e);
	int ret, lock;

	if (!volume)
		return pv_fail(ctx, PV_NOT_FOUND,
			       "there is no such volume: activate its pool, or unexport it");
	ret = pv_configfs_prepare(ctx, pv_transport_name(port->transport), &lock);
	if (ret)
		return ret;
	ret = pv_export_apply(ctx, e, port, volume);
	close(lock);
	return ret;
}

static int withdraw_port(struct pv_ctx *ctx, struct work *w, const struct pv_export *e,
			 const struct pv_export_port *port)
{
	bool found;
	int ret, lock;

	(void)w;
	ret = pv_configfs_prepare(ctx, NULL, &lock);
	if (ret || lock < 0)
		return ret;
	ret = pv_nvmet_unexport(ctx, e, &port->transport, false, &found);
	close(lock);
	return ret;
}

/* Do it to all; report each failure, go on, and return the first one's status. */
static int for_all(struct pv_ctx *ctx,
		   int (*one)(struct pv_ctx *ctx, struct work *w, const struct pv_export *e,
			      const struct pv_export_port *port))
{
	const char *subject = ctx->subject;
	struct work w;
	int first = PV_OK, ret = begin(ctx, &w, true);

	if (ret)
		return ret;
	for (size_t i = 0; i < w.exports.nr; i++) {
		const struct pv_export *e = &w.exports.export[i];
		char text[2 * PMV_NAME_MAX + 2];

		snprintf(text, sizeof(text), "%s/%s", e->pool, e->volume);
		ctx->subject = text;
		for (unsigned int p = 0; p < e->nr_ports; p++) {
			ret = one(ctx, &w, e, &e->port[p]);
			if (!ret)
				continue;
			pv_report(ctx);
			if (!first)
				first = ret;
		}
		ctx->subject = subject;
	}
	/* Each was reported. */
	ctx->error = (struct pv_error){ 0 };
	return finish(ctx, &w, first);
}

int pv_cmd_export_restore(struct pv_ctx *ctx)
{
	return for_all(ctx, restore_port);
}

int pv_cmd_export_withdraw(struct pv_ctx *ctx)
{
	return for_all(ctx, withdraw_port);
}
