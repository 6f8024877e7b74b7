// SPDX-License-Identifier: GPL-2.0-only
/*
 * /dev/kho_bridge: opening, ioctl(), poll(). A freeze belongs to the file that has asked for it
 * until its kernel is loaded, and is given up with it.
 */
#include <linux/compat.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/poll.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "device/device.h"

/**
 * struct khob_ioctl - how one ioctl is done
 * @what: its name, for sentences
 * @size: bytes that its struct has, as it had from the first; 0 if it has none
 * @cap: who may
 * @act: what is done within khob_act_do(); or
 * @look: what is done without
 */
struct khob_ioctl {
	const char *what;
	u32 size;
	int cap;
	int (*act)(void *call);
	int (*look)(struct khob_call *c);
};

static const struct khob_ioctl khob_ioctls[] = {
	[_IOC_NR(KHO_BRIDGE_STATUS)] = {
		"status", sizeof(struct kho_bridge_status), CAP_SYS_ADMIN,
		.look = khob_look_status },
	[_IOC_NR(KHO_BRIDGE_OPEN)] = {
		"open", sizeof(struct kho_bridge_open), CAP_SYS_ADMIN,
		.look = khob_stream_open },
	[_IOC_NR(KHO_BRIDGE_SET_ABI)] = {
		"abi", sizeof(struct kho_bridge_abi), CAP_SYS_ADMIN, khob_act_abi },
	[_IOC_NR(KHO_BRIDGE_PRESERVE)] = {
		"preserve", sizeof(struct kho_bridge_preserve), CAP_SYS_ADMIN, khob_act_preserve },
	[_IOC_NR(KHO_BRIDGE_UNPRESERVE)] = {
		"unpreserve", sizeof(struct kho_bridge_target), CAP_SYS_ADMIN,
		khob_act_unpreserve },
	[_IOC_NR(KHO_BRIDGE_COMPACT)] = {
		"compact", sizeof(struct kho_bridge_compact), CAP_SYS_ADMIN, khob_act_compact },
	[_IOC_NR(KHO_BRIDGE_PUT)] = {
		"put", sizeof(struct kho_bridge_put), CAP_SYS_ADMIN,
		.look = khob_stream_put },
	/* Who may load a kernel may do it with a handover. */
	[_IOC_NR(KHO_BRIDGE_SCRATCH_TAKE)] = {
		"scratch", sizeof(struct kho_bridge_scratch), CAP_SYS_BOOT, khob_act_take },
	[_IOC_NR(KHO_BRIDGE_SCRATCH_KERNEL)] = {
		"scratch", 0, CAP_SYS_BOOT, khob_act_kernel },
	[_IOC_NR(KHO_BRIDGE_SCRATCH_GIVE)] = {
		"scratch", 0, CAP_SYS_BOOT, khob_act_give },
	[_IOC_NR(KHO_BRIDGE_IMAGE)] = {
		"image", sizeof(struct kho_bridge_image), CAP_SYS_BOOT,
		.look = khob_look_image },
	[_IOC_NR(KHO_BRIDGE_ATTACH)] = {
		"attach", sizeof(struct kho_bridge_attach), CAP_SYS_ADMIN, khob_act_attach },
	[_IOC_NR(KHO_BRIDGE_RESTORE)] = {
		"restore", sizeof(struct kho_bridge_target), CAP_SYS_ADMIN, khob_act_restore },
	[_IOC_NR(KHO_BRIDGE_RELEASE)] = {
		"release", sizeof(struct kho_bridge_target), CAP_SYS_ADMIN, khob_act_release },
	[_IOC_NR(KHO_BRIDGE_LOADED)] = {
		"loaded", 0, CAP_SYS_BOOT, khob_act_loaded },
	[_IOC_NR(KHO_BRIDGE_PROGRESS)] = {
		"progress", sizeof(struct kho_bridge_progress), CAP_SYS_ADMIN,
		.look = khob_look_progress },
};

void khob_said_init(struct khob_said *said)
{
	mutex_init(&said->lock);
}

/* What is said of an errno of which nobody has said anything. */
static const char *khob_said_of(long error)
{
	switch (error) {
	case -EPERM:
		return "it takes CAP_SYS_ADMIN, or CAP_SYS_BOOT for loading, and no lockdown";
	case -EFAULT:
		return "the struct or the bytes are at no address of yours";
	case -E2BIG:
		return "the struct has fields that this module does not know";
	case -ENOTTY:
		return "this module does not know that ioctl";
	case -EINTR:
		return "interrupted";
	case -ENOMEM:
		return "out of memory";
	}
	return "";
}

long khob_said_end(struct khob_said *said, struct khob_listener *heard, long ret)
{
	khob_unlisten(heard);
	if (ret >= 0)
		return ret;
	guard(mutex)(&said->lock);
	said->error = -ret;
	strscpy(said->sentence, heard->sentence[0] ? heard->sentence : khob_said_of(ret),
		sizeof(said->sentence));
	return ret;
}

