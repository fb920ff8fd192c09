// SPDX-License-Identifier: GPL-2.0
#include "nvmet.h"

#include <arpa/inet.h>
#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "configfs.h"

/* Ports of this number and above are pvctl's: it removes those that have become empty. */
#define OWN_PORTS 40000
#define PATH_TEXT 1024
#define VALUE_TEXT 512
#define MODEL "pmemvol volume"

/* ---- what was done, to be undone ---- */

enum undo { UNDO_RMDIR, UNDO_UNLINK, UNDO_DISABLE };

struct step {
	enum undo how;
	char path[PATH_TEXT];
};

struct journal {
	struct step *step;
	size_t nr;
};

static void done(struct journal *j, enum undo how, const char *path)
{
	j->step = pv_grow(j->step, j->nr, sizeof(*j->step));
	j->step[j->nr].how = how;
	snprintf(j->step[j->nr].path, PATH_TEXT, "%s", path);
	j->nr++;
}

static void undo(struct pv_ctx *ctx, struct journal *j)
{
	while (j->nr) {
		const struct step *s = &j->step[--j->nr];
		int ret;

		switch (s->how) {
		case UNDO_RMDIR: ret = pv_configfs_rmdir(s->path); break;
		case UNDO_UNLINK: ret = pv_configfs_unlink(s->path); break;
		default: ret = pv_configfs_write(s->path, "0"); break;
		}
		if (ret)
			pv_warn(ctx, "cannot undo what was made of the NVMe target's %s: %s",
				s->path, strerror(-ret));
	}
}

/* ---- steps ---- */

static void path_to(char path[PATH_TEXT], const char *format, ...)
	__attribute__((format(printf, 2, 3)));

static void path_to(char path[PATH_TEXT], const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	vsnprintf(path, PATH_TEXT, format, ap);
	va_end(ap);
}

static int fail(struct pv_ctx *ctx, int error, const char *what, const char *path)
{
	return pv_fail_sys(ctx, -error, "the NVMe target: cannot %s %s", what, path);
}

static int make_directory(struct pv_ctx *ctx, struct journal *j, const char *path)
{
	int ret = pv_configfs_mkdir(path);

	if (ret == -EEXIST)
		return PV_OK;
	if (ret)
		return fail(ctx, ret, "make", path);
	done(j, UNDO_RMDIR, path);
	return PV_OK;
}

static int make_link(struct pv_ctx *ctx, struct journal *j, const char *target, const char *path)
{
	int ret = pv_configfs_link(target, path);

	if (ret == -EEXIST)
		return PV_OK;
	if (ret)
		return fail(ctx, ret, "make", path);
	done(j, UNDO_UNLINK, path);
	return PV_OK;
}

/* Some attributes cannot be written a second time, not even what they are. */
static int set(struct pv_ctx *ctx, const char *dir, const char *attr, const char *value)
{
	char path[PATH_TEXT], have[VALUE_TEXT];
	int ret;

	path_to(path, "%s/%s", dir, attr);
	if (!pv_configfs_read(path, have, sizeof(have)) && !strcmp(have, value))
		return PV_OK;
	ret = pv_configfs_write(path, value);
	return ret ? fail(ctx, ret, "set", path) : PV_OK;
}

/* What not every kernel has. */
static int set_where_there_is(struct pv_ctx *ctx, const char *dir, const char *attr,
			      const char *value)
{
	char path[PATH_TEXT];

	path_to(path, "%s/%s", dir, attr);
	return pv_configfs_exists(path) ? set(ctx, dir, attr, value) : PV_OK;
}

static bool has_value(const char *dir, const char *attr, const char *value)
{
	char path[PATH_TEXT], have[VALUE_TEXT];

	path_to(path, "%s/%s", dir, attr);
	return !pv_configfs_read(path, have, sizeof(have)) && !strcmp(have, value);
}

/* ---- subsystems ---- */

static void subsystem_path(const struct pv_export *e, char path[PATH_TEXT])
{
	path_to(path, "subsystems/%s", e->nqn);
}

static void namespace_path(const struct pv_export *e, char path[PATH_TEXT])
{
	path_to(path, "subsystems/%s/namespaces/1", e->nqn);
}

enum owner { NOBODY, OURS, FOREIGN };

/* Whose is the subsystem? One without a namespace may be what was left of a pvctl that was killed. */
static enum owner owner_of(const struct pv_export *e)
{
	char path[PATH_TEXT], uuid[PV_UUID_TEXT], **names;
	enum owner owner = OURS;
	unsigned int nr;

