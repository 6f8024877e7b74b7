/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The API of upstream's Kexec HandOver, as 7.3 has it, for kernels without it: the
 * same names over kho_bridge's exports. What differs is in docs/clients.md.
 */
#ifndef KHOB_COMPAT_KEXEC_HANDOVER_H
#define KHOB_COMPAT_KEXEC_HANDOVER_H

#include <linux/err.h>
#include <linux/errno.h>
#include <linux/mm.h>
#include <linux/types.h>

#include <khob/kho_bridge.h>

/* linux/kho/abi/kexec_handover.h has it, with the layout of struct khob_vmalloc. */
struct kho_vmalloc;

static inline bool kho_is_enabled(void)
{
	return khob_is_enabled();
}

static inline bool is_kho_boot(void)
{
	return khob_is_boot();
}

static inline int kho_preserve_folio(struct folio *folio)
{
	return khob_preserve_folio(folio);
}

static inline void kho_unpreserve_folio(struct folio *folio)
{
	khob_unpreserve_folio(folio);
}

static inline int kho_preserve_pages(struct page *page, unsigned long nr_pages)
{
	return khob_preserve_pages(page, nr_pages);
}

static inline void kho_unpreserve_pages(struct page *page, unsigned long nr_pages)
{
	khob_unpreserve_pages(page, nr_pages);
}

static inline int kho_preserve_vmalloc(void *ptr, struct kho_vmalloc *preservation)
{
	return khob_preserve_vmalloc(ptr, (struct khob_vmalloc *)preservation);
}

static inline void kho_unpreserve_vmalloc(struct kho_vmalloc *preservation)
{
	khob_unpreserve_vmalloc((const struct khob_vmalloc *)preservation);
}

static inline void *kho_alloc_preserve(size_t size)
{
	return khob_alloc_preserve(size);
}

static inline void kho_unpreserve_free(void *mem)
{
	khob_unpreserve_free(mem);
}

static inline void kho_restore_free(void *mem)
{
	khob_restore_free(mem);
}

static inline struct folio *kho_restore_folio(phys_addr_t phys)
{
	return khob_restore_folio(phys);
}

static inline struct page *kho_restore_pages(phys_addr_t phys, unsigned long nr_pages)
{
	return khob_restore_pages(phys, nr_pages);
}

static inline void *kho_restore_vmalloc(const struct kho_vmalloc *preservation)
{
	return khob_restore_vmalloc((const struct khob_vmalloc *)preservation);
}

static inline int kho_add_subtree(const char *name, void *blob, size_t size)
{
	return khob_add_subtree(name, blob, size);
}

static inline void kho_remove_subtree(void *blob)
{
	khob_remove_subtree(blob);
}

static inline int kho_retrieve_subtree(const char *name, phys_addr_t *phys, size_t *size)
{
	return khob_retrieve_subtree(name, phys, size);
}

#endif /* KHOB_COMPAT_KEXEC_HANDOVER_H */
