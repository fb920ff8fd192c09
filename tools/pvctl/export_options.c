// SPDX-License-Identifier: GPL-2.0
#include "export_options.h"

#include <stdlib.h>
#include <string.h>

#include "cmd.h"

int pv_export_target(struct pv_ctx *ctx, struct pv_volume_name *name)
{
	const char *why;

	if (pv_parse_volume(ctx->args[0], name, &why))
		return pv_usage_error(ctx, "'%s' %s", ctx->args[0], why);
	return PV_OK;
}

int pv_export_transport(struct pv_ctx *ctx, enum pv_transport *transport,
			const enum pv_transport **given)
{
	const char *text = pv_option(ctx, "transport"), *why;

	*given = NULL;
	if (!text)
		return PV_OK;
	if (pv_parse_transport(text, transport, &why))
		return pv_usage_error(ctx, "--transport: '%s' %s", text, why);
	*given = transport;
	return PV_OK;
}

static int nqn_option(struct pv_ctx *ctx, struct pv_export *e)
{
	const char *text = pv_option(ctx, "nqn"), *why;

	if (!text)
		return PV_OK;
	if (pv_parse_nqn(text, &why))
		return pv_usage_error(ctx, "--nqn: '%s' %s", text, why);
	strcpy(e->nqn, text);
	return PV_OK;
}

static int host_options(struct pv_ctx *ctx, struct pv_export *e)
{
	const char **hosts = pv_alloc((size_t)ctx->nr_given, sizeof(*hosts)), *why;
	int nr = pv_option_list(ctx, "allow-host", hosts), ret = PV_OK;

	if (nr > PV_EXPORT_HOSTS_MAX)
		ret = pv_usage_error(ctx, "--allow-host: more than %d hosts", PV_EXPORT_HOSTS_MAX);
	for (int i = 0; !ret && i < nr; i++)
		if (pv_parse_nqn(hosts[i], &why))
			ret = pv_usage_error(ctx, "--allow-host: '%s' %s", hosts[i], why);
	if (!ret)
		pv_export_set_hosts(e, hosts, (unsigned int)nr);
	free(hosts);
	return ret;
}

int pv_export_options(struct pv_ctx *ctx, struct pv_export *e)
{
	struct pv_export_port *port = &e->port[0];
	const enum pv_transport *given;
	const char *text, *why;
	int ret;

	memset(e, 0, sizeof(*e));
	ret = pv_export_transport(ctx, &port->transport, &given);
	if (ret)
		return ret;
	e->nr_ports = 1;
	text = pv_option(ctx, "address");
	if (pv_parse_address(text, port->address, &why))
		return pv_usage_error(ctx, "--address: '%s' %s", text, why);
	text = pv_option(ctx, "port");
	if (pv_parse_port(text, &port->port, &why))
		return pv_usage_error(ctx, "--port: '%s' %s", text, why);
	ret = nqn_option(ctx, e);
	return ret ? ret : host_options(ctx, e);
}

static bool same_hosts(const struct pv_export *a, const struct pv_export *b)
{
	if (a->nr_hosts != b->nr_hosts)
		return false;
	for (unsigned int i = 0; i < a->nr_hosts; i++)
		if (strcmp(a->hosts[i], b->hosts[i]))
			return false;
	return true;
}

int pv_export_merge(struct pv_ctx *ctx, struct pv_export *have, const struct pv_export *want,
		    struct pv_export_port **port, bool *changed)
{
	const struct pv_export_port *p = &want->port[0];

	*changed = false;
	if (strcmp(have->nqn, want->nqn))
		return pv_fail(ctx, PV_ALREADY_EXISTS, "the volume is exported as %s, not %s",
			       have->nqn, want->nqn);
	if (!same_hosts(have, want))
		return pv_fail(ctx, PV_ALREADY_EXISTS,
			       "the volume is exported to other hosts: %u, not %u (0: any)",
			       have->nr_hosts, want->nr_hosts);
	*port = pv_export_find_port(have, p->transport);
	if (*port) {
		if (!strcmp((*port)->address, p->address) && (*port)->port == p->port)
			return PV_OK;
		return pv_fail(ctx, PV_ALREADY_EXISTS,
			       "the volume is exported over %s on %s port %u, not %s port %u",
			       pv_transport_name(p->transport), (*port)->address, (*port)->port,
			       p->address, p->port);
	}
	*port = &have->port[have->nr_ports++];
	**port = *p;
	*changed = true;
	return PV_OK;
}
