// SPDX-License-Identifier: GPL-2.0-only
/*
 * Sets of small numbers as bitmaps: see bits.h.
 */
#include "bits.h"

/* The bits of word @word that belong to [@first, @end), which has some in it. */
static u64 khob_bits_mask(u64 word, u64 first, u64 end)
{
	u64 mask = U64_MAX;

	if (first > word * 64)
		mask <<= first % 64;
	if (end - word * 64 < 64)
		mask &= ~(U64_MAX << (end % 64));
	return mask;
}

void khob_bits_set(__u64 *bits, u64 first, u64 end)
{
	u64 word;

	for (word = first / 64; first < end && word <= (end - 1) / 64; word++)
		khob_store(&bits[word], bits[word] | khob_bits_mask(word, first, end));
}

void khob_bits_clear(__u64 *bits, u64 first, u64 end)
{
	u64 word;

	for (word = first / 64; first < end && word <= (end - 1) / 64; word++)
		khob_store(&bits[word], bits[word] & ~khob_bits_mask(word, first, end));
}

u64 khob_bits_next(const __u64 *bits, u64 from, u64 end, bool set)
{
	u64 word;

	for (word = from / 64; from < end && word <= (end - 1) / 64; word++) {
		u64 is = khob_load(&bits[word]);
		u64 found = (set ? is : ~is) & khob_bits_mask(word, from, end);

		if (found)
			return word * 64 + khob_first_bit(found);
	}
	return end;
}
