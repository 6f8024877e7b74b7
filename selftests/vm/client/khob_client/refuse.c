// SPDX-License-Identifier: GPL-2.0-only
/*
 * What khob_client does that has to be refused, and to leave everything as it was.
 */
#include <linux/kexec_handover.h>
#include <linux/kho/abi/kexec_handover.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>

#include "client.h"

/* Pages that no reference keeps are refused, and with them the others. */
int kinds(void)
{
	struct page *block = alloc_pages(GFP_KERNEL, 2);
	void *slab = kmalloc(PAGE_SIZE / 2, GFP_KERNEL);
	struct page *mixed[3];
	struct kho_vmalloc unused;
	void *map;

	CHECK(block && slab);
	/* Of a high order that is no compound page the first only has a reference. */
	CHECK(kho_preserve_pages(block, 4) == -EINVAL);
	CHECK(kho_preserve_pages(block + 1, 1) == -EINVAL);
	CHECK(page_count(block) == 1 && !page_count(block + 1));
	CHECK(!kho_preserve_pages(block, 1));
	CHECK(page_count(block) == 2);
	CHECK(!khob_unpreserve_pages(block, 1));
	CHECK(page_count(block) == 1);

	CHECK(kho_preserve_pages(virt_to_page(slab), 1) == -EINVAL);
	CHECK(kho_preserve_pages(ZERO_PAGE(0), 1) == -EINVAL);

	/* What is mapped in front of such a page is not handed over for the whole. */
	mixed[0] = block;
	mixed[1] = ZERO_PAGE(0);
	mixed[2] = block;
	map = vmap(mixed, 3, VM_MAP, PAGE_KERNEL);
	CHECK(map);
	CHECK(kho_preserve_vmalloc(map, &unused) == -EINVAL);
	CHECK(khob_unpreserve_pages(block, 1) == -ENOENT);
	CHECK(page_count(block) == 1);
	vunmap(map);
	kfree(slab);
	__free_pages(block, 2);
	return 0;
}

/* What one call has preserved is undone by one call, whatever the tree has made of it. */
int exact(void)
{
	struct page *block = alloc_pages(GFP_KERNEL, 4);
	unsigned int i;

	CHECK(block);
	split_page(block, 4);
	/* 8 and 2 pages in the tree. */
	CHECK(!kho_preserve_pages(block, 10));
	CHECK(khob_unpreserve_pages(block, 8) == -ENOENT);
	CHECK(khob_unpreserve_pages(block + 8, 2) == -ENOENT);
	CHECK(khob_unpreserve_pages(block + 1, 9) == -ENOENT);
	CHECK(khob_unpreserve_pages(block, 11) == -ENOENT);
	CHECK(khob_unpreserve_pages(block, 1) == -ENOENT);
	CHECK(kho_preserve_pages(block + 9, 2) == -EEXIST);
	/* Side by side, and still two. */
	CHECK(!kho_preserve_pages(block + 10, 6));
	CHECK(khob_unpreserve_pages(block, 16) == -ENOENT);
	CHECK(khob_unpreserve_pages(block + 8, 8) == -ENOENT);
	for (i = 0; i < 16; i++)
		CHECK(page_count(block + i) == 2);
	CHECK(!khob_unpreserve_pages(block + 10, 6));
	CHECK(!khob_unpreserve_pages(block, 10));
	CHECK(khob_unpreserve_pages(block, 10) == -ENOENT);
	for (i = 0; i < 16; i++)
		CHECK(page_count(block + i) == 1);
	free_contig_range(page_to_pfn(block), 16);
	return 0;
}

