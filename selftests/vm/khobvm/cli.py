# SPDX-License-Identifier: GPL-2.0-only
"""The command line: `python3 -m khobvm kernels|source|checkpatch|run|matrix|...`."""

from __future__ import annotations

import argparse
import fnmatch
import importlib
import json
import os
import pkgutil
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

import cases as case_package
from khobvm import (build, demo, kernels, matrix, measuring, report, runner, soaking,
                    source)
from khobvm.case import SUITES, Case, Module, check
from khobvm.command import accelerator, add_machine_options, crew
from khobvm.errors import VmError
from khobvm.faults import campaign
from khobvm.faults.guest import WAYS
from khobvm.faults.run import Run
from khobvm.faults.walk import PLACES
from khobvm.initramfs import Artefacts
from khobvm.progress import Progress


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


def _list(found: Sequence[Case]) -> int:
    for case in found:
        chain = " -> ".join(g.kernel for g in case.generations)
        print(f"{case.name:24} {chain:24} {case.doc}")
    return 0


def _run(arguments: argparse.Namespace, progress: Progress) -> int:
    selected = _select(arguments.case, arguments.suite)
    if arguments.list:
        return _list(selected)
    who = crew(arguments, selected, progress)
    if arguments.show_command:
        for case in selected:
            machine = who.machine(case, Path("WORKSPACE"))
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
        results = runner.run_all(who, selected, arguments.jobs, live.report, on_result)
    finally:
        progress.done()
        if arguments.json:
            report.write_json(arguments.json, ended)
    if arguments.ktap:
        print(report.ktap(results))
    good, bad = runner.counts(results)
    print(f"{good} passed, {bad} failed")
    return 1 if bad else 0


def _demo(arguments: argparse.Namespace, progress: Progress) -> int:
    selected = _select([demo.CASE])
    who = crew(arguments, selected, progress)
    live = report.Live(progress, 1, steps=True)
    results = runner.run_all(who, selected, 1, live.report, live.ended)
    progress.done()
    if not results[0].good:
        print(report.summary(results[0], 1))
        return 1
    print(demo.table(demo.rows(results[0])))
    return 0


def _faults(arguments: argparse.Namespace, progress: Progress) -> int:
    wish = campaign.Wish(tuple(arguments.kernel or WAYS), arguments.seed, arguments.first,
                         arguments.count, arguments.jobs, tuple(arguments.place))
    artefacts = Artefacts(arguments.khoctl, arguments.module, arguments.test_module,
                          arguments.build)
    found = {wish.series[0]: kernels.get(wish.series[0], progress)}
    chosen = accelerator(arguments, found, artefacts, progress)

    def on_run(run: Run) -> None:
        progress.done()
        print(campaign.line(run, wish), flush=True)

    done = campaign.run(wish, artefacts, chosen, progress, on_run)
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
    measuring.add_commands(commands)
    soaking.add_commands(commands)
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
                     help="stock (default), interop: with kernels that have KHO, or guests: with "
                          "VMs in the VM")
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
    for one in (shown, faulty, one):
        add_machine_options(one)
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
