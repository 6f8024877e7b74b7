// SPDX-License-Identifier: GPL-2.0-only
/*
 * Memory that the kernel before has left: RAM that boot code has reserved, or that the kernel's own
 * KHO holds, so that nobody here writes to it.
 */
#include <linux/memory_hotplug.h>
#include <linux/mm.h>
#include <linux/sched.h>
#include <linux/uaccess.h>

#include "core/native_note.h"
#include "memfd/memfd.h"

/**
 * luo_ram_end() - where memory ends
 *
 * Return: the first physical address behind all of it.
 */
u64 luo_ram_end(void)
{
	u64 end = 0;
	int node;

	for_each_online_node(node)
		end = max_t(u64, end, PFN_PHYS((u64)node_end_pfn(node)));
	return end;
}

/* Whether nobody has the page, and nobody gets it. */
static bool luo_ram_is_held(unsigned long pfn)
{
	struct page *page = pfn_to_online_page(pfn);
	unsigned int order;

	if (!page || PageHWPoison(page))
		return false;
	if (LUO_CARRIES)
		return PageReserved(page);
	/* The first page of those that it is one of says so. */
	for (order = 0; 1UL << order <= MAX_ORDER_NR_PAGES; order++) {
		unsigned int held;

		page = pfn_to_online_page(ALIGN_DOWN(pfn, 1UL << order));
		if (page && !PageCompound(page) && !PageLRU(page) &&
		    khob_native_note(page_private(page), &held) && held >= order)
			return true;
	}
	return false;
}

/**
 * luo_ram_read() - copy what the kernel before has left
 * @pa: physical address
 * @to: a buffer
 * @len: bytes
 *
 * Return: 0; -EFAULT if not all of it is memory that is held, mapped and sound.
 */
int luo_ram_read(u64 pa, void *to, u64 len)
{
	if (!len || pa + len < pa || pa + len > luo_ram_end())
		return -EFAULT;
	while (len) {
		u64 n = min_t(u64, len, PAGE_SIZE - offset_in_page(pa));
		u8 first;

		if (!luo_ram_is_held(PHYS_PFN(pa)))
			return -EFAULT;
		/* Only this asks whether it is mapped; only that survives a machine check. */
		if (copy_from_kernel_nofault(&first, __va(pa), sizeof(first)) ||
		    copy_mc_to_kernel(to, __va(pa), n))
			return -EFAULT;
		to += n;
		pa += n;
		len -= n;
	}
	return 0;
}
