// SPDX-License-Identifier: GPL-2.0-only
/*
 * khob-adopt: takes back what `khob-memfd preserve` has handed over, and does with it what can be
 * done with any memfd: shared after fork, swapped out and in, a huge page split by a hole, caches
 * dropped, cut to nothing. After each all that the kernel counts must be what it counts of a file
 * that was made here: Shmem, Committed_AS, blocks, and what its cgroup's memory.stat says.
 *
 * Runs in a cgroup of its own, below a cgroup2 mounted at the directory that is its argument.
 */
#include "memfds.h"

#include <sys/wait.h>

static char cgroup[256];

static long cgroup_shmem(void)
{
	char path[300], text[8192], *at;
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "%s/memory.stat", cgroup);
	fd = must(open(path, O_RDONLY), "memory.stat");
	n = read(fd, text, sizeof(text) - 1);
	close(fd);
	text[n > 0 ? n : 0] = '\0';
	at = strstr(text, "\nshmem ");
	return at ? strtol(at + strlen("\nshmem "), NULL, 10) / PAGE : -1;
}

static void write_file(const char *dir, const char *name, const char *text)
{
	char path[300];
	int fd;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	fd = must(open(path, O_WRONLY), path);
	must((int)write(fd, text, strlen(text)), path);
	close(fd);
}

static void enter_cgroup(const char *root)
{
	write_file(root, "cgroup.subtree_control", "+memory");
	snprintf(cgroup, sizeof(cgroup), "%s/khob-adopt", root);
	must(mkdir(cgroup, 0755), cgroup);
	write_file(cgroup, "cgroup.procs", "0");
}

static void check_all(struct counts before, long pages, const char *when)
{
	long charged = 0;

	check_counts(before, pages, when);
	/* The kernel sums up what each CPU has counted every two seconds. */
	for (int i = 0; i < 50; i++) {
		charged = cgroup_shmem();
		if (charged == pages)
			break;
		usleep(100000);
	}
	check(charged == pages, "%s: memory.stat has %ld pages of shmem, of %ld", when, charged, pages);
}

static long blocks(int fd)
{
	struct stat st;

	must(fstat(fd, &st), "fstat");
	return (long)st.st_blocks / 8;
}

static void try_fork(size_t n, int fd)
{
	unsigned char *map = mmap(NULL, (size_t)kinds[n].size, PROT_READ | PROT_WRITE, MAP_SHARED,
				  fd, 0);
	const unsigned char old = byte_at(n, 5 * PAGE);
	int status = -1;
	pid_t child;

	if (map == MAP_FAILED)
		must(-1, "mmap");
	child = must(fork(), "fork");
	if (!child) {
		map[5 * PAGE] = (unsigned char)~old;
		_exit(0);
	}
	must(waitpid(child, &status, 0), "waitpid");
	check(status == 0 && map[5 * PAGE] == (unsigned char)~old, "a child's write is seen");
	map[5 * PAGE] = old;
	munmap(map, (size_t)kinds[n].size);
}

/* Out to swap and in again, all of it as it was. */
static void try_swap(size_t n, int fd, struct counts before, long pages)
{
	swap_out(fd, (size_t)kinds[n].size);
	check(counts().shmem - before.shmem < 4 * pages, "swapped out: Shmem is less");
	check(counts().committed - before.committed == 4 * pages, "swapped out: Committed_AS is not");
	check(blocks(fd) == pages_of(&kinds[n]), "swapped out: blocks are not");
	check_bytes(n, fd);
	check_all(before, pages, "swapped in");
}

/* A hole in a huge page, which has to be split for it. */
static long try_split(size_t n, int fd, struct counts before, long pages)
{
	unsigned char page[PAGE], wanted[PAGE];

	check(!fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 100 * PAGE, 7 * PAGE),
	      "a huge page is punched");
	check(blocks(fd) == pages_of(&kinds[n]) - 7, "punched: %ld blocks", blocks(fd));
	memset(wanted, 0, sizeof(wanted));
	must((int)pread(fd, page, PAGE, 103 * PAGE), "pread");
	check(!memcmp(page, wanted, PAGE), "the hole reads as zeroes");
	for (off_t at = 99 * PAGE; at <= 107 * PAGE; at += 8 * PAGE) {
		fill_page(n, at, wanted);
		must((int)pread(fd, page, PAGE, at), "pread");
		check(!memcmp(page, wanted, PAGE), "page %ld is beside the hole", (long)(at / PAGE));
	}
	/* What was read has pages again, on the kernels that fill a hole for a read. */
	check(!fallocate(fd, 0, 100 * PAGE, 7 * PAGE), "the hole is filled");
	check_all(before, pages, "split and filled");
	return pages;
}

static void drop_caches(void)
{
	int fd = must(open("/proc/sys/vm/drop_caches", O_WRONLY), "drop_caches");

	must((int)write(fd, "3", 1), "drop_caches");
	close(fd);
}

int main(int argc, char **argv)
{
	static const size_t wanted[] = { 1, 7, 8, 9 };
	struct liveupdate_session_finish finish = { .size = sizeof(finish) };
	int device, session, fds[ARRAY_SIZE(kinds)];
	static char said[BUFSIZ];
	struct counts before;
	long pages = 0;

	/* No memory of the heap: it would be counted. */
	setvbuf(stdout, said, _IOFBF, sizeof(said));
	if (argc != 2) {
		fprintf(stderr, "khob-adopt DIRECTORY\n");
		return 2;
	}
	enter_cgroup(argv[1]);
	device = open_device();
	session = open_session(device, LIVEUPDATE_IOCTL_RETRIEVE_SESSION);
	before = counts();
	for (size_t i = 0; i < ARRAY_SIZE(wanted); i++) {
		size_t n = wanted[i];
		struct liveupdate_session_retrieve_fd arg = { .size = sizeof(arg),
							      .token = 100 + n };

		must(ioctl(session, LIVEUPDATE_SESSION_RETRIEVE_FD, &arg), kinds[n].name);
		fds[n] = arg.fd;
		pages += pages_of(&kinds[n]);
	}
	check_all(before, pages, "retrieved");
	/* What is left of the session is freed: none of it is this cgroup's. */
	must(ioctl(session, LIVEUPDATE_SESSION_FINISH, &finish), "finish");
	close(session);
	close(device);
	check_all(before, pages, "finished");
	try_fork(7, fds[7]);
	check_all(before, pages, "forked");
	try_swap(9, fds[9], before, pages);
	try_swap(7, fds[7], before, pages);
	pages = try_split(8, fds[8], before, pages);
	drop_caches();
	for (size_t i = 0; i < ARRAY_SIZE(wanted); i++)
		if (wanted[i] != 8)
			check_bytes(wanted[i], fds[wanted[i]]);
	check_all(before, pages, "caches dropped");
	for (size_t i = 0; i < ARRAY_SIZE(wanted); i++) {
		must(ftruncate(fds[wanted[i]], 0), "ftruncate");
		check(!blocks(fds[wanted[i]]), "%s has no blocks", kinds[wanted[i]].name);
	}
	check_all(before, 0, "cut");
	return failed;
}
