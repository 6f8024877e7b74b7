/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The root FDT: a flattened device tree that names the tree's root node and
 * every subtree. A writer for what this kernel hands over and a reader that
 * trusts nothing for what it was handed. Values are native-endian u64 (the
 * ABI's rule), everything else is big-endian as the format says.
 */
#ifndef KHOB_CORE_FDT_H
#define KHOB_CORE_FDT_H

#include "port.h"
#include "khob/abi.h"

#ifdef __cplusplus
extern "C" {
#endif

#define KHOB_SUBTREE_NAME_MAX 63 /* characters, without the final NUL */
#define KHOB_SUBTREES_MAX 1024 /* in one root FDT, written or read */
#define KHOB_FDT_SIZE_MAX ((size_t)1 << 20) /* bytes of a root FDT that is read */

/**
 * struct khob_fdt_subtree - one subtree of a root FDT
 * @name: 1..KHOB_SUBTREE_NAME_MAX characters of A-Z a-z 0-9 , . _ + - (device tree node names);
 *	not "." or "..", as names become file names
 * @addr: physical address of the blob, in bytes; not 0
 * @size: its length in bytes, not 0; as read from kho-v2, which has no blob-size: 0
 */
struct khob_fdt_subtree {
	char name[KHOB_SUBTREE_NAME_MAX + 1];
	u64 addr;
	u64 size;
};

bool khob_subtree_name_ok(const char *name);

/* Bytes that khob_fdt_write() needs for these subtrees; 0 if it refuses them. */
size_t khob_fdt_size(enum khob_abi abi, const struct khob_fdt_subtree *subs, size_t nr);

/**
 * khob_fdt_write() - write a root FDT
 * @buf: any alignment
 * @size: room in bytes
 * @map_pa: physical address of the tree's root node, page aligned, not 0
 *
 * Return: the FDT's totalsize in bytes; -EINVAL for what khob_fdt_read() would
 * refuse (version, address, size, name, a name twice, too many subtrees);
 * -ENOSPC if @size is too small.
 */
long khob_fdt_write(void *buf, size_t size, enum khob_abi abi, u64 map_pa,
		    const struct khob_fdt_subtree *subs, size_t nr);

/* The version that a compatible string names. Return: KHOB_ABI_NR if none that we know. */
enum khob_abi khob_abi_from_compatible(const char *compatible);
const char *khob_abi_compatible(enum khob_abi abi);
bool khob_abi_has_blob_size(enum khob_abi abi);

/**
 * struct khob_fdt_info - what a root FDT says
 * @abi: its version
 * @map_pa: physical address of the tree's root node
 * @nr_subtrees: how many subtrees it names
 * @why: on failure one sentence without a full stop
 */
struct khob_fdt_info {
	enum khob_abi abi;
	u64 map_pa;
	size_t nr_subtrees;
	const char *why;
};

/**
 * khob_fdt_read() - read a root FDT that another kernel wrote
 * @buf: any alignment; must not change while it is read
 * @size: bytes that may be read; the header's totalsize has to fit
 * @sub: called for each subtree (may be NULL), and only once the whole FDT has been
 *	found sound; other than 0 ends the reading
 *
 * The FDT must be one that libfdt's full check accepts: each offset, tag, name and
 * property length is checked before use. Unknown properties and deeper nodes are
 * passed over; known ones must be there once, with the length that the ABI gives
 * them. No two subtrees have one name.
 *
 * Return: 0; -EINVAL with @info->why; what @sub returned.
 */
int khob_fdt_read(const void *buf, size_t size, struct khob_fdt_info *info,
		  int (*sub)(void *ctx, const struct khob_fdt_subtree *sub), void *ctx);

/*
 * kho-v2 has no blob-size: a blob describes its own length there because it is
 * an FDT. Bytes that are none are wrapped into one.
 */

/*
 * Whether @data is one whole FDT that may travel as it is: sound, totalsize ==
 * @len, and no wrapper (khob_fdt_unwrap() would unpack that one layer too far).
 */
bool khob_fdt_is_whole(const void *data, size_t len);
/* Bytes that khob_fdt_wrap() needs; 0 if so many cannot be wrapped (near 2 GiB). */
size_t khob_fdt_wrap_size(size_t len);
/*
 * @data may be NULL: zeroes. @payload, if not NULL: where the bytes stand in @buf,
 * 8-byte aligned if @buf is: structs that were wrapped can be read in place.
 * Return: totalsize or -ENOSPC.
 */
long khob_fdt_wrap(void *buf, size_t size, const void *data, size_t len, void **payload);
/**
 * khob_fdt_unwrap() - the blob behind a kho-v2 address
 * @max: bytes that may be read
 *
 * An FDT that is no wrapper is the blob itself. Return: 0 or -EINVAL with *@why.
 */
int khob_fdt_unwrap(const void *buf, size_t max, const void **data, size_t *len,
		    const char **why);

#ifdef __cplusplus
}
#endif

#endif /* KHOB_CORE_FDT_H */
