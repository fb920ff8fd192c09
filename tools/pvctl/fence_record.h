/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What this node remembers of a device when the device itself may have forgotten: the highest epoch
 * ever seen on it. One small file for each device in a state directory, replaced as a whole and
 * never by a lower epoch.
 */
#ifndef PVCTL_FENCE_RECORD_H
#define PVCTL_FENCE_RECORD_H

#include "pvctl.h"

/* What a device is called in the record; longer than any identifier sysfs has. */
#define PV_FENCE_ID_MAX 256
/* A file as written, and more than fits in any valid one. */
#define PV_RECORD_MAX 512

/** pv_record_format() - content of the file. Return: its length */
size_t pv_record_format(char buf[PV_RECORD_MAX], const char *id, uint64_t epoch);

/**
 * pv_record_parse() - read the content
 * @buf: what the file has
 * @len: how much
 * @id: the device it must be of
 * @epoch: result
 * @why: a phrase on refusal, static storage
 *
 * Return: 0 or -EUCLEAN
 */
int pv_record_parse(const char *buf, size_t len, const char *id, uint64_t *epoch, const char **why);

/** pv_record_file() - name of a device's file: letters and digits stay as they are. Return: @buf */
const char *pv_record_file(const char *id, char buf[PV_FENCE_ID_MAX]);

/** pv_record_read() - the highest epoch seen on a device, 0: none. Damage is DATA_LOSS */
int pv_record_read(struct pv_ctx *ctx, const char *id, uint64_t *epoch);

/** pv_record_raise() - after this, it survives a power cut that the epoch was seen */
int pv_record_raise(struct pv_ctx *ctx, const char *id, uint64_t epoch);

#endif /* PVCTL_FENCE_RECORD_H */
