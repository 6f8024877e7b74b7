# SPDX-License-Identifier: GPL-2.0-only
"""Handovers to and from a kernel that has KHO itself, through the real kexec.

`kho` on such a kernel's command line: with kho=on it takes the handover (method kho); with
kho=off the loader tells its boot code of intervals, as it does with a kernel without KHO.
"""

from __future__ import annotations

from cases.blocks import (ATTACH, CMDLINE, DEBUGFS, EXEC, INSMOD, RELEASE, RESTORE, RMMOD,
                          STATUS, UNLOAD, VERIFY, at_least, count_is, preserve)
from khobvm.case import Case, Generation, Module, Step

_KHO = "7.3"
# 64 MiB in mixed orders, every second folio scattered.
_PAGES = 16384
_FOLIOS = 500
# Around every size that something is rounded to, up to 64 MiB.
_SIZES = (1, 4095, 4096, 4097, 65536, 4194304, 4194305, 67108864)
_MAKE_BLOBS = Step("make blobs", "set -e; cd /tmp; : > /etc/blobs.sha256\n"
                   f"for n in {' '.join(map(str, _SIZES))}; do\n"
                   "head -c $n /dev/urandom > blob$n; khoctl put blob$n blob$n\n"
                   "sha256sum blob$n >> /etc/blobs.sha256; rm blob$n; done",
                   timeout=180)
_GET_BLOBS = Step("get blobs", "set -e; cd /tmp\n"
                  f"for n in {' '.join(map(str, _SIZES))}; do khoctl get blob$n -o blob$n; done\n"
                  "sha256sum -c /etc/blobs.sha256; rm blob*", timeout=180)
# The kernel's own words; a WARN anywhere fails the case by itself.
_TAKEN = Step("the kernel took it", "dmesg | grep -i kho; cat /proc/cmdline",
              contains=("found kexec handover data", "exec from: "), lacks="disabling KHO")


_REFUSED = f"khoctl load /boot/vmlinuz-{_KHO} --cmdline '{CMDLINE}2' {{}}"


def _load(kernel: str, kho: str = "", options: str = "",
          contains: str | tuple[str, ...] = ()) -> Step:
    """Loads the second generation's kernel; kho: what its command line says of KHO."""
    return Step("load", f"khoctl load /boot/vmlinuz-{kernel} --initrd $KHOB_INITRD --cmdline "
                        f"'{CMDLINE}2 {kho}' {options} --json", contains=contains, timeout=180)


def _outgoing(kernel: str, load: Step, *then: Step) -> Generation:
    return Generation(kernel, (INSMOD, preserve(_PAGES, scatter="--scatter"), _MAKE_BLOBS,
                               at_least("folios", "out.folios", _FOLIOS), load, *then, STATUS,
                               EXEC))


def _incoming(kernel: str, method: str, *first: Step) -> Generation:
    return Generation(kernel, (*first, ATTACH, STATUS, count_is("in.method", method), VERIFY,
                               _GET_BLOBS, RESTORE, RELEASE, STATUS, RMMOD))


def _case(name: str, doc: str, *generations: Generation, cmdline: str = "") -> Case:
    return Case(f"interop-{name}", doc, generations, memory=2048, cpus=2, extra_cmdline=cmdline,
                tags=("interop",), suite="interop")


def _kho(before: str, doc: str) -> Case:
    """From a kernel without KHO (or with KHO off) to the KHO of the next one."""
    return _case(f"{before}-{_KHO}", doc,
                 _outgoing(before, _load(_KHO, "kho=on", contains=('"method": "kho"',
                                                                   '"abi": "kho-v4"'))),
                 _incoming(_KHO, "kho", _TAKEN))


