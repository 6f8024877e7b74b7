// SPDX-License-Identifier: GPL-2.0-only
/*
 * kho_bridge/sandbox/: a private radix tree to play with keys in. Nothing in
 * it is handed over and its keys name no memory of anybody.
 */
#include <linux/debugfs.h>

#include "debugfs/debugfs.h"

static struct khob_radix khob_sandbox;

static int khob_sandbox_do(const char *what, const char *line, size_t len,
			   int (*act)(struct khob_radix *r, u64 key))
{
	const char *why = NULL;
	u64 key;
	int ret;

	if (khob_parse_u64(line, len, &key, &why))
		return khob_refuse(-EINVAL, "sandbox/%s: %s", what, why);
	ret = act(&khob_sandbox, key);
	switch (ret) {
	case 0:
		return 0;
	case -EINVAL:
		return khob_refuse(ret, "sandbox/%s: 0x%llx is the key of no page", what, key);
	case -EEXIST:
		return khob_refuse(ret, "sandbox/%s: key 0x%llx is present", what, key);
	case -ENOENT:
		return khob_refuse(ret, "sandbox/%s: key 0x%llx is absent", what, key);
	default:
		return khob_refuse(ret, "sandbox/%s: error %d", what, ret);
	}
}

static int khob_sandbox_lookup(struct khob_radix *r, u64 key)
{
	unsigned int order;
	u64 pa;

	if (khob_key_decode(key, &pa, &order))
		return -EINVAL;
	return khob_radix_has(r, key) ? 0 : -ENOENT;
}

static int khob_add_act(const char *line, size_t len)
{
	return khob_sandbox_do("add", line, len, khob_radix_add);
}

static int khob_del_act(const char *line, size_t len)
{
	return khob_sandbox_do("del", line, len, khob_radix_del);
}

static int khob_lookup_act(const char *line, size_t len)
{
	return khob_sandbox_do("lookup", line, len, khob_sandbox_lookup);
}

KHOB_CONTROL_FILE(khob_add);
KHOB_CONTROL_FILE(khob_del);
KHOB_CONTROL_FILE(khob_lookup);

static int khob_sandbox_keys_fill(struct khob_numbers *snap)
{
	return khob_snapshot_tree(snap, &khob_sandbox);
}

static int khob_sandbox_nodes_fill(struct khob_numbers *snap)
{
	return khob_numbers_add(snap, khob_sandbox.nr_nodes);
}

KHOB_SNAPSHOT_FILE(khob_sandbox_keys, khob_sandbox_keys_fill, khob_show_raw_key);
KHOB_SNAPSHOT_FILE(khob_sandbox_nodes, khob_sandbox_nodes_fill, khob_show_number);

int khob_sandbox_init(struct dentry *root)
{
	struct dentry *dir;
	int ret;

	ret = khob_radix_init(&khob_sandbox, &khob_page_ops, NULL, 0);
	if (ret)
		return ret;
	dir = debugfs_create_dir("sandbox", root);
	debugfs_create_file("add", 0600, dir, NULL, &khob_add_fops);
	debugfs_create_file("del", 0600, dir, NULL, &khob_del_fops);
	debugfs_create_file("lookup", 0600, dir, NULL, &khob_lookup_fops);
	debugfs_create_file("keys", 0600, dir, NULL, &khob_sandbox_keys_fops);
	debugfs_create_file("nodes", 0600, dir, NULL, &khob_sandbox_nodes_fops);
	khob_bench_init(dir);
	return 0;
}

void khob_sandbox_exit(void)
{
	khob_radix_destroy(&khob_sandbox);
}
