// SPDX-License-Identifier: GPL-2.0-only
/*
 * /dev/kho_luo: lists the sessions and what they cost, ends one that nobody comes for, and sets
 * memory aside for those that come late; keeps files on tmpfs, and gives them back;
 * makes files of huge pages.
 */
#include <linux/miscdevice.h>
#include <linux/module.h>

#include "device.h"
#include "memfd/memfd.h"
#include "session.h"
#include "uapi/linux/kho_luo.h"

/**
 * struct luo_snapshot - the sessions as they were when the device was opened
 * @bytes: of @rows
 * @rows: one a session
 */
struct luo_snapshot {
	size_t bytes;
	struct kho_luo_session rows[];
};

static void luo_snapshot_row(struct kho_luo_session *row, struct luo_session *session)
{
	struct luo_cost cost = {};

	guard(mutex)(&session->lock);
	strscpy(row->name, session->name, sizeof(row->name));
	row->files = session->count;
	row->left = luo_file_cost_all(session, &cost);
	row->bytes = cost.bytes;
	row->folios = cost.folios;
	row->metadata = cost.metadata;
	if (!session->incoming) {
		row->flags = KHO_LUO_SESSION_OPEN;
		row->left = 0;
		return;
	}
	row->flags = KHO_LUO_SESSION_INCOMING | (session->retrieved ? KHO_LUO_SESSION_OPEN : 0);
}

/* Return: them, or an ERR_PTR(). */
static struct luo_snapshot *luo_snapshot_new(void)
{
	struct luo_session *session;
	struct luo_snapshot *snapshot;
	size_t nr = 0;

	guard(mutex)(&luo_sessions.lock);
	snapshot = kvzalloc(struct_size(snapshot, rows,
					luo_sessions.nr_outgoing + luo_sessions.nr_incoming),
			    GFP_KERNEL);
	if (!snapshot)
		return ERR_PTR(-ENOMEM);
	list_for_each_entry(session, &luo_sessions.outgoing, list)
		luo_snapshot_row(&snapshot->rows[nr++], session);
	list_for_each_entry(session, &luo_sessions.incoming, list)
		luo_snapshot_row(&snapshot->rows[nr++], session);
	snapshot->bytes = nr * sizeof(snapshot->rows[0]);
	return snapshot;
}

static int luo_admin_open(struct inode *inode, struct file *file)
{
	struct luo_snapshot *snapshot;
	int ret;

	guard(rwsem_read)(&luo_going);
	ret = luo_arrive();
	if (ret)
		return ret;
	snapshot = luo_snapshot_new();
	if (IS_ERR(snapshot))
		return PTR_ERR(snapshot);
	file->private_data = snapshot;
	return 0;
}

static int luo_admin_release(struct inode *inode, struct file *file)
{
	kvfree(file->private_data);
	return 0;
}

static ssize_t luo_admin_read(struct file *file, char __user *to, size_t len, loff_t *pos)
{
	const struct luo_snapshot *snapshot = file->private_data;

	return simple_read_from_buffer(to, len, pos, snapshot->rows, snapshot->bytes);
}

static int luo_admin_drop(struct luo_call *call)
{
	const struct kho_luo_drop *arg = call->arg;

	if (arg->reserved || strnlen(arg->name, sizeof(arg->name)) == sizeof(arg->name))
		return -EINVAL;
	return luo_session_drop(arg->name);
}

static int luo_admin_room(struct luo_call *call)
{
	struct kho_luo_room *arg = call->arg;
	int ret = 0;

	if (arg->flags & ~KHO_LUO_ROOM_SET)
		return -EINVAL;
	if (arg->flags & KHO_LUO_ROOM_SET)
		ret = luo_session_set_room(arg->bytes);
	arg->bytes = luo_room_size(&arg->used);
	return ret;
}

static int luo_admin_keep(struct luo_call *call)
{
	const struct kho_luo_keep *arg = call->arg;

	return luo_keep(arg->token, arg->fd);
}

static int luo_admin_keep_drop(struct luo_call *call)
{
	const struct kho_luo_keep_drop *arg = call->arg;

	return arg->reserved ? -EINVAL : luo_keep_drop();
}

