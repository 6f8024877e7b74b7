# SPDX-License-Identifier: GPL-2.0-only
"""Files of huge pages on tmpfs: made of contiguous memory, mapped by PMDs, kept from the start."""

from __future__ import annotations

from cases.blocks import (ATTACH, EXEC, INSMOD, INSMOD_LUO, NOTHING, RELEASE, RMMOD, RMMOD_LUO,
                          STATUS, VERIFY, chain, count_is, load)
from khobvm.case import Case, Step

_MIB = 256
_PATH = "/huge/guest"
_MOUNT = Step("mount", "mkdir -p /huge && mount -t tmpfs -o size=400m huge /huge && "
                       "grep -E 'Committed_AS|^Shmem' /proc/meminfo")
_CREATE = Step("create", f"khoctl region create {_PATH} {_MIB}M --numa 1 --json && "
                         f"chmod 640 {_PATH} && df -m /huge && cat /proc/meminfo",
               contains=(f'"huge_pages": {_MIB // 2}', '"node": 1',
                         f"ShmemHugePages:   {_MIB << 10} kB"), timeout=120)
_REFUSED = (
    Step("twice", f"khoctl region create {_PATH} 2M", expect=3, contains="is there already"),
    Step("odd", "khoctl region create /huge/odd 3M", expect=2, contains="no multiple of 2.0 MiB"),
    Step("1G", "khoctl region create /huge/odd 1G --huge 1G", expect=2, contains="--carve"),
    Step("no tmpfs", "khoctl region create /proc/x 2M", expect=3, contains="/proc is no tmpfs"),
    Step("no node", "khoctl region create /huge/odd 2M --numa 7", expect=3,
         contains="no such node"),
    Step("no room", "khoctl region create /huge/odd 200M", expect=3, contains="does not fit"),
    Step("no memory", "mount -o remount,size=8g /huge && "
                      "khoctl region create /huge/odd 1200M --numa 0",
         expect=3, contains="contiguous memory", timeout=120),
    Step("nothing is left", "ls -A /huge; df -m /huge; khoctl keep ls --json", lacks="odd",
         contains=(f'"path": "{_PATH}"', f" {_MIB} ")),
)
_ALL_HUGE = f"mapped by huge pages: {_MIB << 10} KiB"


def _use(what: str) -> Step:
    return Step(what, f"khob-dax {what} {_PATH} {_MIB}",
                contains=(_ALL_HUGE, ": 0 of "), timeout=180)


# It is the file's owner that it is charged to, and a part of it can be given back.
_GIVE_BACK = Step("give back", f"rm {_PATH} && khoctl region create /huge/more 64M && "
                               "truncate -s 5M /huge/more && df -k /huge | tail -n 1 && "
                               "rm /huge/more && df -k /huge | awk 'NR == 2 {exit $3 != 0}'")


def _case(before: str, after: str, memory: str = "") -> Case:
    """1 GiB costs 512 keys, and what lies together one interval: two chunks at most here."""
    return Case(f"region-{before}-{after}", f"a file of huge pages, from {before} to {after}",
                (chain(before, INSMOD, INSMOD_LUO, _MOUNT, _CREATE, *_REFUSED, _use("fill"),
                       load(after, 2, memory),
                       Step("keys", "khoctl keep ls --json; khoctl walk --out | "
                                    f"awk '$2 == 9' | wc -l | grep -x {_MIB // 2}",
                            contains='"kept_files": 1'),
                       EXEC),
                 chain(after, ATTACH, STATUS, VERIFY, INSMOD_LUO, _MOUNT,
                       Step("restore", "khoctl keep --restore --json && "
                                       f"stat -c %a {_PATH}", contains=('"files": 1', "640")),
                       _use("check"), _use("fill"), _GIVE_BACK, count_is("in.pages", "0"),
                       *NOTHING, RMMOD_LUO, RELEASE, RMMOD)),
                memory=2048, cpus=2, nodes=2, luo=True, helpers=("khob-dax",), tags=("keep",))


CASES: tuple[Case, ...] = (_case("6.1", "6.12"), _case("6.12", "6.1"))
