// SPDX-License-Identifier: GPL-2.0
/* pvctl export POOL/NAME, unexport POOL/NAME */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "clock.h"
#include "cmd.h"
#include "configfs.h"
#include "ctl.h"
#include "export_all.h"
#include "export_forget.h"
#include "export_options.h"
#include "export_output.h"
#include "export_record.h"
#include "output.h"
#include "scan.h"
#include "sysfs.h"

/* udev and others look into a device that has just appeared or changed. */
#define PROBE_MS 5000
#define POLL_US 50000

/* What the kernel said about POOL/NAME is about the pool, maybe. */
static int explain(struct pv_ctx *ctx, const struct pv_volume_name *name, int ret)
{
	struct pv_pool pool;

	if (!ret || ctx->error.sys != ENOENT)
		return ret;
	if (pv_pool_get(ctx, name->pool, &pool))
		return ctx->error.sys == ENOENT ? pv_fail_no_pool(ctx, name->pool) :
						  (int)ctx->error.status;
	pv_pool_free(&pool);
	return pv_fail(ctx, PV_NOT_FOUND, "there is no volume %s in pool %s", name->volume,
		       name->pool);
}

static int fail_in_use(struct pv_ctx *ctx, const struct pv_volume *volume)
{
	char where[256];

	if (pv_sysfs_mounted_at(volume->devnum, where, sizeof(where)))
		return pv_fail(ctx, PV_FAILED_PRECONDITION, "the volume is mounted at %s", where);
	return pv_fail(ctx, PV_FAILED_PRECONDITION, "the volume is open");
}

/*
 * Nobody on this node has the volume, and while the file is open nobody gets it for himself. It is
 * opened for reading, because udev looks at a device anew when one that might have written closes it.
 */
static int claim(struct pv_ctx *ctx, const struct pv_volume *volume, int *fd)
{
	uint64_t end = pv_now_ms() + PROBE_MS;
	char path[PV_DEVICE_MAX + 8];
	struct pv_volume now;
	struct stat st;
	int ret;

	*fd = -1;
	for (;;) {
		ret = pv_volume_get(ctx, volume->pool, volume->name, &now);
		if (ret)
			return ret;
		if (!now.openers)
			break;
		if (pv_now_ms() >= end || pv_sysfs_mounted_at(volume->devnum, path, sizeof(path)))
			return fail_in_use(ctx, volume);
		usleep(POLL_US);
	}
	snprintf(path, sizeof(path), "/dev/%s", volume->disk);
	*fd = open(path, O_RDONLY | O_EXCL | O_CLOEXEC);
	if (*fd < 0 && errno == EBUSY)
		return fail_in_use(ctx, volume);
	if (*fd < 0)
		return pv_fail_sys(ctx, errno, "cannot open %s", path);
	if (fstat(*fd, &st) || !S_ISBLK(st.st_mode) ||
	    pv_devnum(major(st.st_rdev), minor(st.st_rdev)) != volume->devnum) {
		close(*fd);
		*fd = -1;
		return pv_fail(ctx, PV_FAILED_PRECONDITION, "%s is not the volume's device", path);
	}
	return PV_OK;
}

int pv_export_apply(struct pv_ctx *ctx, const struct pv_export *e,
		    const struct pv_export_port *port, const struct pv_volume *volume)
{
	char path[PV_DEVICE_MAX + 8];
	int ret, fd = -1;

	/* Who has opened the volume then is the target itself. */
	if (!pv_nvmet_has_namespace(e)) {
		ret = claim(ctx, volume, &fd);
		if (ret)
			return ret;
	}
	snprintf(path, sizeof(path), "/dev/%s", volume->disk);
	ret = pv_nvmet_export(ctx, e, port, path);
	if (fd >= 0)
		close(fd);
	return ret;
}

