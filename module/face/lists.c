// SPDX-License-Identifier: GPL-2.0-only
/*
 * Lists of keys and ranges: what is handed over, and what was.
 */
#include <linux/sched/signal.h>

#include "core/bits.h"
#include "face/face.h"

static int khob_snapshot_key(void *ctx, u64 key)
{
	cond_resched();
	return fatal_signal_pending(current) ? -EINTR : khob_numbers_add(ctx, key);
}

int khob_snapshot_tree(struct khob_numbers *snap, struct khob_radix *tree)
{
	return khob_radix_walk(tree, 0, U64_MAX, khob_snapshot_key, snap);
}

static int khob_fill_locked(struct khob_numbers *snap, khob_fill_fn fill)
{
	CLASS(khob_user_lock, killed)();

	return killed ?: fill(snap);
}

int khob_snapshot(struct khob_numbers *snap, khob_fill_fn fill)
{
	int ret = khob_may(CAP_SYS_ADMIN);

	memset(snap, 0, sizeof(*snap));
	if (!ret)
		ret = khob_fill_locked(snap, fill);
	if (ret)
		khob_numbers_free(snap);
	return ret;
}

static int khob_add_range(struct khob_numbers *snap, u64 start, u64 end)
{
	return khob_numbers_add(snap, start) ?: khob_numbers_add(snap, end);
}

/*
 * What is handed over as things are: on a kernel with KHO its tree, with everybody's keys,
 * unless ours was frozen with all of them.
 */
static int khob_out_show(struct khob_numbers *snap,
			 int (*fill)(struct khob_numbers *snap, struct khob_radix *tree))
{
	struct khob_radix kernels;
	int ret;

	lockdep_assert_held_write(&khob_lock);
	if (!khob_native_source() || (khob_out.frozen && !khob_out.by_kernel)) {
		if (!khob_out.tree_ready)
			return 0;
		khob_radix_set_shared(&khob_out.tree, false);
		ret = fill(snap, &khob_out.tree);
		khob_radix_set_shared(&khob_out.tree, true);
		return ret;
	}
	ret = khob_native_tree(&kernels);
	if (ret)
		return ret;
	ret = fill(snap, &kernels);
	khob_radix_destroy(&kernels);
	return ret;
}

int khob_out_keys_fill(struct khob_numbers *snap)
{
	return khob_out_show(snap, khob_snapshot_tree);
}

/* @slack: pages of a gap that is passed over; then it is also told what is meant. */
static int khob_add_all(struct khob_numbers *snap, struct khob_radix *tree, u64 slack)
{
	struct khob_range_iter *it __free(kfree) = kmalloc(sizeof(*it), GFP_KERNEL);
	u64 pfn, nr, held;
	int ret = 0;

	if (!it)
		return -ENOMEM;
	khob_extent_iter_init(it, tree, slack);
	while (!ret && khob_extent_iter_next(it, &pfn, &nr, &held)) {
		ret = khob_add_range(snap, PFN_PHYS(pfn), PFN_PHYS(pfn + nr));
		if (!ret && slack)
			ret = khob_numbers_add(snap, PFN_PHYS(held));
		cond_resched();
	}
	return ret;
}

static int khob_add_ranges(struct khob_numbers *snap, struct khob_radix *tree)
{
	return khob_add_all(snap, tree, 0);
}

int khob_out_ranges_fill(struct khob_numbers *snap)
{
	return khob_out_show(snap, khob_add_ranges);
}

static int khob_add_extents(struct khob_numbers *snap, struct khob_radix *tree)
{
	return khob_add_all(snap, tree, PHYS_PFN(KHO_BRIDGE_EXTENT_GAP));
}

int khob_out_extents_fill(struct khob_numbers *snap)
{
	return khob_out_show(snap, khob_add_extents);
}

int khob_out_scratch_fill(struct khob_numbers *snap)
{
	struct khob_scratch_area *area;
	int ret = 0;

	list_for_each_entry(area, &khob_out.scratch, list)
		if (!ret)
			ret = khob_add_range(snap, PFN_PHYS(area->pfn),
					     PFN_PHYS(area->pfn + area->nr));
	return ret;
}

/* Data pages that are still held. */
static int khob_in_keys_add(void *ctx, u64 key, const struct khob_handed *sub)
{
	return sub ? 0 : khob_numbers_add(ctx, key);
}

int khob_in_keys_fill(struct khob_numbers *snap)
{
	return khob_in_walk(khob_in_keys_add, snap);
}

/* These and the subtrees. */
int khob_in_ranges_fill(struct khob_numbers *snap)
{
	const struct khob_handover *h = khob_in.got;
	u64 i;
	int ret = 0;

	for (i = 0; h && i < h->nr_spans; i++) {
		const struct khob_span *s = &h->spans[i];
		u64 nr = PHYS_PFN(s->end - s->start), bit, end;

		for (bit = khob_bits_next(s->kept, 0, nr, true); bit < nr && !ret;
		     bit = khob_bits_next(s->kept, end, nr, true)) {
			end = khob_bits_next(s->kept, bit, nr, false);
			ret = khob_add_range(snap, s->start + PFN_PHYS(bit),
					     s->start + PFN_PHYS(end));
		}
	}
	return ret;
}
