/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Generated, do not edit, from libkho/index.yaml
 * (make it again with: cmake --build build --target abi)
 *
 * The index of a session of libkho at 4K pages: libkho-index-v1.
 */
#ifndef KHO_INDEX_H
#define KHO_INDEX_H

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

/* Log2 of the page size in bytes. Nothing in the layout depends on it. [bits] */
#define KHO_INDEX_PAGE_SHIFT 12

/**
 * enum kho_index_abi - versions of the ABI, oldest first
 * @KHO_INDEX_ABI_LIBKHO_INDEX_V1: The first version.
 * @KHO_INDEX_ABI_NR: number of versions
 */
enum kho_index_abi {
	KHO_INDEX_ABI_LIBKHO_INDEX_V1,
	KHO_INDEX_ABI_NR
};

/* What is written unless something else is asked for. */
#define KHO_INDEX_ABI_DEFAULT KHO_INDEX_ABI_LIBKHO_INDEX_V1

#define KHO_INDEX_COMPATIBLE_LIBKHO_INDEX_V1 "libkho-index-v1"

/*
 * The memfd. It has its full size before it is preserved, since a preserved file keeps its size;
 * entries are written in place afterwards, and then the count. Source: libkho/index.yaml.
 */

#define KHO_INDEX_TOKEN 0 /* The index's own token. No entry has it. */
/* The version's compatible string fits this with its NUL. [bytes] */
#define KHO_INDEX_COMPATIBLE_LENGTH 48
#define KHO_INDEX_NAME_LENGTH 56 /* The name of a file fits this with its NUL. [bytes] */
#define KHO_INDEX_ENTRIES_MAX 255 /* No session has more names. [entries] */
#define KHO_INDEX_SIZE 16384 /* Length of the memfd. [bytes] */

/**
 * struct kho_index_header - What stands before the entries.
 * @compatible: The version's compatible string, NULs behind it. [bytes]
 * @count: Entries that count. What is behind them says nothing: the machine may have jumped
 *	while one was written. [entries]
 * @reserved: 0.
 */
struct kho_index_header {
	char compatible[48];
	__u64 count;
	__u64 reserved;
};

static_assert(sizeof(struct kho_index_header) == 64, "size of kho_index_header");
static_assert(offsetof(struct kho_index_header, compatible) == 0, "compatible");
static_assert(offsetof(struct kho_index_header, count) == 48, "count");
static_assert(offsetof(struct kho_index_header, reserved) == 56, "reserved");

/**
 * struct kho_index_entry - A file.
 * @name: Its name, NULs behind it: not empty, without control characters, and no other
 *	entry's. [bytes]
 * @token: What it is called in the session; no other entry's.
 */
struct kho_index_entry {
	char name[56];
	__u64 token;
};

static_assert(sizeof(struct kho_index_entry) == 64, "size of kho_index_entry");
static_assert(offsetof(struct kho_index_entry, name) == 0, "name");
static_assert(offsetof(struct kho_index_entry, token) == 56, "token");

/**
 * struct kho_index_table - All of the memfd.
 * @header: The first bytes.
 * @entries: Those that count first, as they were put. [entries]
 */
struct kho_index_table {
	struct kho_index_header header;
	struct kho_index_entry entries[255];
};

static_assert(sizeof(struct kho_index_table) == 16384, "size of kho_index_table");
static_assert(offsetof(struct kho_index_table, header) == 0, "header");
static_assert(offsetof(struct kho_index_table, entries) == 64, "entries");

#endif /* KHO_INDEX_H */
