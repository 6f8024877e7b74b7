// SPDX-License-Identifier: GPL-2.0-only
/*
 * A client that hands over as many single pages as it is told, every other page of a
 * region: none can be merged with another, yet one interval covers them all. It says what
 * each step took. The same source runs over kho_bridge and over a kernel's own KHO.
 *
 * /sys/module/khob_bulk/parameters/run takes the name of a step; the write fails, and
 * the log says why, if it does. parameters/report is what is known by then, as JSON.
 */
#include <linux/io.h>
#include <linux/kexec_handover.h>
#include <linux/ktime.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/overflow.h>
#include <linux/reboot.h>
#include <linux/sched.h>
#include <linux/sort.h>
#include <linux/vmalloc.h>
#include <asm/msr.h>
#include <asm/tsc.h>

#include "../actions.h"

#define NAME "khob-bulk"
#define MAGIC 0x6b686f622d62756cULL
/* 4 MiB: the largest that every kernel's page allocator has. */
#define BLOCK_ORDER 10
#define BLOCK_BYTES (PAGE_SIZE << BLOCK_ORDER)
#define BLOCK_PAGES (BLOCK_BYTES / PAGE_SIZE)

/* What the next kernel finds by name: the region, and the moment of the kexec. */
struct blob {
	u64 magic;
	u64 tsc;
	u64 tsc_khz;
	u64 nr;
	u64 blocks[];
};

static unsigned long mib;
module_param(mib, ulong, 0400);
MODULE_PARM_DESC(mib, "MiB to hand over, of a region twice as large; 0: only an empty blob");

static unsigned long init_tsc;
module_param(init_tsc, ulong, 0400);
MODULE_PARM_DESC(init_tsc, "time stamp counter when this kernel reached userspace");

/* To the next kernel; NULL in that one. */
static struct blob *blob;
/* In this kernel's memory: the blob ends before its pages do. */
static u64 *blocks;
static unsigned long nr_blocks;

static struct {
	u64 pieces;
	u64 preserve_us;
	u64 unpreserve_us;
	u64 blackout_us;
	u64 restore_us;
	u64 verify_us;
	u64 free_us;
} took;

/* Calls @fn for the first page of every two, in order. */
static int each_page(int (*fn)(struct page *page, u64 index))
{
	unsigned long i, j;
	u64 index = 0;

	for (i = 0; i < nr_blocks; i++) {
		struct page *first = pfn_to_page(PHYS_PFN(blocks[i]));

		for (j = 0; j < BLOCK_PAGES; j += 2, index++) {
			int ret = fn(first + j, index);

			if (ret) {
				pr_err("khob_bulk: page %llu at 0x%llx: error %d\n", index,
				       (u64)page_to_phys(first + j), ret);
				return ret;
			}
		}
		cond_resched();
	}
	return 0;
}

static int timed(int (*fn)(struct page *page, u64 index), u64 *us)
{
	ktime_t begin = ktime_get();
	int ret = each_page(fn);

	*us = ktime_us_delta(ktime_get(), begin);
	return ret;
}

static int fill_page(struct page *page, u64 index)
{
	u64 *word = page_address(page);
	size_t i;

	for (i = 0; i < PAGE_SIZE / sizeof(*word); i++)
		word[i] = index * 0x9e3779b97f4a7c15ULL + i;
	return 0;
}

static int verify_page(struct page *page, u64 index)
{
	const u64 *word = page_address(page);
	size_t i;

	for (i = 0; i < PAGE_SIZE / sizeof(*word); i++)
		if (word[i] != index * 0x9e3779b97f4a7c15ULL + i)
			return -EBADMSG;
	return 0;
}

static int preserve_page(struct page *page, u64 index)
{
	return kho_preserve_pages(page, 1);
}

static int unpreserve_page(struct page *page, u64 index)
{
	kho_unpreserve_pages(page, 1);
	return 0;
}

static int restore_page(struct page *page, u64 index)
{
	return kho_restore_pages(page_to_phys(page), 1) == page ? 0 : -ENOENT;
}

static int free_page_of(struct page *page, u64 index)
{
	if (page_count(page) != 1 || PageCompound(page))
		return -EINVAL;
	__free_page(page);
	return 0;
}

