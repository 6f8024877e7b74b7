# SPDX-License-Identifier: GPL-2.0-only
"""The cache outside the checkout: finished directories that appear atomically.

$KHOB_CACHE, or ${XDG_CACHE_HOME:-~/.cache}/kho-bridge. An entry is built in a
temporary directory next to its place and renamed into it, so that whoever finds
an entry finds it whole; a lock file keeps two runs from building the same one.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import tempfile
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

from khobvm.errors import VmError


def cache_root() -> Path:
    """The cache directory; created when it is first written to."""
    own = os.environ.get("KHOB_CACHE")
    if own:
        return Path(own).absolute()
    xdg = os.environ.get("XDG_CACHE_HOME")
    base = Path(xdg) if xdg else Path.home() / ".cache"
    return base.absolute() / "kho-bridge"


@contextlib.contextmanager
def lock(path: Path) -> Iterator[None]:
    """Holds a lock file for as long as the block runs."""
    with open(path, "w", encoding="ascii") as stream:
        fcntl.flock(stream, fcntl.LOCK_EX)
        yield


def entry(kind: str, key: str, build: Callable[[Path], None]) -> Path:
    """The directory kind/key, made by build(empty directory) if it is not there yet."""
    parent = cache_root() / kind
    place = parent / key
    if place.is_dir():
        return place
    try:
        parent.mkdir(parents=True, exist_ok=True)
        with lock(parent / f".{key}.lock"):
            if place.is_dir():
                return place
            with tempfile.TemporaryDirectory(prefix=f".{key}.", dir=parent) as temp:
                work = Path(temp) / "entry"
                work.mkdir()
                build(work)
                work.rename(place)
    except OSError as error:
        raise VmError(f"cannot fill the cache {parent}: {error}",
                      "free some space, or set KHOB_CACHE to a writable directory") from error
    return place


def newest(kind: str, prefix: str) -> Path | None:
    """The entry of this kind whose key starts with prefix that was made last."""
    parent = cache_root() / kind
    if not parent.is_dir():
        return None
    found = [p for p in parent.iterdir() if p.is_dir() and p.name.startswith(prefix)]
    found.sort(key=lambda p: p.stat().st_ctime)
    return found[-1] if found else None


def recall(kind: str, name: str, state: str) -> Path | None:
    """The entry that remember() noted under this name, if the state is still the same."""
    try:
        known = json.loads((cache_root() / kind / f"{name}.json").read_text(encoding="utf-8"))
        place = cache_root() / kind / Path(known["entry"]).name
        return place if known["state"] == state and place.is_dir() else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def remember(kind: str, name: str, state: str, place: Path) -> None:
    """Notes which entry a name meant in a state, so that it need not be asked again."""
    note = cache_root() / kind / f"{name}.json"
    part = note.with_suffix(f".{os.getpid()}-{threading.get_ident()}.part")
    part.write_text(json.dumps({"state": state, "entry": place.name}), encoding="utf-8")
    part.replace(note)
