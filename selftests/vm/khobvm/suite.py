# SPDX-License-Identifier: GPL-2.0-only
"""A suite of the Debian archive that the machine's own sources do not have.

A private apt configuration in the cache: package lists of its own, one source. Where
the archive is and which key signs it is asked of the machine's apt; its configuration,
lists and installed packages are left alone.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from pathlib import Path

from khobvm import apt, cache
from khobvm.errors import VmError
from khobvm.progress import Progress

_KIND = "apt"
_REFRESH_SECONDS = 24 * 60 * 60
_KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
_FIELDS = "$(IDENTIFIER)|$(ORIGIN)|$(CODENAME)|$(REPO_URI)|$(SOURCESENTRY)"
_SIGNED = re.compile(r"(?im)^signed-by:\s*(/\S+)\s*$|\bsigned-by=(/[^\s\]]+)")


def main_archive(targets: str) -> tuple[str, Path]:
    """Debian's main archive among apt's index targets: its URI, and the file that names it.

    Security and updates have a suffix in their codename, "bookworm-updates"; a CD-ROM
    holds one suite only.
    """
    for line in targets.splitlines():
        kind, origin, codename, uri, entry = line.split("|", 4)
        if (kind, origin) == ("Packages", "Debian") and codename.isalpha() \
                and not uri.startswith("cdrom:"):
            return uri, Path(entry.rpartition(":")[0])
    raise VmError("apt's sources do not have Debian's main archive", apt.UPDATE_HINT)


def _entries(text: str) -> Iterator[str]:
    """The entries of a sources file: paragraphs in deb822 style, else lines."""
    deb822 = re.search(r"(?im)^types:", text) is not None
    yield from re.split(r"\n\s*\n", text) if deb822 else text.splitlines()


def keyring(uri: str, sources: Path) -> Path:
    """The keyring that the machine checks this archive with; else Debian's."""
    found = [_KEYRING]
    try:
        for entry in _entries(sources.read_text(encoding="utf-8")):
            signed = _SIGNED.search(entry)
            # URIs may be written with or without the last slash.
            if signed and re.search(re.escape(uri.rstrip("/")) + r"/?(\s|$)", entry):
                found.insert(0, Path(signed[1] or signed[2]))
    except OSError:
        pass  # An entry that apt made up itself: Debian's keyring will do.
    for path in found:
        if path.is_file():
            return path
    raise VmError(f"{found[0]} is missing: the archive's signatures cannot be checked",
                  "install debian-archive-keyring")


def _source(suite: str) -> str:
    """The line for sources.list."""
    uri, sources = main_archive(apt.run("apt-get", "indextargets", "--format", _FIELDS))
    return f"deb [arch=amd64 signed-by={keyring(uri, sources)}] {uri} {suite} main\n"


def _options(home: Path) -> tuple[str, ...]:
    settings = {
        "Dir::Etc::sourcelist": home / "sources.list", "Dir::Etc::sourceparts": "/nonexistent",
        "Dir::Etc::preferences": "/nonexistent", "Dir::Etc::preferencesparts": "/nonexistent",
        "Dir::State::lists": home / "lists", "Dir::Cache": home / "cache",
        # What is installed here says nothing about the suite.
        "Dir::State::status": home / "status", "Acquire::Languages": "none",
    }
    return tuple(word for name, value in settings.items() for word in ("-o", f"{name}={value}"))


def _refresh(suite: str, home: Path, archive: apt.Archive, progress: Progress) -> None:
    """Fetches the package lists when there are none, or when they are a day old."""
    stamp = home / "refreshed"
    if stamp.exists() and time.time() - stamp.stat().st_mtime < _REFRESH_SECONDS:
        return
    progress.step(f"fetching the package lists of {suite}")
    try:
        (home / "sources.list").write_text(_source(suite), encoding="utf-8")
        archive.update()
    except VmError as error:
        progress.line(f"{suite}: {error.problem}; using what is cached")
        return
    finally:
        progress.done()
    stamp.touch()


def get(suite: str, progress: Progress) -> apt.Archive:
    """apt's view of a suite; off line, what it knew when it was refreshed last."""
    home = cache.cache_root() / _KIND / suite
    archive = apt.Archive(_options(home), (home / "lists", home / "sources.list"),
                          f"check that the machine's Debian archive has {suite}, and the "
                          "network; then run this again")
    try:
        for name in ("lists/partial", "cache/archives/partial"):
            (home / name).mkdir(parents=True, exist_ok=True)
        (home / "status").touch()
        with cache.lock(home / ".lock"):
            _refresh(suite, home, archive, progress)
    except OSError as error:
        raise VmError(f"cannot write {home}: {error}",
                      "set KHOB_CACHE to a writable directory") from error
    return archive
