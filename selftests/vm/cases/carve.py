# SPDX-License-Identifier: GPL-2.0-only
"""Memory that is carved out of the next kernel's: /dev/daxN.M and /dev/pmemN there, with what was
written to them in each kernel after, whatever series that is, until it is RAM again.
"""

from __future__ import annotations

from cases.blocks import (ATTACH, EXEC, INSMOD, RELEASE, RESTORE, RMMOD, STATUS, TOTAL_KIB, VERIFY,
                          chain, load, preserve)
from cases.payload import KHO
from khobvm.case import Case, Step

_CARVE = "--carve fast=256M --carve store=128M,pmem"
_MAP = "cat /proc/iomem"
# dax_hmem's devices are dax_kmem's, which makes RAM of them, unless somebody says otherwise.
_BIND = Step("bind", "echo dax0.0 > /sys/bus/dax/drivers/device_dax/new_id && "
                     "readlink /sys/bus/dax/devices/dax0.0/driver", contains="/device_dax")
_BOTH = Step("devices", f"{_MAP} | grep -iE 'soft|persistent|dax|pmem'; "
                        "ls -l /dev/dax0.0 /dev/pmem*",
             contains=("Soft Reserved", "Persistent Memory (legacy)"))
_MEMORY = Step("memory before", f"{TOTAL_KIB} | tee /etc/memory")
_DRIVERS = ("device_dax", "dax_hmem", "nd_e820", "nd_pmem")


def _dax(what: str) -> tuple[Step, ...]:
    return tuple(Step(f"{what} {device}", f"khob-dax {what} /dev/{device} {mib}", timeout=120)
                 for device, mib in (("dax0.0", 256), ("pmem*", 128)))


def _less(mib: int) -> Step:
    """Tables of what is RAM no more are counted, too: some MiB."""
    return Step("memory", f"set -- $(cat /etc/memory) $({TOTAL_KIB}); echo $1 $2; "
                          f"test $(($1 - $2)) -ge {1024 * (mib - 16)} && "
                          f"test $(($1 - $2)) -le {1024 * (mib + 16)}")


_TAKE = (ATTACH, VERIFY, RESTORE, RELEASE)

CASES: tuple[Case, ...] = (
    Case("carve", "a quarter of memory as devices, over three kexecs between 6.12 and 6.1",
         (chain("6.12", INSMOD, _MEMORY, preserve(2000, scatter="--scatter"),
                load("6.12", 2, _CARVE), STATUS, EXEC),
          chain("6.12", _BOTH, _BIND, *_dax("fill"), *_TAKE, _less(384),
                Step("carved already", "khoctl load /boot/vmlinuz-6.1 --cmdline x --carve fast=2M",
                     expect=2, contains="'fast' is carved out already"),
                # Those that there are stay as they are, also where they are asked for again.
                load("6.1", 3, _CARVE), EXEC),
          chain("6.1", _BOTH, _BIND, *_dax("check"), INSMOD, _less(384),
                load("6.12", 4, "--uncarve fast"), EXEC),
          chain("6.12", Step("one device", f"{_MAP}; ls -l /dev/pmem*; ! ls /dev/dax0.0",
                             contains="Persistent Memory (legacy)", lacks="Soft Reserved"),
                _dax("check")[1], INSMOD, _less(128), RMMOD)),
         memory=3072, helpers=("khob-dax",), drivers=_DRIVERS, tags=("carve",)),
    Case("carve-kho", "the same by way of a kernel whose own KHO takes what is handed over",
         (chain("6.12", INSMOD, preserve(5000, scatter="--scatter"),
                load(KHO, 2, "--carve fast=256M"), EXEC),
          chain(KHO, Step("carved", "dmesg | grep -i 'soft reserved'"), INSMOD, *_TAKE,
                load("6.12", 3), EXEC),
          chain("6.12", _BIND, _dax("fill")[0], INSMOD, RMMOD)),
         memory=2048, helpers=("khob-dax",), drivers=_DRIVERS[:2], tags=("carve",),
         suite="interop"),
    Case("carve-refused", "what cannot be carved out",
         (chain("6.12", INSMOD,
                *(Step(name, f"khoctl load /boot/vmlinuz-6.12 --initrd $KHOB_INITRD --cmdline x "
                             f"{how}",
                       expect=code, contains=why)
                  for name, how, code, why in (
                      ("too much", "--carve a=8G", 3, "no 8.0 GiB aligned to 1.0 GiB are free"),
                      ("no size", "--carve a=3M", 2, "is no NAME=SIZE"),
                      ("twice", "--carve a=2M --carve a=2M", 2, "says 'a' twice"),
                      ("nothing to give back", "--uncarve a", 2, "no memory is carved out as 'a'"),
                      ("the kernel would not boot",
                       " ".join(f"--carve a{n}=64M" for n in range(28)), 3,
                       "the incoming kernel would be left")))),
          ), memory=2048, kernels=("6.12",), tags=("carve",)),
)
