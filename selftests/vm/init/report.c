// SPDX-License-Identifier: GPL-2.0-only
/*
 * The report to the host: KTAP lines through the virtio-serial port named
 * khob.status. The console is for the kernel; nothing is judged from it.
 */
#include "init.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#define PORT_NAME "khob.status"
#define PORT_CLASS "/sys/class/virtio-ports"
#define PORT_WAIT_MS 15000

static int port = -1;

/* Looks once for the port; its name arrives over virtio-serial's control queue. */
static bool find_port(char *path, size_t size)
{
	DIR *dir = opendir(PORT_CLASS);
	struct dirent *entry;
	bool found = false;

	if (!dir)
		return false;
	while (!found && (entry = readdir(dir))) {
		char file[sizeof(PORT_CLASS) + sizeof(entry->d_name) + 8];
		char name[64] = "";
		FILE *f;

		if (entry->d_name[0] == '.')
			continue;
		snprintf(file, sizeof(file), PORT_CLASS "/%s/name", entry->d_name);
		f = fopen(file, "re");
		if (!f)
			continue;
		if (fgets(name, sizeof(name), f)) {
			name[strcspn(name, "\n")] = '\0';
			found = !strcmp(name, PORT_NAME);
		}
		fclose(f);
		if (found)
			snprintf(path, size, "/dev/%s", entry->d_name);
	}
	closedir(dir);
	return found;
}

/* Opens the status port, waiting for its driver; false when there is none. */
bool report_open(void)
{
	const struct timespec nap = { .tv_nsec = 5000000 };
	char path[512];

	for (int waited = 0; waited < PORT_WAIT_MS; waited += 5) {
		if (find_port(path, sizeof(path))) {
			port = open(path, O_WRONLY | O_CLOEXEC);
			if (port >= 0)
				return true;
		}
		nanosleep(&nap, NULL);
	}
	return false;
}

static void write_all(int fd, const char *bytes, size_t len)
{
	while (len) {
		ssize_t n = write(fd, bytes, len);

		if (n < 0) {
			if (errno == EINTR || errno == EAGAIN)
				continue;
			return;
		}
		bytes += n;
		len -= (size_t)n;
	}
}

/* Sends one line; the port's write returns once the host has taken the bytes. */
void report_line(const char *format, ...)
{
	char line[2048];
	va_list args;
	int n;

	va_start(args, format);
	n = vsnprintf(line, sizeof(line) - 1, format, args);
	va_end(args);
	if (n < 0)
		return;
	if ((size_t)n > sizeof(line) - 2)
		n = (int)sizeof(line) - 2;
	line[n] = '\n';
	write_all(port >= 0 ? port : STDERR_FILENO, line, (size_t)n + 1);
}

/*
 * Sends a command's output as KTAP diagnostics, a line each. The "| " tells the
 * host that the text is the command's, whatever it looks like.
 */
void report_output(const char *bytes, size_t len)
{
	while (len) {
		const char *end = memchr(bytes, '\n', len);
		size_t n = end ? (size_t)(end - bytes) : len;
		char line[1024];
		size_t out = 0;

		for (size_t i = 0; i < n && out < sizeof(line) - 1; i++) {
			unsigned char c = (unsigned char)bytes[i];

			if (c == '\r')
				continue;
			line[out++] = (c < ' ' && c != '\t') || c == 0x7f ? '?' : (char)c;
		}
		line[out] = '\0';
		report_line("# | %s", line);
		n += end ? 1 : 0;
		bytes += n;
		len -= n;
	}
}

/* Writes a line into the kernel log, so that the console shows where we are. */
void report_kmsg(const char *format, ...)
{
	int fd = open("/dev/kmsg", O_WRONLY | O_CLOEXEC);
	char line[512];
	va_list args;
	int n;

	if (fd < 0)
		return;
	va_start(args, format);
	n = vsnprintf(line, sizeof(line), format, args);
	va_end(args);
	if (n > 0)
		write_all(fd, line, (size_t)n < sizeof(line) ? (size_t)n : sizeof(line) - 1);
	close(fd);
}

/* Waits until the console has sent what it holds: kexec does not. */
void report_drain(void)
{
	int fd = open("/dev/console", O_WRONLY | O_NOCTTY | O_CLOEXEC);

	if (fd < 0)
		return;
	tcdrain(fd);
	close(fd);
}
