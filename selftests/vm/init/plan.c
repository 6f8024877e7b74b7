// SPDX-License-Identifier: GPL-2.0-only
/*
 * Reads the plan of a generation: one "key value" a line, values escaped so
 * that a newline is "\n" and a backslash "\\". "step NAME" opens a step, the
 * keys after it are that step's. The host writes it with khobvm/plan.py.
 */
#include "init.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char message[512];

static void *must(void *pointer)
{
	if (!pointer)
		abort();
	return pointer;
}

static char *unescape(const char *text)
{
	char *copy = must(malloc(strlen(text) + 1));
	char *out = copy;

	for (; *text; text++) {
		if (*text == '\\' && text[1]) {
			text++;
			*out++ = *text == 'n' ? '\n' : *text == 't' ? '\t' : *text;
		} else {
			*out++ = *text;
		}
	}
	*out = '\0';
	return copy;
}

static void append(char ***list, size_t *nr, char *text)
{
	*list = must(realloc(*list, (*nr + 1) * sizeof(**list)));
	(*list)[(*nr)++] = text;
}

static bool parse_expect(struct step *step, const char *value)
{
	step->nr_expect = 0;
	while (*value) {
		char *end;
		long code = strtol(value, &end, 10);

		if (end == value || code < 0 || code > 255 ||
		    step->nr_expect == MAX_EXIT_CODES)
			return false;
		step->expect[step->nr_expect++] = (int)code;
		value = end + strspn(end, " ");
	}
	return step->nr_expect > 0;
}

static struct step *add_step(struct plan *plan, char *name)
{
	struct step *step;

	plan->steps = must(realloc(plan->steps, (plan->nr_steps + 1) * sizeof(*plan->steps)));
	step = &plan->steps[plan->nr_steps++];
	*step = (struct step){ .name = name, .nr_expect = 1, .timeout = 60 };
	return step;
}

static bool add_allow(struct plan *plan, const char *pattern)
{
	plan->allow = must(realloc(plan->allow, (plan->nr_allow + 1) * sizeof(*plan->allow)));
	if (regcomp(&plan->allow[plan->nr_allow], pattern, REG_EXTENDED | REG_NOSUB))
		return false;
	plan->nr_allow++;
	return true;
}

/* One key that belongs to the whole generation. */
static bool plan_key(struct plan *plan, const char *key, const char *value, bool *known)
{
	*known = true;
	if (!strcmp(key, "allow"))
		return add_allow(plan, value);
	if (!strcmp(key, "check_log"))
		plan->check_log = !strcmp(value, "1");
	else if (!strcmp(key, "needs_initrd"))
		plan->needs_initrd = !strcmp(value, "1");
	else
		*known = false;
	return true;
}

/* One key that belongs to the step opened last. */
static bool step_key(struct step *step, const char *key, char *value)
{
	if (!strcmp(key, "command"))
		step->command = value;
	else if (!strcmp(key, "contains"))
		append(&step->contains, &step->nr_contains, value);
	else if (!strcmp(key, "lacks"))
		append(&step->lacks, &step->nr_lacks, value);
	else if (!strcmp(key, "expect"))
		return parse_expect(step, value);
	else if (!strcmp(key, "timeout"))
		step->timeout = (unsigned int)strtoul(value, NULL, 10);
	else if (!strcmp(key, "final"))
		step->final = !strcmp(value, "1");
	else if (!strcmp(key, "always"))
		step->always = !strcmp(value, "1");
	else
		return false;
	return true;
}

static bool plan_line(struct plan *plan, char *line)
{
	char *value = strchr(line, ' ');
	struct step *step = plan->nr_steps ? &plan->steps[plan->nr_steps - 1] : NULL;
	bool known;
	char *text;

	if (!value)
		return false;
	*value++ = '\0';
	text = unescape(value);
	if (!strcmp(line, "step")) {
		add_step(plan, text);
		return true;
	}
	if (!plan_key(plan, line, text, &known))
		return false;
	return known || (step && step_key(step, line, text));
}

/* Reads @path into @plan; the lists live as long as PID 1 does. */
bool plan_read(const char *path, struct plan *plan, const char **error)
{
	FILE *f = fopen(path, "re");
	unsigned int number = 0;
	char *line = NULL;
	size_t size = 0;
	ssize_t len;
	bool good = true;

	*error = message;
	*plan = (struct plan){ .check_log = true };
	if (!f) {
		snprintf(message, sizeof(message), "%s: %s", path, strerror(errno));
		return false;
	}
	while (good && (len = getline(&line, &size, f)) >= 0) {
		number++;
		line[strcspn(line, "\n")] = '\0';
		good = !*line || plan_line(plan, line);
	}
	if (!good)
		snprintf(message, sizeof(message), "%s: line %u is not understood", path, number);
	for (size_t i = 0; good && i < plan->nr_steps; i++) {
		good = plan->steps[i].command != NULL;
		if (!good)
			snprintf(message, sizeof(message), "%s: step %s has no command", path,
				 plan->steps[i].name);
	}
	free(line);
	fclose(f);
	return good;
}
