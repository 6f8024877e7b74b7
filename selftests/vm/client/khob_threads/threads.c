// SPDX-License-Identifier: GPL-2.0-only
/*
 * One thread that preserves single pages, a call each, and two that do so at once, each on a
 * CPU of its own and in regions of memory that the other has no page in. The same source runs
 * over kho_bridge and over a kernel's own KHO.
 *
 * /sys/module/khob_threads/parameters/run takes "measure"; the write fails, and the log says in
 * which line, if something is not as it should be. Nothing stays preserved. parameters/report
 * is what it took, as JSON.
 */
#include <linux/completion.h>
#include <linux/io.h>
#include <linux/kexec_handover.h>
#include <linux/kthread.h>
#include <linux/ktime.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/sizes.h>
#include <linux/slab.h>

#include "../actions.h"

#define THREADS 2
#define REPETITIONS 101
/* 4 MiB: the largest that every kernel's page allocator has. */
#define BLOCK_ORDER 10
#define BLOCK_PAGES ((unsigned int)BIT(BLOCK_ORDER))
/* What kho_bridge has one lock for; memory is dealt out to the threads in pieces of this. */
#define REGION SZ_128M
#define BLOCKS 16
/* To find as many for each: an allocator gives them in any order. */
#define BLOCKS_MAX 512

struct thread {
	struct page *blocks[BLOCKS];
	unsigned int nr;
	struct task_struct *task;
	struct completion done;
	ktime_t begin;
	ktime_t end;
	int ret;
};

static struct thread threads[THREADS];
static struct page *spare[BLOCKS_MAX];
static unsigned int nr_spare;
/* Of the threads that wait for the others; a thread begins when it is 0. */
static atomic_t missing;
/* The best of the repetitions, by how many threads there were. */
static u64 took_ns[THREADS];

static void give_block(struct page *block)
{
	unsigned int i;

	for (i = 0; i < BLOCK_PAGES; i++)
		__free_page(block + i);
}

static void give(void)
{
	unsigned int i;

	while (nr_spare)
		give_block(spare[--nr_spare]);
	for (i = 0; i < THREADS; i++)
		while (threads[i].nr)
			give_block(threads[i].blocks[--threads[i].nr]);
}

/* Deals out what the allocator has until both have their share. */
static int take(void)
{
	while (threads[0].nr < BLOCKS || threads[1].nr < BLOCKS) {
		struct page *block = alloc_pages(GFP_KERNEL | __GFP_NOWARN, BLOCK_ORDER);
		struct thread *t;

		if (!block)
			return -ENOMEM;
		split_page(block, BLOCK_ORDER);
		t = &threads[page_to_phys(block) / REGION % THREADS];
		if (t->nr < BLOCKS) {
			t->blocks[t->nr++] = block;
			continue;
		}
		if (nr_spare == BLOCKS_MAX) {
			give_block(block);
			return -ENOMEM;
		}
		spare[nr_spare++] = block;
	}
	return 0;
}

static int thread_run(void *data)
{
	struct thread *t = data;
	unsigned int i, j;
	int ret = 0;

	atomic_dec(&missing);
	while (atomic_read(&missing))
		cpu_relax();
	t->begin = ktime_get();
	for (i = 0; i < BLOCKS; i++)
		for (j = 0; j < BLOCK_PAGES && !ret; j++)
			ret = kho_preserve_pages(t->blocks[i] + j, 1);
	t->end = ktime_get();
	t->ret = ret;
	complete(&t->done);
	return 0;
}

/* Takes back what a thread has preserved: all of it, unless it was stopped by an error. */
static void thread_undo(struct thread *t)
{
	unsigned int i, j;

	for (i = 0; i < BLOCKS; i++)
		for (j = 0; j < BLOCK_PAGES; j++)
			kho_unpreserve_pages(t->blocks[i] + j, 1);
}

static int run_threads(unsigned int nr)
{
	ktime_t begin = KTIME_MAX, end = 0;
	unsigned int i;

	/* All or none: one that waits for another that never comes would wait for ever. */
	for (i = 0; i < nr; i++) {
		struct thread *t = &threads[i];

		init_completion(&t->done);
		t->task = kthread_create(thread_run, t, "khob_threads/%u", i);
		if (IS_ERR(t->task)) {
			int ret = PTR_ERR(t->task);

			while (i--)
				kthread_stop(threads[i].task);
			return ret;
		}
		kthread_bind(t->task, i);
	}
	atomic_set(&missing, nr);
	for (i = 0; i < nr; i++)
		wake_up_process(threads[i].task);
	for (i = 0; i < nr; i++) {
		wait_for_completion(&threads[i].done);
		begin = min(begin, threads[i].begin);
		end = max(end, threads[i].end);
	}
	for (i = 0; i < nr; i++) {
		CHECK(!threads[i].ret);
		thread_undo(&threads[i]);
	}
	took_ns[nr - 1] = min_t(u64, took_ns[nr - 1], ktime_to_ns(end - begin));
	return 0;
}

static int measure(void)
{
	unsigned int i, nr;
	int ret;

	CHECK(num_online_cpus() >= THREADS);
	memset(took_ns, 0xff, sizeof(took_ns));
	ret = take();
	for (i = 0; i < REPETITIONS && !ret; i++)
		for (nr = 1; nr <= THREADS && !ret; nr++)
			ret = run_threads(nr);
	/* After an error some of it may still be preserved: then its memory stays. */
	if (ret != -EINVAL)
		give();
	return ret;
}

static const struct action actions[] = { { "measure", measure } };

RUN_PARAMETER(actions);
MODULE_PARM_DESC(run, "measure");

static int report_get(char *to, const struct kernel_param *kp)
{
	return sysfs_emit(to, "{\"pages\": %u, \"one_ns\": %llu, \"two_ns\": %llu}\n",
			  BLOCKS * BLOCK_PAGES, took_ns[0], took_ns[1]);
}

static const struct kernel_param_ops report_ops = { .get = report_get };

module_param_cb(report, &report_ops, NULL, 0400);
MODULE_PARM_DESC(report, "pages a thread, and what one and two threads took, as JSON");

static int __init threads_init(void)
{
	return 0;
}

/* Nothing runs by then: a write to run ends when its threads have. */
static void __exit threads_exit(void)
{
}

module_init(threads_init);
module_exit(threads_exit);
MODULE_DESCRIPTION("Test client: two threads that preserve pages at once");
MODULE_LICENSE("GPL");
