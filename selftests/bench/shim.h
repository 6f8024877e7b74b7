/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The kernel as upstream's radix tree sees it, for a program: just the names that the
 * functions cut out by extract.py use. Memory and lock are those that the other side
 * of the comparison has. Where there was a choice, it is in upstream's favour: a bit is set
 * by plain C instead of a bts on memory, and debug checks are compiled out.
 */
#ifndef KHOB_BENCH_SHIM_H
#define KHOB_BENCH_SHIM_H

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/port.h"
#include "lock.h"
#include "upstream.h"

typedef u64 phys_addr_t;

#define PAGE_SHIFT 12
#define PAGE_SIZE (1UL << PAGE_SHIFT)
#define BITS_PER_BYTE 8
#define BITS_PER_LONG 64
#define PFN_PHYS(pfn) ((phys_addr_t)(pfn) << PAGE_SHIFT)

#define __ref
#define EXPORT_SYMBOL_GPL(name) _Static_assert(sizeof(name) > 0, #name)
#define IS_ENABLED(option) 0
#define GFP_KERNEL 0
#define might_sleep() ((void)0)

#define DIV_ROUND_UP(n, d) (((n) + (d) - 1) / (d))
#define const_ilog2(n) (63 - __builtin_clzl(n))
#define ilog2(n) const_ilog2((unsigned long)(n))
#define min(a, b) ((a) < (b) ? (a) : (b))
#define DECLARE_BITMAP(name, bits) unsigned long name[(bits) / BITS_PER_LONG]

/* Upstream warns where a caller is wrong, and none is here. */
#define WARN_ON(condition) unlikely(shim_warn(!!(condition), __LINE__))
#define WARN_ON_ONCE(condition) WARN_ON(condition)

static inline bool shim_warn(bool bad, int line)
{
	if (unlikely(bad)) {
		fprintf(stderr, "upstream's code warns at line %d\n", line);
		abort();
	}
	return bad;
}

static inline int fls64(u64 x)
{
	return x ? 64 - __builtin_clzl(x) : 0;
}

static inline int count_trailing_zeros(unsigned long x)
{
	return x ? __builtin_ctzl(x) : -1;
}

static inline void __set_bit(unsigned long bit, unsigned long *bitmap)
{
	bitmap[bit / BITS_PER_LONG] |= 1UL << bit % BITS_PER_LONG;
}

static inline void __clear_bit(unsigned long bit, unsigned long *bitmap)
{
	bitmap[bit / BITS_PER_LONG] &= ~(1UL << bit % BITS_PER_LONG);
}

/* The first bit set at or behind @from; @size if none is. In the kernel a call, too. */
unsigned long shim_next_bit(const unsigned long *bitmap, unsigned long size, unsigned long from);

#define for_each_set_bit(bit, bitmap, size) \
	for ((bit) = 0; ((bit) = shim_next_bit(bitmap, size, bit)) < (size); (bit)++)

/* guard(mutex)(lock): held until the end of the block. */
static inline struct mutex *shim_hold(struct mutex *lock)
{
	mutex_lock(lock);
	return lock;
}

static inline void shim_release(struct mutex **lock)
{
	mutex_unlock(*lock);
}

#define guard(kind) __attribute__((cleanup(shim_release))) struct kind *shim_held = shim_hold

/* Memory: the direct map of port.h, and nodes from whoever runs the benchmark. */

static inline void *phys_to_virt(phys_addr_t pa)
{
	return khob_user_ram.bytes + pa;
}

static inline phys_addr_t virt_to_phys(const void *p)
{
	return (phys_addr_t)((const u8 *)p - khob_user_ram.bytes);
}

#define slab_is_available() true
#define get_zeroed_page(flags) upstream_zeroed_node()
#define free_page(address) upstream_free_node((void *)(address))
#define memblock_alloc(size, align) NULL
#define memblock_free(p, size) ((void)(p))

/* Pages: a struct page's address is its page frame number, and there is one NUMA node. */

struct page;

static inline unsigned long page_to_pfn(const struct page *page)
{
	return (unsigned long)page;
}

#define pfn_to_nid(pfn) ((void)(pfn), 0)
#define kho_scratch_overlap(pa, size) ((void)(pa), false)

#endif /* KHOB_BENCH_SHIM_H */
