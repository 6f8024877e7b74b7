/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The radix tree of preserved pages, in the layout of KHO's ABI (khob/abi.h):
 * six levels of page-sized nodes, the last one a bitmap, indexed by keys that
 * hold a page's order and physical address in one number.
 *
 * Nothing here sleeps or calls the kernel by itself; struct khob_radix_ops says
 * where nodes come from. Who may call at once is the tree's kind, see enum
 * khob_radix_flags. Page ranges, which are many keys, are in range.h.
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
 * @alloc_node: a node of KHOB_PAGE_SIZE bytes whose contents do not matter, in the
 *	direct map (khob_node_at()); its physical address in *@pa, aligned to
 *	KHOB_PAGE_SIZE and not 0. NULL when there is no memory. May sleep if the
 *	tree's caller may.
 * @free_node: takes back a node that @alloc_node gave, whatever is in it
 */
struct khob_radix_ops {
	void *(*alloc_node)(void *ctx, u64 *pa);
	void (*free_node)(void *ctx, void *node, u64 pa);
};

/**
 * enum khob_radix_flags - a tree's kind
 * @KHOB_RADIX_SHARED: any number of threads add, delete, look up and walk at once; bits
 *	and children are set by atomic operations, and nodes are freed behind the gate
 *	(gate.h). Without it the caller serialises. @nr_keys is not kept, since every
 *	adder would write to it.
 * @KHOB_RADIX_UNCOUNTED: nodes may come from elsewhere, so how many entries each has
 *	is not known and del looks for what is left in a node. No range or batch
 *	may be added then.
 * @KHOB_RADIX_ZERO: key 0, which no page has, is a key like any other.
 */
enum khob_radix_flags {
	KHOB_RADIX_SHARED = 1,
	KHOB_RADIX_UNCOUNTED = 2,
	KHOB_RADIX_ZERO = 4,
};

#define KHOB_RADIX_NEAR 16

/**
 * struct khob_radix_near - where leaves were found last
 * @prefix: what the keys below @table have in common, plus 1; 0 for none
 * @table: a node of level 1
 */
struct khob_radix_near {
	u64 prefix;
	struct khob_node *table;
};

/**
 * struct khob_radix - a tree
 * @ops: where its nodes come from
 * @ctx: passed to @ops
 * @root: the root node; exists as long as the tree does
 * @root_pa: its physical address
 * @nr_keys: keys present (not of a shared tree)
 * @nr_nodes: nodes allocated, the root included
 * @tops: the highest bits of all keys that may be there: which orders occur
 * @changes: counts them, so that a walk sees that it has to look again
 * @walks: how many walks go on (of a shared tree, where @changes is kept for them only)
 * @flags: enum khob_radix_flags
 * @near: so that who adds and deletes need not come from the root (not of a shared tree);
 *	an order mostly has one to itself
 *
 * How many entries a node has is kept outside of it (khob_node_used()): a node is
 * one page of the ABI and has no room.
 */
