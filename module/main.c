// SPDX-License-Identifier: GPL-2.0-only
/*
 * kho_bridge: hands memory over to the next kernel, and takes over what the
 * kernel before left, without either of them having been built for it.
 */
#include <linux/delay.h>
#include <linux/module.h>
#include <linux/reboot.h>
#include <linux/suspend.h>

#include "debugfs/debugfs.h"
#include "test/test.h"

/* How long a reboot waits for whoever is at work, in milliseconds. */
#define KHOB_REBOOT_PATIENCE 2000

static ulong setup_data;
/* An address in memory: a kernel that is locked down takes none. */
module_param_hw(setup_data, ulong, other, 0400);
MODULE_PARM_DESC(setup_data, "physical address of the setup_data chain to attach to (khoctl attach finds it)");

/*
 * Other tasks go on until the jump, so first nobody may give anything back any more; who has
 * looked before that has the lock. A reboot hangs on nobody: what is handed over is
 * sound without the stamp.
 */
static int khob_reboot(struct notifier_block *nb, unsigned long action, void *data)
{
	unsigned int ms;

	if (action != SYS_RESTART)
		return NOTIFY_DONE;
	khob_set_leaving();
	for (ms = 0; ms < KHOB_REBOOT_PATIENCE; ms++) {
		if (down_write_trylock(&khob_lock)) {
			khob_freeze_stamp();
			up_write(&khob_lock);
			return NOTIFY_DONE;
		}
		fsleep(USEC_PER_MSEC);
	}
	pr_warn("still at work while the kernel goes: the time of the kexec is not handed over\n");
	return NOTIFY_DONE;
}

static struct notifier_block khob_reboot_nb = {
	.notifier_call = khob_reboot,
	/* Before the others, which may take their time. */
	.priority = INT_MAX,
};

/*
 * An image of this kernel would go on with scratch and memory of the kernel before as they
 * were, in a machine that has been through its firmware meanwhile.
 */
static int khob_sleep(struct notifier_block *nb, unsigned long action, void *data)
{
	if (action != PM_HIBERNATION_PREPARE)
		return NOTIFY_DONE;
	guard(rwsem_write)(&khob_lock);
	if (khob_out.frozen)
		return notifier_from_errno(khob_refuse(-EBUSY,
			"hibernation: a kernel is loaded; unload it first"));
	if (khob_in_holds())
		return notifier_from_errno(khob_refuse(-EBUSY,
			"hibernation: memory of the kernel before is held; release it first"));
	return NOTIFY_DONE;
}

static struct notifier_block khob_sleep_nb = {
	.notifier_call = khob_sleep,
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
	ret = register_pm_notifier(&khob_sleep_nb);
	if (ret)
		goto err_reboot;
	if (setup_data) {
		guard(rwsem_write)(&khob_lock);
		/* A refusal is in in/status: loading goes on, so that it can be looked at. */
		khob_in_attach(setup_data);
		khob_update_pin();
	}
	return 0;

err_reboot:
	unregister_reboot_notifier(&khob_reboot_nb);
err_debugfs:
	khob_debugfs_exit();
	return ret;
}
module_init(khob_init);

static void __exit khob_exit(void)
{
	unregister_pm_notifier(&khob_sleep_nb);
	unregister_reboot_notifier(&khob_reboot_nb);
	khob_in_forget();
	khob_debugfs_exit();
}
module_exit(khob_exit);

MODULE_DESCRIPTION("Kexec HandOver between any two kernels");
MODULE_VERSION(KHOB_VERSION);
MODULE_LICENSE("GPL");
