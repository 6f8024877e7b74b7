// SPDX-License-Identifier: GPL-2.0-only
/*
 * Reads a tree that another kernel wrote, entry by entry, and refuses it at the
 * first thing that no sound tree can hold.
 *
 * Empty nodes are accepted: upstream's delete never frees one (KHO ABI: an entry
 * of 0 is absent, an empty table is a legal table), so a sound upstream kernel
 * hands them over. Damage that only empties a node shows in the digest.
 */
#include "check.h"

#define KHOB_TOP (KHOB_TREE_DEPTH - 1)

struct khob_check {
	const struct khob_check_ops *ops;
	void *ctx;
	const struct khob_check_limits *limits;
	struct khob_check_result *res;
};

static int khob_refuse(struct khob_check *c, u64 pa, unsigned int level, const char *why)
{
	c->res->bad_pa = pa;
	c->res->bad_level = level;
	c->res->why = why;
	return -EINVAL;
}

/* The node at @pa, counted and summed, or NULL and the result says why not. */
static const struct khob_node *khob_check_node(struct khob_check *c, u64 pa, unsigned int level,
					       unsigned int holder)
{
	const char *why = "the node is in no memory that may be read";
	const struct khob_node *node = NULL;

	/* KHO ABI: 0 is absent; nodes are whole pages. */
	if (!pa)
		why = "the tree has no root node";
	else if (pa & (KHOB_PAGE_SIZE - 1))
		why = "a node's address is not page aligned";
	else if (c->limits->end_pa < KHOB_PAGE_SIZE || pa > c->limits->end_pa - KHOB_PAGE_SIZE)
		why = "a node lies behind the end of memory";
	else if (c->res->nr_nodes >= c->limits->max_nodes)
		why = "the tree has more nodes than it may have";
	else
		node = c->ops->node(c->ctx, pa, level, &why);
	if (!node) {
		khob_refuse(c, pa, holder, why);
		return NULL;
	}
	c->res->nr_nodes++;
	c->res->digest += khob_node_digest(node, pa, level);
	return node;
}

static int khob_check_key(struct khob_check *c, u64 key)
{
	const char *why = "a page may not be preserved";
	u64 pa, size = 0, end = c->limits->end_pa;
	unsigned int order;
	int err;

	if (khob_key_decode(key, &pa, &order))
		return khob_refuse(c, 0, 0, "a leaf holds a bit that is no page's key");
	/* The page of the highest order is all of the 64-bit space: no memory holds it. */
	if (order < KHOB_ORDER_MAX)
		size = (u64)KHOB_PAGE_SIZE << order;
	if (!size || size > end || pa > end - size)
		return khob_refuse(c, pa, 0, "a preserved page reaches behind the end of memory");
	err = c->ops->key(c->ctx, pa, order, &why);
	if (err) {
		khob_refuse(c, pa, 0, why);
		return err;
	}
	c->res->nr_keys++;
	return 0;
}

/* Whether @c->ops has taken all keys of a word at once. */
static bool khob_check_word(struct khob_check *c, u64 base, u64 word)
{
	u64 size = 64 * KHOB_PAGE_SIZE, end = c->limits->end_pa, pa;

	if (!c->ops->word || !word || base >> KHOB_ORDER_0_BIT != 1)
		return false;
	pa = (base ^ (u64)1 << KHOB_ORDER_0_BIT) << KHOB_PAGE_SHIFT;
	if (size > end || pa > end - size || !c->ops->word(c->ctx, pa, word))
		return false;
	c->res->nr_keys += khob_weight(word);
	return true;
}

static int khob_check_leaf(struct khob_check *c, const struct khob_node *leaf, u64 prefix)
{
	unsigned int i;

	for (i = 0; i < KHOB_TABLE_ENTRIES; i++) {
		u64 word = leaf->table[i];

		if (khob_check_word(c, prefix | i * 64, word))
			continue;
		/* Each round clears the lowest bit. */
		for (; word; word &= word - 1) {
			int err = khob_check_key(c, prefix | (i * 64 + khob_first_bit(word)));

			if (err)
				return err;
		}
	}
	return 0;
}

int khob_check_tree(u64 root_pa, const struct khob_check_ops *ops, void *ctx,
		    const struct khob_check_limits *limits, struct khob_check_result *res)
{
	struct khob_check c = { .ops = ops, .ctx = ctx, .limits = limits, .res = res };
	struct {
		const struct khob_node *node;
		u64 prefix; /* the key bits that the path to the node fixes */
		unsigned int index;
	} at[KHOB_TREE_DEPTH];
	unsigned int level = KHOB_TOP;

	memset(res, 0, sizeof(*res));
	at[level].node = khob_check_node(&c, root_pa, level, level);
	if (!at[level].node)
		return -EINVAL;
	at[level].prefix = 0;
	at[level].index = 0;

	while (level <= KHOB_TOP) {
		unsigned int shift = (level - 1) * KHOB_TABLE_LOG2 + KHOB_LEAF_LOG2;
		unsigned int index = at[level].index++;
		u64 child, prefix;

		if (index == KHOB_TABLE_ENTRIES) {
			level++;
			continue;
		}
		child = at[level].node->table[index];
		if (!child)
			continue;
		prefix = at[level].prefix | (u64)index << shift;
		/* KHO ABI: a key has KEY_WIDTH bits, so the root has few entries. */
		if (prefix >> KHOB_KEY_WIDTH)
			return khob_refuse(&c, child, level,
					   "an entry stands for keys that no page has");
		at[level - 1].node = khob_check_node(&c, child, level - 1, level);
		if (!at[level - 1].node)
			return -EINVAL;
		if (level == 1) {
			int err = khob_check_leaf(&c, at[0].node, prefix);

			if (err)
				return err;
			continue;
		}
		level--;
		at[level].prefix = prefix;
		at[level].index = 0;
	}
	return 0;
}
