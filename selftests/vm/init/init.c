// SPDX-License-Identifier: GPL-2.0-only
/*
 * PID 1 of the test VM: reads the TSC before anything else, sets the system up
 * as far as a test needs it, runs this generation's steps, reports them to the
 * host as KTAP, and powers off or leaves through kexec.
 */
#include "init.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>
#include <x86intrin.h>

#define INITRD "/run/initrd"
#define REPACK_TIMEOUT 120

static struct run_result result;
static bool have_initrd;

static const struct {
	const char *type, *target;
	unsigned long flags;
} mounts[] = {
	{ "proc", "/proc", MS_NOSUID | MS_NODEV | MS_NOEXEC },
	{ "sysfs", "/sys", MS_NOSUID | MS_NODEV | MS_NOEXEC },
	{ "devtmpfs", "/dev", MS_NOSUID },
	{ "tmpfs", "/run", MS_NOSUID | MS_NODEV },
	{ "tmpfs", "/tmp", MS_NOSUID | MS_NODEV },
	{ "debugfs", "/sys/kernel/debug", MS_NOSUID | MS_NODEV | MS_NOEXEC },
	{ "securityfs", "/sys/kernel/security", MS_NOSUID | MS_NODEV | MS_NOEXEC },
};

static void mount_all(void)
{
	for (size_t i = 0; i < sizeof(mounts) / sizeof(mounts[0]); i++) {
		mkdir(mounts[i].target, 0755);
		if (mount(mounts[i].type, mounts[i].target, mounts[i].type, mounts[i].flags, NULL))
			fprintf(stderr, "khob-init: mount %s: %s\n", mounts[i].target,
				strerror(errno));
	}
}

static void load_module(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0 || (syscall(SYS_finit_module, fd, "", 0) && errno != EEXIST))
		fprintf(stderr, "khob-init: %s: %s\n", path, strerror(errno));
	if (fd >= 0)
		close(fd);
}

/* Loads what /etc/khob/modules lists for the running kernel: "RELEASE PATH". */
static void load_modules(const char *release)
{
	FILE *f = fopen("/etc/khob/modules", "re");
	char line[1024];

	if (!f)
		return;
	while (fgets(line, sizeof(line), f)) {
		char *path = strchr(line, ' ');

		line[strcspn(line, "\n")] = '\0';
		if (!path)
			continue;
		*path++ = '\0';
		if (!strcmp(line, release))
			load_module(path);
	}
	fclose(f);
}

/* The generation that the kernel command line names with khob.gen=; 1 without. */
static unsigned int read_generation(void)
{
	static const char key[] = "khob.gen=";
	char line[4096] = "";
	FILE *f = fopen("/proc/cmdline", "re");
	unsigned int generation = 1;
	char *save;

	if (!f)
		return generation;
	if (fgets(line, sizeof(line), f))
		for (char *word = strtok_r(line, " \n", &save); word;
		     word = strtok_r(NULL, " \n", &save))
			if (!strncmp(word, key, sizeof(key) - 1))
				generation = (unsigned int)strtoul(word + sizeof(key) - 1, NULL, 10);
	fclose(f);
	return generation;
}

/* Packs the running rootfs into INITRD, so that the next kernel starts from it. */
static bool make_initrd(void)
{
	if (have_initrd)
		return true;
	run_command("khob-repack " INITRD, REPACK_TIMEOUT, &result);
	have_initrd = result.started && !result.signalled && result.code == 0;
	if (!have_initrd)
		report_line("# cannot pack the initrd for the next kernel");
	return have_initrd;
}

/* Says what is wrong with the last run; true when nothing is. */
static bool judge(const struct step *step)
{
	bool good = false;

	if (!result.started)
		return false;
	if (result.timed_out) {
		report_line("# timed out after %u s", step->timeout);
		return false;
	}
	if (result.signalled) {
		report_line("# killed by signal %d", result.code);
		return false;
	}
	if (step->final) {
		report_line("# returned with exit code %d: this kernel should be gone", result.code);
		return false;
	}
	for (size_t i = 0; i < step->nr_expect; i++)
		good |= result.code == step->expect[i];
	if (!good)
		report_line("# exit code %d, expected %d%s", result.code, step->expect[0],
			    step->nr_expect > 1 ? " or another that the plan lists" : "");
	/* The tail follows the head in memory, so one search covers what is kept. */
	for (size_t i = 0; i < step->nr_contains; i++)
		if (!strstr(result.output, step->contains[i])) {
			report_line("# the output lacks: %.200s", step->contains[i]);
			good = false;
		}
	for (size_t i = 0; i < step->nr_lacks; i++)
		if (strstr(result.output, step->lacks[i])) {
			report_line("# the output must not contain: %.200s", step->lacks[i]);
			good = false;
		}
	return good;
}

