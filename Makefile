# SPDX-License-Identifier: GPL-2.0
# `make demo` shows what this is for, `make check` proves it; `make help` lists the rest.

KVER ?= $(shell uname -r)
KDIR ?= /lib/modules/$(KVER)/build
PREFIX ?= /usr
RELEASES ?= bookworm trixie trixie-backports

.DEFAULT_GOAL := all
.PHONY: all modules tools programs demo check check-debug install modules_install style clean help

all: modules tools ## modules for the running kernel (KVER, KDIR) and the tools

modules: ## kernel modules
	$(MAKE) -C $(KDIR) M=$(CURDIR) modules

tools: ## pvctl
	$(MAKE) -C tools/pvctl

programs: ## programs that the tests run in the guest
	$(MAKE) -C selftests programs

demo: ## show it: pools, thin DAX volumes, growth, a power cut, fencing
	selftests/demo/run

check: ## all tests, on all RELEASES (RELEASES=bookworm: on that alone)
	selftests/run-all $(foreach r,$(RELEASES),--release $(r))

check-debug: ## the tests in guests on the debug kernel (KASAN, lockdep, kmemleak)
	selftests/run-all --only-guest --debug

modules_install: modules
	$(MAKE) -C $(KDIR) M=$(CURDIR) INSTALL_MOD_PATH=$(DESTDIR) modules_install

install: modules_install tools ## modules, pvctl, its man pages, udev rules
	$(MAKE) -C tools/pvctl install DESTDIR=$(DESTDIR) PREFIX=$(PREFIX)

style: ## checkpatch, sparse, clang-format, shellcheck
	selftests/style/run

clean: ## remove what was built here (not the machines' cache: qemu/vm clean)
	-[ ! -d $(KDIR) ] || $(MAKE) -C $(KDIR) M=$(CURDIR) clean
	$(MAKE) -C tools/pvctl clean
	$(MAKE) -C selftests clean

help:
	@sed -n 's/^\([a-z_-]*\):[^#]*## \(.*\)/  make \1|\2/p' $(MAKEFILE_LIST) | column -t -s '|'
