// SPDX-License-Identifier: GPL-2.0
/* pvctl fence without a kernel: its messages, the record of epochs, output. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <netlink/attr.h>
#include <netlink/genl/genl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "extack.h"
#include "fence.h"
#include "fence_options.h"
#include "fence_output.h"
#include "fence_record.h"
#include "key.h"
#include "parse.h"
#include "pvctl-test.h"
#include "resv.h"

#define HOST_1 "01010101-0101-0101-0101-010101010101"
#define HOST_2 "02020202-0202-0202-0202-020202020202"

/* ---- messages of the kernel ---- */

static void put_registrant(struct nl_msg *msg, int type, uint64_t key, bool holder, uint8_t host)
{
	struct nlattr *nest = nla_nest_start(msg, type);
	uint8_t id[NVME_FENCE_HOST_ID_SIZE];

	memset(id, host, sizeof(id));
	nla_put_u64(msg, NVME_FENCE_A_REG_KEY, key);
	if (holder)
		nla_put_flag(msg, NVME_FENCE_A_REG_HOLDER);
	if (host)
		nla_put(msg, NVME_FENCE_A_REG_HOST_ID, sizeof(id), id);
	nla_nest_end(msg, nest);
}

static void put_report(struct nl_msg *msg)
{
	struct nlattr *nest = nla_nest_start(msg, NVME_FENCE_A_REPORT);

	nla_put_u32(msg, NVME_FENCE_A_REPORT_GENERATION, 12);
	nla_put_u32(msg, NVME_FENCE_A_REPORT_TYPE, 1);
	put_registrant(msg, NVME_FENCE_A_REPORT_REGISTRANT, nvf_key_make(7, 2), true, 2);
	put_registrant(msg, NVME_FENCE_A_REPORT_REGISTRANT, 0xbeef, false, 0);
	nla_nest_end(msg, nest);
}

static void put_attachment(struct nl_msg *msg)
{
	struct nlattr *nest = nla_nest_start(msg, NVME_FENCE_A_ATTACHMENT);
	uint8_t host[NVME_FENCE_HOST_ID_SIZE], unique[8] = { 0xde, 0xad };

	memset(host, 1, sizeof(host));
	nla_put_string(msg, NVME_FENCE_A_ATT_NAME, "pod-a");
	nla_put_string(msg, NVME_FENCE_A_ATT_DEVICE, "nvme0n1");
	nla_put_u64(msg, NVME_FENCE_A_ATT_DEVICE_DEVNUM, pv_devnum(259, 0));
	nla_put_u32(msg, NVME_FENCE_A_ATT_NODE_ID, 3);
	nla_put(msg, NVME_FENCE_A_ATT_HOST_ID, sizeof(host), host);
	nla_put(msg, NVME_FENCE_A_ATT_UNIQUE_ID, sizeof(unique), unique);
	nla_put_string(msg, NVME_FENCE_A_ATT_DISK, "nvf0");
	nla_put_u64(msg, NVME_FENCE_A_ATT_DEVNUM, pv_devnum(250, 0));
	nla_put_u64(msg, NVME_FENCE_A_ATT_SIZE, 1 << 20);
	nla_put_u32(msg, NVME_FENCE_A_ATT_GRADE, NVME_FENCE_GRADE_DEVICE);
	nla_put_u32(msg, NVME_FENCE_A_ATT_STATE, NVME_FENCE_STATE_STALE);
	nla_put_u32(msg, NVME_FENCE_A_ATT_REASON, NVME_FENCE_REASON_CONFLICT);
	nla_put_u64(msg, NVME_FENCE_A_ATT_EPOCH, 6);
	nla_put_u64(msg, NVME_FENCE_A_ATT_DEVICE_EPOCH, 7);
	nla_put_u64(msg, NVME_FENCE_A_ATT_IN_FLIGHT, 2);
	nla_put_u64(msg, NVME_FENCE_A_ATT_WRITES_IN_FLIGHT, 1);
	nla_put_u64(msg, NVME_FENCE_A_ATT_REFUSED, 9);
	nla_put_u64(msg, NVME_FENCE_A_ATT_GRANTS, 4);
	nla_put_u32(msg, NVME_FENCE_A_ATT_OPENERS, 4);
	nla_put_u32(msg, NVME_FENCE_A_ATT_LEASE, 2500);
	nla_put_u32(msg, NVME_FENCE_A_ATT_LEASE_LEFT, 0);
	nla_put_u32(msg, NVME_FENCE_A_ATT_COMMANDS, 5);
	nla_put_flag(msg, NVME_FENCE_A_ATT_STICKY);
	/* From a newer kernel. */
	nla_put_u32(msg, NVME_FENCE_A_ATT_MAX + 2, 1);
	nla_nest_end(msg, nest);
}

