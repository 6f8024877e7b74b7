// SPDX-License-Identifier: GPL-2.0-only
/*
 * The lock of lock.h, on a futex.
 */
#include "lock.h"

#include <linux/futex.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/syscall.h>
#include <unistd.h>

#define SPINS 1000

static bool swap_if(unsigned int *state, unsigned int from, unsigned int to)
{
	return __atomic_compare_exchange_n(state, &from, to, false, __ATOMIC_ACQUIRE,
					   __ATOMIC_RELAXED);
}

void mutex_init(struct mutex *lock)
{
	lock->state = 0;
}

static __attribute__((noinline)) void wait_for(struct mutex *lock)
{
	unsigned int i;

	for (i = 0; i < SPINS; i++) {
		if (!__atomic_load_n(&lock->state, __ATOMIC_RELAXED) &&
		    swap_if(&lock->state, 0, 1))
			return;
		__builtin_ia32_pause();
	}
	while (__atomic_exchange_n(&lock->state, 2, __ATOMIC_ACQUIRE))
		syscall(SYS_futex, &lock->state, FUTEX_WAIT_PRIVATE, 2, NULL, NULL, 0);
}

void mutex_lock(struct mutex *lock)
{
	if (!swap_if(&lock->state, 0, 1))
		wait_for(lock);
}

void mutex_unlock(struct mutex *lock)
{
	if (__atomic_exchange_n(&lock->state, 0, __ATOMIC_RELEASE) == 2)
		syscall(SYS_futex, &lock->state, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
}
