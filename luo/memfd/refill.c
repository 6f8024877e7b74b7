// SPDX-License-Identifier: GPL-2.0-only
/*
 * A frozen file that has a name can still have holes punched into it, and get new pages there. The
 * pages that were preserved are nobody's then: at the very end they get what the file has instead.
 */
#include <linux/highmem.h>
#include <linux/mm.h>

#include "memfd/memfd.h"

/* Return: whether it could be read, or is beyond the end. */
static bool luo_refill_page(struct address_space *mapping, struct page *to, pgoff_t index)
{
	struct page *page;

	/* This may be why it is not the file's any more: nobody touches it. */
	if (PageHWPoison(to))
		return false;
	page = shmem_read_mapping_page_gfp(mapping, index, mapping_gfp_mask(mapping));
	if (IS_ERR(page)) {
		clear_highpage(to);
		return PTR_ERR(page) == -EINVAL;
	}
	copy_highpage(to, page);
	put_page(page);
	return true;
}

/**
 * luo_refill() - let folios that are not a file's any more hold what it has now
 * @mapping: the file's
 * @folios: what was preserved of it; each has a reference
 * @nr: how many
 */
void luo_refill(struct address_space *mapping, const struct khob_memfd_folio_ser *folios, u64 nr)
{
	u64 lost = 0, i;
	long n;

	for (i = 0; i < nr; i++) {
		struct folio *folio = pfn_folio(folios[i].pfn);

		if (likely(READ_ONCE(folio->mapping) == mapping))
			continue;
		for (n = 0; n < folio_nr_pages(folio); n++)
			lost += !luo_refill_page(mapping, folio_page(folio, n),
						 folios[i].index + n);
		cond_resched();
	}
	if (lost)
		pr_err("%llu pages that a kept file has got since the load are lost\n", lost);
}
