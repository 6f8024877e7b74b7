/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Generated, do not edit, from abi-gen/schema/luo.yaml
 * (make it again with: cmake --build build --target abi)
 *
 * The ABI of the Live Update Orchestrator at 4K pages: luo-v5.
 */
#ifndef KHOB_LUO_H
#define KHOB_LUO_H

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
 * enum khob_luo_abi - versions of the ABI, oldest first
 * @KHOB_LUO_ABI_LUO_V5: Sessions and files are in blocks; the subtree is a struct and no
 *	device tree.
 * @KHOB_LUO_ABI_NR: number of versions
 */
enum khob_luo_abi {
	KHOB_LUO_ABI_LUO_V5,
	KHOB_LUO_ABI_NR
};

/* What is written unless something else is asked for. */
#define KHOB_LUO_ABI_DEFAULT KHOB_LUO_ABI_LUO_V5

#define KHOB_LUO_COMPATIBLE_LUO_V5 "luo-v5"

/*
 * The subtree. A kernel that has LUO and finds another version in it does not boot, so that whoever
 * hands it over has to know the next kernel's. Source: include/linux/kho/abi/luo.h,
 * kernel/liveupdate/luo_core.c.
 */

/*
 * Length of the compatible string's field; of luo-v5 that is the string with its NUL, up to a
 * multiple of 8. [bytes]
 */
#define KHOB_LUO_COMPATIBLE_LENGTH 8

#define KHOB_LUO_NAME "LUO" /* Name of the subtree, whose blob is one struct khob_luo_ser. */

/**
 * struct khob_luo_ser - The blob of the subtree. What is behind it is not looked at.
 * @compatible: The version's compatible string, NULs behind it. [bytes]
 * @liveupdate_num: How many kexecs have been made with LUO's state, the next one included.
 *	[kexecs]
 * @sessions_pa: Physical address of the first block of struct khob_luo_session_ser, 0 if there
 *	is no session. [bytes]
 * @flbs_pa: Physical address of struct khob_luo_flb_header_ser, 0 if there is none. [bytes]
 */
struct khob_luo_ser {
	char compatible[8];
	__u64 liveupdate_num;
	__u64 sessions_pa;
	__u64 flbs_pa;
} __packed;

static_assert(sizeof(struct khob_luo_ser) == 32, "size of khob_luo_ser");
static_assert(offsetof(struct khob_luo_ser, compatible) == 0, "compatible");
static_assert(offsetof(struct khob_luo_ser, liveupdate_num) == 8, "liveupdate_num");
static_assert(offsetof(struct khob_luo_ser, sessions_pa) == 16, "sessions_pa");
static_assert(offsetof(struct khob_luo_ser, flbs_pa) == 24, "flbs_pa");

/*
 * Files that are kept, a block list for each session. Which is which userspace knows by its tokens;
 * in a session no two are the same, and any number is one. Source: include/linux/kho/abi/luo.h,
 * kernel/liveupdate/luo_file.c.
 */

/* The compatible string of a file's handler fits this with its NUL. [bytes] */
#define KHOB_LUO_HANDLER_LENGTH 48
/*
 * Files that a block holds at most, and one at least; only the last of a list is written with
 * fewer. [entries]
 */
#define KHOB_LUO_FILES_PER_BLOCK 63
#define KHOB_LUO_FILES_MAX 630000 /* A session has no more of them. [files] */

/**
 * struct khob_luo_file_ser - A file.
 * @compatible: The compatible string of its handler, NUL-terminated; memfd-v2 is one. [bytes]
 * @data: What the handler made of it, mostly a physical address.
 * @token: What userspace calls it.
 */
struct khob_luo_file_ser {
	char compatible[48];
	__u64 data;
	__u64 token;
} __packed;

static_assert(sizeof(struct khob_luo_file_ser) == 64, "size of khob_luo_file_ser");
static_assert(offsetof(struct khob_luo_file_ser, compatible) == 0, "compatible");
static_assert(offsetof(struct khob_luo_file_ser, data) == 48, "data");
static_assert(offsetof(struct khob_luo_file_ser, token) == 56, "token");

