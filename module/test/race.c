// SPDX-License-Identifier: GPL-2.0-only
/*
 * kho_bridge/sandbox/race, in test builds only: threads on every CPU add, delete, look up and
 * walk in one shared tree (KHOB_RADIX_SHARED). Each owns pages that nobody else touches, in
 * leaves and tables that it shares with others, so that it knows at any time what it must
 * see; for the others, the contended ones, exactly one may win. Leaves fill and empty
 * all the time: nodes are linked and pruned while others are on their way through them.
 */
#include <linux/atomic.h>
#include <linux/completion.h>
#include <linux/cpu.h>
#include <linux/debugfs.h>
#include <linux/jiffies.h>
#include <linux/kthread.h>
#include <linux/sched.h>
#include <linux/slab.h>

#include "core/radix_node.h"
#include "khob.h"

#define KHOB_RACE_MS 4000
/* On a slow machine too. */
#define KHOB_RACE_ROUNDS 8
#define KHOB_RACE_LEAST 4
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

static void *khob_race_alloc_node(void *ctx, u64 *pa)
{
	struct khob_race *race = ctx;
	void *node;

	/* Now and then there is no memory, and nothing must be left of what was begun. */
	if (atomic_inc_return(&race->asked) % 61 == 0)
		return NULL;
	node = khob_page_ops.alloc_node(NULL, pa);
	if (node) {
		atomic_inc(&race->nodes);
		memset(node, 0xa5, PAGE_SIZE);
	}
	/* Another thread gets to link its own before. */
	schedule();
	return node;
}

static void khob_race_free_node(void *ctx, void *node, u64 pa)
{
	struct khob_race *race = ctx;

	atomic_dec(&race->nodes);
	khob_page_ops.free_node(NULL, node, pa);
}

static const struct khob_radix_ops khob_race_ops = {
	.alloc_node = khob_race_alloc_node,
	.free_node = khob_race_free_node,
};

/* An addition that is tried again when there was no memory. */
#define KHOB_RACE_TRY(add)				\
({							\
	unsigned int tries_ = 0;			\
	int ret_;					\
							\
	do {						\
		ret_ = (add);				\
	} while (ret_ == -ENOMEM && ++tries_ < 100);	\
	ret_;						\
})

static u64 khob_race_key(u64 pfn)
{
	u64 key = 0;

	khob_key_encode(pfn << KHOB_PAGE_SHIFT, 0, &key);
	return key;
}

/* A number below @n. */
static u32 khob_race_rnd(struct khob_racer *t, u32 n)
{
	return prandom_u32_state(&t->rnd) % n;
}

/* Keeps the first thing that is not as it must be. */
static void khob_race_is(struct khob_racer *t, long long got, long long wanted, u64 key,
			 const char *what)
{
	if (got == wanted || t->wrong)
		return;
	t->wrong = what;
	t->key = key;
	t->got = got;
}

/**
 * struct khob_race_count - what a walk has seen
 * @t: whose
 * @key: the last key
 * @nr: keys seen, of those that count
 * @bits: the slots of mixed keys seen
 * @left: how many more are looked at; 0 ends the walk
 */
struct khob_race_count {
	struct khob_racer *t;
	u64 key;
	u64 nr;
	u64 bits;
	unsigned int left;
};

static int khob_race_count_key(void *ctx, u64 key)
{
	struct khob_race_count *c = ctx;

	khob_race_is(c->t, key > c->key, true, key, "keys of a walk ascend");
	c->key = key;
	c->nr++;
	return !--c->left;
}

static int khob_race_count_mixed(void *ctx, u64 key)
{
	struct khob_race_count *c = ctx;
	u64 slot = key % KHOB_LEAF_BITS;

	if (slot % c->t->race->nr == c->t->id)
		c->bits |= BIT_ULL(slot / c->t->race->nr);
	return 0;
}

