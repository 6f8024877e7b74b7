// SPDX-License-Identifier: GPL-2.0-only
/*
 * Memory scattered over RAM, for tests: whole blocks are taken at random,
 * folios are placed at random in them, and what is left over goes back.
 *
 * One alloc_contig_range() a folio would not do: it isolates whole pageblocks
 * and refuses one that holds a page which cannot move, so that each pageblock
 * would take a single folio.
 */
#include <linux/bitmap.h>
#include <linux/memory_hotplug.h>
#include <linux/prandom.h>

#include "mem/mem.h"

#define KHOB_BLOCK_PAGES MAX_ORDER_NR_PAGES

/* Blocks have this much more room than is asked for, so that gaps are left. */
#define KHOB_SCATTER_SPARE 3

/* Few pages are spread over this many blocks at most. */
#define KHOB_SCATTER_BLOCKS 512

/* How often a random place is tried before the next best is searched for. */
#define KHOB_SCATTER_TRIES 32

struct khob_block {
	unsigned long pfn;
	DECLARE_BITMAP(used, KHOB_BLOCK_PAGES);
};

/* The lowest pfn above which @percent of the RAM lies. */
static unsigned long khob_scatter_floor(unsigned int percent)
{
	unsigned long end = khob_end_pfn(), step = KHOB_BLOCK_PAGES;
	unsigned long pfn, total = 0, above = 0;

	for (pfn = 0; pfn < end; pfn += step)
		total += pfn_to_online_page(pfn) ? 1 : 0;
	for (pfn = ALIGN(end, step); pfn && above < total * percent / 100; pfn -= step)
		above += pfn_to_online_page(pfn - step) ? 1 : 0;
	return pfn;
}

static u64 khob_random(struct khob_scatter *sc)
{
	return ((u64)prandom_u32_state(&sc->rnd) << 32) | prandom_u32_state(&sc->rnd);
}

/**
 * khob_scatter_begin() - take blocks at random places
 * @sc: to be ended with khob_scatter_end(), whatever this returns
 * @pages: how many pages will be placed
 * @percent: in the upper part of RAM, 1..100
 * @seed: of the places
 *
 * Fewer blocks than wanted are no error: folios then go to the arena.
 */
int khob_scatter_begin(struct khob_scatter *sc, u64 pages, unsigned int percent, u64 seed)
{
	u64 want = max(KHOB_SCATTER_SPARE * pages / KHOB_BLOCK_PAGES + 1,
		       min_t(u64, pages, KHOB_SCATTER_BLOCKS));
	unsigned long floor = khob_scatter_floor(percent);
	u64 places = (khob_end_pfn() - floor) / KHOB_BLOCK_PAGES;
	struct sysinfo si;
	u64 tries;

	sc->nr = 0;
	prandom_seed_state(&sc->rnd, seed);
	/* Blocks are taken whole, if only for a while: leave half of what is free. */
	si_meminfo(&si);
	want = min3(want, places, (u64)si.freeram / 2 / KHOB_BLOCK_PAGES);
	sc->blocks = kvcalloc(max(want, 1ULL), sizeof(*sc->blocks), GFP_KERNEL);
	if (!sc->blocks)
		return -ENOMEM;
	for (tries = 0; sc->nr < want && tries < 4 * want; tries++) {
		u64 place = khob_random(sc) % places;
		unsigned long pfn = ALIGN(floor, KHOB_BLOCK_PAGES) + place * KHOB_BLOCK_PAGES;

		if (fatal_signal_pending(current))
			return -EINTR;
		cond_resched();
		if (!khob_contig_take(pfn, KHOB_BLOCK_PAGES))
			sc->blocks[sc->nr++].pfn = pfn;
	}
	return 0;
}

static u64 khob_scatter_use(struct khob_block *block, unsigned long bit, unsigned int order)
{
	bitmap_set(block->used, bit, 1U << order);
	return PFN_PHYS(block->pfn + bit);
}

/* A place for a folio of @order. Return: its physical address, 0 if there is none. */
u64 khob_scatter_place(struct khob_scatter *sc, unsigned int order)
{
	unsigned long nr = 1UL << order, bit, i;

	for (i = 0; sc->nr && i < KHOB_SCATTER_TRIES; i++) {
		struct khob_block *block = &sc->blocks[khob_random(sc) % sc->nr];

		bit = ALIGN_DOWN(khob_random(sc) % KHOB_BLOCK_PAGES, nr);
		if (find_next_bit(block->used, bit + nr, bit) >= bit + nr)
			return khob_scatter_use(block, bit, order);
	}
	for (i = 0; i < sc->nr; i++) {
		struct khob_block *block = &sc->blocks[i];

		bit = bitmap_find_next_zero_area(block->used, KHOB_BLOCK_PAGES, 0, nr, nr - 1);
		if (bit < KHOB_BLOCK_PAGES)
			return khob_scatter_use(block, bit, order);
	}
	return 0;
}

/* Gives back what holds no folio; the folios' pages belong to their owner now. */
void khob_scatter_end(struct khob_scatter *sc)
{
	unsigned long i, bit, end;

	for (i = 0; i < sc->nr; i++) {
		struct khob_block *block = &sc->blocks[i];

		for (bit = find_first_zero_bit(block->used, KHOB_BLOCK_PAGES);
		     bit < KHOB_BLOCK_PAGES;
		     bit = find_next_zero_bit(block->used, KHOB_BLOCK_PAGES, end)) {
			end = find_next_bit(block->used, KHOB_BLOCK_PAGES, bit);
			khob_contig_free(block->pfn + bit, end - bit);
		}
	}
	kvfree(sc->blocks);
	sc->blocks = NULL;
	sc->nr = 0;
}
