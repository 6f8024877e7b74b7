// SPDX-License-Identifier: GPL-2.0-only
/*
 * Pages that the machine cannot read any more (PageHWPoison). From load to unload they are
 * not among what is handed over: where one lies in a page of a higher order, what is
 * around it goes along in the largest orders that fit.
 */
#include "out/out.h"

typedef int (*khob_run_fn)(unsigned long pfn, unsigned long nr);

/*
 * Calls @fn for each run of pages of @key that were sound at the freeze, until it returns
 * other than 0. What has broken since does not count: what was done is undone the same way.
 */
static int khob_poison_runs(u64 key, khob_run_fn fn)
{
	unsigned long from, end;
	unsigned int order;
	u64 pa, i, *bad;
	int ret = 0;

	if (khob_key_decode(key, &pa, &order))
		return -EINVAL;
	from = PHYS_PFN(pa);
	end = from + (1UL << order);
	for (i = 0; !ret && (bad = khob_numbers_at(&khob_out.poisoned, i)); i++) {
		if (*bad < from || *bad >= end)
			continue;
		if (from < *bad)
			ret = fn(from, *bad - from);
		from = *bad + 1;
	}
	return ret || from == end ? ret : fn(from, end - from);
}

static int khob_poison_drop_run(unsigned long pfn, unsigned long nr)
{
	khob_out_del_range(pfn, nr);
	return 0;
}

/* @end: of the page of @key, exclusive */
static int khob_poison_split(u64 key, unsigned long *end)
{
	int ret = khob_numbers_add(&khob_out.split, key);
	unsigned int order;
	u64 pa;

	if (ret || khob_key_decode(key, &pa, &order))
		return ret;
	*end = PHYS_PFN(pa) + (1UL << order);
	khob_out_del_key(key);
	return khob_poison_runs(key, khob_out_add_range);
}

/**
 * khob_poison_leave_out() - take broken pages out of what is about to be handed over
 *
 * khob_out.poisoned then names every one of the machine, for the next kernel to know. Nothing
 * of the kernel's other clients may be in the tree yet. Context: process, khob_lock
 * held for writing.
 *
 * Return: 0; -EHWPOISON if what is broken is the metadata; -ENOMEM; -EINTR; then, too,
 * khob_poison_take_in() undoes it.
 */
int khob_poison_leave_out(void)
{
	int ret = khob_ram_each_poisoned(&khob_out.poisoned);
	unsigned long end = 0;
	u64 i, key, *pfn;

	for (i = 0; !ret && (pfn = khob_numbers_at(&khob_out.poisoned, i)); i++) {
		if (khob_arena_holds(&khob_out.meta, PFN_PHYS(*pfn)))
			return khob_refuse(-EHWPOISON,
					   "scratch: page 0x%llx of the metadata is broken: unpreserve all, then preserve it again",
					   PFN_PHYS(*pfn));
		if (khob_radix_overlap(&khob_out.tree, *pfn, 1, &key))
			ret = khob_poison_split(key, &end);
		if (*pfn < end)
			khob_out.nr_left_out++;
	}
	return ret;
}

/*
 * Names the broken pages for the next kernel, which has no other way to know. Return: how many
 * records that took; as many as there is @room for.
 */
u64 khob_poison_records(struct khob_record *to, u64 room)
{
	u64 i, *pfn;

	for (i = 0; i < room && (pfn = khob_numbers_at(&khob_out.poisoned, i)); i++)
		to[i] = (struct khob_record){
			.addr = PFN_PHYS(*pfn),
			.size = PAGE_SIZE,
			.kind = KHOB_RECORD_POISON,
		};
	return i;
}

/*
 * Undoes khob_poison_leave_out(). The nodes that the keys need are free again, since nothing
 * else is added while frozen: it cannot fail.
 */
void khob_poison_take_in(void)
{
	u64 i, *key;

	for (i = 0; (key = khob_numbers_at(&khob_out.split, i)); i++) {
		khob_poison_runs(*key, khob_poison_drop_run);
		if (WARN_ON_ONCE(khob_out_add_key(*key)))
			return;
	}
	khob_numbers_free(&khob_out.split);
	khob_numbers_free(&khob_out.poisoned);
	khob_out.nr_left_out = 0;
}
