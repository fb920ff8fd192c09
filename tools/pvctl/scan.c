// SPDX-License-Identifier: GPL-2.0
#include "scan.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "ctl.h"
#include "parse.h"
#include "superblock.h"
#include "sysfs.h"

static bool same_uuid(const uint8_t *a, const uint8_t *b)
{
	return !memcmp(a, b, PMV_UUID_SIZE);
}

void pv_scan_add(struct pv_scan *scan, const char *name, uint64_t devnum, const struct pmv_sb *sb)
{
	struct pv_found *f;

	scan->found = pv_grow(scan->found, scan->nr, sizeof(*scan->found));
	f = &scan->found[scan->nr++];
	snprintf(f->name, sizeof(f->name), "%s", name);
	f->devnum = devnum;
	f->sb = *sb;
}

static void scan_device(const struct pv_pools *active, struct pv_scan *scan, const char *name)
{
	char path[PV_DEVICE_MAX + 8];
	struct pmv_sb sb;
	const char *why;
	struct stat st;
	uint64_t devnum;

	/* There may be thousands of these. */
	if (pv_sysfs_names_volume(name))
		return;
	if (snprintf(path, sizeof(path), "/dev/%s", name) >= (int)sizeof(path) ||
	    stat(path, &st) || !S_ISBLK(st.st_mode))
		return;
	devnum = pv_devnum(major(st.st_rdev), minor(st.st_rdev));
	if (!pv_sysfs_is_dax(devnum) || pv_pools_holding(active, devnum))
		return;
	if (!pv_sb_open(path, &sb, NULL, &why))
		pv_scan_add(scan, name, devnum, &sb);
}

void pv_scan_devices(const struct pv_pools *active, struct pv_scan *scan)
{
	/* Disks and partitions alike. */
	DIR *dir = opendir("/sys/class/block");
	struct dirent *entry;

	*scan = (struct pv_scan){ 0 };
	if (!dir)
		return;
	while ((entry = readdir(dir)))
		if (entry->d_name[0] != '.')
			scan_device(active, scan, entry->d_name);
	closedir(dir);
}

void pv_scan_free(struct pv_scan *scan)
{
	free(scan->found);
	*scan = (struct pv_scan){ 0 };
}

/* Is @a a better witness of its pool than @b? */
static bool better(const struct pmv_sb *a, const struct pmv_sb *b)
{
	bool a_first = !a->member_index, b_first = !b->member_index;

	if (a_first != b_first)
		return a_first;
	return le64_to_cpu(a->generation) > le64_to_cpu(b->generation);
}

static const struct pv_found *authority(const struct pv_scan *scan, const uint8_t *pool_uuid)
{
	const struct pv_found *best = NULL;

	for (size_t i = 0; i < scan->nr; i++)
		if (same_uuid(scan->found[i].sb.pool_uuid, pool_uuid) &&
		    (!best || better(&scan->found[i].sb, &best->sb)))
			best = &scan->found[i];
	return best;
}

static const struct pv_found *device_of(const struct pv_scan *scan, const uint8_t *pool_uuid,
					const uint8_t *member_uuid)
{
	for (size_t i = 0; i < scan->nr; i++)
		if (same_uuid(scan->found[i].sb.pool_uuid, pool_uuid) &&
		    same_uuid(scan->found[i].sb.member_uuid, member_uuid))
			return &scan->found[i];
	return NULL;
}

static void build_pool(const struct pv_scan *scan, const struct pmv_sb *sb, struct pv_pool *p)
{
	unsigned int nr = le16_to_cpu(sb->nr_members);

	*p = (struct pv_pool){ 0 };
	pv_sb_name(sb, p->name);
	memcpy(p->uuid, sb->pool_uuid, PMV_UUID_SIZE);
	p->chunk_size = 1U << sb->chunk_shift;
	p->overcommit = le32_to_cpu(sb->overcommit);
	p->low_water = le32_to_cpu(sb->low_water);
	p->generation = le64_to_cpu(sb->generation);
	p->present = 1ULL << PMEMVOL_A_POOL_NAME | 1ULL << PMEMVOL_A_POOL_UUID |
		     1ULL << PMEMVOL_A_POOL_CHUNK_SIZE | 1ULL << PMEMVOL_A_POOL_OVERCOMMIT |
		     1ULL << PMEMVOL_A_POOL_LOW_WATER | 1ULL << PMEMVOL_A_POOL_GENERATION |
		     1ULL << PMEMVOL_A_POOL_SIZE;
	p->members = pv_alloc(nr, sizeof(*p->members));
	p->nr_members = nr;
	for (unsigned int i = 0; i < nr; i++) {
		const struct pv_found *f = device_of(scan, sb->pool_uuid, sb->member[i].uuid);
		struct pv_member *m = &p->members[i];

		memcpy(m->uuid, sb->member[i].uuid, PMV_UUID_SIZE);
		m->size = le64_to_cpu(sb->member[i].chunks) << sb->chunk_shift;
		m->numa_node = -1;
		p->size += m->size;
		if (!f) {
			p->missing++;
			continue;
		}
		memcpy(m->device, f->name, sizeof(m->device));
		m->devnum = f->devnum;
		m->numa_node = pv_sysfs_numa_node(f->devnum);
		m->bad_blocks = (uint32_t)pv_sysfs_bad_blocks(f->name);
	}
}

