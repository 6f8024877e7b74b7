/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Sets of small numbers as bitmaps of 64-bit words, of any length: an interval of memory
 * has a bit a page, and more of them than 32 bits count. One changes a set at a time; others may
 * look meanwhile.
 */
#ifndef KHOB_CORE_BITS_H
#define KHOB_CORE_BITS_H

#include "port.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Words that @nr bits take. */
static inline u64 khob_bits_words(u64 nr)
{
	return nr / 64 + !!(nr % 64);
}

static inline bool khob_bits_test(const __u64 *bits, u64 i)
{
	return khob_load(&bits[i / 64]) >> (i % 64) & 1;
}

/* Bits [@i, @i + 64), all of which are in the set's words. */
static inline u64 khob_bits_get64(const __u64 *bits, u64 i)
{
	u64 low = khob_load(&bits[i / 64]) >> (i % 64);

	return i % 64 ? low | khob_load(&bits[i / 64 + 1]) << (64 - i % 64) : low;
}

/* Sets those of bits [@i, @i + 64) that are set in @v. */
static inline void khob_bits_or64(__u64 *bits, u64 i, u64 v)
{
	khob_store(&bits[i / 64], bits[i / 64] | v << (i % 64));
	if (i % 64)
		khob_store(&bits[i / 64 + 1], bits[i / 64 + 1] | v >> (64 - i % 64));
}

/* Clears one bit. */
static inline void khob_bits_drop(__u64 *bits, u64 i)
{
	khob_store(&bits[i / 64], bits[i / 64] & ~((u64)1 << (i % 64)));
}

/* Sets bits [@first, @end). */
void khob_bits_set(__u64 *bits, u64 first, u64 end);
/* Clears bits [@first, @end). */
void khob_bits_clear(__u64 *bits, u64 first, u64 end);

/* The first bit at or behind @from, below @end, that is @set; @end if there is none. */
u64 khob_bits_next(const __u64 *bits, u64 from, u64 end, bool set);

/* Whether any bit of [@first, @end) is set. */
static inline bool khob_bits_any(const __u64 *bits, u64 first, u64 end)
{
	return khob_bits_next(bits, first, end, true) < end;
}

/* Whether all bits of [@first, @end) are. */
static inline bool khob_bits_all(const __u64 *bits, u64 first, u64 end)
{
	return khob_bits_next(bits, first, end, false) == end;
}

#ifdef __cplusplus
}
#endif

#endif /* KHOB_CORE_BITS_H */
