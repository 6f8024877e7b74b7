# SPDX-License-Identifier: GPL-2.0-only
"""The key coding that runs in each kernel, against vectors generated from the schema."""

from __future__ import annotations

from cases.blocks import DEBUGFS, INSMOD, RMMOD, chain
from khobvm.case import Case, Module, Step

_LEAST = 400
# The unit tests read the same file: module/test/vectors.h.
_VECTORS = Step("vectors", f"cat {DEBUGFS}/sandbox/vectors && read n rest "
                           f"< {DEBUGFS}/sandbox/vectors && test $n -ge {_LEAST}",
                contains=" vectors, 0 wrong\n")


def _case(kernel: str) -> Case:
    return Case(f"vectors-{kernel}", f"Debian {kernel} encodes, decodes and indexes keys as the "
                                     "schema says", (chain(kernel, INSMOD, _VECTORS, RMMOD),),
                memory=512, module=Module.TEST, tags=("vectors",))


CASES: tuple[Case, ...] = (_case("6.1"), _case("6.12"))
