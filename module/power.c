// SPDX-License-Identifier: GPL-2.0-only
/*
 * When the machine is about to reboot or to hibernate.
 */
#include <linux/delay.h>
#include <linux/reboot.h>
#include <linux/suspend.h>

#include "out/out.h"
#include "power.h"

/* How long a reboot waits for whoever is at work, in milliseconds. */
#define KHOB_REBOOT_PATIENCE 2000

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
	khob_image_warn();
	for (ms = 0; ms < KHOB_REBOOT_PATIENCE; ms++) {
		if (khob_writers_stop()) {
			khob_freeze_stamp();
			khob_writers_go();
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
	guard(khob_write)();
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

int khob_power_init(void)
{
	int ret = register_reboot_notifier(&khob_reboot_nb);

	if (ret)
		return ret;
	ret = register_pm_notifier(&khob_sleep_nb);
	if (ret)
		unregister_reboot_notifier(&khob_reboot_nb);
	return ret;
}

void khob_power_exit(void)
{
	unregister_pm_notifier(&khob_sleep_nb);
	unregister_reboot_notifier(&khob_reboot_nb);
}
