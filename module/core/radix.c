// SPDX-License-Identifier: GPL-2.0-only
/*
 * The radix tree of preserved pages: keys, add, del, look-up in key order and
 * the digest over all nodes. Nothing here recurses; the deepest path is
 * KHOB_TREE_DEPTH nodes, which is fixed by the KHO ABI for a page size.
 */
#include "radix.h"

#define KHOB_TOP (KHOB_TREE_DEPTH - 1) /* the root's level; leaves are level 0 */

/* KHO ABI: no key has a bit above the order bit of an order-0 page. */
#define KHOB_KEY_MAX (((u64)1 << KHOB_KEY_WIDTH) - 1)

/* The lowest bit of a key that selects an entry of a node of @level. */
static unsigned int khob_level_shift(unsigned int level)
{
	return level ? (level - 1) * KHOB_TABLE_LOG2 + KHOB_LEAF_LOG2 : 0;
}

unsigned int khob_key_index(u64 key, unsigned int level)
{
	u64 entries = level ? KHOB_TABLE_ENTRIES : KHOB_LEAF_BITS;

	if (level >= KHOB_TREE_DEPTH)
		return 0;
	return (key >> khob_level_shift(level)) & (entries - 1);
}

int khob_key_encode(u64 pa, unsigned int order, u64 *key)
{
	unsigned int shift = KHOB_PAGE_SHIFT + order;

	if (order > KHOB_ORDER_MAX)
		return -EINVAL;
	/*
	 * KHO ABI: key = order bit | pa >> (S + o). The one page of the highest
	 * order is the whole 64-bit space, where both shifts would be by 64.
	 */
	if (shift >= 64) {
		if (pa)
			return -EINVAL;
		*key = 1;
		return 0;
	}
	if (pa & (((u64)1 << shift) - 1))
		return -EINVAL;
	*key = ((u64)1 << (KHOB_ORDER_0_BIT - order)) | (pa >> shift);
	return 0;
}

int khob_key_decode(u64 key, u64 *pa, unsigned int *order)
{
	unsigned int bit;

	/* KHO ABI: the highest set bit is the order's, so 0 is no key. */
	if (!key || key > KHOB_KEY_MAX)
		return -EINVAL;
	bit = khob_last_bit(key);
	*order = KHOB_ORDER_0_BIT - bit;
	*pa = bit ? (key ^ ((u64)1 << bit)) << (KHOB_PAGE_SHIFT + *order) : 0;
	return 0;
}

static bool khob_key_valid(u64 key)
{
	return key && key <= KHOB_KEY_MAX;
}

/*
 * Whether a node, table or bitmap, has nothing in it. What is left mostly stands
 * close to what was just deleted, in word @near: pages come and go in runs.
 */
static bool khob_node_empty(const struct khob_node *node, unsigned int near)
{
	unsigned int i;

	if (near && node->table[near - 1])
		return false;
	for (i = near; i < KHOB_TABLE_ENTRIES; i++)
		if (node->table[i])
			return false;
	for (i = 0; i < near; i++)
		if (node->table[i])
			return false;
	return true;
}

/* A leaf is read as words: bit n of its bitmap is bit n % 64 of word n / 64. */
static bool khob_leaf_test(const struct khob_node *leaf, unsigned int bit)
{
	return leaf->table[bit / 64] >> (bit % 64) & 1;
}

/*
 * The nodes from the root towards @key's leaf, as far as there are any: path[l]
 * is the node of level l. Return: the level of the lowest one.
 */
static unsigned int khob_descend(const struct khob_radix *r, u64 key, struct khob_node **path)
{
	unsigned int level = KHOB_TOP;

	path[level] = r->root;
	while (level) {
		u64 child = path[level]->table[khob_key_index(key, level)];

		if (!child)
			break;
		path[--level] = r->ops->map_node(r->ctx, child);
	}
	return level;
}

int khob_radix_init(struct khob_radix *r, const struct khob_radix_ops *ops, void *ctx)
{
	r->ops = ops;
	r->ctx = ctx;
	r->nr_keys = 0;
	r->nr_nodes = 0;
	r->root_pa = 0;
	r->root = ops->alloc_node(ctx, &r->root_pa);
	if (!r->root)
		return -ENOMEM;
	r->nr_nodes = 1;
	return 0;
}

int khob_radix_add(struct khob_radix *r, u64 key)
{
	struct khob_node *path[KHOB_TREE_DEPTH];
	u64 fresh_pa[KHOB_TREE_DEPTH];
	unsigned int have, level, bit;

	if (!khob_key_valid(key))
		return -EINVAL;

	have = khob_descend(r, key, path);
	bit = khob_key_index(key, 0);
	if (!have && khob_leaf_test(path[0], bit))
		return -EEXIST;

	/* The missing nodes are linked to each other first and to the tree last. */
	for (level = 0; level < have; level++) {
		path[level] = r->ops->alloc_node(r->ctx, &fresh_pa[level]);
		if (!path[level])
			goto undo;
		if (level)
			path[level]->table[khob_key_index(key, level)] = fresh_pa[level - 1];
	}
	path[0]->table[bit / 64] |= (u64)1 << (bit % 64);
	if (have)
		path[have]->table[khob_key_index(key, have)] = fresh_pa[have - 1];
	r->nr_nodes += have;
	r->nr_keys++;
	return 0;

undo:
	while (level--)
		r->ops->free_node(r->ctx, path[level], fresh_pa[level]);
	return -ENOMEM;
}

