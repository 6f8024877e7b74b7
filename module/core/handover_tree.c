// SPDX-License-Identifier: GPL-2.0-only
/*
 * The tree of a handover: each node is copied before it is looked at, each key is asked
 * whether the page may be what it says.
 */
#include "bits.h"
#include "check.h"
#include "handover_parts.h"
#include "range.h"

/**
 * struct khob_tree_reader - one walk over a tree
 * @h: what is being read
 * @nodes: copies of the nodes from the root to where the walk is, one a level
 * @noded: note which pages of spans are nodes, and refuse one that is reached twice
 * @seen: the same of the metadata, a bit a page, where spans need not have all of it; or NULL
 * @first: for each piece of the metadata, how many pages those in front of it have
 * @ret: of ops->pause(), if that ended it
 * @runs: pages that this kernel's own KHO holds, as the walk came by (khob_handover_held())
 * @nr: how many runs
 * @room: how many fit
 */
struct khob_tree_reader {
	struct khob_handover *h;
	struct khob_node *nodes;
	bool noded;
	__u64 *seen;
	u64 *first;
	int ret;
	struct khob_chunk *runs;
	u64 nr;
	u64 room;
};

/* The first piece of metadata that ends behind @pa; how many there are, if none does. */
static u64 khob_chunk_from(const struct khob_handover *h, u64 pa)
{
	u64 from = 0, to = h->nr_chunks;

	while (from < to) {
		u64 at = from + (to - from) / 2;

		if (pa >= h->chunks[at].addr + h->chunks[at].size)
			from = at + 1;
		else
			to = at;
	}
	return from;
}

/* Whether a piece of metadata has a part in [@start, @end). */
static bool khob_meets_chunk(const struct khob_handover *h, u64 start, u64 end)
{
	u64 at = khob_chunk_from(h, start);

	return at < h->nr_chunks && h->chunks[at].addr < end;
}

/* Which piece of metadata holds @pa; how many there are, if none does. */
static u64 khob_chunk_at(const struct khob_handover *h, u64 pa)
{
	return khob_meets_chunk(h, pa, pa + 1) ? khob_chunk_from(h, pa) : h->nr_chunks;
}

/* Whether [@start, @end) is part of a piece of metadata. */
static bool khob_in_chunk(const struct khob_handover *h, u64 start, u64 end)
{
	u64 at = khob_chunk_at(h, start);

	return at < h->nr_chunks && end <= h->chunks[at].addr + h->chunks[at].size;
}

/* Room to note which pages of metadata were seen. Return: 0 or -ENOMEM. */
static int khob_seen_init(struct khob_tree_reader *reader)
{
	struct khob_handover *h = reader->h;
	u64 i, pages = 0;

	reader->first = h->ops->alloc(h->ctx, (h->nr_chunks + 1) * sizeof(*reader->first));
	if (!reader->first)
		return -ENOMEM;
	for (i = 0; i < h->nr_chunks; i++) {
		reader->first[i] = pages;
		pages += h->chunks[i].size >> KHOB_PAGE_SHIFT;
	}
	reader->seen = h->ops->alloc(h->ctx, sizeof(u64) * (khob_bits_words(pages) + 1));
	return reader->seen ? 0 : -ENOMEM;
}

/* Notes a node, in a piece of metadata. Return: whether it is the first time. */
static bool khob_see_first(const struct khob_tree_reader *reader, u64 pa)
{
	u64 at = khob_chunk_at(reader->h, pa), bit;

	bit = reader->first[at] + ((pa - reader->h->chunks[at].addr) >> KHOB_PAGE_SHIFT);
	if (khob_bits_test(reader->seen, bit))
		return false;
	khob_bits_set(reader->seen, bit, bit + 1);
	return true;
}

/* Whether this kernel's own KHO holds this very page now. */
static bool khob_is_held(const struct khob_handover *h, u64 pa, unsigned int order)
{
	unsigned int held;
	u64 start;

	return h->ops->held(h->ctx, pa, &start, &held) && start == pa && held == order;
}

/* khob_check_ops.node() of every walk. */
static const void *khob_copy_node(void *ctx, u64 pa, unsigned int level, const char **why)
{
	struct khob_tree_reader *reader = ctx;
	struct khob_handover *h = reader->h;
	struct khob_span *s = khob_handover_span(h, pa, pa + KHOB_PAGE_SIZE);
	u64 bit;

	reader->ret = h->ops->pause(h->ctx);
	if (reader->ret)
		return NULL;
	*why = "the node is in no covered interval";
	if (!s && !h->ops->held)
		return NULL;
	*why = "the node is outside the metadata";
	if (h->meta && !khob_in_chunk(h, pa, pa + KHOB_PAGE_SIZE))
		return NULL;
	*why = "the node is reached twice";
	if (reader->seen && !khob_see_first(reader, pa))
		return NULL;
	if (s && reader->noded) {
		bit = (pa - s->start) >> KHOB_PAGE_SHIFT;
		if (khob_bits_test(s->noded, bit))
			return NULL;
		khob_bits_set(s->noded, bit, bit + 1);
	}
	*why = "the node is in no memory that is held";
	if (h->ops->read(h->ctx, pa, &reader->nodes[level], KHOB_PAGE_SIZE))
		return NULL;
	return &reader->nodes[level];
}

