/* SPDX-License-Identifier: GPL-2.0 */
/* Signatures of others: a device that carries one is not formatted unless that is asked for. */
#ifndef PMV_CORE_FOREIGN_H
#define PMV_CORE_FOREIGN_H

#include "pmv_port.h"

/**
 * struct pmv_signature - bytes by which a format is known
 * @name: of the format
 * @off: from the start of the device; from its end when negative
 * @len: of @bytes
 * @bytes: what stands there
 */
struct pmv_signature {
	const char *name;
	s64 off;
	unsigned int len;
	const char *bytes;
};

#define PMV_SIGNATURE_LEN_MAX 16

extern const struct pmv_signature pmv_signatures[];
extern const unsigned int pmv_nr_signatures;

/** pmv_signature_off() - where on a device of @size bytes. Return: offset, or U64_MAX: not there */
u64 pmv_signature_off(const struct pmv_signature *s, u64 size);

#endif /* PMV_CORE_FOREIGN_H */
