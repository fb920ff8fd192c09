// SPDX-License-Identifier: GPL-2.0
/* The core that is looked at: the one this program is built from, or a changed one. */
#include <dlfcn.h>
#include <stdio.h>
#include "model.h"

struct core core;

void core_builtin(void)
{
	core = (struct core){
		.acquire_start = nvf_acquire_start,
		.acquire_next = nvf_acquire_next,
		.gate_event = nvf_gate_event,
		.gate_grant = nvf_gate_grant,
		.report_holds = nvf_report_holds,
		.report_remote = nvf_report_remote,
		.pr_register = nvf_pr_register,
		.pr_reserve = nvf_pr_reserve,
		.pr_release = nvf_pr_release,
		.pr_preempt = nvf_pr_preempt,
		.pr_clear = nvf_pr_clear,
		.pr_granted = nvf_pr_granted,
		.pr_released = nvf_pr_released,
		.pr_evicted = nvf_pr_evicted,
	};
}

bool core_load(const char *path)
{
	void *lib = dlopen(path, RTLD_NOW | RTLD_LOCAL);

	if (!lib) {
		printf("# %s\n", dlerror());
		return false;
	}
	core.acquire_start = dlsym(lib, "nvf_acquire_start");
	core.acquire_next = dlsym(lib, "nvf_acquire_next");
	core.gate_event = dlsym(lib, "nvf_gate_event");
	core.gate_grant = dlsym(lib, "nvf_gate_grant");
	core.report_holds = dlsym(lib, "nvf_report_holds");
	core.report_remote = dlsym(lib, "nvf_report_remote");
	core.pr_register = dlsym(lib, "nvf_pr_register");
	core.pr_reserve = dlsym(lib, "nvf_pr_reserve");
	core.pr_release = dlsym(lib, "nvf_pr_release");
	core.pr_preempt = dlsym(lib, "nvf_pr_preempt");
	core.pr_clear = dlsym(lib, "nvf_pr_clear");
	core.pr_granted = dlsym(lib, "nvf_pr_granted");
	core.pr_released = dlsym(lib, "nvf_pr_released");
	core.pr_evicted = dlsym(lib, "nvf_pr_evicted");
	return core.acquire_start && core.acquire_next && core.gate_event && core.gate_grant &&
	       core.report_holds && core.report_remote && core.pr_register && core.pr_reserve &&
	       core.pr_release && core.pr_preempt && core.pr_clear && core.pr_granted &&
	       core.pr_released && core.pr_evicted;
}
