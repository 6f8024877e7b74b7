// SPDX-License-Identifier: GPL-2.0-only
/*
 * kho_bridge: hands memory over to the next kernel, and takes over what the
 * kernel before left, without either of them having been built for it.
 */
#include <linux/module.h>

#include "client/client.h"
#include "debugfs/debugfs.h"
#include "device/device.h"
#include "power.h"
#include "test/test.h"

static ulong setup_data;
/* An address in memory: a kernel that is locked down takes none. */
module_param_hw(setup_data, ulong, other, 0400);
MODULE_PARM_DESC(setup_data, "physical address of the setup_data chain to attach to (khoctl attach finds it)");

static void __init khob_attach_at_init(void)
{
	CLASS(khob_act, killed)();

	if (killed)
		return;
	khob_in_attach(setup_data);
	khob_update_pin();
}

static int __init khob_init(void)
{
	int ret;

	khob_out_init();
	khob_lock_init();
	ret = khob_debugfs_init();
	if (ret)
		return ret;
	khob_test_init();
	ret = khob_power_init();
	if (ret)
		goto err_debugfs;
	khob_image_init();
	ret = khob_device_init();
	if (ret)
		goto err_power;
	/* A refusal is in in/status: loading goes on, so that it can be looked at. */
	if (setup_data)
		khob_attach_at_init();
	return 0;

err_power:
	khob_image_exit();
	khob_power_exit();
err_debugfs:
	khob_debugfs_exit();
	return ret;
}
module_init(khob_init);

static void __exit khob_exit(void)
{
	khob_device_exit();
	khob_image_exit();
	khob_power_exit();
	khob_client_exit();
	khob_in_forget();
	khob_debugfs_exit();
}
module_exit(khob_exit);

MODULE_DESCRIPTION("Kexec HandOver between any two kernels");
MODULE_VERSION(KHOB_VERSION);
MODULE_LICENSE("GPL");
