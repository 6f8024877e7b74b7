// SPDX-License-Identifier: GPL-2.0-only
/*
 * Pages of a memfd lie all over memory, as they were allocated. A kernel without KHO takes a
 * handover over in some dozens of intervals, and one with KHO reserves each piece by itself as it
 * boots: so single pages move together before they are preserved. Processes go on using them.
 *
 * A page moves in this order: it is locked, and unmapped everywhere, so that whoever wants it waits
 * for the lock. If nobody else has a reference, the new page takes its place in the page cache,
 * locked as well. From then on nobody finds the old one, and when the last reference but ours is
 * gone, nobody writes to it: then it is copied. If it does not go, the old page takes its place
 * again. A copy before that would miss what somebody writes after it.
 */
#include <linux/bitmap.h>
#include <linux/delay.h>
#include <linux/module.h>
#include <linux/sched/signal.h>
#include <linux/swap.h>
#include <linux/uaccess.h>

#include "memfd/memfd.h"

/* Fewer scattered pages than these cost less than being moved. */
#define LUO_GATHER_MIN 16

/* Times that all pages are tried while some still move, and without one that has moved. */
#define LUO_PASSES 16
#define LUO_PASSES_IDLE 2

/* Microseconds that others get to drop a page that they have found before. */
#define LUO_PATIENCE 50

static bool luo_gather_wanted = true;
module_param_named(gather, luo_gather_wanted, bool, 0644);
MODULE_PARM_DESC(gather, "Move single pages of a memfd into contiguous memory when it is preserved (default: on)");

/**
 * struct luo_gather - a file whose pages move
 * @mapping: the file's
 * @pages: that it has
 * @scatter: where its single pages are
 * @todo: those that are to move, by index
 * @moved: pages that have
 * @pieces: of contiguous memory that they are in
 * @wanting: pages for which there was no memory
 */
struct luo_gather {
	struct address_space *mapping;
	pgoff_t pages;
	struct luo_scatter scatter;
	unsigned long *todo;
	unsigned long moved;
	unsigned long pieces;
	unsigned long wanting;
};

/* The folio at @index, with a reference; filled, or back from swap, if need be. */
static struct folio *luo_gather_get(const struct luo_gather *g, pgoff_t index)
{
	struct page *page;

	if (fatal_signal_pending(current))
		return ERR_PTR(-EINTR);
	cond_resched();
	page = shmem_read_mapping_page_gfp(g->mapping, index, mapping_gfp_mask(g->mapping));
	return IS_ERR(page) ? ERR_CAST(page) : page_folio(page);
}

/* Finds out which pages are scattered in memory. */
static int luo_gather_survey(struct luo_gather *g)
{
	pgoff_t index = 0;
	int ret = 0;

	while (!ret && index < g->pages) {
		struct folio *folio = luo_gather_get(g, index);

		if (IS_ERR(folio))
			return PTR_ERR(folio);
		if (folio_test_large(folio)) {
			/* It may be split meanwhile: then it is no worse than before. */
			index = max(folio_next_index(folio), index + 1);
		} else {
			ret = luo_scatter_add(&g->scatter, folio_pfn(folio));
			index++;
		}
		folio_put(folio);
	}
	luo_scatter_count(&g->scatter);
	return ret;
}

/* Finds out where in the file these are, and of each node how many. */
static int luo_gather_choose(struct luo_gather *g, unsigned long *nodes)
{
	pgoff_t index;

	for (index = 0; index < g->pages; index++) {
		struct folio *folio = luo_gather_get(g, index);

		if (IS_ERR(folio))
			return PTR_ERR(folio);
		if (luo_scatter_has(&g->scatter, folio_pfn(folio))) {
			__set_bit(index, g->todo);
			nodes[folio_nid(folio)]++;
		}
		folio_put(folio);
	}
	return 0;
}

