// SPDX-License-Identifier: GPL-2.0-only
/*
 * A client of kho_bridge that does what upstream's test_kho does not: single pages,
 * memory that is allocated and preserved in one, a tree of keys, huge vmalloc areas,
 * every refusal, and damaged lists of chunks (refuse.c).
 *
 * /sys/module/khob_client/parameters/run takes the name of what to do; the write
 * fails, and the log says in which line, if something is not as it should be.
 */
#include <linux/kexec_handover.h>
#include <linux/kho/abi/kexec_handover.h>
#include <linux/kho_radix_tree.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>

#include "client.h"

#define MAGIC 0x6b686f622d636c69ULL
/* Not a power of two: two keys, or three. */
#define NR_PAGES 3
#define NR_KEYS ARRAY_SIZE(keys)
#define VMALLOC_BYTES (600 * PAGE_SIZE)
#define HUGE_BYTES (2 * PMD_SIZE)
/* As much as makes what was freed somebody else's. */
#define PRESSURE_PAGES 4096

static const unsigned long keys[] = { 0, 1, 77, 1UL << 15, 1UL << 40, (1UL << 53) - 1 };

/* What the next kernel finds by name. */
struct blob {
	u64 magic;
	u64 pages;
	u64 large;
	u64 spare;
	u64 abandoned;
	u64 part;
	u64 first;
	u64 root;
	struct kho_vmalloc area;
	struct kho_vmalloc huge;
	struct kho_vmalloc left;
};

static struct blob *blob;
static struct page *pages;
static void *large, *spare, *area, *huge;
/* Unpreserved and freed once a kernel is loaded; NULL if it has been. */
static void *abandoned, *left;
static struct folio *part;
static struct page *first;
static struct kho_radix_tree tree;

void fill(void *to, size_t bytes, u64 seed)
{
	u64 *word = to;
	size_t i;

	for (i = 0; i < bytes / sizeof(*word); i++)
		word[i] = seed * 0x9e3779b97f4a7c15ULL + i;
}

bool filled_from(const void *from, size_t bytes, u64 seed, size_t at)
{
	const u64 *word = from;
	size_t i;

	for (i = 0; i < bytes / sizeof(*word); i++)
		if (word[i] != seed * 0x9e3779b97f4a7c15ULL + at / sizeof(*word) + i)
			return false;
	return true;
}

bool filled(const void *from, size_t bytes, u64 seed)
{
	return filled_from(from, bytes, seed, 0);
}

static int preserve_node(phys_addr_t phys, void *data)
{
	return kho_preserve_folio(page_folio(pfn_to_page(PHYS_PFN(phys))));
}

static int unpreserve_node(phys_addr_t phys, void *data)
{
	kho_unpreserve_folio(page_folio(pfn_to_page(PHYS_PFN(phys))));
	return 0;
}

static int restore_node(phys_addr_t phys, void *data)
{
	return kho_restore_folio(phys) ? 0 : -ENOENT;
}

static int count_key(unsigned long key, void *data)
{
	unsigned int *nr = data;

	CHECK(*nr < NR_KEYS && key == keys[*nr]);
	++*nr;
	return 0;
}

/* A callback may change the tree that is walked. */
static int delete_key(unsigned long key, void *data)
{
	return khob_key_tree_del(&tree, key);
}

static int stop_key(unsigned long key, void *data)
{
	return 7;
}

static int count_node(phys_addr_t phys, void *data)
{
	++*(unsigned int *)data;
	return 0;
}

static int make_tree(void)
{
	static const struct kho_radix_walk_cb count = { .leaf = count_key };
	static const struct kho_radix_walk_cb nodes = { .node = count_node };
	static const struct kho_radix_walk_cb drop = { .leaf = delete_key };
	static const struct kho_radix_walk_cb stop = { .leaf = stop_key };
	unsigned int nr = 0, round, i;

	CHECK(!kho_radix_init_tree(&tree, NULL));
	for (round = 0; round < 2; round++) {
		for (i = NR_KEYS; i--;)
			CHECK(!kho_radix_add_key(&tree, keys[i]));
		CHECK(!kho_radix_add_key(&tree, keys[2]));
		nr = 0;
		CHECK(!kho_radix_walk_tree(&tree, &count, &nr));
		CHECK(nr == NR_KEYS);
		if (round)
			break;
		CHECK(!kho_radix_walk_tree(&tree, &drop, NULL));
		nr = 0;
		CHECK(!kho_radix_walk_tree(&tree, &nodes, &nr));
		/* No node is kept that holds nothing, but for the root. */
		CHECK(nr == 1);
	}
	CHECK(kho_radix_add_key(&tree, 1UL << 53) == -ERANGE);
	CHECK(khob_key_tree_del(&tree, 78) == -ENOENT);
	CHECK(kho_radix_walk_tree(&tree, &stop, NULL) == 7);
	return 0;
}

