// SPDX-License-Identifier: GPL-2.0
/* Loading libndctl when it is needed. */
#include <dlfcn.h>
#include <stdbool.h>

#include "nd.h"

/* The ABI that nd.h is compiled against; it has been the same since 2014. */
#define SONAME "libndctl.so.6"

void *pv_nd[PV_ND_NR];

static const char *const names[PV_ND_NR] = {
#define NAME(function) #function,
	PV_ND_FUNCTIONS(NAME)
#undef NAME
};

const char *pv_nd_load(void)
{
	static bool loaded;
	void *library;

	if (loaded)
		return NULL;
	library = dlopen(SONAME, RTLD_LAZY | RTLD_LOCAL);
	if (!library)
		return dlerror();
	for (unsigned int i = 0; i < PV_ND_NR; i++) {
		pv_nd[i] = dlsym(library, names[i]);
		if (!pv_nd[i])
			return dlerror();
	}
	loaded = true;
	return NULL;
}

int pv_nd_open(struct pv_ctx *ctx, struct ndctl_ctx **nd)
{
	const char *why = pv_nd_load();
	int ret;

	*nd = NULL;
	if (why)
		return pv_fail(ctx, PV_UNAVAILABLE, "regions are looked at by libndctl: %s", why);
	ret = ndctl_new(nd);
	return ret < 0 ? pv_fail_sys(ctx, -ret, "cannot look at NVDIMM regions") : PV_OK;
}
