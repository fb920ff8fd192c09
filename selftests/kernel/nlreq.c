// SPDX-License-Identifier: GPL-2.0
/*
 * nlreq [--fence] [--dump] [--fail-nth N] [--length N] [--repeat N] COMMAND [TOKEN]...
 *
 * Sends one request to the generic netlink family as it is told to, sense or nonsense, and prints
 * "OK", or the errno's name and the text the kernel gave, and for a dump "OK messages".
 * COMMAND is a name of enum pmemvol_cmd without PMEMVOL_CMD_, or a number; with --fence, which is the
 * first option then, everything is nvme_fence's. TOKENs:
 *
 *	{TYPE		begin a nest		{-TYPE	the same without NLA_F_NESTED
 *	}		end it
 *	TYPE:s:TEXT	string with its NUL	TYPE:r:TEXT	bytes of a text without NUL
 *	TYPE:x:HEX	bytes			TYPE:flag	no payload
 *	TYPE:u32:N	TYPE:u64:N		TYPE:len:N	header that claims N bytes, no payload
 *	TYPE:n:N	N bytes of 'a' and a NUL
 *
 * TYPE is a name without PMEMVOL_A_ (NVME_FENCE_A_), or a number. --length overrides the message's own length.
 * --fail-nth makes the N-th allocation under sendmsg() fail; "injected" is added to the line when
 * it came to that. That may be the answer's, which is "ENOBUFS" then: the request may have been
 * done. Exit status: 0, 1 when the kernel refused, 2 when it could not be asked.
 *
 * --repeat sends it N times, with "%" in texts replaced by 0, 1, 2 ..., ends at the first refusal
 * and prints how long one took, and how long the processor worked for this process in that: "OK
 * microseconds microseconds".
 *
 * nlreq [--fence] --join: joins the multicast group of events; prints "OK" or the errno's name.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/genetlink.h>
#include <linux/netlink.h>
#include <linux/nvme_fence.h>
#include <linux/pmemvol.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "prog.h"

struct name {
	const char *name;
	int value;
};

#define A(n) { #n, PMEMVOL_A_##n }
#define C(n) { #n, PMEMVOL_CMD_##n }

static const struct name pool_attrs[] = {
	A(POOL), A(VOLUME), A(EVENT),
	A(POOL_NAME), A(POOL_UUID), A(POOL_FORCE), A(POOL_CHUNK_SIZE), A(POOL_OVERCOMMIT),
	A(POOL_LOW_WATER), A(POOL_SIZE), A(POOL_FREE), A(POOL_PROVISIONED), A(POOL_PROMISED),
	A(POOL_METADATA), A(POOL_ERASING), A(POOL_VOLUMES), A(POOL_MODE), A(POOL_GENERATION),
	A(POOL_MEMBER), A(POOL_PAD),
	A(MEMBER_DEVICE), A(MEMBER_UUID), A(MEMBER_SIZE), A(MEMBER_NUMA_NODE), A(MEMBER_DEVNUM),
	A(MEMBER_BAD_BLOCKS), A(MEMBER_PAD),
	A(VOLUME_NAME), A(VOLUME_UUID), A(VOLUME_NEW_NAME), A(VOLUME_SIZE), A(VOLUME_THICK),
	A(VOLUME_PROVISIONED), A(VOLUME_DISK), A(VOLUME_DEVNUM), A(VOLUME_OPENERS),
	A(VOLUME_STATE), A(VOLUME_METADATA), A(VOLUME_SNAPSHOTS), A(VOLUME_PAD),
	A(VOLUME_ORIGIN), A(VOLUME_ORIGIN_SNAPSHOT),
	A(SNAPSHOT), A(SNAPSHOT_NAME), A(SNAPSHOT_UUID), A(SNAPSHOT_CREATED), A(SNAPSHOT_SIZE),
	A(SNAPSHOT_EXCLUSIVE), A(SNAPSHOT_METADATA), A(SNAPSHOT_CLONES), A(SNAPSHOT_DISK),
	A(SNAPSHOT_DEVNUM), A(SNAPSHOT_OPENERS), A(SNAPSHOT_STATE), A(SNAPSHOT_PAD),
	{ NULL, 0 }
};

static const struct name pool_commands[] = {
	C(POOL_GET), C(POOL_CREATE), C(POOL_ACTIVATE), C(POOL_DEACTIVATE), C(POOL_EXTEND),
	C(POOL_DESTROY), C(POOL_SET), C(VOLUME_GET), C(VOLUME_CREATE), C(VOLUME_RESIZE),
	C(VOLUME_RENAME), C(VOLUME_DELETE), C(EVENT), C(POOL_CHECK), C(SNAPSHOT_GET),
	C(SNAPSHOT_CREATE), C(SNAPSHOT_DELETE), C(SNAPSHOT_ACTIVATE), C(SNAPSHOT_DEACTIVATE),
	C(VOLUME_CLONE), C(VOLUME_ROLLBACK), { NULL, 0 }
};

#undef A
#undef C
#define A(n) { #n, NVME_FENCE_A_##n }
#define C(n) { #n, NVME_FENCE_CMD_##n }

static const struct name fence_attrs[] = {
	A(ATTACHMENT), A(REPORT), A(PREEMPT_FOREIGN), A(TIMEOUT), A(CONTINUE), A(REPORT_WANTED),
	A(WINNER), A(EVENT),
	A(ATT_NAME), A(ATT_DEVICE), A(ATT_DEVICE_DEVNUM), A(ATT_NODE_ID), A(ATT_HOST_ID),
	A(ATT_UNIQUE_ID), A(ATT_DISK), A(ATT_DEVNUM), A(ATT_SIZE), A(ATT_GRADE), A(ATT_STATE),
	A(ATT_REASON), A(ATT_EPOCH), A(ATT_DEVICE_EPOCH), A(ATT_RECORD_EPOCH), A(ATT_IN_FLIGHT),
	A(ATT_WRITES_IN_FLIGHT), A(ATT_OPENERS), A(ATT_LEASE), A(ATT_LEASE_LEFT), A(ATT_COMMANDS),
	A(ATT_STICKY), A(ATT_PAD), A(ATT_REFUSED), A(ATT_GRANTS),
	A(REPORT_GENERATION), A(REPORT_TYPE), A(REPORT_REGISTRANT), A(REPORT_GRANTS),
	A(REG_KEY), A(REG_HOLDER), A(REG_HOST_ID), A(REG_EPOCH), A(REG_NODE_ID), A(REG_PAD),
	{ NULL, 0 }
};

static const struct name fence_commands[] = {
	C(GET), C(ATTACH), C(DETACH), C(ACQUIRE), C(RENEW), C(RELEASE), C(EVENT), { NULL, 0 }
};

/* Of the family that is asked. */
static const char *family_name = PMEMVOL_GENL_NAME;
static const struct name *attrs = pool_attrs, *commands = pool_commands;

