// SPDX-License-Identifier: GPL-2.0-only
/*
 * What of a handover is kept: data pages and blobs. All else in the intervals has done
 * its work when the description is complete.
 */
#include "bits.h"
#include "handover_parts.h"

static int khob_keep_subtree(struct khob_handover *h, struct khob_handed *sub)
{
	struct khob_span *s = khob_handover_span(h, sub->start, sub->end);
	u64 bit, end;

	if (!s)
		return khob_damaged(h, "subtree %s leaves its interval", sub->name);
	bit = (sub->start - s->start) >> KHOB_PAGE_SHIFT;
	end = (sub->end - s->start) >> KHOB_PAGE_SHIFT;
	if (h->ops->held && !khob_bits_all(s->keyed, bit, end)) {
		/* Clients of the kernel's have some of it: with that, it is no blob any more. */
		sub->gone = true;
		return 0;
	}
	if (!khob_bits_all(s->keyed, bit, end))
		return khob_damaged(h, "subtree %s is not all preserved", sub->name);
	if (sub->own_pages && sub->own_pages != end - bit)
		return khob_damaged(h, "subtree %s is only half metadata", sub->name);
	if (khob_bits_any(s->kept, bit, end))
		return khob_damaged(h, "subtree %s shares pages with another", sub->name);
	khob_bits_set(s->kept, bit, end);
	return 0;
}

/* Whether a page is a node or the root FDT: a kernel without a kho_bridge preserves them so. */
static bool khob_is_metadata(const struct khob_handover *h, const struct khob_span *s, u64 pa,
			     u64 end)
{
	const struct khob_kho_data *kho = &h->chain.kho;

	return khob_bits_any(s->noded, (pa - s->start) >> KHOB_PAGE_SHIFT,
			     (end - s->start) >> KHOB_PAGE_SHIFT) ||
	       (pa < kho->fdt_addr + kho->fdt_size && end > kho->fdt_addr);
}

static int khob_keep_key(void *ctx, u64 key)
{
	struct khob_handover *h = ctx;
	struct khob_span *s;
	unsigned int order;
	u64 pa, end, bit;

	if (khob_key_decode(key, &pa, &order))
		return -EINVAL;
	end = pa + ((u64)KHOB_PAGE_SIZE << order);
	s = khob_handover_span(h, pa, end);
	bit = (pa - s->start) >> KHOB_PAGE_SHIFT;
	/* A subtree's was kept with it. */
	if (khob_bits_test(s->kept, bit))
		return 0;
	if (khob_is_metadata(h, s, pa, end))
		return khob_radix_del(&h->tree, key);
	khob_bits_set(s->kept, bit, bit + ((u64)1 << order));
	h->pages += (u64)1 << order;
	h->orders[order]++;
	/* A look at signals now and then is enough. */
	return h->pages % 1024 ? 0 : h->ops->pause(h->ctx);
}

int khob_handover_keep(struct khob_handover *h)
{
	u64 i;
	int ret;

	for (i = 0; i < h->nr_subtrees; i++) {
		if (h->subtrees[i].gone)
			continue;
		ret = khob_keep_subtree(h, &h->subtrees[i]);
		if (ret)
			return ret;
	}
	return khob_radix_walk(&h->tree, 0, U64_MAX, khob_keep_key, h);
}