static int save(void)
{
	static const struct kho_radix_walk_cb preserve = { .node = preserve_node };
	struct kho_vmalloc again;
	unsigned int i;
	phys_addr_t pa;
	size_t size;

	CHECK(kho_is_enabled() && !is_kho_boot());
	CHECK(kho_retrieve_subtree(NAME, &pa, &size) == -ENOENT);
	CHECK(!kho_restore_folio(0x1000000) && !kho_restore_pages(0x1000000, 1));
	CHECK(PTR_ERR(kho_alloc_preserve(0)) == -EINVAL);
	CHECK(PTR_ERR(kho_alloc_preserve(PAGE_SIZE << 20)) == -E2BIG);
	CHECK(!kinds());
	CHECK(!exact());
	CHECK(!singles());

	blob = kho_alloc_preserve(sizeof(*blob));
	CHECK(!IS_ERR(blob) && filled(blob, 0, 0) && !blob->magic);
	large = kho_alloc_preserve(3 * PAGE_SIZE);
	spare = kho_alloc_preserve(1);
	abandoned = kho_alloc_preserve(2 * PAGE_SIZE);
	CHECK(!IS_ERR(large) && !IS_ERR(spare) && !IS_ERR(abandoned));
	/* Preserved twice, undone twice, and done again. */
	CHECK(kho_preserve_folio(virt_to_folio(large)) == -EEXIST);
	CHECK(kho_preserve_pages(virt_to_page(large) + 3, 1) == -EEXIST);
	CHECK(khob_unpreserve_pages(virt_to_page(large), 1) == -ENOENT);
	CHECK(!khob_unpreserve_folio(virt_to_folio(large)));
	CHECK(khob_unpreserve_folio(virt_to_folio(large)) == -ENOENT);
	CHECK(!kho_preserve_folio(virt_to_folio(large)));

	pages = alloc_pages(GFP_KERNEL, 2);
	CHECK(pages);
	split_page(pages, 2);
	/* From the second on: not aligned to the order of the rest. */
	CHECK(!kho_preserve_pages(pages + 1, NR_PAGES));
	CHECK(kho_preserve_pages(pages, 4) == -EEXIST);
	CHECK(kho_preserve_pages(pages, 0) == -EINVAL);

	/* A part of a folio keeps the folio, also if it is preserved together with others. */
	part = folio_alloc(GFP_KERNEL, 2);
	CHECK(part);
	CHECK(!kho_preserve_pages(folio_page(part, 1), 2));
	CHECK(!kho_preserve_pages(folio_page(part, 3), 1));
	CHECK(folio_ref_count(part) == 3);
	CHECK(kho_preserve_folio(part) == -EEXIST);
	CHECK(khob_unpreserve_folio(part) == -ENOENT);
	CHECK(!khob_unpreserve_pages(folio_page(part, 3), 1));
	CHECK(folio_ref_count(part) == 2);
	first = alloc_pages(GFP_KERNEL, 2);
	CHECK(first);
	CHECK(!kho_preserve_pages(first, 1));

	area = vmalloc(VMALLOC_BYTES);
	left = vmalloc(VMALLOC_BYTES);
	huge = vmalloc_huge(HUGE_BYTES, GFP_KERNEL);
	CHECK(area && left && huge);
	CHECK(kho_preserve_vmalloc(area + PAGE_SIZE, &again) == -EINVAL);
	CHECK(kho_preserve_vmalloc(blob, &again) == -EINVAL);
	CHECK(!kho_preserve_vmalloc(area, &again));
	CHECK(kho_preserve_vmalloc(area, &blob->area) == -EEXIST);
	kho_unpreserve_vmalloc(&again);
	CHECK(khob_unpreserve_vmalloc((struct khob_vmalloc *)&again) == -ENOENT);
	CHECK(!kho_preserve_vmalloc(area, &blob->area));
	CHECK(!kho_preserve_vmalloc(huge, &blob->huge));
	CHECK(!kho_preserve_vmalloc(left, &blob->left));
	pr_info("khob_client: huge area of order %u\n", blob->huge.order);

	CHECK(!make_tree());
	CHECK(!kho_radix_walk_tree(&tree, &preserve, NULL));

	fill(large, 4 * PAGE_SIZE, 1);
	fill(abandoned, 2 * PAGE_SIZE, 2);
	for (i = 0; i < NR_PAGES; i++)
		fill(page_address(pages + 1 + i), PAGE_SIZE, 10 + i);
	fill(area, VMALLOC_BYTES, 3);
	fill(huge, HUGE_BYTES, 4);
	fill(left, VMALLOC_BYTES, 5);
	fill(folio_address(part), 4 * PAGE_SIZE, 6);
	fill(page_address(first), PAGE_SIZE, 7);
	blob->magic = MAGIC;
	blob->pages = page_to_phys(pages + 1);
	blob->large = virt_to_phys(large);
	blob->spare = virt_to_phys(spare);
	blob->abandoned = virt_to_phys(abandoned);
	blob->part = page_to_phys(folio_page(part, 1));
	blob->first = page_to_phys(first);
	blob->root = virt_to_phys(tree.root);
	CHECK(kho_add_subtree("no/name", blob, sizeof(*blob)) == -EINVAL);
	CHECK(kho_add_subtree(NAME, area, sizeof(*blob)) == -EINVAL);
	CHECK(!kho_add_subtree(NAME, blob, sizeof(*blob)));
	CHECK(kho_add_subtree(NAME, spare, 1) == -EEXIST);
	CHECK(khob_remove_subtree(spare) == -ENOENT);
	return 0;
}

