// SPDX-License-Identifier: GPL-2.0-only
/*
 * Files that are bytes of physical memory: preserved pages and blobs. They pass through a
 * buffer of our own: what may be copied to a user in one go, and what the machine can
 * still read, is nothing that a key of the tree says.
 */
#include <linux/sizes.h>
#include <linux/uaccess.h>

#include "debugfs/debugfs.h"

/* Bytes that are copied at a time, khob_lock being held. */
#define KHOB_BYTES_ROOM SZ_64K

/* Bytes at @pos into @room, or out of it. Return: how many of the @len; 0: the end; an error. */
static s64 khob_bytes_move(struct file *file, void *room, size_t len, u64 pos, bool out,
			   khob_bytes_fn where)
{
	CLASS(khob_user_lock, killed)();
	int ret = 0;
	u64 pa = 0;
	s64 n;

	if (killed)
		return killed;
	if (out && khob_is_leaving())
		return khob_gone();
	n = where(file, pos, &pa);
	if (n <= 0)
		return n;
	n = min_t(u64, n, len);
	if (out)
		memcpy(__va(pa), room, n);
	else
		ret = khob_ram_copy(pa, room, n);
	return ret ?: n;
}

ssize_t khob_bytes_read(struct file *file, char __user *buf, size_t len, loff_t *ppos,
			khob_bytes_fn where)
{
	void *room __free(khob_kvfree) = NULL;
	size_t size = min_t(size_t, len, KHOB_BYTES_ROOM), done = 0;
	s64 n = khob_may(CAP_SYS_ADMIN);

	if (n || !len)
		return n;
	room = kvmalloc(size, GFP_KERNEL);
	if (!room)
		return -ENOMEM;
	for (; done < len; done += n) {
		n = khob_bytes_move(file, room, min(len - done, size), *ppos, false, where);
		if (n <= 0)
			break;
		if (copy_to_user(buf + done, room, n)) {
			n = -EFAULT;
			break;
		}
		*ppos += n;
	}
	return done ?: n;
}

ssize_t khob_bytes_write(struct file *file, const char __user *buf, size_t len, loff_t *ppos,
			 khob_bytes_fn where)
{
	void *room __free(khob_kvfree) = NULL;
	size_t size = min_t(size_t, len, KHOB_BYTES_ROOM), done = 0;
	s64 n = khob_may(CAP_SYS_ADMIN);

	if (n || !len)
		return n;
	room = kvmalloc(size, GFP_KERNEL);
	if (!room)
		return -ENOMEM;
	for (; done < len; done += n) {
		size_t part = min(len - done, size);

		n = -EFAULT;
		if (copy_from_user(room, buf + done, part))
			break;
		n = khob_bytes_move(file, room, part, *ppos, true, where);
		if (n <= 0)
			break;
		*ppos += n;
	}
	return done ?: n ?: -ENOSPC;
}
