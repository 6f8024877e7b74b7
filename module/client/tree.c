// SPDX-License-Identifier: GPL-2.0-only
/*
 * Trees of keys for other modules, on the core that the outgoing tree is made of:
 * a tree is its root node, and the core's struct lives as long as a call. Key 0, which
 * no page has, is a number like any other here.
 */
#include <linux/bitmap.h>

#include "khob/kho_bridge.h"
#include "out/out.h"

#define KHOB_TOP (KHOB_TREE_DEPTH - 1)

static void *khob_key_alloc_node(void *ctx, u64 *pa)
{
	return khob_page_ops.alloc_node(ctx, pa);
}

/* A node of the kernel before that nobody has restored is no page of the allocator's. */
static void khob_key_free_node(void *ctx, void *node, u64 pa)
{
	unsigned int order;

	if (!PageReserved(virt_to_page(node)) && !khob_native_order(pa, &order))
		khob_page_ops.free_node(ctx, node, pa);
}

static const struct khob_radix_ops khob_key_ops = {
	.alloc_node = khob_key_alloc_node,
	.free_node = khob_key_free_node,
};

static struct khob_radix khob_key_radix(const struct khob_key_tree *tree)
{
	return (struct khob_radix) {
		.ops = &khob_key_ops,
		.root = tree->root,
		.root_pa = __pa(tree->root),
		/* The root may be another kernel's, with all that hangs on it. */
		.flags = KHOB_RADIX_UNCOUNTED | KHOB_RADIX_ZERO,
	};
}

int khob_key_tree_init(struct khob_key_tree *tree, struct khob_node *root)
{
	if (!root)
		root = (struct khob_node *)get_zeroed_page(GFP_KERNEL);
	if (!root)
		return -ENOMEM;
	tree->root = root;
	mutex_init(&tree->lock);
	return 0;
}
EXPORT_SYMBOL_GPL(khob_key_tree_init);

void khob_key_tree_destroy(struct khob_key_tree *tree)
{
	struct khob_radix radix;

	if (!tree->root)
		return;
	radix = khob_key_radix(tree);
	khob_radix_destroy(&radix);
	tree->root = NULL;
}
EXPORT_SYMBOL_GPL(khob_key_tree_destroy);

int khob_key_tree_add(struct khob_key_tree *tree, unsigned long key)
{
	struct khob_radix radix;
	int ret;

	if (!tree->root)
		return -EINVAL;
	if (key >> KHOB_KEY_WIDTH)
		return -ERANGE;
	guard(mutex)(&tree->lock);
	radix = khob_key_radix(tree);
	ret = khob_radix_add(&radix, key);
	return ret == -EEXIST ? 0 : ret;
}
EXPORT_SYMBOL_GPL(khob_key_tree_add);

int khob_key_tree_del(struct khob_key_tree *tree, unsigned long key)
{
	struct khob_radix radix;

	if (!tree->root || key >> KHOB_KEY_WIDTH)
		return -ENOENT;
	guard(mutex)(&tree->lock);
	radix = khob_key_radix(tree);
	return khob_radix_del(&radix, key);
}
EXPORT_SYMBOL_GPL(khob_key_tree_del);

/**
 * struct khob_key_pos - a place in the order in which a tree is walked
 * @key: a key, or the smallest one that can be below a node
 * @rank: 0 for a key, level + 1 for a node: what is above comes first
 */
struct khob_key_pos {
	u64 key;
	unsigned int rank;
};

/* The first child or key behind @pos below @node, in *@pos. Goes KHOB_TREE_DEPTH deep. */
static bool khob_key_next(const struct khob_node *node, unsigned int level,
			  struct khob_key_pos *pos)
{
	unsigned int shift = level ? (level - 1) * KHOB_TABLE_LOG2 + KHOB_LEAF_LOG2 : 0;
	u64 prefix = pos->key >> shift >> (level ? KHOB_TABLE_LOG2 : KHOB_LEAF_LOG2)
		     << (level ? KHOB_TABLE_LOG2 : KHOB_LEAF_LOG2) << shift;
	unsigned long i = khob_key_index(pos->key, level);

	if (!level) {
		/* A key that was given to the walk already is not given again. */
		i = find_next_bit((const unsigned long *)node->table, KHOB_LEAF_BITS,
				  i + !pos->rank);
		if (i == KHOB_LEAF_BITS)
			return false;
		*pos = (struct khob_key_pos) { .key = prefix | i };
		return true;
	}
	for (; i < KHOB_TABLE_ENTRIES; i++) {
		u64 below = prefix | (u64)i << shift;

		if (!node->table[i])
			continue;
		if (below > pos->key || (below == pos->key && level < pos->rank)) {
			*pos = (struct khob_key_pos) { .key = below, .rank = level };
			return true;
		}
		if (khob_key_next(__va(node->table[i]), level - 1, pos))
			return true;
	}
	return false;
}

/* What comes behind @pos in the walk, the root's address or that of a node in *@pa. */
static bool khob_key_tree_next(struct khob_key_tree *tree, struct khob_key_pos *pos, u64 *pa)
{
	const struct khob_node *node;
	unsigned int level;

	guard(mutex)(&tree->lock);
	node = tree->root;
	if (!node)
		return false;
	if (pos->rank > KHOB_TREE_DEPTH)
		*pos = (struct khob_key_pos) { .rank = KHOB_TREE_DEPTH };
	else if (!khob_key_next(node, KHOB_TOP, pos))
		return false;
	for (level = KHOB_TOP; pos->rank && level >= pos->rank; level--)
		node = __va(node->table[khob_key_index(pos->key, level)]);
	*pa = __pa(node);
	return true;
}

int khob_key_tree_walk(struct khob_key_tree *tree, const struct khob_key_walk *walk, void *data)
{
	struct khob_key_pos pos = { .rank = KHOB_TREE_DEPTH + 1 };
	int ret = 0;
	u64 pa;

	if (!tree->root)
		return -EINVAL;
	while (!ret && khob_key_tree_next(tree, &pos, &pa)) {
		if (pos.rank && walk->node)
			ret = walk->node(pa, data);
		else if (!pos.rank && walk->leaf)
			ret = walk->leaf(pos.key, data);
		cond_resched();
	}
	return ret;
}
EXPORT_SYMBOL_GPL(khob_key_tree_walk);
