// SPDX-License-Identifier: GPL-2.0-only
/*
 * khob-clock: how long something takes that begins under one kernel and ends under the next, by the
 * time stamp counter, which goes on meanwhile.
 *
 *   khob-clock mark FILE    notes when that was
 *   khob-clock since FILE   prints milliseconds since
 */
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"

int main(int argc, char **argv)
{
	const uint64_t tsc = __rdtsc();
	unsigned long long noted;
	FILE *file;

	if (argc != 3 || (strcmp(argv[1], "mark") && strcmp(argv[1], "since"))) {
		fprintf(stderr, "khob-clock mark|since FILE\n");
		return 2;
	}
	file = fopen(argv[2], *argv[1] == 'm' ? "we" : "re");
	if (!file) {
		fprintf(stderr, "%s: %s\n", argv[2], strerror(errno));
		return 1;
	}
	if (*argv[1] == 'm')
		return fprintf(file, "%llu\n", (unsigned long long)tsc) < 0 || fclose(file);
	if (fscanf(file, "%llu", &noted) != 1 || noted > tsc) {
		fprintf(stderr, "%s: no earlier time\n", argv[2]);
		return 1;
	}
	printf("%llu\n", (unsigned long long)us_between(noted, tsc) / 1000);
	return 0;
}
