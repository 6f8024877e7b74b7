// SPDX-License-Identifier: GPL-2.0-only
/*
 * Arrays of numbers of which nobody knows beforehand how many there will be.
 */
#include "mem/mem.h"

/* One more at the end. Return: 0 or -ENOMEM, and nothing changed. */
int khob_numbers_add(struct khob_numbers *numbers, u64 v)
{
	if (numbers->nr == numbers->room) {
		size_t room = max_t(size_t, 2 * numbers->room, 512);
		u64 *more = kvmalloc_array(room, sizeof(*more), GFP_KERNEL);

		if (!more)
			return -ENOMEM;
		if (numbers->v)
			memcpy(more, numbers->v, numbers->nr * sizeof(*more));
		kvfree(numbers->v);
		numbers->v = more;
		numbers->room = room;
	}
	numbers->v[numbers->nr++] = v;
	return 0;
}
