// SPDX-License-Identifier: GPL-2.0-only
/*
 * Arenas: chunks of contiguous memory that pages are handed out of, so that
 * what is preserved stays close together and few intervals cover it. Within a
 * chunk the kernel's own genalloc keeps account.
 */
#include <linux/genalloc.h>

#include "mem/mem.h"

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

/**
 * khob_arena_adopt() - a chunk of pages that the caller has taken
 * @arena: the arena
 * @pfn: the first, aligned to a chunk
 * @nr: how many: whole chunks
 *
 * Return: 0, and the arena frees them; or -ENOMEM, and they are still the caller's.
 */
int khob_arena_adopt(struct khob_arena *arena, unsigned long pfn, unsigned long nr)
{
	struct khob_mem_chunk *chunk __free(kfree) = kzalloc(sizeof(*chunk), GFP_KERNEL);

	if (!chunk)
		return -ENOMEM;
	chunk->pfn = pfn;
	chunk->nr = nr;
	chunk->pool = gen_pool_create(PAGE_SHIFT, NUMA_NO_NODE);
	if (!chunk->pool)
		return -ENOMEM;
	if (gen_pool_add(chunk->pool, PFN_PHYS(pfn), nr << PAGE_SHIFT, NUMA_NO_NODE)) {
		gen_pool_destroy(chunk->pool);
		return -ENOMEM;
	}
	arena->nr_pages += nr;
	list_add_tail(&no_free_ptr(chunk)->list, &arena->chunks);
	return 0;
}

/**
 * khob_arena_grow() - one more chunk
 * @arena: the arena
 * @bytes: what it has to hold; rounded up to the chunk size
 */
int khob_arena_grow(struct khob_arena *arena, u64 bytes)
{
	u64 nr = ALIGN(PFN_UP(max_t(u64, bytes, 1)), KHOB_CHUNK_PAGES);
	unsigned long pfn;
	int ret;

	if (bytes > PFN_PHYS(khob_end_pfn()))
		return -ENOMEM;
	ret = khob_contig_alloc(nr, KHOB_CHUNK_PAGES, &pfn);
	if (ret)
		return ret;
	ret = khob_arena_adopt(arena, pfn, nr);
	if (ret)
		khob_contig_free(pfn, nr);
	return ret;
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

/* As khob_arena_alloc(), but out of the chunks that there are. */
u64 khob_arena_find(struct khob_arena *arena, u64 bytes, bool aligned)
{
	struct khob_mem_chunk *chunk;

	list_for_each_entry(chunk, &arena->chunks, list) {
		u64 pa = 0;

		if (!chunk->closed && !chunk->broken)
			pa = gen_pool_alloc_algo(chunk->pool, bytes,
						 aligned ? gen_pool_first_fit_order_align :
							   gen_pool_first_fit,
						 NULL);
		if (pa && !khob_ram_poisoned(pa, PHYS_PFN(bytes)))
			return pa;
		if (pa) {
			gen_pool_free(chunk->pool, pa, bytes);
			chunk->broken = true;
		}
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

/*
 * Takes back what khob_arena_alloc() gave. The chunk stays until khob_arena_trim(). Return:
 * whether nothing is left in it.
 */
bool khob_arena_free(struct khob_arena *arena, u64 pa, u64 bytes)
{
	struct khob_mem_chunk *chunk = khob_arena_chunk(arena, pa);

	if (!chunk)
		return false;
	gen_pool_free(chunk->pool, pa, bytes);
	return gen_pool_avail(chunk->pool) == gen_pool_size(chunk->pool);
}

/* Bytes of new chunks for @bytes when @room is free in those that there are. */
static u64 khob_chunks_for(u64 bytes, u64 room)
{
	return bytes > room ? ALIGN(bytes - room, PFN_PHYS(KHOB_CHUNK_PAGES)) : 0;
}

/* Emptying a chunk is worth copying what it holds if that is at most half of it. */
static bool khob_chunk_sparse(const struct khob_mem_chunk *chunk)
{
	return gen_pool_avail(chunk->pool) >= gen_pool_size(chunk->pool) / 2;
}

/**
 * khob_arena_close() - choose the chunks to be emptied
 * @arena: the arena
 * @more: bytes that are to come in besides
 *
 * Those that are at most half full, if that leaves the arena smaller than it would be
 * otherwise. Nothing is handed out of them until khob_arena_open().
 */
void khob_arena_close(struct khob_arena *arena, u64 more)
{
	u64 used = 0, sparse = 0, room = 0;
	struct khob_mem_chunk *chunk;

	list_for_each_entry(chunk, &arena->chunks, list) {
		u64 avail = gen_pool_avail(chunk->pool), size = gen_pool_size(chunk->pool);

		if (khob_chunk_sparse(chunk)) {
			used += size - avail;
			sparse += size;
		} else {
			room += avail;
		}
	}
	if (khob_chunks_for(more + used, room) >=
	    khob_chunks_for(more, room + sparse - used) + sparse)
		return;
	list_for_each_entry(chunk, &arena->chunks, list)
		chunk->closed = khob_chunk_sparse(chunk);
}

void khob_arena_open(struct khob_arena *arena)
{
	struct khob_mem_chunk *chunk;

	list_for_each_entry(chunk, &arena->chunks, list)
		chunk->closed = false;
}

/* Whether @pa lies in any chunk, handed out or not. */
bool khob_arena_holds(struct khob_arena *arena, u64 pa)
{
	return khob_arena_chunk(arena, pa);
}

/* Whether @pa lies in a chunk that is to be emptied. */
bool khob_arena_closed(struct khob_arena *arena, u64 pa)
{
	struct khob_mem_chunk *chunk = khob_arena_chunk(arena, pa);

	return chunk && chunk->closed;
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
