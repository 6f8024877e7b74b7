# SPDX-License-Identifier: GPL-2.0-only
"""kho_bridge as it was at an earlier commit, built from the history when a case needs it."""

from __future__ import annotations

import fcntl
import io
import os
import subprocess
import tarfile
from pathlib import Path

from khobvm.errors import VmError
from khobvm.kernels import Kernel
from khobvm.progress import Progress

_ROOT = Path(__file__).resolve().parents[3]


def _sources(commit: str) -> bytes:
    done = subprocess.run(["git", "-C", str(_ROOT), "archive", "--format=tar", commit, "module"],
                          capture_output=True, check=False)
    if done.returncode:
        raise VmError(f"the sources of {commit} are not to be had: "
                      f"{done.stderr.decode(errors='replace').strip()}",
                      "the whole history has to be there: git fetch --unshallow")
    return done.stdout


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
            with tarfile.open(fileobj=io.BytesIO(_sources(commit))) as archive:
                archive.extractall(to)
            environment = {k: v for k, v in os.environ.items()
                           if not k.startswith(("MAKE", "MFLAGS"))}
            done = subprocess.run(
                ["make", "-s", f"-j{os.cpu_count()}", "-C", str(kernel.headers),
                 f"M={to / 'module'}", "modules"], stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT, text=True, env=environment, check=False)
        finally:
            progress.done()
    if done.returncode:
        raise VmError(f"kho_bridge of {commit} does not build for {kernel.release}:\n{done.stdout}")
    return module
