# SPDX-License-Identifier: GPL-2.0-only
# For a Kbuild whose sources include compound.h: what it has to know of the target's struct page
# and struct folio.

khob-have = $(if $(shell grep -E '$(2)' $(srctree)/include/linux/$(1)),-DKHOB_HAVE_$(3))
ccflags-y += $(call khob-have,mm_types.h,unsigned char compound_dtor;,COMPOUND_DTOR)
ccflags-y += $(call khob-have,mm_types.h,atomic_t subpages_mapcount;,SUBPAGES_MAPCOUNT)
ccflags-y += $(call khob-have,mm_types.h,atomic_t _large_mapcount;,LARGE_MAPCOUNT)
ccflags-y += $(call khob-have,mm_types.h,unsigned int _folio_nr_pages;,FOLIO_NR_PAGES)
ccflags-y += $(call khob-have,mm_types.h,unsigned long _mm_ids;,MM_IDS)
ccflags-y += $(call khob-have,mm_types.h,unsigned long compound_info;,COMPOUND_INFO)