/* As much of a struct as the caller knows; what it knows more of is 0. */
static int khob_struct_to_user(void __user *to, u32 usize, const void *from, u32 ksize)
{
	u32 both = min(usize, ksize);

	if (copy_to_user(to, from, both))
		return -EFAULT;
	return clear_user(to + both, usize - both) ? -EFAULT : 0;
}

/* Bytes that a caller's struct has, as it says. */
static int khob_struct_size(void __user *from, u32 least, u32 *usize)
{
	if (get_user(*usize, (u32 __user *)from))
		return -EFAULT;
	if (*usize < least)
		return khob_refuse(-EINVAL, "a struct of %u bytes is too small: it has %u", *usize,
				   least);
	return *usize > PAGE_SIZE ? -E2BIG : 0;
}

long khob_said_get(struct khob_said *said, void __user *to)
{
	struct kho_bridge_refusal refusal = { .size = sizeof(refusal) };
	u32 usize;
	int ret = khob_struct_size(to, sizeof(refusal), &usize);

	if (ret)
		return ret;
	scoped_guard(mutex, &said->lock) {
		refusal.error = said->error;
		strscpy(refusal.sentence, said->sentence, sizeof(refusal.sentence));
	}
	return khob_struct_to_user(to, usize, &refusal, sizeof(refusal));
}

static long khob_ioctl_do(const struct khob_ioctl *how, struct khob_call *c)
{
	if (how->act)
		return khob_act_do(how->cap, how->act, c, how->what);
	return khob_may(how->cap) ?: how->look(c);
}

static long khob_ioctl_struct(const struct khob_ioctl *how, struct khob_call *c,
			      void __user *arg)
{
	void *copy __free(kfree) = NULL;
	u32 usize;
	long ret;
	int err;

	if (!how->size)
		return arg ? -EINVAL : khob_ioctl_do(how, c);
	err = khob_struct_size(arg, how->size, &usize);
	if (err)
		return err;
	copy = kzalloc(how->size, GFP_KERNEL);
	if (!copy)
		return -ENOMEM;
	err = copy_struct_from_user(copy, how->size, arg, usize);
	if (err)
		return err;
	c->arg = copy;
	ret = khob_ioctl_do(how, c);
	/* A descriptor is there then, and stands in for all there is to say. */
	if (ret > 0)
		return ret;
	*(u32 *)copy = usize;
	return khob_struct_to_user(arg, usize, copy, how->size) ?: ret;
}

static long khob_device_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	struct khob_door *door = file->private_data;
	struct khob_call c = { .door = door };
	const struct khob_ioctl *how;
	struct khob_listener heard;
	long ret;

	if (cmd == KHO_BRIDGE_REFUSAL)
		return khob_said_get(&door->said, (void __user *)arg);
	how = &khob_ioctls[min_t(unsigned int, _IOC_NR(cmd), ARRAY_SIZE(khob_ioctls) - 1)];
	khob_listen(&heard);
	ret = -ENOTTY;
	if (cmd == _IO(KHO_BRIDGE_TYPE, how - khob_ioctls) && how->what)
		ret = khob_ioctl_struct(how, &c, (void __user *)arg);
	return khob_said_end(&door->said, &heard, ret);
}

static __poll_t khob_device_poll(struct file *file, poll_table *wait)
{
	struct khob_door *door = file->private_data;

	poll_wait(file, &khob_change_waiters, wait);
	return khob_changes() == READ_ONCE(door->seen) ? 0 : EPOLLIN | EPOLLRDNORM;
}

static int khob_device_open(struct inode *inode, struct file *file)
{
	struct khob_door *door;

	/* Who has neither can have nothing of it; each ioctl asks for the one that it needs. */
	if (khob_may(CAP_SYS_ADMIN) && khob_may(CAP_SYS_BOOT))
		return -EPERM;
	door = kzalloc(sizeof(*door), GFP_KERNEL);
	if (!door)
		return -ENOMEM;
	khob_said_init(&door->said);
	file->private_data = door;
	return stream_open(inode, file);
}

static int khob_device_release(struct inode *inode, struct file *file)
{
	struct khob_door *door = file->private_data;

	scoped_guard(khob_write) {
		khob_scratch_close(door);
		khob_update_pin();
	}
	khob_changed();
	kfree(door);
	return 0;
}

static const struct file_operations khob_device_fops = {
	.owner = THIS_MODULE,
	.open = khob_device_open,
	.release = khob_device_release,
	.unlocked_ioctl = khob_device_ioctl,
	.compat_ioctl = compat_ptr_ioctl,
	.poll = khob_device_poll,
};

static struct miscdevice khob_device = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "kho_bridge",
	.mode = 0600,
	.fops = &khob_device_fops,
};

int khob_device_init(void)
{
	return misc_register(&khob_device);
}

void khob_device_exit(void)
{
	misc_deregister(&khob_device);
}
