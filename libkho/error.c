// SPDX-License-Identifier: GPL-2.0-only
/*
 * Errors: what errnos mean, and sentences.
 */
#include <errno.h>

#include "internal.h"

/* By value; each names a cause and, behind the semicolon, what to do. */
static const char *const kho_sentences[] = {
	[KHO_OK] = "all is well; there is nothing to do",
	[KHO_INVALID] = "an argument cannot be; give a name that is not empty, fits and has no "
			"control characters, and a descriptor that is open",
	[KHO_NO_DEVICE] = "there is no /dev/liveupdate; load kho_luo (modprobe kho_luo), or boot a "
			  "kernel that has a LUO with liveupdate=on",
	[KHO_PERMISSION] = "/dev/liveupdate may not be opened; run as root",
	[KHO_BUSY] = "/dev/liveupdate stays busy: somebody else has it open, or a kernel was loaded "
		     "before what came was taken; try again, or unload the kernel (khoctl unload)",
	[KHO_LOADED] = "a kernel is loaded, and gets what there was when it was; unload it (khoctl "
		       "unload), try again, and load it again",
	[KHO_EXISTS] = "the name is taken; choose another, or close the session that has it",
	[KHO_NOT_FOUND] = "the kernel before has left nothing of that name; make it anew, or attach "
			  "what it has left first (khoctl attach)",
	[KHO_TAKEN] = "the session is open already; close it where it is open, or use it there",
	[KHO_WRONG_SIDE] = "a session that was made here is only put into, and one of the kernel "
			   "before only got from; use one of the other kind",
	[KHO_PRESERVED] = "the file is handed over already, or its old session is not finished; "
			  "finish or close that session first",
	[KHO_NOT_MEMFD] = "only memfds can be handed over, and none of hugetlb; copy what is to be "
			  "kept into one",
	[KHO_FOREIGN] = "the session was not made by libkho; use the program that has made it, and "
			"keep the session open until then",
	[KHO_DAMAGED] = "what the kernel before has left is damaged; see the kernel log, and give "
			"it up (close the session, or khoctl release all)",
	[KHO_UNSUPPORTED] = "it has a version, seals or a size that are not known here; use the same "
			    "version on both sides, without those seals",
	[KHO_NO_MEMORY] = "no memory; free some and try again",
	[KHO_NO_SPACE] = "there is no room for more; use another session",
	[KHO_NO_DESCRIPTOR] = "too many descriptors are open; close some or raise RLIMIT_NOFILE",
	[KHO_SYSTEM] = "a call of the system failed; errno says why",
};

const char *kho_strerror(enum kho_error error)
{
	size_t at = (size_t)error;

	if (at >= sizeof(kho_sentences) / sizeof(kho_sentences[0]))
		return "an error that this version of libkho does not know; use a newer one";
	return kho_sentences[at];
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
