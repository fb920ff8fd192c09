/* SPDX-License-Identifier: GPL-2.0 */
/* Questions about block devices that /sys answers. */
#ifndef PVCTL_SYSFS_H
#define PVCTL_SYSFS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** pv_sysfs_read() - first line of a file, without its end. Return: 0 or -errno */
int pv_sysfs_read(const char *path, char *buf, size_t size);

/** pv_sysfs_number() - a file with a decimal number. @fallback: when there is none */
long long pv_sysfs_number(const char *path, long long fallback);

/** pv_sysfs_is_partition() - and not a whole disk */
bool pv_sysfs_is_partition(uint64_t devnum);

/** pv_sysfs_attr() - first line of an attribute of a block device. Return: 0 or -errno */
int pv_sysfs_attr(uint64_t devnum, const char *attr, char *buf, size_t size);

/** pv_sysfs_dir() - the device's own directory, with no link in it. Return: 0 or -errno */
int pv_sysfs_dir(uint64_t devnum, char *buf, size_t size);

/** pv_sysfs_is_dax() - can this device be mapped directly? Of a partition its disk is asked */
bool pv_sysfs_is_dax(uint64_t devnum);

/** pv_sysfs_is_volume() - is it a volume of pmemvol itself? */
bool pv_sysfs_is_volume(uint64_t devnum);

/** pv_sysfs_names_volume() - the same by a disk's kernel name, in one step */
bool pv_sysfs_names_volume(const char *name);

/** pv_sysfs_name() - kernel name of a block device, "pmem0". Return: 0 or -errno */
int pv_sysfs_name(uint64_t devnum, char *buf, size_t size);

/** pv_sysfs_in_region() - does the device lie in this NVDIMM region? */
bool pv_sysfs_in_region(uint64_t devnum, const char *region);

/** pv_sysfs_numa_node() - -1: unknown */
int pv_sysfs_numa_node(uint64_t devnum);

/** pv_sysfs_bad_blocks() - known bad 512-byte blocks of a disk. @name: kernel name */
uint64_t pv_sysfs_bad_blocks(const char *name);

/**
 * struct pv_mount - a mounted file system
 * @point: where
 * @type: "ext4"
 * @ro: mounted read-only there
 * @super_ro: the file system is read-only everywhere
 */
struct pv_mount {
	char point[4096];
	char type[32];
	bool ro;
	bool super_ro;
};

/** pv_sysfs_parse_mount() - a line of mountinfo, which is taken apart. Return: whether it is one */
bool pv_sysfs_parse_mount(char *line, uint64_t *devnum, struct pv_mount *mount);

/** pv_sysfs_mount() - the first mount of a device. Return: false when there is none */
bool pv_sysfs_mount(uint64_t devnum, struct pv_mount *mount);

/** pv_sysfs_mounted_at() - where a device is mounted. Return: false when it is not */
bool pv_sysfs_mounted_at(uint64_t devnum, char *buf, size_t size);

#endif /* PVCTL_SYSFS_H */
