// SPDX-License-Identifier: GPL-2.0-only
/*
 * How every ioctl is done: structs that say their size, and may be longer or shorter than the ones
 * that are known here.
 */
#include <linux/file.h>
#include <linux/uaccess.h>

#include "session.h"
#include "uapi/linux/kho_luo.h"
#include "uapi/linux/liveupdate.h"

/* Room for any struct. */
union luo_arg {
	struct liveupdate_ioctl_create_session create;
	struct liveupdate_ioctl_retrieve_session retrieve;
	struct liveupdate_session_preserve_fd preserve_fd;
	struct liveupdate_session_retrieve_fd retrieve_fd;
	struct liveupdate_session_finish finish;
	struct liveupdate_session_get_name get_name;
	struct kho_luo_drop drop;
	struct kho_luo_room room;
	struct kho_luo_keep keep;
	struct kho_luo_keep_drop keep_drop;
	struct kho_luo_keep_next keep_next;
	struct kho_luo_keep_discard keep_discard;
	struct kho_luo_region region;
	/* What all of those with a descriptor begin with. */
	struct {
		__u32 size;
		__s32 fd;
	} opens;
};

static int luo_ioctl_respond(void __user *to, u32 usize, const union luo_arg *arg, u32 size)
{
	return copy_to_user(to, arg, min(usize, size)) ? -EFAULT : 0;
}

/* An ioctl that ends with a new descriptor, which nobody has unless all has gone well. */
static int luo_ioctl_open(const struct luo_ioctl *how, struct luo_call *call, void __user *to,
			  u32 usize)
{
	union luo_arg *arg = call->arg;
	int fd = get_unused_fd_flags(O_CLOEXEC), ret;

	if (fd < 0)
		return fd;
	ret = how->act(call);
	if (ret) {
		put_unused_fd(fd);
		return ret;
	}
	arg->opens.fd = fd;
	ret = luo_ioctl_respond(to, usize, arg, how->size);
	if (ret) {
		fput(call->file);
		put_unused_fd(fd);
		return ret;
	}
	fd_install(fd, call->file);
	return 0;
}

static long luo_ioctl_do(const struct luo_ioctl *how, struct luo_session *session,
			 void __user *to, u32 usize)
{
	union luo_arg arg;
	struct luo_call call = { .session = session, .arg = &arg };
	int ret = copy_struct_from_user(&arg, how->size, to, usize);

	if (ret)
		return ret;
	guard(rwsem_read)(&luo_going);
	if (how->opens)
		return luo_ioctl_open(how, &call, to, usize);
	ret = how->act(&call);
	return ret ?: luo_ioctl_respond(to, usize, &arg, how->size);
}

/**
 * luo_ioctl() - do an ioctl
 * @table: those that there are, by number from @base on
 * @nr: how many
 * @base: number of the first
 * @session: whose it is; NULL for the device
 * @cmd: which, as userspace says
 * @arg: its struct, as userspace says
 *
 * Return: 0; -EINVAL for one that there is not, one that does not apply or a struct that is too
 * small; -ENOTTY if only its number is right; -E2BIG for fields that nobody knows here; -EFAULT;
 * what it does itself.
 */
long luo_ioctl(const struct luo_ioctl *table, unsigned int nr, unsigned int base,
	       struct luo_session *session, unsigned int cmd, unsigned long arg)
{
	void __user *to = (void __user *)arg;
	const struct luo_ioctl *how;
	u32 usize;

	if (_IOC_NR(cmd) < base || _IOC_NR(cmd) - base >= nr)
		return -EINVAL;
	how = table + (_IOC_NR(cmd) - base);
	if (get_user(usize, (u32 __user *)to))
		return -EFAULT;
	if (how->cmd != cmd)
		return -ENOTTY;
	if ((how->applies && !how->applies(session)) || usize < how->min)
		return -EINVAL;
	return luo_ioctl_do(how, session, to, usize);
}
