// SPDX-License-Identifier: GPL-2.0-only
/*
 * Other modules' vmalloc areas: a list of chunks, each a page of physical addresses.
 * On the way in, every number in it was written by another kernel.
 */
#include <linux/vmalloc.h>
#include <asm/pgtable.h>

#include "khob/kho_bridge.h"
#include "out/out.h"

#define KHOB_CHUNK_ENTRIES	ARRAY_SIZE(((struct khob_vmalloc_chunk *)NULL)->phys)
#define KHOB_PMD_ORDER		(PMD_SHIFT - PAGE_SHIFT)

/* How many chunks upstream makes for so many entries: it adds one when one is full. */
static unsigned long khob_chunks_max(unsigned long entries)
{
	return entries / KHOB_CHUNK_ENTRIES + 1;
}

/* 1. Out. */

/*
 * The pages of the area that begins at @ptr: kernels export no look-up of areas, but
 * there is a page without a mapping in front of each and behind it. What is mapped may be
 * anything; who preserves it finds out. Return: 0 if no area begins there.
 */
static unsigned long khob_vmalloc_count(const void *ptr)
{
	const void *end = ptr;

	if (!PAGE_ALIGNED(ptr) || !is_vmalloc_addr(ptr) ||
	    (is_vmalloc_addr(ptr - PAGE_SIZE) && vmalloc_to_page(ptr - PAGE_SIZE)))
		return 0;
	while (is_vmalloc_addr(end) && vmalloc_to_page(end)) {
		end += PAGE_SIZE;
		cond_resched();
	}
	return (end - ptr) >> PAGE_SHIFT;
}

/* The order of the pages that all of an area is made of: a PMD's, or 0. */
static unsigned int khob_vmalloc_order(const void *ptr, unsigned long nr)
{
	unsigned long i, first = 0;

	if (!IS_ALIGNED((unsigned long)ptr, PMD_SIZE) || nr % (1UL << KHOB_PMD_ORDER))
		return 0;
	for (i = 0; i < nr; i++) {
		unsigned long pfn = page_to_pfn(vmalloc_to_page(ptr + (i << PAGE_SHIFT)));
		unsigned long at = i % (1UL << KHOB_PMD_ORDER);

		if (!at)
			first = pfn;
		if (!IS_ALIGNED(first, 1UL << KHOB_PMD_ORDER) || pfn != first + at)
			return 0;
		cond_resched();
	}
	return KHOB_PMD_ORDER;
}

/* A zeroed, preserved chunk; freed when it is unpreserved. Return: it or an ERR_PTR(). */
static struct khob_vmalloc_chunk *khob_chunk_new(void)
{
	struct khob_vmalloc_chunk *chunk = (void *)get_zeroed_page(GFP_KERNEL);
	int ret;

	BUILD_BUG_ON(sizeof(*chunk) != PAGE_SIZE);
	if (!chunk)
		return ERR_PTR(-ENOMEM);
	ret = khob_client_preserve(PHYS_PFN(__pa(chunk)), 1, KHOB_KIND_CHUNK);
	/* From here on it is there as long as it is preserved. */
	put_page(virt_to_page(chunk));
	return ret ? ERR_PTR(ret) : chunk;
}

/* Unpreserves a list of chunks that this module has made, as far as it goes. */
static void khob_chunks_drop(u64 pa, unsigned int order)
{
	while (pa) {
		struct khob_vmalloc_chunk *chunk = __va(pa);
		u64 next = chunk->next;
		unsigned int i;

		for (i = 0; i < KHOB_CHUNK_ENTRIES && chunk->phys[i]; i++)
			khob_client_unpreserve(PHYS_PFN(chunk->phys[i]), 1UL << order,
					       KHOB_KIND_PAGES);
		khob_client_unpreserve(PHYS_PFN(pa), 1, KHOB_KIND_CHUNK);
		pa = next;
	}
}