static int khob_race_del_key(void *ctx, u64 key)
{
	struct khob_race_count *c = ctx;

	khob_race_is(c->t, khob_radix_del(&c->t->race->tree, key), 0, key, "del while walking");
	c->nr++;
	return 0;
}

static int khob_race_count_range(void *ctx, u64 pfn, u64 nr)
{
	struct khob_race_count *c = ctx;

	khob_race_is(c->t, pfn >= c->key, true, pfn, "ranges ascend");
	c->key = pfn + nr;
	c->nr++;
	return !--c->left;
}

static u64 khob_race_own(const struct khob_racer *t)
{
	return KHOB_OWN + t->id * KHOB_OWN_PAGES;
}

/* How many order-0 keys a thread's own pages have. */
static u64 khob_race_own_keys(struct khob_racer *t, int (*fn)(void *ctx, u64 key))
{
	struct khob_race_count c = { .t = t, .left = UINT_MAX };
	u64 own = khob_race_own(t);

	khob_radix_walk(&t->race->tree, khob_race_key(own),
			khob_race_key(own + KHOB_OWN_PAGES - 1), fn, &c);
	return c.nr;
}

static u64 khob_race_mixed_key(const struct khob_racer *t, unsigned int leaf, unsigned int slot)
{
	return khob_race_key(KHOB_MIXED + (u64)leaf * KHOB_LEAF_BITS + slot * t->race->nr + t->id);
}

/* One by one, in words that others write to as well. */
static void khob_race_mixed(struct khob_racer *t)
{
	struct khob_radix *r = &t->race->tree;
	unsigned int leaf = khob_race_rnd(t, KHOB_MIXED_LEAVES), i;
	struct khob_race_count c = { .t = t };

	for (i = 0; i < 48; i++) {
		unsigned int slot = khob_race_rnd(t, KHOB_MIXED_SLOTS);
		u64 key = khob_race_mixed_key(t, leaf, slot);
		bool has = t->mixed[leaf] & BIT_ULL(slot);

		khob_race_is(t, khob_radix_has(r, key), has, key, "has of a mixed key");
		if (has) {
			khob_race_is(t, KHOB_RACE_TRY(khob_radix_add(r, key)), -EEXIST, key,
				     "add of a mixed key that is present");
			khob_race_is(t, khob_radix_del(r, key), 0, key, "del of a mixed key");
		} else {
			khob_race_is(t, khob_radix_del(r, key), -ENOENT, key,
				     "del of a mixed key that is absent");
			khob_race_is(t, KHOB_RACE_TRY(khob_radix_add(r, key)), 0, key,
				     "add of a mixed key");
		}
		t->mixed[leaf] ^= BIT_ULL(slot);
	}
	khob_radix_walk(r, khob_race_key(KHOB_MIXED + (u64)leaf * KHOB_LEAF_BITS),
			khob_race_key(KHOB_MIXED + (leaf + 1ULL) * KHOB_LEAF_BITS - 1),
			khob_race_count_mixed, &c);
	khob_race_is(t, c.bits, t->mixed[leaf], leaf, "walk over mixed keys");
}

/* Paths that are empty most of the time. */
static void khob_race_sparse(struct khob_racer *t)
{
	struct khob_radix *r = &t->race->tree;
	unsigned int i;

	for (i = 0; i < 3 * KHOB_SPARSE_LEAVES; i++) {
		u64 leaf = i % KHOB_SPARSE_LEAVES;
		u64 key = khob_race_key((leaf / 2 + 1) * KHOB_SPARSE +
					leaf % 2 * KHOB_LEAF_BITS + t->id);

		khob_race_is(t, KHOB_RACE_TRY(khob_radix_add(r, key)), 0, key,
			     "add of a sparse key");
		khob_race_is(t, khob_radix_has(r, key), true, key, "has of a sparse key");
		if (khob_race_rnd(t, 4) == 0)
			schedule();
		khob_race_is(t, khob_radix_del(r, key), 0, key, "del of a sparse key");
		khob_race_is(t, khob_radix_has(r, key), false, key,
			     "has of a sparse key that is gone");
	}
}