/* More than a run for each 2 MiB of the file, besides those that are as long as that. */
static bool luo_gather_pays(const struct luo_gather *g)
{
	return g->scatter.nr >= LUO_GATHER_MIN && g->scatter.runs > 1 + g->pages / LUO_RUN;
}

/* Whether the last reference of a folio that nobody finds is ours. */
static bool luo_is_alone(struct folio *folio)
{
	unsigned int i;

	for (i = 0; folio_ref_count(folio) != 1; i++) {
		/* Who waits for the lock keeps his reference as long as we keep the lock. */
		if (i == LUO_PATIENCE)
			return false;
		udelay(1);
	}
	/* What others have written before they dropped it comes before what we read. */
	smp_rmb();
	return true;
}

/*
 * Moves what is in @old, locked, to @new, with one reference each; then @new is locked. Return:
 * whether it has; if it has not, @new is in no use but spoilt, its cgroup has been charged.
 */
static bool luo_gather_exchange(struct folio *old, struct folio *new)
{
	__folio_set_locked(new);
	__folio_set_swapbacked(new);
	/*
	 * Whoever reads it waits for the lock; but lseek() takes what is not up to date for a hole
	 * and does not wait.
	 */
	folio_mark_uptodate(new);
	luo_replace(old, new);
	if (luo_is_alone(old) &&
	    !copy_mc_to_kernel(folio_address(new), folio_address(old), PAGE_SIZE))
		return true;
	luo_replace(new, old);
	return false;
}

/* Moves a locked folio into contiguous memory, if nobody else has a reference. */
static bool luo_gather_move(struct luo_gather *g, struct folio *old, struct luo_contig *contig)
{
	struct folio *new;
	unsigned long pfn;
	bool moved;

	if (folio_mapped(old))
		unmap_mapping_pages(g->mapping, old->index, 1, false);
	/* The page cache's and ours. */
	if (folio_ref_count(old) != 2)
		return false;
	new = luo_contig_next(contig);
	pfn = folio_pfn(new);
	moved = luo_gather_exchange(old, new);
	if (moved) {
		luo_scatter_del(&g->scatter, pfn);
		folio_mark_dirty(new);
		folio_add_lru(new);
	}
	folio_unlock(new);
	folio_put(new);
	if (!moved)
		luo_contig_spoil(contig, pfn);
	return moved;
}

/* Return: 0, also if the page stays where it is; -EINTR, or why there is none. */
static int luo_gather_one(struct luo_gather *g, pgoff_t index, int nid, struct luo_contig *contig)
{
	struct folio *folio = luo_gather_get(g, index);
	int ret;

	if (IS_ERR(folio))
		return PTR_ERR(folio);
	ret = folio_nid(folio) == nid ? folio_lock_killable(folio) : -EXDEV;
	if (ret)
		goto put;
	if (folio->mapping == g->mapping && !folio_test_large(folio) &&
	    !folio_test_swapcache(folio) && !folio_test_writeback(folio) &&
	    luo_gather_move(g, folio, contig)) {
		__clear_bit(index, g->todo);
		g->moved++;
	}
	folio_unlock(folio);
put:
	folio_put(folio);
	return ret == -EXDEV ? 0 : ret;
}

/* Tries each page that has not moved. */
static int luo_gather_pass(struct luo_gather *g, int nid, struct luo_contig *contig)
{
	unsigned long index;
	int ret = 0;

	for_each_set_bit(index, g->todo, g->pages) {
		if (luo_contig_is_full(contig))
			break;
		ret = luo_gather_one(g, index, nid, contig);
		if (ret)
			break;
	}
	return ret;
}

/* What is in use, most of it only just now, is tried again, until @nr have moved. */
static int luo_gather_into(struct luo_gather *g, int nid, unsigned long nr,
			   struct luo_contig *contig)
{
	unsigned long goal = g->moved + nr;
	unsigned int pass, idle = 0;