static void parse_top(struct nl_msg *msg, struct nlattr **top)
{
	CHECK(!genlmsg_parse(nlmsg_hdr(msg), 0, top, NVME_FENCE_A_MAX, NULL));
}

static void test_attachment_json(void)
{
	struct nlattr *top[NVME_FENCE_A_MAX + 1];
	struct nl_msg *msg = new_message();
	struct pv_attachment a;

	put_attachment(msg);
	parse_top(msg, top);
	CHECK(!pv_decode_attachment(top[NVME_FENCE_A_ATTACHMENT], &a));
	CHECK(pv_attachment_newest(&a) == 7);
	a.record_epoch = 8;
	CHECK(json_is(pv_json_attachment(&a),
		      "{\"name\":\"pod-a\",\"device\":\"/dev/nvf0\","
		      "\"link\":\"/dev/nvme_fence/pod-a\",\"lower\":\"/dev/nvme0n1\","
		      "\"grade\":\"device\",\"state\":\"stale\",\"reason\":\"conflict\","
		      "\"epoch\":6,\"device_epoch\":7,\"record_epoch\":8,\"node_id\":3,"
		      "\"host_id\":\"" HOST_1 "\",\"unique_id\":\"dead000000000000\","
		      "\"size\":1048576,\"in_flight\":2,\"writes_in_flight\":1,\"refused\":9,"
		      "\"openers\":4,"
		      "\"lease\":2.5,\"lease_left\":0,\"commands\":5,\"sticky\":true}"));
	nlmsg_free(msg);
	done("JSON of an attachment");
}

static void test_report_json(void)
{
	struct nlattr *top[NVME_FENCE_A_MAX + 1];
	struct pv_report *r = calloc(2, sizeof(*r));
	struct nl_msg *msg = new_message();
	char text[PV_REGISTRANT_TEXT], want[512];

	put_report(msg);
	parse_top(msg, top);
	CHECK(!pv_decode_report(top[NVME_FENCE_A_REPORT], r));
	/* Another reading knows the host of the second one. */
	r[1] = r[0];
	r[0].registrant[0].host_known = false;
	r[1].registrant[1].host_known = true;
	pv_report_learn_hosts(&r[0], &r[1]);
	CHECK(r[0].registrant[0].host_known && r[0].registrant[1].host_known);
	r[0].registrant[1].host_known = false;
	CHECK(!strcmp(pv_format_registrant(&r->registrant[0], text),
		      "epoch 7 of node 2 on host " HOST_2));
	CHECK(!strcmp(pv_format_registrant(&r->registrant[1], text), "foreign key 0xbeef"));
	r[1].registrant[1].key = nvf_key_make_form(8, 3, NVF_FORM_VACANT);
	r[1].registrant[1].host_known = false;
	pv_registrant_read_key(&r[1].registrant[1]);
	CHECK(!strcmp(pv_format_registrant(&r[1].registrant[1], text),
		      "epoch 8 of node 3 (given back)"));
	r[1].registrant[1].key = nvf_key_make_form(8, 3, NVF_FORM_CLAIM);
	pv_registrant_read_key(&r[1].registrant[1]);
	CHECK(!strcmp(pv_format_registrant(&r[1].registrant[1], text),
		      "unfinished claim of epoch 8 of node 3"));
	snprintf(want, sizeof(want),
		 "{\"generation\":12,\"type\":\"write-exclusive\",\"registrants\":["
		 "{\"key\":\"0x%016" PRIx64 "\",\"holder\":true,\"host_id\":\"" HOST_2
		 "\",\"epoch\":7,\"node_id\":2,\"form\":\"grant\"},"
		 "{\"key\":\"0x000000000000beef\",\"holder\":false,\"host_id\":null,"
		 "\"epoch\":null,\"node_id\":null,\"form\":null}]}",
		 nvf_key_make(7, 2));
	CHECK(json_is(pv_json_report(r), want));
	r->known = false;
	CHECK(!pv_json_report(r));
	free(r);
	nlmsg_free(msg);
	done("JSON of a reservation");
}

