# SPDX-License-Identifier: GPL-2.0-only
"""One VM: started from the saved state, given its fault, followed to its end."""

from __future__ import annotations

import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from khobvm import qemu
from khobvm.errors import VmError
from khobvm.faults import guest, judge, live_judge, plan, snapshot
from khobvm.faults.gdb import Stub
from khobvm.faults.judge import Outcome, Verdict
from khobvm.faults.plan import Change, Fault
from khobvm.faults.seen import Seen, Touched
from khobvm.faults.snapshot import Snapshot
from khobvm.qemu import Accelerator, Vm
from khobvm.status import Parser, StepReport

# Of silence, after which a guest counts as lost; a command of the guest's ends before that.
_SILENCE_SECONDS = 200.0
_CONSOLE_LINES = 15

Inject = Callable[[Stub], tuple[tuple[Fault, ...], list[Change]]]


@dataclass
class Run:
    """A fault and what came out of it. number: -1 without one."""

    series: str
    number: int
    faults: tuple[Fault, ...]
    changes: list[Change]
    verdict: Verdict
    seconds: float
    seen: Seen
    console: str = ""

    @property
    def good(self) -> bool:
        """Whether it was reported, or had no effect."""
        return self.verdict.outcome is not Outcome.FAILED

    @property
    def place(self) -> str:
        """Where the fault is, or the first of two."""
        return self.faults[0].place if self.faults else "none"

    def to_json(self) -> dict[str, object]:
        """The same with plain types."""
        return {"kernel": self.series, "number": self.number, "place": self.place,
                "faults": [f.to_json() for f in self.faults],
                "changed_bytes": sum(c.end - c.start for c in self.changes),
                "outcome": self.verdict.outcome.value, "why": self.verdict.why,
                "seconds": self.seconds,
                "codes": {name: said.code for name, said in self.seen.said.items()}}


def _follow(vm: Vm, parser: Parser, stop: threading.Event) -> str:
    """Reads what the guest says until it ends. Return: how it ended."""
    heard = time.monotonic()
    while True:
        alive = vm.running()
        if parser.feed(vm.read_status()):
            heard = time.monotonic()
        if not alive:
            code = vm.exit_code()
            return "the VM ended" if code == 0 else f"QEMU ended with {code}: {vm.errors()}"
        if stop.is_set():
            return "interrupted"
        if time.monotonic() - heard > _SILENCE_SECONDS:
            return f"killed after {_SILENCE_SECONDS:.0f} s of silence"
        time.sleep(qemu.POLL_SECONDS)


def _step(parser: Parser, name: str) -> StepReport:
    last = parser.last
    found = [s for s in last.steps.values() if s.name == name] if last else []
    return found[0] if found else StepReport(name)


def _seen(parser: Parser, ended: str) -> Seen:
    parser.finish()
    log = [line.removeprefix("kernel log: ") for line in _step(parser, "kernel log").problems]
    work = _step(parser, guest.WORK)
    return Seen(judge.parse(work.output), "; ".join([ended, *work.problems]), log)


class Rig:
    """Starts VMs; stop() ends all that run."""

    def __init__(self, accelerator: Accelerator) -> None:
        self._accelerator = accelerator
        self._stop = threading.Event()

    def stop(self) -> None:
        """Ends every run."""
        self._stop.set()

    def observe(self, saved: Snapshot, inject: Inject) -> tuple[
            tuple[Fault, ...], list[Change], Seen, str]:
        """One VM's life. Return: its fault, what that changed, what came, the console's end."""
        with tempfile.TemporaryDirectory(prefix="khobvm-fault-") as workspace:
            machine = saved.machine(Path(workspace), self._accelerator)
            machine.prepare()
            parser = Parser()
            # The guest said this before it was saved.
            parser.feed(f"# khob-gen: 2 release={saved.kernel.release} tsc=0\n".encode())
            with Vm(machine) as vm:
                try:
                    snapshot.load(machine)
                    with Stub(machine.stub) as stub:
                        faults, changes = inject(stub)
                        machine.go()
                        stub.detach()
                except (VmError, OSError) as error:
                    raise VmError(f"{error}; QEMU: {vm.errors()}") from error
                ended = _follow(vm, parser, self._stop)
            return faults, changes, _seen(parser, ended), qemu.tail(machine.console,
                                                                    _CONSOLE_LINES)

    def reference(self, saved: Snapshot) -> Seen:
        """A run without a fault, which must come out right."""
        _, _, seen, console = self.observe(saved, lambda stub: ((), []))
        found = judge.judge(seen, seen, Touched(), False)
        got = tuple(seen.said[f"get.{name}"].lines[-1] for name in guest.BLOBS
                    if seen.code(f"get.{name}") == 0)
        if seen.code("attach") != 0 or got != saved.sent \
                or found.outcome is not Outcome.NO_EFFECT \
                or saved.way.live and not live_judge.right(seen):
            said = [f"{n} {s.code} {s.words}" for n, s in seen.said.items()]
            raise VmError(f"{saved.way.series} without a fault: {found.why}; "
                          + "; ".join(said) + f"; sent {saved.sent}, got {got}\n{console}")
        return seen

    def run(self, saved: Snapshot, reference: Seen, seed: int, number: int,
            places: Sequence[str] = ()) -> Run:
        """One fault; places: where it may be, anywhere if there are none."""
        begin = time.monotonic()
        faults, changes, seen, console = self.observe(
            saved, lambda memory: plan.inject(seed, number, saved.layout.only(places), memory))
        what = judge.touched(saved.layout, changes)
        verdict = judge.judge(reference, seen, what, saved.way.native)
        return Run(saved.way.series, number, faults, changes, verdict,
                   time.monotonic() - begin, seen, console)
