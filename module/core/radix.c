// SPDX-License-Identifier: GPL-2.0-only
/*
 * The radix tree of preserved pages: making and freeing it, keys one by one, and how nodes
 * come and go. Nothing here recurses; the deepest path is KHOB_TREE_DEPTH nodes, which is
 * fixed by the KHO ABI for a page size.
 */
#include "radix_node.h"

/*
 * Whether a node whose entries are not counted has none. What is left mostly stands close
 * to what was just deleted, at word @near: pages come and go in runs.
 */
static bool khob_node_empty(const struct khob_node *node, unsigned int near)
{
	unsigned int i;

	for (i = 0; i < KHOB_TABLE_ENTRIES; i++)
		if (khob_load(&node->table[(near + i) % KHOB_TABLE_ENTRIES]))
			return false;
	return true;
}

static void khob_free_node(struct khob_radix *r, struct khob_node *node, u64 pa)
{
	if (khob_counted(r->flags))
		*khob_node_used(node) = 0;
	r->ops->free_node(r->ctx, node, pa);
}

int khob_radix_init(struct khob_radix *r, const struct khob_radix_ops *ops, void *ctx,
		    unsigned int flags)
{
	*r = (struct khob_radix) { .ops = ops, .ctx = ctx, .flags = flags };
	r->root = ops->alloc_node(ctx, &r->root_pa);
	if (!r->root)
		return -ENOMEM;
	memset(r->root, 0, sizeof(*r->root));
	if (khob_counted(flags))
		*khob_node_used(r->root) = 0;
	r->nr_nodes = 1;
	return 0;
}

void khob_radix_set_shared(struct khob_radix *r, bool shared)
{
	r->flags = shared ? r->flags | KHOB_RADIX_SHARED : r->flags & ~KHOB_RADIX_SHARED;
}

/* Nodes that are in no tree: they were allocated outside of the gate. */
struct khob_spare {
	unsigned int nr;
	struct khob_node *node[KHOB_TOP];
	u64 pa[KHOB_TOP];
};

static bool khob_spare_fill(struct khob_radix *r, struct khob_spare *spare, unsigned int nr)
{
	for (; spare->nr < nr; spare->nr++) {
		spare->node[spare->nr] = r->ops->alloc_node(r->ctx, &spare->pa[spare->nr]);
		if (!spare->node[spare->nr])
			return false;
	}
	return true;
}

static void khob_spare_free(struct khob_radix *r, struct khob_spare *spare)
{
	while (spare->nr--)
		khob_free_node(r, spare->node[spare->nr], spare->pa[spare->nr]);
}

/* What is kept of a fresh node; it may have been prepared in vain before. */
static void khob_use_first(const struct khob_radix *r, const struct khob_node *node, u64 n,
			   u64 parts)
{
	if (khob_counted(r->flags))
		*khob_node_used(node) = n * KHOB_USED_ONE | parts;
}

/* Sets bits @lo to @hi of a fresh leaf, which are all that it then has. */
static void khob_leaf_init(struct khob_node *leaf, unsigned int lo, unsigned int hi)
{
	unsigned int first = lo / 64, last = hi / 64;

	memset(leaf->table, 0, first * sizeof(__u64));
	memset(&leaf->table[first], 0xff, (last - first + 1) * sizeof(__u64));
	memset(&leaf->table[last + 1], 0, (KHOB_TABLE_ENTRIES - 1 - last) * sizeof(__u64));
	leaf->table[first] &= U64_MAX << (lo % 64);
	leaf->table[last] &= U64_MAX >> (63 - hi % 64);
}

/*
 * Links spare nodes for @level levels below @node, the leaf with the keys from @first to @last
 * in it. They are linked to each other first and to the tree last. Return: whether
 * they were; another thread may have been faster.
 */
static bool khob_link(struct khob_radix *r, struct khob_node *node, unsigned int level,
		      struct khob_spare *spare, u64 first, u64 last)
{
	unsigned int base = spare->nr - level, index = khob_index(first, level), i;
	unsigned int lo = khob_index(first, 0), hi = khob_index(last, 0);
	__u64 *entry = &node->table[index];
	u64 tops;

	khob_leaf_init(spare->node[base], lo, hi);
	khob_use_first(r, spare->node[base], hi - lo + 1, khob_parts(lo / 64, hi / 64));
	for (i = 1; i < level; i++) {
		struct khob_node *table = spare->node[base + i];
		unsigned int below = khob_index(first, i);

		memset(table, 0, sizeof(*table));
		table->table[below] = spare->pa[base + i - 1];
		khob_use_first(r, table, 1, khob_part(below));
	}
	/* A leaf has keys of one order, but for the first: that has all with a low highest bit. */
	tops = first >> KHOB_LEAF_LOG2 ? (u64)1 << khob_last_bit(first) : KHOB_LEAF_MASK;
	if (~khob_load(&r->tops) & tops)
		khob_word_or(r->flags, &r->tops, tops);
	/* Who finds the entry has to find it by its part, too. */
	khob_use(r->flags, node, 0, khob_part(index));
	if (!khob_shared(r->flags))
		*entry = spare->pa[spare->nr - 1];
	else if (!khob_swap_if(entry, 0, spare->pa[spare->nr - 1]))
		return false;
	khob_use(r->flags, node, 1, 0);
	khob_word_add(r->flags, &r->nr_nodes, level);
	spare->nr = base;
	return true;
}

