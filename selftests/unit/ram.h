/* SPDX-License-Identifier: GPL-2.0 */
/* A medium in memory: sparse devices, unreadable places, and an end for whoever leaves them. */
#ifndef PMV_TEST_RAM_H
#define PMV_TEST_RAM_H

#include "core.h"

#define RAM_DEVS	4
#define RAM_BAD		8

struct ram_dev {
	u64 size;
	u8 **page;			/* PMV_PAGE_SIZE each; NULL: all bytes are ram->fill */
};

struct ram_bad {
	unsigned int dev;
	u64 off;
	u64 len;
};

struct ram {
	struct ram_dev dev[RAM_DEVS];
	u8 fill;
	struct ram_bad bad[RAM_BAD];	/* reading there fails; writing there mends it */
	unsigned int nr_bad;
};

extern const struct pmv_media_ops ram_ops;

void ram_init(struct ram *r, const u64 *size, unsigned int nr, u8 fill);
void ram_exit(struct ram *r);
void ram_copy(struct ram *to, const struct ram *from);

/* Access by the test itself: bad places do not matter. */
void ram_get(const struct ram *r, unsigned int dev, u64 off, void *dst, size_t len);
void ram_set(struct ram *r, unsigned int dev, u64 off, const void *src, size_t len);
void ram_flip(struct ram *r, unsigned int dev, u64 off, u8 mask);
void ram_make_bad(struct ram *r, unsigned int dev, u64 off, u64 len);

#endif /* PMV_TEST_RAM_H */
