// SPDX-License-Identifier: GPL-2.0-only
/*
 * Many keys at once: runs, which fill words and whole leaves, and groups of any keys, whose
 * leaves are fetched into the cache together. All of them or none are added.
 */
#include "radix_node.h"

static u64 khob_leaf_end(u64 key, u64 last)
{
	u64 end = key | KHOB_LEAF_MASK;

	return end < last ? end : last;
}

static bool khob_run_valid(unsigned int kind, u64 first, u64 last)
{
	return first <= last && khob_key_valid(kind, first) && khob_key_valid(kind, last) &&
	       khob_counted(kind);
}

/* Deletes what there is of a run within one leaf. Return: whether nothing is left in that. */
static bool khob_clear_in_leaf(struct khob_radix *r, struct khob_node *leaf, u64 first, u64 last)
{
	unsigned int lo = khob_index(first, 0), hi = khob_index(last, 0), kind = r->flags, i;
	u64 n = 0;

	/* The leaf goes, so that what is in it does not matter. */
	if (last - first == KHOB_LEAF_BITS - 1 && khob_leaf_full(kind, leaf)) {
		n = KHOB_LEAF_BITS;
	} else {
		for (i = lo / 64; i <= hi / 64; i++) {
			u64 mask = khob_run_mask(i, lo, hi);

			n += khob_weight(khob_word_clear(kind, &leaf->table[i], mask) & mask);
		}
	}
	khob_account(r, kind, -n);
	return n && khob_use(kind, leaf, -n, 0);
}

void khob_clear_run(struct khob_radix *r, u64 first, u64 last)
{
	for (;;) {
		u64 end = khob_leaf_end(first, last);
		struct khob_slot *slot = khob_enter(r->flags);
		struct khob_node *leaf = khob_leaf(r, first);
		bool empty = leaf && khob_clear_in_leaf(r, leaf, first, end);

		khob_leave(r->flags, slot);
		if (empty)
			khob_prune(r, first);
		if (end == last)
			break;
		first = end + 1;
	}
}

bool khob_run_present(const struct khob_radix *r, u64 first, u64 last)
{
	unsigned int kind = r->flags, i;

	for (;;) {
		u64 end = khob_leaf_end(first, last);
		unsigned int lo = khob_index(first, 0), hi = khob_index(end, 0);
		struct khob_slot *slot = khob_enter(kind);
		const struct khob_node *leaf = khob_leaf(r, first);
		bool all = leaf;

		for (i = lo / 64; all && !khob_leaf_full(kind, leaf) && i <= hi / 64; i++)
			all = !(~khob_load(&leaf->table[i]) & khob_run_mask(i, lo, hi));
		khob_leave(kind, slot);
		if (!all || end == last)
			return all;
		first = end + 1;
	}
}

int khob_radix_add_word(struct khob_radix *r, u64 base, u64 word)
{
	unsigned int i = khob_index(base, 0) / 64;
	struct khob_node *leaf;
	int ret;

	if (!khob_plain(r->flags) || base % 64 || !word || !khob_key_valid(0, base) ||
	    !khob_key_valid(0, base + 63))
		return -EINVAL;
	leaf = khob_leaf_near(r, 0, base);
	if (unlikely(!leaf)) {
		u64 key = base + khob_first_bit(word);

		ret = khob_add_in_leaf(r, key, key);
		word &= word - 1;
		if (ret || !word)
			return ret;
		leaf = khob_leaf_near(r, 0, base);
	} else if (unlikely(leaf->table[i] & word)) {
		return -EEXIST;
	}
	leaf->table[i] |= word;
	khob_use(0, leaf, khob_weight(word), khob_part(i));
	khob_account(r, 0, khob_weight(word));
	return 0;
}

int khob_radix_add_run(struct khob_radix *r, u64 first, u64 last)
{
	u64 key = first;

	if (!khob_run_valid(r->flags, first, last))
		return -EINVAL;
	for (;;) {
		u64 end = khob_leaf_end(key, last);
		int ret = khob_add_in_leaf(r, key, end);

		if (ret && key > first)
			khob_clear_run(r, first, key - 1);
		if (ret || end == last)
			return ret;
		key = end + 1;
	}
}

int khob_radix_del_run(struct khob_radix *r, u64 first, u64 last)
{
	if (!khob_run_valid(r->flags, first, last))
		return -EINVAL;
	if (!khob_run_present(r, first, last))
		return -ENOENT;
	khob_clear_run(r, first, last);
	return 0;
}

/*
 * Finds the leaves of @nr keys and has what will be written of them fetched: none waits for
 * the one before. Return: how many were found, up to the first that was not.
 */
static __always_inline unsigned int khob_find_group(struct khob_radix *r, unsigned int kind,
						    const u64 *keys, unsigned int nr,
						    struct khob_node **leaves)
{
	unsigned int i;

	for (i = 0; i < nr; i++) {
		if (unlikely(!khob_key_valid(kind, keys[i])))
			break;
		leaves[i] = khob_leaf_near(r, kind, keys[i]);
		if (unlikely(!leaves[i]))
			break;
		khob_prefetch_write(&leaves[i]->table[khob_index(keys[i], 0) / 64]);
		khob_prefetch_write(khob_node_used(leaves[i]));
	}
	return i;
}

