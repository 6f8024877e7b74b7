// SPDX-License-Identifier: GPL-2.0-only
/*
 * The files of a session, both ways. With the session's lock, and luo_going for reading.
 */
#include <linux/file.h>
#include <linux/xarray.h>

#include "memfd/memfd.h"
#include "session.h"

/* Inodes that are preserved, or retrieved and not finished, by their address. */
static DEFINE_XARRAY(luo_inodes);

static unsigned long luo_file_id(const struct file *file)
{
	return (unsigned long)file_inode(file);
}

static struct luo_file *luo_file_find(const struct luo_session *session, u64 token)
{
	struct luo_file *f;

	list_for_each_entry(f, &session->files, list)
		if (f->token == token)
			return f;
	return NULL;
}

/**
 * luo_file_has() - whether there is a file of that token
 * @session: where
 * @token: what it is called
 *
 * Return: true if so.
 */
bool luo_file_has(const struct luo_session *session, u64 token)
{
	return luo_file_find(session, token);
}

/**
 * luo_file_next() - the file with the lowest token
 * @session: where
 * @token: the lowest one that counts
 *
 * Return: it, or NULL.
 */
const struct luo_file *luo_file_next(const struct luo_session *session, u64 token)
{
	const struct luo_file *f, *next = NULL;

	list_for_each_entry(f, &session->files, list)
		if (f->token >= token && (!next || f->token < next->token))
			next = f;
	return next;
}

static void luo_file_add(struct luo_session *session, struct luo_file *f)
{
	list_add_tail(&f->list, &session->files);
	session->count++;
}

/* Frees the last file of a session, whose work is done, and the room that it had. */
static void luo_file_del(struct luo_session *session, struct luo_file *f)
{
	list_del(&f->list);
	session->count--;
	/* With less than before it succeeds. */
	luo_blocks_fit(&session->blocks, session->count);
	if (f->file) {
		xa_erase(&luo_inodes, luo_file_id(f->file));
		fput(f->file);
	}
	kfree(f);
}

/* @file: with a reference, which is the session's if this succeeds */
static int luo_file_preserve_new(struct luo_session *session, u64 token, struct file *file)
{
	struct luo_file *f;
	int ret;

	if (session->named ? !luo_shmem_is(file) : !luo_memfd_is(file))
		return -ENOENT;
	ret = xa_insert(&luo_inodes, luo_file_id(file), file, GFP_KERNEL);
	if (ret)
		return ret;
	f = kzalloc(sizeof(*f), GFP_KERNEL);
	ret = f ? luo_memfd_preserve(file, &f->data, &f->more) : -ENOMEM;
	if (ret) {
		kfree(f);
		xa_erase(&luo_inodes, luo_file_id(file));
		return ret;
	}
	f->file = file;
	f->token = token;
	luo_file_add(session, f);
	return 0;
}

/**
 * luo_file_preserve() - hand a file over
 * @session: an outgoing one
 * @token: what it is called there
 * @fd: the caller's descriptor
 *
 * Return: 0; -EEXIST if the token is taken; -EBADF; -ENOENT if no kind of file is like this one;
 * -EBUSY if the file is preserved already, or if a kernel is loaded and there is no late room; as
 * luo_memfd_preserve().
 */
int luo_file_preserve(struct luo_session *session, u64 token, int fd)
{
	struct file *file;
	int ret;

	if (luo_file_find(session, token))
		return -EEXIST;
	ret = luo_blocks_fit(&session->blocks, session->count + 1);
	if (ret)
		return ret;
	file = fget(fd);
	ret = file ? luo_file_preserve_new(session, token, file) : -EBADF;
	if (!ret)
		return 0;
	if (file)
		fput(file);
	luo_blocks_fit(&session->blocks, session->count);
	return ret;
}

/**
 * luo_file_unpreserve_all() - hand none of a session's files over
 * @session: an outgoing one
 */
void luo_file_unpreserve_all(struct luo_session *session)
{
	struct luo_file *f, *next;

	list_for_each_entry_safe_reverse(f, next, &session->files, list) {
		luo_memfd_unpreserve(f->file, f->data, f->more);
		luo_file_del(session, f);
	}
}

