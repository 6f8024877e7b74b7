// SPDX-License-Identifier: GPL-2.0-only
/*
 * Contents that can be computed again from a seed: the test pattern of
 * out/preserve. khoctl verify has its own implementation, on purpose.
 */
#include "out/out.h"

static u64 khob_fill_word(u64 x)
{
	x = (x ^ (x >> 30)) * KHOB_FILL_M1;
	x = (x ^ (x >> 27)) * KHOB_FILL_M2;
	return x ^ (x >> 31);
}

/**
 * khob_fill() - fill memory of this module with the stream of (@seed, @index)
 * @pa: physical address, in the direct map
 * @bytes: a multiple of 8
 * @seed: chosen by the user
 * @index: of the folio; no two of one handover share it
 *
 * Return: the digest of what was written.
 */
u64 khob_fill(u64 pa, u64 bytes, u64 seed, u64 index)
{
	u64 *word = __va(pa);
	u64 state = seed + KHOB_FILL_GAMMA * (index << 32);
	u64 j;

	for (j = 0; j < bytes / sizeof(*word); j++) {
		state += KHOB_FILL_GAMMA;
		word[j] = khob_fill_word(state);
	}
	return khob_xxh64(word, bytes);
}
