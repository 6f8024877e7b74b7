// SPDX-License-Identifier: GPL-2.0-only
/*
 * Sessions: made, found again, and what can be done with an open one.
 */
#include <linux/anon_inodes.h>
#include <linux/err.h>
#include <linux/file.h>
#include <linux/module.h>

#include "session.h"
#include "uapi/linux/liveupdate.h"

struct luo_sessions luo_sessions = {
	.lock = __MUTEX_INITIALIZER(luo_sessions.lock),
	.outgoing = LIST_HEAD_INIT(luo_sessions.outgoing),
	.incoming = LIST_HEAD_INIT(luo_sessions.incoming),
	.blocks = {
		.list = LIST_HEAD_INIT(luo_sessions.blocks.list),
		.size = sizeof(struct khob_luo_session_ser),
		.per = KHOB_LUO_SESSIONS_PER_BLOCK,
	},
};

/**
 * luo_session_new() - a session without files, in no list
 * @name: its name
 *
 * Return: it, or NULL.
 */
struct luo_session *luo_session_new(const char *name)
{
	struct luo_session *session = kzalloc(sizeof(*session), GFP_KERNEL);

	if (!session)
		return NULL;
	strscpy(session->name, name, sizeof(session->name));
	INIT_LIST_HEAD(&session->list);
	INIT_LIST_HEAD(&session->files);
	mutex_init(&session->lock);
	luo_blocks_init(&session->blocks, sizeof(struct khob_luo_file_ser),
			KHOB_LUO_FILES_PER_BLOCK);
	return session;
}

/**
 * luo_session_free() - free a session
 * @session: without files, in no list
 */
void luo_session_free(struct luo_session *session)
{
	luo_blocks_fit(&session->blocks, 0);
	mutex_destroy(&session->lock);
	kfree(session);
}

static struct luo_session *luo_session_find(const struct list_head *list, const char *name)
{
	struct luo_session *session;

	list_for_each_entry(session, list, list)
		if (!strncmp(session->name, name, sizeof(session->name)))
			return session;
	return NULL;
}

/*
 * Exactly as many blocks as the sessions need on the way out; fewer always succeed. Where there is
 * late room there is a root, which cannot be handed over later.
 */
static int luo_sessions_fit(u64 more)
{
	u64 count = luo_sessions.nr_outgoing + more + (LUO_CARRIES ? luo_sessions.nr_incoming : 0);
	bool wanted = count || luo_room_size(NULL);
	int ret;

	if (!wanted)
		luo_out_close();
	ret = luo_blocks_fit(&luo_sessions.blocks, count);
	return ret ?: wanted ? luo_out_open() : 0;
}

static void luo_session_remove(struct luo_session *session)
{
	scoped_guard(mutex, &luo_sessions.lock) {
		list_del(&session->list);
		if (session->incoming)
			luo_sessions.nr_incoming--;
		else
			luo_sessions.nr_outgoing--;
		luo_sessions_fit(0);
		/* Taken when they arrived; what another KHO has forgotten must not arrive again. */
		if (LUO_CARRIES && session->incoming && !luo_sessions.nr_incoming)
			module_put(THIS_MODULE);
	}
	luo_session_free(session);
}

static int luo_session_add(struct luo_session *session)
{
	int ret;

	guard(mutex)(&luo_sessions.lock);
	if (luo_session_find(&luo_sessions.outgoing, session->name))
		return -EEXIST;
	ret = luo_sessions_fit(1);
	if (ret) {
		luo_sessions_fit(0);
		return ret;
	}
	list_add_tail(&session->list, &luo_sessions.outgoing);
	luo_sessions.nr_outgoing++;
	return 0;
}

static int luo_session_finish(struct luo_session *session)
{
	int ret;

	guard(mutex)(&session->lock);
	ret = luo_file_finish_all(session);
	if (!ret)
		session->finished = true;
	return ret;
}

static int luo_session_release(struct inode *inode, struct file *file)
{
	struct luo_session *session = file->private_data;

	guard(rwsem_read)(&luo_going);
	if (!session->incoming) {
		scoped_guard(mutex, &session->lock)
			luo_file_unpreserve_all(session);
	} else if (luo_session_finish(session)) {
		/* A kernel is loaded, which gets what nobody has retrieved. */
		guard(mutex)(&session->lock);
		session->retrieved = false;
		return 0;
	}
	luo_session_remove(session);
	return 0;
}

static int luo_session_act_preserve(struct luo_call *call)
{
	const struct liveupdate_session_preserve_fd *arg = call->arg;

	guard(mutex)(&call->session->lock);
	return luo_file_preserve(call->session, arg->token, arg->fd);
}

static int luo_session_act_retrieve(struct luo_call *call)
{
	const struct liveupdate_session_retrieve_fd *arg = call->arg;

	guard(mutex)(&call->session->lock);
	return luo_file_retrieve(call->session, arg->token, &call->file);
}

static int luo_session_act_finish(struct luo_call *call)
{
	const struct liveupdate_session_finish *arg = call->arg;

	return arg->reserved ? -EINVAL : luo_session_finish(call->session);
}

static int luo_session_act_name(struct luo_call *call)
{
	struct liveupdate_session_get_name *arg = call->arg;

	if (arg->reserved)
		return -EINVAL;
	memcpy(arg->name, call->session->name, sizeof(arg->name));
	return 0;
}

