/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What is exported, in the state directory: a JSON file for each volume, by its UUID. It is written
 * before the kernel is told and removed after the kernel has forgotten, so whatever comes in between,
 * nothing is in the kernel of which there is no record.
 */
#ifndef PVCTL_EXPORT_RECORD_H
#define PVCTL_EXPORT_RECORD_H

#include "export.h"
#include "state.h"

extern const struct pv_state_kind pv_export_records;

/** pv_export_format() - content of the file, to be freed */
char *pv_export_format(const struct pv_export *e);

/** pv_export_parse() - the content, with nothing in it believed. Return: 0 or -EUCLEAN */
int pv_export_parse(const char *text, size_t len, struct pv_export *e);

/** pv_export_load() - a volume's record. Return: NOT_FOUND when there is none; damage is DATA_LOSS */
int pv_export_load(struct pv_ctx *ctx, int dir, const uint8_t *uuid, struct pv_export *e);

/**
 * pv_export_load_all() - every record that is not damaged
 * @dir: -1: there are none
 * @damaged: how many are; a warning was given for each
 */
int pv_export_load_all(struct pv_ctx *ctx, int dir, struct pv_exports *out, unsigned int *damaged);

/** pv_export_store() - the record as it is from now on; without ports there is none */
int pv_export_store(struct pv_ctx *ctx, int dir, const struct pv_export *e);

#endif /* PVCTL_EXPORT_RECORD_H */
