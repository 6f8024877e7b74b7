# SPDX-License-Identifier: GPL-2.0-only
"""A disk image with programs of a Debian suite, unaltered, in the cache.

What is not Debian's lies in selftests/vm/image/NAME and is laid over its files: unit files of
ours, and what the packages' own scripts would have made when installed (/etc/passwd). No package
is installed and none of its scripts run; the file system is made without mounting it.
"""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Iterator
from pathlib import Path

from khobvm import apt, cache, suite
from khobvm.errors import VmError
from khobvm.progress import Progress

_KIND = "disks"
_SUITE = "forky"
_OVERLAYS = Path(__file__).resolve().parent.parent / "image"
_PACKAGES = {"systemd": ("systemd", "systemd-sysv", "mount")}
_IMAGE = "disk.img"
# What there was in base-files when there was more than /usr.
_MERGED = ("bin", "lib", "lib64", "sbin")
_DIRECTORIES = ("dev", "etc", "proc", "root", "run", "sys", "tmp", "usr", "var")
_ROOM = 1.5
_MKE2FS = ("mke2fs", "-q", "-t", "ext4", "-m", "0", "-L", "khob", "-E", "root_owner=0:0")


def _overlay(name: str) -> Iterator[tuple[str, bytes]]:
    """What there is besides packages: paths and contents, or where a link goes."""
    root = _OVERLAYS / name
    for path in sorted(root.rglob("*")):
        if path.is_symlink():
            yield str(path.relative_to(root)), bytes(path.readlink())
        elif path.is_file():
            yield str(path.relative_to(root)), path.read_bytes()


def _digest(name: str) -> str:
    digest = hashlib.sha256(repr((_MKE2FS, _MERGED, _DIRECTORIES, _ROOM)).encode())
    for path, data in _overlay(name):
        digest.update(f"{path} {len(data)}\n".encode() + data)
    return digest.hexdigest()


def _key(name: str, found: list[apt.Package], overlay: str) -> str:
    """Names the content of an image: what its packages hold and what is laid over them."""
    listed = "".join(f"{p.name} {p.version} {p.sha256}\n" for p in found)
    main = next(p for p in found if p.name == _PACKAGES[name][0])
    return f"{name}_{main.version}_{hashlib.sha256((listed + overlay).encode()).hexdigest()[:16]}"


def _build(name: str, found: list[apt.Package], archive: apt.Archive, progress: Progress,
           work: Path) -> None:
    tree = work / "tree"
    for directory in _DIRECTORIES:
        (tree / directory).mkdir(parents=True)
    for link in _MERGED:
        (tree / "usr" / link).mkdir()
        (tree / link).symlink_to(f"usr/{link}")
    size = sum(p.size for p in found) / 2**20
    progress.line(f"fetching {name}: {len(found)} packages ({size:.0f} MiB, once)")
    for deb in archive.fetch_all(found, work):
        apt.unpack(deb, tree)
        deb.unlink()
    shutil.copytree(_OVERLAYS / name, tree, symlinks=True, dirs_exist_ok=True)
    room = _ROOM * sum(4096 + p.lstat().st_size for p in tree.rglob("*") if not p.is_dir())
    apt.run(*_MKE2FS, "-d", str(tree), str(work / _IMAGE), f"{int(room) >> 10}k",
            hint="install e2fsprogs, and have /usr/sbin in PATH")
    shutil.rmtree(tree)
    (work / "packages").write_text("".join(f"{p.name} {p.version}\n" for p in found),
                                   encoding="utf-8")


def get(name: str, progress: Progress) -> Path:
    """The image, with what the suite has now; off line the one that is cached."""
    archive = suite.get(_SUITE, progress)
    overlay = _digest(name)
    state = f"{archive.state()} {overlay}"
    place = cache.recall(_KIND, name, state)
    if place is None:
        try:
            found = archive.closure(_PACKAGES[name])
        except VmError:
            place = cache.newest(_KIND, f"{name}_")
            if place is None:
                raise
            return place / _IMAGE
        place = cache.entry(_KIND, _key(name, found, overlay),
                            lambda work: _build(name, found, archive, progress, work))
        cache.remember(_KIND, name, state, place)
    return place / _IMAGE
