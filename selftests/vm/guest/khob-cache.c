// SPDX-License-Identifier: GPL-2.0-only
/*
 * khob-cache: a client of memcached that knows what each key's value has to be.
 *
 *   khob-cache fill KEYS BYTES   stores KEYS values of BYTES each
 *   khob-cache read KEYS BYTES   asks for each, once; waits until memcached answers
 *
 * Both print one JSON object: how many were stored or hit, milliseconds until the first one (from
 * the start of the program) and for all of them. A value that is not the key's ends it with 1.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "clock.h"

enum { PORT = 11211, TRIES = 600, MAX_VALUE = 1 << 19, BATCH = 32 };

static char value[MAX_VALUE], wanted[MAX_VALUE];
static FILE *in, *out;

static uint64_t now_ms(void)
{
	return now_us() / 1000;
}

static void fail(const char *what)
{
	printf("not ok %s: %s\n", what, strerror(errno));
	exit(1);
}

static void connect_to_it(void)
{
	const struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(PORT),
					.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	const struct timespec wait = { .tv_nsec = 100000000 };

	for (int i = 0; i < TRIES; i++) {
		int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

		if (fd < 0)
			fail("socket");
		if (!connect(fd, (const struct sockaddr *)&to, sizeof(to))) {
			in = fdopen(dup(fd), "r");
			out = fdopen(fd, "w");
			if (!in || !out)
				fail("fdopen");
			return;
		}
		close(fd);
		nanosleep(&wait, NULL);
	}
	fail("connect");
}

static void make_value(uint64_t key, size_t bytes, char *to)
{
	uint64_t state = key * 0x9e3779b97f4a7c15ULL + 1;

	for (size_t i = 0; i < bytes; i += sizeof(state)) {
		state ^= state << 13;
		state ^= state >> 7;
		state ^= state << 17;
		memcpy(to + i, &state, bytes - i < sizeof(state) ? bytes - i : sizeof(state));
	}
}

static void get_line(char *line, int size)
{
	if (!fgets(line, size, in))
		fail("memcached ended the connection");
}

static void say_store(uint64_t key, size_t bytes)
{
	make_value(key, bytes, value);
	fprintf(out, "set key-%llu 0 0 %zu\r\n", (unsigned long long)key, bytes);
	fwrite(value, 1, bytes, out);
	fputs("\r\n", out);
}

/* Return: true if it was stored. */
static bool hear_store(uint64_t key, size_t bytes)
{
	char line[128];

	(void)key;
	(void)bytes;
	get_line(line, sizeof(line));
	return !strcmp(line, "STORED\r\n");
}

static void say_read(uint64_t key, size_t bytes)
{
	(void)bytes;
	fprintf(out, "get key-%llu\r\n", (unsigned long long)key);
}

/* Return: true if it hit, with the right value. */
static bool hear_read(uint64_t key, size_t bytes)
{
	char line[128], name[64];
	size_t found;

	get_line(line, sizeof(line));
	if (!strcmp(line, "END\r\n"))
		return false;
	if (sscanf(line, "VALUE %63s %*u %zu", name, &found) != 2 || found != bytes ||
	    fread(value, 1, bytes, in) != bytes)
		fail(line);
	make_value(key, bytes, wanted);
	if (memcmp(value, wanted, bytes))
		fail("a value is not its key's");
	get_line(line, sizeof(line));
	get_line(line, sizeof(line));
	if (strcmp(line, "END\r\n"))
		fail("no end");
	return true;
}

int main(int argc, char **argv)
{
	const uint64_t began = now_ms(), keys = argc == 4 ? strtoull(argv[2], NULL, 10) : 0;
	const size_t bytes = argc == 4 ? strtoul(argv[3], NULL, 10) : 0;
	const bool fill = keys && !strcmp(argv[1], "fill");
	uint64_t good = 0, first = 0;

	if (!keys || !bytes || bytes > MAX_VALUE || (!fill && strcmp(argv[1], "read"))) {
		fprintf(stderr, "khob-cache fill|read KEYS BYTES\n");
		return 2;
	}
	connect_to_it();
	/* The first by itself; then some are on their way at a time. */
	for (uint64_t key = 0, end; key < keys; key = end) {
		end = !key ? 1 : key + BATCH < keys ? key + BATCH : keys;
		for (uint64_t i = key; i < end; i++)
			(fill ? say_store : say_read)(i, bytes);
		fflush(out);
		for (uint64_t i = key; i < end; i++)
			if ((fill ? hear_store : hear_read)(i, bytes) && !good++)
				first = now_ms() - began;
	}
	printf("{\"keys\": %llu, \"good\": %llu, \"percent\": %llu, \"first_ms\": %llu, "
	       "\"all_ms\": %llu}\n", (unsigned long long)keys, (unsigned long long)good,
	       (unsigned long long)(good * 100 / keys), (unsigned long long)first,
	       (unsigned long long)(now_ms() - began));
	return 0;
}