static char buffer[1 << 18];
static struct nlmsghdr *const msg = (struct nlmsghdr *)buffer;

static int lookup(const struct name *names, const char *text)
{
	for (; names->name; names++)
		if (!strcmp(names->name, text))
			return names->value;
	return number(text);
}

static void *append(size_t len)
{
	char *at = buffer + msg->nlmsg_len;

	if (at + NLMSG_ALIGN(len) > buffer + sizeof(buffer))
		errx(2, "the request is too long");
	memset(at, 0, NLMSG_ALIGN(len));
	msg->nlmsg_len = at - buffer + NLMSG_ALIGN(len);
	return at;
}

static struct nlattr *put(int type, const void *data, size_t len)
{
	struct nlattr *a = append(NLA_HDRLEN + len);

	a->nla_type = type;
	a->nla_len = NLA_HDRLEN + len;
	if (len)
		memcpy(a + 1, data, len);
	return a;
}

static const char *serial = "%";

/* A string, "%" in it replaced. */
static void put_text(int type, const char *text, size_t more)
{
	const char *at = strchr(text, '%');
	char buf[512];

	if (!at || strlen(text) > 256) {
		put(type, text, strlen(text) + more);
		return;
	}
	snprintf(buf, sizeof(buf), "%.*s%s%s", (int)(at - text), text, serial, at + 1);
	put(type, buf, strlen(buf) + more);
}

static void put_hex(int type, const char *text)
{
	unsigned char bytes[4096];
	size_t n = 0;

	for (; text[0] && text[1] && n < sizeof(bytes); text += 2) {
		char pair[3] = { text[0], text[1], '\0' };

		bytes[n++] = strtoul(pair, NULL, 16);
	}
	put(type, bytes, n);
}

static void put_long(int type, size_t n)
{
	char *text = calloc(1, n + 1);

	memset(text, 'a', n);
	put(type, text, n + 1);
	free(text);
}

static void put_token(const char *given)
{
	char *token = strdup(given), *kind = strchr(token, ':'), *value;
	uint64_t n;
	uint32_t n32;
	int type;

	if (!kind)
		errx(2, "'%s' is no token", token);
	*kind++ = '\0';
	type = lookup(attrs, token);
	value = strchr(kind, ':');
	if (value)
		*value++ = '\0';
	else
		value = "";
	if (!strcmp(kind, "s")) {
		put_text(type, value, 1);
	} else if (!strcmp(kind, "r")) {
		put_text(type, value, 0);
	} else if (!strcmp(kind, "x")) {
		put_hex(type, value);
	} else if (!strcmp(kind, "n")) {
		put_long(type, number(value));
	} else if (!strcmp(kind, "flag")) {
		put(type, NULL, 0);
	} else if (!strcmp(kind, "len")) {
		put(type, NULL, 0)->nla_len = number(value);
	} else if (!strcmp(kind, "u32")) {
		n32 = number(value);
		put(type, &n32, 4);
	} else if (!strcmp(kind, "u64")) {
		n = number(value);
		put(type, &n, 8);
	} else {
		errx(2, "'%s' is no kind", kind);
	}
	free(token);
}

