// SPDX-License-Identifier: GPL-2.0-only
/*
 * Reading a handover: the order in which it is believed, and what can be asked of it then.
 */
#include "bits.h"
#include "handover_parts.h"

int khob_damaged(struct khob_handover *h, const char *fmt, ...)
{
	va_list args;

	if (!h->why[0]) {
		va_start(args, fmt);
		vsnprintf(h->why, sizeof(h->why), fmt, args);
		va_end(args);
	}
	return -EBADMSG;
}

static void khob_swap_bytes(u8 *a, u8 *b, size_t size)
{
	while (size--) {
		u8 t = *a;

		*a++ = *b;
		*b++ = t;
	}
}

/* Lets the element at @root sink to where nothing below it is larger. */
static void khob_sink(u8 *base, u64 root, u64 nr, size_t size,
		      int (*cmp)(const void *a, const void *b))
{
	u64 child;

	for (; root < nr / 2; root = child) {
		child = 2 * root + 1;
		if (child + 1 < nr && cmp(base + child * size, base + (child + 1) * size) < 0)
			child++;
		if (cmp(base + root * size, base + child * size) >= 0)
			return;
		khob_swap_bytes(base + root * size, base + child * size, size);
	}
}

/* A heap sort: no order of what another kernel wrote makes it slow. */
void khob_sort(void *base, u64 nr, size_t size, int (*cmp)(const void *a, const void *b))
{
	u64 i;

	for (i = nr / 2; i--;)
		khob_sink(base, i, nr, size, cmp);
	for (i = nr; i-- > 1;) {
		khob_swap_bytes(base, (u8 *)base + i * size, size);
		khob_sink(base, 0, i, size, cmp);
	}
}

struct khob_span *khob_handover_span(const struct khob_handover *h, u64 start, u64 end)
{
	u64 from = 0, to = h->nr_spans;

	if (start >= end)
		return NULL;
	while (from < to) {
		u64 at = from + (to - from) / 2;
		struct khob_span *s = &h->spans[at];

		if (start >= s->end)
			from = at + 1;
		else if (start < s->start)
			to = at;
		else
			return end <= s->end ? s : NULL;
	}
	return NULL;
}

bool khob_handover_kept(const struct khob_handover *h, u64 start, u64 end)
{
	struct khob_span *s = khob_handover_span(h, start, end);

	return s && khob_bits_all(s->kept, (start - s->start) >> KHOB_PAGE_SHIFT,
				  ((end - 1 - s->start) >> KHOB_PAGE_SHIFT) + 1);
}

struct khob_handed *khob_handover_subtree(const struct khob_handover *h, const char *name)
{
	u64 i;

	for (i = 0; i < h->nr_subtrees; i++)
		if (!h->subtrees[i].gone && !strcmp(h->subtrees[i].name, name))
			return &h->subtrees[i];
	return NULL;
}

struct khob_handed *khob_handover_blob(const struct khob_handover *h, u64 start, u64 end)
{
	u64 from = 0, to = h->nr_subtrees;

	/* The last one that begins below @end: they are apart, or were refused for it. */
	while (from < to) {
		u64 at = from + (to - from) / 2;

		if (h->subtrees[at].start < end)
			from = at + 1;
		else
			to = at;
	}
	while (from-- > 0) {
		struct khob_handed *sub = &h->subtrees[from];

		if (!sub->gone)
			return sub->end > start ? sub : NULL;
	}
	return NULL;
}

bool khob_handover_find_plain(struct khob_handover *h, u64 start, u64 end)
{
	u64 from = 0, to = U64_MAX, i;

	for (i = 0; i < h->nr_subtrees; i++) {
		const struct khob_handed *sub = &h->subtrees[i];

		if (sub->end <= start)
			from = sub->end > from ? sub->end : from;
		else if (sub->start >= end)
			to = sub->start < to ? sub->start : to;
		else
			return false;
	}
	h->plain_start = from;
	h->plain_end = to;
	return start < end;
}

bool khob_internal_name(const char *name)
{
	return !strcmp(name, KHOB_META_NAME) || !strcmp(name, KHOB_RECORDS_NAME) ||
	       !strcmp(name, KHOB_KEXEC_METADATA_NAME);
}

bool khob_key_at(const struct khob_radix *tree, u64 pa, unsigned int *order)
{
	unsigned int o;
	u64 key;

	/* Once an address is not aligned to an order, it is to none above. */
	for (o = 0; o <= KHOB_ORDER_MAX && !khob_key_encode(pa, o, &key); o++) {
		if (khob_radix_has(tree, key)) {
			*order = o;
			return true;
		}
	}
	return false;
}

static int khob_handover_all(struct khob_handover *h, u64 setup_data)
{
	int ret;

	/* What memory it is about, by the loader's word and this kernel's. */
	ret = khob_handover_chain(h, setup_data);
	/* The root FDT, and what a kho_bridge says of the rest. */
	if (!ret)
		ret = khob_handover_fdt(h);
	/* Where this kernel's own KHO took it, the memory is what that holds. */
	if (!ret && h->ops->held)
		ret = khob_handover_held(h);
	if (!ret)
		ret = khob_handover_place(h);
	if (!ret)
		ret = khob_handover_records(h);
	if (!ret)
		ret = khob_handover_others(h);
	if (!ret)
		ret = khob_handover_tree(h);
	if (!ret)
		ret = khob_handover_keep(h);
	if (!ret && !h->ops->held)
		ret = khob_handover_prove_edges(h);
	if (!ret)
		ret = khob_handover_metadata(h);
	return ret;
}

/* Frees all but the spans, and forgets it. */
static void khob_handover_strip(struct khob_handover *h)
{
	size_t kept = offsetof(struct khob_handover, chain);

	if (h->tree_ready)
		khob_radix_destroy(&h->tree);
	if (h->others_ready)
		khob_radix_destroy(&h->others);
	h->ops->free(h->ctx, h->fdt);
	h->ops->free(h->ctx, h->subtrees);
	h->ops->free(h->ctx, h->meta);
	h->ops->free(h->ctx, h->records);
	memset((u8 *)h + kept, 0, sizeof(*h) - kept);
}

int khob_handover_read(u64 setup_data, const struct khob_handover_ops *ops, void *ctx,
		       struct khob_handover *h)
{
	int ret;

	memset(h, 0, sizeof(*h));
	h->ops = ops;
	h->ctx = ctx;
	ret = khob_handover_all(h, setup_data);
	if (!ret)
		return 0;
	/* Without a seal nobody knows for certain whose memory the intervals are. */
	if (ops->held || !h->chain.sealed)
		khob_handover_forget_spans(h);
	khob_handover_strip(h);
	return ret;
}

void khob_handover_free(struct khob_handover *h)
{
	if (!h->ops)
		return;
	khob_handover_forget_spans(h);
	khob_handover_strip(h);
	h->ops = NULL;
}
