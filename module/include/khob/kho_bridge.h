/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * kho_bridge for other modules: preserve pages and blobs across kexec, and get
 * them back in the next kernel. All calls may sleep; all may be made from any
 * process context without a lock held.
 */
#ifndef KHOB_KHO_BRIDGE_H
#define KHOB_KHO_BRIDGE_H

#include <linux/types.h>

struct page;

/**
 * khob_preserve_pages() - hand the caller's pages to the next kernel
 * @page: the first of them; the caller owns them and keeps owning them
 * @nr: how many, physically contiguous
 *
 * Return: 0; -EBUSY once a kernel is loaded; -EEXIST if one of them is preserved
 * already; -EINVAL for a bad range; -ENOMEM.
 */
int khob_preserve_pages(struct page *page, unsigned long nr);

/* Undoes khob_preserve_pages() for exactly the same range. Return: 0, -ENOENT, -EBUSY. */
int khob_unpreserve_pages(struct page *page, unsigned long nr);

/**
 * khob_add_subtree() - hand a named blob to the next kernel
 * @name: 1..63 characters: letters, digits and , . _ + -
 * @data: copied
 * @size: bytes, > 0
 *
 * Return: 0; -EINVAL; -EEXIST; -EBUSY once a kernel is loaded; -ENOMEM.
 */
int khob_add_subtree(const char *name, const void *data, size_t size);

/* Return: 0; -ENOENT; -EBUSY once a kernel is loaded. */
int khob_remove_subtree(const char *name);

/**
 * khob_retrieve_subtree() - a blob of the kernel before
 * @pa: physical address of its bytes, in the direct map
 * @size: how many
 *
 * It stays in place until in/release. Return: 0; -ENOENT.
 */
int khob_retrieve_subtree(const char *name, phys_addr_t *pa, size_t *size);

/**
 * khob_restore_pages() - take over a page of the kernel before
 * @pa: its physical address
 * @order: its order, as it was preserved
 *
 * The 2^@order pages become live, each with a reference of its own, as after
 * split_page(): free them with free_contig_range() or __free_page(). Return: the
 * first of them, or NULL if no such page is held.
 */
struct page *khob_restore_pages(phys_addr_t pa, unsigned int order);

#endif /* KHOB_KHO_BRIDGE_H */
