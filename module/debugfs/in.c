// SPDX-License-Identifier: GPL-2.0-only
/*
 * kho_bridge/in/: what this kernel was handed.
 */
#include <linux/debugfs.h>
#include <linux/uaccess.h>

#include "debugfs/debugfs.h"

static struct dentry *khob_in_subs;

/* in/setup_data, in/restore, in/release */

static int khob_setup_data_act(const char *line, size_t len)
{
	const char *why = NULL;
	u64 pa;

	if (khob_parse_u64(line, len, &pa, &why))
		return khob_refuse(-EINVAL, "setup_data: %s", why);
	return khob_in_attach(pa);
}

static int khob_restore_act(const char *line, size_t len)
{
	struct khob_target target;
	const char *why = NULL;

	if (khob_parse_target(line, len, &target, &why))
		return khob_refuse(-EINVAL, "restore: %s", why);
	return khob_in_restore(&target);
}

static int khob_release_act(const char *line, size_t len)
{
	struct khob_target target;
	const char *why = NULL;

	if (khob_parse_target(line, len, &target, &why))
		return khob_refuse(-EINVAL, "release: %s", why);
	return khob_in_release(&target);
}

KHOB_CONTROL_FILE(khob_restore);
KHOB_CONTROL_FILE(khob_release);

static ssize_t khob_setup_data_write(struct file *file, const char __user *buf, size_t len,
				     loff_t *ppos)
{
	return khob_control_write(CAP_SYS_ADMIN, buf, len, ppos, khob_setup_data_act);
}

static ssize_t khob_setup_data_read(struct file *file, char __user *buf, size_t len,
				    loff_t *ppos)
{
	char text[24];
	int n = khob_may(CAP_SYS_ADMIN);

	if (n)
		return n;
	n = scnprintf(text, sizeof(text), "0x%llx\n", READ_ONCE(khob_in.setup_data));
	return simple_read_from_buffer(buf, len, ppos, text, n);
}

static const struct file_operations khob_setup_data_fops = {
	.owner = THIS_MODULE,
	.open = khob_admin_open,
	.read = khob_setup_data_read,
	.write = khob_setup_data_write,
	.llseek = default_llseek,
};

/* in/kho_data, in/fdt */

static int khob_kho_data_show(struct seq_file *m, void *v)
{
	const struct khob_kho_data *kho;

	CLASS(khob_user_lock, killed)();
	if (killed)
		return killed;
	if (!khob_in.got)
		return 0;
	kho = &khob_in.got->chain.kho;
	seq_printf(m, "0x%llx %llu 0x%llx %llu\n", kho->fdt_addr, kho->fdt_size,
		   kho->scratch_addr, kho->scratch_size);
	return 0;
}

KHOB_SHOW_FILE(khob_kho_data);

/* in/digests: of blobs, as the kernel that made each has told it */

static int khob_in_digests_show(struct seq_file *m, void *v)
{
	const struct khob_handed *sub;
	u64 i;

	CLASS(khob_user_lock, killed)();
	if (killed)
		return killed;
	for (i = 0; khob_in.got && i < khob_in.got->nr_subtrees; i++) {
		sub = &khob_in.got->subtrees[i];
		if (!sub->gone && sub->has_digest)
			seq_printf(m, "%s 0x%llx\n", sub->name, sub->digest);
	}
	return 0;
}

KHOB_SHOW_FILE(khob_in_digests);

KHOB_BLOB_FILE(khob_in_fdt, khob_in_fdt_copy);
KHOB_SNAPSHOT_FILE(khob_in_keys, khob_in_keys_fill, khob_show_key);
KHOB_SNAPSHOT_FILE(khob_in_ranges, khob_in_ranges_fill, khob_show_range);

/* in/data */

KHOB_BYTES_FILE(khob_in_data, khob_in_data_at);

static const struct file_operations khob_in_data_fops = {
	.owner = THIS_MODULE,
	.open = khob_admin_open,
	.read = khob_in_data_read,
	.llseek = default_llseek,
};

/* in/sub_fdts/NAME */

KHOB_BYTES_FILE(khob_in_sub, khob_in_sub_at);

static const struct file_operations khob_in_sub_fops = {
	.owner = THIS_MODULE,
	.open = khob_admin_open,
	.read = khob_in_sub_read,
	.llseek = default_llseek,
};

static void *khob_in_sub_show(const char *name, u64 len)
{
	return khob_debugfs_show(name, len, khob_in_subs, &khob_in_sub_fops);
}

static const struct khob_face khob_in_sub_face = {
	.show = khob_in_sub_show,
	.hide = khob_debugfs_hide,
};

void khob_debugfs_in(struct dentry *root)
{
	struct dentry *dir = debugfs_create_dir("in", root);

	khob_in_subs = debugfs_create_dir("sub_fdts", dir);
	khob_in_set_face(&khob_in_sub_face);
	debugfs_create_file("setup_data", 0600, dir, NULL, &khob_setup_data_fops);
	debugfs_create_file("kho_data", 0600, dir, NULL, &khob_kho_data_fops);
	debugfs_create_file("digests", 0600, dir, NULL, &khob_in_digests_fops);
	debugfs_create_file("fdt", 0600, dir, NULL, &khob_in_fdt_fops);
	debugfs_create_file("keys", 0600, dir, NULL, &khob_in_keys_fops);
	debugfs_create_file("ranges", 0600, dir, NULL, &khob_in_ranges_fops);
	debugfs_create_file("data", 0600, dir, NULL, &khob_in_data_fops);
	debugfs_create_file("restore", 0600, dir, NULL, &khob_restore_fops);
	debugfs_create_file("release", 0600, dir, NULL, &khob_release_fops);
}
