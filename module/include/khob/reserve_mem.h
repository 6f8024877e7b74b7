/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Generated, do not edit, from abi-gen/schema/reserve_mem.yaml
 * (make it again with: cmake --build build --target abi)
 *
 * The ABI of one area that was reserved by name at 4K pages: reserve-mem-v1.
 */
#ifndef KHOB_RESERVE_MEM_H
#define KHOB_RESERVE_MEM_H

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
 * enum khob_reserve_mem_abi - versions of the ABI, oldest first
 * @KHOB_RESERVE_MEM_ABI_RESERVE_MEM_V1: The first version.
 * @KHOB_RESERVE_MEM_ABI_NR: number of versions
 */
enum khob_reserve_mem_abi {
	KHOB_RESERVE_MEM_ABI_RESERVE_MEM_V1,
	KHOB_RESERVE_MEM_ABI_NR
};

/* What is written unless something else is asked for. */
#define KHOB_RESERVE_MEM_ABI_DEFAULT KHOB_RESERVE_MEM_ABI_RESERVE_MEM_V1

#define KHOB_RESERVE_MEM_COMPATIBLE_RESERVE_MEM_V1 "reserve-mem-v1"

/*
 * The node. The next kernel reserves the area again if its command line asks for one of that name,
 * size and alignment. Source: include/linux/kho/abi/memblock.h, mm/memblock.c.
 */

#define KHOB_RESERVE_MEM_PROP_COMPATIBLE "compatible" /* The version's compatible string. */
#define KHOB_RESERVE_MEM_PROP_START "start" /* Physical address of the area. [bytes] */
#define KHOB_RESERVE_MEM_PROP_SIZE "size" /* Length of the area. [bytes] */

#endif /* KHOB_RESERVE_MEM_H */
