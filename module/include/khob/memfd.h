/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Generated, do not edit, from abi-gen/schema/memfd.yaml
 * (make it again with: cmake --build build --target abi)
 *
 * The ABI of a memfd that is handed over at 4K pages: memfd-v2.
 */
#ifndef KHOB_MEMFD_H
#define KHOB_MEMFD_H

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
 * enum khob_memfd_abi - versions of the ABI, oldest first
 * @KHOB_MEMFD_ABI_MEMFD_V2: Seals go along.
 * @KHOB_MEMFD_ABI_NR: number of versions
 */
enum khob_memfd_abi {
	KHOB_MEMFD_ABI_MEMFD_V2,
	KHOB_MEMFD_ABI_NR
};

/* What is written unless something else is asked for. */
#define KHOB_MEMFD_ABI_DEFAULT KHOB_MEMFD_ABI_MEMFD_V2

#define KHOB_MEMFD_COMPATIBLE_MEMFD_V2 "memfd-v2"

/*
 * The seals that a memfd may have. One that is not among them keeps a memfd from being handed over,
 * and from being taken. Source: include/uapi/linux/fcntl.h.
 */

#define KHOB_MEMFD_SEAL_SEAL 0x1U /* No seal is added. */
#define KHOB_MEMFD_SEAL_SHRINK 0x2U /* It gets no shorter. */
#define KHOB_MEMFD_SEAL_GROW 0x4U /* It gets no longer. */
#define KHOB_MEMFD_SEAL_WRITE 0x8U /* Nobody writes to it. */
/* Nobody writes to it but through the mappings that there were. */
#define KHOB_MEMFD_SEAL_FUTURE_WRITE 0x10U
#define KHOB_MEMFD_SEAL_EXEC 0x20U /* It stays executable or not. */
#define KHOB_MEMFD_SEALS_ALL 0x3fU /* All that this version knows. */

/*
 * The struct is page-sized at least and preserved as a folio; its physical address is the file's
 * data to LUO. Source: include/linux/kho/abi/memfd.h, mm/memfd_luo.c.
 */

/*
 * Of struct khob_memfd_folio_ser's flags: somebody has written to it. All that are preserved have
 * it.
 */
#define KHOB_MEMFD_FOLIO_DIRTY 0x1U
/*
 * Of struct khob_memfd_folio_ser's flags: it holds what the file holds. Without it the kernel that
 * takes it fills it with zeroes.
 */
#define KHOB_MEMFD_FOLIO_UPTODATE 0x2U
/* A file of more pages is not handed over (EFBIG). [pages] */
#define KHOB_MEMFD_FOLIOS_MAX 0xffffffffU

/**
 * struct khob_memfd_folio_ser - A folio of the file.
 * @pfn: Number of its first page frame.
 * @flags: KHOB_MEMFD_FOLIO_DIRTY, KHOB_MEMFD_FOLIO_UPTODATE.
 * @index: Where it is in the file. [pages]
 */
struct khob_memfd_folio_ser {
	__extension__ __u64 pfn:52;
	__extension__ __u64 flags:12;
	__u64 index;
} __packed;

static_assert(sizeof(struct khob_memfd_folio_ser) == 16, "size of khob_memfd_folio_ser");
static_assert(offsetof(struct khob_memfd_folio_ser, index) == 8, "index");

/**
 * struct khob_memfd_ser - A memfd.
 * @pos: Where the file is read and written next. [bytes]
 * @size: Length of the file. [bytes]
 * @seals: Its seals.
 * @flags: Written as 0.
 * @nr_folios: Folios of the file; holes have none. [entries]
 * @folios: The area that an array of struct khob_memfd_folio_ser is in, in the file's order.
 */
struct khob_memfd_ser {
	__u64 pos;
	__u64 size;
	__u32 seals;
	__u32 flags;
	__u64 nr_folios;
	struct khob_vmalloc folios;
} __packed;

static_assert(sizeof(struct khob_memfd_ser) == 48, "size of khob_memfd_ser");
static_assert(offsetof(struct khob_memfd_ser, pos) == 0, "pos");
static_assert(offsetof(struct khob_memfd_ser, size) == 8, "size");
static_assert(offsetof(struct khob_memfd_ser, seals) == 16, "seals");
static_assert(offsetof(struct khob_memfd_ser, flags) == 20, "flags");
static_assert(offsetof(struct khob_memfd_ser, nr_folios) == 24, "nr_folios");
static_assert(offsetof(struct khob_memfd_ser, folios) == 32, "folios");

#endif /* KHOB_MEMFD_H */
