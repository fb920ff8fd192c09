// SPDX-License-Identifier: GPL-2.0
#include "nl.h"

#include <errno.h>
#include <linux/genetlink.h>
#include <linux/nvme_fence.h>
#include <linux/pmemvol.h>
#include <netlink/genl/ctrl.h>
#include <netlink/genl/genl.h>
#include <netlink/netlink.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>

#include "extack.h"

/* Longer than any request of a sane pool takes, shorter than a CSI plugin's patience (150 s). */
#define REPLY_TIMEOUT_S 120
/* A dump's largest message is 32 KiB, a pool with 64 members about 8 KiB. */
#define BUFFER_SIZE (64 << 10)
#define SOCKET_BUFFER (1 << 20)
/* Room for some thousand events while the reader of the output is slow. */
#define EVENTS_BUFFER (16 << 20)

/* Room for the top-level attributes of either family. */
#define TOP_MAX (PMEMVOL_A_MAX + NVME_FENCE_A_MAX)

static const struct {
	const char *name;
	const char *group;
	int version;
	int max;
	const char *(*blamed)(const struct nlmsghdr *request, uint32_t offset);
} families[PV_NR_FAMILIES] = {
	[PV_FAMILY_PMEMVOL] = { PMEMVOL_GENL_NAME, PMEMVOL_GENL_MCGRP_EVENTS, PMEMVOL_GENL_VERSION,
				PMEMVOL_A_MAX, pv_extack_device },
	[PV_FAMILY_FENCE] = { NVME_FENCE_GENL_NAME, NVME_FENCE_GENL_MCGRP_EVENTS,
			      NVME_FENCE_GENL_VERSION, NVME_FENCE_A_MAX, pv_extack_lower },
};

/* @family: the numbers the kernel gave them, 0: not known yet */
struct pv_nl {
	struct nl_sock *sock;
	int family[PV_NR_FAMILIES];
	unsigned int patience;
};

/* One pv_nl_call() as its callbacks see it. */
struct call {
	const struct pv_nl *nl;
	const pv_nl_reply *reply;
	void *arg;
	int error;
	bool done;
	struct pv_extack extack;
};

static void set_option(int fd, int option)
{
	int on = 1;

	/* A kernel without it still answers, with less to say. */
	(void)setsockopt(fd, SOL_NETLINK, option, &on, sizeof(on));
}

static int fail_nl(struct pv_ctx *ctx, int nle, const char *what)
{
	switch (-nle) {
	case NLE_AGAIN:
		return pv_fail(ctx, PV_DEADLINE_EXCEEDED,
			       "the kernel did not answer within %u seconds",
			       ctx->nl ? ctx->nl->patience : REPLY_TIMEOUT_S);
	case NLE_PERM:
	case NLE_NOACCESS:
		return pv_fail(ctx, PV_PERMISSION_DENIED, "%s: %s", what, nl_geterror(nle));
	case NLE_NOMEM:
		return pv_fail(ctx, PV_RESOURCE_EXHAUSTED, "%s: %s", what, nl_geterror(nle));
	default:
		return pv_fail(ctx, PV_INTERNAL, "%s: %s", what, nl_geterror(nle));
	}
}

int pv_nl_patience(struct pv_ctx *ctx, unsigned int seconds)
{
	struct timeval tv = { .tv_sec = seconds };

	if (setsockopt(nl_socket_get_fd(ctx->nl->sock), SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv)))
		return pv_fail_sys(ctx, errno, "cannot set the socket's timeout");
	ctx->nl->patience = seconds;
	return PV_OK;
}

static int connect_socket(struct pv_ctx *ctx)
{
	struct pv_nl *nl;
	int ret, fd;

	if (ctx->nl)
		return PV_OK;
	nl = pv_alloc(1, sizeof(*nl));
	ctx->nl = nl;
	nl->sock = nl_socket_alloc();
	if (!nl->sock) {
		ret = pv_fail(ctx, PV_RESOURCE_EXHAUSTED, "no memory for a socket");
		goto fail;
	}
	ret = genl_connect(nl->sock);
	if (ret) {
		ret = fail_nl(ctx, ret, "cannot open a generic netlink socket");
		goto fail;
	}
	fd = nl_socket_get_fd(nl->sock);
	set_option(fd, NETLINK_EXT_ACK);
	set_option(fd, NETLINK_CAP_ACK);
	nl_socket_set_buffer_size(nl->sock, SOCKET_BUFFER, 0);
	nl_socket_set_msg_buf_size(nl->sock, BUFFER_SIZE);
	nl_socket_enable_msg_peek(nl->sock);
	ret = pv_nl_patience(ctx, REPLY_TIMEOUT_S);
	if (ret)
		goto fail;
	return PV_OK;
fail:
	pv_nl_close(ctx);
	return ret;
}

