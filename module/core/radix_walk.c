// SPDX-License-Identifier: GPL-2.0-only
/*
 * The tree in the order of its keys: the next key, the run of keys it begins, and the walk.
 */
#include "radix_node.h"

/* The first word at or behind word @i that is not 0; KHOB_TABLE_ENTRIES if none is. */
static unsigned int khob_next_word(const struct khob_node *node, u64 parts, unsigned int i)
{
	while (i < KHOB_TABLE_ENTRIES) {
		u64 ahead = parts >> i / KHOB_PART_WORDS;

		if (!(ahead & 1)) {
			if (!ahead)
				return KHOB_TABLE_ENTRIES;
			i = (i / KHOB_PART_WORDS + khob_first_bit(ahead)) * KHOB_PART_WORDS;
		}
		do {
			if (khob_load(&node->table[i]))
				return i;
		} while (++i % KHOB_PART_WORDS);
	}
	return i;
}

/* The first bit at or behind @bit that is set; KHOB_LEAF_BITS if none is. */
static unsigned int khob_leaf_next(const struct khob_node *leaf, u64 parts, unsigned int bit)
{
	unsigned int i = bit / 64;
	u64 mask = U64_MAX << (bit % 64);

	while ((i = khob_next_word(leaf, parts, i)) < KHOB_TABLE_ENTRIES) {
		u64 word = khob_load(&leaf->table[i]);

		if (i == bit / 64)
			word &= mask;
		if (word)
			return i * 64 + khob_first_bit(word);
		i++;
	}
	return KHOB_LEAF_BITS;
}

/* The first bit at or behind @bit that is clear; KHOB_LEAF_BITS if none is. */
static unsigned int khob_leaf_next_clear(const struct khob_node *leaf, unsigned int bit)
{
	unsigned int i = bit / 64;
	u64 word = ~khob_load(&leaf->table[i]) & (U64_MAX << (bit % 64));

	while (!word) {
		if (++i == KHOB_TABLE_ENTRIES)
			return KHOB_LEAF_BITS;
		word = ~khob_load(&leaf->table[i]);
	}
	return i * 64 + khob_first_bit(word);
}

/*
 * khob_next() from the root; inside the gate. Nothing behind @to is looked for, and may be found
 * all the same.
 */
static bool khob_find(const struct khob_radix *r, u64 from, u64 to, u64 *key,
		      const struct khob_node **leaf)
{
	const struct khob_node *path[KHOB_TREE_DEPTH];
	unsigned int kind = r->flags, level = KHOB_TOP;

	path[level] = r->root;
	while (from <= to) {
		unsigned int index = khob_index(from, level);
		unsigned int found, shift = khob_level_shift(level + 1);
		u64 prefix = from >> shift << shift, parts = khob_node_parts(kind, path[level]);

		if (!level) {
			found = khob_leaf_next(path[0], parts, index);
			if (found < KHOB_LEAF_BITS) {
				*leaf = path[0];
				*key = prefix | found;
				return true;
			}
		} else {
			found = khob_next_word(path[level], parts, index);
			if (found > index && found < KHOB_TABLE_ENTRIES)
				from = prefix | (u64)found << khob_level_shift(level);
			if (found < KHOB_TABLE_ENTRIES) {
				u64 child = khob_load(&path[level]->table[found]);

				/* Only a gate keeps nodes, and this is inside of it. */
				path[--level] = khob_node_at(child);
				continue;
			}
		}
		/* Nothing more in this node: on with its next sibling, or a cousin. */
		if (level == KHOB_TOP)
			break;
		from = prefix + ((u64)1 << shift);
		do {
			level++;
		} while (level < KHOB_TOP && !khob_index(from, level));
	}
	return false;
}

bool khob_next(const struct khob_radix *r, u64 from, u64 *key, const struct khob_node **leaf)
{
	unsigned int kind = r->flags, found;
	struct khob_slot *slot;
	bool more;

	if (*leaf) {
		found = khob_leaf_next(*leaf, khob_node_parts(kind, *leaf), khob_index(from, 0));
		if (found < KHOB_LEAF_BITS) {
			*key = (from & ~KHOB_LEAF_MASK) | found;
			return true;
		}
		from = (from | KHOB_LEAF_MASK) + 1;
	}
	slot = khob_enter(kind);
	more = khob_find(r, from, KHOB_KEY_MAX, key, leaf);
	khob_leave(kind, slot);
	if (khob_shared(kind))
		*leaf = NULL;
	return more;
}

bool khob_next_to(const struct khob_radix *r, u64 from, u64 to, u64 *key)
{
	const struct khob_node *leaf;
	unsigned int lo, hi;
	u64 word;

	if (from / 64 != to / 64)
		return khob_find(r, from, to, key, &leaf) && *key <= to;
	/* Mostly a page or a few are looked for, and then one word is all there is to see. */
	leaf = khob_leaf(r, from);
	if (!leaf)
		return false;
	lo = khob_index(from, 0);
	hi = khob_index(to, 0);
	word = khob_load(&leaf->table[lo / 64]) & khob_run_mask(lo / 64, lo, hi);
	if (!word)
		return false;
	*key = from / 64 * 64 + khob_first_bit(word);
	return true;
}

