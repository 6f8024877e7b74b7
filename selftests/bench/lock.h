/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The lock that both sides of a comparison take: what upstream's code calls a mutex. Like
 * the kernel's, it is a call and one atomic operation to take and to give back while nobody
 * else wants it, and spins a while before it sleeps. (The C library's own leaves the atomic
 * operations out as long as a program has one thread.)
 */
#ifndef KHOB_BENCH_LOCK_H
#define KHOB_BENCH_LOCK_H

#ifdef __cplusplus
extern "C" {
#endif

/* @state: 0 free, 1 held, 2 held and somebody may sleep */
struct mutex {
	unsigned int state;
};

void mutex_init(struct mutex *lock);
void mutex_lock(struct mutex *lock);
void mutex_unlock(struct mutex *lock);

#ifdef __cplusplus
}
#endif

#endif /* KHOB_BENCH_LOCK_H */
