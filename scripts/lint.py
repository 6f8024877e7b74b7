# SPDX-License-Identifier: GPL-2.0-only
"""Style and static analysis of every tracked file; says which tool complains of what."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

import parts
import tidy
from khobvm import kernels
from khobvm.errors import VmError
from khobvm.progress import Progress

ROOT = Path(__file__).resolve().parent.parent
PYTHON = "/usr/bin/python3"
PYTHON_PATHS = ("selftests/vm", "selftests/bench", "selftests/fuzz", "abi-gen", "scripts",
                "libkho/python")
# Generated code is judged by what generates it, test vectors are no prose.
CPP_GENERATED = tuple(f"tools/include/khob/{name}.hpp"
                      for name in ("abi", "device", "liveupdate", "luo", "memfd", "sessions"))
# __packed is the kernel's own; the generated header makes it for userspace.
CHECKPATCH_IGNORE = "PREFER_DEFINED_ATTRIBUTE_MACRO,FILE_PATH_CHANGES,SPDX_LICENSE_TAG"


def tracked(*patterns: str) -> list[str]:
    """Tracked files that match, relative to the root."""
    done = subprocess.run(["git", "ls-files", "--", *patterns], cwd=ROOT, check=True,
                          capture_output=True, text=True)
    return [line for line in done.stdout.splitlines() if (ROOT / line).exists()]


def run(command: Sequence[str], environment: dict[str, str] | None = None) -> tuple[bool, str]:
    """Return: whether it was content, and what it said."""
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          text=True, env={**os.environ, **(environment or {})}, check=False)
    return done.returncode == 0, done.stdout


def clang_format() -> tuple[bool, str]:
    """Format of the C++ sources."""
    return run(["clang-format", "--dry-run", "-Werror", *tracked("*.cpp", "*.hpp")])


def clang_tidy() -> tuple[bool, str]:
    """Every C++ file that the build knows, as many at a time as there are CPUs."""
    return tidy.run(ROOT, tracked("*.cpp"))


def emitted_headers(directory: str) -> tuple[list[str], str]:
    """Return: what abi-gen emits in C, for every version and page size; or why not."""
    for schema in tracked("abi-gen/schema/*.yaml", "libkho/*.yaml"):
        good, said = run(["build/abi-gen/abi-gen", "emit", "--every", "--schema", schema,
                          "-o", str(Path(directory) / Path(schema).stem)])
        if not good:
            return [], said
    found = sorted(str(path) for path in Path(directory).glob("*/*.h"))
    return found, "" if found else "abi-gen emits no header\n"


def checkpatch() -> tuple[bool, str]:
    """The kernel's own style checker over all C, and over all that is emitted."""
    environment = {"PYTHONPATH": "selftests/vm", "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run([PYTHON, "-m", "khobvm", "checkpatch"], cwd=ROOT, check=False,
                          stdout=subprocess.PIPE, text=True, env={**os.environ, **environment})
    if done.returncode:
        return False, "checkpatch could not be fetched\n"
    script = done.stdout.strip()
    with tempfile.TemporaryDirectory(prefix="khob-lint-") as temp:
        headers, why = emitted_headers(temp)
        if not headers:
            return False, why
        return run(["perl", script, "--no-tree", "--strict", "--terse", "--show-types",
                    "--max-line-length=100", f"--ignore={CHECKPATCH_IGNORE}", "-f",
                    *tracked(*(f"{top}/*.{suffix}" for top in ("module", "luo", "libkho")
                               for suffix in "ch")), *headers])


def kernel_doc() -> tuple[bool, str]:
    """The kernel's own reader of comments over all headers of C that are emitted."""
    try:
        tree = kernels.get(kernels.SERIES[-1], Progress()).headers
    except VmError as error:
        return False, f"kernel-doc could not be fetched: {error}\n"
    with tempfile.TemporaryDirectory(prefix="khob-lint-") as temp:
        headers, why = emitted_headers(temp)
        if not headers:
            return False, why
        return run(["perl", str(tree / "scripts" / "kernel-doc"), "-none", "-Wall", "-Werror",
                    *headers])


def sparse_and_clang() -> tuple[bool, str]:
    """The modules with clang and under sparse, for each kernel."""
    return run([PYTHON, "scripts/build_modules.py", "--lint"])


def parts_in_order() -> tuple[bool, str]:
    """No part of the modules, khoctl or libkho uses one that docs/architecture.md has after it."""
    bad = parts.check(ROOT, ROOT / "build")
    return not bad, "".join(f"{line}\n" for line in bad)


def python_style() -> tuple[bool, str]:
    """flake8 over all Python."""
    return run(["flake8", "--max-line-length=100", *tracked("*.py")])


def python_types() -> tuple[bool, str]:
    """mypy, one tree at a time: each has its own top."""
    good, said = True, ""
    for top in PYTHON_PATHS:
        files = [f for f in tracked(f"{top}/*.py") if "/tests/" not in f]
        ok, text = run(["mypy", "--strict", "--no-error-summary", "--cache-dir=build/mypy",
                        "--explicit-package-bases", *files],
                       {"MYPYPATH": f"{ROOT / top}:{ROOT / 'selftests/vm'}"})
        good, said = good and ok, said + text
    return good, said


def shell() -> tuple[bool, str]:
    """shellcheck over the scripts that have to be shell."""
    return run(["shellcheck", "scripts/install-deps", ".ci/run", *tracked("*.bash"),
                *tracked("packaging/initramfs-tools/*", "packaging/dracut/*.sh",
                         "packaging/kexec/*", "debian/*inst", "debian/*rm",
                         "selftests/vm/image/khob-*")])


CHECKS: dict[str, Callable[[], tuple[bool, str]]] = {
    "clang-format": clang_format,
    "checkpatch": checkpatch,
    "kernel-doc": kernel_doc,
    "flake8": python_style,
    "mypy": python_types,
    "shellcheck": shell,
    "parts": parts_in_order,
    "sparse, clang": sparse_and_clang,
    "clang-tidy": clang_tidy,
}


def main() -> int:
    """Return: 0 if every check is content."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--only", choices=CHECKS, action="append", help="just this one")
    arguments = parser.parse_args()
    bad = []
    for name in arguments.only or CHECKS:
        good, said = CHECKS[name]()
        print(f"{name}: {'ok' if good else 'FAILED'}", flush=True)
        if not good:
            print(said, end="", flush=True)
            bad.append(name)
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