/**
 * struct khob_luo_file_set_ser - Files that belong together.
 * @files: Physical address of the first block of struct khob_luo_file_ser, 0 if there is no
 *	file. [bytes]
 * @count: Files in all blocks together. [files]
 */
struct khob_luo_file_set_ser {
	__u64 files;
	__u64 count;
} __packed;

static_assert(sizeof(struct khob_luo_file_set_ser) == 16, "size of khob_luo_file_set_ser");
static_assert(offsetof(struct khob_luo_file_set_ser, files) == 0, "files");
static_assert(offsetof(struct khob_luo_file_set_ser, count) == 8, "count");

/*
 * Sessions, in one block list. No two have the same name, and none has an empty one. Source:
 * include/linux/kho/abi/luo.h, kernel/liveupdate/luo_session.c.
 */

#define KHOB_LUO_SESSION_NAME_LENGTH 64 /* The name of a session fits this with its NUL. [bytes] */
/*
 * Sessions that a block holds at most, and one at least; only the last is written with fewer.
 * [entries]
 */
#define KHOB_LUO_SESSIONS_PER_BLOCK 51
#define KHOB_LUO_SESSIONS_MAX 510000 /* There are no more of them. [sessions] */

/**
 * struct khob_luo_session_ser - A session.
 * @name: Its name, NUL-terminated. [bytes]
 * @file_set_ser: Its files.
 */
struct khob_luo_session_ser {
	char name[64];
	struct khob_luo_file_set_ser file_set_ser;
} __packed;

static_assert(sizeof(struct khob_luo_session_ser) == 80, "size of khob_luo_session_ser");
static_assert(offsetof(struct khob_luo_session_ser, name) == 0, "name");
static_assert(offsetof(struct khob_luo_session_ser, file_set_ser) == 64, "file_set_ser");

/*
 * Objects that files of one kind share and that live as long as one of them (FLB, file lifecycle
 * bound), in one array in whole pages. Source: include/linux/kho/abi/luo.h,
 * kernel/liveupdate/luo_flb.c.
 */

#define KHOB_LUO_FLB_NAME_LENGTH 48 /* The name of an object fits this with its NUL. [bytes] */
#define KHOB_LUO_FLB_PAGES 1 /* Pages that the array takes with its header. [pages] */
#define KHOB_LUO_FLBS_MAX 63 /* There are no more objects. [entries] */

/**
 * struct khob_luo_flb_header_ser - What stands before the array of struct khob_luo_flb_ser.
 * @pgcnt: KHOB_LUO_FLB_PAGES. [pages]
 * @count: Objects in the array. [entries]
 */
struct khob_luo_flb_header_ser {
	__u64 pgcnt;
	__u64 count;
} __packed;

static_assert(sizeof(struct khob_luo_flb_header_ser) == 16, "size of khob_luo_flb_header_ser");
static_assert(offsetof(struct khob_luo_flb_header_ser, pgcnt) == 0, "pgcnt");
static_assert(offsetof(struct khob_luo_flb_header_ser, count) == 8, "count");

/**
 * struct khob_luo_flb_ser - An object.
 * @name: Its name, NUL-terminated. [bytes]
 * @data: What its owner made of it.
 * @count: Files that use it. [files]
 */
struct khob_luo_flb_ser {
	char name[48];
	__u64 data;
	__u64 count;
} __packed;

static_assert(sizeof(struct khob_luo_flb_ser) == 64, "size of khob_luo_flb_ser");
static_assert(offsetof(struct khob_luo_flb_ser, name) == 0, "name");
static_assert(offsetof(struct khob_luo_flb_ser, data) == 48, "data");
static_assert(offsetof(struct khob_luo_flb_ser, count) == 56, "count");

#endif /* KHOB_LUO_H */
