// SPDX-License-Identifier: GPL-2.0-only
/*
 * khob-fail: does one thing again and again, and each time the next one of the allocations
 * that the kernel makes for it fails, until there is none left to fail (see say_usage()).
 *
 * The kernel counts allocations of a thread down from what is in its fail-nth
 * (Documentation/fault-injection/fault-injection.rst), so that it has to be this thread that
 * writes. An attempt either succeeds all the same, or is refused with ENOMEM and a sentence
 * and leaves everything as it was.
 *
 * What cannot be undone would be over with the first attempt that does without what failed
 * (kvmalloc() asks another allocator, the kernel's own bookkeeping just goes on). For that memory
 * runs out and stays so (-a): an attempt gets a little more than the one before.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#define DEBUG "/sys/kernel/debug/"
#define IGNORED_MAX 24
#define COMPLAINTS_MAX 24

/* What status says of time, of the last refusal, or only as a hint. */
static const char *ignored[IGNORED_MAX] = {
	"last_error:",	    "tsc_khz:",	   "scratch.largest:",
	"out.preserve_us:", "out.compact", "in.attach_us:",
};

static size_t nr_ignored = 6;

/* What has to be the same after a refusal, or after it was undone, as before. */
static const char *const watched[] = {
	"status", "out/keys", "out/scratch_phys", "in/keys", "in/ranges",
};

struct action {
	const char *file;
	const char *line; /* NULL: it is read */
};

/* What is to be done, and around it. */
struct job {
	struct action what;
	struct action before;
	struct action undo;
	unsigned int first;
	unsigned int most;
	bool damaged;
	bool quiet;
	bool spare;
	bool verbose;
};

struct text {
	char *bytes;
	size_t len;
};

static unsigned int complaints;
static int fail_nth;

/* Of -a: what an attempt may take, one page less than @pages and less than @bytes of slab. */
static struct {
	bool on;
	unsigned int pages;
	unsigned int bytes;
	int switched; /* make-it-fail */
} dry = { .pages = 1, .bytes = 1 };

#define DRY_STEP 128 /* no two allocations together are smaller */
#define DRY_ORDER_PAGES 16 /* no allocation of pages is larger */

static void say_usage(void)
{
	fputs("khob-fail [OPTION]... FILE [LINE]\n"
	      "Writes LINE to FILE of kho_bridge's directory, or reads FILE; of the N-th attempt the\n"
	      "N-th allocation fails. Without -u the first success ends it.\n"
	      "  -a            all allocations fail from there on; for what cannot be undone\n"
	      "  -p FILE=LINE  to be done before each attempt\n"
	      "  -u FILE=LINE  undoes both\n"
	      "  -i PREFIX     lines of status and of lists that may change\n"
	      "  -d            with all memory it is refused as damaged (EBADMSG)\n"
	      "  -f N          the first allocation that fails (1)\n"
	      "  -m N          the last one (200)\n"
	      "  -n            it may need no memory at all\n"
	      "  -q            only errno is expected, not a sentence\n"
	      "  -v            has the kernel log which allocation failed\n", stderr);
	exit(2);
}

__attribute__((format(printf, 1, 2), noreturn)) static void die(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	putchar('\n');
	exit(1);
}

/* What the kernel has done wrong. All that goes wrong is wanted, but not without end. */
__attribute__((format(printf, 2, 3))) static void complain(unsigned int n, const char *format, ...)
{
	va_list args;

	printf("allocation %u: ", n);
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	putchar('\n');
	if (++complaints >= COMPLAINTS_MAX)
		die("and so on");
}

static void set(const char *path, const char *value)
{
	int fd = open(path, O_WRONLY);

	if (fd < 0 || write(fd, value, strlen(value)) < 0)
		die("%s: %s", path, strerror(errno));
	close(fd);
}

/* Every kind of allocation, in any order of pages; the log is kept for what is wrong. */
static void prepare_kernel(bool verbose)
{
	set(DEBUG "failslab/ignore-gfp-wait", "N");
	set(DEBUG "failslab/verbose", verbose ? "2" : "0");
	set(DEBUG "fail_page_alloc/ignore-gfp-wait", "N");
	set(DEBUG "fail_page_alloc/min-order", "0");
	set(DEBUG "fail_page_alloc/verbose", verbose ? "2" : "0");
	fail_nth = open("/proc/thread-self/fail-nth", O_RDWR);
	if (fail_nth < 0)
		die("fail-nth: %s", strerror(errno));
}

/* All that this process allocates beyond a budget fails. */
static void prepare_dry(void)
{
	static const char *const dirs[] = { DEBUG "failslab/", DEBUG "fail_page_alloc/" };
	static const char *const settings[][2] = {
		{ "task-filter", "Y" }, { "interval", "1" }, { "times", "-1" },
		{ "probability", "100" },
	};
	char path[80];

	for (size_t i = 0; i < ARRAY_SIZE(dirs); i++) {
		for (size_t k = 0; k < ARRAY_SIZE(settings); k++) {
			snprintf(path, sizeof(path), "%s%s", dirs[i], settings[k][0]);
			set(path, settings[k][1]);
		}
	}
	dry.switched = open("/proc/self/make-it-fail", O_RDWR);
	if (dry.switched < 0)
		die("make-it-fail: %s", strerror(errno));
}