/* The ranges of a thread's own pages are this one; none if @nr is 0. */
static void khob_race_own_range(struct khob_racer *t, u64 pfn, u64 nr)
{
	u64 own = khob_race_own(t), first = 0, count = 0, key;

	khob_range_iter_init(&t->iter, &t->race->tree, own);
	if (!khob_range_iter_next(&t->iter, &first, &count) || first >= own + KHOB_OWN_PAGES) {
		first = 0;
		count = 0;
	}
	khob_race_is(t, first, nr ? pfn : 0, pfn, "first page of a range");
	khob_race_is(t, count, nr, pfn, "pages of a range");
	khob_race_is(t, khob_radix_overlap(&t->race->tree, own, KHOB_OWN_PAGES, &key), !!nr, pfn,
		     "overlap");
}

/* Somewhere in a thread's own pages: a few, or more than a leaf. Return: how many. */
static u64 khob_race_somewhere(struct khob_racer *t, u64 *pfn)
{
	u64 nr = 1 + khob_race_rnd(t, khob_race_rnd(t, 4) ? 300 : 40000);
	u64 edge = (1 + khob_race_rnd(t, 2)) * KHOB_LEAF_BITS;

	*pfn = khob_race_own(t) + edge - khob_race_rnd(t, min_t(u64, nr, KHOB_LEAF_BITS - 16)) - 1;
	return nr;
}

static void khob_race_run(struct khob_racer *t)
{
	struct khob_radix *r = &t->race->tree;
	u64 pfn, nr = khob_race_somewhere(t, &pfn);
	u64 first = khob_race_key(pfn), last = first + nr - 1;

	khob_race_is(t, KHOB_RACE_TRY(khob_radix_add_run(r, first, last)), 0, first, "add_run");
	khob_race_is(t, khob_radix_has(r, first), true, first, "has of a run's first key");
	khob_race_is(t, khob_radix_has(r, last), true, last, "has of a run's last key");
	khob_race_is(t, khob_radix_has(r, last + 1), false, last, "has behind a run");
	khob_race_is(t, KHOB_RACE_TRY(khob_radix_add_run(r, first - 9, first)), -EEXIST, first,
		     "add_run into a run");
	khob_race_own_range(t, pfn, nr);
	if (nr <= 300)
		khob_race_is(t, khob_race_own_keys(t, khob_race_count_key), nr, first,
			     "walk over a run");
	khob_race_is(t, khob_radix_del_run(r, first, last + 1), -ENOENT, first,
		     "del_run of too much");
	khob_race_is(t, khob_radix_del_run(r, first, last), 0, first, "del_run");
	khob_race_own_range(t, pfn, 0);
}

static void khob_race_range(struct khob_racer *t)
{
	struct khob_radix *r = &t->race->tree;
	u64 pfn, nr = khob_race_somewhere(t, &pfn);
	unsigned int order = khob_race_rnd(t, 11);

	khob_race_is(t, KHOB_RACE_TRY(khob_radix_add_range(r, pfn, nr, order)), 0, pfn,
		     "add_range");
	khob_race_is(t, KHOB_RACE_TRY(khob_radix_add_range(r, pfn, nr, order)), -EEXIST, pfn,
		     "add_range of a range that is present");
	khob_race_own_range(t, pfn, nr);
	khob_race_is(t, khob_radix_del_range(r, pfn, nr, order), 0, pfn, "del_range");
	khob_race_is(t, khob_radix_del_range(r, pfn, nr, order), -ENOENT, pfn,
		     "del_range of a range that is absent");
	khob_race_own_range(t, pfn, 0);
}

