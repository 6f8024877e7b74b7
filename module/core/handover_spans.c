// SPDX-License-Identifier: GPL-2.0-only
/*
 * The memory that was handed over: intervals of the setup_data chain, which the loader had
 * this kernel's boot code reserve. What the loader says is compared with its seal, and each
 * interval with what this kernel knows of the memory.
 */
#include "bits.h"
#include "handover_parts.h"

/* While the chain is read. */
struct khob_chain_reader {
	struct khob_handover *h;
	u64 room;
};

void khob_handover_forget_spans(struct khob_handover *h)
{
	u64 i;

	for (i = 0; i < h->nr_spans; i++) {
		h->ops->free(h->ctx, h->spans[i].keyed);
		h->ops->free(h->ctx, h->spans[i].noded);
		h->ops->free(h->ctx, h->spans[i].kept);
	}
	h->ops->free(h->ctx, h->spans);
	h->spans = NULL;
	h->near = NULL;
	h->nr_spans = 0;
}

/* One more, behind the others. @room: how many fit; 0 at first. */
int khob_handover_add_span(struct khob_handover *h, u64 *room, u64 start, u64 end)
{
	struct khob_span *s;

	if (h->nr_spans == *room) {
		u64 want = *room ? 2 * *room : 64;
		struct khob_span *more = h->ops->alloc(h->ctx, want * sizeof(*more));

		if (!more)
			return -ENOMEM;
		if (h->nr_spans)
			memcpy(more, h->spans, h->nr_spans * sizeof(*more));
		h->ops->free(h->ctx, h->spans);
		h->spans = more;
		h->near = NULL;
		*room = want;
	}
	s = &h->spans[h->nr_spans++];
	s->start = start;
	s->end = end;
	return 0;
}

/* Bitmaps for each, once all are there. */
int khob_handover_settle_spans(struct khob_handover *h)
{
	u64 i;

	for (i = 0; i < h->nr_spans; i++) {
		struct khob_span *s = &h->spans[i];
		u64 bytes = sizeof(u64) * khob_bits_words((s->end - s->start) >> KHOB_PAGE_SHIFT);
		int ret = h->ops->pause(h->ctx);

		if (ret)
			return ret;
		s->keyed = h->ops->alloc(h->ctx, bytes);
		s->noded = h->ops->alloc(h->ctx, bytes);
		s->kept = h->ops->alloc(h->ctx, bytes);
		if (!s->keyed || !s->noded || !s->kept)
			return -ENOMEM;
	}
	return 0;
}

static int khob_chain_read_op(void *ctx, u64 pa, void *to, size_t len)
{
	struct khob_chain_reader *reader = ctx;

	return reader->h->ops->read(reader->h->ctx, pa, to, len);
}

static int khob_chain_range_op(void *ctx, u64 start, u64 end)
{
	struct khob_chain_reader *reader = ctx;
	struct khob_handover *h = reader->h;

	if (h->ops->held)
		return khob_damaged(h, "there are intervals though the kernel took it over itself");
	/* khob_chain_read() has seen to it that they ascend, apart from each other. */
	return khob_handover_add_span(h, &reader->room, start, end);
}

static const struct khob_chain_ops khob_chain_ops = {
	.read = khob_chain_read_op,
	.range = khob_chain_range_op,
};

/* Whether the chain is the one that the loader has sealed. */
static int khob_check_seal(struct khob_handover *h)
{
	const struct khob_seal *seal = &h->chain.seal;
	struct khob_chunk *all;
	u64 digest, i;

	if (!h->chain.sealed)
		return 0;
	if (seal->kho_digest != khob_xxh64(&h->chain.kho, sizeof(h->chain.kho)))
		return khob_damaged(h, "setup_data chain: where the root FDT is was not sealed so");
	if (seal->nr_intervals != h->nr_spans)
		return khob_damaged(h, "setup_data chain: %llu intervals, %u were sealed",
				    KHOB_LL(h->nr_spans), seal->nr_intervals);
	all = h->ops->alloc(h->ctx, (h->nr_spans + 1) * sizeof(*all));
	if (!all)
		return -ENOMEM;
	for (i = 0; i < h->nr_spans; i++) {
		all[i].addr = h->spans[i].start;
		all[i].size = h->spans[i].end - h->spans[i].start;
	}
	digest = khob_xxh64(all, h->nr_spans * sizeof(*all));
	h->ops->free(h->ctx, all);
	if (digest != seal->intervals_digest)
		return khob_damaged(h, "setup_data chain: the intervals are not those sealed");
	return 0;
}

static int khob_prove_intervals(struct khob_handover *h)
{
	const char *why = "it may not be used";
	u64 i;
	int ret;

	for (i = 0; i < h->nr_spans; i++) {
		const struct khob_span *s = &h->spans[i];

		ret = h->ops->pause(h->ctx);
		if (ret)
			return ret;
		ret = h->ops->interval(h->ctx, s->start, s->end, &why);
		if (ret)
			return khob_damaged(h, "interval 0x%llx-0x%llx: %s", KHOB_LL(s->start),
					    KHOB_LL(s->end), why);
	}
	return 0;
}

/* From the setup_data chain to spans that are proven. */
int khob_handover_chain(struct khob_handover *h, u64 setup_data)
{
	struct khob_chain_reader reader = { .h = h };
	int ret;

	ret = khob_chain_read(setup_data, &khob_chain_ops, &reader, &h->chain);
	if (ret == -ENOENT)
		ret = khob_damaged(h, "the setup_data chain holds no SETUP_KEXEC_KHO node");
	else if (ret == -EINVAL)
		ret = khob_damaged(h, "setup_data chain: %s (node at 0x%llx)",
				   h->chain.why ? h->chain.why : "unreadable",
				   KHOB_LL(h->chain.bad_pa));
	if (!ret)
		ret = khob_check_seal(h);
	h->chain_sound = !ret;
	if (!ret)
		ret = khob_prove_intervals(h);
	if (ret) {
		khob_handover_forget_spans(h);
		return ret;
	}
	return khob_handover_settle_spans(h);
}

/*
 * The loader begins an interval with a preserved page and ends it with one: whatever is
 * before or behind is not what it had reserved.
 */
int khob_handover_prove_edges(struct khob_handover *h)
{
	u64 i;

	for (i = 0; i < h->nr_spans; i++) {
		const struct khob_span *s = &h->spans[i];
		u64 last = ((s->end - s->start) >> KHOB_PAGE_SHIFT) - 1;
		bool begins = khob_bits_test(s->keyed, 0);

		if (!begins || !khob_bits_test(s->keyed, last))
			return khob_damaged(h, "interval 0x%llx-0x%llx: its %s is not preserved",
					    KHOB_LL(s->start), KHOB_LL(s->end),
					    begins ? "last page" : "first page");
	}
	return 0;
}
