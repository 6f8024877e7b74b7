// SPDX-License-Identifier: GPL-2.0-only
/*
 * kho_bridge/sandbox/race, in test builds only: threads on every CPU add, delete, look up and
 * walk in one shared tree (KHOB_RADIX_SHARED). Each owns pages that nobody else touches, in
 * leaves and tables that it shares with others, so that it knows at any time what it must
 * see; for the others, the contended ones, exactly one may win. Leaves fill and empty
 * all the time: nodes are linked and pruned while others are on their way through them.
 */
#include <linux/cpu.h>
#include <linux/debugfs.h>
#include <linux/jiffies.h>
#include <linux/kthread.h>
#include <linux/sched.h>
#include <linux/slab.h>

#include "core/radix_node.h"
#include "test/race.h"
#include "test/test.h"

#define KHOB_RACE_MS 4000
#define KHOB_RACE_LEAST 4

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

KHOB_SHOW_FILE(khob_race);

void khob_race_init(struct dentry *dir)
{
	debugfs_create_file("race", 0400, dir, NULL, &khob_race_fops);
}
