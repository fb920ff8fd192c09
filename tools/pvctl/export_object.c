// SPDX-License-Identifier: GPL-2.0
#include "export.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DISCOVERY_NQN "nqn.2014-08.org.nvmexpress.discovery"

static const char *const transports[] = {
	[PV_TRANSPORT_TCP] = "tcp",
	[PV_TRANSPORT_RDMA] = "rdma",
};

const char *pv_transport_name(enum pv_transport transport)
{
	return transports[transport];
}

static int refuse(const char **why, const char *reason)
{
	*why = reason;
	return -EINVAL;
}

int pv_parse_transport(const char *s, enum pv_transport *transport, const char **why)
{
	for (unsigned int i = 0; i < PV_TRANSPORTS; i++) {
		if (!strcmp(s, transports[i])) {
			*transport = i;
			return 0;
		}
	}
	return refuse(why, "is not 'tcp' or 'rdma'");
}

int pv_parse_address(const char *s, char address[INET6_ADDRSTRLEN], const char **why)
{
	static const int families[] = { AF_INET, AF_INET6 };
	struct in6_addr binary;

	for (unsigned int i = 0; i < 2; i++)
		if (inet_pton(families[i], s, &binary) == 1 &&
		    inet_ntop(families[i], &binary, address, INET6_ADDRSTRLEN))
			return 0;
	return refuse(why, "is not an IPv4 or IPv6 address");
}

int pv_parse_port(const char *s, uint16_t *port, const char **why)
{
	uint64_t value;

	if (pv_parse_count(s, &value, why))
		return -EINVAL;
	if (value > UINT16_MAX)
		return refuse(why, "is out of range: a port is from 1 to 65535");
	*port = (uint16_t)value;
	return 0;
}

int pv_parse_nqn(const char *s, const char **why)
{
	if (strncmp(s, "nqn.", 4) || !s[4])
		return refuse(why, "is not an NVMe qualified name: they begin with 'nqn.'");
	if (strlen(s) > PV_NQN_MAX)
		return refuse(why,
			      "is not an NVMe qualified name: it is longer than 223 characters");
	for (const char *p = s; *p; p++)
		if (!isalnum((unsigned char)*p) && !strchr(".-:_+@", *p))
			return refuse(why, "is not an NVMe qualified name: they are of letters, "
					   "digits and '.', '-', ':', '_', '+', '@'");
	if (!strcmp(s, DISCOVERY_NQN))
		return refuse(why, "is the name of the discovery service");
	return 0;
}

void pv_export_default_nqn(const uint8_t *uuid, char nqn[PV_NQN_MAX + 1])
{
	char text[PV_UUID_TEXT];

	/* The form that NVMe sets aside for who has no domain name. */
	snprintf(nqn, PV_NQN_MAX + 1, "nqn.2014-08.org.nvmexpress:uuid:%s",
		 pv_format_uuid(uuid, text));
}

static char *copy_text(const char *s)
{
	size_t size = strlen(s) + 1;

	return memcpy(pv_alloc(1, size), s, size);
}

static int compare(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

void pv_export_set_hosts(struct pv_export *e, const char *const *hosts, unsigned int nr)
{
	const char **sorted = pv_alloc(nr, sizeof(*sorted));

	if (nr)
		memcpy(sorted, hosts, nr * sizeof(*sorted));
	qsort(sorted, nr, sizeof(*sorted), compare);
	e->hosts = pv_alloc(nr, sizeof(*e->hosts));
	e->nr_hosts = 0;
	for (unsigned int i = 0; i < nr; i++)
		if (!i || strcmp(sorted[i], sorted[i - 1]))
			e->hosts[e->nr_hosts++] = copy_text(sorted[i]);
	free(sorted);
}

void pv_export_copy(struct pv_export *to, const struct pv_export *from)
{
	*to = *from;
	pv_export_set_hosts(to, (const char *const *)from->hosts, from->nr_hosts);
}

void pv_export_free(struct pv_export *e)
{
	for (unsigned int i = 0; i < e->nr_hosts; i++)
		free(e->hosts[i]);
	free(e->hosts);
	e->hosts = NULL;
	e->nr_hosts = 0;
}

void pv_exports_free(struct pv_exports *exports)
{
	for (size_t i = 0; i < exports->nr; i++)
		pv_export_free(&exports->export[i]);
	free(exports->export);
	*exports = (struct pv_exports){ 0 };
}

struct pv_export_port *pv_export_find_port(struct pv_export *e, enum pv_transport transport)
{
	for (unsigned int i = 0; i < e->nr_ports; i++)
		if (e->port[i].transport == transport)
			return &e->port[i];
	return NULL;
}

void pv_export_drop_port(struct pv_export *e, enum pv_transport transport)
{
	struct pv_export_port *port = pv_export_find_port(e, transport);

	if (port)
		*port = e->port[--e->nr_ports];
}
