/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Memfds of every kind, as khob-memfd makes them and others look for them: their bytes, what the
 * kernel counts of them, sessions.
 */
#ifndef KHOB_MEMFDS_H
#define KHOB_MEMFDS_H

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

/* A memfd: pages that are @every apart are written, the last one up to its size. */
static const struct kind {
	const char *name;
	off_t size;
	long every;
	unsigned int seals;
	unsigned int flags;
	off_t pos;
	enum { SINGLE, HUGE, SWAPPED } pages;
} kinds[] = {
	{ "dense", 300 * PAGE + 123, 1, 0, 0, 4711, SINGLE },
	{ "sparse", 1024 * PAGE, 97, 0, 0, 0, SINGLE },
	{ "empty", 0, 1, 0, 0, 5, SINGLE },
	{ "hole", 3 * PAGE, 1000000, 0, 0, 0, SINGLE },
	{ "sealed", 17 * PAGE, 1, F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE, 0, 0,
	  SINGLE },
	{ "grows", 2 * PAGE, 1, F_SEAL_SHRINK, 0, 0, SINGLE },
	{ "noexec", 5 * PAGE + 1, 1, F_SEAL_EXEC, MFD_NOEXEC_SEAL, 1, SINGLE },
	{ "large", 8192 * PAGE, 1, 0, 0, 8192 * PAGE, SINGLE },
	{ "huge", 1024 * PAGE, 1, 0, 0, 0, HUGE },
	{ "swapped", 512 * PAGE, 1, 0, 0, 0, SWAPPED },
	{ "giant", 262144 * PAGE, 61, 0, 0, 0, SINGLE },
};

static const char *session_name = "khob-memfd";
static bool failed;
/* They were preserved once a kernel was loaded. */
static bool late;

static inline void __attribute__((format(printf, 2, 3))) check(bool good, const char *format, ...)
{
	va_list args;

	failed |= !good;
	printf("%s ", good ? "ok" : "not ok");
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	printf("\n");
}

static inline int must(int ret, const char *what)
{
	if (ret < 0) {
		printf("not ok %s: %s\n", what, strerror(errno));
		exit(1);
	}
	return ret;
}

/* The byte at a place of a kind; a page's first is never 0. */
static inline unsigned char byte_at(size_t kind, off_t at)
{
	uint64_t x = (uint64_t)(at / 8) * 0x9e3779b97f4a7c15ULL + kind * 0x632be59bd9b4e019ULL + 1;

	x ^= x >> 29;
	return at % PAGE ? (unsigned char)(x >> (8 * (at % 8))) : (unsigned char)(x | 1);
}

static inline void fill_page(size_t kind, off_t at, unsigned char *page)
{
	for (long i = 0; i < PAGE; i++)
		page[i] = byte_at(kind, at + i);
}

static inline off_t part(const struct kind *k, off_t at)
{
	return k->size - at < PAGE ? k->size - at : PAGE;
}

/* What the kernel counts, in KiB. */
struct counts {
	long shmem, huge, committed, swap_free;
};

static inline long meminfo(const char *text, const char *name)
{
	const char *at = strstr(text, name);

	return at ? strtol(at + strlen(name), NULL, 10) : -1;
}

static inline struct counts counts(void)
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
				meminfo(text, "\nCommitted_AS:"),
				meminfo(text, "\nSwapFree:") };
}

/* In whole huge pages, where the kernel has some left. */
static inline void touch_huge(int fd, size_t size)
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

/* Half of it, as reclaim would. */
static inline void swap_out(int fd, size_t size)
{
	long before, after;
	void *map = mmap(NULL, size, PROT_READ, MAP_SHARED, fd, 0);

	if (map == MAP_FAILED)
		must(-1, "mmap");
	/* Only what is mapped is looked at. */
	for (size_t at = 0; at < size / 2; at += PAGE)
		(void)*(volatile char *)(map + at);
	before = counts().swap_free;
	must(madvise(map, size / 2, MADV_PAGEOUT), "MADV_PAGEOUT");
	after = counts().swap_free;
	munmap(map, size);
	check(before - after >= (long)size / 4096, "%ld KiB are swapped out", before - after);
}

static inline int make(size_t n)
{
	const struct kind *k = &kinds[n];
	int fd = memfd_create(k->name, MFD_ALLOW_SEALING | k->flags);
	unsigned char page[PAGE];

	/* Older kernels do not know that flag. */
	if (fd < 0 && errno == EINVAL && k->flags)
		fd = memfd_create(k->name, MFD_ALLOW_SEALING);
	must(fd, k->name);
	must(ftruncate(fd, k->size), "ftruncate");
	if (k->pages == HUGE)
		touch_huge(fd, (size_t)k->size);
	for (off_t at = 0; at < k->size; at += k->every * PAGE) {
		if (k->every > k->size / PAGE)
			break;
		fill_page(n, at, page);
		if (pwrite(fd, page, (size_t)part(k, at), at) != part(k, at))
			must(-1, "pwrite");
	}
	if (k->pages == SWAPPED)
		swap_out(fd, (size_t)k->size);
	must((int)lseek(fd, k->pos, SEEK_SET), "lseek");
	if (k->seals & ~F_SEAL_EXEC)
		must(fcntl(fd, F_ADD_SEALS, k->seals & ~F_SEAL_EXEC), "F_ADD_SEALS");
	return fd;
}

static inline bool is_sealed(const struct kind *k)
{
	return k->seals & F_SEAL_WRITE;
}

static inline int open_device(void)
{
	return must(open("/dev/liveupdate", O_RDWR | O_CLOEXEC), "/dev/liveupdate");
}

static inline int open_session(int device, unsigned long cmd)
{
	/* Both ioctls take the same. */
	struct liveupdate_ioctl_create_session arg = { .size = sizeof(arg) };

	strcpy((char *)arg.name, session_name);
	must(ioctl(device, cmd, &arg), "a session");
	return arg.fd;
}

static inline void check_counts(struct counts before, long pages, const char *when)
{
	struct counts now = counts();

	check(now.shmem - before.shmem == 4 * pages, "%s: Shmem %+ld KiB, %+ld pages", when,
	      now.shmem - before.shmem, pages);
	check(now.committed - before.committed == 4 * pages, "%s: Committed_AS %+ld KiB, %+ld pages",
	      when, now.committed - before.committed, pages);
}

static inline long pages_of(const struct kind *k)
{
	return (long)((k->size + PAGE - 1) / PAGE);
}

/* How many pages do not hold what a kind's do. */
static inline long differing(size_t n, int fd)
{
	const struct kind *k = &kinds[n];
	unsigned char page[PAGE], wanted[PAGE];
	const long every = k->every > pages_of(k) ? 0 : k->every;
	long bad = 0;

	for (off_t at = 0; at < k->size; at += PAGE) {
		memset(wanted, 0, sizeof(wanted));
		if (every && at / PAGE % every == 0)
			fill_page(n, at, wanted);
		if (late && !n && !at)
			memcpy(wanted + 8, "late", 4);
		if (pread(fd, page, PAGE, at) != part(k, at) ||
		    memcmp(page, wanted, (size_t)part(k, at)))
			bad++;
	}
	return bad;
}

static inline void check_bytes(size_t n, int fd)
{
	const struct kind *k = &kinds[n];
	long bad = differing(n, fd);

	check(!bad, "%s: %ld of %ld pages differ", k->name, bad, pages_of(k));
}

#endif /* KHOB_MEMFDS_H */