static int luo_file_retrieve_new(struct luo_file *f)
{
	struct file *file;
	bool again;
	int ret = luo_memfd_retrieve(f->data, &f->more, NULL, &file, &again);

	if (ret) {
		/* What cannot get better is not tried again. */
		if (!again)
			f->status = ret;
		return ret;
	}
	f->file = file;
	f->status = 1;
	/* Its address is new, so that nothing but memory can be missing. */
	if (xa_insert(&luo_inodes, luo_file_id(file), file, GFP_KERNEL))
		pr_warn("a retrieved file can be preserved before it is finished: no memory\n");
	return 0;
}

/**
 * luo_file_retrieve() - take a file of the kernel before over
 * @session: an incoming one
 * @token: what the file is called there
 * @file: the file, with a reference; the same one each time
 *
 * Return: 0; -ENOENT; as luo_memfd_retrieve().
 */
int luo_file_retrieve(struct luo_session *session, u64 token, struct file **file)
{
	struct luo_file *f = luo_file_find(session, token);
	int ret;

	if (!f)
		return -ENOENT;
	if (f->status < 0)
		return f->status;
	ret = f->status ? 0 : luo_file_retrieve_new(f);
	if (!ret)
		*file = get_file(f->file);
	return ret;
}

static int luo_file_adopt_into(struct luo_file *f, struct file *into)
{
	struct file *file;
	bool again;
	int ret;

	/* Nobody preserves it before it is whole. */
	ret = xa_insert(&luo_inodes, luo_file_id(into), into, GFP_KERNEL);
	if (ret)
		return ret;
	ret = luo_memfd_retrieve(f->data, &f->more, into, &file, &again);
	xa_erase(&luo_inodes, luo_file_id(into));
	if (!ret)
		fput(file);
	else if (!again)
		f->status = ret;
	return ret;
}

/* A file that something can be put into, with a reference; or an ERR_PTR(). */
static struct file *luo_file_get_into(int fd)
{
	struct file *into = fget(fd);
	int ret;

	if (!into)
		return ERR_PTR(-EBADF);
	if ((into->f_mode & (FMODE_READ | FMODE_WRITE)) != (FMODE_READ | FMODE_WRITE))
		ret = -EBADF;
	else
		ret = luo_shmem_is(into) ? 0 : -EINVAL;
	if (!ret)
		return into;
	fput(into);
	return ERR_PTR(ret);
}

/**
 * luo_file_adopt() - take a file of the kernel before over, and be done with it
 * @session: an incoming one
 * @token: what the file is called there
 * @fd: the caller's descriptor of an empty file
 *
 * Return: 0; -ENOENT; -EBADF; -EBUSY if the empty file is preserved; as luo_memfd_retrieve().
 */
int luo_file_adopt(struct luo_session *session, u64 token, int fd)
{
	struct luo_file *f = luo_file_find(session, token);
	struct file *into;
	int ret;

	if (!f)
		return -ENOENT;
	if (f->status)
		return f->status;
	into = luo_file_get_into(fd);
	if (IS_ERR(into))
		return PTR_ERR(into);
	ret = luo_file_adopt_into(f, into);
	fput(into);
	if (!ret)
		luo_file_del(session, f);
	return ret;
}

/**
 * luo_file_fill() - give an empty file huge pages
 * @fd: the caller's descriptor of it
 * @bytes: how large it is to be
 * @nid: node whose memory it is to have; NUMA_NO_NODE: any
 *
 * Needs no session. Return: 0; -EBADF; -EBUSY if it is preserved; as luo_region_fill().
 */
int luo_file_fill(int fd, u64 bytes, int nid)
{
	struct file *into = luo_file_get_into(fd);
	int ret;

	if (IS_ERR(into))
		return PTR_ERR(into);
	/* Nobody preserves it before it is whole. */
	ret = xa_insert(&luo_inodes, luo_file_id(into), into, GFP_KERNEL);
	if (!ret) {
		ret = luo_region_fill(into, bytes, nid);
		xa_erase(&luo_inodes, luo_file_id(into));
	}
	fput(into);
	return ret;
}

/**
 * luo_file_discard() - free a file of the kernel before
 * @session: an incoming one
 * @token: what the file is called there
 *
 * Return: 0; -ENOENT; -EBUSY if a kernel is loaded that gets it; -ENOMEM, -EINTR.
 */
int luo_file_discard(struct luo_session *session, u64 token)
{
	struct luo_file *f = luo_file_find(session, token);
	int ret = f ? luo_may_take() : -ENOENT;

	if (ret)
		return ret;
	luo_memfd_discard(f->data, f->more);
	luo_file_del(session, f);
	return 0;
}

