# SPDX-License-Identifier: GPL-2.0-only
"""The command that kexecs many times in a row: `khobvm soak`."""

from __future__ import annotations

import argparse
import importlib
import random
from pathlib import Path

from khobvm import model, report, runner, soak
from khobvm.case import Case, check
from khobvm.command import add_machine_options, crew
from khobvm.errors import VmError
from khobvm.progress import Progress


def _programs(arguments: argparse.Namespace, seed: int, progress: Progress) -> int:
    """Memfds in sessions, or kept files."""
    what = "kept" if arguments.kept else "memfds"
    case: Case = getattr(importlib.import_module("cases.random_memfds"), f"soak_{what}")(
        arguments.kexecs, seed)
    if problems := check(case):
        raise VmError("; ".join(problems))
    again = f"make soak-{what} KEXECS={arguments.kexecs} SEED={seed}"
    progress.line(f"{arguments.kexecs} kexecs: {again}")
    who = crew(arguments, [case], progress)
    live = report.Live(progress, 1, True)
    result = runner.run_all(who, [case], 1, live.report, lambda _: None)[0]
    progress.done()
    done = sum(g.status in ("kexec", "passed") for g in result.generations)
    if not result.good:
        print(report.summary(result, 1), f"again: {again}", sep="\n")
    print(f"{done} passed, {len(case.generations) - done} failed")
    return 0 if result.good else 1


def _soak(arguments: argparse.Namespace, progress: Progress) -> int:
    made = importlib.import_module("cases.soak")
    seed = random.SystemRandom().randrange(1 << 31) if arguments.seed is None else arguments.seed
    if arguments.memfds or arguments.kept:
        return _programs(arguments, seed, progress)
    places = [p for p in made.PLACES if not arguments.end or p.name in arguments.end]
    lives = model.lives(places, arguments.kexecs, seed)
    case: Case = made.soak(lives)
    if problems := check(case):
        raise VmError("; ".join(problems))
    again = soak.command(arguments.kexecs, seed, arguments.end)
    progress.line(f"{arguments.kexecs} kexecs: {again}")
    who = crew(arguments, [case], progress)
    follower = soak.Soak(lives, made.MEMORY_STEP, progress, who)
    result = runner.run_all(who, [case], 1, follower.report, lambda _: None)[0]
    progress.done()
    if arguments.json:
        soak.write_json(arguments.json, result, follower, seed)
    good = result.good and not follower.drift
    print(soak.table(list(follower.rows.values())))
    if not good:
        print(soak.failure(result, follower, seed, again))
    print(f"{follower.passed} passed, {int(not good)} failed")
    return int(not good)


def add_commands(
        commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Its parser; commands: what add_subparsers() returns."""
    many = commands.add_parser("soak", help="many kexecs in one VM, as a model chooses them")
    many.add_argument("--kexecs", type=int, default=100, metavar="N", help="so many (100)")
    many.add_argument("--seed", type=int, metavar="S", help="what all follows from")
    other = many.add_mutually_exclusive_group()
    other.add_argument("--memfds", action="store_true",
                       help="not pages and blobs: random operations on memfds in live update "
                            "sessions")
    other.add_argument("--kept", action="store_true",
                       help="not pages and blobs: random operations on kept files")
    many.add_argument("--end", action="append", default=[],
                      help="only these kernels, as cases/payload.py names them")
    many.add_argument("--keep", action="store_true", help="keep the workspace, say where")
    many.add_argument("--json", type=Path, metavar="FILE", help="write everything there")
    many.add_argument("--timeout-factor", type=float, default=1.0, metavar="F",
                      help="stretches the time that it may take (a slow host)")
    many.set_defaults(function=_soak)
    add_machine_options(many)
