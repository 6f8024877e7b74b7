// SPDX-License-Identifier: GPL-2.0-only
/*
 * khob-dax: fills a device that is memory, or a file, and looks whether it is as it was filled.
 *
 *   khob-dax fill|check DEVICE MIB [STEP]   a /dev/daxN.M, a block device, or a file of that size;
 *                                           only every STEPth word
 *
 * It is mapped where huge pages can be; how much of it they map is printed.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

static uint64_t word_at(uint64_t at)
{
	return (at + 1) * 0x9e3779b97f4a7c15ULL;
}

/* What can be mapped by huge pages, if what is in @fd allows it. */
static uint64_t *map(int fd, uint64_t size)
{
	const uint64_t huge = 2 << 20;
	char *at = mmap(NULL, size + huge, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (at == MAP_FAILED)
		return MAP_FAILED;
	at += huge - (uint64_t)at % huge;
	return mmap(at, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, fd, 0);
}

/* Says how much of shared memory this process has mapped by huge pages. */
static void print_huge(void)
{
	unsigned long long kib, sum = 0;
	FILE *maps = fopen("/proc/self/smaps", "r");
	char line[256];

	while (maps && fgets(line, sizeof(line), maps))
		if (sscanf(line, "ShmemPmdMapped: %llu kB", &kib) == 1)
			sum += kib;
	printf("mapped by huge pages: %llu KiB\n", sum);
	if (maps)
		fclose(maps);
}

int main(int argc, char **argv)
{
	const int fill = argc > 1 && !strcmp(argv[1], "fill");
	uint64_t words, bad = 0, step = argc == 5 ? strtoull(argv[4], NULL, 10) : 1;
	uint64_t *at;
	int fd;

	if (argc < 4 || argc > 5 || !step || (!fill && strcmp(argv[1], "check"))) {
		fprintf(stderr, "khob-dax fill|check DEVICE MIB [STEP]\n");
		return 2;
	}
	words = (strtoull(argv[3], NULL, 10) << 20) / sizeof(*at);
	fd = open(argv[2], O_RDWR);
	at = fd < 0 ? MAP_FAILED : map(fd, words * sizeof(*at));
	if (at == MAP_FAILED) {
		fprintf(stderr, "%s: %s: %s\n", argv[2], fd < 0 ? "open" : "mmap", strerror(errno));
		return 1;
	}
	for (uint64_t i = 0; i < words; i += step) {
		if (fill)
			at[i] = word_at(i);
		else
			bad += at[i] != word_at(i);
	}
	if (fill && msync(at, words * sizeof(*at), MS_SYNC) && errno != EINVAL) {
		perror("msync");
		return 1;
	}
	print_huge();
	printf("%s: %llu of %llu words differ\n", argv[2], (unsigned long long)bad,
	       (unsigned long long)words);
	return bad != 0;
}
