// SPDX-License-Identifier: GPL-2.0-only
/*
 * The memory that was handed over, as far as this kernel's boot code knows it: the
 * intervals of the setup_data chain, or the pages that its own KHO holds.
 */
#include <linux/sort.h>

#include "in/in.h"

static int khob_chain_read_ram(void *ctx, u64 pa, void *to, size_t len)
{
	return khob_ram_read(pa, to, len);
}

static int khob_in_add_range(void *ctx, u64 start, u64 end)
{
	struct khob_in_range *r;
	unsigned int *room = ctx;

	if (khob_in.nr_ranges == *room) {
		unsigned int want = max(2 * *room, 64U);
		struct khob_in_range *more = kvcalloc(want, sizeof(*more), GFP_KERNEL);

		if (!more)
			return -ENOMEM;
		if (khob_in.ranges)
			memcpy(more, khob_in.ranges, khob_in.nr_ranges * sizeof(*more));
		kvfree(khob_in.ranges);
		khob_in.ranges = more;
		*room = want;
	}
	r = &khob_in.ranges[khob_in.nr_ranges++];
	r->start = start;
	r->end = end;
	return 0;
}

static int khob_chain_add_range(void *ctx, u64 start, u64 end)
{
	if (khob_in.native)
		return khob_in_damaged("there are intervals though the kernel took it over itself");
	if (!khob_ram_reserved(start, end))
		return khob_in_damaged("interval 0x%llx-0x%llx is not reserved; was it released?",
				       start, end);
	return khob_in_add_range(ctx, start, end);
}

static const struct khob_chain_ops khob_chain_ops = {
	.read = khob_chain_read_ram,
	.range = khob_chain_add_range,
};

static int khob_range_order(const void *a, const void *b)
{
	const struct khob_in_range *x = a, *y = b;

	if (x->start == y->start)
		return 0;
	return x->start < y->start ? -1 : 1;
}

/* The intervals in order, with their bitmaps. */
static int khob_in_settle_ranges(void)
{
	unsigned int i;

	sort(khob_in.ranges, khob_in.nr_ranges, sizeof(*khob_in.ranges), khob_range_order, NULL);
	for (i = 0; i < khob_in.nr_ranges; i++) {
		struct khob_in_range *r = &khob_in.ranges[i];
		size_t words = BITS_TO_LONGS(PHYS_PFN(r->end - r->start));

		if (i && r->start < r[-1].end)
			return khob_in_damaged("intervals overlap at 0x%llx", r->start);
		r->keyed = kvcalloc(words, sizeof(long), GFP_KERNEL);
		r->noded = kvcalloc(words, sizeof(long), GFP_KERNEL);
		r->kept = kvcalloc(words, sizeof(long), GFP_KERNEL);
		if (!r->keyed || !r->noded || !r->kept)
			return -ENOMEM;
		cond_resched();
	}
	/* What is native is not given back without the tree. */
	khob_in.intervals_ok = !khob_in.native;
	return 0;
}

/* A copy of what stands at the root FDT's place; kvfree() it. */
static int khob_in_copy_fdt(void **copy, struct khob_fdt_info *info)
{
	const struct khob_kho_data *kho = &khob_in.chain.kho;

	if (!khob_native_ram(kho->fdt_addr, kho->fdt_addr + kho->fdt_size))
		return khob_in_damaged("the root FDT at 0x%llx is in no memory that is held",
				       kho->fdt_addr);
	*copy = kvmalloc(kho->fdt_size, GFP_KERNEL);
	if (!*copy)
		return -ENOMEM;
	memcpy(*copy, __va(kho->fdt_addr), kho->fdt_size);
	if (khob_fdt_read(*copy, kho->fdt_size, info, NULL, NULL))
		return khob_in_damaged("root FDT: %s", info->why ?: "unreadable");
	return 0;
}

static int khob_in_own_fdt(void *ctx, const struct khob_fdt_subtree *sub)
{
	struct khob_kho_data *kho = &khob_in.chain.kho;
	const struct khob_meta *meta;

	if (strcmp(sub->name, KHOB_META_NAME))
		return 0;
	if (sub->size < sizeof(*meta) || !IS_ALIGNED(sub->addr, sizeof(u64)) ||
	    !khob_native_ram(sub->addr, sub->addr + sub->size))
		return khob_in_damaged("meta blob: %llu bytes at 0x%llx cannot hold it",
				       sub->size, sub->addr);
	meta = __va(sub->addr);
	if (meta->magic != KHOB_META_MAGIC || !meta->fdt_addr)
		return 0;
	if (!meta->fdt_size || meta->fdt_size > KHOB_FDT_SIZE_MAX ||
	    meta->fdt_addr > U64_MAX - meta->fdt_size)
		return khob_in_damaged("meta blob: no root FDT can have 0x%llx bytes at 0x%llx",
				       meta->fdt_size, meta->fdt_addr);
	kho->fdt_addr = meta->fdt_addr;
	kho->fdt_size = meta->fdt_size;
	khob_in.own_fdt = true;
	return 0;
}

/*
 * On a kernel that took the handover over by itself the pages that it holds stand for
 * the intervals. From here on both are the same: what is in none of them is refused.
 * If the kernel before handed its own root FDT over, its tree is gone, and what matters
 * here is in the FDT of ours that the meta blob names.
 */
static int khob_in_native_ranges(unsigned int *room)
{
	void *fdt __free(khob_kvfree) = NULL;
	void *own __free(khob_kvfree) = NULL;
	struct khob_check_result res = {};
	struct khob_fdt_info info;
	int ret;

	ret = khob_in_copy_fdt(&fdt, &info);
	if (!ret)
		ret = khob_fdt_read(fdt, khob_in.chain.kho.fdt_size, &info, khob_in_own_fdt, NULL);
	if (!ret && khob_in.own_fdt)
		ret = khob_in_copy_fdt(&own, &info);
	if (ret)
		return ret;
	ret = khob_native_ranges(info.map_pa, khob_in_add_range, room, &res);
	if (ret && ret != -ENOMEM)
		return khob_in_damaged("tree: %s (0x%llx, in a node of level %u)",
				       res.why ?: "unreadable", res.bad_pa, res.bad_level);
	return ret;
}

/**
 * khob_in_read_ranges() - from the setup_data chain to the memory that is held
 *
 * Return: 0, with khob_in.chain and khob_in.ranges; -EBADMSG; -ENOMEM.
 */
int khob_in_read_ranges(void)
{
	unsigned int room = 0;
	int ret;

	ret = khob_chain_read(khob_in.setup_data, &khob_chain_ops, &room, &khob_in.chain);
	if (ret == -ENOENT)
		return khob_in_damaged("the setup_data chain holds no SETUP_KEXEC_KHO node");
	if (ret)
		return khob_in_damaged("setup_data chain: %s (node at 0x%llx)",
				       khob_in.chain.why ?: "unreadable", khob_in.chain.bad_pa);
	if (khob_in.native) {
		ret = khob_in_native_ranges(&room);
		if (ret)
			return ret;
	}
	return khob_in_settle_ranges();
}
