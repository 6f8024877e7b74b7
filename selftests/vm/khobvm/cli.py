# SPDX-License-Identifier: GPL-2.0-only
"""The command line: `python3 -m khobvm kernels|source|checkpatch|run|matrix|...`."""

from __future__ import annotations

import argparse
import dataclasses
import fnmatch
import importlib
import json
import os
import pkgutil
import random
import signal
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import cases as case_package
from khobvm import (build, cache_costs, costs, demo, kernels, matrix, measure, memfd_costs, model,
                    pairs, report, runner, soak, source)
from khobvm.case import SUITES, Case, Module, check
from khobvm.errors import VmError
from khobvm.faults import campaign
from khobvm.faults.guest import WAYS
from khobvm.faults.run import Run
from khobvm.faults.walk import PLACES
from khobvm.initramfs import Artefacts
from khobvm.progress import Progress
from khobvm.qemu import Accelerator


def load_cases() -> list[Case]:
    """Every case of selftests/vm/cases, in order of name of module, then as listed."""
    found: list[Case] = []
    for module in sorted(pkgutil.iter_modules(case_package.__path__), key=lambda m: m.name):
        found += getattr(importlib.import_module(f"cases.{module.name}"), "CASES", ())
    names = [case.name for case in found]
    problems = [problem for case in found for problem in check(case)]
    problems += [f"two cases are named {n}" for n in sorted(set(names)) if names.count(n) > 1]
    if problems:
        raise VmError("; ".join(problems))
    return found


def _select(patterns: Sequence[str], suite: str = "stock") -> list[Case]:
    found = [c for c in load_cases() if c.suite == suite and (not patterns
             or any(fnmatch.fnmatchcase(c.name, p) for p in patterns))]
    if not found:
        raise VmError(f"no case of the suite {suite} matches {' '.join(patterns) or '*'}",
                      "--list shows them all")
    return found


def _kernels(arguments: argparse.Namespace, progress: Progress) -> int:
    found = [kernels.get(series, progress) for series in arguments.series or kernels.SERIES]
    progress.done()
    if arguments.json:
        print(json.dumps({k.series: k.to_json() for k in found}, indent=1))
        return 0
    for kernel in found:
        print(f"{kernel.release}\n  image:   {kernel.image}\n  headers: {kernel.headers}\n"
              f"  modules: {kernel.modules}")
    return 0


def _checkpatch(_: argparse.Namespace, progress: Progress) -> int:
    path = source.checkpatch(progress)
    progress.done()
    print(path)
    return 0


def _source(arguments: argparse.Namespace, progress: Progress) -> int:
    found = {version: source.headers(version, progress) for version in arguments.version}
    progress.done()
    if arguments.json:
        print(json.dumps({version: str(path) for version, path in found.items()}, indent=1))
        return 0
    for version, path in found.items():
        print(f"{version}: {path}")
    return 0


def _accelerator(arguments: argparse.Namespace, found: dict[str, kernels.Kernel],
                 artefacts: Artefacts, progress: Progress) -> Accelerator:
    if arguments.accel == "tcg":
        return Accelerator(False, "asked for")
    if arguments.accel == "kvm":
        return Accelerator(True, "asked for")
    newest = found.get("6.12") or next(iter(found.values()))
    accelerator = runner.find_accelerator(newest, artefacts, progress)
    if accelerator.kvm:
        progress.line(f"using KVM: {accelerator.why}")
    else:
        progress.line(f"using TCG, not KVM: {accelerator.why}")
    return accelerator


def _list(found: Sequence[Case]) -> int:
    for case in found:
        chain = " -> ".join(g.kernel for g in case.generations)
        print(f"{case.name:24} {chain:24} {case.doc}")
    return 0


def _run(arguments: argparse.Namespace, progress: Progress) -> int:
    selected = _select(arguments.case, arguments.suite)
    if arguments.list:
        return _list(selected)
    artefacts = Artefacts(arguments.khoctl, arguments.module, arguments.test_module,
                          arguments.build)
    found = runner.load_kernels(selected, progress)
    accelerator = _accelerator(arguments, found, artefacts, progress)
    options = runner.Options(artefacts, accelerator, arguments.keep, arguments.timeout_factor)
    crew = runner.Runner(options, found, progress)
    if arguments.show_command:
        for case in selected:
            machine = crew.machine(case, Path("WORKSPACE"))
            print(report.command_line(machine.command()))
        return 0
    live = report.Live(progress, len(selected), arguments.steps)
    ended: list[runner.Result] = []

    def on_result(result: runner.Result) -> None:
        ended.append(result)
        live.ended(result)
        progress.done()
        if not arguments.ktap:
            print(report.summary(result, len(ended)), flush=True)

    try:
        results = runner.run_all(crew, selected, arguments.jobs, live.report, on_result)
    finally:
        progress.done()
        if arguments.json:
            report.write_json(arguments.json, ended)
    if arguments.ktap:
        print(report.ktap(results))
    good, bad = runner.counts(results)
    print(f"{good} passed, {bad} failed")
    return 1 if bad else 0


