# SPDX-License-Identifier: GPL-2.0-only
"""Puts a case's initramfs together: init, busybox, khoctl, modules, kernels, the plans."""

from __future__ import annotations

import fcntl
import lzma
import re
import subprocess
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from khobvm import clients, luotests, older, packages, plan
from khobvm.case import Case, Module
from khobvm.cpio import Archive
from khobvm.errors import VmError
from khobvm.kernels import Kernel
from khobvm.progress import Progress

_HERE = Path(__file__).resolve().parent.parent
INIT_SOURCES = _HERE / "init"
# Programs of our own that a case may ask for: a directory's files are one each.
HELPERS = _HERE / "guest"
ROOT = _HERE.parents[1]
# What `make install` puts in place for a machine's own boot.
_PACKAGING = ROOT / "packaging"
_INSTALLED = {"tmpfiles.d/kho-bridge.conf": ("usr/lib/tmpfiles.d/kho-bridge.conf", 0o644),
              **{f"initramfs-tools/{name}": (name, 0o755) for name in (
                  "scripts/init-top/kho-bridge", "scripts/init-premount/kho-bridge")}}
BUSYBOX = Path("/bin/busybox")
# The status port's driver with its bus, where the kernel has them as modules.
_DRIVERS = ("virtio_pci", "virtio_console")
_LIBRARY_DIRECTORIES = ("usr/lib/x86_64-linux-gnu", "lib/x86_64-linux-gnu", "usr/lib", "lib")

# Packs what the root file system holds, not what is mounted over it: a bind mount of "/"
# shows that, /dev/console of the first initramfs included.
_REPACK = """#!/bin/sh
# Packs the running root file system as an initramfs: khob-repack FILE
set -e
mkdir -p /run/rootfs
mount --bind / /run/rootfs
cd /run/rootfs
find . -xdev ! -path './root/*' | cpio -o -H newc -F "$1.part" 2>/run/cpio.log || {
    cat /run/cpio.log
    exit 1
}
cd /
umount /run/rootfs
mv "$1.part" "$1"
"""


@dataclass(frozen=True)
class Artefacts:
    """What the build made. module and test_module hold "{release}"."""

    khoctl: Path
    module: str
    test_module: str
    build: Path
    libkho: Path = Path("build/libkho")

    def module_for(self, kind: Module, release: str) -> Path:
        """Where the module of a kernel is."""
        pattern = self.test_module if kind is Module.TEST else self.module
        return Path(pattern.replace("{release}", release))


def _read(path: Path, what: str) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise VmError(f"{what}: {path}: {error.strerror}", "run `make` first") from error


def _output(*command: str) -> str:
    try:
        done = subprocess.run(command, text=True, capture_output=True, check=False)
    except FileNotFoundError as error:
        raise VmError(f"{command[0]} is missing", "run `make` first: it installs it") from error
    if done.returncode != 0:
        raise VmError(f"`{' '.join(command)}` failed:\n{done.stderr.strip()}")
    return done.stdout