/* Single pages take a way of their own, when there are others around: it is as exact. */
int singles(void)
{
	static const unsigned int alone[] = { 0, 2, 3, 26, 63 };
	struct page *block = alloc_pages(GFP_KERNEL, 6);
	unsigned int i;

	CHECK(block);
	split_page(block, 6);
	for (i = 0; i < ARRAY_SIZE(alone); i++)
		CHECK(!kho_preserve_pages(block + alone[i], 1));
	/* One page of 8 in the tree, and one of 8 and one of 2. */
	CHECK(!kho_preserve_pages(block + 8, 8));
	CHECK(!kho_preserve_pages(block + 16, 10));
	for (i = 0; i < 64; i++)
		CHECK(page_count(block + i) == 1 ||
		      kho_preserve_pages(block + i, 1) == -EEXIST);
	CHECK(kho_preserve_pages(block + 2, 2) == -EEXIST);
	CHECK(kho_preserve_pages(block + 62, 2) == -EEXIST);
	for (i = 8; i < 26; i++)
		CHECK(khob_unpreserve_pages(block + i, 1) == -ENOENT);
	CHECK(khob_unpreserve_pages(block + 2, 2) == -ENOENT);
	CHECK(khob_unpreserve_pages(block + 1, 1) == -ENOENT);
	/* Whoever is not the last goes and comes again; a page that nobody has is nobody's. */
	CHECK(!khob_unpreserve_pages(block + 2, 1));
	CHECK(khob_unpreserve_pages(block + 2, 1) == -ENOENT);
	CHECK(page_count(block + 2) == 1);
	CHECK(!kho_preserve_pages(block + 2, 1));
	CHECK(!khob_unpreserve_pages(block + 16, 10));
	CHECK(!khob_unpreserve_pages(block + 8, 8));
	CHECK(!kho_preserve_pages(block + 9, 1));
	CHECK(!khob_unpreserve_pages(block + 9, 1));
	for (i = 0; i < ARRAY_SIZE(alone); i++)
		CHECK(!khob_unpreserve_pages(block + alone[i], 1));
	for (i = 0; i < 64; i++)
		CHECK(page_count(block + i) == 1 &&
		      khob_unpreserve_pages(block + i, 1) == -ENOENT);
	free_contig_range(page_to_pfn(block), 64);
	return 0;
}

/*
 * Lists of chunks as no kernel should write them: refused, and nothing is lost. @from: in the
 * page of the subtree.
 */
int damaged(const struct kho_vmalloc *from)
{
	struct kho_vmalloc bad = *from;
	phys_addr_t pa;
	struct kho_vmalloc_chunk *chunk = phys_to_virt(from->first.phys);
	struct kho_vmalloc_chunk *copy __free(kfree) = kmemdup(chunk, sizeof(*chunk), GFP_KERNEL);

	CHECK(copy);
	bad.total_pages++;
	CHECK(!kho_restore_vmalloc(&bad));
	bad.total_pages = from->total_pages - 1;
	CHECK(!kho_restore_vmalloc(&bad));
	bad.total_pages = U32_MAX;
	CHECK(!kho_restore_vmalloc(&bad));
	bad.total_pages = 0;
	CHECK(!kho_restore_vmalloc(&bad));
	bad = *from;
	bad.order = 1;
	CHECK(!kho_restore_vmalloc(&bad));
	bad.order = U16_MAX;
	CHECK(!kho_restore_vmalloc(&bad));
	bad = *from;
	bad.flags = 0x8000;
	CHECK(!kho_restore_vmalloc(&bad));
	bad = *from;
	bad.first.phys |= 8;
	CHECK(!kho_restore_vmalloc(&bad));
	bad.first.phys = ~0ULL;
	CHECK(!kho_restore_vmalloc(&bad));
	bad.first.phys = 0;
	CHECK(!kho_restore_vmalloc(&bad));
	/* A cycle, a page twice, one of this kernel's own, one outside of RAM. */
	chunk->hdr.next.phys = from->first.phys;
	CHECK(!kho_restore_vmalloc(from));
	memcpy(chunk, copy, sizeof(*chunk));
	chunk->phys[1] = chunk->phys[0];
	CHECK(!kho_restore_vmalloc(from));
	chunk->phys[1] = virt_to_phys(copy);
	CHECK(!kho_restore_vmalloc(from));
	chunk->phys[1] = PAGE_MASK;
	CHECK(!kho_restore_vmalloc(from));
	chunk->phys[1] = from->first.phys;
	CHECK(!kho_restore_vmalloc(from));
	/* A page that a subtree is in, and then one that is refused: the subtree is still there. */
	chunk->phys[0] = page_to_phys(virt_to_page(from));
	chunk->phys[1] = PAGE_MASK;
	CHECK(!kho_restore_vmalloc(from));
	CHECK(!kho_retrieve_subtree(NAME, &pa, NULL));
	CHECK(PHYS_PFN(pa) == page_to_pfn(virt_to_page(from)));
	memcpy(chunk, copy, sizeof(*chunk));
	return 0;
}