def _crew(arguments: argparse.Namespace, cases: Sequence[Case], progress: Progress,
          change: Callable[[Accelerator], Accelerator] = lambda found: found) -> runner.Runner:
    """Who runs these cases; change: of the accelerator that there is."""
    artefacts = Artefacts(arguments.khoctl, arguments.module, arguments.test_module,
                          arguments.build)
    found = runner.load_kernels(cases, progress)
    accelerator = change(_accelerator(arguments, found, artefacts, progress))
    return runner.Runner(runner.Options(artefacts, accelerator), found, progress)


def _demo(arguments: argparse.Namespace, progress: Progress) -> int:
    selected = _select([demo.CASE])
    crew = _crew(arguments, selected, progress)
    live = report.Live(progress, 1, steps=True)
    results = runner.run_all(crew, selected, 1, live.report, live.ended)
    progress.done()
    if not results[0].good:
        print(report.summary(results[0], 1))
        return 1
    print(demo.table(demo.rows(results[0])))
    return 0


def _measure(arguments: argparse.Namespace, progress: Progress) -> int:
    """Each kernel in a thread of its own."""
    make: Callable[[str, int], Case] = importlib.import_module("cases.intervals").intervals
    wanted = arguments.series or kernels.SERIES
    artefacts = Artefacts(arguments.khoctl, arguments.module, arguments.test_module,
                          arguments.build)
    found = {s: kernels.get(s, progress) for s in wanted}
    accelerator = _accelerator(arguments, found, artefacts, progress)
    crew = runner.Runner(runner.Options(artefacts, accelerator), found, progress)
    with ThreadPoolExecutor(max_workers=2) as pool:
        counts = pool.map(lambda s: measure.most(crew, lambda n: make(s, n), progress), wanted)
        for series, count in zip(wanted, counts):
            print(f"{series}: {count} intervals", flush=True)
    return 0


def _measure_handover(arguments: argparse.Namespace, progress: Progress) -> int:
    measured = importlib.import_module("cases.bulk").measured

    def make(wish: costs.Wish) -> Case:
        case: Case = measured(wish.end, wish.mib, arguments.memory, wish.whole)
        return case

    wanted = costs.wishes(arguments.end or list(costs.WAYS), arguments.mib, arguments.growth)
    artefacts = Artefacts(arguments.khoctl, arguments.module, arguments.test_module,
                          arguments.build)
    found = runner.load_kernels([make(wish) for wish in wanted], progress)
    accelerator = Accelerator(False, "asked for", counting=True) if arguments.count \
        else _accelerator(arguments, found, artefacts, progress)
    crew = runner.Runner(runner.Options(artefacts, accelerator), found, progress)
    made = costs.tables(costs.measure(crew, make, wanted, progress), arguments.mib)
    progress.done()
    print(costs.show(made))
    if arguments.json:
        costs.write(arguments.json, made, costs.COMMAND + (" --count" * arguments.count))
    return 0


def _measure_memfds(arguments: argparse.Namespace, progress: Progress) -> int:
    measured = importlib.import_module("cases.memfd_costs").measured

    def make(wish: memfd_costs.Wish) -> Case:
        case: Case = measured(wish.end, wish.pages, wish.mib)
        return case

    wanted = arguments.repeat * memfd_costs.wishes(arguments.end or list(memfd_costs.WAYS),
                                                   arguments.mib)
    crew = _crew(arguments, [make(wish) for wish in wanted], progress)
    made = memfd_costs.tables(memfd_costs.measure(crew, make, wanted, progress))
    progress.done()
    print(costs.show(made))
    if arguments.json:
        costs.write(arguments.json, made, memfd_costs.COMMAND)
    return 0


