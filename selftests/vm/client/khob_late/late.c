// SPDX-License-Identifier: GPL-2.0-only
/*
 * Makes the time between the reboot notifiers and the jump into the next kernel long: the
 * last of them says so in the log and sleeps, while all of userspace goes on.
 */
#include <linux/delay.h>
#include <linux/module.h>
#include <linux/reboot.h>

#define LATE_SECONDS 8

static int late_reboot(struct notifier_block *nb, unsigned long action, void *data)
{
	pr_info("khob_late: all others have been told\n");
	ssleep(LATE_SECONDS);
	return NOTIFY_DONE;
}

static struct notifier_block late_nb = {
	.notifier_call = late_reboot,
	.priority = INT_MIN,
};

static int __init late_init(void)
{
	return register_reboot_notifier(&late_nb);
}
module_init(late_init);

static void __exit late_exit(void)
{
	unregister_reboot_notifier(&late_nb);
}
module_exit(late_exit);

MODULE_DESCRIPTION("Makes a reboot wait just before it happens");
MODULE_LICENSE("GPL");
