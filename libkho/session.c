// SPDX-License-Identifier: GPL-2.0-only
/*
 * Sessions: an open one of the device, and its index.
 */
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "device.h"
#include "internal.h"

/**
 * struct kho_session - a session
 * @lock: all below that is not fixed when it is opened: @checked, @err, @why, @tokens, @index
 * @fd: of the device
 * @index_fd: where @index is handed over; -1 if it came
 * @came: of the kernel before
 * @checked: whether what came could be read and believed; @index has no names if not
 * @err: the errno of that
 * @why: a sentence if not
 * @tokens: how many have been given out, the index's own included
 * @name: what it is called
 * @index: a copy of the index that nobody else can write
 */
struct kho_session {
	pthread_mutex_t lock;
	int fd;
	int index_fd;
	bool came;
	enum kho_error checked;
	int err;
	const char *why;
	__u64 tokens;
	char name[KHO_SESSION_NAME_MAX + 1];
	struct kho_index_table index;
};

static enum kho_error kho_session_open(const char *name, bool came, struct kho_session **to)
{
	size_t len = name ? strnlen(name, KHO_SESSION_NAME_MAX + 1) : 0;
	struct kho_session *session;
	enum kho_error err;

	*to = NULL;
	if (!len || len > KHO_SESSION_NAME_MAX)
		return kho_fail(KHO_INVALID, EINVAL);
	session = calloc(1, sizeof(*session));
	if (!session)
		return kho_fail(KHO_NO_MEMORY, ENOMEM);
	memcpy(session->name, name, len);
	session->came = came;
	session->index_fd = -1;
	kho_index_init(&session->index);
	err = kho_device_session(name, came, &session->fd);
	if (err) {
		int kept = errno;

		free(session);
		return kho_fail(err, kept);
	}
	/* It cannot fail without attributes. */
	pthread_mutex_init(&session->lock, NULL);
	*to = session;
	return KHO_OK;
}

static enum kho_error kho_session_write(const struct kho_session *session, const void *from,
					size_t size, size_t at)
{
	ssize_t n = pwrite(session->index_fd, from, size, (off_t)at);

	if (n < 0)
		return kho_fail_errno(errno);
	return (size_t)n == size ? KHO_OK : kho_fail(KHO_SYSTEM, EIO);
}

/* The index is handed over first, so that every file behind it can have a name. */
static enum kho_error kho_session_start(struct kho_session *session)
{
	enum kho_error err = kho_memfd("libkho-index", KHO_INDEX_SIZE, &session->index_fd);

	if (!err)
		err = kho_session_write(session, &session->index.header,
					sizeof(session->index.header), 0);
	if (!err)
		err = kho_device_preserve(session->fd, session->index_fd, KHO_INDEX_TOKEN);
	session->tokens = KHO_INDEX_TOKEN + 1;
	return err;
}

enum kho_error kho_session_create(const char *name, struct kho_session **session)
{
	enum kho_error err = kho_session_open(name, false, session);

	if (err)
		return err;
	err = kho_session_start(*session);
	if (err) {
		kho_session_close(*session);
		*session = NULL;
	}
	return err;
}

static enum kho_error kho_session_read(int fd, struct kho_index_table *index, const char **why)
{
	struct stat st;
	enum kho_error err;

	if (fstat(fd, &st))
		return kho_fail_errno(errno);
	if (st.st_size != KHO_INDEX_SIZE) {
		*why = "its size is another one";
		return kho_fail(KHO_FOREIGN, EBADMSG);
	}
	if (pread(fd, index, sizeof(*index), 0) != (ssize_t)sizeof(*index))
		return kho_fail(KHO_SYSTEM, EIO);
	err = kho_index_check(index, why);
	return err ? kho_fail(err, EBADMSG) : KHO_OK;
}

/* All of it is read once; nobody can change what was checked then. With the lock. */
static void kho_session_load(struct kho_session *session)
{
	int fd;

	session->why = "its index cannot be read";
	session->checked = kho_device_retrieve(session->fd, KHO_INDEX_TOKEN, &fd);
	if (session->checked == KHO_NOT_FOUND) {
		session->why = "it has no index";
		session->checked = kho_fail(KHO_FOREIGN, EBADMSG);
	} else if (!session->checked) {
		session->checked = kho_session_read(fd, &session->index, &session->why);
		session->err = errno;
		close(fd);
		errno = session->err;
	}
	session->err = errno;
	if (session->checked)
		kho_index_init(&session->index);
	else
		session->why = NULL;
}

/* What kept the index from being read, and not what is in it, may have gone. With the lock. */
static enum kho_error kho_session_ready(struct kho_session *session)
{
	if (session->checked && session->err != EBADMSG)
		kho_session_load(session);
	return session->checked ? kho_fail(session->checked, session->err) : KHO_OK;
}

