// SPDX-License-Identifier: GPL-2.0-only
/*
 * A file whose pages are handed over keeps exactly those: nothing is added, cut off or punched,
 * while what is written to it goes on being handed over.
 */
#include "memfd/memfd.h"

/**
 * luo_freeze() - refuse to change which pages a file has, with -EPERM
 * @inode: the file's, locked
 * @frozen: how it was
 *
 * 7.2 and later have a flag for that. Before, seals do it for resizing and for writes that would
 * make the file grow, and the immutable flag for fallocate(); both can be seen. A file that has a
 * name is not made immutable, since it could not be opened for writing then, or unlinked: what
 * fallocate() does to it luo_refill() makes up for.
 */
void luo_freeze(struct inode *inode, struct luo_frozen *frozen)
{
#ifdef SHMEM_F_MAPPING_FROZEN
	*frozen = (struct luo_frozen) {};
	shmem_freeze(inode, true);
#else
	struct shmem_inode_info *info = SHMEM_I(inode);

	frozen->seals = (F_SEAL_SHRINK | F_SEAL_GROW) & ~info->seals;
	frozen->immutable = !inode->i_nlink && !(inode->i_flags & S_IMMUTABLE);
	frozen->loose = inode->i_nlink;
	info->seals |= frozen->seals;
	if (frozen->immutable)
		inode_set_flags(inode, S_IMMUTABLE, S_IMMUTABLE);
#endif
}

/**
 * luo_thaw() - undo luo_freeze()
 * @inode: the file's, locked
 * @frozen: what that has said
 */
void luo_thaw(struct inode *inode, const struct luo_frozen *frozen)
{
#ifdef SHMEM_F_MAPPING_FROZEN
	shmem_freeze(inode, false);
#else
	SHMEM_I(inode)->seals &= ~frozen->seals;
	if (frozen->immutable)
		inode_set_flags(inode, 0, S_IMMUTABLE);
#endif
}