static int compare(const void *a, const void *b)
{
	const u64 *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

static void give_region(void)
{
	unsigned long i, j;

	for (i = 0; i < nr_blocks; i++) {
		for (j = 0; j < BLOCK_PAGES; j++)
			__free_page(pfn_to_page(PHYS_PFN(blocks[i]) + j));
		cond_resched();
	}
	vfree(blocks);
	blocks = NULL;
	nr_blocks = 0;
}

/* Blocks lie side by side as long as the allocator has them so: @took says how many do not. */
static int take(void)
{
	unsigned long i, nr = mib * 2 / (BLOCK_BYTES >> 20);
	int ret;

	if (blocks)
		return -EEXIST;
	blocks = vcalloc(nr + 1, sizeof(*blocks));
	if (!blocks)
		return -ENOMEM;
	for (nr_blocks = 0; nr_blocks < nr; nr_blocks++) {
		struct page *page = alloc_pages(GFP_KERNEL | __GFP_NOWARN, BLOCK_ORDER);

		if (!page) {
			pr_err("khob_bulk: %lu of %lu blocks\n", nr_blocks, nr);
			give_region();
			return -ENOMEM;
		}
		split_page(page, BLOCK_ORDER);
		blocks[nr_blocks] = page_to_phys(page);
		cond_resched();
	}
	sort(blocks, nr, sizeof(*blocks), compare, NULL);
	took.pieces = nr ? 1 : 0;
	for (i = 1; i < nr; i++)
		took.pieces += blocks[i] != blocks[i - 1] + BLOCK_BYTES;
	ret = each_page(fill_page);
	if (ret)
		give_region();
	return ret;
}

static int preserve_blob(void)
{
	unsigned long i;
	void *memory = kho_alloc_preserve(struct_size(blob, blocks, nr_blocks));

	if (IS_ERR(memory))
		return PTR_ERR(memory);
	blob = memory;
	blob->magic = MAGIC;
	blob->tsc_khz = tsc_khz;
	blob->nr = nr_blocks;
	for (i = 0; i < nr_blocks; i++)
		blob->blocks[i] = blocks[i];
	return kho_add_subtree(NAME, blob, struct_size(blob, blocks, nr_blocks));
}

/* The blob is part of it: what a first page costs is then there without any, to compare. */
static int preserve(void)
{
	ktime_t begin = ktime_get();
	int ret;

	if (!blocks || blob)
		return -EINVAL;
	ret = each_page(preserve_page);
	if (!ret)
		ret = preserve_blob();
	took.preserve_us = ktime_us_delta(ktime_get(), begin);
	return ret;
}

static int drop(void)
{
	int ret;

	if (!blob)
		return -EINVAL;
	kho_remove_subtree(blob);
	kho_unpreserve_free(blob);
	blob = NULL;
	ret = timed(unpreserve_page, &took.unpreserve_us);
	give_region();
	return ret;
}

/* What the kernel before left; its pages come last. */
static int find(struct blob **from)
{
	struct blob *found;
	unsigned long i;
	phys_addr_t pa;
	size_t size;
	int ret;

	if (blocks)
		return -EEXIST;
	ret = kho_retrieve_subtree(NAME, &pa, &size);
	if (ret)
		return ret;
	found = phys_to_virt(pa);
	if (size < sizeof(*found) || found->magic != MAGIC ||
	    size != struct_size(found, blocks, found->nr))
		return -EBADMSG;
	blocks = vcalloc(found->nr + 1, sizeof(*blocks));
	if (!blocks)
		return -ENOMEM;
	nr_blocks = found->nr;
	for (i = 0; i < nr_blocks; i++)
		blocks[i] = found->blocks[i];
	if (init_tsc > found->tsc && found->tsc && found->tsc_khz)
		took.blackout_us = (init_tsc - found->tsc) * 1000 / found->tsc_khz;
	*from = found;
	return 0;
}

static int restore(void)
{
	struct blob *from;
	int ret = find(&from);

	if (!ret)
		ret = timed(restore_page, &took.restore_us);
	if (!ret)
		ret = timed(verify_page, &took.verify_us);
	if (!ret)
		ret = timed(free_page_of, &took.free_us);
	if (ret)
		return ret;
	kho_restore_free(from);
	vfree(blocks);
	blocks = NULL;
	return 0;
}

static const struct action actions[] = {
	{ "take", take }, { "preserve", preserve }, { "drop", drop },
	{ "restore", restore },
};

RUN_PARAMETER(actions);
MODULE_PARM_DESC(run, "take, preserve, drop or restore");

static int report_get(char *to, const struct kernel_param *kp)
{
	return sysfs_emit(to,
			  "{\"pages\": %lu, \"pieces\": %llu, \"preserve_us\": %llu,\n"
			  "\"unpreserve_us\": %llu, \"blackout_us\": %llu, \"restore_us\": %llu,\n"
			  "\"verify_us\": %llu, \"free_us\": %llu}\n",
			  nr_blocks * BLOCK_PAGES / 2, took.pieces, took.preserve_us,
			  took.unpreserve_us, took.blackout_us, took.restore_us,
			  took.verify_us, took.free_us);
}

static const struct kernel_param_ops report_ops = { .get = report_get };

module_param_cb(report, &report_ops, NULL, 0400);
MODULE_PARM_DESC(report, "what the steps took, as JSON");

/* The moment of the kexec: the blob is handed over as it is then. */
static int leave(struct notifier_block *block, unsigned long action, void *data)
{
	if (blob)
		blob->tsc = rdtsc_ordered();
	return NOTIFY_DONE;
}

static struct notifier_block notifier = { .notifier_call = leave };

static int __init bulk_init(void)
{
	return register_reboot_notifier(&notifier);
}

static void __exit bulk_exit(void)
{
	unregister_reboot_notifier(&notifier);
}

module_init(bulk_init);
module_exit(bulk_exit);
MODULE_DESCRIPTION("Test client that hands over many single pages");
MODULE_LICENSE("GPL");
