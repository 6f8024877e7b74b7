# SPDX-License-Identifier: GPL-2.0-only
"""What a kept file costs: of single pages, or a region of huge ones; and what it costs to copy it
to another tmpfs or to a disk, and back. `khobvm measure-keep` runs the same at full size.
"""

from __future__ import annotations

from cases.blocks import (ATTACH, EXEC, HOLD, INSMOD, INSMOD_LUO, NOTHING, RELEASE, RMMOD,
                          RMMOD_LUO, VERIFY, chain, count_is)
from khobvm.case import Case, Step
from khobvm.qemu import BASE_CMDLINE

_DISK = "/dev/vda"
_FILE = "/keep/file"
_COPIES = 1024  # MiB up to which a copy is made besides
_CMDLINE = "init_on_alloc=0"


def _step(mib: int) -> int:
    """Of what is large only a word a page is looked at."""
    return 1 if mib <= _COPIES else 512


def _made(pages: str, mib: int) -> tuple[Step, ...]:
    if not mib:
        return ()
    make = f"khoctl region create {_FILE} {mib}M" if pages == "huge" else (
        f"truncate -s {mib}M {_FILE} && khoctl keep {_FILE}")
    return (Step("make", make, timeout=600),
            Step("fill", f"khob-dax fill {_FILE} {mib} {_step(mib)}", contains=": 0 of ",
                 timeout=1200))


def _copied(mib: int, source: str, target: str, name: str) -> tuple[Step, ...]:
    if not 0 < mib <= _COPIES:
        return ()
    return (Step(name, f"dd if={source} of={target} bs=1M count={mib} conv=fsync 2>/dev/null",
                 timeout=1200),)


def measured(pages: str, mib: int) -> Case:
    """One run; pages: "nothing" keeps nothing on a machine that is as large. Zeroing what is
    filled next is no part of it, and slow under emulation.
    """
    memory = 1280 + 2 * min(mib, _COPIES) + max(mib - _COPIES, 0)
    name = f"keep-costs-{pages}-{mib}"
    if pages == "nothing":
        mib = 0
    mount = Step("mount", f"mkdir -p /keep /other && mount -t tmpfs -o size={mib + 64}m keep /keep "
                          f"&& mount -t tmpfs -o size={_COPIES + 64}m other /other")
    load = Step("load", "khoctl load /boot/vmlinuz-6.12 --initrd $KHOB_INITRD --cmdline "
                        f"'{BASE_CMDLINE} khob.gen=2 {_CMDLINE}' --json", timeout=1200)
    gone = Step("no copy", "rm -f /other/file && echo 3 > /proc/sys/vm/drop_caches")
    # The first run of khoctl pays for what all later ones have in memory.
    warm = Step("look", "khoctl doctor /boot/vmlinuz-6.12 --json > /tmp/said; cat /tmp/said",
                contains='"memory left"')
    restored: tuple[Step, ...] = ()
    if mib:
        restored = (Step("restore", "khoctl keep --restore --json", contains='"files": 1',
                         timeout=1200),
                    Step("check", f"khob-dax check {_FILE} {mib} {_step(mib)}", contains=": 0 of ",
                         timeout=1200))
    return Case(name, f"what {mib} MiB of {pages} pages cost that are kept",
                (chain("6.12", INSMOD, INSMOD_LUO, mount, *_made(pages, mib),
                       *_copied(mib, _FILE, "/other/file", "to tmpfs"),
                       *_copied(mib, _FILE, _DISK, "to disk"), gone,
                       Step("clock", f"khob-cost preserve single 0 {HOLD}"), warm, load, EXEC),
                 chain("6.12", ATTACH, INSMOD_LUO, Step("blackout", "khob-cost retrieve"), mount,
                       *restored, VERIFY,
                       *_copied(mib, _DISK, "/other/file", "from disk"), gone,
                       *_copied(mib, _FILE, "/other/file", "from tmpfs"),
                       count_is("in.pages", "0"), *NOTHING, RMMOD_LUO, RELEASE, RMMOD)),
                memory=memory, luo=True,
                helpers=("khob-cost", "khob-dax"), extra_cmdline=_CMDLINE,
                drivers=("virtio_blk",), scratch=min(max(mib, 1), _COPIES),
                boot=1800 if mib > 64 else 60, tags=("keep",))


CASES: tuple[Case, ...] = (measured("huge", 64),)
