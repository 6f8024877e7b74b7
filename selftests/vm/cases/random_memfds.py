# SPDX-License-Identifier: GPL-2.0-only
"""Random operations on memfds, and on kept files, that go from kernel to kernel, against a model of
their bytes. Files are written to up to the jump.

`khobvm soak --memfds` and `--kept` run as many kexecs of it as are asked for.
"""

from __future__ import annotations

import random
from collections.abc import Sequence

from cases.blocks import ATTACH, EXEC, HOLD, INSMOD, INSMOD_LUO, VERIFY, chain, count_is
from cases.luo import OWN, OWN_LUO, SWAP, load, suite
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


_KEPT_LIFE = "mkdir -p /keep && mount -t tmpfs -o size=64m keep /keep"


def _kept_generation(kernels: Sequence[str], number: int, operations: int,
                     seed: int) -> Generation:
    mount = Step("mount", _KEPT_LIFE)
    arrival = (ATTACH, VERIFY, INSMOD_LUO, mount,
               Step("restore", "khoctl keep --restore --json", contains='"files": 5')) \
        if number else (INSMOD, INSMOD_LUO, mount)
    work = Step("operations", f"khob-random {seed} {number * operations} "
                              f"{(number + 1) * operations} /keep {HOLD}", lacks="not ok",
                timeout=300 + operations // 2)
    # It stays noted: the initrd is made of this root file system.
    keep = () if number else (Step("keep", "khoctl keep /keep"),)
    last = number + 1 == len(kernels)
    leave = () if last else (*keep, load(kernels[number + 1], number + 2), EXEC)
    return chain(kernels[number], *arrival, SWAP, work, *leave)


def kept(kernels: Sequence[str], operations: int, seed: int, name: str = "keep-random") -> Case:
    """Operations on kept files, up to the jump, in each of these kernels, one after the other."""
    return Case(name, f"{operations} random operations on kept files in each of {len(kernels)} "
                      "kernels in a row, and writes to the end",
                tuple(_kept_generation(kernels, i, operations, seed)
                      for i in range(len(kernels))),
                memory=1024, cpus=2, luo=True, helpers=("khob-random",), drivers=("brd",),
                boot=120, tags=("keep",), suite=suite(*kernels))


def _kernels(kexecs: int, seed: int, kernels: Sequence[str]) -> list[str]:
    """Any, as the seed has it."""
    chance = random.Random(seed)
    return [chance.choice(kernels) for _ in range(kexecs + 1)]


def soak_memfds(kexecs: int, seed: int) -> Case:
    """Memfds."""
    return memfds(_kernels(kexecs, seed, KERNELS), _OPERATIONS, seed, "soak-memfds")


def soak_kept(kexecs: int, seed: int) -> Case:
    """Kept files: between kernels without a LUO of their own."""
    return kept(_kernels(kexecs, seed, KERNELS[:2]), _OPERATIONS, seed, "soak-kept")


CASES: tuple[Case, ...] = (memfds(("6.12", "6.1", "6.1", "6.12"), 400, 1),
                           kept(("6.12", "6.1"), 300, 1))