static void khob_race_batch(struct khob_racer *t)
{
	u32 nr = 1 + khob_race_rnd(t, KHOB_BATCH_MOST);
	u32 step = 1 + khob_race_rnd(t, KHOB_OWN_PAGES / (KHOB_BATCH_MOST + 1)), i;
	struct khob_radix *r = &t->race->tree;

	for (i = 0; i < nr; i++)
		t->keys[i] = khob_race_key(khob_race_own(t) + 1 + i * step);
	t->keys[nr] = t->keys[0];
	khob_race_is(t, KHOB_RACE_TRY(khob_radix_add_batch(r, t->keys, nr + 1)), -EEXIST,
		     t->keys[0], "add_batch with a key twice");
	khob_race_is(t, khob_race_own_keys(t, khob_race_count_key), 0, t->keys[0],
		     "walk behind a batch that failed");
	khob_race_is(t, KHOB_RACE_TRY(khob_radix_add_batch(r, t->keys, nr)), 0, t->keys[0],
		     "add_batch");
	khob_race_is(t, khob_race_own_keys(t, khob_race_count_key), nr, t->keys[0],
		     "walk over a batch");
	khob_race_is(t, khob_race_own_keys(t, khob_race_del_key), nr, t->keys[0],
		     "walk that deletes");
	khob_race_is(t, khob_race_own_keys(t, khob_race_count_key), 0, t->keys[0],
		     "walk behind one that deletes");
}

/* What was won is held while the others try, and then given back. */
static void khob_race_hold(struct khob_racer *t, u32 first, u32 nr, u32 step)
{
	struct khob_race *race = t->race;
	u32 i;

	for (i = 0; i < nr; i++) {
		u32 at = first + i * step;

		khob_race_is(t, atomic_inc_return(&race->contended[at]), 1, at,
			     "owners of a contended key");
	}
	schedule();
	for (i = 0; i < nr; i++) {
		u32 at = first + i * step;

		khob_race_is(t, khob_radix_has(&race->tree, khob_race_key(KHOB_CONTENDED + at)),
			     true, at, "has of a contended key");
		atomic_dec(&race->contended[at]);
	}
}

static void khob_race_contend(struct khob_racer *t)
{
	struct khob_radix *r = &t->race->tree;
	u32 at = khob_race_rnd(t, KHOB_CONTENDED_PAGES);
	u32 nr = 1 + khob_race_rnd(t, KHOB_CONTENDED_PAGES - at), step = 1, i;
	u64 key = khob_race_key(KHOB_CONTENDED + at);
	int ret;

	switch (khob_race_rnd(t, 3)) {
	case 0:
		nr = 1;
		ret = KHOB_RACE_TRY(khob_radix_add(r, key));
		break;
	case 1:
		nr = min(nr, 80U);
		ret = KHOB_RACE_TRY(khob_radix_add_run(r, key, key + nr - 1));
		break;
	default:
		step = 7;
		nr = min(nr / step + 1, 12U);
		if (at + (nr - 1) * step >= KHOB_CONTENDED_PAGES)
			nr = 1;
		for (i = 0; i < nr; i++)
			t->keys[i] = key + i * step;
		ret = KHOB_RACE_TRY(khob_radix_add_batch(r, t->keys, nr));
	}
	if (ret == -EEXIST)
		return;
	khob_race_is(t, ret, 0, key, "add of contended keys");
	if (ret)
		return;
	khob_race_hold(t, at, nr, step);
	if (step == 1 && nr > 1) {
		khob_race_is(t, khob_radix_del_run(r, key, key + nr - 1), 0, key,
			     "del_run of contended keys");
		return;
	}
	for (i = 0; i < nr; i++)
		khob_race_is(t, khob_radix_del(r, key + i * step), 0, key + i * step,
			     "del of a contended key");
}

