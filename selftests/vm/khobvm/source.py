# SPDX-License-Identifier: GPL-2.0-only
"""Kernel sources out of Debian's linux-source packages: a few files, or a tree to build."""

from __future__ import annotations

import contextlib
import os
import re
import subprocess
import tarfile
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path, PurePosixPath

from khobvm import apt, cache, packages, suite
from khobvm.errors import VmError
from khobvm.progress import Progress

# Where the series that have KHO are; 6.12 is in the machine's own sources.
_SUITE = "trixie-backports"
_KIND = "sources"
# The kind changes when what is kept does, so that older trees are not reused.
_LIVEUPDATE_KIND = "liveupdate"
_LIVEUPDATE = "tools/testing/selftests/liveupdate/"
_LIVEUPDATE_FILES = ("include/uapi/linux/liveupdate.h", "tools/testing/selftests/kselftest.h",
                     "tools/testing/selftests/kselftest_harness.h")
_HEADERS_KIND = "headers-3"
_HEADERS = ("include/", "arch/x86/include/", "scripts/dtc/libfdt/", "kernel/liveupdate/")
_HEADER_FILES = ("Makefile", "lib/test_kho.c")
# Two thirds of the files, of which no kernel for a test VM is built: to write them and to
# remove them takes minutes on some disks. What kbuild reads in there is kept.
_UNUSED = re.compile(r"(Documentation|samples|sound)/|arch/(?!x86/)[^/]+/"
                     r"|drivers/(clk|gpu|iio|infiniband|media|net|scsi|staging|usb)/"
                     r"|tools/(perf|testing)/")
_KBUILD = ("Kconfig", "Makefile", "Kbuild")
_SCRIPTS_SOURCE = "linux-source-6.12"
_SCRIPTS = ("scripts/checkpatch.pl", "scripts/spelling.txt", "scripts/const_structs.checkpatch")


@contextlib.contextmanager
def _tarball(deb: Path, name: str) -> Iterator[tarfile.TarFile]:
    """The tarball NAME.tar.xz inside a package, read as a stream: nothing is unpacked."""
    with subprocess.Popen(["dpkg-deb", "--fsys-tarfile", str(deb)], stdout=subprocess.PIPE,
                          stderr=subprocess.DEVNULL, start_new_session=True) as process:
        assert process.stdout is not None
        try:
            with tarfile.open(fileobj=process.stdout, mode="r|") as outer:
                for member in outer:
                    inner = outer.extractfile(member) \
                        if member.name.endswith(f"/{name}.tar.xz") else None
                    if inner is not None:
                        with tarfile.open(fileobj=inner, mode="r|xz") as tar:
                            yield tar
                        return
        except (tarfile.TarError, EOFError) as error:
            raise VmError(f"{deb.name} cannot be read: {error}", "run this again") from error
        finally:
            process.kill()
    raise VmError(f"{deb.name} holds no {name}.tar.xz", "the package has changed: report it")


def _place(name: str, work: Path) -> Path | None:
    """Where a member goes, its first component cut off; None when that is outside."""
    parts = PurePosixPath(name).parts[1:]
    return work.joinpath(*parts) if parts and ".." not in parts else None


def _write(tar: tarfile.TarFile, member: tarfile.TarInfo, work: Path) -> None:
    """Writes a file or a relative symbolic link of a source tree."""
    place = _place(member.name, work)
    if place is None:
        return
    place.parent.mkdir(parents=True, exist_ok=True)
    if member.issym() and not member.linkname.startswith("/"):
        place.symlink_to(member.linkname)
    elif member.isfile():
        data = tar.extractfile(member)
        assert data is not None
        place.write_bytes(data.read())
        place.chmod(0o755 if member.mode & 0o100 else 0o644)
        # make decides by time what is newer.
        os.utime(place, (member.mtime, member.mtime))


