# SPDX-License-Identifier: GPL-2.0-only
"""What is kept leaves the next kernel enough, and costs whom it did before."""

from __future__ import annotations

from cases.blocks import (ATTACH, EXEC, INSMOD, INSMOD_LUO, NOTHING, RELEASE, RMMOD, RMMOD_LUO,
                          VERIFY, chain, count_is, load)
from khobvm.case import Case, Step

_LOG = "/tmp/journal"
# Holes count: they are filled when the file is kept.
_FILES = Step("files", """
mkdir -p /keep /etc/kho-bridge/keep.d && mount -t tmpfs -o size=8g keep /keep &&
dd if=/dev/urandom of=/keep/must bs=1M count=64 2>/dev/null && truncate -s 2G /keep/cache &&
dd if=/dev/urandom of=/keep/small bs=1M count=8 2>/dev/null && truncate -s 2G /keep/last &&
chown 12:34 /keep/must && (sha256sum /keep/must /keep/small) > /etc/keep.sums &&
printf '%s\\n' '# the first matters most' '-/keep/cache' '-/keep/sm[a]ll' '-/keep/last' \
    > /etc/kho-bridge/keep.d/10-caches.conf &&
khoctl keep /keep/must && khoctl keep ls --json
""", contains=('"optional": true', '"optional": false'), timeout=120)
_DOCTOR = "khoctl doctor /boot/vmlinuz-6.12 --initrd $KHOB_INITRD --json"
# The larger an initrd is, the less can be spared.
_LARGE = "/boot/vmlinuz-6.12 --initrd /tmp/large"
_TOO_MUCH = (
    Step("too much", "dd if=/dev/zero of=/keep/more bs=1M count=150 2>/dev/null && "
                     "truncate -s 300M /tmp/large && khoctl keep --once /keep/more && "
                     f"khoctl load {_LARGE} --cmdline x",
         expect=3, contains=("the files that are to be kept need 21", "the next kernel can spare "),
         timeout=120),
    Step("doctor refuses", f"khoctl doctor {_LARGE} --json", expect=3,
         contains="the files that are to be kept need 21", timeout=120),
    Step("it may stay", "khoctl keep rm /keep/more && khoctl keep --once --optional /keep/more && "
                        f"khoctl doctor {_LARGE} --json", expect=(0, 3),
         contains="/keep/more stays: no room: it needs 15", timeout=120),
    Step("holes", "khoctl keep --once /keep/last && khoctl load /boot/vmlinuz-6.12 --cmdline x",
         expect=3, contains="/keep/last cannot be kept: its holes have 2.0 GiB"),
    Step("nothing is kept", "khoctl keep ls --json && echo more >> /keep/last && "
                            "truncate -s 2G /keep/last && khoctl keep rm /keep/last /keep/more && "
                            "test $(stat -c %b /keep/last) -lt 100 && rm /keep/more /tmp/large",
         contains='"kept_files": 0'),
)
_DROPPED = ('"path": "/keep/cache"', "its holes have 2.0 GiB",
            '"path": "/keep/last"', '"files": 2')


def _load() -> Step:
    step = load("6.12", 2)
    return Step(step.name, step.command, contains=_DROPPED, timeout=180)


_JOURNAL = Step("journal", f"cat {_LOG}",
                contains=("/keep/cache is not kept: its holes have 2.0 GiB",
                          "/keep/last is not kept: its holes have 2.0 GiB"),
                lacks="/keep/small is not kept")

# The cgroup pays that restores: it is refused, and goes on where it was once it may have more.
_IN_CGROUP = ("sh -c 'echo $$ > /cg/a/cgroup.procs && exec khoctl keep --restore --json'")
_CGROUP = (
    Step("cgroup", "mkdir -p /cg /keep && mount -t cgroup2 cg /cg && "
                   "echo +memory > /cg/cgroup.subtree_control && mkdir /cg/a && "
                   "echo 24M > /cg/a/memory.max && mount -t tmpfs -o size=100m keep /keep"),
    Step("too small a cgroup", _IN_CGROUP, expect=(1, 3), contains="no memory", timeout=120),
    Step("it waits", "khoctl keep ls --json; cat /cg/a/memory.current; dmesg | grep -i 'out of "
                     "memory' && exit 1; ls -lA /keep", contains='"waiting_files": '),
    Step("restore", "df -m /keep | grep -E ' (64|72) ' && echo 96M > /cg/a/memory.max && "
                    f"{_IN_CGROUP}", timeout=120),
    Step("all is back", "khoctl keep ls --json && stat -c '%u:%g' /keep/must && "
                        "sha256sum -c /etc/keep.sums",
         contains=('"waiting_files": 0', "12:34", "/keep/must: OK", "/keep/small: OK"),
         timeout=120),
    Step("who pays", "cat /cg/a/memory.current && test $(cat /cg/a/memory.current) -gt 70000000"),
    Step("no region", "echo 90M > /cg/a/memory.max && sh -c 'echo $$ > /cg/a/cgroup.procs && "
                      "exec khoctl region create /keep/region 24M'", expect=3,
         contains="not as much", timeout=120),
    Step("nobody does", "! test -e /keep/region && rm /keep/* && sleep 1 && "
                        "cat /cg/a/memory.current && "
                        "test $(cat /cg/a/memory.current) -lt 8000000 && umount /keep"),
)

CASES: tuple[Case, ...] = (
    Case("keep-guard", "kept files that the next kernel has no room for, and a full cgroup",
         (chain("6.12", Step("syslogd", f"syslogd -O {_LOG} && sleep 1"), INSMOD, INSMOD_LUO,
                _FILES, *_TOO_MUCH,
                Step("doctor", _DOCTOR,
                     contains=("2 go along: 72.", "/keep/last stays: its holes")),
                _load(),
                Step("what went along", "khoctl keep ls --json", contains='"kept_files": 2'),
                _JOURNAL, EXEC),
          chain("6.12", ATTACH, VERIFY, INSMOD_LUO, *_CGROUP, count_is("in.pages", "0"), *NOTHING,
                RMMOD_LUO, RELEASE, RMMOD)),
         memory=1024, luo=True, tags=("keep",)),
)
