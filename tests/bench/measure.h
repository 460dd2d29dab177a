/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * measure.h - what the benches of the kernel's side share. For each to include once.
 */
#ifndef TDSMON_TESTS_BENCH_MEASURE_H
#define TDSMON_TESTS_BENCH_MEASURE_H

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <bpf/bpf.h>

static inline int compare_doubles(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* Sorts them. */
static inline double median(double *v, size_t n)
{
	qsort(v, n, sizeof(*v), compare_doubles);
	return v[n / 2];
}

/* A line "name<TAB>value". */
static inline void tell(const char *name, double value)
{
	printf("%s\t%.1f\n", name, value);
	fflush(stdout);
}

/* CPU time of this thread. */
static inline double thread_cpu_s(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* ns of one run of a program with that packet, averaged over so many runs. */
static inline double test_run(int program, const void *data, size_t len, uint32_t repeat)
{
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = data, .data_size_in = (__u32)len,
		    .repeat = (int)repeat);

	if (bpf_prog_test_run_opts(program, &opts)) {
		fprintf(stderr, "bench: test run: %s\n", strerror(errno));
		exit(1);
	}
	return opts.duration;
}

/* Records of a ring buffer are read and dropped. */
static inline int forget_record(void *ctx, void *data, size_t size)
{
	(void)ctx, (void)data, (void)size;
	return 0;
}

/* Bytes of memory that a map is charged, from its descriptor's fdinfo. */
static inline uint64_t map_bytes(int fd)
{
	char path[64], line[128];
	unsigned long long bytes = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	f = fopen(path, "r");
	while (f && fgets(line, sizeof(line), f))
		sscanf(line, "memlock: %llu", &bytes);
	if (f)
		fclose(f);
	return bytes;
}

#endif
