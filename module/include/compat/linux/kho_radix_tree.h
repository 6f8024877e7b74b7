/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Upstream's trees of keys, as 7.3 has them, for kernels without KHO: the same names
 * over kho_bridge's exports.
 */
#ifndef KHOB_COMPAT_KHO_RADIX_TREE_H
#define KHOB_COMPAT_KHO_RADIX_TREE_H

#include <linux/err.h>
#include <linux/errno.h>
#include <linux/mutex.h>
#include <linux/types.h>

#include <khob/abi.h>
#include <khob/kho_bridge.h>

/* Members have upstream's names as well. */
#define kho_radix_node khob_node
#define kho_radix_tree khob_key_tree
#define kho_radix_walk_cb khob_key_walk

static inline int kho_radix_init_tree(struct kho_radix_tree *tree, struct kho_radix_node *root)
{
	return khob_key_tree_init(tree, root);
}

static inline void kho_radix_destroy_tree(struct kho_radix_tree *tree)
{
	khob_key_tree_destroy(tree);
}

static inline int kho_radix_add_key(struct kho_radix_tree *tree, unsigned long key)
{
	return khob_key_tree_add(tree, key);
}

static inline void kho_radix_del_key(struct kho_radix_tree *tree, unsigned long key)
{
	khob_key_tree_del(tree, key);
}

static inline int kho_radix_walk_tree(struct kho_radix_tree *tree,
				      const struct kho_radix_walk_cb *cb, void *data)
{
	return khob_key_tree_walk(tree, cb, data);
}

#endif /* KHOB_COMPAT_KHO_RADIX_TREE_H */
