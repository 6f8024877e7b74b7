/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * kho_bridge for other modules: preserve pages and blobs across kexec, and get
 * them back in the next kernel. All calls may sleep; all may be made from any
 * process context without a lock held. docs/clients.md says how to use them, or
 * the upstream names that include/compat/ gives them.
 *
 * What is preserved has a reference of the module's own: one for each page, or for each
 * folio of which a range has pages. From the moment a kernel is loaded until it is
 * unloaded, what is handed over does not change: whatever would add to it returns
 * -EBUSY. What takes away from it succeeds, for its caller frees the memory next: the
 * module keeps its references, hands the memory over as it was, and lets go on unload.
 */
#ifndef KHOB_KHO_BRIDGE_H
#define KHOB_KHO_BRIDGE_H

#include <linux/mutex.h>
#include <linux/types.h>

struct folio;
struct page;
struct khob_node;
struct khob_vmalloc;

/*
 * Whoever is killed while it waits for others gets -EINTR, or NULL from what restores. What gives
 * something back (unpreserve, remove, free, release) waits in any case.
 *
 * All of these may sleep, and allocate with GFP_KERNEL.
 */

/* Outgoing: what this kernel hands over. */

/**
 * khob_preserve_pages() - hand the caller's pages to the next kernel
 * @page: the first of them; the caller owns them and keeps owning them
 * @nr: how many, physically contiguous
 *
 * The next kernel restores them with khob_restore_pages(). They may be a part of a folio,
 * which then stays as a whole for as long as they are preserved.
 *
 * Refused with -EINVAL are pages that a reference does not keep as they are: all but the
 * first of an allocation of a high order that is no compound page (allocate with
 * __GFP_COMP, or split_page() it), slab, PageReserved and PageOffline, free pages, memory of
 * devices, and what is not online.
 *
 * Return: 0; -EBUSY once a kernel is loaded; -EEXIST if one of them is preserved already,
 * or was handed over to this kernel and nobody has restored it; -EINVAL also for a bad
 * range; -ENOMEM; -EINTR if killed. Unless it is 0 nothing changed.
 */
int khob_preserve_pages(struct page *page, unsigned long nr);

/**
 * khob_unpreserve_pages() - undo one call of khob_preserve_pages()
 * @page: as there
 * @nr: as there
 *
 * Not a part of its range, nor the ranges of two calls at once.
 *
 * Return: 0; -ENOENT if no call has preserved exactly this, and then nothing changed.
 */
int khob_unpreserve_pages(struct page *page, unsigned long nr);

/**
 * khob_preserve_folio() - hand the caller's folio to the next kernel, with its order
 * @folio: of any order that the buddy allocator has; the caller keeps its reference
 *
 * The next kernel restores it with khob_restore_folio().
 *
 * Return: as khob_preserve_pages().
 */
int khob_preserve_folio(struct folio *folio);

/* Undoes khob_preserve_folio(). Return: 0 or -ENOENT. */
int khob_unpreserve_folio(struct folio *folio);

/**
 * khob_preserve_vmalloc() - hand memory that is contiguous in virtual space only over
 * @ptr: what vmalloc(), or khob_restore_vmalloc(), has returned
 * @to: describes the area to khob_restore_vmalloc(): for the caller to pass on
 *
 * All of it or none: an area in which something is mapped that khob_preserve_pages()
 * refuses, such as the memory of a device, is refused.
 *
 * Return: as khob_preserve_pages(); -EINVAL also if @ptr is not an area's first byte.
 */
int khob_preserve_vmalloc(void *ptr, struct khob_vmalloc *to);

/* Undoes khob_preserve_vmalloc(), by what it described. Return: 0 or -ENOENT. */
int khob_unpreserve_vmalloc(const struct khob_vmalloc *from);

/**
 * khob_alloc_preserve() - a zeroed folio that is preserved
 * @size: bytes, > 0; rounded up to a power of two of pages
 *
 * Return: its address; or, as ERR_PTR(): -EINVAL, -E2BIG, -ENOMEM, -EBUSY, -EINTR.
 */
void *khob_alloc_preserve(size_t size);

/* Undoes khob_alloc_preserve(); NULL is fine. Return: 0, or -ENOENT and nothing is freed. */
int khob_unpreserve_free(void *mem);

/**
 * khob_add_subtree() - hand a named blob to the next kernel
 * @name: 1..63 characters: letters, digits and , . _ + -
 * @blob: the caller's memory, in the direct map; not copied: what it holds at the
 *	moment of the kexec is what the next kernel gets
 * @size: bytes, > 0
 *
 * All of its pages have to be preserved by the caller, at the latest when a kernel
 * is loaded (loading fails otherwise), and stay so until khob_remove_subtree().
 * Under kho-v2, which knows no sizes, a blob that is no FDT is copied into one when
 * a kernel is loaded.
 *
 * Return: 0; -EINVAL; -EBUSY once a kernel is loaded; -EEXIST, also if the kernel
 * before left a subtree of this name that is still held; -ENOSPC; -ENOMEM; -EINTR.
 */
