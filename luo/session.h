/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Sessions and their files, here and on the way to the next kernel. Words are upstream's: a
 * session is a named set of files, a token names a file in it; outgoing is what this kernel
 * hands over, incoming what the kernel before has left.
 */
#ifndef LUO_SESSION_H
#define LUO_SESSION_H

#include <linux/fs.h>
#include <linux/mutex.h>

#include "luo.h"

struct luo_cost;
struct xarray;

/* file.c */

/**
 * struct luo_file - a file that is preserved, or was by the kernel before
 * @list: in its session
 * @file: the file; NULL for an incoming one that has not been retrieved
 * @token: what userspace calls it
 * @data: physical address of its description
 * @more: what its kind keeps of it
 * @status: of an incoming one: 0 if it waits, 1 if it was retrieved, or the errno for good
 */
struct luo_file {
	struct list_head list;
	struct file *file;
	u64 token;
	u64 data;
	void *more;
	int status;
};

/**
 * struct luo_session - a session
 * @list: in luo_sessions
 * @name: as userspace chose it
 * @lock: serialises what is done with the files
 * @files: in the order in which they were preserved
 * @count: how many
 * @blocks: for them, on the way to the next kernel
 * @incoming: the kernel before has left it
 * @retrieved: an incoming one that somebody has open
 * @finished: an incoming one that is done with
 * @named: its files may have names
 */
struct luo_session {
	struct list_head list;
	char name[KHOB_LUO_SESSION_NAME_LENGTH];
	struct mutex lock; /* see above */
	struct list_head files;
	u64 count;
	struct luo_blocks blocks;
	bool incoming;
	bool retrieved;
	bool finished;
	bool named;
};

int luo_file_preserve(struct luo_session *session, u64 token, int fd);
void luo_file_unpreserve_all(struct luo_session *session);
int luo_file_retrieve(struct luo_session *session, u64 token, struct file **file);
int luo_file_adopt(struct luo_session *session, u64 token, int fd);
int luo_file_fill(int fd, u64 bytes, int nid);
int luo_file_discard(struct luo_session *session, u64 token);
bool luo_file_has(const struct luo_session *session, u64 token);
const struct luo_file *luo_file_next(const struct luo_session *session, u64 token);
int luo_file_finish_all(struct luo_session *session);
int luo_file_arrive(struct luo_session *session, const struct khob_luo_file_ser *ser);
void luo_file_forget_all(struct luo_session *session);
u64 luo_file_cost_all(const struct luo_session *session, struct luo_cost *cost);
u64 luo_file_write_all(struct luo_session *session, struct khob_luo_file_set_ser *set, u64 digest);

/* session.c */

/**
 * struct luo_sessions - all of them
 * @lock: see the top of this file
 * @outgoing: made here
 * @incoming: of the kernel before
 * @nr_outgoing: how many
 * @nr_incoming: how many
 * @blocks: for both, on the way to the next kernel
 */
struct luo_sessions {
	struct mutex lock; /* see above */
	struct list_head outgoing;
	struct list_head incoming;
	u64 nr_outgoing;
	u64 nr_incoming;
	struct luo_blocks blocks;
};

extern struct luo_sessions luo_sessions;

struct luo_session *luo_session_new(const char *name);
void luo_session_free(struct luo_session *session);
int luo_session_create(const char *name, struct file **file);
int luo_session_retrieve(const char *name, struct file **file);
int luo_session_drop(const char *name);
int luo_session_set_room(u64 bytes);

/* keep.c */
int luo_keep(u64 token, int fd);
int luo_keep_drop(void);
int luo_keep_next(u64 *token, bool *incoming, struct luo_cost *cost);
int luo_keep_adopt(u64 token, int fd);
int luo_keep_discard(u64 token);
void luo_keep_write(void);

/* arrive.c, leave.c */
int luo_arrive(void);
int luo_arrive_claim_page(struct xarray *claimed, u64 pa);
void luo_arrive_free(struct xarray *claimed);
int luo_leave_init(void);
void luo_leave_exit(void);

/* ioctl.c */

/**
 * struct luo_call - an ioctl that is being done
 * @session: whose it is; NULL for the device's
 * @arg: a copy of its struct
 * @file: what it has opened, if it does that
 */
struct luo_call {
	struct luo_session *session;
	void *arg;
	struct file *file;
};

/**
 * struct luo_ioctl - how one ioctl is done
 * @cmd: its number
 * @size: bytes of its struct
 * @min: bytes that it had from the first
 * @opens: it ends with a new descriptor, in the struct's second word
 * @applies: whether it may be done with a session; NULL if always
 * @act: does it
 */
struct luo_ioctl {
	unsigned int cmd;
	u32 size;
	u32 min;
	bool opens;
	bool (*applies)(const struct luo_session *session);
	int (*act)(struct luo_call *call);
};

long luo_ioctl(const struct luo_ioctl *table, unsigned int nr, unsigned int base,
	       struct luo_session *session, unsigned int cmd, unsigned long arg);

#endif /* LUO_SESSION_H */
