// SPDX-License-Identifier: GPL-2.0-only
/*
 * khob_lock: for reading it costs a counter of the CPU's own, for writing a mutex comes
 * first, so that whoever waits for a writer, to read or to write, may be killed.
 */
#include <linux/jiffies.h>
#include <linux/mutex.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <linux/wait.h>

#include "khob.h"

struct khob_rw khob_lock;
DEFINE_PER_CPU_ALIGNED(atomic_t, khob_readers);

/* Who writes, and waits for those who read. */
static DECLARE_WAIT_QUEUE_HEAD(khob_writer);
/* Operations of users: each begins and ends with khob_lock held, and may let go of it between. */
static DEFINE_MUTEX(khob_acts);
/* When the one that is going on has let go of it last. */
static unsigned long khob_act_tick;
/* Who has khob_lock for writing, or waits for its readers. */
static DEFINE_MUTEX(khob_writers);

void khob_lock_init(void)
{
	static struct lock_class_key key;

	lockdep_init_map(&khob_lock.dep_map, "khob_lock", &key, 0);
}

/*
 * Whether somebody reads. Who came before the writer said that it writes is counted, wherever he
 * goes; who came since leaves where he came, so that no sum is too low.
 */
static bool khob_is_read(void)
{
	unsigned int cpu;
	int sum = 0;

	for_each_possible_cpu(cpu)
		sum += atomic_read(&per_cpu(khob_readers, cpu));
	/* What they wrote is seen from here on. */
	smp_mb();
	return sum;
}

/* khob_writers is held. */
static void khob_write_begin(void)
{
	rwsem_acquire(&khob_lock.dep_map, 0, 0, _RET_IP_);
	WRITE_ONCE(khob_lock.writing, true);
	/* Pairs with those in khob_read_trylock() and khob_read_unlock(). */
	smp_mb();
	/* Readers are done soon. */
	wait_event(khob_writer, !khob_is_read());
}

void khob_write_lock(void)
{
	mutex_lock(&khob_writers);
	khob_write_begin();
}

int khob_write_lock_killable(void)
{
	int ret = mutex_lock_killable(&khob_writers);

	if (!ret)
		khob_write_begin();
	return ret;
}

void khob_write_unlock(void)
{
	rwsem_release(&khob_lock.dep_map, _RET_IP_);
	/* Pairs with khob_read_trylock(): who does not see it sees what was written. */
	smp_store_release(&khob_lock.writing, false);
	mutex_unlock(&khob_writers);
}

void khob_read_gone(void)
{
	wake_up(&khob_writer);
}

/* Nobody writes, and nobody begins to. */
static void khob_read_between(void)
{
	rwsem_acquire_read(&khob_lock.dep_map, 0, 0, _RET_IP_);
	atomic_inc(raw_cpu_ptr(&khob_readers));
	mutex_unlock(&khob_writers);
}

void khob_read_lock_wait(void)
{
	mutex_lock(&khob_writers);
	khob_read_between();
}

int khob_read_lock_wait_killable(void)
{
	int ret = mutex_lock_killable(&khob_writers);

	if (!ret)
		khob_read_between();
	return ret;
}

int khob_act_lock(void)
{
	int ret = mutex_lock_killable(&khob_acts);

	if (ret)
		return ret;
	ret = khob_write_lock_killable();
	if (ret)
		mutex_unlock(&khob_acts);
	return ret;
}

void khob_act_unlock(void)
{
	khob_write_unlock();
	mutex_unlock(&khob_acts);
}

/* Once a tick is often enough for those who wait, and costs nothing. */
int khob_act_pause(void)
{
	lockdep_assert_held(&khob_acts);
	if (time_after(jiffies, khob_act_tick)) {
		khob_write_unlock();
		cond_resched();
		khob_write_lock();
		khob_act_tick = jiffies;
	}
	return fatal_signal_pending(current) ? -EINTR : 0;
}

bool khob_writers_stop(void)
{
	return mutex_trylock(&khob_writers);
}

void khob_writers_go(void)
{
	mutex_unlock(&khob_writers);
}
