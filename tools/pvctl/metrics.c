// SPDX-License-Identifier: GPL-2.0
/* pvctl metrics: read the figures, write them where node_exporter's textfile collector looks. */
#include "metrics.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cmd.h"
#include "ctl.h"
#include "export_all.h"
#include "export_record.h"
#include "fence_ctl.h"
#include "scan.h"
#include "sysfs.h"

bool pv_io_parse(const char *text, struct pv_io *io)
{
	char *end;

	memset(io, 0, sizeof(*io));
	for (int i = 0; i < PV_IO_FIELDS; i++) {
		errno = 0;
		text += strspn(text, " ");
		if (*text < '0' || *text > '9')
			return false;
		io->field[i] = strtoull(text, &end, 10);
		if (errno || (*end != ' ' && *end != '\0'))
			return false;
		text = end;
	}
	io->known = true;
	return true;
}

/* A volume deleted meanwhile has no numbers any more. */
static void read_io(const struct pv_volume *v, struct pv_io *io)
{
	char path[PV_DEVICE_MAX + 32], text[512];

	snprintf(path, sizeof(path), "/sys/block/%s/stat", v->disk);
	if (pv_sysfs_read(path, text, sizeof(text)) || !pv_io_parse(text, io))
		*io = (struct pv_io){ 0 };
}

static int collect_pools(struct pv_ctx *ctx, struct pv_metrics *m)
{
	struct pv_scan scan;
	int ret = pv_inactive_pools(ctx, &m->active, &scan, &m->inactive);

	if (ret)
		return ret;
	pv_scan_free(&scan);
	ret = pv_volume_dump(ctx, NULL, &m->volumes);
	if (ret)
		return ret;
	m->io = pv_alloc(m->volumes.nr, sizeof(*m->io));
	for (size_t i = 0; i < m->volumes.nr; i++)
		read_io(&m->volumes.volume[i], &m->io[i]);
	m->bads = pv_alloc(m->active.nr, sizeof(*m->bads));
	for (size_t i = 0; i < m->active.nr; i++) {
		ret = pv_bad_dump(ctx, m->active.pool[i].name, NULL, &m->bads[i]);
		/* Deactivated meanwhile. */
		if (ret && ctx->error.sys != ENOENT)
			return ret;
	}
	m->has_pools = true;
	return PV_OK;
}

/* What is exported is known without the modules, and the rest without that. */
static void collect_exports(struct pv_ctx *ctx, struct pv_metrics *m)
{
	int dir, ret = pv_state_open(ctx, &pv_export_records, false, &dir);

	if (!ret)
		ret = pv_export_load_all(ctx, dir, &m->exports, &m->damaged);
	if (dir >= 0)
		close(dir);
	if (ret) {
		pv_warn(ctx, "%s", ctx->error.message);
		return;
	}
	m->views = pv_export_views(&m->exports, &m->volumes, &m->nr_views);
	m->has_exports = true;
}

/* A module that is not there is a figure, too. */
static int collect(struct pv_ctx *ctx, struct pv_metrics *m)
{
	int ret = collect_pools(ctx, m);

	if (ret && ret != PV_UNAVAILABLE)
		return ret;
	collect_exports(ctx, m);
	ret = pv_fence_dump(ctx, &m->attachments);
	m->has_fences = !ret;
	return ret == PV_UNAVAILABLE ? PV_OK : ret;
}

static int sync_directory(const char *path)
{
	char copy[PATH_MAX];
	int fd, ret;

	snprintf(copy, sizeof(copy), "%s", path);
	fd = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	ret = fsync(fd) ? -errno : 0;
	close(fd);
	return ret;
}

/* Readers see the old file or the new one, also after a power cut. */
static int write_file(const char *path, const struct pv_metrics *m)
{
	char temporary[PATH_MAX];
	int fd, ret = 0;
	FILE *f;

	/* The collector reads *.prom only. */
	if ((size_t)snprintf(temporary, sizeof(temporary), "%s.XXXXXX", path) >= sizeof(temporary))
		return -ENAMETOOLONG;
	fd = mkostemp(temporary, O_CLOEXEC);
	if (fd < 0)
		return -errno;
	f = fdopen(fd, "w");
	if (!f) {
		ret = -errno;
		close(fd);
		goto undo;
	}
	errno = 0;
	pv_metrics_print(f, m);
	if (fflush(f) || ferror(f) || fchmod(fd, 0644) || fsync(fd))
		ret = errno ? -errno : -EIO;
	if (fclose(f) && !ret)
		ret = -errno;
	if (!ret && rename(temporary, path))
		ret = -errno;
	if (!ret)
		return sync_directory(path);
undo:
	unlink(temporary);
	return ret;
}

int pv_cmd_metrics(struct pv_ctx *ctx)
{
	const char *output = pv_option(ctx, "output");
	struct pv_metrics m = { 0 };
	int ret;

	if (ctx->json)
		return pv_usage_error(ctx, "there is one format, which Prometheus reads");
	ret = collect(ctx, &m);
	if (!ret && output) {
		int error = write_file(output, &m);

		if (error)
			ret = pv_fail_sys(ctx, -error, "cannot write %s", output);
	} else if (!ret) {
		pv_metrics_print(stdout, &m);
	}
	for (size_t i = 0; m.bads && i < m.active.nr; i++)
		pv_bads_free(&m.bads[i]);
	free(m.bads);
	free(m.views);
	pv_exports_free(&m.exports);
	pv_pools_free(&m.active);
	pv_pools_free(&m.inactive);
	pv_volumes_free(&m.volumes);
	pv_attachments_free(&m.attachments);
	free(m.io);
	return ret;
}