static bool luo_session_is_incoming(const struct luo_session *session)
{
	return session->incoming;
}

static bool luo_session_is_outgoing(const struct luo_session *session)
{
	return !session->incoming;
}

static const struct luo_ioctl luo_session_ioctls[] = {
	{
		.cmd = LIVEUPDATE_SESSION_PRESERVE_FD,
		.size = sizeof(struct liveupdate_session_preserve_fd),
		.min = offsetofend(struct liveupdate_session_preserve_fd, token),
		.applies = luo_session_is_outgoing,
		.act = luo_session_act_preserve,
	}, {
		.cmd = LIVEUPDATE_SESSION_RETRIEVE_FD,
		.size = sizeof(struct liveupdate_session_retrieve_fd),
		.min = offsetofend(struct liveupdate_session_retrieve_fd, token),
		.opens = true,
		.applies = luo_session_is_incoming,
		.act = luo_session_act_retrieve,
	}, {
		.cmd = LIVEUPDATE_SESSION_FINISH,
		.size = sizeof(struct liveupdate_session_finish),
		.min = offsetofend(struct liveupdate_session_finish, reserved),
		.applies = luo_session_is_incoming,
		.act = luo_session_act_finish,
	}, {
		.cmd = LIVEUPDATE_SESSION_GET_NAME,
		.size = sizeof(struct liveupdate_session_get_name),
		.min = offsetofend(struct liveupdate_session_get_name, name),
		.act = luo_session_act_name,
	},
};

static long luo_session_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	return luo_ioctl(luo_session_ioctls, ARRAY_SIZE(luo_session_ioctls),
			 LIVEUPDATE_CMD_SESSION_BASE, file->private_data, cmd, arg);
}

static const struct file_operations luo_session_fops = {
	.owner = THIS_MODULE,
	.release = luo_session_release,
	.unlocked_ioctl = luo_session_ioctl,
};

/* An open session; programs know it by this name in /proc/self/fd. */
static struct file *luo_session_open(struct luo_session *session)
{
	char name[sizeof("[luo_session] ") + sizeof(session->name)];

	snprintf(name, sizeof(name), "[luo_session] %s", session->name);
	return anon_inode_getfile(name, &luo_session_fops, session, O_RDWR);
}

/**
 * luo_session_create() - make a session
 * @name: KHOB_LUO_SESSION_NAME_LENGTH bytes of userspace's
 * @file: the session, open
 *
 * Return: 0; -EINVAL if the name is empty or has no end; -EEXIST; -EBUSY once a kernel is loaded
 * that has no room for it; -ENOMEM, -ENOSPC.
 */
int luo_session_create(const char *name, struct file **file)
{
	size_t len = strnlen(name, KHOB_LUO_SESSION_NAME_LENGTH);
	struct luo_session *session;
	int ret;

	if (!len || len == KHOB_LUO_SESSION_NAME_LENGTH)
		return -EINVAL;
	session = luo_session_new(name);
	if (!session)
		return -ENOMEM;
	ret = luo_session_add(session);
	if (ret) {
		luo_session_free(session);
		return ret;
	}
	*file = luo_session_open(session);
	if (!IS_ERR(*file))
		return 0;
	luo_session_remove(session);
	return PTR_ERR(*file);
}

/**
 * luo_session_retrieve() - open a session of the kernel before
 * @name: as it was created
 * @file: the session, open
 *
 * Return: 0; -ENOENT; -EINVAL if it is open already, or was; -ENOMEM.
 */
int luo_session_retrieve(const char *name, struct file **file)
{
	struct luo_session *session;

	guard(mutex)(&luo_sessions.lock);
	session = luo_session_find(&luo_sessions.incoming, name);
	if (!session)
		return -ENOENT;
	guard(mutex)(&session->lock);
	if (session->retrieved)
		return -EINVAL;
	*file = luo_session_open(session);
	if (IS_ERR(*file))
		return PTR_ERR(*file);
	session->retrieved = true;
	return 0;
}

/**
 * luo_session_drop() - end a session of the kernel before that nobody has open
 * @name: KHOB_LUO_SESSION_NAME_LENGTH bytes of userspace's
 *
 * Return: 0; -ENOENT; -EBUSY if it is open, or if a kernel is loaded, which gets it; -ENOMEM.
 */
int luo_session_drop(const char *name)
{
	struct luo_session *session;
	int ret;

	scoped_guard(mutex, &luo_sessions.lock) {
		session = luo_session_find(&luo_sessions.incoming, name);
		if (!session)
			return -ENOENT;
		guard(mutex)(&session->lock);
		if (session->retrieved)
			return -EBUSY;
		/* Nobody else opens it now. */
		session->retrieved = true;
	}
	ret = luo_session_finish(session);
	if (!ret) {
		luo_session_remove(session);
		return 0;
	}
	guard(mutex)(&session->lock);
	session->retrieved = false;
	return ret;
}

/**
 * luo_session_set_room() - so much late room besides what sessions use of it
 * @bytes: how much; 0: none
 *
 * Return: as luo_room_set(); or an errno of handing the root over.
 */
int luo_session_set_room(u64 bytes)
{
	int ret;

	guard(mutex)(&luo_sessions.lock);
	ret = luo_room_set(bytes);
	if (!ret) {
		ret = luo_sessions_fit(0);
		if (ret)
			luo_room_set(0);
	}
	return ret;
}
