// SPDX-License-Identifier: GPL-2.0
/* pvctl metrics: is it what Prometheus reads, whatever the names are? A parser says. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "metrics.h"
#include "pvctl-test.h"

#define MAX 512

/* What the parser has seen. @family: of the HELP line that comes before all of a metric */
struct seen {
	char family[128];
	char type[16];
	char *done[MAX];
	size_t nr_done;
	char *series[MAX];
	size_t nr_series;
};

static bool known(char *const *list, size_t nr, const char *text)
{
	for (size_t i = 0; i < nr; i++)
		if (!strcmp(list[i], text))
			return true;
	return false;
}

static const char *word(const char *p)
{
	if (!isalpha((unsigned char)*p) && *p != '_')
		return NULL;
	while (isalnum((unsigned char)*p) || *p == '_')
		p++;
	return p;
}

/* name="value", with the three escapes there are. Return: behind the quote; NULL: malformed */
static const char *label(const char *p)
{
	p = word(p);
	if (!p || strncmp(p, "=\"", 2))
		return NULL;
	for (p += 2; *p != '"'; p++) {
		if (!isprint((unsigned char)*p))
			return NULL;
		if (*p == '\\' && !strchr("\\\"n", *++p))
			return NULL;
	}
	return p + 1;
}

static bool is_number(const char *p)
{
	char *end;

	strtod(p, &end);
	return *p && isdigit((unsigned char)*p) && !*end;
}

static bool read_help(struct seen *s, const char *line)
{
	const char *end = word(line);
	size_t len = strlen("_total");

	if (!end || *end != ' ' || !end[1] || strchr(end, '\\'))
		return false;
	snprintf(s->family, sizeof(s->family), "%.*s", (int)(end - line), line);
	s->type[0] = '\0';
	/* All of a metric stand together. */
	if (known(s->done, s->nr_done, s->family) || s->nr_done == MAX || strlen(s->family) <= len)
		return false;
	s->done[s->nr_done++] = strdup(s->family);
	return true;
}

static bool read_type(struct seen *s, const char *line)
{
	size_t len = strlen(s->family);
	bool total = len > 6 && !strcmp(s->family + len - 6, "_total");

	if (strncmp(line, s->family, len) || line[len] != ' ' || s->type[0])
		return false;
	snprintf(s->type, sizeof(s->type), "%s", line + len + 1);
	return !strcmp(s->type, total ? "counter" : "gauge");
}

static bool read_sample(struct seen *s, const char *line)
{
	const char *p = word(line);
	size_t len = strlen(s->family);
	char *series;

	if (!p || !s->type[0] || (size_t)(p - line) != len || strncmp(line, s->family, len))
		return false;
	if (*p == '{') {
		do {
			p = label(p + 1);
		} while (p && *p == ',');
		if (!p || *p++ != '}')
			return false;
	}
	if (*p != ' ' || !is_number(p + 1) || s->nr_series == MAX)
		return false;
	series = strndup(line, (size_t)(p - line));
	if (known(s->series, s->nr_series, series)) {
		free(series);
		return false;
	}
	s->series[s->nr_series++] = series;
	return true;
}

/* Is all of it well-formed? @samples: how many there are */
static bool parse(char *text, size_t *samples)
{
	char *line, *save = NULL;
	struct seen s = { 0 };
	bool good = *text && text[strlen(text) - 1] == '\n' && !strstr(text, "\n\n");

	for (line = strtok_r(text, "\n", &save); line && good; line = strtok_r(NULL, "\n", &save)) {
		if (!strncmp(line, "# HELP ", 7))
			good = read_help(&s, line + 7);
		else if (!strncmp(line, "# TYPE ", 7))
			good = read_type(&s, line + 7);
		else
			good = read_sample(&s, line);
		if (!good)
			printf("# malformed: %s\n", line);
	}
	*samples = s.nr_series;
	while (s.nr_done)
		free(s.done[--s.nr_done]);
	while (s.nr_series)
		free(s.series[--s.nr_series]);
	return good;
}

static char *print(const struct pv_metrics *m)
{
	char *text = NULL;
	size_t len;
	FILE *f = open_memstream(&text, &len);

	if (!f)
		abort();
	pv_metrics_print(f, m);
	fclose(f);
	return text;
}

