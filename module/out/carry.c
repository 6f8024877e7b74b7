// SPDX-License-Identifier: GPL-2.0-only
/*
 * Pages of the kernel before that are still held when the next one is loaded go on
 * to it, with the orders that they have.
 */
#include "out/out.h"

static int khob_carry_key(void *ctx, u64 key)
{
	cond_resched();
	return khob_out_add_key(key);
}

static int khob_drop_key(void *ctx, u64 key)
{
	cond_resched();
	khob_out_del_key(key);
	return 0;
}

/* Takes back all that khob_carry() has added. */
void khob_uncarry(void)
{
	struct khob_in_subtree *sub;

	if (khob_in.tree_ready)
		khob_radix_walk(&khob_in.tree, 0, U64_MAX, khob_drop_key, NULL);
	list_for_each_entry(sub, &khob_in.subtrees, list) {
		if (khob_internal_name(sub->name))
			continue;
		if (sub->own_pages)
			khob_in_each_key(sub, khob_drop_key);
		else
			khob_out_del_range(PHYS_PFN(sub->start),
					   PHYS_PFN(sub->end - sub->start));
	}
}

/* A blob's pages keep the orders that they have, for its client to restore them. */
static int khob_carry_subtree(const struct khob_in_subtree *sub)
{
	int ret;

	if (!sub->own_pages)
		return khob_out_preserve_range(PHYS_PFN(sub->start),
					       PHYS_PFN(sub->end - sub->start));
	ret = khob_in_each_key(sub, khob_carry_key);
	return ret ?: khob_out_settle();
}

/**
 * khob_carry() - add what is still held to what is handed over
 *
 * Context: process, khob_lock held.
 *
 * Return: 0; -EEXIST; -ENOMEM; then nothing changed.
 */
int khob_carry(void)
{
	struct khob_in_subtree *sub;
	int ret = 0;

	if (khob_in.tree_ready)
		ret = khob_radix_walk(&khob_in.tree, 0, U64_MAX, khob_carry_key, NULL);
	list_for_each_entry(sub, &khob_in.subtrees, list) {
		if (ret)
			break;
		if (khob_internal_name(sub->name))
			continue;
		if (khob_out_subtree(sub->name))
			ret = khob_refuse(-EEXIST, "subtree %s is on both sides; release one",
					  sub->name);
		else
			ret = khob_carry_subtree(sub);
	}
	if (ret)
		khob_uncarry();
	return ret;
}
