# SPDX-License-Identifier: GPL-2.0-only
"""Fuzzes every target for some time, and keeps what is worth keeping.

The corpus of a target grows in the cache (fuzz/NAME/corpus) from campaign to campaign; `keep`
takes over into selftests/fuzz/corpus what reaches something that the committed one does not.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import results
from khobvm.cache import cache_root
from khobvm.errors import VmError
from khobvm.progress import Progress

CORPUS = Path(__file__).resolve().parent / "corpus"
# Of all committed inputs of one target.
KEEP_BYTES = 48 << 10
INTERRUPTED = 72  # libFuzzer's exit code after SIGINT or SIGTERM


class Target:
    """A fuzzer and the places that belong to it."""

    def __init__(self, build: Path, name: str) -> None:
        self.name = name
        self.binary = build / "selftests" / "fuzz" / f"fuzz_{name}"
        self.committed = CORPUS / name
        self.cache = cache_root() / "fuzz" / name
        self.grown = self.cache / "corpus"
        self.dictionary = CORPUS.parent / f"{name}.dict"
        if not self.binary.exists():
            raise VmError(f"there is no {self.binary}", "make fuzz builds it")

    def command(self, *options: str) -> list[str]:
        """The fuzzer with the options that every run has."""
        words = [str(self.binary), "-timeout=10", "-rss_limit_mb=2048", *options]
        if self.dictionary.exists():
            words.append(f"-dict={self.dictionary}")
        return words


def fuzz(target: Target, seconds: int, progress: Progress) -> results.Run:
    """Runs one target; what it found lies in the cache afterwards."""
    target.grown.mkdir(parents=True, exist_ok=True)
    run = results.Run(target.name)
    command = target.command(f"-max_total_time={seconds}", "-print_final_stats=1",
                             f"-artifact_prefix={target.cache}/", str(target.grown),
                             str(target.committed))
    began = time.monotonic()
    with open(target.cache / "log", "w", encoding="utf-8", errors="replace") as log, \
            subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
                             text=True, errors="replace", cwd=target.cache,
                             env={**os.environ, "UBSAN_OPTIONS": "print_stacktrace=1"}) as process:
        assert process.stderr is not None
        for line in process.stderr:
            log.write(line)
            run.read(line)
            run.seconds = time.monotonic() - began
            progress.step(f"{target.name}: {run.executions:,} executions, {run.rate:,}/s, "
                          f"{run.new_features:,} new features")
    run.seconds = time.monotonic() - began
    if process.returncode not in (0, INTERRUPTED) and not run.artefact:
        raise VmError(f"{target.name} ended with {process.returncode}: {run.complaint}",
                      f"its log is {target.cache / 'log'}")
    results.add_to_totals(cache_root() / "fuzz" / "totals.json", run)
    progress.line(f"{target.name}: {run.executions:,} executions in {run.seconds:.0f} s"
                  + (f"; FOUND: {run.complaint}" if run.artefact else ""))
    return run


def campaign(targets: list[Target], seconds: int, jobs: int) -> int:
    """Every target in turn, as many at a time as there are jobs. Return: 1 if any found
    something."""
    progress = Progress()
    with ThreadPoolExecutor(jobs) as pool:
        runs = list(pool.map(lambda target: fuzz(target, seconds, progress), targets))
    progress.done()
    print(results.summary(runs, results.read_totals(cache_root() / "fuzz" / "totals.json")),
          end="")
    found = [(target, run) for target, run in zip(targets, runs) if run.artefact]
    for target, run in found:
        print(f"{target.name} found: {run.complaint}\n"
              f"  reproduce: {os.path.relpath(target.binary)} {run.artefact}")
    return 1 if found else 0


def sized(directory: Path) -> int:
    """Bytes of all files in a directory."""
    return sum(path.stat().st_size for path in directory.iterdir())


def digest(path: Path) -> str:
    """What a file's name comes from."""
    return hashlib.sha1(path.read_bytes(), usedforsecurity=False).hexdigest()


def merge(target: Target, into: Path, *options: str) -> None:
    """Fills a directory, which may hold inputs already, with what adds to what they reach."""
    sources = [str(place) for place in (target.committed, target.grown) if place.is_dir()]
    done = subprocess.run(target.command("-merge=1", *options, str(into), *sources),
                          stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
                          errors="replace", cwd=into.parent, check=False)
    if done.returncode:
        raise VmError(f"{target.name}: the corpora cannot be merged:\n{done.stderr[-2000:]}",
                      "fuzz it first: an input may crash by now")


def keep(target: Target) -> str:
    """Renews the committed corpus; seeds stay. Return: what it is now."""
    seeds = sorted(target.committed.glob("seed-*"))
    with tempfile.TemporaryDirectory(prefix="khob-fuzz-") as temp:
        merged = Path(temp) / "merged"
        # Every count of every edge if there is room for it, else every edge.
        for options in ((), ("-use_counters=0",)):
            shutil.rmtree(merged, ignore_errors=True)
            merged.mkdir()
            for seed in seeds:
                shutil.copy(seed, merged)
            merge(target, merged, *options)
            if sized(merged) <= KEEP_BYTES:
                break
        known = {digest(seed) for seed in seeds}
        for path in target.committed.glob("found-*"):
            path.unlink()
        for path in sorted(merged.iterdir()):
            name = digest(path)
            if name not in known:
                shutil.copy(path, target.committed / f"found-{name[:16]}")
    count = sum(1 for _ in target.committed.iterdir())
    return f"{target.name}: {count} inputs, {sized(target.committed):,} bytes"


def main() -> int:
    """Return: 0 if nothing was found, 1 if something was, 2 if it could not be tried."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("what", choices=("run", "keep"))
    parser.add_argument("targets", nargs="*", help="all of them if none is named")
    parser.add_argument("--build", type=Path, default=Path("build"))
    parser.add_argument("--seconds", type=int, default=60, help="for each target")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    arguments = parser.parse_intermixed_args()
    every = sorted(path.name for path in CORPUS.iterdir())
    try:
        unknown = sorted(set(arguments.targets) - set(every))
        if unknown:
            raise VmError(f"there is no target {', '.join(unknown)}", f"known: {' '.join(every)}")
        targets = [Target(arguments.build.absolute(), name)
                   for name in arguments.targets or every]
        if arguments.what == "run":
            return campaign(targets, arguments.seconds, arguments.jobs)
        for target in targets:
            print(keep(target), flush=True)
    except VmError as error:
        print(error, file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