/*
 * Adds keys up to the first that cannot be added. Return: how many; *@ret is -EEXIST or
 * -EINVAL if the next one is to blame, and 0 if its leaf is missing.
 */
static __always_inline unsigned int khob_group_add(struct khob_radix *r, unsigned int kind,
						   const u64 *keys, unsigned int nr, int *ret)
{
	struct khob_node *leaves[KHOB_GROUP];
	struct khob_slot *slot = khob_enter(kind);
	unsigned int found = khob_find_group(r, kind, keys, nr, leaves), i;

	for (i = 0; i < found; i++) {
		unsigned int word = khob_index(keys[i], 0) / 64;
		u64 mask = (u64)1 << (keys[i] % 64);

		if (unlikely(khob_word_or(kind, &leaves[i]->table[word], mask) & mask)) {
			*ret = -EEXIST;
			break;
		}
		khob_use(kind, leaves[i], 1, khob_part(word));
	}
	khob_account(r, kind, i);
	khob_leave(kind, slot);
	if (unlikely(i == found && i < nr && !khob_key_valid(kind, keys[i])))
		*ret = -EINVAL;
	return i;
}

/* How many keys follow each other at the beginning of @keys. */
static size_t khob_in_a_row(const u64 *keys, size_t nr)
{
	size_t i = 1;

	while (i < nr && keys[i] == keys[i - 1] + 1)
		i++;
	return i;
}

int khob_radix_add_batch(struct khob_radix *r, const u64 *keys, size_t nr)
{
	unsigned int kind = r->flags;
	bool runs = true;
	size_t done = 0;
	int ret = 0;

	if (!khob_counted(kind))
		return -EINVAL;
	while (!ret && done < nr) {
		size_t left = nr - done, run = runs ? khob_in_a_row(keys + done, left) : 0;
		unsigned int want = left < KHOB_GROUP ? left : KHOB_GROUP, added;

		if (run >= KHOB_GROUP) {
			/* If it fails, which key is the first to blame is found below. */
			runs = !khob_radix_add_run(r, keys[done], keys[done + run - 1]);
			if (runs) {
				done += run;
				continue;
			}
		}
		added = likely(!kind) ? khob_group_add(r, 0, keys + done, want, &ret) :
					khob_group_add(r, kind, keys + done, want, &ret);
		done += added;
		if (!ret && added < want) {
			ret = khob_add_in_leaf(r, keys[done], keys[done]);
			if (!ret)
				done++;
		}
	}
	while (ret && done--)
		khob_radix_del(r, keys[done]);
	return ret;
}

/* Whether all keys of a group are present; inside the gate. Their leaves are in @leaves then. */
static __always_inline bool khob_group_present(struct khob_radix *r, unsigned int kind,
					       const u64 *keys, unsigned int nr,
					       struct khob_node **leaves)
{
	unsigned int i;

	if (khob_find_group(r, kind, keys, nr, leaves) < nr)
		return false;
	for (i = 0; i < nr; i++) {
		u64 word = khob_load(&leaves[i]->table[khob_index(keys[i], 0) / 64]);

		if (unlikely(!(word >> (keys[i] % 64) & 1)))
			return false;
	}
	return true;
}

static __always_inline int khob_group_del(struct khob_radix *r, unsigned int kind,
					  const u64 *keys, unsigned int nr)
{
	struct khob_node *leaves[KHOB_GROUP];
	struct khob_slot *slot = khob_enter(kind);
	bool all = khob_group_present(r, kind, keys, nr, leaves);
	u64 empty = 0, n = 0;
	unsigned int i;

	for (i = 0; all && i < nr; i++) {
		__u64 *word = &leaves[i]->table[khob_index(keys[i], 0) / 64];
		u64 mask = (u64)1 << (keys[i] % 64);

		/* In a shared tree another thread may have deleted it since. */
		if (unlikely(!(khob_word_clear(kind, word, mask) & mask)))
			continue;
		n++;
		if (unlikely(khob_use(kind, leaves[i], -(u64)1, 0)))
			empty |= (u64)1 << i;
	}
	khob_account(r, kind, -n);
	khob_leave(kind, slot);
	for (; empty; empty &= empty - 1)
		khob_prune(r, keys[khob_first_bit(empty)]);
	return all ? 0 : -ENOENT;
}

int khob_del_group(struct khob_radix *r, const u64 *keys, unsigned int nr)
{
	return likely(!r->flags) ? khob_group_del(r, 0, keys, nr) :
				   khob_group_del(r, r->flags, keys, nr);
}

bool khob_has_group(struct khob_radix *r, const u64 *keys, unsigned int nr)
{
	struct khob_node *leaves[KHOB_GROUP];
	struct khob_slot *slot = khob_enter(r->flags);
	bool all = khob_group_present(r, r->flags, keys, nr, leaves);

	khob_leave(r->flags, slot);
	return all;
}
