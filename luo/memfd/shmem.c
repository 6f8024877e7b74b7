// SPDX-License-Identifier: GPL-2.0-only
/*
 * An empty memfd, what it looks like in the end, and what it is charged for.
 */
#include <linux/file.h>

#include "memfd/memfd.h"

/**
 * luo_shmem_new() - an empty memfd without seals
 *
 * Return: it, or an ERR_PTR().
 */
struct file *luo_shmem_new(void)
{
	struct file *file = luo_shmem_file("", 0, true);

	if (IS_ERR(file))
		return file;
	file->f_mode |= FMODE_LSEEK | FMODE_PREAD | FMODE_PWRITE;
	file->f_flags |= O_LARGEFILE;
	SHMEM_I(file_inode(file))->seals = 0;
	return file;
}

/**
 * luo_shmem_commit() - let Committed_AS have more pages, or fewer
 * @pages: how many more; negative: fewer
 *
 * Nothing that changes it is exported. But a file that is made without NORESERVE is charged for its
 * size, and one that has it in the end is not uncharged.
 *
 * Return: 0; -ENOMEM, also if the kernel does not overcommit; another errno of making a file.
 */
int luo_shmem_commit(s64 pages)
{
	struct file *file;

	if (!pages)
		return 0;
	file = luo_shmem_file("luo-charge", abs(pages) << PAGE_SHIFT, pages < 0);
	if (IS_ERR(file))
		return PTR_ERR(file);
	SHMEM_I(file_inode(file))->flags ^= SHMEM_F_NORESERVE;
	fput(file);
	return 0;
}

/**
 * luo_shmem_dress() - size, position, seals and mode
 * @file: the file, which has its folios
 * @ser: what the kernel before has said, checked
 *
 * The mode itself is not handed over. A file that was sealed against becoming executable, but not
 * against being written, was not executable then: sealing one that is seals all of it.
 */
void luo_shmem_dress(struct file *file, const struct khob_memfd_ser *ser)
{
	struct inode *inode = file_inode(file);

	inode_lock(inode);
	i_size_write(inode, ser->size);
	if ((ser->seals & KHOB_MEMFD_SEAL_EXEC) && !(ser->seals & F_SEAL_WRITE))
		inode->i_mode &= ~0111;
	/* It has no mapping yet that this could fail for. */
	if (ser->seals & F_SEAL_WRITE)
		mapping_deny_writable(file->f_mapping);
	SHMEM_I(inode)->seals = ser->seals;
	inode_unlock(inode);
	vfs_setpos(file, ser->pos, MAX_LFS_FILESIZE);
}
