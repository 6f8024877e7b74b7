// SPDX-License-Identifier: GPL-2.0-only
/*
 * Arenas: chunks of contiguous memory that pages are handed out of, so that
 * what is preserved stays close together and few intervals cover it. Within a
 * chunk the kernel's own genalloc keeps account.
 */
#include <linux/genalloc.h>

#include "khob.h"

/* Chunks start aligned to the largest order, so that any order fits aligned. */
#define KHOB_CHUNK_PAGES MAX_ORDER_NR_PAGES

void khob_arena_init(struct khob_arena *arena)
{
	INIT_LIST_HEAD(&arena->chunks);
	arena->nr_pages = 0;
}

static void khob_chunk_free(struct khob_arena *arena, struct khob_mem_chunk *chunk)
{
	list_del(&chunk->list);
	arena->nr_pages -= chunk->nr;
	gen_pool_destroy(chunk->pool);
	khob_contig_free(chunk->pfn, chunk->nr);
	kfree(chunk);
}

static struct khob_mem_chunk *khob_chunk_new(struct khob_arena *arena, unsigned long nr)
{
	struct khob_mem_chunk *chunk __free(kfree) = kzalloc(sizeof(*chunk), GFP_KERNEL);
	int ret;

	if (!chunk)
		return ERR_PTR(-ENOMEM);
	ret = khob_contig_alloc(nr, KHOB_CHUNK_PAGES, &chunk->pfn);
	if (ret)
		return ERR_PTR(ret);
	chunk->nr = nr;
	chunk->pool = gen_pool_create(PAGE_SHIFT, NUMA_NO_NODE);
	if (!chunk->pool)
		goto err_pages;
	ret = gen_pool_add(chunk->pool, PFN_PHYS(chunk->pfn), nr << PAGE_SHIFT, NUMA_NO_NODE);
	if (ret)
		goto err_pool;
	list_add_tail(&chunk->list, &arena->chunks);
	arena->nr_pages += nr;
	return_ptr(chunk);

err_pool:
	gen_pool_destroy(chunk->pool);
err_pages:
	khob_contig_free(chunk->pfn, nr);
	return ERR_PTR(-ENOMEM);
}

/**
 * khob_arena_grow() - one more chunk
 * @arena: the arena
 * @bytes: what it has to hold; rounded up to the chunk size
 */
int khob_arena_grow(struct khob_arena *arena, u64 bytes)
{
	struct khob_mem_chunk *chunk;
	u64 nr = ALIGN(PFN_UP(max_t(u64, bytes, 1)), KHOB_CHUNK_PAGES);

	if (bytes > PFN_PHYS(khob_end_pfn()))
		return -ENOMEM;
	chunk = khob_chunk_new(arena, nr);
	return PTR_ERR_OR_ZERO(chunk);
}

/**
 * khob_arena_reserve() - room for @bytes in as few chunks as can be had
 * @arena: the arena
 * @bytes: how much is about to be taken
 *
 * Failing here is no error: single chunks may still be found one by one.
 */
void khob_arena_reserve(struct khob_arena *arena, u64 bytes)
{
	u64 piece = bytes;

	while (bytes) {
		u64 want = min(piece, bytes);

		if (!khob_arena_grow(arena, want)) {
			bytes -= want;
		} else {
			piece /= 2;
			if (piece < PFN_PHYS(KHOB_CHUNK_PAGES) || fatal_signal_pending(current))
				return;
		}
	}
}

static u64 khob_arena_find(struct khob_arena *arena, u64 bytes, bool aligned)
{
	struct khob_mem_chunk *chunk;

	list_for_each_entry(chunk, &arena->chunks, list) {
		u64 pa = gen_pool_alloc_algo(chunk->pool, bytes,
					     aligned ? gen_pool_first_fit_order_align :
						       gen_pool_first_fit,
					     NULL);

		if (pa)
			return pa;
	}
	return 0;
}

/**
 * khob_arena_alloc() - contiguous pages out of an arena
 * @arena: the arena
 * @bytes: a multiple of the page size
 * @aligned: to its own size, which is then a power of two of at most a chunk
 *
 * The contents are what they are. Return: physical address, 0 if no memory.
 */
u64 khob_arena_alloc(struct khob_arena *arena, u64 bytes, bool aligned)
{
	u64 pa = khob_arena_find(arena, bytes, aligned);

	if (!pa && !khob_arena_grow(arena, bytes))
		pa = khob_arena_find(arena, bytes, aligned);
	return pa;
}

/* The chunk that holds @pa, or NULL. */
static struct khob_mem_chunk *khob_arena_chunk(struct khob_arena *arena, u64 pa)
{
	struct khob_mem_chunk *chunk;

	list_for_each_entry(chunk, &arena->chunks, list)
		if (PHYS_PFN(pa) >= chunk->pfn && PHYS_PFN(pa) - chunk->pfn < chunk->nr)
			return chunk;
	return NULL;
}

/* Takes back what khob_arena_alloc() gave. The chunk stays until khob_arena_trim(). */
void khob_arena_free(struct khob_arena *arena, u64 pa, u64 bytes)
{
	struct khob_mem_chunk *chunk = khob_arena_chunk(arena, pa);

	if (chunk)
		gen_pool_free(chunk->pool, pa, bytes);
}

/**
 * khob_arena_trim() - give chunks that hold nothing back to the kernel
 * @arena: the arena
 * @drop: asked first for each such chunk (may be NULL); false keeps it
 */
void khob_arena_trim(struct khob_arena *arena, bool (*drop)(struct khob_mem_chunk *chunk))
{
	struct khob_mem_chunk *chunk, *next;

	list_for_each_entry_safe(chunk, next, &arena->chunks, list) {
		if (gen_pool_avail(chunk->pool) != gen_pool_size(chunk->pool))
			continue;
		if (!drop || drop(chunk))
			khob_chunk_free(arena, chunk);
	}
}
