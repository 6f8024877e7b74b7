/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * /sys/kernel/debug/kho_bridge, the developers' face: what its files share.
 */
#ifndef KHOB_DEBUGFS_H
#define KHOB_DEBUGFS_H

#include <linux/seq_file.h>

#include "core/control.h"
#include "face/face.h"

struct dentry;

int khob_debugfs_init(void);
void khob_debugfs_exit(void);
/* The directory of that name, for files of others; "" for the top. */
struct dentry *khob_debugfs_dir(const char *name);

/*
 * Every file asks who opens it and, a descriptor being handed on easily, again who uses it
 * (khob_may()): permissions alone do not keep out a root without capabilities, nor
 * a kernel that has been locked down in the meantime.
 */
int khob_admin_open(struct inode *inode, struct file *file);
int khob_boot_open(struct inode *inode, struct file *file);
ssize_t khob_seq_read(struct file *file, char __user *buf, size_t len, loff_t *ppos);

/*
 * One line written to a control file by somebody with @cap: parse it, then act; under khob_lock.
 */
ssize_t khob_control_write(int cap, const char __user *buf, size_t len, loff_t *ppos,
			   int (*act)(const char *line, size_t len));

#define KHOB_CONTROL_FILE_FOR(name, cap, opens)						\
static ssize_t name##_write(struct file *file, const char __user *buf, size_t len,	\
			    loff_t *ppos)						\
{											\
	return khob_control_write(cap, buf, len, ppos, name##_act);			\
}											\
static const struct file_operations name##_fops = {					\
	.owner = THIS_MODULE,								\
	.open = opens,									\
	.write = name##_write,								\
}

#define KHOB_CONTROL_FILE(name) KHOB_CONTROL_FILE_FOR(name, CAP_SYS_ADMIN, khob_admin_open)

/* A text file of one name##_show(). */
#define KHOB_SHOW_FILE(name)								\
static int name##_open(struct inode *inode, struct file *file)				\
{											\
	return khob_may(CAP_SYS_ADMIN) ?: single_open(file, name##_show, NULL);		\
}											\
static const struct file_operations name##_fops = {					\
	.owner = THIS_MODULE,								\
	.open = name##_open,								\
	.read = khob_seq_read,								\
	.llseek = seq_lseek,								\
	.release = single_release,							\
}

/* A text file that lists numbers as they are when it is opened. */
int khob_snapshot_open(struct inode *inode, struct file *file, khob_fill_fn fill,
		       int (*show)(struct seq_file *m, void *v));
int khob_snapshot_release(struct inode *inode, struct file *file);
int khob_show_key(struct seq_file *m, void *v);
int khob_show_raw_key(struct seq_file *m, void *v);
int khob_show_range(struct seq_file *m, void *v);
int khob_show_start(struct seq_file *m, void *v);
int khob_show_size(struct seq_file *m, void *v);
int khob_show_number(struct seq_file *m, void *v);

#define KHOB_SNAPSHOT_FILE(name, fill, show)						\
static int name##_open(struct inode *inode, struct file *file)				\
{											\
	return khob_snapshot_open(inode, file, fill, show);				\
}											\
static const struct file_operations name##_fops = {					\
	.owner = THIS_MODULE,								\
	.open = name##_open,								\
	.read = khob_seq_read,								\
	.llseek = seq_lseek,								\
	.release = khob_snapshot_release,						\
}

/* The path's last part: a subtree file finds its subtree by name, under the lock. */
static inline const char *khob_file_name(struct file *file)
{
	return file->f_path.dentry->d_name.name;
}

/* A file of bytes of physical memory: those of its own name, if the function wants one. */
#define KHOB_BYTES_FILE(name, at)							\
static ssize_t name##_read(struct file *file, char __user *buf, size_t len,		\
			   loff_t *ppos)						\
{											\
	struct khob_bytes bytes = { at, khob_file_name(file) };				\
											\
	return khob_bytes_read(&bytes, buf, len, ppos);					\
}

/* A file of a copy that copy() makes when it is opened. */
int khob_blob_open(struct file *file, void *(*copy)(size_t *len));
ssize_t khob_blob_read(struct file *file, char __user *buf, size_t len, loff_t *ppos);
int khob_blob_release(struct inode *inode, struct file *file);

#define KHOB_BLOB_FILE(name, copy)							\
static int name##_open(struct inode *inode, struct file *file)				\
{											\
	return khob_blob_open(file, copy);						\
}											\
static const struct file_operations name##_fops = {					\
	.owner = THIS_MODULE,								\
	.open = name##_open,								\
	.read = khob_blob_read,								\
	.llseek = default_llseek,							\
	.release = khob_blob_release,							\
}

/* A subtree's file, as struct khob_face has it. */
void *khob_debugfs_show(const char *name, u64 len, struct dentry *dir,
			const struct file_operations *fops);
void khob_debugfs_hide(void *shown);
void khob_debugfs_out(struct dentry *root);
void khob_debugfs_in(struct dentry *root);
void khob_debugfs_status(struct dentry *root);
int khob_sandbox_init(struct dentry *root);
void khob_sandbox_exit(void);
void khob_bench_init(struct dentry *dir);

#endif /* KHOB_DEBUGFS_H */
