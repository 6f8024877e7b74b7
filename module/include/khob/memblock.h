/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Generated, do not edit, from abi-gen/schema/memblock.yaml
 * (make it again with: cmake --build build --target abi)
 *
 * The ABI of memory that was reserved by name at 4K pages: memblock-v1.
 */
#ifndef KHOB_MEMBLOCK_H
#define KHOB_MEMBLOCK_H

#include <linux/types.h>
#ifdef __KERNEL__
#include <linux/build_bug.h>
#include <linux/compiler.h>
#include <linux/stddef.h>
#else
#include <assert.h>
#include <stddef.h>
#ifndef __packed
#define __packed __attribute__((__packed__))
#endif
#endif
#include "khob/abi.h"

/**
 * enum khob_memblock_abi - versions of the ABI, oldest first
 * @KHOB_MEMBLOCK_ABI_MEMBLOCK_V1: The first version.
 * @KHOB_MEMBLOCK_ABI_NR: number of versions
 */
enum khob_memblock_abi {
	KHOB_MEMBLOCK_ABI_MEMBLOCK_V1,
	KHOB_MEMBLOCK_ABI_NR
};

/* What is written unless something else is asked for. */
#define KHOB_MEMBLOCK_ABI_DEFAULT KHOB_MEMBLOCK_ABI_MEMBLOCK_V1

#define KHOB_MEMBLOCK_COMPATIBLE_MEMBLOCK_V1 "memblock-v1"

/*
 * The subtree, a flattened device tree. Its root has a subnode for each area, by the area's name on
 * the command line; what these hold has a version of its own (reserve_mem.yaml). Source:
 * include/linux/kho/abi/memblock.h, mm/memblock.c.
 */

#define KHOB_MEMBLOCK_NAME "memblock" /* Name of the subtree. */

/* The version's compatible string; another one is warned about and left alone. */
#define KHOB_MEMBLOCK_PROP_COMPATIBLE "compatible"

#endif /* KHOB_MEMBLOCK_H */
