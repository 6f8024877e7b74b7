// SPDX-License-Identifier: GPL-2.0-only
/*
 * What this kernel was handed: the state between attach and release.
 */
#include <linux/bsearch.h>

#include "in/in.h"

struct khob_in khob_in;

static const struct khob_face *khob_in_face;

/* Who shows what is held; before anything is, and until nothing is. */
void khob_in_set_face(const struct khob_face *face)
{
	khob_in_face = face;
}

void khob_in_show(struct khob_in_subtree *sub)
{
	sub->shown = khob_in_face->show(sub->name, sub->len);
}

void khob_in_hide(struct khob_in_subtree *sub)
{
	khob_in_face->hide(sub->shown);
	sub->shown = NULL;
}

void khob_in_init(void)
{
	INIT_LIST_HEAD(&khob_in.subtrees);
}

/* Names of subtrees that every freeze makes anew and that no client can use. */
bool khob_internal_name(const char *name)
{
	return !strcmp(name, KHOB_META_NAME) || !strcmp(name, KHOB_RECORDS_NAME) ||
	       !strcmp(name, KHOB_KEXEC_METADATA_NAME);
}

/*
 * Forgets everything but the history; pages that are still held stay reserved.
 */
void khob_in_clear(void)
{
	struct khob_in_subtree *sub, *next;
	unsigned int i;

	list_for_each_entry_safe(sub, next, &khob_in.subtrees, list) {
		khob_in_hide(sub);
		list_del(&sub->list);
		kfree(sub);
	}
	if (khob_in.tree_ready)
		khob_radix_destroy(&khob_in.tree);
	if (khob_in.blobs_ready)
		khob_radix_destroy(&khob_in.blobs);
	for (i = 0; i < khob_in.nr_ranges; i++) {
		kvfree(khob_in.ranges[i].keyed);
		kvfree(khob_in.ranges[i].noded);
		kvfree(khob_in.ranges[i].kept);
	}
	kvfree(khob_in.ranges);
	kvfree(khob_in.fdt);
	kvfree(khob_in.chunks);
	memset(&khob_in, 0, offsetof(struct khob_in, boot));
	khob_in_init();
}

static int khob_in_range_cmp(const void *key, const void *elem)
{
	const struct khob_in_range *want = key, *r = elem;

	if (want->end <= r->start)
		return -1;
	return want->start >= r->end;
}

/* The interval that holds all of [@start, @end), or NULL. */
struct khob_in_range *khob_in_find(u64 start, u64 end)
{
	struct khob_in_range want = { .start = start, .end = start + 1 }, *r;

	if (!khob_in.nr_ranges || start >= end)
		return NULL;
	r = bsearch(&want, khob_in.ranges, khob_in.nr_ranges, sizeof(*r), khob_in_range_cmp);
	return r && end <= r->end ? r : NULL;
}

/* Whether every page that [@start, @end) touches is still held. */
bool khob_in_kept(u64 start, u64 end)
{
	struct khob_in_range *r = khob_in_find(start, end);
	unsigned long bit, last;

	if (!r)
		return false;
	bit = PHYS_PFN(start - r->start);
	last = PHYS_PFN(end - 1 - r->start);
	return find_next_zero_bit(r->kept, last + 1, bit) > last;
}

struct khob_in_subtree *khob_in_subtree(const char *name)
{
	struct khob_in_subtree *sub;

	list_for_each_entry(sub, &khob_in.subtrees, list)
		if (!strcmp(sub->name, name))
			return sub;
	return NULL;
}

/* Whether pages of the kernel before are still held. */
bool khob_in_holds(void)
{
	return khob_in.state == KHOB_IN_ATTACHED &&
	       (khob_in.pages || !list_empty(&khob_in.subtrees));
}

/* The order of the key that @tree has for a page at @pa. Return: false if it has none. */
bool khob_in_key_at(const struct khob_radix *tree, u64 pa, unsigned int *order)
{
	unsigned int o;
	u64 key;

	/* Once an address is not aligned to an order, it is to none above. */
	for (o = 0; o <= KHOB_ORDER_MAX && !khob_key_encode(pa, o, &key); o++) {
		if (khob_radix_has(tree, key)) {
			*order = o;
			return true;
		}
	}
	return false;
}