static void test_event_json(void)
{
	struct nlattr *top[NVME_FENCE_A_MAX + 1], *nest;
	struct nl_msg *msg = new_message();
	struct pv_fence_event e;

	nest = nla_nest_start(msg, NVME_FENCE_A_EVENT);
	nla_put_u32(msg, NVME_FENCE_A_EVENT_TYPE, NVME_FENCE_EVENT_LOST);
	nla_put_u64(msg, NVME_FENCE_A_EVENT_SEQ, 42);
	nla_nest_end(msg, nest);
	nest = nla_nest_start(msg, NVME_FENCE_A_ATTACHMENT);
	nla_put_string(msg, NVME_FENCE_A_ATT_NAME, "pod-a");
	nla_put_u64(msg, NVME_FENCE_A_ATT_EPOCH, 6);
	nla_nest_end(msg, nest);
	parse_top(msg, top);
	CHECK(!pv_decode_fence_event(top, &e));
	CHECK(json_is(pv_json_fence_event(&e), "{\"event\":\"fence-lost\",\"seq\":42,"
					       "\"attachment\":{\"name\":\"pod-a\",\"epoch\":6}}"));
	put_registrant(msg, NVME_FENCE_A_WINNER, nvf_key_make(7, 2), false, 0);
	parse_top(msg, top);
	CHECK(!pv_decode_fence_event(top, &e) && e.has_winner && e.winner.epoch == 7 &&
	      e.winner.node_id == 2);
	nlmsg_free(msg);
	done("JSON of a fencing event");
}

static void test_hostile_replies(void)
{
	struct nlattr *top[NVME_FENCE_A_MAX + 1];
	struct pv_report *r = malloc(sizeof(*r));
	struct nl_msg *msg = new_message();
	struct nlmsghdr *nlh = nlmsg_hdr(msg);
	unsigned int refused = 0;
	struct pv_attachment a;
	uint8_t *copy;

	put_attachment(msg);
	put_report(msg);
	copy = malloc(nlh->nlmsg_len);
	for (uint32_t i = NLMSG_HDRLEN + GENL_HDRLEN; i < nlh->nlmsg_len; i++) {
		for (unsigned int value = 0; value < 256; value += 17) {
			memcpy(copy, nlh, nlh->nlmsg_len);
			copy[i] = (uint8_t)value;
			if (genlmsg_parse((struct nlmsghdr *)copy, 0, top, NVME_FENCE_A_MAX, NULL) <
			    0) {
				refused++;
				continue;
			}
			if (pv_decode_attachment(top[NVME_FENCE_A_ATTACHMENT], &a))
				refused++;
			else
				json_object_put(pv_json_attachment(&a));
			if (pv_decode_report(top[NVME_FENCE_A_REPORT], r))
				refused++;
			else
				json_object_put(pv_json_report(r));
		}
	}
	free(copy);
	free(r);
	nlmsg_free(msg);
	CHECK(refused > 0);
	done("replies about fencing with a wrong byte");
}

static void test_refusals(void)
{
	struct nl_msg *msg = new_message();
	struct nlmsghdr *request = nlmsg_hdr(msg);
	struct nlattr *nest = nla_nest_start(msg, NVME_FENCE_A_ATTACHMENT | NLA_F_NESTED);
	uint32_t name_at = request->nlmsg_len, device_at;

	nla_put_string(msg, NVME_FENCE_A_ATT_NAME, "pod-a");
	device_at = request->nlmsg_len;
	nla_put_string(msg, NVME_FENCE_A_ATT_DEVICE, "/dev/nvme0n1");
	nla_put_u32(msg, NVME_FENCE_A_ATT_NODE_ID, 1);
	nla_nest_end(msg, nest);
	CHECK(!strcmp(pv_extack_lower(request, device_at), "/dev/nvme0n1"));
	CHECK(!pv_extack_lower(request, name_at) && !pv_extack_lower(request, 0));
	CHECK(!pv_extack_lower(request, request->nlmsg_len));
	CHECK(!pv_extack_lower(request, request->nlmsg_len - 4));
	nlmsg_free(msg);
	done("refusals name the device to attach");
}

/* ---- the record ---- */

#define ID "eui.0025388b71b0a5c1"

