// SPDX-License-Identifier: GPL-2.0-only
/*
 * khob-random SEED FROM TO [DIR]: random operations on memfds that go from kernel to kernel, or on
 * files in DIR that do, against a model of their bytes.
 *
 * Every operation follows from SEED and its number, so that the model of what the files hold after
 * operation FROM is made anew by doing all before it on plain memory. The files are then retrieved
 * (made, if FROM is 0) and compared with it, operations FROM to TO are done on both, they are
 * compared once more, and the memfds are preserved by a process that stays.
 *
 * That process goes on writing to files in DIR, within their sizes, until the kernel ends; it counts
 * in DIR/late what it has done. All but the last of these writes have to be there in the next
 * kernel; the last one may have been broken off.
 */
#include "memfds.h"

#include <sys/wait.h>
#include <time.h>

#define FILES 4
#define MOST (1024 * PAGE)

/* What a file is to hold, and its size. */
static unsigned char *model[FILES];
static off_t size[FILES];
static int fds[FILES];
static uint64_t state;

/* What is written behind the last operation of each kernel: its number, and how many there were. */
#define LIVES 255
static struct late {
	uint64_t lives;
	struct {
		uint64_t to;
		uint64_t count;
	} life[LIVES];
} *late_ops;

static uint64_t next(void)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return state * 0x2545f4914f6cdd1dULL;
}

static off_t below(off_t n)
{
	return n ? (off_t)(next() % (uint64_t)n) : 0;
}

/* A range of a file, in whole pages more often than not; empty if the file is. */
static void any_range(size_t n, off_t *at, off_t *len)
{
	*at = below(size[n]);
	*len = below(size[n] - *at < 200 * PAGE ? size[n] - *at : 200 * PAGE) + (size[n] > 0);
	if (next() % 4) {
		*at -= *at % PAGE;
		*len += PAGE - *len % PAGE;
	}
	if (*len > size[n] - *at)
		*len = size[n] - *at;
}

static unsigned char *map(size_t n)
{
	unsigned char *at = mmap(NULL, MOST, PROT_READ | PROT_WRITE, MAP_SHARED, fds[n], 0);

	if (at == MAP_FAILED)
		must(-1, "mmap");
	return at;
}

static void fill(unsigned char *to, off_t len, uint64_t seed)
{
	for (off_t i = 0; i < len; i++)
		to[i] = (unsigned char)((seed + (uint64_t)i) * 0x9e3779b97f4a7c15ULL >> 56);
}

/* By another process, through a mapping that it has from its parent. */
static void write_by_child(size_t n, off_t at, off_t len)
{
	unsigned char *mapped = map(n);
	pid_t child = must(fork(), "fork");
	int status = -1;

	if (!child) {
		memcpy(mapped + at, model[n] + at, (size_t)len);
		_exit(0);
	}
	must(waitpid(child, &status, 0), "waitpid");
	if (status)
		check(false, "a child ended with %d", status);
	munmap(mapped, MOST);
}

static void write_by_map(size_t n, off_t at, off_t len)
{
	unsigned char *mapped = map(n);

	memcpy(mapped + at, model[n] + at, (size_t)len);
	munmap(mapped, MOST);
}

/* Out to swap, if there is some; a range that is not mapped yet is first. */
static void page_out(size_t n, off_t at, off_t len)
{
	unsigned char *mapped = map(n);

	for (off_t i = at - at % PAGE; i < at + len; i += PAGE)
		(void)*(volatile unsigned char *)(mapped + i);
	madvise(mapped + (at - at % PAGE), (size_t)(len + at % PAGE), MADV_PAGEOUT);
	munmap(mapped, MOST);
}

