// SPDX-License-Identifier: GPL-2.0-only
/*
 * kho_bridge/sandbox/bench: reading the file does the work of bench/bench.h, with as many keys
 * as were written to it.
 */
#include <linux/debugfs.h>

#include "bench/bench.h"
#include "debugfs/debugfs.h"

/* What the file was told. */
static u32 khob_bench_keys = KHOB_BENCH_DEFAULT;

static int khob_bench_show(struct seq_file *m, void *v)
{
	struct kho_bridge_bench_row *rows;
	u64 keys = READ_ONCE(khob_bench_keys);
	int i, nr = khob_bench_run(keys, &rows);

	if (nr < 0)
		return nr;
	seq_printf(m, "keys: %llu\nrepetitions: %u\n", keys, KHOB_BENCH_REPEAT);
	for (i = 0; i < nr; i++) {
		const struct kho_bridge_bench_row *row = &rows[i];
		bool nodes = row->flags & KHO_BRIDGE_HAS_NODES;

		seq_printf(m, "%s.keys: %llu\n", row->work, row->keys);
		seq_printf(m, "%s.ours_ns: %llu\n", row->work, row->ns);
		if (nodes)
			seq_printf(m, "%s.ours_nodes: %llu\n", row->work, row->nodes);
		if (!(row->flags & KHO_BRIDGE_HAS_UPSTREAM))
			continue;
		seq_printf(m, "%s.upstream_ns: %llu\n", row->work, row->upstream_ns);
		if (nodes)
			seq_printf(m, "%s.upstream_nodes: %llu\n", row->work,
				   row->upstream_nodes);
	}
	kvfree(rows);
	return 0;
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
