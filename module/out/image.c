// SPDX-License-Identifier: GPL-2.0-only
/*
 * What becomes of the kernel that is loaded. What is frozen goes along with that one and no
 * other, and whoever loads another, or unloads it, asks nobody here: the kernel has no
 * notifier for it and shows no more than that some kernel is loaded. So two kprobes see
 * each image come and go.
 */
#include <linux/irq_work.h>
#include <linux/kexec.h>
#include <linux/kprobes.h>
#include <linux/sched.h>
#include <linux/workqueue.h>

#include "out/out.h"

/* "khoctl unload" unloads, then thaws: there is nothing to say if that comes at once. */
#define KHOB_IMAGE_PATIENCE HZ

/* The kernel that is loaded, or is going to be. */
static struct {
	bool watched; /* the kprobes are there */
	bool settled; /* it has been loaded; until then the freeze is its loader's */
	pid_t pid; /* of the loader, which froze; 0 if nothing is frozen */
	char comm[TASK_COMM_LEN]; /* its name */
	const struct kimage *ours; /* the image that it loads or has loaded, or NULL */
	const struct kimage *last; /* of whoever came last, unless that is gone */
	struct irq_work going; /* begins @gone: a kprobe may take no lock */
	struct delayed_work gone; /* says that @ours is gone */
} khob_image;

/* Kernels that are loaded in case of a panic are none of ours. Not yet loaded, but about to be. */
static int khob_image_comes(struct kprobe *p, struct pt_regs *regs)
{
	const struct kimage *image = (const void *)regs_get_kernel_argument(regs, 0);
	/* Pairs with khob_image_begin(). */
	pid_t pid = smp_load_acquire(&khob_image.pid);

	if (image->type != KEXEC_TYPE_DEFAULT)
		return 0;
	WRITE_ONCE(khob_image.last, image);
	if (!pid || READ_ONCE(khob_image.settled))
		return 0;
	/* Who freezes by debugfs does it with one program and loads with another. */
	if (!READ_ONCE(khob_out.door) || pid == current->tgid)
		WRITE_ONCE(khob_image.ours, image);
	return 0;
}

static int khob_image_goes(struct kprobe *p, struct pt_regs *regs)
{
	const struct kimage *image = (const void *)regs_get_kernel_argument(regs, 0);

	if (!image)
		return 0;
	if (image == READ_ONCE(khob_image.last))
		WRITE_ONCE(khob_image.last, NULL);
	if (image != READ_ONCE(khob_image.ours))
		return 0;
	WRITE_ONCE(khob_image.ours, NULL);
	if (READ_ONCE(khob_image.settled))
		irq_work_queue(&khob_image.going);
	return 0;
}

static void khob_image_is_going(struct irq_work *work)
{
	schedule_delayed_work(&khob_image.gone, KHOB_IMAGE_PATIENCE);
}

/* On x86 each load of either kind comes through the one, each unload through the other. */
static struct kprobe khob_image_probes[] = {
	{ .symbol_name = "machine_kexec_prepare", .pre_handler = khob_image_comes },
	{ .symbol_name = "kimage_free", .pre_handler = khob_image_goes },
};

static void khob_image_say(struct work_struct *work)
{
	guard(khob_write)();
	khob_image_warn();
	khob_changed();
}

/* Says so if a kernel is loaded, or was, that is not the one that was frozen for. */
void khob_image_warn(void)
{
	switch (khob_image_state()) {
	case KHO_BRIDGE_IMAGE_REPLACED:
		pr_warn("another kernel has been loaded: nothing is handed over to it; \"khoctl unload\" and load again\n");
		break;
	case KHO_BRIDGE_IMAGE_UNLOADED:
		pr_warn("the kernel that was loaded is no longer: what it was to get is still frozen until \"khoctl unload\"\n");
		break;
	case KHO_BRIDGE_IMAGE_LOADING:
		pr_warn("%s (PID %d) has not loaded a kernel yet: nothing is handed over\n",
			khob_image.comm, khob_image.pid);
		break;
	}
}

/* Who calls freezes, by @door, and is going to load a kernel. Under khob_lock. */
void khob_image_begin(const void *door)
{
	WRITE_ONCE(khob_out.door, door);
	get_task_comm(khob_image.comm, current->group_leader);
	WRITE_ONCE(khob_image.settled, false);
	WRITE_ONCE(khob_image.ours, NULL);
	/* From here on the kprobes look at the rest. Pairs with khob_image_comes(). */
	smp_store_release(&khob_image.pid, current->tgid);
}

void khob_image_end(void)
{
	WRITE_ONCE(khob_image.pid, 0);
	WRITE_ONCE(khob_out.door, NULL);
	WRITE_ONCE(khob_image.ours, NULL);
	WRITE_ONCE(khob_image.settled, false);
}

/* Whether the loader has loaded its kernel, as far as can be seen. */
bool khob_image_is_there(void)
{
	return READ_ONCE(khob_image.ours);
}

bool khob_image_is_settled(void)
{
	return khob_image.settled;
}

/**
 * khob_image_settle() - the kernel has been loaded, and what is frozen goes along with it
 *
 * Context: process, khob_lock held, frozen. Return: 0; -ENOENT if there is none.
 */
int khob_image_settle(void)
{
	if (khob_image.watched && !khob_image_is_there())
		return khob_refuse(-ENOENT, "loaded: %s (PID %d) has loaded no kernel",
				   khob_image.comm, khob_image.pid);
	WRITE_ONCE(khob_image.settled, true);
	/* It may have gone just now, without a word. */
	if (khob_image.watched && !khob_image_is_there())
		schedule_delayed_work(&khob_image.gone, 0);
	return 0;
}

/* Return: KHO_BRIDGE_IMAGE_NONE or another. */
u32 khob_image_state(void)
{
	if (!khob_out.frozen)
		return KHO_BRIDGE_IMAGE_NONE;
	if (!khob_image.settled)
		return khob_out.door || !khob_image_is_there() ? KHO_BRIDGE_IMAGE_LOADING :
								 KHO_BRIDGE_IMAGE_LOADED;
	if (!khob_image.watched || khob_image_is_there())
		return KHO_BRIDGE_IMAGE_LOADED;
	return READ_ONCE(khob_image.last) ? KHO_BRIDGE_IMAGE_REPLACED : KHO_BRIDGE_IMAGE_UNLOADED;
}

/* Who froze: its process and name; 0 and "" if nothing is frozen. */
pid_t khob_image_loader(char comm[TASK_COMM_LEN])
{
	strscpy(comm, khob_image.pid ? khob_image.comm : "", TASK_COMM_LEN);
	return khob_image.pid;
}

/* A kernel without kprobes shows less: there what was loaded is taken to be there still. */
void khob_image_init(void)
{
	struct kprobe *probes[] = { &khob_image_probes[0], &khob_image_probes[1] };
	int ret;

	init_irq_work(&khob_image.going, khob_image_is_going);
	INIT_DELAYED_WORK(&khob_image.gone, khob_image_say);
	ret = register_kprobes(probes, ARRAY_SIZE(probes));
	khob_image.watched = !ret;
	if (ret)
		pr_info("it will not be seen if another kernel is loaded (kprobes: error %d)\n",
			ret);
}

void khob_image_exit(void)
{
	struct kprobe *probes[] = { &khob_image_probes[0], &khob_image_probes[1] };

	if (khob_image.watched)
		unregister_kprobes(probes, ARRAY_SIZE(probes));
	irq_work_sync(&khob_image.going);
	cancel_delayed_work_sync(&khob_image.gone);
}
