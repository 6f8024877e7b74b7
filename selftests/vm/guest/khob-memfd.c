// SPDX-License-Identifier: GPL-2.0-only
/*
 * khob-memfd: hands memfds of all kinds over through /dev/liveupdate, and looks in the next kernel
 * whether each is what it was, whether it is a memfd like any other, and whether all that the
 * kernel counts of it is what it counts of a memfd that was made there.
 *
 *   khob-memfd preserve    makes, preserves, tries what must fail, and stays with them
 *   khob-memfd retrieve    in the next kernel
 *   khob-memfd look        opens the device and closes it
 *
 * One is of huge pages, where /sys/kernel/mm/transparent_hugepage/shmem_enabled says "advise".
 */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../../../module/include/uapi/linux/liveupdate.h"

#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 0x8U
#endif
#ifndef F_SEAL_EXEC
#define F_SEAL_EXEC 0x20
#endif

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#define PAGE 4096L
#define SESSION "khob-memfd"

/* A memfd: pages that are @every apart are written, the last one up to its size. */
static const struct kind {
	const char *name;
	off_t size;
	long every;
	unsigned int seals;
	unsigned int flags;
	off_t pos;
	bool huge;
} kinds[] = {
	{ "dense", 300 * PAGE + 123, 1, 0, 0, 4711, false },
	{ "sparse", 1024 * PAGE, 97, 0, 0, 0, false },
	{ "empty", 0, 1, 0, 0, 5, false },
	{ "hole", 3 * PAGE, 1000000, 0, 0, 0, false },
	{ "sealed", 17 * PAGE, 1, F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE, 0, 0,
	  false },
	{ "grows", 2 * PAGE, 1, F_SEAL_SHRINK, 0, 0, false },
	{ "noexec", 5 * PAGE + 1, 1, F_SEAL_EXEC, MFD_NOEXEC_SEAL, 1, false },
	{ "large", 8192 * PAGE, 1, 0, 0, 8192 * PAGE, false },
	{ "huge", 1024 * PAGE, 1, 0, 0, 0, true },
};

static bool failed;

static void __attribute__((format(printf, 2, 3))) check(bool good, const char *format, ...)
{
	va_list args;

	failed |= !good;
	printf("%s ", good ? "ok" : "not ok");
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	printf("\n");
}

static int must(int ret, const char *what)
{
	if (ret < 0) {
		printf("not ok %s: %s\n", what, strerror(errno));
		exit(1);
	}
	return ret;
}

/* The byte at a place of a kind; a page's first is never 0. */
static unsigned char byte_at(size_t kind, off_t at)
{
	uint64_t x = (uint64_t)(at / 8) * 0x9e3779b97f4a7c15ULL + kind * 0x632be59bd9b4e019ULL + 1;

	x ^= x >> 29;
	return at % PAGE ? (unsigned char)(x >> (8 * (at % 8))) : (unsigned char)(x | 1);
}

static void fill_page(size_t kind, off_t at, unsigned char *page)
{
	for (long i = 0; i < PAGE; i++)
		page[i] = byte_at(kind, at + i);
}

static off_t part(const struct kind *k, off_t at)
{
	return k->size - at < PAGE ? k->size - at : PAGE;
}

/* What the kernel counts, in KiB. */
struct counts {
	long shmem, huge, committed;
};

static long meminfo(const char *text, const char *name)
{
	const char *at = strstr(text, name);

	return at ? strtol(at + strlen(name), NULL, 10) : -1;
}

static struct counts counts(void)
{
	char text[8192];
	int fd;
	ssize_t n;

	/* Each CPU counts by itself first. */
	fd = open("/proc/sys/vm/stat_refresh", O_RDONLY);
	if (fd >= 0) {
		if (read(fd, text, sizeof(text)) < 0)
			perror("stat_refresh");
		close(fd);
	}
	fd = must(open("/proc/meminfo", O_RDONLY), "meminfo");
	n = read(fd, text, sizeof(text) - 1);
	close(fd);
	text[n > 0 ? n : 0] = '\0';
	return (struct counts){ meminfo(text, "\nShmem:"), meminfo(text, "\nShmemHugePages:"),
				meminfo(text, "\nCommitted_AS:") };
}