	subsystem_path(e, path);
	if (!pv_configfs_exists(path))
		return NOBODY;
	path_to(path, "subsystems/%s/namespaces", e->nqn);
	nr = pv_configfs_list(path, &names);
	namespace_path(e, path);
	if (nr > 1 || (nr && strcmp(names[0], "1")))
		owner = FOREIGN;
	else if (nr && !has_value(path, "device_uuid", pv_format_uuid(e->uuid, uuid)) &&
		 !has_value(path, "device_path", "(null)") && !has_value(path, "device_path", ""))
		owner = FOREIGN;
	pv_configfs_list_free(names, nr);
	return owner;
}

bool pv_nvmet_has_namespace(const struct pv_export *e)
{
	char path[PATH_TEXT];

	namespace_path(e, path);
	return owner_of(e) == OURS && has_value(path, "enable", "1");
}

static int make_hosts(struct pv_ctx *ctx, struct journal *j, const struct pv_export *e)
{
	char host[PATH_TEXT], path[PATH_TEXT];
	int ret = PV_OK;

	subsystem_path(e, path);
	ret = set(ctx, path, "attr_allow_any_host", e->nr_hosts ? "0" : "1");
	for (unsigned int i = 0; !ret && i < e->nr_hosts; i++) {
		path_to(host, "hosts/%s", e->hosts[i]);
		path_to(path, "subsystems/%s/allowed_hosts/%s", e->nqn, e->hosts[i]);
		ret = make_directory(ctx, j, host);
		if (!ret)
			ret = make_link(ctx, j, host, path);
	}
	return ret;
}

/* The UUID first: it is how we know our own again. Reservations cannot be had later. */
static int make_namespace(struct pv_ctx *ctx, struct journal *j, const struct pv_export *e,
			  const char *device)
{
	char path[PATH_TEXT], enable[PATH_TEXT], uuid[PV_UUID_TEXT];
	int ret;

	namespace_path(e, path);
	pv_format_uuid(e->uuid, uuid);
	ret = make_directory(ctx, j, path);
	if (ret || has_value(path, "enable", "1"))
		return ret;
	ret = set(ctx, path, "device_uuid", uuid);
	if (!ret)
		ret = set(ctx, path, "device_nguid", uuid);
	if (!ret)
		ret = set(ctx, path, "device_path", device);
	if (!ret)
		ret = set_where_there_is(ctx, path, "resv_enable", "1");
	if (ret)
		return ret;
	ret = set(ctx, path, "enable", "1");
	if (ret)
		return ret;
	path_to(enable, "%s/enable", path);
	done(j, UNDO_DISABLE, enable);
	return PV_OK;
}

static int make_subsystem(struct pv_ctx *ctx, struct journal *j, const struct pv_export *e,
			  const char *device)
{
	char path[PATH_TEXT], serial[21];
	int ret;

	if (owner_of(e) == FOREIGN)
		return pv_fail(ctx, PV_ALREADY_EXISTS,
			       "the NVMe target has a subsystem %s that is not this volume's",
			       e->nqn);
	subsystem_path(e, path);
	ret = make_directory(ctx, j, path);
	/*
	 * Initiators find what they know: both are the same after every restart. All there is room for,
	 * or the target would fill it up.
	 */
	for (unsigned int i = 0; i < 10; i++)
		snprintf(serial + 2 * i, 3, "%02x", e->uuid[i]);
	if (!ret)
		ret = set(ctx, path, "attr_serial", serial);
	if (!ret)
		ret = set_where_there_is(ctx, path, "attr_model", MODEL);
	if (!ret)
		ret = make_hosts(ctx, j, e);
	return ret ? ret : make_namespace(ctx, j, e, device);
}

/* ---- ports ---- */

static bool port_is(const char *id, const struct pv_export_port *port)
{
	char path[PATH_TEXT], have[VALUE_TEXT], address[INET6_ADDRSTRLEN], number[8];
	const char *why;

	path_to(path, "ports/%s", id);
	snprintf(number, sizeof(number), "%u", port->port);
	if (!has_value(path, "addr_trtype", pv_transport_name(port->transport)) ||
	    !has_value(path, "addr_trsvcid", number))
		return false;
	path_to(path, "ports/%s/addr_traddr", id);
	/* Others may write addresses in another way. */
	return !pv_configfs_read(path, have, sizeof(have)) &&
	       !pv_parse_address(have, address, &why) && !strcmp(address, port->address);
}

