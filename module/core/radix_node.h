/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the files of the tree share: where a key is in a node, the way down to a leaf, and
 * how a node's words and counts are changed in a tree that is shared and in one that is not.
 */
#ifndef KHOB_CORE_RADIX_NODE_H
#define KHOB_CORE_RADIX_NODE_H

#include "gate.h"
#include "radix.h"

#ifdef __cplusplus
extern "C" {
#endif

#define KHOB_TOP (KHOB_TREE_DEPTH - 1) /* the root's level; leaves are level 0 */

/* KHO ABI: no key has a bit above the order bit of an order-0 page. */
#define KHOB_KEY_MAX (((u64)1 << KHOB_KEY_WIDTH) - 1)

#define KHOB_LEAF_MASK ((u64)KHOB_LEAF_BITS - 1)

/*
 * Most of what follows takes a tree's flags (@kind). Where the caller knows that there are
 * none, the compiler leaves out what only other trees need.
 */

static inline bool khob_shared(unsigned int kind)
{
	return unlikely(kind & KHOB_RADIX_SHARED);
}

static inline bool khob_counted(unsigned int kind)
{
	return likely(!(kind & KHOB_RADIX_UNCOUNTED));
}

static inline bool khob_plain(unsigned int kind)
{
	return likely(!(kind & (KHOB_RADIX_SHARED | KHOB_RADIX_UNCOUNTED)));
}

static inline bool khob_key_valid(unsigned int kind, u64 key)
{
	return likely(key - 1 < KHOB_KEY_MAX) || (!key && kind & KHOB_RADIX_ZERO);
}

/* The lowest bit of a key that selects an entry of a node of @level. */
static inline unsigned int khob_level_shift(unsigned int level)
{
	return level ? (level - 1) * KHOB_TABLE_LOG2 + KHOB_LEAF_LOG2 : 0;
}

static inline unsigned int khob_index(u64 key, unsigned int level)
{
	u64 entries = level ? KHOB_TABLE_ENTRIES : KHOB_LEAF_BITS;

	return (key >> khob_level_shift(level)) & (entries - 1);
}

/* The bits of a word from @lo to @hi. */
static inline u64 khob_bits(unsigned int lo, unsigned int hi)
{
	return (U64_MAX << lo) & (U64_MAX >> (63 - hi));
}

/* The bits of word @i that a run has which begins at bit @lo of a node and ends at @hi. */
static inline u64 khob_run_mask(unsigned int i, unsigned int lo, unsigned int hi)
{
	return khob_bits(i == lo / 64 ? lo % 64 : 0, i == hi / 64 ? hi % 64 : 63);
}

/* Before and after any look at a tree; nothing between them sleeps. */

static inline struct khob_slot *khob_enter(unsigned int kind)
{
	return khob_shared(kind) ? khob_gate_enter() : NULL;
}

static inline void khob_leave(unsigned int kind, struct khob_slot *slot)
{
	if (khob_shared(kind))
		khob_gate_leave(slot);
}

/* From here on nobody else looks at the tree. */
static inline void khob_close(unsigned int kind)
{
	if (khob_shared(kind))
		khob_gate_close();
}

static inline void khob_open(unsigned int kind)
{
	if (khob_shared(kind))
		khob_gate_open();
}

/* Each returns the word as it was. */

static inline u64 khob_word_or(unsigned int kind, __u64 *word, u64 mask)
{
	u64 old;

	if (khob_shared(kind))
		return khob_fetch_or(word, mask);
	old = *word;
	*word = old | mask;
	return old;
}

static inline u64 khob_word_clear(unsigned int kind, __u64 *word, u64 mask)
{
	u64 old;

	if (khob_shared(kind))
		return khob_fetch_and(word, ~mask);
	old = *word;
	*word = old & ~mask;
	return old;
}

static inline u64 khob_word_add(unsigned int kind, __u64 *word, u64 n)
{
	u64 old;

	if (khob_shared(kind))
		return khob_fetch_add(word, n);
	old = *word;
	*word = old + n;
	return old;
}

/* @n keys were added, or deleted if it is negative. */
static inline void khob_account(struct khob_radix *r, unsigned int kind, u64 n)
{
	if (!khob_shared(kind)) {
		r->nr_keys += n;
		r->changes++;
	} else if (unlikely(khob_load(&r->walks))) {
		/* Who walks has to see what it changes itself: it has set @walks before. */
		khob_fetch_add(&r->changes, 1);
	}
}

/*
 * What is kept of a node outside of it (khob_node_used()): in the upper half how many entries
 * it has, in the lower half a bit for each of its KHOB_PARTS parts. The words of a part are
 * 0 if its bit is; once set it stays until the node is freed.
 */
#define KHOB_PARTS 32
#define KHOB_PART_WORDS (KHOB_TABLE_ENTRIES / KHOB_PARTS)
#define KHOB_USED_ONE ((u64)1 << KHOB_PARTS)

/* The parts that words from @first to @last are in. */
static inline u64 khob_parts(unsigned int first, unsigned int last)
{
	return khob_bits(first / KHOB_PART_WORDS, last / KHOB_PART_WORDS);
}

/* The part that word @i is in. */
static inline u64 khob_part(unsigned int i)
{
	return (u64)1 << i / KHOB_PART_WORDS;
}

/* Those parts of a node in which there may be something. */
static inline u64 khob_node_parts(unsigned int kind, const struct khob_node *node)
{
	return khob_counted(kind) ? khob_load(khob_node_used(node)) & (KHOB_USED_ONE - 1) :
				    KHOB_USED_ONE - 1;
}

/*
 * Counts @n entries of a node that were added to @parts, or deleted if it is negative. Another
 * thread may already have deleted what the caller has added and not yet counted, so
 * that the count is too low for a while and even below 0. Return: whether nothing may be
 * left; it is looked at again behind the gate.
 */
static inline bool khob_use(unsigned int kind, const struct khob_node *node, u64 n, u64 parts)
{
	__u64 *used = khob_node_used(node);
	u64 now;

	if (!khob_counted(kind))
		return false;
	if (khob_shared(kind)) {
		now = khob_fetch_add(used, n * KHOB_USED_ONE) + n * KHOB_USED_ONE;
		if (unlikely(~now & parts))
			khob_fetch_or(used, parts);
	} else {
		now = (*used + n * KHOB_USED_ONE) | parts;
		*used = now;
	}
	return (long long)now < (long long)KHOB_USED_ONE;
}

/* Whether all of a leaf's keys are present, as far as that can be told at once. */
static inline bool khob_leaf_full(unsigned int kind, const struct khob_node *leaf)
{
	return khob_plain(kind) && *khob_node_used(leaf) >= KHOB_LEAF_BITS * KHOB_USED_ONE;
}

/* The lowest node on @key's way, and its level: 0 if that is the key's leaf. */
static inline struct khob_node *khob_reach(const struct khob_radix *r, u64 key,
					   unsigned int *level)
{
	struct khob_node *node = r->root;
	unsigned int at;

	for (at = KHOB_TOP; at; at--) {
		u64 child = khob_load(&node->table[khob_index(key, at)]);

		if (unlikely(!child))
			break;
		node = khob_node_at(child);
	}
	*level = at;
	return node;
}

/* @key's leaf, or NULL. */
static inline struct khob_node *khob_leaf(const struct khob_radix *r, u64 key)
{
	unsigned int level;
	struct khob_node *node = khob_reach(r, key, &level);

	return level ? NULL : node;
}

/* What the keys below one table of level 1 have in common. */
static inline u64 khob_prefix(u64 key)
{
	return key >> (KHOB_LEAF_LOG2 + KHOB_TABLE_LOG2);
}

/* Where keys with @prefix are remembered; the highest bit of most is their order's. */
static inline unsigned int khob_near_index(u64 prefix)
{
	return khob_last_bit(prefix | 1) % KHOB_RADIX_NEAR;
}

/* radix.c: as khob_leaf(), and remembers the table above it. */
struct khob_node *khob_leaf_far(struct khob_radix *r, u64 key);

/* As khob_leaf(), for who adds or deletes: neighbours are found sooner. */
static inline struct khob_node *khob_leaf_near(struct khob_radix *r, unsigned int kind, u64 key)
{
	const struct khob_radix_near *near = &r->near[khob_near_index(khob_prefix(key))];
	u64 child;

	if (khob_shared(kind))
		return khob_leaf(r, key);
	if (unlikely(near->prefix != khob_prefix(key) + 1))
		return khob_leaf_far(r, key);
	child = near->table->table[khob_index(key, 1)];
	return likely(child) ? khob_node_at(child) : NULL;
}

/* radix.c */

/* Frees @key's leaf and the nodes above it as far as nothing is left in them. */
void khob_prune(struct khob_radix *r, u64 key);

/* As khob_radix_add_run(), within one leaf. */
int khob_add_in_leaf(struct khob_radix *r, u64 first, u64 last);

/* radix_bulk.c */

/* Whether every key of a run is present. */
bool khob_run_present(const struct khob_radix *r, u64 first, u64 last);

/* Deletes what there is of a run. */
void khob_clear_run(struct khob_radix *r, u64 first, u64 last);

/* So many keys at once have their leaves found; they and the nodes are on the stack. */
#define KHOB_GROUP 24

/* Deletes up to KHOB_GROUP keys, each there once; -ENOENT, and none is, if any is absent. */
int khob_del_group(struct khob_radix *r, const u64 *keys, unsigned int nr);

/* Whether all of up to KHOB_GROUP keys are present. */
bool khob_has_group(struct khob_radix *r, const u64 *keys, unsigned int nr);

/* radix_walk.c */

/* As khob_radix_next(); @leaf, if not NULL, is @from's, and is *@key's afterwards. */
bool khob_next(const struct khob_radix *r, u64 from, u64 *key, const struct khob_node **leaf);

/* The first key of [@from, @to], which ends at KHOB_KEY_MAX at most; inside the gate. */
bool khob_next_to(const struct khob_radix *r, u64 from, u64 to, u64 *key);

/* The end of @first's run; *@leaf is its leaf, and that of the end afterwards. */
u64 khob_run_end(const struct khob_radix *r, u64 first, const struct khob_node **leaf);

#ifdef __cplusplus
}
#endif

#endif /* KHOB_CORE_RADIX_NODE_H */
