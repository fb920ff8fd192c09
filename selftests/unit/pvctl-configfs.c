// SPDX-License-Identifier: GPL-2.0
/* Stands for tools/pvctl/configfs.c in the unit tests. */
#include "pvctl-configfs.h"

#include <errno.h>
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "configfs.h"

#define NODES 512
#define TEXT 600

enum kind { MADE, COMES_WITH, ATTRIBUTE, LINK };

/* @value: of an attribute; where a link leads */
struct node {
	enum kind kind;
	char path[TEXT];
	char value[TEXT];
};

struct fake fake;
static struct node nodes[NODES];
static unsigned int nr_nodes;

static struct node *find(const char *path)
{
	for (unsigned int i = 0; i < nr_nodes; i++)
		if (!strcmp(nodes[i].path, path))
			return &nodes[i];
	return NULL;
}

static struct node *add(enum kind kind, const char *dir, const char *name, const char *value)
{
	struct node *n = &nodes[nr_nodes++];

	if (nr_nodes == NODES)
		abort();
	n->kind = kind;
	snprintf(n->path, sizeof(n->path), "%s%s%s", dir, *name ? "/" : "", name);
	snprintf(n->value, sizeof(n->value), "%s", value);
	return n;
}

void fake_reset(void)
{
	nr_nodes = 0;
	fake = (struct fake){ 0 };
	add(COMES_WITH, "subsystems", "", "");
	add(COMES_WITH, "ports", "", "");
	add(COMES_WITH, "hosts", "", "");
}

const char *fake_value(const char *path)
{
	const struct node *n = find(path);

	return n ? n->value : "";
}

static int compare(const void *a, const void *b)
{
	return strcmp(((const struct node *)a)->path, ((const struct node *)b)->path);
}

char *fake_dump(void)
{
	char *text = NULL;
	size_t len;
	FILE *f = open_memstream(&text, &len);

	qsort(nodes, nr_nodes, sizeof(nodes[0]), compare);
	for (unsigned int i = 0; i < nr_nodes; i++)
		fprintf(f, "%s %s\n", nodes[i].path, nodes[i].value);
	fclose(f);
	return text;
}

/* Return: whether this call is one that fails */
static bool fails(void)
{
	fake.changes++;
	return fake.fail_at &&
	       (fake.dead ? fake.changes >= fake.fail_at : fake.changes == fake.fail_at);
}

static bool in(const char *path, const char *dir)
{
	size_t len = strlen(dir);

	return !strncmp(path, dir, len) && path[len] == '/';
}

/* Directly below it. */
static bool child(const char *path, const char *dir)
{
	return in(path, dir) && !strchr(path + strlen(dir) + 1, '/');
}

static bool like(const char *path, const char *pattern)
{
	return !fnmatch(pattern, path, FNM_PATHNAME);
}

int pv_configfs_mkdir(const char *path)
{
	static unsigned int serial;
	char text[17];

	if (fails())
		return -EIO;
	if (find(path))
		return -EEXIST;
	snprintf(text, sizeof(text), "%016x", ++serial);
	if (like(path, "subsystems/*")) {
		add(MADE, path, "", "");
		add(ATTRIBUTE, path, "attr_serial", text);
		add(ATTRIBUTE, path, "attr_model", "Linux");
		add(ATTRIBUTE, path, "attr_allow_any_host", "0");
		add(COMES_WITH, path, "namespaces", "");
		add(COMES_WITH, path, "allowed_hosts", "");
	} else if (like(path, "subsystems/*/namespaces/*")) {
		add(MADE, path, "", "");
		add(ATTRIBUTE, path, "device_path", "(null)");
		add(ATTRIBUTE, path, "device_uuid", text);
		add(ATTRIBUTE, path, "device_nguid", "");
		add(ATTRIBUTE, path, "enable", "0");
		if (!fake.no_reservations)
			add(ATTRIBUTE, path, "resv_enable", "0");
	} else if (like(path, "hosts/*")) {
		add(MADE, path, "", "");
		add(ATTRIBUTE, path, "dhchap_key", "");
	} else if (like(path, "ports/*")) {
		add(MADE, path, "", "");
		add(ATTRIBUTE, path, "addr_trtype", "");
		add(ATTRIBUTE, path, "addr_adrfam", "");
		add(ATTRIBUTE, path, "addr_traddr", "");
		add(ATTRIBUTE, path, "addr_trsvcid", "");
		add(COMES_WITH, path, "subsystems", "");
	} else {
		return -EPERM;
	}
	return 0;
}

