// SPDX-License-Identifier: GPL-2.0-only
/*
 * kho_bridge/sandbox/bench: how long the tree takes for its work in this kernel and, where the
 * kernel has KHO of its own, how long the kernel's tree takes for the same in the same
 * run. Reading the file does the work. Both trees are a run's own, their keys name no
 * memory of anybody, and what came out is compared before a time counts.
 */
#include <linux/debugfs.h>
#include <linux/ktime.h>

#include "debugfs/bench.h"

#define KHOB_BENCH_LEAST 1024
#define KHOB_BENCH_DEFAULT 262144
#define KHOB_BENCH_MOST 4194304
/* Of each row; khob_bench_median() is made for three. */
#define KHOB_BENCH_REPEAT 3
/* Bytes for each of the keys that the file is told: two trees of walk-sparse, and contents. */
#define KHOB_BENCH_ROOM 96

/* What the file was told. */
static u32 khob_bench_keys = KHOB_BENCH_DEFAULT;
/* Two runs at a time would measure each other. */
static DEFINE_MUTEX(khob_bench_lock);

/* Where upstream's walk is in our tree: it has to give the keys from @next to @last next. */
struct khob_bench_pos {
	const struct khob_radix *ours;
	u64 next;
	u64 last;
	u64 nr;
};

/* Return: 1 if our tree has another key next. */
static int khob_bench_compare(unsigned long key, void *ctx)
{
	struct khob_bench_pos *pos = ctx;

	if (pos->next > pos->last &&
	    !khob_radix_next_run(pos->ours, pos->last + 1, &pos->next, &pos->last))
		return 1;
	if (pos->next++ != key)
		return 1;
	return pos->nr++ % KHOB_BENCH_BATCH ? 0 : khob_bench_pause();
}

/* Return: 0 if both trees hold what they should and walks saw it, 1 if not; or an error. */
static int khob_bench_wrong(struct khob_bench *b, const struct khob_bench_row *row)
{
	static const struct kho_radix_walk_cb cb = { .leaf = khob_bench_compare };
	struct khob_bench_pos pos = { .ours = &b->ours, .next = 1 };
	u64 first, last = 0, nr = 0;
	unsigned int side;
	int ret = 0;

	while (!ret && khob_radix_next_run(&b->ours, last + 1, &first, &last)) {
		nr += last - first + 1;
		ret = khob_bench_pause();
	}
	if (!ret && KHOB_BENCH_SIDES > 1)
		ret = kho_radix_walk_tree(&b->upstream, &cb, &pos);
	if (ret)
		return ret;
	for (side = 0; row->walks && side < KHOB_BENCH_SIDES; side++)
		if (b->said[side].nr != b->expect || b->said[side].sum != b->said[0].sum)
			return 1;
	return nr != (row->empties ? 0 : b->expect) || (KHOB_BENCH_SIDES > 1 && pos.nr != nr);
}

static int khob_bench_count_node(phys_addr_t phys, void *nr)
{
	++*(u64 *)nr;
	return 0;
}

/* The middle one. */
static u64 khob_bench_median(const u64 *t)
{
	return max(min(t[0], t[1]), min(max(t[0], t[1]), t[2]));
}

/**
 * struct khob_bench_result - what a row comes to
 * @ns: of each side and repetition
 * @nodes: that are left
 */
struct khob_bench_result {
	u64 ns[2][KHOB_BENCH_REPEAT];
	u64 nodes[2];
};

/* One side, from an empty tree on. */
static int khob_bench_side(struct khob_bench *b, const struct khob_bench_row *row,
			   enum khob_bench_side side, u64 *ns)
{
	u64 start;
	int ret;

	if (side == KHOB_BENCH_OURS)
		ret = khob_radix_init(&b->ours, &khob_page_ops, NULL,
				      row->threads ? KHOB_RADIX_SHARED : 0);
	else
		ret = kho_radix_init_tree(&b->upstream, NULL);
	if (!ret && row->before[side])
		ret = row->before[side](b);
	if (ret)
		return ret;
	b->took = 0;
	start = ktime_get_ns();
	ret = row->work[side](b);
	*ns = max(b->took ?: ktime_get_ns() - start, 1ULL);
	return ret;
}

static int khob_bench_repeat(struct khob_bench *b, const struct khob_bench_row *row,
			     unsigned int time, struct khob_bench_result *res)
{
	static const struct kho_radix_walk_cb cb = { .node = khob_bench_count_node };
	unsigned int i, side;
	int ret = 0;

	memset(b->said, 0, sizeof(b->said));
	/* They take turns at being first: the second one finds warm caches. */
	for (i = 0; !ret && i < KHOB_BENCH_SIDES; i++) {
		side = (i + time) % KHOB_BENCH_SIDES;
		ret = khob_bench_side(b, row, side, &res->ns[side][time]);
	}
	ret = ret ?: khob_bench_wrong(b, row);
	if (!ret) {
		res->nodes[KHOB_BENCH_OURS] = b->ours.nr_nodes;
		res->nodes[KHOB_BENCH_UPSTREAM] = 0;
		if (KHOB_BENCH_SIDES > 1)
			ret = kho_radix_walk_tree(&b->upstream, &cb,
						  &res->nodes[KHOB_BENCH_UPSTREAM]);
	}
	khob_radix_destroy(&b->ours);
	if (KHOB_BENCH_SIDES > 1)
		kho_radix_destroy_tree(&b->upstream);
	return ret;
}

