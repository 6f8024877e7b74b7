// SPDX-License-Identifier: GPL-2.0-only
/*
 * khob-kill: runs a program and kills it (SIGKILL) at a moment that can be named: before or
 * after the Nth of its calls that change something, an ioctl(2), a write(2) or one that
 * loads a kernel. See say_usage().
 */
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

/* Nothing was killed: the program came to its end before that moment. */
#define EXIT_RAN_OUT 40

static void say_usage(void)
{
	fputs("usage: khob-kill MOMENT PROGRAM [ARGUMENT...]\n"
	      "MOMENT: 1 is before the first call, 2 behind it, 3 before the second, ...\n"
	      "ends with 0 if it was killed, with 40 if there is no such moment\n"
	      "example: khob-kill 3 khoctl load /boot/vmlinuz --reuse-cmdline\n", stderr);
}

static bool is_watched(unsigned long long number)
{
	return number == SYS_ioctl || number == SYS_write || number == SYS_kexec_load ||
	       number == SYS_kexec_file_load;
}

static const char *name_of(unsigned long long number)
{
	switch (number) {
	case SYS_ioctl:
		return "ioctl";
	case SYS_write:
		return "write";
	case SYS_kexec_load:
		return "kexec_load";
	default:
		return "kexec_file_load";
	}
}

static int fail(const char *what)
{
	fprintf(stderr, "khob-kill: %s: %s\n", what, strerror(errno));
	return 1;
}

/* Lets it run until its next call begins or ends. Return: whether it is still there. */
static bool next_stop(pid_t pid, int *status)
{
	int signal = 0;

	for (;;) {
		if (ptrace(PTRACE_SYSCALL, pid, NULL, (void *)(long)signal) ||
		    waitpid(pid, status, 0) < 0 || !WIFSTOPPED(*status))
			return false;
		if (WSTOPSIG(*status) == (SIGTRAP | 0x80))
			return true;
		signal = WSTOPSIG(*status) == SIGTRAP ? 0 : WSTOPSIG(*status);
	}
}

static int run(long moment, pid_t pid)
{
	struct user_regs_struct regs;
	bool inside = false;
	int status = 0;
	long now = 0;

	while (next_stop(pid, &status)) {
		inside = !inside;
		if (ptrace(PTRACE_GETREGS, pid, NULL, &regs))
			return fail("PTRACE_GETREGS");
		if (!is_watched(regs.orig_rax) || ++now != moment)
			continue;
		printf("killed %s %s\n", inside ? "before" : "behind", name_of(regs.orig_rax));
		kill(pid, SIGKILL);
		waitpid(pid, &status, 0);
		return 0;
	}
	printf("ended with %d, %ld moments\n", WIFEXITED(status) ? WEXITSTATUS(status) : -1, now);
	return EXIT_RAN_OUT;
}

int main(int argc, char **argv)
{
	int status;
	pid_t pid;

	if (argc < 3 || atol(argv[1]) < 1) {
		say_usage();
		return 2;
	}
	pid = fork();
	if (pid < 0)
		return fail("fork");
	if (!pid) {
		ptrace(PTRACE_TRACEME, 0, NULL, NULL);
		raise(SIGSTOP);
		execvp(argv[2], argv + 2);
		_exit(fail(argv[2]));
	}
	if (waitpid(pid, &status, 0) < 0 ||
	    ptrace(PTRACE_SETOPTIONS, pid, NULL, PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL))
		return fail("ptrace");
	return run(atol(argv[1]), pid);
}