int pv_configfs_rmdir(const char *path)
{
	struct node *n = find(path);

	if (fails())
		return -EIO;
	if (!n)
		return -ENOENT;
	if (n->kind != MADE)
		return -EPERM;
	for (unsigned int i = 0; i < nr_nodes; i++) {
		if (nodes[i].kind == LINK && !strcmp(nodes[i].value, path))
			return -EBUSY;
		if (in(nodes[i].path, path) && (nodes[i].kind == MADE || nodes[i].kind == LINK))
			return -ENOTEMPTY;
	}
	for (unsigned int i = 0; i < nr_nodes;) {
		if (!strcmp(nodes[i].path, path) || in(nodes[i].path, path))
			nodes[i] = nodes[--nr_nodes];
		else
			i++;
	}
	return 0;
}

int pv_configfs_link(const char *target, const char *path)
{
	char at[TEXT + 32];

	if (fails())
		return -EIO;
	if (!find(target))
		return -ENOENT;
	if (find(path))
		return -EEXIST;
	if (like(path, "subsystems/*/allowed_hosts/*")) {
		snprintf(at, sizeof(at), "%.*s/attr_allow_any_host",
			 (int)(strstr(path, "/allowed_hosts") - path), path);
		if (strcmp(fake_value(at), "0"))
			return -EINVAL;
	} else if (like(path, "ports/*/subsystems/*")) {
		snprintf(at, sizeof(at), "%.*s/addr_traddr",
			 (int)(strstr(path, "/subsystems") - path), path);
		if (!fake_value(at)[0])
			return -EINVAL;
		if (fake.refused && !strcmp(fake_value(at), fake.refused))
			return -EADDRNOTAVAIL;
	} else {
		return -EPERM;
	}
	add(LINK, path, "", target);
	return 0;
}

int pv_configfs_unlink(const char *path)
{
	struct node *n = find(path);

	if (fails())
		return -EIO;
	if (!n)
		return -ENOENT;
	if (n->kind != LINK)
		return -EPERM;
	*n = nodes[--nr_nodes];
	return 0;
}

int pv_configfs_write(const char *path, const char *value)
{
	struct node *n = find(path);
	char at[TEXT + 32];

	if (fails())
		return -EIO;
	if (!n)
		return -ENOENT;
	if (n->kind != ATTRIBUTE || strlen(value) >= TEXT)
		return -EINVAL;
	snprintf(at, sizeof(at), "%s", path);
	*strrchr(at, '/') = '\0';
	if (like(at, "subsystems/*/namespaces/*")) {
		bool enable = like(path, "*/*/*/*/enable");

		strcat(at, "/enable");
		if (!enable && !strcmp(fake_value(at), "1"))
			return -EBUSY;
		*strrchr(at, '/') = '\0';
		strcat(at, "/device_path");
		if (enable && !strcmp(fake_value(at), "(null)"))
			return -EINVAL;
	} else if (like(at, "ports/*")) {
		strcat(at, "/subsystems");
		for (unsigned int i = 0; i < nr_nodes; i++)
			if (child(nodes[i].path, at))
				return -EACCES;
	} else if (like(path, "subsystems/*/attr_serial")) {
		/* Not any more once an initiator may have seen it. */
		for (unsigned int i = 0; i < nr_nodes; i++)
			if (nodes[i].kind == LINK && !strcmp(nodes[i].value, at))
				return -EINVAL;
		snprintf(n->value, sizeof(n->value), "%-20s", value);
		return 0;
	} else if (like(path, "subsystems/*/attr_allow_any_host") && !strcmp(value, "1")) {
		strcat(at, "/allowed_hosts");
		for (unsigned int i = 0; i < nr_nodes; i++)
			if (child(nodes[i].path, at))
				return -EINVAL;
	}
	strcpy(n->value, value);
	return 0;
}

int pv_configfs_read(const char *path, char *buf, size_t size)
{
	const struct node *n = find(path);

	if (!n)
		return -ENOENT;
	snprintf(buf, size, "%s", n->value);
	return 0;
}

bool pv_configfs_exists(const char *path)
{
	return find(path);
}

unsigned int pv_configfs_list(const char *path, char ***names)
{
	unsigned int nr = 0;

	qsort(nodes, nr_nodes, sizeof(nodes[0]), compare);
	*names = pv_alloc(NODES, sizeof(**names));
	for (unsigned int i = 0; i < nr_nodes; i++)
		if (child(nodes[i].path, path))
			(*names)[nr++] = strdup(nodes[i].path + strlen(path) + 1);
	return nr;
}

void pv_configfs_list_free(char **names, unsigned int nr)
{
	for (unsigned int i = 0; i < nr; i++)
		free(names[i]);
	free(names);
}

int pv_configfs_prepare(struct pv_ctx *ctx, const char *transport, int *lock)
{
	(void)ctx;
	(void)transport;
	*lock = -1;
	return PV_OK;
}