/* Others use what is free, and write to it. */
static int press(void)
{
	LIST_HEAD(taken);
	struct page *page, *next;
	unsigned int i;

	for (i = 0; i < PRESSURE_PAGES; i++) {
		page = alloc_page(GFP_KERNEL);
		CHECK(page);
		fill(page_address(page), PAGE_SIZE, 99);
		list_add(&page->lru, &taken);
	}
	list_for_each_entry_safe(page, next, &taken, lru)
		__free_page(page);
	return 0;
}

/* Once a kernel is loaded. */
static int frozen(void)
{
	struct kho_vmalloc unused;

	CHECK(kho_preserve_pages(pages, 1) == -EBUSY);
	CHECK(kho_add_subtree("another", spare, 1) == -EBUSY);
	CHECK(kho_preserve_vmalloc(area, &unused) == -EBUSY);
	CHECK(PTR_ERR(kho_alloc_preserve(1)) == -EBUSY);
	/* What is freed now is handed over as it was, and somebody else's after unload. */
	CHECK(!khob_unpreserve_free(abandoned));
	CHECK(khob_unpreserve_free(abandoned) == -ENOENT);
	CHECK(khob_unpreserve_pages(folio_page(part, 1), 1) == -ENOENT);
	CHECK(!khob_unpreserve_pages(folio_page(part, 1), 2));
	folio_put(part);
	CHECK(!khob_unpreserve_pages(first, 1));
	__free_pages(first, 2);
	CHECK(!khob_unpreserve_vmalloc((struct khob_vmalloc *)&blob->left));
	CHECK(khob_unpreserve_vmalloc((struct khob_vmalloc *)&blob->left) == -ENOENT);
	vfree(left);
	CHECK(!press());
	CHECK(filled(abandoned, 2 * PAGE_SIZE, 2));
	CHECK(filled(folio_address(part), 4 * PAGE_SIZE, 6));
	CHECK(filled(page_address(first), PAGE_SIZE, 7));
	abandoned = NULL;
	left = NULL;
	part = NULL;
	first = NULL;
	return 0;
}

/* Everything back, in a kernel that is not left. */
static int drop(void)
{
	static const struct kho_radix_walk_cb unpreserve = { .node = unpreserve_node };

	CHECK(!khob_remove_subtree(blob));
	CHECK(khob_remove_subtree(blob) == -ENOENT);
	kho_radix_walk_tree(&tree, &unpreserve, NULL);
	kho_radix_destroy_tree(&tree);
	kho_unpreserve_vmalloc(&blob->area);
	kho_unpreserve_vmalloc(&blob->huge);
	vfree(area);
	vfree(huge);
	if (left) {
		kho_unpreserve_vmalloc(&blob->left);
		vfree(left);
	}
	if (part) {
		CHECK(!khob_unpreserve_pages(folio_page(part, 1), 2));
		CHECK(folio_ref_count(part) == 1);
		folio_put(part);
	}
	if (first) {
		CHECK(!khob_unpreserve_pages(first, 1));
		__free_pages(first, 2);
	}
	CHECK(!khob_unpreserve_pages(pages + 1, NR_PAGES));
	free_contig_range(page_to_pfn(pages), 4);
	kho_unpreserve_free(large);
	kho_unpreserve_free(spare);
	kho_unpreserve_free(abandoned);
	kho_unpreserve_free(blob);
	return 0;
}

static int restore_tree(u64 root)
{
	static const struct kho_radix_walk_cb restore = { .node = restore_node };
	static const struct kho_radix_walk_cb count = { .leaf = count_key };
	unsigned int nr = 0;

	CHECK(!kho_radix_init_tree(&tree, phys_to_virt(root)));
	CHECK(!kho_radix_walk_tree(&tree, &restore, NULL));
	CHECK(!kho_radix_walk_tree(&tree, &count, &nr));
	CHECK(nr == NR_KEYS);
	kho_radix_destroy_tree(&tree);
	return 0;
}

