# SPDX-License-Identifier: GPL-2.0-only
"""Two threads that preserve single pages at once, each in regions of its own, and one alone:
that both end, and that nothing stays preserved. `khobvm measure-threads` asks how long they take.
"""

from __future__ import annotations

from cases.blocks import INSMOD, RMMOD, count_is
from cases.payload import BY_NAME, KHO
from khobvm.case import Case, Generation, Module, Step

_CLIENT = "khob_threads"
_PARAMETERS = f"/sys/module/{_CLIENT}/parameters"
_INSMOD_CLIENT = Step("insmod the client", f"insmod /lib/modules/$(uname -r)/extra/{_CLIENT}.ko")
_MEASURE = Step("measure", f"echo measure > {_PARAMETERS}/run || {{ dmesg | grep {_CLIENT} | "
                           f"tail -n 3; exit 1; }}; cat {_PARAMETERS}/report",
                contains='"pages": 16384, "one_ns": ', timeout=600)
_RMMOD_CLIENT = Step("rmmod the client", f"rmmod {_CLIENT}")


def threads(end: str, name: str = "") -> Case:
    """end: as cases/payload.py names it."""
    where = BY_NAME[end]
    before, after = ((), ()) if where.native else \
        ((INSMOD,), (count_is("out.folios", "0"), RMMOD))
    return Case(name or f"threads-{end}",
                f"two threads preserve single pages at once, over "
                f"{'its own KHO' if where.native else 'kho_bridge'}",
                (Generation(where.series, (*before, _INSMOD_CLIENT, _MEASURE, _RMMOD_CLIENT,
                                           *after)),),
                memory=2048, cpus=2, extra_cmdline=where.kho, clients=(_CLIENT,),
                module=Module.NONE if where.native else Module.NORMAL, kernels=(where.series,),
                tags=("threads",), suite="interop" if where.series == KHO else "stock")


CASES: tuple[Case, ...] = tuple(threads(end) for end in ("6.12", "7.3-on"))
