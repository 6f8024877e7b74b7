/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the map of clients' pages (owners.c) has of a page, and what is counted of them.
 */
#ifndef KHOB_OUT_MARKS_H
#define KHOB_OUT_MARKS_H

#include <linux/percpu.h>

#include "core/radix.h"

/**
 * enum khob_mark - what the map has of a page; no two ranges have a page in common
 * @KHOB_MARK_ONLY: it is all of a range
 * @KHOB_MARK_FIRST: a longer range begins with it
 * @KHOB_MARK_LAST: a longer range ends with it; of a page with both, see enum khob_kind, it
 *	is a chunk
 * @KHOB_MARK_GONE: of a range's first page: unpreserved while frozen, goes on thaw
 * @KHOB_MARKS: how many there are
 */
enum khob_mark {
	KHOB_MARK_ONLY,
	KHOB_MARK_FIRST,
	KHOB_MARK_LAST,
	KHOB_MARK_GONE,
	KHOB_MARKS,
};

/* What there is of a page; bits from enum khob_mark. */
#define KHOB_MARKS_MASK ((1U << KHOB_MARKS) - 1)

/* The map's keys are those of pages of order 0 in a space that is KHOB_MARKS times as large. */
static inline u64 khob_mark_key(unsigned long pfn, enum khob_mark mark)
{
	return 1ULL << KHOB_ORDER_0_BIT | ((u64)pfn * KHOB_MARKS + mark);
}

/* The marks of the page that @key is of, in the word that has @key. */
static inline unsigned int khob_marks_of(u64 word, u64 key)
{
	return word >> (key % 64 / KHOB_MARKS * KHOB_MARKS) & KHOB_MARKS_MASK;
}

/**
 * struct khob_counts - what one CPU has counted
 * @orders: pages of each order that clients have preserved, less those no longer preserved
 */
struct khob_counts {
	s64 orders[KHOB_ORDER_MAX + 1];
};

DECLARE_PER_CPU(struct khob_counts, khob_client_counts);

#endif /* KHOB_OUT_MARKS_H */
