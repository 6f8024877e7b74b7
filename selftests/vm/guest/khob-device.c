// SPDX-License-Identifier: GPL-2.0-only
/*
 * khob-device: drives /dev/kho_bridge as a program that is not khoctl would, by its header
 * alone: what khoctl never does, and what it must not be allowed to. A line a check.
 * "khob-device powerless": what it can do without capabilities, with files that were open
 * before; "lockdown": in a kernel that is locked down, which it sees to; "watch COMMAND":
 * whether poll() tells of what that does.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../../../module/include/uapi/linux/kho_bridge.h"

#define BLOB 5000

static int failures;

static void check(bool good, const char *what)
{
	printf("%s %s%s%s\n", good ? "ok" : "not ok", what, good ? "" : ": errno ",
	       good ? "" : strerror(errno));
	failures += !good;
}

static bool fails_with(int ret, int error)
{
	return ret < 0 && errno == error;
}

static bool said(int fd, const char *words)
{
	struct kho_bridge_refusal refusal = { .size = sizeof(refusal) };

	if (ioctl(fd, KHO_BRIDGE_REFUSAL, &refusal))
		return false;
	if (strstr(refusal.sentence, words))
		return true;
	printf("# it says: %s\n", refusal.sentence);
	return false;
}

/* Programs of another age know another struct. */
static void sizes(int fd)
{
	struct {
		struct kho_bridge_status status;
		char more[64];
	} s = { .status.size = sizeof(s) };
	struct kho_bridge_abi abi = { .size = 8 };
	struct kho_bridge_progress progress = { .size = sizeof(progress), .done = 1, .all = 1 };

	check(!ioctl(fd, KHO_BRIDGE_STATUS, &s) && s.status.size == sizeof(s) &&
	      s.status.version[0], "status into a larger struct");
	s.more[5] = 1;
	check(fails_with(ioctl(fd, KHO_BRIDGE_STATUS, &s), E2BIG) && said(fd, "does not know"),
	      "a field that nobody knows");
	check(fails_with(ioctl(fd, KHO_BRIDGE_SET_ABI, &abi), EINVAL) && said(fd, "too small"),
	      "a struct that is too small");
	abi.size = 1 << 20;
	check(fails_with(ioctl(fd, KHO_BRIDGE_SET_ABI, &abi), E2BIG), "one that is too large");
	check(fails_with(ioctl(fd, KHO_BRIDGE_STATUS, NULL), EFAULT) && said(fd, "address"),
	      "a struct that is nowhere");
	check(fails_with(ioctl(fd, _IO(KHO_BRIDGE_TYPE, 0xff), &abi), ENOTTY) &&
	      said(fd, "does not know"), "an ioctl that nobody knows");
	check(fails_with(ioctl(fd, _IO(0xbd, 0), &abi), ENOTTY), "one of another device");
	check(fails_with(ioctl(fd, KHO_BRIDGE_SCRATCH_GIVE, &abi), EINVAL),
	      "an argument where none is");
	check(!ioctl(fd, KHO_BRIDGE_PROGRESS, &progress) && !progress.all,
	      "nobody attaches now");
}

static bool same_list(int fd, const char *all, size_t len, size_t piece)
{
	char part[64];
	size_t at = 0;
	ssize_t n;

	if (lseek(fd, 0, SEEK_SET))
		return false;
	while ((n = read(fd, part, piece)) > 0) {
		if (at + n > len || memcmp(all + at, part, n))
			return false;
		at += n;
	}
	return !n && at == len;
}

static ssize_t read_list(int fd, __u32 what, void *all, size_t len)
{
	struct kho_bridge_open open = { .size = sizeof(open), .what = what };
	int list = ioctl(fd, KHO_BRIDGE_OPEN, &open);
	ssize_t n = read(list, all, len);

	close(list);
	return n;
}

static bool extents_are_ranges(int fd)
{
	static struct kho_bridge_extent extents[1 << 14];
	static struct kho_bridge_range ranges[1 << 14];
	ssize_t nr_extents = read_list(fd, KHO_BRIDGE_OUT_EXTENTS, extents, sizeof(extents));
	ssize_t nr_ranges = read_list(fd, KHO_BRIDGE_OUT_RANGES, ranges, sizeof(ranges));
	__u64 held = 0, preserved = 0;

	if (nr_extents <= 0 || nr_ranges <= 0)
		return false;
	nr_extents /= sizeof(*extents);
	nr_ranges /= sizeof(*ranges);
	for (ssize_t i = 0; i < nr_extents; i++)
		held += extents[i].bytes;
	for (ssize_t i = 0; i < nr_ranges; i++)
		preserved += ranges[i].end - ranges[i].start;
	return held == preserved && nr_extents <= nr_ranges &&
	       extents[0].start == ranges[0].start &&
	       extents[nr_extents - 1].end == ranges[nr_ranges - 1].end;
}

