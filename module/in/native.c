// SPDX-License-Identifier: GPL-2.0-only
/*
 * A kernel with KHO of its own has taken the handover before this module came:
 * its boot code reserved every page that the tree names and noted in the first
 * one's struct page that it is preserved, and of which order. So there are no
 * intervals; what lies between preserved pages was never lost. Pages become live
 * only through the kernel, which owns those notes.
 */
#include <linux/kexec_handover.h>
#include <linux/memory_hotplug.h>
#include <linux/sort.h>

#include "in/in.h"

/* page->private of the first page of a key: this above, the order below. */
#define KHOB_NATIVE_MAGIC 0x4b484f50U

bool khob_native_boot(void)
{
	return is_kho_boot();
}

/**
 * khob_native_order() - whether a page that the kernel holds begins at @pa
 * @pa: physical address; nothing is assumed of it
 * @order: its order, if one does
 */
bool khob_native_order(u64 pa, unsigned int *order)
{
	unsigned long pfn = PHYS_PFN(pa), private;
	struct page *page;

	if (!is_kho_boot() || pfn >= khob_end_pfn())
		return false;
	page = pfn_to_online_page(pfn);
	if (!page || PageCompound(page) || PageLRU(page))
		return false;
	private = page_private(page);
	*order = lower_32_bits(private);
	return upper_32_bits(private) == KHOB_NATIVE_MAGIC && *order <= KHOB_ORDER_MAX &&
	       IS_ALIGNED(pfn, 1UL << *order) && khob_end_pfn() - pfn >= 1UL << *order;
}

/* What the root FDT and the nodes have to be, before the tree says what is preserved. */
bool khob_native_ram(u64 start, u64 end)
{
	unsigned long pfn, last = PHYS_PFN(end - 1);

	if (start >= end || last >= khob_end_pfn())
		return false;
	for (pfn = PHYS_PFN(start); pfn <= last; pfn++) {
		struct page *page = pfn_to_online_page(pfn);

		if (!page || PageSlab(page) || PageBuddy(page) || PageLRU(page))
			return false;
		cond_resched();
	}
	return true;
}

/* Ranges from the tree. */

struct khob_native_walk {
	struct khob_numbers ranges; /* pairs: start, end */
	u64 most;
};

static const void *khob_native_node(void *ctx, u64 pa, unsigned int level, const char **why)
{
	*why = "the node is in no memory that the kernel holds";
	return khob_native_ram(pa, pa + PAGE_SIZE) ? __va(pa) : NULL;
}

static int khob_native_key(void *ctx, u64 pa, unsigned int order, const char **why)
{
	struct khob_native_walk *walk = ctx;
	unsigned int held;

	cond_resched();
	if (walk->ranges.nr >= 2 * walk->most) {
		*why = "there are more pages than memory has";
		return -EBADMSG;
	}
	/* A client of the kernel's may have restored it already. */
	if (!khob_native_order(pa, &held))
		return 0;
	if (held != order) {
		*why = "the kernel holds a page of another order here";
		return -EBADMSG;
	}
	if (khob_numbers_add(&walk->ranges, pa) ||
	    khob_numbers_add(&walk->ranges, pa + (PAGE_SIZE << order)))
		return -ENOMEM;
	return 0;
}

static const struct khob_check_ops khob_native_ops = {
	.node = khob_native_node,
	.key = khob_native_key,
};

static int khob_native_cmp(const void *a, const void *b)
{
	u64 x = *(u64 *)a, y = *(u64 *)b;

	return x < y ? -1 : x > y;
}

static int khob_native_check(const struct khob_check_ops *ops, void *ctx, u64 map_pa,
			     struct khob_check_result *res)
{
	const struct khob_check_limits limits = {
		.end_pa = PFN_PHYS(khob_end_pfn()),
		.max_nodes = khob_end_pfn(),
	};

	return khob_check_tree(map_pa, ops, ctx, &limits, res);
}

/**
 * khob_native_ranges() - the ranges that the kernel holds, ascending and joined
 * @map_pa: the tree's root, as the root FDT says
 * @add: takes one; other than 0 ends it
 * @ctx: for @add
 * @res: what is wrong with the tree, if -EINVAL or -EBADMSG comes back
 */
int khob_native_ranges(u64 map_pa, int (*add)(void *ctx, u64 start, u64 end), void *ctx,
		       struct khob_check_result *res)
{
	struct khob_native_walk walk = { .most = khob_end_pfn() };
	u64 *v, start, end;
	size_t i;
	int ret;

	ret = khob_native_check(&khob_native_ops, &walk, map_pa, res);
	if (ret)
		goto out;
	v = walk.ranges.v;
	sort(v, walk.ranges.nr / 2, 2 * sizeof(*v), khob_native_cmp, NULL);
	for (i = 0; i < walk.ranges.nr && !ret;) {
		start = v[i];
		end = v[i + 1];
		for (i += 2; i < walk.ranges.nr && v[i] == end; i += 2)
			end = v[i + 1];
		ret = add(ctx, start, end);
	}
out:
	kvfree(walk.ranges.v);
	return ret;
}

/* Pages become live. */

/**
 * khob_native_live() - have the kernel make what it holds of these pages live
 * @pa: physical address of the first
 * @nr: pages: whole keys, or live already
 */
void khob_native_live(u64 pa, u64 nr)
{
	u64 end = pa + (nr << PAGE_SHIFT);
	unsigned int order;

	for (; pa < end; pa += PAGE_SIZE << order) {
		if (khob_native_order(pa, &order))
			kho_restore_pages(pa, 1UL << order);
		else
			order = 0;
		cond_resched();
	}
}

struct folio *khob_native_folio(u64 pa)
{
	return kho_restore_folio(pa);
}

void khob_native_free(u64 pa, u64 nr)
{
	unsigned long pfn = PHYS_PFN(pa);
	u64 i;

	khob_native_live(pa, nr);
	for (i = 0; i < nr; i++) {
		__free_page(pfn_to_page(pfn + i));
		cond_resched();
	}
}

static int khob_native_metadata_key(void *ctx, u64 pa, unsigned int order, const char **why)
{
	u64 key;

	cond_resched();
	if (!khob_key_encode(pa, order, &key) && !khob_radix_has(&khob_in.tree, key) &&
	    !khob_radix_has(&khob_in.blobs, key))
		khob_native_live(pa, 1ULL << order);
	return 0;
}

static const struct khob_check_ops khob_native_metadata_ops = {
	.node = khob_native_node,
	.key = khob_native_metadata_key,
};

/*
 * The metadata becomes live as a whole, since a key may hold both what is given back
 * and blobs that stay. The tree was checked: it is walked as long as it is there.
 */
void khob_native_take_metadata(void)
{
	struct khob_check_result res = {};

	khob_native_check(&khob_native_metadata_ops, NULL, khob_in.info.map_pa, &res);
}
