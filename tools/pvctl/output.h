/* SPDX-License-Identifier: GPL-2.0 */
/* Text for people and JSON for programs. */
#ifndef PVCTL_OUTPUT_H
#define PVCTL_OUTPUT_H

#include <json-c/json.h>

#include "object.h"
#include "parse.h"
#include "pvctl.h"

/* JSON objects as Documentation/pvctl-json.md describes them. */
struct json_object *pv_json_pool(const struct pv_pool *pool);
struct json_object *pv_json_volume(const struct pv_volume *volume);
struct json_object *pv_json_snapshot(const struct pv_snapshot *snapshot);
struct json_object *pv_json_event(const struct pv_event *event);

/* Add a string, a number, a truth. A NULL string becomes null. */
void pv_json_string(struct json_object *o, const char *key, const char *value);
void pv_json_u64(struct json_object *o, const char *key, uint64_t value);
void pv_json_int(struct json_object *o, const char *key, int64_t value);
void pv_json_bool(struct json_object *o, const char *key, bool value);

/* Write it on several lines or on one, and drop it. */
void pv_json_print(struct json_object *o);
void pv_json_print_line(struct json_object *o);

/* One object, as JSON or as key: value lines. */
void pv_print_pool(const struct pv_ctx *ctx, const struct pv_pool *pool);
void pv_print_volume(const struct pv_ctx *ctx, const struct pv_volume *volume);
void pv_print_snapshot(const struct pv_ctx *ctx, const struct pv_snapshot *snapshot);

/** pv_print_pool_ground() - a pool with the regions and DIMMs that its members stand on */
void pv_print_pool_ground(const struct pv_ctx *ctx, const struct pv_pool *pool);

/* Lists, as a JSON array or as a table. */
void pv_print_pools(const struct pv_ctx *ctx, const struct pv_pools *pools);
void pv_print_volumes(const struct pv_ctx *ctx, const struct pv_volumes *volumes);
void pv_print_snapshots(const struct pv_ctx *ctx, const struct pv_snapshots *snapshots);

/** struct pv_column - a column of a table. @right: numbers and sizes stand flush right */
struct pv_column {
	const char *title;
	bool right;
};

struct pv_table;

/** pv_table_new() - @columns: ends with a NULL title; stays the caller's */
struct pv_table *pv_table_new(const struct pv_column *columns);

/** pv_table_cell() - add the next cell, row by row; the text is copied */
void pv_table_cell(struct pv_table *table, const char *text);
void pv_table_size(struct pv_table *table, uint64_t size);

/** pv_table_print() - header and rows to standard output; frees the table */
void pv_table_print(struct pv_table *table);

/** pv_field() - a "key: value" line of a show command */
void pv_field(const char *key, const char *format, ...) __attribute__((format(printf, 2, 3)));
void pv_field_size(const char *key, uint64_t size);

/** pv_format_ratio() - 250 as "2.5". Return: @buf */
const char *pv_format_ratio(uint32_t percent, char buf[PV_SIZE_TEXT]);

#endif /* PVCTL_OUTPUT_H */
