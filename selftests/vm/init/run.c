// SPDX-License-Identifier: GPL-2.0-only
/*
 * Runs one step's command in a session of its own, relays its output to the
 * host line by line as it comes, and kills the session when time is up.
 */
#include "init.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* How long output of what a command left in the background is waited for. */
#define LINGER_US 200000

/* CLOCK_MONOTONIC in microseconds. */
uint64_t monotonic_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000u + (uint64_t)now.tv_nsec / 1000u;
}

/* The first OUTPUT_HEAD bytes are kept for good, then the last OUTPUT_TAIL. */
static void keep(struct run_result *result, const char *bytes, size_t len)
{
	const size_t room = OUTPUT_HEAD + OUTPUT_TAIL;

	for (size_t i = 0; i < len; i++) {
		if (result->len == room) {
			const size_t drop = OUTPUT_TAIL / 4;

			memmove(result->output + OUTPUT_HEAD, result->output + OUTPUT_HEAD + drop,
				OUTPUT_TAIL - drop);
			result->len -= drop;
			result->dropped += drop;
		}
		result->output[result->len++] = bytes[i];
	}
	result->output[result->len] = '\0';
}

/* Sends the whole lines of the head that were not sent yet; returns what is sent. */
static size_t relay(const struct run_result *result, size_t sent)
{
	size_t end = result->len < OUTPUT_HEAD ? result->len : OUTPUT_HEAD;

	while (end > sent && result->output[end - 1] != '\n')
		end--;
	if (end > sent)
		report_output(result->output + sent, end - sent);
	return end > sent ? end : sent;
}

static void child(const char *command, int out)
{
	int null = open("/dev/null", O_RDONLY);
	sigset_t none;

	setsid();
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	dup2(null, STDIN_FILENO);
	dup2(out, STDOUT_FILENO);
	dup2(out, STDERR_FILENO);
	execl("/bin/busybox", "sh", "-c", command, (char *)NULL);
	_exit(127);
}

/* Reads what the pipe has; false at its end. */
static bool pump(int fd, struct run_result *result)
{
	char bytes[4096];
	ssize_t n;

	while ((n = read(fd, bytes, sizeof(bytes))) > 0)
		keep(result, bytes, (size_t)n);
	return n < 0 && (errno == EAGAIN || errno == EINTR);
}

/* Reaps every child, ours and orphans; true once @pid is among them. */
static bool reap(pid_t pid, struct run_result *result)
{
	bool ours = false;
	pid_t got;
	int status;

	while ((got = waitpid(-1, &status, WNOHANG)) > 0) {
		if (got != pid)
			continue;
		ours = true;
		result->signalled = WIFSIGNALED(status);
		result->code = result->signalled ? WTERMSIG(status) : WEXITSTATUS(status);
	}
	return ours;
}

/* Follows the child until it ends, or the time does. */
static void follow(pid_t pid, int fd, uint64_t deadline, struct run_result *result)
{
	struct pollfd ready = { .fd = fd, .events = POLLIN };
	uint64_t linger = 0;
	bool open = true;
	bool done = false;
	size_t sent = 0;

	while (!done || (open && monotonic_us() < linger)) {
		/*
		 * 10 ms is what a step's time may be off by when its child
		 * closes the pipe early; an open pipe wakes us at once.
		 */
		if (poll(&ready, open ? 1 : 0, 10) > 0)
			open = pump(fd, result);
		sent = relay(result, sent);
		if (!done && reap(pid, result)) {
			done = true;
			linger = monotonic_us() + LINGER_US;
		} else if (!done && !result->timed_out && monotonic_us() > deadline) {
			result->timed_out = true;
			kill(-pid, SIGKILL);
			kill(pid, SIGKILL);
		}
	}
	if (result->dropped)
		report_line("# ... %zu bytes dropped ...", result->dropped);
	report_output(result->output + sent, result->len - sent);
}

/* Runs `sh -c @command` for at most @timeout seconds. */
void run_command(const char *command, unsigned int timeout, struct run_result *result)
{
	const uint64_t start = monotonic_us();
	int ends[2];
	pid_t pid;

	memset(result, 0, sizeof(*result));
	if (pipe2(ends, O_CLOEXEC)) {
		report_line("# pipe2: %s", strerror(errno));
		return;
	}
	fcntl(ends[0], F_SETFL, O_NONBLOCK);
	pid = fork();
	if (pid == 0)
		child(command, ends[1]);
	close(ends[1]);
	if (pid < 0) {
		report_line("# fork: %s", strerror(errno));
	} else {
		result->started = true;
		follow(pid, ends[0], start + (uint64_t)timeout * 1000000u, result);
	}
	close(ends[0]);
	result->microseconds = monotonic_us() - start;
}
