// SPDX-License-Identifier: GPL-2.0-only
/*
 * The root that the next kernel finds. There is one as long as there are sessions: who has none
 * hands nothing over that another version's LUO could stumble over.
 */
#include <linux/err.h>

#include "luo.h"

static struct khob_luo_ser *luo_root;
/* How many live updates there were up to this kernel. */
static u64 luo_number;

/**
 * luo_out_count() - goes on counting where the kernel before was
 * @before: its number
 */
void luo_out_count(u64 before)
{
	luo_number = before;
	if (luo_root)
		luo_root->liveupdate_num = luo_number + 1;
}

/**
 * luo_out_open() - hand a root over, unless that is so already
 *
 * Return: 0; -EBUSY once a kernel is loaded, or if the kernel before has left one that is still
 * held; another errno of preserving.
 */
int luo_out_open(void)
{
	struct khob_luo_ser *root;
	int ret;

	if (luo_root)
		return 0;
	root = kho_alloc_preserve(sizeof(*root));
	if (IS_ERR(root))
		return PTR_ERR(root);
	strscpy(root->compatible, KHOB_LUO_COMPATIBLE_LUO_V5, sizeof(root->compatible));
	root->liveupdate_num = luo_number + 1;
	ret = kho_add_subtree(KHOB_LUO_NAME, root, sizeof(*root));
	if (ret) {
		kho_unpreserve_free(root);
		if (ret != -EEXIST)
			return ret;
		pr_warn(KHOB_LUO_NAME " is handed over by somebody else already\n");
		return -EBUSY;
	}
	luo_root = root;
	return 0;
}

/**
 * luo_out_close() - hand no root over
 */
void luo_out_close(void)
{
	if (!luo_root)
		return;
	kho_remove_subtree(luo_root);
	kho_unpreserve_free(luo_root);
	luo_root = NULL;
}

/**
 * luo_out_write() - say where the sessions are, now that they are written
 * @sessions_pa: physical address of their first block; 0 if there are none
 */
void luo_out_write(u64 sessions_pa)
{
	if (luo_root)
		luo_root->sessions_pa = sessions_pa;
}
