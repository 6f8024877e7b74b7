/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * libkho: files that outlive the kernel, by name.
 *
 * A program makes a session, puts memfds into it, and after the kexec finds the session and the
 * memfds again by their names. Below is /dev/liveupdate, of the module kho_luo or of a kernel with
 * a Live Update Orchestrator (LUO) of its own.
 *
 * The library is GPL-2.0-only like the rest of kho-bridge, and this header with it: what is linked
 * with libkho, statically or not, is to be distributed under terms that go with that. A program
 * that may not be uses the ioctls of <linux/liveupdate.h> itself.
 *
 * Errors are values (enum kho_error), and errno is that of the call that failed. There is no
 * global state. A session may be used by threads at once, but for kho_session_close().
 * Descriptors are O_CLOEXEC.
 *
 * On the way out:
 *
 *	struct kho_session *session;
 *	enum kho_error err = kho_session_create("my-program", &session);
 *
 *	if (!err)
 *		err = kho_session_put(session, "state", memfd);
 *	// The session stays open until the machine jumps.
 *
 * In the next kernel:
 *
 *	err = kho_session_retrieve("my-program", &session);
 *	if (!err)
 *		err = kho_session_get(session, "state", &memfd);
 *	if (!err)
 *		err = kho_session_finish(session);
 *
 * kho_keep() does all of that for a program with one file.
 */
#ifndef KHO_H
#define KHO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Longest name of a session. [bytes, without the NUL] */
#define KHO_SESSION_NAME_MAX 63
/** Longest name of a file. [bytes, without the NUL] */
#define KHO_FILE_NAME_MAX 55
/** Most files of a session. */
#define KHO_FILES_MAX 255
/** How long somebody else who has the device open is waited for. [ms] */
#define KHO_DEVICE_WAIT_MS 2000

/** What went wrong. Values stay what they are; new ones come at the end. */
enum kho_error {
	/** Nothing. */
	KHO_OK = 0,
	/** An argument cannot be: a name that is empty, too long or has control characters. */
	KHO_INVALID = 1,
	/** There is no /dev/liveupdate. */
	KHO_NO_DEVICE = 2,
	/** The device is root's. */
	KHO_PERMISSION = 3,
	/** Somebody else has had the device open for KHO_DEVICE_WAIT_MS. */
	KHO_BUSY = 4,
	/** A kernel is loaded, which has no late room for more. */
	KHO_LOADED = 5,
	/** A session or a file of that name is there already. */
	KHO_EXISTS = 6,
	/** The kernel before has left no such session, or the session has no such file. */
	KHO_NOT_FOUND = 7,
	/** The session of the kernel before is open already. */
	KHO_TAKEN = 8,
	/** Only a session that was made here is put into, and only one that came is got from. */
	KHO_WRONG_SIDE = 9,
	/** The file is in this session or in another one already, or was got and not finished. */
	KHO_PRESERVED = 10,
	/** What is to be handed over is no memfd. */
	KHO_NOT_MEMFD = 11,
	/** The session was not made by libkho. */
	KHO_FOREIGN = 12,
	/** What the kernel before has left is damaged. */
	KHO_DAMAGED = 13,
	/** Another version made it, or the file has seals or a size that cannot be handed over. */
	KHO_UNSUPPORTED = 14,
	/** No memory. */
	KHO_NO_MEMORY = 15,
	/** As many files as a session can have, or no room for what the next kernel is told. */
	KHO_NO_SPACE = 16,
	/** Too many descriptors are open. */
	KHO_NO_DESCRIPTOR = 17,
	/** Anything else: errno says more. */
	KHO_SYSTEM = 18,
};

/** A session, open. */
struct kho_session;

/**
 * What an error means and what to do about it.
 *
 * @param error any value, also of a newer library
 * @return a sentence of two halves with a semicolon between, without a full stop; never NULL,
 * never freed
 */
const char *kho_strerror(enum kho_error error);

/**
 * Makes a session, which is handed over as long as it is open.
 *
 * The device is open during the call only. No other session that was made in this kernel may have
 * the name; one of the kernel before that nobody has retrieved is lost at the jump then.
 *
 * @param name 1 to KHO_SESSION_NAME_MAX bytes
 * @param session the session, or NULL
 * @return KHO_OK; KHO_INVALID; KHO_NO_DEVICE, KHO_PERMISSION, KHO_BUSY, KHO_DAMAGED (of the
 * device: what came is refused as a whole); KHO_EXISTS; KHO_LOADED; KHO_NO_MEMORY, KHO_NO_SPACE,
 * KHO_NO_DESCRIPTOR, KHO_SYSTEM
 */
enum kho_error kho_session_create(const char *name, struct kho_session **session);

/**
 * Opens a session that the kernel before has left. Can be done once.
 *
 * It succeeds also if the names cannot be read: see kho_session_check(). Then nothing is lost as
 * long as the session is open: what is not got goes on to the next kernel, while closing the
 * session frees it.
 *
 * @param name as it was made
 * @param session the session, or NULL
 * @return as kho_session_create(), and KHO_NOT_FOUND, KHO_TAKEN; not KHO_EXISTS, KHO_LOADED,
 * KHO_NO_SPACE
 */
enum kho_error kho_session_retrieve(const char *name, struct kho_session **session);