static struct pv_member members[] = {
	{ .device = "pmem0", .size = 1 << 30, .bad_blocks = 3 },
	{ .device = "" },
	{ .device = "" },
};
static struct pv_pool active[] = {
	{ .present = ~0ULL,
	  .active = true,
	  .name = "tank",
	  .size = 1ULL << 60,
	  .overcommit = 250,
	  .low_water = 5,
	  .mode = PMEMVOL_MODE_READ_ONLY,
	  .members = members,
	  .nr_members = 3 },
};
/* One name twice. */
static struct pv_pool inactive[] = {
	{ .present = 1ULL << PMEMVOL_A_POOL_OVERCOMMIT,
	  .name = "old",
	  .uuid = { 1 },
	  .missing = 1 },
	{ .name = "old", .uuid = { 2 } },
};
static struct pv_volume volumes[] = {
	{ .pool = "tank", .name = "db", .disk = "pmv0", .size = 4096 },
	{ .pool = "tank", .name = "log", .disk = "pmv1", .state = PMEMVOL_VOLUME_FAILED },
};
static struct pv_io io[] = {
	{ .known = true, .field = { [PV_IO_WRITE_SECTORS] = 3, [PV_IO_WRITE_MS] = 1007 } },
	{ .known = false },
};
static struct pv_attachment attachments[] = {
	{ .present = ~0ULL,
	  .name = "pod",
	  .disk = "nvf0",
	  .device = "nvme0n1",
	  .lease = 2500,
	  .state = NVME_FENCE_STATE_STALE,
	  .reason = NVME_FENCE_REASON_CONFLICT,
	  .epoch = 7,
	  .refused = 12 },
	{ .present = ~0ULL, .name = "pod-b", .state = NVME_FENCE_STATE_GRANTED },
};
/* Memory failed under a volume, in its snapshot, and where nothing is; and a bad block under it. */
static struct pv_bad places[] = {
	{ .member = 1, .length = 4096, .poison = true, .owner = "data", .volume = "db" },
	{ .member = 1, .length = 4096, .poison = true, .volume = "db", .snapshot = "s" },
	{ .member = 0, .length = 512, .owner = "data", .volume = "db" },
	{ .member = 2, .length = 8192, .poison = true, .owner = "free" },
};
static struct pv_bads bads[] = { { places, 4 } };
static struct pv_export export = {
	.nqn = "nqn.2026-01.test:db",
	.port = { { PV_TRANSPORT_TCP, "10.0.0.1", 4420 }, { PV_TRANSPORT_RDMA, "fd00::1", 4421 } },
	.nr_ports = 2,
};
static struct pv_export_view views[] = {
	{ .e = &export,
	  .port = &export.port[0],
	  .state = { .enabled = true },
	  .pool = "tank",
	  .volume = "db" },
	{ .e = &export, .port = &export.port[1], .pool = "tank", .volume = "db" },
};
static const struct pv_metrics all = {
	.has_pools = true,
	.has_exports = true,
	.bads = bads,
	.damaged = 2,
	.views = views,
	.nr_views = 2,
	.has_fences = true,
	.active = { active, 1 },
	.inactive = { inactive, 2 },
	.volumes = { volumes, 2 },
	.io = io,
	.attachments = { attachments, 2 },
};

#define UUID "uuid=\"00000000-0000-0000-0000-000000000000\""

