# SPDX-License-Identifier: GPL-2.0-only
"""Single files out of Debian packages: tools for the guest, checkpatch for `make lint`."""

from __future__ import annotations

import subprocess
import tarfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import IO

from khobvm import apt, cache
from khobvm.errors import VmError
from khobvm.progress import Progress

_SOURCE = "linux-source-6.12"
_SCRIPTS = ("checkpatch.pl", "spelling.txt", "const_structs.checkpatch")


def _closure(package: apt.Package) -> list[apt.Package]:
    """A package and the library packages below it, the C library's excepted."""
    found = {package.name: package}
    queue = [package]
    while queue:
        for other in apt.depended(queue.pop(), r"lib(?!c6|gcc).*"):
            if other.name not in found:
                found[other.name] = other
                queue.append(other)
    return list(found.values())


def _entry(kind: str, name: str, build: Callable[[apt.Package, Path], None]) -> Path:
    """The cache entry for apt's candidate; off line the one that is cached."""
    state = apt.state()
    known = cache.recall(kind, name, state)
    if known is not None:
        return known
    package = apt.show(name)
    if package is None:
        place = cache.newest(kind, f"{name}_")
        if place is None:
            raise VmError(f"apt does not know the package {name} and it is not cached",
                          apt.UPDATE_HINT)
        return place
    place = cache.entry(kind, package.key, partial(build, package))
    cache.remember(kind, name, state, place)
    return place


def tree(name: str, progress: Progress) -> Path:
    """The files of a package and of its libraries, unpacked into the cache."""
    def build(package: apt.Package, work: Path) -> None:
        for one in _closure(package):
            progress.line(f"fetching {one.name} {one.version}")
            deb = apt.fetch(one, work)
            apt.unpack(deb, work)
            deb.unlink()

    return _entry("packages", name, build)


def _save_scripts(stream: IO[bytes], work: Path) -> None:
    """Writes the wanted scripts of a kernel source tarball, read as a stream."""
    wanted = set(_SCRIPTS)
    with tarfile.open(fileobj=stream, mode="r|xz") as tar:
        for member in tar:
            parts = Path(member.name).parts
            if len(parts) < 3 or parts[-2:-1] != ("scripts",) or len(parts) != 3:
                continue
            if parts[2] in wanted:
                data = tar.extractfile(member)
                if data is None:
                    continue
                (work / parts[2]).write_bytes(data.read())
                wanted.discard(parts[2])
            if not wanted:
                return
    raise VmError(f"{_SOURCE} has no scripts/{', scripts/'.join(sorted(wanted))}")


def _read_source(deb: Path, work: Path) -> None:
    """Streams the tarball inside the tarball inside the package; nothing is unpacked."""
    with subprocess.Popen(["dpkg-deb", "--fsys-tarfile", str(deb)],
                          stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
        assert process.stdout is not None
        try:
            with tarfile.open(fileobj=process.stdout, mode="r|") as outer:
                for member in outer:
                    if not member.name.endswith(f"/{_SOURCE}.tar.xz"):
                        continue
                    inner = outer.extractfile(member)
                    if inner is not None:
                        _save_scripts(inner, work)
                        return
        finally:
            process.kill()
    raise VmError(f"{deb.name} holds no {_SOURCE}.tar.xz")


def checkpatch(progress: Progress) -> Path:
    """The path of checkpatch.pl, with the two lists that it reads next to it."""
    def build(package: apt.Package, work: Path) -> None:
        progress.line(f"fetching checkpatch.pl from {package.name} {package.version} "
                      f"({package.size / 2**20:.0f} MiB, once)")
        deb = apt.fetch(package, work)
        try:
            _read_source(deb, work)
        finally:
            deb.unlink()
        (work / _SCRIPTS[0]).chmod(0o755)

    return _entry("checkpatch", _SOURCE, build) / _SCRIPTS[0]