/* In as few and as large pages as there are. */
static void collapse(size_t n)
{
	const size_t huge = 512 * PAGE;
	char *room = mmap(NULL, MOST + huge, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	char *at = room + (huge - (uintptr_t)room % huge) % huge;

	if (room == MAP_FAILED ||
	    mmap(at, MOST, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, fds[n], 0) == MAP_FAILED)
		must(-1, "mmap");
	/* MADV_COLLAPSE; a kernel or a moment that cannot is as good. */
	madvise(at, (size_t)(size[n] / (off_t)huge * (off_t)huge), 25);
	munmap(room, MOST + huge);
}

static void resize(size_t n, off_t to, bool real)
{
	if (to < size[n])
		memset(model[n] + to, 0, (size_t)(size[n] - to));
	size[n] = to;
	if (real)
		must(ftruncate(fds[n], to), "ftruncate");
}

/* Operation @i; without @real on the model only. */
static void operate(uint64_t seed, uint64_t i, bool real)
{
	size_t n;
	uint64_t what;
	off_t at, len;

	state = seed * 0x9e3779b97f4a7c15ULL + i * 0x632be59bd9b4e019ULL + 1;
	next();
	n = next() % FILES;
	what = next() % 16;
	if (what == 0) {
		resize(n, below(MOST + 1), real);
		return;
	}
	any_range(n, &at, &len);
	if (!len)
		return;
	if (what < 8) {
		fill(model[n] + at, len, i);
		if (!real)
			return;
		if (what < 4)
			must((int)pwrite(fds[n], model[n] + at, (size_t)len, at), "pwrite");
		else if (what < 7)
			write_by_map(n, at, len);
		else
			write_by_child(n, at, len);
	} else if (what < 11) {
		memset(model[n] + at, 0, (size_t)len);
		if (real)
			must(fallocate(fds[n], FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, at, len),
			     "punch");
	} else if (real && what == 11) {
		must(fallocate(fds[n], 0, at, len), "fallocate");
	} else if (real && what < 15) {
		page_out(n, at, len);
	} else if (real) {
		collapse(n);
	}
}

/* Write @i behind operation @to: which file, where, and with which seed it is filled. */
static size_t late_range(uint64_t seed, uint64_t to, uint64_t i, off_t *at, off_t *len,
			 uint64_t *with)
{
	size_t n;

	state = (seed + 1) * 0x9e3779b97f4a7c15ULL + (to << 32 | i) * 0x632be59bd9b4e019ULL + 1;
	next();
	n = next() % FILES;
	any_range(n, at, len);
	*with = next();
	return n;
}

/* All that was written behind operation @to, on the model; and the one that was broken off. */
static void replay_late(uint64_t seed, uint64_t to)
{
	uint64_t with;
	off_t at, len;

	for (uint64_t life = 0; life < late_ops->lives; life++) {
		if (late_ops->life[life].to != to)
			continue;
		for (uint64_t i = 0; i < late_ops->life[life].count; i++) {
			size_t n = late_range(seed, to, i, &at, &len, &with);

			fill(model[n] + at, len, with);
		}
	}
}

/* The write that was broken off as the kernel ended, at @to, is done once more. */
static void finish_late(uint64_t seed, uint64_t to)
{
	const uint64_t life = late_ops->lives - 1;
	uint64_t with;
	off_t at, len;
	size_t n = late_range(seed, to, late_ops->life[life].count, &at, &len, &with);

	fill(model[n] + at, len, with);
	must((int)pwrite(fds[n], model[n] + at, (size_t)len, at), "pwrite");
	late_ops->life[life].count++;
}

/* For ever; half of them through a mapping. */
static void write_late(uint64_t seed, uint64_t to)
{
	const uint64_t life = late_ops->lives++;
	const struct timespec pause = { .tv_nsec = 20000000 };
	uint64_t with;
	off_t at, len;

	late_ops->life[life].to = to;
	for (uint64_t i = 0;; i++) {
		size_t n = late_range(seed, to, i, &at, &len, &with);

		fill(model[n] + at, len, with);
		if (i % 2 && len)
			write_by_map(n, at, len);
		else if (pwrite(fds[n], model[n] + at, (size_t)len, at) != len)
			_exit(1);
		*(volatile uint64_t *)&late_ops->life[life].count = i + 1;
		nanosleep(&pause, NULL);
	}
}

static void compare(const char *when)
{
	static unsigned char bytes[MOST];

	for (size_t n = 0; n < FILES; n++) {
		struct stat st;
		off_t at = 0;

		must(fstat(fds[n], &st), "fstat");
		must((int)pread(fds[n], bytes, MOST, 0), "pread");
		while (at < size[n] && bytes[at] == model[n][at])
			at++;
		check(st.st_size == size[n] && at == size[n],
		      "%s: file %zu has %ld bytes, of %ld, and byte %ld %s", when, n,
		      (long)st.st_size, (long)size[n], (long)at,
		      at == size[n] ? "is behind all of them" : "differs");
	}
}

/* The files, and a new session with them. */
static void take(int device, bool made)
{
	struct liveupdate_session_finish finish = { .size = sizeof(finish) };
	int session = made ? -1 : open_session(device, LIVEUPDATE_IOCTL_RETRIEVE_SESSION);

	for (size_t n = 0; n < FILES; n++) {
		struct liveupdate_session_retrieve_fd arg = { .size = sizeof(arg), .token = n };

		if (made) {
			fds[n] = must(memfd_create("khob-random", MFD_ALLOW_SEALING), "memfd_create");
			continue;
		}
		must(ioctl(session, LIVEUPDATE_SESSION_RETRIEVE_FD, &arg), "retrieve");
		fds[n] = arg.fd;
	}
	if (made)
		return;
	must(ioctl(session, LIVEUPDATE_SESSION_FINISH, &finish), "finish");
	close(session);
}

static int open_in(const char *dir, const char *name, bool made)
{
	char path[256];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	return must(open(path, O_RDWR | (made ? O_CREAT | O_EXCL : 0), 0600), path);
}

/* The files of a directory, and the count of late writes. */
static void take_from(const char *dir, bool made)
{
	int fd = open_in(dir, "late", made);

	for (size_t n = 0; n < FILES; n++) {
		const char name[] = { (char)('0' + n), '\0' };

		fds[n] = open_in(dir, name, made);
	}
	must(ftruncate(fd, sizeof(*late_ops)), "ftruncate");
	late_ops = mmap(NULL, sizeof(*late_ops), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (late_ops == MAP_FAILED)
		must(-1, "mmap");
	check(late_ops->lives < LIVES, "%llu kernels so far",
	      (unsigned long long)late_ops->lives);
}

/* Hands the files over in a session. */
static void preserve(int device)
{
	int session = open_session(device, LIVEUPDATE_IOCTL_CREATE_SESSION);

	for (size_t n = 0; n < FILES; n++) {
		struct liveupdate_session_preserve_fd arg = { .size = sizeof(arg), .fd = fds[n],
							      .token = n };

		must(ioctl(session, LIVEUPDATE_SESSION_PRESERVE_FD, &arg), "preserve");
	}
	compare("preserved");
	close(device);
}

int main(int argc, char **argv)
{
	const char *dir = argc == 5 ? argv[4] : NULL;
	uint64_t seed, from, to;
	int device = -1;

	if (argc != 4 && argc != 5) {
		fprintf(stderr, "khob-random SEED FROM TO [DIR]\n");
		return 2;
	}
	seed = strtoull(argv[1], NULL, 10);
	from = strtoull(argv[2], NULL, 10);
	to = strtoull(argv[3], NULL, 10);
	session_name = "khob-random";
	for (size_t n = 0; n < FILES; n++) {
		model[n] = calloc(1, MOST);
		if (!model[n])
			must(-1, "calloc");
	}
	if (dir)
		take_from(dir, !from);
	for (uint64_t i = 0; i < from; i++) {
		operate(seed, i, false);
		if (dir)
			replay_late(seed, i + 1);
	}
	if (!dir) {
		device = open_device();
		take(device, !from);
	} else if (from) {
		finish_late(seed, from);
	}
	compare("arrived");
	for (uint64_t i = from; i < to && !failed; i++)
		operate(seed, i, true);
	compare("worked on");
	if (!dir)
		preserve(device);
	fflush(stdout);
	if (failed || must(fork(), "fork"))
		return failed;
	setsid();
	close(0);
	close(1);
	close(2);
	if (dir)
		write_late(seed, to);
	for (;;)
		pause();
}