static void put_tokens(char **token)
{
	struct nlattr *nest[32];
	int depth = 0, type;

	for (; *token; token++) {
		char *t = *token;

		if (*t == '}') {
			if (!depth)
				errx(2, "} without {");
			depth--;
			nest[depth]->nla_len = buffer + msg->nlmsg_len - (char *)nest[depth];
		} else if (*t == '{') {
			bool plain = t[1] == '-';

			if (depth == 32)
				errx(2, "nests too deep");
			type = lookup(attrs, t + 1 + plain);
			nest[depth++] = put(plain ? type : type | NLA_F_NESTED, NULL, 0);
		} else {
			put_token(t);
		}
	}
	if (depth)
		errx(2, "{ without }");
}

static void begin(int type, int cmd, int flags)
{
	struct genlmsghdr *g;

	memset(buffer, 0, NLMSG_HDRLEN + GENL_HDRLEN);
	msg->nlmsg_len = NLMSG_HDRLEN;
	g = append(GENL_HDRLEN);
	msg->nlmsg_type = type;
	msg->nlmsg_flags = NLM_F_REQUEST | flags;
	msg->nlmsg_seq = 1;
	g->cmd = cmd;
	g->version = 1;
}

/* Opens the socket that requests are sent on; errors carry text. */
static int open_socket(void)
{
	struct sockaddr_nl addr = { .nl_family = AF_NETLINK };
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_GENERIC), one = 1;
	int size = 1 << 20;

	if (fd < 0 || bind(fd, (struct sockaddr *)&addr, sizeof(addr)))
		err(2, "netlink");
	setsockopt(fd, SOL_NETLINK, NETLINK_EXT_ACK, &one, sizeof(one));
	setsockopt(fd, SOL_NETLINK, NETLINK_CAP_ACK, &one, sizeof(one));
	setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
	return fd;
}

static char reply[1 << 17];

static ssize_t receive(int fd)
{
	ssize_t n = recv(fd, reply, sizeof(reply), 0);

	if (n < 0)
		err(2, "recv");
	return n;
}

static void find_family(int fd, uint16_t *family, uint32_t *group)
{
	struct nlmsghdr *h = (struct nlmsghdr *)reply;
	struct nlattr *a, *g, *x;
	char *end;

	begin(GENL_ID_CTRL, CTRL_CMD_GETFAMILY, 0);
	put(CTRL_ATTR_FAMILY_NAME, family_name, strlen(family_name) + 1);
	if (send(fd, buffer, msg->nlmsg_len, 0) < 0)
		err(2, "send");
	receive(fd);
	if (h->nlmsg_type == NLMSG_ERROR)
		errx(2, "there is no family %s", family_name);
	end = reply + h->nlmsg_len;
#define EACH(a, from, to) for (a = (void *)(from); (char *)a + NLA_HDRLEN <= (char *)(to); \
			       a = (void *)((char *)a + NLA_ALIGN(a->nla_len)))
	EACH(a, reply + NLMSG_HDRLEN + GENL_HDRLEN, end) {
		if (a->nla_type == CTRL_ATTR_FAMILY_ID)
			*family = *(uint16_t *)(a + 1);
		if ((a->nla_type & NLA_TYPE_MASK) != CTRL_ATTR_MCAST_GROUPS)
			continue;
		EACH(g, a + 1, (char *)a + a->nla_len)
			EACH(x, g + 1, (char *)g + g->nla_len)
				if (x->nla_type == CTRL_ATTR_MCAST_GRP_ID)
					*group = *(uint32_t *)(x + 1);
	}
}

static int fail_nth_fd = -1;

static void fail_nth(const char *n)
{
	if (fail_nth_fd < 0) {
		char path[64];

		snprintf(path, sizeof(path), "/proc/self/task/%ld/fail-nth", syscall(SYS_gettid));
		fail_nth_fd = open(path, O_RDWR);
	}
	if (fail_nth_fd < 0 || pwrite(fail_nth_fd, n, strlen(n), 0) < 0)
		err(2, "fail-nth");
}

static bool was_injected(void)
{
	char left[32] = "";

	if (pread(fail_nth_fd, left, sizeof(left) - 1, 0) < 0)
		err(2, "fail-nth");
	fail_nth("0");
	return !atoi(left);
}

