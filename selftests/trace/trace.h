/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is in a trace of stores: one record after the other, in the order of the processor. */
#ifndef TRACE_H
#define TRACE_H

#include <stdint.h>

enum trace_kind {
	TRACE_STORE, /* through the cache */
	TRACE_STORE_NT, /* past it */
	TRACE_FLUSH, /* of a line; QEMU 7.2 does not tell which */
	TRACE_FENCE,
};

struct trace_record {
	uint64_t pc;
	uint64_t value; /* little endian, as the store left it */
	uint32_t off; /* in the NVDIMM */
	uint8_t size;
	uint8_t kind;
	uint16_t reserved;
};

_Static_assert(sizeof(struct trace_record) == 24, "no holes");

#endif /* TRACE_H */