/* Lists at any speed, from any place. */
static void lists(int fd)
{
	struct kho_bridge_open open = { .size = sizeof(open), .what = KHO_BRIDGE_OUT_KEYS };
	static char all[1 << 20];
	int list = ioctl(fd, KHO_BRIDGE_OPEN, &open);
	ssize_t len = read(list, all, sizeof(all));

	check(list >= 0 && len > 64 && !(len % 8), "keys in one go");
	check(same_list(list, all, len, 1), "keys byte by byte");
	check(same_list(list, all, len, 13), "keys in odd pieces");
	check(lseek(list, 0, SEEK_END) == len, "how long the list is");
	check(pread(list, all, 8, len - 8) == 8 && !pread(list, all, 8, len), "its end");
	check(fails_with(write(list, all, 8), EBADF), "it cannot be written");
	close(list);
	check(extents_are_ranges(fd), "extents have as much as ranges, in no more pieces");
	open.what = KHO_BRIDGE_OUT_EXTENTS + 1;
	check(fails_with(ioctl(fd, KHO_BRIDGE_OPEN, &open), EINVAL) && said(fd, "not known"),
	      "a list that nobody knows");
	open.what = KHO_BRIDGE_IN_SUBTREE;
	strcpy(open.name, "nobody");
	check(fails_with(ioctl(fd, KHO_BRIDGE_OPEN, &open), ENOENT) && said(fd, "nobody"),
	      "a subtree that is not there");
}

static int target(int fd, unsigned long request, const char *name)
{
	struct kho_bridge_target t = { .size = sizeof(t), .what = KHO_BRIDGE_SUBTREE };

	strcpy(t.name, name);
	return ioctl(fd, request, &t);
}

/* A blob that is written through a mapping, and is nobody else's as long as that is there. */
static void mapping(int fd)
{
	struct kho_bridge_put put = { .size = sizeof(put), .len = BLOB, .name = "mapped" };
	struct kho_bridge_scratch scratch = { .size = sizeof(scratch), .bytes = 1 << 20,
					      .align = 4096, .node = KHO_BRIDGE_NODE_ANY };
	int blob = ioctl(fd, KHO_BRIDGE_PUT, &put);
	char back[16] = "";
	char *at;

	check(blob >= 0, "put");
	check(fails_with(ioctl(fd, KHO_BRIDGE_PUT, &put), EEXIST), "put of the same name");
	check(mmap(NULL, BLOB, PROT_READ, MAP_PRIVATE, blob, 0) == MAP_FAILED, "not privately");
	check(mmap(NULL, 3 * 4096, PROT_READ, MAP_SHARED, blob, 0) == MAP_FAILED, "not beyond it");
	check(mmap(NULL, 4096, PROT_READ, MAP_SHARED, blob, 4 * 4096) == MAP_FAILED,
	      "nor behind it");
	at = mmap(NULL, BLOB, PROT_READ | PROT_WRITE, MAP_SHARED, blob, 0);
	check(at != MAP_FAILED, "mmap");
	if (at == MAP_FAILED)
		return;
	strcpy(at + 4090, "across a page");
	check(pread(blob, back, 14, 4090) == 14 && !strcmp(back, "across a page"),
	      "what is written there is read");
	check(fails_with(target(fd, KHO_BRIDGE_UNPRESERVE, "mapped"), EBUSY) && said(fd, "mapped"),
	      "it stays while it is mapped");
	check(fails_with(ioctl(fd, KHO_BRIDGE_SCRATCH_TAKE, &scratch), EBUSY) &&
	      said(fd, "mapped for writing"), "nothing is frozen while it is mapped");
	close(blob);
	if (!fork()) {
		munmap(at, BLOB);
		_exit(0);
	}
	wait(NULL);
	check(fails_with(target(fd, KHO_BRIDGE_UNPRESERVE, "mapped"), EBUSY),
	      "a child that had it too is gone");
	munmap(at, BLOB);
	check(!target(fd, KHO_BRIDGE_UNPRESERVE, "mapped"), "and then it goes");
}

static bool changed(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };

	return poll(&p, 1, 0) == 1;
}

static void events(int fd)
{
	struct kho_bridge_status s = { .size = sizeof(s) };
	struct kho_bridge_preserve preserve = { .size = sizeof(preserve), .pages = 1 };
	int other = open("/dev/kho_bridge", O_RDWR);

	check(!ioctl(fd, KHO_BRIDGE_STATUS, &s) && !changed(fd), "nothing has changed");
	check(!ioctl(other, KHO_BRIDGE_PRESERVE, &preserve) && changed(fd), "something has");
	check(!ioctl(fd, KHO_BRIDGE_STATUS, &s) && !changed(fd), "that was seen");
	close(other);
}

static __u32 state(int fd)
{
	struct kho_bridge_image image = { .size = sizeof(image) };

	return ioctl(fd, KHO_BRIDGE_IMAGE, &image) ? 99 : image.state;
}