static int khob_bench_row(struct khob_bench *b, const struct khob_bench_row *row,
			  struct seq_file *m)
{
	static const char * const names[] = { "ours", "upstream" };
	struct khob_bench_result res;
	unsigned int i;
	int ret;

	b->nr_keys = 0;
	b->nr_extents = 0;
	b->max_order = 0;
	b->threads = row->threads;
	prandom_seed_state(&b->rnd, 1);
	row->content(b);
	ret = khob_bench_count(b);
	for (i = 0; !ret && i < KHOB_BENCH_REPEAT; i++)
		ret = khob_bench_repeat(b, row, i, &res);
	if (ret)
		return ret;
	seq_printf(m, "%s.keys: %llu\n", row->name, b->expect);
	for (i = 0; i < KHOB_BENCH_SIDES; i++) {
		seq_printf(m, "%s.%s_ns: %llu\n", row->name, names[i],
			   khob_bench_median(res.ns[i]));
		if (row->empties)
			seq_printf(m, "%s.%s_nodes: %llu\n", row->name, names[i], res.nodes[i]);
	}
	return 0;
}

/* Return: 0, or an error with a sentence unless that is -EINTR. */
static int khob_bench_run(struct khob_bench *b, struct seq_file *m)
{
	const struct khob_bench_row *row = khob_bench_rows;
	u64 room = b->nr * KHOB_BENCH_ROOM;
	const char *name = NULL;
	int ret = 0;

	/* What is there at all, so that nobody is killed for it. */
	if (PHYS_PFN(room) < si_mem_available() / 2) {
		b->keys = kvmalloc_array(b->nr, sizeof(*b->keys), GFP_KERNEL);
		b->extents = kvmalloc_array(b->nr / 16, sizeof(*b->extents), GFP_KERNEL);
	}
	if (!b->keys || !b->extents)
		ret = -ENOMEM;
	for (; !ret && row->name; row++) {
		name = row->name;
		if (row->threads <= num_online_cpus())
			ret = khob_bench_row(b, row, m);
	}
	kvfree(b->keys);
	kvfree(b->extents);
	if (!ret || ret == -EINTR)
		return ret;
	if (ret == -ENOMEM)
		return khob_refuse(ret, "sandbox/bench: %llu keys need %llu MiB, twice that free",
				   b->nr, room >> 20);
	if (ret == 1 || ret == -EEXIST || ret == -ENOENT)
		return khob_refuse(-EBADMSG, "sandbox/bench: %s: a tree holds what it should not",
				   name);
	return khob_refuse(ret, "sandbox/bench: %s: error %d", name, ret);
}

static int khob_bench_show(struct seq_file *m, void *v)
{
	struct khob_bench *b __free(kfree) = kzalloc(sizeof(*b), GFP_KERNEL);
	int ret;

	if (!b)
		return -ENOMEM;
	mutex_init(&b->lock);
	b->nr = READ_ONCE(khob_bench_keys);
	if (mutex_lock_killable(&khob_bench_lock))
		return -EINTR;
	seq_printf(m, "keys: %llu\nrepetitions: %u\n", b->nr, KHOB_BENCH_REPEAT);
	ret = khob_bench_run(b, m);
	mutex_unlock(&khob_bench_lock);
	return ret;
}

/* One buffer that all of it fits into: seq_file would do the work again for a larger one. */
static int khob_bench_open(struct inode *inode, struct file *file)
{
	return khob_may(CAP_SYS_ADMIN) ?:
	       single_open_size(file, khob_bench_show, NULL, 4 * PAGE_SIZE);
}

static int khob_bench_act(const char *line, size_t len)
{
	static const char word[] = "keys=";
	const char *why = "keys= and a number are wanted";
	size_t skip = sizeof(word) - 1;
	u64 keys;

	if (len <= skip || memcmp(line, word, skip) ||
	    khob_parse_u64(line + skip, len - skip, &keys, &why))
		return khob_refuse(-EINVAL, "sandbox/bench: %s", why);
	if (keys < KHOB_BENCH_LEAST || keys > KHOB_BENCH_MOST)
		return khob_refuse(-EINVAL, "sandbox/bench: keys= is from %d to %d",
				   KHOB_BENCH_LEAST, KHOB_BENCH_MOST);
	WRITE_ONCE(khob_bench_keys, keys);
	return 0;
}

static ssize_t khob_bench_write(struct file *file, const char __user *buf, size_t len,
				loff_t *ppos)
{
	return khob_control_write(CAP_SYS_ADMIN, buf, len, ppos, khob_bench_act);
}

static const struct file_operations khob_bench_fops = {
	.owner = THIS_MODULE,
	.open = khob_bench_open,
	.read = khob_seq_read,
	.write = khob_bench_write,
	.release = single_release,
};

void khob_bench_init(struct dentry *dir)
{
	debugfs_create_file("bench", 0600, dir, NULL, &khob_bench_fops);
}
