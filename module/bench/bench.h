/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * How long the tree takes for its work in this kernel and, where the kernel has KHO of its
 * own, how long the kernel's tree takes for the same: bench.c runs the rows, work.c has
 * what they do.
 */
#ifndef KHOB_BENCH_H
#define KHOB_BENCH_H

#include <linux/sched/signal.h>

#include "core/range.h"
#include "mem/mem.h"
#include "uapi/linux/kho_bridge.h"

/* Of what a run may be told: keys. */
#define KHOB_BENCH_LEAST 1024
#define KHOB_BENCH_DEFAULT 262144
#define KHOB_BENCH_MOST 4194304
/* Of each row; khob_bench_median() is made for three. */
#define KHOB_BENCH_REPEAT 3

/*
 * Runs all rows with @keys keys, one run at a time. Return: how many of @rows, to be given to
 * kvfree(), there are; or an error, with a sentence unless that is -EINTR.
 */
int khob_bench_run(u64 keys, struct kho_bridge_bench_row **rows);

/* So many keys are added at once where that can be done, and between looks at signals. */
#define KHOB_BENCH_BATCH 512

#ifdef KHOB_HAVE_KHO_RADIX
#include <linux/kho_radix_tree.h>
#define KHOB_BENCH_SIDES 2
#else
/* There is nothing to compare with, and none of these is ever called. */
#define KHOB_BENCH_SIDES 1
struct kho_radix_tree { void *root; };
struct kho_radix_walk_cb {
	int (*leaf)(unsigned long key, void *data);
	int (*node)(phys_addr_t phys, void *data);
};

static inline int kho_radix_init_tree(struct kho_radix_tree *tree, void *root) { return 0; }
static inline void kho_radix_destroy_tree(struct kho_radix_tree *tree) {}
static inline int kho_radix_add_key(struct kho_radix_tree *tree, unsigned long key) { return 0; }
static inline void kho_radix_del_key(struct kho_radix_tree *tree, unsigned long key) {}
static inline int kho_radix_walk_tree(struct kho_radix_tree *tree,
				      const struct kho_radix_walk_cb *cb, void *data) { return 0; }
#endif

enum khob_bench_side { KHOB_BENCH_OURS, KHOB_BENCH_UPSTREAM };

struct khob_bench_extent {
	u64 pfn;
	u64 nr;
};

/**
 * struct khob_bench_said - what a walk has seen
 * @nr: keys, or pages of ranges
 * @sum: of the keys, or the number of ranges
 * @end: the page behind the last range
 */
struct khob_bench_said {
	u64 nr;
	u64 sum;
	u64 end;
};

/**
 * struct khob_bench - a run
 * @nr: keys that were asked for, which all sizes follow from
 * @keys: of the row, in the order in which they are added
 * @nr_keys: how many
 * @extents: of the row, if its content is page ranges
 * @nr_extents: how many; 0 if the content is keys
 * @max_order: how @extents become keys
 * @expect: keys of the content
 * @rnd: the same numbers in every run
 * @threads: of the row
 * @took: ns, where the work itself knows better than who waits for it
 * @lock: for our tree what upstream's has for itself
 * @ours: our tree
 * @ranges: of our tree; too large for the stack
 * @upstream: the kernel's kind of tree
 * @said: by each side's walk
 */
struct khob_bench {
	u64 nr;
	u64 *keys;
	u64 nr_keys;
	struct khob_bench_extent *extents;
	u64 nr_extents;
	unsigned int max_order;
	u64 expect;
	struct rnd_state rnd;
	unsigned int threads;
	u64 took;
	struct mutex lock; /* calls of our tree */
	struct khob_radix ours;
	struct khob_range_iter ranges;
	struct kho_radix_tree upstream;
	struct khob_bench_said said[2];
};

typedef int (*khob_bench_fn)(struct khob_bench *b);
typedef int (*khob_bench_key_fn)(struct khob_bench *b, u64 key);

/**
 * struct khob_bench_row - a row of the table
 * @name: as in the benchmark in userspace
 * @content: makes the keys or the extents
 * @before: what is done before the time is taken, by each side; or NULL
 * @work: what is timed
 * @threads: how many do it, to a shared tree; 0 for the caller itself
 * @walks: it says what it saw
 * @empties: nothing is left
 */
struct khob_bench_row {
	const char *name;
	void (*content)(struct khob_bench *b);
	khob_bench_fn before[2];
	khob_bench_fn work[2];
	unsigned int threads;
	bool walks;
	bool empties;
};

/* work.c; behind the last row one has no name */
extern const struct khob_bench_row khob_bench_rows[];

/* Counts the keys that the content comes to. */
int khob_bench_count(struct khob_bench *b);

static inline int khob_bench_pause(void)
{
	cond_resched();
	return fatal_signal_pending(current) ? -EINTR : 0;
}

#endif /* KHOB_BENCH_H */
