# SPDX-License-Identifier: GPL-2.0-only
# The human interface: `make help` lists what there is.

PYTHON := /usr/bin/python3
BUILD := build
JOBS ?= $(shell nproc)
KHOBVM := PYTHONPATH=selftests/vm PYTHONDONTWRITEBYTECODE=1 $(PYTHON) -m khobvm
KHOCTL := $(BUILD)/tools/khoctl/khoctl-static

prefix ?= /usr/local
bindir ?= $(prefix)/bin
mandir ?= $(prefix)/share/man
includedir ?= $(prefix)/include
libdir ?= $(prefix)/lib
# Where Debian's python3 looks.
pythondir ?= $(prefix)/lib/python3$(if $(filter-out /usr,$(prefix)),$(shell $(PYTHON) -c \
	'import sys; print(".%d" % sys.version_info[1])'))/dist-packages
completiondir ?= $(prefix)/share/bash-completion/completions
zshdir ?= $(prefix)/share/zsh/$(if $(filter-out /usr,$(prefix)),site-functions,vendor-completions)
# Where abi-gen looks, from its own place on.
abigendir = $(prefix)/share/kho-bridge/abi-gen
tmpfilesdir ?= $(prefix)/lib/tmpfiles.d
unitdir ?= $(prefix)/lib/systemd/system
libexecdir ?= $(prefix)/libexec
# Not below prefix: dkms, the kernel, mkinitramfs and dracut look nowhere else.
dkmsdir ?= /usr/src
initramfsdir ?= /usr/share/initramfs-tools
dracutdir ?= /usr/lib/dracut/modules.d
VERSION := $(shell sed -n 's/^project.kho-bridge VERSION \([0-9.]*\).*/\1/p' CMakeLists.txt)

.DELETE_ON_ERROR:
.PHONY: help all deps tools khoctl modules demo test test-unit test-vm lint abi install uninstall clean

help: ## show this
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 20

all: tools modules ## build everything

deps: ## install the Debian packages that are missing (KHOB_NO_INSTALL=1: only say which)
	@scripts/install-deps

$(BUILD)/CMakeCache.txt: CMakeLists.txt | deps
	@cmake -S . -B $(BUILD) > $(BUILD).log 2>&1 || \
		{ cat $(BUILD).log; exit 1; }
	@mv $(BUILD).log $(BUILD)/configure.log

tools: $(BUILD)/CMakeCache.txt ## build khoctl, abi-gen and the unit tests
	@cmake --build $(BUILD) -j $(JOBS) -- --no-print-directory

khoctl: $(BUILD)/CMakeCache.txt
	@cmake --build $(BUILD) -j $(JOBS) --target khoctl khoctl-static -- --no-print-directory

modules: deps ## build kho_bridge.ko and kho_luo.ko for each stock kernel
	@$(PYTHON) scripts/build_modules.py --build $(BUILD)

demo: khoctl modules ## hand 256 MiB over from kernel to kernel, in a VM
	@$(KHOBVM) demo

test-unit: tools
	@$(PYTHON) scripts/run_tests.py unit

test-vm: tools modules
	@$(PYTHON) scripts/run_tests.py vm

test: tools modules ## run every test
	@$(PYTHON) scripts/run_tests.py all

# KERNELS="7.2 7.3" builds both. 7.3-lockdep watches locks and data races, and has allocations
# fail; 7.3-kasan watches every access to memory.
KERNELS ?= 7.3 7.3-lockdep 7.3-kasan
.PHONY: kernels test-interop
kernels: deps ## build the kernels with KHO for make test-interop
	@$(KHOBVM) kernels $(KERNELS)

test-interop: tools modules kernels ## run the tests with kernels that have KHO
	@$(PYTHON) scripts/build_modules.py --build $(BUILD) $(KERNELS)
	@$(PYTHON) scripts/run_tests.py interop

.PHONY: test-guests
test-guests: tools modules ## run a guest in a VM whose host goes to another kernel (minutes)
	@$(KHOBVM) run --suite guests --steps --timeout-factor 3

# KEXECS=5 does so many; SEED=S does the same again, as a run that failed says.
KEXECS ?= 100
.PHONY: soak
soak: tools modules ## kexec 100 times in a row, and compare everything with a model
	@$(KHOBVM) kernels 7.3 > $(BUILD)/kernels.log
	@$(PYTHON) scripts/build_modules.py --build $(BUILD) 7.3
	@$(KHOBVM) soak --kexecs $(KEXECS) $(if $(SEED),--seed $(SEED)) --json $(BUILD)/soak.json

