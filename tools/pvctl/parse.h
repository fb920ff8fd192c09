/* SPDX-License-Identifier: GPL-2.0 */
/* What people write on the command line, turned into numbers and names. */
#ifndef PVCTL_PARSE_H
#define PVCTL_PARSE_H

#include <stdint.h>

#include "format.h"

/**
 * struct pv_volume_name - POOL/NAME taken apart
 */
struct pv_volume_name {
	char pool[PMV_NAME_MAX + 1];
	char volume[PMV_NAME_MAX + 1];
};

/**
 * struct pv_snapshot_name - POOL/VOLUME@SNAPSHOT taken apart
 */
struct pv_snapshot_name {
	char pool[PMV_NAME_MAX + 1];
	char volume[PMV_NAME_MAX + 1];
	char snapshot[PMV_NAME_MAX + 1];
};

/*
 * Each returns 0, or -EINVAL and in *why a sentence about what is wrong with
 * the text, for the user to read behind the text itself.
 */

/** pv_parse_size() - bytes, "1.5G", "10GiB", "512Mi"; units are binary. At least one byte */
int pv_parse_size(const char *s, uint64_t *size, const char **why);

/** pv_parse_ratio() - "2", "2.5" or "250%" as percent, 100 and more */
int pv_parse_ratio(const char *s, uint32_t *percent, const char **why);

/** pv_parse_percent() - "10" or "10%", 0..99 */
int pv_parse_percent(const char *s, uint32_t *percent, const char **why);

/** pv_parse_count() - a whole number from 1 */
int pv_parse_count(const char *s, uint64_t *count, const char **why);

/** pv_parse_seconds() - "30" or "0.5" as milliseconds */
int pv_parse_seconds(const char *s, uint64_t *ms, const char **why);

/** pv_parse_name() - is this a name for a pool or a volume? */
int pv_parse_name(const char *s, const char **why);

/** pv_parse_volume() - "POOL/NAME" */
int pv_parse_volume(const char *s, struct pv_volume_name *name, const char **why);

/** pv_parse_snapshot() - "POOL/VOLUME@SNAPSHOT". No name has a '@', so there is one way to read it */
int pv_parse_snapshot(const char *s, struct pv_snapshot_name *name, const char **why);

/** pv_parse_uuid() - 8-4-4-4-12, either case. Return: 0 or -EINVAL */
int pv_parse_uuid(const char *s, uint8_t uuid[PMV_UUID_SIZE]);

#define PV_UUID_TEXT 37

/** pv_format_uuid() - lower case. Return: @buf */
const char *pv_format_uuid(const uint8_t uuid[PMV_UUID_SIZE], char buf[PV_UUID_TEXT]);

/* Of the years up to 9999, and an end. */
#define PV_TIME_TEXT 21

/** pv_format_time() - seconds since 1970 as RFC 3339 in UTC. Return: @buf; NULL: beyond what that can say */
const char *pv_format_time(uint64_t seconds, char buf[PV_TIME_TEXT]);

#define PV_SIZE_TEXT 24

/** pv_format_size() - "1.5 GiB". Return: @buf */
const char *pv_format_size(uint64_t size, char buf[PV_SIZE_TEXT]);

#endif /* PVCTL_PARSE_H */
