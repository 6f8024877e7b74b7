# SPDX-License-Identifier: GPL-2.0-only
"""What has become of the Live Update state. Pure, as judge.py.

Of what is in a memfd, and of the lists that lead there, nobody has a digest: a fault there may give
another value that is as good as the first. But only there, and of the contents only in that memfd;
what is not believed is refused in a sentence.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from khobvm.faults.live import PLACES
from khobvm.faults.seen import Seen, Touched

_CONTENTS = "contents"
# What tells of the sessions; the log how many live updates there were, too.
_SESSIONS = ("live.ls", "live.retrieve", "live.drop", "live.log")
_KEPT = ("keep.ls", "keep.restore", "keep.found", "keep.drop")
_TELLS = (*_SESSIONS, *_KEPT)
# What khoctl says of kept files, which has a digest.
_RECORD = "kho-keep-"
_KEPT_FILE = "kept 0"
# What the kernel says as it refuses; nothing else of what it says of memfds is one.
_SENTENCES = re.compile(r"is refused: |is not taken over: |is of a kind that is not known here|"
                        r"has a file of a kind|two sessions are called ")
_REFUSED = re.compile(r"not ok (\d+) \S+: refused: ")
_DIFFERS = re.compile(r"not ok (\d+) \S+: \d+ of \d+ pages differ")


def _lines(seen: Seen, name: str) -> list[str]:
    return seen.said[name].lines if name in seen.said else []


def sentence(seen: Seen) -> str:
    """In which the kernel has refused all sessions, or a memfd; "" if it has not."""
    return next((line for line in _lines(seen, "live.log") if _SENTENCES.search(line)), "")


def same(reference: Seen, seen: Seen, names: Sequence[str] = _TELLS) -> bool:
    """Whether sessions, memfds and kept files are what they were."""
    return all(_lines(reference, name) == _lines(seen, name) and
               reference.code(name) == seen.code(name) for name in names)


def right(seen: Seen) -> bool:
    """Whether all memfds and files have come and are sound, in a run without a fault."""
    lines = _lines(seen, "live.retrieve")
    return (bool(lines) and all(line.startswith("ok ") for line in lines) and
            seen.code("keep.restore") == 0 and len(_lines(seen, "keep.found")) == 1)


def _files(seen: Seen, kind: re.Pattern[str]) -> set[str]:
    return {found[1] for line in _lines(seen, "live.retrieve") if (found := kind.match(line))}


def _contents(reference: Seen, seen: Seen, what: Touched) -> str:
    """What is wrong where nothing but pages of memfds have changed."""
    if sentence(seen):
        return f"refused for a fault in a memfd's contents: {sentence(seen)}"
    kept = ("keep.found",) if _KEPT_FILE in what.memfds else ()
    if not same(reference, seen, [name for name in _KEPT if name not in kept]):
        return f"kept files are not what they were: {unlike(reference, seen)}"
    if others := sorted(_files(seen, _DIFFERS) - what.memfds):
        return f"memfd {others[0]} differs, and was not touched"
    right = [line for line in _lines(reference, "live.retrieve")]
    for old, new in zip(right, _lines(seen, "live.retrieve"), strict=False):
        if old != new and not _DIFFERS.match(new):
            return f"a fault in a memfd's contents made of '{old}' '{new}'"
    return "" if len(right) == len(_lines(seen, "live.retrieve")) else "lines are missing"


def _unnamed(seen: Seen) -> str:
    """Which of khoctl's commands failed without a word."""
    silent = [name for name in ("live.ls", "live.drop", "keep.ls", "keep.restore", "keep.drop")
              if seen.code(name) and not seen.said[name].words]
    return f"{silent[0]} failed without a word" if silent else ""


def wrong(reference: Seen, seen: Seen, what: Touched, attached: bool) -> str:
    """What is wrong with what became of it; "" if nothing is."""
    if "live.insmod" not in seen.said:
        return ""
    for name in ("live.insmod", "live.rmmod"):
        if seen.code(name) != 0:
            return f"{name} ended with {seen.code(name)}: {' '.join(_lines(seen, name)[:2])}"
    if why := _unnamed(seen):
        return why
    if not attached:
        got = _lines(seen, "keep.found") + [line for line in _lines(seen, "live.retrieve")
                                            if not line.startswith("not ok")]
        return f"a memfd came out of what was refused: {got[0]}" if got else ""
    if same(reference, seen):
        return ""
    if not what.places & set(PLACES):
        record = any(name.startswith(_RECORD) for name in what.blobs)
        if record and same(reference, seen, _SESSIONS) and not _lines(seen, "keep.found"):
            return ""
        return f"sessions or memfds are not what they were: {unlike(reference, seen)}"
    if what.places == {_CONTENTS}:
        return _contents(reference, seen, what)
    refused = [n for n in ("live.ls", "live.drop", "keep.restore") if seen.code(n)]
    if (refused or _files(seen, _REFUSED)) and not sentence(seen):
        return f"refused without a sentence: {unlike(reference, seen)}"
    return ""


def unlike(reference: Seen, seen: Seen) -> str:
    """The first line that is another one."""
    for name in _TELLS:
        old = set(_lines(reference, name))
        for line in _lines(seen, name):
            if line not in old:
                return f"{name}: {line}"
    return "lines are missing"
