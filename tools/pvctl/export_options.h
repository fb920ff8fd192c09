/* SPDX-License-Identifier: GPL-2.0 */
#ifndef PVCTL_EXPORT_OPTIONS_H
#define PVCTL_EXPORT_OPTIONS_H

#include "export.h"

/**
 * pv_export_options() - what the command line asks for
 * @e: its NQN is empty when the user left it to us; one port
 */
int pv_export_options(struct pv_ctx *ctx, struct pv_export *e);

/** pv_export_target() - POOL/NAME */
int pv_export_target(struct pv_ctx *ctx, struct pv_volume_name *name);

/** pv_export_transport() - --transport. *given is NULL when it was not */
int pv_export_transport(struct pv_ctx *ctx, enum pv_transport *transport,
			const enum pv_transport **given);

/**
 * pv_export_merge() - what there is and what is asked for as well
 * @have: the record; gets the port that it lacks
 * @want: one port
 * @port: the one that was asked for, in @have
 * @changed: it was not there before
 *
 * Return: ALREADY_EXISTS when they differ in what they both have
 */
int pv_export_merge(struct pv_ctx *ctx, struct pv_export *have, const struct pv_export *want,
		    struct pv_export_port **port, bool *changed);

#endif /* PVCTL_EXPORT_OPTIONS_H */
