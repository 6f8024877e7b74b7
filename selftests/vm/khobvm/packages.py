# SPDX-License-Identifier: GPL-2.0-only
"""Cache entries made from one Debian package: here the programs for the guest."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

from khobvm import apt, cache
from khobvm.errors import VmError
from khobvm.progress import Progress


def _closure(package: apt.Package) -> list[apt.Package]:
    """A package and the library packages below it, the C library's excepted."""
    found = {package.name: package}
    queue = [package]
    while queue:
        for other in apt.MACHINE.depended(queue.pop(), r"lib(?!c6|gcc).*"):
            if other.name not in found:
                found[other.name] = other
                queue.append(other)
    return list(found.values())


def entry(kind: str, name: str, build: Callable[[apt.Package, Path], None],
          archive: apt.Archive = apt.MACHINE) -> Path:
    """The cache entry for apt's candidate; off line the one that is cached."""
    state = archive.state()
    known = cache.recall(kind, name, state)
    if known is not None:
        return known
    package = archive.show(name)
    if package is None:
        place = cache.newest(kind, f"{name}_")
        if place is None:
            raise VmError(f"apt does not know the package {name} and it is not cached",
                          archive.hint)
        return place
    place = cache.entry(kind, package.key, partial(build, package))
    cache.remember(kind, name, state, place)
    return place


def tree(name: str, progress: Progress) -> Path:
    """The files of a package and of its libraries, unpacked into the cache."""
    def build(package: apt.Package, work: Path) -> None:
        for one in _closure(package):
            progress.line(f"fetching {one.name} {one.version}")
            deb = apt.MACHINE.fetch(one, work)
            apt.unpack(deb, work)
            deb.unlink()

    return entry("packages", name, build)
