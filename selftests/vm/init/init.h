/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the parts of the test VM's PID 1 share: the plan of a generation, the
 * report that goes to the host, one step's run, and the kernel log scanner.
 *
 * A "generation" is one kernel's life: generation 1 is what QEMU boots, each
 * kexec starts the next. The host writes one plan a generation into
 * /etc/khob/steps.N of the initramfs (see khobvm/plan.py for the format).
 */
#ifndef KHOB_VM_INIT_H
#define KHOB_VM_INIT_H

#include <regex.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MAX_EXIT_CODES 8

/* One command of a plan and what it must do. */
struct step {
	char *name;
	char *command;
	char **contains;	/* every one must occur in the output */
	size_t nr_contains;
	char **lacks;		/* none may occur in the output */
	size_t nr_lacks;
	int expect[MAX_EXIT_CODES];
	size_t nr_expect;
	unsigned int timeout;	/* seconds */
	bool final;		/* leaves this kernel: must not return */
	bool always;		/* runs even after a failed step */
};

/* All that one generation does. */
struct plan {
	struct step *steps;
	size_t nr_steps;
	regex_t *allow;		/* kernel log lines that are no failure */
	size_t nr_allow;
	bool check_log;
	bool needs_initrd;
};

/* plan.c: returns false and sets @error (static or allocated, never freed). */
bool plan_read(const char *path, struct plan *plan, const char **error);

/* report.c: lines to the host's status port, or to the console without one. */
bool report_open(void);
void report_line(const char *format, ...) __attribute__((format(printf, 1, 2)));
void report_output(const char *bytes, size_t len);
void report_kmsg(const char *format, ...) __attribute__((format(printf, 1, 2)));
void report_drain(void);

/* Bytes of a step's output that are kept: the first ones, and the last ones. */
#define OUTPUT_HEAD (64u * 1024u)
#define OUTPUT_TAIL (16u * 1024u)

/* What a step's command did. */
struct run_result {
	bool started;
	bool timed_out;
	bool signalled;
	int code;		/* exit code or signal number */
	uint64_t microseconds;
	size_t dropped;		/* bytes between head and tail */
	size_t len;
	char output[OUTPUT_HEAD + OUTPUT_TAIL + 1];
};

/* run.c: runs `sh -c @command`, relaying its output to the report as it comes. */
void run_command(const char *command, unsigned int timeout, struct run_result *result);
uint64_t monotonic_us(void);

/* log.c: the kernel log from this boot on, read as it grows. */
void log_open(void);
void log_scan(const struct plan *plan);
size_t log_offences(void);
void log_report(void);

#endif
