/* SPDX-License-Identifier: GPL-2.0 */
/* Exports of volumes to other nodes: what they are made of. */
#ifndef PVCTL_EXPORT_H
#define PVCTL_EXPORT_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "parse.h"
#include "pvctl.h"

/* As NVMe limits them. */
#define PV_NQN_MAX 223
#define PV_EXPORT_HOSTS_MAX 256

enum pv_transport {
	PV_TRANSPORT_TCP,
	PV_TRANSPORT_RDMA,
	PV_TRANSPORTS,
};

/**
 * struct pv_export_port - where initiators find it
 * @address: as inet_ntop() writes it, so that equal ones have equal text
 */
struct pv_export_port {
	enum pv_transport transport;
	char address[INET6_ADDRSTRLEN];
	uint16_t port;
};

/**
 * struct pv_export - a volume that is offered to other nodes
 * @pool: the names it had when it was exported; @uuid is what it is known by
 * @hosts: NQNs of those that may connect, sorted, each once; none: any host
 * @port: of each transport at most one
 */
struct pv_export {
	char pool[PMV_NAME_MAX + 1];
	char volume[PMV_NAME_MAX + 1];
	uint8_t uuid[PMV_UUID_SIZE];
	char nqn[PV_NQN_MAX + 1];
	char **hosts;
	unsigned int nr_hosts;
	struct pv_export_port port[PV_TRANSPORTS];
	unsigned int nr_ports;
};

struct pv_exports {
	struct pv_export *export;
	size_t nr;
};

/** pv_export_copy() - with hosts of its own */
void pv_export_copy(struct pv_export *to, const struct pv_export *from);
void pv_export_free(struct pv_export *e);
void pv_exports_free(struct pv_exports *exports);

/** pv_export_find_port() - its port of a transport, or NULL */
struct pv_export_port *pv_export_find_port(struct pv_export *e, enum pv_transport transport);

/** pv_export_drop_port() - it has none of this transport any more */
void pv_export_drop_port(struct pv_export *e, enum pv_transport transport);

/** pv_export_default_nqn() - what a volume's export is called when the user does not say */
void pv_export_default_nqn(const uint8_t *uuid, char nqn[PV_NQN_MAX + 1]);

const char *pv_transport_name(enum pv_transport transport);

/*
 * What people write, or a record has: each returns 0, or -EINVAL and in *why what is wrong with the
 * text, to be read behind it.
 */
int pv_parse_transport(const char *s, enum pv_transport *transport, const char **why);
int pv_parse_address(const char *s, char address[INET6_ADDRSTRLEN], const char **why);
int pv_parse_port(const char *s, uint16_t *port, const char **why);

/** pv_parse_nqn() - what it takes has no '/' and is not "..": it is safe as a file's name */
int pv_parse_nqn(const char *s, const char **why);

/** pv_export_set_hosts() - copy, sort, each once. @hosts: valid NQNs */
void pv_export_set_hosts(struct pv_export *e, const char *const *hosts, unsigned int nr);

#endif /* PVCTL_EXPORT_H */