/* An NQN is one volume's. */
static int check_nqn(struct pv_ctx *ctx, int dir, const struct pv_export *e)
{
	struct pv_exports all;
	unsigned int damaged;
	int ret = pv_export_load_all(ctx, dir, &all, &damaged);

	for (size_t i = 0; !ret && i < all.nr; i++)
		if (!strcmp(all.export[i].nqn, e->nqn) &&
		    memcmp(all.export[i].uuid, e->uuid, sizeof(e->uuid)))
			ret = pv_fail(ctx, PV_ALREADY_EXISTS,
				      "%s is the name of the exported %s/%s", e->nqn,
				      all.export[i].pool, all.export[i].volume);
	pv_exports_free(&all);
	return ret;
}

/* @e: what is to be; @before: what the record has had, without ports: nothing */
static int record_and_apply(struct pv_ctx *ctx, int dir, const struct pv_export *before,
			    const struct pv_export *e, const struct pv_export_port *port,
			    bool changed, const struct pv_volume *volume)
{
	struct pv_error error;
	int ret, undone;

	if (changed) {
		ret = pv_export_store(ctx, dir, e);
		if (ret)
			return ret;
	}
	ret = pv_export_apply(ctx, e, port, volume);
	if (!ret || !changed)
		return ret;
	error = ctx->error;
	undone = pv_export_store(ctx, dir, before);
	if (undone)
		pv_warn(ctx, "the record of the export stays: %s", ctx->error.message);
	ctx->error = error;
	return ret;
}

static void print_one(struct pv_ctx *ctx, const struct pv_export *e,
		      const struct pv_export_port *port, const struct pv_volume *volume)
{
	struct pv_export_view view = { .e = e, .port = port };

	snprintf(view.pool, sizeof(view.pool), "%s", volume->pool);
	snprintf(view.volume, sizeof(view.volume), "%s", volume->name);
	snprintf(view.disk, sizeof(view.disk), "%s", volume->disk);
	pv_nvmet_state(e, port, &view.state);
	pv_print_export(ctx, &view);
}

/*
 * What there is, and what there is to be. @before: without ports where there is no record; @port: in
 * @e. Both are to be freed also after a failure.
 */
static int plan(struct pv_ctx *ctx, int dir, const struct pv_export *want, struct pv_export *before,
		struct pv_export *e, struct pv_export_port **port, bool *changed)
{
	int ret = pv_export_load(ctx, dir, want->uuid, before);

	if (ret == PV_NOT_FOUND) {
		*changed = true;
		*port = &e->port[0];
		pv_export_copy(e, want);
		pv_export_copy(before, want);
		before->nr_ports = 0;
		return check_nqn(ctx, dir, want);
	}
	pv_export_copy(e, before);
	return ret ? ret : pv_export_merge(ctx, e, want, port, changed);
}

static int export_locked(struct pv_ctx *ctx, int dir, const struct pv_export *want,
			 const struct pv_volume *volume)
{
	struct pv_export e, before;
	struct pv_export_port *port;
	int ret, lock = -1;
	bool changed;

	ret = plan(ctx, dir, want, &before, &e, &port, &changed);
	if (!ret)
		ret = pv_configfs_prepare(ctx, pv_transport_name(port->transport), &lock);
	if (!ret)
		ret = record_and_apply(ctx, dir, &before, &e, port, changed, volume);
	if (!ret)
		print_one(ctx, &e, port, volume);
	if (lock >= 0)
		close(lock);
	pv_export_free(&before);
	pv_export_free(&e);
	return ret;
}

