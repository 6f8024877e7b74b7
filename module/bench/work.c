// SPDX-License-Identifier: GPL-2.0-only
/*
 * The work of sandbox/bench: what the trees are filled with, and what each is told to do. Rows
 * have the names and contents that they have in the benchmark in userspace
 * (selftests/bench), on a smaller scale.
 */
#include <linux/completion.h>
#include <linux/cpumask.h>
#include <linux/kthread.h>
#include <linux/ktime.h>
#include <linux/sched/task.h>

#include "bench/bench.h"

/* First page of all contents. */
#define KHOB_BENCH_PFN 0x100000ULL
/* The random pages are out of so many times as many; extents and gaps have at most so many. */
#define KHOB_BENCH_SPREAD 16
#define KHOB_BENCH_EXTENT 1024
#define KHOB_BENCH_MIXED 10
#define KHOB_BENCH_THREADS 2

/* 1. Contents, as the benchmark in userspace has them. */

static u64 khob_bench_key(u64 pfn, unsigned int order)
{
	return (1ULL << (KHOB_ORDER_0_BIT - order)) | pfn >> order;
}

static u32 khob_bench_random(struct khob_bench *b, u32 below)
{
	return prandom_u32_state(&b->rnd) % below;
}

static void khob_bench_sequential(struct khob_bench *b)
{
	b->nr_keys = b->nr;
	for (u64 i = 0; i < b->nr_keys; i++)
		b->keys[i] = khob_bench_key(KHOB_BENCH_PFN + i, 0);
}

static void khob_bench_scattered(struct khob_bench *b)
{
	b->nr_keys = b->nr;
	for (u64 i = 0; i < b->nr_keys; i++)
		b->keys[i] = khob_bench_key(KHOB_BENCH_PFN + i * KHOB_BENCH_SPREAD +
					    khob_bench_random(b, KHOB_BENCH_SPREAD), 0);
	for (u64 i = b->nr_keys - 1; i; i--) {
		u32 with = khob_bench_random(b, i + 1);

		swap(b->keys[i], b->keys[with]);
	}
}

/* Page behind page; all orders have about as many bytes. */
static void khob_bench_mixed(struct khob_bench *b)
{
	u64 pfn = KHOB_BENCH_PFN;

	b->nr_keys = b->nr;
	for (u64 i = 0; i < b->nr_keys; i++) {
		unsigned int order = __ffs(prandom_u32_state(&b->rnd) | 1U << KHOB_BENCH_MIXED);

		pfn = ALIGN(pfn, 1ULL << order);
		b->keys[i] = khob_bench_key(pfn, order);
		pfn += 1ULL << order;
	}
}

static void khob_bench_sparse(struct khob_bench *b)
{
	b->nr_keys = b->nr / 128;
	for (u64 i = 0; i < b->nr_keys; i++)
		b->keys[i] = khob_bench_key(KHOB_BENCH_PFN + i * KHOB_LEAF_BITS +
					    khob_bench_random(b, KHOB_LEAF_BITS), 0);
}

static void khob_bench_dense(struct khob_bench *b)
{
	b->extents[0] = (struct khob_bench_extent) { .pfn = KHOB_BENCH_PFN, .nr = 4 * b->nr };
	b->nr_extents = 1;
}

static void khob_bench_ascending(struct khob_bench *b)
{
	u64 pfn = KHOB_BENCH_PFN;

	b->max_order = KHOB_ORDER_MAX;
	b->nr_extents = b->nr / 16;
	for (u64 i = 0; i < b->nr_extents; i++) {
		b->extents[i].pfn = pfn;
		b->extents[i].nr = 1 + khob_bench_random(b, KHOB_BENCH_EXTENT);
		pfn += b->extents[i].nr + 1 + khob_bench_random(b, KHOB_BENCH_EXTENT);
	}
}

static void khob_bench_shuffled(struct khob_bench *b)
{
	khob_bench_ascending(b);
	for (u64 i = b->nr_extents - 1; i; i--) {
		u32 with = khob_bench_random(b, i + 1);

		swap(b->extents[i], b->extents[with]);
	}
}