CASES: tuple[Case, ...] = (
    _kho("6.1", "6.1 hands over to 7.3's own KHO"),
    _kho("6.12", "6.12 hands over to 7.3's own KHO"),
    _kho(_KHO, "7.3 with its KHO off hands over to 7.3's own KHO"),
    _case("6.12-7.3-off", "7.3 with its KHO off is told of intervals by 6.12",
          _outgoing("6.12", _load(_KHO, "kho=off", contains=('"method": "indirect"',
                                                             '"abi": "kho-v3"'))),
          _incoming(_KHO, "indirect", Step("the kernel left it", "dmesg | grep -i kho",
                                           contains="disabling KHO revival"))),
    _case("7.3-6.12", "7.3 with its KHO off hands over to 6.12",
          _outgoing(_KHO, _load("6.12", contains=('"method": "indirect"',))),
          _incoming("6.12", "indirect")),
    # Not the next one: made-up nodes meet inside a block of its page allocator, which warns.
    _case("7.3-nodes", "7.3 with three nodes hands over to itself, scratch from each",
          _outgoing(_KHO, _load(_KHO, contains='"added_kho_on": true'),
                    at_least("areas", "scratch.areas", 5)),
          _incoming(_KHO, "kho", _TAKEN), cmdline="numa=fake=512M"),
    Case("interop-carry", "7.3's KHO holds what 6.12 left, and hands it on to 6.12 and back",
         (_outgoing("6.12", _load(_KHO, "kho=on")),
          Generation(_KHO, (ATTACH, VERIFY,
                            Step("load", f"khoctl load /boot/vmlinuz-6.12 --initrd $KHOB_INITRD "
                                         f"--cmdline '{CMDLINE}3' --json", timeout=180),
                            at_least("carried", "out.carried_keys", 1), EXEC)),
          _incoming("6.12", "indirect")),
         memory=2048, cpus=2, tags=("interop",), suite="interop"),
    Case("interop-kernel-api", "7.3's own API finds and restores what 6.12 handed over",
         (_outgoing("6.12", _load(_KHO, "kho=on")),
          Generation(_KHO, (
              INSMOD,
              Step("subtrees", "for n in kexec-metadata "
                               f"{' '.join(f'blob{n}' for n in _SIZES)}; do "
                               f"echo subtree $n > {DEBUGFS}/test/kernel_api || exit 1; done; "
                               "dmesg | grep kernel_api", contains="blob67108864", timeout=120),
              Step("folios", f"echo all > {DEBUGFS}/test/kernel_api; code=$?; "
                             "dmesg | grep kernel_api | tail -n 3; exit $code",
                   contains="restored and compared", timeout=120),
              ATTACH, count_is("in.keys", "0"), VERIFY, _GET_BLOBS, RELEASE, RMMOD))),
         memory=2048, cpus=2, module=Module.TEST, tags=("interop",), suite="interop"),
    Case("interop-refuse", "what contradicts the next kernel's KHO is refused and changes nothing",
         (Generation("6.12", (
             INSMOD, preserve(64),
             Step("another version", _REFUSED.format("--abi kho-v3"), expect=3,
                  contains="takes only kho-v4"),
             Step("no KHO", f"khoctl load /boot/vmlinuz-6.12 --cmdline '{CMDLINE}2' --method kho",
                  expect=3, contains="has no KHO"),
             Step("off", _REFUSED.format("--method kho").replace("khob.gen", "kho=off khob.gen"),
                  expect=3, contains="switches the kernel's KHO off"),
             Step("the same version besides",
                  _REFUSED.format("--method indirect --abi kho-v4"), expect=3,
                  contains="cannot hand kho-v4 over"),
             count_is("out.state", "open"), count_is("scratch.areas", "0"),
             count_is("abi", "kho-v4"),
             Step("by intervals after all",
                  _REFUSED.format("--initrd $KHOB_INITRD --method indirect --json"),
                  contains=('"method": "indirect"', '"abi": "kho-v3"'), timeout=120),
             count_is("abi", "kho-v3"), UNLOAD, count_is("abi", "kho-v4"))),),
         memory=1024, kernels=("6.12", _KHO), tags=("interop",), suite="interop"),
)
