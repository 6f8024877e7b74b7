// SPDX-License-Identifier: GPL-2.0-only
/*
 * Lists of blocks on the way out. Pages are preserved when room is made; entries are written at
 * the very end, into memory that the next kernel gets anyway.
 */
#include <linux/err.h>
#include <linux/io.h>

#include "luo.h"

/**
 * struct luo_block - one of the blocks
 * @list: in its list
 * @header: the preserved page
 */
struct luo_block {
	struct list_head list;
	struct khob_block_header *header;
};

static struct luo_block *luo_block_last(const struct luo_blocks *blocks)
{
	return list_empty(&blocks->list) ? NULL :
	       list_last_entry(&blocks->list, struct luo_block, list);
}

/**
 * luo_blocks_init() - an empty list
 * @blocks: the list
 * @size: bytes of an entry
 * @per: entries that a block holds
 */
void luo_blocks_init(struct luo_blocks *blocks, u32 size, u32 per)
{
	INIT_LIST_HEAD(&blocks->list);
	blocks->nr = 0;
	blocks->size = size;
	blocks->per = per;
}

static int luo_blocks_grow(struct luo_blocks *blocks)
{
	struct luo_block *block, *last = luo_block_last(blocks);

	BUILD_BUG_ON(KHOB_BLOCK_SIZE != KHOB_PAGE_SIZE);
	if (blocks->nr == KHOB_BLOCKS_MAX)
		return -ENOSPC;
	block = kzalloc(sizeof(*block), GFP_KERNEL);
	if (!block)
		return -ENOMEM;
	block->header = luo_page_alloc();
	if (IS_ERR(block->header)) {
		int ret = PTR_ERR(block->header);

		kfree(block);
		return ret;
	}
	list_add_tail(&block->list, &blocks->list);
	blocks->nr++;
	if (last)
		last->header->next = virt_to_phys(block->header);
	return 0;
}

static void luo_blocks_shrink(struct luo_blocks *blocks)
{
	struct luo_block *block = luo_block_last(blocks), *last;

	list_del(&block->list);
	blocks->nr--;
	last = luo_block_last(blocks);
	if (last)
		last->header->next = 0;
	luo_page_free(block->header);
	kfree(block);
}

/**
 * luo_blocks_fit() - room for exactly so many entries
 * @blocks: the list
 * @count: how many; with less than before it succeeds
 *
 * Return: 0; -ENOSPC, -ENOMEM, or what preserving returned, and then nothing has changed.
 */
int luo_blocks_fit(struct luo_blocks *blocks, u64 count)
{
	u64 before = blocks->nr, wanted = DIV_ROUND_UP_ULL(count, blocks->per);
	int ret = 0;

	while (!ret && blocks->nr < wanted)
		ret = luo_blocks_grow(blocks);
	if (ret)
		wanted = before;
	while (blocks->nr > wanted)
		luo_blocks_shrink(blocks);
	return ret;
}

/**
 * luo_blocks_start() - write from the first entry on
 * @at: the cursor
 * @blocks: the list
 */
void luo_blocks_start(struct luo_cursor *at, struct luo_blocks *blocks)
{
	struct luo_block *block, *before = NULL;

	list_for_each_entry(block, &blocks->list, list) {
		block->header->count = 0;
		if (before)
			before->header->next = virt_to_phys(block->header);
		before = block;
	}
	*at = (struct luo_cursor) { .blocks = blocks, .block = &blocks->list, .used = blocks->per };
}

/**
 * luo_blocks_next() - the next entry to be written
 * @at: the cursor
 *
 * Return: room for an entry; NULL if there is no more.
 */
void *luo_blocks_next(struct luo_cursor *at)
{
	struct luo_block *block;

	if (at->used == at->blocks->per) {
		if (list_is_last(at->block, &at->blocks->list))
			return NULL;
		at->block = at->block->next;
		at->used = 0;
	}
	block = list_entry(at->block, struct luo_block, list);
	block->header->count = ++at->used;
	return (void *)(block->header + 1) + (size_t)(at->used - 1) * at->blocks->size;
}

/**
 * luo_blocks_end() - the last entry was written
 * @at: the cursor
 *
 * What follows it is no part of the list any more: nobody accepts empty blocks.
 *
 * Return: the physical address of the first block; 0 if nothing was written.
 */
u64 luo_blocks_end(struct luo_cursor *at)
{
	struct list_head *list = &at->blocks->list;

	if (at->block == list)
		return 0;
	list_entry(at->block, struct luo_block, list)->header->next = 0;
	return virt_to_phys(list_first_entry(list, struct luo_block, list)->header);
}
