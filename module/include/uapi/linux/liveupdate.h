/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Generated, do not edit, from abi-gen/schema/liveupdate.yaml
 * (make it again with: cmake --build build --target abi)
 *
 * /dev/liveupdate, version 1. How programs keep descriptors over a kexec, in sessions that have
 * names. One program at a time has the device open. Each ioctl takes a struct whose first field is
 * its size, as the caller knows it: what the caller does not know is taken for 0, what the kernel
 * does not know has to be 0 (E2BIG). Names end with a 0.
 */
#ifndef _UAPI_LIVEUPDATE_H
#define _UAPI_LIVEUPDATE_H

#include <linux/ioctl.h>
#include <linux/types.h>

/* Numbers that sizes and values are made of. */

#define LIVEUPDATE_IOCTL_TYPE 0xba /* The type that the numbers of all ioctls have. */
#define LIVEUPDATE_SESSION_NAME_LENGTH 64 /* The name of a session fits this with its 0. [bytes] */

/*
 * Ioctls of the device. Opening it fails with EBUSY while somebody has it open. Behind each is the
 * struct that it takes, or 0, and the capability that it needs.
 */

#define LIVEUPDATE_CMD_BASE 0x0 /* The number of the first one. */
#define LIVEUPDATE_CMD_CREATE_SESSION 0x0 /* Number of LIVEUPDATE_IOCTL_CREATE_SESSION. */
#define LIVEUPDATE_CMD_RETRIEVE_SESSION 0x1 /* Number of LIVEUPDATE_IOCTL_RETRIEVE_SESSION. */

/*
 * Makes a session and opens it (fd). What is in it when the machine jumps into the next kernel is
 * there again in that one; closing it before gives all of it up.
 */
/* liveupdate_ioctl_create_session */
#define LIVEUPDATE_IOCTL_CREATE_SESSION _IO(LIVEUPDATE_IOCTL_TYPE, LIVEUPDATE_CMD_CREATE_SESSION)
/* Opens a session that the kernel before has left (fd). */
/* liveupdate_ioctl_retrieve_session */
#define LIVEUPDATE_IOCTL_RETRIEVE_SESSION \
	_IO(LIVEUPDATE_IOCTL_TYPE, LIVEUPDATE_CMD_RETRIEVE_SESSION)

/**
 * struct liveupdate_ioctl_create_session - Which session to make.
 * @size: Of the struct. [bytes]
 * @fd: Output: the session.
 * @name: What it is called. [bytes]
 */
struct liveupdate_ioctl_create_session {
	__u32 size;
	__s32 fd;
	__u8 name[LIVEUPDATE_SESSION_NAME_LENGTH];
};

/**
 * struct liveupdate_ioctl_retrieve_session - Which session to open.
 * @size: Of the struct. [bytes]
 * @fd: Output: the session.
 * @name: What it is called. [bytes]
 */
struct liveupdate_ioctl_retrieve_session {
	__u32 size;
	__s32 fd;
	__u8 name[LIVEUPDATE_SESSION_NAME_LENGTH];
};

/*
 * Ioctls of a session. /proc/self/fd shows it as anon_inode:[luo_session] and its name. Behind each
 * is the struct that it takes, or 0, and the capability that it needs.
 */

#define LIVEUPDATE_CMD_SESSION_BASE 0x40 /* The number of the first one. */
#define LIVEUPDATE_CMD_SESSION_PRESERVE_FD 0x40 /* Number of LIVEUPDATE_SESSION_PRESERVE_FD. */
#define LIVEUPDATE_CMD_SESSION_RETRIEVE_FD 0x41 /* Number of LIVEUPDATE_SESSION_RETRIEVE_FD. */
#define LIVEUPDATE_CMD_SESSION_FINISH 0x42 /* Number of LIVEUPDATE_SESSION_FINISH. */
#define LIVEUPDATE_CMD_SESSION_GET_NAME 0x43 /* Number of LIVEUPDATE_SESSION_GET_NAME. */

/* Puts what a descriptor is open on into a session that was made here. */
/* liveupdate_session_preserve_fd */
#define LIVEUPDATE_SESSION_PRESERVE_FD \
	_IO(LIVEUPDATE_IOCTL_TYPE, LIVEUPDATE_CMD_SESSION_PRESERVE_FD)
/*
 * Opens a file that the kernel before left in a session (fd), again after the first time. What
 * fails once fails again with the same errno.
 */
/* liveupdate_session_retrieve_fd */
#define LIVEUPDATE_SESSION_RETRIEVE_FD \
	_IO(LIVEUPDATE_IOCTL_TYPE, LIVEUPDATE_CMD_SESSION_RETRIEVE_FD)
/*
 * Says that all that is wanted of a session of the kernel before was opened. What was not is gone
 * then. If it fails, everything is as it was.
 */
/* liveupdate_session_finish */
#define LIVEUPDATE_SESSION_FINISH _IO(LIVEUPDATE_IOCTL_TYPE, LIVEUPDATE_CMD_SESSION_FINISH)
/* Says what the session is called. */
/* liveupdate_session_get_name */
#define LIVEUPDATE_SESSION_GET_NAME _IO(LIVEUPDATE_IOCTL_TYPE, LIVEUPDATE_CMD_SESSION_GET_NAME)

/**
 * struct liveupdate_session_preserve_fd - What to keep.
 * @size: Of the struct. [bytes]
 * @fd: The descriptor.
 * @token: What it is called from now on, any number.
 */
struct liveupdate_session_preserve_fd {
	__u32 size;
	__s32 fd;
	__aligned_u64 token;
};

/**
 * struct liveupdate_session_retrieve_fd - What to open.
 * @size: Of the struct. [bytes]
 * @fd: Output: the descriptor.
 * @token: What it was called.
 */
struct liveupdate_session_retrieve_fd {
	__u32 size;
	__s32 fd;
	__aligned_u64 token;
};

/**
 * struct liveupdate_session_finish - Nothing that could be chosen.
 * @size: Of the struct. [bytes]
 * @reserved: 0.
 */
struct liveupdate_session_finish {
	__u32 size;
	__u32 reserved;
};

/**
 * struct liveupdate_session_get_name - The name of a session.
 * @size: Of the struct. [bytes]
 * @reserved: 0.
 * @name: Output: the name. [bytes]
 */
struct liveupdate_session_get_name {
	__u32 size;
	__u32 reserved;
	__u8 name[LIVEUPDATE_SESSION_NAME_LENGTH];
};

#endif /* _UAPI_LIVEUPDATE_H */
