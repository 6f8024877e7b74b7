// SPDX-License-Identifier: GPL-2.0-only
/*
 * Runs the rows: both sides from empty trees on, in turns. Both trees are a run's own, their
 * keys name no memory of anybody, and what came out is compared before a time counts.
 */
#include <linux/ktime.h>

#include "bench/bench.h"

/* Bytes for each of the keys that are asked for: two trees of walk-sparse, and contents. */
#define KHOB_BENCH_ROOM 96

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
			  struct kho_bridge_bench_row *said)
{
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
	strscpy(said->work, row->name, sizeof(said->work));
	said->keys = b->expect;
	said->repetitions = KHOB_BENCH_REPEAT;
	said->ns = khob_bench_median(res.ns[KHOB_BENCH_OURS]);
	said->nodes = res.nodes[KHOB_BENCH_OURS];
	if (KHOB_BENCH_SIDES > 1) {
		said->flags |= KHO_BRIDGE_HAS_UPSTREAM;
		said->upstream_ns = khob_bench_median(res.ns[KHOB_BENCH_UPSTREAM]);
		said->upstream_nodes = res.nodes[KHOB_BENCH_UPSTREAM];
	}
	if (row->empties)
		said->flags |= KHO_BRIDGE_HAS_NODES;
	return 0;
}

static unsigned int khob_bench_nr_rows(void)
{
	unsigned int nr = 0;

	while (khob_bench_rows[nr].name)
		nr++;
	return nr;
}

/* Return: how many rows were done, or an error with a sentence unless that is -EINTR. */
static int khob_bench_all(struct khob_bench *b, struct kho_bridge_bench_row *rows)
{
	const struct khob_bench_row *row = khob_bench_rows;
	u64 room = b->nr * KHOB_BENCH_ROOM;
	const char *name = NULL;
	int ret = 0, nr = 0;

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
			ret = khob_bench_row(b, row, &rows[nr++]);
	}
	kvfree(b->keys);
	kvfree(b->extents);
	if (!ret || ret == -EINTR)
		return ret ?: nr;
	if (ret == -ENOMEM)
		return khob_refuse(ret, "sandbox/bench: %llu keys need %llu MiB, twice that free",
				   b->nr, room >> 20);
	if (ret == 1 || ret == -EEXIST || ret == -ENOENT)
		return khob_refuse(-EBADMSG, "sandbox/bench: %s: a tree holds what it should not",
				   name);
	return khob_refuse(ret, "sandbox/bench: %s: error %d", name, ret);
}

int khob_bench_run(u64 keys, struct kho_bridge_bench_row **rows)
{
	struct khob_bench *b __free(kfree) = NULL;
	int ret;

	if (keys < KHOB_BENCH_LEAST || keys > KHOB_BENCH_MOST)
		return khob_refuse(-EINVAL, "sandbox/bench: keys= is from %d to %d",
				   KHOB_BENCH_LEAST, KHOB_BENCH_MOST);
	b = kzalloc(sizeof(*b), GFP_KERNEL);
	*rows = kvcalloc(khob_bench_nr_rows(), sizeof(**rows), GFP_KERNEL);
	if (!b || !*rows) {
		ret = -ENOMEM;
	} else if (mutex_lock_killable(&khob_bench_lock)) {
		ret = -EINTR;
	} else {
		mutex_init(&b->lock);
		b->nr = keys;
		ret = khob_bench_all(b, *rows);
		mutex_unlock(&khob_bench_lock);
	}
	if (ret < 0) {
		kvfree(*rows);
		*rows = NULL;
	}
	return ret;
}
