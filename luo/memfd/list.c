// SPDX-License-Identifier: GPL-2.0-only
/*
 * Memory for the list of a file's folios, which is handed over as well: 6 MiB for a GiB of single
 * pages. In pieces it would cost what gathering these has saved.
 */
#include <linux/topology.h>
#include <linux/vmalloc.h>

#include "memfd/memfd.h"

/* Pages that are few enough to lie anywhere: the list of a file of less than 4 MiB. */
#define LUO_LIST_SMALL 5

#ifdef KHOB_COMPAT_KEXEC_HANDOVER_H
static void *luo_list_map(const struct luo_contig *contig)
{
	unsigned long i;

	struct page **pages __free(luo_kvfree) = kvcalloc(contig->nr, sizeof(*pages), GFP_KERNEL);

	if (!pages)
		return NULL;
	for (i = 0; i < contig->nr; i++)
		pages[i] = pfn_to_page(contig->pfn + i);
	return vmap(pages, contig->nr, VM_MAP, PAGE_KERNEL);
}

/* kho_bridge preserves whatever is mapped. */
static int luo_list_alloc_contig(struct luo_list *list, unsigned long nr)
{
	int ret = luo_contig_take(&list->contig, numa_mem_id(), nr, NULL);

	if (ret)
		return ret;
	if (list->contig.nr == nr)
		list->at = luo_list_map(&list->contig);
	if (list->at) {
		memset(list->at, 0, nr << PAGE_SHIFT);
		return 0;
	}
	luo_contig_give(&list->contig);
	return -ENOMEM;
}
#else
/* A kernel's own KHO preserves what vmalloc() has made, and nothing else. */
static int luo_list_alloc_contig(struct luo_list *list, unsigned long nr)
{
	return -ENOMEM;
}
#endif

/**
 * luo_list_alloc() - zeroed memory, contiguous if that can be had
 * @list: what is filled in
 * @size: bytes
 *
 * Return: 0, -ENOMEM, -EINTR.
 */
int luo_list_alloc(struct luo_list *list, size_t size)
{
	unsigned long nr = PFN_UP(size);
	int ret = -ENOMEM;

	*list = (struct luo_list) {};
	if (nr > LUO_LIST_SMALL)
		ret = luo_list_alloc_contig(list, nr);
	if (ret != -ENOMEM)
		return ret;
	list->at = vzalloc(size);
	return list->at ? 0 : -ENOMEM;
}

/**
 * luo_list_free() - free that
 * @list: which
 */
void luo_list_free(struct luo_list *list)
{
	if (!list->contig.nr) {
		vfree(list->at);
		return;
	}
	vunmap(list->at);
	luo_contig_give(&list->contig);
}
