# SPDX-License-Identifier: GPL-2.0-only
"""kho_bridge and khoctl as they were at an earlier commit, built from the history when a case
needs them.
"""

from __future__ import annotations

import fcntl
import io
import os
import shutil
import subprocess
import tarfile
from pathlib import Path

from khobvm import cache
from khobvm.errors import VmError
from khobvm.kernels import Kernel
from khobvm.progress import Progress

_ROOT = Path(__file__).resolve().parents[3]


def _unpack(commit: str, to: Path, *paths: str) -> None:
    done = subprocess.run(["git", "-C", str(_ROOT), "archive", "--format=tar", commit, *paths],
                          capture_output=True, check=False)
    if done.returncode:
        raise VmError(f"the sources of {commit} are not to be had: "
                      f"{done.stderr.decode(errors='replace').strip()}",
                      "the whole history has to be there: git fetch --unshallow")
    with tarfile.open(fileobj=io.BytesIO(done.stdout)) as archive:
        archive.extractall(to)


def _run(what: str, words: list[str]) -> None:
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("MAKE", "MFLAGS"))}
    done = subprocess.run(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          env=environment, check=False)
    if done.returncode:
        raise VmError(f"{what} does not build:\n{done.stdout}")


def khoctl(commit: str, progress: Progress) -> Path:
    """khoctl of a commit, for who drives a module of that age; in the cache."""
    def make(to: Path) -> None:
        progress.step(f"building khoctl of {commit}")
        try:
            source, build_directory = to / "source", to / "build"
            source.mkdir()
            _unpack(commit, source)
            _run("khoctl", ["cmake", "-S", str(source), "-B", str(build_directory)])
            _run("khoctl", ["cmake", "--build", str(build_directory), f"-j{os.cpu_count()}",
                            "--target", "khoctl-static"])
            (build_directory / "tools" / "khoctl" / "khoctl-static").rename(to / "khoctl")
            shutil.rmtree(source)
            shutil.rmtree(build_directory)
        finally:
            progress.done()

    return cache.entry("older", f"khoctl-{commit}", make) / "khoctl"


def build(commit: str, kernel: Kernel, build_directory: Path, progress: Progress) -> Path:
    """kho_bridge.ko of a commit before module/ was in parts, for a kernel."""
    to = (build_directory / f"modules-{commit}" / kernel.release).resolve()
    to.mkdir(parents=True, exist_ok=True)
    module = to / "module" / "kho_bridge.ko"
    with open(to / ".lock", "w", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if module.exists():
            return module
        progress.step(f"building kho_bridge of {commit} for {kernel.release}")
        try:
            _unpack(commit, to, "module")
            _run(f"kho_bridge of {commit} for {kernel.release}",
                 ["make", "-s", f"-j{os.cpu_count()}", "-C", str(kernel.headers),
                  f"M={to / 'module'}", "modules"])
        finally:
            progress.done()
    return module
