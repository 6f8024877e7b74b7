// SPDX-License-Identifier: GPL-2.0-only
/*
 * Preserved pages of the outgoing kernel that out/preserve allocates and fills.
 * client/pages.c has those of other modules.
 */
#include <linux/ktime.h>
#include <linux/sched/signal.h>

#include "out/out.h"

static void khob_folio_free_memory(const struct khob_folio *f)
{
	u64 bytes = PAGE_SIZE << f->order;

	switch (f->owner) {
	case KHOB_OWNER_ARENA:
		khob_arena_free(&khob_out.data, f->pa, bytes);
		break;
	case KHOB_OWNER_SCATTER:
		khob_contig_free(PHYS_PFN(f->pa), 1UL << f->order);
		break;
	case KHOB_OWNER_CLIENT:
		break;
	}
}

/* Puts a folio into the books at @pa. Return: 0, or an error, and nothing changed. */
static int khob_folio_enter(struct khob_folio *f, u64 pa)
{
	int ret;

	ret = khob_out_add_page(pa, f->order);
	if (ret)
		return ret;
	ret = xa_insert(&khob_out.folios, PHYS_PFN(pa), f, GFP_KERNEL);
	if (ret)
		khob_out_del_page(pa, f->order);
	return ret;
}

/* Adds a folio whose memory exists; on failure nothing changed and it is the caller's. */
int khob_folio_insert(struct khob_folio *f)
{
	int ret;

	ret = khob_folio_enter(f, f->pa);
	if (ret)
		return ret;
	khob_out.nr_folios++;
	khob_out.orders[f->order]++;
	return 0;
}

/* Forgets a folio and frees it, with its memory. */
void khob_folio_drop(struct khob_folio *f)
{
	xa_erase(&khob_out.folios, PHYS_PFN(f->pa));
	khob_out_del_page(f->pa, f->order);
	khob_out.nr_folios--;
	khob_out.orders[f->order]--;
	khob_folio_free_memory(f);
	kfree(f);
}

/**
 * khob_folio_move() - give a folio another place
 * @f: the folio
 * @pa: memory of its size, aligned to it
 * @owner: where that came from
 *
 * Copies the contents and frees the old place. Context: process, khob_lock held, not
 * frozen.
 *
 * Return: 0, and @pa is the folio's; or an error, and nothing changed.
 */
int khob_folio_move(struct khob_folio *f, u64 pa, enum khob_owner owner)
{
	int ret;

	ret = khob_folio_enter(f, pa);
	if (ret)
		return ret;
	memcpy(__va(pa), __va(f->pa), PAGE_SIZE << f->order);
	xa_erase(&khob_out.folios, PHYS_PFN(f->pa));
	khob_out_del_page(f->pa, f->order);
	khob_folio_free_memory(f);
	f->pa = pa;
	f->owner = owner;
	return 0;
}

/*
 * Mixed orders: each larger one is 0.6 times as frequent as the one before, so
 * that every order occurs and 4 MiB pages do not eat up the whole amount.
 */
static unsigned int khob_mixed_order(struct rnd_state *rnd, u64 pages_left)
{
	unsigned int order = 0;

	while (order < KHOB_BUDDY_ORDER_MAX && (2ULL << order) <= pages_left &&
	       prandom_u32_state(rnd) < (u32)(U32_MAX / 10 * 6))
		order++;
	return order;
}

/* @sc: where to place it, or NULL for the arena */
static struct khob_folio *khob_folio_make(unsigned int order, u64 seed, struct khob_scatter *sc)
{
	struct khob_folio *f = kzalloc(sizeof(*f), GFP_KERNEL);
	u64 bytes = PAGE_SIZE << order;
	int ret;

	if (!f)
		return ERR_PTR(-ENOMEM);
	f->order = order;
	f->seed = seed;
	f->index = khob_out.next_index;
	if (sc) {
		f->owner = KHOB_OWNER_SCATTER;
		f->pa = khob_scatter_place(sc, order);
	}
	if (!f->pa) {
		f->owner = KHOB_OWNER_ARENA;
		f->pa = khob_arena_alloc(&khob_out.data, bytes, true);
	}
	if (!f->pa) {
		kfree(f);
		return ERR_PTR(-ENOMEM);
	}
	f->digest = khob_fill(f->pa, bytes, f->seed, f->index);
	ret = khob_folio_insert(f);
	if (ret) {
		khob_folio_free_memory(f);
		kfree(f);
		return ERR_PTR(ret);
	}
	khob_out.next_index++;
	return f;
}