/* @what: the tree's name in a sentence; @take: of the keys, as khob_check_ops has them */
static int khob_walk_handed(struct khob_tree_reader *reader, const char *what, u64 root_pa,
			    const struct khob_check_ops *take, struct khob_check_result *res)
{
	const struct khob_check_ops ops = {
		.node = khob_copy_node, .key = take->key, .word = take->word,
	};
	struct khob_handover *h = reader->h;
	/* Whatever the nodes say, a walk ends: more than these are not there. */
	const struct khob_check_limits limits = {
		.end_pa = h->ops->end_pa,
		.max_nodes = h->meta ? h->meta->nr_nodes : h->ops->end_pa >> KHOB_PAGE_SHIFT,
	};
	int ret = 0;

	reader->nodes = h->ops->alloc(h->ctx, KHOB_TREE_DEPTH * sizeof(*reader->nodes));
	/* There, what a span is comes out of a walk; and of a kho_bridge's tree it is known. */
	if (h->ops->held && h->meta)
		ret = khob_seen_init(reader);
	if (!reader->nodes)
		ret = -ENOMEM;
	if (!ret)
		ret = khob_check_tree(root_pa, &ops, reader, &limits, res);
	h->ops->free(h->ctx, reader->seen);
	h->ops->free(h->ctx, reader->first);
	h->ops->free(h->ctx, reader->nodes);
	reader->seen = NULL;
	reader->first = NULL;
	reader->nodes = NULL;
	if (reader->ret)
		return reader->ret;
	if (!ret || ret == -ENOMEM)
		return ret;
	return khob_damaged(h, "%s: %s (0x%llx, in a node of level %u)", what,
			    res->why ? res->why : "unreadable", KHOB_LL(res->bad_pa),
			    res->bad_level);
}

/* 1. What this kernel's own KHO holds of the tree's pages: that stands for intervals. */

static int khob_add_run(struct khob_tree_reader *reader, u64 pa, u64 size)
{
	struct khob_handover *h = reader->h;
	struct khob_chunk *last = reader->nr ? &reader->runs[reader->nr - 1] : NULL;

	if (last && last->addr + last->size == pa) {
		last->size += size;
		return 0;
	}
	if (reader->nr == reader->room) {
		u64 room = reader->room ? 2 * reader->room : 512;
		struct khob_chunk *more = h->ops->alloc(h->ctx, room * sizeof(*more));

		if (!more)
			return -ENOMEM;
		if (reader->nr)
			memcpy(more, reader->runs, reader->nr * sizeof(*more));
		h->ops->free(h->ctx, reader->runs);
		reader->runs = more;
		reader->room = room;
	}
	reader->runs[reader->nr].addr = pa;
	reader->runs[reader->nr++].size = size;
	return 0;
}

/* Others have restored what is not held, or will ask the kernel for it. */
static int khob_held_key(void *ctx, u64 pa, unsigned int order, const char **why)
{
	struct khob_tree_reader *reader = ctx;

	*why = "there is no memory to note it";
	if (!khob_is_held(reader->h, pa, order))
		return 0;
	return khob_add_run(reader, pa, (u64)KHOB_PAGE_SIZE << order);
}

static int khob_run_cmp(const void *a, const void *b)
{
	const struct khob_chunk *x = a, *y = b;

	if (x->addr == y->addr)
		return 0;
	return x->addr < y->addr ? -1 : 1;
}

static int khob_runs_to_spans(struct khob_tree_reader *reader)
{
	struct khob_handover *h = reader->h;
	u64 i, room = 0, start, end;
	int ret = 0;

	khob_sort(reader->runs, reader->nr, sizeof(*reader->runs), khob_run_cmp);
	for (i = 0; !ret && i < reader->nr;) {
		start = reader->runs[i].addr;
		end = start + reader->runs[i].size;
		for (i++; i < reader->nr && reader->runs[i].addr == end; i++)
			end += reader->runs[i].size;
		/* While the kernel holds a page it holds no other one in it. */
		if (i < reader->nr && reader->runs[i].addr < end)
			return khob_damaged(h, "tree: pages overlap at 0x%llx", KHOB_LL(end));
		ret = khob_handover_add_span(h, &room, start, end);
	}
	return ret ? ret : khob_handover_settle_spans(h);
}

int khob_handover_held(struct khob_handover *h)
{
	const struct khob_check_ops take = { .key = khob_held_key };
	struct khob_tree_reader reader = { .h = h };
	struct khob_check_result res;
	int ret;

	ret = khob_walk_handed(&reader, "tree", h->info.map_pa, &take, &res);
	if (!ret)
		ret = khob_runs_to_spans(&reader);
	h->ops->free(h->ctx, reader.runs);
	return ret;
}

