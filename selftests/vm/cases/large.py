# SPDX-License-Identifier: GPL-2.0-only
"""Large initrds: khoctl's own memory does not grow with them, and what cannot be is said before."""

from __future__ import annotations

from cases.blocks import CMDLINE, EXEC, INSMOD, TAKE_OVER, chain, count_is, preserve
from khobvm.case import Case, Step

_LOAD = f"khoctl load /boot/vmlinuz-6.1 --cmdline '{CMDLINE}2'"
# KiB of private writable memory (RLIMIT_DATA): a copy of the initrd would be 30 times as much.
_OWN = 16 * 1024
# As much and zstd's window of 128 MiB, which the 6.12 kernel was packed with: 6.1 is lz4's.
_WITH_WINDOW = 144 * 1024

# Zeroes behind the archive, which the kernel skips: real ones, that take memory already.
_GROW = Step("an initrd of 500 MiB",
             "dd if=/dev/zero bs=1M count=480 >> $KHOB_INITRD && "
             "truncate -s 500M $KHOB_INITRD && stat -c %s $KHOB_INITRD",
             contains="524288000", timeout=120)
# Sparse: nobody reads it.
_HUGE = Step("one of 900 MiB", "truncate -s 900M /run/huge")


def _limited(name: str, kib: int, command: str, *contains: str) -> Step:
    return Step(name, f"ulimit -d {kib} && exec {command}", contains=contains, timeout=240)


CASES: tuple[Case, ...] = (
    Case("large-initrd", "500 MiB of initrd, loaded with 16 MiB of khoctl's own",
         (chain("6.12", INSMOD, preserve(1024), _GROW, _HUGE,
                Step("doctor sees what is too large",
                     "khoctl doctor /boot/vmlinuz-6.1 --initrd /run/huge > /tmp/doctor; code=$?; "
                     "cat /tmp/doctor; exit $code", expect=3, timeout=120,
                     contains=("of copies are taken", "but only", "verdict: not ready: scratch")),
                Step("a load agrees",
                     f"{_LOAD} --initrd /run/huge 2> /tmp/load; code=$?; cat /tmp/load; "
                     "said=$(sed -n 's/^khoctl: \\(.*\\), but only .*/\\1/p' /tmp/load); "
                     "test -n \"$said\" && grep -F \"$said\" /tmp/doctor && exit $code",
                     expect=3, timeout=120, contains="but only"),
                count_is("out.state", "open"), count_is("scratch.areas", "0"),
                _limited("doctor, of a kernel packed with zstd", _WITH_WINDOW,
                         "khoctl doctor /boot/vmlinuz-6.12 --initrd $KHOB_INITRD",
                         "500.0 MiB", "verdict: ready"),
                _limited("doctor, of one packed with lz4", _OWN,
                         "khoctl doctor /boot/vmlinuz-6.1 --initrd $KHOB_INITRD",
                         "verdict: ready"),
                _limited("load", _OWN, f"{_LOAD} --initrd $KHOB_INITRD --json",
                         '"method": "indirect"'),
                EXEC),
          chain("6.1", *TAKE_OVER)),
         memory=2304, kernels=("6.1", "6.12"), boot=300, tags=("large",)),
)
