// SPDX-License-Identifier: GPL-2.0-only
/*
 * Preserved pages, one at a time; and, for the time when a kernel is loaded and no more can be
 * preserved, a room of pages that were preserved before, each by itself, so that nothing of what
 * is handed over changes with what they are used for.
 */
#include <linux/err.h>
#include <linux/io.h>
#include <linux/mm.h>

#include "luo.h"

#define LUO_PIECE_ORDER ilog2(KHOB_LATE_ROOM_PIECE_PAGES)

/* Innermost: what is used of the room. Which pieces there are luo_sessions.lock serialises, too. */
static DEFINE_MUTEX(luo_room_lock);
/* What the next kernel is told; NULL if there is no room. */
static struct khob_late_room_ser *luo_room;
/* Pages of it that are used. */
static u64 luo_room_pages;

static struct page *luo_piece_page(const struct khob_late_room_piece *piece)
{
	return pfn_to_page(PHYS_PFN(piece->pa));
}

static bool luo_piece_is_unused(const struct khob_late_room_piece *piece)
{
	return !memchr_inv(piece->used, 0, sizeof(piece->used));
}

/* Unpreserves the first @nr pages of a piece, and frees all. */
static void luo_piece_free(struct page *page, unsigned int nr)
{
	unsigned int i;

	for (i = 0; i < KHOB_LATE_ROOM_PIECE_PAGES; i++) {
		if (i < nr)
			kho_unpreserve_folio(page_folio(page + i));
		__free_page(page + i);
	}
}

static int luo_piece_new(struct khob_late_room_piece *piece)
{
	struct page *page = alloc_pages(GFP_KERNEL | __GFP_NOWARN | __GFP_RETRY_MAYFAIL,
					LUO_PIECE_ORDER);
	unsigned int i;
	int ret;

	if (!page)
		return -ENOMEM;
	split_page(page, LUO_PIECE_ORDER);
	for (i = 0; i < KHOB_LATE_ROOM_PIECE_PAGES; i++) {
		ret = kho_preserve_folio(page_folio(page + i));
		if (ret) {
			luo_piece_free(page, i);
			return ret;
		}
	}
	*piece = (struct khob_late_room_piece) { .pa = page_to_phys(page) };
	cond_resched();
	return 0;
}

/* Pieces of which nothing is used go. */
static void luo_room_shrink(void)
{
	u64 i = 0;

	guard(mutex)(&luo_room_lock);
	while (luo_room && i < luo_room->nr) {
		struct khob_late_room_piece *piece = luo_room->pieces + i;

		if (!luo_piece_is_unused(piece)) {
			i++;
			continue;
		}
		luo_piece_free(luo_piece_page(piece), KHOB_LATE_ROOM_PIECE_PAGES);
		*piece = luo_room->pieces[--luo_room->nr];
	}
}

static int luo_room_start(void)
{
	struct khob_late_room_ser *room;
	int ret;

	BUILD_BUG_ON(sizeof(*room) > KHOB_PAGE_SIZE);
	if (luo_room)
		return 0;
	room = kho_alloc_preserve(sizeof(*room));
	if (IS_ERR(room))
		return PTR_ERR(room);
	room->nr = 0;
	strscpy(room->compatible, KHOB_LATE_ROOM_COMPATIBLE_LATE_ROOM_V1,
		sizeof(room->compatible));
	ret = kho_add_subtree(KHOB_LATE_ROOM_NAME, room, sizeof(*room));
	if (ret) {
		kho_unpreserve_free(room);
		return ret;
	}
	luo_room = room;
	return 0;
}

static void luo_room_end(void)
{
	if (!luo_room || luo_room->nr)
		return;
	kho_remove_subtree(luo_room);
	kho_unpreserve_free(luo_room);
	luo_room = NULL;
}

/**
 * luo_room_set() - so much room besides what is used of it
 * @bytes: how much; 0: none. It is rounded up to whole pieces.
 *
 * With luo_sessions.lock.
 *
 * Return: 0; -EINVAL if that is more than there can be; -EBUSY once a kernel is loaded; -ENOMEM;
 * if it failed there is no room besides what is used. -EOPNOTSUPP where none is needed.
 */
