# SPDX-License-Identifier: GPL-2.0
# `make demo` shows what this is for, `make check` proves it; `make help` lists the rest.

KVER ?= $(shell uname -r)
KDIR ?= /lib/modules/$(KVER)/build
PREFIX ?= /usr
# Where modules that do not come with the kernel go, below /lib/modules/KVER.
MODULEDIR ?= updates/pmemvol
RELEASES ?= bookworm trixie trixie-backports bullseye

.DEFAULT_GOAL := all
.PHONY: all modules tools programs demo check check-quick check-debug bench bench-gate install uninstall modules_install style clean help

all: modules tools ## modules for the running kernel (KVER, KDIR) and the tools

modules: ## kernel modules
	$(MAKE) -C $(KDIR) M=$(CURDIR) modules

tools: ## pvctl
	$(MAKE) -C tools/pvctl

programs: ## programs that the tests run in the guest
	$(MAKE) -C selftests programs

demo: ## show it: pools, thin DAX volumes, growth, a power cut, fencing
	selftests/demo/run

check: ## all suites, shared out among RELEASES (with RELEASES=bookworm all of them on that)
	selftests/run-all $(foreach r,$(RELEASES),--release $(r))

check-quick: ## unit tests, style and some tests of everything in guests of bookworm
	selftests/run-all --quick

check-debug: ## the tests in guests on the debug kernel (KASAN, lockdep, kmemleak)
	selftests/run-all --only-guest --debug

bench: ## measure pmemvol and what else there is, side by side; DEVICES="A B" does so here, without machines
ifdef DEVICES
	selftests/bench/run --devices "$(DEVICES)"
else
	selftests/bench/run --icount
	selftests/bench/run --free
endif

bench-gate: ## has a path become longer than selftests/bench/baseline.json says?
	selftests/bench/gate

# Without the kernel's System.map, which headers lack, kbuild does not call depmod.
modules_install: modules
	$(MAKE) -C $(KDIR) M=$(CURDIR) INSTALL_MOD_PATH=$(DESTDIR) INSTALL_MOD_DIR=$(MODULEDIR) \
		modules_install
	$(if $(DESTDIR),,depmod $(KVER))

install: modules_install tools ## modules, pvctl, man pages, completion, udev rules, units (DESTDIR, PREFIX)
	$(MAKE) -C tools/pvctl install DESTDIR=$(DESTDIR) PREFIX=$(PREFIX)

uninstall: ## take back what install has put there; pools and their data stay
	cd $(DESTDIR)/lib/modules/$(KVER) && for module in pmemvol nvme_fence; do \
		rm -f $(MODULEDIR)/kernel/$$module/$$module.ko*; \
		[ ! -d $(MODULEDIR)/kernel/$$module ] || \
			rmdir -p --ignore-fail-on-non-empty $(MODULEDIR)/kernel/$$module; \
	done
	$(if $(DESTDIR),,depmod $(KVER))
	$(MAKE) -C tools/pvctl uninstall DESTDIR=$(DESTDIR) PREFIX=$(PREFIX)

style: ## checkpatch, sparse, clang-format, shellcheck
	selftests/style/run

clean: ## remove what was built here (not the machines' cache: qemu/vm clean)
	-[ ! -d $(KDIR) ] || $(MAKE) -C $(KDIR) M=$(CURDIR) clean
	$(MAKE) -C tools/pvctl clean
	$(MAKE) -C selftests clean

help:
	@sed -n 's/^\([a-z_-]*\):[^#]*## \(.*\)/  make \1|\2/p' $(MAKEFILE_LIST) | column -t -s '|'
