// SPDX-License-Identifier: GPL-2.0-only
/*
 * A service that keeps a memfd in systemd's file descriptor store, and another one in a session
 * that systemd has made for it (LUOSession=): makes them when the store has none, or finds those
 * that the kernel before had, and says which on stdout. sd_notify() and sd_listen_fds_with_names()
 * by hand: there is no libsystemd in a static program.
 */
#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "../../../module/include/uapi/linux/liveupdate.h"

#define FDNAME "khob-memory"
#define SESSION "khob-session"
#define TOKEN 7
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

/* The descriptor of a name that systemd has passed; -1 if there is none. */
static int passed(const char *wanted)
{
	const char *pid = getenv("LISTEN_PID"), *count = getenv("LISTEN_FDS");
	const char *name = getenv("LISTEN_FDNAMES");

	if (!pid || !count || !name || atoi(pid) != getpid())
		return -1;
	for (int fd = FIRST_FD; fd < FIRST_FD + atoi(count); fd++) {
		size_t len = strcspn(name, ":");

		if (len == strlen(wanted) && !memcmp(name, wanted, len))
			return fd;
		name += len + (name[len] == ':');
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

static int make(void)
{
	int fd = memfd_create(FDNAME, MFD_CLOEXEC | MFD_ALLOW_SEALING);
	unsigned char *bytes;

	if (fd < 0 || ftruncate(fd, SIZE))
		die("memfd_create");
	bytes = map(fd, PROT_READ | PROT_WRITE);
	for (size_t i = 0; i < SIZE; i++)
		bytes[i] = expected(i);
	munmap(bytes, SIZE);
	return fd;
}

static void check(int fd, const char *name)
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
	printf("%s came back: %u bytes, all as they were\n", name, SIZE);
}

static void make_all(int session)
{
	struct liveupdate_session_preserve_fd arg = { .size = sizeof(arg), .fd = make(),
						      .token = TOKEN };

	if (ioctl(session, LIVEUPDATE_SESSION_PRESERVE_FD, &arg))
		die(SESSION);
	printf("made %u bytes and preserved them in " SESSION "\n", SIZE);
	notify("FDSTORE=1\nFDNAME=" FDNAME, make());
	printf("made %u bytes and stored them as " FDNAME "\n", SIZE);
}

static void check_all(int fd, int session)
{
	struct liveupdate_session_retrieve_fd arg = { .size = sizeof(arg), .token = TOKEN };
	struct liveupdate_session_finish finish = { .size = sizeof(finish) };

	check(fd, FDNAME);
	if (ioctl(session, LIVEUPDATE_SESSION_RETRIEVE_FD, &arg))
		die(SESSION);
	check(arg.fd, SESSION);
	if (ioctl(session, LIVEUPDATE_SESSION_FINISH, &finish))
		die("finish");
	/* As long as somebody has it open it is a session of the next kernel's, too. */
	notify("FDSTOREREMOVE=1\nFDNAME=" SESSION, -1);
	close(session);
}

int main(void)
{
	int fd = passed(FDNAME), session = passed(SESSION);

	if (session < 0)
		errno = ENOENT, die(SESSION);
	if (fd < 0)
		make_all(session);
	else
		check_all(fd, session);
	fflush(stdout);
	notify("READY=1", -1);
	for (;;)
		pause();
}