/* 2. Keys that clients of the outgoing kernel's own KHO had preserved. */

static int khob_others_key(void *ctx, u64 pa, unsigned int order, const char **why)
{
	struct khob_tree_reader *reader = ctx;
	u64 key;
	int ret = khob_key_encode(pa, order, &key);

	*why = "the page's key cannot be kept";
	return ret ? ret : khob_radix_add(&reader->h->others, key);
}

int khob_handover_others(struct khob_handover *h)
{
	const struct khob_check_ops take = { .key = khob_others_key };
	struct khob_tree_reader reader = { .h = h, .noded = true };
	struct khob_check_result res;
	int ret;

	ret = khob_radix_init(&h->others, h->ops->nodes, h->ctx, 0);
	if (ret)
		return ret;
	h->others_ready = true;
	if (!h->meta || !h->meta->others_root)
		return 0;
	ret = khob_walk_handed(&reader, "others' tree", h->meta->others_root, &take, &res);
	if (!ret && res.digest != h->meta->others_digest)
		ret = khob_damaged(h, "others' tree: it is not what was handed over");
	return ret;
}

/* 3. The tree. */

static int khob_take_key(void *ctx, u64 pa, unsigned int order, const char **why)
{
	struct khob_tree_reader *reader = ctx;
	struct khob_handover *h = reader->h;
	u64 nr = (u64)1 << order, end = pa + nr * KHOB_PAGE_SIZE, bit, key;
	struct khob_span *s = khob_handover_near(h, pa, end);
	struct khob_handed *sub;
	int ret;

	*why = "the page's key cannot be kept";
	ret = khob_key_encode(pa, order, &key);
	if (ret)
		return ret;
	if (h->ops->held) {
		if (khob_radix_has(&h->others, key))
			return 0;
		if (!s || !khob_is_held(h, pa, order)) {
			if (!khob_in_chunk(h, pa, end))
				h->restored_pages += nr;
			return 0;
		}
	}
	*why = "the page is in no covered interval";
	if (!s)
		return -EBADMSG;
	bit = (pa - s->start) >> KHOB_PAGE_SHIFT;
	*why = "the page is preserved twice";
	if (khob_bits_any(s->keyed, bit, bit + nr))
		return -EBADMSG;
	khob_bits_set(s->keyed, bit, bit + nr);
	if (khob_in_chunk(h, pa, end))
		return 0;
	/* A blob's last page may belong to a larger order: keep all of it. */
	sub = khob_handover_blob(h, pa, end);
	if (sub) {
		sub->start = sub->start < pa ? sub->start : pa;
		sub->end = sub->end > end ? sub->end : end;
		sub->own_pages += nr;
	}
	*why = "the page's key cannot be kept";
	return khob_radix_add(&h->tree, key);
}

/* Pages with nothing but data in them, and nothing against them: khob_take_key() for many. */
static bool khob_take_word(void *ctx, u64 pa, u64 bits)
{
	struct khob_tree_reader *reader = ctx;
	struct khob_handover *h = reader->h;
	u64 end = pa + 64 * KHOB_PAGE_SIZE, bit;
	struct khob_span *s = khob_handover_near(h, pa, end);

	if (h->ops->held || !s || khob_meets_chunk(h, pa, end) || khob_handover_blob(h, pa, end))
		return false;
	bit = (pa - s->start) >> KHOB_PAGE_SHIFT;
	if (khob_bits_get64(s->keyed, bit) & bits ||
	    khob_radix_add_word(&h->tree, (u64)1 << KHOB_ORDER_0_BIT | pa >> KHOB_PAGE_SHIFT, bits))
		return false;
	khob_bits_or64(s->keyed, bit, bits);
	return true;
}

int khob_handover_tree(struct khob_handover *h)
{
	const struct khob_check_ops take = { .key = khob_take_key, .word = khob_take_word };
	struct khob_tree_reader reader = { .h = h, .noded = true };
	struct khob_check_result res;
	int ret;

	ret = khob_radix_init(&h->tree, h->ops->nodes, h->ctx, 0);
	if (ret)
		return ret;
	h->tree_ready = true;
	ret = khob_walk_handed(&reader, "tree", h->info.map_pa, &take, &res);
	if (ret || !h->meta)
		return ret;
	if (res.digest != h->meta->tree_digest || res.nr_keys != h->meta->nr_keys ||
	    res.nr_nodes != h->meta->nr_nodes)
		return khob_damaged(h, "tree: %llu keys, %llu nodes, sum %llx, not %llu %llu %llx",
				    KHOB_LL(res.nr_keys), KHOB_LL(res.nr_nodes),
				    KHOB_LL(res.digest), KHOB_LL(h->meta->nr_keys),
				    KHOB_LL(h->meta->nr_nodes), KHOB_LL(h->meta->tree_digest));
	return 0;
}
