// SPDX-License-Identifier: GPL-2.0-only
/*
 * Named blobs that this kernel hands over, each in one piece. Those of debugfs live
 * in the metadata arena, which is preserved as a whole; those of other modules in
 * pages that these have preserved.
 */
#include "out/out.h"

static const struct khob_face *khob_out_face;

/*
 * Who shows subtrees that are put here, if anybody does; before there are any, and until there
 * are none.
 */
void khob_out_set_face(const struct khob_face *face)
{
	khob_out_face = face;
}

struct khob_subtree *khob_out_subtree(const char *name)
{
	struct khob_subtree *sub;

	list_for_each_entry(sub, &khob_out.subtrees, list)
		if (!strcmp(sub->name, name))
			return sub;
	return NULL;
}

/* A new subtree's struct, if there may be one. Return: it, or an ERR_PTR(). */
static struct khob_subtree *khob_subtree_new(const char *name, u64 len, enum khob_owner owner)
{
	struct khob_subtree *sub;

	if (khob_out.frozen)
		return ERR_PTR(khob_refuse(-EBUSY, "put: a kernel is loaded; unload it first"));
	if (!khob_subtree_name_ok(name) || khob_internal_name(name))
		return ERR_PTR(khob_refuse(-EINVAL,
					   "put: \"%.63s\" cannot be the name of a subtree", name));
	if (!len || len > PFN_PHYS(khob_end_pfn()))
		return ERR_PTR(khob_refuse(-EINVAL, "put: %s cannot have %llu bytes", name, len));
	if (khob_out.nr_subtrees + khob_in_nr_subtrees() >=
	    KHOB_SUBTREES_MAX - KHOB_INTERNAL_SUBTREES)
		return ERR_PTR(khob_refuse(-ENOSPC, "put: a root FDT names at most %d subtrees",
					   KHOB_SUBTREES_MAX));
	if (khob_out_subtree(name))
		return ERR_PTR(khob_refuse(-EEXIST, "put: subtree %s exists", name));
	if (khob_in_subtree(name))
		return ERR_PTR(khob_refuse(-EEXIST,
					   "put: the kernel before left a %s; release it first",
					   name));
	sub = kzalloc(sizeof(*sub), GFP_KERNEL);
	if (!sub)
		return ERR_PTR(-ENOMEM);
	strscpy(sub->name, name, sizeof(sub->name));
	sub->len = len;
	sub->owner = owner;
	return sub;
}

static int khob_subtree_add(struct khob_subtree *sub)
{
	if (khob_native_source()) {
		int ret = khob_native_add_subtree(sub->name, sub->pa, sub->len);

		if (ret)
			return ret;
	}
	khob_out.nr_subtrees++;
	list_add_tail(&sub->list, &khob_out.subtrees);
	return 0;
}

static int khob_subtree_alloc(struct khob_subtree *sub)
{
	int ret = khob_out_tree_get();

	if (ret)
		return ret;
	sub->pa = khob_arena_alloc(&khob_out.meta, PAGE_ALIGN(sub->len), false);
	if (!sub->pa)
		return khob_refuse(-ENOMEM, "put: no contiguous %llu bytes for %s", sub->len,
				   sub->name);
	memset(__va(sub->pa), 0, PAGE_ALIGN(sub->len));
	ret = khob_out_settle();
	if (ret)
		khob_arena_free(&khob_out.meta, sub->pa, PAGE_ALIGN(sub->len));
	return ret;
}

static void khob_subtree_drop(struct khob_subtree *sub)
{
	if (khob_out_face)
		khob_out_face->hide(sub->shown);
	if (khob_native_source())
		khob_native_remove_subtree(sub->pa);
	if (sub->owner == KHOB_OWNER_ARENA)
		khob_arena_free(&khob_out.meta, sub->pa, PAGE_ALIGN(sub->len));
	list_del(&sub->list);
	khob_out.nr_subtrees--;
	kfree(sub);
}

