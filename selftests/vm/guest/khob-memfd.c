// SPDX-License-Identifier: GPL-2.0-only
/*
 * khob-memfd: hands memfds of all kinds over through /dev/liveupdate, and looks in the next kernel
 * whether each is what it was, whether it is a memfd like any other, and whether all that the
 * kernel counts of it is what it counts of a memfd that was made there.
 *
 *   khob-memfd preserve    makes, preserves, tries what must fail, and stays with them
 *   khob-memfd late        the same once a kernel is loaded, with a late room of 16 MiB
 *   khob-memfd retrieve    in the next kernel
 *   khob-memfd late-retrieve   the same after late
 *   khob-memfd upstream    the same in one with a LUO of its own, which does some things otherwise
 *   khob-memfd copied      the same where huge pages come back as single ones (CONFIG_DEBUG_VM)
 *   khob-memfd few         a few small ones, nothing tried
 *   khob-memfd few-retrieve    in the next kernel: says of each what is not as it was, and goes on
 *   khob-memfd look        opens the device and closes it
 *
 * One is of huge pages, where /sys/kernel/mm/transparent_hugepage/shmem_enabled says "advise", one
 * is swapped out, if there is swap, and one has a GiB.
 */
#include "memfds.h"

/* Those of "few": what memory that was damaged meanwhile is tried with. */
static const size_t few[] = { 0, 1, 6 };

/* Those that are used; late there is no room for some. */
static size_t chosen[ARRAY_SIZE(kinds)] = { 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10 };
static size_t nr_chosen = ARRAY_SIZE(kinds);
/* Who has retrieved: a LUO of the kernel's own; kho_luo where it copies huge pages. */
static bool upstream, copied;

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

/* What does not fit takes nothing. */
static void try_full(int session)
{
	struct liveupdate_session_preserve_fd arg = { .size = sizeof(arg), .fd = make(7),
						      .token = 100 };

	check(ioctl(session, LIVEUPDATE_SESSION_PRESERVE_FD, &arg) && errno == ENOSPC,
	      "there is no room for 32 MiB");
	check(!ftruncate(arg.fd, PAGE), "it can be cut");
	close(arg.fd);
}

