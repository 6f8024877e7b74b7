// SPDX-License-Identifier: GPL-2.0-only
/*
 * A file of huge pages only, for who is going to map it and have it outlive the kernel: contiguous
 * memory, made into compound pages and put into an empty file. What they are mapped by is the
 * ordinary fault path, which takes a PMD for a folio of that size wherever it may.
 */
#include <linux/highmem.h>
#include <linux/nodemask.h>
#include <linux/sched/signal.h>
#include <linux/topology.h>

#include "memfd/memfd.h"

/* Pages that a PMD maps; a run is as long. */
#define LUO_HUGE_ORDER (PMD_SHIFT - PAGE_SHIFT)

/**
 * struct luo_region - a file that is being filled
 * @adoption: with folios
 * @none: of the file's pages that may have to move: what is in it must not make room for the rest
 * @next: where the next one goes
 * @pages: that it is to have
 * @nid: node that all are of; NUMA_NO_NODE: any
 */
struct luo_region {
	struct luo_adoption adoption;
	struct luo_scatter none;
	pgoff_t next;
	unsigned long pages;
	int nid;
};

/* The next pages of a piece that has as many, as one folio of zeroes with one reference. */
static struct folio *luo_region_folio(struct luo_contig *contig)
{
	struct page *head = pfn_to_page(contig->pfn + contig->used);
	unsigned long i;

	contig->used += LUO_RUN;
	for (i = 0; i < LUO_RUN; i++)
		clear_highpage(head + i);
	/* Only the head of a compound page is counted. */
	for (i = 1; i < LUO_RUN; i++)
		set_page_count(head + i, 0);
	khob_prep_compound(head, LUO_HUGE_ORDER);
	return page_folio(head);
}

static int luo_region_put(struct luo_region *region, struct luo_contig *contig)
{
	struct luo_adoption *adoption = &region->adoption;
	int ret = 0;

	while (!ret && contig->used + LUO_RUN <= contig->nr && region->next < region->pages) {
		adoption->folios[adoption->nr] = luo_region_folio(contig);
		adoption->index[adoption->nr++] = region->next;
		region->next += LUO_RUN;
		if (adoption->nr == LUO_BATCH)
			ret = luo_adopt(adoption);
		if (!ret && fatal_signal_pending(current))
			ret = -EINTR;
		cond_resched();
	}
	return ret;
}

/* As much as there is of a node, or until all is there. */
static int luo_region_node(struct luo_region *region, int nid)
{
	while (region->next < region->pages) {
		/* By halves it stays a multiple of a huge page, and ends with one. */
		unsigned long nr = rounddown_pow_of_two(region->pages - region->next);
		struct luo_contig contig;
		int ret = luo_contig_take(&contig, nid, nr, &region->none);

		if (ret)
			return ret == -ENOMEM ? 0 : ret;
		ret = luo_region_put(region, &contig);
		luo_contig_give(&contig);
		if (ret)
			return ret;
	}
	return 0;
}

/* The caller's own node first. */
static int luo_region_nodes(struct luo_region *region)
{
	int nid = region->nid == NUMA_NO_NODE ? numa_mem_id() : region->nid;
	int ret = luo_region_node(region, nid);

	if (region->nid == NUMA_NO_NODE) {
		for_each_node_state(nid, N_MEMORY)
			ret = ret ?: luo_region_node(region, nid);
	}
	return ret ?: region->next < region->pages ? -ENOMEM : 0;
}

static bool luo_region_may(u64 bytes, int nid)
{
	if (!bytes || !IS_ALIGNED(bytes, PMD_SIZE) || PHYS_PFN(bytes) > PHYS_PFN(luo_ram_end()))
		return false;
	return nid == NUMA_NO_NODE || (nid >= 0 && nid < MAX_NUMNODES && node_state(nid, N_MEMORY));
}

/**
 * luo_region_fill() - give an empty file huge pages of zeroes
 * @file: a regular file of shmem's
 * @bytes: how large it is to be
 * @nid: node whose memory it is to have; NUMA_NO_NODE: any
 *
 * Context: may sleep long, it migrates pages. All of it is charged to the caller's cgroup, and to
 * the file's owner.
 *
 * Return: 0; or one of these, and the file is empty: -EINVAL if the size is no multiple of a huge
 * page or more than there is memory, if there is no such node, or the file was not empty;
 * -EOPNOTSUPP if this kernel maps no huge pages; -ENOSPC or -EDQUOT if the file may not be so
 * large; -ENOMEM if there is not as much contiguous memory; -EINTR if killed.
 */
int luo_region_fill(struct file *file, u64 bytes, int nid)
{
	int ret;

	if (!IS_ENABLED(CONFIG_TRANSPARENT_HUGEPAGE) || !KHOB_COMPOUND || !LUO_ADOPTS_LARGE)
		return -EOPNOTSUPP;
	if (!luo_region_may(bytes, nid))
		return -EINVAL;

	struct luo_region *region __free(luo_kvfree) = kvzalloc(sizeof(*region), GFP_KERNEL);

	if (!region)
		return -ENOMEM;
	region->nid = nid;
	region->pages = PHYS_PFN(bytes);
	region->adoption.size = bytes;
	luo_scatter_init(&region->none, file->f_mapping);
	ret = luo_adopt_start(&region->adoption, file);
	if (ret)
		return ret;
	ret = luo_region_nodes(region);
	if (!ret)
		ret = luo_adopt(&region->adoption);
	if (ret) {
		luo_adopt_drop(&region->adoption);
		return ret;
	}
	luo_adopt_end(&region->adoption);
	fput(region->adoption.file);
	return 0;
}
