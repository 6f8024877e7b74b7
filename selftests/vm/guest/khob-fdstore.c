// SPDX-License-Identifier: GPL-2.0-only
/*
 * A service that keeps a memfd in systemd's file descriptor store: makes one when the store is
 * empty, or finds the one that the kernel before had, and says which on stdout. sd_notify() and
 * sd_listen_fds_with_names() by hand: there is no libsystemd in a static program.
 */
#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define FDNAME "khob-memory"
#define FIRST_FD 3
/* No multiple of a page, and more than one block of LUO's list of folios describes. */
#define SIZE (3u * 1024u * 1024u + 123u)

static void die(const char *what)
{
	printf("not ok: %s: %s\n", what, strerror(errno));
	exit(1);
}

/* What byte @i of the memfd is. */
static unsigned char expected(size_t i)
{
	return (unsigned char)(i * 2654435761u >> 13 ^ i >> 20);
}

/* Tells systemd something, with a descriptor if @fd is one. */
static void notify(const char *text, int fd)
{
	union {
		struct cmsghdr header;
		char bytes[CMSG_SPACE(sizeof(int))];
	} control = { 0 };
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	struct iovec data = { .iov_base = (char *)text, .iov_len = strlen(text) };
	struct msghdr message = { .msg_name = &to, .msg_iov = &data, .msg_iovlen = 1 };
	const char *path = getenv("NOTIFY_SOCKET");
	int sock = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (!path || strlen(path) >= sizeof(to.sun_path))
		errno = EINVAL, die("NOTIFY_SOCKET");
	strcpy(to.sun_path, path);
	message.msg_namelen = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(path));
	/* An abstract one. */
	if (*path == '@')
		to.sun_path[0] = '\0';
	if (fd >= 0) {
		message.msg_control = control.bytes;
		message.msg_controllen = sizeof(control.bytes);
		control.header.cmsg_level = SOL_SOCKET;
		control.header.cmsg_type = SCM_RIGHTS;
		control.header.cmsg_len = CMSG_LEN(sizeof(fd));
		memcpy(CMSG_DATA(&control.header), &fd, sizeof(fd));
	}
	if (sock < 0 || sendmsg(sock, &message, MSG_NOSIGNAL) != (ssize_t)data.iov_len)
		die(text);
	close(sock);
}

/* The descriptor of our name that systemd has passed; -1 if there is none. */
static int passed(void)
{
	const char *pid = getenv("LISTEN_PID"), *count = getenv("LISTEN_FDS");
	char *names = getenv("LISTEN_FDNAMES"), *save;
	int fd = FIRST_FD;

	if (!pid || !count || !names || atoi(pid) != getpid())
		return -1;
	for (char *name = strtok_r(names, ":", &save); name; name = strtok_r(NULL, ":", &save)) {
		if (!strcmp(name, FDNAME) && fd < FIRST_FD + atoi(count))
			return fd;
		fd++;
	}
	return -1;
}

static unsigned char *map(int fd, int protection)
{
	unsigned char *bytes = mmap(NULL, SIZE, protection, MAP_SHARED, fd, 0);

	if (bytes == MAP_FAILED)
		die("mmap");
	return bytes;
}

static void make(void)
{
	int fd = memfd_create(FDNAME, MFD_CLOEXEC | MFD_ALLOW_SEALING);
	unsigned char *bytes;

	if (fd < 0 || ftruncate(fd, SIZE))
		die("memfd_create");
	bytes = map(fd, PROT_READ | PROT_WRITE);
	for (size_t i = 0; i < SIZE; i++)
		bytes[i] = expected(i);
	munmap(bytes, SIZE);
	notify("FDSTORE=1\nFDNAME=" FDNAME, fd);
	printf("made %u bytes and stored them as " FDNAME "\n", SIZE);
	close(fd);
}

static void check(int fd)
{
	unsigned char *bytes;
	struct stat found;

	if (fstat(fd, &found))
		die("fstat");
	if (found.st_size != SIZE) {
		printf("not ok: %lld bytes came back, not %u\n", (long long)found.st_size, SIZE);
		exit(1);
	}
	bytes = map(fd, PROT_READ);
	for (size_t i = 0; i < SIZE; i++)
		if (bytes[i] != expected(i)) {
			printf("not ok: byte %zu is 0x%02x, not 0x%02x\n", i, bytes[i],
			       expected(i));
			exit(1);
		}
	printf(FDNAME " came back: %u bytes, all as they were\n", SIZE);
}

int main(void)
{
	int fd = passed();

	if (fd < 0)
		make();
	else
		check(fd);
	fflush(stdout);
	notify("READY=1", -1);
	for (;;)
		pause();
}
