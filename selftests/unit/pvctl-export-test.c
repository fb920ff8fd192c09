// SPDX-License-Identifier: GPL-2.0
/* pvctl export without a kernel: hostile words and records, the target's tree, every failure. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "configfs.h"
#include "export.h"
#include "export_forget.h"
#include "export_options.h"
#include "export_output.h"
#include "export_record.h"
#include "nvmet.h"
#include "output.h"
#include "pvctl-configfs.h"
#include "pvctl-test.h"

#define UUID "01234567-89ab-cdef-0123-456789abcdef"
#define NQN "nqn.2014-08.org.nvmexpress:uuid:" UUID
#define HOST_A "nqn.2014-08.org.nvmexpress:uuid:aaaaaaaa-0000-4000-8000-000000000000"
#define HOST_B "nqn.2026-01.test:b"
#define NAMESPACE "subsystems/" NQN "/namespaces/1"

/* An export of the volume t/v to @nr hosts: tcp, and rdma with @both. */
static struct pv_export make(unsigned int nr, bool both)
{
	static const char *const hosts[] = { HOST_B, HOST_A, HOST_B };
	struct pv_export e = { .pool = "t", .volume = "v", .nr_ports = both ? 2 : 1 };

	pv_parse_uuid(UUID, e.uuid);
	pv_export_default_nqn(e.uuid, e.nqn);
	pv_export_set_hosts(&e, hosts, nr);
	e.port[0] = (struct pv_export_port){ PV_TRANSPORT_TCP, "10.0.0.1", 4420 };
	e.port[1] = (struct pv_export_port){ PV_TRANSPORT_RDMA, "fd00::1", 4421 };
	return e;
}

static void test_words(void)
{
	static const char *const bad_nqns[] = {
		"",
		"nqn",
		"nqn.",
		"..",
		"../x",
		"/nqn.a",
		"nqn./",
		"nqn.a/../b",
		"nqn.a b",
		"nqn.a\n",
		"nqn.\xc3\xa4",
		"NQN.a",
		"nqn.2014-08.org.nvmexpress.discovery",
		"nqn.a\x7f",
	};
	static const char *const bad_addresses[] = {
		"",    "localhost", "1.2.3", "1.2.3.256", "1.2.3.4 ", "fe80::1%eth0",
		"::g", "/",	    "../..",
	};
	static const char *const bad_ports[] = { "", "0", "65536", "-1", "4420x", "0x10", " 1" };
	char address[INET6_ADDRSTRLEN], nqn[PV_NQN_MAX + 2];
	enum pv_transport transport;
	const char *why = NULL;
	uint16_t port;

	for (unsigned int i = 0; i < sizeof(bad_nqns) / sizeof(*bad_nqns); i++)
		CHECK(pv_parse_nqn(bad_nqns[i], &why) == -EINVAL && why);
	memset(nqn, 'a', sizeof(nqn));
	memcpy(nqn, "nqn.", 4);
	nqn[PV_NQN_MAX + 1] = '\0';
	CHECK(pv_parse_nqn(nqn, &why) == -EINVAL);
	nqn[PV_NQN_MAX] = '\0';
	CHECK(!pv_parse_nqn(nqn, &why) && !pv_parse_nqn(HOST_A, &why));
	for (unsigned int i = 0; i < sizeof(bad_addresses) / sizeof(*bad_addresses); i++)
		CHECK(pv_parse_address(bad_addresses[i], address, &why) == -EINVAL);
	CHECK(!pv_parse_address("10.0.0.1", address, &why) && !strcmp(address, "10.0.0.1"));
	CHECK(!pv_parse_address("FD00:0:0::1", address, &why) && !strcmp(address, "fd00::1"));
	for (unsigned int i = 0; i < sizeof(bad_ports) / sizeof(*bad_ports); i++)
		CHECK(pv_parse_port(bad_ports[i], &port, &why) == -EINVAL);
	CHECK(!pv_parse_port("65535", &port, &why) && port == 65535);
	CHECK(!pv_parse_transport("rdma", &transport, &why) && transport == PV_TRANSPORT_RDMA);
	CHECK(pv_parse_transport("TCP", &transport, &why) == -EINVAL);
	done("names, addresses and ports of exports");
}