static int by_name(const void *a, const void *b)
{
	const struct pv_pool *p = a, *q = b;
	int order = strcmp(p->name, q->name);

	return order ? order : memcmp(p->uuid, q->uuid, PMV_UUID_SIZE);
}

void pv_scan_pools(const struct pv_scan *scan, struct pv_pools *pools)
{
	*pools = (struct pv_pools){ 0 };
	for (size_t i = 0; i < scan->nr; i++) {
		const struct pv_found *f = &scan->found[i];

		if (authority(scan, f->sb.pool_uuid) != f)
			continue;
		pools->pool = pv_grow(pools->pool, pools->nr, sizeof(*pools->pool));
		build_pool(scan, &f->sb, &pools->pool[pools->nr++]);
	}
	if (pools->nr)
		qsort(pools->pool, pools->nr, sizeof(*pools->pool), by_name);
}

void pv_scan_strays(const struct pv_scan *scan, const struct pv_pool *pool,
		    void (*visit)(const struct pv_found *stray, void *arg), void *arg)
{
	for (size_t i = 0; i < scan->nr; i++) {
		const struct pv_found *f = &scan->found[i];
		unsigned int j;

		if (!same_uuid(f->sb.pool_uuid, pool->uuid))
			continue;
		for (j = 0; j < pool->nr_members; j++)
			if (pool->members[j].device[0] && pool->members[j].devnum == f->devnum)
				break;
		if (j == pool->nr_members)
			visit(f, arg);
	}
}

int pv_inactive_pools(struct pv_ctx *ctx, struct pv_pools *active, struct pv_scan *scan,
		      struct pv_pools *inactive)
{
	int ret = pv_pool_dump(ctx, active);

	if (ret)
		return ret;
	pv_scan_devices(active, scan);
	pv_scan_pools(scan, inactive);
	return PV_OK;
}

int pv_find_inactive(struct pv_ctx *ctx, const struct pv_pools *pools, const char *name,
		     const struct pv_pool **out)
{
	char a[PV_UUID_TEXT], b[PV_UUID_TEXT];
	uint8_t uuid[PMV_UUID_SIZE];
	bool is_uuid = !pv_parse_uuid(name, uuid);

	*out = NULL;
	for (size_t i = 0; i < pools->nr; i++) {
		const struct pv_pool *p = &pools->pool[i];

		if (is_uuid && same_uuid(p->uuid, uuid)) {
			*out = p;
			return PV_OK;
		}
		if (strcmp(p->name, name))
			continue;
		if (*out)
			return pv_fail(ctx, PV_FAILED_PRECONDITION,
				       "there are two pools of this name on the devices, %s and %s: "
				       "give the UUID in place of the name",
				       pv_format_uuid((*out)->uuid, a), pv_format_uuid(p->uuid, b));
		*out = p;
	}
	return PV_OK;
}

int pv_fail_no_pool(struct pv_ctx *ctx, const char *name)
{
	struct pv_pools active, inactive;
	const struct pv_pool *pool;
	struct pv_scan scan;
	int ret;

	ret = pv_inactive_pools(ctx, &active, &scan, &inactive);
	if (ret)
		return ret;
	ret = pv_find_inactive(ctx, &inactive, name, &pool);
	if (!ret && pool)
		ret = pv_fail(ctx, PV_FAILED_PRECONDITION,
			      "pool %s is not active: activate it with 'pvctl pool activate %s'",
			      name, name);
	else if (!ret)
		ret = pv_fail(ctx, PV_NOT_FOUND, "there is no pool %s", name);
	pv_pools_free(&active);
	pv_pools_free(&inactive);
	pv_scan_free(&scan);
	return ret;
}
