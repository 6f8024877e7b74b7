# SPDX-License-Identifier: GPL-2.0-only
"""Upstream's own tests of the Live Update Orchestrator, compiled as they are.

Their sources come from the linux-source package when a case needs them; nothing of them is in
this tree.
"""

from __future__ import annotations

import fcntl
import shutil
import subprocess
from pathlib import Path

from khobvm import source
from khobvm.errors import VmError
from khobvm.progress import Progress

# The release whose tools/testing/selftests/liveupdate are the tests.
_UPSTREAM = "7.3"
_TESTS = "tools/testing/selftests/liveupdate"
_HEADER = "include/uapi/linux/liveupdate.h"
# Taken as it is.
SCRIPT = "do_kexec.sh"
PROGRAMS = ("liveupdate", "luo_kexec_simple", "luo_multi_session", "luo_stress_files",
            "luo_stress_sessions")


def _compile(name: str, tree: Path, include: Path, to: Path) -> None:
    tests = tree / _TESTS
    done = subprocess.run(
        ["gcc", "-static", "-O2", "-Wall", "-Wno-unused-function", f"-I{include}",
         f"-I{tests / 'lib' / 'include'}", "-o", str(to), str(tests / f"{name}.c"),
         *(str(path) for path in sorted((tests / "lib").glob("*.c")))],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    if done.returncode:
        raise VmError(f"{_TESTS}/{name}.c does not compile:\n{done.stdout}")


def build(name: str, build_directory: Path, progress: Progress) -> Path:
    """One of the programs, static, or the script."""
    if name not in (*PROGRAMS, SCRIPT):
        raise VmError(f"{_TESTS} has no program {name}: {', '.join((*PROGRAMS, SCRIPT))}")
    tree = source.liveupdate(_UPSTREAM, progress)
    if name == SCRIPT:
        return tree / _TESTS / name
    to = build_directory / "liveupdate" / tree.name / name
    # Programs find the header where `make headers_install` would have put it.
    header = to.parent / "include" / "linux" / Path(_HEADER).name
    header.parent.mkdir(parents=True, exist_ok=True)
    with open(to.parent / f".{name}.lock", "w", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not to.exists():
            shutil.copyfile(tree / _HEADER, header)
            part = to.with_name(f"{name}.part")
            _compile(name, tree, header.parents[1], part)
            part.replace(to)
    return to
