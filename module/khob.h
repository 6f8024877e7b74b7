/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What every part of the module uses: the lock, the way to refuse, who may, the version.
 * The parts, and which of them may use which, are in docs/architecture.md.
 */
#ifndef KHOB_H
#define KHOB_H

#include <linux/atomic.h>
#include <linux/list.h>
#include <linux/lockdep.h>
#include <linux/percpu.h>
#include <linux/printk.h>
#include <linux/wait.h>

#include "khob/abi.h"

#define KHOB_VERSION "0.2.0"

#ifdef KHOB_TEST
#define KHOB_TEST_BUILD 1
#else
#define KHOB_TEST_BUILD 0
#endif

/**
 * struct khob_rw - the kind of lock that khob_lock is
 * @writing: somebody has it for writing, or waits for its readers
 *
 * Readers count themselves, on whatever CPU they are: that is one atomic operation on memory that
 * other CPUs leave alone, and nobody ever waits for a grace period.
 */
struct khob_rw {
	bool writing;
#ifdef CONFIG_DEBUG_LOCK_ALLOC
	struct lockdep_map dep_map;
#endif
};

/*
 * Guards what this kernel hands over and what it was handed; all that is done under it may
 * sleep. Whoever holds it for reading changes only what is shared, atomic, or under a lock
 * within it. Waiting for it may be killed, but where something is given back: that has to
 * be possible for whoever is being killed.
 */
extern struct khob_rw khob_lock;

/* Readers that came on this CPU, less those that went there. */
DECLARE_PER_CPU_ALIGNED(atomic_t, khob_readers);

void khob_lock_init(void);

void khob_write_lock(void);
void khob_write_unlock(void);
/* Return: 0; or -EINTR, and it is not held. */
int khob_write_lock_killable(void);

/* Reading is in the way of every page that a client has: it is done in place. */

/* What is left of reading when somebody writes. */
void khob_read_lock_wait(void);
int khob_read_lock_wait_killable(void);
void khob_read_gone(void);

static inline bool khob_read_trylock(void)
{
	/* Whoever goes on elsewhere from here counts on this CPU all the same. */
	atomic_t *readers = raw_cpu_ptr(&khob_readers);

	atomic_inc(readers);
	/* Either this is counted by who writes, or it is seen here that somebody does. */
	smp_mb__after_atomic();
	/* Pairs with khob_write_unlock(). */
	if (likely(!smp_load_acquire(&khob_lock.writing))) {
		rwsem_acquire_read(&khob_lock.dep_map, 0, 1, _THIS_IP_);
		return true;
	}
	atomic_dec(readers);
	khob_read_gone();
	return false;
}

static inline void khob_read_lock(void)
{
	if (unlikely(!khob_read_trylock()))
		khob_read_lock_wait();
}

static inline int khob_read_lock_killable(void)
{
	return likely(khob_read_trylock()) ? 0 : khob_read_lock_wait_killable();
}

static inline void khob_read_unlock(void)
{
	rwsem_release(&khob_lock.dep_map, _THIS_IP_);
	/* Pairs with khob_is_read(): what was read and written here was so before. */
	smp_mb__before_atomic();
	atomic_dec(raw_cpu_ptr(&khob_readers));
	/* As above: either it was the last one for who writes, or that is to be told. */
	smp_mb__after_atomic();
	if (unlikely(READ_ONCE(khob_lock.writing)))
		khob_read_gone();
}

/* What a user asks for: one thing at a time, and khob_lock for writing. Return: as above. */
int khob_act_lock(void);
void khob_act_unlock(void);
/*
 * In the middle of such a thing, where others may have a look or change what is theirs.
 * Return: 0; or -EINTR, the caller being killed; khob_lock is held again in either case.
 */
int khob_act_pause(void);

/* As khob_lock for writing, if nobody writes, but for readers, who go on. */
bool khob_writers_stop(void);
void khob_writers_go(void);

static inline void khob_write_unlock_unless(int killed)
{
	if (!killed)
		khob_write_unlock();
}

static inline void khob_act_unlock_unless(int killed)
{
	if (!killed)
		khob_act_unlock();
}

/*
 * Until the end of the block. Whoever declares one looks at its value first: 0, or -EINTR
 * and nothing is held.
 */
DEFINE_CLASS(khob_user_lock, int, khob_write_unlock_unless(_T), khob_write_lock_killable(), void)
DEFINE_CLASS(khob_act, int, khob_act_unlock_unless(_T), khob_act_lock(), void)
/* The same, whoever is being killed. */
DEFINE_LOCK_GUARD_0(khob_write, khob_write_lock(), khob_write_unlock())
DEFINE_LOCK_GUARD_0(khob_read, khob_read_lock(), khob_read_unlock())

/* Logs one sentence, keeps it for `status` and returns @err. */
__printf(2, 3) int khob_refuse(int err, const char *fmt, ...);

#define KHOB_ERROR_MAX 256
/* The last of these sentences. */
void khob_last_error(char error[KHOB_ERROR_MAX]);

/**
 * struct khob_listener - what was said to one task, which others may be talking beside
 * @list: among those who listen
 * @task: who
 * @sentence: the last one since khob_listen(); empty if there was none
 */
struct khob_listener {
	struct list_head list;
	struct task_struct *task;
	char sentence[KHOB_ERROR_MAX];
};

/* From here to khob_unlisten(), by the same task, on its stack; there may be one in another. */
void khob_listen(struct khob_listener *l);
void khob_unlisten(struct khob_listener *l);

/*
 * Whether whoever is calling may: it has @cap, CAP_SYS_ADMIN or, for what makes room for a
 * kernel, CAP_SYS_BOOT; and the kernel is not locked down. Return: 0 or -EPERM.
 */
int khob_may(int cap);

/* Something has changed that a program may wait for. Any context but an NMI. */
void khob_changed(void);
/* How often. */
u64 khob_changes(void);
extern struct wait_queue_head khob_change_waiters;

/* The kernel is about to jump into the next one: from here on nothing is given back. */
void khob_set_leaving(void);
bool khob_is_leaving(void);

/**
 * struct khob_face - who shows subtrees to people as they come and go
 * @show: one that is there from now on; returns what @hide is given, NULL if it cannot
 * @hide: it is gone; NULL is fine
 */
struct khob_face {
	void *(*show)(const char *name, u64 len);
	void (*hide)(void *shown);
};

#endif /* KHOB_H */