/* In whole huge pages, where the kernel has some left. */
static void touch_huge(int fd, size_t size)
{
	/* A mapping is aligned to huge pages if it is large enough to be. */
	const size_t huge = 512 * PAGE;
	char *room = mmap(NULL, size + huge, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	char *at = room + (huge - (uintptr_t)room % huge) % huge;

	if (room == MAP_FAILED || mmap(at, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED,
				       fd, 0) == MAP_FAILED)
		must(-1, "mmap");
	must(madvise(at, size, MADV_HUGEPAGE), "MADV_HUGEPAGE");
	for (size_t i = 0; i < size; i += PAGE)
		at[i] = 1;
	munmap(room, size + huge);
}

static int make(size_t n)
{
	const struct kind *k = &kinds[n];
	int fd = memfd_create(k->name, MFD_ALLOW_SEALING | k->flags);
	unsigned char page[PAGE];

	/* Older kernels do not know that flag. */
	if (fd < 0 && errno == EINVAL && k->flags)
		fd = memfd_create(k->name, MFD_ALLOW_SEALING);
	must(fd, k->name);
	must(ftruncate(fd, k->size), "ftruncate");
	if (k->huge)
		touch_huge(fd, (size_t)k->size);
	for (off_t at = 0; at < k->size; at += k->every * PAGE) {
		if (k->every > k->size / PAGE)
			break;
		fill_page(n, at, page);
		if (pwrite(fd, page, (size_t)part(k, at), at) != part(k, at))
			must(-1, "pwrite");
	}
	must((int)lseek(fd, k->pos, SEEK_SET), "lseek");
	if (k->seals & ~F_SEAL_EXEC)
		must(fcntl(fd, F_ADD_SEALS, k->seals & ~F_SEAL_EXEC), "F_ADD_SEALS");
	return fd;
}

static bool is_sealed(const struct kind *k)
{
	return k->seals & F_SEAL_WRITE;
}

/* What must fail as long as it is preserved, and what must not. */
static void try_frozen(size_t n, int fd)
{
	const struct kind *k = &kinds[n];
	unsigned char byte = byte_at(n, 0);

	check(ftruncate(fd, k->size + PAGE) && errno == EPERM, "%s does not grow", k->name);
	if (k->size)
		check(ftruncate(fd, k->size - 1) && errno == EPERM, "%s does not shrink", k->name);
	check(fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, PAGE) && errno == EPERM,
	      "%s is not punched", k->name);
	check(fallocate(fd, 0, k->size, PAGE) && errno == EPERM, "%s gets no pages", k->name);
	check(pwrite(fd, &byte, 1, k->size + PAGE) < 0 && errno == EPERM,
	      "%s is not written beyond its end", k->name);
	if (k->size && k->every == 1 && !is_sealed(k))
		check(pwrite(fd, &byte, 1, 0) == 1, "%s is written", k->name);
}

static int open_device(void)
{
	return must(open("/dev/liveupdate", O_RDWR | O_CLOEXEC), "/dev/liveupdate");
}

static int open_session(int device, unsigned long cmd)
{
	/* Both ioctls take the same. */
	struct liveupdate_ioctl_create_session arg = { .size = sizeof(arg), .name = SESSION };

	must(ioctl(device, cmd, &arg), "a session");
	return arg.fd;
}

static void try_unpreserve(int device)
{
	struct liveupdate_ioctl_create_session arg = { .size = sizeof(arg),
						       .name = "khob-memfd-short" };
	struct liveupdate_session_preserve_fd file = { .size = sizeof(file), .fd = make(0) };

	must(ioctl(device, LIVEUPDATE_IOCTL_CREATE_SESSION, &arg), "a short session");
	must(ioctl(arg.fd, LIVEUPDATE_SESSION_PRESERVE_FD, &file), "preserve for a short time");
	try_frozen(0, file.fd);
	close(arg.fd);
	check(fcntl(file.fd, F_GET_SEALS) == 0, "seals are as they were");
	check(!ftruncate(file.fd, 100 * PAGE), "it shrinks again");
	check(!fallocate(file.fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, PAGE),
	      "it is punched again");
	close(file.fd);
}

