# SPDX-License-Identifier: GPL-2.0-only
"""The commands that measure: `khobvm measure-*`. Tables go to docs/performance.md."""

from __future__ import annotations

import argparse
import dataclasses
import importlib
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from khobvm import cache_costs, costs, keep_costs, kernels, measure, memfd_costs, pairs
from khobvm.case import Case
from khobvm.command import add_counting, add_machine_options, crew
from khobvm.progress import Progress


def _told(arguments: argparse.Namespace, made: Sequence[costs.Table], command: str,
          progress: Progress) -> int:
    """Shows the tables, and writes them where they are asked for."""
    progress.done()
    print(costs.show(made))
    if arguments.json:
        counted = " --count" if getattr(arguments, "counting", False) else ""
        costs.write(arguments.json, made, command + counted)
    return 0


def _intervals(arguments: argparse.Namespace, progress: Progress) -> int:
    """Each kernel in a thread of its own."""
    make: Callable[[str, int], Case] = importlib.import_module("cases.intervals").intervals
    wanted = arguments.series or kernels.SERIES
    who = crew(arguments, [make(s, 1) for s in wanted], progress)
    with ThreadPoolExecutor(max_workers=2) as pool:
        counts = pool.map(lambda s: measure.most(who, lambda n: make(s, n), progress), wanted)
        for series, count in zip(wanted, counts):
            print(f"{series}: {count} intervals", flush=True)
    return 0


def _handover(arguments: argparse.Namespace, progress: Progress) -> int:
    measured = importlib.import_module("cases.bulk").measured

    def make(wish: costs.Wish) -> Case:
        case: Case = measured(wish.end, wish.mib, arguments.memory, wish.whole)
        return case

    wanted = costs.wishes(arguments.end or list(costs.WAYS), arguments.mib, arguments.growth)
    who = crew(arguments, [make(wish) for wish in wanted], progress)
    made = costs.tables(costs.measure(who, make, wanted, progress), arguments.mib)
    return _told(arguments, made, costs.COMMAND, progress)


def _memfds(arguments: argparse.Namespace, progress: Progress) -> int:
    measured = importlib.import_module("cases.memfd_costs").measured

    def make(wish: memfd_costs.Wish) -> Case:
        case: Case = measured(wish.end, wish.pages, wish.mib)
        return case

    wanted = arguments.repeat * memfd_costs.wishes(arguments.end or list(memfd_costs.WAYS),
                                                   arguments.mib)
    who = crew(arguments, [make(wish) for wish in wanted], progress)
    made = memfd_costs.tables(memfd_costs.measure(who, make, wanted, progress))
    return _told(arguments, made, memfd_costs.COMMAND, progress)


def _keep(arguments: argparse.Namespace, progress: Progress) -> int:
    measured = importlib.import_module("cases.keep_costs").measured

    def make(wish: keep_costs.Wish) -> Case:
        case: Case = measured(wish.pages, wish.mib)
        return case

    wanted = keep_costs.wishes(arguments.mib)
    who = crew(arguments, [make(wish) for wish in wanted], progress)
    made = keep_costs.tables(keep_costs.measure(who, make, wanted, progress))
    return _told(arguments, made, keep_costs.COMMAND, progress)


def _cache(arguments: argparse.Namespace, progress: Progress) -> int:
    case: Case = importlib.import_module("cases.cache").measured(
        arguments.mib, f"measured-cache-{arguments.mib}", 3 * arguments.mib)
    found = cache_costs.measure(crew(arguments, [case], progress), case, progress)
    return _told(arguments, cache_costs.tables(found, arguments.mib), cache_costs.COMMAND,
                 progress)


def _threads(arguments: argparse.Namespace, progress: Progress) -> int:
    made = importlib.import_module("cases.threads")

    def make(end: str) -> Case:
        case: Case = made.threads(end, f"measured-threads-{end}")
        return case

    ends = arguments.end or list(costs.WAYS)
    who = crew(arguments, [make(end) for end in ends], progress,
               lambda found: dataclasses.replace(found, together=True))
    return _told(arguments, [pairs.table(who, make, ends, progress)], pairs.COMMAND, progress)


def add_commands(
        commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """The parsers of all of them; commands: what add_subparsers() returns."""
    intervals = commands.add_parser("measure-intervals",
                                    help="find how many intervals each kernel boots with")
    intervals.add_argument("series", nargs="*", help="6.1 or 6.12; both by default")
    intervals.set_defaults(function=_intervals)
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
    add_counting(handed)
    handed.set_defaults(function=_handover)
    memfds = commands.add_parser("measure-memfds",
                                 help="what a memfd in a live update session costs, next to a disk")
    memfds.add_argument("--end", action="append", choices=list(memfd_costs.WAYS),
                        help="7.3-on is its own LUO; all by default (may be repeated)")
    memfds.add_argument("--mib", type=int, nargs="+", default=list(memfd_costs.SIZES),
                        metavar="N", help="MiB of a memfd "
                                          f"({' '.join(map(str, memfd_costs.SIZES))})")
    memfds.add_argument("--repeat", type=int, default=3, metavar="N",
                        help="run everything so many times, and take the least (3)")
    memfds.set_defaults(function=_memfds)
    kept = commands.add_parser("measure-keep", help="what a kept file costs, next to copies of it")
    kept.add_argument("--mib", type=int, nargs="+", default=list(keep_costs.SIZES), metavar="N",
                      help=f"MiB of the file ({' '.join(map(str, keep_costs.SIZES))})")
    add_counting(kept)
    kept.set_defaults(function=_keep)
    warm = commands.add_parser("measure-cache", help="what a warm memcached is worth after a kexec")
    warm.add_argument("--mib", type=int, default=1024, metavar="N", help="MiB of it (1024)")
    warm.set_defaults(function=_cache)
    paired = commands.add_parser("measure-threads",
                                 help="what a second thread adds to a client that preserves pages")
    paired.add_argument("--end", action="append", choices=list(costs.WAYS),
                        help="7.3-on is its own KHO; all by default (may be repeated)")
    paired.set_defaults(function=_threads)
    for one in (intervals, handed, memfds, kept, warm, paired):
        add_machine_options(one)
    for one in (handed, memfds, kept, warm, paired):
        one.add_argument("--json", type=Path, metavar="FILE",
                         help="write the tables there, for docs/performance.md")
