// SPDX-License-Identifier: GPL-2.0-only
/*
 * Folios that nobody uses enter a file of shmem's without a copy. shmem's own functions for that
 * are not exported, so every count that they keep is kept here: Committed_AS, NR_SHMEM, i_blocks,
 * the file system's blocks, and what the inode knows of itself. The cgroup's charge and
 * NR_FILE_PAGES are filemap's.
 *
 * While the file's size is 0 nobody finds what is in it; fallocend keeps what lies beyond the size
 * from being dropped when reclaim splits a folio. A file that somebody else may have open is sealed
 * meanwhile, so that nothing else gets into it. An adoption that runs out of memory is not
 * undone: what is in stays in, and the rest follows when there is some.
 */
#include <linux/file.h>
#include <linux/sizes.h>
#include <linux/swap.h>
#include <linux/vmstat.h>

#include "memfd/memfd.h"

#define LUO_EXCHANGES (!LUO_ADOPTS_LARGE)

/* Pages that are charged for at once, if not more are needed: a GiB. */
#define LUO_CHARGE (SZ_1G >> PAGE_SHIFT)

static gfp_t luo_adopt_gfp(struct address_space *mapping)
{
	/* Its cgroup may be full: that is no reason to kill whoever wants the file back. */
	return mapping_gfp_mask(mapping) | __GFP_NORETRY | __GFP_NOWARN;
}

/* Blocks of @nr pages: of those that are charged already, as far as there are any. */
static void luo_adopt_blocks(struct luo_adoption *adoption, long nr)
{
	struct inode *inode = file_inode(adoption->file);
	s64 more = max_t(s64, nr - adoption->blocks, 0);

	adoption->blocks -= nr - more;
	/*
	 * No quota is on the kernel's own mount. Elsewhere this is what of the last folio lies
	 * beyond the end of the file.
	 */
	if (more && luo_shmem_charge(inode, more, false))
		pr_warn_once("a file's quota is full: its last blocks are not counted\n");
}

/* Puts a locked folio into the page cache as shmem's, with all of shmem's counts. */
static int luo_adopt_add(struct luo_adoption *adoption, struct folio *folio, pgoff_t index)
{
	struct inode *inode = file_inode(adoption->file);
	struct address_space *mapping = inode->i_mapping;
	struct shmem_inode_info *info = SHMEM_I(inode);
	long nr = folio_nr_pages(folio);
	unsigned long flags;
	int ret;

	if (folio_test_large(folio))
		luo_prepare_large(folio);
	folio_mark_uptodate(folio);
	/* First of all: by it the LRU lists are chosen, and what is subtracted on removal. */
	__folio_set_swapbacked(folio);
	ret = filemap_add_folio(mapping, folio, index, luo_adopt_gfp(mapping));
	if (ret) {
		__folio_clear_swapbacked(folio);
		return ret;
	}
	lruvec_stat_mod_folio(folio, NR_SHMEM, nr);
	if (folio_test_pmd_mappable(folio)) {
		lruvec_stat_mod_folio(folio, NR_FILE_THPS, -nr);
		lruvec_stat_mod_folio(folio, NR_SHMEM_THPS, nr);
	}
	luo_adopt_blocks(adoption, nr);
	/* Last: whoever sees more pages here than in the page cache takes them for freed. */
	spin_lock_irqsave(&info->lock, flags);
	info->alloced += nr;
	spin_unlock_irqrestore(&info->lock, flags);
	folio_mark_dirty(folio);
	folio_unlock(folio);
	folio_put(folio);
	return 0;
}

/*
 * A folio of order 1, as a newer kernel may have left it, where there can be none: its pages are
 * copied. That can be begun again, also after the first of them went in.
 */
static int luo_adopt_pair(struct luo_adoption *adoption, struct folio *folio, pgoff_t index)
{
	gfp_t gfp = luo_adopt_gfp(adoption->file->f_mapping);
	int ret, i;

	for (i = 0; i < 2; i++) {
		struct page *to = alloc_page(gfp);

		if (!to)
			return -ENOMEM;
		copy_highpage(to, folio_page(folio, i));
		ret = luo_adopt_add(adoption, page_folio(to), index + i);
		if (ret)
			put_page(to);
		if (ret && ret != -EEXIST)
			return ret;
	}
	folio_put(folio);
	return 0;
}

