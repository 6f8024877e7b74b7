// SPDX-License-Identifier: GPL-2.0-only
/*
 * Root FDTs and lists of subtrees, as copies.
 */
#include "face/face.h"

void *khob_out_fdt_copy(size_t *len)
{
	int ret = khob_may(CAP_SYS_ADMIN);

	if (ret)
		return ERR_PTR(ret);

	CLASS(khob_user_lock, killed)();
	return killed ? ERR_PTR(killed) : khob_out_fdt(len);
}

void *khob_in_fdt_copy(size_t *len)
{
	int ret = khob_may(CAP_SYS_ADMIN);
	void *copy;

	if (ret)
		return ERR_PTR(ret);

	CLASS(khob_user_lock, killed)();
	if (killed)
		return ERR_PTR(killed);
	if (!khob_in.got)
		return ERR_PTR(-ENOENT);
	*len = khob_in.got->fdt_len;
	copy = kvmalloc(*len, GFP_KERNEL);
	return copy ? memcpy(copy, khob_in.got->fdt, *len) : ERR_PTR(-ENOMEM);
}

/* Room for @nr of them, one at least. */
static struct kho_bridge_subtree *khob_subtrees_room(unsigned int nr, size_t *len)
{
	*len = nr * sizeof(struct kho_bridge_subtree);
	return kvcalloc(max(nr, 1U), sizeof(struct kho_bridge_subtree), GFP_KERNEL) ?:
	       ERR_PTR(-ENOMEM);
}

struct kho_bridge_subtree *khob_out_subtrees_copy(size_t *len)
{
	struct kho_bridge_subtree *copy, *to;
	struct khob_subtree *sub;
	int ret = khob_may(CAP_SYS_ADMIN);

	if (ret)
		return ERR_PTR(ret);

	CLASS(khob_user_lock, killed)();
	if (killed)
		return ERR_PTR(killed);
	copy = khob_subtrees_room(khob_out.nr_subtrees, len);
	if (IS_ERR(copy))
		return copy;
	to = copy;
	list_for_each_entry(sub, &khob_out.subtrees, list) {
		/* A client's cannot be read or removed here: it is that client's business. */
		if (sub->owner == KHOB_OWNER_CLIENT)
			continue;
		strscpy(to->name, sub->name, sizeof(to->name));
		to->len = sub->len;
		to++;
	}
	*len = (void *)to - (void *)copy;
	return copy;
}

struct kho_bridge_subtree *khob_in_subtrees_copy(size_t *len)
{
	struct kho_bridge_subtree *copy, *to;
	int ret = khob_may(CAP_SYS_ADMIN);
	u64 i;

	if (ret)
		return ERR_PTR(ret);

	CLASS(khob_user_lock, killed)();
	if (killed)
		return ERR_PTR(killed);
	copy = khob_subtrees_room(khob_in_nr_subtrees(), len);
	if (IS_ERR(copy))
		return copy;
	to = copy;
	for (i = 0; khob_in.got && i < khob_in.got->nr_subtrees; i++) {
		const struct khob_handed *sub = &khob_in.got->subtrees[i];

		if (sub->gone)
			continue;
		strscpy(to->name, sub->name, sizeof(to->name));
		to->len = sub->len;
		if (sub->has_digest) {
			to->flags = KHO_BRIDGE_HAS_DIGEST;
			to->digest = sub->digest;
		}
		to++;
	}
	return copy;
}
