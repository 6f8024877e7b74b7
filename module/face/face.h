/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the module's faces share, /dev/kho_bridge for programs and debugfs for people: how a
 * thing is done that somebody asks for, and what there is to see.
 */
#ifndef KHOB_FACE_H
#define KHOB_FACE_H

#include <linux/capability.h>
#include <linux/fs.h>

#include "out/out.h"
#include "uapi/linux/kho_bridge.h"

/* act.c */

/* Says that the kernel is on its way out (khob_is_leaving()). Return: -ESHUTDOWN. */
int khob_gone(void);

/**
 * khob_act_do() - do one thing that a user asks for
 * @cap: who may
 * @act: does it, khob_lock being held; what it refuses it says
 * @arg: for @act
 * @what: what it is called where @act does not say anything
 *
 * Context: process, no lock held. Return: as @act; -EPERM, -EINTR, -ESHUTDOWN.
 */
int khob_act_do(int cap, int (*act)(void *arg), void *arg, const char *what);

/*
 * lists.c: numbers, taken in one go under khob_lock, so that a slow reader sees one state and
 * holds nobody up. Ranges are pairs, the second number being where one ends; in bytes.
 */
typedef int (*khob_fill_fn)(struct khob_numbers *snap);
/* Return: 0; -EPERM, -EINTR, -ENOMEM: then there is nothing in @snap. */
int khob_snapshot(struct khob_numbers *snap, khob_fill_fn fill);
int khob_snapshot_tree(struct khob_numbers *snap, struct khob_radix *tree);
int khob_out_keys_fill(struct khob_numbers *snap);
int khob_out_ranges_fill(struct khob_numbers *snap);
int khob_out_scratch_fill(struct khob_numbers *snap);
int khob_out_extents_fill(struct khob_numbers *snap);
int khob_in_keys_fill(struct khob_numbers *snap);
int khob_in_ranges_fill(struct khob_numbers *snap);

/*
 * blobs.c: the root FDTs and lists of subtrees, as copies of the caller's, to be given to
 * kvfree(); *@len in bytes. Return: it, or an ERR_PTR().
 */
void *khob_out_fdt_copy(size_t *len);
void *khob_in_fdt_copy(size_t *len);
struct kho_bridge_subtree *khob_out_subtrees_copy(size_t *len);
struct kho_bridge_subtree *khob_in_subtrees_copy(size_t *len);

/**
 * struct khob_bytes - bytes of physical memory that can be read as a file
 * @where: under khob_lock, where those of @name at @pos are: how many there are at *@pa,
 *	0 at the end, or an error
 * @name: for @where
 *
 * They are copied there and then; a user's page is touched without the lock.
 */
struct khob_bytes {
	s64 (*where)(const char *name, u64 pos, u64 *pa);
	const char *name;
};

/* bytes.c */
ssize_t khob_bytes_read(const struct khob_bytes *b, char __user *buf, size_t len, loff_t *ppos);
ssize_t khob_bytes_write(const struct khob_bytes *b, const char __user *buf, size_t len,
			 loff_t *ppos);

/* places.c: such functions; @name is that of a subtree, and of no use to data */
s64 khob_out_data_at(const char *name, u64 pos, u64 *pa);
s64 khob_in_data_at(const char *name, u64 pos, u64 *pa);
s64 khob_out_sub_at(const char *name, u64 pos, u64 *pa);
/* The same for who writes. */
s64 khob_out_sub_room(const char *name, u64 pos, u64 *pa);
s64 khob_in_sub_at(const char *name, u64 pos, u64 *pa);

/* status.c: all of it at one moment. Return: 0 or -EINTR. */
int khob_status_fill(struct kho_bridge_status *s);

#endif /* KHOB_FACE_H */