static void test_record_content(void)
{
	char buf[PV_RECORD_MAX], bent[PV_RECORD_MAX], name[PV_FENCE_ID_MAX], id[PV_FENCE_ID_MAX];
	size_t len = pv_record_format(buf, ID, 57);
	const char *why;
	uint64_t epoch = 0;

	CHECK(!pv_record_parse(buf, len, ID, &epoch, &why) && epoch == 57);
	CHECK(pv_record_parse(buf, len, "eui.other", &epoch, &why) == -EUCLEAN &&
	      !strcmp(why, "is of another device"));
	/* Any bit, and any length, but the right one. */
	for (size_t bit = 0; bit < 8 * len; bit++) {
		memcpy(bent, buf, len);
		bent[bit / 8] = (char)(bent[bit / 8] ^ 1 << bit % 8);
		CHECK(pv_record_parse(bent, len, ID, &epoch, &why) == -EUCLEAN);
	}
	for (size_t cut = 0; cut < len; cut++)
		CHECK(pv_record_parse(buf, cut, ID, &epoch, &why) == -EUCLEAN);
	memcpy(bent, buf, len);
	bent[len] = '\n';
	CHECK(pv_record_parse(bent, len + 1, ID, &epoch, &why) == -EUCLEAN);
	memset(bent, 'a', sizeof(bent));
	CHECK(pv_record_parse(bent, sizeof(bent), ID, &epoch, &why) == -EUCLEAN);
	CHECK(epoch == 57);
	len = pv_record_format(buf, ID, NVME_FENCE_EPOCH_MAX + 1);
	CHECK(pv_record_parse(buf, len, ID, &epoch, &why) == -EUCLEAN);

	CHECK(!strcmp(pv_record_file(ID, name), ID));
	CHECK(!strcmp(pv_record_file("../a b/\xff", name), "%2e.%2fa%20b%2f%ff"));
	memset(id, '/', sizeof(id) - 1);
	id[sizeof(id) - 1] = '\0';
	CHECK(strlen(pv_record_file(id, name)) < 240 && !strchr(name, '/'));
	len = pv_record_format(buf, id, 3);
	CHECK(!pv_record_parse(buf, len, id, &epoch, &why) && epoch == 3);
	done("content of the record of epochs");
}

static bool file_is(const char *path, const char *want, size_t len)
{
	char buf[PV_RECORD_MAX + 1];
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, buf, sizeof(buf));

	if (fd >= 0)
		close(fd);
	return n == (ssize_t)len && !memcmp(buf, want, len);
}

static void write_file(const char *path, const char *text, size_t len)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	CHECK(fd >= 0 && write(fd, text, len) == (ssize_t)len);
	close(fd);
}

/* Many at the same time, each with other epochs: the highest remains. */
static void raise_together(struct pv_ctx *ctx)
{
	int status;

	for (unsigned int i = 0; i < 8; i++)
		if (!fork()) {
			int ret = 0;

			for (unsigned int j = 0; j < 40 && !ret; j++)
				ret = pv_record_raise(ctx, ID, 1000 + (j * 8 + i) * 37 % 320);
			_exit(ret);
		}
	for (unsigned int i = 0; i < 8; i++)
		CHECK(wait(&status) > 0 && !status);
}

static void test_record_files(void)
{
	char dir[] = "/tmp/pvctl-fence-XXXXXX", root[64], path[128], temp[128], buf[PV_RECORD_MAX];
	struct pv_ctx ctx = { 0 };
	uint64_t epoch;
	size_t len;

	CHECK(mkdtemp(dir));
	snprintf(root, sizeof(root), "%s/var/lib", dir);
	snprintf(path, sizeof(path), "%s/fence/" ID, root);
	snprintf(temp, sizeof(temp), "%s/fence/." ID ".new", root);
	setenv("PVCTL_STATE_DIR", root, 1);
	/* Nothing is no epoch, and reading makes nothing. */
	CHECK(!pv_record_read(&ctx, ID, &epoch) && !epoch && access(root, F_OK));
	CHECK(!pv_record_raise(&ctx, ID, 5) && !pv_record_read(&ctx, ID, &epoch) && epoch == 5);
	CHECK(!pv_record_raise(&ctx, ID, 4) && !pv_record_read(&ctx, ID, &epoch) && epoch == 5);
	CHECK(!pv_record_read(&ctx, "eui.other", &epoch) && !epoch);
	/* What an interrupted one left. */
	write_file(temp, "half", 4);
	CHECK(!pv_record_raise(&ctx, ID, 6) && !pv_record_read(&ctx, ID, &epoch) && epoch == 6);
	CHECK(access(temp, F_OK));
	raise_together(&ctx);
	CHECK(!pv_record_read(&ctx, ID, &epoch) && epoch == 1319);
	/* Damage stays damage: it is told, and nothing is written over it. */
	len = pv_record_format(buf, ID, 1319);
	buf[30] ^= 1;
	write_file(path, buf, len);
	CHECK(pv_record_read(&ctx, ID, &epoch) == PV_DATA_LOSS && !epoch);
	CHECK(strstr(ctx.error.message, path) && strstr(ctx.error.message, "is damaged"));
	CHECK(pv_record_raise(&ctx, ID, 5000) == PV_DATA_LOSS && file_is(path, buf, len));
	write_file(path, "", 0);
	CHECK(pv_record_read(&ctx, ID, &epoch) == PV_DATA_LOSS);
	unlink(path);
	CHECK(!symlink("/dev/zero", path) && pv_record_read(&ctx, ID, &epoch) && !epoch);
	unlink(path);
	/* A directory that cannot be one. */
	snprintf(path, sizeof(path), "%s/file", dir);
	write_file(path, "x", 1);
	setenv("PVCTL_STATE_DIR", path, 1);
	CHECK(pv_record_raise(&ctx, ID, 1) && pv_record_read(&ctx, ID, &epoch));
	unsetenv("PVCTL_STATE_DIR");
	snprintf(path, sizeof(path), "rm -rf %s", dir);
	CHECK(!system(path));
	done("files of the record of epochs");
}

