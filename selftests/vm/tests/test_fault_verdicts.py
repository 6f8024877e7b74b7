# SPDX-License-Identifier: GPL-2.0-only
"""`make faults`: what is told apart in what a guest printed."""

from __future__ import annotations

import json
import unittest

from khobvm.faults import live_judge
from khobvm.faults.judge import Outcome, Verdict, judge, parse, touched
from khobvm.faults.plan import Change
from khobvm.faults.seen import Seen, Touched
from khobvm.faults.walk import Layout, Record, Span

_GOOD: dict[str, tuple[int, list[str]]] = {
    "attach": (0, ["{}"]),
    "status": (0, ["version: 1", "in.state: attached", "in.reason: ", "in.pages: 10",
                   "in.attach_us: 5"]),
    "held": (0, ["12ab  -", "file"]),
    "verify": (0, ['{"verified": 3, "problems": []}']),
    "get.file": (0, ["55  -"]),
    "live.insmod": (0, []), "live.ls": (0, ['[{"name": "s"}]']),
    "live.retrieve": (0, ["ok 7 a: size 9", "ok 7 a: 0 of 3 pages differ",
                          "ok 8 b: 0 of 1 pages differ", "ok finish"]),
    "live.drop": (0, ['{"dropped": []}']), "live.log": (0, ["live update 2: 1 sessions"]),
    "keep.ls": (0, ['"waiting_files": 1']), "keep.restore": (0, ['"files": 1']),
    "keep.found": (0, ["77  ./file"]), "keep.drop": (0, ['"dropped_files": 0']),
    "live.rmmod": (0, []),
    "restore": (0, []), "release": (0, []),
    "again": (5, ["khoctl: the handover is damaged: not reserved"]),
    "rmmod": (0, []), "insmod": (0, []), "load": (0, []), "unload": (0, []),
    "rmmod.last": (0, []),
    "memory": (0, ["total 500000 free 400000"]),
    "end": (0, []),
}
_WORDS = ["khoctl: the handover is damaged: tree: ..."]
_REFUSED: dict[str, tuple[int, list[str]]] = {
    **_GOOD, "attach": (5, _WORDS),
    "status": (0, ["in.state: refused", "in.reason: tree: ..."]), "held": (0, []),
    "verify": (5, _WORDS), "get.file": (5, _WORDS), "restore": (5, _WORDS),
    "live.ls": (0, ["[]"]), "live.retrieve": (1, ["not ok a session: No such file"]),
    "keep.ls": (0, ['"waiting_files": 0']), "keep.restore": (0, ['"files": 0']),
    "keep.found": (0, []),
    "load.refused": (3, ["khoctl: refused", "hint: khoctl release all"])}
_LEAF = Touched(frozenset({"leaf"}))
_PAGE = Touched(frozenset({"page"}), records=frozenset({0x1000}))
_BLOB = Touched(frozenset({"blob"}), frozenset({"file"}), frozenset({0x5000}))


def _lines(said: dict[str, tuple[int, list[str]]]) -> list[str]:
    return [line for name, (code, lines) in said.items() for line in (f"@ {name} {code}", *lines)]


def _seen(said: dict[str, tuple[int, list[str]]], **changes: tuple[int, list[str]]) -> Seen:
    named = {name.replace("__", "."): value for name, value in changes.items()}
    return Seen(parse(_lines({**said, **named})), "the VM ended")


def _complaint(*addresses: int) -> tuple[int, list[str]]:
    rows = [{"addr": a, "why": "xxh64"} for a in addresses]
    return 5, [*json.dumps({"verified": 3, "problems": rows}, indent=1).split("\n"),
               "khoctl: of 3 records 1 are corrupt and 0 lost"]


class Judged(unittest.TestCase):
    """Verdicts."""

    def judge(self, seen: Seen, what: Touched, native: bool = False) -> Verdict:
        """Next to a run without a fault."""
        return judge(_seen(_GOOD), seen, what, native)

    def good(self, seen: Seen, what: Touched, outcome: Outcome) -> None:
        """It comes out as it should."""
        found = self.judge(seen, what)
        self.assertIs(found.outcome, outcome, found.why)

    def bad(self, seen: Seen, what: Touched, why: str) -> None:
        """It is a failure, and says why."""
        found = self.judge(seen, what)
        self.assertIs(found.outcome, Outcome.FAILED)
        self.assertIn(why, found.why)


