// SPDX-License-Identifier: GPL-2.0-only
/*
 * khob-gather: memfds whose pages lie all over memory are preserved through /dev/liveupdate while
 * threads count in every page, and no count may be lost while kho_luo moves the pages together.
 *
 *   khob-gather fire       round after round; nothing is left in the end
 *   khob-gather preserve   one that goes along, a page of which a pipe holds; stays with it
 *   khob-gather retrieve   in the next kernel
 *
 * Each thread has a counter of its own in each page and knows what it should say. One maps the file
 * and goes from page to page, one goes here and there, one uses pread(2) and pwrite(2), one has the
 * kernel write through its own reference (process_vm_writev(2)).
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#include "../../../module/include/uapi/linux/liveupdate.h"

#define PAGE 4096L
#define THREADS 4
/* A thread's counter in a page; what follows the last never changes. */
#define SLOT 64L
#define STILL (THREADS * SLOT)
/* Pages that are allocated between two of the file's, and then freed. */
#define BETWEEN 3
#define ROUNDS 6
#define ROUND_PAGES 2048L
/* So many runs of a round's pages are not worth moving again. */
#define FEW (1 + ROUND_PAGES / 512)
#define KEPT_PAGES 16384L
#define HELD_PAGE 1234L
#define SESSION "khob-gather"
#define SUM "/etc/khob-gather.sum"
#define PARAMETER "/sys/module/kho_luo/parameters/gather"

static bool failed;

static void __attribute__((format(printf, 2, 3))) check(bool good, const char *format, ...)
{
	va_list args;

	failed |= !good;
	fputs(good ? "ok " : "not ok ", stdout);
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	puts("");
}

static long must(long ret, const char *what)
{
	if (ret < 0) {
		printf("not ok %s: %s\n", what, strerror(errno));
		exit(1);
	}
	return ret;
}

static void *must_map(size_t size, int flags, int fd)
{
	void *map = mmap(NULL, size, PROT_READ | PROT_WRITE, flags, fd, 0);

	if (map == MAP_FAILED)
		must(-1, "mmap");
	return map;
}

static uint64_t mixed(uint64_t x)
{
	x = (x + 1) * 0x9e3779b97f4a7c15ULL;
	x ^= x >> 29;
	x *= 0xbf58476d1ce4e5b9ULL;
	return x ^ x >> 32;
}

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

struct file {
	int fd;
	long pages;
	unsigned char *map;
};

static void fill(const struct file *f, long page)
{
	uint64_t *words = (uint64_t *)(f->map + page * PAGE);

	for (long i = STILL / 8; i < PAGE / 8; i++)
		words[i] = mixed((uint64_t)(page * PAGE / 8 + i));
}

static bool is_filled(const struct file *f, long page)
{
	const uint64_t *words = (const uint64_t *)(f->map + page * PAGE);

	for (long i = STILL / 8; i < PAGE / 8; i++)
		if (words[i] != mixed((uint64_t)(page * PAGE / 8 + i)))
			return false;
	return true;
}

/* Its pages are allocated in no order, and what lies between them is free again in the end. */
static struct file make_scattered(long pages)
{
	struct file f = { .fd = (int)must(memfd_create("gather", 0), "memfd_create"),
			  .pages = pages };
	const size_t between = (size_t)(pages * BETWEEN * PAGE);
	long *order = must_map((size_t)pages * sizeof(long), MAP_PRIVATE | MAP_ANONYMOUS, -1);
	unsigned char *others = must_map(between, MAP_PRIVATE | MAP_ANONYMOUS, -1);

	madvise(others, between, MADV_NOHUGEPAGE);
	must(ftruncate(f.fd, pages * PAGE), "ftruncate");
	f.map = must_map((size_t)(pages * PAGE), MAP_SHARED, f.fd);
	for (long i = 0; i < pages; i++) {
		long j = (long)(mixed((uint64_t)i) % (uint64_t)(i + 1));

		order[i] = order[j];
		order[j] = i;
	}
	for (long i = 0; i < pages; i++) {
		fill(&f, order[i]);
		for (long j = 0; j < BETWEEN; j++)
			others[(i * BETWEEN + j) * PAGE] = 1;
	}
	munmap(others, between);
	munmap(order, (size_t)pages * sizeof(long));
	return f;
}

