// SPDX-License-Identifier: GPL-2.0-only
/*
 * /dev/liveupdate: one opener at a time, who makes and retrieves sessions.
 */
#include <linux/miscdevice.h>
#include <linux/module.h>

#include "device.h"
#include "session.h"
#include "uapi/linux/liveupdate.h"

static unsigned long luo_device_in_use;

static int luo_device_open(struct inode *inode, struct file *file)
{
	int ret;

	if (test_and_set_bit_lock(0, &luo_device_in_use))
		return -EBUSY;
	guard(rwsem_read)(&luo_going);
	ret = luo_arrive();
	if (ret)
		clear_bit_unlock(0, &luo_device_in_use);
	return ret;
}

static int luo_device_release(struct inode *inode, struct file *file)
{
	clear_bit_unlock(0, &luo_device_in_use);
	return 0;
}

static int luo_device_create(struct luo_call *call)
{
	const struct liveupdate_ioctl_create_session *arg = call->arg;

	return luo_session_create((const char *)arg->name, &call->file);
}

static int luo_device_retrieve(struct luo_call *call)
{
	const struct liveupdate_ioctl_retrieve_session *arg = call->arg;

	return luo_session_retrieve((const char *)arg->name, &call->file);
}

static const struct luo_ioctl luo_device_ioctls[] = {
	{
		.cmd = LIVEUPDATE_IOCTL_CREATE_SESSION,
		.size = sizeof(struct liveupdate_ioctl_create_session),
		.min = offsetofend(struct liveupdate_ioctl_create_session, name),
		.opens = true,
		.act = luo_device_create,
	}, {
		.cmd = LIVEUPDATE_IOCTL_RETRIEVE_SESSION,
		.size = sizeof(struct liveupdate_ioctl_retrieve_session),
		.min = offsetofend(struct liveupdate_ioctl_retrieve_session, name),
		.opens = true,
		.act = luo_device_retrieve,
	},
};

static long luo_device_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	return luo_ioctl(luo_device_ioctls, ARRAY_SIZE(luo_device_ioctls), LIVEUPDATE_CMD_BASE,
			 NULL, cmd, arg);
}

static const struct file_operations luo_device_fops = {
	.owner = THIS_MODULE,
	.open = luo_device_open,
	.release = luo_device_release,
	.unlocked_ioctl = luo_device_ioctl,
};

static struct miscdevice luo_device = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "liveupdate",
	.fops = &luo_device_fops,
};

/**
 * luo_device_init() - there is /dev/liveupdate
 *
 * Return: 0 or an errno.
 */
int luo_device_init(void)
{
	return misc_register(&luo_device);
}

/**
 * luo_device_exit() - there is none
 */
void luo_device_exit(void)
{
	misc_deregister(&luo_device);
}
