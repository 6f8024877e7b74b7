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
	return khob_control_write(buf, len, ppos, khob_setup_data_act);
}

static ssize_t khob_setup_data_read(struct file *file, char __user *buf, size_t len,
				    loff_t *ppos)
{
	char text[24];
	int n;

	scoped_guard(rwsem_write, &khob_lock)
		n = scnprintf(text, sizeof(text), "0x%llx\n", khob_in.setup_data);
	return simple_read_from_buffer(buf, len, ppos, text, n);
}

static const struct file_operations khob_setup_data_fops = {
	.owner = THIS_MODULE,
	.open = simple_open,
	.read = khob_setup_data_read,
	.write = khob_setup_data_write,
	.llseek = default_llseek,
};

/* in/kho_data, in/fdt */

static int khob_kho_data_show(struct seq_file *m, void *v)
{
	const struct khob_kho_data *kho = &khob_in.chain.kho;

	guard(rwsem_write)(&khob_lock);
	if (khob_in.chain.kho_data_pa)
		seq_printf(m, "0x%llx %llu 0x%llx %llu\n", kho->fdt_addr, kho->fdt_size,
			   kho->scratch_addr, kho->scratch_size);
	return 0;
}

DEFINE_SHOW_ATTRIBUTE(khob_kho_data);

static ssize_t khob_in_fdt_read(struct file *file, char __user *buf, size_t len, loff_t *ppos)
{
	guard(rwsem_write)(&khob_lock);
	if (!khob_in.fdt)
		return -ENOENT;
	return simple_read_from_buffer(buf, len, ppos, khob_in.fdt, khob_in.fdt_len);
}

static const struct file_operations khob_in_fdt_fops = {
	.owner = THIS_MODULE,
	.open = simple_open,
	.read = khob_in_fdt_read,
	.llseek = default_llseek,
};

/* in/keys: data pages still held; in/ranges: these and the subtrees */

static int khob_in_keys_fill(struct khob_numbers *snap)
{
	return khob_in.state == KHOB_IN_ATTACHED ? khob_snapshot_keys(snap, &khob_in.tree) : 0;
}

static int khob_in_ranges_fill(struct khob_numbers *snap)
{
	unsigned int i;
	int ret = 0;

	if (khob_in.state != KHOB_IN_ATTACHED)
		return 0;
	for (i = 0; i < khob_in.nr_ranges; i++) {
		const struct khob_in_range *r = &khob_in.ranges[i];
		unsigned long nr = PHYS_PFN(r->end - r->start), bit, end;

		for (bit = find_first_bit(r->kept, nr); bit < nr && !ret;
		     bit = find_next_bit(r->kept, nr, end)) {
			end = find_next_zero_bit(r->kept, nr, bit);
			ret = khob_numbers_add(snap, r->start + PFN_PHYS(bit));
			if (!ret)
				ret = khob_numbers_add(snap, r->start + PFN_PHYS(end));
		}
	}
	return ret;
}

KHOB_SNAPSHOT_FILE(khob_in_keys, khob_show_key);
KHOB_SNAPSHOT_FILE(khob_in_ranges, khob_show_range);

/* in/data */

static u64 khob_in_readable(u64 pa)
{
	struct khob_in_range *r = khob_in_find(pa, pa + 1);
	unsigned long nr, bit;

	if (!r || khob_in.state != KHOB_IN_ATTACHED)
		return 0;
	nr = PHYS_PFN(r->end - r->start);
	bit = PHYS_PFN(pa - r->start);
	if (!test_bit(bit, r->kept))
		return 0;
	return r->start + PFN_PHYS(find_next_zero_bit(r->kept, nr, bit));
}

static ssize_t khob_in_data_read(struct file *file, char __user *buf, size_t len, loff_t *ppos)
{
	return khob_data_read(buf, len, ppos, khob_in_readable);
}

static const struct file_operations khob_in_data_fops = {
	.owner = THIS_MODULE,
	.open = simple_open,
	.read = khob_in_data_read,
	.llseek = default_llseek,
};

/* in/sub_fdts/NAME */

static ssize_t khob_in_sub_read(struct file *file, char __user *buf, size_t len, loff_t *ppos)
{
	struct khob_in_subtree *sub;

	guard(rwsem_write)(&khob_lock);
	sub = khob_in_subtree(khob_file_name(file));
	if (!sub)
		return -ENOENT;
	return simple_read_from_buffer(buf, len, ppos, __va(sub->pa), sub->len);
}

static const struct file_operations khob_in_sub_fops = {
	.owner = THIS_MODULE,
	.open = simple_open,
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
	debugfs_create_file("fdt", 0600, dir, NULL, &khob_in_fdt_fops);
	debugfs_create_file("keys", 0600, dir, NULL, &khob_in_keys_fops);
	debugfs_create_file("ranges", 0600, dir, NULL, &khob_in_ranges_fops);
	debugfs_create_file("data", 0600, dir, NULL, &khob_in_data_fops);
	debugfs_create_file("restore", 0600, dir, NULL, &khob_restore_fops);
	debugfs_create_file("release", 0600, dir, NULL, &khob_release_fops);
}
