# SPDX-License-Identifier: GPL-2.0-only
"""Random operations on memfds that go from kernel to kernel, against a model of their bytes.

`khobvm soak --memfds` runs as many kexecs of it as are asked for.
"""

from __future__ import annotations

import random
from collections.abc import Sequence

from cases.blocks import ATTACH, EXEC, INSMOD, chain, count_is
from cases.luo import HOLD, INSMOD_LUO, OWN, OWN_LUO, SWAP, load, suite
from cases.payload import KHO
from khobvm.case import Case, Generation, Step

KERNELS = ("6.1", "6.12", KHO)
_OPERATIONS = 1000


def _generation(kernels: Sequence[str], number: int, operations: int, seed: int) -> Generation:
    kernel = kernels[number]
    arrival = (ATTACH,) if number and kernel != KHO else (INSMOD,)
    luo = OWN if kernel == KHO else INSMOD_LUO
    work = Step("operations", f"khob-random {seed} {number * operations} "
                              f"{(number + 1) * operations} {HOLD}", lacks="not ok",
                timeout=300 + operations // 5)
    # Whatever was handed over is in files again.
    empty = (count_is("in.pages", "0"),) if number and kernel != KHO else ()
    last = number + 1 == len(kernels)
    leave = () if last else (load(kernels[number + 1], number + 2), EXEC)
    return chain(kernel, *arrival, luo, SWAP, work, *empty, *leave)


def memfds(kernels: Sequence[str], operations: int, seed: int, name: str = "luo-random") -> Case:
    """Operations in each of these kernels, one after the other."""
    return Case(name, f"{operations} random operations on memfds in each of "
                      f"{len(kernels)} kernels in a row",
                tuple(_generation(kernels, i, operations, seed) for i in range(len(kernels))),
                memory=1024, cpus=2, extra_cmdline=OWN_LUO if kernels[0] == KHO else "", luo=True,
                helpers=("khob-random",), drivers=("brd",), boot=120, tags=("luo",),
                suite=suite(*kernels))


def soak(kexecs: int, seed: int) -> Case:
    """Any kernels, as the seed has it."""
    chance = random.Random(seed)
    kernels = [chance.choice(KERNELS) for _ in range(kexecs + 1)]
    return memfds(kernels, _OPERATIONS, seed, "soak-memfds")


CASES: tuple[Case, ...] = (memfds(("6.12", "6.1", "6.1", "6.12"), 400, 1),)