u64 khob_run_end(const struct khob_radix *r, u64 first, const struct khob_node **leaf)
{
	/* KHO ABI: keys of one order are those with the same highest bit. */
	u64 limit = first ? U64_MAX >> (63 - khob_last_bit(first)) : 0;
	unsigned int kind = r->flags, clear;
	u64 key = first, end;

	for (;;) {
		struct khob_slot *slot = khob_enter(kind);

		clear = 0;
		if (!*leaf)
			*leaf = khob_leaf(r, key);
		if (*leaf)
			clear = khob_leaf_full(kind, *leaf) ?
				KHOB_LEAF_BITS : khob_leaf_next_clear(*leaf, khob_index(key, 0));
		khob_leave(kind, slot);
		end = (key & ~KHOB_LEAF_MASK) + clear - 1;
		if (end >= limit)
			end = limit;
		if (clear < KHOB_LEAF_BITS || end == limit)
			break;
		*leaf = NULL;
		key = end + 1;
	}
	/* Of a shared tree it may be another run by now that begins where this one did. */
	if (end < first || end == U64_MAX)
		end = first;
	if (khob_shared(kind) || (end + 1) >> KHOB_LEAF_LOG2 != key >> KHOB_LEAF_LOG2)
		*leaf = NULL;
	return end;
}

bool khob_radix_next(const struct khob_radix *r, u64 from, u64 *key)
{
	const struct khob_node *leaf = NULL;

	return khob_next(r, from, key, &leaf);
}

bool khob_radix_next_run(const struct khob_radix *r, u64 from, u64 *first, u64 *last)
{
	const struct khob_node *leaf = NULL;

	if (!khob_next(r, from, first, &leaf))
		return false;
	*last = khob_run_end(r, *first, &leaf);
	return true;
}

/**
 * struct khob_walk - a walk
 * @from: the next key is not below this
 * @to: the last key of interest
 * @fn: called for each key
 * @ctx: for @fn
 * @changes: of the tree when it was looked at
 * @leaf: where @from may be, if that is known
 * @copy: the words that are looked at, of a shared tree
 */
struct khob_walk {
	u64 from;
	u64 to;
	int (*fn)(void *ctx, u64 key);
	void *ctx;
	u64 changes;
	const struct khob_node *leaf;
	__u64 copy[KHOB_PART_WORDS];
};

/* Finds the next key and the words of the part that it is in; NULL if there is none. */
static const __u64 *khob_walk_find(const struct khob_radix *r, struct khob_walk *w, u64 *key)
{
	const __u64 *words;
	struct khob_slot *slot;
	unsigned int i;

	w->changes = khob_load(&r->changes);
	if (!khob_shared(r->flags)) {
		if (!khob_next(r, w->from, key, &w->leaf))
			return NULL;
		i = khob_index(*key, 0) / 64;
		return &w->leaf->table[i - i % KHOB_PART_WORDS];
	}
	/* The leaf may be gone as soon as the gate is left. */
	slot = khob_gate_enter();
	words = NULL;
	if (khob_find(r, w->from, KHOB_KEY_MAX, key, &w->leaf)) {
		i = khob_index(*key, 0) / 64;
		words = &w->leaf->table[i - i % KHOB_PART_WORDS];
		for (i = 0; i < KHOB_PART_WORDS; i++)
			w->copy[i] = khob_load(&words[i]);
		words = w->copy;
	}
	khob_gate_leave(slot);
	return words;
}

/*
 * Calls @w->fn for what a part holds from @key on, as long as nothing is added or deleted: then
 * the leaf may be gone, and the walk has to look again.
 */
static int khob_walk_part(const struct khob_radix *r, struct khob_walk *w, const __u64 *words,
			  u64 key)
{
	unsigned int i = khob_index(key, 0) / 64 % KHOB_PART_WORDS;
	u64 base = key & ~((u64)KHOB_PART_WORDS * 64 - 1);
	u64 word = words[i] & (U64_MAX << (key % 64));

	for (;;) {
		for (; word; word &= word - 1) {
			int err;

			key = base | i * 64 | khob_first_bit(word);
			w->from = key + 1;
			if (key > w->to)
				return 0;
			err = w->fn(w->ctx, key);
			if (unlikely(err || khob_load(&r->changes) != w->changes)) {
				w->leaf = NULL;
				return err;
			}
		}
		if (++i == KHOB_PART_WORDS)
			break;
		word = words[i];
	}
	w->from = base + KHOB_PART_WORDS * 64;
	/* That is in another leaf, or in none. */
	if (!(w->from & KHOB_LEAF_MASK))
		w->leaf = NULL;
	return 0;
}

int khob_radix_walk(struct khob_radix *r, u64 from, u64 to, int (*fn)(void *ctx, u64 key),
		    void *ctx)
{
	struct khob_walk w;
	const __u64 *words;
	int err = 0;
	u64 key;

	w.from = from;
	w.to = to;
	w.fn = fn;
	w.ctx = ctx;
	w.leaf = NULL;
	if (khob_shared(r->flags))
		khob_fetch_add(&r->walks, 1);
	while (!err && w.from <= to) {
		words = khob_walk_find(r, &w, &key);
		if (!words)
			break;
		err = khob_walk_part(r, &w, words, key);
	}
	if (khob_shared(r->flags))
		khob_fetch_add(&r->walks, -(u64)1);
	return err;
}