static void khob_race_take(struct khob_racer *t)
{
	u32 at = khob_race_rnd(t, KHOB_TAKEN_RANGES);
	u64 pfn = KHOB_TAKEN + at * (u64)KHOB_TAKEN_STEP;
	struct khob_radix *r = &t->race->tree;
	int ret;

	ret = KHOB_RACE_TRY(khob_radix_add_range(r, pfn, KHOB_TAKEN_PAGES, KHOB_TAKEN_ORDER));
	if (ret == -EEXIST)
		return;
	khob_race_is(t, ret, 0, pfn, "add_range of a contended range");
	if (ret)
		return;
	khob_race_is(t, atomic_inc_return(&t->race->taken[at]), 1, pfn,
		     "owners of a contended range");
	schedule();
	atomic_dec(&t->race->taken[at]);
	khob_race_is(t, khob_radix_del_range(r, pfn, KHOB_TAKEN_PAGES, KHOB_TAKEN_ORDER), 0, pfn,
		     "del_range of a contended range");
}

/* At everything, of which others change most. */
static void khob_race_look(struct khob_racer *t)
{
	struct khob_race_count c = { .t = t, .left = 500 };

	khob_radix_walk(&t->race->tree, 0, U64_MAX, khob_race_count_key, &c);
	c.key = 0;
	c.left = 30;
	khob_range_iter_init(&t->iter, &t->race->tree, 0);
	khob_radix_walk_ranges(&t->iter, KHOB_PFN_END, khob_race_count_range, &c);
}

static void (*const khob_race_does[])(struct khob_racer *t) = {
	khob_race_mixed, khob_race_sparse, khob_race_run, khob_race_range, khob_race_batch,
	khob_race_contend, khob_race_contend, khob_race_contend, khob_race_take, khob_race_look,
};

/* Adds what stays, in which those who are last at it are overtaken. */
static void khob_race_stay(struct khob_racer *t)
{
	u64 own = khob_race_own(t), first = khob_race_key(own + KHOB_LAST_RUN);
	struct khob_radix *r = &t->race->tree;
	unsigned int i;

	for (i = 0; i < KHOB_MIXED_LEAVES * KHOB_MIXED_SLOTS; i++) {
		unsigned int leaf = i / KHOB_MIXED_SLOTS, slot = i % KHOB_MIXED_SLOTS;
		u64 key = khob_race_mixed_key(t, leaf, slot);
		bool has = t->mixed[leaf] & BIT_ULL(slot);

		khob_race_is(t, KHOB_RACE_TRY(khob_radix_add(r, key)), has ? -EEXIST : 0, key,
			     "last add of a mixed key");
	}
	khob_race_is(t, KHOB_RACE_TRY(khob_radix_add_run(r, first,
							 first + KHOB_LAST_RUN_PAGES - 1)),
		     0, first, "last add_run");
	khob_race_is(t, KHOB_RACE_TRY(khob_radix_add_range(r, own + KHOB_LAST_RANGE,
							   KHOB_LAST_RANGE_PAGES,
							   KHOB_LAST_ORDER)),
		     0, own, "last add_range");
}

static void khob_race_phase_change(struct khob_racer *t)
{
	unsigned int i;

	while (!t->wrong && !READ_ONCE(t->race->stop) &&
	       (t->rounds < KHOB_RACE_ROUNDS || time_before(jiffies, t->race->deadline))) {
		for (i = 0; i < ARRAY_SIZE(khob_race_does); i++) {
			khob_race_does[khob_race_rnd(t, ARRAY_SIZE(khob_race_does))](t);
			cond_resched();
		}
		t->rounds++;
	}
	khob_race_stay(t);
}

/* All of them for the same keys, each from another one on. */
static void khob_race_phase_win(struct khob_racer *t)
{
	struct khob_race *race = t->race;
	u32 i;

	for (i = 0; i < KHOB_CONTENDED_PAGES; i++) {
		u32 at = (i + t->id * 37) % KHOB_CONTENDED_PAGES;
		u64 key = khob_race_key(KHOB_CONTENDED + at);
		int ret = KHOB_RACE_TRY(khob_radix_add(&race->tree, key));

		if (!ret)
			atomic_inc(&race->contended[at]);
		else
			khob_race_is(t, ret, -EEXIST, key, "add of what another one has won");
		cond_resched();
	}
}