/* The page that shmem has at @index, allocated if need be, locked. */
static struct folio *luo_shmem_own(struct address_space *mapping, pgoff_t index)
{
	struct page *page = shmem_read_mapping_page_gfp(mapping, index, luo_adopt_gfp(mapping));
	struct folio *folio;

	if (IS_ERR(page))
		return ERR_CAST(page);
	folio = page_folio(page);
	folio_lock(folio);
	if (folio->mapping == mapping && !folio_test_large(folio) && !folio_test_swapcache(folio))
		return folio;
	folio_unlock(folio);
	folio_put(folio);
	return ERR_PTR(-EAGAIN);
}

/* Exchanges a page of shmem's for a folio of order 0. All counts are shmem's own. */
static int luo_adopt_exchange(struct inode *inode, struct folio *folio, pgoff_t index)
{
	struct folio *old = luo_shmem_own(inode->i_mapping, index);

	if (IS_ERR(old))
		return PTR_ERR(old);
	__folio_set_locked(folio);
	__folio_set_swapbacked(folio);
	folio_mark_uptodate(folio);
	luo_replace(old, folio);
	folio_mark_dirty(folio);
	folio_add_lru(folio);
	folio_unlock(folio);
	folio_put(folio);
	folio_unlock(old);
	folio_put(old);
	return 0;
}

/*
 * No part of a large folio can be exchanged, nor a page that somebody may have mapped: they are
 * copied, as far as the file reaches.
 */
static int luo_adopt_copy(struct inode *inode, struct folio *folio, pgoff_t index)
{
	u64 end = luo_memfd_pages(i_size_read(inode));
	long i;

	for (i = 0; i < folio_nr_pages(folio) && index + i < end; i++) {
		struct folio *to = luo_shmem_own(inode->i_mapping, index + i);

		if (IS_ERR(to))
			return PTR_ERR(to);
		copy_highpage(folio_page(to, 0), folio_page(folio, i));
		folio_mark_dirty(to);
		folio_unlock(to);
		folio_put(to);
		cond_resched();
	}
	folio_put(folio);
	return 0;
}

static int luo_adopt_one(struct luo_adoption *adoption, struct folio *folio, pgoff_t index)
{
	struct inode *inode = file_inode(adoption->file);

	if (!LUO_EXCHANGES && !LUO_TAKES_PAIRS && folio_order(folio) == 1)
		return luo_adopt_pair(adoption, folio, index);
	if (!LUO_EXCHANGES)
		return luo_adopt_add(adoption, folio, index);
	return folio_test_large(folio) || adoption->named ?
		       luo_adopt_copy(inode, folio, index) :
		       luo_adopt_exchange(inode, folio, index);
}

/* What lies beyond the size stays: all of it, since the last folio may reach beyond the file. */
static void luo_adopt_hold(struct luo_adoption *adoption)
{
	SHMEM_I(file_inode(adoption->file))->fallocend =
		luo_memfd_pages(adoption->size) + (MAX_ORDER_NR_PAGES - 1);
}

/* The caller's file: it is to be empty, and to have room. With its inode locked. */
static int luo_adopt_seal(struct luo_adoption *adoption)
{
	struct inode *inode = file_inode(adoption->file);
	s64 blocks = min_t(u64, luo_memfd_pages(adoption->size), PHYS_PFN(luo_ram_end()));
	int ret;

	if (!luo_shmem_is_empty(adoption->file))
		return -EINVAL;
	ret = luo_shmem_charge(inode, blocks, true);
	if (ret)
		return ret;
	/* shmem charges for its own pages itself. */
	if (LUO_EXCHANGES)
		luo_shmem_uncharge(inode, blocks);
	else
		adoption->blocks = blocks;
	adoption->seals = SHMEM_I(inode)->seals;
	SHMEM_I(inode)->seals |= F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE;
	return 0;
}

/**
 * luo_adopt_start() - before the first folio
 * @adoption: its size is known, all else is zero
 * @into: a regular file of shmem's; or NULL: a new memfd
 *
 * Return: 0; -ENOMEM; of @into -EINVAL if it is not empty, -ENOSPC or -EDQUOT if it has no room.
 */
int luo_adopt_start(struct luo_adoption *adoption, struct file *into)
{
	struct inode *inode;
	int ret = 0;

	adoption->named = into;
	adoption->file = into ? get_file(into) : luo_shmem_new();
	if (IS_ERR(adoption->file))
		return PTR_ERR(adoption->file);
	inode = file_inode(adoption->file);
	inode_lock(inode);
	if (into)
		ret = luo_adopt_seal(adoption);
	if (!ret)
		luo_adopt_hold(adoption);
	if (!ret && LUO_EXCHANGES)
		i_size_write(inode, adoption->size);
	inode_unlock(inode);
	if (ret)
		fput(adoption->file);
	return ret;
}