static int khob_vmalloc_preserve(const void *ptr, unsigned long nr, unsigned int order, u64 *first)
{
	struct khob_vmalloc_chunk *chunk = NULL, *next;
	unsigned int used = KHOB_CHUNK_ENTRIES;
	unsigned long i;
	int ret;

	*first = 0;
	for (i = 0; i < nr; i += 1UL << order) {
		struct page *page = vmalloc_to_page(ptr + (i << PAGE_SHIFT));

		if (used == KHOB_CHUNK_ENTRIES) {
			next = khob_chunk_new();
			if (IS_ERR(next))
				return PTR_ERR(next);
			if (chunk)
				chunk->next = __pa(next);
			else
				*first = __pa(next);
			chunk = next;
			used = 0;
		}
		ret = khob_client_preserve(page_to_pfn(page), 1UL << order, KHOB_KIND_PAGES);
		if (ret)
			return ret;
		chunk->phys[used++] = PFN_PHYS(page_to_pfn(page));
	}
	return 0;
}

int khob_preserve_vmalloc(void *ptr, struct khob_vmalloc *to)
{
	unsigned long nr = khob_vmalloc_count(ptr);
	unsigned int order;
	u64 first;
	int ret;

	if (!nr || nr > U32_MAX)
		return -EINVAL;
	order = khob_vmalloc_order(ptr, nr);

	CLASS(khob_user_lock, killed)();
	if (killed)
		return killed;
	ret = khob_vmalloc_preserve(ptr, nr, order, &first);
	if (ret)
		khob_chunks_drop(first, order);
	else
		*to = (struct khob_vmalloc) {
			.first = first,
			.total_pages = nr,
			.flags = KHOB_VMALLOC_ALLOC | (order ? KHOB_VMALLOC_HUGE_VMAP : 0),
			.order = order,
		};
	khob_update_pin();
	return ret;
}
EXPORT_SYMBOL_GPL(khob_preserve_vmalloc);

/* Whether a list of chunks is one that khob_vmalloc_preserve() has made and all is there. */
static bool khob_chunks_ours(u64 pa, unsigned long total, unsigned int order)
{
	unsigned long chunks = 0, found = 0;

	if (order > KHOB_BUDDY_ORDER_MAX)
		return false;
	while (pa) {
		const struct khob_vmalloc_chunk *chunk;
		unsigned int i;

		if (!PAGE_ALIGNED(pa) || chunks++ == khob_chunks_max(total) ||
		    !khob_client_has(PHYS_PFN(pa), 1, KHOB_KIND_CHUNK))
			return false;
		chunk = __va(pa);
		for (i = 0; i < KHOB_CHUNK_ENTRIES && chunk->phys[i]; i++, found += 1UL << order)
			if (!khob_client_has(PHYS_PFN(chunk->phys[i]), 1UL << order,
					     KHOB_KIND_PAGES))
				return false;
		pa = chunk->next;
	}
	return found == total;
}

int khob_unpreserve_vmalloc(const struct khob_vmalloc *from)
{
	guard(khob_write)();
	if (!from->first || !khob_chunks_ours(from->first, from->total_pages, from->order))
		return -ENOENT;
	khob_chunks_drop(from->first, from->order);
	khob_update_pin();
	return 0;
}
EXPORT_SYMBOL_GPL(khob_unpreserve_vmalloc);

/* 2. In. */

/**
 * struct khob_vmalloc_in - an area that is being restored
 * @pages: its pages, @total of them; the area's own array in the end
 * @total: how many there are to be
 * @run: pages of one entry
 * @nr: how many are claimed
 * @copy: of the chunk that is being read
 * @chunks: physical addresses of the chunks
 * @nr_chunks: how many are claimed
 * @max_chunks: room for them
 */
struct khob_vmalloc_in {
	struct page **pages;
	unsigned long total;
	unsigned long run;
	unsigned long nr;
	struct khob_vmalloc_chunk *copy;
	u64 *chunks;
	unsigned long nr_chunks;
	unsigned long max_chunks;
};