static void khob_race_phase_delete(struct khob_racer *t)
{
	u64 own = khob_race_own(t), first = khob_race_key(own + KHOB_LAST_RUN), key;
	struct khob_race *race = t->race;
	struct khob_radix *r = &race->tree;
	u32 i, at;
	int ret;

	for (i = 0; i < KHOB_CONTENDED_PAGES; i++) {
		at = (i + t->id * 37) % KHOB_CONTENDED_PAGES;
		key = khob_race_key(KHOB_CONTENDED + at);
		ret = khob_radix_del(r, key);
		if (!ret)
			atomic_dec(&race->contended[at]);
		else
			khob_race_is(t, ret, -ENOENT, key, "del of what another one has deleted");
		cond_resched();
	}
	for (i = 0; i < KHOB_MIXED_LEAVES * KHOB_MIXED_SLOTS; i++) {
		key = khob_race_mixed_key(t, i / KHOB_MIXED_SLOTS, i % KHOB_MIXED_SLOTS);
		khob_race_is(t, khob_radix_del(r, key), 0, key, "last del of a mixed key");
	}
	khob_race_is(t, khob_radix_del_run(r, first, first + KHOB_LAST_RUN_PAGES - 1), 0, first,
		     "last del_run");
	khob_race_is(t, khob_radix_del_range(r, own + KHOB_LAST_RANGE, KHOB_LAST_RANGE_PAGES,
					     KHOB_LAST_ORDER), 0, own, "last del_range");
}

/* Threads */

static int khob_race_thread(void *data)
{
	struct khob_racer *t = data;

	t->race->phase(t);
	complete(&t->race->done);
	set_current_state(TASK_INTERRUPTIBLE);
	while (!kthread_should_stop()) {
		schedule();
		set_current_state(TASK_INTERRUPTIBLE);
	}
	__set_current_state(TASK_RUNNING);
	return 0;
}

/* Return: 0; or why not every thread could be made, and then none has run. */
static int khob_race_create(struct khob_race *race)
{
	unsigned int cpu = nr_cpu_ids, i;
	int ret = 0;

	cpus_read_lock();
	for (i = 0; i < race->nr; i++) {
		struct task_struct *task = kthread_create(khob_race_thread, &race->racer[i],
							  "khob_race/%u", i);

		if (IS_ERR(task)) {
			ret = PTR_ERR(task);
			break;
		}
		cpu = cpumask_next(cpu, cpu_online_mask);
		if (cpu >= nr_cpu_ids)
			cpu = cpumask_first(cpu_online_mask);
		kthread_bind(task, cpu);
		race->racer[i].task = task;
	}
	cpus_read_unlock();
	while (ret && i--)
		kthread_stop(race->racer[i].task);
	return ret;
}

/* Runs a phase in all threads at once. Return: 0, or why it has not come to its end. */
static int khob_race_phase(struct khob_race *race, void (*phase)(struct khob_racer *t))
{
	unsigned int i;
	int ret;

	race->phase = phase;
	init_completion(&race->done);
	ret = khob_race_create(race);
	if (ret)
		return ret;
	for (i = 0; i < race->nr; i++)
		wake_up_process(race->racer[i].task);
	for (i = 0; i < race->nr; i++) {
		if (!wait_for_completion_interruptible(&race->done))
			continue;
		WRITE_ONCE(race->stop, true);
		wait_for_completion(&race->done);
	}
	for (i = 0; i < race->nr; i++)
		kthread_stop(race->racer[i].task);
	return race->stop ? -EINTR : 0;
}

/* Afterwards, when no thread is at it */

