// SPDX-License-Identifier: GPL-2.0-only
/*
 * Calls of kho_bridge's API for whoever makes allocations fail while they run: each action
 * takes away again what it has done, and returns what the first call that failed has.
 *
 * /sys/module/khob_scarce/parameters/run takes the name of an action. Large memory is there
 * before, so that it is the API's own allocations that fail.
 */
#include <linux/io.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>

#include "khob/abi.h"
#include "khob/kho_bridge.h"
#include "../actions.h"

#define NAME "khob-scarce"
#define MAGIC 0x6b686f622d736361ULL
/* Two chunks of addresses, so that the second one's failure has a first to undo. */
#define AREA_BYTES (600 * PAGE_SIZE)
/* A folio of order 2, and three pages that are none. */
#define FOLIO_BYTES (4 * PAGE_SIZE)
#define NR_PAGES 3

/* What the next kernel finds by name. */
struct blob {
	u64 magic;
	u64 folio;
	u64 pages;
	struct khob_vmalloc area;
};

static struct blob *blob;
static struct page *pages;
static void *area, *folio;

static int alloc_undo(void)
{
	void *memory = khob_alloc_preserve(FOLIO_BYTES);

	return IS_ERR(memory) ? PTR_ERR(memory) : khob_unpreserve_free(memory);
}

static int pages_undo(void)
{
	int ret = khob_preserve_pages(pages, NR_PAGES);

	return ret ?: khob_unpreserve_pages(pages, NR_PAGES);
}

static int vmalloc_undo(void)
{
	struct khob_vmalloc to;
	int ret = khob_preserve_vmalloc(area, &to);

	return ret ?: khob_unpreserve_vmalloc(&to);
}

static int subtree_undo(void)
{
	int ret = khob_add_subtree(NAME, blob, sizeof(*blob));

	return ret ?: khob_remove_subtree(blob);
}

static int tree_undo(void)
{
	static const unsigned long keys[] = { 0, 1, 1UL << 15, 1UL << 40 };
	struct khob_key_tree tree;
	unsigned int i;
	int ret = khob_key_tree_init(&tree, NULL);

	if (ret)
		return ret;
	for (i = 0; i < ARRAY_SIZE(keys) && !ret; i++)
		ret = khob_key_tree_add(&tree, keys[i]);
	khob_key_tree_destroy(&tree);
	return ret;
}

/* Everything at once, to stay. */
static int save(void)
{
	int ret = khob_preserve_pages(virt_to_page(blob), 1);

	ret = ret ?: khob_preserve_pages(virt_to_page(folio), FOLIO_BYTES >> PAGE_SHIFT);
	ret = ret ?: khob_preserve_pages(pages, NR_PAGES);
	ret = ret ?: khob_preserve_vmalloc(area, &blob->area);
	blob->magic = MAGIC;
	blob->folio = virt_to_phys(folio);
	blob->pages = page_to_phys(pages);
	return ret ?: khob_add_subtree(NAME, blob, sizeof(*blob));
}

static struct blob *handed_over(void)
{
	struct blob *found;
	phys_addr_t pa;

	if (khob_retrieve_subtree(NAME, &pa, NULL))
		return NULL;
	found = phys_to_virt(pa);
	return found->magic == MAGIC ? found : NULL;
}

static int restore_vmalloc(void)
{
	struct blob *from = handed_over();
	void *memory = from ? khob_restore_vmalloc(&from->area) : NULL;

	if (!memory)
		return from ? -ENOMEM : -ENOENT;
	vfree(memory);
	return 0;
}

static int restore_folio(void)
{
	struct blob *from = handed_over();
	struct folio *taken = from ? khob_restore_folio(from->folio) : NULL;

	if (!taken)
		return from ? -ENOMEM : -ENOENT;
	folio_put(taken);
	return 0;
}

static int restore_pages(void)
{
	struct blob *from = handed_over();
	struct page *taken = from ? khob_restore_pages(from->pages, NR_PAGES) : NULL;
	unsigned int i;

	if (!taken)
		return from ? -ENOMEM : -ENOENT;
	for (i = 0; i < NR_PAGES; i++)
		__free_page(taken + i);
	return 0;
}

/* The blob's own page, with which the subtree ends. */
static int restore_blob(void)
{
	struct blob *from = handed_over();

	if (!from)
		return -ENOENT;
	return khob_restore_free(from) ? -ENOMEM : 0;
}

/*
 * What a search for leaks has to find, or it finds nothing. Slab leaves the addresses of what it
 * has given out last in its per-CPU arrays, which hides so many: there are more.
 */
static int leak(void)
{
	unsigned int i;

	for (i = 0; i < 256; i++)
		if (!kmalloc(1000, GFP_KERNEL))
			return -ENOMEM;
	return 0;
}

static const struct action actions[] = {
	{ "alloc", alloc_undo }, { "pages", pages_undo }, { "vmalloc", vmalloc_undo },
	{ "subtree", subtree_undo }, { "tree", tree_undo }, { "save", save },
	{ "restore-vmalloc", restore_vmalloc }, { "restore-folio", restore_folio },
	{ "restore-pages", restore_pages }, { "restore-blob", restore_blob },
	{ "leak", leak },
};

RUN_PARAMETER(actions);
MODULE_PARM_DESC(run, "the name of an action");

/* What is preserved when this goes stays so: nobody would give it back. */
static void scarce_free(void)
{
	vfree(area);
	if (folio)
		free_pages_exact(folio, FOLIO_BYTES);
	if (pages)
		__free_pages(pages, get_order(NR_PAGES * PAGE_SIZE));
	free_page((unsigned long)blob);
}

static int __init scarce_init(void)
{
	blob = (void *)get_zeroed_page(GFP_KERNEL);
	pages = alloc_pages(GFP_KERNEL | __GFP_COMP, get_order(NR_PAGES * PAGE_SIZE));
	folio = alloc_pages_exact(FOLIO_BYTES, GFP_KERNEL);
	area = vmalloc(AREA_BYTES);
	if (blob && pages && folio && area)
		return 0;
	scarce_free();
	return -ENOMEM;
}
module_init(scarce_init);

static void __exit scarce_exit(void)
{
	scarce_free();
}
module_exit(scarce_exit);

MODULE_DESCRIPTION("A client of kho_bridge for when memory is short");
MODULE_LICENSE("GPL");
