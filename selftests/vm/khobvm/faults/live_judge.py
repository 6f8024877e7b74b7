# SPDX-License-Identifier: GPL-2.0-only
"""What has become of the Live Update state. Pure, as judge.py.

Of what is in a memfd, and of the lists that lead there, nobody has a digest: a fault there may give
another value that is as good as the first. But only there, and of the contents only in that memfd;
what is not believed is refused in a sentence.
"""

from __future__ import annotations

import re

from khobvm.faults.live import PLACES
from khobvm.faults.seen import Said, Seen, Touched

_CONTENTS = "contents"
# What tells of the sessions; the log how many live updates there were, too.
_TELLS = ("live.ls", "live.retrieve", "live.drop", "live.log")
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


def same(reference: Seen, seen: Seen) -> bool:
    """Whether sessions and memfds are what they were."""
    return all(_lines(reference, name) == _lines(seen, name) and
               reference.code(name) == seen.code(name) for name in _TELLS)


def right(seen: Seen) -> bool:
    """Whether all memfds have come and are sound, in a run without a fault."""
    lines = _lines(seen, "live.retrieve")
    return bool(lines) and all(line.startswith("ok ") for line in lines)


def _files(seen: Seen, kind: re.Pattern[str]) -> set[str]:
    return {found[1] for line in _lines(seen, "live.retrieve") if (found := kind.match(line))}


def _contents(reference: Seen, seen: Seen, what: Touched) -> str:
    """What is wrong where nothing but pages of memfds have changed."""
    if sentence(seen):
        return f"refused for a fault in a memfd's contents: {sentence(seen)}"
    if unlike := sorted(_files(seen, _DIFFERS) - what.memfds):
        return f"memfd {unlike[0]} differs, and was not touched"
    right = [line for line in _lines(reference, "live.retrieve")]
    for old, new in zip(right, _lines(seen, "live.retrieve"), strict=False):
        if old != new and not _DIFFERS.match(new):
            return f"a fault in a memfd's contents made of '{old}' '{new}'"
    return "" if len(right) == len(_lines(seen, "live.retrieve")) else "lines are missing"


def wrong(reference: Seen, seen: Seen, what: Touched, attached: bool) -> str:
    """What is wrong with what became of it; "" if nothing is."""
    if "live.insmod" not in seen.said:
        return ""
    for name in ("live.insmod", "live.rmmod"):
        if seen.code(name) != 0:
            return f"{name} ended with {seen.code(name)}: {' '.join(_lines(seen, name)[:2])}"
    if not attached:
        got = [line for line in _lines(seen, "live.retrieve") if not line.startswith("not ok")]
        return f"a memfd came out of what was refused: {got[0]}" if got else ""
    if same(reference, seen):
        return ""
    if not what.places & set(PLACES):
        return f"sessions or memfds are not what they were: {unlike(reference, seen)}"
    if what.places == {_CONTENTS}:
        return _contents(reference, seen, what)
    refused: list[Said] = [seen.said[n] for n in ("live.ls", "live.drop") if seen.code(n)]
    if any(not said.words for said in refused):
        return "khoctl session failed without a word"
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
