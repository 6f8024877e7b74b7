# SPDX-License-Identifier: GPL-2.0-only
"""Every ordered pair of the four kinds of kernel: pair-OUTGOING-INCOMING.

README's table is made from these cases' results (khobvm/matrix.py).
"""

from __future__ import annotations

from dataclasses import replace

from cases.payload import ENDS, handover
from khobvm.case import Case

CASES: tuple[Case, ...] = tuple(
    replace(handover(f"pair-{before.name}-{after.name}",
                     f"{before.name} hands everything over to {after.name}", before, after),
            tags=("pair",))
    for before in ENDS for after in ENDS)
