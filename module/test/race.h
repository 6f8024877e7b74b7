/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the two halves of sandbox/race share: race.c has the tree, the threads and the file,
 * race_work.c has what the threads do.
 */
#ifndef KHOB_TEST_RACE_H
#define KHOB_TEST_RACE_H

#include <linux/atomic.h>
#include <linux/completion.h>

#include "debugfs/debugfs.h"

#define KHOB_RACE_MOST 8

/* Who owns which pages: numbers of pages, and first pages. */

/* Everybody's next to each other: words of two leaves have bits of several threads. */
#define KHOB_MIXED 0ULL
#define KHOB_MIXED_LEAVES 2
#define KHOB_MIXED_SLOTS 64
/* A page a thread in leaves far from all others, so that whole paths come and go. */
#define KHOB_SPARSE BIT_ULL(44)
#define KHOB_SPARSE_LEAVES 4
/* Four leaves a thread; the first and the last page stay absent. */
#define KHOB_OWN BIT_ULL(30)
#define KHOB_OWN_PAGES (4ULL * KHOB_LEAF_BITS)
/* Anybody's, the halves in two leaves. */
#define KHOB_CONTENDED ((2ULL << 30) + KHOB_LEAF_BITS - KHOB_CONTENDED_PAGES / 2)
#define KHOB_CONTENDED_PAGES 256
/* Anybody's, but in ranges that are taken whole. */
#define KHOB_TAKEN ((3ULL << 30) + 5)
#define KHOB_TAKEN_RANGES 4
#define KHOB_TAKEN_STEP KHOB_LEAF_BITS
#define KHOB_TAKEN_PAGES 3001
#define KHOB_TAKEN_ORDER 6
/* What a thread leaves of its own at last: a run and a range. */
#define KHOB_LAST_RUN (KHOB_LEAF_BITS - 700ULL)
#define KHOB_LAST_RUN_PAGES 1500ULL
#define KHOB_LAST_RANGE (2ULL * KHOB_LEAF_BITS + 7)
#define KHOB_LAST_RANGE_PAGES 5000ULL
#define KHOB_LAST_ORDER 9

#define KHOB_BATCH_MOST 300

struct khob_race;

/**
 * struct khob_racer - a thread
 * @race: what it takes part in
 * @task: the thread of the phase that is under way
 * @id: from 0 on
 * @rnd: what it does next
 * @rounds: done
 * @mixed: which of its mixed slots are present
 * @wrong: the first thing that it saw and that must not be, or NULL
 * @key: of that
 * @got: the value that was seen then
 * @iter: over ranges; too large for the stack
 * @keys: a batch, and one key more
 */
struct khob_racer {
	struct khob_race *race;
	struct task_struct *task;
	unsigned int id;
	struct rnd_state rnd;
	unsigned int rounds;
	u64 mixed[KHOB_MIXED_LEAVES];
	const char *wrong;
	u64 key;
	long long got;
	struct khob_range_iter iter;
	u64 keys[KHOB_BATCH_MOST + 1];
};

/**
 * struct khob_race - one reading of the file
 * @tree: the tree
 * @asked: how often a node was asked for
 * @nodes: how many are out
 * @deadline: in jiffies
 * @stop: whoever reads the file has been interrupted
 * @phase: what the threads do
 * @done: a thread has ended its part
 * @contended: how often each contended page is owned: once at most
 * @taken: the same for ranges
 * @nr: threads
 * @racer: each of them
 */
struct khob_race {
	struct khob_radix tree;
	atomic_t asked;
	atomic_t nodes;
	unsigned long deadline;
	bool stop;
	void (*phase)(struct khob_racer *t);
	struct completion done;
	atomic_t contended[KHOB_CONTENDED_PAGES];
	atomic_t taken[KHOB_TAKEN_RANGES];
	unsigned int nr;
	struct khob_racer racer[KHOB_RACE_MOST];
};

/* race_work.c: the phases, each of them run by all threads at once */

/* Adds, deletes and looks until the deadline, and leaves what stays. */
void khob_race_phase_change(struct khob_racer *t);

/* All of them for the same keys, each from another one on. */
void khob_race_phase_win(struct khob_racer *t);

/* All that is left, the contended keys by whoever comes first. */
void khob_race_phase_delete(struct khob_racer *t);

#endif /* KHOB_TEST_RACE_H */
