# SPDX-License-Identifier: GPL-2.0-only
"""clang-tidy over what the build compiles; a file that passed is not looked at again.

What a file passed with is a hash of everything that clang-tidy's answer depends on: its own
version, the configuration, the checks, the compiler's arguments and the contents of the file
and of every header that it includes, the system's too. Only passes are kept, outside the
checkout, so a complaint is always made anew.
"""

from __future__ import annotations

import functools
import hashlib
import json
import os
import shlex
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

from khobvm.cache import cache_root


class Unit(NamedTuple):
    """A file, relative to the root, and how the build compiles it."""

    path: str
    directory: str
    arguments: list[str]


@functools.lru_cache(maxsize=None)
def content(path: Path) -> bytes:
    """The hash of one file."""
    return hashlib.sha256(path.read_bytes()).digest()


def units(root: Path, files: list[str]) -> list[Unit]:
    """Those of the files that the build compiles; tests alone compile the others."""
    database = json.loads((root / "build" / "compile_commands.json").read_text())
    known = {str(Path(entry["file"]).resolve()): entry for entry in database}
    found = []
    for path in files:
        entry = known.get(str(root / path))
        if entry:
            found.append(Unit(path, entry["directory"], shlex.split(entry["command"])))
    return found


def checks(path: str) -> list[str]:
    """What a file is spared.

    GoogleTest's macros double the time that the path-sensitive analyzer takes; tests run under
    sanitizers instead. Google Benchmark keeps what is registered, which looks like a leak.
    """
    spared = path.endswith("_test.cpp") or path == "selftests/bench/rows.cpp"
    return ["--checks=-clang-analyzer-*"] if spared else []


def key(root: Path, version: str, unit: Unit) -> str | None:
    """The hash of all that the answer depends on; None if the includes can't be told."""
    arguments = [a for a in unit.arguments[1:] if a != "-c"]
    if "-o" in arguments:
        at = arguments.index("-o")
        del arguments[at:at + 2]
    done = subprocess.run(["clang++", "-M", "-MT", "x", *arguments], cwd=unit.directory,
                          capture_output=True, text=True, check=False)
    if done.returncode:
        return None
    headers = done.stdout.replace("\\\n", " ").split()[1:]
    state = hashlib.sha256()
    state.update(repr((version, checks(unit.path), unit.path)).encode())
    # Where the checkout stands is not part of the answer.
    state.update(" ".join(arguments).replace(str(root), ".").encode())
    state.update(content(root / ".clang-tidy"))
    for name in headers:
        state.update(content(Path(unit.directory, name).resolve()))
    return state.hexdigest()


def run(root: Path, files: list[str]) -> tuple[bool, str]:
    """Return: whether every file passed, and what was said of those that did not."""
    version = subprocess.run(["clang-tidy", "--version"], check=True, capture_output=True,
                             text=True).stdout
    passed = cache_root() / "clang-tidy"
    passed.mkdir(parents=True, exist_ok=True)

    def one(unit: Unit) -> tuple[bool, str]:
        name = key(root, version, unit)
        if name and (passed / name).exists():
            return True, ""
        done = subprocess.run(["clang-tidy", "-p", "build", "--quiet", *checks(unit.path),
                               unit.path], cwd=root, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, check=False)
        if done.returncode:
            return False, done.stdout
        if name:
            (passed / name).touch()
        return True, ""

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        results = list(pool.map(one, units(root, files)))
    return all(good for good, _ in results), "".join(said for _, said in results)
