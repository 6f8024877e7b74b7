// SPDX-License-Identifier: GPL-2.0-only
/*
 * What most programs do with sessions: one file that goes from kernel to kernel.
 */
#include <errno.h>
#include <sys/mman.h>
#include <unistd.h>

#include "internal.h"

enum kho_error kho_memfd(const char *name, uint64_t size, int *fd)
{
	int kept;

	*fd = -1;
	if (size > INT64_MAX)
		return kho_fail(KHO_INVALID, EFBIG);
	/*
	 * Not MFD_NOEXEC_SEAL: upstream's LUO gives a file that has it back sealed against writing.
	 */
	*fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (*fd < 0)
		return errno == EINVAL || errno == EFAULT ? kho_fail(KHO_INVALID, errno) :
							    kho_fail_errno(errno);
	if (!ftruncate(*fd, (off_t)size))
		return KHO_OK;
	kept = errno;
	close(*fd);
	*fd = -1;
	return kho_fail_errno(kept);
}

/* The file is out of the kernel's books before it can be put into others. */
static enum kho_error kho_keep_take(const char *session, const char *file, struct kho_kept *kept)
{
	struct kho_session *old;
	enum kho_error err = kho_session_retrieve(session, &old);

	if (err)
		return err;
	err = kho_session_get(old, file, &kept->fd);
	if (err) {
		kept->session = old;
		return err;
	}
	kept->found = true;
	err = kho_session_finish(old);
	kho_session_close(old);
	return err;
}

static enum kho_error kho_keep_put(const char *session, const char *file, struct kho_kept *kept)
{
	enum kho_error err = kho_session_create(session, &kept->session);

	if (err)
		return err;
	err = kho_session_put(kept->session, file, kept->fd);
	if (err) {
		kho_session_close(kept->session);
		kept->session = NULL;
	}
	return err;
}

enum kho_error kho_keep(const char *session, const char *file, uint64_t size,
			struct kho_kept *kept)
{
	enum kho_error err, made;

	*kept = (struct kho_kept){ .fd = -1 };
	if (!file || !kho_index_name_good(file))
		return kho_fail(KHO_INVALID, EINVAL);
	err = kho_keep_take(session, file, kept);
	if (kept->session)
		return err;
	if (!kept->found && (err == KHO_NOT_FOUND || err == KHO_NO_DEVICE)) {
		int why = errno;

		made = kho_memfd(file, size, &kept->fd);
		if (made)
			return made;
		if (err == KHO_NO_DEVICE)
			return kho_fail(err, why);
		err = KHO_OK;
	}
	return err ? err : kho_keep_put(session, file, kept);
}
