# SPDX-License-Identifier: GPL-2.0-only
"""libkho: the examples of docs/userspace.md, through two kexecs each."""

from __future__ import annotations

from cases.blocks import (ATTACH, EXEC, HOLD, INSMOD, INSMOD_LUO, RELEASE, RMMOD, RMMOD_LUO, STATUS,
                          UNLOAD, VERIFY, at_least, chain, count_is, load)
from khobvm.case import Case, Step

_ENTRIES = 5000
_SOCKET = "/tmp/keeper.sock"


def _cache(verb: str, said: str, name: str, expect: int = 0, count: int = _ENTRIES) -> Step:
    return Step(name, f"kho-cache {verb} {count} {HOLD}", expect=expect, contains=said)


def _serve(said: str) -> Step:
    return Step("keeper", f"kho-keeper serve {_SOCKET} {HOLD}", contains=f"kho-keeper: {said}\n")


def _add(text: str) -> Step:
    return Step(f"keeper is told {text}", f"kho-keeper add {_SOCKET} '{text}'", contains="kept\n")


def _shows(*texts: str) -> Step:
    lines = "".join(f"{text}\n" for text in texts)
    return Step("keeper shows", f"kho-keeper show {_SOCKET}", contains=lines)


# One after the other: nothing works without the device, or while a kernel is loaded.
def _refusals(after: str) -> tuple[Step, ...]:
    return (_cache("fill", "there is no /dev/liveupdate; load kho_luo", "no device", 1), INSMOD_LUO,
            load(after, 2, "--late-room 0", name="load too early"),
            _cache("fill", "a kernel is loaded", "a kernel is loaded", 1), UNLOAD)


def _case(first: str, second: str, third: str) -> Case:
    kernels = first if first == second else f"{first}-{second}"
    return Case(f"libkho-{kernels}",
                f"a cache and a keeper of lines over libkho, from {first} to {second} to {third}",
                (chain(first, INSMOD, *_refusals(second),
                       _cache("fill", f"made, {_ENTRIES} entries, 0 bad", "cache"),
                       _cache("fill", "the name is taken", "a second cache", 1, 1),
                       _serve("made, 0 bytes"), _add("one"), _add("two words"),
                       _shows("one", "two words"),
                       # Each of the two has its file and its index.
                       at_least("folios", "out.folios", 10), load(second, 2), EXEC),
                 chain(second, ATTACH, STATUS, VERIFY, INSMOD_LUO,
                       _cache("check", f"found, {_ENTRIES} entries, 0 bad", "cache"),
                       _serve("found, 14 bytes"), _shows("one", "two words"), _add("three"),
                       count_is("in.pages", "0"), load(third, 3), EXEC),
                 chain(third, ATTACH, VERIFY, INSMOD_LUO,
                       # What was not put is missed.
                       _cache("check", f"found, {_ENTRIES} entries, 1 bad", "one too many", 1,
                              _ENTRIES + 1),
                       _serve("found, 20 bytes"), _shows("one", "two words", "three"),
                       # They end, and nothing is left of them.
                       Step("end", "killall kho-keeper; sleep 1"),
                       count_is("in.pages", "0"), count_is("out.folios", "0"),
                       count_is("out.subtrees", "0"), RMMOD_LUO, RELEASE, RMMOD)),
                luo=True, examples=("kho-cache", "kho-keeper"), tags=("luo",))


CASES: tuple[Case, ...] = (_case("6.12", "6.12", "6.12"), _case("6.1", "6.12", "6.1"))
