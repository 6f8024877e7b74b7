# SPDX-License-Identifier: GPL-2.0-only
# For a client's Kbuild: include $(KHOB)/khob-client.mk, where KHOB is this directory.
# See docs/clients.md.
#
# A kernel that is built with KHO and has its API of 7.3 is used as it is. For any other
# the headers in compat/ come before the kernel's own: these may be absent, of another
# version, or, without CONFIG_KEXEC_HANDOVER, do nothing. KHOB_COMPAT=y asks for kho_bridge
# on any kernel, for one that is booted with kho=off.

khob-include := $(patsubst %/,%,$(dir $(abspath $(lastword $(MAKEFILE_LIST)))))
khob-header := $(wildcard $(srctree)/include/linux/kexec_handover.h)
khob-native := $(if $(filter y,$(CONFIG_KEXEC_HANDOVER)),$(if $(khob-header),$(shell \
	grep 'kho_add_subtree(const char \*name, void \*blob, size_t size)' $(khob-header))))

ccflags-y += -I$(khob-include)
ifneq ($(KHOB_COMPAT)$(if $(khob-native),,y),)
NOSTDINC_FLAGS += -I$(khob-include)/compat
endif
