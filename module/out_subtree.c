// SPDX-License-Identifier: GPL-2.0-only
/*
 * Named blobs that this kernel hands over. They live in the metadata arena,
 * which is preserved as a whole, and each in one piece.
 */
#include "khob.h"

struct khob_subtree *khob_out_subtree(const char *name)
{
	struct khob_subtree *sub;

	list_for_each_entry(sub, &khob_out.subtrees, list)
		if (!strcmp(sub->name, name))
			return sub;
	return NULL;
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
	struct khob_subtree *sub __free(kfree) = NULL;
	int ret;

	if (khob_out.frozen)
		return khob_refuse(-EBUSY, "put: a kernel is loaded; unload it first");
	if (!khob_subtree_name_ok(name) || khob_internal_name(name))
		return khob_refuse(-EINVAL, "put: \"%.63s\" cannot be the name of a subtree", name);
	if (!len || len > PFN_PHYS(khob_end_pfn()))
		return khob_refuse(-EINVAL, "put: %s cannot have %llu bytes", name, len);
	if (khob_out.nr_subtrees + khob_in.nr_subtrees >=
	    KHOB_SUBTREES_MAX - KHOB_INTERNAL_SUBTREES)
		return khob_refuse(-ENOSPC, "put: a root FDT names at most %d subtrees",
				   KHOB_SUBTREES_MAX);
	if (khob_out_subtree(name))
		return khob_refuse(-EEXIST, "put: subtree %s exists", name);
	if (khob_in_subtree(name))
		return khob_refuse(-EEXIST, "put: the kernel before left a %s; release it first",
				   name);
	sub = kzalloc(sizeof(*sub), GFP_KERNEL);
	if (!sub)
		return -ENOMEM;
	strscpy(sub->name, name, sizeof(sub->name));
	sub->len = len;
	ret = khob_out_tree_get();
	if (ret)
		return ret;
	sub->pa = khob_arena_alloc(&khob_out.meta, PAGE_ALIGN(len), false);
	if (!sub->pa)
		return khob_refuse(-ENOMEM, "put: no contiguous %llu bytes for %s", len, name);
	memset(__va(sub->pa), 0, PAGE_ALIGN(len));
	ret = khob_out_settle();
	if (ret) {
		khob_arena_free(&khob_out.meta, sub->pa, PAGE_ALIGN(len));
		return ret;
	}
	khob_debugfs_out_subtree(sub);
	khob_out.nr_subtrees++;
	list_add_tail(&no_free_ptr(sub)->list, &khob_out.subtrees);
	return 0;
}

static void khob_subtree_drop(struct khob_subtree *sub)
{
	khob_debugfs_forget(&sub->dentry);
	khob_arena_free(&khob_out.meta, sub->pa, PAGE_ALIGN(sub->len));
	list_del(&sub->list);
	khob_out.nr_subtrees--;
	kfree(sub);
}

int khob_out_remove(const char *name)
{
	struct khob_subtree *sub = khob_out_subtree(name);

	if (khob_out.frozen)
		return khob_refuse(-EBUSY, "unpreserve: a kernel is loaded; unload it first");
	if (!sub)
		return khob_refuse(-ENOENT, "unpreserve: no subtree %s", name);
	khob_subtree_drop(sub);
	return 0;
}

void khob_out_remove_all(void)
{
	while (!list_empty(&khob_out.subtrees))
		khob_subtree_drop(list_first_entry(&khob_out.subtrees, struct khob_subtree, list));
}

int khob_add_subtree(const char *name, const void *data, size_t size)
{
	int ret;

	guard(mutex)(&khob_lock);
	ret = khob_out_put(name, size);
	if (!ret)
		memcpy(__va(khob_out_subtree(name)->pa), data, size);
	khob_update_pin();
	return ret;
}
EXPORT_SYMBOL_GPL(khob_add_subtree);

int khob_remove_subtree(const char *name)
{
	int ret;

	guard(mutex)(&khob_lock);
	ret = khob_out_remove(name);
	khob_update_pin();
	return ret;
}
EXPORT_SYMBOL_GPL(khob_remove_subtree);
