// SPDX-License-Identifier: GPL-2.0-only
/*
 * /dev/liveupdate: its ioctls, and what their errnos mean. Nobody has it open for longer than one
 * ioctl takes, as it is one opener's at a time.
 */
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "device.h"
#include "internal.h"
#include "uapi/linux/liveupdate.h"

#define KHO_DEVICE "/dev/liveupdate"
#define KHO_DEVICE_STEP_MS 10

static_assert(sizeof(((struct liveupdate_session_get_name *)0)->name) == KHO_SESSION_NAME_MAX + 1,
	      "names fit");

/* Whoever has it open mostly has it for as long as we would. */
static int kho_device_open(void)
{
	const struct timespec step = { 0, KHO_DEVICE_STEP_MS * 1000000L };
	int fd = open(KHO_DEVICE, O_RDWR | O_CLOEXEC);

	for (int waited = 0; fd < 0 && errno == EBUSY && waited < KHO_DEVICE_WAIT_MS;
	     waited += KHO_DEVICE_STEP_MS) {
		nanosleep(&step, NULL);
		fd = open(KHO_DEVICE, O_RDWR | O_CLOEXEC);
	}
	return fd;
}

static enum kho_error kho_device_open_error(int err)
{
	switch (err) {
	case ENOENT:
	case ENODEV:
	case ENXIO:
		return kho_fail(KHO_NO_DEVICE, err);
	case EBUSY:
		return kho_fail(KHO_BUSY, err);
	default:
		return kho_fail_errno(err);
	}
}

static enum kho_error kho_device_session_error(int err, bool came)
{
	switch (err) {
	case EEXIST:
		return kho_fail(KHO_EXISTS, err);
	case ENOENT:
		return kho_fail(KHO_NOT_FOUND, err);
	case EBUSY:
		return kho_fail(KHO_LOADED, err);
	case EINVAL:
		/* Its name was looked at before. */
		return kho_fail(came ? KHO_TAKEN : KHO_SYSTEM, err);
	default:
		return kho_fail_errno(err);
	}
}

/**
 * kho_device_session() - open a session
 * @name: what it is called; 1 to KHO_SESSION_NAME_MAX bytes
 * @came: true for one of the kernel before, false to make one
 * @fd: the session
 *
 * Return: KHO_OK or what keeps it.
 */
enum kho_error kho_device_session(const char *name, bool came, int *fd)
{
	/* Both ioctls take the same. */
	struct liveupdate_ioctl_create_session arg = { .size = sizeof(arg), .fd = -1 };
	int device = kho_device_open(), err = 0;

	if (device < 0)
		return kho_device_open_error(errno);
	memcpy(arg.name, name, strlen(name));
	if (ioctl(device, came ? LIVEUPDATE_IOCTL_RETRIEVE_SESSION :
				 LIVEUPDATE_IOCTL_CREATE_SESSION, &arg) < 0)
		err = errno;
	close(device);
	if (err)
		return kho_device_session_error(err, came);
	*fd = arg.fd;
	return KHO_OK;
}

/* Whether a kernel is loaded, which is one of two things that a file's EBUSY may mean. */
static bool kho_device_is_loaded(void)
{
	int fd = open("/sys/kernel/kexec_loaded", O_RDONLY | O_CLOEXEC);
	char said = '0';

	if (fd < 0)
		return false;
	if (read(fd, &said, 1) != 1)
		said = '0';
	close(fd);
	return said == '1';
}

/**
 * kho_device_preserve() - hand a file over
 * @session: one that was made here
 * @fd: the file
 * @token: what it is called
 *
 * Return: KHO_OK or what keeps it.
 */
enum kho_error kho_device_preserve(int session, int fd, uint64_t token)
{
	struct liveupdate_session_preserve_fd arg = { .size = sizeof(arg), .fd = fd,
						      .token = token };
	int err;

	if (!ioctl(session, LIVEUPDATE_SESSION_PRESERVE_FD, &arg))
		return KHO_OK;
	err = errno;
	switch (err) {
	case EBADF:
		return kho_fail(KHO_INVALID, err);
	case ENOENT:
		return kho_fail(KHO_NOT_MEMFD, err);
	case EBUSY:
		return kho_fail(kho_device_is_loaded() ? KHO_LOADED : KHO_PRESERVED, err);
	default:
		return kho_fail_errno(err);
	}
}

/**
 * kho_device_retrieve() - take a file of the kernel before over
 * @session: one of the kernel before
 * @token: what the file is called
 * @fd: the file
 *
 * Return: KHO_OK; KHO_NOT_FOUND; what keeps it.
 */
enum kho_error kho_device_retrieve(int session, uint64_t token, int *fd)
{
	struct liveupdate_session_retrieve_fd arg = { .size = sizeof(arg), .fd = -1,
						      .token = token };
	int err;

	if (!ioctl(session, LIVEUPDATE_SESSION_RETRIEVE_FD, &arg)) {
		*fd = arg.fd;
		return KHO_OK;
	}
	err = errno;
	switch (err) {
	case ENOENT:
		return kho_fail(KHO_NOT_FOUND, err);
	case EBUSY:
		return kho_fail(KHO_LOADED, err);
	case EINVAL:
		return kho_fail(KHO_DAMAGED, err);
	default:
		return kho_fail_errno(err);
	}
}

/**
 * kho_device_finish() - be done with a session of the kernel before
 * @session: which
 *
 * Return: KHO_OK or what keeps it.
 */
enum kho_error kho_device_finish(int session)
{
	struct liveupdate_session_finish arg = { .size = sizeof(arg) };

	if (!ioctl(session, LIVEUPDATE_SESSION_FINISH, &arg))
		return KHO_OK;
	return errno == EBUSY ? kho_fail(KHO_LOADED, errno) : kho_fail_errno(errno);
}
