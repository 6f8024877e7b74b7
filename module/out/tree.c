// SPDX-License-Identifier: GPL-2.0-only
/*
 * The outgoing tree. Its nodes come from the metadata arena, whose chunks are
 * preserved in the tree itself: that is what makes the tree readable in the
 * next kernel at any time. Since a node may need a new chunk while a key is
 * being added, a chunk's own keys are added afterwards (khob_out_settle()).
 */
#include "out/out.h"
#include "out/regions.h"

struct khob_out khob_out = {
	.abi = KHOB_ABI_DEFAULT,
};

/* For the metadata arena where khob_lock is held for reading only. */
static DEFINE_MUTEX(khob_nodes_lock);

static void *khob_out_alloc_node(void *ctx, u64 *pa)
{
	unsigned long pages;

	guard(mutex)(&khob_nodes_lock);
	pages = khob_out.meta.nr_pages;
	*pa = khob_arena_alloc(&khob_out.meta, PAGE_SIZE, true);
	if (khob_out.meta.nr_pages != pages)
		WRITE_ONCE(khob_out.unsettled, true);
	return *pa ? __va(*pa) : NULL;
}

static void khob_out_free_node(void *ctx, void *node, u64 pa)
{
	khob_regions_forget(node);

	guard(mutex)(&khob_nodes_lock);
	if (khob_arena_free(&khob_out.meta, pa, PAGE_SIZE))
		WRITE_ONCE(khob_out.slack, true);
}

static const struct khob_radix_ops khob_out_ops = {
	.alloc_node = khob_out_alloc_node,
	.free_node = khob_out_free_node,
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
	khob_regions_init();
	khob_native_init();
}

