// SPDX-License-Identifier: GPL-2.0
#include "ktap.h"

unsigned int ktap_failures;

int ktap_run(const struct ktap_test *test, size_t nr, int argc, char **argv)
{
	const char *only = argc > 1 ? argv[1] : "";
	size_t i, n = 0, planned = 0;
	bool ok = true;

	for (i = 0; i < nr; i++)
		planned += strstr(test[i].name, only) != NULL;
	printf("TAP version 13\n1..%zu\n", planned);
	for (i = 0; i < nr; i++) {
		if (!strstr(test[i].name, only))
			continue;
		/* What stands above is not lost when a sanitizer ends the test. */
		fflush(stdout);
		ktap_failures = 0;
		test[i].run();
		if (ktap_failures > KTAP_EXPLAINED)
			printf("# %u failures\n", ktap_failures);
		printf("%sok %zu %s\n", ktap_failures ? "not " : "", ++n, test[i].name);
		ok &= !ktap_failures;
	}
	return ok && planned ? 0 : 1;
}
