// SPDX-License-Identifier: GPL-2.0-only
/*
 * An empty memfd or file, what it looks like in the end, and what it is charged for.
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
 * luo_shmem_is_empty() - whether folios can enter a file
 * @file: some regular file of shmem's, whose inode is locked
 *
 * Return: true if it has nothing, and nothing keeps it from getting something.
 */
bool luo_shmem_is_empty(const struct file *file)
{
	struct inode *inode = file_inode(file);
	const struct shmem_inode_info *info = SHMEM_I(inode);

	return !i_size_read(inode) && !inode->i_mapping->nrpages && !info->alloced &&
	       !info->swapped && !(info->seals & ~F_SEAL_SEAL) &&
	       (info->flags & SHMEM_F_NORESERVE) && !IS_IMMUTABLE(inode) && !IS_APPEND(inode) &&
	       !IS_SWAPFILE(inode);
}

/**
 * luo_shmem_charge() - let a file's file system, its owner's quota and i_blocks have more pages
 * @inode: the file's, locked
 * @pages: how many
 * @limited: not more than the file system may have; as in shmem before 6.6, others who charge just
 *	then are not counted
 *
 * Return: 0; -ENOSPC, -EDQUOT, and then nothing is charged.
 */
int luo_shmem_charge(struct inode *inode, s64 pages, bool limited)
{
	struct shmem_sb_info *sb = inode->i_sb->s_fs_info;
	int ret;

	if (sb->max_blocks) {
		if (limited && percpu_counter_compare(&sb->used_blocks,
						      (s64)sb->max_blocks - pages) > 0)
			return -ENOSPC;
		percpu_counter_add(&sb->used_blocks, pages);
	}
	ret = luo_blocks_charge(inode, pages);
	if (ret && sb->max_blocks)
		percpu_counter_sub(&sb->used_blocks, pages);
	return ret;
}

/**
 * luo_shmem_uncharge() - undo luo_shmem_charge()
 * @inode: the file's, locked
 * @pages: how many
 */
void luo_shmem_uncharge(struct inode *inode, s64 pages)
{
	struct shmem_sb_info *sb = inode->i_sb->s_fs_info;

	if (sb->max_blocks)
		percpu_counter_sub(&sb->used_blocks, pages);
	luo_blocks_uncharge(inode, pages);
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
