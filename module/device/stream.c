// SPDX-License-Identifier: GPL-2.0-only
/*
 * Files that the device gives out: lists as they were when they were opened, in the structs of
 * include/uapi/linux/kho_bridge.h, and bytes of preserved memory and of blobs.
 */
#include <linux/anon_inodes.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "bench/bench.h"
#include "device/device.h"

/**
 * struct khob_stream - what such a file is of
 * @said: to it
 * @what: KHO_BRIDGE_OUT_KEYS or another
 * @name: of the subtree, or ""
 * @numbers: a list, or none
 * @copy: of other things, or NULL
 * @len: bytes of @copy
 * @bytes: of physical memory, if there is neither
 */
struct khob_stream {
	struct khob_said said;
	u32 what;
	char name[KHO_BRIDGE_NAME_MAX + 1];
	struct khob_numbers numbers;
	void *copy;
	size_t len;
	struct khob_bytes bytes;
};

static const khob_fill_fn khob_stream_fills[] = {
	[KHO_BRIDGE_OUT_KEYS] = khob_out_keys_fill,
	[KHO_BRIDGE_OUT_RANGES] = khob_out_ranges_fill,
	[KHO_BRIDGE_OUT_SCRATCH] = khob_out_scratch_fill,
	[KHO_BRIDGE_OUT_EXTENTS] = khob_out_extents_fill,
	[KHO_BRIDGE_IN_KEYS] = khob_in_keys_fill,
	[KHO_BRIDGE_IN_RANGES] = khob_in_ranges_fill,
};

static s64 (*const khob_stream_places[])(const char *name, u64 pos, u64 *pa) = {
	[KHO_BRIDGE_OUT_SUBTREE] = khob_out_sub_at,
	[KHO_BRIDGE_OUT_DATA] = khob_out_data_at,
	[KHO_BRIDGE_IN_SUBTREE] = khob_in_sub_at,
	[KHO_BRIDGE_IN_DATA] = khob_in_data_at,
};

/* As many bytes of a list as lie next to each other. Return: how many, 0 at the end, -EFAULT. */
static ssize_t khob_numbers_to_user(const struct khob_numbers *numbers, char __user *buf,
				    size_t len, u64 pos)
{
	size_t skip = pos % sizeof(u64), n;
	const u64 *from;
	u64 nr;

	from = khob_numbers_run(numbers, pos / sizeof(u64), &nr);
	if (!from)
		return 0;
	n = min_t(u64, len, nr * sizeof(u64) - skip);
	return copy_to_user(buf, (const char *)from + skip, n) ? -EFAULT : n;
}

static ssize_t khob_stream_list(const struct khob_numbers *numbers, char __user *buf, size_t len,
				loff_t *ppos)
{
	size_t done = 0;
	ssize_t n;

	do {
		n = khob_numbers_to_user(numbers, buf + done, len - done, *ppos);
		if (n <= 0)
			return done ?: n;
		*ppos += n;
		done += n;
	} while (done < len);
	return done;
}

static ssize_t khob_stream_read(struct file *file, char __user *buf, size_t len, loff_t *ppos)
{
	struct khob_stream *s = file->private_data;
	struct khob_listener heard;
	ssize_t ret = khob_may(CAP_SYS_ADMIN);

	if (ret)
		return ret;
	if (s->copy)
		return simple_read_from_buffer(buf, len, ppos, s->copy, s->len);
	if (!s->bytes.where)
		return len ? khob_stream_list(&s->numbers, buf, len, ppos) : 0;
	khob_listen(&heard);
	ret = khob_bytes_read(&s->bytes, buf, len, ppos);
	return khob_said_end(&s->said, &heard, ret);
}

static ssize_t khob_stream_write(struct file *file, const char __user *buf, size_t len,
				 loff_t *ppos)
{
	struct khob_stream *s = file->private_data;
	struct khob_bytes room = { khob_out_sub_room, s->name };
	struct khob_listener heard;
	ssize_t ret;

	khob_listen(&heard);
	ret = khob_bytes_write(&room, buf, len, ppos);
	return khob_said_end(&s->said, &heard, ret);
}

