/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Generated, do not edit, from abi-gen/schema/keep.yaml
 * (make it again with: cmake --build build --target abi)
 *
 * The ABI of kept files at 4K pages: keep-v1.
 */
#ifndef KHOB_KEEP_H
#define KHOB_KEEP_H

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
 * enum khob_keep_abi - versions of the ABI, oldest first
 * @KHOB_KEEP_ABI_KEEP_V1: The first version.
 * @KHOB_KEEP_ABI_NR: number of versions
 */
enum khob_keep_abi {
	KHOB_KEEP_ABI_KEEP_V1,
	KHOB_KEEP_ABI_NR
};

/* What is written unless something else is asked for. */
#define KHOB_KEEP_ABI_DEFAULT KHOB_KEEP_ABI_KEEP_V1

#define KHOB_KEEP_COMPATIBLE_KEEP_V1 "khob-keep-v1"

/* The blob of the subtree, one page. Source: kho-bridge. */

#define KHOB_KEEP_COMPATIBLE_LENGTH 24 /* The compatible string fits this with its NUL. [bytes] */

/* Name of the subtree, whose blob is one struct khob_keep_ser. */
#define KHOB_KEEP_NAME "kho-bridge-shmem"

/**
 * struct khob_keep_set - Some of the files. Each one's compatible string is memfd-v2.
 * @files: Physical address of the first block of files as LUO has them, 0 if there is none.
 *	[bytes]
 * @count: Files in all blocks together. [files]
 */
struct khob_keep_set {
	__u64 files;
	__u64 count;
};

static_assert(sizeof(struct khob_keep_set) == 16, "size of khob_keep_set");
static_assert(offsetof(struct khob_keep_set, files) == 0, "files");
static_assert(offsetof(struct khob_keep_set, count) == 8, "count");

/**
 * struct khob_keep_ser - All kept files. No two have the same token.
 * @compatible: The version's compatible string, NULs behind it.
 * @kept: Those that this kernel has kept.
 * @carried: Those that it was handed over itself and that nobody has asked for.
 * @files_digest: Of all files, in order: 0, then for each xxh64 (seed 0) of what it was so far
 *	(u64) and of the file as it stands in its block. It is written at the last moment.
 * @digest: xxh64 (seed 0) of all that is in front of it.
 */
struct khob_keep_ser {
	char compatible[24];
	struct khob_keep_set kept;
	struct khob_keep_set carried;
	__u64 files_digest;
	__u64 digest;
};

static_assert(sizeof(struct khob_keep_ser) == 72, "size of khob_keep_ser");
static_assert(offsetof(struct khob_keep_ser, compatible) == 0, "compatible");
static_assert(offsetof(struct khob_keep_ser, kept) == 24, "kept");
static_assert(offsetof(struct khob_keep_ser, carried) == 40, "carried");
static_assert(offsetof(struct khob_keep_ser, files_digest) == 56, "files_digest");
static_assert(offsetof(struct khob_keep_ser, digest) == 64, "digest");

#endif /* KHOB_KEEP_H */
