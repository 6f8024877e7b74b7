// SPDX-License-Identifier: GPL-2.0-only
/*
 * kho_bridge: hands memory over to the next kernel, and takes over what the
 * kernel before left, without either of them having been built for it.
 */
#include <linux/module.h>
#include <linux/reboot.h>

#include "khob.h"

/* Guards khob_out, khob_in and everything that hangs on them. */
DECLARE_RWSEM(khob_lock);

static char khob_error[256];
static bool khob_pinned;

static ulong setup_data;
module_param(setup_data, ulong, 0400);
MODULE_PARM_DESC(setup_data, "physical address of the setup_data chain to attach to (khoctl attach finds it)");

int khob_refuse(int err, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vscnprintf(khob_error, sizeof(khob_error), fmt, args);
	va_end(args);
	pr_notice("%s\n", khob_error);
	return err;
}

/* Whether the module is held; khob_lock for reading is enough. */
bool khob_is_pinned(void)
{
	lockdep_assert_held(&khob_lock);
	return khob_pinned;
}

const char *khob_last_error(void)
{
	return khob_error;
}

/*
 * An owner of preserved pages cannot go: nobody else would know of them. So
 * the module holds itself while it owns any, and rmmod says that it is in use.
 */
void khob_update_pin(void)
{
	bool want;

	lockdep_assert_held_write(&khob_lock);
	if (!khob_out.frozen)
		khob_out_trim();
	want = !khob_out_empty() || khob_in_holds();
	if (want && !khob_pinned)
		__module_get(THIS_MODULE);
	if (!want && khob_pinned)
		module_put(THIS_MODULE);
	khob_pinned = want;
}

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
	khob_in_init();
	ret = khob_debugfs_init();
	if (ret)
		return ret;
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
	khob_debugfs_exit();
	khob_in_clear();
}
module_exit(khob_exit);

MODULE_DESCRIPTION("Kexec HandOver between any two kernels");
MODULE_VERSION(KHOB_VERSION);
MODULE_LICENSE("GPL");