enum kho_error kho_session_retrieve(const char *name, struct kho_session **session)
{
	enum kho_error err = kho_session_open(name, true, session);

	if (!err)
		kho_session_load(*session);
	return err;
}

/* With the lock. The count comes last: the machine may jump in between. */
static enum kho_error kho_session_enter(struct kho_session *session, const char *name, int fd)
{
	const struct kho_index_table *index = &session->index;
	enum kho_error err;
	size_t at;

	if (kho_index_find(index, name))
		return kho_fail(KHO_EXISTS, EEXIST);
	if (index->header.count == KHO_INDEX_ENTRIES_MAX)
		return kho_fail(KHO_NO_SPACE, ENOSPC);
	err = kho_device_preserve(session->fd, fd, session->tokens);
	if (err)
		return err;
	at = kho_index_add(&session->index, name, session->tokens++);
	err = kho_session_write(session, &index->entries[at], sizeof(index->entries[at]),
				offsetof(struct kho_index_table, entries) +
				at * sizeof(index->entries[at]));
	if (!err)
		err = kho_session_write(session, &index->header, sizeof(index->header), 0);
	if (err)
		session->index.header.count--;
	return err;
}

enum kho_error kho_session_put(struct kho_session *session, const char *name, int fd)
{
	enum kho_error err;

	if (session->came)
		return kho_fail(KHO_WRONG_SIDE, EINVAL);
	if (!name || !kho_index_name_good(name) || fd < 0)
		return kho_fail(KHO_INVALID, EINVAL);
	pthread_mutex_lock(&session->lock);
	err = kho_session_enter(session, name, fd);
	pthread_mutex_unlock(&session->lock);
	return err;
}

/* With the lock. */
static enum kho_error kho_session_leave(struct kho_session *session, const char *name, int *fd)
{
	enum kho_error err = kho_session_ready(session);
	const struct kho_index_entry *entry;

	if (err)
		return err;
	entry = kho_index_find(&session->index, name);
	if (!entry)
		return kho_fail(KHO_NOT_FOUND, ENOENT);
	err = kho_device_retrieve(session->fd, entry->token, fd);
	/* The index names what the session has not. */
	return err == KHO_NOT_FOUND ? kho_fail(KHO_DAMAGED, ENOENT) : err;
}

enum kho_error kho_session_get(struct kho_session *session, const char *name, int *fd)
{
	enum kho_error err;

	*fd = -1;
	if (!session->came)
		return kho_fail(KHO_WRONG_SIDE, EINVAL);
	if (!name || !kho_index_name_good(name))
		return kho_fail(KHO_INVALID, EINVAL);
	pthread_mutex_lock(&session->lock);
	err = kho_session_leave(session, name, fd);
	pthread_mutex_unlock(&session->lock);
	return err;
}

enum kho_error kho_session_check(struct kho_session *session)
{
	enum kho_error err;

	pthread_mutex_lock(&session->lock);
	err = kho_session_ready(session);
	pthread_mutex_unlock(&session->lock);
	return err;
}

const char *kho_session_why(struct kho_session *session)
{
	const char *why;

	pthread_mutex_lock(&session->lock);
	why = session->why;
	pthread_mutex_unlock(&session->lock);
	return why;
}

size_t kho_session_count(struct kho_session *session)
{
	size_t count;

	pthread_mutex_lock(&session->lock);
	count = session->index.header.count;
	pthread_mutex_unlock(&session->lock);
	return count;
}

/* Entries only come behind others, so that what is given out stays what it is. */
const char *kho_session_file(struct kho_session *session, size_t number)
{
	return number < kho_session_count(session) ? session->index.entries[number].name : NULL;
}

const char *kho_session_name(const struct kho_session *session)
{
	return session->name;
}

bool kho_session_came(const struct kho_session *session)
{
	return session->came;
}

int kho_session_fd(const struct kho_session *session)
{
	return session->fd;
}

enum kho_error kho_session_finish(struct kho_session *session)
{
	enum kho_error err;

	if (!session->came)
		return kho_fail(KHO_WRONG_SIDE, EINVAL);
	pthread_mutex_lock(&session->lock);
	err = kho_device_finish(session->fd);
	if (!err)
		session->index.header.count = 0;
	pthread_mutex_unlock(&session->lock);
	return err;
}

void kho_session_close(struct kho_session *session)
{
	int kept = errno;

	if (!session)
		return;
	close(session->fd);
	if (session->index_fd >= 0)
		close(session->index_fd);
	pthread_mutex_destroy(&session->lock);
	free(session);
	errno = kept;
}