/* Return: whether there is one. @id: its number */
static bool find_port(const struct pv_export_port *port, char id[16])
{
	char **names;
	unsigned int nr = pv_configfs_list("ports", &names);
	bool found = false;

	for (unsigned int i = 0; !found && i < nr; i++) {
		found = strlen(names[i]) < 16 && port_is(names[i], port);
		if (found)
			strcpy(id, names[i]);
	}
	pv_configfs_list_free(names, nr);
	return found;
}

static int make_port(struct pv_ctx *ctx, struct journal *j, const struct pv_export_port *port,
		     char id[16])
{
	char path[PATH_TEXT], number[8];
	unsigned int n = OWN_PORTS;
	int ret;

	/* Somebody may be making one by hand meanwhile. */
	do {
		snprintf(id, 16, "%u", n);
		path_to(path, "ports/%s", id);
		ret = pv_configfs_mkdir(path);
	} while (ret == -EEXIST && ++n <= UINT16_MAX);
	if (ret)
		return fail(ctx, ret, "make", path);
	done(j, UNDO_RMDIR, path);
	snprintf(number, sizeof(number), "%u", port->port);
	ret = set(ctx, path, "addr_trtype", pv_transport_name(port->transport));
	if (!ret)
		ret = set(ctx, path, "addr_adrfam", strchr(port->address, ':') ? "ipv6" : "ipv4");
	if (!ret)
		ret = set(ctx, path, "addr_traddr", port->address);
	return ret ? ret : set(ctx, path, "addr_trsvcid", number);
}

/* A port listens from its first subsystem on: it is here that an address is found wanting. */
static int join_port(struct pv_ctx *ctx, struct journal *j, const struct pv_export *e,
		     const struct pv_export_port *port)
{
	char subsystem[PATH_TEXT], path[PATH_TEXT], id[16];
	int ret;

	if (!find_port(port, id)) {
		ret = make_port(ctx, j, port, id);
		if (ret)
			return ret;
	}
	subsystem_path(e, subsystem);
	path_to(path, "ports/%s/subsystems/%s", id, e->nqn);
	ret = pv_configfs_link(subsystem, path);
	if (ret == -EEXIST)
		return PV_OK;
	if (ret)
		return pv_fail(ctx, PV_FAILED_PRECONDITION,
			       "the NVMe target cannot listen on %s port %u over %s: %s",
			       port->address, port->port, pv_transport_name(port->transport),
			       strerror(-ret));
	done(j, UNDO_UNLINK, path);
	return PV_OK;
}

int pv_nvmet_export(struct pv_ctx *ctx, const struct pv_export *e,
		    const struct pv_export_port *port, const char *device)
{
	struct journal j = { 0 };
	int ret;

	ret = make_subsystem(ctx, &j, e, device);
	if (!ret)
		ret = join_port(ctx, &j, e, port);
	if (ret)
		undo(ctx, &j);
	free(j.step);
	return ret;
}

void pv_nvmet_state(const struct pv_export *e, const struct pv_export_port *port,
		    struct pv_nvmet_state *state)
{
	char path[PATH_TEXT], id[16];

	*state = (struct pv_nvmet_state){ 0 };
	if (!pv_nvmet_has_namespace(e))
		return;
	namespace_path(e, path);
	state->reservations = has_value(path, "resv_enable", "1");
	if (!find_port(port, id))
		return;
	path_to(path, "ports/%s/subsystems/%s", id, e->nqn);
	state->enabled = pv_configfs_exists(path);
}

/* ---- taking away ---- */

static int take_away(struct pv_ctx *ctx, int ret, const char *path)
{
	return ret && ret != -ENOENT ? fail(ctx, ret, "remove", path) : PV_OK;
}

/* Ours and empty. That it is empty the kernel finds out: it refuses otherwise. */
static void drop_port(const char *id)
{
	char path[PATH_TEXT], *end;
	unsigned long n = strtoul(id, &end, 10);

	path_to(path, "ports/%s", id);
	if (!*end && n >= OWN_PORTS)
		pv_configfs_rmdir(path);
}