/**
 * struct khob_race_found - what the tree is like
 * @race: whose tree
 * @pages: that its keys stand for
 * @strange: keys that nobody has left in it
 * @nodes: reached from the root, that included
 * @miscounted: of which the counter is not the number of entries
 * @empty: that should have been freed
 */
struct khob_race_found {
	struct khob_race *race;
	u64 pages;
	u64 strange;
	u64 nodes;
	u64 miscounted;
	u64 empty;
};

/* Whether [@pfn, @pfn + @nr) lies in [@from, @from + @count). */
static bool khob_race_in(u64 pfn, u64 nr, u64 from, u64 count)
{
	return pfn >= from && nr <= count && pfn - from <= count - nr;
}

static int khob_race_find_key(void *ctx, u64 key)
{
	struct khob_race_found *found = ctx;
	unsigned int order = 0;
	u64 pa = 0, pfn, nr, own;

	khob_key_decode(key, &pa, &order);
	pfn = pa >> KHOB_PAGE_SHIFT;
	nr = 1ULL << order;
	found->pages += nr;
	own = (pfn - KHOB_OWN) % KHOB_OWN_PAGES;
	if (!(!order && pfn < KHOB_MIXED_LEAVES * KHOB_LEAF_BITS &&
	      pfn % KHOB_LEAF_BITS < KHOB_MIXED_SLOTS * found->race->nr) &&
	    !(!order && khob_race_in(pfn, 1, KHOB_CONTENDED, KHOB_CONTENDED_PAGES)) &&
	    !(khob_race_in(pfn, nr, KHOB_OWN, found->race->nr * KHOB_OWN_PAGES) &&
	      ((!order && khob_race_in(own, 1, KHOB_LAST_RUN, KHOB_LAST_RUN_PAGES)) ||
	       khob_race_in(own, nr, KHOB_LAST_RANGE, KHOB_LAST_RANGE_PAGES))))
		found->strange++;
	return 0;
}

/* Goes down KHOB_TREE_DEPTH levels. */
static void khob_race_find_nodes(struct khob_race_found *found, const struct khob_node *node,
				 unsigned int level)
{
	u64 kept = *khob_node_used(node), used = 0, parts = 0;
	unsigned int i;

	for (i = 0; i < KHOB_TABLE_ENTRIES; i++) {
		u64 entry = node->table[i];

		used += level ? !!entry : hweight64(entry);
		if (entry)
			parts |= khob_part(i);
		if (level && entry)
			khob_race_find_nodes(found, khob_node_at(entry), level - 1);
	}
	found->nodes++;
	/* The bit of a part with nothing in it may be set, but not the other way round. */
	found->miscounted += kept / KHOB_USED_ONE != used || parts & ~kept;
	found->empty += !used && level < KHOB_TOP;
}

static void khob_race_find(struct khob_race *race, struct khob_race_found *found)
{
	*found = (struct khob_race_found) { .race = race };
	khob_radix_walk(&race->tree, 0, U64_MAX, khob_race_find_key, found);
	khob_race_find_nodes(found, race->tree.root, KHOB_TOP);
}

static u64 khob_race_left(const struct khob_race *race)
{
	return race->nr * (KHOB_MIXED_LEAVES * KHOB_MIXED_SLOTS + KHOB_LAST_RUN_PAGES +
			   KHOB_LAST_RANGE_PAGES) + KHOB_CONTENDED_PAGES;
}

/* The report */

static void khob_race_said(struct seq_file *m, bool good, unsigned int *nr, const char *what)
{
	seq_printf(m, "%s %u %s\n", good ? "ok" : "not ok", ++*nr, what);
}

/* Whether no thread has seen anything wrong; a line for each that has. */
static bool khob_race_right(struct seq_file *m, struct khob_race *race)
{
	bool right = true;
	unsigned int i;

	for (i = 0; i < race->nr; i++) {
		struct khob_racer *t = &race->racer[i];

		if (!t->wrong)
			continue;
		seq_printf(m, "# thread %u, round %u: %s: 0x%llx: %lld\n", i, t->rounds, t->wrong,
			   t->key, t->got);
		t->wrong = NULL;
		right = false;
	}
	return right;
}

