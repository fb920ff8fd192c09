/* SPDX-License-Identifier: GPL-2.0 */
/* Where the media of a pool are known to be bad. */
#ifndef PVCTL_MEDIA_H
#define PVCTL_MEDIA_H

#include "object.h"
#include "pvctl.h"

struct json_object;

/**
 * struct pv_bad - a place
 * @poison: memory has failed there; a block that is known to be bad otherwise
 * @owner: "data", "metadata", "header" or "free"
 * @volume: whose data it is; empty: nobody's
 * @snapshot: the snapshot of that volume that keeps it by itself; empty: it is the volume's
 */
struct pv_bad {
	uint32_t member;
	uint64_t offset;
	uint64_t length;
	bool poison;
	char owner[16];
	char volume[PMEMVOL_NAME_MAX + 1];
	char snapshot[PMEMVOL_NAME_MAX + 1];
	uint64_t volume_offset;
};

struct pv_bads {
	struct pv_bad *bad;
	size_t nr;
};

/** pv_bad_decode() - one message. Return: 0 or -EBADMSG */
int pv_bad_decode(struct nlattr **top, struct pv_bad *bad);

/** pv_bad_dump() - all places of a pool. @volume: of it only and not its snapshots, unless NULL */
int pv_bad_dump(struct pv_ctx *ctx, const char *pool, const char *volume, struct pv_bads *out);

void pv_bads_free(struct pv_bads *bads);

/** pv_bad_json() - @pool: names the device; NULL: the key is left out */
struct json_object *pv_bad_json(const struct pv_bads *bads, const struct pv_pool *pool);

#endif /* PVCTL_MEDIA_H */
