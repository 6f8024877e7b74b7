// SPDX-License-Identifier: GPL-2.0-only
/*
 * The work of sandbox/race: what each thread does to the shared tree in each phase, and what
 * it must see of it meanwhile. Of what is wrong it keeps the first.
 */
#include <linux/jiffies.h>
#include <linux/sched.h>

#include "test/race.h"

/* At least, on a slow machine too. */
#define KHOB_RACE_ROUNDS 8

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

void khob_race_phase_change(struct khob_racer *t)
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

void khob_race_phase_win(struct khob_racer *t)
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

void khob_race_phase_delete(struct khob_racer *t)
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
