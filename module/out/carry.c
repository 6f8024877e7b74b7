// SPDX-License-Identifier: GPL-2.0-only
/*
 * Pages of the kernel before that are still held when the next one is loaded go on
 * to it, with the orders that they have. What went is kept account of, so that exactly that
 * is taken back, whatever has become of the pages since.
 */
#include "out/out.h"

static bool khob_handed_poisoned(const struct khob_handed *sub)
{
	return khob_ram_poisoned(sub->start, PHYS_PFN(sub->end - sub->start));
}

/*
 * Whether clients of the kernel's own KHO have taken a part of a blob since the attach: they tell
 * nobody. What lies in metadata only this module can have.
 */
static bool khob_handed_taken(const struct khob_handed *sub)
{
	unsigned int order;
	u64 pa, start;

	if (!khob_in.native || !sub->own_pages)
		return false;
	for (pa = sub->start; pa < sub->end; pa = start + (PAGE_SIZE << order))
		if (!khob_native_holds(pa, &start, &order))
			return true;
	return false;
}

/* Whether a blob goes on: all of it or nothing, and not what every freeze makes anew. */
bool khob_carries_subtree(const struct khob_handed *sub)
{
	return !sub->gone && !khob_internal_name(sub->name) && !khob_handed_poisoned(sub) &&
	       !khob_handed_taken(sub);
}

/*
 * Whether a copy of a blob goes on under its name: kho-v2 knows no length, and what is no FDT
 * itself nor stands in one is copied into one.
 */
static bool khob_goes_as_copy(const struct khob_handed *sub)
{
	return !khob_abi_has_blob_size(khob_out.abi) && !sub->wrap_pa &&
	       !khob_fdt_is_whole(__va(sub->pa), sub->len);
}

/*
 * Which of a blob's pages go on. Around one that kho-v2 has wrapped there is an FDT, which no
 * other version needs: a page with nothing else in it would be nobody's there.
 */
static void khob_carry_range(const struct khob_handed *sub, u64 *start, u64 *end)
{
	bool wrapped = sub->wrap_pa && !khob_abi_has_blob_size(khob_out.abi);

	*start = wrapped ? sub->start : ALIGN_DOWN(sub->pa, PAGE_SIZE);
	*end = wrapped ? sub->end : PAGE_ALIGN(sub->pa + sub->len);
}

/*
 * Whether a page goes on with the blob that it is part of. Where a copy of the blob does, one of a
 * client's goes on as a page: there may be other things in it. What has a digest was put, or is
 * a copy: its pages hold nothing else, and would be nobody's.
 */
static bool khob_carry_with(const struct khob_handed *sub, u64 pa, unsigned int order)
{
	u64 start, end;

	if (!khob_carries_subtree(sub) || (sub->has_digest && khob_goes_as_copy(sub)))
		return false;
	khob_carry_range(sub, &start, &end);
	return pa < end && pa + (PAGE_SIZE << order) > start;
}

/* Whether a page of the kernel before goes on to the next one. */
bool khob_carried(u64 key)
{
	return khob_out.carried_ready && khob_radix_has(&khob_out.carried, key);
}

static int khob_carry_key(u64 key)
{
	int ret = khob_out_add_key(key);

	if (ret)
		return ret;
	ret = khob_radix_add(&khob_out.carried, key);
	if (ret)
		khob_out_del_key(key);
	else if (khob_in_others(key))
		ret = khob_out_add_other(key);
	return ret;
}

/* A page that the hardware has given up stays behind. */
static int khob_carry_page(void *ctx, u64 key, const struct khob_handed *sub)
{
	unsigned int order, held;
	u64 pa;

	if (khob_key_decode(key, &pa, &order) || (sub && !khob_carry_with(sub, pa, order)) ||
	    !khob_in_held(pa, &held) || khob_ram_poisoned(pa, 1ULL << order))
		return 0;
	return khob_carry_key(key);
}

static int khob_carry_piece(void *ctx, u64 pa, unsigned int order)
{
	u64 key;
	int ret = khob_key_encode(pa, order, &key);

	return ret ?: khob_carry_key(key);
}

/* A blob in metadata, whose pages have no keys of their own. */
static int khob_carry_metadata(const struct khob_handed *sub)
{
	u64 start, end;

	khob_carry_range(sub, &start, &end);
	return khob_range_split(PHYS_PFN(start), PHYS_PFN(end - start), KHOB_BUDDY_ORDER_MAX,
				khob_carry_piece, NULL);
}

static int khob_uncarry_key(void *ctx, u64 key)
{
	cond_resched();
	khob_out_del_key(key);
	return 0;
}

/* Takes back all that khob_carry() has added. */
void khob_uncarry(void)
{
	if (!khob_out.carried_ready)
		return;
	khob_radix_walk(&khob_out.carried, 0, U64_MAX, khob_uncarry_key, NULL);
	khob_radix_destroy(&khob_out.carried);
	khob_out.carried_ready = false;
}

static int khob_carry_subtrees(void)
{
	struct khob_handed *sub;
	u64 i;
	int ret = 0;

	for (i = 0; !ret && khob_in.got && i < khob_in.got->nr_subtrees; i++) {
		sub = &khob_in.got->subtrees[i];
		if (!khob_carries_subtree(sub))
			continue;
		if (khob_out_subtree(sub->name))
			ret = khob_refuse(-EEXIST, "subtree %s is on both sides; release one",
					  sub->name);
		else if (!sub->own_pages && !khob_goes_as_copy(sub))
			ret = khob_carry_metadata(sub);
	}
	return ret;
}

/**
 * khob_carry() - add what is still held to what is handed over
 *
 * Context: process, khob_lock held for writing, khob_out.abi that of the handover.
 *
 * Return: 0; -EEXIST; -ENOMEM; then nothing changed.
 */
int khob_carry(void)
{
	int ret = khob_radix_init(&khob_out.carried, &khob_page_ops, NULL, 0);

	if (ret)
		return ret;
	khob_out.carried_ready = true;
	ret = khob_in_walk(khob_carry_page, NULL);
	if (!ret)
		ret = khob_carry_subtrees();
	if (!ret)
		ret = khob_out_settle();
	if (ret)
		khob_uncarry();
	return ret;
}
