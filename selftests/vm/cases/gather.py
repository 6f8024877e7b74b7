# SPDX-License-Identifier: GPL-2.0-only
"""kho_luo moves the scattered pages of a memfd together, while threads count in them."""

from __future__ import annotations

from cases.blocks import (ATTACH, DEBUGFS, EXEC, HOLD, INSMOD, INSMOD_LUO, NOTHING, RELEASE, RMMOD,
                          RMMOD_LUO, STATUS, VERIFY, chain, count_is, load)
from khobvm.case import Case, Step

_FIRE = Step("fire", "khob-gather fire", lacks="not ok", timeout=300)
_SAID = Step("said", "dmesg | grep 'kho_luo: gathered'",
             contains=("pages stay where they are", "1 are in use"))
_PRESERVE = Step("preserve", f"khob-gather preserve {HOLD}", lacks="not ok", timeout=300)
# 16,384 pages lay in as many pieces: now they are one or two, and the page that is held. The rest
# is what kho_luo itself has preserved.
_FEW = Step("few ranges", f"cat {DEBUGFS}/out/ranges; v=$(grep -c . {DEBUGFS}/out/ranges); "
                          "echo ranges: $v; test $v -le 16")
_RETRIEVE = Step("retrieve", "khob-gather retrieve", lacks="not ok", timeout=120)


def _gather(kernel: str) -> Case:
    return Case(f"luo-gather-{kernel}",
                f"scattered memfds are gathered under fire, and handed over, on {kernel}",
                (chain(kernel, INSMOD, INSMOD_LUO, _FIRE, *NOTHING, _PRESERVE, _SAID, _FEW,
                       load(kernel, 2), EXEC),
                 chain(kernel, ATTACH, STATUS, VERIFY, INSMOD_LUO, _RETRIEVE,
                       count_is("in.pages", "0"), *NOTHING, RMMOD_LUO, RELEASE, RMMOD)),
                cpus=2, luo=True, helpers=("khob-gather",), tags=("luo",))


CASES: tuple[Case, ...] = (_gather("6.12"), _gather("6.1"))