static int luo_admin_keep_next(struct luo_call *call)
{
	struct kho_luo_keep_next *arg = call->arg;
	struct luo_cost cost = {};
	bool incoming;
	int ret;

	if (arg->flags)
		return -EINVAL;
	ret = luo_keep_next(&arg->token, &incoming, &cost);
	if (ret)
		return ret;
	arg->flags = incoming ? KHO_LUO_KEEP_INCOMING : 0;
	arg->bytes = cost.bytes;
	arg->folios = cost.folios;
	return 0;
}

static int luo_admin_keep_adopt(struct luo_call *call)
{
	const struct kho_luo_keep *arg = call->arg;

	return luo_keep_adopt(arg->token, arg->fd);
}

static int luo_admin_keep_discard(struct luo_call *call)
{
	const struct kho_luo_keep_discard *arg = call->arg;

	return arg->reserved ? -EINVAL : luo_keep_discard(arg->token);
}

static int luo_admin_region(struct luo_call *call)
{
	const struct kho_luo_region *arg = call->arg;

	if (arg->reserved)
		return -EINVAL;
	return luo_file_fill(arg->fd, arg->bytes, arg->node);
}

static const struct luo_ioctl luo_admin_ioctls[] = {
	{
		.cmd = KHO_LUO_DROP,
		.size = sizeof(struct kho_luo_drop),
		.min = offsetofend(struct kho_luo_drop, name),
		.act = luo_admin_drop,
	}, {
		.cmd = KHO_LUO_ROOM,
		.size = sizeof(struct kho_luo_room),
		.min = offsetofend(struct kho_luo_room, used),
		.act = luo_admin_room,
	}, {
		.cmd = KHO_LUO_KEEP,
		.size = sizeof(struct kho_luo_keep),
		.min = offsetofend(struct kho_luo_keep, token),
		.act = luo_admin_keep,
	}, {
		.cmd = KHO_LUO_KEEP_DROP,
		.size = sizeof(struct kho_luo_keep_drop),
		.min = offsetofend(struct kho_luo_keep_drop, reserved),
		.act = luo_admin_keep_drop,
	}, {
		.cmd = KHO_LUO_KEEP_NEXT,
		.size = sizeof(struct kho_luo_keep_next),
		.min = offsetofend(struct kho_luo_keep_next, folios),
		.act = luo_admin_keep_next,
	}, {
		.cmd = KHO_LUO_KEEP_ADOPT,
		.size = sizeof(struct kho_luo_keep),
		.min = offsetofend(struct kho_luo_keep, token),
		.act = luo_admin_keep_adopt,
	}, {
		.cmd = KHO_LUO_KEEP_DISCARD,
		.size = sizeof(struct kho_luo_keep_discard),
		.min = offsetofend(struct kho_luo_keep_discard, token),
		.act = luo_admin_keep_discard,
	}, {
		.cmd = KHO_LUO_REGION,
		.size = sizeof(struct kho_luo_region),
		.min = offsetofend(struct kho_luo_region, reserved),
		.act = luo_admin_region,
	},
};

static long luo_admin_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	if (!(file->f_mode & FMODE_WRITE))
		return -EPERM;
	return luo_ioctl(luo_admin_ioctls, ARRAY_SIZE(luo_admin_ioctls), KHO_LUO_BASE, NULL, cmd,
			 arg);
}

static const struct file_operations luo_admin_fops = {
	.owner = THIS_MODULE,
	.open = luo_admin_open,
	.release = luo_admin_release,
	.read = luo_admin_read,
	.unlocked_ioctl = luo_admin_ioctl,
	.llseek = default_llseek,
};

static struct miscdevice luo_admin = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "kho_luo",
	.fops = &luo_admin_fops,
	.mode = 0600,
};

/**
 * luo_admin_init() - there is /dev/kho_luo
 *
 * Return: 0 or an errno.
 */
int luo_admin_init(void)
{
	return misc_register(&luo_admin);
}

/**
 * luo_admin_exit() - there is none
 */
void luo_admin_exit(void)
{
	misc_deregister(&luo_admin);
}
