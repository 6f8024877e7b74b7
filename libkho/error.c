// SPDX-License-Identifier: GPL-2.0-only
/*
 * Errors: what errnos mean, and sentences.
 */
#include <errno.h>

#include "internal.h"

/* The cause, and what to do. */
struct kho_sentence {
	enum kho_error error;
	const char *text;
};

static const struct kho_sentence kho_sentences[] = {
	{ KHO_OK, "all is well; there is nothing to do" },
	{ KHO_INVALID, "an argument cannot be; give a good name and a descriptor that is open" },
	{ KHO_NO_DEVICE,
	  "there is no /dev/liveupdate; load kho_luo, or boot a kernel with liveupdate=on" },
	{ KHO_PERMISSION, "/dev/liveupdate may not be opened; run as root" },
	{ KHO_BUSY,
	  "/dev/liveupdate is somebody else's, or a kernel is loaded; try again, or unload it" },
	{ KHO_LOADED,
	  "a kernel is loaded; unload it (khoctl unload), try again, and load it again" },
	{ KHO_EXISTS, "the name is taken; choose another, or close the session that has it" },
	{ KHO_NOT_FOUND,
	  "nothing of that name has come; make it, or attach (khoctl attach) and try again" },
	{ KHO_TAKEN, "the session is open already; use it where it is open, or close it there" },
	{ KHO_WRONG_SIDE,
	  "what is made is put into, what came is got from; use a session of the other kind" },
	{ KHO_PRESERVED,
	  "the file is handed over already; finish or close the session that it is in" },
	{ KHO_NOT_MEMFD, "only memfds can be handed over, and not hugetlb's; copy it into one" },
	{ KHO_FOREIGN,
	  "the session is not libkho's; leave it open, and use the program that has made it" },
	{ KHO_DAMAGED, "what has come is damaged; see the kernel log, and make it anew" },
	{ KHO_UNSUPPORTED,
	  "its version, seals or size are not known here; use the same libkho on both sides" },
	{ KHO_NO_MEMORY, "there is no memory; free some and try again" },
	{ KHO_NO_SPACE,
	  "there is no room; use another session or, if a kernel is loaded, more --late-room" },
	{ KHO_NO_DESCRIPTOR, "too many descriptors are open; close some, or raise RLIMIT_NOFILE" },
	{ KHO_SYSTEM, "a call of the system has failed; see errno" },
};

const char *kho_strerror(enum kho_error error)
{
	const size_t count = sizeof(kho_sentences) / sizeof(struct kho_sentence);

	for (size_t i = 0; i < count; i++)
		if (kho_sentences[i].error == error)
			return kho_sentences[i].text;
	return "an error that this version of libkho does not know; use a newer one";
}

/**
 * kho_fail() - the end of a call that failed
 * @error: how
 * @err: the errno that the caller is to see
 *
 * Return: @error.
 */
enum kho_error kho_fail(enum kho_error error, int err)
{
	errno = err;
	return error;
}

/**
 * kho_fail_errno() - an errno that means the same wherever it comes from
 * @err: the errno
 *
 * Return: what it means.
 */
enum kho_error kho_fail_errno(int err)
{
	switch (err) {
	case ENOMEM:
		return kho_fail(KHO_NO_MEMORY, err);
	case ENOSPC:
		return kho_fail(KHO_NO_SPACE, err);
	case EMFILE:
	case ENFILE:
		return kho_fail(KHO_NO_DESCRIPTOR, err);
	case EACCES:
	case EPERM:
		return kho_fail(KHO_PERMISSION, err);
	case EIO:
		return kho_fail(KHO_DAMAGED, err);
	case EOPNOTSUPP:
	case EFBIG:
		return kho_fail(KHO_UNSUPPORTED, err);
	default:
		return kho_fail(KHO_SYSTEM, err);
	}
}