static int preserve(void)
{
	int device = open_device(), session, fds[ARRAY_SIZE(kinds)];
	const long huge = counts().huge;

	try_unpreserve(device);
	session = open_session(device, LIVEUPDATE_IOCTL_CREATE_SESSION);
	for (size_t n = 0; n < ARRAY_SIZE(kinds); n++) {
		struct liveupdate_session_preserve_fd arg = { .size = sizeof(arg), .fd = make(n),
							      .token = 100 + n };

		fds[n] = arg.fd;
		check(!ioctl(session, LIVEUPDATE_SESSION_PRESERVE_FD, &arg), "%s is preserved", kinds[n].name);
		try_frozen(n, fds[n]);
	}
	check(counts().huge - huge == 4096, "ShmemHugePages %+ld KiB", counts().huge - huge);
	/* Only the position at the very end counts. */
	must((int)lseek(fds[1], 77, SEEK_SET), "lseek");
	close(device);
	fflush(stdout);
	if (failed || must(fork(), "fork"))
		return failed;
	setsid();
	close(0);
	close(1);
	close(2);
	for (;;)
		pause();
}

static void check_counts(struct counts before, long pages, const char *when)
{
	struct counts now = counts();

	check(now.shmem - before.shmem == 4 * pages, "%s: Shmem %+ld KiB, %+ld pages", when,
	      now.shmem - before.shmem, pages);
	check(now.committed - before.committed == 4 * pages, "%s: Committed_AS %+ld KiB, %+ld pages",
	      when, now.committed - before.committed, pages);
}

static long pages_of(const struct kind *k)
{
	return (long)((k->size + PAGE - 1) / PAGE);
}

static void check_bytes(size_t n, int fd)
{
	const struct kind *k = &kinds[n];
	unsigned char page[PAGE], wanted[PAGE];
	const long every = k->every > pages_of(k) ? 0 : k->every;
	long bad = 0;

	for (off_t at = 0; at < k->size; at += PAGE) {
		memset(wanted, 0, sizeof(wanted));
		if (every && at / PAGE % every == 0)
			fill_page(n, at, wanted);
		if (pread(fd, page, PAGE, at) != part(k, at) ||
		    memcmp(page, wanted, (size_t)part(k, at)))
			bad++;
	}
	check(!bad, "%s: %ld of %ld pages differ", k->name, bad, pages_of(k));
}

static void check_properties(size_t n, int fd)
{
	const struct kind *k = &kinds[n];
	int seals = fcntl(fd, F_GET_SEALS);
	/* F_SEAL_EXEC only where the kernel that made it knows that. */
	bool old = (k->flags & MFD_NOEXEC_SEAL) && !(seals & F_SEAL_EXEC);
	struct stat st;

	must(fstat(fd, &st), "fstat");
	check(st.st_size == k->size, "%s: size %ld", k->name, (long)st.st_size);
	check(st.st_blocks == 8 * pages_of(k), "%s: %ld blocks", k->name, (long)st.st_blocks);
	check(seals == (int)(old ? 0 : k->seals), "%s: seals %#x", k->name, seals);
	check(lseek(fd, 0, SEEK_CUR) == (n == 1 ? 77 : k->pos), "%s: position %ld", k->name,
	      (long)lseek(fd, 0, SEEK_CUR));
	if (k->flags && !old)
		check(!(st.st_mode & 0111), "%s: mode %o", k->name, st.st_mode & 07777);
	check((fcntl(fd, F_GETFL) & O_ACCMODE) == O_RDWR, "%s: open for both", k->name);
}

