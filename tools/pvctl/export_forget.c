// SPDX-License-Identifier: GPL-2.0
#include "export_forget.h"

#include <string.h>
#include <unistd.h>

#include "configfs.h"
#include "ctl.h"
#include "export_record.h"
#include "nvmet.h"

const struct pv_volume *pv_export_volume(const struct pv_volumes *volumes,
					 const struct pv_export *e)
{
	for (size_t i = 0; i < volumes->nr; i++)
		if (!memcmp(volumes->volume[i].uuid, e->uuid, sizeof(e->uuid)))
			return &volumes->volume[i];
	return NULL;
}

bool pv_export_is_left(const struct pv_export *e, const char *pool, const char *volume,
		       const struct pv_volumes *before, const struct pv_volumes *there)
{
	if (pv_export_volume(there, e))
		return false;
	return pv_export_volume(before, e) ||
	       (!strcmp(e->pool, pool) && (!volume || !strcmp(e->volume, volume)));
}

int pv_export_end(struct pv_ctx *ctx, int dir, struct pv_export *e,
		  const enum pv_transport *transport, bool *found)
{
	bool in_kernel = false;
	int ret, lock;

	if (transport ? !!pv_export_find_port(e, *transport) : e->nr_ports > 0)
		*found = true;
	if (transport)
		pv_export_drop_port(e, *transport);
	else
		e->nr_ports = 0;
	ret = pv_configfs_prepare(ctx, NULL, &lock);
	if (!ret && lock >= 0) {
		ret = pv_nvmet_unexport(ctx, e, transport, e->nr_ports > 0, &in_kernel);
		close(lock);
	}
	*found = *found || in_kernel;
	return !ret && dir >= 0 ? pv_export_store(ctx, dir, e) : ret;
}

/* struct names - whose records; see pv_export_is_left() */
struct names {
	const char *pool;
	const char *volume;
	const struct pv_volumes *before;
};

/* Look at all records. @end: and end those that are left of the names. @left: how many those are */
static int look(struct pv_ctx *ctx, int dir, const struct names *n, bool end, unsigned int *left)
{
	struct pv_volumes there = { 0 };
	struct pv_exports all;
	unsigned int damaged;
	bool found;
	int ret = pv_export_load_all(ctx, dir, &all, &damaged);

	*left = 0;
	if (!ret && all.nr)
		ret = pv_volume_dump(ctx, NULL, &there);
	for (size_t i = 0; !ret && i < all.nr; i++) {
		struct pv_export *e = &all.export[i];

		if (!pv_export_is_left(e, n->pool, n->volume, n->before, &there))
			continue;
		(*left)++;
		if (end)
			ret = pv_export_end(ctx, dir, e, NULL, &found);
	}
	pv_volumes_free(&there);
	pv_exports_free(&all);
	return ret;
}

static int forget(struct pv_ctx *ctx, const struct names *n)
{
	unsigned int left;
	int dir, ret = pv_state_open(ctx, &pv_export_records, false, &dir);

	if (ret || dir < 0)
		return ret;
	/* Where nothing is left nobody waits for a lock. */
	ret = look(ctx, dir, n, false, &left);
	if (!ret && left) {
		ret = pv_state_lock(ctx, &pv_export_records, dir);
		if (!ret)
			ret = look(ctx, dir, n, true, &left);
	}
	close(dir);
	return ret;
}

void pv_export_forget(struct pv_ctx *ctx, const char *pool, const char *volume,
		      const struct pv_volumes *before)
{
	struct names n = { .pool = pool, .volume = volume, .before = before };
	struct pv_error kept = ctx->error;

	if (forget(ctx, &n))
		pv_warn(ctx, "what is on record of its exports may be left: %s",
			ctx->error.message);
	ctx->error = kept;
}