int luo_room_set(u64 bytes)
{
	const u64 piece = (u64)KHOB_LATE_ROOM_PIECE_PAGES << PAGE_SHIFT;
	/* One more than there can be is as good as any larger number, and does not overflow. */
	u64 pieces = DIV_ROUND_UP_ULL(min(bytes, (KHOB_LATE_ROOM_PIECES_MAX + 1) * piece), piece);
	int ret = LUO_CARRIES ? luo_may_take() : -EOPNOTSUPP;

	if (ret)
		return ret;
	luo_room_shrink();
	if (pieces)
		ret = luo_room_start();
	if (pieces && !ret && pieces > KHOB_LATE_ROOM_PIECES_MAX - luo_room->nr)
		ret = -EINVAL;
	while (pieces && !ret) {
		struct khob_late_room_piece found;

		ret = luo_piece_new(&found);
		if (ret)
			break;
		guard(mutex)(&luo_room_lock);
		luo_room->pieces[luo_room->nr++] = found;
		pieces--;
	}
	if (ret)
		luo_room_shrink();
	luo_room_end();
	return ret;
}

/**
 * luo_room_size() - how large the room is
 * @used: bytes of it that are used; may be NULL
 *
 * Return: bytes; 0 if there is none.
 */
u64 luo_room_size(u64 *used)
{
	guard(mutex)(&luo_room_lock);
	if (used)
		*used = luo_room_pages << PAGE_SHIFT;
	return luo_room ? luo_room->nr * (KHOB_LATE_ROOM_PIECE_PAGES << PAGE_SHIFT) : 0;
}

/**
 * luo_room_write() - let the next kernel know that its description is whole
 *
 * Nobody changes it any more.
 */
void luo_room_write(void)
{
	guard(mutex)(&luo_room_lock);
	if (luo_room)
		luo_room->digest = luo_room_digest(luo_room);
}

/* A page of the room. Return: it, zeroed; or an ERR_PTR(). */
static void *luo_room_take(void)
{
	u64 i;

	guard(mutex)(&luo_room_lock);
	if (!luo_room)
		return ERR_PTR(-EBUSY);
	for (i = 0; i < luo_room->nr; i++) {
		struct khob_late_room_piece *piece = luo_room->pieces + i;
		unsigned long *used = (unsigned long *)piece->used;
		unsigned int at = find_first_zero_bit(used, KHOB_LATE_ROOM_PIECE_PAGES);

		if (at == KHOB_LATE_ROOM_PIECE_PAGES)
			continue;
		__set_bit(at, used);
		luo_room_pages++;
		clear_page(page_address(luo_piece_page(piece) + at));
		return page_address(luo_piece_page(piece) + at);
	}
	return ERR_PTR(-ENOSPC);
}

/* The piece that a page is in. With luo_room_lock. Return: it or NULL. */
static struct khob_late_room_piece *luo_room_find(const void *page)
{
	u64 pa = virt_to_phys((void *)page), i;

	for (i = 0; luo_room && i < luo_room->nr; i++)
		if (PHYS_PFN(pa - luo_room->pieces[i].pa) < KHOB_LATE_ROOM_PIECE_PAGES)
			return luo_room->pieces + i;
	return NULL;
}

/**
 * luo_room_has() - whether a page is of the room
 * @page: of luo_page_alloc()
 *
 * Return: true if a kernel was loaded when it was allocated.
 */
bool luo_room_has(const void *page)
{
	guard(mutex)(&luo_room_lock);
	return luo_room_find(page);
}

/**
 * luo_page_alloc() - a page that goes to the next kernel, of the room if a kernel is loaded
 *
 * Return: it, zeroed; or an ERR_PTR(): -EBUSY if a kernel is loaded and there is no room, -ENOSPC
 * if it is full, -ENOMEM, -EINTR.
 */
void *luo_page_alloc(void)
{
	void *page = kho_alloc_preserve(KHOB_PAGE_SIZE);

	return page == ERR_PTR(-EBUSY) ? luo_room_take() : page;
}

/**
 * luo_page_free() - give a page of luo_page_alloc() back
 * @page: the page
 */
void luo_page_free(void *page)
{
	struct khob_late_room_piece *piece;

	scoped_guard(mutex, &luo_room_lock) {
		piece = luo_room_find(page);
		if (piece) {
			__clear_bit(PHYS_PFN(virt_to_phys(page) - piece->pa),
				    (unsigned long *)piece->used);
			luo_room_pages--;
			return;
		}
	}
	kho_unpreserve_free(page);
}