static bool same(const struct pv_export *a, const struct pv_export *b)
{
	char *x = pv_export_format(a), *y = pv_export_format(b);
	bool equal = !strcmp(x, y);

	free(x);
	free(y);
	return equal;
}

/* Whatever is taken is fit to become a path. */
static void check_taken(const struct pv_export *e)
{
	const char *why;

	CHECK(!pv_parse_nqn(e->nqn, &why) && e->nr_ports >= 1 && e->nr_ports <= PV_TRANSPORTS);
	for (unsigned int i = 0; i < e->nr_hosts; i++)
		CHECK(!pv_parse_nqn(e->hosts[i], &why));
	CHECK(e->nr_ports < 2 || e->port[0].transport != e->port[1].transport);
}

static bool takes(const char *text)
{
	struct pv_export e;
	bool taken = !pv_export_parse(text, strlen(text), &e);

	if (taken)
		check_taken(&e);
	pv_export_free(&e);
	return taken;
}

/* The record with one piece of it replaced. */
static bool takes_with(const char *piece, const char *other)
{
	struct pv_export e = make(2, true);
	char *text = pv_export_format(&e), *at = strstr(text, piece), changed[2048];
	bool taken;

	CHECK(at);
	snprintf(changed, sizeof(changed), "%.*s%s%s", (int)(at - text), text, other,
		 at + strlen(piece));
	taken = takes(changed);
	free(text);
	pv_export_free(&e);
	return taken;
}

static void test_record_content(void)
{
	struct pv_export e = make(3, true), again;
	char *text = pv_export_format(&e), *copy;
	size_t len = strlen(text), taken = 0;

	CHECK(e.nr_hosts == 2 && !strcmp(e.hosts[0], HOST_A));
	CHECK(!pv_export_parse(text, len, &again) && same(&e, &again));
	pv_export_free(&again);
	CHECK(takes_with("4420", "4422"));
	CHECK(!takes_with("4420", "0") && !takes_with("4420", "65536") &&
	      !takes_with("4420", "\"1\"") && !takes_with("4420", "18446744073709551617"));
	CHECK(!takes_with("record 1", "record 2") && !takes_with("\"t\"", "\"../t\"") &&
	      !takes_with("\"v\"", "\"\"") && !takes_with("\"v\"", "null"));
	CHECK(!takes_with("tcp", "rdma") && !takes_with("tcp", "loop") &&
	      !takes_with("10.0.0.1", "..") && !takes_with(HOST_B, "nqn.a\\u0000") &&
	      !takes_with(HOST_B, "nqn./..") && !takes_with("\"nqn\":\"nqn.", "\"nqn\":\"/nqn."));
	CHECK(!takes_with(UUID "\"", "x\"") && !takes_with("\"ports\"", "\"port\""));
	CHECK(!takes("") && !takes("{}") && !takes("[]") && !takes("null") && !takes("{}}"));
	/* Torn, with more behind, and with each byte another one. */
	copy = pv_alloc(1, len + 2);
	for (size_t i = 0; i < len; i++) {
		memcpy(copy, text, i);
		copy[i] = '\0';
		CHECK(!takes(copy));
	}
	memcpy(copy, text, len);
	copy[len] = '}';
	CHECK(!takes(copy));
	copy[len] = '\0';
	copy[len + 1] = '}';
	CHECK(pv_export_parse(copy, len + 2, &again) == -EUCLEAN);
	for (size_t i = 0; i < len; i++) {
		for (unsigned int bit = 0; bit < 8; bit++) {
			copy[i] = (char)(text[i] ^ (1 << bit));
			taken += takes(copy);
		}
		copy[i] = text[i];
	}
	/* A letter of a name may well be another one; of the form, hardly any. */
	CHECK(taken < len * 8);
	free(copy);
	free(text);
	pv_export_free(&e);
	done("records of exports, whole and damaged");
}