class VerdictTest(Judged):
    """Every rule, from both of its sides."""

    def test_no_effect(self) -> None:
        """Nothing changed, and times do not count."""
        self.good(_seen(_GOOD), _LEAF, Outcome.NO_EFFECT)
        lines = [*_GOOD["status"][1][:-1], "in.attach_us: 77"]
        self.good(_seen(_GOOD, status=(0, lines)), _LEAF, Outcome.NO_EFFECT)

    def test_named(self) -> None:
        """Contents that changed are named by verify, and get refuses a blob."""
        self.good(_seen(_GOOD, verify=_complaint(0x1000)), _PAGE, Outcome.NAMED)
        self.good(_seen(_GOOD, verify=_complaint(0x5000), get__file=(5, _WORDS)), _BLOB,
                  Outcome.NAMED)

    def test_wrong_bytes(self) -> None:
        """What changed and is passed as right."""
        self.bad(_seen(_GOOD), _PAGE, "verify does not name 0x1000")
        self.bad(_seen(_GOOD, verify=_complaint(0x2000)), _PAGE, "verify does not name 0x1000")
        self.bad(_seen(_GOOD, verify=_complaint(0x5000), get__file=(0, ["56  -"])), _BLOB,
                 "get.file passed a wrong byte as right")

    def test_false_alarm(self) -> None:
        """What is sound is not complained of."""
        self.bad(_seen(_GOOD, verify=_complaint(0x2000)), _LEAF, "names 0x2000, which is sound")
        self.bad(_seen(_GOOD, get__file=(5, _WORDS)), _PAGE, "verify does not name")
        self.bad(_seen(_GOOD, verify=_complaint(0x1000), get__file=(5, _WORDS)), _PAGE,
                 "get.file ended with 5")
        self.bad(_seen(_REFUSED), _PAGE, "all was refused for a fault in its contents")

    def test_other_pages(self) -> None:
        """Other pages than were handed over, or other figures."""
        self.bad(_seen(_GOOD, held=(0, ["77ff  -", "file"])), _LEAF, "holds other pages")
        lines = ["in.state: attached", "in.reason: ", "in.pages: 11"]
        self.bad(_seen(_GOOD, status=(0, lines)), _LEAF, "in.pages is 11, not 10")

    def test_not_shown(self) -> None:
        """Which kernel it was is not shown if it was damaged; anything else is wrong."""
        meta = Touched(frozenset({"metadata"}), records=frozenset({0x3000}))
        for value, what, good in (("", meta, True), ("7.3.", meta, False), ("", _LEAF, False)):
            lines = [*_GOOD["status"][1], f"in.previous_release: {value}"]
            reference = _seen({**_GOOD, "status": (0, [*_GOOD["status"][1],
                                                       "in.previous_release: 7.3.4"])})
            found = judge(reference, _seen(_GOOD, status=(0, lines), verify=_complaint(0x3000)),
                          what, False)
            self.assertIs(found.outcome is Outcome.NAMED, good, found.why)

    def test_records(self) -> None:
        """Damaged records may be complained of in any way, but not shortened in silence."""
        what = Touched(frozenset({"records"}))
        self.good(_seen(_GOOD, verify=_complaint(0x2000)), what, Outcome.NAMED)
        self.good(_seen(_GOOD), what, Outcome.NO_EFFECT)
        self.bad(_seen(_GOOD, verify=(0, ['{"verified": 2, "problems": []}'])), what,
                 "content with 2 of 3 records")

    def test_refused(self) -> None:
        """A refusal, and what must follow one."""
        self.good(_seen(_REFUSED), _LEAF, Outcome.REFUSED)
        self.bad(_seen(_REFUSED, load__refused=(0, [])), _LEAF, "load after a refusal")
        self.bad(_seen(_REFUSED, load__refused=(3, ["khoctl: no"])), _LEAF,
                 "load after a refusal")
        self.bad(_seen(_REFUSED, get__file=(0, ["55  -"])), _LEAF, "get.file after a refusal")
        self.bad(_seen(_REFUSED, release=(1, _WORDS)), _LEAF, "release after a refusal")
        self.bad(_seen(_REFUSED, again=(0, [])), _LEAF, "could be attached")
        self.bad(_seen(_REFUSED, attach=(5, ["?"])), _LEAF, "without a word")

    def test_lost_sight_of(self) -> None:
        """Only a damaged chain may make a handover disappear."""
        said = {**_REFUSED, "attach": (6, _WORDS), "status": (4, [])}
        said.pop("load.refused")
        self.good(_seen(said), Touched(frozenset({"chain"})), Outcome.REFUSED)
        self.bad(_seen(said), _LEAF, "the state is none")

    def test_memory(self) -> None:
        """MemTotal to the page; less of it only if what is reserved is known to nobody."""
        less, more = (0, ["total 499000 free 399000"]), (0, ["total 500004 free 400004"])
        chain = Touched(frozenset({"chain"}))
        self.bad(_seen(_REFUSED, memory=less), _LEAF, "1000 KiB did not come back")
        self.good(_seen(_REFUSED, memory=less), chain, Outcome.REFUSED)
        self.assertIs(self.judge(_seen(_REFUSED, memory=less), _LEAF, True).outcome,
                      Outcome.REFUSED)
        self.bad(_seen(_GOOD, memory=less), chain, "did not come back")
        self.bad(_seen(_REFUSED, memory=more), chain, "4 KiB more than was handed over")
        self.good(_seen(_GOOD, memory=(0, ["total 500000 free 398500"])), _LEAF,
                  Outcome.NO_EFFECT)
        self.bad(_seen(_GOOD, memory=(0, ["total 500000 free 390000"])), _LEAF,
                 "10000 KiB of free memory are lost")

    def test_unwell(self) -> None:
        """A warning, a guest that stopped, a command that was killed."""
        seen = _seen(_GOOD)
        seen.log = ["WARNING: CPU: 0"]
        self.bad(seen, _LEAF, "kernel log: WARNING: CPU: 0")
        cut = Seen(parse(_lines(_GOOD)[:6]), "killed after 200 s of silence")
        self.bad(cut, _LEAF, "nothing came after 'status'; killed after 200 s of silence")
        self.bad(_seen(_GOOD, restore=(139, [])), _LEAF, "restore ended with code 139")

    def test_afterwards(self) -> None:
        """The machine goes on: the module leaves, comes back, and a kernel is loaded."""
        for name in ("rmmod", "insmod", "load", "unload"):
            self.bad(_seen(_GOOD, **{name: (1, _WORDS)}), _LEAF, f"{name} ended with 1")