/*
 * Sets bits of a leaf that is in the tree; -EEXIST, and none is set, if any was. What
 * the count changes by is worked out from what was really set and cleared here: in a shared
 * tree others may have deleted some of it in between.
 */
static int khob_leaf_add(struct khob_radix *r, struct khob_node *leaf, unsigned int lo,
			 unsigned int hi)
{
	unsigned int kind = r->flags, i;
	u64 n = 0, old = 0, mask = 0;

	for (i = lo / 64; i <= hi / 64; i++) {
		mask = khob_run_mask(i, lo, hi);
		old = khob_word_or(kind, &leaf->table[i], mask);
		if (unlikely(old & mask))
			break;
	}
	if (likely(i > hi / 64)) {
		khob_use(kind, leaf, hi - lo + 1, khob_parts(lo / 64, hi / 64));
		khob_account(r, kind, hi - lo + 1);
		return 0;
	}
	mask &= ~old;
	for (;;) {
		n += khob_weight(mask);
		n -= khob_weight(khob_word_clear(kind, &leaf->table[i], mask) & mask);
		if (i-- == lo / 64)
			break;
		mask = khob_run_mask(i, lo, hi);
	}
	khob_use(kind, leaf, n, 0);
	return -EEXIST;
}

int khob_add_in_leaf(struct khob_radix *r, u64 first, u64 last)
{
	struct khob_spare spare;
	struct khob_node *node;
	unsigned int kind = r->flags, level;
	struct khob_slot *slot;
	bool done = false;
	int ret = 0;

	spare.nr = 0;
	while (!done) {
		slot = khob_enter(kind);
		node = khob_reach(r, first, &level);
		if (!level) {
			ret = khob_leaf_add(r, node, khob_index(first, 0), khob_index(last, 0));
			done = true;
		} else if (spare.nr >= level && khob_link(r, node, level, &spare, first, last)) {
			khob_account(r, kind, last - first + 1);
			done = true;
		}
		khob_leave(kind, slot);
		if (!done && !khob_spare_fill(r, &spare, level)) {
			ret = -ENOMEM;
			done = true;
		}
	}
	khob_spare_free(r, &spare);
	return ret;
}

khob_noinline struct khob_node *khob_leaf_far(struct khob_radix *r, u64 key)
{
	u64 prefix = khob_prefix(key);
	struct khob_radix_near *near = &r->near[khob_near_index(prefix)];
	struct khob_node *node = r->root;
	unsigned int level;
	u64 child;

	for (level = KHOB_TOP; level; level--) {
		child = node->table[khob_index(key, level)];
		if (!child)
			return NULL;
		if (level == 1)
			*near = (struct khob_radix_near) { .prefix = prefix + 1, .table = node };
		node = khob_node_at(child);
	}
	return node;
}

/* The leaf is not there: allocates, which the short way must not pay for. */
static khob_noinline int khob_add_slowly(struct khob_radix *r, u64 key)
{
	return khob_add_in_leaf(r, key, key);
}

static __always_inline int khob_add_one(struct khob_radix *r, unsigned int kind, u64 key)
{
	unsigned int word = khob_index(key, 0) / 64;
	u64 mask = (u64)1 << (key % 64), old;
	struct khob_slot *slot;
	struct khob_node *leaf;

	if (unlikely(!khob_key_valid(kind, key)))
		return -EINVAL;
	slot = khob_enter(kind);
	leaf = khob_leaf_near(r, kind, key);
	if (unlikely(!leaf)) {
		khob_leave(kind, slot);
		return khob_add_slowly(r, key);
	}
	old = khob_word_or(kind, &leaf->table[word], mask);
	if (likely(!(old & mask))) {
		khob_use(kind, leaf, 1, khob_part(word));
		khob_account(r, kind, 1);
	}
	khob_leave(kind, slot);
	return unlikely(old & mask) ? -EEXIST : 0;
}

/* Apart, so that the short way need not save registers for it. */
static khob_noinline int khob_add_any(struct khob_radix *r, u64 key)
{
	return khob_add_one(r, r->flags, key);
}

int khob_radix_add(struct khob_radix *r, u64 key)
{
	return likely(!r->flags) ? khob_add_one(r, 0, key) : khob_add_any(r, key);
}

