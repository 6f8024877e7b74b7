// SPDX-License-Identifier: GPL-2.0-only
/*
 * khob-tick: PID 1 of a guest inside the test VM, and what looks at that from outside.
 *
 *   khob-tick               counts ten times a second, changes a word of its memory each time, and
 *                           prints the count with a hash of all of that memory
 *   khob-tick check LOG     what it printed: every tick is there once, in order, with the hash that
 *                           it must have; prints how many there are
 *
 * The hash is a sum over all words, so that whoever knows which word has changed follows it without
 * looking at the others.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { WORDS = 1 << 17 };

static uint64_t words[WORDS];

static uint64_t part(uint64_t at, uint64_t word)
{
	uint64_t x = (word ^ (at * 0x9e3779b97f4a7c15ULL)) * 0xbf58476d1ce4e5b9ULL;

	return x ^ x >> 31;
}

static void fill(void)
{
	for (uint64_t at = 0; at < WORDS; at++)
		words[at] = (at + 1) * 0x94d049bb133111ebULL;
}

static uint64_t hash(void)
{
	uint64_t sum = 0;

	for (uint64_t at = 0; at < WORDS; at++)
		sum += part(at, words[at]);
	return sum;
}

/* Return: the word that a tick changes. */
static uint64_t change(uint64_t tick)
{
	uint64_t at = tick * 7919 % WORDS;

	words[at] += tick * 0x9e3779b97f4a7c15ULL;
	return at;
}

static void count(void)
{
	const struct timespec wait = { .tv_nsec = 100000000 };

	for (uint64_t tick = 1;; tick++) {
		change(tick);
		printf("tick %llu %016llx\n", (unsigned long long)tick, (unsigned long long)hash());
		fflush(stdout);
		nanosleep(&wait, NULL);
	}
}

static int check(const char *path)
{
	FILE *file = fopen(path, "re");
	uint64_t sum = hash(), ticks = 0;
	char line[256];

	if (!file) {
		perror(path);
		return 1;
	}
	while (fgets(line, sizeof(line), file)) {
		unsigned long long tick, found;
		uint64_t at, before;

		/* The last line may not be whole yet; what else the console has is no tick. */
		if (!strchr(line, '\n') || strncmp(line, "tick ", 5))
			continue;
		at = (ticks + 1) * 7919 % WORDS;
		before = part(at, words[at]);
		change(++ticks);
		sum += part(at, words[at]) - before;
		if (sscanf(line, "tick %llu %llx", &tick, &found) != 2 || tick != ticks ||
		    found != sum) {
			printf("not ok instead of tick %llu %016llx: %s", (unsigned long long)ticks,
			       (unsigned long long)sum, line);
			return 1;
		}
	}
	printf("%llu\n", (unsigned long long)ticks);
	return 0;
}

int main(int argc, char **argv)
{
	fill();
	if (argc == 3 && !strcmp(argv[1], "check"))
		return check(argv[2]);
	if (getpid() != 1) {
		fprintf(stderr, "khob-tick check LOG\n");
		return 2;
	}
	count();
}