/* ---- command lines ---- */

static bool seconds_are(const char *text, uint64_t want)
{
	const char *why;
	uint64_t ms;

	return !pv_parse_seconds(text, &ms, &why) && ms == want;
}

static bool options_say(struct pv_ctx *ctx, struct pv_fence_request *r, bool parsed)
{
	bool good;

	memset(r, 0, sizeof(*r));
	good = parsed && !pv_fence_options(ctx, r);
	free(ctx->given);
	return good;
}

#define TAKEN(verb, ...) options_say(&ctx, &r, LINE_OF(&ctx, "fence", verb, __VA_ARGS__))
#define REFUSED(text, verb, ...)                                                 \
	(!TAKEN(verb, __VA_ARGS__) && ctx.error.status == PV_INVALID_ARGUMENT && \
	 strstr(ctx.error.message, text))

static void test_command_lines(void)
{
	struct pv_fence_request r;
	struct pv_ctx ctx;
	uint64_t ms;
	const char *why;

	CHECK(seconds_are("30", 30000) && seconds_are("0.5", 500) && seconds_are("0", 0) &&
	      seconds_are("0.001", 1));
	CHECK(pv_parse_seconds("1.0001", &ms, &why) && pv_parse_seconds("5s", &ms, &why) &&
	      pv_parse_seconds("-1", &ms, &why) && pv_parse_seconds("", &ms, &why) &&
	      pv_parse_seconds("18446744073709551615", &ms, &why));
	CHECK(TAKEN("attach", "a", "/dev/x", "--node-id", "65535", "--lease", "2.5", "--require",
		    "device") &&
	      r.node_id == 65535 && r.has_lease && r.lease_ms == 2500 && r.has_grade &&
	      r.grade == NVME_FENCE_GRADE_DEVICE && !strcmp(r.name, "a"));
	CHECK(TAKEN("acquire", "a", "--epoch", "1099511627775", "--preempt-foreign", "--timeout",
		    "3600") &&
	      r.epoch == NVME_FENCE_EPOCH_MAX && r.preempt_foreign && r.timeout_ms == 3600000 &&
	      !r.has_lease);
	CHECK(TAKEN("acquire", "a") && !r.epoch && r.timeout_ms == NVME_FENCE_TIMEOUT_DEFAULT);
	CHECK(TAKEN("renew", "a", "--lease", "0") && r.has_lease && !r.lease_ms);
	CHECK(REFUSED("--node-id is missing", "attach", "a", "/dev/x"));
	CHECK(REFUSED("DEVICE is missing", "attach", "a", "--node-id", "1"));
	CHECK(REFUSED("a node is from 1 to 65535", "attach", "a", "b", "--node-id", "65536"));
	CHECK(REFUSED("not a whole number", "attach", "a", "b", "--node-id", "0"));
	CHECK(REFUSED("'x' is not 'device' or 'local'", "attach", "a", "b", "--node-id", "1",
		      "--require", "x"));
	CHECK(REFUSED("at most 1099511627775", "acquire", "a", "--epoch", "1099511627776"));
	CHECK(REFUSED("is not 0 or from 0.1", "acquire", "a", "--lease", "0.099"));
	CHECK(REFUSED("is not 0 or from 0.1", "acquire", "a", "--lease", "86400.001"));
	CHECK(REFUSED("is not from 0.001", "acquire", "a", "--timeout", "0"));
	CHECK(REFUSED("is not from 0.001", "acquire", "a", "--timeout", "3600.001"));
	CHECK(REFUSED("is not a name", "acquire", "../a"));
	CHECK(REFUSED("'b' is one argument too many", "detach", "a", "b"));
	done("command lines of fencing");
}

void test_fence(void)
{
	test_attachment_json();
	test_report_json();
	test_event_json();
	test_hostile_replies();
	test_refusals();
	test_record_content();
	test_record_files();
	test_command_lines();
}
