# SPDX-License-Identifier: GPL-2.0-only
"""What came out of a fault: reported as what it is, no effect with all contents right, another
value where nobody has a digest, or a failure. Pure: from what the guest printed, and from a run
without a fault next to it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import Enum

from khobvm.faults import live, live_judge
from khobvm.faults.plan import Change
from khobvm.faults.seen import Said, Seen, Touched
from khobvm.faults.walk import Layout

# KiB by which free memory may differ between two runs: slab and page tables differ by some
# hundred. MemTotal may not differ at all.
DRIFT_KIB = 2048
_MARK = re.compile(r"@ ([a-z.]+) (\d{1,3})")
# What a damaged kexec-metadata leaves of what it says: it is not shown.
_NOT_SHOWN = {"in.previous_release": "", "in.kexec_count": "0"}
_REFUSED = 3
_KILLED = 126
# Whoever attaches has to find these first: without them nobody knows what was handed over.
_PATH = {"chain", "interval"}
# Nobody who attaches looks at these.
_CONTENTS = {"page", "blob", *live.PLACES}


class Outcome(Enum):
    """How a fault came out."""

    REFUSED = "refused"
    NAMED = "named"
    NO_EFFECT = "no effect"
    OTHER = "other value"
    FAILED = "failed"


@dataclass(frozen=True)
class Verdict:
    """An outcome, and why in one sentence."""

    outcome: Outcome
    why: str


def touched(layout: Layout, changes: Iterable[Change]) -> Touched:
    """What changed bytes belong to; what belongs to nothing is left out."""
    changes = list(changes)
    spans = [s for c in changes for s in layout.at(c.start, c.end)]
    return Touched(frozenset(s.place for s in spans),
                   frozenset(s.name for s in spans if s.place == "blob"),
                   frozenset(r.start for r in layout.records for c in changes
                             if r.start < c.end and c.start < r.end),
                   frozenset(s.name for s in spans if s.place == "contents"))


def parse(lines: Iterable[str]) -> dict[str, Said]:
    """What a guest printed, command by command."""
    found: dict[str, Said] = {}
    for line in lines:
        if mark := _MARK.fullmatch(line):
            found[mark[1]] = Said(int(mark[2]))
        elif found and line:
            found[next(reversed(found))].lines.append(line)
    return found


def _unwell(seen: Seen) -> str:
    """Why a guest did not live through it."""
    if seen.log:
        return f"kernel log: {seen.log[0]}"
    if "end" not in seen.said:
        return f"nothing came after '{seen.last}'; {seen.ended}"
    killed = [n for n, s in seen.said.items() if s.code >= _KILLED]
    return f"{killed[0]} ended with code {seen.code(killed[0])}" if killed else ""


def _kib(seen: Seen) -> tuple[int, int]:
    """MemTotal, and what is free."""
    numbers = re.findall(r"\d+", " ".join(seen.said["memory"].lines))
    return int(numbers[0]), int(numbers[1])


def _memory(reference: Seen, seen: Seen, may_stay: bool) -> str:
    """What is wrong with the memory at the end. may_stay: some may be reserved for good."""
    (total, free), (had, had_free) = _kib(seen), _kib(reference)
    if total > had:
        return f"{total - had} KiB more than was handed over were given to the allocator"
    if total < had and not may_stay:
        return f"{had - total} KiB did not come back"
    lost = had_free - free - (had - total)
    return f"{lost} KiB of free memory are lost" if lost > DRIFT_KIB else ""


def _afterwards(seen: Seen) -> str:
    """What must work in the end whatever the fault was."""
    for name in ("rmmod", "insmod", "load", "unload", "rmmod.last"):
        if seen.code(name) != 0:
            said = seen.said.get(name, Said(-1))
            return f"{name} ended with {said.code}: {said.words or ' '.join(said.lines[:2])}"
    return ""


def _uses(seen: Seen) -> list[str]:
    return [n for n in seen.said if n in ("verify", "restore") or n.startswith("get.")]


def _refused(seen: Seen, what: Touched) -> str:
    """What is wrong with how a handover was refused."""
    state = seen.values().get("in.state", "none")
    if not seen.said["attach"].words:
        return "attach failed without a word"
    if what.places <= _CONTENTS:
        return f"all was refused for a fault in its contents: {seen.said['attach'].words}"
    for name in _uses(seen):
        if seen.code(name) == 0 or not seen.said[name].words:
            return f"{name} after a refusal ended with {seen.code(name)}"
    if seen.code("again") == 0:
        return "what was refused, and then released, could be attached"
    if state != "refused":
        return "" if what.places & _PATH else f"attach failed, and the state is {state}"
    load = seen.said["load.refused"]
    if load.code != _REFUSED or not any("release all" in line for line in load.lines):
        return f"load after a refusal ended with {load.code}, not {_REFUSED} and what to do"
    if seen.code("release") != 0:
        return f"release after a refusal ended with {seen.code('release')}"
    return ""


def _problems(verify: Said) -> set[int]:
    """The addresses of what verify complains of."""
    text = "\n".join(verify.lines)
    start, end = text.find("{"), text.rfind("}")
    try:
        rows = json.loads(text[start:end + 1])["problems"]
        return {int(row["addr"]) for row in rows}
    except (ValueError, KeyError, TypeError):
        return set()


def _verified(reference: Seen, seen: Seen, what: Touched) -> str:
    """What is wrong with what verify said."""
    verify, named = seen.said["verify"], _problems(seen.said["verify"])
    if verify.code != 0 and not verify.words:
        return "verify failed without a word"
    if "records" in what.places:
        count = _count(seen)
        if verify.code == 0 and count != _count(reference):
            return f"verify is content with {count} of {_count(reference)} records"
        return ""
    if unseen := sorted(what.records - named):
        return f"verify does not name {unseen[0]:#x}, which is damaged"
    if wrong := sorted(named - what.records):
        return f"verify names {wrong[0]:#x}, which is sound"
    if (verify.code != 0) != bool(what.records):
        return f"verify ended with {verify.code}: {verify.words}"
    return ""


def _count(seen: Seen) -> int:
    found = re.search(r'"verified": (\d+)', " ".join(seen.said["verify"].lines))
    return int(found[1]) if found else -1


def _got(reference: Seen, seen: Seen, what: Touched) -> str:
    """What is wrong with what get said."""
    for name in (n for n in seen.said if n.startswith("get.")):
        one, right = seen.said[name], reference.said[name]
        if one.code == 0 and one.lines[-1:] != right.lines[-1:]:
            return f"{name} passed a wrong byte as right"
        if one.code != 0 and (name.removeprefix("get.") not in what.blobs
                              and "records" not in what.places or not one.words):
            return f"{name} ended with {one.code}: {one.words}"
    return ""


def _attached(reference: Seen, seen: Seen, what: Touched) -> str:
    """What is wrong with how a handover was used."""
    if seen.said["held"].lines != reference.said["held"].lines:
        return "attach holds other pages or blobs than were handed over"
    values = reference.values()
    hidden = _NOT_SHOWN.items() if "metadata" in what.places else ()
    for name, value in seen.values().items():
        if value != values.get(name) and (name, value) not in hidden:
            return f"{name} is {value}, not {values.get(name)}"
    if why := _verified(reference, seen, what) or _got(reference, seen, what):
        return why
    for name in ("restore", "release"):
        if seen.code(name) != 0:
            return f"{name} ended with {seen.code(name)}: {seen.said[name].words}"
    if seen.code("again") == 0 and reference.code("again") != 0:
        return "what was released could be attached again"
    return ""


def judge(reference: Seen, seen: Seen, what: Touched, native: bool) -> Verdict:
    """The verdict. native: the kernel's own KHO keeps what is refused."""
    if why := _unwell(seen):
        return Verdict(Outcome.FAILED, why)
    attached = seen.code("attach") == 0
    why = _attached(reference, seen, what) if attached else _refused(seen, what)
    may_stay = not attached and (native or bool(what.places & _PATH))
    why = why or live_judge.wrong(reference, seen, what, attached)
    why = why or _memory(reference, seen, may_stay) or _afterwards(seen)
    if why:
        return Verdict(Outcome.FAILED, why)
    if not attached:
        return Verdict(Outcome.REFUSED, seen.said["attach"].words)
    reports: Sequence[Said] = [seen.said[n] for n in _uses(seen) if seen.code(n)]
    if reports:
        return Verdict(Outcome.NAMED, reports[0].words)
    if why := live_judge.sentence(seen):
        return Verdict(Outcome.NAMED, why)
    if not live_judge.same(reference, seen):
        return Verdict(Outcome.OTHER, live_judge.unlike(reference, seen))
    return Verdict(Outcome.NO_EFFECT, "")