_LIST = Touched(frozenset({"memfd"}))
_INSIDE = Touched(frozenset({"contents"}), memfds=frozenset({"7"}))
_GONE = ["not ok 7 a: refused: Input/output error", "ok 8 b: 0 of 1 pages differ", "ok finish"]


def _retrieved(*lines: str) -> tuple[int, list[str]]:
    return int(any(line.startswith("not ok") for line in lines)), list(lines)


class LiveTest(Judged):
    """The rules of sessions and memfds."""

    def test_contents(self) -> None:
        """A page of a memfd has no digest, and differs in that memfd only."""
        first, _, other, last = _GOOD["live.retrieve"][1]
        seven = _retrieved(first, "not ok 7 a: 1 of 3 pages differ", other, last)
        self.good(_seen(_GOOD, live__retrieve=seven), _INSIDE, Outcome.OTHER)
        self.good(_seen(_GOOD), _INSIDE, Outcome.NO_EFFECT)
        self.bad(_seen(_GOOD, live__retrieve=seven), _LEAF, "are not what they were: live.retr")
        self.bad(_seen(_GOOD, live__retrieve=seven), _PAGE, "verify does not name")
        eight = _retrieved(*_GOOD["live.retrieve"][1][:2], "not ok 8 b: 1 of 1 pages differ", last)
        self.bad(_seen(_GOOD, live__retrieve=eight), _INSIDE, "memfd 8 differs, and was not")
        size = _retrieved("not ok 7 a: size 8", *_GOOD["live.retrieve"][1][1:])
        self.bad(_seen(_GOOD, live__retrieve=size), _INSIDE, "a fault in a memfd's contents made")
        short = _retrieved(*_GOOD["live.retrieve"][1][:3])
        self.bad(_seen(_GOOD, live__retrieve=short), _INSIDE, "lines are missing")
        said = ["a memfd is not taken over: no"]
        self.bad(_seen(_GOOD, live__retrieve=_retrieved(*_GONE), live__log=(0, said)), _INSIDE,
                 "refused for a fault in a memfd's contents")

    def test_lists(self) -> None:
        """What leads to a memfd may be refused in a sentence, or be another value."""
        size = _retrieved("not ok 7 a: size 8", *_GOOD["live.retrieve"][1][1:])
        self.good(_seen(_GOOD, live__retrieve=size), _LIST, Outcome.OTHER)
        self.good(_seen(_GOOD, live__log=(0, ["live update 9: 1 sessions"])), _LIST, Outcome.OTHER)
        said = ["a memfd is not taken over: no"]
        self.good(_seen(_GOOD, live__retrieve=_retrieved(*_GONE), live__log=(0, said)), _LIST,
                  Outcome.NAMED)
        self.bad(_seen(_GOOD, live__retrieve=_retrieved(*_GONE)), _LIST,
                 "refused without a sentence: live.retrieve: not ok 7 a: refused")

    def test_kept(self) -> None:
        """A kept file is right, or refused in a sentence; only its own pages may differ."""
        other = {"keep__found": (0, ["78  ./file"])}
        gone = {"keep__restore": (5, _WORDS), "keep__found": (0, [])}
        kept = Touched(frozenset({"contents"}), memfds=frozenset({"kept 0"}))
        record = Touched(frozenset({"blob"}), frozenset({"kho-keep-7"}))
        lists = Touched(frozenset({"keep"}))
        said = ["what the kernel before has kept is refused: its digest"]
        self.good(_seen(_GOOD, **other), kept, Outcome.OTHER)
        self.bad(_seen(_GOOD, **other), _INSIDE, "kept files are not what they were")
        self.bad(_seen(_GOOD, **gone), kept, "kept files are not what they were")
        self.good(_seen(_GOOD, **gone), record, Outcome.OTHER)
        self.bad(_seen(_GOOD, **other), record, "sessions or memfds are not what they were")
        self.bad(_seen(_GOOD, **gone), lists, "refused without a sentence")
        self.good(_seen(_GOOD, **gone, live__log=(0, said)), lists, Outcome.NAMED)
        self.bad(_seen(_GOOD, keep__restore=(5, ["?"]), live__log=(0, said)), lists,
                 "keep.restore failed without a word")
        self.bad(_seen(_REFUSED, **other), _LEAF, "a memfd came out of what was refused")

    def test_all_sessions(self) -> None:
        """They are refused as a whole: khoctl and the kernel both say so."""
        none = _retrieved("not ok /dev/liveupdate: Input/output error")
        said = ["what the kernel before has left is refused: a block's count is 0"]
        changes = {"live__ls": (3, _WORDS), "live__drop": (3, _WORDS), "live__retrieve": none}
        what = Touched(frozenset({"luo"}))
        self.good(_seen(_GOOD, **changes, live__log=(0, said)), what, Outcome.NAMED)
        self.bad(_seen(_GOOD, **changes), what, "refused without a sentence")
        self.bad(_seen(_GOOD, **{**changes, "live__ls": (3, ["?"])}, live__log=(0, said)), what,
                 "without a word")

    def test_module(self) -> None:
        """It comes and goes whatever there is; nothing comes out of a handover that is refused."""
        for name in ("live__insmod", "live__rmmod"):
            self.bad(_seen(_GOOD, **{name: (1, ["busy"])}), _LIST, "ended with 1: busy")
        got = _GOOD["live.retrieve"]
        self.bad(_seen(_REFUSED, live__retrieve=got), _LEAF, "a memfd came out of what was refused")
        self.good(_seen(_REFUSED), _LEAF, Outcome.REFUSED)

    def test_without(self) -> None:
        """A way without sessions is judged by the rest."""
        said = {n: s for n, s in _GOOD.items() if not n.startswith(("live.", "keep."))}
        found = judge(_seen(said), _seen(said), _LEAF, False)
        self.assertIs(found.outcome, Outcome.NO_EFFECT, found.why)

    def test_right(self) -> None:
        """What a run without a fault must show."""
        self.assertTrue(live_judge.right(_seen(_GOOD)))
        self.assertFalse(live_judge.right(_seen(_GOOD, live__retrieve=_retrieved(*_GONE))))
        self.assertFalse(live_judge.right(_seen(_GOOD, live__retrieve=(0, []))))


class TouchedTest(unittest.TestCase):
    """What changed bytes belong to."""

    def test_pieces(self) -> None:
        """A change that spans pieces touches both; outside of all, none."""
        layout = Layout((Span("leaf", "level 0", 0x1000, 0x2000),
                         Span("blob", "file", 0x2000, 0x2010),
                         Span("page", "0x3000", 0x3000, 0x4000)),
                        (Record(0x2000, 0x2010, True), Record(0x3000, 0x4000, False)))
        self.assertEqual(touched(layout, [Change(0x1fff, 0x2001)]),
                         Touched(frozenset({"leaf", "blob"}), frozenset({"file"}),
                                 frozenset({0x2000})))
        self.assertEqual(touched(layout, [Change(0x2010, 0x3000)]), Touched())
        inside = Layout((Span("contents", "7", 0x1000, 0x2000), Span("memfd", "8", 0, 9)), ())
        self.assertEqual(touched(inside, [Change(0x1000, 0x1001)]), _INSIDE)
        self.assertEqual(touched(layout, [Change(0x3fff, 0x4000)]).records,
                         frozenset({0x3000}))


if __name__ == "__main__":
    unittest.main()