static bool run_step(unsigned int generation, size_t number, const struct step *step)
{
	bool good;

	report_kmsg("khob-init: generation %u step %zu: %s", generation, number, step->name);
	report_line("# khob-step: %zu %s", number, step->name);
	if (strstr(step->command, "KHOB_INITRD") && !make_initrd()) {
		report_line("not ok %zu %s", number, step->name);
		return false;
	}
	if (step->final) {
		report_line("# khob-status: %u kexec", generation);
		report_drain();
	}
	run_command(step->command, step->timeout, &result);
	good = judge(step);
	report_line("# khob-time: %zu %llu", number, (unsigned long long)result.microseconds);
	report_line("%s %zu %s", good ? "ok" : "not ok", number, step->name);
	return good;
}

static bool check_log(const struct plan *plan, size_t number)
{
	bool good;

	log_scan(plan);
	good = log_offences() == 0;
	if (!good)
		log_report();
	report_line("%s %zu kernel log", good ? "ok" : "not ok", number);
	return good;
}

/* Runs the plan; a final step comes after the log check: nothing can follow it. */
static bool run_plan(unsigned int generation, const struct plan *plan)
{
	size_t number = 0;
	bool good = true;
	bool checked = !plan->check_log;

	report_line("1..%zu", plan->nr_steps + (plan->check_log ? 1 : 0));
	if (plan->needs_initrd)
		good = make_initrd();
	for (size_t i = 0; i < plan->nr_steps; i++) {
		const struct step *step = &plan->steps[i];

		if (step->final && !checked) {
			checked = true;
			good &= check_log(plan, ++number);
		}
		number++;
		if (!good && !step->always) {
			report_line("not ok %zu %s # not run: something before it failed", number,
				    step->name);
			continue;
		}
		good &= run_step(generation, number, step);
		log_scan(plan);
	}
	if (!checked)
		good &= check_log(plan, ++number);
	return good;
}

static void export_environment(unsigned int generation, unsigned long long tsc)
{
	char text[32];

	setenv("PATH", "/bin:/sbin:/usr/bin:/usr/sbin", 1);
	setenv("HOME", "/", 1);
	setenv("KHOB_INITRD", INITRD, 1);
	snprintf(text, sizeof(text), "%u", generation);
	setenv("KHOB_GEN", text, 1);
	snprintf(text, sizeof(text), "%llu", tsc);
	setenv("KHOB_INIT_TSC", text, 1);
}

/*
 * With --service it is one of systemd's services, chrooted to an initramfs that has been booted
 * already: it does the same, but for being PID 1.
 */
int main(int argc, char **argv)
{
	const unsigned long long tsc = __rdtsc();
	unsigned int generation;
	const char *error = "";
	struct utsname name;
	struct plan plan;
	char path[64];
	bool good;

	if (getpid() != 1 && (argc < 2 || strcmp(argv[1], "--service"))) {
		fprintf(stderr, "khob-init: this is PID 1 of a test VM; it powers off\n");
		return 1;
	}
	umask(0022);
	mount_all();
	uname(&name);
	load_modules(name.release);
	generation = read_generation();
	export_environment(generation, tsc);
	if (!report_open())
		fprintf(stderr, "khob-init: no virtio port named khob.status\n");
	log_open();

	report_line("KTAP version 1");
	report_line("# khob-gen: %u release=%s tsc=%llu", generation, name.release, tsc);
	snprintf(path, sizeof(path), "/etc/khob/steps.%u", generation);
	good = plan_read(path, &plan, &error);
	if (good)
		good = run_plan(generation, &plan);
	else
		report_line("# %s", error);
	report_line("# khob-status: %u %s", generation, good ? "passed" : "failed");
	sync();
	reboot(RB_POWER_OFF);
	/* PID 1 must not end: the kernel would panic over a run that is over. */
	for (;;)
		pause();
}
