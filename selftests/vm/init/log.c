// SPDX-License-Identifier: GPL-2.0-only
/*
 * Reads /dev/kmsg as it grows and keeps the lines that no clean run prints.
 * Record format (Documentation/ABI/testing/dev-kmsg): "prio,seq,usec,flags;text";
 * prio / 8 is the facility, 0 for the kernel itself, so what userspace writes
 * into the log, step names included, is never taken for a kernel message.
 */
#include "init.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MAX_OFFENCES 64
/* Lines kept after an offence: a trace says more than its first line. */
#define FOLLOW_LINES 16

/*
 * Case matters where a harmless word contains a bad one: "loops_per_jiffy", which a
 * slow guest complains about, has an "oops" in it.
 */
static const struct {
	const char *text;
	bool any_case;
} bad[] = {
	{ "WARNING:", false }, { "BUG:", false }, { "Oops", false },
	{ "Call Trace", true }, { "bad page state", true }, { "refcount", true },
};

struct line {
	char *text;
	bool offence;
};

static int kmsg = -1;
static struct line kept[MAX_OFFENCES];
static size_t nr_kept;
static size_t nr_offences;
static size_t follow;
static size_t lost;

/* Opens the log at its first record. */
void log_open(void)
{
	kmsg = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
}

static bool is_bad(const char *text, const struct plan *plan)
{
	bool found = false;

	for (size_t i = 0; !found && i < sizeof(bad) / sizeof(bad[0]); i++)
		found = (bad[i].any_case ? strcasestr(text, bad[i].text) :
					   strstr(text, bad[i].text)) != NULL;
	for (size_t i = 0; found && i < plan->nr_allow; i++)
		found = regexec(&plan->allow[i], text, 0, NULL, 0) != 0;
	return found;
}

/* Reads what the log has got since the last call. */
void log_scan(const struct plan *plan)
{
	/* One record a read; the kernel's own limit is below this. */
	char record[8192];

	while (kmsg >= 0) {
		ssize_t n = read(kmsg, record, sizeof(record) - 1);
		bool offence;
		char *text;

		if (n < 0 && errno == EPIPE) {
			lost++;
			continue;
		}
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return;
		record[n] = '\0';
		text = strchr(record, ';');
		if (!text || strtoul(record, NULL, 10) / 8 != 0)
			continue;
		text++;
		text[strcspn(text, "\n")] = '\0';
		offence = is_bad(text, plan);
		if (offence) {
			nr_offences++;
			follow = FOLLOW_LINES;
		} else if (follow) {
			follow--;
		} else {
			continue;
		}
		if (nr_kept < MAX_OFFENCES)
			kept[nr_kept++] = (struct line){ strdup(text), offence };
	}
}

/* How many lines were bad; a log that cannot be read counts as one. */
size_t log_offences(void)
{
	return kmsg < 0 ? 1 : nr_offences;
}

/* Sends the bad lines and what followed them. */
void log_report(void)
{
	if (kmsg < 0)
		report_line("# cannot read /dev/kmsg");
	if (lost)
		report_line("# the kernel log overran %zu times: some lines were not seen", lost);
	for (size_t i = 0; i < nr_kept; i++)
		if (kept[i].text && kept[i].offence)
			report_line("# kernel log: %s", kept[i].text);
		else if (kept[i].text)
			report_output(kept[i].text, strlen(kept[i].text));
}
