/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the pure core needs of its surroundings: types, errno values, string
 * functions, xxh64, atomic operations, and where a node and the count of its
 * entries are. The same core files are compiled into the module, the unit tests
 * and the fuzzers; this header is the only place that knows which.
 */
#ifndef KHOB_CORE_PORT_H
#define KHOB_CORE_PORT_H

#include "khob/abi.h"

#ifdef __KERNEL__

#include <linux/atomic.h>
#include <linux/bitops.h>
#include <linux/cpumask.h>
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/limits.h>
#include <linux/mm.h>
#include <linux/percpu.h>
#include <linux/preempt.h>
#include <linux/prefetch.h>
#include <linux/processor.h>
#include <linux/string.h>
#include <linux/types.h>
#include <linux/xxhash.h>

#define khob_noinline noinline

static inline u64 khob_xxh64(const void *data, size_t len)
{
	return xxh64(data, len, 0);
}

/* The number of the lowest and of the highest bit set; @x is not 0. */
static inline unsigned int khob_first_bit(u64 x)
{
	return __ffs64(x);
}

static inline unsigned int khob_last_bit(u64 x)
{
	return fls64(x) - 1;
}

static inline unsigned int khob_weight(u64 x)
{
	return hweight64(x);
}

/*
 * Atomic operations; those that return a value order everything around them. They are on the
 * type that nodes have in the ABI's header, which in userspace is not that of u64.
 */

static inline u64 khob_load(const __u64 *p)
{
	/* What whoever wrote it had written before is seen from here on. */
	return smp_load_acquire(p);
}

static inline void khob_store(__u64 *p, u64 v)
{
	/* Pairs with khob_load(). */
	smp_store_release(p, v);
}

static inline u64 khob_fetch_add(__u64 *p, u64 v)
{
	return atomic64_fetch_add(v, (atomic64_t *)p);
}

static inline u64 khob_fetch_or(__u64 *p, u64 mask)
{
	return atomic64_fetch_or(mask, (atomic64_t *)p);
}

static inline u64 khob_fetch_and(__u64 *p, u64 mask)
{
	return atomic64_fetch_and(mask, (atomic64_t *)p);
}

/* Return: whether *@p was @from and is @to now. */
static inline bool khob_swap_if(__u64 *p, u64 from, u64 to)
{
	return cmpxchg(p, from, to) == from;
}

static inline void khob_relax(void)
{
	cpu_relax();
}

/* @p will soon be read, or written. */
static inline void khob_prefetch(const void *p)
{
	prefetch(p);
}

static inline void khob_prefetch_write(const void *p)
{
	prefetchw(p);
}

/**
 * struct khob_slot - a CPU's place in the gate
 * @inside: how many are inside from here
 */
struct khob_slot {
	__u64 inside;
};

DECLARE_PER_CPU_ALIGNED(struct khob_slot, khob_slots);

/* A slot that no other thread has until khob_slot_put(); the CPU's, so don't sleep. */
static inline struct khob_slot *khob_slot_get(void)
{
	preempt_disable();
	return this_cpu_ptr(&khob_slots);
}

static inline void khob_slot_put(void)
{
	preempt_enable();
}

/* Whether nobody else writes to a slot that one has. */
static inline bool khob_slot_own(const struct khob_slot *slot)
{
	return true;
}

static inline unsigned int khob_nr_slots(void)
{
	return nr_cpu_ids;
}

/* NULL: there is no such slot. */
static inline struct khob_slot *khob_slot_at(unsigned int i)
{
	return cpu_possible(i) ? per_cpu_ptr(&khob_slots, i) : NULL;
}

/* The node at physical address @pa, which is in the direct map. */
static inline struct khob_node *khob_node_at(u64 pa)
{
	return __va(pa);
}

/*
 * What the tree keeps of a node (khob_use()). Its page is the tree's own, and so is this
 * member of its struct page; the allocator may leave anything in it.
 */
static inline __u64 *khob_node_used(const struct khob_node *node)
{
	struct page *page = virt_to_page(node);

	BUILD_BUG_ON(sizeof(page->private) != sizeof(__u64));
	return (__u64 *)&page->private;
}

#else /* userspace */

#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <xxhash.h>

/* The types of <stdint.h> on x86-64, the one architecture there is. */
typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef unsigned long u64;