static void set_number(const char *path, unsigned int value)
{
	char text[16];

	snprintf(text, sizeof(text), "%u", value);
	set(path, text);
}

static void switch_dry(bool on)
{
	if (on) {
		set_number(DEBUG "failslab/space", dry.bytes);
		set_number(DEBUG "fail_page_alloc/space", dry.pages);
	}
	if (pwrite(dry.switched, on ? "1" : "0", 1, 0) != 1)
		die("make-it-fail: %s", strerror(errno));
}

static void arm(unsigned int n)
{
	char text[16];
	int len = snprintf(text, sizeof(text), "%u", n);

	if (dry.on)
		switch_dry(n);
	else if (pwrite(fail_nth, text, (size_t)len, 0) != len)
		die("fail-nth: %s", strerror(errno));
}

/* Lets every allocation succeed again. Return: how many were left until one failed. */
static unsigned int disarm(void)
{
	unsigned int left;
	char text[16] = "";
	ssize_t len;

	if (dry.on) {
		switch_dry(false);
		return 0;
	}
	len = pread(fail_nth, text, sizeof(text) - 1, 0);
	left = (unsigned int)strtoul(text, NULL, 10);
	if (len <= 0)
		die("fail-nth: %s", strerror(errno));
	arm(0);
	return left;
}

/* Return: 0 or an errno. */
static int read_all(const char *file)
{
	static char bytes[65536];
	int fd = open(file, O_RDONLY), ret = 0;
	ssize_t n;

	if (fd < 0)
		return errno;
	while ((n = read(fd, bytes, sizeof(bytes))) > 0)
		;
	if (n < 0)
		ret = errno;
	close(fd);
	return ret;
}

/*
 * Does it with the @n-th allocation failing (0: none does). @consumed: whether there was one.
 * Return: 0 or an errno.
 */
static int attempt(const struct action *act, unsigned int n, bool *consumed)
{
	int fd = -1, ret;

	if (act->line) {
		fd = open(act->file, O_WRONLY);
		if (fd < 0)
			die("%s: %s", act->file, strerror(errno));
	}
	arm(n);
	if (act->line)
		ret = write(fd, act->line, strlen(act->line)) < 0 ? errno : 0;
	else
		ret = read_all(act->file);
	*consumed = disarm() == 0 && n;
	if (fd >= 0)
		close(fd);
	return ret;
}

/* Does what has to succeed, if there is anything to do. */
static void act(const struct action *act)
{
	bool consumed;
	int err = act->file ? attempt(act, 0, &consumed) : 0;

	if (err)
		die("%s to %s, with all memory there is: %s", act->line, act->file, strerror(err));
}

static void append(struct text *to, const char *bytes, size_t len)
{
	to->bytes = realloc(to->bytes, to->len + len + 1);
	if (!to->bytes)
		die("no memory");
	memcpy(to->bytes + to->len, bytes, len);
	to->len += len;
	to->bytes[to->len] = '\0';
}

static struct text slurp(const char *file)
{
	struct text whole = { NULL, 0 };
	int fd = open(file, O_RDONLY);
	char bytes[4096];
	ssize_t n;

	if (fd < 0)
		die("%s: %s", file, strerror(errno));
	append(&whole, "", 0);
	while ((n = read(fd, bytes, sizeof(bytes))) > 0)
		append(&whole, bytes, (size_t)n);
	if (n < 0)
		die("%s: %s", file, strerror(errno));
	close(fd);
	return whole;
}

static bool is_ignored(const char *line)
{
	for (size_t i = 0; i < nr_ignored; i++)
		if (!strncmp(line, ignored[i], strlen(ignored[i])))
			return true;
	return false;
}

/* The next attempt gets more of what there was too little of. */
static void grow_dry(void)
{
	struct text left = slurp(DEBUG "fail_page_alloc/space");
	unsigned long pages = strtoul(left.bytes, NULL, 10);

	if (pages > 1)
		dry.bytes += DRY_STEP;
	if (pages <= DRY_ORDER_PAGES)
		dry.pages++;
	free(left.bytes);
}

/* All lines that are watched, each after the name of its file. */
static struct text look(void)
{
	struct text all = { NULL, 0 };

	append(&all, "", 0);
	for (size_t i = 0; i < ARRAY_SIZE(watched); i++) {
		struct text file = slurp(watched[i]);

		for (char *line = strtok(file.bytes, "\n"); line; line = strtok(NULL, "\n")) {
			if (is_ignored(line) || is_ignored(watched[i]))
				continue;
			append(&all, watched[i], strlen(watched[i]));
			append(&all, " ", 1);
			append(&all, line, strlen(line));
			append(&all, "\n", 1);
		}
		free(file.bytes);
	}
	return all;
}