/**
 * khob_out_put() - make a subtree of @len zeroes
 * @name: nothing is assumed of it
 * @len: bytes
 *
 * Return: 0; -EBUSY once a kernel is loaded; -EINVAL for a bad or reserved name;
 * -EEXIST also if the kernel before left one of this name that is still held,
 * since both would be handed over under it; -ENOMEM.
 */
int khob_out_put(const char *name, u64 len)
{
	struct khob_subtree *sub = khob_subtree_new(name, len, KHOB_OWNER_ARENA);
	int ret;

	if (IS_ERR(sub))
		return PTR_ERR(sub);
	ret = khob_subtree_alloc(sub);
	if (ret) {
		kfree(sub);
		return ret;
	}
	ret = khob_subtree_add(sub);
	if (ret) {
		khob_arena_free(&khob_out.meta, sub->pa, PAGE_ALIGN(len));
		kfree(sub);
		return ret;
	}
	if (!khob_out_face)
		return 0;
	sub->shown = khob_out_face->show(sub->name, sub->len);
	if (sub->shown)
		return 0;
	/* Without a file nobody could write to it. */
	khob_subtree_drop(sub);
	return -ENOMEM;
}

int khob_out_remove(const char *name)
{
	struct khob_subtree *sub = khob_out_subtree(name);

	if (khob_out.frozen)
		return khob_refuse(-EBUSY, "unpreserve: a kernel is loaded; unload it first");
	if (!sub)
		return khob_refuse(-ENOENT, "unpreserve: no subtree %s", name);
	if (sub->owner == KHOB_OWNER_CLIENT)
		return khob_refuse(-EPERM, "unpreserve: subtree %s belongs to another module",
				   name);
	if (khob_mapped(sub->pa, sub->pa + sub->len, false))
		return khob_refuse(-EBUSY, "unpreserve: somebody has subtree %s mapped", name);
	khob_subtree_drop(sub);
	return 0;
}

/*
 * Once a kernel is loaded nothing that is handed over changes: not through a mapping either.
 * Return: 0 or -EBUSY.
 */
int khob_out_unmapped(void)
{
	struct khob_subtree *sub;

	list_for_each_entry(sub, &khob_out.subtrees, list)
		if (sub->owner == KHOB_OWNER_ARENA &&
		    khob_mapped(sub->pa, sub->pa + sub->len, true))
			return khob_refuse(-EBUSY,
					   "scratch: somebody has subtree %s mapped for writing",
					   sub->name);
	return 0;
}

/* On thaw: what clients have removed in the meantime. */
void khob_out_remove_gone(void)
{
	struct khob_subtree *sub, *next;

	list_for_each_entry_safe(sub, next, &khob_out.subtrees, list)
		if (sub->gone)
			khob_subtree_drop(sub);
}

/**
 * khob_out_add_subtree() - hand a client's blob over
 * @name: nothing is assumed of it
 * @pa: physical address of the blob, which the client has preserved or will
 * @len: bytes
 *
 * Return: as khob_add_subtree().
 */
int khob_out_add_subtree(const char *name, u64 pa, u64 len)
{
	struct khob_subtree *sub = khob_subtree_new(name, len, KHOB_OWNER_CLIENT);
	int ret;

	if (IS_ERR(sub))
		return PTR_ERR(sub);
	sub->pa = pa;
	ret = khob_subtree_add(sub);
	if (ret)
		kfree(sub);
	return ret;
}

/* Takes a client's blob back; once a kernel is loaded, on thaw. Return: 0 or -ENOENT. */
int khob_out_remove_client(u64 pa)
{
	struct khob_subtree *sub;

	list_for_each_entry(sub, &khob_out.subtrees, list) {
		if (sub->owner != KHOB_OWNER_CLIENT || sub->gone || sub->pa != pa)
			continue;
		sub->gone = true;
		if (!khob_out.frozen)
			khob_subtree_drop(sub);
		return 0;
	}
	return -ENOENT;
}