static bool khob_race_each_owned(const struct khob_race *race, int times)
{
	unsigned int i;

	for (i = 0; i < KHOB_CONTENDED_PAGES; i++)
		if (atomic_read(&race->contended[i]) != times)
			return false;
	return true;
}

static int khob_race_run_all(struct seq_file *m, struct khob_race *race)
{
	unsigned int nr = 0, rounds = 0, i;
	struct khob_race_found found;
	int ret;

	ret = khob_race_phase(race, khob_race_phase_change);
	if (ret)
		return ret;
	for (i = 0; i < race->nr; i++)
		rounds += race->racer[i].rounds;
	seq_printf(m, "KTAP version 1\n1..8\n# %u threads on %u CPUs, %u rounds, %d nodes\n",
		   race->nr, num_online_cpus(), rounds, atomic_read(&race->asked));
	khob_race_said(m, khob_race_right(m, race), &nr, "threads see what they own");

	ret = khob_race_phase(race, khob_race_phase_win);
	if (ret)
		return ret;
	khob_race_said(m, khob_race_right(m, race) && khob_race_each_owned(race, 1), &nr,
		       "every contended key is added once");

	khob_race_find(race, &found);
	seq_printf(m, "# %llu pages, %llu expected, %llu strange keys\n", found.pages,
		   khob_race_left(race), found.strange);
	khob_race_said(m, found.pages == khob_race_left(race) && !found.strange, &nr,
		       "the tree holds what was added");
	seq_printf(m, "# %llu nodes, %llu counted, %llu with a wrong counter, %llu empty\n",
		   found.nodes, race->tree.nr_nodes, found.miscounted, found.empty);
	khob_race_said(m, !found.miscounted && !found.empty, &nr, "every node counts its entries");
	khob_race_said(m, found.nodes == race->tree.nr_nodes, &nr, "the tree counts its nodes");

	ret = khob_race_phase(race, khob_race_phase_delete);
	if (ret)
		return ret;
	khob_race_said(m, khob_race_right(m, race) && khob_race_each_owned(race, 0), &nr,
		       "every key is deleted once");
	khob_race_find(race, &found);
	khob_race_said(m, !found.pages && found.nodes == 1 && race->tree.nr_nodes == 1 &&
		       !found.miscounted, &nr, "only the root is left");
	khob_radix_destroy(&race->tree);
	khob_race_said(m, !atomic_read(&race->nodes), &nr, "every node is freed");
	return 0;
}

static int khob_race_show(struct seq_file *m, void *unused)
{
	struct khob_race *race = kvzalloc(sizeof(*race), GFP_KERNEL);
	unsigned int i;
	int ret;

	if (!race)
		return -ENOMEM;
	race->nr = clamp(2 * num_online_cpus(), (unsigned int)KHOB_RACE_LEAST,
			 (unsigned int)KHOB_RACE_MOST);
	race->deadline = jiffies + msecs_to_jiffies(KHOB_RACE_MS);
	for (i = 0; i < race->nr; i++) {
		race->racer[i].race = race;
		race->racer[i].id = i;
		prandom_seed_state(&race->racer[i].rnd, i + 1);
	}
	ret = khob_radix_init(&race->tree, &khob_race_ops, race, KHOB_RADIX_SHARED);
	if (!ret)
		ret = khob_race_run_all(m, race);
	khob_radix_destroy(&race->tree);
	kvfree(race);
	return ret;
}
DEFINE_SHOW_ATTRIBUTE(khob_race);

void khob_race_init(struct dentry *dir)
{
	debugfs_create_file("race", 0400, dir, NULL, &khob_race_fops);
}
