/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Sets of small numbers as bitmaps of 64-bit words, of any length: an interval of memory
 * has a bit a page, and more of them than 32 bits count.
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

static inline bool khob_bits_test(const u64 *bits, u64 i)
{
	return bits[i / 64] >> (i % 64) & 1;
}

/* Sets bits [@first, @end). */
void khob_bits_set(u64 *bits, u64 first, u64 end);
/* Clears bits [@first, @end). */
void khob_bits_clear(u64 *bits, u64 first, u64 end);

/* The first bit at or behind @from, below @end, that is @set; @end if there is none. */
u64 khob_bits_next(const u64 *bits, u64 from, u64 end, bool set);

/* Whether any bit of [@first, @end) is set. */
static inline bool khob_bits_any(const u64 *bits, u64 first, u64 end)
{
	return khob_bits_next(bits, first, end, true) < end;
}

/* Whether all bits of [@first, @end) are. */
static inline bool khob_bits_all(const u64 *bits, u64 first, u64 end)
{
	return khob_bits_next(bits, first, end, false) == end;
}

#ifdef __cplusplus
}
#endif

#endif /* KHOB_CORE_BITS_H */