/* 2. Loops. They are inlined, so that no indirect call is timed. */

static __always_inline int khob_bench_each(struct khob_bench *b, khob_bench_key_fn fn)
{
	int ret = 0;

	for (u64 i = 0; !ret && i < b->nr_keys; i++) {
		ret = fn(b, b->keys[i]);
		if (!ret && i % KHOB_BENCH_BATCH == 0)
			ret = khob_bench_pause();
	}
	return ret;
}

/* Splits as kho_preserve_pages() does, less what that looks up of the pages. */
static __always_inline int khob_bench_each_piece(struct khob_bench *b, khob_bench_key_fn fn)
{
	u64 n = 0;

	for (u64 i = 0; i < b->nr_extents; i++) {
		u64 pfn = b->extents[i].pfn, end = pfn + b->extents[i].nr;

		while (pfn < end) {
			unsigned int order = min_t(unsigned int, __ffs64(pfn), ilog2(end - pfn));
			int ret;

			order = min(order, b->max_order);
			ret = fn(b, khob_bench_key(pfn, order));
			if (!ret && n++ % KHOB_BENCH_BATCH == 0)
				ret = khob_bench_pause();
			if (ret)
				return ret;
			pfn += 1ULL << order;
		}
	}
	return 0;
}

static int khob_bench_count_piece(struct khob_bench *b, u64 key)
{
	b->expect++;
	return 0;
}

int khob_bench_count(struct khob_bench *b)
{
	b->expect = b->nr_keys;
	return khob_bench_each_piece(b, khob_bench_count_piece);
}

static int khob_bench_see(struct khob_bench_said *said, u64 key)
{
	said->nr++;
	said->sum += key;
	return unlikely(!(key % 65536)) ? khob_bench_pause() : 0;
}

static int khob_bench_see_pages(struct khob_bench_said *said, u64 pfn, u64 nr)
{
	said->nr += nr;
	said->sum += pfn != said->end;
	said->end = pfn + nr;
	return unlikely(!(pfn % 65536)) ? khob_bench_pause() : 0;
}

/* 3. Our tree at work. */

static int khob_ours_add_key(struct khob_bench *b, u64 key)
{
	guard(mutex)(&b->lock);
	return khob_radix_add(&b->ours, key);
}

static int khob_ours_del_key(struct khob_bench *b, u64 key)
{
	guard(mutex)(&b->lock);
	return khob_radix_del(&b->ours, key);
}

static int khob_ours_add(struct khob_bench *b)
{
	return khob_bench_each(b, khob_ours_add_key);
}

static int khob_ours_array(struct khob_bench *b)
{
	int ret = 0;

	for (u64 i = 0; !ret && i < b->nr_keys; i += KHOB_BENCH_BATCH) {
		size_t nr = min_t(u64, b->nr_keys - i, KHOB_BENCH_BATCH);

		scoped_guard(mutex, &b->lock)
			ret = khob_radix_add_batch(&b->ours, b->keys + i, nr);
		if (!ret)
			ret = khob_bench_pause();
	}
	return ret;
}

static int khob_ours_del(struct khob_bench *b)
{
	return khob_bench_each(b, khob_ours_del_key);
}

static __always_inline int khob_ours_each_extent(struct khob_bench *b,
						 int (*fn)(struct khob_radix *r, u64 pfn, u64 nr,
							   unsigned int max_order))
{
	int ret = 0;

	for (u64 i = 0; !ret && i < b->nr_extents; i++) {
		scoped_guard(mutex, &b->lock)
			ret = fn(&b->ours, b->extents[i].pfn, b->extents[i].nr, b->max_order);
		if (!ret && i % (KHOB_BENCH_BATCH / 8) == 0)
			ret = khob_bench_pause();
	}
	return ret;
}

static int khob_ours_add_pages(struct khob_bench *b)
{
	return khob_ours_each_extent(b, khob_radix_add_range);
}

static int khob_ours_del_pages(struct khob_bench *b)
{
	return khob_ours_each_extent(b, khob_radix_del_range);
}

static int khob_ours_see(void *said, u64 key)
{
	return khob_bench_see(said, key);
}

