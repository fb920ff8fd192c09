// SPDX-License-Identifier: GPL-2.0
#include "sysfs.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MAJOR_OF(devnum) ((unsigned int)((devnum) >> 32))
#define MINOR_OF(devnum) ((unsigned int)(devnum))

int pv_sysfs_read(const char *path, char *buf, size_t size)
{
	FILE *f = fopen(path, "re");
	int ret = 0;

	if (!f)
		return -errno;
	if (fgets(buf, (int)size, f))
		buf[strcspn(buf, "\n")] = '\0';
	else
		ret = -EIO;
	fclose(f);
	return ret;
}

long long pv_sysfs_number(const char *path, long long fallback)
{
	char buf[32], *end;
	long long value;

	if (pv_sysfs_read(path, buf, sizeof(buf)))
		return fallback;
	errno = 0;
	value = strtoll(buf, &end, 10);
	return errno || end == buf || *end ? fallback : value;
}

/* Path of an attribute of the device, or, with @up "../", of a partition's disk. */
static const char *attr_path(char *buf, size_t size, uint64_t devnum, const char *up,
			     const char *attr)
{
	char link[64], real[PATH_MAX];

	snprintf(link, sizeof(link), "/sys/dev/block/%u:%u", MAJOR_OF(devnum), MINOR_OF(devnum));
	if (!realpath(link, real))
		strcpy(real, link);
	snprintf(buf, size, "%s/%s%s", real, up, attr);
	return buf;
}

bool pv_sysfs_is_partition(uint64_t devnum)
{
	char path[PATH_MAX + 64];

	attr_path(path, sizeof(path), devnum, "", "partition");
	return !access(path, F_OK);
}

static const char *disk_of(uint64_t devnum)
{
	return pv_sysfs_is_partition(devnum) ? "../" : "";
}

int pv_sysfs_attr(uint64_t devnum, const char *attr, char *buf, size_t size)
{
	char path[PATH_MAX + 64];

	return pv_sysfs_read(attr_path(path, sizeof(path), devnum, "", attr), buf, size);
}

int pv_sysfs_dir(uint64_t devnum, char *buf, size_t size)
{
	char link[64], real[PATH_MAX];

	snprintf(link, sizeof(link), "/sys/dev/block/%u:%u", MAJOR_OF(devnum), MINOR_OF(devnum));
	if (!realpath(link, real))
		return -errno;
	return snprintf(buf, size, "%s", real) < (int)size ? 0 : -ENAMETOOLONG;
}

bool pv_sysfs_is_dax(uint64_t devnum)
{
	char path[PATH_MAX + 64];

	attr_path(path, sizeof(path), devnum, disk_of(devnum), "queue/dax");
	return pv_sysfs_number(path, 0) == 1;
}

bool pv_sysfs_is_volume(uint64_t devnum)
{
	char path[PATH_MAX + 64];

	attr_path(path, sizeof(path), devnum, disk_of(devnum), "pmemvol");
	return !access(path, F_OK);
}

bool pv_sysfs_names_volume(const char *name)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "/sys/block/%s/pmemvol", name);
	return !access(path, F_OK);
}

int pv_sysfs_name(uint64_t devnum, char *buf, size_t size)
{
	char link[64], real[PATH_MAX];
	const char *base;

	snprintf(link, sizeof(link), "/sys/dev/block/%u:%u", MAJOR_OF(devnum), MINOR_OF(devnum));
	if (!realpath(link, real))
		return -errno;
	base = strrchr(real, '/') + 1;
	if (strlen(base) >= size)
		return -ENAMETOOLONG;
	strcpy(buf, base);
	return 0;
}

bool pv_sysfs_in_region(uint64_t devnum, const char *region)
{
	char path[PATH_MAX + 64], part[64];

	snprintf(part, sizeof(part), "/%s/", region);
	attr_path(path, sizeof(path), devnum, "", "");
	return strstr(path, part);
}

int pv_sysfs_numa_node(uint64_t devnum)
{
	char path[PATH_MAX + 64];

	attr_path(path, sizeof(path), devnum, disk_of(devnum), "device/numa_node");
	return (int)pv_sysfs_number(path, -1);
}

uint64_t pv_sysfs_bad_blocks(const char *name)
{
	unsigned long long start, len;
	uint64_t total = 0;
	char path[128];
	FILE *f;

	snprintf(path, sizeof(path), "/sys/class/block/%s/badblocks", name);
	f = fopen(path, "re");
	if (!f)
		return 0;
	while (fscanf(f, "%llu %llu", &start, &len) == 2)
		total += len;
	fclose(f);
	return total;
}

/* A mount point as mountinfo writes it, with \040 for a blank. */
static void unescape(char *s)
{
	char *out = s;

	for (; *s; s++) {
		if (s[0] == '\\' && s[1] >= '0' && s[1] <= '3' && s[2] >= '0' && s[2] <= '7' &&
		    s[3] >= '0' && s[3] <= '7') {
			*out++ = (char)((s[1] - '0') << 6 | (s[2] - '0') << 3 | (s[3] - '0'));
			s += 3;
		} else {
			*out++ = *s;
		}
	}
	*out = '\0';
}

/* Is this word among those between commas? */
static bool has_word(const char *words, const char *word)
{
	size_t len = strlen(word);

	for (const char *at = words; *at; at += *at == ',') {
		size_t n = strcspn(at, ",");

		if (n == len && !strncmp(at, word, len))
			return true;
		at += n;
	}
	return false;
}

/* "ID PARENT MAJOR:MINOR ROOT POINT OPTIONS [TAG]... - TYPE SOURCE SUPEROPTIONS" */
bool pv_sysfs_parse_mount(char *line, uint64_t *devnum, struct pv_mount *m)
{
	char *word[6], *save = NULL, *rest = strstr(line, " - ");
	unsigned int major, minor;
	char *super;

	memset(m, 0, sizeof(*m));
	if (!rest)
		return false;
	*rest = '\0';
	for (int i = 0; i < 6; i++) {
		word[i] = strtok_r(i ? NULL : line, "\n ", &save);
		if (!word[i])
			return false;
	}
	if (sscanf(word[2], "%u:%u", &major, &minor) != 2)
		return false;
	*devnum = (uint64_t)major << 32 | minor;
	unescape(word[4]);
	snprintf(m->point, sizeof(m->point), "%s", word[4]);
	m->ro = has_word(word[5], "ro");
	super = strtok_r(rest + 3, "\n ", &save);
	if (!super)
		return false;
	snprintf(m->type, sizeof(m->type), "%s", super);
	strtok_r(NULL, "\n ", &save);
	super = strtok_r(NULL, "\n ", &save);
	m->super_ro = super && has_word(super, "ro");
	return true;
}

bool pv_sysfs_mount(uint64_t devnum, struct pv_mount *m)
{
	FILE *f = fopen("/proc/self/mountinfo", "re");
	bool found = false;
	char *line = NULL;
	size_t room = 0;
	uint64_t of;

	memset(m, 0, sizeof(*m));
	if (!f)
		return false;
	while (!found && getline(&line, &room, f) > 0)
		found = pv_sysfs_parse_mount(line, &of, m) && of == devnum;
	if (!found)
		memset(m, 0, sizeof(*m));
	free(line);
	fclose(f);
	return found;
}

bool pv_sysfs_mounted_at(uint64_t devnum, char *buf, size_t size)
{
	struct pv_mount m;

	if (!pv_sysfs_mount(devnum, &m))
		return false;
	snprintf(buf, size, "%s", m.point);
	return true;
}