int pv_nl_open(struct pv_ctx *ctx, enum pv_family family)
{
	const char *name = families[family].name;
	int ret = connect_socket(ctx), id;

	if (ret || ctx->nl->family[family])
		return ret;
	/* The kernel loads a module that is installed when its family is asked for. */
	id = genl_ctrl_resolve(ctx->nl->sock, name);
	if (id == -NLE_OBJ_NOTFOUND)
		return pv_fail(ctx, PV_UNAVAILABLE,
			       "the kernel module %s is not loaded: load it with 'modprobe %s'", name,
			       name);
	if (id < 0)
		return fail_nl(ctx, id, "cannot find the module's netlink family");
	ctx->nl->family[family] = id;
	return PV_OK;
}

void pv_nl_close(struct pv_ctx *ctx)
{
	if (!ctx->nl)
		return;
	if (ctx->nl->sock)
		nl_socket_free(ctx->nl->sock);
	free(ctx->nl);
	ctx->nl = NULL;
}

struct nl_msg *pv_nl_request_to(struct pv_ctx *ctx, enum pv_family family, int cmd, int flags)
{
	struct nl_msg *msg;

	if (pv_nl_open(ctx, family))
		return NULL;
	msg = nlmsg_alloc_size(BUFFER_SIZE);
	if (!msg || !genlmsg_put(msg, NL_AUTO_PORT, NL_AUTO_SEQ, ctx->nl->family[family], 0, flags,
				 (uint8_t)cmd, (uint8_t)families[family].version)) {
		nlmsg_free(msg);
		pv_fail(ctx, PV_RESOURCE_EXHAUSTED, "no memory for a request");
		return NULL;
	}
	return msg;
}

struct nl_msg *pv_nl_request(struct pv_ctx *ctx, int cmd, int flags)
{
	return pv_nl_request_to(ctx, PV_FAMILY_PMEMVOL, cmd, flags);
}

/* Whose message is it? Return: PV_NR_FAMILIES: nobody's */
static enum pv_family family_of(const struct pv_nl *nl, const struct nlmsghdr *nlh)
{
	enum pv_family family = 0;

	while (family < PV_NR_FAMILIES && nl->family[family] != nlh->nlmsg_type)
		family++;
	return family;
}

static int on_valid(struct nl_msg *msg, void *data)
{
	struct nlmsghdr *nlh = nlmsg_hdr(msg);
	struct nlattr *top[TOP_MAX + 1];
	struct call *call = data;
	enum pv_family family = family_of(call->nl, nlh);
	int ret;

	if (family == PV_NR_FAMILIES || !call->reply[family])
		return NL_OK;
	ret = genlmsg_parse(nlh, 0, top, families[family].max, NULL) < 0 ? -EBADMSG :
	      call->reply[family](top, call->arg);
	if (ret && !call->error)
		call->error = -ret;
	return NL_OK;
}

static int on_ack(struct nl_msg *msg, void *data)
{
	struct call *call = data;

	(void)msg;
	call->done = true;
	return NL_STOP;
}

/* The end of a dump carries its result, which libnl does not look at. */
static int on_finish(struct nl_msg *msg, void *data)
{
	struct nlmsghdr *nlh = nlmsg_hdr(msg);
	struct call *call = data;
	int result = 0;

	if (nlmsg_datalen(nlh) >= (int)sizeof(result))
		memcpy(&result, nlmsg_data(nlh), sizeof(result));
	if (result < 0) {
		call->error = -result;
		pv_extack_parse(nlh, &call->extack);
	}
	call->done = true;
	return NL_STOP;
}

static int on_error(struct sockaddr_nl *from, struct nlmsgerr *err, void *data)
{
	const struct nlmsghdr *nlh = (const void *)((const char *)err - NLMSG_HDRLEN);
	struct call *call = data;

	(void)from;
	call->error = err->error < 0 ? -err->error : EIO;
	pv_extack_parse(nlh, &call->extack);
	call->done = true;
	return NL_STOP;
}

static int fail_refused(struct pv_ctx *ctx, const struct call *call, struct nl_msg *request)
{
	enum pv_family family = family_of(ctx->nl, nlmsg_hdr(request));
	const char *device = families[family].blamed(nlmsg_hdr(request), call->extack.offset);
	const char *lead = device ? device : "", *colon = device ? ": " : "";

	if (call->extack.message[0]) {
		pv_fail(ctx, pv_status_of(call->error), "%s%s%s", lead, colon,
			call->extack.message);
		ctx->error.sys = call->error;
		return ctx->error.status;
	}
	if (call->error == EPERM)
		pv_fail(ctx, PV_PERMISSION_DENIED,
			"%s%sthe kernel wants CAP_SYS_ADMIN in the initial user namespace", lead,
			colon);
	else
		pv_fail_sys(ctx, call->error, "%s%sthe kernel refused", lead, colon);
	ctx->error.sys = call->error;
	return ctx->error.status;
}

