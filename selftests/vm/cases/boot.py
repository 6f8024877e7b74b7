# SPDX-License-Identifier: GPL-2.0-only
"""Boots that need nothing of kho-bridge: the kernels, and the runner's own verdicts."""

from __future__ import annotations

from khobvm.case import Case, Generation, Module, Outcome, Step
from khobvm.qemu import BASE_CMDLINE

_HELLO = Step("shell", "uname -r; echo generation $KHOB_GEN", contains="generation 1")
_MOUNTS = Step("mounts", "ls -d /proc/1 /sys/kernel/debug/tracing /dev/null /run /tmp "
                         "/sys/kernel/security/lockdown")
_TSC = Step("tsc", 'test "$KHOB_INIT_TSC" -gt 0')
# SysRq t prints every task's call trace: the same lines that a warning brings.
_TRACE = Step("trace", "echo t > /proc/sysrq-trigger")
_CMDLINE = f"{BASE_CMDLINE} khob.gen="
_KEXEC = Step("exec", "kexec -e", timeout=30, final=True)


def _load(kernel: str, generation: int) -> Step:
    return Step("load", f"kexec -c -l /boot/vmlinuz-{kernel} --initrd=$KHOB_INITRD "
                        f"--command-line='{_CMDLINE}{generation}'")


def _boot(name: str, doc: str, *steps: Step, kernel: str = "6.12",
          outcome: Outcome = Outcome.PASSED, why: str = "", allow: tuple[str, ...] = ()) -> Case:
    return Case(name, doc, (Generation(kernel, steps, allow_log=allow),), memory=512,
                module=Module.NONE, outcome=outcome, why=why, tags=("boot",))


def _kexec(name: str, doc: str, *generations: Generation,
           outcome: Outcome = Outcome.PASSED, why: str = "") -> Case:
    return Case(name, doc, generations, memory=768, module=Module.NONE, outcome=outcome, why=why,
                kernels=("6.12",), programs=("kexec-tools:/sbin/kexec",), tags=("boot",))


CASES: tuple[Case, ...] = (
    _boot("boot-6.1", "Debian 6.1 boots to PID 1 and passes", _HELLO, _MOUNTS, _TSC,
          kernel="6.1"),
    _boot("boot-6.12", "Debian 6.12 boots to PID 1 and passes", _HELLO, _MOUNTS, _TSC),
    _kexec("boot-kexec", "plain kexec-tools reach the next generation with the same initrd",
           Generation("6.12", (Step("leave a file", "echo carried > /etc/carried"),
                               _load("6.1", 2), _KEXEC)),
           Generation("6.1", (Step("same root", "cat /etc/carried; ls -l /dev/console",
                                   contains="carried"),
                              Step("command line", "cat /proc/cmdline",
                                   contains=f"{_CMDLINE}2")))),
    _boot("boot-must-fail", "a wrong exit code comes out as failed", _HELLO,
          Step("wrong", "echo out; exit 3"), Step("after", "true"), outcome=Outcome.FAILED,
          why="wrong: exit code 3, expected 0"),
    _boot("boot-must-hang", "a step that hangs is killed and comes out as failed",
          Step("hang", "sleep 100", timeout=2), outcome=Outcome.FAILED,
          why="hang: timed out after"),
    _boot("boot-must-log", "a call trace in the kernel log comes out as failed", _TRACE,
          outcome=Outcome.FAILED, why="kernel log: "),
    _boot("boot-allow-log", "the same passes where the case allows it", _TRACE,
          allow=("Call Trace",)),
    _boot("boot-poweroff", "a guest that powers off by itself has sent no status",
          Step("leave", "poweroff -f; sleep 30"), outcome=Outcome.NO_STATUS,
          why="sent no status, at 'leave'; the VM ended"),
    _boot("boot-panic", "a guest that panics has sent no status",
          Step("panic", "echo c > /proc/sysrq-trigger; sleep 30"),
          outcome=Outcome.NO_STATUS, why="sent no status, at 'panic'"),
    _kexec("boot-lost", "a kexec into a kernel without its init has sent no status",
           Generation("6.12", (Step("load", "kexec -c -l /boot/vmlinuz-6.12 --command-line="
                                            f"'{_CMDLINE}2'"), _KEXEC)),
           Generation("6.12"), outcome=Outcome.NO_STATUS,
           why="nothing came from generation 2"),
    _kexec("boot-wrong-kernel", "a kexec into another kernel than planned is a failure",
           Generation("6.12", (_load("6.12", 2), _KEXEC)),
           Generation("6.1"), outcome=Outcome.FAILED, why="not a 6.1 kernel"),
)
