/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The only place that knows how kernels differ; force-included, so that the
 * rest reads as code for one kernel. Features are probed, not versions.
 */
#ifndef KHOB_COMPAT_H
#define KHOB_COMPAT_H

/* Before any header that defines a default. */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/cleanup.h>
#include <linux/gfp.h>
#include <linux/log2.h>
#include <linux/mm.h>
#include <linux/page-flags.h>
#include <linux/poison.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>

/*
 * The buddy allocator's largest order. Its name and whether it is inclusive
 * changed in 6.4 and 6.8; MAX_ORDER_NR_PAGES has meant the same all along.
 */
#define KHOB_BUDDY_ORDER_MAX ilog2(MAX_ORDER_NR_PAGES)

/* 6.16 replaced the migrate type of alloc_contig_range() by flags. */
#ifdef ACR_FLAGS_NONE
#define KHOB_CONTIG_KIND ACR_FLAGS_NONE
#else
#define KHOB_CONTIG_KIND MIGRATE_MOVABLE
#endif

#include "mem/compound.h"

/* 6.1 has no __free(kvfree) yet. */
DEFINE_FREE(khob_kvfree, void *, if (_T) kvfree(_T))

#endif /* KHOB_COMPAT_H */