/* What lies behind the end of the file, in its last page, is nobody's. */
static void luo_adopt_cut(struct folio *folio, u64 start, u64 size)
{
	if (start + folio_size(folio) > size)
		folio_zero_range(folio, size - start, folio_size(folio) - (size - start));
}

/*
 * Charges Committed_AS for the folios that are restored; for what follows them as well, if there
 * is enough, since every charge costs a file that is there until the caller's system call ends.
 */
static int luo_adopt_charge(struct luo_adoption *adoption)
{
	s64 left, pages = -adoption->charged;
	unsigned int i;
	int ret;

	for (i = adoption->done; i < adoption->nr; i++)
		pages += folio_nr_pages(adoption->folios[i]);
	/* shmem charges for its own pages itself. */
	if (LUO_EXCHANGES || pages <= 0)
		return 0;
	left = luo_memfd_pages(adoption->size) - adoption->index[adoption->done];
	left = clamp(left - adoption->charged, pages, (s64)LUO_CHARGE);
	if (left > pages && !luo_shmem_commit(left)) {
		adoption->charged += left;
		return 0;
	}
	ret = luo_shmem_commit(pages);
	if (!ret)
		adoption->charged += pages;
	return ret;
}

/**
 * luo_adopt() - put the folios that are restored into the file
 * @adoption: with folios
 *
 * Return: 0, and there are none left; -ENOMEM: what is left can follow later; -EAGAIN likewise.
 */
int luo_adopt(struct luo_adoption *adoption)
{
	struct inode *inode = file_inode(adoption->file);
	int ret = luo_adopt_charge(adoption);

	if (ret)
		return ret;
	inode_lock(inode);
	/* Whoever truncates a file that is empty so far has taken that back. */
	luo_adopt_hold(adoption);
	while (!ret && adoption->done < adoption->nr) {
		struct folio *folio = adoption->folios[adoption->done];
		pgoff_t index = adoption->index[adoption->done];
		long nr = folio_nr_pages(folio);

		luo_adopt_cut(folio, (u64)index << PAGE_SHIFT, adoption->size);
		ret = luo_adopt_one(adoption, folio, index);
		if (ret)
			break;
		adoption->done++;
		if (!LUO_EXCHANGES)
			adoption->charged -= nr;
	}
	inode_unlock(inode);
	if (!ret) {
		adoption->nr = 0;
		adoption->done = 0;
	}
	cond_resched();
	return ret;
}

/* Gives back what was charged for and has not come. */
static void luo_adopt_uncharge(struct luo_adoption *adoption)
{
	if (luo_shmem_commit(-adoption->charged))
		pr_warn("Committed_AS stays %lld pages too large: no memory\n", adoption->charged);
	adoption->charged = 0;
}

/* The file is one like any other. With its inode locked. */
static void luo_adopt_unseal(struct luo_adoption *adoption, u64 size)
{
	struct inode *inode = file_inode(adoption->file);

	SHMEM_I(inode)->fallocend = 0;
	luo_shmem_uncharge(inode, adoption->blocks);
	adoption->blocks = 0;
	if (adoption->named) {
		i_size_write(inode, size);
		SHMEM_I(inode)->seals = adoption->seals;
	}
}

/**
 * luo_adopt_end() - behind the last folio
 * @adoption: without folios
 *
 * A memfd's size and seals are the caller's to set.
 */
void luo_adopt_end(struct luo_adoption *adoption)
{
	struct inode *inode = file_inode(adoption->file);

	inode_lock(inode);
	luo_adopt_unseal(adoption, adoption->size);
	inode_unlock(inode);
	luo_adopt_uncharge(adoption);
}

/**
 * luo_adopt_drop() - give up
 * @adoption: what is restored is freed, and all that is in the file
 */
void luo_adopt_drop(struct luo_adoption *adoption)
{
	struct inode *inode = file_inode(adoption->file);

	while (adoption->done < adoption->nr)
		folio_put(adoption->folios[adoption->done++]);
	inode_lock(inode);
	luo_adopt_unseal(adoption, 0);
	if (adoption->named)
		shmem_truncate_range(inode, 0, -1);
	inode_unlock(inode);
	luo_adopt_uncharge(adoption);
	fput(adoption->file);
}
