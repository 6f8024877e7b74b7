// SPDX-License-Identifier: GPL-2.0-only
/*
 * Upstream's radix tree as a part of the benchmark: the two files that extract.py makes,
 * unchanged, and a way in for each of their functions.
 */
#include "shim.h"

#include "upstream_types.inc"

/* The kernel has one such tree; here it is the one that a call is about. */
struct shim_out {
	struct kho_radix_tree radix_tree;
};

static struct shim_out *shim_out;
#define kho_out (*shim_out)

#include "upstream_code.inc"
#undef kho_out

_Static_assert(sizeof(struct kho_radix_node) == sizeof(struct khob_node), "a node is a page");
_Static_assert(KHO_TREE_MAX_DEPTH == KHOB_TREE_DEPTH, "depth of the tree");

unsigned long shim_next_bit(const unsigned long *bitmap, unsigned long size, unsigned long from)
{
	unsigned long at = from / BITS_PER_LONG;
	unsigned long word;

	if (from >= size)
		return size;
	word = bitmap[at] & ~0UL << from % BITS_PER_LONG;
	while (!word) {
		if (++at * BITS_PER_LONG >= size)
			return size;
		word = bitmap[at];
	}
	from = at * BITS_PER_LONG + (unsigned long)__builtin_ctzl(word);
	return min(from, size);
}

struct kho_radix_tree *upstream_new(void)
{
	struct shim_out *out = calloc(1, sizeof(*out));

	if (!out)
		return NULL;
	if (kho_radix_init_tree(&out->radix_tree, NULL)) {
		free(out);
		return NULL;
	}
	return &out->radix_tree;
}

void upstream_free(struct kho_radix_tree *tree)
{
	if (!tree)
		return;
	kho_radix_destroy_tree(tree);
	free(tree);
}

const struct khob_node *upstream_root(const struct kho_radix_tree *tree)
{
	return (const struct khob_node *)tree->root;
}

int upstream_walk(struct kho_radix_tree *tree, int (*fn)(unsigned long key, void *data),
		  void *data)
{
	const struct kho_radix_walk_cb callbacks = { .leaf = fn };

	return kho_radix_walk_tree(tree, &callbacks, data);
}

int upstream_preserve(struct kho_radix_tree *tree, u64 pfn, u64 nr)
{
	shim_out = (struct shim_out *)tree;
	return kho_preserve_pages((struct page *)pfn, nr);
}

void upstream_unpreserve(struct kho_radix_tree *tree, u64 pfn, u64 nr)
{
	shim_out = (struct shim_out *)tree;
	kho_unpreserve_pages((struct page *)pfn, nr);
}