int khob_add_subtree(const char *name, void *blob, size_t size);

/* Undoes khob_add_subtree(). Return: 0 or -ENOENT. */
int khob_remove_subtree(void *blob);

/* Incoming: what this kernel was handed. Nothing, until `khoctl attach`. */

/**
 * khob_retrieve_subtree() - a blob of the kernel before
 * @name: as it was added
 * @phys: its physical address, in the direct map
 * @size: how many bytes; may be NULL
 *
 * It stays in place until khob_release_subtree(), `khoctl release`, or until the
 * caller restores one of its pages: with that, the subtree is no more, and the
 * rest of its pages, if there are any, are pages like all others.
 *
 * Return: 0; -ENOENT; -EINVAL; -EINTR.
 */
int khob_retrieve_subtree(const char *name, phys_addr_t *phys, size_t *size);

/**
 * khob_release_subtree() - free a blob of the kernel before, with all of its pages
 * @name: as it was added
 *
 * Return: 0; -ENOENT; -EBUSY once a kernel is loaded, which gets it too.
 */
int khob_release_subtree(const char *name);

/**
 * khob_restore_folio() - take over a folio of the kernel before
 * @phys: its physical address
 *
 * Return: the folio, of the order that was preserved, with one reference; or NULL
 * if no such page is held, if a kernel is loaded, if the order is above the buddy
 * allocator's, or > 0 on a kernel whose compound pages this module does not know
 * (the page is still held: khob_restore_pages() takes it).
 */
struct folio *khob_restore_folio(phys_addr_t phys);

/**
 * khob_restore_pages() - take over pages of the kernel before
 * @phys: physical address of the first
 * @nr: how many
 *
 * They become live, each with a reference of its own, as after split_page(): free
 * them with __free_page(). All of them or none.
 *
 * Return: the first of them; or NULL if not all of them are held, if one is part of a
 * folio or a range that reaches beyond, or if a kernel is loaded.
 */
struct page *khob_restore_pages(phys_addr_t phys, unsigned long nr);

/**
 * khob_restore_vmalloc() - take over what khob_preserve_vmalloc() has handed over
 * @from: nothing is assumed of it, nor of what it points to
 *
 * Return: the area, to be freed with vfree(); or NULL, and then nothing changed.
 */
void *khob_restore_vmalloc(const struct khob_vmalloc *from);

/* Frees what khob_alloc_preserve() has preserved. Return: 0, or -ENOENT. */
int khob_restore_free(void *mem);

/* Always: there is no switch but the module. */
bool khob_is_enabled(void);

/* Whether this kernel was handed anything, however little of it is left. */
bool khob_is_boot(void);

/* Trees of keys, in the layout of the KHO ABI. */

/**
 * struct khob_key_tree - a set of numbers that can be handed over
 * @root: its root node, one page
 * @lock: serialises changes
 *
 * A tree is handed over by preserving its nodes' pages, which khob_key_tree_walk()
 * names, and the root's physical address. The next kernel restores the pages.
 */
struct khob_key_tree {
	struct khob_node *root;
	struct mutex lock; /* see above */
};

/**
 * struct khob_key_walk - what khob_key_tree_walk() calls
 * @leaf: for each key, ascending; or NULL
 * @node: for each node, before what is below it; or NULL
 *
 * No lock is held: both may change the tree, and sleep. A value other than 0 ends
 * the walk.
 */
struct khob_key_walk {
	int (*leaf)(unsigned long key, void *data);
	int (*node)(phys_addr_t phys, void *data);
};

/* @root: a tree's root in this kernel's memory, trusted; NULL for a new one. 0 or -ENOMEM. */
int khob_key_tree_init(struct khob_key_tree *tree, struct khob_node *root);

/* Frees every node, whatever is in it. */
void khob_key_tree_destroy(struct khob_key_tree *tree);

/**
 * khob_key_tree_add() - add a key
 * @tree: where to
 * @key: below 2^KHOB_KEY_WIDTH
 *
 * Return: 0, also if it is there already; -ERANGE; -ENOMEM; -EINVAL without a root.
 */
int khob_key_tree_add(struct khob_key_tree *tree, unsigned long key);

/* Deletes a key, and nodes that it leaves empty. Return: 0 or -ENOENT. */
int khob_key_tree_del(struct khob_key_tree *tree, unsigned long key);

/* Return: 0; what a callback has returned; -EINVAL without a root. */
int khob_key_tree_walk(struct khob_key_tree *tree, const struct khob_key_walk *walk, void *data);

#endif /* KHOB_KHO_BRIDGE_H */
