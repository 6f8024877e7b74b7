// SPDX-License-Identifier: GPL-2.0-only
/*
 * A client of kho_bridge whose memory comes in other parts than what is handed over: a range over
 * two folios, which is one key, and a folio of which a blob is only the beginning.
 *
 * /sys/module/khob_parts/parameters/run takes one of
 *	range		preserve two adjacent folios of order 2 as one range of 8 pages
 *	range-undo	unpreserve and free them
 *	save		hand over a folio that begins with a blob
 *	restore		take it over by the address that the blob names, in whatever kernel
 * The write fails, and the log says in which line, if something is not as it should be.
 * parameters/where is the physical address of the range.
 */
#include <linux/io.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/slab.h>

#include "khob/kho_bridge.h"
#include "../actions.h"

#define NAME "khob-parts"
#define MAGIC 0x6b686f622d706172ULL
#define RANGE_ORDER 2
#define RANGE_PAGES (2 << RANGE_ORDER)
/* So many folios have two among them that are one after the other. */
#define TRIES 256
#define FOLIO_ORDER 1
#define FOLIO_BYTES (PAGE_SIZE << FOLIO_ORDER)

/* The beginning of a folio that has other things behind it. */
struct blob {
	u64 magic;
	u64 folio;
};

static struct folio *first, *second;
static unsigned long long where;

static void fill(u64 *word, size_t bytes, u64 seed)
{
	size_t i;

	for (i = 0; i < bytes / sizeof(*word); i++)
		word[i] = seed * 0x9e3779b97f4a7c15ULL + i;
}

static bool filled(const u64 *word, size_t bytes, u64 seed)
{
	size_t i;

	for (i = 0; i < bytes / sizeof(*word); i++)
		if (word[i] != seed * 0x9e3779b97f4a7c15ULL + i)
			return false;
	return true;
}

/* Two of @all that are neighbours, the first one aligned to both. Return: whether there are. */
static bool pick(struct folio *all[TRIES])
{
	unsigned int i, k;

	for (i = 0; i < TRIES; i++) {
		for (k = 0; k < TRIES; k++) {
			if (!IS_ALIGNED(folio_pfn(all[i]), RANGE_PAGES) ||
			    folio_pfn(all[k]) != folio_pfn(all[i]) + RANGE_PAGES / 2)
				continue;
			first = all[i];
			second = all[k];
			return true;
		}
	}
	return false;
}

static int range(void)
{
	struct folio **all __free(kfree) = kcalloc(TRIES, sizeof(*all), GFP_KERNEL);
	unsigned int i;

	CHECK(all && !first);
	for (i = 0; i < TRIES; i++) {
		all[i] = folio_alloc(GFP_KERNEL, RANGE_ORDER);
		CHECK(all[i]);
	}
	CHECK(pick(all));
	for (i = 0; i < TRIES; i++)
		if (all[i] != first && all[i] != second)
			folio_put(all[i]);
	fill(folio_address(first), RANGE_PAGES * PAGE_SIZE, 1);
	where = PFN_PHYS(folio_pfn(first));
	CHECK(!khob_preserve_pages(folio_page(first, 0), RANGE_PAGES));
	return 0;
}

static int range_undo(void)
{
	CHECK(first && filled(folio_address(first), RANGE_PAGES * PAGE_SIZE, 1));
	CHECK(!khob_unpreserve_pages(folio_page(first, 0), RANGE_PAGES));
	folio_put(first);
	folio_put(second);
	first = NULL;
	return 0;
}

static int save(void)
{
	struct blob *blob = khob_alloc_preserve(FOLIO_BYTES);

	CHECK(!IS_ERR(blob));
	blob->magic = MAGIC;
	blob->folio = virt_to_phys(blob);
	fill((u64 *)(blob + 1), FOLIO_BYTES - sizeof(*blob), 2);
	CHECK(!khob_add_subtree(NAME, blob, sizeof(*blob)));
	return 0;
}

static int restore(void)
{
	const struct blob *found;
	struct folio *folio;
	struct blob *blob;
	phys_addr_t pa;
	size_t size;

	CHECK(!khob_retrieve_subtree(NAME, &pa, &size));
	found = phys_to_virt(pa);
	CHECK(size == sizeof(*found) && found->magic == MAGIC);
	folio = khob_restore_folio(found->folio);
	CHECK(folio && folio_order(folio) == FOLIO_ORDER);
	blob = folio_address(folio);
	CHECK(blob->magic == MAGIC);
	CHECK(filled((u64 *)(blob + 1), FOLIO_BYTES - sizeof(*blob), 2));
	folio_put(folio);
	return 0;
}

static const struct action actions[] = {
	{ "range", range }, { "range-undo", range_undo },
	{ "save", save }, { "restore", restore },
};

RUN_PARAMETER(actions);
MODULE_PARM_DESC(run, "range, range-undo, save or restore");
module_param(where, ullong, 0400);
MODULE_PARM_DESC(where, "physical address of the range");

MODULE_DESCRIPTION("Test client of kho_bridge whose memory comes in parts");
MODULE_LICENSE("GPL");
