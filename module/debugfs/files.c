// SPDX-License-Identifier: GPL-2.0-only
/*
 * /sys/kernel/debug/kho_bridge: the frame that its files share. What each
 * file holds is in docs/debugfs.md.
 */
#include <linux/debugfs.h>
#include <linux/sched/signal.h>
#include <linux/uaccess.h>

#include "debugfs/debugfs.h"

/* No control line is longer; nor does one need to be. */
#define KHOB_LINE_MAX 256

static struct dentry *khob_debugfs_root;

int khob_admin_open(struct inode *inode, struct file *file)
{
	return khob_may(CAP_SYS_ADMIN) ?: simple_open(inode, file);
}

int khob_boot_open(struct inode *inode, struct file *file)
{
	return khob_may(CAP_SYS_BOOT) ?: simple_open(inode, file);
}

ssize_t khob_seq_read(struct file *file, char __user *buf, size_t len, loff_t *ppos)
{
	return khob_may(CAP_SYS_ADMIN) ?: seq_read(file, buf, len, ppos);
}

/* A line, and who does what it says. */
struct khob_line_act {
	const char *line;
	size_t len;
	int (*act)(const char *line, size_t len);
};

static int khob_line_do(void *arg)
{
	const struct khob_line_act *a = arg;

	return a->act(a->line, a->len);
}

/* The line is copied before, so that nobody has to wait for its page to come. */
ssize_t khob_control_write(int cap, const char __user *buf, size_t len, loff_t *ppos,
			   int (*act)(const char *line, size_t len))
{
	char line[KHOB_LINE_MAX + 1], what[KHOB_LINE_MAX + 1];
	struct khob_line_act a = { line, len, act };
	int ret = khob_may(cap);

	if (ret)
		return ret;
	if (*ppos || !len || len > KHOB_LINE_MAX)
		return khob_refuse(-EINVAL, "a control file takes one line of 1 to %d bytes",
				   KHOB_LINE_MAX);
	if (copy_from_user(line, buf, len))
		return khob_refuse(-EFAULT, "a control file: the line is at no address of yours");
	line[len] = '\0';
	strscpy(what, line, strcspn(line, "\n") + 1);
	ret = khob_act_do(cap, khob_line_do, &a, what);
	return ret ?: len;
}

static void *khob_snapshot_start(struct seq_file *m, loff_t *pos)
{
	return khob_numbers_at(m->private, *pos);
}

static void *khob_snapshot_next(struct seq_file *m, void *v, loff_t *pos)
{
	++*pos;
	return khob_snapshot_start(m, pos);
}

static void khob_snapshot_stop(struct seq_file *m, void *v)
{
}

/* One line a number. */

int khob_show_key(struct seq_file *m, void *v)
{
	unsigned int order = 0;
	u64 pa = 0;

	khob_key_decode(*(u64 *)v, &pa, &order);
	seq_printf(m, "0x%llx %u\n", pa, order);
	return 0;
}

int khob_show_raw_key(struct seq_file *m, void *v)
{
	seq_printf(m, "0x%llx\n", *(u64 *)v);
	return 0;
}

int khob_show_number(struct seq_file *m, void *v)
{
	seq_printf(m, "%llu\n", *(u64 *)v);
	return 0;
}

/* Of ranges, where one begins, and how long it is. */

static bool khob_is_start(struct seq_file *m)
{
	return !(m->index % 2);
}

int khob_show_start(struct seq_file *m, void *v)
{
	if (khob_is_start(m))
		seq_printf(m, "0x%llx\n", *(u64 *)v);
	return 0;
}

int khob_show_size(struct seq_file *m, void *v)
{
	if (!khob_is_start(m))
		seq_printf(m, "%llu\n", *(u64 *)v - *khob_numbers_at(m->private, m->index - 1));
	return 0;
}

/* Ranges are pairs: a line ends with the second of them. */
int khob_show_range(struct seq_file *m, void *v)
{
	seq_printf(m, "0x%llx%c", *(u64 *)v, khob_is_start(m) ? ' ' : '\n');
	return 0;
}

#define KHOB_SNAPSHOT_SEQ(name)					\
static const struct seq_operations khob_seq_##name = {		\
	.start = khob_snapshot_start,				\
	.next = khob_snapshot_next,				\
	.stop = khob_snapshot_stop,				\
	.show = khob_show_##name,				\
}

KHOB_SNAPSHOT_SEQ(key);
KHOB_SNAPSHOT_SEQ(raw_key);
KHOB_SNAPSHOT_SEQ(range);
KHOB_SNAPSHOT_SEQ(start);
KHOB_SNAPSHOT_SEQ(size);
KHOB_SNAPSHOT_SEQ(number);

static const struct seq_operations *khob_snapshot_seq(int (*show)(struct seq_file *m, void *v))
{
	static const struct seq_operations * const all[] = {
		&khob_seq_key, &khob_seq_raw_key, &khob_seq_range, &khob_seq_start,
		&khob_seq_size, &khob_seq_number,
	};
	size_t i = 0;

	while (all[i]->show != show)
		i++;
	return all[i];
}

