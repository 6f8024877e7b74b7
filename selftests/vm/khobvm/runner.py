# SPDX-License-Identifier: GPL-2.0-only
"""Runs cases in VMs, several at a time, and collects what came out."""

from __future__ import annotations

import shutil
import tempfile
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from pathlib import Path

from khobvm import disk, initramfs, kernels, qemu
from khobvm.case import Case, Generation, Module, Outcome
from khobvm.initramfs import Artefacts
from khobvm.kernels import Kernel
from khobvm.progress import Progress
from khobvm.qemu import Accelerator, Machine, Vm
from khobvm.status import GenerationReport, Parser
from khobvm.verdict import Verdict, close_final_steps, judge

# Lets the last bytes of a guest that has powered off reach us before its end counts.
CONSOLE_LINES = 20


@dataclass
class Result:
    """One case's run."""

    case: Case
    verdict: Verdict
    seconds: float
    generations: list[GenerationReport]
    command: list[str]
    accelerator: str
    started: float
    console: str = ""
    workspace: str = ""
    stray: list[str] = field(default_factory=list)
    tries: int = 1

    @property
    def good(self) -> bool:
        """True when what should come out did."""
        return self.verdict.outcome is self.case.outcome and self.case.why in self.verdict.why


@dataclass(frozen=True)
class Options:
    """How to run."""

    artefacts: Artefacts
    accelerator: Accelerator
    keep: bool = False
    timeout_factor: float = 1.0


OnReport = Callable[[Case, Parser], None]


def load_kernels(cases: Sequence[Case], progress: Progress) -> dict[str, Kernel]:
    """The kernels that the cases need, from the cache or fetched."""
    series = sorted({s for case in cases for s in case.series()})
    return {s: kernels.get(s, progress) for s in series}


def find_accelerator(kernel: Kernel, artefacts: Artefacts, progress: Progress) -> Accelerator:
    """Probes KVM with a boot of a kernel; says which accelerator it is, and why."""
    case = Case("kvm-probe", "boots to PID 1", (Generation(kernel.series),),
                module=Module.NONE)
    with tempfile.TemporaryDirectory(prefix="khobvm-") as temp:
        machine = Machine(kernel.image, Path(temp) / "initrd", Path(temp),
                          Accelerator(True, "probe"), memory=512)
        with open(machine.initrd, "wb") as stream:
            initramfs.write(case, {kernel.series: kernel}, artefacts, stream, progress)
        progress.step("probing KVM with a short boot")
        return qemu.probe(machine)


class Runner:
    """Runs cases; stop() makes every run end soon, its VM killed."""

    def __init__(self, options: Options, found: Mapping[str, Kernel],
                 progress: Progress) -> None:
        self._options = options
        self._kernels = found
        self._progress = progress
        self._stop = threading.Event()

    def stop(self) -> None:
        """Ends all runs."""
        self._stop.set()

    def machine(self, case: Case, workspace: Path) -> Machine:
        """The VM for a case."""
        return Machine(self._kernels[case.generations[0].kernel].image, workspace / "initrd",
                       workspace, self._options.accelerator, case.memory, case.cpus,
                       case.extra_cmdline, case.nodes, case.efi,
                       disk.get(case.disk, self._progress) if case.disk else None,
                       case.scratch, case.four_levels())

    def run(self, case: Case, on_report: OnReport) -> Result:
        """Runs one case to its end; on_report is called when the guest has sent lines.

        A first kernel that dies before PID 1 gets one more try: nothing that is tested has
        run yet, and an emulator's CPUs can race while a kernel patches its own code.
        """
        result = self._run_once(case, on_report)
        if result.generations or self._stop.is_set():
            return result
        self._progress.line(f"{case.name}: {result.verdict.why}; trying once more")
        result = self._run_once(case, on_report)
        result.tries = 2
        return result

    def _run_once(self, case: Case, on_report: OnReport) -> Result:
        workspace = Path(tempfile.mkdtemp(prefix=f"khobvm-{case.name}-"))
        try:
            return self._run_in(workspace, case, on_report)
        finally:
            if not self._options.keep:
                shutil.rmtree(workspace, ignore_errors=True)

    def _run_in(self, workspace: Path, case: Case, on_report: OnReport) -> Result:
        machine = self.machine(case, workspace)
        machine.prepare()
        with open(machine.initrd, "wb") as stream:
            initramfs.write(case, self._kernels, self._options.artefacts, stream,
                            self._progress)
        parser = Parser()
        begin, started = time.monotonic(), time.time()
        with Vm(machine) as vm:
            ended = self._follow(vm, parser, case, on_report)
        parser.finish()
        reports = parser.generations
        close_final_steps(case, reports)
        verdict = judge(case, reports, ended)
        return Result(case, verdict, time.monotonic() - begin, reports, machine.command(),
                      "kvm" if self._options.accelerator.kvm else "tcg", started,
                      qemu.tail(machine.console, CONSOLE_LINES),
                      str(workspace) if self._options.keep else "", parser.stray)

    def _follow(self, vm: Vm, parser: Parser, case: Case, on_report: OnReport) -> str:
        """Reads the report until the VM ends; says how it ended."""
        factor = self._options.timeout_factor
        limit = case.deadline() * factor
        begin = heard = time.monotonic()
        while True:
            # Asked before reading: what a VM sent before its end is then all read.
            alive = vm.running()
            if parser.feed(vm.read_status()):
                heard = time.monotonic()
                on_report(case, parser)
            if not alive:
                code = vm.exit_code()
                return "the VM ended" if code == 0 else \
                    f"QEMU ended with code {code}: {vm.errors()}"
            if self._stop.is_set():
                return "interrupted"
            if time.monotonic() - begin > limit:
                return f"killed after {limit:.0f} s"
            quiet = self._silence(case, parser) * factor
            if time.monotonic() - heard > quiet:
                return f"killed after {quiet:.0f} s of silence"
            time.sleep(qemu.POLL_SECONDS)

    @staticmethod
    def _silence(case: Case, parser: Parser) -> float:
        step = parser.running()
        if parser.last is None or step is None:
            return float(case.boot)
        return case.silence(parser.last.number, step.name)


def run_all(runner: Runner, cases: Sequence[Case], jobs: int, on_report: OnReport,
            on_result: Callable[[Result], None]) -> list[Result]:
    """Runs cases, `jobs` at a time; results come in the order in which they end."""
    results: list[Result] = []
    with ThreadPoolExecutor(max_workers=jobs) as pool:
        pending: set[Future[Result]] = {pool.submit(runner.run, c, on_report) for c in cases}
        try:
            while pending:
                done, pending = wait(pending, timeout=0.2, return_when=FIRST_COMPLETED)
                for future in done:
                    results.append(future.result())
                    on_result(results[-1])
        except BaseException:
            runner.stop()
            for future in pending:
                future.cancel()
            raise
    return results


def counts(results: Sequence[Result]) -> tuple[int, int]:
    """How many came out as they should, and how many did not."""
    good = sum(1 for r in results if r.good)
    return good, len(results) - good


__all__ = ["Options", "Outcome", "Result", "Runner", "counts", "find_accelerator",
           "load_kernels", "run_all"]
