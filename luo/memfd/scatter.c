// SPDX-License-Identifier: GPL-2.0-only
/*
 * In how many runs pages lie, and which are in short ones. In which order a file has them does not
 * matter: so they are marked in maps of memory, of which there are only those that are needed.
 */
#include <linux/bitmap.h>

#include "memfd/memfd.h"

/* Pages that a map has a bit for: 128 MiB, and its bits are a page themselves. */
#define LUO_MAP_PAGES (PAGE_SIZE * BITS_PER_BYTE)

/**
 * luo_scatter_init() - no pages
 * @scatter: which
 * @mapping: whose
 */
void luo_scatter_init(struct luo_scatter *scatter, struct address_space *mapping)
{
	scatter->mapping = mapping;
	xa_init(&scatter->maps);
	scatter->nr = 0;
	scatter->runs = 0;
}

/**
 * luo_scatter_add() - mark a page
 * @scatter: where
 * @pfn: which
 *
 * Return: 0 or -ENOMEM.
 */
int luo_scatter_add(struct luo_scatter *scatter, unsigned long pfn)
{
	unsigned long *map = xa_load(&scatter->maps, pfn / LUO_MAP_PAGES);
	int ret;

	if (!map) {
		map = kzalloc(PAGE_SIZE, GFP_KERNEL);
		if (!map)
			return -ENOMEM;
		ret = xa_insert(&scatter->maps, pfn / LUO_MAP_PAGES, map, GFP_KERNEL);
		if (ret) {
			kfree(map);
			return ret;
		}
	}
	__set_bit(pfn % LUO_MAP_PAGES, map);
	return 0;
}

/**
 * luo_scatter_del() - unmark a page
 * @scatter: where
 * @pfn: which, if it is marked
 */
void luo_scatter_del(struct luo_scatter *scatter, unsigned long pfn)
{
	unsigned long *map = xa_load(&scatter->maps, pfn / LUO_MAP_PAGES);

	if (map)
		__clear_bit(pfn % LUO_MAP_PAGES, map);
}

/**
 * luo_scatter_count() - count short runs, and forget what is in long ones
 * @scatter: with all of the pages
 *
 * A run that goes from one map to the next counts as two.
 */
void luo_scatter_count(struct luo_scatter *scatter)
{
	unsigned long at, start, end, *map;

	xa_for_each(&scatter->maps, at, map) {
		for (start = find_first_bit(map, LUO_MAP_PAGES); start < LUO_MAP_PAGES;
		     start = find_next_bit(map, LUO_MAP_PAGES, end)) {
			end = find_next_zero_bit(map, LUO_MAP_PAGES, start);
			if (end - start >= LUO_RUN) {
				bitmap_clear(map, start, end - start);
				continue;
			}
			scatter->nr += end - start;
			scatter->runs++;
		}
		cond_resched();
	}
}

/**
 * luo_scatter_has() - whether a page is in a short run
 * @scatter: counted
 * @pfn: the page
 *
 * Return: whether it is.
 */
bool luo_scatter_has(const struct luo_scatter *scatter, unsigned long pfn)
{
	unsigned long *map = xa_load((struct xarray *)&scatter->maps, pfn / LUO_MAP_PAGES);

	return map && test_bit(pfn % LUO_MAP_PAGES, map);
}

/**
 * luo_scatter_free() - be done
 * @scatter: which
 */
void luo_scatter_free(struct luo_scatter *scatter)
{
	unsigned long at, *map;

	xa_for_each(&scatter->maps, at, map)
		kfree(map);
	xa_destroy(&scatter->maps);
}
