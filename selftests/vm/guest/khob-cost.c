// SPDX-License-Identifier: GPL-2.0-only
/*
 * khob-cost: what handing a memfd over through /dev/liveupdate costs, next to writing it to a disk
 * and reading it back.
 *
 *   khob-cost preserve PAGES MIB [DISK]  makes a memfd, writes it to DISK if there is one, preserves
 *                                        it, and stays with it
 *   khob-cost retrieve [DISK]            in the next kernel: retrieves it, looks at every byte, frees
 *                                        it, and reads what is on DISK
 *
 * PAGES: "single" as they come, "scattered": every other one, or "huge". Each prints one JSON
 * object with microseconds. A second memfd has one page, with what was preserved and with the time
 * stamp counter, which is written each millisecond until the kernel ends: the last one is when the
 * machine was last at work.
 */
#include "clock.h"
#include "memfds.h"

enum { CLOCK = 1, DATA };

/* The page that goes along with the data. */
struct clock {
	uint64_t tsc;
	uint64_t size;
	uint64_t huge;
};

static uint64_t word_at(uint64_t at)
{
	return (at / 8 + 1) * 0x9e3779b97f4a7c15ULL;
}

static void *map(int fd, uint64_t size)
{
	void *at = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	if (at == MAP_FAILED)
		must(-1, "mmap");
	return at;
}

static int empty(const char *name, uint64_t size)
{
	int fd = must(memfd_create(name, 0), "memfd_create");

	must(ftruncate(fd, (off_t)size), "ftruncate");
	return fd;
}

/* Of single pages, each from wherever the kernel takes it; between two of them one is free. */
static void touch(int fd, uint64_t size, bool scatter)
{
	int other = empty("between", size);
	volatile char *to = map(fd, size), *between = map(other, size);

	for (uint64_t at = 0; at < size; at += PAGE) {
		to[at] = 1;
		if (scatter)
			between[at] = 1;
	}
	munmap((void *)to, size);
	munmap((void *)between, size);
	close(other);
}

static int make_data(const char *pages, uint64_t size)
{
	int fd = empty("data", size);
	uint64_t *words;

	if (!strcmp(pages, "huge"))
		touch_huge(fd, size);
	else
		touch(fd, size, !strcmp(pages, "scattered"));
	words = map(fd, size);
	for (uint64_t at = 0; at < size; at += 8)
		words[at / 8] = word_at(at);
	munmap(words, size);
	return fd;
}

/* Return: microseconds until all is on the disk. */
static uint64_t write_out(int fd, uint64_t size, const char *disk)
{
	int to = must(open(disk, O_WRONLY | O_CLOEXEC), disk);
	char *from = map(fd, size);
	uint64_t begin = now_us();

	for (uint64_t at = 0; at < size; at += 1 << 20)
		if (pwrite(to, from + at, 1 << 20, (off_t)at) != 1 << 20)
			must(-1, disk);
	must(fsync(to), "fsync");
	begin = now_us() - begin;
	munmap(from, size);
	close(to);
	return begin;
}

static void preserve_one(int session, uint64_t token, int fd)
{
	struct liveupdate_session_preserve_fd arg = { .size = sizeof(arg), .fd = fd,
						      .token = token };

	must(ioctl(session, LIVEUPDATE_SESSION_PRESERVE_FD, &arg), "preserve");
}

static int retrieve_one(int session, uint64_t token)
{
	struct liveupdate_session_retrieve_fd arg = { .size = sizeof(arg), .token = token };

	must(ioctl(session, LIVEUPDATE_SESSION_RETRIEVE_FD, &arg), "retrieve");
	return arg.fd;
}

static void tick(struct clock *clock)
{
	for (;;) {
		*(volatile uint64_t *)&clock->tsc = __rdtsc();
		pause_ms(1);
	}
}

static int preserve(const char *pages, uint64_t size, const char *disk)
{
	int device = open_device(), session, fd = size ? make_data(pages, size) : -1;
	int clock = empty("clock", PAGE);
	uint64_t written = 0, begin;
	struct clock *page = map(clock, PAGE);

	*page = (struct clock){ .size = size, .huge = !strcmp(pages, "huge") };
	if (size && disk)
		written = write_out(fd, size, disk);
	session = open_session(device, LIVEUPDATE_IOCTL_CREATE_SESSION);
	preserve_one(session, CLOCK, clock);
	begin = now_us();
	if (size)
		preserve_one(session, DATA, fd);
	printf("{\"preserve_us\": %llu, \"write_us\": %llu}\n",
	       (unsigned long long)(now_us() - begin), (unsigned long long)written);
	fflush(stdout);
	/* Whoever called is told, and what is open stays so. */
	if (must(fork(), "fork"))
		return 0;
	setsid();
	close(0);
	close(1);
	close(2);
	tick(page);
	return 0;
}

static void compare(int fd, uint64_t size)
{
	uint64_t *words = map(fd, size), bad = 0;

	for (uint64_t at = 0; at < size; at += 8)
		bad += words[at / 8] != word_at(at);
	munmap(words, size);
	if (bad) {
		printf("not ok %llu words differ\n", (unsigned long long)bad);
		exit(1);
	}
}

/* Return: microseconds until a file like the one that was written is there again. */
static uint64_t read_back(const char *disk, const struct clock *clock)
{
	int from = must(open(disk, O_RDONLY | O_CLOEXEC), disk), fd;
	uint64_t begin = now_us();
	char *to;

	fd = empty("data", clock->size);
	if (clock->huge)
		touch_huge(fd, clock->size);
	to = map(fd, clock->size);
	for (uint64_t at = 0; at < clock->size; at += 1 << 20)
		if (pread(from, to + at, 1 << 20, (off_t)at) != 1 << 20)
			must(-1, disk);
	begin = now_us() - begin;
	munmap(to, clock->size);
	close(from);
	compare(fd, clock->size);
	close(fd);
	return begin;
}

static int retrieve(const char *disk)
{
	struct liveupdate_session_finish finish = { .size = sizeof(finish) };
	const char *started = getenv("KHOB_INIT_TSC");
	uint64_t begin = now_us(), retrieved, read = 0;
	int device = open_device(), session = open_session(device, LIVEUPDATE_IOCTL_RETRIEVE_SESSION);
	int clock = retrieve_one(session, CLOCK), fd = -1;
	struct clock *page = map(clock, PAGE);

	if (page->size)
		fd = retrieve_one(session, DATA);
	must(ioctl(session, LIVEUPDATE_SESSION_FINISH, &finish), "finish");
	retrieved = now_us() - begin;
	if (page->size) {
		compare(fd, page->size);
		close(fd);
	}
	if (page->size && disk)
		read = read_back(disk, page);
	printf("{\"retrieve_us\": %llu, \"read_us\": %llu, \"blackout_us\": %llu}\n",
	       (unsigned long long)retrieved, (unsigned long long)read,
	       (unsigned long long)us_between(page->tsc, started ? strtoull(started, NULL, 10) : 0));
	return 0;
}

int main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "";

	session_name = "khob-cost";
	if (!strcmp(what, "preserve") && argc >= 4)
		return preserve(argv[2], strtoull(argv[3], NULL, 10) << 20, argv[4]);
	if (!strcmp(what, "retrieve"))
		return retrieve(argv[2]);
	fprintf(stderr, "khob-cost preserve single|scattered|huge MIB [DISK]\n"
			"khob-cost retrieve [DISK]\n");
	return 2;
}
