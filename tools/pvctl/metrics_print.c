// SPDX-License-Identifier: GPL-2.0
/* Tables of metrics, and how a line of each is written. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "metrics.h"
#include "parse.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define SECTOR 512

/**
 * struct metric - a number of each object of a kind
 * @name: without what all of the kind begin with
 * @counter: it only grows while the object is there; else a gauge
 * @unit: parts of one that @value counts: 1, 100, 1000
 * @value: Return: whether it is known
 */
struct metric {
	const char *name;
	const char *help;
	bool counter;
	unsigned int unit;
	bool (*value)(const void *object, uint64_t *value);
};

struct volume {
	const struct pv_volume *volume;
	const struct pv_io *io;
};

void pv_metrics_label(FILE *f, const char *text)
{
	for (; *text; text++) {
		unsigned char c = (unsigned char)*text;

		if (c == '\n')
			fputs("\\n", f);
		else if (c == '\\' || c == '"')
			fprintf(f, "\\%c", c);
		else
			/* The format is UTF-8, and the names here are letters, digits and signs. */
			fputc(c < ' ' || c > '~' ? '?' : c, f);
	}
}

static void print_head(FILE *f, const char *kind, const struct metric *m)
{
	fprintf(f, "# HELP %s_%s %s\n# TYPE %s_%s %s\n", kind, m->name, m->help, kind, m->name,
		m->counter ? "counter" : "gauge");
}

static void print_value(FILE *f, uint64_t value, unsigned int unit)
{
	if (unit == 1)
		fprintf(f, " %" PRIu64 "\n", value);
	else
		fprintf(f, " %" PRIu64 ".%0*" PRIu64 "\n", value / unit, unit == 100 ? 2 : 3,
			value % unit);
}

static void print_label(FILE *f, const char *before, const char *key, const char *value)
{
	fprintf(f, "%s%s=\"", before, key);
	pv_metrics_label(f, value);
	fputc('"', f);
}

/* ---- pools ---- */

