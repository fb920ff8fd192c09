// SPDX-License-Identifier: GPL-2.0
#include "fence_record.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <linux/nvme_fence.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "pmv_port.h"
#include "state.h"

/* The longest name that still has room for the temporary one's prefix. */
#define FILE_NAME_MAX 200

static const struct pv_state_kind epochs = { "the record of epochs", "fence" };

size_t pv_record_format(char buf[PV_RECORD_MAX], const char *id, uint64_t epoch)
{
	int len = snprintf(buf, PV_RECORD_MAX,
			   "pvctl fence record 1\ndevice %.*s\nepoch %" PRIu64 "\n",
			   PV_FENCE_ID_MAX - 1, id, epoch);

	return (size_t)(len + snprintf(buf + len, PV_RECORD_MAX - (size_t)len, "crc32c %08x\n",
				       crc32c(~0U, buf, (size_t)len)));
}

/* Only what pv_record_format() could have written is taken; anything else is damage. */
int pv_record_parse(const char *buf, size_t len, const char *id, uint64_t *epoch, const char **why)
{
	static const char key[] = "\nepoch ";
	char text[PV_RECORD_MAX + 1], again[PV_RECORD_MAX], *at, *end;
	uint64_t value;

	*why = "is damaged";
	if (len > PV_RECORD_MAX || memchr(buf, '\0', len))
		return -EUCLEAN;
	memcpy(text, buf, len);
	text[len] = '\0';
	at = strstr(text, key);
	if (!at)
		return -EUCLEAN;
	errno = 0;
	value = strtoull(at + strlen(key), &end, 10);
	if (errno || *end != '\n' || value > NVME_FENCE_EPOCH_MAX)
		return -EUCLEAN;
	if (pv_record_format(again, id, value) != len || memcmp(again, buf, len)) {
		/* Whole in itself, it is another device's. */
		at = strstr(text, "\ndevice ");
		if (at) {
			at += strlen("\ndevice ");
			at[strcspn(at, "\n")] = '\0';
			if (strlen(at) < PV_FENCE_ID_MAX &&
			    pv_record_format(again, at, value) == len && !memcmp(again, buf, len))
				*why = "is of another device";
		}
		return -EUCLEAN;
	}
	*epoch = value;
	return 0;
}

const char *pv_record_file(const char *id, char buf[PV_FENCE_ID_MAX])
{
	size_t len = 0;

	for (const char *p = id; *p && len < FILE_NAME_MAX; p++) {
		/* The first dot would hide the file, or name the directory. */
		if (isalnum((unsigned char)*p) || strchr("_-", *p) || (len && *p == '.'))
			buf[len++] = *p;
		else
			len += (size_t)snprintf(buf + len, 4, "%%%02x", (unsigned char)*p);
	}
	buf[len] = '\0';
	if (len >= FILE_NAME_MAX)
		snprintf(buf + len, PV_FENCE_ID_MAX - len, "~%08x", crc32c(~0U, id, strlen(id)));
	return buf;
}

static int read_record(struct pv_ctx *ctx, int dir, const char *id, uint64_t *epoch)
{
	char name[PV_FENCE_ID_MAX], buf[PV_RECORD_MAX + 1];
	static const char advice[] =
		"remove it and acquire with an --epoch that is newer than any that was granted";
	const char *why;
	ssize_t len;

	*epoch = 0;
	pv_record_file(id, name);
	len = pv_state_read(dir, name, buf, sizeof(buf));
	if (len == -ENOENT)
		return PV_OK;
	if (len < 0)
		return pv_state_fail(ctx, &epochs, (int)-len);
	if (pv_record_parse(buf, (size_t)len, id, epoch, &why))
		return pv_fail(ctx, PV_DATA_LOSS, "%s/%s/%s %s: %s", pv_state_root(ctx),
			       epochs.subdir, name, why, advice);
	return PV_OK;
}

static int replace(int dir, const char *id, uint64_t epoch)
{
	char name[PV_FENCE_ID_MAX], buf[PV_RECORD_MAX];
	size_t len = pv_record_format(buf, id, epoch);

	return pv_state_replace(dir, pv_record_file(id, name), buf, len);
}

int pv_record_read(struct pv_ctx *ctx, const char *id, uint64_t *epoch)
{
	int dir, ret = pv_state_open(ctx, &epochs, false, &dir);

	*epoch = 0;
	if (ret || dir < 0)
		return ret;
	ret = read_record(ctx, dir, id, epoch);
	close(dir);
	return ret;
}

int pv_record_raise(struct pv_ctx *ctx, const char *id, uint64_t epoch)
{
	uint64_t known;
	int dir, ret = pv_state_open(ctx, &epochs, true, &dir);

	if (ret)
		return ret;
	ret = pv_state_lock(ctx, &epochs, dir);
	if (!ret)
		ret = read_record(ctx, dir, id, &known);
	if (!ret && epoch > known) {
		ret = replace(dir, id, epoch);
		if (ret)
			ret = pv_state_fail(ctx, &epochs, -ret);
	}
	close(dir);
	return ret;
}