int pv_cmd_export(struct pv_ctx *ctx)
{
	struct pv_volume_name name;
	struct pv_volume volume;
	struct pv_export want;
	int ret, dir;

	ret = pv_export_target(ctx, &name);
	if (ret)
		return ret;
	ret = pv_export_options(ctx, &want);
	if (!ret)
		ret = explain(ctx, &name, pv_volume_get(ctx, name.pool, name.volume, &volume));
	if (ret)
		goto out;
	strcpy(want.pool, name.pool);
	strcpy(want.volume, name.volume);
	memcpy(want.uuid, volume.uuid, sizeof(want.uuid));
	if (!want.nqn[0])
		pv_export_default_nqn(want.uuid, want.nqn);
	ret = pv_state_open(ctx, &pv_export_records, true, &dir);
	if (ret)
		goto out;
	ret = pv_state_lock(ctx, &pv_export_records, dir);
	if (!ret)
		ret = export_locked(ctx, dir, &want, &volume);
	close(dir);
out:
	pv_export_free(&want);
	return ret;
}

/* ---- unexport ---- */

/* Records by the name, of volumes that sleep with their pool or are gone. */
static int end_named(struct pv_ctx *ctx, int dir, const struct pv_volume_name *name,
		     const enum pv_transport *transport, bool *found)
{
	const struct pv_volumes none = { 0 };
	struct pv_volumes there = { 0 };
	struct pv_exports all;
	unsigned int damaged;
	int ret = pv_export_load_all(ctx, dir, &all, &damaged);

	if (!ret && all.nr) {
		ret = pv_volume_dump(ctx, NULL, &there);
		/* Without the module they all sleep. */
		if (ret == PV_UNAVAILABLE)
			ret = PV_OK;
	}
	for (size_t i = 0; !ret && i < all.nr; i++) {
		struct pv_export *e = &all.export[i];

		if (pv_export_is_left(e, name->pool, name->volume, &none, &there))
			ret = pv_export_end(ctx, dir, e, transport, found);
	}
	pv_volumes_free(&there);
	pv_exports_free(&all);
	return ret;
}

static int end_volume(struct pv_ctx *ctx, int dir, const struct pv_volume *volume,
		      const enum pv_transport *transport, bool *found)
{
	struct pv_export e = { 0 };
	int ret = pv_export_load(ctx, dir, volume->uuid, &e);

	if (ret == PV_NOT_FOUND) {
		/* A record that was lost is no reason to leave the volume exported. */
		memcpy(e.uuid, volume->uuid, sizeof(e.uuid));
		pv_export_default_nqn(e.uuid, e.nqn);
		ret = PV_OK;
	}
	if (!ret)
		ret = pv_export_end(ctx, dir, &e, transport, found);
	pv_export_free(&e);
	return ret;
}

/* The volume that has the name now, and those that had it when they were exported and are not there. */
static int unexport_locked(struct pv_ctx *ctx, int dir, const struct pv_volume_name *name,
			   const enum pv_transport *transport, bool *found)
{
	struct pv_volume volume;
	int ret = pv_volume_get(ctx, name->pool, name->volume, &volume);

	if (!ret)
		ret = end_volume(ctx, dir, &volume, transport, found);
	else if (ctx->error.sys == ENOENT || ret == PV_UNAVAILABLE)
		ret = PV_OK;
	return ret ? ret : end_named(ctx, dir, name, transport, found);
}

int pv_cmd_unexport(struct pv_ctx *ctx)
{
	const enum pv_transport *given;
	struct pv_volume_name name;
	enum pv_transport transport;
	bool found = false;
	int ret, dir;

	ret = pv_export_target(ctx, &name);
	if (!ret)
		ret = pv_export_transport(ctx, &transport, &given);
	if (!ret)
		ret = pv_state_open(ctx, &pv_export_records, false, &dir);
	if (ret)
		return ret;
	if (dir >= 0)
		ret = pv_state_lock(ctx, &pv_export_records, dir);
	if (!ret)
		ret = unexport_locked(ctx, dir, &name, given, &found);
	if (dir >= 0)
		close(dir);
	if (!ret && ctx->json) {
		struct json_object *o = json_object_new_object();

		pv_json_string(o, "pool", name.pool);
		pv_json_string(o, "name", name.volume);
		pv_json_bool(o, "unexported", found);
		pv_json_print(o);
	}
	return ret;
}
