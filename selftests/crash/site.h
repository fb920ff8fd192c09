/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The places from which the medium is changed: who calls which operation, and on whose behalf.
 * One of them at a time can be made to do nothing.
 */
#ifndef PMV_CRASH_SITE_H
#define PMV_CRASH_SITE_H

#include <stdbool.h>

enum site_op { SITE_STORE, SITE_WRITE, SITE_ZERO, SITE_FLUSH, SITE_FENCE, SITE_OPS };

#define SITES_MAX 256

/* Note that @op was called; is it to be done? @ra, @caller: return addresses. */
bool site_pass(enum site_op op, const void *ra, const void *caller);

/* Sites seen so far, and the one that does nothing, -1: none. */
unsigned int site_count(void);
void site_disable(int site);
/* "caller>function:operation", and "#n" when the function has several. Valid until the next call. */
const char *site_name(unsigned int site);
/* Resolve names. Return: false when the program's symbols cannot be read. */
bool site_names_load(void);

#endif /* PMV_CRASH_SITE_H */
