// SPDX-License-Identifier: GPL-2.0-only
/*
 * Where in physical memory the bytes are that may be read: preserved pages, and blobs.
 */
#include "core/bits.h"
#include "face/face.h"

s64 khob_out_data_at(const char *name, u64 pos, u64 *pa)
{
	u64 end = khob_out_covered(pos);

	*pa = pos;
	return end > pos ? end - pos : -EFAULT;
}

/* Where the piece that holds @pa and may be read ends; 0 if it may not. */
static u64 khob_in_readable(u64 pa)
{
	const struct khob_span *s;
	unsigned int order;
	u64 nr, bit, start;

	if (!khob_in.got)
		return 0;
	s = khob_handover_span(khob_in.got, pa, pa + 1);
	if (!s)
		return 0;
	nr = PHYS_PFN(s->end - s->start);
	bit = PHYS_PFN(pa - s->start);
	if (!khob_bits_test(s->kept, bit))
		return 0;
	/* Clients of the kernel's own KHO may take any page at any time: ask for each. */
	if (khob_in.native && khob_native_holds(pa, &start, &order))
		return start + (PAGE_SIZE << order);
	if (khob_in.native && !khob_handover_metadata_blob(khob_in.got, pa))
		return 0;
	return s->start + PFN_PHYS(khob_in.native ? bit + 1 :
				   khob_bits_next(s->kept, bit, nr, false));
}

s64 khob_in_data_at(const char *name, u64 pos, u64 *pa)
{
	u64 end = khob_in_readable(pos);

	*pa = pos;
	return end > pos ? end - pos : -EFAULT;
}

s64 khob_out_sub_at(const char *name, u64 pos, u64 *pa)
{
	struct khob_subtree *sub = khob_out_subtree(name);

	if (!sub)
		return khob_refuse(-ENOENT, "there is no subtree %s", name);
	/* It is that module's memory, and may be half written. */
	if (sub->owner == KHOB_OWNER_CLIENT)
		return khob_refuse(-EPERM, "subtree %s belongs to another module", name);
	*pa = sub->pa + pos;
	return pos < sub->len ? sub->len - pos : 0;
}

s64 khob_out_sub_room(const char *name, u64 pos, u64 *pa)
{
	s64 room = khob_out_sub_at(name, pos, pa);

	if (room >= 0 && khob_out.frozen)
		return khob_refuse(-EBUSY, "put: a kernel is loaded; unload it first");
	return room ?: khob_refuse(-ENOSPC, "put: %s has no byte %llu", name, pos);
}

s64 khob_in_sub_at(const char *name, u64 pos, u64 *pa)
{
	struct khob_handed *sub = khob_in_subtree(name);

	if (!sub)
		return khob_refuse(-ENOENT, "the kernel before left no subtree %s", name);
	*pa = sub->pa + pos;
	return pos < sub->len ? sub->len - pos : 0;
}
