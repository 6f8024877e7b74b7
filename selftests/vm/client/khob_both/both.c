// SPDX-License-Identifier: GPL-2.0-only
/*
 * A client that preserves over kho_bridge and restores through the kernel's own KHO, which
 * says nothing of that to kho_bridge; then it hands over again what it has restored.
 *
 * /sys/module/khob_both/parameters/run takes one of
 *	save		preserve folios, and a table of them as a subtree
 *	restore		take most of them over, in the next kernel
 *	restore-table	and then the table's own page
 *	name		have a subtree with the name of one that kho_bridge has as well
 *	unname		undo that
 * The write fails, and the log says in which line, if something is not as it should be.
 */
#include <linux/kexec_handover.h>
#include <linux/mm.h>
#include <linux/module.h>

#include "khob/kho_bridge.h"
#include "../actions.h"

#define NAME "khob-both"
/* As cases call the one that they put. */
#define SHARED "file"
#define ORDER 3
#define MAGIC 0x6b686f622d626f74ULL

struct blob {
	u64 magic;
	u64 large;
	u64 single;
	u64 left;
};

static int save(void)
{
	struct folio *large = folio_alloc(GFP_KERNEL, ORDER);
	struct folio *single = folio_alloc(GFP_KERNEL, 0), *left = folio_alloc(GFP_KERNEL, 1);
	struct blob *blob = khob_alloc_preserve(sizeof(*blob));

	CHECK(large && single && left && !IS_ERR(blob));
	CHECK(!khob_preserve_folio(large) && !khob_preserve_folio(single));
	CHECK(!khob_preserve_folio(left));
	*blob = (struct blob) {
		.magic = MAGIC,
		.large = PFN_PHYS(folio_pfn(large)),
		.single = PFN_PHYS(folio_pfn(single)),
		.left = PFN_PHYS(folio_pfn(left)),
	};
	CHECK(!khob_add_subtree(NAME, blob, sizeof(*blob)));
	return 0;
}

static int restore(void)
{
	struct folio *large, *single;
	struct page *left;
	struct blob *blob;
	phys_addr_t pa;
	size_t size;

	CHECK(!khob_retrieve_subtree(NAME, &pa, &size) && size == sizeof(*blob));
	blob = __va(pa);
	CHECK(blob->magic == MAGIC);
	left = pfn_to_page(PHYS_PFN(blob->left));
	/* Nobody has restored any of them yet. */
	CHECK(khob_preserve_pages(pfn_to_page(PHYS_PFN(blob->large)), 1 << ORDER) == -EEXIST);
	CHECK(khob_preserve_pages(pfn_to_page(PHYS_PFN(blob->large)) + 1, 1) == -EEXIST);
	CHECK(khob_preserve_pages(pfn_to_page(PHYS_PFN(blob->single)), 1) == -EEXIST);
	large = kho_restore_folio(blob->large);
	single = kho_restore_folio(blob->single);
	CHECK(large && folio_order(large) == ORDER && single);
	CHECK(!khob_preserve_folio(large) && !khob_preserve_folio(single));
	CHECK(khob_preserve_folio(large) == -EEXIST);
	CHECK(khob_preserve_pages(left, 2) == -EEXIST && khob_preserve_pages(left + 1, 1) == -EEXIST);
	CHECK(!khob_unpreserve_folio(large) && !khob_unpreserve_folio(single));
	CHECK(folio_ref_count(large) == 1 && folio_ref_count(single) == 1);
	folio_put(large);
	folio_put(single);
	return 0;
}

static int restore_table(void)
{
	struct folio *folio;
	phys_addr_t pa;

	CHECK(!khob_retrieve_subtree(NAME, &pa, NULL));
	folio = kho_restore_folio(pa);
	CHECK(folio);
	folio_put(folio);
	return 0;
}

static void *named;

static int name(void)
{
	CHECK(!named);
	named = (void *)get_zeroed_page(GFP_KERNEL);
	CHECK(named && !kho_preserve_pages(virt_to_page(named), 1));
	CHECK(!kho_add_subtree(SHARED, named, PAGE_SIZE));
	return 0;
}

static int unname(void)
{
	CHECK(named);
	kho_remove_subtree(named);
	kho_unpreserve_pages(virt_to_page(named), 1);
	free_page((unsigned long)named);
	named = NULL;
	return 0;
}

static const struct action actions[] = {
	{ "save", save }, { "restore", restore }, { "restore-table", restore_table },
	{ "name", name }, { "unname", unname },
};

RUN_PARAMETER(actions);
MODULE_PARM_DESC(run, "save, restore, restore-table, name or unname");

MODULE_DESCRIPTION("Test client of kho_bridge and of a kernel's own KHO");
MODULE_LICENSE("GPL");