/* Complains of the first line in which two looks differ. */
static void compare(unsigned int n, const char *when, const struct text *before, struct text after)
{
	const char *a = before->bytes, *b = after.bytes;
	size_t i = 0, start = 0;

	for (; a[i] && a[i] == b[i]; i++)
		start = a[i] == '\n' ? i + 1 : start;
	if (a[i] || b[i])
		complain(n, "%s: was \"%.*s\", is \"%.*s\"", when,
			 (int)strcspn(a + start, "\n"), a + start,
			 (int)strcspn(b + start, "\n"), b + start);
	free(after.bytes);
}

/* The last refusal's sentence. */
static void read_error(char *to, size_t room)
{
	struct text status = slurp("status");
	char *line = strstr(status.bytes, "\nlast_error: ");

	if (!line)
		die("status has no last_error");
	snprintf(to, room, "%.*s", (int)strcspn(line + 13, "\n"), line + 13);
	free(status.bytes);
}

/* A refusal that is known, so that the next one is told from it. */
static void provoke(void)
{
	const struct action nonsense = { "abi", "khob-fail" };
	bool consumed;

	if (attempt(&nonsense, 0, &consumed) != EINVAL)
		die("abi takes \"%s\"", nonsense.line);
}

static struct action parse(char *text)
{
	char *equals = strchr(text, '=');

	if (!equals)
		say_usage();
	*equals = '\0';
	return (struct action){ text, equals + 1 };
}

static void check_refusal(unsigned int n, int err, bool quiet)
{
	char said[256];

	read_error(said, sizeof(said));
	if (err != ENOMEM)
		complain(n, "%s (%s)", strerror(err), said);
	else if (!quiet && strstr(said, "khob-fail"))
		complain(n, "refused without a word");
}

static void parse_options(struct job *job, int argc, char **argv)
{
	int option;

	while ((option = getopt(argc, argv, "ap:u:i:df:m:nqv")) >= 0) {
		switch (option) {
		case 'a':
			dry.on = true;
			break;
		case 'p':
			job->before = parse(optarg);
			break;
		case 'u':
			job->undo = parse(optarg);
			break;
		case 'i':
			if (nr_ignored == IGNORED_MAX)
				say_usage();
			ignored[nr_ignored++] = optarg;
			break;
		case 'd':
			job->damaged = true;
			break;
		case 'f':
			job->first = (unsigned int)strtoul(optarg, NULL, 10);
			break;
		case 'm':
			job->most = (unsigned int)strtoul(optarg, NULL, 10);
			break;
		case 'n':
			job->spare = true;
			break;
		case 'q':
			job->quiet = true;
			break;
		case 'v':
			job->verbose = true;
			break;
		default:
			say_usage();
		}
	}
	if (argc - optind < 1 || argc - optind > 2 || !job->first)
		say_usage();
	job->what.file = argv[optind];
	job->what.line = argv[optind + 1];
}

/* One attempt of which the @n-th allocation fails; *@err: what it came to. Return: consumed. */
static bool once(const struct job *job, unsigned int n, int *err)
{
	struct text base = look(), ready;
	bool consumed;
	int least = job->damaged ? EBADMSG : 0;

	act(&job->before);
	ready = look();
	provoke();
	*err = attempt(&job->what, n, &consumed);
	if (!consumed && *err != least)
		die("with all memory there is: %s", strerror(*err));
	if (*err) {
		if (*err != least)
			check_refusal(n, *err, job->quiet);
		compare(n, "after the refusal", &ready, look());
	}
	if (*err ? job->before.file : job->undo.file) {
		act(&job->undo);
		compare(n, "after it was undone", &base, look());
	}
	free(base.bytes);
	free(ready.bytes);
	return consumed;
}

int main(int argc, char **argv)
{
	struct job job = { .first = 1, .most = 200 };
	unsigned int n, nr_refused = 0, nr_without = 0;
	bool consumed = true, over = false;

	parse_options(&job, argc, argv);
	setvbuf(stdout, NULL, _IOLBF, 0);
	if (chdir(DEBUG "kho_bridge"))
		die(DEBUG "kho_bridge: %s", strerror(errno));
	prepare_kernel(job.verbose);
	if (dry.on)
		prepare_dry();
	/* After the last one it has to succeed, as it has when none was left to fail. */
	for (n = job.first; consumed && !over; n++) {
		int err;

		consumed = once(&job, n > job.most ? 0 : n, &err);
		nr_refused += err == ENOMEM;
		nr_without += consumed && err != ENOMEM;
		/* What was read is there to be read again; what was done and stays is not. */
		over = !err && job.what.line && !job.undo.file;
		if (dry.on)
			grow_dry();
	}
	printf("%s: allocations from %u on: %u refused, %u done without%s\n", job.what.file,
	       job.first, nr_refused, nr_without, consumed ? ", then more were to come" : "");
	if (!nr_refused && !job.spare)
		die("nothing was refused");
	return complaints != 0;
}