static void drop(struct file *f)
{
	munmap(f->map, (size_t)(f->pages * PAGE));
	close(f->fd);
}

static int ascending(const void *a, const void *b)
{
	const uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

/* Where each page is. */
static uint64_t *places(const struct file *f)
{
	const size_t size = (size_t)f->pages * sizeof(uint64_t);
	uint64_t *pfns = must_map(size, MAP_PRIVATE | MAP_ANONYMOUS, -1);
	int fd = (int)must(open("/proc/self/pagemap", O_RDONLY), "pagemap");

	for (long page = 0; page < f->pages; page++) {
		const off_t at = (off_t)((uintptr_t)(f->map + page * PAGE) / PAGE * 8);

		/* Who moves it or swaps it out unmaps it. */
		for (int tries = 0; tries < 1000; tries++) {
			*(volatile unsigned char *)(f->map + page * PAGE + PAGE - 1);
			must(pread(fd, pfns + page, 8, at), "pagemap");
			if (pfns[page] >> 63)
				break;
		}
		if (!(pfns[page] >> 63))
			check(false, "page %ld is mapped", page);
		pfns[page] &= (1ULL << 55) - 1;
	}
	close(fd);
	return pfns;
}

/* In how many pieces of memory a file is: what a handover in intervals pays for. */
static long runs(const struct file *f)
{
	uint64_t *pfns = places(f);
	long n = 1;

	qsort(pfns, (size_t)f->pages, sizeof(*pfns), ascending);
	for (long i = 1; i < f->pages; i++)
		n += pfns[i] != pfns[i - 1] + 1;
	munmap(pfns, (size_t)f->pages * sizeof(*pfns));
	return n;
}

/* A thread that counts. */
struct counter {
	struct file *f;
	pthread_t thread;
	uint64_t *should;
	atomic_ulong added;
	atomic_ulong lost;
};

static struct counter counters[THREADS];
static atomic_bool stop;
/* Leave the CPUs idle now and then: emulated ones take turns, and pages move for minutes. */
static bool gently;

static uint64_t read_slot(const struct counter *c, int n, long page)
{
	const off_t at = page * PAGE + n * SLOT;
	uint64_t value = *(volatile uint64_t *)(c->f->map + at);

	if (n == 2 && pread(c->f->fd, &value, 8, at) != 8)
		must(-1, "pread");
	return value;
}

static void write_slot(const struct counter *c, int n, long page, uint64_t value)
{
	const off_t at = page * PAGE + n * SLOT;
	struct iovec from = { &value, 8 }, to = { c->f->map + at, 8 };

	if (n < 2)
		*(volatile uint64_t *)(c->f->map + at) = value;
	else if (n == 2 && pwrite(c->f->fd, &value, 8, at) != 8)
		must(-1, "pwrite");
	else if (n == 3 && process_vm_writev(getpid(), &from, 1, &to, 1, 0) != 8)
		must(-1, "process_vm_writev");
}

static void *count(void *arg)
{
	struct counter *c = arg;
	const int n = (int)(c - counters);

	for (unsigned long i = 0; !stop; i++) {
		long page = (long)((n ? mixed(i * THREADS + (unsigned long)n) : i) %
				   (unsigned long)c->f->pages);
		uint64_t value = read_slot(c, n, page);

		if (value != c->should[page]) {
			c->lost++;
			c->should[page] = value;
		}
		write_slot(c, n, page, ++c->should[page]);
		c->added++;
		if (gently && !(i % 32))
			usleep(500);
	}
	return NULL;
}

static void start_counting(struct file *f)
{
	stop = false;
	for (int n = 0; n < THREADS; n++) {
		struct counter *c = &counters[n];

		c->f = f;
		c->added = 0;
		c->lost = 0;
		c->should = must_map((size_t)f->pages * sizeof(uint64_t),
				     MAP_PRIVATE | MAP_ANONYMOUS, -1);
		errno = pthread_create(&c->thread, NULL, count, c);
		must(errno ? -1 : 0, "pthread_create");
	}
}

/* Until all of them have done some more. */
static void let_count(unsigned long more)
{
	unsigned long from[THREADS];

	for (int n = 0; n < THREADS; n++)
		from[n] = counters[n].added;
	for (int n = 0; n < THREADS; n++)
		while (counters[n].added - from[n] < more)
			usleep(1000);
}

static void stop_counting(struct file *f)
{
	unsigned long lost = 0, added = 0;
	long bad = 0;

	stop = true;
	for (int n = 0; n < THREADS; n++) {
		struct counter *c = &counters[n];

		pthread_join(c->thread, NULL);
		added += c->added;
		lost += c->lost;
		for (long page = 0; page < f->pages; page++)
			lost += read_slot(c, n, page) != c->should[page];
		munmap(c->should, (size_t)f->pages * sizeof(uint64_t));
	}
	for (long page = 0; page < f->pages; page++)
		bad += !is_filled(f, page);
	check(!lost && !bad, "%lu additions, %lu lost; %ld of %ld pages differ", added, lost, bad,
	      f->pages);
}

static int open_device(void)
{
	return (int)must(open("/dev/liveupdate", O_RDWR | O_CLOEXEC), "/dev/liveupdate");
}

/* Return: a session with the file. */
static int preserve_in(int device, const struct file *f, const char *name)
{
	struct liveupdate_ioctl_create_session made = { .size = sizeof(made) };
	struct liveupdate_session_preserve_fd arg = { .size = sizeof(arg), .fd = f->fd,
						      .token = 1 };
	double start;

	strncpy((char *)made.name, name, sizeof(made.name) - 1);
	must(ioctl(device, LIVEUPDATE_IOCTL_CREATE_SESSION, &made), "a session");
	start = now();
	must(ioctl(made.fd, LIVEUPDATE_SESSION_PRESERVE_FD, &arg), "preserve");
	printf("# preserved in %.1f us a page\n", (now() - start) * 1e6 / (double)f->pages);
	return made.fd;
}

static void set_gather(const char *how)
{
	int fd = (int)must(open(PARAMETER, O_WRONLY), PARAMETER);

	must(write(fd, how, 1), PARAMETER);
	close(fd);
}

/* Without gather nothing moves, or what follows shows nothing. */
static void try_quiet(int device)
{
	struct file f = make_scattered(ROUND_PAGES);
	const long before = runs(&f);

	set_gather("N");
	close(preserve_in(device, &f, SESSION));
	check(before > f.pages / 4 && runs(&f) == before, "off: %ld runs stay %ld", before,
	      runs(&f));
	set_gather("Y");
	/* And with nobody in the way it moves at once, locked memory too. */
	must(mlock(f.map, (size_t)(f.pages * PAGE)), "mlock");
	close(preserve_in(device, &f, SESSION));
	check(runs(&f) <= 2, "on: %ld runs are %ld", before, runs(&f));
	drop(&f);
}

static void fire_round(int device)
{
	struct file f = make_scattered(ROUND_PAGES);
	const long before = runs(&f);
	long after, again;

	start_counting(&f);
	let_count(1000);
	close(preserve_in(device, &f, SESSION));
	let_count(100);
	after = runs(&f);
	/* What lies together stays there. */
	close(preserve_in(device, &f, SESSION));
	again = runs(&f);
	let_count(100);
	stop_counting(&f);
	check(before > f.pages / 4 && after <= 16, "%ld runs are %ld", before, after);
	check(again == after || (after > FEW && again <= 16), "and stay %ld", again);
	drop(&f);
}

static int fire(void)
{
	const int device = open_device();
	struct file small = make_scattered(1);

	/* As long as something is preserved nobody looks for memory for what describes it. */
	preserve_in(device, &small, "khob-gather-small");
	try_quiet(device);
	for (int i = 0; i < ROUNDS; i++)
		fire_round(device);
	close(device);
	return failed;
}

static uint64_t sum(const struct file *f)
{
	const uint64_t *words = (const uint64_t *)f->map;
	uint64_t hash = 0;

	for (long i = 0; i < f->pages * PAGE / 8; i++)
		hash = (hash ^ words[i]) * 0x100000001b3ULL;
	return hash;
}

/* A page that a pipe refers to stays, and everything else moves. */
static int preserve_held(int device, struct file *f)
{
	uint64_t *before = places(f), *after, word = 0, *held;
	struct iovec page = { f->map + HELD_PAGE * PAGE, PAGE };
	const long runs_before = runs(f);
	long stayed = 0, runs_after;
	int ends[2], session;

	must(pipe(ends), "pipe");
	check(vmsplice(ends[1], &page, 1, 0) == PAGE, "a pipe holds page %ld", HELD_PAGE);
	gently = true;
	start_counting(f);
	let_count(1000);
	session = preserve_in(device, f, SESSION);
	let_count(1000);
	stop_counting(f);
	after = places(f);
	for (long i = 0; i < f->pages; i++)
		stayed += before[i] == after[i];
	runs_after = runs(f);
	check(runs_before > f->pages / 4 && runs_after <= 16, "%ld runs are %ld", runs_before,
	      runs_after);
	check(after[HELD_PAGE] == before[HELD_PAGE], "page %ld stays", HELD_PAGE);
	check(stayed <= 8, "%ld pages stay", stayed);
	/* It is that page, and no copy of it. */
	held = (uint64_t *)(f->map + HELD_PAGE * PAGE);
	*held += 77;
	check(read(ends[0], &word, 8) == 8 && word == *held, "the pipe has what is written now");
	close(ends[0]);
	close(ends[1]);
	return session;
}

static int preserve(void)
{
	const int device = open_device();
	struct file f = make_scattered(KEPT_PAGES);
	FILE *to = fopen(SUM, "w");

	preserve_held(device, &f);
	if (!to || fprintf(to, "%llx\n", (unsigned long long)sum(&f)) < 0 || fclose(to))
		must(-1, SUM);
	close(device);
	if (failed || must(fork(), "fork"))
		return failed;
	setsid();
	close(0);
	close(1);
	close(2);
	for (;;)
		pause();
}

static int retrieve(void)
{
	const int device = open_device();
	struct liveupdate_ioctl_retrieve_session session = { .size = sizeof(session),
							     .name = SESSION };
	struct liveupdate_session_retrieve_fd arg = { .size = sizeof(arg), .token = 1 };
	struct liveupdate_session_finish finish = { .size = sizeof(finish) };
	struct file f = { .pages = KEPT_PAGES };
	FILE *from = fopen(SUM, "r");
	unsigned long long wanted = 0;
	long bad = 0, n;

	if (!from || fscanf(from, "%llx", &wanted) != 1)
		must(-1, SUM);
	fclose(from);
	must(ioctl(device, LIVEUPDATE_IOCTL_RETRIEVE_SESSION, &session), "the session");
	must(ioctl(session.fd, LIVEUPDATE_SESSION_RETRIEVE_FD, &arg), "the file");
	f.fd = arg.fd;
	f.map = must_map((size_t)(f.pages * PAGE), MAP_SHARED, f.fd);
	for (long page = 0; page < f.pages; page++)
		bad += !is_filled(&f, page);
	check(!bad && sum(&f) == wanted, "%ld of %ld pages differ, sum %llx", bad, f.pages, wanted);
	n = runs(&f);
	check(n <= 16, "%ld runs", n);
	check(!ioctl(session.fd, LIVEUPDATE_SESSION_FINISH, &finish), "finish");
	drop(&f);
	close(session.fd);
	close(device);
	return failed;
}

int main(int argc, char **argv)
{
	const char *what = argc == 2 ? argv[1] : "";

	setvbuf(stdout, NULL, _IOLBF, 0);
	if (!strcmp(what, "fire"))
		return fire();
	if (!strcmp(what, "preserve"))
		return preserve();
	if (!strcmp(what, "retrieve"))
		return retrieve();
	fprintf(stderr, "khob-gather fire|preserve|retrieve\n");
	return 2;
}