/**
 * Hands a memfd over with a session that was made here, under a name.
 *
 * The caller keeps the descriptor and may close it. From now on until the session is closed the
 * file cannot be cut, extended or punched (EPERM), holes are filled, and what is written to it is
 * handed over up to the jump. Nothing is taken out of a session again but by closing it.
 *
 * @param session made by kho_session_create()
 * @param name 1 to KHO_FILE_NAME_MAX bytes, no control characters
 * @param fd a memfd
 * @return KHO_OK; KHO_INVALID also for what is no descriptor; KHO_EXISTS; KHO_WRONG_SIDE;
 * KHO_PRESERVED; KHO_LOADED; KHO_NOT_MEMFD; KHO_UNSUPPORTED; KHO_NO_SPACE, KHO_NO_MEMORY,
 * KHO_SYSTEM. Nothing has changed if it fails.
 */
enum kho_error kho_session_put(struct kho_session *session, const char *name, int fd);

/**
 * Takes a memfd out of a session of the kernel before.
 *
 * It can be got more than once: all descriptors are of one file. Its contents are what another
 * program in another kernel has written, to be checked like any input, its size first.
 *
 * @param session opened by kho_session_retrieve()
 * @param name as it was put
 * @param fd a new descriptor, open for reading and writing, the caller's to close; or -1
 * @return KHO_OK; KHO_INVALID; KHO_NOT_FOUND; KHO_WRONG_SIDE; as kho_session_check(); KHO_DAMAGED;
 * KHO_LOADED; KHO_NO_MEMORY, KHO_NO_DESCRIPTOR, KHO_SYSTEM
 */
enum kho_error kho_session_get(struct kho_session *session, const char *name, int *fd);

/**
 * Whether the names of a session can be used.
 *
 * @return KHO_OK; KHO_FOREIGN, KHO_DAMAGED, KHO_UNSUPPORTED: it has no names, and whoever knows
 * more can use the ioctls with kho_session_fd(). Anything else kept the names from being read just
 * now: this call and kho_session_get() try again.
 */
enum kho_error kho_session_check(struct kho_session *session);

/**
 * What is wrong with the names of a session.
 *
 * @return a sentence without a full stop, never freed; NULL if kho_session_check() says KHO_OK
 */
const char *kho_session_why(struct kho_session *session);

/** @return how many names the session has; 0 once it is finished */
size_t kho_session_count(struct kho_session *session);

/**
 * One of the names, in the order in which they were put.
 *
 * @param number from 0 on
 * @return the name, which stays until the session is closed; NULL beyond the last one
 */
const char *kho_session_file(struct kho_session *session, size_t number);

/** @return the session's name, until it is closed */
const char *kho_session_name(const struct kho_session *session);

/** @return whether it is of the kernel before, and not made here */
bool kho_session_came(const struct kho_session *session);

/**
 * The session's descriptor.
 *
 * A copy of it that a service manager keeps (sd_notify(3), FDSTORE=1) keeps the session, and what
 * is in it, while the program is started anew.
 *
 * @return the descriptor, which stays the library's
 */
int kho_session_fd(const struct kho_session *session);

/**
 * Says that all that is wanted of a session of the kernel before was got. What was not is freed.
 *
 * Only then can the files that were got be put into a session again. The session has no names any
 * more and is to be closed.
 *
 * @return KHO_OK; KHO_WRONG_SIDE; KHO_LOADED if files are left and a kernel is loaded that gets
 * them: nothing has changed then; KHO_SYSTEM
 */
enum kho_error kho_session_finish(struct kho_session *session);

/**
 * Closes a session: one that was made here is not handed over, one of the kernel before is
 * finished. So does the end of the program, unless somebody has a copy of kho_session_fd().
 *
 * No other thread may be using it. errno stays as it was.
 *
 * @param session NULL is nothing
 */
void kho_session_close(struct kho_session *session);

/**
 * Makes a memfd of the kind that every kernel hands over: O_CLOEXEC, it may be sealed, full of
 * zeroes.
 *
 * @param name for /proc/self/fd only; it is not handed over
 * @param size in bytes, the least that the file will ever need: it cannot grow once it is put
 * @param fd the memfd, or -1
 * @return KHO_OK; KHO_INVALID, KHO_NO_MEMORY, KHO_NO_DESCRIPTOR, KHO_SYSTEM
 */
enum kho_error kho_memfd(const char *name, uint64_t size, int *fd);

/**
 * What kho_keep() has found or made.
 *
 * @fd is the file, or -1; @session hands it over, or is NULL if it is not handed over; @found says
 * that the kernel before has left it.
 */
struct kho_kept {
	struct kho_session *session;
	int fd;
	bool found;
};

/**
 * The whole life of a program with one file: takes it from the kernel before or makes it, and hands
 * it over to the next one.
 *
 * On a kernel without a KHO of its own, after `khoctl attach`: before that nothing has come, and a
 * new file is made.
 *
 * What came in the session besides is freed. A file that came has the size that it had, not @size:
 * look (fstat(2)) before it is mapped.
 *
 * If it fails, there are three outcomes. fd is a file and session NULL: go on with it, only that
 * it is not handed over (KHO_NO_DEVICE, KHO_LOADED, ...); kho_session_create() and
 * kho_session_put() can be tried again. fd is -1 and session is that of the kernel before, which
 * has no such file or whose names cannot be read: closing it frees what is in it. fd is -1 and
 * session NULL: nothing was found out, and nothing is lost.
 *
 * @param session name of the session
 * @param file name of the file
 * @param size of the file if it has to be made, in bytes
 * @param kept the outcome; close both when they are not wanted any more
 * @return as the functions above
 */
enum kho_error kho_keep(const char *session, const char *file, uint64_t size,
			struct kho_kept *kept);

#ifdef __cplusplus
}
#endif

#endif /* KHO_H */
