# SPDX-License-Identifier: GPL-2.0-only
"""Disk images with programs of a Debian suite, unaltered, in the cache.

What is not Debian's is laid over its files: selftests/vm/image/base in every image, then further
layers, the last of which has the image's name, with unit files of ours and what the packages' own
scripts would have made when installed (/etc/passwd); and what `make install` puts on a machine
(packaging/). No package is installed and none of its scripts run; the file system is made without
mounting it.
"""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from khobvm import apt, cache, initramfs, inner, kernels, suite
from khobvm.errors import VmError
from khobvm.progress import Progress

_KIND = "disks"
_DEBS = "debs"
OVERLAYS = Path(__file__).resolve().parent.parent / "image"
ROOT = OVERLAYS.parents[2]
_TICK = initramfs.HELPERS / "khob-tick.c"
_SYSTEMD = ("systemd", "systemd-sysv", "mount")
# The scripts of ours are sh's.
_SHELL = ("dash", "coreutils", "sed", "grep")


@dataclass(frozen=True)
class Image:
    """What an image is made of: a suite's packages, the first being the one that it is for.

    layers: what is laid over them, below selftests/vm/image. installed: files of this tree, by
    where they are on a machine. guest: the series of a kernel that a guest in it has booted.
    """

    suite: str
    packages: tuple[str, ...]
    layers: tuple[str, ...]
    installed: tuple[tuple[str, str], ...] = ()
    guest: str = ""


_KEEP = (("usr/libexec/kho-bridge/kho-keep", "packaging/systemd/kho-keep"),
         ("etc/systemd/system/kho-bridge-keep.service",
          "packaging/systemd/kho-bridge-keep.service"))
IMAGES = {
    # What has a file descriptor store that outlives the kernel is in no release yet.
    "systemd": Image("forky", _SYSTEMD, ("base", "systemd")),
    "memcached": Image("trixie", ("memcached", *_SYSTEMD, *_SHELL), ("base", "keep", "memcached"),
                       _KEEP),
    "guest": Image("trixie", ("qemu-system-x86", "socat", *_SYSTEMD, *_SHELL),
                   ("base", "keep", "guest"),
                   (*_KEEP, ("usr/local/bin/kho-guest", "packaging/qemu/kho-guest")), "6.12"),
}
_IMAGE = "disk.img"
# What there was in base-files when there was more than /usr.
_MERGED = ("bin", "lib", "lib64", "sbin")
_DIRECTORIES = ("dev", "etc", "proc", "root", "run", "sys", "tmp", "usr", "keep",
                "var/lib", "var/log", "var/tmp")
_ROOM = 1.5
_MKE2FS = ("mke2fs", "-q", "-t", "ext4", "-m", "0", "-L", "khob", "-E", "root_owner=0:0")


def _overlay(name: str, progress: Progress) -> Iterator[tuple[str, bytes]]:
    """What there is besides packages: paths and contents, or where a link goes."""
    for layer in IMAGES[name].layers:
        root = OVERLAYS / layer
        for path in sorted(root.rglob("*")):
            if path.is_symlink():
                yield str(path.relative_to(root)), bytes(path.readlink())
            elif path.is_file():
                yield str(path.relative_to(root)), path.read_bytes()
    for target, source in IMAGES[name].installed:
        yield target, (ROOT / source).read_bytes()
    if series := IMAGES[name].guest:
        yield kernels.get(series, progress).release, b""
        for path in (_TICK, Path(inner.__file__)):
            yield path.name, path.read_bytes()


def _digest(name: str, progress: Progress) -> str:
    digest = hashlib.sha256(repr((_MKE2FS, _MERGED, _DIRECTORIES, _ROOM)).encode())
    for path, data in _overlay(name, progress):
        digest.update(f"{path} {len(data)}\n".encode() + data)
    return digest.hexdigest()


def _key(name: str, found: list[apt.Package], overlay: str) -> str:
    """Names the content of an image: what its packages hold and what is laid over them."""
    listed = "".join(f"{p.name} {p.version} {p.sha256}\n" for p in found)
    main = next(p for p in found if p.name == IMAGES[name].packages[0])
    version = main.version.replace(":", "%")
    return f"{name}_{version}_{hashlib.sha256((listed + overlay).encode()).hexdigest()[:16]}"


def _moved(deb: Path) -> Callable[[Path], None]:
    def fill(to: Path) -> None:
        deb.rename(to / deb.name)
    return fill


def fetched(found: list[apt.Package], archive: apt.Archive, work: Path) -> Iterator[Path]:
    """The packages themselves: images share them, and one that is laid over anew needs no network.
    """
    home = cache.cache_root() / _DEBS
    if missing := [p for p in found if not (home / p.key).is_dir()]:
        for deb in archive.fetch_all(missing, work):
            cache.entry(_DEBS, deb.stem, _moved(deb))
    for package in found:
        yield home / package.key / f"{package.key}.deb"


def _build(name: str, found: list[apt.Package], archive: apt.Archive, progress: Progress,
           work: Path) -> None:
    tree = work / "tree"
    for directory in _DIRECTORIES:
        (tree / directory).mkdir(parents=True)
    for link in _MERGED:
        (tree / "usr" / link).mkdir(parents=True)
        (tree / link).symlink_to(f"usr/{link}")
    size = sum(p.size for p in found) / 2**20
    progress.line(f"making the disk {name}: {len(found)} packages ({size:.0f} MiB, once)")
    for deb in fetched(found, archive, work):
        apt.unpack(deb, tree)
    for layer in IMAGES[name].layers:
        shutil.copytree(OVERLAYS / layer, tree, symlinks=True, dirs_exist_ok=True)
    for target, source in IMAGES[name].installed:
        (tree / target).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / source, tree / target)
    if series := IMAGES[name].guest:
        progress.step("booting the guest inside it")
        inner.boot(tree, kernels.get(series, progress).image,
                   initramfs.build_static(_TICK.stem, (_TICK,), work / "guest"))
        shutil.rmtree(work / "guest")
    room = _ROOM * sum(4096 + p.lstat().st_size for p in tree.rglob("*") if not p.is_dir())
    apt.run(*_MKE2FS, "-d", str(tree), str(work / _IMAGE), f"{int(room) >> 10}k",
            hint="install e2fsprogs, and have /usr/sbin in PATH")
    shutil.rmtree(tree)
    (work / "packages").write_text("".join(f"{p.name} {p.version}\n" for p in found),
                                   encoding="utf-8")


def get(name: str, progress: Progress) -> Path:
    """The image, with what the suite has now; off line the one that is cached."""
    archive = suite.get(IMAGES[name].suite, progress)
    overlay = _digest(name, progress)
    state = f"{archive.state()} {overlay}"
    place = cache.recall(_KIND, name, state)
    if place is None:
        try:
            found = archive.closure(IMAGES[name].packages)
        except VmError:
            place = cache.newest(_KIND, f"{name}_")
            if place is None:
                raise
            return place / _IMAGE
        place = cache.entry(_KIND, _key(name, found, overlay),
                            lambda work: _build(name, found, archive, progress, work))
        cache.remember(_KIND, name, state, place)
    return place / _IMAGE