# A thousand random operations on memfds in each kernel; what is in them goes from one to the next.
.PHONY: soak-memfds
soak-memfds: tools modules ## kexec 100 times in a row with memfds in sessions, against a model
	@$(KHOBVM) kernels 7.3 > $(BUILD)/kernels.log
	@$(PYTHON) scripts/build_modules.py --build $(BUILD) 7.3
	@$(KHOBVM) soak --memfds --kexecs $(KEXECS) $(if $(SEED),--seed $(SEED))

# The same with files on tmpfs that are kept, which a process writes to up to each jump.
.PHONY: soak-kept
soak-kept: tools modules ## kexec 100 times in a row with kept files, against a model
	@$(KHOBVM) soak --kept --kexecs $(KEXECS) $(if $(SEED),--seed $(SEED))

# KERNELS="6.12 7.3" runs on those only, PLACES="luo memfd" puts faults there only, FIRST=N begins
# with fault N of the seed, JSON=FILE.
FAULTS ?= 60
FIRST ?= 0
FAULT_KERNELS := $(if $(filter file default undefined,$(origin KERNELS)),6.12 7.3 7.3-lockdep,$(KERNELS))
.PHONY: faults
faults: khoctl ## start a saved VM FAULTS=60 times, each with a fault of SEED=1 in its memory
	@$(PYTHON) scripts/build_modules.py --build $(BUILD) $(sort 7.3 $(FAULT_KERNELS))
	@$(KHOBVM) faults --count $(FAULTS) --seed $(or $(SEED),1) --first $(FIRST) --jobs $(JOBS) \
		$(addprefix --kernel ,$(FAULT_KERNELS)) $(addprefix --place ,$(PLACES)) \
		$(addprefix --json ,$(JSON))

.PHONY: matrix
matrix: ## renew README's table of kernel pairs from the last results of test and test-interop
	@$(KHOBVM) matrix $(or $(wildcard $(addprefix $(BUILD)/,stock-results.json \
		interop-results.json)),$(BUILD)/stock-results.json)

# Not with CMake's default target: it fetches a kernel's source (159 MiB, once). BENCH_QUICK=1
# does little and compares all the same.
BENCH := $(BUILD)/selftests/bench/khob_bench
BENCH_JSON := $(BUILD)/bench$(if $(BENCH_QUICK),-quick).json
BENCH_DOCUMENT := PYTHONDONTWRITEBYTECODE=1 $(PYTHON) selftests/bench/document.py
.PHONY: bench bench-docs
bench: $(BUILD)/CMakeCache.txt ## compare the radix tree's speed with upstream's and other sets'
	@cmake --build $(BUILD) -j $(JOBS) --target khob_bench -- --no-print-directory
	@$(BENCH) $(if $(BENCH_QUICK),--quick) --benchmark_enable_random_interleaving=true \
		--benchmark_out=$(BENCH_JSON) --benchmark_out_format=json > $(BUILD)/bench.log 2>&1 || \
		{ tail -n 5 $(BUILD)/bench.log; exit 1; }
	@$(if $(BENCH_QUICK),echo "every structure ends with what upstream's tree has",\
		$(BENCH_DOCUMENT) userspace=$(BENCH_JSON))

# The same figures each time, whatever else the machine does.
.PHONY: bench-count
bench-count: $(BUILD)/CMakeCache.txt ## count what the rows of bench do for each key
	@cmake --build $(BUILD) -j $(JOBS) --target khob_bench -- --no-print-directory
	@PYTHONDONTWRITEBYTECODE=1 $(PYTHON) selftests/bench/counting.py $(if $(BENCH_QUICK),--quick) \
		$(BENCH) $(BUILD)/counts.json
	@$(BENCH_DOCUMENT) counts=$(BUILD)/counts.json

# FUZZ_TARGETS="chain_read control": just these. What was found before is in the cache; fuzz-keep
# takes over into selftests/fuzz/corpus what reaches more than what is there.
FUZZ_SECONDS ?= 60
FUZZ_TARGETS ?=
FUZZ := PYTHONPATH=selftests/vm PYTHONDONTWRITEBYTECODE=1 $(PYTHON) selftests/fuzz/campaign.py
.PHONY: fuzzers fuzz fuzz-keep
fuzzers: $(BUILD)/CMakeCache.txt
	@cmake --build $(BUILD) -j $(JOBS) --target fuzzers -- --no-print-directory

fuzz: fuzzers ## fuzz each parser for FUZZ_SECONDS=60, going on from what was found before
	@$(FUZZ) run --build $(BUILD) --jobs $(JOBS) --seconds $(FUZZ_SECONDS) $(FUZZ_TARGETS)

