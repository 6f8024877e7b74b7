// SPDX-License-Identifier: GPL-2.0-only
/*
 * kho_luo: upstream's Live Update Orchestrator for kernels that were built without it.
 */
#include <linux/module.h>

#include "device.h"
#include "session.h"

static int __init luo_init(void)
{
	int ret;

	if (luo_own_is_active()) {
		pr_err("this kernel has a Live Update Orchestrator of its own: boot it with liveupdate=on\n");
		return -EBUSY;
	}
	if (!kho_is_enabled()) {
		pr_err("this kernel's KHO is off: boot it with kho=on\n");
		return -EOPNOTSUPP;
	}
	ret = luo_leave_init();
	if (ret)
		return ret;
	ret = luo_device_init();
	if (ret)
		goto err_leave;
	ret = luo_admin_init();
	if (ret)
		goto err_device;
	return 0;

err_device:
	luo_device_exit();
err_leave:
	luo_leave_exit();
	return ret;
}
module_init(luo_init);

/* Every session has a reference to the module: there is none left. */
static void __exit luo_exit(void)
{
	luo_admin_exit();
	luo_device_exit();
	luo_leave_exit();
}
module_exit(luo_exit);

MODULE_DESCRIPTION("Live Update Orchestrator for kernels without one");
MODULE_VERSION(LUO_VERSION);
MODULE_LICENSE("GPL");