/* Makes the tree if there is none: while nothing is preserved, nothing is allocated. */
int khob_out_tree_get(void)
{
	int ret;

	lockdep_assert_held_write(&khob_lock);
	if (khob_out.tree_ready)
		return 0;
	ret = khob_owners_init();
	if (ret)
		return ret;
	ret = khob_radix_init(&khob_out.tree, &khob_out_ops, NULL, KHOB_RADIX_SHARED);
	if (ret) {
		khob_owners_destroy();
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

	lockdep_assert_held_write(&khob_lock);
	ret = khob_key_decode(key, &pa, &order);
	if (ret)
		return ret;
	khob_regions_note(PHYS_PFN(pa), 1UL << order);
	ret = khob_radix_add(&khob_out.tree, key);
	if (ret || !khob_native_source())
		return ret;
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

	lockdep_assert_held_write(&khob_lock);
	if (!khob_radix_del(&khob_out.tree, key) && khob_native_source() &&
	    !khob_key_decode(key, &pa, &order))
		khob_native_unpreserve(pa, order);
}

static int khob_out_native_add(void *ctx, u64 pa, unsigned int order)
{
	u64 *done = ctx;
	int ret;

	cond_resched();
	ret = khob_native_preserve(pa, order);
	if (!ret)
		*done += 1ULL << order;
	return ret;
}

static int khob_out_native_del(void *ctx, u64 pa, unsigned int order)
{
	cond_resched();
	khob_native_unpreserve(pa, order);
	return 0;
}

/* Undoes khob_out_add_range(); of a range that is not there nothing is deleted. */
void khob_out_del_range(unsigned long pfn, unsigned long nr)
{
	lockdep_assert_held(&khob_lock);
	if (!khob_radix_del_range(&khob_out.tree, pfn, nr, KHOB_BUDDY_ORDER_MAX) &&
	    khob_native_source())
		khob_range_split(pfn, nr, KHOB_BUDDY_ORDER_MAX, khob_out_native_del, NULL);
}

/**
 * khob_out_add_range() - keys for pages [@pfn, @pfn + @nr), largest orders first
 * @pfn: the first
 * @nr: how many, > 0; khob_out_settle() has to follow if khob_out.unsettled is set
 *
 * Context: process, khob_lock held; for reading if the source is not native.
 *
 * Return: 0; -EEXIST if a key is there already; -ENOMEM; then nothing changed.
 */
int khob_out_add_range(unsigned long pfn, unsigned long nr)
{
	u64 done = 0;
	int ret;

	lockdep_assert_held(&khob_lock);
	khob_regions_note(pfn, nr);
	ret = khob_radix_add_range(&khob_out.tree, pfn, nr, KHOB_BUDDY_ORDER_MAX);
	if (ret || !khob_native_source())
		return ret;
	/* What ends where a piece ended splits into the same pieces, for the undo. */
	ret = khob_range_split(pfn, nr, KHOB_BUDDY_ORDER_MAX, khob_out_native_add, &done);
	if (ret) {
		khob_radix_del_range(&khob_out.tree, pfn, nr, KHOB_BUDDY_ORDER_MAX);
		if (done)
			khob_range_split(pfn, done, KHOB_BUDDY_ORDER_MAX, khob_out_native_del,
					 NULL);
	}
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

	lockdep_assert_held_write(&khob_lock);
	list_for_each_entry(chunk, &khob_out.meta.chunks, list) {
		int ret;

		if (chunk->preserved)
			continue;
		ret = khob_out_add_range(chunk->pfn, chunk->nr);
		if (ret)
			return ret;
		chunk->preserved = true;
	}
	khob_out.unsettled = false;
	return 0;
}

static bool khob_out_drop_chunk(struct khob_mem_chunk *chunk)
{
	if (chunk->preserved)
		khob_out_del_range(chunk->pfn, chunk->nr);
	return true;
}

/* Whether there is nothing to hand over: the tree then holds only its own memory. */
bool khob_out_empty(void)
{
	return !khob_out.nr_folios && !khob_client_any() && !khob_out.nr_subtrees &&
	       !khob_out.frozen;
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
	khob_owners_destroy();
	khob_regions_reset();
	khob_out.tree_ready = false;
}

/* Gives back memory that no longer holds anything. */
void khob_out_trim(void)
{
	lockdep_assert_held_write(&khob_lock);
	khob_out.slack = false;
	if (!khob_out.keeps_room)
		khob_arena_trim(&khob_out.data, NULL);
	if (khob_out_empty()) {
		khob_out_tree_put();
		khob_arena_trim(&khob_out.meta, NULL);
		return;
	}
	khob_arena_trim(&khob_out.meta, khob_out_drop_chunk);
}

/* As khob_out_add_range(), with all that belongs to it. */
int khob_out_preserve_range(unsigned long pfn, unsigned long nr)
{
	int ret;

	lockdep_assert_held_write(&khob_lock);
	ret = khob_out_tree_get();
	if (!ret)
		ret = khob_out_add_range(pfn, nr);
	if (ret)
		return ret;
	ret = khob_out_settle();
	if (ret)
		khob_out_del_range(pfn, nr);
	return ret;
}

/* One key of one page; as khob_out_preserve_range(), but of this very order. */
int khob_out_add_page(u64 pa, unsigned int order)
{
	u64 key;
	int ret;

	lockdep_assert_held_write(&khob_lock);
	ret = khob_key_encode(pa, order, &key);
	if (!ret)
		ret = khob_out_tree_get();
	if (!ret)
		ret = khob_out_add_key(key);
	if (ret)
		return ret;
	ret = khob_out_settle();
	if (ret)
		khob_out_del_key(key);
	return ret;
}

void khob_out_del_page(u64 pa, unsigned int order)
{
	u64 key;

	if (!khob_key_encode(pa, order, &key))
		khob_out_del_key(key);
}

/*
 * Notes that a key which is handed over is of a client of a kernel's own KHO: of no concern to
 * kho_bridge where the next kernel has that as well. khob_out_settle() has to follow.
 */
int khob_out_add_other(u64 key)
{
	int ret;

	if (!khob_out.others_ready) {
		ret = khob_radix_init(&khob_out.others, &khob_out_ops, NULL, 0);
		if (ret)
			return ret;
		khob_out.others_ready = true;
	}
	return khob_radix_add(&khob_out.others, key);
}

void khob_out_drop_others(void)
{
	if (khob_out.others_ready)
		khob_radix_destroy(&khob_out.others);
	khob_out.others_ready = false;
}

/* The ABI version that the next freeze writes. */
int khob_out_set_abi(const char *name)
{
	enum khob_abi abi = khob_abi_from_compatible(name);

	lockdep_assert_held_write(&khob_lock);
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
	u64 key, start;

	lockdep_assert_held_write(&khob_lock);
	if (!khob_out.tree_ready || !khob_radix_overlap(&khob_out.tree, PHYS_PFN(pa), 1, &key) ||
	    khob_key_decode(key, &start, &order))
		return 0;
	return start + (KHOB_PAGE_SIZE << order);
}
