// SPDX-License-Identifier: GPL-2.0-only
/*
 * Arrays of numbers of which nobody knows beforehand how many there will be. They lie in
 * blocks, so that none has to be moved, and none needs more than half a MiB in one
 * piece: a single allocation of more than INT_MAX bytes is refused, and there are
 * hundreds of millions of keys where hundreds of GiB go along page by page.
 */
#include "mem/mem.h"

#define KHOB_NUMBERS_BLOCK 65536

static int khob_numbers_grow(struct khob_numbers *numbers)
{
	if (numbers->nr_blocks == numbers->room) {
		size_t room = max_t(size_t, 2 * numbers->room, 64);
		u64 **more = kvmalloc_array(room, sizeof(*more), GFP_KERNEL);

		if (!more)
			return -ENOMEM;
		if (numbers->blocks)
			memcpy(more, numbers->blocks, numbers->nr_blocks * sizeof(*more));
		kvfree(numbers->blocks);
		numbers->blocks = more;
		numbers->room = room;
	}
	numbers->blocks[numbers->nr_blocks] = kvmalloc_array(KHOB_NUMBERS_BLOCK, sizeof(u64),
							     GFP_KERNEL);
	if (!numbers->blocks[numbers->nr_blocks])
		return -ENOMEM;
	numbers->nr_blocks++;
	return 0;
}

/* One more at the end. Return: 0 or -ENOMEM, and nothing changed. */
int khob_numbers_add(struct khob_numbers *numbers, u64 v)
{
	if (numbers->nr == (u64)numbers->nr_blocks * KHOB_NUMBERS_BLOCK) {
		int ret = khob_numbers_grow(numbers);

		if (ret)
			return ret;
	}
	numbers->nr++;
	*khob_numbers_at(numbers, numbers->nr - 1) = v;
	return 0;
}

/* The one of that index; NULL behind the last. */
u64 *khob_numbers_at(const struct khob_numbers *numbers, u64 i)
{
	if (i >= numbers->nr)
		return NULL;
	return &numbers->blocks[i / KHOB_NUMBERS_BLOCK][i % KHOB_NUMBERS_BLOCK];
}

/* As many from that index on as lie next to each other, in *@nr; NULL behind the last. */
const u64 *khob_numbers_run(const struct khob_numbers *numbers, u64 i, u64 *nr)
{
	*nr = min_t(u64, numbers->nr - min(i, numbers->nr),
		    KHOB_NUMBERS_BLOCK - i % KHOB_NUMBERS_BLOCK);
	return khob_numbers_at(numbers, i);
}

/* Leaves an empty one. */
void khob_numbers_free(struct khob_numbers *numbers)
{
	size_t i;

	for (i = 0; i < numbers->nr_blocks; i++)
		kvfree(numbers->blocks[i]);
	kvfree(numbers->blocks);
	*numbers = (struct khob_numbers){};
}