/* Bytes, for lseek(); what is read at physical addresses has no end of its own. */
static loff_t khob_stream_size(struct khob_stream *s)
{
	u64 pa;

	if (s->copy)
		return s->len;
	if (!s->bytes.where)
		return s->numbers.nr * sizeof(u64);
	if (s->what == KHO_BRIDGE_OUT_DATA || s->what == KHO_BRIDGE_IN_DATA)
		return 0;

	CLASS(khob_user_lock, killed)();
	return killed ?: s->bytes.where(s->name, 0, &pa);
}

static loff_t khob_stream_llseek(struct file *file, loff_t offset, int whence)
{
	loff_t size = whence == SEEK_END ? khob_stream_size(file->private_data) : 0;

	if (size < 0)
		return size;
	return generic_file_llseek_size(file, offset, whence, MAX_LFS_FILESIZE, size);
}

/* Where a subtree's bytes are, if they may be mapped. Return: 0 or an error with a sentence. */
static int khob_stream_at(const struct khob_stream *s, u64 *pa, u64 *len)
{
	const struct khob_handed *sub;
	s64 n = s->bytes.where(s->name, 0, pa);

	if (n < 0)
		return n;
	*len = n;
	if (s->what == KHO_BRIDGE_OUT_SUBTREE)
		return khob_out.frozen ? khob_refuse(-EBUSY,
			"mmap: a kernel is loaded; unload it first") : 0;
	sub = khob_in_subtree(s->name);
	/* A client may take its own pages at any time. */
	if (sub->own_pages || !PAGE_ALIGNED(*pa))
		return khob_refuse(-EOPNOTSUPP,
				   "mmap: %s does not have whole pages for itself: read it",
				   s->name);
	return 0;
}

static int khob_stream_map(const struct khob_stream *s, struct vm_area_struct *vma)
{
	u64 pa, len;
	int ret = khob_may(CAP_SYS_ADMIN);

	if (ret)
		return ret;

	CLASS(khob_act, killed)();
	if (killed)
		return killed;
	if (khob_is_leaving())
		return khob_gone();
	ret = khob_stream_at(s, &pa, &len) ?: khob_map(vma, pa, len);
	return ret != -EINVAL ? ret :
	       khob_refuse(ret, "mmap: %s has %llu bytes, to be shared and not executed", s->name,
			   len);
}

static int khob_stream_mmap(struct file *file, struct vm_area_struct *vma)
{
	struct khob_stream *s = file->private_data;
	struct khob_listener heard;
	int ret;

	if (s->what != KHO_BRIDGE_OUT_SUBTREE && s->what != KHO_BRIDGE_IN_SUBTREE)
		return -ENODEV;
	khob_listen(&heard);
	ret = khob_stream_map(s, vma);
	return khob_said_end(&s->said, &heard, ret);
}

static long khob_stream_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	struct khob_stream *s = file->private_data;

	return cmd == KHO_BRIDGE_REFUSAL ? khob_said_get(&s->said, (void __user *)arg) : -ENOTTY;
}

static void khob_stream_free(struct khob_stream *s)
{
	khob_numbers_free(&s->numbers);
	kvfree(s->copy);
	kfree(s);
}

static int khob_stream_release(struct inode *inode, struct file *file)
{
	khob_stream_free(file->private_data);
	return 0;
}

static const struct file_operations khob_stream_fops = {
	.owner = THIS_MODULE,
	.read = khob_stream_read,
	.write = khob_stream_write,
	.llseek = khob_stream_llseek,
	.mmap = khob_stream_mmap,
	.unlocked_ioctl = khob_stream_ioctl,
	.compat_ioctl = compat_ptr_ioctl,
	.release = khob_stream_release,
};

/* The file of @s, which it frees when it goes. Return: it, or an ERR_PTR() and @s is there. */
static struct file *khob_stream_file(struct khob_stream *s)
{
	int flags = s->what == KHO_BRIDGE_OUT_SUBTREE ? O_RDWR : O_RDONLY;
	struct file *file = anon_inode_getfile("[kho_bridge]", &khob_stream_fops, s,
					       flags | O_CLOEXEC);

	if (!IS_ERR(file))
		file->f_mode |= FMODE_LSEEK | FMODE_PREAD |
				(flags == O_RDWR ? FMODE_PWRITE : 0);
	return file;
}

static struct khob_stream *khob_stream_new(u32 what, const char *name)
{
	struct khob_stream *s = kzalloc(sizeof(*s), GFP_KERNEL);

