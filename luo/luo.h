/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What all else stands on: preserved memory for what is told the next kernel.
 *
 * Locks, outer ones first:
 *   luo_going          for reading around everything; for writing, and for good, at the reboot
 *   luo_sessions.lock  both lists of sessions, the outgoing root and its blocks
 *   session->lock      a session's files
 *   luo_keep_lock      kept files (keep.c); nobody has it and one of those above
 *   luo_room_lock      what is used of the late room (room.c)
 */
#ifndef LUO_H
#define LUO_H

#include <linux/list.h>
#include <linux/rwsem.h>
#include <linux/types.h>

#include "core/luo_core.h"

#define LUO_VERSION "0.2.0"

extern struct rw_semaphore luo_going;

/* blocks.c: entries of one size in preserved pages. */

/**
 * struct luo_blocks - a list of preserved blocks, with room for entries that are written late
 * @list: the blocks
 * @nr: how many
 * @size: bytes of an entry
 * @per: entries that a block holds
 */
struct luo_blocks {
	struct list_head list;
	u64 nr;
	u32 size;
	u32 per;
};

/**
 * struct luo_cursor - where the next entry goes
 * @blocks: the list
 * @block: of its list, or its head
 * @used: entries in @block
 */
struct luo_cursor {
	struct luo_blocks *blocks;
	struct list_head *block;
	u32 used;
};

void luo_blocks_init(struct luo_blocks *blocks, u32 size, u32 per);
int luo_blocks_fit(struct luo_blocks *blocks, u64 count);
void luo_blocks_start(struct luo_cursor *at, struct luo_blocks *blocks);
void *luo_blocks_next(struct luo_cursor *at);
u64 luo_blocks_end(struct luo_cursor *at);

/* own.c */
bool luo_own_is_active(void);
int luo_may_take(void);

/* room.c */
int luo_room_set(u64 bytes);
u64 luo_room_size(u64 *used);
bool luo_room_has(const void *page);
void luo_room_write(void);
void *luo_page_alloc(void);
void luo_page_free(void *page);

/* out.c: the root that the next kernel finds. With luo_sessions.lock. */
int luo_out_open(void);
void luo_out_close(void);
void luo_out_count(u64 before);
void luo_out_write(u64 sessions_pa);

#endif /* LUO_H */
