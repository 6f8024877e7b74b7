# SPDX-License-Identifier: GPL-2.0-only
"""Handovers on machines of other shapes: CPUs, memory, NUMA nodes, EFI firmware."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from cases.blocks import DEBUGFS, at_least
from cases.payload import BY_NAME, End, handover
from khobvm.case import Case, Step

_NODES = Step("two nodes", "grep MemTotal /sys/devices/system/node/node*/meminfo; "
                           "cat /sys/devices/system/node/node*/cpulist",
              contains=("node1/meminfo", "\n0\n1\n"))
# The services work: the firmware itself lists its variables.
_VARIABLES = Step("EFI variables", "set -e; dmesg | grep efi:; "
                                   "mount -t efivarfs none /sys/firmware/efi/efivars; "
                                   "ls /sys/firmware/efi/efivars",
                  contains=("efi: EFI v2", "BootOrder-"))
_REGIONS = "cat /sys/firmware/efi/runtime-map/*/*_addr | sort"
_NOTE_REGIONS = Step("EFI regions", f"{_REGIONS} > /etc/efi-regions; cat /etc/efi-regions",
                     contains="0xffff")
_SAME_REGIONS = Step("the same EFI regions", f"{_REGIONS} | diff - /etc/efi-regions")
# More digits than 32 bits have.
_HIGH = Step("pages above 4 GiB", "n=$(khoctl walk --out | awk '/^0x/ && length($1) > 10' | "
                                  "wc -l); echo $n keys; test $n -gt 100")
_LOW_AND_HIGH = Step("scratch low and high", f"""
cd {DEBUGFS}
paste out/scratch_phys out/scratch_len
test $(awk 'length($1) <= 10' out/scratch_phys | wc -l) -gt 0
test $(awk 'length($1) > 10' out/scratch_phys | wc -l) -gt 0
""")
# One below 4 GiB, one for the kernel, and a share on each node: the second one has the
# second GiB. In as many areas everything may be on the first.
_AREAS = at_least("areas", "scratch.areas", 4)
_ON_SECOND = Step("scratch on the second node",
                  f"for a in $(cat {DEBUGFS}/out/scratch_phys); do echo $a; "
                  "test $((a)) -ge $((0x40000000)) && exit 0; done; exit 1")
_OLD, _NEW = BY_NAME["6.12"], BY_NAME["7.3-on"]


def _shape(name: str, doc: str, machine: dict[str, Any], after: End = _OLD, *,
           first: tuple[Step, ...] = (), last: tuple[Step, ...] = (),
           arrived: tuple[Step, ...] = (), percent: int = 50) -> Case:
    """A handover of everything on a machine with these fields of Case."""
    case = handover(f"shape-{name}", doc, _OLD, after, first=first, last=last, arrived=arrived,
                    percent=percent)
    return replace(case, tags=("shape",), **machine)


def _nodes(name: str, doc: str, after: End, *last: Step) -> Case:
    """Scattered over half of the second node: the rest has room for its share of scratch."""
    return _shape(name, doc, {"nodes": 2}, after, first=(_NODES,), arrived=(_NODES,),
                  last=last, percent=25)


def _efi(name: str, doc: str, after: End) -> Case:
    return _shape(name, doc, {"efi": True, "drivers": ("efivarfs",)}, after,
                  first=(_VARIABLES, _NOTE_REGIONS), arrived=(_VARIABLES, _SAME_REGIONS))


CASES: tuple[Case, ...] = (
    _shape("1-cpu", "one CPU", {"cpus": 1}),
    _shape("4-cpus", "four CPUs", {"cpus": 4}),
    # With half of it sprinkled there may be no piece left for the kernel.
    _shape("1-gib", "1 GiB of memory", {"memory": 1024}, percent=25),
    _shape("8-gib", "8 GiB of memory", {"memory": 8192}, last=(_HIGH,)),
    _shape("8-gib-kho", "8 GiB of memory, to 7.3's KHO: scratch low and high", {"memory": 8192},
           _NEW, last=(_HIGH, _LOW_AND_HIGH)),
    _nodes("nodes", "two NUMA nodes", _OLD),
    _nodes("nodes-kho", "two NUMA nodes, to 7.3's KHO: scratch on each", _NEW, _AREAS, _ON_SECOND),
    _efi("efi", "EFI firmware, whose runtime services go on", _OLD),
    _efi("efi-kho", "EFI firmware, to 7.3's KHO", _NEW),
)