	for (pass = 0; pass < LUO_PASSES && idle < LUO_PASSES_IDLE; pass++) {
		unsigned long before = g->moved;
		int ret = luo_gather_pass(g, nid, contig);

		if (ret || g->moved >= goal || luo_contig_is_full(contig))
			return ret;
		idle = g->moved == before ? idle + 1 : 0;
		luo_contig_settle(contig);
	}
	return 0;
}

/* Gathers @nr pages of a node, which is the one that they are meant to be of. */
static int luo_gather_node(struct luo_gather *g, int nid, unsigned long nr)
{
	while (nr) {
		unsigned long before = g->moved;
		struct luo_contig contig;
		bool full;
		/* A page of it is spoilt whenever one does not move after all. */
		int ret = luo_contig_take(&contig, nid, nr + nr / 16 + 1, &g->scatter);

		if (ret == -ENOMEM) {
			g->wanting += nr;
			return 0;
		}
		if (ret)
			return ret;
		ret = luo_gather_into(g, nid, nr, &contig);
		full = luo_contig_is_full(&contig);
		luo_contig_give(&contig);
		if (g->moved > before)
			g->pieces++;
		if (ret || !full || g->moved == before)
			return ret;
		nr -= min(nr, g->moved - before);
	}
	return 0;
}

static void luo_gather_say(const struct luo_gather *g)
{
	unsigned long stay = bitmap_weight(g->todo, g->pages);
	unsigned long wanting = min(stay, g->wanting);

	if (stay)
		pr_info("gathered %lu pages of a memfd: %lu runs are %lu now; %lu pages stay where they are and may each cost an interval: %lu are in use, for %lu there is no contiguous memory\n",
			g->moved, g->scatter.runs, g->pieces, stay, stay - wanting, wanting);
	else
		pr_info("gathered %lu pages of a memfd: %lu runs are %lu now\n",
			g->moved, g->scatter.runs, g->pieces);
}

static int luo_gather_all(struct luo_gather *g)
{
	int nid, ret;

	unsigned long *nodes __free(luo_kvfree) = kvcalloc(nr_node_ids, sizeof(*nodes), GFP_KERNEL);
	unsigned long *todo __free(luo_kvfree) =
		kvcalloc(BITS_TO_LONGS(g->pages), sizeof(*todo), GFP_KERNEL);

	if (!nodes || !todo)
		return -ENOMEM;
	g->todo = todo;
	ret = luo_gather_choose(g, nodes);
	if (ret)
		return ret;
	for_each_online_node(nid) {
		ret = luo_gather_node(g, nid, nodes[nid]);
		if (ret)
			break;
	}
	luo_gather_say(g);
	return ret;
}

/**
 * luo_gather() - move the single pages of a file together
 * @file: the file, frozen; its inode is not locked, so that it can be written to
 *
 * Huge pages, and what lies in runs of 2 MiB or more, stay where they are; so does the rest if it
 * is in few runs. What others have references to cannot move; there may be no memory.
 *
 * Return: 0, however many have moved; -EINTR if killed, or why the file cannot be read: -ENOMEM,
 * -EIO. What has moved then stays there.
 */
int luo_gather(struct file *file)
{
	struct luo_gather g = {
		.mapping = file->f_mapping,
		.pages = luo_memfd_pages(i_size_read(file_inode(file))),
	};
	int ret;

	if (!READ_ONCE(luo_gather_wanted) || g.pages < LUO_GATHER_MIN ||
	    g.pages > KHOB_MEMFD_FOLIOS_MAX)
		return 0;
	/* Some driver's file, which wants memory that a device can reach. */
	if (mapping_gfp_mask(g.mapping) & (__GFP_DMA | __GFP_DMA32))
		return 0;
	luo_scatter_init(&g.scatter, g.mapping);
	ret = luo_gather_survey(&g);
	if (!ret && luo_gather_pays(&g))
		ret = luo_gather_all(&g);
	luo_scatter_free(&g.scatter);
	return ret;
}
