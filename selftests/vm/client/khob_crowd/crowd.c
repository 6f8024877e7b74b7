// SPDX-License-Identifier: GPL-2.0-only
/*
 * Many threads that preserve and unpreserve pages at once: parts of memory of their own, in
 * which every call has one right answer, and one piece that all of them want.
 *
 * /sys/module/khob_crowd/parameters/run takes for how many milliseconds; the write fails,
 * and the log says in which line, if something is not as it should be. Nothing is
 * preserved afterwards.
 */
#include <linux/cpumask.h>
#include <linux/delay.h>
#include <linux/kthread.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/prandom.h>
#include <linux/slab.h>

#include "khob/kho_bridge.h"

#define THREADS_MAX 8
#define BLOCK_ORDER 6
#define BLOCK_PAGES ((unsigned int)BIT(BLOCK_ORDER))

struct crowd;

struct member {
	struct crowd *crowd;
	struct task_struct *task;
	struct page *block;
	struct rnd_state rnd;
	unsigned int line; /* where something was wrong first */
	u64 calls;
};

struct crowd {
	struct page *wanted;
	atomic_t owners;
	struct member members[THREADS_MAX];
	unsigned int nr;
};

#define CHECK(condition) do {						\
	if (!(condition) && !m->line)					\
		m->line = __LINE__;					\
} while (0)

/* A range of one's own: any part of it again is refused, and it goes once. */
static void own(struct member *m)
{
	u32 first = prandom_u32_state(&m->rnd) % BLOCK_PAGES;
	u32 nr = 1 + prandom_u32_state(&m->rnd) % (BLOCK_PAGES - first);
	u32 part = prandom_u32_state(&m->rnd) % nr;
	struct page *page = m->block + first;

	CHECK(!khob_preserve_pages(page, nr));
	CHECK(khob_preserve_pages(page + part, 1) == -EEXIST);
	CHECK(khob_preserve_pages(page, nr) == -EEXIST);
	if (first + nr < BLOCK_PAGES)
		CHECK(khob_unpreserve_pages(page, nr + 1) == -ENOENT);
	if (nr > 1)
		CHECK(khob_unpreserve_pages(page + part, nr - 1) == -ENOENT);
	if (m->line)
		return;
	CHECK(!khob_unpreserve_pages(page, nr));
	CHECK(khob_unpreserve_pages(page, nr) == -ENOENT);
}

/* What all want: whoever gets it is alone with it. */
static void all(struct member *m)
{
	struct page *page = m->crowd->wanted;
	u32 nr = 1 + prandom_u32_state(&m->rnd) % BLOCK_PAGES;
	int ret = khob_preserve_pages(page, nr);

	CHECK(!ret || ret == -EEXIST);
	if (ret)
		return;
	CHECK(atomic_inc_return(&m->crowd->owners) == 1);
	cond_resched();
	CHECK(!atomic_dec_return(&m->crowd->owners));
	CHECK(!khob_unpreserve_pages(page, nr));
}

static int member_run(void *data)
{
	struct member *m = data;

	while (!kthread_should_stop()) {
		if (!m->line) {
			own(m);
			all(m);
			m->calls++;
		} else {
			msleep(20);
		}
		cond_resched();
	}
	return 0;
}

/* As one folio, or as pages that each have a reference of their own. */
static struct page *block_new(bool folio)
{
	struct page *page = alloc_pages(folio ? GFP_KERNEL | __GFP_COMP : GFP_KERNEL, BLOCK_ORDER);

	if (page && !folio)
		split_page(page, BLOCK_ORDER);
	return page;
}

/* Return: whether nobody else has a reference to any of it any more. */
static bool block_free(struct page *page)
{
	unsigned int i;

	if (PageCompound(page)) {
		if (page_count(page) != 1)
			return false;
		__free_pages(page, BLOCK_ORDER);
		return true;
	}
	for (i = 0; i < BLOCK_PAGES; i++)
		if (page_count(page + i) != 1)
			return false;
	for (i = 0; i < BLOCK_PAGES; i++)
		__free_page(page + i);
	return true;
}

static int crowd_fill(struct crowd *c)
{
	unsigned int i;

	c->nr = clamp_t(unsigned int, 2 * num_online_cpus(), 4, THREADS_MAX);
	c->wanted = block_new(false);
	for (i = 0; i < c->nr; i++) {
		c->members[i].crowd = c;
		c->members[i].block = block_new(i % 2);
		if (!c->members[i].block)
			return -ENOMEM;
		prandom_seed_state(&c->members[i].rnd, 1 + i);
	}
	return c->wanted ? 0 : -ENOMEM;
}

static int crowd_run(struct crowd *c, unsigned int ms)
{
	u64 calls = 0;
	unsigned int i;
	int ret = 0;

	for (i = 0; i < c->nr; i++) {
		struct task_struct *task = kthread_run(member_run, &c->members[i],
						       "khob_crowd/%u", i);

		if (IS_ERR(task)) {
			ret = PTR_ERR(task);
			break;
		}
		c->members[i].task = task;
	}
	if (!ret)
		msleep_interruptible(ms);
	for (i = 0; i < c->nr; i++) {
		struct member *m = &c->members[i];

		if (!m->task)
			continue;
		kthread_stop(m->task);
		calls += m->calls;
		if (m->line) {
			pr_err("khob_crowd: thread %u: line %u\n", i, m->line);
			ret = -EINVAL;
		}
	}
	pr_info("khob_crowd: %u threads, %llu rounds\n", c->nr, calls);
	if (!ret && !calls)
		ret = -ENODATA;
	return ret;
}

static int run_set(const char *value, const struct kernel_param *kp)
{
	struct crowd *c;
	unsigned int ms, i;
	int ret;

	ret = kstrtouint(value, 0, &ms);
	if (ret || !ms || ms > 60000)
		return -EINVAL;
	c = kzalloc(sizeof(*c), GFP_KERNEL);
	if (!c)
		return -ENOMEM;
	ret = crowd_fill(c);
	if (!ret)
		ret = crowd_run(c, ms);
	/* What went wrong may still be preserved: then its memory must stay. */
	for (i = 0; ret != -EINVAL && i < c->nr; i++)
		if (c->members[i].block && !block_free(c->members[i].block))
			ret = -EUCLEAN;
	if (ret != -EINVAL && c->wanted && !block_free(c->wanted))
		ret = -EUCLEAN;
	kfree(c);
	return ret;
}

static const struct kernel_param_ops run_ops = { .set = run_set };

module_param_cb(run, &run_ops, NULL, 0200);
MODULE_PARM_DESC(run, "for how many milliseconds");

MODULE_DESCRIPTION("Threads that are clients of kho_bridge");
MODULE_LICENSE("GPL");