/* A freeze is the file's that has asked for it. */
static void freezing(int fd)
{
	struct kho_bridge_scratch scratch = { .size = sizeof(scratch), .bytes = 1 << 20,
					      .align = 4096, .node = KHO_BRIDGE_NODE_ANY };
	struct kho_bridge_image image = { .size = sizeof(image) };
	int other = open("/dev/kho_bridge", O_RDWR), copy;

	check(!ioctl(other, KHO_BRIDGE_SCRATCH_TAKE, &scratch) && scratch.pa &&
	      state(fd) == KHO_BRIDGE_IMAGE_LOADING, "one freezes");
	check(!ioctl(fd, KHO_BRIDGE_IMAGE, &image) && image.pid == (__u32)getpid() &&
	      !strcmp(image.comm, "khob-device"), "and is known");
	check(fails_with(ioctl(fd, KHO_BRIDGE_SCRATCH_TAKE, &scratch), EBUSY) &&
	      said(fd, "is loading"), "another takes nothing");
	check(fails_with(ioctl(fd, KHO_BRIDGE_SCRATCH_GIVE, 0), EBUSY), "and gives nothing");
	check(fails_with(ioctl(fd, KHO_BRIDGE_LOADED, 0), EBUSY), "nor says that it is done");
	check(fails_with(ioctl(other, KHO_BRIDGE_LOADED, 0), ENOENT) &&
	      said(other, "no kernel"), "nor is it before a kernel is loaded");
	copy = dup(other);
	close(other);
	check(state(fd) == KHO_BRIDGE_IMAGE_LOADING, "a copy of it keeps it");
	close(copy);
	check(state(fd) == KHO_BRIDGE_IMAGE_NONE, "with the last it is thawed");
}

/* Everything that an open file is good for, by somebody who may not. */
static void nothing_goes(int fd, int list)
{
	static const struct {
		unsigned long request;
		size_t size;
	} all[] = {
		{ KHO_BRIDGE_STATUS, sizeof(struct kho_bridge_status) },
		{ KHO_BRIDGE_OPEN, sizeof(struct kho_bridge_open) },
		{ KHO_BRIDGE_SET_ABI, sizeof(struct kho_bridge_abi) },
		{ KHO_BRIDGE_PRESERVE, sizeof(struct kho_bridge_preserve) },
		{ KHO_BRIDGE_UNPRESERVE, sizeof(struct kho_bridge_target) },
		{ KHO_BRIDGE_COMPACT, sizeof(struct kho_bridge_compact) },
		{ KHO_BRIDGE_PUT, sizeof(struct kho_bridge_put) },
		{ KHO_BRIDGE_SCRATCH_TAKE, sizeof(struct kho_bridge_scratch) },
		{ KHO_BRIDGE_SCRATCH_KERNEL, 0 },
		{ KHO_BRIDGE_SCRATCH_GIVE, 0 },
		{ KHO_BRIDGE_IMAGE, sizeof(struct kho_bridge_image) },
		{ KHO_BRIDGE_PROGRESS, sizeof(struct kho_bridge_progress) },
		{ KHO_BRIDGE_ATTACH, sizeof(struct kho_bridge_attach) },
		{ KHO_BRIDGE_RESTORE, sizeof(struct kho_bridge_target) },
		{ KHO_BRIDGE_RELEASE, sizeof(struct kho_bridge_target) },
		{ KHO_BRIDGE_LOADED, 0 },
	};
	static __u32 arg[1024];

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		char name[32];

		snprintf(name, sizeof(name), "ioctl %zu", i);
		arg[0] = all[i].size;
		check(fails_with(ioctl(fd, all[i].request, all[i].size ? arg : NULL), EPERM) &&
		      said(fd, "CAP_SYS_ADMIN"), name);
	}
	check(fails_with(read(list, arg, 8), EPERM), "read");
	check(fails_with(open("/dev/kho_bridge", O_RDWR), EPERM), "open again");
}

static void powerless(int fd, int list)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct none[2] = {};

	check(!syscall(SYS_capset, &header, none), "without capabilities");
	nothing_goes(fd, list);
}

static void locked_down(int fd, int list)
{
	static const char level[] = "integrity\n";
	int lock = open("/sys/kernel/security/lockdown", O_WRONLY);

	check(write(lock, level, strlen(level)) > 0, "lock down");
	nothing_goes(fd, list);
}

/* Whether what somebody else does, as a command of the shell's, is noticed. */
static void watch(int fd, const char *command)
{
	struct kho_bridge_status s = { .size = sizeof(s) };

	check(!ioctl(fd, KHO_BRIDGE_STATUS, &s) && !changed(fd), "nothing has changed");
	check(!system(command), command);
	check(changed(fd), "something has");
}

int main(int argc, char **argv)
{
	struct kho_bridge_open keys = { .size = sizeof(keys), .what = KHO_BRIDGE_OUT_KEYS };
	int fd = open("/dev/kho_bridge", O_RDWR | O_CLOEXEC);

	check(fd >= 0, "open");
	if (fd < 0)
		return 1;
	if (argc > 1) {
		int list = ioctl(fd, KHO_BRIDGE_OPEN, &keys);

		if (argc > 2) {
			watch(fd, argv[2]);
			return failures ? 1 : 0;
		}
		(strcmp(argv[1], "lockdown") ? powerless : locked_down)(fd, list);
		return failures ? 1 : 0;
	}
	sizes(fd);
	lists(fd);
	mapping(fd);
	events(fd);
	freezing(fd);
	return failures ? 1 : 0;
}