static void test_all(void)
{
	static const char *const lines[] = {
		"pmemvol_pool_size_bytes{pool=\"tank\"," UUID "} 1152921504606846976",
		"pmemvol_pool_overcommit_ratio{pool=\"tank\"," UUID "} 2.50",
		"pmemvol_pool_low_water_ratio{pool=\"tank\"," UUID "} 0.05",
		"pmemvol_pool_mode{pool=\"tank\",mode=\"read-only\"} 1",
		"pmemvol_pool_mode{pool=\"tank\",mode=\"writable\"} 0",
		"pmemvol_member_bad_blocks{pool=\"tank\",device=\"pmem0\",member=\"0\"} 3",
		"pmemvol_member_failed_memory_bytes{pool=\"tank\",device=\"pmem0\",member=\"0\"} 0",
		"pmemvol_member_failed_memory_bytes{pool=\"tank\",device=\"\",member=\"1\"} 8192",
		"pmemvol_volume_bad_bytes{pool=\"tank\",volume=\"db\"} 4608",
		"pmemvol_volume_bad_bytes{pool=\"tank\",volume=\"log\"} 0",
		"pvctl_export_enabled{pool=\"tank\",volume=\"db\",nqn=\"nqn.2026-01.test:db\",transport=\"tcp\",address=\"10.0.0.1\",port=\"4420\"} 1",
		"pvctl_export_enabled{pool=\"tank\",volume=\"db\",nqn=\"nqn.2026-01.test:db\",transport=\"rdma\",address=\"fd00::1\",port=\"4421\"} 0",
		"pvctl_export_damaged_records 2",
		"pmemvol_volume_written_bytes_total{pool=\"tank\",volume=\"db\"} 1536",
		"pmemvol_volume_write_time_seconds_total{pool=\"tank\",volume=\"db\"} 1.007",
		"pmemvol_volume_failed{pool=\"tank\",volume=\"log\"} 1",
		"nvme_fence_attachment_epoch{attachment=\"pod\"} 7",
		"nvme_fence_attachment_state{attachment=\"pod\",state=\"stale\"} 1",
		"nvme_fence_attachment_denied{attachment=\"pod\",reason=\"conflict\"} 1",
		"nvme_fence_attachment_refused_writes_total{attachment=\"pod\"} 12",
		"nvme_fence_attachment_lease_seconds{attachment=\"pod\"} 2.500",
	};
	char *text = print(&all), line[256];
	size_t samples;

	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		snprintf(line, sizeof(line), "\n%s\n", lines[i]);
		if (!strstr(text, line))
			printf("# missing: %s\n", lines[i]);
		CHECK(strstr(text, line));
	}
	/* What is not known, or makes no sense, is left out. */
	CHECK(!strstr(text, "_total{pool=\"tank\",volume=\"log\"}"));
	CHECK(!strstr(text, "denied{attachment=\"pod-b\""));
	CHECK(!strstr(text, "overcommit_ratio{pool=\"old\""));
	CHECK(parse(text, &samples) && samples > 60);
	free(text);
	done("metrics of pools, volumes and attachments");
}

static void test_hostile(void)
{
	static const char *const bad[] = { "a\"} 1\nfake 2", "\\", "a\\\"b", "tab\there",
					   "\xff\xfe",	     "{}", "" };
	struct pv_metrics m = all;
	struct pv_volume volume = volumes[0];
	struct pv_attachment attachment = attachments[0];
	struct pv_pool pool = active[0];
	size_t samples;
	char *text;

	m.active.pool = &pool;
	m.volumes = (struct pv_volumes){ &volume, 1 };
	m.attachments = (struct pv_attachments){ &attachment, 1 };
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		snprintf(pool.name, sizeof(pool.name), "%s", bad[i]);
		snprintf(volume.pool, sizeof(volume.pool), "%s", bad[i]);
		snprintf(volume.name, sizeof(volume.name), "%s", bad[i]);
		snprintf(attachment.name, sizeof(attachment.name), "%s", bad[i]);
		snprintf(attachment.device, sizeof(attachment.device), "%s", bad[i]);
		text = print(&m);
		CHECK(i || strstr(text, "volume=\"a\\\"} 1\\nfake 2\"}"));
		CHECK(parse(text, &samples));
		free(text);
	}
	done("metrics with hostile names");
}

static void test_absent(void)
{
	struct pv_metrics m = { 0 };
	size_t samples;
	char *text = print(&m);

	CHECK(strstr(text, "\npvctl_module_up{module=\"nvme_fence\"} 0\n"));
	CHECK(parse(text, &samples) && samples == 2);
	free(text);
	m.has_pools = true;
	text = print(&m);
	CHECK(parse(text, &samples) && samples == 2);
	free(text);
	done("metrics of nothing");
}

static void test_io(void)
{
	static const char *const bad[] = {
		"",
		"1",
		"1 2 3 4 5 6 7 8 9 10 11 12 13 14 15",
		"a b c d e f g h i j k l m n o p",
		"1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16x",
		"-1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16",
		"99999999999999999999 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16",
	};
	struct pv_io got;

	CHECK(pv_io_parse("   1    2   3 4 5 6 7 8 9 10 11 12 13 14 15 16 17", &got) && got.known);
	CHECK(got.field[PV_IO_READ_SECTORS] == 3 && got.field[PV_IO_WRITES] == 5 &&
	      got.field[PV_IO_DISCARD_SECTORS] == 14 && got.field[PV_IO_FLUSHES] == 16);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		CHECK(!pv_io_parse(bad[i], &got));
	done("a disk's statistics");
}

void test_metrics(void)
{
	test_all();
	test_hostile();
	test_absent();
	test_io();
}