struct khob_radix {
	const struct khob_radix_ops *ops;
	void *ctx;
	struct khob_node *root;
	u64 root_pa;
	u64 nr_keys;
	__u64 nr_nodes;
	__u64 tops;
	__u64 changes;
	__u64 walks;
	unsigned int flags;
	struct khob_radix_near near[KHOB_RADIX_NEAR];
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

/**
 * khob_radix_init() - make an empty tree, which is one root node
 * @r: the tree
 * @ops: where nodes come from
 * @ctx: for @ops
 * @flags: enum khob_radix_flags
 *
 * Return: 0 or -ENOMEM.
 */
int khob_radix_init(struct khob_radix *r, const struct khob_radix_ops *ops, void *ctx,
		    unsigned int flags);

/**
 * khob_radix_set_shared() - whether others may use the tree from now on
 * @r: the tree, which nobody else uses now
 * @shared: whether it is KHOB_RADIX_SHARED
 *
 * For who is alone with a shared tree for a while: walks need not look twice then.
 * @nr_keys is not kept of a tree that ever was shared.
 */
void khob_radix_set_shared(struct khob_radix *r, bool shared);

/* Frees every node, whatever keys are left. Nobody else may use the tree any more. */
void khob_radix_destroy(struct khob_radix *r);

/**
 * khob_radix_add() - add a key
 *
 * Return: 0; -EINVAL if @key is no key; -EEXIST if it is present; -ENOMEM, and
 * then the tree is what it was: nodes that this call had made are freed.
 */
int khob_radix_add(struct khob_radix *r, u64 key);

/**
 * khob_radix_del() - delete a key, and every node that it leaves empty
 *
 * The root stays. Return: 0; -EINVAL if @key is no key; -ENOENT if it is absent.
 */
int khob_radix_del(struct khob_radix *r, u64 key);

/**
 * khob_radix_add_batch() - add many keys, all of them or none
 * @r: the tree
 * @keys: in any order; fastest where neighbours share a leaf
 * @nr: how many
 *
 * Return: 0; or as khob_radix_add() of the first key that could not be added (-EEXIST
 * also for one that stands in @keys twice), and then those before it are deleted again.
 */
int khob_radix_add_batch(struct khob_radix *r, const u64 *keys, size_t nr);

/**
 * khob_radix_add_word() - add those of 64 keys that a word says, or none
 * @r: the tree, neither shared nor uncounted
 * @base: a multiple of 64, and a key
 * @word: bit n: @base + n is one of them; not 0
 *
 * Return: as khob_radix_add_run().
 */
int khob_radix_add_word(struct khob_radix *r, u64 base, u64 word);

/**
 * khob_radix_add_run() - add every key of [@first, @last], or none
 * @r: the tree
 * @first: a key
 * @last: a key, >= @first
 *
 * One descent a leaf; words and whole leaves are filled at once.
 *
 * Return: 0; -EINVAL; -EEXIST if any is present; -ENOMEM; then the tree is what it was.
 */
int khob_radix_add_run(struct khob_radix *r, u64 first, u64 last);

/**
 * khob_radix_del_run() - delete every key of [@first, @last], and nodes left empty
 *
 * Return: 0; -EINVAL; -ENOENT if any is absent, and then nothing changed (in a shared
 * tree: unless another thread deletes some of them meanwhile).
 */
int khob_radix_del_run(struct khob_radix *r, u64 first, u64 last);

/* Whether @key is present; false for what is no key. */
bool khob_radix_has(const struct khob_radix *r, u64 key);

/*
 * The 64 keys that @key is one of and that differ from it in the lowest six bits only: bit
 * n is whether the n-th is present.
 */
u64 khob_radix_word(const struct khob_radix *r, u64 key);

/* The smallest key present that is >= @from, in *@key. Return: false if none. */
bool khob_radix_next(const struct khob_radix *r, u64 from, u64 *key);

/**
 * khob_radix_next_run() - the first run of keys at or behind @from
 * @r: the tree
 * @from: any number
 * @first: the smallest key that is >= @from
 * @last: the last one of those that follow it without a gap and have its order
 *
 * Return: false if there is none.
 */
bool khob_radix_next_run(const struct khob_radix *r, u64 from, u64 *first, u64 *last);

/**
 * khob_radix_walk() - call @fn for every key of [@from, @to], ascending
 * @r: the tree
 * @from: any number
 * @to: inclusive; U64_MAX for all
 * @fn: may add and delete keys; the walk goes on behind the key it was given, with what
 *	the tree then holds. No gate is held, so it may sleep if the caller may.
 * @ctx: for @fn
 *
 * To go on later, begin behind the last key that @fn was given. Of a shared tree a key that
 * others add or delete meanwhile is seen or not.
 *
 * Return: 0, or the first value other than 0 that @fn returned.
 */
int khob_radix_walk(struct khob_radix *r, u64 from, u64 to, int (*fn)(void *ctx, u64 key),
		    void *ctx);

/* Whether there is no key; not of a tree whose entries are not counted. */
bool khob_radix_empty(const struct khob_radix *r);

/* How many keys there are, counted leaf by leaf: of a shared tree nobody keeps account. */
u64 khob_radix_count(const struct khob_radix *r);

/**
 * khob_radix_digest() - a number that changes with any bit of any node
 *
 * The wrapping sum over all nodes of xxh64(node) mixed with its physical
 * address and level, so that the order of the walk does not matter. The same
 * sum is made by khob_check_tree() on what another kernel handed over. Nobody may
 * change the tree meanwhile.
 */
u64 khob_radix_digest(const struct khob_radix *r);

/* One node's share of the digest. */
u64 khob_node_digest(const void *node, u64 pa, unsigned int level);

#ifdef __cplusplus
}
#endif

#endif /* KHOB_CORE_RADIX_H */