/* Claims the chunk at @pa and what it names; *@next: the one behind it. */
static int khob_vmalloc_claim_chunk(struct khob_vmalloc_in *in, u64 pa, u64 *next)
{
	struct khob_vmalloc_chunk *chunk = in->copy;
	unsigned long i, k;
	unsigned int order;
	int ret;

	/* A list that comes back to a chunk comes to one that is claimed. */
	if (in->nr_chunks == in->max_chunks || !khob_in_held(pa, &order) || order)
		return -EBADMSG;
	ret = khob_in_claim(pa, 1);
	if (ret)
		return ret;
	in->chunks[in->nr_chunks++] = pa;
	/* Once, so that what is checked is what is used. */
	ret = khob_ram_copy(pa, chunk, sizeof(*chunk));
	if (ret)
		return ret;
	for (i = 0; i < KHOB_CHUNK_ENTRIES && chunk->phys[i]; i++) {
		if (in->nr == in->total)
			return -EBADMSG;
		ret = khob_in_claim(chunk->phys[i], in->run);
		if (ret)
			return ret;
		for (k = 0; k < in->run; k++)
			in->pages[in->nr++] = pfn_to_page(PHYS_PFN(chunk->phys[i]) + k);
	}
	*next = chunk->next;
	return 0;
}

static int khob_vmalloc_claim(struct khob_vmalloc_in *in, u64 first)
{
	u64 pa = first;
	int ret = 0;

	while (pa && !ret)
		ret = khob_vmalloc_claim_chunk(in, pa, &pa);
	if (!ret && in->nr != in->total)
		ret = -EBADMSG;
	return ret;
}

/* Calls @fn for all that is claimed. */
static void khob_vmalloc_each(const struct khob_vmalloc_in *in, void (*fn)(u64 pa, u64 nr))
{
	unsigned long i;

	for (i = 0; i < in->nr; i += in->run)
		fn(PFN_PHYS(page_to_pfn(in->pages[i])), in->run);
	for (i = 0; i < in->nr_chunks; i++)
		fn(in->chunks[i], 1);
}

static void *khob_vmalloc_restore(struct khob_vmalloc_in *in, u64 first)
{
	void *area = NULL;
	unsigned long i;

	if (!khob_vmalloc_claim(in, first))
		area = vmap(in->pages, in->total, VM_MAP | VM_MAP_PUT_PAGES, PAGE_KERNEL);
	if (!area) {
		khob_vmalloc_each(in, khob_in_unclaim);
		return NULL;
	}
	khob_vmalloc_each(in, khob_in_take);
	for (i = 0; i < in->nr; i += in->run)
		khob_in_live(PFN_PHYS(page_to_pfn(in->pages[i])), in->run);
	for (i = 0; i < in->nr_chunks; i++)
		khob_in_free(in->chunks[i], 1);
	return area;
}

void *khob_restore_vmalloc(const struct khob_vmalloc *from)
{
	struct khob_vmalloc_in in = { .total = from->total_pages };
	void *area = NULL;

	CLASS(khob_user_lock, killed)();
	if (killed)
		return NULL;
	if (khob_out.frozen || !khob_in.got ||
	    from->order > KHOB_BUDDY_ORDER_MAX || !in.total || in.total > khob_end_pfn() ||
	    in.total % (1UL << from->order) ||
	    from->flags & ~(KHOB_VMALLOC_ALLOC | KHOB_VMALLOC_HUGE_VMAP))
		return NULL;
	in.run = 1UL << from->order;
	in.max_chunks = khob_chunks_max(in.total / in.run);
	in.pages = kvmalloc_array(in.total, sizeof(*in.pages), GFP_KERNEL);
	in.chunks = kvmalloc_array(in.max_chunks, sizeof(*in.chunks), GFP_KERNEL);
	in.copy = kmalloc(sizeof(*in.copy), GFP_KERNEL);
	if (in.pages && in.chunks && in.copy)
		area = khob_vmalloc_restore(&in, from->first);
	kfree(in.copy);
	kvfree(in.chunks);
	/* vfree() frees the area's array of pages. */
	if (!area)
		kvfree(in.pages);
	khob_update_pin();
	return area;
}
EXPORT_SYMBOL_GPL(khob_restore_vmalloc);