static int khob_ours_walk(struct khob_bench *b)
{
	return khob_radix_walk(&b->ours, 0, U64_MAX, khob_ours_see, &b->said[KHOB_BENCH_OURS]);
}

static int khob_ours_see_pages(void *said, u64 pfn, u64 nr)
{
	return khob_bench_see_pages(said, pfn, nr);
}

static int khob_ours_ranges(struct khob_bench *b)
{
	khob_range_iter_init(&b->ranges, &b->ours, 0);
	return khob_radix_walk_ranges(&b->ranges, KHOB_PFN_END, khob_ours_see_pages,
				      &b->said[KHOB_BENCH_OURS]);
}

/* 4. Upstream's. There are single keys only. */

static int khob_upstream_add_key(struct khob_bench *b, u64 key)
{
	return kho_radix_add_key(&b->upstream, key);
}

static int khob_upstream_del_key(struct khob_bench *b, u64 key)
{
	kho_radix_del_key(&b->upstream, key);
	return 0;
}

static int khob_upstream_add(struct khob_bench *b)
{
	return khob_bench_each(b, khob_upstream_add_key);
}

static int khob_upstream_del(struct khob_bench *b)
{
	return khob_bench_each(b, khob_upstream_del_key);
}

static int khob_upstream_add_pages(struct khob_bench *b)
{
	return khob_bench_each_piece(b, khob_upstream_add_key);
}

static int khob_upstream_del_pages(struct khob_bench *b)
{
	return khob_bench_each_piece(b, khob_upstream_del_key);
}

static int khob_upstream_see(unsigned long key, void *said)
{
	return khob_bench_see(said, key);
}

static int khob_upstream_walk(struct khob_bench *b)
{
	static const struct kho_radix_walk_cb cb = { .leaf = khob_upstream_see };

	return kho_radix_walk_tree(&b->upstream, &cb, &b->said[KHOB_BENCH_UPSTREAM]);
}

static int khob_upstream_see_pages(unsigned long key, void *said)
{
	unsigned int order = KHOB_ORDER_0_BIT - __fls(key);

	return khob_bench_see_pages(said, (key << order) & ~(1ULL << KHOB_ORDER_0_BIT),
				    1ULL << order);
}

static int khob_upstream_ranges(struct khob_bench *b)
{
	static const struct kho_radix_walk_cb cb = { .leaf = khob_upstream_see_pages };

	return kho_radix_walk_tree(&b->upstream, &cb, &b->said[KHOB_BENCH_UPSTREAM]);
}

/* 5. Threads that add to one tree, ours without a lock. */

/**
 * struct khob_bench_thread - one of them
 * @b: the run
 * @task: itself
 * @first: key of its share of the content, which is one extent
 * @nr: how many keys
 * @start: when it began, ns
 * @end: when it was done
 * @done: it is
 */
struct khob_bench_thread {
	struct khob_bench *b;
	struct task_struct *task;
	u64 first;
	u64 nr;
	u64 start;
	u64 end;
	struct completion done;
};

static __always_inline int khob_bench_share(struct khob_bench_thread *t, khob_bench_key_fn fn)
{
	int ret = 0;

	t->start = ktime_get_ns();
	for (u64 i = 0; !ret && i < t->nr; i++) {
		ret = fn(t->b, t->first + i);
		if (!ret && i % KHOB_BENCH_BATCH == 0) {
			cond_resched();
			ret = kthread_should_stop() ? -EINTR : 0;
		}
	}
	t->end = ktime_get_ns();
	complete(&t->done);
	return ret;
}

static int khob_ours_add_shared(struct khob_bench *b, u64 key)
{
	return khob_radix_add(&b->ours, key);
}

static int khob_ours_share(void *thread)
{
	return khob_bench_share(thread, khob_ours_add_shared);
}

static int khob_upstream_share(void *thread)
{
	return khob_bench_share(thread, khob_upstream_add_key);
}