#define POOL_VALUE(key, attr)                                                         \
	static bool pool_##key(const void *object, uint64_t *value)                   \
	{                                                                             \
		*value = ((const struct pv_pool *)object)->key;                       \
		return ((const struct pv_pool *)object)->active &&                    \
		       PV_HAS((const struct pv_pool *)object, PMEMVOL_A_POOL_##attr); \
	}

POOL_VALUE(size, SIZE)
POOL_VALUE(free, FREE)
POOL_VALUE(provisioned, PROVISIONED)
POOL_VALUE(promised, PROMISED)
POOL_VALUE(metadata, METADATA)
POOL_VALUE(erasing, ERASING)
POOL_VALUE(overcommit, OVERCOMMIT)
POOL_VALUE(low_water, LOW_WATER)
POOL_VALUE(volumes, VOLUMES)

static bool pool_active(const void *object, uint64_t *value)
{
	*value = ((const struct pv_pool *)object)->active;
	return true;
}

static bool pool_missing(const void *object, uint64_t *value)
{
	*value = ((const struct pv_pool *)object)->missing;
	return true;
}

static const struct metric pool_metrics[] = {
	{ "active", "Whether the pool is active.", false, 1, pool_active },
	{ "missing_members", "Members of a pool that is not active for which there is no device.",
	  false, 1, pool_missing },
	{ "size_bytes", "Usable for data and metadata.", false, 1, pool_size },
	{ "free_bytes", "Held by no volume, promise or reserve.", false, 1, pool_free },
	{ "provisioned_bytes", "Provisioned to volumes.", false, 1, pool_provisioned },
	{ "promised_bytes", "Sum of the volumes' sizes.", false, 1, pool_promised },
	{ "metadata_bytes", "In metadata segments, both copies.", false, 1, pool_metadata },
	{ "erasing_bytes", "Of deleted volumes, not erased yet.", false, 1, pool_erasing },
	{ "overcommit_ratio", "How many times the capacity may be promised.", false, 100,
	  pool_overcommit },
	{ "low_water_ratio", "Part of the capacity below which a warning is sent.", false, 100,
	  pool_low_water },
	{ "volumes", "Volumes in the pool.", false, 1, pool_volumes },
};

static void print_pool_labels(FILE *f, const struct pv_pool *p)
{
	char uuid[PV_UUID_TEXT];

	/* Pools that are not active may have the same name. */
	print_label(f, "{", "pool", p->name);
	print_label(f, ",", "uuid", pv_format_uuid(p->uuid, uuid));
	fputc('}', f);
}

static void print_pools_metric(FILE *f, const struct pv_pools *pools, const struct metric *m)
{
	uint64_t value;

	for (size_t i = 0; i < pools->nr; i++) {
		if (!m->value(&pools->pool[i], &value))
			continue;
		fprintf(f, "pmemvol_pool_%s", m->name);
		print_pool_labels(f, &pools->pool[i]);
		print_value(f, value, m->unit);
	}
}

static void print_modes(FILE *f, const struct pv_pools *pools)
{
	fputs("# HELP pmemvol_pool_mode What an active pool still does: 1 for the mode it is in.\n"
	      "# TYPE pmemvol_pool_mode gauge\n",
	      f);
	for (size_t i = 0; i < pools->nr; i++)
		for (uint32_t mode = PMEMVOL_MODE_WRITABLE; mode <= PMEMVOL_MODE_FAILED; mode++) {
			const struct pv_pool *p = &pools->pool[i];

			fputs("pmemvol_pool_mode", f);
			print_label(f, "{", "pool", p->name);
			print_label(f, ",", "mode", pv_mode_name(mode));
			fprintf(f, "} %d\n", p->mode == mode);
		}
}

static bool member_size(const void *object, uint64_t *value)
{
	*value = ((const struct pv_member *)object)->size;
	return true;
}

static bool member_bad_blocks(const void *object, uint64_t *value)
{
	*value = ((const struct pv_member *)object)->bad_blocks;
	return true;
}

static const struct metric member_metrics[] = {
	{ "size_bytes", "Bytes of chunks on a pool's member.", false, 1, member_size },
	{ "bad_blocks", "Known bad blocks of 512 bytes on a pool's member.", false, 1,
	  member_bad_blocks },
};

static void print_members_metric(FILE *f, const struct pv_pools *pools, const struct metric *m)
{
	print_head(f, "pmemvol_member", m);
	for (size_t i = 0; i < pools->nr; i++)
		for (unsigned int j = 0; j < pools->pool[i].nr_members; j++) {
			const struct pv_member *member = &pools->pool[i].members[j];
			uint64_t value;

			m->value(member, &value);
			fprintf(f, "pmemvol_member_%s", m->name);
			print_label(f, "{", "pool", pools->pool[i].name);
			print_label(f, ",", "device", member->device);
			fprintf(f, ",member=\"%u\"}", j);
			print_value(f, value, m->unit);
		}
}

/* Memory that has failed is no bad block of the device. */
static void print_failed_memory(FILE *f, const struct pv_metrics *m)
{
	fputs("# HELP pmemvol_member_failed_memory_bytes Memory of a pool's member that has failed and is no known bad block.\n"
	      "# TYPE pmemvol_member_failed_memory_bytes gauge\n",
	      f);
	for (size_t i = 0; i < m->active.nr; i++)
		for (unsigned int j = 0; j < m->active.pool[i].nr_members; j++) {
			const struct pv_pool *p = &m->active.pool[i];
			uint64_t bytes = 0;

			for (size_t k = 0; k < m->bads[i].nr; k++)
				if (m->bads[i].bad[k].poison && m->bads[i].bad[k].member == j)
					bytes += m->bads[i].bad[k].length;
			print_label(f, "pmemvol_member_failed_memory_bytes{", "pool", p->name);
			print_label(f, ",", "device", p->members[j].device);
			fprintf(f, ",member=\"%u\"} %" PRIu64 "\n", j, bytes);
		}
}

static void print_pools(FILE *f, const struct pv_metrics *m)
{
	for (size_t i = 0; i < COUNT(pool_metrics); i++) {
		print_head(f, "pmemvol_pool", &pool_metrics[i]);
		print_pools_metric(f, &m->active, &pool_metrics[i]);
		print_pools_metric(f, &m->inactive, &pool_metrics[i]);
	}
	print_modes(f, &m->active);
	for (size_t i = 0; i < COUNT(member_metrics); i++)
		print_members_metric(f, &m->active, &member_metrics[i]);
	print_failed_memory(f, m);
}

/* ---- volumes ---- */

#define VOLUME_VALUE(key)                                              \
	static bool volume_##key(const void *object, uint64_t *value)  \
	{                                                              \
		*value = ((const struct volume *)object)->volume->key; \
		return true;                                           \
	}

VOLUME_VALUE(size)
VOLUME_VALUE(provisioned)
VOLUME_VALUE(metadata)
VOLUME_VALUE(openers)
VOLUME_VALUE(snapshots)

static bool volume_failed(const void *object, uint64_t *value)
{
	*value = ((const struct volume *)object)->volume->state != PMEMVOL_VOLUME_ACTIVE;
	return true;
}

#define IO_VALUE(key, index, times)                                                   \
	static bool volume_##key(const void *object, uint64_t *value)                 \
	{                                                                             \
		*value = ((const struct volume *)object)->io->field[index] * (times); \
		return ((const struct volume *)object)->io->known;                    \
	}

IO_VALUE(reads, PV_IO_READS, 1)
IO_VALUE(read_bytes, PV_IO_READ_SECTORS, SECTOR)
IO_VALUE(read_ms, PV_IO_READ_MS, 1)
IO_VALUE(writes, PV_IO_WRITES, 1)
IO_VALUE(written_bytes, PV_IO_WRITE_SECTORS, SECTOR)
IO_VALUE(write_ms, PV_IO_WRITE_MS, 1)
IO_VALUE(discards, PV_IO_DISCARDS, 1)
IO_VALUE(discarded_bytes, PV_IO_DISCARD_SECTORS, SECTOR)
IO_VALUE(flushes, PV_IO_FLUSHES, 1)

static const struct metric volume_metrics[] = {
	{ "size_bytes", "Size of the volume.", false, 1, volume_size },
	{ "provisioned_bytes", "Provisioned to the volume.", false, 1, volume_provisioned },
	{ "metadata_bytes", "Of the volume's map, both copies.", false, 1, volume_metadata },
	{ "openers", "Programs, mounts and exports that have the volume open.", false, 1,
	  volume_openers },
	{ "snapshots", "Snapshots of the volume.", false, 1, volume_snapshots },
	{ "failed", "Whether the volume has failed.", false, 1, volume_failed },
	{ "reads_completed_total", "Reads, but of what is mapped.", true, 1, volume_reads },
	{ "read_bytes_total", "Bytes read, but of what is mapped.", true, 1, volume_read_bytes },
	{ "read_time_seconds_total", "Time spent in reads.", true, 1000, volume_read_ms },
	{ "writes_completed_total", "Writes, but to what is mapped.", true, 1, volume_writes },
	{ "written_bytes_total", "Bytes written, but to what is mapped.", true, 1,
	  volume_written_bytes },
	{ "write_time_seconds_total", "Time spent in writes.", true, 1000, volume_write_ms },
	{ "discards_completed_total", "Discards.", true, 1, volume_discards },
	{ "discarded_bytes_total", "Bytes discarded.", true, 1, volume_discarded_bytes },
	{ "flushes_completed_total", "Flushes.", true, 1, volume_flushes },
};

static void print_volume_labels(FILE *f, const struct pv_volume *v)
{
	print_label(f, "{", "pool", v->pool);
	print_label(f, ",", "volume", v->name);
}

static uint64_t bad_bytes(const struct pv_metrics *m, const struct pv_volume *v)
{
	uint64_t bytes = 0;

	for (size_t i = 0; i < m->active.nr; i++)
		for (size_t k = 0; !strcmp(m->active.pool[i].name, v->pool) && k < m->bads[i].nr;
		     k++) {
			const struct pv_bad *b = &m->bads[i].bad[k];

			if (!b->snapshot[0] && !strcmp(b->volume, v->name))
				bytes += b->length;
		}
	return bytes;
}

static void print_bad(FILE *f, const struct pv_metrics *m)
{
	fputs("# HELP pmemvol_volume_bad_bytes What of the volume is on bad blocks or memory that has failed.\n"
	      "# TYPE pmemvol_volume_bad_bytes gauge\n",
	      f);
	for (size_t i = 0; i < m->volumes.nr; i++) {
		fputs("pmemvol_volume_bad_bytes", f);
		print_volume_labels(f, &m->volumes.volume[i]);
		fprintf(f, "} %" PRIu64 "\n", bad_bytes(m, &m->volumes.volume[i]));
	}
}

static void print_volumes(FILE *f, const struct pv_metrics *m)
{
	uint64_t value;

	fputs("# HELP pmemvol_volume_info What the volume is; always 1.\n"
	      "# TYPE pmemvol_volume_info gauge\n",
	      f);
	for (size_t i = 0; i < m->volumes.nr; i++) {
		const struct pv_volume *v = &m->volumes.volume[i];

		fputs("pmemvol_volume_info", f);
		print_volume_labels(f, v);
		print_label(f, ",", "device", v->disk);
		fprintf(f, ",kind=\"%s\"} 1\n", v->thick ? "thick" : "thin");
	}
	for (size_t i = 0; i < COUNT(volume_metrics); i++) {
		print_head(f, "pmemvol_volume", &volume_metrics[i]);
		for (size_t j = 0; j < m->volumes.nr; j++) {
			struct volume v = { &m->volumes.volume[j], &m->io[j] };

			if (!volume_metrics[i].value(&v, &value))
				continue;
			fprintf(f, "pmemvol_volume_%s", volume_metrics[i].name);
			print_volume_labels(f, v.volume);
			fputc('}', f);
			print_value(f, value, volume_metrics[i].unit);
		}
	}
	print_bad(f, m);
}

/* ---- exports ---- */

static void print_exports(FILE *f, const struct pv_metrics *m)
{
	fputs("# HELP pvctl_export_enabled Whether what is on record as exported is in effect.\n"
	      "# TYPE pvctl_export_enabled gauge\n",
	      f);
	for (size_t i = 0; i < m->nr_views; i++) {
		const struct pv_export_view *v = &m->views[i];

		print_label(f, "pvctl_export_enabled{", "pool", v->pool);
		print_label(f, ",", "volume", v->volume);
		/* Of a deleted volume there may be a record beside another one's of its name. */
		print_label(f, ",", "nqn", v->e->nqn);
		print_label(f, ",", "transport", pv_transport_name(v->port->transport));
		print_label(f, ",", "address", v->port->address);
		fprintf(f, ",port=\"%u\"} %d\n", v->port->port, v->state.enabled);
	}
	fprintf(f,
		"# HELP pvctl_export_damaged_records Records of exports that cannot be read.\n"
		"# TYPE pvctl_export_damaged_records gauge\n"
		"pvctl_export_damaged_records %u\n",
		m->damaged);
}

/* ---- attachments ---- */

#define FENCE_VALUE(key, attr)                                                                \
	static bool fence_##key(const void *object, uint64_t *value)                          \
	{                                                                                     \
		*value = ((const struct pv_attachment *)object)->key;                         \
		return PV_HAS((const struct pv_attachment *)object, NVME_FENCE_A_ATT_##attr); \
	}

FENCE_VALUE(size, SIZE)
FENCE_VALUE(epoch, EPOCH)
FENCE_VALUE(device_epoch, DEVICE_EPOCH)
FENCE_VALUE(openers, OPENERS)
FENCE_VALUE(in_flight, IN_FLIGHT)
FENCE_VALUE(writes_in_flight, WRITES_IN_FLIGHT)
FENCE_VALUE(refused, REFUSED)
FENCE_VALUE(lease, LEASE)

static bool fence_lease_left(const void *object, uint64_t *value)
{
	const struct pv_attachment *a = object;

	*value = a->lease_left;
	return a->lease && PV_HAS(a, NVME_FENCE_A_ATT_LEASE_LEFT);
}

static const struct metric fence_metrics[] = {
	{ "size_bytes", "Size of the attachment.", false, 1, fence_size },
	{ "epoch", "Epoch granted last, 0: none yet.", false, 1, fence_epoch },
	{ "newest_epoch", "Newest epoch known of the device below.", false, 1, fence_device_epoch },
	{ "openers", "Programs and mounts that have the attachment open.", false, 1,
	  fence_openers },
	{ "in_flight", "Reads and writes under way.", false, 1, fence_in_flight },
	{ "writes_in_flight", "Writes under way.", false, 1, fence_writes_in_flight },
	{ "refused_writes_total", "Writes refused by the gate or by the device.", true, 1,
	  fence_refused },
	{ "lease_seconds", "Time after which writes are denied unless renewed, 0: never.", false,
	  1000, fence_lease },
	{ "lease_left_seconds", "What is left of that.", false, 1000, fence_lease_left },
};

static void print_fence_info(FILE *f, const struct pv_attachments *all)
{
	fputs("# HELP nvme_fence_attachment_info What the attachment is; always 1.\n"
	      "# TYPE nvme_fence_attachment_info gauge\n",
	      f);
	for (size_t i = 0; i < all->nr; i++) {
		const struct pv_attachment *a = &all->attachment[i];

		print_label(f, "nvme_fence_attachment_info{", "attachment", a->name);
		print_label(f, ",", "device", a->disk);
		print_label(f, ",", "lower", a->device);
		print_label(f, ",", "grade", pv_grade_name(a->grade));
		fprintf(f, ",node=\"%" PRIu32 "\"} 1\n", a->node_id);
	}
}

static void print_fence_states(FILE *f, const struct pv_attachments *all)
{
	fputs("# HELP nvme_fence_attachment_state May it write? 1 for the state it is in.\n"
	      "# TYPE nvme_fence_attachment_state gauge\n",
	      f);
	for (size_t i = 0; i < all->nr; i++)
		for (uint32_t s = NVME_FENCE_STATE_FENCED; s <= NVME_FENCE_STATE_STALE; s++) {
			print_label(f, "nvme_fence_attachment_state{", "attachment",
				    all->attachment[i].name);
			print_label(f, ",", "state", pv_fence_state_name(s));
			fprintf(f, "} %d\n", all->attachment[i].state == s);
		}
	fputs("# HELP nvme_fence_attachment_denied Why it may not write; absent while it may.\n"
	      "# TYPE nvme_fence_attachment_denied gauge\n",
	      f);
	for (size_t i = 0; i < all->nr; i++) {
		const struct pv_attachment *a = &all->attachment[i];

		if (a->state == NVME_FENCE_STATE_GRANTED)
			continue;
		print_label(f, "nvme_fence_attachment_denied{", "attachment", a->name);
		print_label(f, ",", "reason", pv_fence_reason_name(a->reason));
		fputs("} 1\n", f);
	}
}

static void print_fences(FILE *f, const struct pv_attachments *all)
{
	uint64_t value;

	print_fence_info(f, all);
	print_fence_states(f, all);
	for (size_t i = 0; i < COUNT(fence_metrics); i++) {
		print_head(f, "nvme_fence_attachment", &fence_metrics[i]);
		for (size_t j = 0; j < all->nr; j++) {
			if (!fence_metrics[i].value(&all->attachment[j], &value))
				continue;
			fprintf(f, "nvme_fence_attachment_%s", fence_metrics[i].name);
			print_label(f, "{", "attachment", all->attachment[j].name);
			fputc('}', f);
			print_value(f, value, fence_metrics[i].unit);
		}
	}
}

void pv_metrics_print(FILE *f, const struct pv_metrics *m)
{
	fprintf(f,
		"# HELP pvctl_module_up Whether the kernel module answers.\n"
		"# TYPE pvctl_module_up gauge\n"
		"pvctl_module_up{module=\"pmemvol\"} %d\n"
		"pvctl_module_up{module=\"nvme_fence\"} %d\n",
		m->has_pools, m->has_fences);
	if (m->has_pools) {
		print_pools(f, m);
		print_volumes(f, m);
	}
	if (m->has_exports)
		print_exports(f, m);
	if (m->has_fences)
		print_fences(f, &m->attachments);
}
