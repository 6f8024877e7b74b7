# SPDX-License-Identifier: GPL-2.0-only
"""A QEMU guest that outlives its host's kernel: Debian 13 with systemd, its own QEMU, and a guest
whose memory is a file on tmpfs that `khoctl keep` hands over (docs/guests.md).
"""

from __future__ import annotations

from cases.blocks import STATUS, VERIFY, chain, count_is
from cases.cache import CMDLINE, HOST, KEPT, KEXEC, ON_HOST, active, next_kernel
from khobvm.case import Case, Step

_DIR = f"{HOST}/var/lib/guest"
_CHECK = f"khob-tick check {_DIR}/console"
_SYSTEMCTL = f"{ON_HOST} /usr/bin/systemctl"
_SAID = f"cat {HOST}/var/log/guest.log; tail -n 5 {_DIR}/console"
# What the guest prints is compared as it comes; there have to be so many ticks more.
_MORE = 5
# It has booted and was saved before (khobvm/inner.py).
_FILES = Step("a guest's files", f"mkdir -p {HOST}/keep/guest && "
                                 f"cp {_DIR}/ram {_DIR}/state {HOST}/keep/guest/ && "
                                 f"{_CHECK} > {_DIR}/ticks", timeout=300)
_START = Step("start", f"{_SYSTEMCTL} start khob-guest.service", timeout=300)


def _goes_on(name: str, timeout: int) -> Step:
    """Ticks come, each once, each with its hash, and more than there were."""
    return Step(name, f"before=$(cat {_DIR}/ticks 2>/dev/null || echo 0)\n"
                      f"while now=$({_CHECK}) && test $now -lt $((before + {_MORE})); do sleep 1; "
                      f"done\n{_CHECK} > {_DIR}/ticks; s=$?; cat {_DIR}/ticks; "
                      f"test $s = 0 || ({_SAID}); exit $s", timeout=timeout)


# The memory's file is gone meanwhile, and nothing of the copy is in the page cache.
_STOP = f"{_SYSTEMCTL} stop khob-guest.service"
_AGAIN = f"{_SYSTEMCTL} start khob-guest.service && cat {_DIR}/pause"
_COPY = Step("to a disk and back",
             f"{_SYSTEMCTL} set-environment COPY=1 STATE=/var/lib/guest/copy && {_STOP} && "
             f"ls -l {_DIR}/copy && rm {HOST}/keep/guest/ram && "
             f"echo 3 > /proc/sys/vm/drop_caches && {_AGAIN} && "
             f"{_SYSTEMCTL} unset-environment COPY STATE", timeout=300)
_STAY = Step("saved and resumed", f"{_STOP} && ls -l {HOST}/keep/guest && {_AGAIN}", timeout=300)


def _case(after: str, name: str) -> Case:
    return Case(
        name, f"a QEMU guest lives on while its host goes from 6.12 to {after}",
        (chain("6.12", active("kho-bridge-keep.service"), _FILES, _START, _goes_on("it ticks", 300),
               _COPY, _goes_on("after the copy", 300), _STAY, _goes_on("after the save", 300),
               next_kernel(after), KEXEC),
         chain(after, active("kho-bridge-keep.service", "khob-guest.service"),
               Step("pause", f"cat {_DIR}/pause"), _goes_on("it goes on", 300), *KEPT,
               STATUS, VERIFY, count_is("in.pages", "0"), count_is("out.folios", "0"))),
        memory=1536, extra_cmdline=CMDLINE, luo=True,
        helpers=("khob-tick", "khob-clock"), drivers=("virtio_blk", "ext4"),
        scripts=("selftests/vm/image/khob-root",), disk="guest", boot=240,
        tags=("keep", "guest"), suite="guests")


CASES: tuple[Case, ...] = (_case("6.12", "keep-guest-6.12"),)
