// SPDX-License-Identifier: GPL-2.0-only
/*
 * khob-dax: fills a device that is memory, and looks whether it is as it was filled.
 *
 *   khob-dax fill|check DEVICE MIB   a /dev/daxN.M, or a block device
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

int main(int argc, char **argv)
{
	const int fill = argc == 4 && !strcmp(argv[1], "fill");
	uint64_t words, bad = 0;
	uint64_t *at;
	int fd;

	if (argc != 4 || (!fill && strcmp(argv[1], "check"))) {
		fprintf(stderr, "khob-dax fill|check DEVICE MIB\n");
		return 2;
	}
	words = (strtoull(argv[3], NULL, 10) << 20) / sizeof(*at);
	fd = open(argv[2], O_RDWR);
	at = fd < 0 ? MAP_FAILED : mmap(NULL, words * sizeof(*at), PROT_READ | PROT_WRITE,
					MAP_SHARED, fd, 0);
	if (at == MAP_FAILED) {
		fprintf(stderr, "%s: %s: %s\n", argv[2], fd < 0 ? "open" : "mmap", strerror(errno));
		return 1;
	}
	for (uint64_t i = 0; i < words; i++) {
		if (fill)
			at[i] = word_at(i);
		else
			bad += at[i] != word_at(i);
	}
	if (fill && msync(at, words * sizeof(*at), MS_SYNC) && errno != EINVAL) {
		perror("msync");
		return 1;
	}
	printf("%s: %llu of %llu words differ\n", argv[2], (unsigned long long)bad,
	       (unsigned long long)words);
	return bad != 0;
}
