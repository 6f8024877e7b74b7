/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Physical memory: taking it in one piece, giving it back, and what another kernel left
 * of it. Who it is for is no concern of this part's.
 */
#ifndef KHOB_MEM_H
#define KHOB_MEM_H

#include <linux/list.h>
#include <linux/mm.h>
#include <linux/pfn.h>
#include <linux/prandom.h>

#include "core/radix.h"
#include "khob.h"

struct gen_pool;

/* numbers.c */

/**
 * struct khob_numbers - an array that grows; all zeroes is an empty one
 * @nr: how many there are
 * @nr_blocks: into how many blocks they are divided
 * @room: for how many blocks there is room in @blocks
 * @blocks: they
 */
struct khob_numbers {
	u64 nr;
	size_t nr_blocks;
	size_t room;
	u64 **blocks;
};

int khob_numbers_add(struct khob_numbers *numbers, u64 v);
u64 *khob_numbers_at(const struct khob_numbers *numbers, u64 i);
const u64 *khob_numbers_run(const struct khob_numbers *numbers, u64 i, u64 *nr);
void khob_numbers_free(struct khob_numbers *numbers);

/* contig.c: physically contiguous memory; sizes and alignments in pages */
unsigned long khob_end_pfn(void);

/* Which part of memory: below page @end, of node @nid (or NUMA_NO_NODE). */
struct khob_where {
	unsigned long end;
	int nid;
};

int khob_contig_alloc(unsigned long nr, unsigned long align, unsigned long *pfn);
int khob_contig_alloc_at(unsigned long nr, unsigned long align, const struct khob_where *where,
			 unsigned long *pfn);
int khob_contig_take(unsigned long pfn, unsigned long nr);
unsigned long khob_contig_pinned(unsigned long pfn, unsigned long nr);
void khob_contig_free(unsigned long pfn, unsigned long nr);
unsigned long khob_contig_largest(unsigned long nr, unsigned long align,
				  const struct khob_where *where);

/* arena.c */

/**
 * struct khob_mem_chunk - contiguous memory of an arena
 * @list: in khob_arena.chunks
 * @pool: which bytes of it are in use, by physical address
 * @pfn: first page
 * @nr: pages
 * @preserved: its pages have keys in the outgoing tree (metadata arena only)
 * @closed: it is being emptied: nothing more is handed out of it
 * @broken: nor of this one, a page of which the machine cannot read
 */
struct khob_mem_chunk {
	struct list_head list;
	struct gen_pool *pool;
	unsigned long pfn;
	unsigned long nr;
	bool preserved;
	bool closed;
	bool broken;
};

struct khob_arena {
	struct list_head chunks;
	unsigned long nr_pages;
};

void khob_arena_init(struct khob_arena *arena);
int khob_arena_grow(struct khob_arena *arena, u64 bytes);
int khob_arena_adopt(struct khob_arena *arena, unsigned long pfn, unsigned long nr);
void khob_arena_reserve(struct khob_arena *arena, u64 bytes);
u64 khob_arena_alloc(struct khob_arena *arena, u64 bytes, bool aligned);
bool khob_arena_free(struct khob_arena *arena, u64 pa, u64 bytes);
u64 khob_arena_find(struct khob_arena *arena, u64 bytes, bool aligned);
void khob_arena_close(struct khob_arena *arena, u64 more);
void khob_arena_open(struct khob_arena *arena);
bool khob_arena_holds(struct khob_arena *arena, u64 pa);
bool khob_arena_closed(struct khob_arena *arena, u64 pa);
void khob_arena_trim(struct khob_arena *arena, bool (*drop)(struct khob_mem_chunk *chunk));

/* scatter.c */

struct khob_block;

/**
 * struct khob_scatter - places at random
 * @rnd: where the next one is
 * @blocks: taken whole
 * @nr: how many
 */
struct khob_scatter {
	struct rnd_state rnd;
	struct khob_block *blocks;
	unsigned long nr;
};

int khob_scatter_begin(struct khob_scatter *sc, u64 pages, unsigned int percent, u64 seed);
u64 khob_scatter_place(struct khob_scatter *sc, unsigned int order);
void khob_scatter_end(struct khob_scatter *sc);

/* prove.c: whether memory is what another kernel may have left */
int khob_ram_prove(u64 start, u64 end, const char **why);

/* ram.c: memory that another kernel left */
bool khob_ram_encrypted(void);
bool khob_ram_reserved(u64 start, u64 end);
int khob_ram_read(u64 pa, void *to, size_t len);
int khob_ram_copy(u64 pa, void *to, size_t len);
int khob_ram_write(u64 pa, const void *from, size_t len);
bool khob_ram_poisoned(u64 pa, u64 nr);
/*
 * A reserved page is live; adjust_managed_page_count() has to follow. @count is set once: who
 * looks at the page in passing may already hold it afterwards.
 */
static inline void khob_ram_unreserve(struct page *page, int count)
{
	ClearPageReserved(page);
	set_page_count(page, count);
}

void khob_ram_live(u64 pa, u64 nr);
struct folio *khob_ram_folio(u64 pa, unsigned int order);
u64 khob_ram_free(u64 pa, u64 nr);
unsigned int khob_ram_free_some(u64 pa, u64 which);
bool khob_ram_set_poisoned(u64 pa);
int khob_ram_each_poisoned(struct khob_numbers *pfns);
extern const struct khob_radix_ops khob_page_ops;

/* hold.c: references to pages that others own */
int khob_hold(unsigned long pfn, unsigned long nr);
void khob_unhold(unsigned long pfn, unsigned long nr);
bool khob_hold_page(struct page *page);

/* map.c: memory that users have mapped, and that stays what it is until they have not */
int khob_map(struct vm_area_struct *vma, u64 pa, u64 len);
/* Whether any of [@start, @end) is; @write: if so for writing. */
bool khob_mapped(u64 start, u64 end, bool write);

#endif /* KHOB_MEM_H */