/**
 * khob_out_preserve() - allocate, fill and preserve folios
 * @req: what was asked for; its numbers are checked here
 *
 * All of them or none. Context: process, within khob_act_lock(), of which it lets go between
 * two folios.
 *
 * Return: 0; -EBUSY once a kernel is loaded; -EINVAL; -ENOMEM; -EINTR if killed.
 */
int khob_out_preserve(const struct khob_preserve_req *req)
{
	bool mixed = req->order == KHOB_ORDER_MIXED;
	ktime_t begin = ktime_get();
	struct khob_folio *f, *next;
	struct khob_scatter sc = {};
	struct rnd_state rnd;
	u64 left = req->pages, nr = 0;
	LIST_HEAD(made);
	int ret = 0;

	if (khob_out.frozen)
		return khob_refuse(-EBUSY, "preserve: a kernel is loaded; unload it first");
	if (!mixed && req->order > KHOB_BUDDY_ORDER_MAX)
		return khob_refuse(-EINVAL, "preserve: order %u is above the largest, %d",
				   req->order, (int)KHOB_BUDDY_ORDER_MAX);
	if (!req->pages || req->pages > khob_end_pfn())
		return khob_refuse(-EINVAL, "preserve: %llu pages are none, or more than the RAM",
				   req->pages);
	if (!mixed && req->pages & ((1ULL << req->order) - 1))
		return khob_refuse(-EINVAL, "preserve: %llu pages are no multiple of order %u",
				   req->pages, req->order);

	prandom_seed_state(&rnd, req->seed);
	if (req->scatter) {
		ret = khob_scatter_begin(&sc, req->pages / 2, req->scatter, req->seed);
		if (ret)
			goto out;
	}
	khob_out.keeps_room = true;
	khob_arena_reserve(&khob_out.data, PFN_PHYS(req->scatter ? req->pages / 2 : req->pages));
	for (; left; left -= 1ULL << f->order) {
		unsigned int order = mixed ? khob_mixed_order(&rnd, left) : req->order;

		ret = khob_act_pause();
		if (ret)
			break;
		f = khob_folio_make(order, req->seed, nr++ % 2 && sc.nr ? &sc : NULL);
		if (IS_ERR(f)) {
			ret = PTR_ERR(f);
			break;
		}
		list_add(&f->list, &made);
	}
	list_for_each_entry_safe(f, next, &made, list) {
		list_del_init(&f->list);
		if (ret)
			khob_folio_drop(f);
	}
	khob_out.keeps_room = false;
out:
	khob_scatter_end(&sc);
	khob_out.preserve_us = ktime_us_delta(ktime_get(), begin);
	if (ret)
		return khob_refuse(ret, "preserve: stopped with %llu of %llu pages left (error %d)",
				   left, req->pages, ret);
	return 0;
}

static int khob_out_unpreserve_all(void)
{
	struct khob_folio *f;
	unsigned long pfn;
	int ret;

	xa_for_each(&khob_out.folios, pfn, f) {
		khob_folio_drop(f);
		ret = khob_act_pause();
		if (ret)
			return khob_refuse(ret, "unpreserve: interrupted; %llu folios are left",
					   khob_out.nr_folios);
	}
	return 0;
}

static int khob_out_unpreserve_page(u64 pa, unsigned int order)
{
	struct khob_folio *f = xa_load(&khob_out.folios, PHYS_PFN(pa));

	if (khob_client_covers(pa, pa + (PAGE_SIZE << order)))
		return khob_refuse(-EPERM, "unpreserve: 0x%llx belongs to another module", pa);
	if (!f || f->pa != pa || f->order != order)
		return khob_refuse(-ENOENT, "unpreserve: 0x%llx, order %u: not preserved", pa,
				   order);
	khob_folio_drop(f);
	return 0;
}

int khob_out_unpreserve(const struct khob_target *t)
{
	if (khob_out.frozen)
		return khob_refuse(-EBUSY, "unpreserve: a kernel is loaded; unload it first");
	switch (t->what) {
	case KHOB_WHAT_ALL:
		return khob_out_unpreserve_all();
	case KHOB_WHAT_PAGE:
		return khob_out_unpreserve_page(t->pa, t->order);
	case KHOB_WHAT_SUBTREE:
		return khob_out_remove(t->name);
	}
	return -EINVAL;
}
