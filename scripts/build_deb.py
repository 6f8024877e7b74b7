# SPDX-License-Identifier: GPL-2.0-only
"""Builds the Debian packages from a copy of what is tracked, into BUILD/deb.

The version is CMakeLists.txt's, and debian/changelog has to begin with it.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


class DebError(Exception):
    """Why there are no packages, in a sentence."""


def version() -> str:
    """CMakeLists.txt's. Raises: debian/changelog says another one."""
    found = re.search(r"^project\(kho-bridge VERSION ([0-9.]+)",
                      (ROOT / "CMakeLists.txt").read_text(), re.M)
    changelog = (ROOT / "debian" / "changelog").read_text()
    first = re.match(r"kho-bridge \(([^)]+)\)", changelog)
    if not found or not first or found[1] != first[1]:
        raise DebError(f"debian/changelog begins with {first and first[1]}, CMakeLists.txt says "
                       f"{found and found[1]}: an entry for that one is missing")
    return found[1]


def copy_tracked(to: Path) -> None:
    """Copies what git tracks, as it is in the working tree."""
    done = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, check=True, stdout=subprocess.PIPE,
                          text=True)
    for name in filter(None, done.stdout.split("\0")):
        if (ROOT / name).exists():
            (to / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, to / name, follow_symlinks=False)


def built(out: Path) -> list[Path]:
    """The packages of this version in `out`, without those of debug information."""
    return sorted(path for path in out.glob(f"*_{version()}_*.deb") if "-dbgsym_" not in path.name)


def build(out: Path) -> list[Path]:
    """Builds all of them below `out`. Return: the packages. Raises: DebError."""
    source = out / "source"
    for old in out.glob(f"*_{version()}_*"):
        old.unlink()
    shutil.rmtree(source, ignore_errors=True)
    copy_tracked(source)
    # What make was told by a make above is not for the package's.
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("MAKE", "MFLAGS"))}
    log = out / "build.log"
    with log.open("w") as said:
        done = subprocess.run(["dpkg-buildpackage", "--build=binary", "--unsigned-source",
                               "--unsigned-changes"], cwd=source, env=environment, check=False,
                              stdout=said, stderr=subprocess.STDOUT)
    if done.returncode:
        tail = "".join(log.read_text(errors="replace").splitlines(keepends=True)[-20:])
        raise DebError(f"{tail}the packages could not be built; all of it is in {log}")
    shutil.rmtree(source)
    return built(out)


def main() -> int:
    """Return: 0 if there are packages."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--build", type=Path, default=ROOT / "build", help="build directory")
    out: Path = (parser.parse_args().build / "deb").resolve()
    out.mkdir(parents=True, exist_ok=True)
    try:
        for path in build(out):
            print(f"{os.path.relpath(path)} ({path.stat().st_size // 1024} KiB)")
    except DebError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
