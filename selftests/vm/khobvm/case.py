# SPDX-License-Identifier: GPL-2.0-only
"""What a test in the VM is: data only. selftests/vm/cases/*.py hold lists of these."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum


SUITES = ("stock", "interop", "guests")


class Outcome(Enum):
    """How a run came out."""

    PASSED = "passed"
    FAILED = "failed"
    NO_STATUS = "no status"


class Module(Enum):
    """Which build of kho_bridge.ko the guest gets."""

    NONE = "none"
    NORMAL = "normal"
    TEST = "test"


@dataclass(frozen=True)
class Step:
    """One shell command in the guest and what it must do.

    expect: the exit code, or several of which one must come (at most 8).
    contains, lacks: texts that the output must, or must not, contain.
    timeout: seconds, for the guest's clock.
    final: the command leaves this kernel; nothing follows it in this generation.
    always: runs after a failed step too, to show why.
    The environment has KHOB_GEN, KHOB_INIT_TSC and KHOB_INITRD.
    """

    name: str
    command: str
    expect: int | tuple[int, ...] = 0
    contains: str | tuple[str, ...] = ()
    lacks: str | tuple[str, ...] = ()
    timeout: int = 60
    final: bool = False
    always: bool = False


@dataclass(frozen=True)
class Generation:
    """One kernel's life. kernel: the series that must be running ("6.1", "7.3-lockdep").

    allow_log: extended regular expressions for kernel log lines that are no failure.
    needs_initrd: makes $KHOB_INITRD before the first step, not before its first use.
    """

    kernel: str
    steps: tuple[Step, ...] = ()
    check_log: bool = True
    allow_log: tuple[str, ...] = ()
    needs_initrd: bool = False


@dataclass(frozen=True)
class Case:
    """A test: the first generation's kernel is booted by QEMU, the next by kexec.

    memory: MiB. cpus: virtual CPUs. nodes: NUMA nodes, each with its part of both. efi: a
    machine with EFI firmware, not a BIOS. kernels: series whose images lie in /boot besides
    those of the generations after the first. programs: "package:path" of Debian programs the
    guest gets with their libraries. helpers: the same of our own programs (selftests/vm/guest).
    scripts: files of this tree that lie in /bin. drivers: the kernels' own modules that are
    loaded at boot, where they are modules. disk: an image (khobvm/disk.py) that is /dev/vda;
    what is written to it is gone with the VM. scratch: MiB of an empty disk, the next one.
    clients: modules that use kho_bridge (khobvm/clients.py), in /lib/modules/RELEASE/extra with
    it. native_clients: series on which they use the kernel's own KHO all the same.
    own_kho_clients: series on which both builds are there, the one over the kernel's own KHO in
    extra/native. luo: kho_luo.ko lies in extra, too; luo_over_bridge: it uses kho_bridge also
    on a kernel that has KHO, which is off then. upstream: programs of upstream's tests of LUO
    (khobvm/luotests.py). examples: programs of libkho/examples, static. older: a commit whose
    kho_bridge.ko lies in /lib/modules/RELEASE/older, and whose khoctl is called khoctl-older.
    outcome: what must come out, so that the runner's own verdicts can be tested; why: what the
    verdict's sentence must then say, so that no other failure is taken for it. boot: seconds of
    silence allowed besides a step's own timeout: a generation boots in them, or an initrd is
    packed. suite: "stock", or "interop" for what needs a kernel with KHO, which takes minutes
    to build, or "guests" for a VM in the VM, which takes minutes to run.
    """

    name: str
    doc: str
    generations: tuple[Generation, ...]
    memory: int = 1024
    cpus: int = 1
    nodes: int = 1
    efi: bool = False
    extra_cmdline: str = ""
    kernels: tuple[str, ...] = ()
    programs: tuple[str, ...] = ()
    helpers: tuple[str, ...] = ()
    scripts: tuple[str, ...] = ()
    drivers: tuple[str, ...] = ()
    disk: str = ""
    scratch: int = 0
    clients: tuple[str, ...] = ()
    native_clients: tuple[str, ...] = ()
    own_kho_clients: tuple[str, ...] = ()
    luo: bool = False
    luo_over_bridge: bool = False
    upstream: tuple[str, ...] = ()
    examples: tuple[str, ...] = ()
    module: Module = Module.NORMAL
    older: str = ""
    outcome: Outcome = Outcome.PASSED
    why: str = ""
    boot: int = 60
    tags: tuple[str, ...] = ()
    suite: str = "stock"

    def images(self) -> tuple[str, ...]:
        """The series whose kernels the guest needs in /boot."""
        return tuple(sorted({*self.kernels, *(g.kernel for g in self.generations[1:])}))

    def series(self) -> tuple[str, ...]:
        """Every series that has a part in this case."""
        return tuple(sorted({*self.images(), self.generations[0].kernel}))

    def four_levels(self) -> bool:
        """Whether the CPUs must do without page tables of five levels.

        identify_cpu() clears the CPU's features and reads them again with interrupts on. One
        that comes in between makes KASAN take every address of five levels for a wild one.
        """
        return any(series.endswith("-kasan") for series in self.series())

    def deadline(self) -> float:
        """Seconds after which the VM is killed: every timeout of the guest, and boots."""
        return sum(self.boot + sum(s.timeout for s in g.steps) for g in self.generations)

    def silence(self, generation: int, step: str) -> float:
        """Seconds without a line from the guest after which it counts as lost."""
        found = [s.timeout for g in self.generations[generation - 1:generation]
                 for s in g.steps if s.name == step]
        return float(self.boot + max(found, default=0))


def check(case: Case) -> list[str]:
    """What is wrong with a case's definition, one sentence each."""
    found: list[str] = []
    if case.suite not in SUITES:
        found.append(f"{case.name}: {case.suite!r} is no suite: {', '.join(SUITES)}")
    if not re.fullmatch(r"[a-z0-9][a-z0-9.-]*", case.name):
        found.append(f"{case.name!r} is no case name: small letters, digits, '-' and '.'")
    if case.nodes < 1 or case.memory % case.nodes or case.cpus % case.nodes:
        found.append(f"{case.name}: {case.nodes} nodes cannot share {case.memory} MiB and "
                     f"{case.cpus} CPUs equally")
    if (case.outcome is Outcome.PASSED) != (not case.why):
        found.append(f"{case.name}: what must not pass needs a reason, and only that does")
    if not case.generations:
        found.append(f"{case.name} has no generation")
    for number, generation in enumerate(case.generations, 1):
        where = f"{case.name}, generation {number}"
        last = number == len(case.generations)
        finals = [s for s in generation.steps if s.final]
        if last and finals:
            found.append(f"{where}: the last generation cannot have a final step")
        if not last and (len(finals) != 1 or not generation.steps[-1].final):
            found.append(f"{where}: exactly the last step must be final, a kernel follows")
        for step in generation.steps:
            if "\n" in step.name or not step.name:
                found.append(f"{where}: {step.name!r} is no step name")
            if "#" in step.name:
                found.append(f"{where}: '#' in a step's name starts a KTAP directive")
    return found
