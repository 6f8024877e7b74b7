/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The radix tree of preserved pages, in the layout of KHO's ABI (khob/abi.h):
 * six levels of page-sized nodes, the last one a bitmap, indexed by keys that
 * hold a page's order and physical address in one number.
 *
 * Nothing here sleeps, locks or calls the kernel: the caller serialises access
 * to a tree and says through struct khob_radix_ops where nodes come from.
 */
#ifndef KHOB_CORE_RADIX_H
#define KHOB_CORE_RADIX_H

#include "port.h"
#include "khob/abi.h"

#ifdef __cplusplus
extern "C" {
#endif

/**
 * struct khob_radix_ops - where a tree's nodes come from
 * @alloc_node: a zeroed node of KHOB_PAGE_SIZE bytes; its physical address in
 *	*@pa, aligned to KHOB_PAGE_SIZE and not 0. NULL when there is no memory.
 * @free_node: takes back a node that @alloc_node gave
 * @map_node: the node at physical address @pa that @alloc_node gave earlier
 */
struct khob_radix_ops {
	void *(*alloc_node)(void *ctx, u64 *pa);
	void (*free_node)(void *ctx, void *node, u64 pa);
	void *(*map_node)(void *ctx, u64 pa);
};

/**
 * struct khob_radix - a tree
 * @ops: where its nodes come from
 * @ctx: passed to @ops
 * @root: the root node; exists as long as the tree does
 * @root_pa: its physical address
 * @nr_keys: keys present
 * @nr_nodes: nodes allocated, the root included
 */
struct khob_radix {
	const struct khob_radix_ops *ops;
	void *ctx;
	struct khob_node *root;
	u64 root_pa;
	u64 nr_keys;
	u64 nr_nodes;
};

/**
 * khob_key_encode() - the key of a page
 * @pa: physical address in bytes, a multiple of the page's size
 * @order: 0..KHOB_ORDER_MAX; the page has KHOB_PAGE_SIZE << order bytes
 * @key: the result
 *
 * Return: 0, or -EINVAL if @order is out of range or @pa is not aligned to it.
 */
int khob_key_encode(u64 pa, unsigned int order, u64 *key);

/**
 * khob_key_decode() - the page of a key
 * @key: a key; nothing is assumed of it
 * @pa: physical address in bytes
 * @order: 0..KHOB_ORDER_MAX
 *
 * Return: 0, or -EINVAL if no page has this key (0, or a bit above the order
 * bit of order 0).
 */
int khob_key_decode(u64 key, u64 *pa, unsigned int *order);

/* The index that @key has in a node of @level; 0 is the leaf (a bit number). */
unsigned int khob_key_index(u64 key, unsigned int level);

/* Makes an empty tree (one root node). Return: 0 or -ENOMEM. */
int khob_radix_init(struct khob_radix *r, const struct khob_radix_ops *ops, void *ctx);

/* Frees every node, whatever keys are left. */
void khob_radix_destroy(struct khob_radix *r);

/**
 * khob_radix_add() - add a key
 *
 * Return: 0; -EINVAL if @key is no key; -EEXIST if it is present; -ENOMEM, and
 * then the tree is what it was: nodes that this call had added are freed.
 */
int khob_radix_add(struct khob_radix *r, u64 key);

/**
 * khob_radix_del() - delete a key, and every node that it leaves empty
 *
 * The root stays. Return: 0; -EINVAL if @key is no key; -ENOENT if it is absent.
 */
int khob_radix_del(struct khob_radix *r, u64 key);

/* Whether @key is present; false for what is no key. */
bool khob_radix_has(const struct khob_radix *r, u64 key);

/* The smallest key present that is >= @from, in *@key. Return: false if none. */
bool khob_radix_next(const struct khob_radix *r, u64 from, u64 *key);

/**
 * khob_radix_walk() - call @fn for every key >= @from, ascending
 *
 * @fn may add and delete keys; the walk goes on behind the key it was given.
 * Return: 0, or the first value other than 0 that @fn returned.
 */
int khob_radix_walk(struct khob_radix *r, u64 from, int (*fn)(void *ctx, u64 key), void *ctx);

/**
 * khob_radix_digest() - a number that changes with any bit of any node
 *
 * The wrapping sum over all nodes of xxh64(node) mixed with its physical
 * address and level, so that the order of the walk does not matter. The same
 * sum is made by khob_check_tree() on what another kernel handed over.
 */
u64 khob_radix_digest(const struct khob_radix *r);

/* One node's share of the digest. */
u64 khob_node_digest(const void *node, u64 pa, unsigned int level);

#ifdef __cplusplus
}
#endif

#endif /* KHOB_CORE_RADIX_H */