def build_static(name: str, sources: Iterable[Path], build: Path) -> Path:
    """Compiles a static program unless it is newer than its sources."""
    files = sorted(sources)
    target = build / name
    newest = max(p.stat().st_mtime for p in files)
    build.mkdir(parents=True, exist_ok=True)
    with open(build / f".{name}.lock", "w", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not target.exists() or target.stat().st_mtime < newest:
            part = build / f"{name}.part"
            _output("gcc", "-std=c17", "-static", "-O2", "-Wall", "-Wextra", "-Werror",
                    "-D_GNU_SOURCE", "-o", str(part), *(str(s) for s in files if s.suffix == ".c"))
            part.replace(target)
    return target


def build_init(build: Path) -> Path:
    """Compiles PID 1."""
    return build_static("init", INIT_SOURCES.iterdir(), build)


def _is_static(data: bytes) -> bool:
    """True for an ELF file without a program interpreter (PT_INTERP is type 3)."""
    if data[:4] != b"\x7fELF" or len(data) < 64:
        return False
    offset = int.from_bytes(data[32:40], "little")
    size = int.from_bytes(data[54:56], "little")
    count = int.from_bytes(data[56:58], "little")
    types = (data[offset + i * size:offset + i * size + 4] for i in range(count))
    return b"\x03\0\0\0" not in types


def _add_busybox(archive: Archive) -> None:
    data = _read(BUSYBOX, "busybox")
    if not _is_static(data):
        raise VmError(f"{BUSYBOX} is not a static program", "install busybox-static")
    archive.file("bin/busybox", data, 0o755)
    for applet in _output(str(BUSYBOX), "--list").split():
        if applet not in ("busybox", "init", "linuxrc"):
            archive.symlink(f"bin/{applet}", "busybox")


def _module_file(kernel: Kernel, name: str) -> Path | None:
    """A module of the kernel's own; names may have '-' or '_'."""
    wanted = re.compile(re.escape(name).replace("_", "[-_]").replace(r"\-", "[-_]")
                        + r"\.ko(\.xz)?")
    for path in sorted((kernel.modules / "kernel").rglob("*.ko*")):
        if wanted.fullmatch(path.name):
            return path
    return None


def _module_data(path: Path) -> bytes:
    data = path.read_bytes()
    return lzma.decompress(data) if path.suffix == ".xz" else data


def _driver_modules(kernel: Kernel, names: tuple[str, ...]) -> dict[str, bytes]:
    """Modules by file name in load order; what is built in is left out."""
    found: dict[str, bytes] = {}

    def add(name: str) -> None:
        path = _module_file(kernel, name)
        if path is None or path.name.removesuffix(".xz") in found:
            return
        data = _module_data(path)
        depends = re.search(rb"\0depends=([\w,-]*)\0", data)
        for other in depends[1].decode().split(",") if depends else ():
            if other:
                add(other)
        found[path.name.removesuffix(".xz")] = data

    for name in names:
        add(name)
    return found


def _add_kernel(archive: Archive, kernel: Kernel) -> None:
    """The image as /boot/vmlinuz-RELEASE, and as /boot/vmlinuz-SERIES for the cases."""
    archive.file(f"boot/vmlinuz-{kernel.release}", _read(kernel.image, "kernel"))
    archive.symlink(f"boot/vmlinuz-{kernel.series}", f"vmlinuz-{kernel.release}")


def _missing(name: str, text: str) -> list[str]:
    return [line.split()[0] for line in text.splitlines() if line.endswith("not found")] \
        if text else [name]


def _libraries(program: Path, root: Path) -> list[Path]:
    """The shared libraries that a program needs, its package's and the host's."""
    search = ":".join(str(root / d) for d in _LIBRARY_DIRECTORIES)
    text = _output("env", f"LD_LIBRARY_PATH={search}", "ldd", str(program))
    if lost := _missing(program.name, text):
        raise VmError(f"{program.name} needs {', '.join(lost)}, which no package provides")
    return [Path(found) for found in re.findall(r"(/\S+) \(0x", text)]


def _add_program(archive: Archive, spec: str, progress: Progress) -> None:
    """Adds "package:path" with its libraries, each where the program's loader looks."""
    package, _, path = spec.partition(":")
    root = packages.tree(package, progress)
    program = root / path.lstrip("/")
    archive.file(f"bin/{program.name}", _read(program, package), 0o755)
    for library in _libraries(program, root):
        # The interpreter's path is absolute in the program; the rest is found by name.
        inside = library.is_relative_to(root)
        name = f"lib/{library.name}" if inside or "ld-linux" not in library.name \
            else str(library)
        if name not in archive:
            archive.file(name, _read(library, package), 0o755)


def _add_bridge(archive: Archive, case: Case, kernels: Mapping[str, Kernel],
                artefacts: Artefacts, progress: Progress) -> None:
    """khoctl, what belongs to a boot, and the module for every kernel that has a part."""
    archive.file("bin/khoctl", _read(artefacts.khoctl, "khoctl"), 0o755)
    for source, (target, mode) in _INSTALLED.items():
        archive.file(target, _read(_PACKAGING / source, "packaging"), mode)
    for series in case.series():
        release = kernels[series].release
        module = artefacts.module_for(case.module, release)
        archive.file(f"lib/modules/{release}/extra/kho_bridge.ko", _read(module, "module"))
        if case.luo:
            # The same build has made it, in the folder beside: over the kernel's own KHO if it
            # has one.
            luo = module.parent.parent / "luo" / "kho_luo.ko"
            if case.luo_over_bridge:
                luo = clients.build("kho_luo", kernels[series], module, artefacts.build, progress)
            archive.file(f"lib/modules/{release}/extra/kho_luo.ko", _read(luo, "module"))
        if case.older:
            module = older.build(case.older, kernels[series], artefacts.build, progress)
            archive.file(f"lib/modules/{release}/older/kho_bridge.ko", module.read_bytes())
            archive.file("bin/khoctl-older", older.khoctl(case.older, progress).read_bytes(),
                         0o755)


def _add_clients(archive: Archive, case: Case, kernels: Mapping[str, Kernel],
                 artefacts: Artefacts, progress: Progress) -> None:
    """The clients for every kernel that has a part, built if need be."""
    for series in case.series():
        kernel = kernels[series]
        bridge = None if case.module is Module.NONE or series in case.native_clients \
            else artefacts.module_for(case.module, kernel.release)
        for name in case.clients:
            client = clients.build(name, kernel, bridge, artefacts.build, progress)
            archive.file(f"lib/modules/{kernel.release}/extra/{name}.ko", client.read_bytes())
            if series in case.own_kho_clients:
                client = clients.build(name, kernel, None, artefacts.build, progress)
                archive.file(f"lib/modules/{kernel.release}/extra/native/{name}.ko",
                             client.read_bytes())


def write(case: Case, kernels: Mapping[str, Kernel], artefacts: Artefacts,
          stream: BinaryIO, progress: Progress) -> int:
    """Writes a case's initramfs; returns its size in bytes."""
    archive = Archive()
    for name in ("proc", "sys", "dev", "run", "tmp", "root"):
        archive.directory(name)
    # The kernel opens it for PID 1 before anything is mounted.
    archive.character_device("dev/console", 5, 1)
    archive.file("init", _read(build_init(artefacts.build), "init"), 0o755)
    archive.file("bin/khob-repack", _REPACK.encode(), 0o755)
    _add_busybox(archive)
    listed = []
    for series in case.series():
        kernel = kernels[series]
        for name, data in _driver_modules(kernel, (*_DRIVERS, *case.drivers)).items():
            path = f"lib/modules/{kernel.release}/khob/{name}"
            archive.file(path, data)
            listed.append(f"{kernel.release} /{path}\n")
    archive.file("etc/khob/modules", "".join(listed).encode())
    for series in case.images():
        _add_kernel(archive, kernels[series])
    for number, generation in enumerate(case.generations, 1):
        archive.file(f"etc/khob/steps.{number}", plan.encode(generation).encode())
    for name in case.helpers:
        program = build_static(name, (HELPERS / f"{name}.c", *HELPERS.glob("*.h")), artefacts.build)
        archive.file(f"bin/{name}", _read(program, name), 0o755)
    for name in case.scripts:
        archive.file(f"bin/{Path(name).name}", (ROOT / name).read_bytes(), 0o755)
    for name in case.examples:
        data = _read(artefacts.libkho / name, name)
        if not _is_static(data):
            raise VmError(f"{name} is not a static program", "see libkho/CMakeLists.txt")
        archive.file(f"bin/{name}", data, 0o755)
    for name in case.upstream:
        program = luotests.build(name, artefacts.build, progress)
        archive.file(f"bin/{name}", _read(program, name), 0o755)
    for spec in case.programs:
        _add_program(archive, spec, progress)
    if case.module is not Module.NONE:
        _add_bridge(archive, case, kernels, artefacts, progress)
    _add_clients(archive, case, kernels, artefacts, progress)
    return archive.write(stream)
