/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Times within a kernel, and from one kernel to the next by the time stamp counter, which goes on
 * meanwhile.
 */
#ifndef KHOB_CLOCK_H
#define KHOB_CLOCK_H

#include <stdint.h>
#include <time.h>
#include <x86intrin.h>

static inline uint64_t now_us(void)
{
	struct timespec at;

	clock_gettime(CLOCK_MONOTONIC, &at);
	return (uint64_t)at.tv_sec * 1000000 + (uint64_t)at.tv_nsec / 1000;
}

static inline void pause_ms(long ms)
{
	const struct timespec time = { .tv_nsec = ms * 1000000 };

	nanosleep(&time, NULL);
}

/* Return: microseconds from one count of the time stamp counter to another. */
static inline uint64_t us_between(uint64_t from, uint64_t to)
{
	const uint64_t tsc = __rdtsc(), us = now_us();

	pause_ms(200);
	return (to - from) * (now_us() - us) / (__rdtsc() - tsc);
}

#endif /* KHOB_CLOCK_H */
