/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Upstream's names for the KHO ABI, for kernels without it; khob/abi.h has the facts.
 */
#ifndef KHOB_COMPAT_KHO_ABI_H
#define KHOB_COMPAT_KHO_ABI_H

#include <linux/build_bug.h>
#include <linux/io.h>
#include <linux/types.h>

#include <khob/abi.h>

#define KHO_FDT_MEMORY_MAP_PROP_NAME KHOB_PROP_MEMORY_MAP
#define KHO_SUB_TREE_PROP_NAME KHOB_PROP_DATA
#define KHO_SUB_TREE_SIZE_PROP_NAME KHOB_PROP_BLOB_SIZE

#define KHO_RADIX_KEY_WIDTH KHOB_KEY_WIDTH
#define KHO_TABLE_SIZE_LOG2 KHOB_TABLE_LOG2
#define KHO_BITMAP_SIZE_LOG2 KHOB_LEAF_LOG2
#define KHO_TREE_MAX_DEPTH KHOB_TREE_DEPTH

#define kho_radix_node khob_node
#define kho_radix_leaf khob_leaf

/* A pointer in what is handed over: the physical address of what it points to, 0 for NULL. */
#define DECLARE_KHOSER_PTR(name, type)	\
	union {				\
		u64 phys;		\
		type ptr;		\
	} name

#define KHOSER_STORE_PTR(to, from)	\
	((to).phys = virt_to_phys((typeof((to).ptr))(from)))

static inline void *khob_khoser_load(u64 phys)
{
	return phys ? phys_to_virt(phys) : NULL;
}

#define KHOSER_LOAD_PTR(from) ((typeof((from).ptr))khob_khoser_load((from).phys))

struct kho_vmalloc_chunk;

struct kho_vmalloc_hdr {
	DECLARE_KHOSER_PTR(next, struct kho_vmalloc_chunk *);
};

#define KHO_VMALLOC_SIZE ((PAGE_SIZE - sizeof(struct kho_vmalloc_hdr)) / sizeof(u64))

struct kho_vmalloc_chunk {
	struct kho_vmalloc_hdr hdr;
	u64 phys[KHO_VMALLOC_SIZE];
};

struct kho_vmalloc {
	DECLARE_KHOSER_PTR(first, struct kho_vmalloc_chunk *);
	unsigned int total_pages;
	unsigned short flags;
	unsigned short order;
};

static_assert(sizeof(struct kho_vmalloc_chunk) == sizeof(struct khob_vmalloc_chunk));
static_assert(offsetof(struct kho_vmalloc_chunk, phys) ==
	      offsetof(struct khob_vmalloc_chunk, phys));
static_assert(sizeof(struct kho_vmalloc) == sizeof(struct khob_vmalloc));
static_assert(offsetof(struct kho_vmalloc, first) == offsetof(struct khob_vmalloc, first));
static_assert(offsetof(struct kho_vmalloc, total_pages) ==
	      offsetof(struct khob_vmalloc, total_pages));
static_assert(offsetof(struct kho_vmalloc, flags) == offsetof(struct khob_vmalloc, flags));
static_assert(offsetof(struct kho_vmalloc, order) == offsetof(struct khob_vmalloc, order));

#endif /* KHOB_COMPAT_KHO_ABI_H */
