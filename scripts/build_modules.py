# SPDX-License-Identifier: GPL-2.0-only
"""Builds kho_bridge.ko and kho_luo.ko for each stock kernel, with warnings (W=1) as failures.

Each kernel gets a copy of the sources, since its build system writes next to them:
BUILD/modules/RELEASE, and BUILD/modules-test/RELEASE with the switches for tests.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "selftests" / "vm"))

from khobvm import kernels  # noqa: E402
from khobvm.errors import VmError  # noqa: E402
from khobvm.progress import Progress  # noqa: E402

SOURCES = ("Kbuild", "module", "luo")
# Header packages carry no vmlinux: no type information for modules, which is fine.
NOISE = ("Skipping BTF generation", "warning: the compiler differs", "The kernel was built by",
         "You are using")


def copy_sources(to: Path) -> None:
    """Copies what changed, so that the kernel's build system builds only that."""
    kept = set()
    for path in (p for top in SOURCES for p in (ROOT / top, *(ROOT / top).rglob("*"))):
        name = path.relative_to(ROOT)
        if path.is_dir() or path.suffix not in (".c", ".h", ".mk") and path.name != "Kbuild":
            continue
        kept.add(name)
        target = to / name
        if not target.exists() or target.read_bytes() != path.read_bytes():
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, target)
    for path in to.rglob("*.[ch]"):
        if path.relative_to(to) not in kept and not path.name.endswith(".mod.c"):
            path.unlink()


def build(kernel: kernels.Kernel, to: Path, words: list[str]) -> list[str]:
    """Runs the kernel's build system. Return: what it had to say, empty if all is well."""
    copy_sources(to)
    command = ["make", "-s", f"-j{os.cpu_count()}", "-C", str(kernel.headers), f"M={to.resolve()}",
               "W=1", *words, "modules"]
    # What make was told by a make above is not for the kernel's build system.
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("MAKE", "MFLAGS"))}
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          env=environment, check=False)
    said = [line for line in done.stdout.splitlines()
            if line.strip() and not any(noise in line for noise in NOISE)]
    if done.returncode and not said:
        said.append(f"make ended with {done.returncode}")
    if said:
        # What is built is not built again, and would not complain again.
        for path in to.rglob("*.o"):
            path.unlink()
    return said


def main() -> int:
    """Return: 0 if every module was built without a word."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--build", type=Path, default=ROOT / "build")
    parser.add_argument("series", nargs="*", default=kernels.SERIES,
                        help="the kernels; the stock ones by default")
    parser.add_argument("--lint", action="store_true",
                        help="with clang and with sparse instead, into directories of their own")
    arguments = parser.parse_args()
    kinds: dict[str, list[str]] = {"modules": [], "modules-test": ["KHOB_TEST=y"]}
    if arguments.lint:
        kinds = {"modules-clang": ["CC=clang", "KHOB_TEST=y"],
                 "modules-sparse": ["C=2", "KHOB_TEST=y"]}
    progress = Progress()
    failed = 0
    try:
        for series in arguments.series:
            kernel = kernels.get(series, progress)
            for kind, words in kinds.items():
                progress.step(f"building {kind} for {kernel.release}")
                said = build(kernel, arguments.build / kind / kernel.release, words)
                progress.done()
                for line in said:
                    print(line)
                failed += bool(said)
                print(f"{kind} {kernel.release}: {'FAILED' if said else 'ok'}", flush=True)
    except VmError as error:
        progress.done()
        print(f"build_modules: {error}", file=sys.stderr)
        return 1
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