/* Whether nothing is left in a node; behind the gate. */
static bool khob_node_unused(const struct khob_radix *r, const struct khob_node *node)
{
	return khob_counted(r->flags) ? *khob_node_used(node) < KHOB_USED_ONE :
					khob_node_empty(node, 0);
}

void khob_prune(struct khob_radix *r, u64 key)
{
	struct khob_node *path[KHOB_TREE_DEPTH];
	u64 pa[KHOB_TREE_DEPTH];
	unsigned int kind = r->flags, level, freed;

	khob_close(kind);
	path[KHOB_TOP] = r->root;
	for (level = KHOB_TOP; level; level--) {
		pa[level - 1] = path[level]->table[khob_index(key, level)];
		if (!pa[level - 1])
			break;
		path[level - 1] = khob_node_at(pa[level - 1]);
	}
	/* Another thread may have freed the leaf, or have added to it again. */
	for (freed = 0; !level && freed < KHOB_TOP && khob_node_unused(r, path[freed]); freed++) {
		path[freed + 1]->table[khob_index(key, freed + 1)] = 0;
		khob_use(kind, path[freed + 1], -(u64)1, 0);
	}
	if (freed > 1)
		r->near[khob_near_index(khob_prefix(key))].prefix = 0;
	r->nr_nodes -= freed;
	khob_open(kind);
	while (freed--)
		khob_free_node(r, path[freed], pa[freed]);
}

static __always_inline int khob_del_one(struct khob_radix *r, unsigned int kind, u64 key)
{
	unsigned int word = khob_index(key, 0) / 64;
	u64 mask = (u64)1 << (key % 64);
	struct khob_slot *slot;
	struct khob_node *leaf;
	bool empty = false;
	int ret = -ENOENT;

	if (unlikely(!khob_key_valid(kind, key)))
		return -EINVAL;
	slot = khob_enter(kind);
	leaf = khob_leaf_near(r, kind, key);
	if (likely(leaf && khob_word_clear(kind, &leaf->table[word], mask) & mask)) {
		ret = 0;
		khob_account(r, kind, -(u64)1);
		empty = khob_counted(kind) ? khob_use(kind, leaf, -(u64)1, 0) :
					     khob_node_empty(leaf, word);
	}
	khob_leave(kind, slot);
	if (unlikely(empty))
		khob_prune(r, key);
	return ret;
}

static khob_noinline int khob_del_any(struct khob_radix *r, u64 key)
{
	return khob_del_one(r, r->flags, key);
}

int khob_radix_del(struct khob_radix *r, u64 key)
{
	return likely(!r->flags) ? khob_del_one(r, 0, key) : khob_del_any(r, key);
}

u64 khob_radix_word(const struct khob_radix *r, u64 key)
{
	const struct khob_node *leaf;
	unsigned int kind = r->flags;
	struct khob_slot *slot;
	u64 word = 0;

	slot = khob_enter(kind);
	leaf = khob_leaf(r, key & KHOB_KEY_MAX);
	if (leaf)
		word = khob_load(&leaf->table[khob_index(key, 0) / 64]);
	khob_leave(kind, slot);
	return word;
}

bool khob_radix_has(const struct khob_radix *r, u64 key)
{
	return khob_key_valid(r->flags, key) && khob_radix_word(r, key) >> (key % 64) & 1;
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
	while (level <= KHOB_TOP) {
		u64 child = 0;

		while (level && !child && at[level].index < KHOB_TABLE_ENTRIES)
			child = at[level].node->table[at[level].index++];
		if (child) {
			level--;
			at[level].pa = child;
			at[level].node = khob_node_at(child);
			at[level].index = 0;
			continue;
		}
		fn(ctx, at[level].node, at[level].pa, level);
		level++;
	}
}

static void khob_free_one(void *ctx, struct khob_node *node, u64 pa, unsigned int level)
{
	(void)level;
	khob_free_node(ctx, node, pa);
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
	memset(r->near, 0, sizeof(r->near));
}

u64 khob_node_digest(const void *node, u64 pa, unsigned int level)
{
	u64 words[3];

	words[0] = khob_xxh64(node, KHOB_PAGE_SIZE);
	words[1] = pa;
	words[2] = level;
	return khob_xxh64(words, sizeof(words));
}

bool khob_radix_empty(const struct khob_radix *r)
{
	return khob_load(khob_node_used(r->root)) < KHOB_USED_ONE;
}

static void khob_count_one(void *ctx, struct khob_node *node, u64 pa, unsigned int level)
{
	unsigned int i;

	(void)pa;
	for (i = 0; !level && i < KHOB_TABLE_ENTRIES; i++)
		*(u64 *)ctx += khob_weight(node->table[i]);
}

u64 khob_radix_count(const struct khob_radix *r)
{
	u64 sum = 0;

	khob_each_node(r, khob_count_one, &sum);
	return sum;
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