static int print_error(const struct nlmsgerr *e, const struct nlmsghdr *h, const char *more)
{
	const char *text = "";
	struct nlattr *a;

	if (h->nlmsg_flags & NLM_F_ACK_TLVS)
		EACH(a, e + 1, (char *)h + h->nlmsg_len)
			if (a->nla_type == NLMSGERR_ATTR_MSG)
				text = (char *)(a + 1);
	if (!e->error) {
		printf("OK%s\n", more);
		return 0;
	}
	printf("%s %s%s\n", strerrorname_np(-e->error), text, more);
	return 1;
}

static int answer(int fd, const char *more)
{
	unsigned int messages = 0;

	for (;;) {
		ssize_t n = recv(fd, reply, sizeof(reply), 0);
		struct nlmsghdr *h = (struct nlmsghdr *)reply;

		if (n < 0 && errno == ENOBUFS && *more) {
			printf("ENOBUFS%s\n", more);
			return 1;
		}
		if (n < 0)
			err(2, "recv");
		for (; NLMSG_OK(h, n); h = NLMSG_NEXT(h, n)) {
			struct nlmsgerr *e = NLMSG_DATA(h);

			if (h->nlmsg_type == NLMSG_ERROR)
				return print_error(e, h, more);
			if (h->nlmsg_type == NLMSG_DONE) {
				if (e->error < 0) {
					printf("%s%s\n", strerrorname_np(-e->error), more);
					return 1;
				}
				printf("OK %u%s\n", messages, more);
				return 0;
			}
			messages++;
		}
	}
}

static long microseconds(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return t.tv_sec * 1000000L + t.tv_nsec / 1000;
}

static int repeat(int fd, uint16_t family, unsigned long times, char **argv)
{
	long start, worked;
	struct nlmsghdr *h = (struct nlmsghdr *)reply;
	unsigned long i;
	char text[32];

	start = microseconds(CLOCK_MONOTONIC);
	worked = microseconds(CLOCK_PROCESS_CPUTIME_ID);
	for (i = 0; i < times; i++) {
		snprintf(text, sizeof(text), "%lu", i);
		serial = text;
		begin(family, lookup(commands, argv[0]), NLM_F_ACK);
		put_tokens(argv + 1);
		if (send(fd, buffer, msg->nlmsg_len, 0) < 0)
			err(2, "send");
		/* A reply may come before the acknowledgement. */
		do
			receive(fd);
		while (h->nlmsg_type != NLMSG_ERROR);
		if (((struct nlmsgerr *)NLMSG_DATA(h))->error)
			return print_error(NLMSG_DATA(h), h, "");
	}
	worked = microseconds(CLOCK_PROCESS_CPUTIME_ID) - worked;
	start = microseconds(CLOCK_MONOTONIC) - start;
	printf("OK %ld %ld\n", start / (long)times, worked / (long)times);
	return 0;
}

static int join(int fd, uint32_t group)
{
	if (setsockopt(fd, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &group, sizeof(group))) {
		puts(strerrorname_np(errno));
		return 1;
	}
	puts("OK");
	return 0;
}

int main(int argc, char **argv)
{
	const char *nth = NULL, *length = NULL, *times = NULL, *more = "";
	uint16_t family = 0;
	uint32_t group = 0;
	bool dump = false;
	int fd = open_socket(), i;

	if (argc > 1 && !strcmp(argv[1], "--fence")) {
		family_name = NVME_FENCE_GENL_NAME;
		attrs = fence_attrs;
		commands = fence_commands;
		argc--;
		argv++;
	}
	find_family(fd, &family, &group);
	for (i = 1; i < argc && !strncmp(argv[i], "--", 2); i++) {
		if (!strcmp(argv[i], "--join"))
			return join(fd, group);
		if (!strcmp(argv[i], "--dump"))
			dump = true;
		else if (!strcmp(argv[i], "--fail-nth") && i + 1 < argc)
			nth = argv[++i];
		else if (!strcmp(argv[i], "--length") && i + 1 < argc)
			length = argv[++i];
		else if (!strcmp(argv[i], "--repeat") && i + 1 < argc)
			times = argv[++i];
		else
			errx(2, "unknown option %s", argv[i]);
	}
	if (i == argc)
		errx(2, "no command is given");
	if (times)
		return repeat(fd, family, number(times), argv + i);
	begin(family, lookup(commands, argv[i]), dump ? NLM_F_DUMP : NLM_F_ACK);
	put_tokens(argv + i + 1);
	if (length)
		msg->nlmsg_len = number(length);
	/* The page of the buffer is touched, the file opened: what fails is the kernel's. */
	if (nth)
		fail_nth(nth);
	if (send(fd, buffer, msg->nlmsg_len, 0) < 0) {
		int error = errno;

		if (nth)
			was_injected();
		printf("%s send\n", strerrorname_np(error));
		return 1;
	}
	if (nth && was_injected())
		more = " injected";
	return answer(fd, more);
}