int khob_radix_del(struct khob_radix *r, u64 key)
{
	struct khob_node *path[KHOB_TREE_DEPTH];
	unsigned int level, bit, word;

	if (!khob_key_valid(key))
		return -EINVAL;

	bit = khob_key_index(key, 0);
	if (khob_descend(r, key, path) || !khob_leaf_test(path[0], bit))
		return -ENOENT;

	word = bit / 64;
	path[0]->table[word] &= ~((u64)1 << (bit % 64));
	r->nr_keys--;
	for (level = 0; level < KHOB_TOP && khob_node_empty(path[level], word); level++) {
		struct khob_node *parent = path[level + 1];
		u64 pa;

		word = khob_key_index(key, level + 1);
		pa = parent->table[word];
		parent->table[word] = 0;
		r->ops->free_node(r->ctx, path[level], pa);
		r->nr_nodes--;
	}
	return 0;
}

bool khob_radix_has(const struct khob_radix *r, u64 key)
{
	struct khob_node *path[KHOB_TREE_DEPTH];

	return khob_key_valid(key) && !khob_descend(r, key, path) &&
	       khob_leaf_test(path[0], khob_key_index(key, 0));
}

/* The first bit at or behind @bit that is set; KHOB_LEAF_BITS if none is. */
static unsigned int khob_leaf_next(const struct khob_node *leaf, unsigned int bit)
{
	unsigned int i = bit / 64;
	u64 word = leaf->table[i] & (U64_MAX << (bit % 64));

	while (!word) {
		if (++i == KHOB_TABLE_ENTRIES)
			return KHOB_LEAF_BITS;
		word = leaf->table[i];
	}
	return i * 64 + khob_first_bit(word);
}

/* The first entry at or behind @index that is used; KHOB_TABLE_ENTRIES if none is. */
static unsigned int khob_table_next(const struct khob_node *node, unsigned int index)
{
	while (index < KHOB_TABLE_ENTRIES && !node->table[index])
		index++;
	return index;
}

bool khob_radix_next(const struct khob_radix *r, u64 from, u64 *key)
{
	struct khob_node *path[KHOB_TREE_DEPTH];
	unsigned int level = KHOB_TOP;

	path[level] = r->root;
	while (from <= KHOB_KEY_MAX) {
		unsigned int index = khob_key_index(from, level);
		unsigned int found, shift = khob_level_shift(level + 1);
		u64 prefix = from >> shift << shift;

		if (!level) {
			found = khob_leaf_next(path[0], index);
			if (found < KHOB_LEAF_BITS) {
				*key = prefix | found;
				return true;
			}
		} else {
			found = khob_table_next(path[level], index);
			if (found > index && found < KHOB_TABLE_ENTRIES)
				from = prefix | (u64)found << khob_level_shift(level);
			if (found < KHOB_TABLE_ENTRIES) {
				u64 child = path[level]->table[found];

				path[--level] = r->ops->map_node(r->ctx, child);
				continue;
			}
		}
		/* Nothing more in this node: on with its next sibling, or a cousin. */
		if (level == KHOB_TOP)
			break;
		from = prefix + ((u64)1 << shift);
		do {
			level++;
		} while (level < KHOB_TOP && !khob_key_index(from, level));
	}
	return false;
}

int khob_radix_walk(struct khob_radix *r, u64 from, int (*fn)(void *ctx, u64 key), void *ctx)
{
	u64 key;

	while (khob_radix_next(r, from, &key)) {
		int err = fn(ctx, key);

		if (err)
			return err;
		from = key + 1;
	}
	return 0;
}

/* Shows every node to @fn, children before their parent: @fn may free it. */
static void khob_each_node(const struct khob_radix *r,
			   void (*fn)(void *ctx, struct khob_node *node, u64 pa,
				      unsigned int level),
			   void *ctx)
{
	struct {
		struct khob_node *node;
		u64 pa;
		unsigned int index; /* the next entry to look at */
	} at[KHOB_TREE_DEPTH];
	unsigned int level = KHOB_TOP;

	at[level].node = r->root;
	at[level].pa = r->root_pa;
	at[level].index = 0;
	for (;;) {
		unsigned int index = KHOB_TABLE_ENTRIES;

		if (level)
			index = khob_table_next(at[level].node, at[level].index);
		if (index < KHOB_TABLE_ENTRIES) {
			at[level].index = index + 1;
			at[level - 1].pa = at[level].node->table[index];
			level--;
			at[level].node = r->ops->map_node(r->ctx, at[level].pa);
			at[level].index = 0;
			continue;
		}
		fn(ctx, at[level].node, at[level].pa, level);
		if (level++ == KHOB_TOP)
			break;
	}
}

static void khob_free_one(void *ctx, struct khob_node *node, u64 pa, unsigned int level)
{
	struct khob_radix *r = ctx;

	(void)level;
	r->ops->free_node(r->ctx, node, pa);
}

void khob_radix_destroy(struct khob_radix *r)
{
	if (!r->root)
		return;
	khob_each_node(r, khob_free_one, r);
	r->root = NULL;
	r->root_pa = 0;
	r->nr_keys = 0;
	r->nr_nodes = 0;
}

u64 khob_node_digest(const void *node, u64 pa, unsigned int level)
{
	u64 words[3];

	words[0] = khob_xxh64(node, KHOB_PAGE_SIZE);
	words[1] = pa;
	words[2] = level;
	return khob_xxh64(words, sizeof(words));
}

static void khob_digest_one(void *ctx, struct khob_node *node, u64 pa, unsigned int level)
{
	*(u64 *)ctx += khob_node_digest(node, pa, level);
}

u64 khob_radix_digest(const struct khob_radix *r)
{
	u64 sum = 0;

	khob_each_node(r, khob_digest_one, &sum);
	return sum;
}
