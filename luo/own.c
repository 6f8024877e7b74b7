// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the kernel's own LUO does, and whether KHO takes changes just now.
 */
#include <linux/err.h>

#include "luo.h"

DECLARE_RWSEM(luo_going);

/**
 * luo_own_is_active() - whether the kernel's own LUO is at work
 *
 * It is wherever it is built in and the kernel's own KHO is on: told liveupdate=on it has the
 * device, and without that it has consumed what the kernel before has left.
 *
 * Return: true if so.
 */
bool luo_own_is_active(void)
{
#if defined(CONFIG_LIVEUPDATE) && !defined(KHOB_COMPAT_KEXEC_HANDOVER_H)
	return kho_is_enabled();
#elif defined(CONFIG_LIVEUPDATE)
	phys_addr_t pa;
	int ret = luo_out_open();

	/* kho_bridge's names hide the kernel's; but the subtree's name can be had once only. */
	if (!ret)
		luo_out_close();
	return ret == -EBUSY && kho_retrieve_subtree(KHOB_LUO_NAME, &pa, NULL) == -ENOENT;
#else
	return false;
#endif
}

/**
 * luo_may_take() - whether what was handed over can be taken, and more be preserved
 *
 * Return: 0; -EBUSY from the moment a kernel is loaded until it is unloaded; -ENOMEM, -EINTR.
 */
int luo_may_take(void)
{
	void *page = kho_alloc_preserve(KHOB_PAGE_SIZE);

	if (IS_ERR(page))
		return PTR_ERR(page);
	kho_unpreserve_free(page);
	return 0;
}
