// SPDX-License-Identifier: GPL-2.0-only
/*
 * kho_bridge/out/: what this kernel hands over.
 */
#include <linux/debugfs.h>

#include "debugfs/debugfs.h"

static struct dentry *khob_out_subs;

/* out/preserve, out/unpreserve, out/compact, out/put, out/scratch */

static int khob_preserve_act(const char *line, size_t len)
{
	struct khob_preserve_req req;
	const char *why = NULL;

	if (khob_parse_preserve(line, len, &req, &why))
		return khob_refuse(-EINVAL, "preserve: %s", why);
	return khob_out_preserve(&req);
}

static int khob_unpreserve_act(const char *line, size_t len)
{
	struct khob_target target;
	const char *why = NULL;

	if (khob_parse_target(line, len, &target, &why))
		return khob_refuse(-EINVAL, "unpreserve: %s", why);
	return khob_out_unpreserve(&target);
}

static int khob_compact_act(const char *line, size_t len)
{
	struct khob_compact_req req;
	const char *why = NULL;

	if (khob_parse_compact(line, len, &req, &why))
		return khob_refuse(-EINVAL, "compact: %s", why);
	return khob_out_compact(&req);
}

static int khob_put_act(const char *line, size_t len)
{
	struct khob_fdt_subtree sub;
	const char *why = NULL;

	if (khob_parse_put(line, len, &sub, &why))
		return khob_refuse(-EINVAL, "put: %s", why);
	return khob_out_put(sub.name, sub.size);
}

static int khob_scratch_act(const char *line, size_t len)
{
	struct khob_scratch_req req;
	const char *why = NULL;
	u64 pa;

	if (khob_parse_scratch(line, len, &req, &why))
		return khob_refuse(-EINVAL, "scratch: %s", why);
	switch (req.what) {
	case KHOB_SCRATCH_TAKE:
		return khob_scratch_take(&req, NULL, &pa);
	case KHOB_SCRATCH_KERNEL:
		return khob_scratch_kernel(NULL);
	case KHOB_SCRATCH_GIVE:
		break;
	}
	return khob_scratch_give(NULL);
}

KHOB_CONTROL_FILE(khob_preserve);
KHOB_CONTROL_FILE(khob_unpreserve);
KHOB_CONTROL_FILE(khob_compact);
KHOB_CONTROL_FILE(khob_put);
/* Who may load a kernel may do it with a handover. */
KHOB_CONTROL_FILE_FOR(khob_scratch, CAP_SYS_BOOT, khob_boot_open);

KHOB_BLOB_FILE(khob_out_fdt, khob_out_fdt_copy);
KHOB_SNAPSHOT_FILE(khob_out_keys, khob_out_keys_fill, khob_show_key);
KHOB_SNAPSHOT_FILE(khob_out_ranges, khob_out_ranges_fill, khob_show_range);
KHOB_SNAPSHOT_FILE(khob_scratch_phys, khob_out_scratch_fill, khob_show_start);
KHOB_SNAPSHOT_FILE(khob_scratch_len, khob_out_scratch_fill, khob_show_size);

/* out/others_changed: what `status` would have to walk the kernel's whole tree for */

static int khob_others_changed_show(struct seq_file *m, void *v)
{
	int ret;

	CLASS(khob_user_lock, killed)();
	if (killed)
		return killed;
	ret = khob_native_changed();
	if (ret < 0)
		return ret;
	seq_printf(m, "%d\n", ret);
	return 0;
}

KHOB_SHOW_FILE(khob_others_changed);

/* out/data: any page that the tree holds */

KHOB_BYTES_FILE(khob_out_data, khob_out_data_at);

static const struct file_operations khob_out_data_fops = {
	.owner = THIS_MODULE,
	.open = khob_admin_open,
	.read = khob_out_data_read,
	.llseek = default_llseek,
};

/* out/sub_fdts/NAME */

KHOB_BYTES_FILE(khob_out_sub, khob_out_sub_at);

static ssize_t khob_out_sub_write(struct file *file, const char __user *buf, size_t len,
				  loff_t *ppos)
{
	struct khob_bytes bytes = { khob_out_sub_room, khob_file_name(file) };

	return khob_bytes_write(&bytes, buf, len, ppos);
}

static const struct file_operations khob_out_sub_fops = {
	.owner = THIS_MODULE,
	.open = khob_admin_open,
	.read = khob_out_sub_read,
	.write = khob_out_sub_write,
	.llseek = default_llseek,
};

static void *khob_out_sub_show(const char *name, u64 len)
{
	return khob_debugfs_show(name, len, khob_out_subs, &khob_out_sub_fops);
}

static const struct khob_face khob_out_sub_face = {
	.show = khob_out_sub_show,
	.hide = khob_debugfs_hide,
};

void khob_debugfs_out(struct dentry *root)
{
	struct dentry *dir = debugfs_create_dir("out", root);

	khob_out_subs = debugfs_create_dir("sub_fdts", dir);
	khob_out_set_face(&khob_out_sub_face);
	debugfs_create_file("fdt", 0600, dir, NULL, &khob_out_fdt_fops);
	debugfs_create_file("keys", 0600, dir, NULL, &khob_out_keys_fops);
	debugfs_create_file("ranges", 0600, dir, NULL, &khob_out_ranges_fops);
	debugfs_create_file("others_changed", 0600, dir, NULL, &khob_others_changed_fops);
	debugfs_create_file("data", 0600, dir, NULL, &khob_out_data_fops);
	debugfs_create_file("scratch_phys", 0600, dir, NULL, &khob_scratch_phys_fops);
	debugfs_create_file("scratch_len", 0600, dir, NULL, &khob_scratch_len_fops);
	debugfs_create_file("preserve", 0600, dir, NULL, &khob_preserve_fops);
	debugfs_create_file("unpreserve", 0600, dir, NULL, &khob_unpreserve_fops);
	debugfs_create_file("compact", 0600, dir, NULL, &khob_compact_fops);
	debugfs_create_file("put", 0600, dir, NULL, &khob_put_fops);
	debugfs_create_file("scratch", 0600, dir, NULL, &khob_scratch_fops);
}
