// SPDX-License-Identifier: GPL-2.0-only
/*
 * The outgoing tree. Its nodes come from the metadata arena, whose chunks are
 * preserved in the tree itself: that is what makes the tree readable in the
 * next kernel at any time. Since a node may need a new chunk while a key is
 * being added, a chunk's own keys are added afterwards (khob_out_settle()).
 */
#include "khob.h"

struct khob_out khob_out = {
	.abi = KHOB_ABI_DEFAULT,
};

static void *khob_out_alloc_node(void *ctx, u64 *pa)
{
	*pa = khob_arena_alloc(&khob_out.meta, PAGE_SIZE, true);
	if (!*pa)
		return NULL;
	clear_page(__va(*pa));
	return __va(*pa);
}

static void khob_out_free_node(void *ctx, void *node, u64 pa)
{
	khob_arena_free(&khob_out.meta, pa, PAGE_SIZE);
}

static void *khob_out_map_node(void *ctx, u64 pa)
{
	return __va(pa);
}

static const struct khob_radix_ops khob_out_ops = {
	.alloc_node = khob_out_alloc_node,
	.free_node = khob_out_free_node,
	.map_node = khob_out_map_node,
};

void khob_out_init(void)
{
	BUILD_BUG_ON(PAGE_SIZE != KHOB_PAGE_SIZE);
	khob_arena_init(&khob_out.data);
	khob_arena_init(&khob_out.meta);
	xa_init(&khob_out.folios);
	INIT_LIST_HEAD(&khob_out.subtrees);
	INIT_LIST_HEAD(&khob_out.scratch);
	INIT_LIST_HEAD(&khob_out.bufs);
}

/* Makes the tree if there is none: while nothing is preserved, nothing is allocated. */
int khob_out_tree_get(void)
{
	int ret;

	lockdep_assert_held(&khob_lock);
	if (khob_out.tree_ready)
		return 0;
	ret = khob_radix_init(&khob_out.tree, &khob_out_ops, NULL);
	if (ret) {
		khob_arena_trim(&khob_out.meta, NULL);
		return ret;
	}
	khob_out.tree_ready = true;
	return 0;
}

/**
 * khob_out_add_key() - a key in our tree, and on a kernel with KHO in its tree as well
 * @key: khob_out_settle() has to follow, once for any number of keys
 *
 * Return: 0; -EEXIST; -ENOMEM; -EINVAL for what is no page's key.
 */
int khob_out_add_key(u64 key)
{
	unsigned int order;
	u64 pa;
	int ret;

	lockdep_assert_held(&khob_lock);
	ret = khob_radix_add(&khob_out.tree, key);
	if (ret || !khob_native_source())
		return ret;
	ret = khob_key_decode(key, &pa, &order);
	if (!ret)
		ret = khob_native_preserve(pa, order);
	if (ret)
		khob_radix_del(&khob_out.tree, key);
	return ret;
}

/* Undoes khob_out_add_key(); a key that is not there is none of the kernel's either. */
void khob_out_del_key(u64 key)
{
	unsigned int order;
	u64 pa;

	lockdep_assert_held(&khob_lock);
	if (!khob_radix_del(&khob_out.tree, key) && khob_native_source() &&
	    !khob_key_decode(key, &pa, &order))
		khob_native_unpreserve(pa, order);
}

static int khob_out_add_piece(void *ctx, u64 pa, unsigned int order)
{
	u64 *done = ctx;
	u64 key;
	int ret;

	ret = khob_key_encode(pa, order, &key);
	if (!ret)
		ret = khob_out_add_key(key);
	if (!ret)
		*done = pa + (KHOB_PAGE_SIZE << order);
	return ret;
}

static int khob_out_del_piece(void *ctx, u64 pa, unsigned int order)
{
	u64 key;

	if (!khob_key_encode(pa, order, &key))
		khob_out_del_key(key);
	return 0;
}

static void khob_out_del_pieces(u64 start, u64 end)
{
	if (start < end)
		khob_range_split(start, end, KHOB_BUDDY_ORDER_MAX, khob_out_del_piece, NULL);
}

/*
 * All keys of a range or none of them. A prefix of a split range that ends at
 * a piece's end splits into the same pieces, so the undo finds its keys.
 */
static int khob_out_add_pieces(u64 start, u64 end)
{
	u64 done = start;
	int ret;

	ret = khob_range_split(start, end, KHOB_BUDDY_ORDER_MAX, khob_out_add_piece, &done);
	if (ret)
		khob_out_del_pieces(start, done);
	return ret;
}