/* It can be mapped and written, cut, punched and extended, or is sealed against that. */
static long try_use(size_t n, int fd, struct counts before, long pages)
{
	const struct kind *k = &kinds[n];
	unsigned char byte = 0;
	struct stat st;
	void *map;

	if (is_sealed(k)) {
		check(pwrite(fd, &byte, 1, 0) < 0 && errno == EPERM, "%s is not written", k->name);
		map = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
		check(map == MAP_FAILED && errno == EPERM, "%s is not mapped for writing", k->name);
		check(ftruncate(fd, 0) && errno == EPERM, "%s is not cut", k->name);
		return pages;
	}
	if (n)
		return pages;
	map = mmap(NULL, (size_t)k->size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	check(map != MAP_FAILED, "%s is mapped", k->name);
	if (map == MAP_FAILED)
		return pages;
	check(((unsigned char *)map)[k->size] == 0, "%s: nothing behind its end", k->name);
	memset(map, 0x5a, (size_t)k->size);
	check(pread(fd, &byte, 1, 200 * PAGE) == 1 && byte == 0x5a, "%s is written", k->name);
	munmap(map, (size_t)k->size);
	check(!ftruncate(fd, 200 * PAGE), "%s is cut", k->name);
	pages -= 101;
	check_counts(before, pages, "cut");
	check(!fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 10 * PAGE, 50 * PAGE),
	      "%s is punched", k->name);
	pages -= 50;
	check_counts(before, pages, "punched");
	check(!fallocate(fd, 0, 0, 250 * PAGE), "%s is filled", k->name);
	pages += 100;
	check_counts(before, pages, "filled");
	must(fstat(fd, &st), "fstat");
	check(st.st_blocks == 250 * 8, "%s: %ld blocks", k->name, (long)st.st_blocks);
	check(!fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_GROW), "%s is sealed", k->name);
	return pages;
}

static int retrieve(void)
{
	int device = open_device(), session = open_session(device, LIVEUPDATE_IOCTL_RETRIEVE_SESSION);
	struct liveupdate_session_finish finish = { .size = sizeof(finish) };
	struct counts before = counts();
	int fds[ARRAY_SIZE(kinds)];
	long pages = 0;

	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		/* In any order. */
		size_t n = (i + 3) % ARRAY_SIZE(kinds);
		struct liveupdate_session_retrieve_fd arg = { .size = sizeof(arg),
							      .token = 100 + n };

		must(ioctl(session, LIVEUPDATE_SESSION_RETRIEVE_FD, &arg), kinds[n].name);
		fds[n] = arg.fd;
		pages += pages_of(&kinds[n]);
		check_counts(before, pages, kinds[n].name);
		check_properties(n, fds[n]);
	}
	for (size_t n = 0; n < ARRAY_SIZE(kinds); n++) {
		check_bytes(n, fds[n]);
		pages = try_use(n, fds[n], before, pages);
	}
	check_counts(before, pages, "used");
	check(counts().huge - before.huge == 4096, "ShmemHugePages %+ld KiB",
	      counts().huge - before.huge);
	check(!ioctl(session, LIVEUPDATE_SESSION_FINISH, &finish), "finish");
	for (size_t n = 0; n < ARRAY_SIZE(kinds); n++)
		close(fds[n]);
	check_counts(before, 0, "closed");
	check(counts().huge == before.huge, "closed: ShmemHugePages");
	close(session);
	close(device);
	return failed;
}

int main(int argc, char **argv)
{
	const char *what = argc == 2 ? argv[1] : "";
	static char said[BUFSIZ];

	/* No memory of the heap: it would be counted. */
	setvbuf(stdout, said, _IOFBF, sizeof(said));
	if (!strcmp(what, "preserve"))
		return preserve();
	if (!strcmp(what, "retrieve"))
		return retrieve();
	if (!strcmp(what, "look"))
		return close(open_device());
	fprintf(stderr, "khob-memfd preserve|retrieve|look\n");
	return 2;
}
