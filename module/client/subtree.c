// SPDX-License-Identifier: GPL-2.0-only
/*
 * Other modules' named blobs, both ways: the calls that they make.
 */
#include "khob/kho_bridge.h"
#include "out/out.h"

int khob_add_subtree(const char *name, void *blob, size_t size)
{
	int ret;

	if (!size || blob + size - 1 < blob || !virt_addr_valid(blob) ||
	    !virt_addr_valid(blob + size - 1))
		return -EINVAL;

	CLASS(khob_user_lock, killed)();
	if (killed)
		return killed;
	ret = khob_out_add_subtree(name, __pa(blob), size);
	khob_update_pin();
	khob_changed();
	return ret;
}
EXPORT_SYMBOL_GPL(khob_add_subtree);

int khob_remove_subtree(void *blob)
{
	int ret;

	if (!virt_addr_valid(blob))
		return -ENOENT;
	guard(khob_write)();
	ret = khob_out_remove_client(__pa(blob));
	khob_update_pin();
	khob_changed();
	return ret;
}
EXPORT_SYMBOL_GPL(khob_remove_subtree);

int khob_retrieve_subtree(const char *name, phys_addr_t *phys, size_t *size)
{
	struct khob_handed *sub;

	if (!name || !phys)
		return -EINVAL;

	CLASS(khob_user_lock, killed)();
	if (killed)
		return killed;
	sub = khob_in_subtree(name);
	if (!sub)
		return -ENOENT;
	*phys = sub->pa;
	if (size)
		*size = sub->len;
	return 0;
}
EXPORT_SYMBOL_GPL(khob_retrieve_subtree);

int khob_release_subtree(const char *name)
{
	struct khob_target target = { .what = KHOB_WHAT_SUBTREE };
	int ret;

	if (strscpy(target.name, name, sizeof(target.name)) < 0)
		return -ENOENT;
	guard(khob_write)();
	ret = khob_in_release(&target);
	khob_update_pin();
	khob_changed();
	return ret;
}
EXPORT_SYMBOL_GPL(khob_release_subtree);
