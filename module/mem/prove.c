// SPDX-License-Identifier: GPL-2.0-only
/*
 * Whether an interval can be what a loader had this kernel's boot code reserve. That
 * it is reserved proves little: so is this kernel's own image, what its boot code took
 * for itself, and memory for a crash kernel.
 */
#include <linux/ioport.h>
#include <linux/memory_hotplug.h>
#include <linux/sizes.h>
#include <linux/uaccess.h>
#include <asm/page.h>

#include "mem/mem.h"

/*
 * Whether a page is part of this kernel's image. No exported symbol tells where that ends, but
 * it has a mapping of its own, from which boot code takes all that is not the image
 * (cleanup_highmap()): what stands there can be read there. That is done in units of 2 MiB, so
 * what follows the end of the image within the last one is told apart by pages that are not
 * reserved in between.
 */
static bool khob_in_image(u64 pa)
{
	u64 offset = pa - phys_base, at;
	u8 byte;

	if (offset >= KERNEL_IMAGE_SIZE ||
	    copy_from_kernel_nofault(&byte, (void *)(__START_KERNEL_map + offset), sizeof(byte)))
		return false;
	/* In the middle of it? */
	if (offset + PMD_SIZE < KERNEL_IMAGE_SIZE &&
	    !copy_from_kernel_nofault(&byte, (void *)(__START_KERNEL_map +
						      ALIGN(offset + 1, PMD_SIZE)), sizeof(byte)))
		return true;
	for (at = ALIGN_DOWN(pa, PMD_SIZE); at < pa; at += PAGE_SIZE)
		if (!PageReserved(pfn_to_page(PHYS_PFN(at))))
			return false;
	return true;
}

/*
 * By bytes: what a loader had reserved may end within a page, and is then two entries of
 * the map. @arg: how far there is RAM.
 */
static int khob_ram_found(struct resource *res, void *arg)
{
	u64 *at = arg;

	if (res->start > *at)
		return 1;
	*at = max_t(u64, *at, res->end + 1);
	return 0;
}

static bool khob_all_ram(u64 start, u64 end)
{
	u64 at = start;

	walk_iomem_res_desc(IORES_DESC_NONE, IORESOURCE_SYSTEM_RAM | IORESOURCE_BUSY, start,
			    end - 1, &at, khob_ram_found);
	return at >= end;
}

static int khob_crash_found(struct resource *res, void *arg)
{
	return 1;
}

/**
 * khob_ram_prove() - whether [@start, @end) may be memory that another kernel left
 * @start: physical address, a whole page
 * @end: exclusive, > @start
 * @why: if not, a sentence without a full stop
 *
 * Return: 0 or -EBADMSG.
 */
int khob_ram_prove(u64 start, u64 end, const char **why)
{
	u64 pa;

	*why = "it has memory below 1 MiB, which is never handed over";
	if (start < SZ_1M)
		return -EBADMSG;
	*why = "it is not reserved; was it released?";
	if (!khob_ram_reserved(start, end))
		return -EBADMSG;
	*why = "it has memory that this kernel's map has no RAM at";
	if (!khob_all_ram(start, end))
		return -EBADMSG;
	*why = "it has memory of this kernel's own image";
	for (pa = start; pa < end; pa = min(ALIGN(pa + 1, PMD_SIZE), end))
		if (khob_in_image(pa))
			return -EBADMSG;
	if (khob_in_image(end - PAGE_SIZE))
		return -EBADMSG;
	*why = "it has memory of the crash kernel";
	if (walk_iomem_res_desc(IORES_DESC_CRASH_KERNEL, IORESOURCE_SYSTEM_RAM | IORESOURCE_BUSY,
				start, end - 1, NULL, khob_crash_found) == 1)
		return -EBADMSG;
	return 0;
}