static int leave_ports(struct pv_ctx *ctx, const struct pv_export *e,
		       const enum pv_transport *transport, unsigned int *left, bool *found)
{
	char path[PATH_TEXT], **names;
	unsigned int nr = pv_configfs_list("ports", &names);
	int ret = PV_OK;

	*left = 0;
	for (unsigned int i = 0; !ret && i < nr; i++) {
		path_to(path, "ports/%s", names[i]);
		if (transport && !has_value(path, "addr_trtype", pv_transport_name(*transport))) {
			path_to(path, "ports/%s/subsystems/%s", names[i], e->nqn);
			*left += pv_configfs_exists(path);
			continue;
		}
		path_to(path, "ports/%s/subsystems/%s", names[i], e->nqn);
		if (pv_configfs_exists(path)) {
			*found = true;
			ret = take_away(ctx, pv_configfs_unlink(path), path);
		}
		if (!ret)
			drop_port(names[i]);
	}
	pv_configfs_list_free(names, nr);
	return ret;
}

/* One that nobody else allows, and that has no key which somebody gave it. */
static void drop_host(const char *host)
{
	char path[PATH_TEXT], have[VALUE_TEXT];

	path_to(path, "hosts/%s/dhchap_key", host);
	if (!pv_configfs_read(path, have, sizeof(have)) && have[0])
		return;
	path_to(path, "hosts/%s", host);
	pv_configfs_rmdir(path);
}

static int remove_subsystem(struct pv_ctx *ctx, const struct pv_export *e)
{
	char path[PATH_TEXT], hosts[PATH_TEXT], **names;
	unsigned int nr;
	int ret;

	namespace_path(e, path);
	/* Waits until nothing is under way to the volume. */
	ret = take_away(ctx, pv_configfs_rmdir(path), path);
	if (ret)
		return ret;
	path_to(hosts, "subsystems/%s/allowed_hosts", e->nqn);
	nr = pv_configfs_list(hosts, &names);
	for (unsigned int i = 0; !ret && i < nr; i++) {
		path_to(path, "%s/%s", hosts, names[i]);
		ret = take_away(ctx, pv_configfs_unlink(path), path);
	}
	subsystem_path(e, path);
	if (!ret)
		ret = take_away(ctx, pv_configfs_rmdir(path), path);
	for (unsigned int i = 0; !ret && i < nr; i++)
		drop_host(names[i]);
	pv_configfs_list_free(names, nr);
	return ret;
}

int pv_nvmet_unexport(struct pv_ctx *ctx, const struct pv_export *e,
		      const enum pv_transport *transport, bool keep, bool *found)
{
	unsigned int left;
	int ret;

	*found = false;
	if (owner_of(e) != OURS)
		return PV_OK;
	ret = leave_ports(ctx, e, transport, &left, found);
	if (ret || left || keep)
		return ret;
	*found = true;
	return remove_subsystem(ctx, e);
}

/* ---- growth ---- */

static bool is_volume(const char *path, const struct pv_volume *volume)
{
	char device[VALUE_TEXT];
	struct stat st;

	return !pv_configfs_read(path, device, sizeof(device)) && !stat(device, &st) &&
	       S_ISBLK(st.st_mode) &&
	       pv_devnum(major(st.st_rdev), minor(st.st_rdev)) == volume->devnum;
}

static void tell(struct pv_ctx *ctx, const char *subsystem, const struct pv_volume *volume)
{
	char path[PATH_TEXT], **names;
	unsigned int nr;

	path_to(path, "subsystems/%s/namespaces", subsystem);
	nr = pv_configfs_list(path, &names);
	for (unsigned int i = 0; i < nr; i++) {
		int ret;

		path_to(path, "subsystems/%s/namespaces/%s/device_path", subsystem, names[i]);
		if (!is_volume(path, volume))
			continue;
		path_to(path, "subsystems/%s/namespaces/%s", subsystem, names[i]);
		if (!has_value(path, "enable", "1"))
			continue;
		path_to(path, "subsystems/%s/namespaces/%s/revalidate_size", subsystem, names[i]);
		ret = pv_configfs_write(path, "1");
		if (ret)
			pv_warn(ctx,
				"initiators of %s do not know of the volume's new size until they ask: %s",
				subsystem, strerror(-ret));
	}
	pv_configfs_list_free(names, nr);
}

/* Whoever exports it: one made by hand grows, too. */
void pv_nvmet_grown(struct pv_ctx *ctx, const struct pv_volume *volume)
{
	char **names;
	unsigned int nr = pv_configfs_list("subsystems", &names);

	for (unsigned int i = 0; i < nr; i++)
		tell(ctx, names[i], volume);
	pv_configfs_list_free(names, nr);
}
