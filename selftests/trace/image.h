/* SPDX-License-Identifier: GPL-2.0 */
/* The image of an NVDIMM with one pool on it: changed store by store, and back. */
#ifndef TRACE_IMAGE_H
#define TRACE_IMAGE_H

#include <stdio.h>

#include "../unit/pool.h"

struct image {
	u8 *data;
	u64 size;
	u64 start; /* of the device in the NVDIMM: there may be labels before it */
	u64 device_size;
};

/* Read a file, of which the last @label bytes are not the guest's to store to. */
void image_read(struct image *im, const char *file);
/* Find the device by its superblock. */
bool image_find(struct image *im);
/* Places that hold metadata: what comes before the chunks, and the metadata's own chunks. */
bool image_meta(struct image *im, bool *meta_chunk, unsigned int nr, u64 *data_off,
		unsigned int *shift);
/*
 * Is the pool whole after a power cut that has left the image so? What recovery changes is changed
 * back. Otherwise @why says what is wrong.
 */
bool image_recovers(struct image *im, const char **why);

#endif /* TRACE_IMAGE_H */
