# SPDX-License-Identifier: GPL-2.0-only
"""What every pair of kernels hands over, and the steps that prove it on the other side.

64 MiB of folios in mixed orders, every second one scattered; blobs around every size that
something is rounded to; and what a client module (khob_client) keeps: single pages, folios,
a tree of keys, and vmalloc areas of small and of huge pages.
"""

from __future__ import annotations

from dataclasses import dataclass

from cases.blocks import (ATTACH, CMDLINE, DEBUGFS, EXEC, INSMOD, RELEASE, RESTORE, RMMOD,
                          STATUS, VERIFY, at_least, count_is, preserve)
from khobvm import build
from khobvm.case import Case, Generation, Module, Step

KHO = "7.3"
_PAGES = 16384
_FOLIOS = 500
_SIZES = (1, 4095, 4096, 4097, 65536, 4194304, 4194305, 67108864)
_BLOBS = tuple(f"blob{n}" for n in _SIZES)
_MAKE_BLOBS = Step("make blobs", timeout=180, command=f"""
set -e
cd /tmp
: > /etc/blobs.sha256
for n in {' '.join(map(str, _SIZES))}; do
    head -c $n /dev/urandom > blob$n
    khoctl put blob$n blob$n
    sha256sum blob$n >> /etc/blobs.sha256
    rm blob$n
done
""")
_GET_BLOBS = Step("get blobs", timeout=180, command=f"""
set -e
cd /tmp
for n in {' '.join(_BLOBS)}; do khoctl get $n -o $n; done
sha256sum -c /etc/blobs.sha256
rm blob*
""")
# The kernel's own words; a WARN anywhere fails the case by itself.
_TAKEN = Step("the kernel took it", "dmesg | grep -i kho; cat /proc/cmdline",
              contains=("found kexec handover data", "exec from: "), lacks="disabling KHO")
_CLIENT = "khob_client"
_INSMOD_CLIENT = Step("insmod the client",
                      f"insmod /lib/modules/$(uname -r)/extra/{_CLIENT}.ko")
_RMMOD_CLIENT = Step("rmmod the client", f"rmmod {_CLIENT}")


def _client(action: str) -> Step:
    return Step(f"the client: {action}",
                f"echo {action} > /sys/module/{_CLIENT}/parameters/run || "
                f"{{ dmesg | grep {_CLIENT} | tail -n 3; exit 1; }}", timeout=120)


@dataclass(frozen=True)
class End:
    """One end of a handover: a kernel, and what its command line says of KHO."""

    name: str
    series: str
    kho: str = ""

    @property
    def native(self) -> bool:
        """Whether the kernel's own KHO is at work."""
        return "kho=on" in self.kho.split()


ENDS = (End("6.1", "6.1"), End("6.12", "6.12"), End("7.3-on", KHO, "kho=on"),
        End("7.3-off", KHO, "kho=off"))
BY_NAME = {end.name: end for end in ENDS}


def method(before: End, after: End) -> str:
    """The handover method that load must choose, as a regular expression."""
    if not after.native:
        return "indirect"
    return "kho|file" if before.native else "kho"


def load(before: End, after: End, number: int = 2, version: str = "") -> Step:
    """Loads the next generation's kernel; by method and ABI it must be what suits both.

    version: the ABI asked for. A kernel whose KHO is off must not take its own version.
    """
    wanted = version or ("kho-v3" if after.kho == "kho=off" else "kho-v4")
    asked = f"--abi {version}" if version else ""
    return Step("load", f"khoctl load /boot/vmlinuz-{after.series} --initrd $KHOB_INITRD "
                        f"--cmdline '{CMDLINE}{number} {after.kho}' {asked} --json "
                        "> /tmp/load || { cat /tmp/load; exit 1; }; cat /tmp/load; "
                        f"grep -qE '\"method\": \"({method(before, after)})\"' /tmp/load",
                contains=f'"abi": "{wanted}"', timeout=180)


def _outgoing(before: End, after: End, first: tuple[Step, ...], last: tuple[Step, ...],
              percent: int) -> Generation:
    """Preserves everything and leaves for the next kernel."""
    return Generation(before.series, (
        INSMOD, *first, count_is("source", "native" if before.native else "bridge"),
        preserve(_PAGES, scatter=f"--scatter {percent}"), _MAKE_BLOBS, _INSMOD_CLIENT,
        _client("save"), at_least("folios", "out.folios", _FOLIOS), load(before, after), *last,
        STATUS, EXEC))


def _kernel_api(before: End) -> tuple[Step, ...]:
    """A test build of the module asks the kernel's own KHO, as any client of it would.

    For every blob, and for two of three folios, which it restores and frees; the third is left
    to ours. kexec-metadata is the outgoing kernel's own where that has KHO: without our record.
    """
    names = _BLOBS if before.native else ("kexec-metadata", *_BLOBS)
    return (
        INSMOD,
        Step("the kernel's own API: subtrees",
             f"for n in {' '.join(names)}; do "
             f"echo subtree $n > {DEBUGFS}/test/kernel_api || exit 1; done; "
             "dmesg | grep kernel_api", contains=names, timeout=120),
        Step("the kernel's own API: folios",
             f"echo all > {DEBUGFS}/test/kernel_api; code=$?; "
             "dmesg | grep kernel_api | tail -n 3; exit $code",
             contains="restored and compared", timeout=120))


def _incoming(before: End, after: End, first: tuple[Step, ...]) -> Generation:
    """Verifies everything, the kernel's own API first where it has one, and gives it back."""
    own = (_TAKEN, *_kernel_api(before)) if after.native else ()
    return Generation(after.series, (
        *first, *own, ATTACH, STATUS,
        count_is("in.method", "kho" if after.native else "indirect"), VERIFY, _GET_BLOBS,
        _INSMOD_CLIENT, _client("restore"), RESTORE, RELEASE, STATUS, _RMMOD_CLIENT, RMMOD,
        Step("nothing stays", f"! grep khob /proc/modules && ! ls -d {DEBUGFS}")))


def handover(name: str, doc: str, before: End, after: End, *, first: tuple[Step, ...] = (),
             last: tuple[Step, ...] = (), arrived: tuple[Step, ...] = (),
             percent: int = 50, boot: int = 60) -> Case:
    """One handover of everything, on 2 CPUs and 2 GiB.

    first, last: further steps in the outgoing kernel, before anything is preserved and after
    the load; arrived: first of all in the incoming one. percent: of RAM, its upper end, over
    which is scattered what is. boot: as the case's.
    """
    generations = (_outgoing(before, after, first, last, percent),
                   _incoming(before, after, arrived))
    return Case(name, doc, generations,
                memory=2048, cpus=2, extra_cmdline=before.kho, clients=(_CLIENT,),
                module=Module.TEST if after.native else Module.NORMAL,
                boot=boot,
                suite="stock" if {before.series, after.series}.isdisjoint(build.SERIES)
                else "interop")
