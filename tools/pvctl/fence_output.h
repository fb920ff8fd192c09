/* SPDX-License-Identifier: GPL-2.0 */
/* Attachments and reservations for people and for programs. */
#ifndef PVCTL_FENCE_OUTPUT_H
#define PVCTL_FENCE_OUTPUT_H

#include "fence.h"
#include "output.h"

/* JSON objects as Documentation/pvctl-json.md describes them. */
struct json_object *pv_json_attachment(const struct pv_attachment *a);
struct json_object *pv_json_registrant(const struct pv_registrant *r);
struct json_object *pv_json_report(const struct pv_report *report);
struct json_object *pv_json_fence_event(const struct pv_fence_event *e);

/** pv_print_attachment() - as JSON or as key: value lines. @report: NULL: is not part of it */
void pv_print_attachment(const struct pv_ctx *ctx, const struct pv_attachment *a,
			 const struct pv_report *report);

/** pv_print_attachments() - as a JSON array or as a table */
void pv_print_attachments(const struct pv_ctx *ctx, const struct pv_attachments *attachments);

/** pv_print_fence_event() - one line of text */
void pv_print_fence_event(const struct pv_fence_event *e);

#define PV_REGISTRANT_TEXT 128

/** pv_format_registrant() - "epoch 7 of node 2", or its key. Return: @buf */
const char *pv_format_registrant(const struct pv_registrant *r, char buf[PV_REGISTRANT_TEXT]);

#endif /* PVCTL_FENCE_OUTPUT_H */