/**
 * khob_out_settle() - preserve the metadata chunks that are not yet
 *
 * Adding a chunk's keys may make nodes, and those a chunk at the list's end,
 * which this loop then reaches. Return: 0 or -ENOMEM; it can be called again.
 */
int khob_out_settle(void)
{
	struct khob_mem_chunk *chunk;

	list_for_each_entry(chunk, &khob_out.meta.chunks, list) {
		u64 start = PFN_PHYS(chunk->pfn);
		int ret;

		if (chunk->preserved)
			continue;
		ret = khob_out_add_pieces(start, start + PFN_PHYS(chunk->nr));
		if (ret)
			return ret;
		chunk->preserved = true;
	}
	return 0;
}

static bool khob_out_drop_chunk(struct khob_mem_chunk *chunk)
{
	u64 start = PFN_PHYS(chunk->pfn);

	if (chunk->preserved)
		khob_out_del_pieces(start, start + PFN_PHYS(chunk->nr));
	return true;
}

/* Whether there is nothing to hand over: the tree then holds only its own memory. */
bool khob_out_empty(void)
{
	return !khob_out.nr_folios && !khob_out.nr_subtrees && !khob_out.frozen;
}

/* The tree's own memory is not preserved any more, and then there is no tree. */
static void khob_out_tree_put(void)
{
	struct khob_mem_chunk *chunk;

	if (!khob_out.tree_ready)
		return;
	list_for_each_entry(chunk, &khob_out.meta.chunks, list)
		khob_out_drop_chunk(chunk);
	khob_radix_destroy(&khob_out.tree);
	khob_out.tree_ready = false;
}

/* Gives back memory that no longer holds anything. */
void khob_out_trim(void)
{
	lockdep_assert_held(&khob_lock);
	khob_arena_trim(&khob_out.data, NULL);
	if (khob_out_empty()) {
		khob_out_tree_put();
		khob_arena_trim(&khob_out.meta, NULL);
		return;
	}
	khob_arena_trim(&khob_out.meta, khob_out_drop_chunk);
}

/**
 * khob_out_preserve_range() - keys for [@start, @end), largest orders first
 * @start: physical address, page aligned
 * @end: exclusive, page aligned
 *
 * Return: 0; -EEXIST if a key is there already; -ENOMEM; then nothing changed.
 */
int khob_out_preserve_range(u64 start, u64 end)
{
	int ret;

	lockdep_assert_held(&khob_lock);
	ret = khob_out_tree_get();
	if (!ret)
		ret = khob_out_add_pieces(start, end);
	if (ret)
		return ret;
	ret = khob_out_settle();
	if (ret)
		khob_out_del_pieces(start, end);
	return ret;
}

void khob_out_unpreserve_range(u64 start, u64 end)
{
	lockdep_assert_held(&khob_lock);
	khob_out_del_pieces(start, end);
}

/* One key of one page; as khob_out_preserve_range(), but of this very order. */
int khob_out_add_page(u64 pa, unsigned int order)
{
	u64 key, done;
	int ret;

	lockdep_assert_held(&khob_lock);
	ret = khob_key_encode(pa, order, &key);
	if (!ret)
		ret = khob_out_tree_get();
	if (!ret)
		ret = khob_out_add_piece(&done, pa, order);
	if (ret)
		return ret;
	ret = khob_out_settle();
	if (ret)
		khob_out_del_key(key);
	return ret;
}

void khob_out_del_page(u64 pa, unsigned int order)
{
	khob_out_del_piece(NULL, pa, order);
}

/* The ABI version that the next freeze writes. */
int khob_out_set_abi(const char *name)
{
	enum khob_abi abi = khob_abi_from_compatible(name);

	lockdep_assert_held(&khob_lock);
	if (abi == KHOB_ABI_NR)
		return khob_refuse(-EINVAL, "abi: no version \"%s\" in the schema", name);
	if (khob_out.frozen)
		return khob_refuse(-EBUSY, "abi: a kernel is loaded; unload it first");
	khob_out.abi = abi;
	return 0;
}

/* Whether a key of our tree covers @pa. Return: where that key's page ends, or 0. */
u64 khob_out_covered(u64 pa)
{
	unsigned int order;

	lockdep_assert_held(&khob_lock);
	for (order = 0; khob_out.tree_ready && order <= KHOB_ORDER_MAX; order++) {
		u64 start = ALIGN_DOWN(pa, KHOB_PAGE_SIZE << order), key;

		if (!khob_key_encode(start, order, &key) && khob_radix_has(&khob_out.tree, key))
			return start + (KHOB_PAGE_SIZE << order);
	}
	return 0;
}