def _measure_cache(arguments: argparse.Namespace, progress: Progress) -> int:
    case: Case = importlib.import_module("cases.cache").measured(
        arguments.mib, f"measured-cache-{arguments.mib}", 3 * arguments.mib)
    made = cache_costs.tables(cache_costs.measure(_crew(arguments, [case], progress), case,
                                                  progress), arguments.mib)
    progress.done()
    print(costs.show(made))
    if arguments.json:
        costs.write(arguments.json, made, cache_costs.COMMAND)
    return 0


def _measure_threads(arguments: argparse.Namespace, progress: Progress) -> int:
    made = importlib.import_module("cases.threads")

    def make(end: str) -> Case:
        case: Case = made.threads(end, f"measured-threads-{end}")
        return case

    ends = arguments.end or list(costs.WAYS)
    crew = _crew(arguments, [make(end) for end in ends], progress,
                 lambda found: dataclasses.replace(found, together=True))
    tables = [pairs.table(crew, make, ends, progress)]
    progress.done()
    print(costs.show(tables))
    if arguments.json:
        costs.write(arguments.json, tables, pairs.COMMAND)
    return 0


def _soak_memfds(arguments: argparse.Namespace, seed: int, progress: Progress) -> int:
    case: Case = importlib.import_module("cases.random_memfds").soak(arguments.kexecs, seed)
    if problems := check(case):
        raise VmError("; ".join(problems))
    again = f"make soak-memfds KEXECS={arguments.kexecs} SEED={seed}"
    progress.line(f"{arguments.kexecs} kexecs: {again}")
    artefacts = Artefacts(arguments.khoctl, arguments.module, arguments.test_module,
                          arguments.build)
    found = runner.load_kernels([case], progress)
    accelerator = _accelerator(arguments, found, artefacts, progress)
    crew = runner.Runner(runner.Options(artefacts, accelerator, arguments.keep,
                                        arguments.timeout_factor), found, progress)
    live = report.Live(progress, 1, True)
    result = runner.run_all(crew, [case], 1, live.report, lambda _: None)[0]
    progress.done()
    done = sum(g.status in ("kexec", "passed") for g in result.generations)
    if not result.good:
        print(report.summary(result, 1), f"again: {again}", sep="\n")
    print(f"{done} passed, {len(case.generations) - done} failed")
    return 0 if result.good else 1


def _soak(arguments: argparse.Namespace, progress: Progress) -> int:
    made = importlib.import_module("cases.soak")
    seed = random.SystemRandom().randrange(1 << 31) if arguments.seed is None else arguments.seed
    if arguments.memfds:
        return _soak_memfds(arguments, seed, progress)
    places = [p for p in made.PLACES if not arguments.end or p.name in arguments.end]
    lives = model.lives(places, arguments.kexecs, seed)
    case: Case = made.soak(lives)
    if problems := check(case):
        raise VmError("; ".join(problems))
    again = soak.command(arguments.kexecs, seed, arguments.end)
    progress.line(f"{arguments.kexecs} kexecs: {again}")
    artefacts = Artefacts(arguments.khoctl, arguments.module, arguments.test_module,
                          arguments.build)
    found = runner.load_kernels([case], progress)
    accelerator = _accelerator(arguments, found, artefacts, progress)
    crew = runner.Runner(runner.Options(artefacts, accelerator, arguments.keep,
                                        arguments.timeout_factor), found, progress)
    follower = soak.Soak(lives, made.MEMORY_STEP, progress, crew)
    result = runner.run_all(crew, [case], 1, follower.report, lambda _: None)[0]
    progress.done()
    if arguments.json:
        soak.write_json(arguments.json, result, follower, seed)
    good = result.good and not follower.drift
    print(soak.table(list(follower.rows.values())))
    if not good:
        print(soak.failure(result, follower, seed, again))
    print(f"{follower.passed} passed, {int(not good)} failed")
    return int(not good)


def _faults(arguments: argparse.Namespace, progress: Progress) -> int:
    wish = campaign.Wish(tuple(arguments.kernel or WAYS), arguments.seed, arguments.first,
                         arguments.count, arguments.jobs, tuple(arguments.place))
    artefacts = Artefacts(arguments.khoctl, arguments.module, arguments.test_module,
                          arguments.build)
    found = {wish.series[0]: kernels.get(wish.series[0], progress)}
    accelerator = _accelerator(arguments, found, artefacts, progress)

    def on_run(run: Run) -> None:
        progress.done()
        print(campaign.line(run, wish), flush=True)

    done = campaign.run(wish, artefacts, accelerator, progress, on_run)
    progress.done()
    if arguments.json:
        done.write(arguments.json)
    print(done.summary())
    bad = sum(1 for run in done.runs if not run.good)
    print(f"{len(done.runs) - bad} passed, {bad} failed")
    return 1 if bad else 0