#ifndef U64_MAX
#define U64_MAX UINT64_MAX
#endif

#define likely(x) __builtin_expect(!!(x), 1)
#define unlikely(x) __builtin_expect(!!(x), 0)
#define khob_noinline __attribute__((noinline))

#ifdef __cplusplus
extern "C" {
#endif

static inline u64 khob_xxh64(const void *data, size_t len)
{
	return XXH64(data, len, 0);
}

static inline unsigned int khob_first_bit(u64 x)
{
	return (unsigned int)__builtin_ctzll(x);
}

static inline unsigned int khob_last_bit(u64 x)
{
	return 63U - (unsigned int)__builtin_clzll(x);
}

static inline unsigned int khob_weight(u64 x)
{
	return (unsigned int)__builtin_popcountll(x);
}

static inline u64 khob_load(const __u64 *p)
{
	return __atomic_load_n(p, __ATOMIC_SEQ_CST);
}

static inline void khob_store(__u64 *p, u64 v)
{
	__atomic_store_n(p, v, __ATOMIC_RELEASE);
}

static inline u64 khob_fetch_add(__u64 *p, u64 v)
{
	return __atomic_fetch_add(p, v, __ATOMIC_SEQ_CST);
}

static inline u64 khob_fetch_or(__u64 *p, u64 mask)
{
	return __atomic_fetch_or(p, mask, __ATOMIC_SEQ_CST);
}

static inline u64 khob_fetch_and(__u64 *p, u64 mask)
{
	return __atomic_fetch_and(p, mask, __ATOMIC_SEQ_CST);
}

static inline bool khob_swap_if(__u64 *p, u64 from, u64 to)
{
	__u64 was = from;

	return __atomic_compare_exchange_n(p, &was, to, false, __ATOMIC_SEQ_CST,
					   __ATOMIC_SEQ_CST);
}

static inline void khob_relax(void)
{
	__builtin_ia32_pause();
}

static inline void khob_prefetch(const void *p)
{
	__builtin_prefetch(p);
}

static inline void khob_prefetch_write(const void *p)
{
	__builtin_prefetch(p, 1);
}

/* Two cache lines, since CPUs fetch them in pairs. */
struct khob_slot {
	__u64 inside;
	__u64 unused[15];
} __attribute__((aligned(128)));

#define KHOB_SLOTS 256

extern struct khob_slot khob_slots[KHOB_SLOTS];
extern __thread struct khob_slot *khob_slot_mine;

/* Gives this thread its slot, for good; 0 is for all threads that find no other left. */
struct khob_slot *khob_slot_new(void);

static inline struct khob_slot *khob_slot_get(void)
{
	return likely(khob_slot_mine) ? khob_slot_mine : khob_slot_new();
}

static inline void khob_slot_put(void)
{
}

static inline bool khob_slot_own(const struct khob_slot *slot)
{
	return slot != khob_slots;
}

static inline unsigned int khob_nr_slots(void)
{
	return KHOB_SLOTS;
}

static inline struct khob_slot *khob_slot_at(unsigned int i)
{
	return &khob_slots[i];
}

/**
 * struct khob_user_page - what a program has instead of the kernel's struct page
 * @used: what is kept of a node; 0 for a fresh one
 * @unused: as there, neighbours' are in cache lines of their own
 */
struct khob_user_page {
	__u64 used;
	__u64 unused[7];
} __attribute__((aligned(64)));

/**
 * struct khob_user_ram - where nodes are in a program; who gives nodes out sets it
 * @bytes: physical address 0, as the kernel's direct map has it
 * @pages: one for every page behind it
 */
struct khob_user_ram {
	u8 *bytes;
	struct khob_user_page *pages;
};

extern struct khob_user_ram khob_user_ram;

static inline struct khob_node *khob_node_at(u64 pa)
{
	return (struct khob_node *)(khob_user_ram.bytes + pa);
}

static inline __u64 *khob_node_used(const struct khob_node *node)
{
	u64 pa = (u64)((const u8 *)node - khob_user_ram.bytes);

	return &khob_user_ram.pages[pa >> KHOB_PAGE_SHIFT].used;
}

#ifdef __cplusplus
}
#endif

#endif

#endif /* KHOB_CORE_PORT_H */
