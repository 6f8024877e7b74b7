// SPDX-License-Identifier: GPL-2.0-only
/*
 * What this kernel was handed: the state between attach and release, and what can be
 * asked of it.
 */
#include "core/bits.h"
#include "in/in.h"

struct khob_in khob_in;

static const struct khob_face *khob_in_face;

/* Who shows what is held, if anybody does; before anything is, and until nothing is. */
void khob_in_set_face(const struct khob_face *face)
{
	khob_in_face = face;
}

/* Return: 0 or -ENOMEM. */
int khob_in_show(struct khob_handed *sub)
{
	if (!khob_in_face)
		return 0;
	sub->user = khob_in_face->show(sub->name, sub->len);
	return sub->user ? 0 : -ENOMEM;
}

void khob_in_hide(struct khob_handed *sub)
{
	if (khob_in_face)
		khob_in_face->hide(sub->user);
	sub->user = NULL;
}

static void khob_in_drop(struct khob_handover **h)
{
	if (*h)
		khob_handover_free(*h);
	kvfree(*h);
	*h = NULL;
}

/* Forgets everything but the history; pages that are still held stay reserved. */
void khob_in_forget(void)
{
	u64 i;

	for (i = 0; khob_in.got && i < khob_in.got->nr_subtrees; i++)
		khob_in_hide(&khob_in.got->subtrees[i]);
	khob_in_drop(&khob_in.got);
	khob_in_drop(&khob_in.refused);
	khob_in.state = KHOB_IN_NONE;
	khob_in.reason[0] = '\0';
}

/* Whether every page that [@start, @end) touches is still held. */
bool khob_in_kept(u64 start, u64 end)
{
	return khob_in.got && khob_handover_kept(khob_in.got, start, end);
}

/* The subtree of that name that is still held, or NULL. */
struct khob_handed *khob_in_subtree(const char *name)
{
	return khob_in.got ? khob_handover_subtree(khob_in.got, name) : NULL;
}

unsigned int khob_in_nr_subtrees(void)
{
	unsigned int nr = 0;
	u64 i;

	for (i = 0; khob_in.got && i < khob_in.got->nr_subtrees; i++)
		nr += !khob_in.got->subtrees[i].gone;
	return nr;
}

/* Whether pages of the kernel before are still held. */
bool khob_in_holds(void)
{
	return khob_in.got && (khob_in.got->pages || khob_in_nr_subtrees());
}

/* The order of the page that is held at @pa, data or part of a subtree's blob. */
bool khob_in_held(u64 pa, unsigned int *order)
{
	unsigned int now;

	if (!khob_in.got || !khob_key_at(&khob_in.got->tree, pa, order))
		return false;
	/* A client of the kernel's own may have taken it a moment ago. */
	return !khob_in.native || (khob_native_order(pa, &now) && now == *order);
}

/* Whether a client of an outgoing kernel's own KHO had preserved this page, not kho_bridge. */
bool khob_in_others(u64 key)
{
	return khob_in.got && khob_radix_has(&khob_in.got->others, key);
}

struct khob_in_walk {
	int (*fn)(void *ctx, u64 key, const struct khob_handed *sub);
	void *ctx;
};

static int khob_in_walk_key(void *ctx, u64 key)
{
	const struct khob_in_walk *walk = ctx;
	unsigned int order;
	u64 pa;

	cond_resched();
	if (khob_key_decode(key, &pa, &order))
		return 0;
	return walk->fn(walk->ctx, key,
			khob_handover_blob(khob_in.got, pa, pa + (PAGE_SIZE << order)));
}

/**
 * khob_in_walk() - call @fn for the key of every page that is held
 * @fn: with the subtree that the page belongs to, or NULL; may take the page. Other than 0
 *	ends the walk.
 * @ctx: for @fn
 *
 * Context: process, khob_lock held. Return: 0 or what @fn returned.
 */
int khob_in_walk(int (*fn)(void *ctx, u64 key, const struct khob_handed *sub), void *ctx)
{
	struct khob_in_walk walk = { .fn = fn, .ctx = ctx };

	if (!khob_in.got)
		return 0;
	return khob_radix_walk(&khob_in.got->tree, 0, U64_MAX, khob_in_walk_key, &walk);
}
