// SPDX-License-Identifier: GPL-2.0-only
// The generated C header has to compile on its own, without a warning.
#include "khob/abi.h"

_Static_assert(sizeof(struct khob_node) == KHOB_PAGE_SIZE, "a node is a page");
_Static_assert(KHOB_ABI_DEFAULT < KHOB_ABI_NR, "the default is a version");

__u64 first_chunk(const struct khob_meta *meta);

__u64 first_chunk(const struct khob_meta *meta)
{
	return meta->nr_chunks ? meta->chunks[0].addr : 0;
}