/* Receive until the request's acknowledgement, its refusal, or the end of its dump. */
static int receive(struct pv_nl *nl, struct call *call)
{
	struct nl_cb *cb = nl_cb_alloc(NL_CB_DEFAULT);
	int ret = 0;

	if (!cb)
		return -NLE_NOMEM;
	nl_cb_set(cb, NL_CB_VALID, NL_CB_CUSTOM, on_valid, call);
	nl_cb_set(cb, NL_CB_ACK, NL_CB_CUSTOM, on_ack, call);
	nl_cb_set(cb, NL_CB_FINISH, NL_CB_CUSTOM, on_finish, call);
	nl_cb_err(cb, NL_CB_CUSTOM, on_error, call);
	while (!call->done && ret >= 0)
		ret = nl_recvmsgs(nl->sock, cb);
	nl_cb_put(cb);
	return ret < 0 ? ret : 0;
}

int pv_nl_call(struct pv_ctx *ctx, struct nl_msg *msg, pv_nl_reply reply, void *arg)
{
	pv_nl_reply replies[PV_NR_FAMILIES] = { 0 };
	struct call call = { .nl = ctx->nl, .reply = replies, .arg = arg };
	int ret;

	replies[family_of(ctx->nl, nlmsg_hdr(msg))] = reply;
	ret = nl_send_auto(ctx->nl->sock, msg);
	if (ret < 0) {
		ret = fail_nl(ctx, ret, "cannot send to the kernel");
		goto out;
	}
	ret = receive(ctx->nl, &call);
	if (call.error == EBADMSG)
		ret = pv_fail(ctx, PV_INTERNAL, "the kernel's answer cannot be understood");
	else if (call.error)
		ret = fail_refused(ctx, &call, msg);
	else if (ret == -NLE_DUMP_INTR)
		ret = pv_fail_sys(ctx, EINTR, "the list changed while it was read");
	else if (ret)
		ret = fail_nl(ctx, ret, "no answer from the kernel");
out:
	nlmsg_free(msg);
	return ret;
}

static int join(struct pv_ctx *ctx, enum pv_family family)
{
	int group, ret = pv_nl_open(ctx, family);

	if (ret)
		return ret;
	group = genl_ctrl_resolve_grp(ctx->nl->sock, families[family].name, families[family].group);
	if (group < 0)
		return fail_nl(ctx, group, "cannot find the events group");
	ret = nl_socket_add_membership(ctx->nl->sock, group);
	return ret ? fail_nl(ctx, ret, "cannot listen to events") : PV_OK;
}

int pv_nl_subscribe(struct pv_ctx *ctx)
{
	struct pv_error absent = { 0 };
	int size = EVENTS_BUFFER, ret;
	bool any = false;

	for (enum pv_family family = 0; family < PV_NR_FAMILIES; family++) {
		ret = join(ctx, family);
		if (ret && ret != PV_UNAVAILABLE)
			return ret;
		any |= !ret;
		if (ret && !absent.status)
			absent = ctx->error;
	}
	if (!any) {
		ctx->error = absent;
		return absent.status;
	}
	/* Beyond the system's limit, which root may; the smaller buffer does as well. */
	(void)setsockopt(nl_socket_get_fd(ctx->nl->sock), SOL_SOCKET, SO_RCVBUFFORCE, &size,
			 sizeof(size));
	return pv_nl_patience(ctx, 0);
}

/* Events are numbered by the kernel, not by what was sent here. */
static int on_sequence(struct nl_msg *msg, void *data)
{
	(void)msg;
	(void)data;
	return NL_OK;
}

int pv_nl_wait(struct pv_ctx *ctx, const pv_nl_reply reply[PV_NR_FAMILIES], void *arg, bool *lost)
{
	struct call call = { .nl = ctx->nl, .reply = reply, .arg = arg };
	struct nl_cb *cb = nl_cb_alloc(NL_CB_DEFAULT);
	int ret;

	if (!cb)
		return pv_fail(ctx, PV_RESOURCE_EXHAUSTED, "no memory to listen with");
	nl_cb_set(cb, NL_CB_VALID, NL_CB_CUSTOM, on_valid, &call);
	nl_cb_set(cb, NL_CB_SEQ_CHECK, NL_CB_CUSTOM, on_sequence, NULL);
	ret = nl_recvmsgs(ctx->nl->sock, cb);
	nl_cb_put(cb);
	/* ENOBUFS, which libnl calls NLE_NOMEM: the socket's buffer was full. */
	*lost = ret == -NLE_NOMEM;
	if (call.error)
		return pv_fail(ctx, PV_INTERNAL, "an event cannot be understood");
	if (ret < 0 && !*lost)
		return fail_nl(ctx, ret, "cannot receive events");
	return PV_OK;
}
