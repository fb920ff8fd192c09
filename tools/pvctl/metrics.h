/* SPDX-License-Identifier: GPL-2.0 */
/* Figures of pools, volumes and attachments as Prometheus reads them. */
#ifndef PVCTL_METRICS_H
#define PVCTL_METRICS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "export_output.h"
#include "fence.h"
#include "media.h"
#include "object.h"

enum {
	PV_IO_READS,
	PV_IO_READ_SECTORS = 2,
	PV_IO_READ_MS,
	PV_IO_WRITES,
	PV_IO_WRITE_SECTORS = 6,
	PV_IO_WRITE_MS,
	PV_IO_DISCARDS = 11,
	PV_IO_DISCARD_SECTORS = 13,
	PV_IO_FLUSHES = 15,
	PV_IO_FIELDS,
};

/**
 * struct pv_io - what a disk has done since it appeared
 * @known: the numbers below are
 * @field: as in the kernel's file "stat"
 */
struct pv_io {
	bool known;
	uint64_t field[PV_IO_FIELDS];
};

/** pv_io_parse() - read the text of a disk's "stat". Return: false when it is something else */
bool pv_io_parse(const char *text, struct pv_io *io);

/**
 * struct pv_metrics - what there is to tell
 * @io: one for each of @volumes
 * @has_pools: the module pmemvol answers
 * @has_fences: the module nvme_fence does
 * @bads: bad places, one list for each of the @active pools
 * @has_exports: their records could be read
 * @damaged: how many of them are
 * @views: one for each port of the @exports
 */
struct pv_metrics {
	bool has_pools;
	bool has_fences;
	bool has_exports;
	struct pv_pools active;
	struct pv_pools inactive;
	struct pv_volumes volumes;
	struct pv_io *io;
	struct pv_attachments attachments;
	struct pv_bads *bads;
	struct pv_exports exports;
	unsigned int damaged;
	struct pv_export_view *views;
	size_t nr_views;
};

/** pv_metrics_print() - Prometheus' text format: all of a metric together, each with help and type */
void pv_metrics_print(FILE *f, const struct pv_metrics *m);

/** pv_metrics_label() - text between the quotes of a label's value */
void pv_metrics_label(FILE *f, const char *text);

#endif /* PVCTL_METRICS_H */