/* A context whose options name a state directory. */
static void context(struct pv_ctx *ctx, struct pv_given *given, const char *dir)
{
	static const struct pv_option option = { .name = "state-dir", .arg = "DIRECTORY" };

	memset(ctx, 0, sizeof(*ctx));
	*given = (struct pv_given){ &option, dir };
	ctx->given = given;
	ctx->nr_given = 1;
}

static int quiet(int fd)
{
	int saved = dup(STDERR_FILENO);

	fflush(stderr);
	if (fd < 0)
		fd = open("/dev/null", O_WRONLY);
	dup2(fd, STDERR_FILENO);
	close(fd);
	return saved;
}

static void put(int dir, const char *name, const char *text)
{
	int fd = openat(dir, name, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	CHECK(write(fd, text, strlen(text)) == (ssize_t)strlen(text));
	close(fd);
}

static void test_record_files(void)
{
	char root[] = "/tmp/pvctl-export-XXXXXX", below[64], command[80];
	struct pv_export e = make(2, true), again;
	struct pv_exports all;
	unsigned int damaged;
	struct pv_given given;
	struct pv_ctx ctx;
	int dir, saved;

	CHECK(mkdtemp(root));
	snprintf(below, sizeof(below), "%s/a/b", root);
	context(&ctx, &given, below);
	CHECK(!pv_state_open(&ctx, &pv_export_records, false, &dir) && dir == -1);
	CHECK(pv_export_load(&ctx, -1, e.uuid, &again) == PV_NOT_FOUND);
	CHECK(!pv_export_load_all(&ctx, -1, &all, &damaged) && !all.nr);
	CHECK(!pv_state_open(&ctx, &pv_export_records, true, &dir) && dir >= 0);
	CHECK(!pv_state_lock(&ctx, &pv_export_records, dir));
	CHECK(!pv_export_store(&ctx, dir, &e));
	CHECK(!pv_export_load(&ctx, dir, e.uuid, &again) && same(&e, &again));
	pv_export_free(&again);
	/* What is no record, what is damaged, and what is another volume's. */
	put(dir, "." UUID ".new", "{");
	put(dir, "README", "{");
	put(dir, "00000000-89ab-cdef-0123-456789abcdef", "{");
	CHECK(!symlinkat(UUID, dir, "11111111-89ab-cdef-0123-456789abcdef"));
	saved = quiet(-1);
	CHECK(pv_export_load_all(&ctx, dir, &all, &damaged) != PV_OK);
	CHECK(!unlinkat(dir, "11111111-89ab-cdef-0123-456789abcdef", 0));
	CHECK(!linkat(dir, UUID, dir, "22222222-89ab-cdef-0123-456789abcdef", 0));
	CHECK(!pv_export_load_all(&ctx, dir, &all, &damaged));
	quiet(saved);
	CHECK(all.nr == 1 && damaged == 2 && same(&all.export[0], &e));
	pv_exports_free(&all);
	e.nr_ports = 0;
	CHECK(!pv_export_store(&ctx, dir, &e) && !pv_export_store(&ctx, dir, &e));
	CHECK(pv_export_load(&ctx, dir, e.uuid, &again) == PV_NOT_FOUND);
	close(dir);
	pv_export_free(&e);
	snprintf(command, sizeof(command), "rm -rf %s", root);
	CHECK(!system(command));
	done("files of exports");
}

/* A volume named like the exported one, that is it or another one. */
static struct pv_volumes volume_of(struct pv_volume *v, const struct pv_export *e, bool same_volume)
{
	*v = (struct pv_volume){ .pool = "t", .name = "v" };
	memcpy(v->uuid, e->uuid, sizeof(v->uuid));
	v->uuid[0] ^= !same_volume;
	return (struct pv_volumes){ v, 1 };
}

/* Whose record is left behind: not of who was renamed, but of who was deleted and made again. */
static void test_left(void)
{
	struct pv_export e = make(0, true);
	struct pv_volume a, b;
	struct pv_volumes same = volume_of(&a, &e, true), other = volume_of(&b, &e, false);
	struct pv_volumes none = { 0 };

	strcpy(a.name, "renamed");
	CHECK(pv_export_volume(&same, &e) == &a && !pv_export_volume(&other, &e));
	CHECK(!pv_export_is_left(&e, "t", "v", &none, &same));
	CHECK(!pv_export_is_left(&e, "t", NULL, &same, &same));
	CHECK(pv_export_is_left(&e, "t", "v", &none, &none));
	CHECK(pv_export_is_left(&e, "t", "v", &none, &other));
	CHECK(pv_export_is_left(&e, "t", NULL, &none, &other));
	/* Deleted under its new name; and of another pool or volume. */
	CHECK(pv_export_is_left(&e, "t", "renamed", &same, &none));
	CHECK(!pv_export_is_left(&e, "t", "renamed", &none, &none));
	CHECK(!pv_export_is_left(&e, "t", "renamed", &other, &none));
	CHECK(!pv_export_is_left(&e, "u", NULL, &none, &none));
	pv_export_free(&e);
	done("records of volumes that are gone");
}

/* One transport after the other, then nothing; a record that was not there is none that fails. */
static void test_end(void)
{
	static const enum pv_transport tcp = PV_TRANSPORT_TCP;
	char root[] = "/tmp/pvctl-export-XXXXXX", command[80];
	struct pv_export e = make(1, true), again;
	struct pv_given given;
	struct pv_ctx ctx;
	bool found = false;
	int dir;

	CHECK(mkdtemp(root));
	context(&ctx, &given, root);
	CHECK(!pv_state_open(&ctx, &pv_export_records, true, &dir) &&
	      !pv_export_store(&ctx, dir, &e));
	CHECK(!pv_export_end(&ctx, dir, &e, &tcp, &found) && found && e.nr_ports == 1);
	CHECK(!pv_export_load(&ctx, dir, e.uuid, &again) && same(&e, &again) &&
	      again.port[0].transport == PV_TRANSPORT_RDMA);
	pv_export_free(&again);
	found = false;
	CHECK(!pv_export_end(&ctx, dir, &e, &tcp, &found) && !found && e.nr_ports == 1);
	CHECK(!pv_export_end(&ctx, dir, &e, NULL, &found) && found && !e.nr_ports);
	CHECK(pv_export_load(&ctx, dir, e.uuid, &again) == PV_NOT_FOUND);
	found = false;
	CHECK(!pv_export_end(&ctx, dir, &e, NULL, &found) && !found);
	CHECK(!pv_export_end(&ctx, -1, &e, NULL, &found) && !found);
	close(dir);
	pv_export_free(&e);
	snprintf(command, sizeof(command), "rm -rf %s", root);
	CHECK(!system(command));
	done("the end of an export");
}

/* ---- the target ---- */

static int run(const struct pv_export *e, unsigned int port)
{
	struct pv_ctx ctx = { 0 };

	return pv_nvmet_export(&ctx, e, &e->port[port], "/dev/pmv0");
}

static int end(const struct pv_export *e, const enum pv_transport *transport)
{
	struct pv_ctx ctx = { 0 };
	bool found;

	return pv_nvmet_unexport(&ctx, e, transport, false, &found);
}

static bool tree_is(const char *want)
{
	char *have = fake_dump();
	bool equal = !strcmp(have, want);

	free(have);
	return equal;
}

static void test_tree(void)
{
	struct pv_export e = make(2, true), other = make(0, false);
	const enum pv_transport tcp = PV_TRANSPORT_TCP;
	struct pv_nvmet_state state;
	char *empty, *one;
	unsigned int changes;

	fake_reset();
	empty = fake_dump();
	CHECK(!run(&e, 0));
	CHECK(!strcmp(fake_value(NAMESPACE "/device_uuid"), UUID) &&
	      !strcmp(fake_value(NAMESPACE "/device_nguid"), UUID) &&
	      !strcmp(fake_value(NAMESPACE "/device_path"), "/dev/pmv0") &&
	      !strcmp(fake_value(NAMESPACE "/resv_enable"), "1") &&
	      !strcmp(fake_value(NAMESPACE "/enable"), "1"));
	CHECK(!strcmp(fake_value("subsystems/" NQN "/attr_serial"), "0123456789abcdef0123") &&
	      !strcmp(fake_value("subsystems/" NQN "/attr_model"), "pmemvol volume") &&
	      !strcmp(fake_value("subsystems/" NQN "/attr_allow_any_host"), "0") &&
	      !strcmp(fake_value("subsystems/" NQN "/allowed_hosts/" HOST_A), "hosts/" HOST_A) &&
	      !strcmp(fake_value("subsystems/" NQN "/allowed_hosts/" HOST_B), "hosts/" HOST_B));
	CHECK(!strcmp(fake_value("ports/40000/addr_trtype"), "tcp") &&
	      !strcmp(fake_value("ports/40000/addr_adrfam"), "ipv4") &&
	      !strcmp(fake_value("ports/40000/addr_traddr"), "10.0.0.1") &&
	      !strcmp(fake_value("ports/40000/addr_trsvcid"), "4420") &&
	      !strcmp(fake_value("ports/40000/subsystems/" NQN), "subsystems/" NQN));
	pv_nvmet_state(&e, &e.port[0], &state);
	CHECK(state.enabled && state.reservations);
	pv_nvmet_state(&e, &e.port[1], &state);
	CHECK(!state.enabled && state.reservations);
	one = fake_dump();
	/* Once more: what is there is not written again. */
	changes = fake.changes;
	CHECK(!run(&e, 0) && tree_is(one) && fake.changes - changes <= 7);
	CHECK(!run(&e, 1) && !strcmp(fake_value("ports/40001/addr_adrfam"), "ipv6"));
	CHECK(!end(&e, &e.port[1].transport) && tree_is(one));
	/* Another volume at the same port, to any host. */
	other.uuid[0] = 0xff;
	pv_export_default_nqn(other.uuid, other.nqn);
	CHECK(!run(&other, 0) && fake_value("ports/40001/addr_trtype")[0] == '\0');
	CHECK(!end(&e, &tcp) && !end(&e, NULL));
	CHECK(!strcmp(fake_value("ports/40000/addr_trtype"), "tcp"));
	CHECK(!end(&other, NULL) && tree_is(empty));
	/* An older kernel. */
	fake.no_reservations = true;
	CHECK(!run(&e, 0));
	pv_nvmet_state(&e, &e.port[0], &state);
	CHECK(state.enabled && !state.reservations && !end(&e, NULL) && tree_is(empty));
	free(one);
	free(empty);
	pv_export_free(&e);
	pv_export_free(&other);
	done("an export in the target");
}

static void set_port(const char *id, const char *address)
{
	char path[64];

	snprintf(path, sizeof(path), "ports/%s", id);
	pv_configfs_mkdir(path);
	snprintf(path, sizeof(path), "ports/%s/addr_trtype", id);
	pv_configfs_write(path, "rdma");
	snprintf(path, sizeof(path), "ports/%s/addr_traddr", id);
	pv_configfs_write(path, address);
	snprintf(path, sizeof(path), "ports/%s/addr_trsvcid", id);
	pv_configfs_write(path, "4421");
}

/* What somebody else has made is used where that is what is wanted, and left alone. */
static void test_foreign(void)
{
	struct pv_export e = make(2, true);
	struct pv_ctx ctx = { 0 };
	char *before;

	fake_reset();
	set_port("1", "FD00:0::1");
	pv_configfs_mkdir("hosts/" HOST_A);
	pv_configfs_write("hosts/" HOST_A "/dhchap_key", "DHHC-1:00:x:");
	before = fake_dump();
	CHECK(!run(&e, 1) && fake_value("ports/1/subsystems/" NQN)[0]);
	CHECK(!end(&e, NULL) && tree_is(before));
	free(before);
	fake_reset();
	pv_configfs_mkdir("subsystems/" NQN);
	pv_configfs_mkdir(NAMESPACE);
	pv_configfs_write(NAMESPACE "/device_path", "/dev/sda");
	before = fake_dump();
	CHECK(pv_nvmet_export(&ctx, &e, &e.port[0], "/dev/pmv0") == PV_ALREADY_EXISTS &&
	      strstr(ctx.error.message, "not this volume's"));
	CHECK(!end(&e, NULL) && tree_is(before));
	free(before);
	fake_reset();
	before = fake_dump();
	fake.refused = "10.0.0.1";
	CHECK(pv_nvmet_export(&ctx, &e, &e.port[0], "/dev/pmv0") == PV_FAILED_PRECONDITION &&
	      strstr(ctx.error.message, "cannot listen on 10.0.0.1 port 4420 over tcp"));
	CHECK(tree_is(before));
	free(before);
	/* What was there without being enabled is not left enabled. */
	pv_configfs_mkdir("subsystems/" NQN);
	pv_configfs_mkdir(NAMESPACE);
	CHECK(run(&e, 0) == PV_FAILED_PRECONDITION &&
	      !strcmp(fake_value(NAMESPACE "/enable"), "0"));
	pv_export_free(&e);
	done("what others have made in the target");
}

/* Two volumes that share a port and a host, of which the second one is to be undone. */
static struct pv_export neighbour(void)
{
	struct pv_export e = make(1, false);

	e.uuid[0] = 0xff;
	pv_export_default_nqn(e.uuid, e.nqn);
	return e;
}

static void test_every_failure(void)
{
	struct pv_export e = make(2, true), first = neighbour();

	for (unsigned int with = 0; with < 2; with++) {
		unsigned int n = 0;
		char *before;
		int ret;

		do {
			fake_reset();
			CHECK(!with || !run(&first, 0));
			before = fake_dump();
			fake.changes = 0;
			fake.fail_at = ++n;
			ret = run(&e, 0);
			CHECK(ret ? tree_is(before) : !tree_is(before));
			free(before);
			fake.fail_at = 0;
			CHECK(ret == PV_OK || ret == PV_DATA_LOSS || ret == PV_FAILED_PRECONDITION);
		} while (ret || fake.changes >= n);
		/* Each step of them was one that failed. */
		CHECK(n > 12);
	}
	pv_export_free(&e);
	pv_export_free(&first);
	done("every failure of an export is undone");
}

/* An unexport that failed goes on where it was, repeated. */
static void test_every_unexport(void)
{
	struct pv_export e = make(2, true), first = neighbour();
	unsigned int n = 0, changes;
	char *before;

	do {
		fake_reset();
		CHECK(!run(&first, 0));
		before = fake_dump();
		CHECK(!run(&e, 0) && !run(&e, 1));
		fake.changes = 0;
		fake.fail_at = ++n;
		end(&e, NULL);
		changes = fake.changes;
		fake.fail_at = 0;
		CHECK(!end(&e, NULL));
		/* What could not be removed in passing, a port or a host, is empty and in nobody's way. */
		CHECK(!run(&e, 0) && !end(&e, NULL) && !run(&e, 1) && !end(&e, NULL) &&
		      tree_is(before));
		free(before);
	} while (changes >= n);
	CHECK(n > 8);
	pv_export_free(&e);
	pv_export_free(&first);
	done("every failure of an unexport is made good");
}

/* Killed at each step: the next command, of either kind, does the whole of it. */
static void test_killed(void)
{
	struct pv_export e = make(2, false);
	unsigned int n = 0, changes;
	char *empty, *whole;

	fake_reset();
	empty = fake_dump();
	CHECK(!run(&e, 0));
	whole = fake_dump();
	do {
		for (unsigned int way = 0; way < 2; way++) {
			int saved = quiet(-1);

			fake_reset();
			fake.dead = true;
			fake.fail_at = way ? 0 : n + 1;
			run(&e, 0);
			if (way) {
				fake.changes = 0;
				fake.fail_at = n + 1;
				end(&e, NULL);
			}
			changes = way ? changes : fake.changes;
			fake.fail_at = 0;
			quiet(saved);
			CHECK(!run(&e, 0) && !end(&e, NULL) && tree_is(empty));
			CHECK(!run(&e, 0) && tree_is(whole));
		}
	} while (changes > n++);
	CHECK(n > 15);
	free(empty);
	free(whole);
	pv_export_free(&e);
	done("killed at every step");
}

/* ---- commands ---- */

static int merge(struct pv_export *have, const struct pv_export *want, bool *changed,
		 struct pv_ctx *ctx)
{
	struct pv_export_port *port;

	return pv_export_merge(ctx, have, want, &port, changed);
}

static void test_merge(void)
{
	struct pv_export have = make(2, false), want = make(3, false), rdma = make(2, true);
	struct pv_ctx ctx = { 0 };
	bool changed;

	CHECK(!merge(&have, &want, &changed, &ctx) && !changed);
	want.port[0].port = 1;
	CHECK(merge(&have, &want, &changed, &ctx) == PV_ALREADY_EXISTS);
	rdma.port[0] = rdma.port[1];
	rdma.nr_ports = 1;
	CHECK(!merge(&have, &rdma, &changed, &ctx) && changed && have.nr_ports == 2);
	strcpy(rdma.nqn, "nqn.2026-01.test:x");
	CHECK(merge(&have, &rdma, &changed, &ctx) == PV_ALREADY_EXISTS);
	pv_export_free(&want);
	want = make(1, false);
	CHECK(merge(&have, &want, &changed, &ctx) == PV_ALREADY_EXISTS &&
	      strstr(ctx.error.message, "2, not 1"));
	pv_export_free(&have);
	pv_export_free(&want);
	pv_export_free(&rdma);
	done("an export that exists");
}

static void test_export_json(void)
{
	struct pv_export e = make(1, false);
	struct pv_export_view v = { .e = &e, .port = &e.port[0], .pool = "t", .volume = "v" };

	v.state.enabled = true;
	CHECK(json_is(pv_json_export(&v),
		      "{\"pool\":\"t\",\"name\":\"v\",\"uuid\":\"" UUID "\",\"nqn\":\"" NQN "\","
		      "\"transport\":\"tcp\",\"address\":\"10.0.0.1\",\"port\":4420,"
		      "\"hosts\":[\"" HOST_B "\"],\"any_host\":false,\"reservations\":false,"
		      "\"enabled\":true,\"device\":null}"));
	pv_export_free(&e);
	done("JSON of an export");
}

/* Return: whether the line is refused with that text */
static bool refused(const char *text, char **argv, int argc)
{
	struct pv_export e = { 0 };
	struct pv_ctx ctx;
	int ret = command_line(&ctx, "export", NULL, argv, argc) ? pv_export_options(&ctx, &e) :
								   (int)ctx.error.status;
	bool good = ret == PV_INVALID_ARGUMENT && strstr(ctx.error.message, text);

	pv_export_free(&e);
	free(ctx.given);
	return good;
}

#define REFUSED(text, ...)                                               \
	refused(text, (char *[]){ (char *)"export", __VA_ARGS__, NULL }, \
		sizeof((char *[]){ (char *)"export", __VA_ARGS__ }) / sizeof(char *))

static void test_export_lines(void)
{
	CHECK(REFUSED("--transport is missing", "t/v", "--address", "::1", "--port", "1"));
	CHECK(REFUSED("--address is missing", "t/v", "--transport", "tcp", "--port", "1"));
	CHECK(REFUSED("'fc' is not 'tcp' or 'rdma'", "t/v", "--transport", "fc", "--address", "::1",
		      "--port", "1"));
	CHECK(REFUSED("is not an IPv4 or IPv6", "t/v", "--transport", "tcp", "--address", "a",
		      "--port", "1"));
	CHECK(REFUSED("from 1 to 65535", "t/v", "--transport", "tcp", "--address", "::1", "--port",
		      "65536"));
	CHECK(REFUSED("--nqn: '../x' is not", "t/v", "--transport", "tcp", "--address", "::1",
		      "--port", "1", "--nqn", "../x"));
	CHECK(REFUSED("--allow-host: 'nqn.a/b' is not", "t/v", "--transport", "tcp", "--address",
		      "::1", "--port", "1", "--allow-host", "nqn.a", "--allow-host", "nqn.a/b"));
	done("command lines of exports");
}

void test_export(void)
{
	test_words();
	test_record_content();
	test_record_files();
	test_left();
	test_end();
	test_tree();
	test_foreign();
	test_every_failure();
	test_every_unexport();
	test_killed();
	test_merge();
	test_export_json();
	test_export_lines();
}
