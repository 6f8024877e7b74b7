// SPDX-License-Identifier: GPL-2.0-only
/*
 * Example: a daemon that listens on a socket and keeps what it is told in a memfd. In the next
 * kernel it is started anew, and knows what it knew.
 *
 *   kho-keeper serve SOCKET        listens, in the background
 *   kho-keeper add SOCKET TEXT     tells it a line
 *   kho-keeper show SOCKET         prints all lines
 */
#include <errno.h>
#include <kho.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#define STATE_LAYOUT "keeper-1"
#define STATE_SIZE 65536
#define REQUEST_MAX 512

/* What is in the memfd. A new one is all zeroes. */
struct state {
	char layout[16];
	atomic_ulong used;
	char text[STATE_SIZE - 16 - sizeof(atomic_ulong)];
};

static int complain(const char *what)
{
	fprintf(stderr, "kho-keeper: %s: %s\n", what, strerror(errno));
	return 1;
}

/* Whether a state that came may be believed: another program has written it in another kernel. */
static bool state_good(const struct state *state)
{
	char known[sizeof(state->layout)] = STATE_LAYOUT;

	return !memcmp(state->layout, known, sizeof(known)) && state->used <= sizeof(state->text);
}

/* The file, mapped; NULL if it is not one of ours. */
static struct state *state_map(const struct kho_kept *kept)
{
	struct state *state;
	struct stat st;

	if (fstat(kept->fd, &st) || st.st_size != STATE_SIZE)
		return NULL;
	state = mmap(NULL, STATE_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, kept->fd, 0);
	if (state == MAP_FAILED)
		return NULL;
	if (!kept->found)
		memcpy(state->layout, STATE_LAYOUT, sizeof(STATE_LAYOUT));
	if (state_good(state))
		return state;
	munmap(state, STATE_SIZE);
	return NULL;
}

/* The machine may jump between any two writes: what counts is written last. */
static bool state_add(struct state *state, const char *line, size_t len)
{
	size_t used = state->used;

	if (len + 1 > sizeof(state->text) - used)
		return false;
	memcpy(state->text + used, line, len);
	state->text[used + len] = '\n';
	atomic_store_explicit(&state->used, used + len + 1, memory_order_release);
	return true;
}

static bool send_all(int fd, const char *from, size_t len)
{
	while (len) {
		ssize_t n = send(fd, from, len, MSG_NOSIGNAL);

		if (n <= 0)
			return false;
		from += n;
		len -= (size_t)n;
	}
	return true;
}

/* All that the other side sends, up to its end. */
static ssize_t receive_all(int fd, char *to, size_t size)
{
	size_t len = 0;

	while (len < size) {
		ssize_t n = recv(fd, to + len, size - len, 0);

		if (n < 0)
			return -1;
		if (!n)
			break;
		len += (size_t)n;
	}
	return (ssize_t)len;
}

static void answer(int fd, struct state *state)
{
	/* Nobody keeps it waiting for long. */
	const struct timeval limit = { .tv_sec = 1 };
	char request[REQUEST_MAX];
	ssize_t len;

	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
	len = receive_all(fd, request, sizeof(request));
	if (len == 4 && !memcmp(request, "show", 4))
		send_all(fd, state->text, state->used);
	else if (len > 4 && len < REQUEST_MAX && !memcmp(request, "add ", 4) &&
		 state_add(state, request + 4, (size_t)len - 4))
		send_all(fd, "kept\n", 5);
	else
		send_all(fd, "refused\n", 8);
}

static bool address_of(const char *path, struct sockaddr_un *address)
{
	*address = (struct sockaddr_un){ .sun_family = AF_UNIX };
	if (strlen(path) >= sizeof(address->sun_path)) {
		errno = ENAMETOOLONG;
		return false;
	}
	memcpy(address->sun_path, path, strlen(path));
	return true;
}

static int listen_at(const char *path)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct sockaddr_un address;

	if (fd < 0 || !address_of(path, &address))
		return -1;
	umask(077);
	unlink(path);
	return bind(fd, (struct sockaddr *)&address, sizeof(address)) || listen(fd, 8) ? -1 : fd;
}

static int serve(const char *path)
{
	struct state *state;
	struct kho_kept kept;
	enum kho_error err = kho_keep("kho-keeper", "state", STATE_SIZE, &kept);
	int listener;

	/* It is of use without being handed over, but not without a file. */
	if (err)
		fprintf(stderr, "kho-keeper: %s\n", kho_strerror(err));
	if (kept.fd < 0)
		return 1;
	state = state_map(&kept);
	if (!state) {
		fputs("kho-keeper: what the kernel before has left is no state of ours\n", stderr);
		return 1;
	}
	listener = listen_at(path);
	if (listener < 0)
		return complain(path);
	printf("kho-keeper: %s, %lu bytes\n", kept.found ? "found" : "made", state->used);
	fflush(stdout);
	if (daemon(0, 0))
		return complain("daemon");
	for (;;) {
		int fd = accept(listener, NULL, NULL);

		/* Whatever it is, what is kept is kept only as long as this process is there. */
		if (fd < 0) {
			sleep(1);
			continue;
		}
		answer(fd, state);
		close(fd);
	}
}

static int ask(const char *path, const char *request)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	static char said[STATE_SIZE];
	struct sockaddr_un address;
	ssize_t len;

	if (fd < 0 || !address_of(path, &address) ||
	    connect(fd, (struct sockaddr *)&address, sizeof(address)))
		return complain(path);
	if (!send_all(fd, request, strlen(request)) || shutdown(fd, SHUT_WR))
		return complain(path);
	len = receive_all(fd, said, sizeof(said));
	if (len < 0)
		return complain(path);
	fwrite(said, 1, (size_t)len, stdout);
	return !strncmp(request, "add ", 4) && (len != 5 || memcmp(said, "kept\n", 5));
}

int main(int argc, char **argv)
{
	char request[REQUEST_MAX];
	int len;

	if (argc == 3 && !strcmp(argv[1], "serve"))
		return serve(argv[2]);
	if (argc == 3 && !strcmp(argv[1], "show"))
		return ask(argv[2], "show");
	if (argc == 4 && !strcmp(argv[1], "add")) {
		len = snprintf(request, sizeof(request), "add %s", argv[3]);
		if (len > 4 && len < REQUEST_MAX && !strchr(argv[3], '\n'))
			return ask(argv[2], request);
	}
	fprintf(stderr, "kho-keeper serve SOCKET | add SOCKET TEXT | show SOCKET\n");
	return 2;
}