def _matrix(arguments: argparse.Namespace, _: Progress) -> int:
    ends = [end.name for end in importlib.import_module("cases.payload").ENDS]
    cells = matrix.collect(ends, arguments.results)
    if not arguments.check:
        changed = matrix.write(ends, cells, arguments.document)
        print(f"{arguments.document}: {len(cells)} pairs in the results, {changed} cells changed")
        return 0
    said = matrix.differences(ends, cells, arguments.document)
    print("\n".join(said) or f"{arguments.document}: as tested")
    return 1 if said else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="khobvm", description="kho-bridge in VMs")
    commands = parser.add_subparsers(dest="command", required=True)
    one = commands.add_parser("kernels", help="fetch or build kernels, say where they are")
    one.add_argument("series", nargs="*",
                     help=f"6.1 and 6.12 by default; {', '.join(build.SERIES)} are built, which "
                          "takes minutes")
    one.add_argument("--json", action="store_true", help="typed output")
    one.set_defaults(function=_kernels)
    one = commands.add_parser("checkpatch", help="fetch checkpatch.pl, say where it is")
    one.set_defaults(function=_checkpatch)
    one = commands.add_parser("source", help="fetch the headers of kernels with KHO, say where")
    one.add_argument("version", nargs="+", help="7.2 or 7.3")
    one.add_argument("--json", action="store_true", help="typed output")
    one.set_defaults(function=_source)
    shown = commands.add_parser("demo", help="run the case demo and show what came out")
    shown.set_defaults(function=_demo)
    measured = commands.add_parser("measure-intervals",
                                   help="find how many intervals each kernel boots with")
    measured.add_argument("series", nargs="*", help="6.1 or 6.12; both by default")
    measured.set_defaults(function=_measure)
    handed = commands.add_parser("measure-handover",
                                 help="what a handover of many single pages costs")
    handed.add_argument("--end", action="append", choices=list(costs.WAYS),
                        help="7.3-on is its own KHO; all by default (may be repeated)")
    handed.add_argument("--mib", type=int, default=2048, metavar="N",
                        help="MiB to preserve, of a region twice as large (2048)")
    handed.add_argument("--memory", type=int, default=8192, metavar="N",
                        help="the VM's MiB (8192)")
    handed.add_argument("--growth", type=int, nargs="*", default=[64, 128, 256], metavar="N",
                        help="MiB at which 7.3's own KHO is run to its end, and kho_bridge next "
                             "to it (64 128 256): its blackout grows with the square")
    handed.add_argument("--count", action="store_true",
                        help="emulate, with a clock that counts instructions, one a "
                             "nanosecond: independent of what else the host does")
    handed.add_argument("--json", type=Path, metavar="FILE",
                        help="write the tables there, for docs/performance.md")
    handed.set_defaults(function=_measure_handover)
    memfds = commands.add_parser("measure-memfds",
                                 help="what a memfd in a live update session costs, next to a disk")
    memfds.add_argument("--end", action="append", choices=list(memfd_costs.WAYS),
                        help="7.3-on is its own LUO; all by default (may be repeated)")
    memfds.add_argument("--mib", type=int, nargs="+", default=list(memfd_costs.SIZES),
                        metavar="N", help="MiB of a memfd "
                                          f"({' '.join(map(str, memfd_costs.SIZES))})")
    memfds.add_argument("--repeat", type=int, default=3, metavar="N",
                        help="run everything so many times, and take the least (3)")
    memfds.add_argument("--json", type=Path, metavar="FILE",
                        help="write the tables there, for docs/performance.md")
    memfds.set_defaults(function=_measure_memfds)
    warm = commands.add_parser("measure-cache", help="what a warm memcached is worth after a kexec")
    warm.add_argument("--mib", type=int, default=1024, metavar="N", help="MiB of it (1024)")
    warm.add_argument("--json", type=Path, metavar="FILE",
                      help="write the tables there, for docs/performance.md")
    warm.set_defaults(function=_measure_cache)
    paired = commands.add_parser("measure-threads",
                                 help="what a second thread adds to a client that preserves pages")
    paired.add_argument("--end", action="append", choices=list(costs.WAYS),
                        help="7.3-on is its own KHO; all by default (may be repeated)")
    paired.add_argument("--json", type=Path, metavar="FILE",
                        help="write the table there, for docs/performance.md")
    paired.set_defaults(function=_measure_threads)
    many = commands.add_parser("soak", help="many kexecs in one VM, as a model chooses them")
    many.add_argument("--kexecs", type=int, default=100, metavar="N", help="so many (100)")
    many.add_argument("--seed", type=int, metavar="S", help="what all follows from")
    many.add_argument("--memfds", action="store_true",
                      help="not pages and blobs: random operations on memfds in live update "
                           "sessions")
    many.add_argument("--end", action="append", default=[],
                      help="only these kernels, as cases/payload.py names them")
    many.add_argument("--keep", action="store_true", help="keep the workspace, say where")
    many.add_argument("--json", type=Path, metavar="FILE", help="write everything there")
    many.add_argument("--timeout-factor", type=float, default=1.0, metavar="F",
                      help="stretches the time that it may take (a slow host)")
    many.set_defaults(function=_soak)
    faulty = commands.add_parser("faults", help="start a saved VM with faults in what it was "
                                                "handed, and judge what comes out")
    faulty.add_argument("--count", type=int, default=60, metavar="N", help="faults (60)")
    faulty.add_argument("--seed", type=int, default=1, metavar="S", help="which ones (1)")
    faulty.add_argument("--first", type=int, default=0, metavar="N",
                        help="number of the first of them (0)")
    faulty.add_argument("--kernel", action="append", choices=list(WAYS),
                        help="all in turn by default (may be repeated)")
    faulty.add_argument("--place", action="append", default=[], choices=PLACES,
                        help="only in pieces of that kind (may be repeated)")
    faulty.add_argument("-j", "--jobs", type=int, default=os.cpu_count(), metavar="N",
                        help="VMs at a time (as many as CPUs)")
    faulty.add_argument("--json", type=Path, metavar="FILE", help="write all results there")
    faulty.set_defaults(function=_faults)
    one = commands.add_parser("matrix", help="make README's table of pairs from results")
    one.add_argument("results", nargs="+", type=Path, help="what `run --json` has written")
    one.add_argument("--check", action="store_true", help="change nothing, say what differs")
    one.add_argument("--document", type=Path, default=Path("README.md"), metavar="FILE",
                     help="which holds the table (README.md)")
    one.set_defaults(function=_matrix)
    one = commands.add_parser("run", help="run cases")
    one.add_argument("--case", action="append", default=[], metavar="GLOB",
                     help="only the cases that match (may be repeated)")
    one.add_argument("--suite", choices=SUITES, default=SUITES[0],
                     help="stock (default), or interop: with kernels that have KHO")
    one.add_argument("--list", action="store_true", help="list the cases and stop")
    one.add_argument("-j", "--jobs", type=int, default=2, metavar="N",
                     help="VMs at a time (default 2)")
    one.add_argument("--keep", action="store_true", help="keep the workspaces, say where")
    one.add_argument("--show-command", action="store_true",
                     help="print the QEMU command lines and stop")
    one.add_argument("--steps", action="store_true", help="a line for every step")
    one.add_argument("--ktap", action="store_true", help="nested KTAP on standard output")
    one.add_argument("--json", type=Path, metavar="FILE", help="write all results there")
    one.add_argument("--timeout-factor", type=float, default=1.0, metavar="F",
                     help="stretches the time a VM may take (a slow host)")
    one.set_defaults(function=_run)
    for one in (shown, measured, handed, memfds, warm, paired, many, faulty, one):
        one.add_argument("--accel", choices=("auto", "kvm", "tcg"), default="auto",
                         help="auto probes KVM with a short boot")
        one.add_argument("--build", type=Path, default=Path("build/vm"), metavar="DIR",
                         help="where the guest's init is built")
        one.add_argument("--khoctl", type=Path, default=Path("build/tools/khoctl/khoctl-static"))
        one.add_argument("--module", default="build/modules/{release}/module/kho_bridge.ko")
        one.add_argument("--test-module",
                         default="build/modules-test/{release}/module/kho_bridge.ko")
    return parser


def _interrupt(*_: object) -> None:
    raise KeyboardInterrupt


def main(words: Sequence[str]) -> int:
    """Runs a command; 0 good, 1 a case failed, 2 the host side failed, 130 interrupted."""
    arguments = _parser().parse_args(words)
    progress = Progress()
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        code = arguments.function(arguments, progress)
        return int(code)
    except (VmError, OSError) as error:
        progress.done()
        print(f"khobvm: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        progress.done()
        print("khobvm: interrupted", file=sys.stderr)
        return 130


__all__ = ["Module", "load_cases", "main"]