static int restore(void)
{
	struct kho_vmalloc on;
	struct folio *folio;
	struct page *page;
	phys_addr_t pa;
	unsigned int i;
	size_t size;
	void *memory;

	CHECK(is_kho_boot());
	CHECK(!kho_retrieve_subtree(NAME, &pa, NULL));
	CHECK(!kho_retrieve_subtree(NAME, &pa, &size));
	CHECK(size == sizeof(*blob));
	blob = phys_to_virt(pa);
	CHECK(blob->magic == MAGIC);
	/* Held, and nobody has restored it. */
	CHECK(kho_preserve_pages(pfn_to_page(PHYS_PFN(blob->spare)), 1) == -EEXIST);
	CHECK(kho_add_subtree(NAME, blob, 8) == -EEXIST);

	/* Parts of a folio, and an address within a page. */
	CHECK(!kho_restore_pages(blob->large, 1) && !kho_restore_pages(blob->large, 3));
	CHECK(!kho_restore_pages(blob->large + PAGE_SIZE, 3));
	CHECK(!kho_restore_pages(blob->pages + 1, 1));
	CHECK(!kho_restore_pages(blob->pages, 0) && !kho_restore_pages(blob->pages, ~0UL));
	page = kho_restore_pages(blob->pages, NR_PAGES);
	CHECK(page && page_to_phys(page) == blob->pages);
	CHECK(!kho_restore_pages(blob->pages, NR_PAGES));
	for (i = 0; i < NR_PAGES; i++) {
		CHECK(page_count(page + i) == 1 && !PageCompound(page + i));
		CHECK(filled(page_address(page + i), PAGE_SIZE, 10 + i));
		__free_page(page + i);
	}

	CHECK(!kho_restore_folio(blob->large + PAGE_SIZE));
	folio = kho_restore_folio(blob->large);
	CHECK(folio && folio_order(folio) == 2 && folio_nr_pages(folio) == 4);
	CHECK(folio_ref_count(folio) == 1 && !folio_mapped(folio));
	CHECK(page_folio(folio_page(folio, 3)) == folio);
	CHECK(!kho_restore_folio(blob->large));
	CHECK(filled(folio_address(folio), 4 * PAGE_SIZE, 1));
	folio_get(folio);
	folio_put(folio);
	folio_put(folio);

	memory = phys_to_virt(blob->abandoned);
	CHECK(filled(memory, 2 * PAGE_SIZE, 2));
	CHECK(!khob_restore_free(memory));
	CHECK(khob_restore_free(memory) == -ENOENT);
	kho_restore_free(phys_to_virt(blob->spare));
	page = kho_restore_pages(blob->part, 2);
	CHECK(page);
	/* Of the four that were filled. */
	CHECK(filled_from(page_address(page), 2 * PAGE_SIZE, 6, PAGE_SIZE));
	__free_page(page);
	__free_page(page + 1);
	page = kho_restore_pages(blob->first, 1);
	CHECK(page && filled(page_address(page), PAGE_SIZE, 7));
	__free_page(page);

	CHECK(!damaged(&blob->area));
	memory = kho_restore_vmalloc(&blob->area);
	CHECK(memory && filled(memory, VMALLOC_BYTES, 3));
	CHECK(!kho_restore_vmalloc(&blob->area));
	vfree(memory);
	memory = kho_restore_vmalloc(&blob->left);
	CHECK(memory && filled(memory, VMALLOC_BYTES, 5));
	vfree(memory);
	memory = kho_restore_vmalloc(&blob->huge);
	CHECK(memory && filled(memory, HUGE_BYTES, 4));
	/* What was restored can be handed on. */
	CHECK(!kho_preserve_vmalloc(memory, &on));
	CHECK(on.total_pages == HUGE_BYTES >> PAGE_SHIFT);
	CHECK(!khob_unpreserve_vmalloc((struct khob_vmalloc *)&on));
	vfree(memory);
	CHECK(!restore_tree(blob->root));

	/* The blob's own page comes last: with it the subtree is no more. */
	kho_restore_free(blob);
	CHECK(kho_retrieve_subtree(NAME, &pa, &size) == -ENOENT);
	CHECK(khob_release_subtree(NAME) == -ENOENT);
	return 0;
}

static const struct action actions[] = {
	{ "save", save }, { "frozen", frozen }, { "drop", drop }, { "restore", restore },
};

RUN_PARAMETER(actions);
MODULE_PARM_DESC(run, "save, frozen, drop or restore");

MODULE_DESCRIPTION("Test client of kho_bridge");
MODULE_LICENSE("GPL");
