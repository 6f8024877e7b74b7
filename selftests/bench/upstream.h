/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Upstream's radix tree for C++: its own functions, and what this side gives them.
 */
#ifndef KHOB_BENCH_UPSTREAM_H
#define KHOB_BENCH_UPSTREAM_H

#include "core/port.h"

#ifdef __cplusplus
extern "C" {
#endif

struct kho_radix_tree;
struct kho_radix_node;

/* Upstream's own. */
int kho_radix_add_key(struct kho_radix_tree *tree, unsigned long key);
void kho_radix_del_key(struct kho_radix_tree *tree, unsigned long key);

/* A tree with its lock; NULL if there is no memory. */
struct kho_radix_tree *upstream_new(void);
void upstream_free(struct kho_radix_tree *tree);

const struct khob_node *upstream_root(const struct kho_radix_tree *tree);

/* kho_radix_walk_tree() over the keys. */
int upstream_walk(struct kho_radix_tree *tree, int (*fn)(unsigned long key, void *data),
		  void *data);

/* kho_preserve_pages() and its opposite as if @tree were the kernel's. */
int upstream_preserve(struct kho_radix_tree *tree, u64 pfn, u64 nr);
void upstream_unpreserve(struct kho_radix_tree *tree, u64 pfn, u64 nr);

/* Nodes come from here, zeroed, and go back there. */
void *upstream_zeroed_node(void);
void upstream_free_node(void *node);

#ifdef __cplusplus
}
#endif

#endif /* KHOB_BENCH_UPSTREAM_H */
