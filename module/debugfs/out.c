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

	if (khob_parse_scratch(line, len, &req, &why))
		return khob_refuse(-EINVAL, "scratch: %s", why);
	switch (req.what) {
	case KHOB_SCRATCH_TAKE:
		return khob_scratch_take(&req);
	case KHOB_SCRATCH_KERNEL:
		return khob_scratch_kernel();
	case KHOB_SCRATCH_GIVE:
		khob_scratch_give();
	}
	return 0;
}

KHOB_CONTROL_FILE(khob_preserve);
KHOB_CONTROL_FILE(khob_unpreserve);
KHOB_CONTROL_FILE(khob_compact);
KHOB_CONTROL_FILE(khob_put);
/* Who may load a kernel may do it with a handover. */
KHOB_CONTROL_FILE_FOR(khob_scratch, CAP_SYS_BOOT, khob_boot_open);

/* out/fdt */

static void *khob_out_fdt_locked(size_t *len)
{
	CLASS(khob_user_lock, killed)();

	return killed ? ERR_PTR(killed) : khob_out_fdt(len);
}

static int khob_out_fdt_open(struct inode *inode, struct file *file)
{
	struct debugfs_blob_wrapper *blob __free(kfree) = kzalloc(sizeof(*blob), GFP_KERNEL);
	int ret = khob_may(CAP_SYS_ADMIN);

	if (ret)
		return ret;
	if (!blob)
		return -ENOMEM;
	blob->data = khob_out_fdt_locked(&blob->size);
	if (IS_ERR(blob->data))
		return PTR_ERR(blob->data);
	file->private_data = no_free_ptr(blob);
	return 0;
}

static ssize_t khob_out_fdt_read(struct file *file, char __user *buf, size_t len, loff_t *ppos)
{
	struct debugfs_blob_wrapper *blob = file->private_data;
	int ret = khob_may(CAP_SYS_ADMIN);

	if (ret)
		return ret;
	return simple_read_from_buffer(buf, len, ppos, blob->data, blob->size);
}

static int khob_out_fdt_release(struct inode *inode, struct file *file)
{
	struct debugfs_blob_wrapper *blob = file->private_data;

	kvfree(blob->data);
	kfree(blob);
	return 0;
}

static const struct file_operations khob_out_fdt_fops = {
	.owner = THIS_MODULE,
	.open = khob_out_fdt_open,
	.read = khob_out_fdt_read,
	.llseek = default_llseek,
	.release = khob_out_fdt_release,
};

/* out/keys, out/ranges, out/scratch_phys, out/scratch_len */

/*
 * What is handed over as things are: on a kernel with KHO its tree, with everybody's keys,
 * unless ours was frozen with all of them.
 */
static int khob_out_show(struct khob_numbers *snap,
			 int (*fill)(struct khob_numbers *snap, struct khob_radix *tree))
{
	struct khob_radix kernels;
	int ret;

	lockdep_assert_held_write(&khob_lock);
	if (!khob_native_source() || (khob_out.frozen && !khob_out.by_kernel)) {
		if (!khob_out.tree_ready)
			return 0;
		khob_radix_set_shared(&khob_out.tree, false);
		ret = fill(snap, &khob_out.tree);
		khob_radix_set_shared(&khob_out.tree, true);
		return ret;
	}
	ret = khob_native_tree(&kernels);
	if (ret)
		return ret;
	ret = fill(snap, &kernels);
	khob_radix_destroy(&kernels);
	return ret;
}

static int khob_out_keys_fill(struct khob_numbers *snap)
{
	return khob_out_show(snap, khob_snapshot_keys);
}

static int khob_add_ranges(struct khob_numbers *snap, struct khob_radix *tree)
{
	struct khob_range_iter *it __free(kfree) = kmalloc(sizeof(*it), GFP_KERNEL);
	u64 pfn, nr;
	int ret = 0;

	if (!it)
		return -ENOMEM;
	khob_range_iter_init(it, tree, 0);
	while (!ret && khob_range_iter_next(it, &pfn, &nr)) {
		ret = khob_numbers_add(snap, PFN_PHYS(pfn));
		if (!ret)
			ret = khob_numbers_add(snap, PFN_PHYS(pfn + nr));
		cond_resched();
	}
	return ret;
}

static int khob_out_ranges_fill(struct khob_numbers *snap)
{
	return khob_out_show(snap, khob_add_ranges);
}

static int khob_scratch_phys_fill(struct khob_numbers *snap)
{
	struct khob_scratch_area *area;
	int ret = 0;

	list_for_each_entry(area, &khob_out.scratch, list)
		if (!ret)
			ret = khob_numbers_add(snap, PFN_PHYS(area->pfn));
	return ret;
}

static int khob_scratch_len_fill(struct khob_numbers *snap)
{
	struct khob_scratch_area *area;
	int ret = 0;

	list_for_each_entry(area, &khob_out.scratch, list)
		if (!ret)
			ret = khob_numbers_add(snap, PFN_PHYS(area->nr));
	return ret;
}

KHOB_SNAPSHOT_FILE(khob_out_keys, khob_show_key);
KHOB_SNAPSHOT_FILE(khob_out_ranges, khob_show_range);
KHOB_SNAPSHOT_FILE(khob_scratch_phys, khob_show_raw_key);
KHOB_SNAPSHOT_FILE(khob_scratch_len, khob_show_number);

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

static s64 khob_out_data_at(struct file *file, u64 pos, u64 *pa)
{
	u64 end = khob_out_covered(pos);

	*pa = pos;
	return end > pos ? end - pos : -EFAULT;
}

static ssize_t khob_out_data_read(struct file *file, char __user *buf, size_t len, loff_t *ppos)
{
	return khob_bytes_read(file, buf, len, ppos, khob_out_data_at);
}

static const struct file_operations khob_out_data_fops = {
	.owner = THIS_MODULE,
	.open = khob_admin_open,
	.read = khob_out_data_read,
	.llseek = default_llseek,
};

/* out/sub_fdts/NAME */

static s64 khob_out_sub_at(struct file *file, u64 pos, u64 *pa)
{
	struct khob_subtree *sub = khob_out_subtree(khob_file_name(file));

	if (!sub)
		return -ENOENT;
	*pa = sub->pa + pos;
	return pos < sub->len ? sub->len - pos : 0;
}

static s64 khob_out_sub_room(struct file *file, u64 pos, u64 *pa)
{
	s64 room = khob_out_sub_at(file, pos, pa);

	if (room >= 0 && khob_out.frozen)
		return khob_refuse(-EBUSY, "put: a kernel is loaded; unload it first");
	return room ?: khob_refuse(-ENOSPC, "put: %s has no byte %llu", khob_file_name(file), pos);
}

static ssize_t khob_out_sub_read(struct file *file, char __user *buf, size_t len, loff_t *ppos)
{
	return khob_bytes_read(file, buf, len, ppos, khob_out_sub_at);
}

static ssize_t khob_out_sub_write(struct file *file, const char __user *buf, size_t len,
				  loff_t *ppos)
{
	return khob_bytes_write(file, buf, len, ppos, khob_out_sub_room);
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