fuzz-keep: fuzzers ## renew the committed corpora from what make fuzz has found
	@$(FUZZ) keep --build $(BUILD) $(FUZZ_TARGETS)

# Results of other parts: BENCH_RESULTS="counts=FILE kernel=FILE threads=FILE end-to-end=FILE".
BENCH_RESULTS ?= userspace=$(BUILD)/bench.json
bench-docs: | deps ## renew docs/performance.md and its chart from the results of bench
	@$(BENCH_DOCUMENT) $(BENCH_RESULTS) --document docs/performance.md

lint: tools modules ## check style and run the static analysers
	@PYTHONPATH=selftests/vm PYTHONDONTWRITEBYTECODE=1 $(PYTHON) scripts/lint.py

abi: tools ## generate the headers of the ABI and of the device from their schemas
	@cmake --build $(BUILD) --target abi -- --no-print-directory

# The man pages' own source is scdoc.
MAN := $(addprefix $(BUILD)/,khoctl.1 kho-guest.1 kho-bridge.5 abi-gen.1 libkho.3)
.PHONY: man
man: $(MAN)
$(MAN): | deps
	@mkdir -p $(BUILD) && scdoc < $< > $@
$(BUILD)/khoctl.1: tools/man/khoctl.1.scd
$(BUILD)/kho-guest.1: packaging/qemu/kho-guest.1.scd
$(BUILD)/kho-bridge.5: tools/man/kho-bridge.5.scd
$(BUILD)/abi-gen.1: abi-gen/man/abi-gen.1.scd
$(BUILD)/libkho.3: libkho/libkho.3.scd

# Installed by hand or, by debian/rules, into a package's tree: dkms builds the module for each
# kernel that the machine has. install-files takes what is built as it is.
.PHONY: install-files
install: tools man ## install khoctl, abi-gen, libkho, module source (dkms), headers; honours DESTDIR, prefix
	@$(MAKE) --no-print-directory install-files

