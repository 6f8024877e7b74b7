// SPDX-License-Identifier: GPL-2.0-only
/*
 * kho_bridge: hands memory over to the next kernel, and takes over what the
 * kernel before left, without either of them having been built for it.
 */
#include <linux/module.h>
#include <linux/reboot.h>

#include "debugfs/debugfs.h"
#include "test/test.h"

static ulong setup_data;
module_param(setup_data, ulong, 0400);
MODULE_PARM_DESC(setup_data, "physical address of the setup_data chain to attach to (khoctl attach finds it)");

static int khob_reboot(struct notifier_block *nb, unsigned long action, void *data)
{
	/* No lock: every other task is past the point where it could change this. */
	if (action == SYS_RESTART)
		khob_freeze_stamp();
	return NOTIFY_DONE;
}

static struct notifier_block khob_reboot_nb = {
	.notifier_call = khob_reboot,
};

static int __init khob_init(void)
{
	int ret;

	khob_out_init();
	ret = khob_debugfs_init();
	if (ret)
		return ret;
	khob_test_init();
	ret = register_reboot_notifier(&khob_reboot_nb);
	if (ret)
		goto err_debugfs;
	if (setup_data) {
		guard(rwsem_write)(&khob_lock);
		/* A refusal is in in/status: loading goes on, so that it can be looked at. */
		khob_in_attach(setup_data);
		khob_update_pin();
	}
	return 0;

err_debugfs:
	khob_debugfs_exit();
	return ret;
}
module_init(khob_init);

static void __exit khob_exit(void)
{
	unregister_reboot_notifier(&khob_reboot_nb);
	khob_in_forget();
	khob_debugfs_exit();
}
module_exit(khob_exit);

MODULE_DESCRIPTION("Kexec HandOver between any two kernels");
MODULE_VERSION(KHOB_VERSION);
MODULE_LICENSE("GPL");
