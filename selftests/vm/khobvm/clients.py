# SPDX-License-Identifier: GPL-2.0-only
"""Modules that use kho_bridge, built for a kernel when a case needs them.

selftests/vm/client/NAME holds each one's Kbuild. test_kho is upstream's: its sources come
from the linux-source package at that time, and are compiled as they are.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import threading
from pathlib import Path

from khobvm import build as kho_kernels
from khobvm import source
from khobvm.errors import VmError
from khobvm.kernels import Kernel
from khobvm.progress import Progress

_HERE = Path(__file__).resolve().parent.parent / "client"
_ROOT = _HERE.parents[2]
_HEADERS = _ROOT / "module" / "include"
# kho_luo, which is built with kho_bridge, and where it is to be a client like any other.
_LUO = "kho_luo"
_LUO_SOURCES = ("luo", "module/core", "module/include", "module/mem")
# The release whose lib/test_kho.c is the test.
_UPSTREAM = "7.3"
_UPSTREAM_FILES = ("lib/test_kho.c", "include/linux/libfdt.h", "include/linux/libfdt_env.h")
_LIBFDT = "scripts/dtc/libfdt"
_NOISE = ("Skipping BTF generation", "warning: the compiler differs", "The kernel was built by",
          "You are using")


def _copy(path: Path, to: Path) -> None:
    """Copies a file unless it is there already, so that make builds only what changed.

    All at once: others may be reading what clients share.
    """
    if not to.exists() or to.read_bytes() != path.read_bytes():
        to.parent.mkdir(parents=True, exist_ok=True)
        part = to.with_name(f".{to.name}.{threading.get_ident()}")
        shutil.copyfile(path, part)
        part.replace(to)


def _copy_luo(to: Path) -> None:
    for folder in _LUO_SOURCES:
        for path in sorted((_ROOT / folder).rglob("*")):
            if path.is_file() and path.suffix in (".c", ".h", ".mk", ""):
                _copy(path, to.parent / path.relative_to(_ROOT))


def _copy_sources(name: str, to: Path, progress: Progress) -> None:
    if name == _LUO:
        _copy_luo(to)
        return
    for path in sorted((_HERE / name).iterdir()):
        _copy(path, to / path.name)
    _copy(_HERE / "actions.h", to.parent / "actions.h")
    if name != "test_kho":
        return
    tree = source.headers(_UPSTREAM, progress)
    for file in _UPSTREAM_FILES:
        _copy(tree / file, to / file)
    for path in sorted((tree / _LIBFDT).iterdir()):
        _copy(path, to / _LIBFDT / path.name)


def _make(kernel: Kernel, to: Path, words: list[str]) -> None:
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("MAKE", "MFLAGS"))}
    done = subprocess.run(
        ["make", "-s", f"-j{os.cpu_count()}", "-C", str(kernel.headers), f"M={to}",
         f"KHOB={_HEADERS}", *words, "modules"],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=environment, check=False)
    said = [line for line in done.stdout.splitlines()
            if line.strip() and not any(noise in line for noise in _NOISE)]
    if done.returncode or said:
        raise VmError(f"{to.name} does not build for {kernel.release}:\n" + "\n".join(said))


def build(name: str, kernel: Kernel, bridge: Path | None, build_directory: Path,
          progress: Progress) -> Path:
    """The module NAME.ko for a kernel.

    bridge: kho_bridge.ko, with the symbols of its build one above, which the client then uses
    even if the kernel has KHO; None: the kernel's own is used.
    """
    words = []
    if bridge is not None:
        words = [f"KBUILD_EXTRA_SYMBOLS={(bridge.parent.parent / 'Module.symvers').resolve()}"]
        if kernel.series in kho_kernels.SERIES:
            words.append("KHOB_COMPAT=y")
    kind = "clients" if bridge else "clients-native"
    to = (build_directory / kind / kernel.release / name).resolve()
    if name == _LUO:
        to = to / "luo"
    to.mkdir(parents=True, exist_ok=True)
    with open(to.parent / f".{name}.lock", "w", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        progress.step(f"building {name} for {kernel.release}")
        try:
            _copy_sources(name, to, progress)
            _make(kernel, to, words)
        finally:
            progress.done()
    return to / f"{name}.ko"
