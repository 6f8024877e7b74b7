/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Generated, do not edit, from abi-gen/schema/sessions.yaml
 * (make it again with: cmake --build build --target abi)
 *
 * /dev/kho_luo, version 1. Lists the sessions of the module kho_luo, drops one, and sets memory
 * aside for late ones; keeps files on tmpfs, and takes those of the kernel before over. Reading it
 * from the start gives a struct kho_luo_session for each session, outgoing ones first, as they
 * stood when the file was opened. An ioctl takes a struct whose first field is its size, as the
 * caller knows it: what the caller does not know is taken for 0, what the module does not know has
 * to be 0 (E2BIG). Names end with a 0.
 */
#ifndef _UAPI_LINUX_KHO_LUO_H
#define _UAPI_LINUX_KHO_LUO_H

#include <linux/ioctl.h>
#include <linux/types.h>

/* Numbers that sizes and values are made of. */

#define KHO_LUO_TYPE 0xbc /* The type that the numbers of all ioctls have. */
#define KHO_LUO_NAME_LENGTH 64 /* The name of a session fits this with its 0. [bytes] */

/*
 * Who may open the device is what its mode says; root by default. Behind each is the struct that it
 * takes, or 0, and the capability that it needs.
 */

#define KHO_LUO_BASE 0x80 /* The number of the first one. */

/*
 * Ends a session of the kernel before that nobody has open, as if it had been retrieved and
 * finished: what is in it is freed.
 */
#define KHO_LUO_DROP _IO(KHO_LUO_TYPE, KHO_LUO_BASE) /* kho_luo_drop */
/*
 * Sets the late room's size: memory for what is preserved once a kernel is loaded. It is made
 * before the load, which hands all of it over; the loader does this.
 */
#define KHO_LUO_ROOM _IO(KHO_LUO_TYPE, 0x81) /* kho_luo_room */
/*
 * Keeps a regular file on tmpfs: its pages go to the next kernel. Until KHO_LUO_KEEP_DROP no page
 * is added and none cut off (EPERM); what is written to it goes along.
 */
#define KHO_LUO_KEEP _IO(KHO_LUO_TYPE, 0x82) /* kho_luo_keep */
/* Keeps none of the files that KHO_LUO_KEEP has kept. They can be resized again. */
#define KHO_LUO_KEEP_DROP _IO(KHO_LUO_TYPE, 0x83) /* kho_luo_keep_drop */
/* The kept file whose token is the lowest one from a given one on. */
#define KHO_LUO_KEEP_NEXT _IO(KHO_LUO_TYPE, 0x84) /* kho_luo_keep_next */
/*
 * Puts the pages of a file that the kernel before has kept into an empty file on tmpfs, and ends
 * with its size. As long as it has not succeeded nobody can write to that file; if it failed with
 * ENOMEM or EINTR it can be tried again with the same file.
 */
#define KHO_LUO_KEEP_ADOPT _IO(KHO_LUO_TYPE, 0x85) /* kho_luo_keep */
/* Frees a file that the kernel before has kept and that nobody has taken over. */
#define KHO_LUO_KEEP_DISCARD _IO(KHO_LUO_TYPE, 0x86) /* kho_luo_keep_discard */
/*
 * Gives an empty file on tmpfs huge pages of zeroes, which lie together in memory as far as they
 * can. It can be mapped by them; a load that keeps it has a key for each. If it fails the file is
 * empty.
 */
#define KHO_LUO_REGION _IO(KHO_LUO_TYPE, 0x87) /* kho_luo_region */

/**
 * struct kho_luo_drop - Which session to drop.
 * @size: Of the struct. [bytes]
 * @reserved: 0.
 * @name: Its name.
 */
struct kho_luo_drop {
	__u32 size;
	__u32 reserved;
	char name[KHO_LUO_NAME_LENGTH];
};

/**
 * struct kho_luo_room - The late room.
 * @size: Of the struct. [bytes]
 * @flags: What to do.
 * @bytes: How large it is to be, rounded up; 0: there is to be none. Output: how large it is.
 *	[bytes]
 * @used: Output: what of it sessions have. [bytes]
 */
struct kho_luo_room {
	__u32 size;
	__u32 flags;
	__aligned_u64 bytes;
	__aligned_u64 used;
};

/**
 * struct kho_luo_keep - A file, and what it is called.
 * @size: Of the struct. [bytes]
 * @fd: The file; to keep it, open in any way.
 * @token: What userspace calls it.
 */
struct kho_luo_keep {
	__u32 size;
	__s32 fd;
	__aligned_u64 token;
};

/**
 * struct kho_luo_keep_drop - All that is kept.
 * @size: Of the struct. [bytes]
 * @reserved: 0.
 */
struct kho_luo_keep_drop {
	__u32 size;
	__u32 reserved;
};

/**
 * struct kho_luo_keep_next - A kept file.
 * @size: Of the struct. [bytes]
 * @flags: 0. Output: what holds of it.
 * @token: The lowest one to look at. Output: its token.
 * @bytes: Output: memory that it has, in whole pages. [bytes]
 * @folios: Output: folios that this memory is in.
 */
struct kho_luo_keep_next {
	__u32 size;
	__u32 flags;
	__aligned_u64 token;
	__aligned_u64 bytes;
	__aligned_u64 folios;
};

/**
 * struct kho_luo_keep_discard - Which file to free.
 * @size: Of the struct. [bytes]
 * @reserved: 0.
 * @token: What userspace calls it.
 */
struct kho_luo_keep_discard {
	__u32 size;
	__u32 reserved;
	__aligned_u64 token;
};

/**
 * struct kho_luo_region - A file of huge pages.
 * @size: Of the struct. [bytes]
 * @fd: The file.
 * @bytes: How large it is to be. [bytes]
 * @node: NUMA node whose memory it is to have; -1: the caller's, or any.
 * @reserved: 0.
 */
struct kho_luo_region {
	__u32 size;
	__s32 fd;
	__aligned_u64 bytes;
	__s32 node;
	__u32 reserved;
};

/* Values of fields. */

/* kho_luo_keep_next.flags: What holds of a kept file. */
#define KHO_LUO_KEEP_INCOMING 0x1U /* The kernel before has left it. */

/* kho_luo_room.flags: What to do with the late room. */
#define KHO_LUO_ROOM_SET 0x1U /* Give it that size. Without it nothing is changed. */

/* kho_luo_session.flags: What holds of a session. */
#define KHO_LUO_SESSION_INCOMING 0x1U /* The kernel before has left it. */
#define KHO_LUO_SESSION_OPEN 0x2U /* Somebody has it open. */

/* What is read. */

/**
 * struct kho_luo_session - A session, and what it costs.
 * @name: Its name.
 * @flags: What holds of it.
 * @reserved: 0.
 * @files: Files in it.
 * @left: Of an incoming one, files that nobody has retrieved.
 * @bytes: Memory of its files that is handed over, or was and is held; of one that has been
 *	retrieved nothing is. [bytes]
 * @folios: Folios that this memory is in.
 * @metadata: Memory that tells the next kernel of it. [bytes]
 */
struct kho_luo_session {
	char name[KHO_LUO_NAME_LENGTH];
	__u32 flags;
	__u32 reserved;
	__aligned_u64 files;
	__aligned_u64 left;
	__aligned_u64 bytes;
	__aligned_u64 folios;
	__aligned_u64 metadata;
};

#endif /* _UAPI_LINUX_KHO_LUO_H */