def extract(deb: Path, name: str, work: Path, wanted: Callable[[str], bool]) -> int:
    """Writes what is wanted of a source tarball, by path below its top; returns how many."""
    count = 0
    with _tarball(deb, name) as tar:
        for member in tar:
            path = member.name.partition("/")[2]
            if path and not member.isdir() and wanted(path):
                _write(tar, member, work)
                count += 1
    return count


def _fetch(debian: apt.Archive, package: apt.Package, work: Path, progress: Progress) -> Path:
    what = f"fetching {package.name} {package.version} ({package.size / 2**20:.0f} MiB, once)"
    progress.step(what)
    if not progress.live:
        progress.line(what)
    return debian.fetch(package, work)


def _entry(kind: str, name: str, wanted: Callable[[str], bool], debian: apt.Archive,
           progress: Progress) -> Path:
    """The cached files of a linux-source package that are wanted."""
    def build(package: apt.Package, work: Path) -> None:
        deb = _fetch(debian, package, work, progress)
        progress.step(f"reading {package.name}")
        extract(deb, name, work, wanted)
        deb.unlink()
        progress.done()

    return packages.entry(kind, name, build, debian)


def _require(root: Path, files: tuple[str, ...], name: str) -> None:
    missing = [file for file in files if not (root / file).exists()]
    if missing:
        raise VmError(f"{name} has no {', '.join(missing)}", f"remove {root} and run this again")


def checkpatch(progress: Progress) -> Path:
    """The path of checkpatch.pl, with the two lists that it reads next to it."""
    root = _entry("scripts", _SCRIPTS_SOURCE, _SCRIPTS.__contains__, apt.MACHINE, progress)
    _require(root, _SCRIPTS, _SCRIPTS_SOURCE)
    return root / _SCRIPTS[0]


def is_header(path: str) -> bool:
    """Whether the headers tree holds a file, named by its path below the tree."""
    return path.startswith(_HEADERS) or path in _HEADER_FILES \
        or (path.startswith("lib/") and path.count("/") == 1 and path.endswith(".h"))


def archive(progress: Progress) -> apt.Archive:
    """Where the source packages of kernels with KHO are."""
    return suite.get(_SUITE, progress)


def headers(version: str, progress: Progress) -> Path:
    """A tree of linux-source-VERSION with its headers, libfdt and KHO's own C files only."""
    name = f"linux-source-{version}"
    root = _entry(_HEADERS_KIND, name, is_header, archive(progress), progress)
    _require(root, ("Makefile", "include/linux", "arch/x86/include/asm"), name)
    return root


def liveupdate(version: str, progress: Progress) -> Path:
    """A tree of linux-source-VERSION with its tests of the Live Update Orchestrator only."""
    def wanted(path: str) -> bool:
        return path.startswith(_LIVEUPDATE) or path in _LIVEUPDATE_FILES

    name = f"linux-source-{version}"
    root = _entry(_LIVEUPDATE_KIND, name, wanted, archive(progress), progress)
    _require(root, (_LIVEUPDATE + "liveupdate.c", *_LIVEUPDATE_FILES), name)
    return root


def is_built(path: str) -> bool:
    """Whether a tree to build a kernel in holds a file."""
    return not _UNUSED.match(path) or path.rpartition("/")[2].startswith(_KBUILD)


def _unpack(debian: apt.Archive, found: apt.Package, work: Path, progress: Progress) -> Path:
    tree = work / "tree"
    deb = _fetch(debian, found, work, progress)
    progress.step(f"unpacking {found.name}")
    try:
        extract(deb, found.name, tree, is_built)
        deb.unlink()
    except OSError as error:
        raise VmError(f"cannot unpack {found.name}: {error}",
                      "free some space, or set KHOB_CACHE to a writable directory") from error
    finally:
        progress.done()
    return tree


@contextlib.contextmanager
def full(debian: apt.Archive, found: apt.Package, progress: Progress) -> Iterator[Path]:
    """The tree of a linux-source package to build in, for as long as the block runs."""
    parent = cache.cache_root() / _KIND
    parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{found.key}.", dir=parent) as temp:
        yield _unpack(debian, found, Path(temp), progress)