int khob_snapshot_open(struct inode *inode, struct file *file, khob_fill_fn fill,
		       int (*show)(struct seq_file *m, void *v))
{
	struct khob_numbers *snap;
	int ret = khob_may(CAP_SYS_ADMIN);

	if (ret)
		return ret;
	snap = __seq_open_private(file, khob_snapshot_seq(show), sizeof(*snap));
	if (!snap)
		return -ENOMEM;
	ret = khob_snapshot(snap, fill);
	if (ret)
		seq_release_private(inode, file);
	return ret;
}

int khob_snapshot_release(struct inode *inode, struct file *file)
{
	struct khob_numbers *snap = ((struct seq_file *)file->private_data)->private;

	khob_numbers_free(snap);
	return seq_release_private(inode, file);
}

/* Copies */

int khob_blob_open(struct file *file, void *(*copy)(size_t *len))
{
	struct debugfs_blob_wrapper *blob __free(kfree) = kzalloc(sizeof(*blob), GFP_KERNEL);

	if (!blob)
		return -ENOMEM;
	blob->data = copy(&blob->size);
	if (IS_ERR(blob->data))
		return PTR_ERR(blob->data);
	file->private_data = no_free_ptr(blob);
	return 0;
}

ssize_t khob_blob_read(struct file *file, char __user *buf, size_t len, loff_t *ppos)
{
	struct debugfs_blob_wrapper *blob = file->private_data;
	int ret = khob_may(CAP_SYS_ADMIN);

	return ret ?: simple_read_from_buffer(buf, len, ppos, blob->data, blob->size);
}

int khob_blob_release(struct inode *inode, struct file *file)
{
	struct debugfs_blob_wrapper *blob = file->private_data;

	kvfree(blob->data);
	kfree(blob);
	return 0;
}

/* The ABI's versions, the one in use in brackets. */

static ssize_t khob_abi_read(struct file *file, char __user *buf, size_t len, loff_t *ppos)
{
	char text[64];
	int n = 0, ret = khob_may(CAP_SYS_ADMIN);
	enum khob_abi abi, in_use;

	if (ret)
		return ret;
	in_use = READ_ONCE(khob_out.abi);
	for (abi = 0; abi < KHOB_ABI_NR; abi++)
		n += scnprintf(text + n, sizeof(text) - n, abi == in_use ? "%s[%s]" : "%s%s",
			       abi ? " " : "", khob_abi_compatible(abi));
	n += scnprintf(text + n, sizeof(text) - n, "\n");
	return simple_read_from_buffer(buf, len, ppos, text, n);
}

static int khob_abi_act(const char *line, size_t len)
{
	char name[16] = "";

	if (len && line[len - 1] == '\n')
		len--;
	if (len < sizeof(name))
		memcpy(name, line, len);
	return khob_out_set_abi(name);
}

static ssize_t khob_abi_write(struct file *file, const char __user *buf, size_t len,
			      loff_t *ppos)
{
	return khob_control_write(CAP_SYS_ADMIN, buf, len, ppos, khob_abi_act);
}

static const struct file_operations khob_abi_fops = {
	.owner = THIS_MODULE,
	.open = khob_admin_open,
	.read = khob_abi_read,
	.write = khob_abi_write,
	.llseek = default_llseek,
};

/*
 * Subtree files come and go under khob_lock, which their own operations take:
 * they are made with debugfs_create_file_unsafe(), whose removal waits for no
 * reader, and find their subtree by name (khob_file_name()).
 */
void *khob_debugfs_show(const char *name, u64 len, struct dentry *dir,
			const struct file_operations *fops)
{
	struct dentry *file = debugfs_create_file_unsafe(name, 0600, dir, NULL, fops);

	if (IS_ERR(file))
		return NULL;
	d_inode(file)->i_size = len;
	return file;
}

void khob_debugfs_hide(void *shown)
{
	debugfs_remove(shown);
}

/* Where debugfs is off, or not in the kernel, there is the device all the same. */
int khob_debugfs_init(void)
{
	int ret;

	khob_debugfs_root = debugfs_create_dir("kho_bridge", NULL);
	if (IS_ERR(khob_debugfs_root)) {
		pr_info("no debugfs (error %ld): see /dev/kho_bridge\n",
			PTR_ERR(khob_debugfs_root));
		return 0;
	}
	/* debugfs makes directories 0755; handed-over memory is root's business. */
	d_inode(khob_debugfs_root)->i_mode = S_IFDIR | 0700;
	debugfs_create_file("abi", 0600, khob_debugfs_root, NULL, &khob_abi_fops);
	khob_debugfs_status(khob_debugfs_root);
	khob_debugfs_out(khob_debugfs_root);
	khob_debugfs_in(khob_debugfs_root);
	ret = khob_sandbox_init(khob_debugfs_root);
	if (ret)
		debugfs_remove(khob_debugfs_root);
	return ret;
}

void khob_debugfs_exit(void)
{
	if (IS_ERR(khob_debugfs_root))
		return;
	debugfs_remove(khob_debugfs_root);
	khob_sandbox_exit();
}

struct dentry *khob_debugfs_dir(const char *name)
{
	if (IS_ERR(khob_debugfs_root))
		return NULL;
	return *name ? debugfs_lookup(name, khob_debugfs_root) : dget(khob_debugfs_root);
}
