// SPDX-License-Identifier: GPL-2.0-only
/*
 * Memory that another kernel left. The loader made the boot code of this one
 * reserve it, so its pages are RAM in the direct map, PageReserved, and known
 * to no allocator. Whatever is not exactly that is refused here.
 */
#include <linux/cc_platform.h>
#include <linux/memory_hotplug.h>
#include <linux/uaccess.h>

#include "mem/mem.h"

/*
 * Whether this kernel encrypts its memory (AMD's SME): kexec leaves the setup_data chain as it is,
 * and what is read here of it has been decrypted.
 */
bool khob_ram_encrypted(void)
{
	return cc_platform_has(CC_ATTR_HOST_MEM_ENCRYPT);
}

/**
 * khob_ram_reserved() - whether [@start, @end) is RAM that no allocator here knows
 * @start: physical address
 * @end: exclusive, > @start
 *
 * This kernel's own image is such memory, too: see khob_ram_prove().
 */
bool khob_ram_reserved(u64 start, u64 end)
{
	unsigned long pfn, last = PHYS_PFN(end - 1), online = 0;

	if (start >= end || last >= khob_end_pfn())
		return false;
	for (pfn = PHYS_PFN(start); pfn <= last; pfn++) {
		/* A subsection is the smallest part of memory that is there or is not. */
		if (pfn >= online) {
			cond_resched();
			online = ALIGN(pfn + 1, PAGES_PER_SUBSECTION);
			if (!pfn_to_online_page(pfn))
				return false;
		}
		if (!PageReserved(pfn_to_page(pfn)))
			return false;
	}
	return true;
}

/**
 * khob_ram_poisoned() - whether one of @nr pages is known to be broken
 * @pa: physical address of the first
 * @nr: pages
 */
bool khob_ram_poisoned(u64 pa, u64 nr)
{
	unsigned long pfn = PHYS_PFN(pa);

	for (; nr; pfn++, nr--) {
		struct page *page = pfn_to_online_page(pfn);

		if (page && PageHWPoison(page))
			return true;
	}
	return false;
}

/**
 * khob_ram_copy() - copy memory in the direct map that may be gone, or broken
 * @pa: physical address, below the end of memory
 * @to: a buffer of our own
 * @len: bytes
 *
 * Return: 0; -EFAULT if it is not mapped; -EHWPOISON if it is known to be broken;
 * -EIO if that is found out now.
 */
int khob_ram_copy(u64 pa, void *to, size_t len)
{
	while (len) {
		size_t n = min_t(u64, len, PAGE_SIZE - offset_in_page(pa));
		u8 first;

		if (khob_ram_poisoned(pa, 1))
			return -EHWPOISON;
		/* Only this asks whether it is mapped; only that survives a machine check. */
		if (copy_from_kernel_nofault(&first, __va(pa), sizeof(first)))
			return -EFAULT;
		if (copy_mc_to_kernel(to, __va(pa), n))
			return -EIO;
		to += n;
		pa += n;
		len -= n;
		cond_resched();
	}
	return 0;
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

/**
 * khob_ram_each_poisoned() - which pages of this machine are known to be broken
 * @pfns: they are added to it, in order
 *
 * Return: 0; -ENOMEM; -EINTR if killed.
 */
int khob_ram_each_poisoned(struct khob_numbers *pfns)
{
	unsigned long pfn, end = khob_end_pfn();
	int ret = 0;

	/* No kernel that cannot mark pages so has any. */
	for (pfn = 0; IS_ENABLED(CONFIG_MEMORY_FAILURE) && !ret && pfn < end; pfn++) {
		if (IS_ALIGNED(pfn, PAGES_PER_SUBSECTION)) {
			if (fatal_signal_pending(current))
				return -EINTR;
			cond_resched();
			if (!pfn_to_online_page(pfn)) {
				pfn += PAGES_PER_SUBSECTION - 1;
				continue;
			}
		}
		if (unlikely(PageHWPoison(pfn_to_page(pfn))))
			ret = khob_numbers_add(pfns, pfn);
	}
	return ret;
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

		if (i % PAGES_PER_SUBSECTION == PAGES_PER_SUBSECTION - 1)
			cond_resched();
		khob_ram_unreserve(page, 1);
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

	/* Only the head of a compound page is counted. */
	for (i = 0; i < 1UL << order; i++)
		khob_ram_unreserve(head + i, !i);
	/* No folio is in two zones; what they keep back is worked out anew each time. */
	adjust_managed_page_count(head, 1L << order);
	if (order)
		khob_prep_compound(head, order);
	return page_folio(head);
}

/* Makes reserved pages live and frees them, but for broken ones. Return: how many it freed. */
u64 khob_ram_free(u64 pa, u64 nr)
{
	unsigned long pfn = PHYS_PFN(pa);
	u64 i, freed = 0;

	for (i = 0; i < nr; i++) {
		struct page *page = pfn_to_page(pfn + i);

		if (!PageHWPoison(page)) {
			free_reserved_page(page);
			freed++;
		}
		cond_resched();
	}
	return freed;
}

/**
 * khob_ram_free_some() - as khob_ram_free(), of some of 64 pages at once
 * @pa: physical address of the first of the 64
 * @which: bit n: page n is one of them
 *
 * Return: how many it freed.
 */
unsigned int khob_ram_free_some(u64 pa, u64 which)
{
	struct page *first = pfn_to_page(PHYS_PFN(pa)), *last = NULL;
	unsigned int freed = 0, counted = 0;

	for (; which; which &= which - 1) {
		struct page *page = first + __ffs64(which);

		if (unlikely(PageHWPoison(page)))
			continue;
		/* What a zone has is counted zone by zone, not page by page. */
		if (last && unlikely(page_zone(page) != page_zone(last))) {
			adjust_managed_page_count(last, freed - counted);
			counted = freed;
		}
		khob_ram_unreserve(page, 1);
		__free_page(page);
		last = page;
		freed++;
	}
	if (last)
		adjust_managed_page_count(last, freed - counted);
	return freed;
}

/*
 * Notes that a reserved page is broken. Return: whether that is news; no kernel without
 * CONFIG_MEMORY_FAILURE can note it.
 */
bool khob_ram_set_poisoned(u64 pa)
{
	struct page *page = pfn_to_page(PHYS_PFN(pa));

	if (PageHWPoison(page))
		return false;
	SetPageHWPoison(page);
	return PageHWPoison(page);
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