install-files:
	install -D -m 755 $(BUILD)/tools/khoctl/khoctl $(DESTDIR)$(bindir)/khoctl
	install -D -m 644 $(BUILD)/khoctl.1 $(DESTDIR)$(mandir)/man1/khoctl.1
	install -D -m 644 $(BUILD)/kho-bridge.5 $(DESTDIR)$(mandir)/man5/kho-bridge.5
	install -D -m 644 tools/completion/khoctl.bash $(DESTDIR)$(completiondir)/khoctl
	install -D -m 644 tools/completion/_khoctl $(DESTDIR)$(zshdir)/_khoctl
	install -D -m 755 $(BUILD)/abi-gen/abi-gen $(DESTDIR)$(bindir)/abi-gen
	install -D -m 644 $(BUILD)/abi-gen.1 $(DESTDIR)$(mandir)/man1/abi-gen.1
	install -D -m 644 abi-gen/completion/abi-gen.bash $(DESTDIR)$(completiondir)/abi-gen
	install -D -m 644 -t $(DESTDIR)$(abigendir) $(filter-out %/regenerate.py,$(wildcard abi-gen/*.py))
	install -D -m 644 -t $(DESTDIR)$(abigendir)/templates abi-gen/templates/*.j2
	install -D -m 644 -t $(DESTDIR)$(abigendir)/schema abi-gen/schema/*.yaml
	install -D -m 644 -t $(DESTDIR)$(includedir)/khob module/include/khob/*.h \
		$(foreach name,abi device liveupdate luo memfd sessions,tools/include/khob/$(name).hpp)
	install -D -m 644 -t $(DESTDIR)$(includedir)/khob/uapi/linux module/include/uapi/linux/liveupdate.h
	install -D -m 644 -t $(DESTDIR)$(includedir)/linux \
		$(foreach name,kho_bridge kho_luo,module/include/uapi/linux/$(name).h)
	install -D -m 644 -t $(DESTDIR)$(includedir) libkho/include/kho.h libkho/include/kho.hpp
	install -D -m 644 -t $(DESTDIR)$(libdir) $(BUILD)/libkho/libkho.a $(BUILD)/libkho/libkho.so.$(VERSION)
	ln -sf libkho.so.$(VERSION) $(DESTDIR)$(libdir)/libkho.so.0
	ln -sf libkho.so.0 $(DESTDIR)$(libdir)/libkho.so
	install -d $(DESTDIR)$(libdir)/pkgconfig
	sed 's|@PREFIX@|$(prefix)|; s|@INCLUDEDIR@|$(includedir)|; s|@LIBDIR@|$(libdir)|; s|@VERSION@|$(VERSION)|' \
		libkho/libkho.pc.in > $(DESTDIR)$(libdir)/pkgconfig/libkho.pc
	install -D -m 644 -t $(DESTDIR)$(pythondir) libkho/python/kho.py
	install -D -m 644 $(BUILD)/libkho.3 $(DESTDIR)$(mandir)/man3/libkho.3
	$(if $(DESTDIR),,ldconfig)
	install -D -m 644 -t $(DESTDIR)$(tmpfilesdir) packaging/tmpfiles.d/kho-bridge.conf
	for unit in attach keep; do sed 's|/usr/libexec|$(libexecdir)|' packaging/systemd/kho-bridge-$$unit.service | \
		install -D -m 644 /dev/stdin $(DESTDIR)$(unitdir)/kho-bridge-$$unit.service; done
	install -D -m 755 -t $(DESTDIR)$(libexecdir)/kho-bridge packaging/systemd/kho-keep
	install -D -m 755 -t $(DESTDIR)$(bindir) packaging/qemu/kho-guest
	install -D -m 644 $(BUILD)/kho-guest.1 $(DESTDIR)$(mandir)/man1/kho-guest.1
	for part in hooks scripts/init-top scripts/init-premount; do install -D -m 755 -t \
		$(DESTDIR)$(initramfsdir)/$$part packaging/initramfs-tools/$$part/kho-bridge; done
	install -D -m 755 -t $(DESTDIR)$(dracutdir)/90kho-bridge packaging/dracut/90kho-bridge/*.sh
	for file in Kbuild $$(find module luo -name Kbuild -o -name '*.[ch]' -o -name '*.mk'); do \
		install -D -m 644 $$file $(DESTDIR)$(dkmsdir)/kho-bridge-$(VERSION)/$$file; done
	sed 's/#MODULE_VERSION#/$(VERSION)/' module/dkms.conf.in > $(DESTDIR)$(dkmsdir)/kho-bridge-$(VERSION)/dkms.conf

uninstall: ## take away what install put there
	for name in khoctl abi-gen; do rm -f $(DESTDIR)$(bindir)/$$name \
		$(DESTDIR)$(mandir)/man1/$$name.1 $(DESTDIR)$(completiondir)/$$name; done
	rm -f $(DESTDIR)$(mandir)/man5/kho-bridge.5 $(DESTDIR)$(zshdir)/_khoctl \
		$(foreach name,attach keep,$(DESTDIR)$(unitdir)/kho-bridge-$(name).service) \
		$(DESTDIR)$(bindir)/kho-guest $(DESTDIR)$(mandir)/man1/kho-guest.1
	rm -rf $(DESTDIR)$(libexecdir)/kho-bridge
	rm -f $(DESTDIR)$(tmpfilesdir)/kho-bridge.conf \
		$(foreach part,hooks scripts/init-top scripts/init-premount,$(DESTDIR)$(initramfsdir)/$(part)/kho-bridge) \
		$(DESTDIR)$(includedir)/linux/kho_bridge.h $(DESTDIR)$(includedir)/linux/kho_luo.h
	rm -f $(DESTDIR)$(includedir)/kho.h $(DESTDIR)$(includedir)/kho.hpp $(DESTDIR)$(libdir)/libkho.* \
		$(DESTDIR)$(libdir)/pkgconfig/libkho.pc $(DESTDIR)$(pythondir)/kho.py \
		$(DESTDIR)$(mandir)/man3/libkho.3
	rm -rf $(DESTDIR)$(dracutdir)/90kho-bridge $(DESTDIR)$(abigendir) $(DESTDIR)$(includedir)/khob $(DESTDIR)$(dkmsdir)/kho-bridge-$(VERSION)

# From a copy of what is tracked, so that nothing of it lands in the checkout.
.PHONY: deb test-deb
deb: | deps ## build the Debian packages, into build/deb
	@scripts/install-deps deb
	@$(PYTHON) scripts/build_deb.py --build $(BUILD)

# DEB_ROOT=1, as root, installs them in a root of their own, upgrades and purges them.
test-deb: deb ## look at the Debian packages: lintian, and what each of them has
	@$(PYTHON) scripts/check_deb.py --build $(BUILD)
	@$(if $(DEB_ROOT),$(PYTHON) scripts/try_deb.py --build $(BUILD))

clean: ## remove what was built (the cache of kernels stays)
	rm -rf $(BUILD)