static bool luo_file_all_retrieved(const struct luo_session *session)
{
	struct luo_file *f;

	list_for_each_entry(f, &session->files, list)
		if (f->status != 1)
			return false;
	return true;
}

/**
 * luo_file_finish_all() - be done with a session's files
 * @session: an incoming one; files that were not retrieved are discarded
 *
 * Return: 0; -EBUSY if some would have to be and a kernel is loaded that gets them: then nothing
 * has changed.
 */
int luo_file_finish_all(struct luo_session *session)
{
	struct luo_file *f, *next;
	int ret = luo_file_all_retrieved(session) ? 0 : luo_may_take();

	if (ret)
		return ret;
	list_for_each_entry_safe_reverse(f, next, &session->files, list) {
		if (f->status != 1)
			luo_memfd_discard(f->data, f->more);
		luo_file_del(session, f);
	}
	return 0;
}

/**
 * luo_file_arrive() - a file that the kernel before has preserved
 * @session: whose it is
 * @ser: what that kernel says of it, checked
 *
 * Return: 0; -EOPNOTSUPP if it is of another kind; -ENOMEM, or another errno of preserving.
 */
int luo_file_arrive(struct luo_session *session, const struct khob_luo_file_ser *ser)
{
	struct luo_file *f;
	int ret;

	if (strcmp(ser->compatible, KHOB_MEMFD_COMPATIBLE_MEMFD_V2)) {
		pr_err("session %*pE has a file of a kind that is not known here: %*pE\n",
		       (int)strlen(session->name), session->name,
		       (int)strlen(ser->compatible), ser->compatible);
		return -EOPNOTSUPP;
	}
	/* For the way to the next kernel, should nobody want it here. */
	if (LUO_CARRIES) {
		ret = luo_blocks_fit(&session->blocks, session->count + 1);
		if (ret)
			return ret;
	}
	f = kzalloc(sizeof(*f), GFP_KERNEL);
	if (!f)
		return -ENOMEM;
	f->token = ser->token;
	f->data = ser->data;
	luo_file_add(session, f);
	return 0;
}

/**
 * luo_file_forget_all() - forget files that have just arrived
 * @session: whose they are; they stay where they are
 */
void luo_file_forget_all(struct luo_session *session)
{
	struct luo_file *f, *next;

	list_for_each_entry_safe_reverse(f, next, &session->files, list)
		luo_file_del(session, f);
}

/**
 * luo_file_cost_all() - what a session's files cost that are not back yet, or never left
 * @session: which
 * @cost: is added to
 *
 * Return: how many of its files these are.
 */
u64 luo_file_cost_all(const struct luo_session *session, struct luo_cost *cost)
{
	struct luo_file *f;
	u64 nr = 0;

	list_for_each_entry(f, &session->files, list) {
		if (f->status == 1)
			continue;
		luo_memfd_cost(f->data, session->incoming, cost);
		nr++;
	}
	cost->metadata += session->blocks.nr * KHOB_BLOCK_SIZE;
	return nr;
}

/**
 * luo_file_write_all() - tell the next kernel of a session's files
 * @session: which
 * @set: where they are then
 * @digest: of the files before them, as kept files have one
 *
 * Of an incoming one only those that are still as the kernel before has left them.
 *
 * Return: the digest with them.
 */
u64 luo_file_write_all(struct luo_session *session, struct khob_luo_file_set_ser *set, u64 digest)
{
	struct luo_cursor at;
	struct luo_file *f;

	luo_blocks_start(&at, &session->blocks);
	set->count = 0;
	list_for_each_entry(f, &session->files, list) {
		struct khob_luo_file_ser *ser;

		if (session->incoming && (f->status || f->more))
			continue;
		ser = luo_blocks_next(&at);
		if (!ser)
			break;
		if (!session->incoming)
			luo_memfd_write(f->file, f->data, f->more);
		strscpy(ser->compatible, KHOB_MEMFD_COMPATIBLE_MEMFD_V2, sizeof(ser->compatible));
		ser->data = f->data;
		ser->token = f->token;
		set->count++;
		digest = luo_keep_digest_file(digest, ser);
	}
	set->files = luo_blocks_end(&at);
	return digest;
}
