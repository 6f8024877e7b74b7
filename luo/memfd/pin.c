// SPDX-License-Identifier: GPL-2.0-only
/*
 * All folios of a file, each with a reference, so that they stay what and where they are. Holes
 * are filled and what is swapped out comes back.
 */
#include <linux/memfd.h>
#include <linux/mm.h>
#include <linux/sched/signal.h>

#include "memfd/memfd.h"

#ifdef KHOB_COMPAT_KEXEC_HANDOVER_H
/**
 * luo_pin() - take references to all folios of a file
 * @file: the file; its inode is locked, its size above 0
 * @folios: room for one a page
 * @max: pages that the file has
 *
 * A reference suffices: kho_bridge hands pages over from wherever they are.
 *
 * Return: how many folios; or an errno, and then nothing is held.
 */
long luo_pin(struct file *file, struct folio **folios, unsigned long max)
{
	struct address_space *mapping = file->f_mapping;
	pgoff_t index = 0;
	long nr = 0;

	for (; index < max; index = folio_next_index(folios[nr - 1])) {
		struct page *page = ERR_PTR(-EINTR);

		if (!fatal_signal_pending(current))
			page = shmem_read_mapping_page_gfp(mapping, index,
							   mapping_gfp_mask(mapping));
		if (IS_ERR(page)) {
			luo_unpin(folios, nr);
			return PTR_ERR(page);
		}
		folios[nr++] = page_folio(page);
		cond_resched();
	}
	return nr;
}

/**
 * luo_unpin_one() - give a reference back
 * @folio: the folio
 */
void luo_unpin_one(struct folio *folio)
{
	folio_put(folio);
}
#else
/* A kernel's own KHO loads the next kernel into memory of CMA: out of that they have to go. */
long luo_pin(struct file *file, struct folio **folios, unsigned long max)
{
	pgoff_t offset;

	return memfd_pin_folios(file, 0, i_size_read(file_inode(file)) - 1, folios, max, &offset);
}

void luo_unpin_one(struct folio *folio)
{
	unpin_folio(folio);
}
#endif

/**
 * luo_unpin() - give all references back
 * @folios: the folios
 * @nr: how many
 */
void luo_unpin(struct folio **folios, unsigned long nr)
{
	while (nr)
		luo_unpin_one(folios[--nr]);
}
