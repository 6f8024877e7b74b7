# SPDX-License-Identifier: GPL-2.0-only
"""Everything handed over as in pairs.py, by or to a kernel that watches every byte.

7.3-kasan (selftests/kernels/kasan.config) reports what is read or written after it was freed,
or beside what was allocated: that is in its log, and fails the case. Its shadow is an eighth of
memory, which it takes before it knows what is preserved.
"""

from __future__ import annotations

from dataclasses import replace

from cases.payload import BY_NAME, End, handover
from khobvm.case import Case, Step

# By default twice what it has taken, shadow and all, below 4 GiB and as much on the node:
# more than there is.
_ON = End("on", "7.3-kasan", "kho=on kho_scratch=100%")
_OFF = End("off", "7.3-kasan", "kho=off")
_STOCK = BY_NAME["6.12"]
_WATCHES = (Step("it watches", "dmesg | grep KernelAddressSanitizer",
                 contains="KernelAddressSanitizer initialized"),)


def _case(before: End, after: End) -> Case:
    """One of them, or both, with KASAN."""
    first, arrived = (_WATCHES if end.series == _ON.series else () for end in (before, after))
    return replace(handover(f"kasan-{before.name}-{after.name}",
                            f"{before.name} hands everything over to {after.name}, with KASAN",
                            before, after, first=first, arrived=arrived, boot=150),
                   tags=("kasan",))


CASES: tuple[Case, ...] = (_case(_ON, _ON), _case(_OFF, _OFF), _case(_STOCK, _ON),
                           _case(_ON, _STOCK))
