/* SPDX-License-Identifier: GPL-2.0 */
/* The kernel's NVMe target as the unit tests of pvctl have it: a tree in memory with its rules. */
#ifndef PVCTL_CONFIGFS_TEST_H
#define PVCTL_CONFIGFS_TEST_H

#include <stdbool.h>

/**
 * struct fake - how the target behaves
 * @changes: calls that change something, counted
 * @fail_at: the one of them that fails, 0: none
 * @dead: from that one on all fail
 * @no_reservations: an older kernel
 * @refused: address that cannot be listened on
 */
struct fake {
	unsigned int changes;
	unsigned int fail_at;
	bool dead;
	bool no_reservations;
	const char *refused;
};

extern struct fake fake;

/** fake_reset() - a target with nothing in it */
void fake_reset(void);

/** fake_dump() - all that is in it and what it is set to, sorted; to be freed */
char *fake_dump(void);

/** fake_value() - what an attribute is set to, "" when there is none */
const char *fake_value(const char *path);

#endif /* PVCTL_CONFIGFS_TEST_H */
