/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The only place that knows how kernels differ; force-included, so that the rest reads as code
 * for one kernel. Features are probed, not versions: by what a header defines, or by Kbuild.
 */
#ifndef LUO_COMPAT_H
#define LUO_COMPAT_H

/* Before any header that defines a default. */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/cleanup.h>
#include <linux/gfp.h>
#include <linux/kexec_handover.h>
#include <linux/mm.h>
#include <linux/pagemap.h>
#include <linux/quotaops.h>
#include <linux/shmem_fs.h>
#include <linux/slab.h>

#include "mem/compound.h"

/*
 * Whether what nobody has restored goes on with the next kexec by itself: kho_bridge sees to
 * that, a kernel's own KHO forgets it.
 */
#ifdef KHOB_COMPAT_KEXEC_HANDOVER_H
#define LUO_CARRIES true
#else
#define LUO_CARRIES false
#endif

/* A file of shmem's that is charged for what it holds, not for its size. 7.0 gave that a flag. */
#ifndef SHMEM_F_NORESERVE
#define SHMEM_F_NORESERVE VM_NORESERVE
#endif

static inline struct file *luo_shmem_file(const char *name, loff_t size, bool noreserve)
{
#ifdef LUO_HAVE_VMA_FLAGS
	return shmem_file_setup(name, size, noreserve ? mk_vma_flags(VMA_NORESERVE_BIT) :
						      EMPTY_VMA_FLAGS);
#else
	return shmem_file_setup(name, size, noreserve ? VM_NORESERVE : 0);
#endif
}

/* i_blocks of @inode, and quota where there is any, by @pages more; with 6.6 shmem got quota. */
static inline int luo_blocks_charge(struct inode *inode, long pages)
{
#ifdef LUO_HAVE_SHMEM_QUOTA
	return dquot_alloc_block_nodirty(inode, pages);
#else
	struct shmem_inode_info *info = SHMEM_I(inode);
	unsigned long flags;

	spin_lock_irqsave(&info->lock, flags);
	inode->i_blocks += pages << (PAGE_SHIFT - SECTOR_SHIFT);
	spin_unlock_irqrestore(&info->lock, flags);
	return 0;
#endif
}

/* Undoes that. */
static inline void luo_blocks_uncharge(struct inode *inode, long pages)
{
#ifdef LUO_HAVE_SHMEM_QUOTA
	dquot_free_block_nodirty(inode, pages);
#else
	luo_blocks_charge(inode, -pages);
#endif
}

/*
 * Whether the page cache can have folios of order 1. Where a large folio's list for splitting is in
 * its third page it cannot: that page is another one's.
 */
#ifdef KHOB_HAVE_COMPOUND_DTOR
#define LUO_TAKES_PAIRS false
#else
#define LUO_TAKES_PAIRS true
#endif

/* What a folio of an order > 0 needs, besides, so that it can be split one day. */
static inline void luo_prepare_large(struct folio *folio)
{
#ifdef KHOB_HAVE_COMPOUND_DTOR
	INIT_LIST_HEAD(page_deferred_list(folio_page(folio, 0)));
	set_compound_page_dtor(folio_page(folio, 0), TRANSHUGE_PAGE_DTOR);
#else
	folio_set_large_rmappable(folio);
#endif
}

/* Puts @new, locked, into the place that @old, locked, has in the page cache. */
static inline void luo_replace(struct folio *old, struct folio *new)
{
#ifdef LUO_HAVE_REPLACE_FOLIO
	replace_page_cache_folio(old, new);
#else
	replace_page_cache_page(folio_page(old, 0), folio_page(new, 0));
#endif
}

/*
 * Takes pages of one zone out of the page allocator, each with a reference of its own. 6.16
 * replaced the migrate type by flags.
 */
static inline int luo_contig(unsigned long pfn, unsigned long nr)
{
#ifndef CONFIG_CONTIG_ALLOC
	return -ENOMEM;
#elif defined(ACR_FLAGS_NONE)
	return alloc_contig_range(pfn, pfn + nr, ACR_FLAGS_NONE, GFP_KERNEL | __GFP_NOWARN);
#else
	return alloc_contig_range(pfn, pfn + nr, MIGRATE_MOVABLE, GFP_KERNEL | __GFP_NOWARN);
#endif
}

/* 6.1 has no __free(kvfree) yet. */
DEFINE_FREE(luo_kvfree, void *, if (_T) kvfree(_T))

#endif /* LUO_COMPAT_H */
