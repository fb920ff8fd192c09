// SPDX-License-Identifier: GPL-2.0
/* pvctl volume stats: how full a volume and the file system on it are, and whether they are well. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/sysmacros.h>

#include "cmd.h"
#include "ctl.h"
#include "output.h"
#include "sysfs.h"
#include "volume_stats.h"

static uint64_t number_of(dev_t dev)
{
	return pv_devnum(major(dev), minor(dev));
}

static int fail_other(struct pv_ctx *ctx, const struct pv_volume *v, const char *path)
{
	return pv_fail(ctx, PV_NOT_FOUND, "%s is no place of volume %s", path, v->name);
}

/* Is the volume there, as a mounted file system or as a device node? */
static int look_at(struct pv_ctx *ctx, const struct pv_volume *v, const char *path,
		   struct pv_stats *s)
{
	struct stat st;

	if (stat(path, &st)) {
		if (errno == ENOENT || errno == ENOTDIR)
			return pv_fail(ctx, PV_NOT_FOUND, "%s is not there", path);
		return pv_fail_sys(ctx, errno, "%s", path);
	}
	s->path = path;
	if (S_ISBLK(st.st_mode))
		return number_of(st.st_rdev) == v->devnum ? PV_OK : fail_other(ctx, v, path);
	if (number_of(st.st_dev) != v->devnum)
		return fail_other(ctx, v, path);
	if (statvfs(path, &s->fs))
		return pv_fail_sys(ctx, errno, "%s", path);
	s->has_fs = true;
	return PV_OK;
}

const char *pv_stats_condition(const struct pv_volume *v, const struct pv_pool *p,
			       const struct pv_stats *s)
{
	if (p->mode == PMEMVOL_MODE_FAILED)
		return "the pool has failed: a member is gone";
	if (v->state != PMEMVOL_VOLUME_ACTIVE)
		return "the volume has failed: its metadata is damaged, or a rollback is not complete";
	if (p->mode == PMEMVOL_MODE_READ_ONLY)
		return "the pool is read-only: its metadata is damaged";
	if (s->has_fs && s->mount.super_ro && !s->mount.ro)
		return "the file system has become read-only";
	/* What a snapshot shows has to be copied before it can be written. */
	if (p->mode == PMEMVOL_MODE_NO_SPACE && !v->thick &&
	    (v->provisioned < v->size || v->snapshots))
		return "the pool has no space left: what is not provisioned, or is in a snapshot, cannot be written";
	if (s->bads.nr)
		return "the medium is bad in places: what is there is lost until it is overwritten";
	return NULL;
}

static void add_usage(struct json_object *array, const char *unit, uint64_t total, uint64_t used,
		      uint64_t available)
{
	struct json_object *o = json_object_new_object();

	pv_json_string(o, "unit", unit);
	pv_json_u64(o, "total", total);
	pv_json_u64(o, "used", used);
	pv_json_u64(o, "available", available);
	json_object_array_add(array, o);
}

static uint64_t sub_floor(uint64_t a, uint64_t b)
{
	return a > b ? a - b : 0;
}

struct json_object *pv_json_stats(const struct pv_volume *v, const struct pv_pool *p,
				  const struct pv_stats *s)
{
	const char *condition = pv_stats_condition(v, p, s);
	struct json_object *o = pv_json_volume(v);
	struct json_object *usage = json_object_new_array();
	struct json_object *state = json_object_new_object();
	const struct statvfs *fs = &s->fs;

	pv_json_string(o, "path", s->path);
	pv_json_string(o, "fs_type", s->has_fs && s->mount.type[0] ? s->mount.type : NULL);
	if (s->has_fs) {
		add_usage(usage, "bytes", fs->f_blocks * fs->f_frsize,
			  sub_floor(fs->f_blocks, fs->f_bfree) * fs->f_frsize,
			  fs->f_bavail * fs->f_frsize);
		add_usage(usage, "inodes", fs->f_files, sub_floor(fs->f_files, fs->f_ffree),
			  fs->f_favail);
	} else {
		add_usage(usage, "bytes", v->size, v->provisioned,
			  sub_floor(v->size, v->provisioned));
	}
	json_object_object_add(o, "usage", usage);
	json_object_object_add(o, "bad", pv_bad_json(&s->bads, p));
	pv_json_bool(state, "abnormal", condition);
	pv_json_string(state, "message", condition ? condition : "the volume is well");
	json_object_object_add(o, "condition", state);
	return o;
}

static void print_text(const struct pv_volume *v, const struct pv_pool *p, const struct pv_stats *s)
{
	const char *condition = pv_stats_condition(v, p, s);
	const struct statvfs *fs = &s->fs;

	pv_field("volume", "%s/%s", v->pool, v->name);
	pv_field_size("size", v->size);
	pv_field_size("provisioned", v->provisioned);
	if (s->path)
		pv_field("path", "%s", s->path);
	if (s->has_fs) {
		pv_field("file system", "%s", s->mount.type);
		pv_field_size("total", fs->f_blocks * fs->f_frsize);
		pv_field_size("used", sub_floor(fs->f_blocks, fs->f_bfree) * fs->f_frsize);
		pv_field_size("available", fs->f_bavail * fs->f_frsize);
		pv_field("inodes", "%llu of %llu free", (unsigned long long)fs->f_ffree,
			 (unsigned long long)fs->f_files);
	}
	pv_field("condition", "%s", condition ? condition : "well");
}

int pv_cmd_volume_stats(struct pv_ctx *ctx)
{
	const char *path = pv_option(ctx, "path");
	struct pv_stats stats = { 0 };
	struct pv_volume_name name;
	struct pv_volume volume;
	struct pv_pool pool;
	int ret = pv_volume_target(ctx, &name);

	if (ret)
		return ret;
	ret = pv_volume_get(ctx, name.pool, name.volume, &volume);
	if (!ret)
		ret = pv_pool_get(ctx, name.pool, &pool);
	if (ret)
		return pv_volume_explain(ctx, &name, ret);
	if (pv_sysfs_mount(volume.devnum, &stats.mount) && !path)
		path = stats.mount.point;
	ret = pv_bad_dump(ctx, name.pool, name.volume, &stats.bads);
	if (!ret && path)
		ret = look_at(ctx, &volume, path, &stats);
	if (!ret && ctx->json)
		pv_json_print(pv_json_stats(&volume, &pool, &stats));
	else if (!ret)
		print_text(&volume, &pool, &stats);
	pv_bads_free(&stats.bads);
	pv_pool_free(&pool);
	return ret;
}