	if (!s)
		return NULL;
	khob_said_init(&s->said);
	s->what = what;
	strscpy(s->name, name, sizeof(s->name));
	if (what < ARRAY_SIZE(khob_stream_places))
		s->bytes.where = khob_stream_places[what];
	s->bytes.name = s->name;
	return s;
}

/* Whether a subtree is there to be opened. */
static int khob_stream_look(const struct khob_stream *s)
{
	u64 pa;

	if (!*s->name)
		return 0;

	CLASS(khob_user_lock, killed)();
	return killed ?: min_t(s64, s->bytes.where(s->name, 0, &pa), 0);
}

static int khob_stream_bench(struct khob_stream *s, u64 keys)
{
	struct kho_bridge_bench_row *rows;
	int nr = khob_bench_run(keys, &rows);

	if (nr < 0)
		return nr;
	s->copy = rows;
	s->len = nr * sizeof(*rows);
	return 0;
}

static int khob_stream_copy(struct khob_stream *s, void *copy)
{
	if (IS_ERR(copy))
		return PTR_ERR(copy);
	s->copy = copy;
	return 0;
}

/* What there is at the moment. */
static int khob_stream_take(struct khob_stream *s, u64 keys)
{
	switch (s->what) {
	case KHO_BRIDGE_OUT_SUBTREES:
		return khob_stream_copy(s, khob_out_subtrees_copy(&s->len));
	case KHO_BRIDGE_IN_SUBTREES:
		return khob_stream_copy(s, khob_in_subtrees_copy(&s->len));
	case KHO_BRIDGE_OUT_FDT:
		return khob_stream_copy(s, khob_out_fdt_copy(&s->len));
	case KHO_BRIDGE_IN_FDT:
		return khob_stream_copy(s, khob_in_fdt_copy(&s->len));
	case KHO_BRIDGE_BENCH:
		return khob_stream_bench(s, keys);
	default:
		return s->bytes.where ? khob_stream_look(s) :
					khob_snapshot(&s->numbers, khob_stream_fills[s->what]);
	}
}

/* Frees @s unless there is a descriptor. Return: that, or an error. */
static int khob_stream_give(struct khob_stream *s)
{
	struct file *file;
	int fd = get_unused_fd_flags(O_CLOEXEC);

	if (fd < 0) {
		khob_stream_free(s);
		return fd;
	}
	file = khob_stream_file(s);
	if (IS_ERR(file)) {
		khob_stream_free(s);
		put_unused_fd(fd);
		return PTR_ERR(file);
	}
	fd_install(fd, file);
	return fd;
}

int khob_stream_open(struct khob_call *c)
{
	const struct kho_bridge_open *open = c->arg;
	char name[KHO_BRIDGE_NAME_MAX + 1];
	const char *why = NULL;
	struct khob_stream *s;
	int ret;

	if (khob_request_open(open, name, &why))
		return khob_refuse(-EINVAL, "open: %s", why);
	s = khob_stream_new(open->what, name);
	if (!s)
		return -ENOMEM;
	ret = khob_stream_take(s, open->keys);
	if (ret) {
		khob_stream_free(s);
		return ret;
	}
	return khob_stream_give(s);
}

static int khob_put_act(void *arg)
{
	const struct khob_fdt_subtree *sub = arg;

	return khob_out_put(sub->name, sub->size);
}

static int khob_unput_act(void *arg)
{
	const struct khob_fdt_subtree *sub = arg;

	return khob_out_remove(sub->name);
}

int khob_stream_put(struct khob_call *c)
{
	struct khob_fdt_subtree sub;
	const char *why = NULL;
	struct khob_stream *s;
	int ret;

	if (khob_request_put(c->arg, &sub, &why))
		return khob_refuse(-EINVAL, "put: %s", why);
	s = khob_stream_new(KHO_BRIDGE_OUT_SUBTREE, sub.name);
	if (!s)
		return -ENOMEM;
	ret = khob_act_do(CAP_SYS_ADMIN, khob_put_act, &sub, "put");
	if (ret) {
		khob_stream_free(s);
		return ret;
	}
	ret = khob_stream_give(s);
	if (ret < 0)
		khob_act_do(CAP_SYS_ADMIN, khob_unput_act, &sub, "put");
	return ret;
}
