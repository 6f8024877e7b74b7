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

static int khob_keep_key(struct khob_handover *h, u64 key)
{
	struct khob_span *s;
	unsigned int order;
	u64 pa, end, bit;

	if (khob_key_decode(key, &pa, &order))
		return -EINVAL;
	end = pa + ((u64)KHOB_PAGE_SIZE << order);
	s = khob_handover_near(h, pa, end);
	bit = (pa - s->start) >> KHOB_PAGE_SHIFT;
	/* A subtree's was kept with it. */
	if (khob_bits_test(s->kept, bit))
		return 0;
	if (khob_is_metadata(h, s, pa, end))
		return khob_radix_del(&h->tree, key);
	khob_bits_set(s->kept, bit, bit + ((u64)1 << order));
	h->pages += (u64)1 << order;
	h->orders[order]++;
	return 0;
}

/* Keeps those pages of order 0 that @word says, from @base on, if none of them is metadata. */
static bool khob_keep_word(struct khob_handover *h, u64 base, u64 word)
{
	const struct khob_kho_data *kho = &h->chain.kho;
	u64 pa, end, bit, more;
	struct khob_span *s;

	if (base >> KHOB_ORDER_0_BIT != 1)
		return false;
	pa = (base ^ (u64)1 << KHOB_ORDER_0_BIT) << KHOB_PAGE_SHIFT;
	end = pa + 64 * KHOB_PAGE_SIZE;
	s = khob_handover_near(h, pa, end);
	if (!s || (pa < kho->fdt_addr + kho->fdt_size && end > kho->fdt_addr))
		return false;
	bit = (pa - s->start) >> KHOB_PAGE_SHIFT;
	/* A subtree's was kept with it, and is none of the data. */
	more = word & ~khob_bits_get64(s->kept, bit);
	if (khob_bits_get64(s->noded, bit) & more)
		return false;
	khob_bits_or64(s->kept, bit, more);
	h->pages += khob_weight(more);
	h->orders[0] += khob_weight(more);
	return true;
}

/* All keys that differ from @key in the lowest six bits only. */
static int khob_keep_around(struct khob_handover *h, u64 key)
{
	u64 base = key & ~(u64)63, word = khob_radix_word(&h->tree, key);
	int ret = h->ops->pause(h->ctx);

	if (khob_keep_word(h, base, word))
		return ret;
	for (; !ret && word; word &= word - 1)
		ret = khob_keep_key(h, base + khob_first_bit(word));
	return ret;
}

int khob_handover_keep(struct khob_handover *h)
{
	u64 i, from, key;
	int ret = 0;

	for (i = 0; i < h->nr_subtrees; i++) {
		if (h->subtrees[i].gone)
			continue;
		ret = khob_keep_subtree(h, &h->subtrees[i]);
		if (ret)
			return ret;
	}
	for (from = 0; !ret && khob_radix_next(&h->tree, from, &key); from = (key | 63) + 1)
		ret = khob_keep_around(h, key);
	return ret;
}
