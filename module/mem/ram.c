// SPDX-License-Identifier: GPL-2.0-only
/*
 * Memory that another kernel left. The loader made the boot code of this one
 * reserve it, so its pages are RAM in the direct map, PageReserved, and known
 * to no allocator. Whatever is not exactly that is refused here.
 */
#include <linux/memory_hotplug.h>
#include <linux/uaccess.h>

#include "mem/mem.h"

/**
 * khob_ram_reserved() - whether [@start, @end) is RAM that no allocator here knows
 * @start: physical address
 * @end: exclusive, > @start
 *
 * This kernel's own image is such memory, too: see khob_ram_prove().
 */
bool khob_ram_reserved(u64 start, u64 end)
{
	unsigned long pfn, last = PHYS_PFN(end - 1);

	if (start >= end || last >= khob_end_pfn())
		return false;
	for (pfn = PHYS_PFN(start); pfn <= last; pfn++) {
		struct page *page = pfn_to_online_page(pfn);

		if (!page || !PageReserved(page))
			return false;
		if (IS_ALIGNED(pfn, 1024))
			cond_resched();
	}
	return true;
}

/**
 * khob_ram_copy() - copy from physical memory, whatever it is
 * @pa: physical address, below the end of memory
 * @to: where to
 * @len: bytes
 *
 * Return: 0; -EFAULT if some of it is in no mapping of this kernel's.
 */
int khob_ram_copy(u64 pa, void *to, size_t len)
{
	return copy_from_kernel_nofault(to, __va(pa), len) ? -EFAULT : 0;
}

/* As khob_ram_copy(), of reserved memory only. */
int khob_ram_read(u64 pa, void *to, size_t len)
{
	if (!len || pa + len < pa || !khob_ram_reserved(pa, pa + len))
		return -EFAULT;
	return khob_ram_copy(pa, to, len);
}

/* As khob_ram_read(), the other way, in whole words, and never into this kernel's own image. */
int khob_ram_write(u64 pa, const void *from, size_t len)
{
	const u64 *words = from;
	const char *why;
	size_t i;

	if (!len || len % sizeof(u64) || pa + len < pa ||
	    khob_ram_prove(ALIGN_DOWN(pa, PAGE_SIZE), PAGE_ALIGN(pa + len), &why))
		return -EFAULT;
	pagefault_disable();
	for (i = 0; i < len / sizeof(u64); i++)
		__put_kernel_nofault((u64 *)__va(pa) + i, words + i, u64, fault);
	pagefault_enable();
	return 0;
fault:
	pagefault_enable();
	return -EFAULT;
}

/* Whether the hardware has given up one of these pages. */
bool khob_ram_poisoned(u64 pa, u64 nr)
{
	unsigned long pfn = PHYS_PFN(pa);
	u64 i;

	for (i = 0; i < nr; i++)
		if (PageHWPoison(pfn_to_page(pfn + i)))
			return true;
	return false;
}

/**
 * khob_ram_live() - make reserved pages live, each with a reference of its own
 * @pa: physical address of the first
 * @nr: pages
 *
 * What the kernel does itself when it frees boot memory, short of the freeing.
 */
void khob_ram_live(u64 pa, u64 nr)
{
	unsigned long pfn = PHYS_PFN(pa);
	u64 i;

	for (i = 0; i < nr; i++) {
		struct page *page = pfn_to_page(pfn + i);

		ClearPageReserved(page);
		set_page_count(page, 1);
		adjust_managed_page_count(page, 1);
	}
}

/**
 * khob_ram_folio() - make reserved pages live as one folio with one reference
 * @pa: physical address of the first, aligned to @order
 * @order: 0..KHOB_BUDDY_ORDER_MAX; > 0 only where KHOB_COMPOUND is 1
 *
 * Return: the folio, of this very order.
 */
struct folio *khob_ram_folio(u64 pa, unsigned int order)
{
	struct page *head = pfn_to_page(PHYS_PFN(pa));
	unsigned long i;

	khob_ram_live(pa, 1ULL << order);
	/* Only the head of a compound page is counted. */
	for (i = 1; i < 1UL << order; i++)
		set_page_count(head + i, 0);
	if (order)
		khob_prep_compound(head, order);
	return page_folio(head);
}

/* Makes reserved pages live and frees them. */
void khob_ram_free(u64 pa, u64 nr)
{
	unsigned long pfn = PHYS_PFN(pa);
	u64 i;

	for (i = 0; i < nr; i++) {
		free_reserved_page(pfn_to_page(pfn + i));
		cond_resched();
	}
}

/* Nodes of trees that stay in this kernel: single pages. */

static void *khob_page_alloc_node(void *ctx, u64 *pa)
{
	void *node = (void *)__get_free_page(GFP_KERNEL);

	if (node)
		*pa = __pa(node);
	return node;
}

static void khob_page_free_node(void *ctx, void *node, u64 pa)
{
	free_page((unsigned long)node);
}

const struct khob_radix_ops khob_page_ops = {
	.alloc_node = khob_page_alloc_node,
	.free_node = khob_page_free_node,
};
