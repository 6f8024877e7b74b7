/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What lib/test_kho.c takes for granted of its own release, for older kernels. Force-
 * included: the file itself is not touched.
 */
#ifndef KHOB_NEWER_H
#define KHOB_NEWER_H

/* It defines this too, in the same words, but not before our headers need it. */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/libfdt_env.h>
#include <linux/mm.h>
#include <linux/mmzone.h>
#include <linux/random.h>
#include <linux/slab.h>

/* 6.8 gave the buddy allocator's largest order, now inclusive, its name. */
#ifndef MAX_PAGE_ORDER
#define MAX_PAGE_ORDER (MAX_ORDER - 1)
#endif
#ifndef NR_PAGE_ORDERS
#define NR_PAGE_ORDERS (MAX_PAGE_ORDER + 1)
#endif

#ifndef kvmalloc_objs
#define kvmalloc_objs(object, count) kvmalloc_array(count, sizeof(object), GFP_KERNEL)
#endif

#endif /* KHOB_NEWER_H */
