/* SPDX-License-Identifier: GPL-2.0 */
/* Tests in user space that report in KTAP: a table of functions, one line for each. */
#ifndef PMV_KTAP_H
#define PMV_KTAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

struct ktap_test {
	const char *name;
	void (*run)(void);
};

/* Failures of the test that runs; the first few are explained. */
extern unsigned int ktap_failures;

#define KTAP_EXPLAINED 10

#define ktap_fail(...) do { \
	if (ktap_failures++ < KTAP_EXPLAINED) { \
		printf("# %s:%d: ", __FILE__, __LINE__); \
		printf(__VA_ARGS__); \
		putchar('\n'); \
	} \
} while (0)

#define CHECK(cond) do { \
	if (!(cond)) \
		ktap_fail("%s", #cond); \
} while (0)

#define CHECK_EQ(a, b) do { \
	long long _a = (long long)(a), _b = (long long)(b); \
	if (_a != _b) \
		ktap_fail("%s is %lld, not %s (%lld)", #a, _a, #b, _b); \
} while (0)

/* Runs the tests whose name contains argv[1], or all. Return: exit status. */
int ktap_run(const struct ktap_test *test, size_t nr, int argc, char **argv);

#endif /* PMV_KTAP_H */