/* Each on a CPU of its own. Not what they wait for counts, but from the first key to the last. */
static int khob_bench_crew(struct khob_bench *b, int (*fn)(void *thread))
{
	struct khob_bench_thread crew[KHOB_BENCH_THREADS] = {}, *t;
	unsigned int cpu = cpumask_first(cpu_online_mask), nr = 0;
	u64 start = U64_MAX, end = 0;
	int ret = 0, said;

	while (!ret && nr < b->threads) {
		t = &crew[nr];
		t->b = b;
		t->nr = b->extents[0].nr / b->threads;
		t->first = khob_bench_key(b->extents[0].pfn + nr * t->nr, 0);
		init_completion(&t->done);
		t->task = kthread_create(fn, t, "khob_bench/%u", nr);
		if (IS_ERR(t->task)) {
			ret = PTR_ERR(t->task);
			break;
		}
		get_task_struct(t->task);
		if (cpu < nr_cpu_ids)
			kthread_bind(t->task, cpu);
		cpu = cpumask_next(cpu, cpu_online_mask);
		nr++;
	}
	for (t = crew; !ret && t < crew + nr; t++)
		wake_up_process(t->task);
	for (t = crew; t < crew + nr; t++) {
		if (!ret && wait_for_completion_killable(&t->done))
			ret = -EINTR;
		/* One that was not woken, or is not done, ends with -EINTR. */
		said = kthread_stop(t->task);
		put_task_struct(t->task);
		ret = ret ?: said;
		start = min(start, t->start);
		end = max(end, t->end);
	}
	b->took = end - start;
	return ret;
}

static int khob_ours_threads(struct khob_bench *b)
{
	return khob_bench_crew(b, khob_ours_share);
}

static int khob_upstream_threads(struct khob_bench *b)
{
	return khob_bench_crew(b, khob_upstream_share);
}

/* 6. The rows. */

#define KHOB_ADD_KEYS { khob_ours_array, khob_upstream_add }
#define KHOB_ADD_PAGES { khob_ours_add_pages, khob_upstream_add_pages }
#define KHOB_DEL_KEYS { khob_ours_del, khob_upstream_del }
#define KHOB_DEL_PAGES { khob_ours_del_pages, khob_upstream_del_pages }
#define KHOB_WALK_KEYS { khob_ours_walk, khob_upstream_walk }
#define KHOB_THREADS { khob_ours_threads, khob_upstream_threads }

const struct khob_bench_row khob_bench_rows[] = {
	{ "add", khob_bench_sequential, {}, { khob_ours_add, khob_upstream_add } },
	{ "array-sequential", khob_bench_sequential, {}, KHOB_ADD_KEYS },
	{ "array-random", khob_bench_scattered, {}, KHOB_ADD_KEYS },
	{ "array-mixed", khob_bench_mixed, {}, KHOB_ADD_KEYS },
	{ "range", khob_bench_dense, {}, KHOB_ADD_PAGES },
	{ "preserve-ascending", khob_bench_ascending, {}, KHOB_ADD_PAGES },
	{ "preserve-shuffled", khob_bench_shuffled, {}, KHOB_ADD_PAGES },
	{ "del-sequential", khob_bench_sequential, KHOB_ADD_KEYS, KHOB_DEL_KEYS, .empties = true },
	{ "del-random", khob_bench_scattered, KHOB_ADD_KEYS, KHOB_DEL_KEYS, .empties = true },
	{ "del-range", khob_bench_dense, KHOB_ADD_PAGES, KHOB_DEL_PAGES, .empties = true },
	{ "unpreserve", khob_bench_shuffled, KHOB_ADD_PAGES, KHOB_DEL_PAGES, .empties = true },
	{ "walk-keys", khob_bench_dense, KHOB_ADD_PAGES, KHOB_WALK_KEYS, .walks = true },
	{ "walk-ranges", khob_bench_dense, KHOB_ADD_PAGES,
	  { khob_ours_ranges, khob_upstream_ranges }, .walks = true },
	{ "walk-sparse", khob_bench_sparse, KHOB_ADD_KEYS, KHOB_WALK_KEYS, .walks = true },
	{ "threads-1", khob_bench_dense, {}, KHOB_THREADS, .threads = 1 },
	{ "threads-2", khob_bench_dense, {}, KHOB_THREADS, .threads = 2 },
	{}
};
