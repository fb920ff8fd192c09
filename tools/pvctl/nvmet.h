/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Exports as objects of the kernel's NVMe target: a subsystem with one namespace for a volume, and a
 * port for each transport, address and port number, which subsystems share. The caller holds the
 * lock of pv_configfs_prepare().
 */
#ifndef PVCTL_NVMET_H
#define PVCTL_NVMET_H

#include "export.h"
#include "object.h"

/**
 * struct pv_nvmet_state - what the kernel has of an export
 * @enabled: the namespace is, and it is found at the port
 * @reservations: the namespace has them
 */
struct pv_nvmet_state {
	bool enabled;
	bool reservations;
};

/** pv_nvmet_state() - look without changing anything */
void pv_nvmet_state(const struct pv_export *e, const struct pv_export_port *port,
		    struct pv_nvmet_state *state);

/** pv_nvmet_has_namespace() - is the volume's namespace enabled, at whatever port? */
bool pv_nvmet_has_namespace(const struct pv_export *e);

/**
 * pv_nvmet_export() - make what is missing for one of its ports
 * @device: path of the volume's disk
 *
 * On failure what was made is undone in reverse order.
 */
int pv_nvmet_export(struct pv_ctx *ctx, const struct pv_export *e,
		    const struct pv_export_port *port, const char *device);

/**
 * pv_nvmet_unexport() - take it away; connections of initiators break
 * @transport: only from ports of this one; NULL: from all
 * @keep: leave the subsystem also when no port has it any more
 * @found: there was something
 *
 * What fails stays as far as it got; repeated, it goes on there. A subsystem of this name that is not
 * the volume's is left alone.
 */
int pv_nvmet_unexport(struct pv_ctx *ctx, const struct pv_export *e,
		      const enum pv_transport *transport, bool keep, bool *found);

/** pv_nvmet_grown() - initiators are told of the volume's new size; failing to is a warning */
void pv_nvmet_grown(struct pv_ctx *ctx, const struct pv_volume *volume);

#endif /* PVCTL_NVMET_H */
