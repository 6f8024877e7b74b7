/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Leaves that are remembered: single keys of a shared tree are added and deleted without a way
 * from the root, without the gate and without an atomic operation.
 *
 * Whoever remembers a leaf is alone with it: all others who add, delete or look for keys of
 * that leaf have a lock that he has now. And he forgets it when its node is freed, of which
 * struct khob_radix_ops tells him. What is above the leaf is others', too, and stays as long
 * as the leaf does.
 */
#ifndef KHOB_CORE_HINT_H
#define KHOB_CORE_HINT_H

#include "radix_node.h"

#ifdef __cplusplus
extern "C" {
#endif

/**
 * struct khob_hint - a leaf that is remembered; all zeroes is none
 * @prefix: what the keys of the leaf have in common, plus 1; 0 for none
 * @leaf: its node
 * @used: what is kept of that (khob_node_used())
 */
struct khob_hint {
	u64 prefix;
	struct khob_node *leaf;
	__u64 *used;
};

/* hint.c: looks for @key's leaf. Return: whether it is there, and remembered from now on. */
bool khob_hint_find(const struct khob_radix *r, struct khob_hint *hint, u64 key);

/* Whether @key's leaf is there; it is remembered then. What is no key has none. */
static inline bool khob_hint_leaf(const struct khob_radix *r, struct khob_hint *hint, u64 key)
{
	return likely(hint->prefix == (key >> KHOB_LEAF_LOG2) + 1) || khob_hint_find(r, hint, key);
}

/* To be called for each node that is freed. */
static inline void khob_hint_forget(struct khob_hint *hint, const void *node)
{
	if (hint->leaf == node)
		memset(hint, 0, sizeof(*hint));
}

/* Of the leaf that is remembered: the 64 keys around @key, as khob_radix_word(). */
static inline __u64 *khob_hint_word(const struct khob_hint *hint, u64 key)
{
	return &hint->leaf->table[khob_index(key, 0) / 64];
}

/* Adds a key that is absent. */
static inline void khob_hint_add(struct khob_radix *r, struct khob_hint *hint, u64 key)
{
	*khob_hint_word(hint, key) |= (u64)1 << (key % 64);
	*hint->used = (*hint->used + KHOB_USED_ONE) | khob_part(khob_index(key, 0) / 64);
	khob_account(r, KHOB_RADIX_SHARED, 1);
}

/* Whether a leaf has more keys than one: to delete the last one is khob_radix_del()'s. */
static inline bool khob_hint_many(const struct khob_hint *hint)
{
	return *hint->used >= 2 * KHOB_USED_ONE;
}

/* Deletes a key that is present and is not the last one. */
static inline void khob_hint_del(struct khob_radix *r, struct khob_hint *hint, u64 key)
{
	*khob_hint_word(hint, key) &= ~((u64)1 << (key % 64));
	*hint->used -= KHOB_USED_ONE;
	khob_account(r, KHOB_RADIX_SHARED, -(u64)1);
}

#ifdef __cplusplus
}
#endif

#endif /* KHOB_CORE_HINT_H */