/* Whoever called is told that all is done, and what is open stays so. */
static int stay(void)
{
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

static int preserve(void)
{
	int device = open_device(), session, fds[ARRAY_SIZE(kinds)];
	const long huge = counts().huge;

	try_unpreserve(device);
	session = open_session(device, LIVEUPDATE_IOCTL_CREATE_SESSION);
	if (late)
		try_full(session);
	for (size_t i = 0; i < nr_chosen; i++) {
		size_t n = chosen[i];
		struct liveupdate_session_preserve_fd arg = { .size = sizeof(arg), .fd = make(n),
							      .token = 100 + n };

		fds[n] = arg.fd;
		check(!ioctl(session, LIVEUPDATE_SESSION_PRESERVE_FD, &arg), "%s is preserved", kinds[n].name);
		try_frozen(n, fds[n]);
	}
	check(counts().huge - huge == 4096, "ShmemHugePages %+ld KiB", counts().huge - huge);
	/* What is written now goes along, too. */
	if (late)
		must(pwrite(fds[0], "late", 4, 8) == 4 ? 0 : -1, "pwrite");
	/* Only the position at the very end counts. */
	must((int)lseek(fds[1], 77, SEEK_SET), "lseek");
	close(device);
	return stay();
}

static int preserve_few(void)
{
	int device = open_device(), session = open_session(device, LIVEUPDATE_IOCTL_CREATE_SESSION);

	for (size_t i = 0; i < ARRAY_SIZE(few); i++) {
		struct liveupdate_session_preserve_fd arg = { .size = sizeof(arg),
							      .fd = make(few[i]),
							      .token = 100 + few[i] };

		must(ioctl(session, LIVEUPDATE_SESSION_PRESERVE_FD, &arg), kinds[few[i]].name);
		printf("ok %llu %s\n", (unsigned long long)arg.token, kinds[few[i]].name);
	}
	close(device);
	return stay();
}

static void check_properties(size_t n, int fd)
{
	const struct kind *k = &kinds[n];
	int seals = fcntl(fd, F_GET_SEALS);
	/* F_SEAL_EXEC only where the kernel that made it knows that. */
	bool old = (k->flags & MFD_NOEXEC_SEAL) && !(seals & F_SEAL_EXEC);
	/* Upstream seals what was sealed against becoming executable against writing, too. */
	int more = upstream && !old && (k->flags & MFD_NOEXEC_SEAL) ?
		   F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_FUTURE_WRITE : 0;
	struct stat st;

	must(fstat(fd, &st), "fstat");
	check(st.st_size == k->size, "%s: size %ld", k->name, (long)st.st_size);
	check(st.st_blocks == 8 * pages_of(k), "%s: %ld blocks", k->name, (long)st.st_blocks);
	check(seals == (int)(old ? 0 : k->seals | more), "%s: seals %#x", k->name, seals);
	check(lseek(fd, 0, SEEK_CUR) == (n == 1 ? 77 : k->pos), "%s: position %ld", k->name,
	      (long)lseek(fd, 0, SEEK_CUR));
	if (k->flags && !old && !upstream)
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

	for (size_t i = 0; i < nr_chosen; i++) {
		/* In any order. */
		size_t n = chosen[(i + 3) % nr_chosen];
		struct liveupdate_session_retrieve_fd arg = { .size = sizeof(arg),
							      .token = 100 + n };

		must(ioctl(session, LIVEUPDATE_SESSION_RETRIEVE_FD, &arg), kinds[n].name);
		fds[n] = arg.fd;
		pages += pages_of(&kinds[n]);
		check_counts(before, pages, kinds[n].name);
		check_properties(n, fds[n]);
	}
	for (size_t i = 0; i < nr_chosen; i++) {
		size_t n = chosen[i];

		check_bytes(n, fds[n]);
		pages = try_use(n, fds[n], before, pages);
	}
	check_counts(before, pages, "used");
	check(counts().huge - before.huge == (copied || late ? 0 : 4096), "ShmemHugePages %+ld KiB",
	      counts().huge - before.huge);
	check(!ioctl(session, LIVEUPDATE_SESSION_FINISH, &finish), "finish");
	for (size_t i = 0; i < nr_chosen; i++)
		close(fds[chosen[i]]);
	check_counts(before, 0, "closed");
	check(counts().huge == before.huge, "closed: ShmemHugePages");
	close(session);
	close(device);
	return failed;
}

/* Whether it is what it was: each line begins with its token. */
static void look_at(size_t n, int fd)
{
	const struct kind *k = &kinds[n];
	/* F_SEAL_EXEC only where the kernel that made it knows that. */
	const int seals = fcntl(fd, F_GET_SEALS);
	const off_t pos = lseek(fd, 0, SEEK_CUR);
	struct stat st;
	long bad;

	must(fstat(fd, &st), "fstat");
	check(st.st_size == k->size && pos == k->pos && st.st_blocks == 8 * pages_of(k) &&
	      (!seals || seals == (int)k->seals),
	      "%zu %s: size %lld, position %lld, %lld blocks, seals %#x", 100 + n, k->name,
	      (long long)st.st_size, (long long)pos, (long long)st.st_blocks, seals);
	bad = differing(n, fd);
	check(!bad, "%zu %s: %ld of %ld pages differ", 100 + n, k->name, bad, pages_of(k));
	check(pwrite(fd, "x", 1, 0) == 1 && !ftruncate(fd, PAGE), "%zu %s: it is used", 100 + n,
	      k->name);
}

/* What was damaged may be refused, one file at a time. */
static int retrieve_few(void)
{
	int device = open_device(), session = open_session(device, LIVEUPDATE_IOCTL_RETRIEVE_SESSION);
	struct liveupdate_session_finish finish = { .size = sizeof(finish) };

	for (size_t i = 0; i < ARRAY_SIZE(few); i++) {
		struct liveupdate_session_retrieve_fd arg = { .size = sizeof(arg),
							      .token = 100 + few[i] };

		if (ioctl(session, LIVEUPDATE_SESSION_RETRIEVE_FD, &arg)) {
			check(false, "%zu %s: refused: %s", 100 + few[i], kinds[few[i]].name,
			      strerror(errno));
			continue;
		}
		look_at(few[i], arg.fd);
		close(arg.fd);
	}
	check(!ioctl(session, LIVEUPDATE_SESSION_FINISH, &finish), "finish");
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
	if (!strncmp(what, "late", 4)) {
		late = true;
		session_name = "khob-memfd-late";
		nr_chosen = 6;
		chosen[5] = 8;
	}
	if (!strcmp(what, "preserve") || !strcmp(what, "late"))
		return preserve();
	upstream = !strcmp(what, "upstream");
	copied = !strcmp(what, "copied");
	if (upstream || copied || !strcmp(what, "retrieve") || !strcmp(what, "late-retrieve"))
		return retrieve();
	if (!strcmp(what, "few"))
		return preserve_few();
	if (!strcmp(what, "few-retrieve"))
		return retrieve_few();
	if (!strcmp(what, "look"))
		return close(open_device());
	fprintf(stderr, "khob-memfd preserve|late|retrieve|late-retrieve|upstream|copied|few|"
			"few-retrieve|look\n");
	return 2;
}
