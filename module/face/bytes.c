// SPDX-License-Identifier: GPL-2.0-only
/*
 * Bytes of physical memory: preserved pages and blobs. They pass through a buffer of our own:
 * what may be copied to a user in one go, and what the machine can still read, is nothing
 * that a key of the tree says.
 */
#include <linux/sizes.h>
#include <linux/uaccess.h>

#include "face/face.h"

/* Bytes that are copied at a time, khob_lock being held. */
#define KHOB_BYTES_ROOM SZ_64K

/* Bytes at @pos into @room, or out of it. Return: how many of the @len; 0: the end; an error. */
static s64 khob_bytes_move(const struct khob_bytes *b, void *room, size_t len, u64 pos, bool out)
{
	CLASS(khob_user_lock, killed)();
	int ret = 0;
	u64 pa = 0;
	s64 n;

	if (killed)
		return killed;
	if (out && khob_is_leaving())
		return khob_gone();
	n = b->where(b->name, pos, &pa);
	if (n <= 0)
		return n;
	n = min_t(u64, n, len);
	if (out)
		memcpy(__va(pa), room, n);
	else
		ret = khob_ram_copy(pa, room, n);
	return ret ?: n;
}

/* One piece between a user's page, without the lock, and memory. Return: as khob_bytes_move(). */
static s64 khob_bytes_piece(const struct khob_bytes *b, void *room, char __user *buf, size_t len,
			    u64 pos, bool out)
{
	s64 n;

	if (out && copy_from_user(room, buf, len))
		return -EFAULT;
	n = khob_bytes_move(b, room, len, pos, out);
	if (n > 0 && !out && copy_to_user(buf, room, n))
		return -EFAULT;
	return n;
}

/* Return: how many bytes of @len were moved, also if an error came then; 0: the end; an error. */
static ssize_t khob_bytes_all(const struct khob_bytes *b, char __user *buf, size_t len,
			      loff_t *ppos, bool out)
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
		n = khob_bytes_piece(b, room, buf + done, min(len - done, size), *ppos, out);
		if (n <= 0)
			break;
		*ppos += n;
	}
	return done ?: n;
}

ssize_t khob_bytes_read(const struct khob_bytes *b, char __user *buf, size_t len, loff_t *ppos)
{
	return khob_bytes_all(b, buf, len, ppos, false);
}

ssize_t khob_bytes_write(const struct khob_bytes *b, const char __user *buf, size_t len,
			 loff_t *ppos)
{
	/* The user's page is only read there. */
	ssize_t n = khob_bytes_all(b, (char __user *)buf, len, ppos, true);

	return n || !len ? n : -ENOSPC;
}
