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

int khob_gone(void)
{
	return khob_refuse(-ESHUTDOWN, "the kernel is about to go: nothing changes any more");
}

/* The line is copied before, so that nobody has to wait for its page to come. */
ssize_t khob_control_write(int cap, const char __user *buf, size_t len, loff_t *ppos,
			   int (*act)(const char *line, size_t len))
{
	char line[KHOB_LINE_MAX + 1];
	unsigned int refusals;
	int ret = khob_may(cap);

	if (ret)
		return ret;
	if (*ppos || !len || len > KHOB_LINE_MAX)
		return khob_refuse(-EINVAL, "a control file takes one line of 1 to %d bytes",
				   KHOB_LINE_MAX);
	if (copy_from_user(line, buf, len))
		return khob_refuse(-EFAULT, "a control file: the line is at no address of yours");
	line[len] = '\0';

	CLASS(khob_user_lock, killed)();
	if (killed)
		return killed;
	if (khob_is_leaving())
		return khob_gone();
	refusals = khob_refusals();
	ret = act(line, len);
	khob_update_pin();
	/* Where memory runs out there is seldom more to say. */
	if (ret && khob_refusals() == refusals)
		khob_refuse(ret, "\"%.*s\": %s (error %d)", (int)strcspn(line, "\n"), line,
			    ret == -ENOMEM ? "out of memory" : "failed", ret);
	return ret ?: len;
}

/* Snapshots */

static int khob_snapshot_key(void *ctx, u64 key)
{
	cond_resched();
	return fatal_signal_pending(current) ? -EINTR : khob_numbers_add(ctx, key);
}

int khob_snapshot_keys(struct khob_numbers *snap, struct khob_radix *tree)
{
	return khob_radix_walk(tree, 0, U64_MAX, khob_snapshot_key, snap);
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

/* Ranges are pairs: a line ends with the second of them. */
int khob_show_range(struct seq_file *m, void *v)
{
	seq_printf(m, "0x%llx%c", *(u64 *)v, m->index % 2 ? '\n' : ' ');
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
KHOB_SNAPSHOT_SEQ(number);

static const struct seq_operations *khob_snapshot_seq(int (*show)(struct seq_file *m, void *v))
{
	if (show == khob_show_key)
		return &khob_seq_key;
	if (show == khob_show_raw_key)
		return &khob_seq_raw_key;
	return show == khob_show_range ? &khob_seq_range : &khob_seq_number;
}

static int khob_snapshot_fill(struct khob_numbers *snap, int (*fill)(struct khob_numbers *snap))
{
	CLASS(khob_user_lock, killed)();

	return killed ?: fill(snap);
}

int khob_snapshot_open(struct inode *inode, struct file *file,
		       int (*fill)(struct khob_numbers *snap),
		       int (*show)(struct seq_file *m, void *v))
{
	struct khob_numbers *snap;
	int ret = khob_may(CAP_SYS_ADMIN);

	if (ret)
		return ret;
	snap = __seq_open_private(file, khob_snapshot_seq(show), sizeof(*snap));
	if (!snap)
		return -ENOMEM;
	ret = khob_snapshot_fill(snap, fill);
	if (ret) {
		khob_numbers_free(snap);
		seq_release_private(inode, file);
	}
	return ret;
}

int khob_snapshot_release(struct inode *inode, struct file *file)
{
	struct khob_numbers *snap = ((struct seq_file *)file->private_data)->private;

	khob_numbers_free(snap);
	return seq_release_private(inode, file);
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

int khob_debugfs_init(void)
{
	int ret;

	khob_debugfs_root = debugfs_create_dir("kho_bridge", NULL);
	if (IS_ERR(khob_debugfs_root))
		return PTR_ERR(khob_debugfs_root);
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
	debugfs_remove(khob_debugfs_root);
	khob_sandbox_exit();
}

struct dentry *khob_debugfs_dir(const char *name)
{
	return *name ? debugfs_lookup(name, khob_debugfs_root) : dget(khob_debugfs_root);
}
