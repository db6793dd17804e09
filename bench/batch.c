// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Writes rows into a pinned map by the kernel's batch calls, and nothing else.
 *
 *	batch PIN KEY_SIZE VALUE_SIZE KEYS VALUES
 *
 * KEYS and VALUES are files of them, one behind the other, read before the
 * clock runs. Prints the seconds that the calls took.
 */
#include <bpf/bpf.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>

#define ROWS 65536 /* of one call, as kernel/bpf_batch.py has them */

static char *whole(const char *path, size_t *size)
{
	FILE *file = fopen(path, "rb");
	struct stat found;
	char *data;

	if (!file || stat(path, &found))
		return NULL;
	*size = found.st_size;
	data = malloc(*size);
	if (!data || fread(data, 1, *size, file) != *size)
		return NULL;
	fclose(file);
	return data;
}

static double now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec + time.tv_nsec / 1e9;
}

int main(int argc, char **argv)
{
	size_t key_size = argc == 6 ? atoi(argv[2]) : 0, value_size = argc == 6 ? atoi(argv[3]) : 0;
	size_t bytes = 0, dummy;
	char *keys = argc == 6 ? whole(argv[4], &bytes) : NULL;
	char *values = argc == 6 ? whole(argv[5], &dummy) : NULL;
	int map = argc == 6 ? bpf_obj_get(argv[1]) : -1;
	size_t rows = key_size ? bytes / key_size : 0;
	double start;

	if (map < 0 || !keys || !values) {
		perror("batch");
		return 1;
	}
	start = now();
	for (size_t at = 0; at < rows; at += ROWS) {
		__u32 count = rows - at < ROWS ? rows - at : ROWS;

		if (bpf_map_update_batch(map, keys + at * key_size, values + at * value_size, &count, NULL)) {
			perror("bpf_map_update_batch");
			return 1;
		}
	}
	printf("%.6f\n", now() - start);
	return 0;
}
